/*
 * read: catalogue files → string records, one a key with all the languages of
 * its family, in the order of the template.
 */
#include "tools/catalog/catalog.h"

#include "common/message.h"

#include <stdlib.h>

struct reading {
	struct run *run;
	const struct settings *settings;
	const struct family *family;
	struct buf record, text;
	struct arena arena;
};

/*
 * A text as records have it: ICU. Where gen-l10n and ICU read it differently
 * it is rewritten; what does not parse stays as it is, and *whole is false.
 */
static bool
add_icu(struct reading *r, struct slice text, struct buf *out)
{
	struct message m;

	return message_parse(text, r->family->dialect, &r->arena, &m, NULL) == 0 &&
	    message_convert(&m, MESSAGE_ICU, out);
}

/* The message of an entry; raw: ARB texts as they stand. */
static bool
get_message(struct reading *r, const struct catalog *c, const struct catalog_entry *e, bool raw)
{
	buf_reset(&r->text);
	if (c->format != CATALOG_ARB)
		return catalog_message(c, e, &r->text);
	if (!e->nvalues || !e->values[0].len)
		return false;
	if (!raw && add_icu(r, e->values[0], &r->text))
		return true;
	buf_reset(&r->text);
	buf_addslice(&r->text, e->values[0]);
	return true;
}

/* Whether some text of the key reads as ICU in no way: then all are given raw. */
static bool
must_be_raw(struct reading *r, const struct catalog_entry *e)
{
	bool raw = false;

	for (size_t i = 0; i < r->family->n && !raw; i++) {
		const struct catalog *c = r->family->files[i];
		const struct catalog_entry *twin = family_twin(c, e);
		if (c->format != CATALOG_ARB || !twin || !twin->nvalues)
			continue;
		buf_reset(&r->text);
		raw = !add_icu(r, twin->values[0], &r->text);
	}
	return raw;
}

/* ARB dialects go by the names of message_dialect_of. */
static const char *
raw_format(unsigned dialect)
{
	static const char *const names[] = {"arb", "arb-escaping", "arb-relaxed",
	    "arb-escaping-relaxed"};

	return names[(dialect & MESSAGE_ESCAPING ? 1 : 0) + (dialect & MESSAGE_RELAXED ? 2 : 0)];
}

static void
put_place(struct buf *b, const struct catalog *c, const struct catalog_entry *e)
{
	json_add(b, "file", slice(c->name));
	if (e->line) {
		json_add_long(b, "line", (long long)e->line);
		json_add_long(b, "column", (long long)e->column);
	}
	if (e->span.end) {
		json_name(b, "span");
		json_open(b, '[');
		json_put_long(b, (long long)e->span.start);
		json_put_long(b, (long long)e->span.end);
		json_close(b, ']');
	}
}

/* The declared placeholders of a template's metadata: [{"name":…, its members}]. */
static bool
put_declared(struct buf *b, struct slice meta)
{
	struct slice placeholders, key, value, name, member;
	struct json_walk w, inner;

	if (!meta.ptr || !json_get(meta, "placeholders", &placeholders) ||
	    json_type(placeholders) != JSON_OBJECT)
		return false;
	json_name(b, "placeholders");
	json_open(b, '[');
	w = json_walk(placeholders);
	while (json_member(&w, &key, &value)) {
		json_open(b, '{');
		json_add_raw(b, "name", key);
		inner = json_walk(value);
		while (json_member(&inner, &name, &member)) {
			json_put_raw(b, name);
			buf_addc(b, ':');
			buf_addslice(b, member);
		}
		json_close(b, '}');
	}
	json_close(b, ']');
	return true;
}

static void
put_placeholders(struct reading *r, struct slice text, struct slice meta, const char *format)
{
	struct message_placeholder *v;
	struct message m;
	int dialect = message_dialect_of(slice(format));

	if (put_declared(&r->record, meta) || dialect < 0 ||
	    message_parse(text, (unsigned)dialect, &r->arena, &m, NULL) < 0)
		return;
	size_t n = message_placeholders(&m, &r->arena, &v);
	if (!n)
		return;
	json_name(&r->record, "placeholders");
	json_open(&r->record, '[');
	for (size_t i = 0; i < n; i++) {
		json_open(&r->record, '{');
		json_add(&r->record, "name", v[i].name);
		json_close(&r->record, '}');
	}
	json_close(&r->record, ']');
}

