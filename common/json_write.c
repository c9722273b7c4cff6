/*
 * Writing records, and splicing members into records that exist.
 */
#include "common/json.h"

#include <stdio.h>

/*
 * A comma is due unless the buffer is at the start, behind an opening bracket
 * or behind a name. A string cannot be mistaken for one of these: it ends in
 * a quote.
 */
static void
comma(struct buf *b)
{
	char last = b->len ? b->ptr[b->len - 1] : '{';

	if (last != '{' && last != '[' && last != ':' && last != '\n')
		buf_addc(b, ',');
}

void
json_open(struct buf *b, char bracket)
{
	comma(b);
	buf_addc(b, bracket);
}

void
json_close(struct buf *b, char bracket)
{
	buf_addc(b, bracket);
}

void
json_name_slice(struct buf *b, struct slice name)
{
	comma(b);
	json_quote(b, name);
	buf_addc(b, ':');
}

void
json_name(struct buf *b, const char *name)
{
	json_name_slice(b, slice(name));
}

void
json_put(struct buf *b, struct slice text)
{
	comma(b);
	json_quote(b, text);
}

void
json_put_raw(struct buf *b, struct slice value)
{
	comma(b);
	buf_addslice(b, value);
}

void
json_put_long(struct buf *b, long long n)
{
	comma(b);
	buf_addf(b, "%lld", n);
}

void
json_put_bool(struct buf *b, bool yes)
{
	comma(b);
	buf_adds(b, yes ? "true" : "false");
}

void
json_add(struct buf *b, const char *name, struct slice text)
{
	json_name(b, name);
	json_quote(b, text);
}

void
json_add_long(struct buf *b, const char *name, long long n)
{
	json_name(b, name);
	buf_addf(b, "%lld", n);
}

void
json_add_raw(struct buf *b, const char *name, struct slice value)
{
	json_name(b, name);
	buf_addslice(b, value);
}

/* Where the last value of an object ends, 1 (behind '{') when it is empty. */
static size_t
last_value_end(struct slice object)
{
	struct json_walk w = json_walk(object);
	struct slice key, value;
	size_t end = 1;

	while (json_member(&w, &key, &value))
		end = (size_t)(value.ptr + value.len - object.ptr);
	return end;
}

void
json_set(struct buf *object, const char *const *path, size_t n, struct slice value)
{
	struct slice at = buf_slice(object), found;
	struct buf fresh = {0};
	size_t i = 0, from;

	/* Down the path as far as it exists. */
	while (i < n && json_type(at) == JSON_OBJECT && json_get(at, path[i], &found)) {
		at = found;
		i++;
	}
	from = (size_t)(at.ptr - object->ptr);
	if (i < n && json_type(at) == JSON_OBJECT) {
		/* A new member: directly after the last value. */
		size_t end = last_value_end(at);

		if (end > 1)
			buf_addc(&fresh, ',');
		json_quote(&fresh, slice(path[i]));
		buf_addc(&fresh, ':');
		from += end;
		at.len = 0;
		i++;
	}
	/* What is left of the path: objects around the value. */
	for (size_t k = i; k < n; k++) {
		buf_addc(&fresh, '{');
		json_quote(&fresh, slice(path[k]));
		buf_addc(&fresh, ':');
	}
	buf_addslice(&fresh, value);
	for (size_t k = i; k < n; k++)
		buf_addc(&fresh, '}');
	buf_splice(object, from, at.len, buf_slice(&fresh));
	buf_free(&fresh);
}

/*
 * One walk copies what stays. A dropped member goes with the comma before it,
 * or, while none has stayed, with all up to the next name.
 */
bool
json_drop(struct buf *object, const char *name)
{
	struct slice text = buf_slice(object), key, value;
	struct json_walk w = json_walk(text);
	struct buf rest = {0};
	size_t copied = 0, before = 0; /* end of the value before, 0: it is the first */
	bool kept = false, skipping = false, any = false;

	while (json_member(&w, &key, &value)) {
		size_t start = (size_t)(key.ptr - text.ptr);
		size_t end = (size_t)(value.ptr + value.len - text.ptr);

		if (skipping)
			copied = start;
		skipping = false;
		if (json_is(key, name)) {
			size_t until = kept ? before : start;

			if (until > copied)
				buf_add(&rest, text.ptr + copied, until - copied);
			copied = end;
			skipping = !kept;
			any = true;
		} else {
			kept = true;
		}
		before = end;
	}
	if (any) {
		buf_add(&rest, text.ptr + copied, text.len - copied);
		buf_free(object);
		*object = rest;
	}
	return any;
}

size_t
json_compact(struct slice json, struct buf *out)
{
	size_t depth = 0, deepest = 0, i = 0;

	while (i < json.len) {
		size_t from = i;
		char c = json.ptr[i];

		if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
			i++;
			continue;
		}
		if (c == '"') {
			for (i++; json.ptr[i] != '"'; i++)
				i += json.ptr[i] == '\\';
			i++;
		} else {
			depth += c == '{' || c == '[';
			deepest = depth > deepest ? depth : deepest;
			depth -= c == '}' || c == ']';
			i++;
		}
		buf_add(out, json.ptr + from, i - from);
	}
	return deepest;
}
