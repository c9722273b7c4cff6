/* Merging one language into a String Catalog. */
#include "common/format/xcstrings.h"

#include "common/format/locale_name.h"
#include "common/format/printf_message.h"
#include "common/format/xcstrings_shape.h"

#include <stdio.h>

struct merge {
	const struct catalog *old;
	const struct catalog_merge *merge;
	struct jsonfile f;
	size_t strings, behind; /* the key of the change before, JSONFILE_NONE: none */
	struct slice locale;	/* as new localizations spell it */
	bool sorted;		/* the keys are, byte by byte */
	struct buf text;
	struct arena arena;
	struct err *e;
};

enum { SORTED_AT_LEAST = 5 };

/* -- members -- */

/* Adds a member in the order of names that Xcode keeps within its (small) objects. */
static size_t
add_in_order(struct jsonfile *f, size_t parent, struct slice name, enum json_type type)
{
	size_t place = JSONFILE_NONE;

	for (size_t i = f->v[parent].first; i != JSONFILE_NONE; i = f->v[i].next)
		if (slice_cmp(f->v[i].name, name) < 0)
			place = i;
	return jsonfile_add(f, parent, place, name, type);
}

static size_t
member(struct jsonfile *f, size_t parent, const char *name, enum json_type type)
{
	size_t node = jsonfile_child(f, parent, slice(name));

	/* What is something else than it must be gives way. */
	if (node != JSONFILE_NONE && type == JSON_OBJECT && f->v[node].type != JSON_OBJECT) {
		jsonfile_remove_named(f, parent, slice(name));
		node = JSONFILE_NONE;
	}
	return node != JSONFILE_NONE ? node : add_in_order(f, parent, slice(name), type);
}

static struct slice
state_word(const struct merge *m, const struct catalog_change *change)
{
	if (m->merge->template)
		return S("translated");
	if (change->state == CATALOG_DRAFT && !change->stale)
		return S("new");
	return change->stale || change->state < CATALOG_TRANSLATED ? S("needs_review")
								   : S("translated");
}

static void
set_unit(struct merge *m, size_t parent, struct slice text, struct slice state)
{
	size_t unit = member(&m->f, parent, "stringUnit", JSON_OBJECT);

	jsonfile_set(&m->f, member(&m->f, unit, "state", JSON_STRING), state);
	jsonfile_set(&m->f, member(&m->f, unit, "value", JSON_STRING), text);
}

/* -- places -- */

static bool
is_sorted(const struct jsonfile *f, size_t parent)
{
	size_t n = 0;
	struct slice before = {NULL, 0};

	for (size_t i = f->v[parent].first; i != JSONFILE_NONE; i = f->v[i].next) {
		if (n++ && slice_cmp(before, f->v[i].name) >= 0)
			return false;
		before = f->v[i].name;
	}
	return n >= SORTED_AT_LEAST;
}

static size_t
add_key(struct merge *m, const struct catalog_change *change)
{
	struct jsonfile *f = &m->f;
	size_t behind = m->behind != JSONFILE_NONE ? m->behind : f->v[m->strings].last, node;

	if (m->sorted)
		behind = jsonfile_sorted_place(f, m->strings, change->key, m->behind);
	node = jsonfile_add(f, m->strings, behind, change->key, JSON_OBJECT);
	jsonfile_set(f, member(f, node, "extractionState", JSON_STRING), S("manual"));
	return node;
}

/* -- texts -- */

struct texts {
	struct forms forms;
	size_t position; /* of the number */
};

/* A text of the file in which the conversions of this key can be seen. */
static struct slice
find_text(struct merge *m, const struct xcstrings_shape *s)
{
	struct slice value;
	size_t unit = s->kind == XCSTRINGS_UNIT ? s->unit : s->form[PLURAL_OTHER];

	if (s->kind == XCSTRINGS_SUBSTITUTION || unit == JSONFILE_NONE ||
	    !xcstrings_value(&m->f, unit, &value))
		return S("");
	return value;
}

