/*
 * engine: asks a translator (a model, DeepL) for the gaps of a window.
 *
 * Texts go in batches of one locale, neighbours together, plurals as one text
 * a case (cases.h), masked (mask.h). Every answer passes the same checks as any
 * other source; a model is asked again with what was wrong, at most twice.
 * What came of each text is a draft (drafts.h), also that nothing came.
 */
#ifndef KANDIL_TRANSLATE_ENGINE_H
#define KANDIL_TRANSLATE_ENGINE_H

#include "common/opt.h"
#include "tools/translate/drafts.h"
#include "tools/translate/gaps.h"
#include "tools/translate/glossary.h"
#include "tools/translate/match.h"

enum formality { FORMALITY_DEFAULT, FORMALITY_MORE, FORMALITY_LESS };

struct engine_settings {
	bool deepl; /* else a model */
	const char *from;
	const struct memories *targets;
	size_t n;
	const struct glossary *glossary;
	const char *model, *max_cost; /* NULL: kandil-ai's own */
	const char *key_file;	      /* DeepL's; NULL: the environment */
	const struct opt_list *deepl_glossary; /* ID, or LOCALE=ID */
	enum formality formality;
	double timeout; /* seconds without a byte from DeepL */
	bool verify;	/* translate back, and compare */
	bool forget;	/* earlier runs' answers are not taken */
	bool dry_run;	/* asks nothing, counts */
};

struct engine;

/*
 * NULL with e: "no_key" (DeepL's is not set, or cannot be read), "bad_value",
 * "no_engine" (kandil-ai is not there), "cannot_read" (its prompts).
 */
struct engine *engine_open(const struct engine_settings *, struct err *e);
/* Whether DeepL's key is set, and whether the user has configured a model. */
bool engine_deepl_ready(const char *key_file);
bool engine_model_ready(const char *model);

/* What it said of earlier texts, too. */
struct drafts *engine_drafts(struct engine *);
/* "deepl" or "model", for records. */
const char *engine_name(const struct engine *);
/* Asks for all gaps. Returns when each is a draft, of whatever outcome. */
void engine_run(struct engine *, struct gaps *);
/* Whether a text, or one of its cases, has more code points than that; 0: never. */
bool engine_too_long(struct slice text, unsigned dialect, size_t max_length);
/*
 * Ends it, with a line on stderr about what was asked. STATUS_FAILED where it had to
 * stop, or was asked and never answered anything; STATUS_USAGE where its options or
 * its configuration are at fault.
 */
enum status engine_close(struct engine *);

#endif
