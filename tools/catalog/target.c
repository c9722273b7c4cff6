/* Which file a language goes to, and what is in it. */
#include "tools/catalog/target.h"

#include "common/format/arb.h"
#include "common/format/catalog_name.h"
#include "common/format/l10n.h"
#include "common/format/locale_name.h"
#include "common/format/po.h"
#include "common/locale.h"
#include "common/message.h"
#include "common/path.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Where each format's option is, and what its files are called: NAME for the stem. */
static const struct layout {
	enum catalog_format format;
	const char *option;
	size_t at;
	const char *pattern, *stem;
} layouts[] = {
    {CATALOG_ARB, "arb", offsetof(struct settings, arb), "NAME_*.arb", "app"},
    {CATALOG_PO, "po", offsetof(struct settings, po), "*.po", "app"},
    {CATALOG_XLIFF, "xliff", offsetof(struct settings, xliff), "NAME.*.xlf", "app"},
    {CATALOG_ANDROID, "android", offsetof(struct settings, android), "values*/NAME.xml", "strings"},
    {CATALOG_I18NEXT, "i18next", offsetof(struct settings, i18next), "*/NAME.json",
	"translation"},
    {CATALOG_STRINGS, "strings", offsetof(struct settings, strings), "*.lproj/NAME.strings",
	"Localizable"},
    {CATALOG_STRINGSDICT, NULL, 0, "*.lproj/NAME.stringsdict", "Localizable"},
    {CATALOG_XCSTRINGS, "xcstrings", offsetof(struct settings, xcstrings), NULL, "app"},
    {CATALOG_TMX, "tmx", offsetof(struct settings, tmx), NULL, "app"},
};

enum { LAYOUTS = sizeof(layouts) / sizeof(*layouts) };

static const struct layout *
layout_of(enum catalog_format format)
{
	size_t i = 0;

	while (i + 1 < LAYOUTS && layouts[i].format != format)
		i++;
	return &layouts[i];
}

static const char *
stem_of(const struct targets *t)
{
	return t->settings->name ? t->settings->name : layout_of(t->format)->stem;
}

static const char *
option_of(const struct settings *s, const struct layout *l)
{
	return l->option ? *(const char *const *)((const char *)s + l->at) : NULL;
}

/* As file names have it; and as @@locale and gettext do. */
static char *
file_locale(enum catalog_format format, const char *canonical)
{
	struct buf b = {0};

	locale_name_put(format, canonical, &b);
	return buf_detach(&b);
}

/* The name of new files, "res/values*" and so on. */
static char *
default_pattern(const struct targets *t)
{
	const char *pattern = layout_of(t->format)->pattern, *name = strstr(pattern, "NAME");
	struct buf b = {0};
	char *file;

	buf_add(&b, pattern, name ? (size_t)(name - pattern) : strlen(pattern));
	buf_addf(&b, "%s%s", name ? stem_of(t) : "", name ? name + 4 : "");
	file = path_join(t->folder, b.ptr);
	buf_free(&b);
	return file;
}

static char *
with_locale(enum catalog_format format, const char *pattern, const char *locale)
{
	const char *star = strchr(pattern, '*');
	struct buf b = {0};
	char *name = file_locale(format, locale);

	if (star)
		buf_add(&b, pattern, (size_t)(star - pattern));
	else
		buf_adds(&b, pattern);
	buf_adds(&b, star ? name : "");
	buf_adds(&b, star ? star + 1 : "");
	free(name);
	return buf_detach(&b);
}

/* "lib/l10n/app_en.arb" → "lib/l10n/app_*.arb"; a name without a locale gets one before its dot. */
static char *
pattern_of(const char *file)
{
	struct slice locale = catalog_name_locale(file);
	const char *slash = strrchr(file, '/'), *dot = strrchr(slash ? slash : file, '.');
	struct buf b = {0};

	if (locale.len) {
		buf_add(&b, file, (size_t)(locale.ptr - file));
		buf_addf(&b, "*%s", locale.ptr + locale.len);
	} else {
		buf_add(&b, file, dot ? (size_t)(dot - file) : strlen(file));
		buf_addf(&b, "_*%s", dot ? dot : "");
	}
	return buf_detach(&b);
}

