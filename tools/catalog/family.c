/* Grouping catalogues by their names. */
#include "tools/catalog/family.h"

#include "common/format/arb.h"
#include "common/format/catalog_name.h"
#include "common/format/l10n.h"
#include "common/json.h"
#include "common/locale.h"
#include "common/message.h"
#include "common/path.h"
#include "common/walk.h"
#include "tools/catalog/names.h"
#include "tools/catalog/said.h"

#include <errno.h>
#include <stdlib.h>

bool
family_same_locale(struct slice a, struct slice b)
{
	char x[LOCALE_MAX], y[LOCALE_MAX];

	if (slice_eq(a, b))
		return true;
	return locale_canonical(a, x) && locale_canonical(b, y) && strcmp(x, y) == 0;
}

void
family_put_locale(struct buf *b, const char *name, struct slice locale)
{
	char canonical[LOCALE_MAX];

	json_add(b, name, locale_canonical(locale, canonical) ? slice(canonical) : locale);
}

void
family_put_name(struct buf *b, struct slice locale)
{
	char canonical[LOCALE_MAX];

	json_name_slice(b, locale_canonical(locale, canonical) ? slice(canonical) : locale);
}

bool
family_is_keyed(const struct catalog *c)
{
	const struct catalog_kind *kind = catalog_kind(c->format);

	return c->format == CATALOG_ARB || (kind && !kind->bilingual);
}

const struct catalog_entry *
family_twin(const struct catalog *c, const struct catalog_entry *e)
{
	if (c->format == CATALOG_PO || c->format == CATALOG_MO)
		return catalog_find_source(c, e->context, e->source);
	return catalog_find(c, e->key);
}

const char *
family_opaque_reason(const struct catalog *c, const struct catalog_entry *e)
{
	for (size_t i = 0; i < c->nfaults; i++)
		if (strcmp(c->faults[i].rule, "unsayable") == 0 &&
		    c->faults[i].span.start == e->span.start)
			return c->faults[i].text;
	return "no one message can say it";
}

/* The file's name with "*" for its locale: what the members of a family share. */
static char *
family_name(const struct catalog *c)
{
	struct slice part = c->name_part;
	struct buf b = {0};

	/* Android's folder of the source, "values", has an empty part of its name. */
	if (!part.len && !(c->format == CATALOG_ANDROID && part.ptr >= c->name &&
			     part.ptr < c->name + strlen(c->name)))
		return xstrdup(c->name);
	buf_add(&b, c->name, (size_t)(part.ptr - c->name));
	buf_addc(&b, '*');
	buf_adds(&b, part.ptr + part.len);
	return buf_detach(&b);
}

static struct family *
family_of(struct families *all, const struct catalog *c)
{
	char *name = family_name(c);

	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->v[i].name, name) == 0) {
			free(name);
			return &all->v[i];
		}
	all->v = xgrow(all->v, all->n, &all->cap, sizeof(*all->v));
	struct family *f = &all->v[all->n++];
	*f = (struct family){.name = name, .dialect = MESSAGE_ARB};
	f->source_locale = all->source_locale;
	return f;
}

static void
add_bad(struct families *all, const char *name, const struct err *e)
{
	all->bad = xgrow(all->bad, all->nbad, &all->bad_cap, sizeof(*all->bad));
	all->bad[all->nbad++] = (struct family_bad){xstrdup(name), *e};
}

static void
push(struct family *f, struct catalog *c)
{
	f->files = xgrow(f->files, f->n, &f->cap, sizeof(struct catalog *));
	f->files[f->n++] = c;
}

/* Each language that the file has becomes a catalogue; named twice, it is there already. */
static void
add_languages(struct family *f, struct catalog *whole)
{
	if (f->whole) {
		catalog_free(whole);
		free(whole);
		return;
	}
	f->whole = whole;
	for (size_t i = 0; i < whole->n; i++) {
		struct slice locale = whole->entries[i].locale;
		bool there = !locale.len;
		for (size_t k = 0; k < f->n && !there; k++)
			there = family_same_locale(f->files[k]->locale, locale);
		if (there)
			continue;
		struct catalog *view = xcalloc(1, sizeof(*view));
		catalog_view(whole, locale, view);
		push(f, view);
	}
	if (!f->n) { /* it is there, and has no text */
		struct catalog *view = xcalloc(1, sizeof(*view));
		catalog_view(whole, whole->source_locale, view);
		push(f, view);
	}
}

