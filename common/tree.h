/*
 * tree: JSON values in memory, for documents that are too deep for slices.
 *
 * The second of three JSON layers, over libjq's jv. A value is parsed from a
 * slice that json_check accepted and written by our own writer. A number is a
 * double here: what must keep its digits is read as a slice, by json.
 *
 * Ownership, without exception: `const struct tree *` borrows, and every
 * struct tree that comes out is the caller's to tree_free. A value never
 * changes; copies are counted, not made.
 */
#ifndef KANDIL_TREE_H
#define KANDIL_TREE_H

#include "common/json.h"

struct tree {
	uint64_t opaque[2];
};

/*
 * 0, or -1 with e: "too_deep" (libjq 1.6 takes 256 arrays or half as many
 * objects in each other), "lone_surrogate" (it has no value for that),
 * "too_long" (over 1 GiB).
 */
int tree_parse(struct slice value, struct tree *out, struct err *e);
/*
 * Appends the value as JSON: no white space, members in their order, whole
 * numbers below 1e21 as digits, the shortest text that reads back as the same
 * double otherwise. 0, or -1 with e when it has more than max bytes
 * ("too_long": shared parts may unfold without end) or is deeper than
 * JSON_DEPTH ("too_deep"); what was appended stays.
 */
int tree_write(const struct tree *, size_t max, struct buf *out, struct err *e);
void tree_free(struct tree *);
/* Appends a string's bytes; false when it is none. */
bool tree_text(const struct tree *, struct buf *out);

#endif
