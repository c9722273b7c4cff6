/*
 * seed: the commonest texts of interfaces, which come with the program:
 * share/kandil/translate/seed/LANG.po, from English.
 */
#ifndef KANDIL_TRANSLATE_SEED_H
#define KANDIL_TRANSLATE_SEED_H

#include "tools/translate/match.h"

/*
 * Fills TIER_SEED with what there is for the locale, or for its nearest parent;
 * nothing where from is another language than English. 0, or -1 with e as
 * load_file.
 */
int seed_load(struct memories *, const char *from, struct err *e);

#endif
