/* Which file a language goes to, and what is in it. */
#include "tools/catalog/target.h"

#include "common/format/arb.h"
#include "common/format/l10n.h"
#include "common/format/po.h"
#include "common/locale.h"
#include "common/message.h"
#include "common/path.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* With underscores, as file names and @@locale have it. */
static char *
file_locale(const char *canonical)
{
	char *name = xstrdup(canonical);

	for (char *p = name; *p; p++)
		if (*p == '-')
			*p = '_';
	return name;
}

static char *
with_locale(const char *pattern, const char *locale)
{
	const char *star = strchr(pattern, '*');
	struct buf b = {0};
	char *name = file_locale(locale);

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

	for (size_t i = 0; i < t->families.n; i++) {
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
	char *source = file_locale(t->source_locale), *file;
	const char *slash = named ? strrchr(named, '/') : NULL;

	if (t->format == CATALOG_PO)
		buf_addf(&b, "%s.pot", t->settings->name);
	else if (named)
		buf_adds(&b, slash ? slash + 1 : named);
	else
		buf_addf(&b, "%s_%s.arb", t->settings->name, source);
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
				       : with_locale(t->pattern, t->source_locale);
}

/* Reads all that is in the folder: it must be sound before anything is written to it. */
static void
read_folder(struct targets *t, const char *template)
{
	t->families = (struct families){.source_locale = t->source_locale, .template = template};
	if (access(t->folder, F_OK) == 0)
		families_add(&t->families, t->folder);
	families_settle(&t->families);
	if (t->families.nbad) {
		const struct family_bad *bad = &t->families.bad[0];
		die(STATUS_FAILED, "%s:%zu:%zu: %s: nothing was written", bad->name, bad->err.line,
		    bad->err.column, bad->err.text);
	}
	if (t->families.unreadable)
		die(STATUS_FAILED, "'%s' cannot be read whole: nothing was written", t->folder);
}

void
targets_start(struct targets *t, const struct settings *s)
{
	struct l10n l;
	struct err e = {0};
	char canonical[LOCALE_MAX];

	*t = (struct targets){.settings = s, .format = s->po ? CATALOG_PO : CATALOG_ARB};
	if (!locale_canonical(slice(s->source_locale), canonical))
		die(STATUS_USAGE, "--source-locale: not a locale, '%s'", s->source_locale);
	t->source_locale = xstrdup(canonical);
	t->dialect = MESSAGE_ARB;
	if (s->template)
		t->template = xstrdup(s->template);
	if (s->po) {
		t->folder = xstrdup(s->po);
		return;
	}
	if (l10n_read(s->arb ? s->arb : "", &l, &e) < 0)
		die(STATUS_USAGE, "%s", e.text);
	if (!s->arb && !l.found)
		die(STATUS_USAGE, "no l10n.yaml: --arb=DIR or --po=DIR says where to write");
	t->folder = xstrdup(s->arb ? s->arb : l.arb_dir);
	t->dialect = l.dialect;
	if (!t->template && l.found)
		t->template = xstrdup(l.template);
	l10n_free(&l);
}

void
targets_open(struct targets *t)
{
	read_folder(t, t->template);
	t->family = choose_family(t);
	name_files(t, t->template);
}

void
targets_close(struct targets *t)
{
	families_free(&t->families);
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

/* A PO in another charset is merged, and from then on, in UTF-8. */
static void
add_as_utf8(const struct catalog *c, struct buf *out)
{
	const char *at = memmem(c->text.ptr, c->text.len, "charset=", 8);

	if (!c->converted || !at) {
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
	char *name = file_locale(locale);
	int rc;

	*t = (struct target){.template = template, .locale = xstrdup(locale)};
	t->file = c	     ? xstrdup(c->name)
	    : template ? xstrdup(all->template_file)
			     : with_locale(all->pattern, locale);
	t->is_new = !c && access(t->file, F_OK) != 0;
	if (c)
		add_as_utf8(c, &text);
	else if (all->format == CATALOG_ARB)
		arb_skeleton(slice(name), &text);
	else
		po_skeleton(slice(name), all->settings->name, &text);
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
	catalog_free(&t->old);
	buf_free(&t->content);
	buf_free(&t->missing);
	buf_free(&t->withheld);
}