/* The one family of that format in the folder, or the one with the named template. */
static struct family *
choose_family(struct targets *t)
{
	struct family *found = NULL;
	char *usual = t->kind && !t->kind->many ? default_pattern(t) : NULL;

	for (size_t i = 0; i < t->families.n && usual && !found; i++)
		if (strcmp(t->families.v[i].name, usual) == 0)
			found = &t->families.v[i];
	free(usual);
	for (size_t i = 0, named = found != NULL; i < t->families.n && !named; i++) {
		struct family *f = &t->families.v[i];
		if (f->files[0]->format != t->format)
			continue;
		if (found && (f->template != NULL) == (found->template != NULL))
			die(STATUS_USAGE,
			    "several catalogues in '%s', '%s' and '%s': name one with --template",
			    t->folder, found->name, f->name);
		if (!found || f->template)
			found = f;
	}
	return found;
}

/* Where the source texts of an ARB go: the named template's name, else NAME_en.arb. */
static char *
new_template(const struct targets *t, const char *named)
{
	struct buf b = {0};
	char *source = file_locale(t->format, t->source_locale), *file;
	const char *slash = named ? strrchr(named, '/') : NULL;

	if (t->format == CATALOG_PO)
		buf_addf(&b, "%s.pot", stem_of(t));
	else if (named)
		buf_adds(&b, slash ? slash + 1 : named);
	else
		buf_addf(&b, "%s_%s.arb", stem_of(t), source);
	file = path_join(t->folder, b.ptr);
	free(source);
	buf_free(&b);
	return file;
}

/* What the files are called: as those that are there, else as named or by default. */
static void
name_files(struct targets *t, const char *named)
{
	const struct family *f = t->family;
	/* Android's folder of the source names no language. */
	const char *source = t->format == CATALOG_ANDROID ? "" : t->source_locale;

	if (t->kind && t->kind->many)
		return;
	if (t->kind) {
		t->pattern = f && strchr(f->name, '*') ? xstrdup(f->name) : default_pattern(t);
		t->template_file = f && f->template
		    ? xstrdup(f->template->name)
		    : with_locale(t->format, t->pattern, source);
		return;
	}
	t->template_file = new_template(t, named);
	if (f && strchr(f->name, '*'))
		t->pattern = xstrdup(f->name);
	else if (t->format == CATALOG_PO)
		t->pattern = path_join(t->folder, "*.po");
	else
		t->pattern = pattern_of(f ? f->name : t->template_file);
	if (!f || (!f->template && (named || t->format == CATALOG_PO)))
		return;
	free(t->template_file);
	t->template_file = f->template ? xstrdup(f->template->name)
				       : with_locale(t->format, t->pattern, t->source_locale);
}

/* Reads all that is in the folder: it must be sound before anything is written to it. */
static void
read_folder(struct targets *t, const char *template)
{
	t->families = (struct families){.source_locale = t->source_locale, .template = template};
	if (access(t->folder, F_OK) == 0)
		families_add(&t->families, t->folder);
	families_settle(&t->families);
	for (size_t i = 0; i < t->families.nbad; i++) {
		const struct family_bad *bad = &t->families.bad[i];
		enum catalog_format format = catalog_format_of_name(bad->name);
		if (format != CATALOG_AUTO && format != t->format)
			continue; /* another format's files lie there too */
		die(STATUS_FAILED, "%s:%zu:%zu: %s: nothing was written", bad->name, bad->err.line,
		    bad->err.column, bad->err.text);
	}
	if (t->families.unreadable)
		die(STATUS_FAILED, "'%s' cannot be read whole: nothing was written", t->folder);
}

