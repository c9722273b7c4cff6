#include "tools/translate/translate.h"

#include "common/mem.h"
#include "common/path.h"
#include "tools/translate/learn.h"
#include "tools/translate/pseudo.h"
#include "tools/translate/seed.h"
#include "tools/translate/system.h"

#include <stdlib.h>
#include <unistd.h>

/* Options into locales, memories, glossaries, engines. */

static void
check_locale(const char *word, const char *option)
{
	const char *nearest;

	if (locale_exists(slice(word)))
		return;
	nearest = locale_nearest(slice(word));
	if (nearest)
		die(STATUS_USAGE, "unknown locale in --%s, '%s': did you mean '%s'?", option, word,
		    nearest);
	die(STATUS_USAGE, "unknown locale in --%s, '%s': write codes such as ar, es, fr or pt-BR",
	    option, word);
}

/* The source's own language is no target: its texts are there. */
static void
add_targets(struct translator *t, const struct opt_list *to, const char *from)
{
	size_t i;

	if (to->n > 64)
		die(STATUS_USAGE, "more than 64 locales in --to: run it in parts");
	t->memories = xcalloc(to->n, sizeof(*t->memories));
	t->targets = xcalloc(to->n, sizeof(*t->targets));
	for (size_t k = 0; k < to->n; k++) {
		struct memories *m = &t->memories[t->n];

		check_locale(to->v[k], "to");
		locale_canonical(slice(to->v[k]), m->locale);
		if (strcmp(m->locale, from) == 0) {
			note("the texts are in '%s' already: nothing to translate into it", from);
			continue;
		}
		for (i = 0; i < t->n && strcmp(t->memories[i].locale, m->locale) != 0; i++)
			;
		if (i == t->n)
			t->targets[t->n++].rtl = locale_rtl(slice(m->locale));
	}
}

static void
load_memories(struct translator *t, struct loader *loader)
{
	const struct opt_list *list = &t->settings->memory;
	struct err e = {0};

	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->v[i], "system") == 0) {
			size_t found = 0;
			for (size_t k = 0; k < t->n; k++)
				if (!pseudo_locale(t->memories[k].locale))
					found += system_load(&t->memories[k]);
			if (!found)
				note("no installed catalogues for these locales: apt-get install "
				     "libreoffice-l10n-fr (or -ar, -es) brings many");
		} else if (load_file(loader, list->v[i], TIER_MEMORY, &e) < 0) {
			die(STATUS_FAILED, "%s", e.text);
		}
	}
}

/* What --learn has put into the user's own memory; a folder without it is no error. */
static void
load_own(struct loader *loader)
{
	char *name = learn_own_file();
	struct err e = {0};

	/* Where a home is says nothing to whoever reads the records. */
	loader->shown = "user";
	if (name && access(name, F_OK) == 0 && load_file(loader, name, TIER_MEMORY, &e) < 0)
		die(STATUS_FAILED, "%s", e.text);
	loader->shown = NULL;
	free(name);
}

static void
open_apertium(struct translator *t, const char *from)
{
	struct err e = {0};
	size_t opened = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (pseudo_locale(t->memories[i].locale))
			continue;
		t->targets[i].apertium = apertium_open(from, t->memories[i].locale, &e);
		if (!t->targets[i].apertium) {
			if (strcmp(e.code, "no_engine") == 0)
				die(STATUS_FAILED, "%s", e.text);
			note("%s", e.text);
			continue;
		}
		opened++;
		struct buf tag = {0};
		buf_addf(&tag, "apertium:%s", apertium_modes(t->targets[i].apertium));
		t->targets[i].tag = buf_detach(&tag);
	}
	if (!opened && t->n)
		die(STATUS_FAILED, "apertium serves none of the target locales: apt-cache search "
		    "apertium- lists the pairs");
}