static int
encode(struct merge *m, const struct catalog_change *change, size_t key,
    const struct xcstrings_shape *own, const struct xcstrings_shape *source, struct texts *t)
{
	struct slice text = change->source.ptr ? change->source : change->value, had;
	struct printf_arguments a;
	struct message parsed;
	int dialect = message_dialect_of(slice(change->format));

	had = find_text(m, own);
	if (!had.len)
		had = find_text(m, source);
	if (!had.len)
		had = m->f.v[key].name;
	if (printf_arguments_of(text, change->format, change->placeholders, had, PRINTF_APPLE,
		&m->arena, &a, m->e) < 0 ||
	    printf_split(change->value, change->format, m->merge->locale, &a, &m->arena, &t->forms,
		m->e) < 0)
		return -1;
	t->position = 0;
	if (dialect >= 0 && message_parse(text, (unsigned)dialect, &m->arena, &parsed, NULL) == 0)
		for (size_t i = 0; i < parsed.n; i++)
			if (parsed.nodes[i].type == MESSAGE_PLURAL)
				t->position = printf_position(&a, parsed.nodes[i].name);
	return 0;
}

/* A form in which the number is "%arg". */
static struct slice
with_arg(struct merge *m, struct slice text, size_t position)
{
	struct message parsed;
	size_t done = 0;
	char number[24];

	buf_reset(&m->text);
	snprintf(number, sizeof(number), "%zu", position);
	if (message_parse(text, MESSAGE_PRINTF, &m->arena, &parsed, NULL) == 0)
		for (size_t i = 0; i < parsed.n; i++) {
			const struct message_node *node = &parsed.nodes[i];
			if (node->type != MESSAGE_PLACEHOLDER || !slice_is(node->name, number))
				continue;
			buf_add(&m->text, text.ptr + done, node->start - done);
			buf_adds(&m->text, "%arg");
			done = node->end;
		}
	buf_add(&m->text, text.ptr + done, text.len - done);
	return (struct slice){arena_copy(&m->arena, m->text.ptr, m->text.len), m->text.len};
}

static void
set_plural(struct merge *m, size_t parent, const struct texts *t, struct slice state, bool arg)
{
	struct jsonfile *f = &m->f;
	size_t variations = member(f, parent, "variations", JSON_OBJECT);
	size_t plural = member(f, variations, "plural", JSON_OBJECT);

	for (int c = 0; c < PLURAL_CATEGORIES; c++) {
		const char *name = plural_name((enum plural_category)c);
		struct slice text = t->forms.text[c];
		if (!text.ptr)
			jsonfile_remove_named(f, plural, slice(name));
		else
			set_unit(m, member(f, plural, name, JSON_OBJECT),
			    arg ? with_arg(m, text, t->position) : text, state);
	}
}

/* One variable that is the whole text; its forms are the sentences. */
static void
set_substitution(struct merge *m, size_t localization, const struct texts *t,
    const struct xcstrings_shape *like, struct slice state)
{
	struct jsonfile *f = &m->f;
	size_t all = member(f, localization, "substitutions", JSON_OBJECT), node, number;
	struct buf b = {0};

	node = jsonfile_child(f, all, like->name);
	if (node == JSONFILE_NONE)
		node = add_in_order(f, all, like->name, JSON_OBJECT);
	number = member(f, node, "argNum", JSON_NUMBER);
	buf_addf(&b, "%zu", t->position);
	if (!f->v[number].value.ptr || !slice_eq(f->v[number].value, buf_slice(&b)))
		jsonfile_set_raw(f, number, buf_slice(&b));
	jsonfile_set(f, member(f, node, "formatSpecifier", JSON_STRING),
	    like->spec.len ? like->spec : S("lld"));
	set_plural(m, node, t, state, true);
	buf_reset(&b);
	buf_addf(&b, "%%#@%.*s@", (int)like->name.len, like->name.ptr);
	set_unit(m, localization, buf_slice(&b), state);
	buf_free(&b);
}

static int
set_text(struct merge *m, const struct catalog_change *change, size_t key, size_t localization,
    const struct xcstrings_shape *own)
{
	struct slice state = state_word(m, change);
	struct xcstrings_shape source;
	struct texts t;

	xcstrings_shape(&m->f, xcstrings_localization(&m->f, key, m->old->source_locale), &source);
	if (encode(m, change, key, own, &source, &t) < 0)
		return -1;
	const struct xcstrings_shape *like = own->kind == XCSTRINGS_SUBSTITUTION ? own
	    : own->kind == XCSTRINGS_NONE && source.kind == XCSTRINGS_SUBSTITUTION ? &source
										   : NULL;
	if (t.forms.plural && like && t.position) {
		set_substitution(m, localization, &t, like, state);
		return 0;
	}
	jsonfile_remove_named(&m->f, localization, S("substitutions"));
	if (t.forms.plural) {
		jsonfile_remove_named(&m->f, localization, S("stringUnit"));
		set_plural(m, localization, &t, state, false);
	} else {
		jsonfile_remove_named(&m->f, localization, S("variations"));
		set_unit(m, localization, t.forms.text[PLURAL_OTHER], state);
	}
	return 0;
}