/* The format whose option says where to write; ARB where none does. */
static const struct layout *
chosen_layout(const struct settings *s)
{
	const struct layout *chosen = NULL;

	for (size_t i = 0; i < LAYOUTS; i++) {
		if (!option_of(s, &layouts[i]))
			continue;
		if (chosen)
			die(STATUS_USAGE, "one of --%s and --%s says where to write",
			    chosen->option, layouts[i].option);
		chosen = &layouts[i];
	}
	return chosen ? chosen : &layouts[0];
}

void
targets_start(struct targets *t, const struct settings *s)
{
	const struct layout *chosen = chosen_layout(s);
	struct l10n l;
	struct err e = {0};
	char canonical[LOCALE_MAX];

	*t = (struct targets){.settings = s, .format = chosen->format};
	t->kind = catalog_kind(t->format);
	if (!locale_canonical(slice(s->source_locale), canonical))
		die(STATUS_USAGE, "--source-locale: not a locale, '%s'", s->source_locale);
	t->source_locale = xstrdup(canonical);
	t->dialect = MESSAGE_ARB;
	if (s->template)
		t->template = xstrdup(s->template);
	if (t->format != CATALOG_ARB) {
		t->folder = xstrdup(option_of(s, chosen));
		return;
	}
	if (l10n_read(s->arb ? s->arb : "", &l, &e) < 0)
		die(STATUS_USAGE, "%s", e.text);
	if (!s->arb && !l.found)
		die(STATUS_USAGE,
		    "no l10n.yaml: --arb=DIR, --po=DIR or another format's option says where to "
		    "write");
	t->folder = xstrdup(s->arb ? s->arb : l.arb_dir);
	t->dialect = l.dialect;
	if (!t->template && l.found)
		t->template = xstrdup(l.template);
	l10n_free(&l);
}

/* The one file of all languages, or the skeleton of a new one. */
static void
open_shared(struct targets *t)
{
	struct err e = {0};
	const char *why = NULL;

	t->is_new = access(t->folder, F_OK) != 0;
	if (t->is_new)
		t->kind->skeleton(slice(t->source_locale), slice(t->source_locale), &t->shared);
	else if (path_read(t->folder, CATALOG_MAX_SIZE, &t->shared, &e) < 0)
		why = e.text;
	if (!why &&
	    catalog_parse(t->folder, t->format, buf_slice(&t->shared), &t->original, &e) < 0)
		why = e.text;
	if (why)
		die(STATUS_FAILED, "%s:%zu:%zu: %s: nothing was written", t->folder, e.line,
		    e.column, why);
	struct slice says = t->original.source_locale;
	if (says.len && !family_same_locale(says, slice(t->source_locale)))
		die(STATUS_USAGE, "%s: its source language is '%.*s': say --source-locale=%.*s",
		    t->folder, (int)says.len, says.ptr, (int)says.len, says.ptr);
}

void
targets_open(struct targets *t)
{
	read_folder(t, t->template);
	t->family = choose_family(t);
	name_files(t, t->template);
	if (t->kind && t->kind->many)
		open_shared(t);
}

bool
targets_keyed(const struct targets *t)
{
	return t->format == CATALOG_ARB || (t->kind && !t->kind->bilingual);
}

void
targets_switch(struct targets *t, enum catalog_format format)
{
	families_free(&t->families);
	free(t->pattern);
	free(t->template_file);
	t->pattern = t->template_file = NULL;
	t->family = NULL;
	t->format = format;
	t->kind = catalog_kind(format);
}

void
targets_take(struct targets *t, const struct target *one)
{
	buf_reset(&t->shared);
	buf_addslice(&t->shared, buf_slice(&one->content));
	t->changed |= one->changed;
}

