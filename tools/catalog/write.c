/*
 * write: string records → catalogue files. All records are read first; then
 * the languages are written and the template last, so that a run which is
 * killed between two files finds out about changed sources again.
 */
#include "tools/catalog/change.h"
#include "tools/catalog/said.h"

#include "common/format/arb.h"
#include "common/format/po.h"
#include "common/locale.h"
#include "common/message.h"
#include "common/path.h"

#include <stdlib.h>

struct writing {
	struct run *run;
	const struct settings *settings;
	struct incoming in;
	struct targets targets;
	struct changing changing;
	struct buf record;
	bool prune;
};

static void
take_record(struct record *r, void *state)
{
	struct writing *w = state;

	if (record_kind(r, "string"))
		incoming_add(&w->in, r);
	else
		record_pass(r);
}

static void
note_outcome(struct target *t, const struct incoming_message *m, enum merge_outcome outcome)
{
	t->count[outcome]++;
	if (outcome == MERGE_MISSING)
		json_put(&t->missing, m->key);
}

/* Of a file that is not asked for only what it has can change. */
static void
keep_written(struct target *t, struct catalog_change *changes)
{
	size_t n = 0;

	for (size_t i = 0; i < t->nchanges; i++)
		if (changes[i].write || changes[i].old_source.ptr) {
			t->outcomes[n] = t->outcomes[i];
			changes[n++] = changes[i];
		}
	t->nchanges = n;
	t->count[MERGE_MISSING] = 0;
}

static bool
is_plural(const struct incoming_message *m)
{
	struct arena arena = {0};
	struct message parsed;
	bool plural = false;

	if (m->value.ptr && strcmp(m->format, "icu") == 0 &&
	    message_parse(m->value, MESSAGE_ICU, &arena, &parsed, NULL) == 0)
		for (size_t i = 0; i < parsed.n; i += parsed.nodes[i].size)
			plural |= parsed.nodes[i].type == MESSAGE_PLURAL;
	arena_free(&arena);
	return plural;
}

/* Apple's plurals have a file of their own beside the other texts. */
static bool
is_here(const struct writing *w, const struct incoming_message *m)
{
	enum catalog_format format = w->targets.format;

	return (format != CATALOG_STRINGS && format != CATALOG_STRINGSDICT) ||
	    is_plural(m) == (format == CATALOG_STRINGSDICT);
}

static struct catalog_change *
gather_changes(struct writing *w, struct target *t)
{
	struct catalog_change *changes = xcalloc(w->in.n + 1, sizeof(*changes));
	size_t n = 0;

	t->outcomes = xcalloc(w->in.n + 1, sizeof(*t->outcomes));
	json_open(&t->missing, '[');
	json_open(&t->withheld, '[');
	for (size_t i = 0; i < w->in.n; i++) {
		const struct incoming_message *m = &w->in.v[i];
		if (is_here(w, m)) {
			t->outcomes[n] = change_message(&w->changing, t, m, &changes[n]);
			note_outcome(t, m, t->outcomes[n++]);
		}
	}
	t->nchanges = n;
	if (w->changing.no_offers)
		keep_written(t, changes);
	return changes;
}

/* -- one file -- */

/* A change is not made after all; a mark alone that is not is counted nowhere. */
static void
take_back(struct target *t, size_t i, struct slice key)
{
	enum merge_outcome was = t->outcomes[i];

	if (was != MERGE_ADDED && was != MERGE_UPDATED)
		return;
	t->count[was]--;
	t->outcomes[i] = was == MERGE_ADDED ? MERGE_MISSING : MERGE_KEPT;
	t->count[t->outcomes[i]]++;
	if (was == MERGE_ADDED)
		json_put(&t->missing, key);
}

/*
 * What was written must read back as what it was: a text that the file turns
 * into another one (an array that is not whole has no place) is withheld. The
 * number of those.
 */