/* -- one change -- */

static void
set_states(struct merge *m, const struct xcstrings_shape *s, struct slice state)
{
	if (s->unit != JSONFILE_NONE)
		jsonfile_set(&m->f, member(&m->f, s->unit, "state", JSON_STRING), state);
	for (int c = 0; c < PLURAL_CATEGORIES; c++)
		if (s->form[c] != JSONFILE_NONE)
			jsonfile_set(&m->f, member(&m->f, s->form[c], "state", JSON_STRING), state);
}

/* Whether the key says in the source language what it is to say there. */
static bool
says_itself(struct merge *m, const struct catalog_change *change)
{
	struct catalog_change key = {.key = change->key};
	struct buf is = {0}, wanted = {0};
	bool same;

	key.format = printf_format_of(change->key);
	same = xcstrings_say(&key, change->key, m->merge->locale, &is, NULL) == 0 &&
	    xcstrings_say(change, change->value, m->merge->locale, &wanted, NULL) == 0 &&
	    slice_eq(buf_slice(&is), buf_slice(&wanted));
	buf_free(&is);
	buf_free(&wanted);
	return same;
}

static int
write_change(struct merge *m, const struct catalog_change *change, size_t key)
{
	struct jsonfile *f = &m->f;
	size_t all, localization = xcstrings_localization(&m->f, key, m->merge->locale);
	size_t stale = jsonfile_child(f, key, S("extractionState"));
	struct xcstrings_shape own;

	xcstrings_shape(f, localization, &own);
	if (own.kind == XCSTRINGS_OPAQUE)
		return 0; /* the frame writes none; what it took for another stays */
	/* A key that is written is used again. */
	if (stale != JSONFILE_NONE && json_is(f->v[stale].value.ptr ? f->v[stale].value : S("null"),
					  "stale"))
		jsonfile_remove_named(f, key, S("extractionState"));
	if (change->keep_text) {
		set_states(m, &own, state_word(m, change));
		return 0;
	}
	if (localization == JSONFILE_NONE) {
		/* The key may be there through another language, written before. */
		if (m->merge->template && change->description.len &&
		    jsonfile_child(f, key, S("comment")) == JSONFILE_NONE)
			jsonfile_set(f, member(f, key, "comment", JSON_STRING), change->description);
		if (m->merge->template && says_itself(m, change))
			return 0;
		all = member(f, key, "localizations", JSON_OBJECT);
		localization = add_in_order(f, all, m->locale, JSON_OBJECT);
	}
	return set_text(m, change, key, localization, &own);
}

static int
merge_changes(struct merge *m)
{
	struct jsonfile *f = &m->f;

	m->strings = member(f, 0, "strings", JSON_OBJECT);
	m->sorted = is_sorted(f, m->strings);
	m->behind = JSONFILE_NONE;
	for (size_t i = 0; i < m->merge->n; i++) {
		const struct catalog_change *change = &m->merge->changes[i];
		size_t key = jsonfile_child(f, m->strings, change->key);
		if (key == JSONFILE_NONE && change->write && !change->keep_text)
			key = add_key(m, change);
		if (key == JSONFILE_NONE)
			continue;
		m->behind = key;
		if (change->write && f->v[key].type == JSON_OBJECT &&
		    write_change(m, change, key) < 0)
			return -1;
	}
	return 0;
}

int
xcstrings_merge(const struct catalog *old, const struct catalog_merge *merge, struct buf *out,
    struct err *e)
{
	struct merge m = {.old = old, .merge = merge, .e = e};
	struct buf locale = {0};
	char canonical[LOCALE_MAX];
	int rc = jsonfile_open(&m.f, old->text, e);

	if (locale_canonical(merge->locale, canonical))
		locale_name_put(CATALOG_XCSTRINGS, canonical, &locale);
	else
		buf_addslice(&locale, merge->locale);
	m.locale = buf_slice(&locale);
	if (rc == 0)
		rc = merge_changes(&m);
	if (rc == 0) {
		buf_adds(out, old->bom ? "\xef\xbb\xbf" : "");
		jsonfile_write(&m.f, NULL, out);
	}
	buf_free(&locale);
	buf_free(&m.text);
	arena_free(&m.arena);
	jsonfile_free(&m.f);
	return rc;
}