static void
add_file(struct families *all, const char *name, size_t below)
{
	struct catalog *c = xcalloc(1, sizeof(*c));
	const struct catalog_kind *kind;
	struct err e = {0};

	if (catalog_read(name, CATALOG_AUTO, c, &e) < 0) {
		if (strcmp(e.code, "cannot_read") == 0) {
			warn("%s", e.text);
			all->unreadable = true;
		} else {
			add_bad(all, name, &e);
		}
		catalog_free(c);
		free(c);
		return;
	}
	catalog_take_folder(c, below);
	struct family *f = family_of(all, c);
	kind = catalog_kind(c->format);
	if (kind && kind->many)
		add_languages(f, c);
	else
		push(f, c);
}

static int
visit(const struct walk_file *file, void *state)
{
	struct families *all = state;

	if (file->operand || catalog_is_named(file->path))
		add_file(all, file->path, file->operand ? strlen(file->path) : all->below);
	return 0;
}

static void
fault(const char *path, int error, void *state)
{
	struct families *all = state;

	warn("cannot read '%s': %s", path, strerror(error));
	all->unreadable = true;
}

void
families_add(struct families *all, const char *operand)
{
	all->below = strlen(operand);
	walk(operand, NULL, visit, fault, all);
}

/* -- the template -- */

static struct slice
folder_of(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? (struct slice){name, (size_t)(slash - name)} : (struct slice){"", 0};
}

static const char *
base_of(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

/* A .pot is the template of the PO files beside it, or below it (LC_MESSAGES). */
static struct family *
family_of_pot(struct families *all, const struct family *pot)
{
	struct slice folder = folder_of(pot->name);
	struct buf below = {0};
	struct family *found = NULL;

	buf_addslice(&below, folder);
	buf_adds(&below, folder.len ? "/*/LC_MESSAGES/" : "*/LC_MESSAGES/");
	buf_adds(&below, base_of(pot->name));
	buf_cut(&below, below.len - 1); /* .pot → .po */
	for (size_t i = 0; i < all->n && !found; i++) {
		struct family *f = &all->v[i];
		if (f == pot || !slice_ends(slice(f->name), ".po"))
			continue;
		if (slice_eq(folder_of(f->name), folder) || strcmp(f->name, below.ptr) == 0)
			found = f;
	}
	buf_free(&below);
	return found;
}

static void
take_pots(struct families *all)
{
	for (size_t i = 0; i < all->n;) {
		struct family *pot = &all->v[i], *f;
		if (!slice_ends(slice(pot->name), ".pot") || pot->n != 1 ||
		    (f = family_of_pot(all, pot)) == NULL || f->template) {
			i++;
			continue;
		}
		f->files = xgrow(f->files, f->n, &f->cap, sizeof(struct catalog *));
		f->files[f->n++] = f->template = pot->files[0];
		free(pot->name);
		free(pot->files);
		memmove(pot, pot + 1, (all->n - i - 1) * sizeof(*pot));
		all->n--;
	}
}

static void
find_template(struct families *all, struct family *f, const char *named)
{
	for (size_t i = 0; i < f->n && !f->template && !f->whole; i++)
		if (named && (strcmp(f->files[i]->name, named) == 0 ||
				 strcmp(base_of(f->files[i]->name), base_of(named)) == 0))
			f->template = f->files[i];
	/* PO holds its source texts itself: only a .pot is one. */
	for (size_t i = 0; i < f->n && !f->template; i++)
		if (family_is_keyed(f->files[i]) &&
		    family_same_locale(f->files[i]->locale,
			f->whole ? f->whole->source_locale : slice(all->source_locale)))
			f->template = f->files[i];
	/* Android's values, Apple's Base.lproj. */
	for (size_t i = 0; i < f->n && !f->template; i++)
		if (family_is_keyed(f->files[i]) && f->files[i]->format != CATALOG_ARB &&
		    !f->files[i]->locale.len)
			f->template = f->files[i];
	for (size_t i = 0; i < f->n && !f->template; i++)
		if (slice_ends(slice(f->files[i]->name), ".pot"))
			f->template = f->files[i];
	/* A file of no language, alone: what else could it be. */
	if (!f->template && f->n == 1 && f->files[0]->format == CATALOG_ARB &&
	    !f->files[0]->locale.len)
		f->template = f->files[0];
}

static int
by_locale(const void *a, const void *b)
{
	const struct catalog *x = *(struct catalog *const *)a, *y = *(struct catalog *const *)b;
	int order = slice_cmp(x->locale, y->locale);

	return order ? order : strcmp(x->name, y->name);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct family *)a)->name, ((const struct family *)b)->name);
}

