/*
 * pair: a translation and its source, which a catalogue may keep in different
 * formats ("Hi %@" and "Salut", a plural and one text for all numbers), as
 * messages of one dialect, so that they can be compared.
 */
#ifndef KANDIL_CATALOG_PAIR_H
#define KANDIL_CATALOG_PAIR_H

#include "common/buf.h"

struct pair {
	struct buf source, text; /* as messages of the dialect */
	unsigned dialect;
	/* One is a plural, the other none, which a language may want: only names compare. */
	bool names_only;
};

/*
 * Makes the pair of two texts that are given in their formats (as in records);
 * the bufs are the caller's to free. False where there is no common dialect.
 */
bool pair_make(struct pair *, struct slice source, const char *source_format, struct slice text,
    const char *format);

#endif
