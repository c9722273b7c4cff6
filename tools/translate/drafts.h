/*
 * drafts: what an engine said of texts, by text, context and locale.
 *
 * Holds the answers of this run and those that are remembered of earlier
 * ones, and also why a text got none. Bounded: when it is full the oldest
 * run's answers go first, all at once (they are in the file of remember.h).
 */
#ifndef KANDIL_TRANSLATE_DRAFTS_H
#define KANDIL_TRANSLATE_DRAFTS_H

#include "common/format/catalog.h"

enum { DRAFTS_BYTES = 32 << 20 };

/* What names a draft: a text in one dialect, and what the record says of its context. */
struct draft_key {
	size_t target; /* index of the locale */
	unsigned dialect;
	struct slice context, text;
};

/* Slices with len 0: not said. */
struct draft {
	enum catalog_state state; /* DRAFT, FUZZY, or MISSING: rejected, reason, hint say why */
	struct slice value, source, hint, rejected, reason;
	bool remembered; /* of an earlier run: to be checked against what is asked today */
};

struct drafts;

struct drafts *drafts_new(void);
/* What was said, or NULL; holds until the next drafts_put. */
const struct draft *drafts_get(const struct drafts *, const struct draft_key *);
/* Keeps a copy; what was there under the key is replaced. */
void drafts_put(struct drafts *, const struct draft_key *, const struct draft *);
/* Whether it is full: then drafts_clear, and remember_load again. */
bool drafts_full(const struct drafts *);
void drafts_clear(struct drafts *);
void drafts_free(struct drafts *);

#endif
