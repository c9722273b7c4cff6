/*
 * rename: a source in which nothing changed but the names of its placeholders.
 *
 * Somebody renamed a variable of the program: {userName} is {name} now. The
 * translations say the same as before, so they get the new names and are not
 * stale.
 */
#ifndef KANDIL_CATALOG_RENAME_H
#define KANDIL_CATALOG_RENAME_H

#include "common/format/catalog.h"

/*
 * Finds the names that differ between two messages that are equal otherwise.
 * The array is the arena's. 0: something else differs too, or nothing does.
 */
size_t rename_find(struct slice before, struct slice after, unsigned dialect, struct arena *,
    struct catalog_rename **out);

/*
 * The text with all its names replaced; the arena's. ptr NULL where the text
 * does not parse.
 */
struct slice rename_apply(struct slice text, unsigned dialect, const struct catalog_rename *,
    size_t n, struct arena *);

#endif
