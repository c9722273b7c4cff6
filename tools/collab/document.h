/*
 * document: the file in which people and programs see and edit a shared state.
 *
 * We write it whole, atomically (path_replace), indented by two blanks. Who
 * else writes it is found out by looking (document_poll): what differs from
 * the form that the file had last becomes a merge patch, so an edit that
 * touches one member takes back nothing that arrived meanwhile. What a person
 * broke is never overwritten: nothing is written until it is mended.
 */
#ifndef KANDIL_COLLAB_DOCUMENT_H
#define KANDIL_COLLAB_DOCUMENT_H

#include "common/buf.h"
#include "common/die.h"

struct document;

/*
 * Reads nothing yet: poll first. base: the form that the file had when the
 * program ended (document_base), so that edits made since are found; empty: not known,
 * then all that the file says is an edit of the empty document, and
 * what it lacks is not deleted. A file that does not exist is made by the first write.
 * max: bytes that are read at most.
 */
struct document *document_open(const char *name, struct slice base, size_t max);
void document_free(struct document *);

/*
 * Looks whether somebody else wrote the file: 0, it is as it was; 1, it was
 * edited, and the edit as a patch is appended to patch (canonical, STATE_DEPTH is the caller's
 * to check); -1 with e, once for each content:
 *	"not_json", "bad_utf8", "too_deep"	with e->line and e->column (code points)
 *	"not_object"	the file must hold a JSON object
 *	"null_member"	null cannot be a member: it means delete; its JSON Pointer is named
 *	"cannot_read", "too_large"
 * From then on the document is broken, polls give 0, and writes do nothing, until the
 * file is changed to something good (1, or 0 when it is as it was before). A
 * file that vanished is no edit, and is written again. Costs one stat when nothing happened.
 */
int document_poll(struct document *, struct buf *patch, struct err *e);
bool document_broken(const struct document *);
/*
 * Writes the state (one JSON value): 0 done, or nothing to do, or broken; 1
 * the file was edited since the last poll: poll, merge, then write again; -1
 * with e ("cannot_write"), the old file stays.
 */
int document_write(struct document *, struct slice state, struct err *e);
/* What the file said last, in canonical form: lent. To be kept with the state. */
struct slice document_base(const struct document *);

/* Appends a value, indented by two blanks a level, with a last LF. */
void document_pretty(struct slice value, struct buf *out);

#endif
