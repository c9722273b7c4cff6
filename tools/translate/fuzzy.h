/*
 * fuzzy: the unit whose source is nearest to a text, in bounded time.
 *
 * Nearness is 1 - d / max(length), d the Levenshtein distance of the folded
 * sources in code points. Words are compared as well, so that "Turn on"
 * never answers "Turn off": each word must be near to its counterpart, and
 * only articles and the like may be missing.
 */
#ifndef KANDIL_TRANSLATE_FUZZY_H
#define KANDIL_TRANSLATE_FUZZY_H

#include "tools/translate/memory.h"

enum {
	FUZZY_LENGTH = 300, /* code points; longer texts have no near match */
	FUZZY_TRIES = 4000, /* distances computed for one text */
};

/*
 * The nearest unit of at least that score (0 … 1), or NULL. folded is the
 * text's folded form. Of equally near ones the first in the store.
 */
const struct unit *fuzzy_find(const struct store *, struct slice folded, double least,
    double *score);

/* 1 - d / max(length) of two folded texts; 0 when it is below least. */
double fuzzy_score(struct slice a, struct slice b, double least);

#endif
