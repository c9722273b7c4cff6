/* Records into memory. */
#include "tools/catalog/incoming.h"

#include "common/json.h"
#include "common/locale.h"
#include "common/message.h"

#include <stdlib.h>

enum { LOCALES = 500 }; /* languages that are written in one run: a file each */

static struct slice
keep(struct incoming *in, struct slice s)
{
	return (struct slice){arena_copy(&in->arena, s.len ? s.ptr : "", s.len), s.len};
}

/* A text member, kept; ptr NULL: there is none. */
static struct slice
text_of(struct incoming *in, const struct record *r, const char *name)
{
	if (!record_get_text(r, name, &in->text))
		return (struct slice){NULL, 0};
	return keep(in, buf_slice(&in->text));
}

static struct slice
raw_of(struct incoming *in, const struct record *r, const char *name, enum json_type type)
{
	struct slice value;

	if (!record_get(r, name, &value) || json_type(value) != type)
		return (struct slice){NULL, 0};
	return keep(in, value);
}

/* The format's name, static; NULL: unknown. */
static const char *
format_of(struct slice word)
{
	static const char *const names[] = {"icu", "printf", "i18next", "plain", "arb",
	    "arb-escaping", "arb-relaxed", "arb-escaping-relaxed"};

	if (!word.len)
		return "icu";
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (slice_is(word, names[i]))
			return names[i];
	return NULL;
}

/* False when there are too many. */
static bool
add_locale(struct incoming *in, const char *name)
{
	for (size_t i = 0; i < in->nlocales; i++)
		if (strcmp(in->locales[i], name) == 0)
			return true;
	if (in->nlocales == LOCALES)
		return false;
	in->locales = xgrow(in->locales, in->nlocales, &in->locales_cap, sizeof(*in->locales));
	in->locales[in->nlocales++] = arena_copy(&in->arena, name, strlen(name));
	return true;
}

/* Takes the locales of a record's translations; false: one is none, and the record failed. */
static bool
take_locales(struct incoming *in, struct record *r, struct slice translations)
{
	struct json_walk w = json_walk(translations);
	struct slice key, value;
	char name[LOCALE_MAX];

	while (json_member(&w, &key, &value)) {
		buf_reset(&in->text);
		json_text(key, &in->text);
		if (!locale_canonical(buf_slice(&in->text), name)) {
			record_fail(r, "bad_locale", false, "not a locale, '%.60s'", in->text.ptr);
			return false;
		}
		if (!add_locale(in, name)) {
			record_fail(r, "bad_locale", false, "more than %d languages", LOCALES);
			return false;
		}
	}
	return true;
}

/* The same key again: nothing new where all is the same, else the record fails. */
static bool
is_repeated(struct incoming *in, struct record *r, const struct incoming_message *m)
{
	uint64_t *at = table_get(&in->by_key, m->key);

	if (!at)
		return false;
	if (!slice_eq(in->v[*at].value, m->value))
		record_fail(r, "duplicate_key", false, "the key '%.80s' has another text already",
		    m->key.ptr);
	return true;
}

void
incoming_add(struct incoming *in, struct record *r)
{
	struct incoming_message m = {
	    .key = text_of(in, r, "key"), .value = text_of(in, r, "value")};

	if (!m.key.len) {
		record_fail(r, "no_key", false, "a string record needs a key to be written");
		return;
	}
	m.format = format_of(text_of(in, r, "format"));
	if (!m.format) {
		record_fail(r, "bad_format", false, "an unknown format of the message");
		return;
	}
	m.context = text_of(in, r, "context");
	m.description = text_of(in, r, "description");
	m.file = text_of(in, r, "file");
	m.placeholders = raw_of(in, r, "placeholders", JSON_ARRAY);
	m.translations = raw_of(in, r, "translations", JSON_OBJECT);
	if (is_repeated(in, r, &m) || !take_locales(in, r, m.translations))
		return;
	*table_put(&in->by_key, m.key, NULL) = in->n;
	in->v = xgrow(in->v, in->n, &in->cap, sizeof(*in->v));
	in->v[in->n++] = m;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void
incoming_settle(struct incoming *in)
{
	if (in->nlocales)
		qsort(in->locales, in->nlocales, sizeof(*in->locales), by_name);
}

void
incoming_free(struct incoming *in)
{
	free(in->v);
	free(in->locales);
	table_free(&in->by_key);
	arena_free(&in->arena);
	buf_free(&in->text);
}

static struct slice
keep_text(const struct buf *text, struct arena *arena)
{
	return (struct slice){arena_copy(arena, text->len ? text->ptr : "", text->len), text->len};
}

static void
read_translation(struct slice object, struct arena *arena, struct incoming_translation *t)
{
	struct slice member;
	struct buf text = {0};

	if (json_get_text(object, "value", &text)) {
		t->value = keep_text(&text, arena);
		t->there = text.len > 0;
	}
	if (json_get_text(object, "status", &text) &&
	    !catalog_state_of(buf_slice(&text), &t->state))
		t->state = CATALOG_DRAFT; /* a word of a later version: trust it least */
	if (t->state == CATALOG_MISSING)
		t->there = false;
	t->stale = json_get(object, "stale", &member) && json_type(member) == JSON_TRUE;
	if (json_get_text(object, "replaces", &text))
		t->replaces = keep_text(&text, arena);
	buf_free(&text);
}

void
incoming_translation(const struct incoming_message *m, const char *locale, struct arena *arena,
    struct incoming_translation *t)
{
	struct json_walk w = json_walk(m->translations);
	struct slice key, value;
	struct buf name = {0};
	char canonical[LOCALE_MAX];

	*t = (struct incoming_translation){.state = CATALOG_TRANSLATED};
	while (json_member(&w, &key, &value)) {
		buf_reset(&name);
		json_text(key, &name);
		if (locale_canonical(buf_slice(&name), canonical) && strcmp(canonical, locale) == 0)
			read_translation(value, arena, t);
	}
	buf_free(&name);
}
