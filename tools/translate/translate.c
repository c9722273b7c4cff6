#include "tools/translate/translate.h"

#include "common/mem.h"
#include "tools/translate/learn.h"

#include <stddef.h>
#include <stdlib.h>

#define AT(member) offsetof(struct settings, member)

static const struct opt options[] = {
    {"to", 't', OPT_LIST, "LOCALES",
	"the locales to translate into: ar,es,fr; en-XA and ar-XB are pseudo-locales", OPT_PROJECT,
	NULL, AT(to)},
    {"from", 0, OPT_TEXT, "LOCALE", "the language of the texts", OPT_PROJECT, "en", AT(from)},
    {"memory", 'm', OPT_WORDS, "FILE",
	"a translation memory: NDJSON, PO, MO, TMX, ARB or a folder of them, or 'system'", 0, NULL,
	AT(memory)},
    {"catalog", 0, OPT_WORDS, "FILE",
	"the project's catalogues, where they are not found by themselves", 0, NULL, AT(catalog)},
    {"glossary", 'g', OPT_WORDS, "FILE",
	"terms and their translations: term TAB locale TAB translation, or - to keep it", 0, NULL,
	AT(glossary)},
    {"engine", 'e', OPT_CHOICE, "auto|rules|apertium|pseudo|model|deepl",
	"what answers where memory does not", 0, "auto", AT(engine)},
    {"fuzzy", 0, OPT_REAL, "SCORE", "the least score of a fuzzy match, 0 for none", OPT_PROJECT,
	"0.85", AT(fuzzy)},
    {"isolate", 0, OPT_FLAG, NULL,
	"isolate placeholders in text that is written from right to left", OPT_PROJECT, NULL,
	AT(isolate)},
    {"force", 'f', OPT_FLAG, NULL, "replace translations that are there, approved ones too", 0,
	NULL, AT(force)},
    {"formality", 0, OPT_CHOICE, "default|more|less",
	"how a model or DeepL addresses the reader, where the language tells", OPT_PROJECT,
	"default", AT(formality)},
    {"model", 0, OPT_TEXT, "PROVIDER/NAME", "the model that kandil-ai asks", 0, NULL, AT(model)},
    {"max-cost", 0, OPT_TEXT, "AMOUNT", "what kandil-ai may spend at most", 0, NULL,
	AT(max_cost)},
    {"verify", 0, OPT_FLAG, NULL,
	"have each draft translated back, and mark those that come back as another text", 0, NULL,
	AT(verify)},
    {"key-file", 0, OPT_TEXT, "FILE", "the file with DeepL's key", 0, NULL, AT(key_file)},
    {"deepl-glossary", 0, OPT_LIST, "ID", "a glossary kept by DeepL: ID, or LOCALE=ID", 0, NULL,
	AT(deepl_glossary)},
    {"timeout", 0, OPT_REAL, "SECONDS", "how long DeepL may say nothing", 0, "30", AT(timeout)},
    {"dry-run", 'n', OPT_FLAG, NULL, "ask no engine: say how much it would be asked", 0, NULL,
	AT(dry_run)},
    {"learn", 0, OPT_TEXT, "FILE",
	"learn what people approved, and do nothing else: FILE, or 'user' for your own memory", 0,
	NULL, AT(learn)},
    {0},
};

static const struct tool tool = {
	.name = "kandil-translate",
	.summary = "translate string records from memory, protecting what must not change",
	.operands = "[FILE ...]",
	.opts = options,
	.epilogue = "kandil-extract lib/ | kandil-translate --to=ar,es,fr |\n"
		    "    kandil-catalog write --arb lib/l10n",
};

/* ---- record by record ---- */

static void
set_in_record(void *state, const char *const *path, size_t n, struct slice value)
{
	record_set(state, path, n, value);
}

static void
finish_record(struct record *r, enum verdict verdict, const struct err *e)
{
	if (verdict == VERDICT_FAILED) {
		record_fail(r, e->code, false, "%s", e->text);
		return;
	}
	if (verdict == VERDICT_PARTIAL)
		record_partial(r);
	record_pass(r);
}