static size_t
withhold_lost(struct writing *w, struct target *t, struct catalog_change *changes,
    const struct catalog *made)
{
	const struct catalog_kind *kind = w->targets.kind;
	struct arena *arena = &w->changing.arena;
	size_t lost = 0;

	for (size_t i = 0; i < t->nchanges; i++) {
		struct catalog_change *c = &changes[i];
		const struct catalog_entry *e = catalog_find(made, c->key);
		if (!c->write)
			continue;
		struct slice want = c->keep_text
		    ? said_entry(kind, catalog_find(t->now, c->key), t->locale, arena)
		    : said_text(kind, c, c->value, t->locale, arena, NULL);
		struct slice got =
		    e ? said_entry(kind, e, t->locale, arena) : (struct slice){NULL, 0};
		if (want.ptr && got.ptr && slice_eq(want, got))
			continue;
		c->write = false;
		lost++;
		take_back(t, i, c->key);
		change_withhold(t, c->key, got.ptr ? "the file would say something else"
						   : "the file has no place for it");
	}
	return lost;
}

static int
merge_kind(struct writing *w, struct target *t, struct catalog_change *changes, struct err *e)
{
	struct catalog_merge how = {.locale = slice(t->locale),
	    .source_locale = slice(w->targets.source_locale),
	    .template = t->template,
	    .now = t->now,
	    .source = targets_template(&w->targets),
	    .changes = changes,
	    .n = t->nchanges};
	struct catalog made, view = {0};
	bool many = w->targets.kind->many;
	size_t lost = 0;
	int rc;

	do {
		buf_reset(&t->content);
		rc = w->targets.kind->merge(&t->old, &how, &t->content, e);
		if (rc < 0)
			return rc;
		rc = catalog_parse(
		    t->file, w->targets.format, buf_slice(&t->content), &made, e);
		if (rc == 0 && many)
			catalog_view(&made, slice(t->locale), &view);
		lost = rc == 0 ? withhold_lost(w, t, changes, many ? &view : &made) : 0;
		catalog_free(&view);
		catalog_free(&made);
	} while (lost);
	return rc;
}

static int
merge_file(struct writing *w, struct target *t, struct catalog_change *changes, struct err *e)
{
	struct buf whole = {0};
	struct catalog c;
	int rc;

	if (w->targets.kind)
		return merge_kind(w, t, changes, e);
	if (w->targets.format == CATALOG_ARB) {
		arb_merge(&t->old, changes, t->nchanges, t->template, &t->content);
		return 0;
	}
	rc = po_merge(&t->old, slice(t->locale), changes, t->nchanges, &t->content, e);
	if (rc == 0 && w->prune && !w->changing.no_offers) {
		whole = t->content;
		t->content = (struct buf){0};
		rc = catalog_parse(t->file, w->targets.format, buf_slice(&whole), &c, e);
		if (rc == 0)
			po_prune(&c, changes, t->nchanges, &t->content);
		catalog_free(&c);
		buf_free(&whole);
	}
	return rc;
}

/* What was made is read once more: a file that this program cannot read is never written. */
static int
prove(struct writing *w, struct target *t, struct err *e)
{
	struct catalog c, view = {0};
	int rc = catalog_parse(t->file, w->targets.format, buf_slice(&t->content), &c, e);
	const struct catalog *made = &c;

	if (rc == 0 && w->targets.kind && w->targets.kind->many) {
		catalog_view(&c, slice(t->locale), &view);
		made = &view;
	}
	for (size_t i = 0; rc == 0 && i < made->n; i++) {
		t->entries += !made->entries[i].obsolete;
		t->stale += made->entries[i].stale && !made->entries[i].obsolete;
	}
	catalog_free(&view);
	catalog_free(&c);
	return rc;
}

/* Replaces the file at once; its folder is made. */
static int
put(char *file, struct slice content, struct err *e)
{
	char *slash = strrchr(file, '/');

	if (slash && slash != file) {
		*slash = '\0';
		int rc = path_mkdirs(file);
		*slash = '/';
		if (rc < 0)
			return err_set(e, "cannot_write", "cannot make the folder of '%s'", file);
	}
	return path_replace(file, content, NULL, e);
}

