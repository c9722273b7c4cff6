/*
 * Reading ARB: one walk over the members, then metadata and state are given to
 * the messages that they belong to.
 */
#include "common/format/arb.h"

#include "common/format/arb_state.h"
#include "common/json.h"

#include <ctype.h>
#include <stdlib.h>

struct reader {
	struct catalog *c;
	struct catalog_cursor cursor;
	struct buf scratch;
	struct slice *metas; /* raw keys with quotes */
	struct slice *meta_values;
	size_t nmetas, metas_cap, values_cap;
};

void
arb_hash(struct slice source, struct buf *out)
{
	buf_addf(out, "%016llx", (unsigned long long)hash_stable(source));
}

const char *
arb_key_fault(struct slice key)
{
	static const char *const reserved[] = {"assert", "await", "break", "case", "catch", "class",
	    "const", "continue", "default", "do", "else", "enum", "extends", "false", "final",
	    "finally", "for", "if", "in", "is", "new", "null", "rethrow", "return", "super",
	    "switch", "this", "throw", "true", "try", "var", "void", "while", "with", "yield"};

	if (key.len == 0)
		return "is empty";
	for (size_t i = 0; i < key.len; i++)
		if (!isalnum((unsigned char)key.ptr[i]) && key.ptr[i] != '_')
			return "has a character that is no letter, digit or '_'";
	if (!islower((unsigned char)key.ptr[0]))
		return "does not start with a lower case letter";
	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
		if (slice_is(key, reserved[i]))
			return "is a reserved word of Dart";
	return NULL;
}

/* The decoded string: in place where it has no escape, else in the arena. */
static struct slice
decode(struct reader *r, struct slice raw)
{
	if (!memchr(raw.ptr, '\\', raw.len))
		return (struct slice){raw.ptr + 1, raw.len - 2};
	buf_reset(&r->scratch);
	json_text(raw, &r->scratch);
	return (struct slice){arena_copy(&r->c->arena, r->scratch.ptr, r->scratch.len),
	    r->scratch.len};
}

static size_t
offset_of(const struct reader *r, const char *p)
{
	return (size_t)(p - r->c->text.ptr);
}

static void
add_message(struct reader *r, struct slice key, struct slice value)
{
	struct catalog *c = r->c;
	size_t start = offset_of(r, key.ptr), at = offset_of(r, value.ptr);

	if (json_type(value) != JSON_STRING) {
		catalog_fault(c, "not-text", SIZE_MAX, start, at + value.len,
		    "the value of '%.*s' is not a string", (int)(key.len > 80 ? 80 : key.len - 2),
		    key.ptr + 1);
		return;
	}
	struct catalog_entry *e = catalog_add(c);
	e->key = decode(r, key);
	e->values = arena_alloc(&c->arena, sizeof(*e->values));
	e->values[0] = decode(r, value);
	e->nvalues = 1;
	e->state = e->values[0].len ? CATALOG_TRANSLATED : CATALOG_MISSING;
	e->span = catalog_span(c, start, at + value.len);
	e->value_span = catalog_span(c, at, at + value.len);
	catalog_seek(&r->cursor, c->text, start, &e->line, &e->column);
	catalog_index(c, c->n - 1);
}

static void
add_global(struct reader *r, struct slice key, struct slice value)
{
	struct catalog *c = r->c;

	if (json_is(key, "@@locale") && json_type(value) == JSON_STRING)
		c->locale = c->locale_member = decode(r, value);
	else if (json_is(key, ARB_STATE))
		c->states = value;
}

static void
add_meta(struct reader *r, struct slice key, struct slice value)
{
	r->metas = xgrow(r->metas, r->nmetas, &r->metas_cap, sizeof(*r->metas));
	r->meta_values = xgrow(r->meta_values, r->nmetas, &r->values_cap, sizeof(*r->meta_values));
	r->metas[r->nmetas] = key;
	r->meta_values[r->nmetas++] = value;
}

/* The entry whose metadata this is; description and context become its own. */
static void
attach_meta(struct reader *r, struct slice raw_key, struct slice value)
{
	struct catalog *c = r->c;
	struct slice key = decode(r, raw_key), text;
	struct catalog_entry *e = catalog_find(c, (struct slice){key.ptr + 1, key.len - 1});
	size_t start = offset_of(r, raw_key.ptr), end = offset_of(r, value.ptr) + value.len;

	if (!e) {
		catalog_fault(c, "orphan-metadata", SIZE_MAX, start, end,
		    "'%.*s' describes a message that is not there",
		    (int)(key.len > 80 ? 80 : key.len), key.ptr);
		return;
	}
	if (e->meta.ptr)
		catalog_fault(c, "duplicate-key", (size_t)(e - c->entries), start, end,
		    "the metadata stands twice; the last one is read");
	e->meta = value;
	e->meta_span = catalog_span(c, start, end);
	if (json_type(value) != JSON_OBJECT)
		return;
	if (json_get(value, "description", &text) && json_type(text) == JSON_STRING)
		e->comment = decode(r, text);
	if (json_get(value, "context", &text) && json_type(text) == JSON_STRING)
		e->context = decode(r, text);
}

/* Metadata and state may stand before their message, so they come last. */
static void
attach(struct reader *r)
{
	for (size_t i = 0; i < r->nmetas; i++)
		attach_meta(r, r->metas[i], r->meta_values[i]);
	arb_states_read(r->c);
}

int
arb_parse(struct catalog *c, struct err *e)
{
	struct reader r = {.c = c};
	struct catalog_cursor at = {0};
	struct json_walk w;
	struct slice key, value, text;

	if (json_check(c->text, e) < 0) {
		if (e)
			catalog_seek(&at, c->text, e->column - 1, &e->line, &e->column);
		return -1;
	}
	text = slice_trim(c->text);
	if (json_type(text) != JSON_OBJECT)
		return err_set(e, "bad_catalog", "an ARB file is one JSON object");
	w = json_walk(text);
	while (json_member(&w, &key, &value)) {
		struct slice name = decode(&r, key);
		if (slice_starts(name, "@@"))
			add_global(&r, key, value);
		else if (slice_starts(name, "@"))
			add_meta(&r, key, value);
		else
			add_message(&r, key, value);
	}
	for (size_t i = 0; i < c->n; i++)
		c->entries[i].locale = c->locale;
	attach(&r);
	free(r.metas);
	free(r.meta_values);
	buf_free(&r.scratch);
	return 0;
}