/* What the project's l10n.yaml says of an ARB family; its template's name or NULL. */
static char *
read_l10n(struct family *f)
{
	struct slice folder = folder_of(f->name);
	char *name = xstrndup(folder.ptr, folder.len), *template = NULL;
	struct l10n l;
	struct err e = {0};

	if (l10n_read(name, &l, &e) < 0)
		warn("%s", e.text);
	f->dialect = l.dialect;
	if (l.found && l.template)
		template = xstrdup(l.template);
	l10n_free(&l);
	free(name);
	return template;
}

static void
settle(struct families *all, struct family *f)
{
	char *named = f->files[0]->format == CATALOG_ARB ? read_l10n(f) : NULL;

	find_template(all, f, all->template ? all->template : named);
	free(named);
	qsort(f->files, f->n, sizeof(struct catalog *), by_locale);
	for (size_t i = 0; i < f->n; i++)
		if (f->files[i] == f->template) {
			memmove(f->files + 1, f->files, i * sizeof(struct catalog *));
			f->files[0] = f->template;
		}
}

/*
 * A draft remembers the source that it was made from: where the template says
 * something else by now (a person edited it), the draft is stale, and where it
 * says the same again it no longer is.
 */
static void
compare_hashes(struct family *f)
{
	const struct catalog_kind *kind = catalog_kind(f->files[0]->format);
	struct arena arena = {0};
	struct buf hash = {0};

	for (size_t i = 0; i < f->n && f->template; i++)
		for (size_t k = 0; k < f->files[i]->n && f->files[i] != f->template; k++) {
			struct catalog_entry *e = &f->files[i]->entries[k];
			const struct catalog_entry *source;
			if (!e->was_hash.len || !(source = catalog_find(f->template, e->key)))
				continue;
			buf_reset(&hash);
			arena_reset(&arena);
			arb_hash(kind ? said_entry(kind, source, f->source_locale, &arena)
				      : source->values[0],
			    &hash);
			e->stale = !slice_eq(buf_slice(&hash), e->was_hash);
		}
	arena_free(&arena);
	buf_free(&hash);
}

void
families_settle(struct families *all)
{
	take_pots(all);
	for (size_t i = 0; i < all->n; i++)
		settle(all, &all->v[i]);
	for (size_t i = 0; i < all->n; i++) {
		compare_hashes(&all->v[i]);
		names_unify(&all->v[i]);
	}
	if (all->n)
		qsort(all->v, all->n, sizeof(*all->v), by_name);
}

void
families_free(struct families *all)
{
	for (size_t i = 0; i < all->n; i++) {
		struct family *f = &all->v[i];
		for (size_t k = 0; k < f->n; k++) {
			catalog_free(f->files[k]);
			free(f->files[k]);
		}
		if (f->whole)
			catalog_free(f->whole);
		free(f->whole);
		free(f->files);
		free(f->name);
	}
	for (size_t i = 0; i < all->nbad; i++)
		free(all->bad[i].name);
	free(all->bad);
	free(all->v);
}
