/*
 * match: one text against the memories of one locale.
 *
 * A query is a message read once and asked for in many locales. The memories
 * of a locale are tiers in order of trust; exact matches of all tiers come
 * before folded ones, and those before fuzzy ones.
 */
#ifndef KANDIL_TRANSLATE_MATCH_H
#define KANDIL_TRANSLATE_MATCH_H

#include "common/locale.h"
#include "common/message.h"
#include "tools/translate/memory.h"

enum tier {
	TIER_GLOSSARY,
	TIER_PROJECT,
	TIER_MEMORY,
	TIER_SYSTEM,
	TIER_SEED,
	TIER_ENGINE, /* what apertium answered in this run */
	TIERS
};

/* All that is known for one target locale. */
struct memories {
	char locale[LOCALE_MAX];
	struct store tiers[TIERS];
};

enum match_kind { MATCH_NONE, MATCH_EXACT, MATCH_FOLDED, MATCH_FUZZY };

struct query {
	struct message m;
	struct buf skeleton, folded;
	uint64_t hash;
};

struct match {
	enum match_kind kind;
	enum tier tier;
	const char *file; /* the catalogue, "" for the engine */
	double score;	  /* 1 for exact and folded */
	bool doubtful;	  /* catalogues disagree, or a draft: a person must look */
	unsigned votes;	  /* catalogues that say so */
	struct slice alternatives[3]; /* other translations, most agreed first */
	size_t nalternatives;
};

/* Reads the message; 0, or -1 with e as message_parse. Buffers are reused. */
int query_read(struct query *, struct slice text, unsigned dialect, struct arena *, struct err *e);

/* What is asked of a match. */
struct match_rules {
	double fuzzy; /* the least score, 0: no fuzzy matches */
	/* Whether a translation may be given; the next best is tried if not. NULL: any. */
	bool (*accept)(struct slice translation, void *state);
	void *state;
};

/*
 * The best match: its translation, in the query's dialect, is appended to
 * out. Returns false, out unchanged, where there is none.
 */
bool match_find(const struct memories *, const struct query *, const struct match_rules *,
    struct match *, struct arena *, struct buf *out);

#endif