/* auto asks only whom the user has configured: DeepL by its key, else a model. */
static void
open_engine(struct translator *t, const char *from)
{
	const struct settings *s = t->settings;
	bool automatic = s->engine == ENGINE_AUTO;
	bool deepl = s->engine == ENGINE_DEEPL || (automatic && engine_deepl_ready(s->key_file));
	bool model = s->engine == ENGINE_MODEL ||
	    (automatic && !deepl && engine_model_ready(s->model));
	struct err e = {0};

	if (!deepl && !model)
		return;
	if (!(s->timeout > 0 && s->timeout <= 3600))
		die(STATUS_USAGE, "--timeout is in seconds, more than 0 and at most 3600");
	t->engine = engine_open(&(struct engine_settings){.deepl = deepl, .from = from,
	    .targets = t->memories, .n = t->n, .glossary = t->glossary, .model = s->model,
	    .max_cost = s->max_cost, .key_file = s->key_file,
	    .deepl_glossary = &s->deepl_glossary, .formality = (enum formality)s->formality,
	    .timeout = s->timeout, .verify = s->verify, .forget = s->force,
	    .dry_run = s->dry_run}, &e);
	if (!t->engine)
		die(STATUS_FAILED, "%s", e.text);
}

void
setup(struct translator *t, const struct settings *settings)
{
	static char from[LOCALE_MAX]; /* engines keep it */
	struct loader loader;
	struct err e = {0};
	bool failed = false;

	*t = (struct translator){.settings = settings};
	if (!settings->to.n)
		die(STATUS_USAGE, "no target locale: say --to=ar,es,fr");
	check_locale(settings->from, "from");
	locale_canonical(slice(settings->from), from);
	add_targets(t, &settings->to, from);
	if (settings->fuzzy < 0 || settings->fuzzy > 1)
		die(STATUS_USAGE, "--fuzzy is a score from 0 (no fuzzy matches) to 1");
	loader = (struct loader){.targets = t->memories, .n = t->n, .from = from};
	if (settings->engine == ENGINE_APERTIUM)
		open_apertium(t, from);
	t->glossary = glossary_new(t->n);
	for (size_t i = 0; i < settings->glossary.n; i++)
		if (glossary_read(t->glossary, &loader, settings->glossary.v[i], &e) < 0) {
			load_blame(settings->glossary.v[i], &e);
			die(STATUS_FAILED, "%s", e.text);
		}
	t->project = project_load(&loader, settings->catalog.v, settings->catalog.n, &failed);
	if (failed && settings->catalog.n)
		die(STATUS_FAILED, "not every catalogue of --catalog could be read");
	load_memories(t, &loader);
	load_own(&loader);
	for (size_t i = 0; i < t->n; i++)
		if (seed_load(&t->memories[i], from, &e) < 0)
			die(STATUS_FAILED, "%s", e.text);
	for (size_t i = 0; i < t->n; i++)
		for (int tier = 0; tier < TIERS; tier++)
			if (!t->memories[i].tiers[tier].sealed)
				store_seal(&t->memories[i].tiers[tier]);
	open_engine(t, from);
	t->proposer.fuzzy = settings->fuzzy;
	t->recall = recall_new();
}

void
teardown(struct translator *t)
{
	struct buf *const bufs[] = {&t->key, &t->value, &t->format, &t->plural, &t->name,
	    &t->member, &t->all, &t->proposal.text, &t->proposal.rejected, &t->answer.value,
	    &t->answer.source, &t->answer.hint, &t->answer.rejected, &t->answer.reason,
	    &t->answer.plural, &t->answer.alternatives, &t->proposer.query.skeleton,
	    &t->proposer.query.folded, &t->proposer.piece.skeleton, &t->proposer.piece.folded,
	    &t->context, &t->widget, &t->file, &t->note, &t->before, &t->last_file, &t->others,
	    &t->stale};

	for (size_t i = 0; i < sizeof(bufs) / sizeof(*bufs); i++)
		buf_free(bufs[i]);
	for (size_t i = 0; i < t->n; i++) {
		for (int tier = 0; tier < TIERS; tier++)
			store_free(&t->memories[i].tiers[tier]);
		apertium_close(t->targets[i].apertium);
		free(t->targets[i].tag);
	}
	gaps_free(&t->gaps);
	arena_free(&t->proposer.arena);
	recall_free(t->recall);
	glossary_free(t->glossary);
	project_free(t->project);
	free(t->memories);
	free(t->targets);
}