/*
 * A text without conversions is plain where it stands alone; in a record of
 * format printf its percent signs are doubled.
 */
static void
agree(struct reading *r, const struct catalog_entry *e, const char *format)
{
	struct slice text = buf_slice(&r->text);
	struct buf quoted = {0};

	if (strcmp(format, "printf") != 0 || strcmp(e->format, "plain") != 0)
		return;
	if (message_quote(text, MESSAGE_PRINTF, false, false, &quoted)) {
		buf_reset(&r->text);
		buf_addslice(&r->text, buf_slice(&quoted));
	}
	buf_free(&quoted);
}

/* format: of the record. */
static void
put_translation(struct reading *r, const struct catalog *c, const struct catalog_entry *e,
    const char *format, bool raw)
{
	struct slice locale = c->format == CATALOG_TMX ? e->locale : c->locale;
	struct buf *b = &r->record;

	family_put_name(b, locale);
	json_open(b, '{');
	if (!e || !get_message(r, c, e, raw)) {
		json_add(b, "status", S("missing"));
		if (e && e->opaque)
			json_add(b, "hint",
			    S("the file says it by device, or with several plurals"));
		else if (e && e->partial)
			json_add(b, "hint", S("some of its segments are translated"));
	} else {
		agree(r, e, format);
		json_add(b, "value", buf_slice(&r->text));
		json_add(b, "status", slice(catalog_state_name(e->state)));
		if (e->stale) {
			json_name(b, "stale");
			json_put_bool(b, true);
		}
		put_place(b, c, e);
	}
	json_close(b, '}');
}

static void
put_translations(struct reading *r, const struct catalog_entry *e, const char *format, bool raw)
{
	const struct family *f = r->family;

	json_name(&r->record, "translations");
	json_open(&r->record, '{');
	for (size_t i = 0; i < f->n; i++)
		if (f->files[i] != f->template && f->files[i]->locale.len)
			put_translation(r, f->files[i], family_twin(f->files[i], e), format, raw);
	json_close(&r->record, '}');
}

/* The source message into r->text: the template's, or what PO holds itself. */
static bool
get_source(struct reading *r, const struct catalog *c, const struct catalog_entry *e, bool raw)
{
	if (family_is_keyed(c))
		return get_message(r, c, e, raw);
	buf_reset(&r->text);
	return catalog_source_message(c, e, &r->text);
}

static struct slice
source_locale(const struct family *f)
{
	const struct catalog *t = f->template;

	if (t && family_is_keyed(t) && t->locale.len)
		return t->locale;
	return f->files[0]->source_locale.len ? f->files[0]->source_locale
					      : slice(f->source_locale);
}

/* c holds the first entry of its key: the template, or where there is none any file. */
static void
give_entry(struct reading *r, const struct catalog *c, const struct catalog_entry *e)
{
	struct buf *b = &r->record;
	bool raw = must_be_raw(r, e), arb = c->format == CATALOG_ARB;
	const char *format = !arb ? catalog_message_format(c, e)
	    : raw		  ? raw_format(r->family->dialect)
				  : "icu";

	arena_reset(&r->arena);
	buf_reset(b);
	json_open(b, '{');
	json_add(b, "kind", S("string"));
	json_add(b, "key", e->key);
	/* Of a key that the template lacks the source text is not known. */
	if ((!family_is_keyed(c) || c == r->family->template) && get_source(r, c, e, raw)) {
		json_add(b, "value", buf_slice(&r->text));
		json_add(b, "format", slice(format));
		put_placeholders(r, buf_slice(&r->text), e->meta, format);
	} else {
		json_add(b, "format", slice(format));
	}
	if (e->context.ptr)
		json_add(b, "context", e->context);
	if (e->comment.len)
		json_add(b, "description", e->comment);
	family_put_locale(b, "source_locale", source_locale(r->family));
	put_place(b, c, e);
	put_translations(r, e, format, raw);
	json_close(b, '}');
	record_emit(r->run, buf_slice(b));
}

