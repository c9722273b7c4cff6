/*
 * Programs that need no libjq: `.a.b`, and "text with \(.a.b) in it".
 *
 * What is accepted here means the same to jq, which the property test of
 * tests/unit/query.c holds it to; in doubt, libjq answers.
 */
#include "common/mem.h"
#include "common/query_part.h"

#include <stdlib.h>

struct part {
	struct buf text; /* literal text, decoded */
	struct buf path; /* or names, each with its NUL behind it */
	bool is_path;
};

struct query_text {
	struct part *parts;
	size_t n, cap;
	bool bare; /* the whole program is one path: its value is the result */
	bool whole; /* a path that leads to null is an error */
	struct buf out, quoted;
};

static bool
is_name(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	    (!first && c >= '0' && c <= '9');
}

static struct part *
add_part(struct query_text *t, bool is_path)
{
	t->parts = xgrow(t->parts, t->n, &t->cap, sizeof(*t->parts));
	t->parts[t->n] = (struct part){.is_path = is_path};
	return &t->parts[t->n++];
}

/* A path is a dot, or names each with a dot in front. */
static bool
add_path(struct query_text *t, struct slice s)
{
	struct part *p = add_part(t, true);
	size_t i = 0, from;

	s = slice_trim(s);
	if (slice_is(s, "."))
		return true;
	while (i < s.len) {
		from = i + 1;
		if (s.ptr[i++] != '.' || i == s.len || !is_name(s.ptr[i], true))
			return false;
		while (i < s.len && is_name(s.ptr[i], false))
			i++;
		buf_add(&p->path, s.ptr + from, i - from);
		buf_addc(&p->path, '\0');
	}
	return s.len > 0;
}

/* Text between quotes or interpolations, with escapes as JSON has them. */
static bool
add_literal(struct query_text *t, struct slice raw)
{
	struct buf quoted = {0};
	bool fine;

	buf_addf(&quoted, "\"%.*s\"", (int)raw.len, raw.ptr);
	/* jq has its own mind about surrogates. */
	fine = strstr(quoted.ptr, "\\ud") == NULL && strstr(quoted.ptr, "\\uD") == NULL &&
	    json_check(buf_slice(&quoted), NULL) == 0 &&
	    json_text(buf_slice(&quoted), &add_part(t, false)->text);
	buf_free(&quoted);
	return fine;
}

/* The text behind the first quote up to the last, which ends the program. */
static bool
add_string(struct query_text *t, struct slice s)
{
	size_t from = 0, i = 0, close;

	while (i < s.len) {
		if (s.ptr[i] == '"')
			return i + 1 == s.len && add_literal(t, (struct slice){s.ptr + from, i - from});
		if (s.ptr[i] != '\\') {
			i++;
			continue;
		}
		if (i + 1 == s.len || s.ptr[i + 1] != '(') {
			i += 2;
			continue;
		}
		if (!add_literal(t, (struct slice){s.ptr + from, i - from}))
			return false;
		for (close = i += 2; close < s.len && s.ptr[close] != ')'; close++)
			;
		if (close == s.len || !add_path(t, (struct slice){s.ptr + i, close - i}))
			return false;
		from = i = close + 1;
	}
	return false;
}

struct query_text *
query_text_open(struct slice program)
{
	struct query_text *t = xcalloc(1, sizeof(*t));
	bool fine;

	program = slice_trim(program);
	t->bare = slice_starts(program, ".");
	if (t->bare)
		fine = add_path(t, program);
	else
		fine = slice_starts(program, "\"") &&
		    add_string(t, (struct slice){program.ptr + 1, program.len - 1});
	if (fine)
		return t;
	query_text_close(t);
	return NULL;
}

static const char *
kind_name(enum json_type type)
{
	static const char *const names[] = {[JSON_NULL] = "null", [JSON_FALSE] = "boolean",
	    [JSON_TRUE] = "boolean", [JSON_NUMBER] = "number", [JSON_STRING] = "string",
	    [JSON_ARRAY] = "array", [JSON_OBJECT] = "object"};

	return names[type];
}

