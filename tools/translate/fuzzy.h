/*
 * fuzzy: the unit whose source is nearest to a text, in bounded time.
 *
 * Nearness is 1 - d / max(length), d the Levenshtein distance of the folded
 * sources in code points. Words are compared as well, so that "Turn on"
 * never answers "Turn off": each word must be near to its counterpart, and
 * only articles and the like may be missing. Numbers and names (RuStore; a
 * capital within a sentence) must be the same ones.
 */
#ifndef KANDIL_TRANSLATE_FUZZY_H
#define KANDIL_TRANSLATE_FUZZY_H

#include "tools/translate/memory.h"

enum {
	FUZZY_LENGTH = 300, /* code points; longer texts have no near match */
	FUZZY_TRIES = 4000, /* distances computed for one text */
};
/* The least score of one word: letters alone make no likeness ("RuStore", "Restore"). */
#define FUZZY_WORD 0.95

/*
 * The nearest unit of at least that score (0 … 1), or NULL. folded is the
 * folded form of the message's text. Of equally near ones the first in the
 * store.
 */
const struct unit *fuzzy_find(const struct store *, struct slice text, struct slice folded,
    double least, double *score);

/*
 * How like two folded texts are, 0 … 1: by letters as above, or by the words
 * that both have (Dice), whichever is more.
 */
double fuzzy_likeness(struct slice a, struct slice b);

#endif