void
targets_close(struct targets *t)
{
	families_free(&t->families);
	catalog_free(&t->original);
	buf_free(&t->shared);
	free(t->folder);
	free(t->template);
	free(t->pattern);
	free(t->template_file);
	free(t->source_locale);
}

const struct catalog *
targets_template(const struct targets *t)
{
	return t->family ? t->family->template : NULL;
}

/* -- one file -- */

const struct catalog *
targets_find(const struct targets *t, const char *locale, bool template)
{
	const struct family *f = t->family;

	if (template)
		return targets_template(t);
	for (int named = 1; f && named >= 0; named--)
		for (size_t i = 0; i < f->n; i++) {
			const struct catalog *c = f->files[i];
			struct slice says = named ? c->name_locale : c->locale;
			if (c != f->template && family_same_locale(says, slice(locale)))
				return c;
		}
	return NULL;
}

/* One language of a file of many: merged into what the others made of it. */
static int
open_language(struct target *t, const struct targets *all, struct err *e)
{
	t->file = xstrdup(all->folder);
	t->is_new = all->is_new;
	catalog_view(&all->original, slice(t->locale), &t->view);
	t->now = &t->view;
	return catalog_parse(t->file, all->format, buf_slice(&all->shared), &t->old, e);
}

/* A PO in another charset is merged, and from then on, in UTF-8. */
static void
add_as_utf8(const struct catalog *c, struct buf *out)
{
	const char *at = memmem(c->text.ptr, c->text.len, "charset=", 8);

	if (c->format != CATALOG_PO || !c->converted || !at) {
		buf_addslice(out, buf_slice(&c->content));
		return;
	}
	at += 8;
	buf_add(out, c->text.ptr, (size_t)(at - c->text.ptr));
	buf_adds(out, "UTF-8");
	at += c->charset.len;
	buf_add(out, at, (size_t)(c->text.ptr + c->text.len - at));
	note("%s: written as UTF-8, it was %.*s", c->name, (int)c->charset.len, c->charset.ptr);
}

/* A file that says another locale than it is written for. */
static void
warn_mismatch(const struct target *t)
{
	struct slice says = t->old.locale_member;

	if (!t->template && says.len && !family_same_locale(says, slice(t->locale)))
		warn("%s: it is taken for '%s', and says '%.*s' itself", t->file, t->locale,
		    (int)(says.len < 40 ? says.len : 40), says.ptr);
}

int
target_open(struct target *t, const struct targets *all, const struct catalog *c,
    const char *locale, bool template, struct err *e)
{
	struct buf text = {0};
	char *name;
	int rc;

	*t = (struct target){.template = template, .locale = xstrdup(locale)};
	if (all->kind && all->kind->many)
		return open_language(t, all, e);
	name = file_locale(all->format, locale);
	t->now = &t->old;
	t->file = c	     ? xstrdup(c->name)
	    : template ? xstrdup(all->template_file)
			     : with_locale(all->format, all->pattern, locale);
	t->is_new = !c && access(t->file, F_OK) != 0;
	if (c)
		add_as_utf8(c, &text);
	else if (all->kind)
		all->kind->skeleton(slice(locale), slice(all->source_locale), &text);
	else if (all->format == CATALOG_ARB)
		arb_skeleton(slice(name), &text);
	else
		po_skeleton(slice(name), stem_of(all), &text);
	/* What lies at the name, whatever it says of itself, is merged and never replaced. */
	if (c || t->is_new)
		rc = catalog_parse(t->file, all->format, buf_slice(&text), &t->old, e);
	else
		rc = catalog_read(t->file, all->format, &t->old, e);
	if (rc == 0)
		warn_mismatch(t);
	free(name);
	buf_free(&text);
	return rc;
}

void
target_close(struct target *t)
{
	free(t->file);
	free(t->locale);
	catalog_free(&t->view);
	catalog_free(&t->old);
	buf_free(&t->content);
	free(t->outcomes);
	buf_free(&t->missing);
	buf_free(&t->withheld);
}
