/*
 * apertium: drafts by the installed Apertium, one run for many texts.
 *
 * Each text goes as one HTML paragraph, its placeholders and tags as <x
 * id="N"/>, since Apertium lets lines bleed into each other and translates
 * {name}. What comes back with other ids is dropped. It is a draft engine:
 * everything it says needs review.
 */
#ifndef KANDIL_TRANSLATE_APERTIUM_H
#define KANDIL_TRANSLATE_APERTIUM_H

#include "tools/translate/match.h"

struct apertium;

/*
 * For the language pair, by the modes installed: from-to directly, or by one
 * language between. NULL with e: "no_engine" (not installed: what to
 * install), "no_pair" (not for these languages).
 */
struct apertium *apertium_open(const char *from, const char *to, struct err *e);
/* Queues a text without branches, once; the message may go afterwards. */
void apertium_ask(struct apertium *, const struct message *);
/*
 * Runs, if anything is queued, and adds what came back to TIER_ENGINE as
 * drafts (the store is sealed). 0, or -1 with e: "engine_failed".
 */
int apertium_run(struct apertium *, struct store *, struct err *e);
/* "eng-spa", or "eng-cat,cat-fra". */
const char *apertium_modes(const struct apertium *);
void apertium_close(struct apertium *);

#endif