static int
put_file(struct writing *w, struct target *t, struct err *e)
{
	t->changed = t->is_new || !slice_eq(buf_slice(&t->content), buf_slice(&t->old.content));
	if (w->targets.kind && w->targets.kind->many) {
		targets_take(&w->targets, t);
		return 0; /* written once, with all languages */
	}
	if (!t->changed || w->settings->dry_run)
		return 0;
	return put(t->file, buf_slice(&t->content), e);
}

static int
write_file(struct writing *w, struct target *t, const struct catalog *c, const char *locale,
    bool template)
{
	struct catalog_change *changes = NULL;
	struct err e = {0};
	int rc;

	arena_reset(&w->changing.arena);
	rc = target_open(t, &w->targets, c, locale, template, &e);
	if (rc == 0) {
		changes = gather_changes(w, t);
		rc = merge_file(w, t, changes, &e);
	}
	if (rc == 0)
		rc = prove(w, t, &e);
	if (rc == 0)
		rc = put_file(w, t, &e);
	if (rc < 0) {
		warn("%s: %s", t->file, e.text);
		run_status(w->run, STATUS_FAILED);
	}
	t->written = rc == 0 && (t->changed || !w->changing.no_offers);
	free(changes);
	return rc;
}

static void
report(struct writing *w, struct target *t)
{
	struct buf *b = &w->record;
	size_t missing = t->count[MERGE_MISSING];

	json_close(&t->missing, ']');
	json_close(&t->withheld, ']');
	buf_reset(b);
	json_open(b, '{');
	json_add(b, "kind", S("catalog"));
	json_add(b, "file", slice(t->file));
	json_add(b, "locale", slice(t->locale));
	json_add(b, "format", slice(catalog_format_name(w->targets.format)));
	json_add_long(b, "entries", (long long)t->entries);
	json_add_long(b, "added", (long long)t->count[MERGE_ADDED]);
	json_add_long(b, "updated", (long long)t->count[MERGE_UPDATED]);
	json_add_long(b, "kept", (long long)t->count[MERGE_KEPT]);
	json_add_long(b, "stale", (long long)t->stale);
	json_add_long(b, "missing", (long long)missing);
	if (missing)
		json_add_raw(b, "missing_keys", buf_slice(&t->missing));
	json_add_long(b, "withheld", (long long)t->nwithheld);
	if (t->nwithheld)
		json_add_raw(b, "withheld_keys", buf_slice(&t->withheld));
	json_name(b, "changed");
	json_put_bool(b, t->changed);
	json_close(b, '}');
	record_emit(w->run, buf_slice(b));
	if (missing || t->nwithheld)
		run_status(w->run, STATUS_PARTIAL);
}

/* -- all files -- */

static bool
is_wanted(const struct writing *w, const char *locale)
{
	const struct opt_list *to = &w->settings->to;

	if (strcmp(locale, w->targets.source_locale) == 0)
		return false;
	for (size_t i = 0; i < to->n; i++)
		if (family_same_locale(slice(to->v[i]), slice(locale)))
			return true;
	return to->n == 0;
}

static int
by_locale(const void *a, const void *b)
{
	return strcmp(((const struct target *)a)->locale, ((const struct target *)b)->locale);
}

/* A language of the stream; false: it could not be written. */
static bool
write_language(struct writing *w, struct target *files, size_t *n, const char *locale)
{
	const struct catalog *c = targets_find(&w->targets, locale, false);

	for (size_t i = 0; i < *n && !w->targets.original.name; i++)
		if (c && strcmp(files[i].file, c->name) == 0) {
			warn("%s: '%s' and '%s' would both be written to it: rename it", c->name,
			    files[i].locale, locale);
			run_status(w->run, STATUS_FAILED);
			return false;
		}
	if (!locale_exists(slice(locale)))
		warn("no such locale, '%s': its catalogue is written all the same", locale);
	return write_file(w, &files[(*n)++], c, locale, false) == 0;
}

