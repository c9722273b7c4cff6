/*
 * glob: shell patterns over paths, and lists of them as in .gitignore.
 *
 * Matching is by bytes, as git does it: `?` is one byte, nothing but `**` and '/' matches a '/'.
 * Time is bounded by a polynomial of the lengths, whatever the pattern.
 * Source: gitignore(5), and glob(7) for bracket expressions.
 */
#ifndef KANDIL_GLOB_H
#define KANDIL_GLOB_H

#include "common/buf.h"

/*
 * Whether the whole path matches. `*` any bytes but '/'; `**` as a whole component any number of
 * components; `[a-z]`, `[!a]`, `[[:alpha:]]`; `\x` is x. A pattern that is not well-formed
 * matches nothing.
 */
bool glob_match(struct slice pattern, struct slice path);

/* A list in order: the last pattern that matches decides. Zero-initialised is empty and ready. */
struct glob_list {
	struct glob_pattern *v;
	size_t n, cap;
};

/*
 * Adds one pattern: leading `!` reverses, trailing `/` means folders only, a `/` anywhere else
 * anchors it at the list's base. The bytes are copied.
 */
void glob_add(struct glob_list *, struct slice pattern);
/* Adds the lines of a .gitignore file: comments, blank lines, trailing spaces, CR, BOM. */
void glob_add_lines(struct glob_list *, struct slice text);
/*
 * What the list says about the path, which is relative to the list's base and has no slash at
 * either end: 1 matched, -1 matched by a `!` pattern, 0 nothing.
 */
int glob_decide(const struct glob_list *, struct slice path, bool folder);
void glob_free(struct glob_list *);

#endif
