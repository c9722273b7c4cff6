/*
 * Trees over libjq 1.6, with what it lets by or gets wrong kept away from it:
 * input is validated before (NaN, 01, NUL, bad UTF-8), each value has a parser of its own
 * (after an error a parser swallows the next value without a word), and
 * writing is ours (10000000000000000 is not 1e+16, and it takes two thirds of
 * the time of libjq's).
 */
#include "common/tree.h"

#include "common/tree_jv.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PARSE_MAX = 1 << 30 };

/* An invalid value's message, which nobody else frees; NULL: it has none. */
static char *
message_of(jv invalid)
{
	jv message = jv_invalid_get_msg(invalid);
	char *text = NULL;

	if (jv_get_kind(message) == JV_KIND_STRING)
		text = strdup(jv_string_value(message));
	jv_free(message);
	return text;
}

/* Of what json_check accepts, libjq refuses two things. */
static void
refused(const char *message, struct err *e)
{
	if (strstr(message, "depth"))
		err_set(e, "too_deep", "nested too deeply for a tree");
	else if (strstr(message, "surrogate"))
		err_set(e, "lone_surrogate", "half of a surrogate pair in a string");
	else
		err_set(e, "not_json", "cannot be read as a tree: %s", message);
}

int
tree_parse(struct slice value, struct tree *out, struct err *e)
{
	struct jv_parser *parser;
	jv parsed, rest;
	char *message;

	value = slice_trim(value);
	if (value.len > PARSE_MAX)
		return err_set(e, "too_long", "longer than %d bytes", PARSE_MAX);
	parser = jv_parser_new(0);
	jv_parser_set_buf(parser, value.ptr, (int)value.len, 0);
	parsed = jv_parser_next(parser);
	rest = jv_is_valid(parsed) ? jv_parser_next(parser) : jv_invalid();
	jv_parser_free(parser);
	if (jv_is_valid(parsed) && !jv_is_valid(rest) && !jv_invalid_has_msg(jv_copy(rest))) {
		jv_free(rest);
		*out = tree_of(parsed);
		return 0;
	}
	message = message_of(jv_is_valid(parsed) ? rest : jv_copy(parsed));
	jv_free(parsed);
	refused(message ? message : "no value", e);
	free(message);
	return -1;
}

void
tree_free(struct tree *t)
{
	jv_free(tree_jv(t));
	*t = tree_of(jv_null());
}

static enum json_type
type_of(const struct tree *t)
{
	switch (jv_get_kind(tree_jv(t))) {
	case JV_KIND_FALSE:
		return JSON_FALSE;
	case JV_KIND_TRUE:
		return JSON_TRUE;
	case JV_KIND_NUMBER:
		return JSON_NUMBER;
	case JV_KIND_STRING:
		return JSON_STRING;
	case JV_KIND_ARRAY:
		return JSON_ARRAY;
	case JV_KIND_OBJECT:
		return JSON_OBJECT;
	case JV_KIND_NULL:
	case JV_KIND_INVALID:
	default:
		return JSON_NULL;
	}
}

/* The element at i of an array: false beyond its end. */
static bool
element(const struct tree *t, size_t i, struct tree *out)
{
	jv array = tree_jv(t);

	if (i >= (size_t)jv_array_length(jv_copy(array)))
		return false;
	*out = tree_of(jv_array_get(jv_copy(array), (int)i));
	return true;
}

/* Walks an object's members in order: start with *at = 0, until false. */
static bool
member(const struct tree *t, size_t *at, struct tree *name, struct tree *value)
{
	jv object = tree_jv(t);
	int i;

	/* *at is one more than libjq's iterator of the member last given. */
	i = *at == 0 ? jv_object_iter(object) : jv_object_iter_next(object, (int)*at - 1);
	if (!jv_object_iter_valid(object, i))
		return false;
	*at = (size_t)i + 1;
	*name = tree_of(jv_object_iter_key(object, i));
	*value = tree_of(jv_object_iter_value(object, i));
	return true;
}

bool
tree_text(const struct tree *t, struct buf *out)
{
	jv value = tree_jv(t);

	if (jv_get_kind(value) != JV_KIND_STRING)
		return false;
	buf_add(out, jv_string_value(value), (size_t)jv_string_length_bytes(jv_copy(value)));
	return true;
}