/* The family's other languages: a changed source makes their translations stale, too. */
static bool
write_others(struct writing *w, struct target *files, size_t *n)
{
	const struct family *f = w->targets.family;
	size_t asked = *n;
	char locale[LOCALE_MAX];
	bool all = true;

	w->changing.no_offers = true;
	for (size_t i = 0; f && i < f->n && !run_interrupted(); i++) {
		const struct catalog *c = f->files[i];
		bool done = c == f->template || c->format != w->targets.format ||
		    !locale_canonical(c->name_locale.len ? c->name_locale : c->locale, locale);
		for (size_t k = 0; k < asked && !done; k++)
			done = f->whole ? strcmp(files[k].locale, locale) == 0
					: strcmp(files[k].file, c->name) == 0;
		if (!done)
			all &= write_file(w, &files[(*n)++], c, locale, false) == 0;
	}
	w->changing.no_offers = false;
	return all;
}

/* The one file of all languages; where one of them failed it stays as it was. */
static void
write_shared(struct writing *w, struct target *files, size_t n, bool whole)
{
	struct targets *t = &w->targets;
	struct err e = {0};
	bool done = whole && n > 0;

	if (done && t->changed && !w->settings->dry_run &&
	    put(t->folder, buf_slice(&t->shared), &e) < 0) {
		warn("%s: %s", t->folder, e.text);
		run_status(w->run, STATUS_FAILED);
		done = false;
	}
	for (size_t i = 0; i < n; i++)
		files[i].written &= done;
}

/* The languages, then the template; reported in order of locale. */
static void
write_all(struct writing *w)
{
	size_t others = w->targets.family ? w->targets.family->n : 0, n = 0;
	struct target *files = xcalloc(w->in.nlocales + others + 1, sizeof(*files));
	bool keyed = targets_keyed(&w->targets), all = true;
	const char *source = keyed ? w->targets.source_locale : "";

	for (size_t i = 0; i < w->in.nlocales && !run_interrupted(); i++)
		if (is_wanted(w, w->in.locales[i]))
			all &= write_language(w, files, &n, w->in.locales[i]);
	all &= write_others(w, files, &n);
	/* While a language waits to be written it must not lose sight of the old sources. */
	if (all && !run_interrupted() && (keyed || w->targets.format == CATALOG_PO))
		all &= write_file(w, &files[n++], targets_find(&w->targets, source, true), source,
			   true) == 0;
	if (w->targets.original.name)
		write_shared(w, files, n, all && !run_interrupted());
	if (n)
		qsort(files, n, sizeof(*files), by_locale);
	for (size_t i = 0; i < n; i++) {
		if (files[i].written)
			report(w, &files[i]);
		target_close(&files[i]);
	}
	free(files);
}

static bool
has_plurals(const struct incoming *in)
{
	for (size_t i = 0; i < in->n; i++)
		if (is_plural(&in->v[i]))
			return true;
	return false;
}

void
write_run(struct run *run, void *settings)
{
	struct writing w = {.run = run, .settings = settings};

	targets_start(&w.targets, w.settings);
	/* Of an ARB project the stream has what is still hard-coded, not what is in use. */
	if (w.settings->prune && w.targets.format != CATALOG_PO)
		die(STATUS_USAGE, "--prune is for PO: 'check --used-in=lib' finds unused ARB keys");
	record_loop(run, take_record, &w);
	if (run_interrupted())
		return;
	targets_open(&w.targets);
	/* What a record with an error would have named is no less in use. */
	w.prune = w.settings->prune && run->status == STATUS_OK;
	if (w.settings->prune && !w.prune)
		warn("nothing is pruned: the stream is not whole, records in it carry an error");
	w.changing = (struct changing){.settings = w.settings, .targets = &w.targets};
	incoming_settle(&w.in);
	if (w.in.n)
		write_all(&w);
	if (w.targets.format == CATALOG_STRINGS && has_plurals(&w.in)) {
		targets_switch(&w.targets, CATALOG_STRINGSDICT);
		targets_open(&w.targets);
		write_all(&w);
	}
	targets_close(&w.targets);
	incoming_free(&w.in);
	arena_free(&w.changing.arena);
	table_free(&w.changing.opaque);
	buf_free(&w.changing.text);
	buf_free(&w.record);
}
