/* What is wrong with a file: its keys, its locale, what it lacks. */
#include "tools/catalog/rules.h"

#include "common/format/android.h"
#include "common/format/arb.h"
#include "common/json.h"
#include "common/locale.h"
#include "common/message.h"
#include "common/plural.h"
#include "tools/catalog/percent.h"
#include "tools/catalog/rules_message.h"

#include <ctype.h>
#include <stdio.h>

struct rules {
	const struct family *family;
	const struct catalog *c;
	rules_report *report;
	void *state;
	struct buf text, edit;
	struct finding_edit edit_of;
};

static struct finding
of_entry(const struct rules *r, const struct catalog_entry *e, const char *rule,
    enum severity severity)
{
	return (struct finding){.rule = rule,
	    .severity = severity,
	    .file = r->c->name,
	    .line = e->line,
	    .column = e->column,
	    .span = e->span,
	    .key = e->key,
	    .locale = r->c->locale};
}

static struct finding
of_file(const struct rules *r, const char *rule, enum severity severity)
{
	return (struct finding){
	    .rule = rule, .severity = severity, .file = r->c->name, .locale = r->c->locale};
}

static void __attribute__((format(printf, 3, 4)))
say(struct rules *r, struct finding *f, const char *format, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	/* A key that was cut within a character would be no UTF-8. */
	f->message = (struct slice){text, utf8_valid(text, strlen(text))};
	r->report(f, r->state);
}

/* For messages: a name no longer than a line. */
static int
shown(struct slice name)
{
	return (int)(name.len < 120 ? name.len : 120);
}

/* -- faults of the reader -- */

static enum severity
fault_severity(const struct catalog *c, const char *rule)
{
	static const char *const high[] = {"duplicate-key", "not-text", "missing-other",
	    "duplicate-case", "unknown-category", "not-positional", "bad-id", "dangling-data",
	    "missing-locale"};

	for (size_t i = 0; i < sizeof(high) / sizeof(*high); i++)
		if (strcmp(rule, high[i]) == 0)
			return SEVERITY_HIGH;
	/* The compiler of Android refuses what others only show badly. */
	if (strcmp(rule, "bad-escape") == 0)
		return c->format == CATALOG_ANDROID ? SEVERITY_HIGH : SEVERITY_MEDIUM;
	return strcmp(rule, "missing-category") == 0 ? SEVERITY_MEDIUM : SEVERITY_LOW;
}

/* The entry before i that has its key, or SIZE_MAX. */
static size_t
earlier(const struct catalog *c, size_t i)
{
	size_t k = i;

	while (k-- > 0)
		if (slice_eq(c->entries[k].key, c->entries[i].key))
			return k;
	return SIZE_MAX;
}

/*
 * A key that stands twice with the same value: the first one goes, up to the
 * member behind it (there is one: the second). That changes nothing for any
 * reader, so it is the one right answer.
 */
static void
fix_duplicate(struct rules *r, const struct catalog_fault *fault, struct finding *f)
{
	const struct catalog *c = r->c;
	size_t base = c->bom ? 3 : 0, end, first;

	if (fault->entry == SIZE_MAX)
		return;
	f->key = c->entries[fault->entry].key;
	if (c->format != CATALOG_ARB || fault->span.start != c->entries[fault->entry].span.start)
		return; /* the metadata stands twice */
	first = earlier(c, fault->entry);
	if (first == SIZE_MAX ||
	    !slice_eq(c->entries[first].values[0], c->entries[fault->entry].values[0]))
		return;
	end = c->entries[first].span.end - base;
	while (c->text.ptr[end] != '"')
		end++; /* over white space and the comma, to the next name */
	r->edit_of = (struct finding_edit){{c->entries[first].span.start, end + base}, S("")};
	f->edits = &r->edit_of;
	f->nedits = 1;
	f->fix = S("remove the first one: both say the same");
}

static void
check_faults(struct rules *r, const struct catalog *c)
{
	for (size_t i = 0; i < c->nfaults; i++) {
		const struct catalog_fault *fault = &c->faults[i];
		struct finding f = of_file(r, fault->rule, fault_severity(c, fault->rule));
		f.line = fault->line;
		f.column = fault->column;
		f.span = fault->span;
		if (strcmp(fault->rule, "duplicate-key") == 0 && c == r->c)
			fix_duplicate(r, fault, &f);
		else if (fault->entry < c->n)
			f.key = c->entries[fault->entry].key;
		if (f.key.ptr)
			say(r, &f, "'%.*s': %s", shown(f.key), f.key.ptr, fault->text);
		else
			say(r, &f, "%s", fault->text);
	}
}