static void
translate_one(struct record *r, void *state)
{
	struct err e = {0};

	if (!record_kind(r, "string")) {
		record_pass(r);
		return;
	}
	finish_record(r, translate_record(state, r->text, set_in_record, r, &e), &e);
}

/* ---- in windows: an engine that is slow to start gets many texts at once ---- */

/* Asking a service takes seconds, and its gaps take memory: its windows are smaller. */
enum {
	WINDOW_RECORDS = 20000,
	WINDOW_BYTES = 16 << 20,
	WINDOW_ASKED = 2000,
	WINDOW_ASKED_BYTES = 4 << 20
};

struct window {
	struct translator *t;
	struct run *run;
	struct buf texts; /* records, a line each */
	size_t n;
};

static void
set_in_buf(void *state, const char *const *path, size_t n, struct slice value)
{
	json_set(state, path, n, value);
}

static void
set_nothing(void *state, const char *const *path, size_t n, struct slice value)
{
	(void)state, (void)path, (void)n, (void)value;
}

static bool
is_string(struct slice record)
{
	struct slice kind;

	return json_get(record, "kind", &kind) && json_is(kind, "string");
}

static void
flush_window(struct window *w)
{
	struct translator *t = w->t;
	struct buf record = {0};
	struct err e = {0};

	for (size_t i = 0; i < t->n; i++) {
		struct store *store = &t->memories[i].tiers[TIER_ENGINE];

		store_free(store);
		store_seal(store);
		if (t->targets[i].apertium && apertium_run(t->targets[i].apertium, store, &e) < 0) {
			warn("%s", e.text);
			run_status(w->run, STATUS_FAILED);
		}
	}
	if (t->engine && t->gaps.n)
		engine_run(t->engine, &t->gaps);
	gaps_reset(&t->gaps);
	t->asking = false;
	for (size_t at = 0; at < w->texts.len;) {
		const char *stop = memchr(w->texts.ptr + at, '\n', w->texts.len - at);
		size_t len = (size_t)(stop - w->texts.ptr) - at;

		buf_reset(&record);
		buf_add(&record, w->texts.ptr + at, len);
		/* It was read without a fault before: VERDICT_FAILED cannot be. */
		if (is_string(buf_slice(&record)) &&
		    translate_record(t, (struct slice){w->texts.ptr + at, len}, set_in_buf, &record,
			&e) == VERDICT_PARTIAL)
			run_status(w->run, STATUS_PARTIAL);
		record_emit(w->run, buf_slice(&record));
		at += len + 1;
	}
	t->asking = true;
	buf_reset(&w->texts);
	w->n = 0;
	buf_free(&record);
}

static void
hold_one(struct record *r, void *state)
{
	struct window *w = state;
	struct err e = {0};

	if (record_kind(r, "string") &&
	    translate_record(w->t, r->text, set_nothing, NULL, &e) == VERDICT_FAILED) {
		flush_window(w);
		record_fail(r, e.code, false, "%s", e.text);
		return;
	}
	buf_addslice(&w->texts, r->text);
	buf_addc(&w->texts, '\n');
	bool asked = w->t->engine != NULL;
	if (++w->n == (asked ? WINDOW_ASKED : WINDOW_RECORDS) ||
	    w->texts.len >= (asked ? WINDOW_ASKED_BYTES : WINDOW_BYTES))
		flush_window(w);
}

static void
loop(struct run *run, struct translator *t)
{
	struct window w = {.t = t, .run = run};

	if (t->settings->engine != ENGINE_APERTIUM && !t->engine) {
		record_loop(run, translate_one, t);
		return;
	}
	t->asking = true;
	record_loop(run, hold_one, &w);
	flush_window(&w);
	buf_free(&w.texts);
}

int
main(int argc, char **argv)
{
	struct settings settings = {0};
	struct translator translator;
	struct run run;

	run_start(&run, &tool, &settings, argc, argv);
	if (settings.learn) {
		learn(&run, settings.learn, &settings.to, settings.from, settings.dry_run);
		return run_finish(&run);
	}
	setup(&translator, &settings);
	loop(&run, &translator);
	report(&translator);
	run_status(&run, engine_close(translator.engine));
	teardown(&translator);
	return run_finish(&run);
}
