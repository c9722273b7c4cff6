/*
 * Writing a request's body, and reading members of an answer.
 */
#include "tools/ai/wire.h"

static bool
names(const struct body *b, const char *name)
{
	struct slice value;

	return b->extra.ptr && json_get(b->extra, name, &value);
}

static void
own(struct body *b, const char *name)
{
	if (b->kept < BODY_KEEPS)
		b->keeps[b->kept++] = name;
}

static bool
owned(const struct body *b, struct slice key)
{
	for (size_t i = 0; i < b->kept; i++)
		if (json_is(key, b->keeps[i]))
			return true;
	return false;
}

void
body_start(struct body *b, struct buf *out, struct slice extra)
{
	*b = (struct body){.out = out, .extra = extra};
	buf_addc(out, '{');
}

bool
body_name(struct body *b, const char *name)
{
	if (b->out == NULL || names(b, name))
		return false;
	json_name(b->out, name);
	return true;
}

void
body_raw(struct body *b, const char *name, struct slice value)
{
	if (value.ptr && body_name(b, name))
		buf_addslice(b->out, value);
}

void
body_text(struct body *b, const char *name, struct slice text)
{
	if (body_name(b, name))
		json_quote(b->out, text);
}

void
body_fixed(struct body *b, const char *name, struct slice value)
{
	if (b->out == NULL)
		return;
	json_add_raw(b->out, name, value);
	own(b, name);
}

void
body_without(struct body *b, const char *name)
{
	own(b, name);
}

void
body_open(struct body *b, const char *name, struct body *inner)
{
	struct slice extra = {0};

	*inner = (struct body){0};
	if (b->out == NULL)
		return;
	if (b->extra.ptr && json_get(b->extra, name, &extra) && json_type(extra) != JSON_OBJECT)
		return;
	own(b, name);
	json_name(b->out, name);
	body_start(inner, b->out, extra);
}

void
body_close(struct body *b)
{
	struct json_walk w;
	struct slice key, value;

	if (b->out == NULL)
		return;
	if (b->extra.ptr) {
		w = json_walk(b->extra);
		while (json_member(&w, &key, &value)) {
			if (owned(b, key))
				continue;
			json_put_raw(b->out, key);
			buf_addc(b->out, ':');
			buf_addslice(b->out, value);
		}
	}
	json_close(b->out, '}');
}

bool
ask_prompts_schema(const struct ask *a, unsigned lack)
{
	return a->schema.ptr && (lack & (LACK_SCHEMA | LACK_JSON_SCHEMA));
}

/* Into an open JSON string, behind a blank line when something stands there since start. */
static void
add_inside(struct buf *out, size_t start, struct slice string)
{
	if (string.len < 2 || *string.ptr != '"')
		return;
	if (out->len > start)
		buf_adds(out, "\\n\\n");
	buf_add(out, string.ptr + 1, string.len - 2);
}

size_t
system_text(const struct ask *a, bool schema, bool whole, struct buf *out)
{
	size_t start = out->len, i;

	for (i = 0; i < a->nturns && a->turns[i].role == ROLE_SYSTEM; i++) {
		struct slice content = a->turns[i].content, part;
		struct json_walk w = json_walk(content);

		if (*content.ptr == '"') {
			add_inside(out, start, content);
			continue;
		}
		if (!whole)
			break;
		while (json_element(&w, &part))
			add_inside(out, start, wire_member(part, "text"));
	}
	if (schema) {
		if (out->len > start)
			buf_adds(out, "\\n\\n");
		schema_prompt(a->schema, out);
	}
	return i;
}

void
wire_splice(struct buf *out, struct slice array)
{
	struct json_walk w = json_walk(array);
	struct slice part;

	while (json_element(&w, &part))
		json_put_raw(out, part);
}

/* Nearly no name holds an escape: the bytes decide, and json_is the rest. */
static bool
key_is(struct slice key, struct slice name)
{
	if (key.len == name.len + 2 && memcmp(key.ptr + 1, name.ptr, name.len) == 0)
		return true;
	return memchr(key.ptr, '\\', key.len) && json_is(key, name.ptr);
}

void
wire_pick(struct slice object, const struct slice *wanted, struct slice *values, size_t n)
{
	struct json_walk w = json_walk(object);
	struct slice key, value;

	memset(values, 0, n * sizeof(*values));
	while (json_member(&w, &key, &value))
		for (size_t i = 0; i < n; i++)
			if (key_is(key, wanted[i])) {
				values[i] = value;
				break;
			}
}

struct slice
wire_member(struct slice object, const char *name)
{
	struct slice value = {0};

	if (object.ptr == NULL || !json_get(object, name, &value))
		return (struct slice){0};
	return value;
}

struct slice
wire_first(struct slice array)
{
	struct json_walk w;
	struct slice value;

	if (array.ptr) {
		w = json_walk(array);
		if (json_element(&w, &value))
			return value;
	}
	return (struct slice){0};
}

long long
wire_count(struct slice value)
{
	const long long most = 1000000000000000;
	long long n;

	if (value.ptr == NULL || !json_long(value, &n) || n < 0)
		return 0;
	return n < most ? n : most;
}

static void
at_most(long long *part, long long whole)
{
	if (*part > whole)
		*part = whole;
}

void
wire_usage(struct usage *u)
{
	at_most(&u->cached, u->input);
	at_most(&u->written, u->input - u->cached);
	at_most(&u->reasoning, u->output);
}

bool
wire_given(struct slice value)
{
	return value.ptr && json_type(value) != JSON_NULL;
}

bool
wire_text(struct slice value, struct buf *out)
{
	static const struct slice wanted[] = {S("type"), S("text")};
	struct slice part, found[2];
	struct json_walk w;

	if (value.ptr == NULL)
		return false;
	if (json_type(value) != JSON_ARRAY)
		return json_text(value, out);
	w = json_walk(value);
	while (json_element(&w, &part)) {
		wire_pick(part, wanted, found, 2);
		if (found[1].ptr &&
		    (found[0].ptr == NULL || json_is(found[0], "text") ||
			json_is(found[0], "output_text")))
			json_text(found[1], out);
	}
	return true;
}

void
wire_copy(struct slice value, struct buf *out)
{
	if (value.ptr == NULL || json_type(value) != JSON_STRING)
		return;
	buf_reset(out);
	json_text(value, out);
}

void
wire_finish(struct reply *r, const struct finish_word *table, struct slice word)
{
	wire_copy(word, &r->finish_word);
	r->finish = FINISH_OTHER;
	for (; table->word; table++)
		if (json_is(word, table->word)) {
			r->finish = table->finish;
			break;
		}
}