/* -- the file as a whole -- */

static bool
has_locale(const struct family *f, struct slice locale, const struct catalog *except)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->files[i] != except && family_same_locale(f->files[i]->locale, locale))
			return true;
	return false;
}

static void
check_locale(struct rules *r)
{
	const struct catalog *c = r->c;
	struct slice named = c->name_locale;
	struct finding f;

	if (!c->locale.len)
		return;
	if (named.len && c->locale_member.len && !family_same_locale(named, c->locale_member)) {
		f = of_file(r, "locale-mismatch", SEVERITY_HIGH);
		say(r, &f, "the file says '%.*s' and its name says '%.*s'",
		    shown(c->locale_member), c->locale_member.ptr, shown(named), named.ptr);
	}
	if (!locale_exists(c->locale)) {
		const char *near = locale_nearest(c->locale);
		f = of_file(r, "unknown-locale", SEVERITY_MEDIUM);
		say(r, &f, "no such locale, '%.*s'%s%s", shown(c->locale), c->locale.ptr,
		    near ? ": did you mean " : "", near ? near : "");
	}
	if (!family_is_keyed(c) || c->format == CATALOG_XCSTRINGS)
		return;
	if (has_locale(r->family, c->locale, c)) {
		f = of_file(r, "duplicate-locale", SEVERITY_HIGH);
		say(r, &f, "another file of the family is '%.*s' too", shown(c->locale),
		    c->locale.ptr);
	}
	if (c->format != CATALOG_ARB)
		return;
	size_t base = 0;
	while (base < c->locale.len && c->locale.ptr[base] != '_' && c->locale.ptr[base] != '-')
		base++;
	struct slice language = {c->locale.ptr, base};
	if (base < c->locale.len && !has_locale(r->family, language, c)) {
		f = of_file(r, "base-locale-missing", SEVERITY_HIGH);
		say(r, &f, "gen-l10n needs a catalogue for '%.*s' beside '%.*s'", shown(language),
		    language.ptr, shown(c->locale), c->locale.ptr);
	}
}

/* PO: every plural has as many forms as the header says. */
static void
check_forms(struct rules *r, const struct catalog_entry *e)
{
	struct finding f;

	if (!e->source_plural.ptr || e->state == CATALOG_MISSING || !r->c->nplurals ||
	    e->nvalues == r->c->nplurals)
		return;
	f = of_entry(r, e, "plural-forms", SEVERITY_HIGH);
	say(r, &f, "%zu plural forms where the header says %zu", e->nvalues, r->c->nplurals);
}

static void
check_header(struct rules *r)
{
	const struct catalog *c = r->c;
	struct plural_expr expr;
	struct err e;
	struct finding f;
	bool plurals = false;

	for (size_t i = 0; i < c->n && !plurals; i++)
		plurals = c->entries[i].source_plural.ptr && !c->entries[i].obsolete;
	if (c->plural_forms.len && plural_expr_parse(c->plural_forms, &expr, &e) < 0) {
		f = of_file(r, "plural-forms", SEVERITY_HIGH);
		say(r, &f, "Plural-Forms cannot be read: %s", e.text);
	} else if (plurals && !c->plural_forms.len && c != r->family->template) {
		f = of_file(r, "plural-forms", SEVERITY_HIGH);
		buf_reset(&r->text);
		bool known = plural_po_header(c->locale, &r->text);
		buf_reset(&r->edit);
		buf_addf(&r->edit, "add \"Plural-Forms: %s\\n\" to the header", r->text.ptr);
		if (known)
			f.fix = buf_slice(&r->edit);
		say(r, &f, "the header has no Plural-Forms");
	}
}

/* -- entries -- */

static void
check_key(struct rules *r, const struct catalog_entry *e)
{
	bool android = r->c->format == CATALOG_ANDROID;
	const char *wrong = r->c->format == CATALOG_ARB ? arb_key_fault(e->key)
	    : android					? android_name_fault(e->key)
							: NULL;
	struct finding f = of_entry(r, e, "key-refused", SEVERITY_HIGH);

	if (wrong)
		say(r, &f, "%s refuses the key '%.*s': it %s", android ? "aapt2" : "gen-l10n",
		    shown(e->key), e->key.ptr, wrong);
}

static bool
has_placeholder(const struct message_placeholder *v, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(v[i].name, name))
			return true;
	return false;
}