/* Down the path; what is not there is null, as is what is below null. */
static int
follow(const struct part *p, struct slice *value, struct err *e)
{
	struct slice names = buf_slice(&p->path);
	const char *end = names.ptr + names.len;

	for (const char *name = names.ptr; name < end; name += strlen(name) + 1) {
		enum json_type type = json_type(*value);

		if (type != JSON_NULL && type != JSON_OBJECT)
			return err_set(e, "query_failed", "Cannot index %s with string \"%s\"",
			    kind_name(type), name);
		if (type == JSON_NULL || !json_get(*value, name, value))
			*value = S("null");
	}
	return 0;
}

/* Whether libjq writes the number with the same digits: a short whole one. */
static bool
is_plain_number(struct slice n)
{
	return n.len <= 15 && !slice_is(n, "-0") && memchr(n.ptr, '.', n.len) == NULL &&
	    memchr(n.ptr, 'e', n.len) == NULL && memchr(n.ptr, 'E', n.len) == NULL;
}

/* Whether there may be a surrogate escape, about which libjq has the word. */
static bool
has_surrogate(struct slice s)
{
	return memmem(s.ptr, s.len, "\\ud", 3) || memmem(s.ptr, s.len, "\\uD", 3);
}

/* Appends what \(value) makes of it; 1: libjq is to say. */
static int
add_value(struct buf *out, struct slice value)
{
	switch (json_type(value)) {
	case JSON_STRING:
		if (has_surrogate(value))
			return 1;
		json_text(value, out);
		return 0;
	case JSON_NUMBER:
		if (!is_plain_number(value))
			return 1;
		buf_addslice(out, value);
		return 0;
	case JSON_NULL:
	case JSON_FALSE:
	case JSON_TRUE:
		buf_addslice(out, value);
		return 0;
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return 1;
}

void
query_text_whole(struct query_text *t)
{
	t->whole = true;
}

/* -1 with e "no_value" where a path in the text leads to null. */
static int
check_whole(const struct query_text *t, struct slice input, struct err *e)
{
	for (size_t i = 0; i < t->n; i++) {
		struct slice value = input, names = buf_slice(&t->parts[i].path);
		struct buf path = {0};

		if (!t->parts[i].is_path || follow(&t->parts[i], &value, NULL) < 0 ||
		    json_type(value) != JSON_NULL)
			continue;
		for (const char *at = names.ptr; at < names.ptr + names.len; at += strlen(at) + 1)
			buf_addf(&path, ".%s", at);
		err_set(e, "no_value", "the record has no %s", path.len ? path.ptr : "value");
		buf_free(&path);
		return -1;
	}
	return 0;
}

int
query_text_run(struct query_text *t, struct slice input, query_result *result, void *state,
    struct err *e)
{
	struct slice value;
	int rc = 0;

	input = slice_trim(input);
	if (t->whole && check_whole(t, input, e) < 0)
		return -1;
	buf_reset(&t->out);
	for (size_t i = 0; i < t->n && rc == 0; i++) {
		const struct part *p = &t->parts[i];

		value = input;
		if (!p->is_path)
			buf_addslice(&t->out, buf_slice(&p->text));
		else if (follow(p, &value, e) < 0)
			return -1;
		else if (!t->bare)
			rc = add_value(&t->out, value);
	}
	if (rc != 0)
		return rc;
	if (t->bare) {
		result(value, state);
		return 0;
	}
	if (t->out.len > QUERY_OUTPUT)
		return err_set(e, "query_failed", "more than %d bytes of output", QUERY_OUTPUT);
	buf_reset(&t->quoted);
	json_quote(&t->quoted, buf_slice(&t->out));
	result(buf_slice(&t->quoted), state);
	return 0;
}

void
query_text_close(struct query_text *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n; i++) {
		buf_free(&t->parts[i].text);
		buf_free(&t->parts[i].path);
	}
	buf_free(&t->out);
	buf_free(&t->quoted);
	free(t->parts);
	free(t);
}