/*
 * As ECMAScript's Number::toString: the fewest digits that read back as the
 * same double. What JSON cannot say becomes null (NaN) or the largest double.
 */
static void
write_number(const struct tree *number, struct buf *out)
{
	double d = jv_number_value(tree_jv(number));
	char digits[32];
	int precision = 0, exponent, n;

	if (isnan(d)) {
		buf_adds(out, "null");
		return;
	}
	if (isinf(d))
		d = d > 0 ? DBL_MAX : -DBL_MAX;
	if (d == floor(d) && fabs(d) < 9007199254740992.0) {
		buf_addf(out, "%.0f", d);
		return;
	}
	do
		snprintf(digits, sizeof(digits), "%.*e", precision, d);
	while (precision++ < 16 && strtod(digits, NULL) != d);
	n = precision; /* how many digits there are */
	exponent = (int)strtol(strchr(digits, 'e') + 1, NULL, 10);
	if (exponent >= n - 1 && exponent < 21) {
		const char *p = digits + (digits[0] == '-');

		buf_addf(out, "%s%c%.*s", digits[0] == '-' ? "-" : "", p[0], n - 1, p + 2);
		for (int i = n - 1; i < exponent; i++)
			buf_addc(out, '0');
	} else if (exponent < 21 && exponent >= -7) {
		buf_addf(out, "%.*f", n - 1 - exponent, d);
	} else {
		buf_addf(out, "%.*se%+d", (int)strcspn(digits, "e"), digits, exponent);
	}
}

/* One array or object that is being written, and how far. */
struct level {
	struct tree value; /* borrowed from its parent, or from the caller */
	size_t at;
	bool started;
};

struct writer {
	struct buf *out;
	size_t end; /* out may grow up to here */
	struct level stack[JSON_DEPTH];
	size_t depth;
	struct err *e;
};

/* Writes a scalar, or opens a container, which it takes over. 0 or -1. */
static int
write_value(struct writer *w, struct tree value)
{
	switch (type_of(&value)) {
	case JSON_NULL:
		buf_adds(w->out, "null");
		break;
	case JSON_FALSE:
		buf_adds(w->out, "false");
		break;
	case JSON_TRUE:
		buf_adds(w->out, "true");
		break;
	case JSON_NUMBER:
		write_number(&value, w->out);
		break;
	case JSON_STRING: {
		jv text = tree_jv(&value);

		json_quote(w->out, (struct slice){jv_string_value(text),
		    (size_t)jv_string_length_bytes(jv_copy(text))});
		break;
	}
	case JSON_ARRAY:
	case JSON_OBJECT:
		if (w->depth == JSON_DEPTH) {
			tree_free(&value);
			return err_set(w->e, "too_deep", "nested deeper than %d levels", JSON_DEPTH);
		}
		buf_addc(w->out, type_of(&value) == JSON_ARRAY ? '[' : '{');
		w->stack[w->depth++] = (struct level){.value = value};
		return 0;
	}
	tree_free(&value);
	return 0;
}

/* The next element or member of the innermost container, or its end. */
static int
write_next(struct writer *w)
{
	struct level *l = &w->stack[w->depth - 1];
	bool array = type_of(&l->value) == JSON_ARRAY;
	struct tree name, value;
	bool more = array ? element(&l->value, l->at, &value)
			  : member(&l->value, &l->at, &name, &value);

	if (!more) {
		buf_addc(w->out, array ? ']' : '}');
		tree_free(&l->value);
		w->depth--;
		return 0;
	}
	if (l->started)
		buf_addc(w->out, ',');
	l->started = true;
	if (array) {
		l->at++;
	} else {
		write_value(w, name);
		buf_addc(w->out, ':');
	}
	return write_value(w, value);
}

int
tree_write(const struct tree *t, size_t max, struct buf *out, struct err *e)
{
	struct writer w = {.out = out, .end = out->len + max, .e = e};
	int rc = write_value(&w, tree_of(jv_copy(tree_jv(t))));

	while (rc == 0 && w.depth > 0) {
		rc = write_next(&w);
		if (rc == 0 && out->len > w.end)
			rc = err_set(e, "too_long", "longer than %zu bytes", max);
	}
	if (rc == 0 && out->len > w.end)
		rc = err_set(e, "too_long", "longer than %zu bytes", max);
	while (w.depth > 0)
		tree_free(&w.stack[--w.depth].value);
	return rc;
}