/* gen-l10n makes a parameter of each declared placeholder, used or not. */
static void
check_declared(struct rules *r, const struct catalog_entry *e)
{
	struct message_placeholder *v;
	struct arena arena = {0};
	struct message m;
	struct slice declared, name, value;
	struct json_walk w;

	if (!e->meta.ptr || !json_get(e->meta, "placeholders", &declared) ||
	    message_parse(e->values[0], r->family->dialect, &arena, &m, NULL) < 0)
		return;
	size_t n = message_placeholders(&m, &arena, &v);
	w = json_walk(declared);
	while (json_type(declared) == JSON_OBJECT && json_member(&w, &name, &value)) {
		struct finding f = of_entry(r, e, "unused-placeholder", SEVERITY_LOW);
		buf_reset(&r->text);
		json_text(name, &r->text);
		f.subject = buf_slice(&r->text);
		if (!has_placeholder(v, n, f.subject))
			say(r, &f, "'%.*s': placeholder {%.*s} is declared and not used",
			    shown(e->key), e->key.ptr, shown(f.subject), f.subject.ptr);
	}
	arena_free(&arena);
}

/* A translation equal to its source, in another language, that has words in it. */
static bool
is_copy(const struct rules *r, const struct catalog_entry *source, const struct catalog_entry *e)
{
	struct slice text = e->values[0];
	size_t letters = 0;
	const struct catalog *t = r->family->template;

	if (!source->nvalues || !slice_eq(text, source->values[0]) || source->fixed)
		return false;
	if (t->locale.len >= 2 && r->c->locale.len >= 2 &&
	    memcmp(t->locale.ptr, r->c->locale.ptr, 2) == 0)
		return false; /* en and en_GB agree nearly everywhere */
	for (size_t i = 0; i < text.len; i++)
		letters +=
		    isalpha((unsigned char)text.ptr[i]) || (unsigned char)text.ptr[i] >= 0x80;
	return letters >= 3;
}

/* How a mark is taken away, format by format. */
static const char *
remedy(const struct catalog *c, bool stale)
{
	if (c->format == CATALOG_ARB || c->format == CATALOG_I18NEXT)
		return stale
		    ? "translate it again, or where it still holds delete it from " ARB_STATE
		    : "edit the text, or where it is right delete it from " ARB_STATE;
	if (c->format == CATALOG_XCSTRINGS)
		return "review it in Xcode";
	return stale ? "translate it again, or where it still holds delete its kandil comment"
		     : "edit the text, or where it is right delete its kandil comment";
}

static void
check_translation(struct rules *r, const struct catalog_entry *e)
{
	const struct catalog_entry *source = family_twin(r->family->template, e);
	struct finding f;

	if (!source) {
		f = of_entry(r, e, "extra-key", SEVERITY_LOW);
		say(r, &f, "'%.*s' is not in the template '%s'", shown(e->key), e->key.ptr,
		    r->family->template->name);
		return;
	}
	if (e->stale) {
		f = of_entry(r, e, "stale", SEVERITY_LOW);
		f.fix = slice(remedy(r->c, true));
		say(r, &f, "'%.*s': the source changed since it was translated", shown(e->key),
		    e->key.ptr);
	}
	if (e->state == CATALOG_FUZZY && !e->stale) {
		f = of_entry(r, e, "needs-review", SEVERITY_LOW);
		f.fix = slice(remedy(r->c, false));
		say(r, &f, "'%.*s': nobody has confirmed the translation", shown(e->key),
		    e->key.ptr);
	}
	if (source->nvalues && strcmp(source->format, "printf") == 0 && percent_is_lone(r->c, e)) {
		f = of_entry(r, e, "single-percent", SEVERITY_MEDIUM);
		f.fix = S("write %% where a percent sign is meant, as the source does");
		say(r, &f, "'%.*s': the source is a format, where a lone %% begins a conversion",
		    shown(e->key), e->key.ptr);
	}
	if (e->nvalues && is_copy(r, source, e)) {
		f = of_entry(r, e, "untranslated-copy", SEVERITY_INFO);
		say(r, &f, "'%.*s' equals its source", shown(e->key), e->key.ptr);
	}
}

