/*
 * translate: what the parts of kandil-translate share: settings, the target
 * locales, and one record's translation.
 */
#ifndef KANDIL_TRANSLATE_TRANSLATE_H
#define KANDIL_TRANSLATE_TRANSLATE_H

#include "common/record.h"
#include "tools/translate/answer.h"
#include "tools/translate/apertium.h"
#include "tools/translate/engine.h"
#include "tools/translate/gaps.h"
#include "tools/translate/glossary.h"
#include "tools/translate/project.h"
#include "tools/translate/propose.h"
#include "tools/translate/recall.h"

enum engine_choice {
	ENGINE_AUTO,
	ENGINE_RULES,
	ENGINE_APERTIUM,
	ENGINE_PSEUDO,
	ENGINE_MODEL,
	ENGINE_DEEPL
};

struct settings {
	struct common common;
	struct opt_list to, memory, catalog, glossary;
	const char *from;
	int engine; /* enum engine_choice */
	double fuzzy;
	bool isolate, force;
	/* engines */
	const char *model, *max_cost, *key_file;
	struct opt_list deepl_glossary;
	int formality; /* enum formality */
	double timeout;
	bool verify, dry_run;
	const char *learn;
};

/* One target locale's counts and engine. */
struct target {
	bool rtl;
	size_t texts, missing;
	struct apertium *apertium;
	char *tag; /* the engine's source, "apertium:eng-spa" */
};

struct translator {
	const struct settings *settings;
	struct memories *memories; /* one a target locale */
	struct target *targets;
	size_t n;
	struct project *project;
	struct glossary *glossary;
	struct proposer proposer;
	struct proposal proposal;
	struct answer answer;
	struct buf key, value, format, plural, name, member, all;
	struct message source; /* the record's message, as read */
	struct recall *recall; /* answers to texts that came before */
	struct recalled now; /* the counts of the record in hand */
	bool asking; /* first pass of an engine: gaps are queued, nothing counts */
	/* a model or DeepL; NULL: none is asked */
	struct engine *engine;
	struct gaps gaps;
	bool mute; /* it is not asked, nor heard: what is there would stay anyway */
	struct buf context, widget, file, note, before, last_file;
	size_t max_length; /* of the record's text, 0: any */
	struct buf others, stale; /* of the record: translations by locale, JSON */
	size_t asked[2], nasked;  /* the record's gaps */
};

/* Loads everything that the settings name; dies with 2 or 3 where it cannot. */
void setup(struct translator *, const struct settings *);
void teardown(struct translator *);

/* What a record turned out to be. */
enum verdict { VERDICT_DONE, VERDICT_PARTIAL, VERDICT_FAILED };

/*
 * Translates one string record: set is called with the path and value of each
 * member to be set. VERDICT_FAILED: e says why, nothing was set.
 */
typedef void set_fn(void *state, const char *const *path, size_t n, struct slice value);
enum verdict translate_record(struct translator *, struct slice record, set_fn *set, void *state,
    struct err *e);

/* One locale of the record that was read: its answer is then in t->answer. */
void translate_into(struct translator *, size_t target);
/* What would help where nothing is found. */
const char *translate_advice(const struct translator *);

/* One line on stderr about what is missing and what would help, if anything is. */
void report(const struct translator *);

#endif
