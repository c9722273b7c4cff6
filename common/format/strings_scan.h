/*
 * strings_scan: where everything stands in a .strings file.
 */
#ifndef KANDIL_FORMAT_STRINGS_SCAN_H
#define KANDIL_FORMAT_STRINGS_SCAN_H

#include "common/format/catalog.h"

/* Offsets [start, end) in the text. */
struct strings_item {
	struct slice key, value; /* decoded */
	struct catalog_span name; /* the key with its quotes */
	struct catalog_span text; /* the value with its quotes; start == end: there is none */
	size_t end;		  /* behind the semicolon */
	size_t line_end;	  /* where something new may be put behind it */
	struct slice comment;	  /* between its delimiters; len 0: none */
	size_t comment_start;	  /* of its first delimiter */
	struct catalog_span mark; /* the comment that is its mark; end 0: none */
	struct slice mark_text;
	const char *fault;	  /* static; NULL: none */
};

struct strings_file {
	struct slice text;
	struct strings_item *v;
	size_t n, cap;
	size_t content_end; /* of all items: the text's end, or a closing brace */
	struct arena arena;
};

/* Text is UTF-8 and must outlive it. 0, or -1 with e ("bad_catalog", with its place). */
int strings_scan(struct slice text, struct strings_file *, struct err *e);
void strings_scan_free(struct strings_file *);

/* Appends text with double quotes, escaped. */
void strings_quote(struct slice text, struct buf *out);

#endif
