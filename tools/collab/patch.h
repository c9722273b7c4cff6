/*
 * patch: JSON Merge Patch over raw slices: the difference, and the one form in
 * which equal documents are equal bytes. State applies patches (state.h).
 *
 * Numbers keep their text and strings their escapes. In the canonical form an
 * object's members stand in the order of the bytes of their decoded names,
 * each once (of duplicates the last), names escaped minimally, no white
 * space; an array keeps its content as it came, white space aside. A lone
 * surrogate in a name is U+FFFD, as everywhere in common/json.
 * Source: RFC 7396 (JSON Merge Patch); RFC 6901 (JSON Pointer).
 *
 * All JSON values are ones that json_check accepted. Recursion is as deep as
 * they are (JSON_DEPTH).
 */
#ifndef KANDIL_COLLAB_PATCH_H
#define KANDIL_COLLAB_PATCH_H

#include "common/buf.h"
#include "common/die.h"
#include "common/mem.h"

/*
 * The members of objects, sorted by decoded name, duplicates removed. A
 * stack: an object's go on top of those of the object around it, so that one
 * array serves a whole recursion. Zero-initialised is ready.
 */
struct member {
	struct slice name, value; /* decoded; raw */
};
struct members {
	struct member *v;
	size_t n, cap;
	struct arena names; /* of those that had escapes */
};
/* Pushes an object's members (of anything else: none); they begin at the returned index. */
size_t members_push(struct members *, struct slice object);
void members_free(struct members *);

/* Appends the canonical form of any value; null members stay. */
void patch_canonical(struct slice value, struct buf *out);
/*
 * Appends the smallest patch that makes `to` of `from` and returns true, or
 * appends nothing when they are equal. `to` has no null members (patch_null).
 */
bool patch_diff(struct slice from, struct slice to, struct buf *out);
/*
 * Appends the patch that gives the object `to` those members of the object `from` that it
 * lacks, {} when there are none; returns how many both have that differ, which stay.
 */
size_t patch_add(struct slice to, struct slice from, struct buf *out);
/*
 * Whether a document has null where a merge patch cannot put it: as the
 * whole, or as a member outside of arrays; *pointer (reset) is its JSON Pointer.
 */
bool patch_null(struct slice document, struct buf *pointer);
/* Whether a patch does nothing but delete: {} does not count. */
bool patch_deletes(struct slice patch);

/* Appends "/name" with ~0 and ~1. */
void pointer_add(struct buf *pointer, struct slice name);
/*
 * Takes the next name off rest and decodes it into name (reset): 1, 0 at the
 * end (rest empty), -1 when what is left is no JSON Pointer.
 */
int pointer_next(struct slice *rest, struct buf *name);

#endif
