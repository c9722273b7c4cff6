/*
 * edit: many splices of one text at once, given in the text's own offsets.
 */
#ifndef KANDIL_FORMAT_EDIT_H
#define KANDIL_FORMAT_EDIT_H

#include "common/mem.h"
#include "common/buf.h"

/* The bytes [start, end) are replaced by with; start == end inserts. */
struct edit {
	size_t start, end, order;
	bool behind;
	struct slice with;
};

/* Zero-initialised is empty and ready. */
struct edits {
	struct edit *v;
	size_t n, cap;
	struct arena arena;
};

/*
 * Adds one; with is copied. Edits at one place are made in the order of their
 * addition, insertions before a replacement.
 */
void edits_add(struct edits *, size_t start, size_t end, struct slice with);
/* Inserts with behind what ends at place: before all that is added there by edits_add. */
void edits_add_behind(struct edits *, size_t place, struct slice with);
/*
 * Appends text with all edits made. False, and nothing is appended, where two
 * overlap or one lies outside the text.
 */
bool edits_apply(struct edits *, struct slice text, struct buf *out);
void edits_free(struct edits *);

#endif