/* Whether a file before c has the entry's key: then it was given out with that. */
static bool
was_given(const struct family *f, const struct catalog *c, const struct catalog_entry *e)
{
	for (size_t i = 0; i < f->n && f->files[i] != c; i++)
		if (family_twin(f->files[i], e))
			return true;
	return family_twin(c, e) != e; /* the earlier of two with one key */
}

/* The languages of the memory that the unit which starts there has not. */
static void
put_lacking(struct reading *r, size_t start, size_t *at)
{
	const struct family *f = r->family;

	for (size_t i = 0; i < f->n; i++) {
		const struct catalog *c = f->files[i];
		bool there = at[i] < c->n && c->entries[at[i]].span.start == start;
		while (at[i] < c->n && c->entries[at[i]].span.start == start)
			at[i]++;
		if (there || slice_eq(c->locale, c->source_locale))
			continue;
		family_put_name(&r->record, c->locale);
		json_open(&r->record, '{');
		json_add(&r->record, "status", S("missing"));
		json_close(&r->record, '}');
	}
}

/* TMX: the entries of one unit are together, and make one record. */
static void
give_units(struct reading *r, const struct catalog *c)
{
	struct buf *b = &r->record;
	/* How far each language is, whose entries stand in the same order. */
	size_t *at = xcalloc(r->family->n, sizeof(*at));

	for (size_t i = 0; i < c->n && !run_interrupted();) {
		const struct catalog_entry *first = &c->entries[i];
		buf_reset(b);
		arena_reset(&r->arena);
		json_open(b, '{');
		json_add(b, "kind", S("string"));
		json_add(b, "key", first->key);
		get_source(r, c, first, false);
		json_add(b, "value", buf_slice(&r->text));
		json_add(b, "format", slice(first->format));
		put_placeholders(r, buf_slice(&r->text), first->meta, first->format);
		if (c->source_locale.len)
			family_put_locale(b, "source_locale", c->source_locale);
		put_place(b, c, first);
		json_name(b, "translations");
		json_open(b, '{');
		for (; i < c->n && c->entries[i].span.start == first->span.start; i++)
			if (c->entries[i].locale.len)
				put_translation(r, c, &c->entries[i], first->format, false);
		put_lacking(r, first->span.start, at);
		json_close(b, '}');
		json_close(b, '}');
		record_emit(r->run, buf_slice(b));
	}
	free(at);
}

/*
 * A source that is no one message is no record either: nothing that works on
 * records could do its work on it.
 */
static bool
is_left_out(const struct reading *r, const struct catalog *c, const struct catalog_entry *e)
{
	const struct family *f = r->family;

	if (!e->opaque || c != f->template)
		return false;
	warn("%s:%zu:%zu: '%.*s' is left out: %s: translate it in the files themselves", c->name,
	    e->line, e->column, (int)(e->key.len < 80 ? e->key.len : 80), e->key.ptr,
	    family_opaque_reason(f->whole ? f->whole : c, e));
	return true;
}

static void
give_family(struct reading *r)
{
	const struct family *f = r->family;

	if (f->files[0]->format == CATALOG_TMX) {
		give_units(r, f->whole);
		return;
	}
	for (size_t i = 0; i < f->n; i++) {
		const struct catalog *c = f->files[i];
		for (size_t k = 0; k < c->n && !run_interrupted(); k++)
			if (!c->entries[k].obsolete && !c->entries[k].fixed &&
			    !was_given(f, c, &c->entries[k]) &&
			    !is_left_out(r, c, &c->entries[k]))
				give_entry(r, c, &c->entries[k]);
	}
}

void
read_run(struct run *run, void *settings)
{
	struct reading r = {.run = run, .settings = settings};
	struct families families;

	gather(run, settings, &families);
	report_bad(run, &families);
	for (size_t i = 0; i < families.n; i++) {
		r.family = &families.v[i];
		give_family(&r);
	}
	families_free(&families);
	buf_free(&r.record);
	buf_free(&r.text);
	arena_free(&r.arena);
}