static void
check_missing(struct rules *r)
{
	const struct catalog *t = r->family->template;

	for (size_t i = 0; i < t->n; i++) {
		const struct catalog_entry *e = &t->entries[i];
		if (e->fixed || (family_is_keyed(t) && (!e->nvalues || !e->values[0].len)))
			continue;
		const struct catalog_entry *twin = family_twin(r->c, e);
		/* An empty one is none, as stats counts; of ARB's message_verify says so. */
		bool empty = twin && twin->state == CATALOG_MISSING && !twin->opaque &&
		    r->c->format != CATALOG_ARB;
		if ((twin && !empty) || catalog_find(t, e->key) != e)
			continue;
		struct finding f = empty ? of_entry(r, twin, "missing-key", SEVERITY_LOW)
					 : of_file(r, "missing-key", SEVERITY_LOW);
		f.key = e->key;
		f.fix = S("translate it: the app shows the template's text until then");
		say(r, &f, "'%.*s' has no translation", shown(e->key), e->key.ptr);
	}
}

static void
check_po_entry(struct rules *r, const struct catalog_entry *e)
{
	struct finding f;

	check_forms(r, e);
	if (r->c == r->family->template)
		return;
	if (e->state == CATALOG_MISSING) {
		f = of_entry(r, e, "missing-key", SEVERITY_LOW);
		say(r, &f, "'%.*s' has no translation", shown(e->source), e->source.ptr);
	} else if (e->state == CATALOG_FUZZY) {
		f = of_entry(r, e, e->stale ? "stale" : "needs-review", SEVERITY_LOW);
		f.fix = S("review it and drop the fuzzy flag");
		say(r, &f, "'%.*s' is fuzzy: programs do not show it", shown(e->source),
		    e->source.ptr);
	}
}

/* XLIFF, TMX: the source stands beside it. */
static void
check_beside(struct rules *r, const struct catalog_entry *e)
{
	struct finding f;

	if (e->state == CATALOG_MISSING && !e->fixed) {
		f = of_entry(r, e, "missing-key", SEVERITY_LOW);
		say(r, &f, "'%.*s' has no translation", shown(e->key), e->key.ptr);
	} else if (e->stale) {
		f = of_entry(r, e, "stale", SEVERITY_LOW);
		f.fix = S("translate it again, or where it still holds confirm it");
		say(r, &f, "'%.*s': the source changed since it was translated", shown(e->key),
		    e->key.ptr);
	} else if (e->state == CATALOG_FUZZY) {
		f = of_entry(r, e, "needs-review", SEVERITY_LOW);
		f.fix = S("edit the text, or where it is right confirm it");
		say(r, &f, "'%.*s': nobody has confirmed the translation", shown(e->key),
		    e->key.ptr);
	}
}

static void
check_entry(struct rules *r, const struct catalog_entry *e)
{
	const struct catalog *c = r->c, *t = r->family->template;

	check_key(r, e);
	if (c == t && c->format == CATALOG_ARB)
		check_declared(r, e);
	if (c->format == CATALOG_PO)
		check_po_entry(r, e);
	else if (!family_is_keyed(c))
		check_beside(r, e);
	else if (t && t != c)
		check_translation(r, e);
}

/* One for all: a machine's drafts are many, and each may well be right. */
static void
check_drafts(struct rules *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->c->n; i++) {
		const struct catalog_entry *e = &r->c->entries[i];
		n += e->state == CATALOG_DRAFT && !e->stale && !e->obsolete;
	}
	if (!n || r->c == r->family->template)
		return;
	struct finding f = of_file(r, "drafts", SEVERITY_INFO);
	f.fix = S("have a person read them: 'kandil-catalog read' says which they are");
	say(r, &f, "%zu draft%s that nobody has confirmed", n, n == 1 ? "" : "s");
}

static void
check_file(struct rules *r)
{
	const struct catalog *c = r->c, *t = r->family->template;
	struct catalog_cursor cursor = {0};

	check_faults(r, c);
	if (c == r->family->files[0] && r->family->whole)
		check_faults(r, r->family->whole);
	check_locale(r);
	if (c->format == CATALOG_PO)
		check_header(r);
	for (size_t i = 0; i < c->n; i++) {
		const struct catalog_entry *e = &c->entries[i];
		if (e->obsolete || family_twin(c, e) != e)
			continue; /* a key that stands twice: the last one is read */
		check_entry(r, e);
		rules_message(r->family, c, e, &cursor, r->report, r->state);
	}
	if (t && t != c)
		check_missing(r);
	check_drafts(r);
}

void
rules_check(const struct family *family, rules_report *report, void *state)
{
	struct rules r = {.family = family, .report = report, .state = state};

	for (size_t i = 0; i < family->n; i++) {
		r.c = family->files[i];
		if (r.c->format != CATALOG_MO)
			check_file(&r);
	}
	buf_free(&r.text);
	buf_free(&r.edit);
}
