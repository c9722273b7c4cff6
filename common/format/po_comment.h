/*
 * po_comment: the comments of a PO entry, and the key that one of them holds,
 * "#. key: NAME", which is what kandil-catalog names the message.
 */
#ifndef KANDIL_FORMAT_PO_COMMENT_H
#define KANDIL_FORMAT_PO_COMMENT_H

#include "common/buf.h"

/* The key of the entry that is being read; text is empty where it has none. */
struct po_key {
	struct buf text;
	struct slice line; /* where it comes from */
	size_t at;	   /* that line's place in the comment */
};

/* Appends a line, behind a separator where it is not the first. */
void po_add_line(struct buf *, struct slice text, char separator);
/*
 * Takes the text behind "#.": the key, or a line of the comment. Of several
 * that look like a key the last is it, the others are the description's.
 */
void po_extracted(struct po_key *, struct slice text, struct buf *comment);

/* Appends a comment of several lines, each with its mark. */
void po_put_comment(const char *mark, struct slice text, struct buf *out);
/* Appends the key's; quoted where its ends or lines would not be read as they are. */
void po_put_key(struct slice key, struct buf *out);
/* Whether a line of the description would be read as the key. */
bool po_looks_like_key(struct slice description);

#endif
