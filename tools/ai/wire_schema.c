/*
 * A schema on its way to a provider: as it is, without its bounds, or in words.
 *
 * The schema is the user's and checks every reply here, so what is sent may
 * ask for less than it does.
 */
#include "common/path.h"
#include "tools/ai/schema.h"
#include "tools/ai/wire.h"

#include <stdlib.h>

enum { PROMPT_MAX = 64 * 1024 };

static struct buf before, after;

/* The inside of a JSON string. */
static void
add_quoted_inside(struct buf *out, struct slice text)
{
	struct buf quoted = {0};

	json_quote(&quoted, text);
	buf_add(out, quoted.ptr + 1, quoted.len - 2);
	buf_free(&quoted);
}

void
schema_prompt_set(struct slice text)
{
	static const char mark[] = "{schema}";
	const char *at = memmem(text.ptr, text.len, mark, sizeof(mark) - 1);
	size_t n = at ? (size_t)(at - text.ptr) : text.len;

	buf_reset(&before);
	buf_reset(&after);
	add_quoted_inside(&before, (struct slice){text.ptr, n});
	if (at) {
		text.ptr += n + sizeof(mark) - 1;
		text.len -= n + sizeof(mark) - 1;
		/* The line's own end is no part of a prompt. */
		while (text.len && text.ptr[text.len - 1] == '\n')
			text.len--;
		add_quoted_inside(&after, text);
	}
}

int
provider_load(struct err *e)
{
	char *file = path_trusted("ai/prompts/schema.txt");
	struct buf text = {0};
	int result;

	if (file == NULL)
		return err_set(e, "cannot_read",
		    "no such data file, 'ai/prompts/schema.txt': install kandil whole, or set "
		    "KANDIL_DATADIR");
	result = path_read(file, PROMPT_MAX, &text, e);
	if (result == 0)
		schema_prompt_set(buf_slice(&text));
	buf_free(&text);
	free(file);
	return result;
}

void
schema_prompt(struct slice schema, struct buf *out)
{
	buf_addslice(out, buf_slice(&before));
	add_quoted_inside(out, schema);
	buf_addslice(out, buf_slice(&after));
}

bool
ask_strict(const struct ask *a, unsigned lack)
{
	return a->check && !(lack & LACK_STRICT) && schema_takes_strict(a->check, NULL);
}

void
ask_schema_name(const struct ask *a, struct buf *out)
{
	buf_adds(out, "\"name\":\"");
	if (a->check)
		schema_name(a->check, out);
	else
		buf_adds(out, "reply");
	buf_addc(out, '"');
}

void
ask_schema_closed(const struct ask *a, bool bare, struct buf *out)
{
	struct buf closed = {0};

	if (a->check)
		schema_copy_closed(a->check, &closed);
	else
		buf_addslice(&closed, a->schema);
	if (bare)
		schema_bare(buf_slice(&closed), out);
	else
		buf_addslice(out, buf_slice(&closed));
	buf_free(&closed);
}

static bool
one_of(struct slice key, const char *const *words)
{
	for (; *words; words++)
		if (json_is(key, *words))
			return true;
	return false;
}

/* Where schemas stand in a schema: a schema, an array of them, an object of them. */
static const char *const holds_schema[] = {"items", "not", "if", "then", "else", "contains",
    "propertyNames", "additionalProperties", NULL};
static const char *const holds_array[] = {"anyOf", "oneOf", "allOf", "prefixItems", NULL};
static const char *const holds_map[] = {"properties", "$defs", "definitions", NULL};

/* What bounds a value without changing its shape. */
static bool
is_bound(struct slice key)
{
	static const char *const bounds[] = {"minimum", "maximum", "exclusiveMinimum",
	    "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern", "format",
	    "minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains",
	    "minProperties", "maxProperties", "propertyNames", "default", "examples", NULL};

	return one_of(key, bounds);
}

static void
bare_all(struct slice list, bool map, struct buf *out)
{
	struct json_walk w = json_walk(list);
	struct slice key, one;

	json_open(out, map ? '{' : '[');
	while (map ? json_member(&w, &key, &one) : json_element(&w, &one)) {
		if (map) {
			json_put_raw(out, key);
			buf_addc(out, ':');
		}
		schema_bare(one, out);
	}
	json_close(out, map ? '}' : ']');
}

void
schema_bare(struct slice schema, struct buf *out)
{
	struct json_walk w = json_walk(schema);
	struct slice key, value;

	if (json_type(schema) != JSON_OBJECT) {
		json_put_raw(out, schema);
		return;
	}
	json_open(out, '{');
	while (json_member(&w, &key, &value)) {
		if (is_bound(key))
			continue;
		json_put_raw(out, key);
		buf_addc(out, ':');
		if (one_of(key, holds_schema))
			schema_bare(value, out);
		else if (one_of(key, holds_array) && json_type(value) == JSON_ARRAY)
			bare_all(value, false, out);
		else if (one_of(key, holds_map) && json_type(value) == JSON_OBJECT)
			bare_all(value, true, out);
		else
			buf_addslice(out, value);
	}
	json_close(out, '}');
}
