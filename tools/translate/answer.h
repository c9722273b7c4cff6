/*
 * answer: the member translations.<locale> of a record.
 *
 * {"value","status","source","engine":…}: who said so is always there. A text
 * that nothing has is {"status":"missing","hint"}; one that failed its check
 * is missing too, with the text in "rejected" and why in "reason".
 */
#ifndef KANDIL_TRANSLATE_ANSWER_H
#define KANDIL_TRANSLATE_ANSWER_H

#include "common/format/catalog.h"
#include "common/json.h"

struct answer {
	enum catalog_state state; /* CATALOG_MISSING: no value */
	struct buf value, source, hint, rejected, reason;
	struct buf plural;   /* of the record's plural proposal; empty: none */
	struct buf alternatives; /* JSON array, empty: none */
	const char *engine;  /* "rules", "apertium", "pseudo", "model", "deepl" */
	const char *match;   /* "key", "exact", "folded", "fuzzy", or NULL */
	double score;	     /* of a fuzzy match, else 0 */
	bool stale;
};

void answer_reset(struct answer *);

/* What a record already says for a locale; text has its value decoded. */
struct existing {
	struct slice object; /* raw; len 0: nothing */
	enum catalog_state state;
	bool stale;
};
struct existing answer_existing(struct slice object);

/*
 * Whether any answer could take the place of what is there: not that of a
 * person's word that still fits its source, nor of an approved one.
 */
bool answer_needed(const struct existing *, bool force);
/*
 * Whether the answer takes the place of what is there. What a person approved
 * or translated stays unless force; a draft or fuzzy text gives way to a
 * translated one only, a draft of an older source also to a draft.
 */
bool answer_replaces(const struct answer *, const struct existing *, bool force);

/*
 * Appends the member's JSON: what is there with our members replaced, and
 * those of its members that are not ours kept as they are.
 */
void answer_write(const struct answer *, const struct existing *, struct buf *out);

#endif
