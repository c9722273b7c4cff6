/*
 * The strict scanner, and walking what it accepted.
 *
 * json_check is one loop over bytes with a bit a level of nesting (object or
 * array), no recursion and no allocation. Walking trusts its verdict: the end
 * of a value is found by counting brackets outside strings.
 */
#include "common/json.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#define BYTES(c) (0x0101010101010101u * (uint64_t)(c))

/* A mask with the high bit of each zero byte; exact up to the first one. */
static inline uint64_t
zero_bytes(uint64_t x)
{
	return (x - BYTES(1)) & ~x & BYTES(0x80);
}

/* The first byte that is a quote, a backslash, a control or not ASCII. */
static inline const char *
skip_plain(const char *p, const char *end)
{
	uint64_t w;

	while (end - p >= 8) {
		memcpy(&w, p, 8);
		if (zero_bytes(w ^ BYTES('"')) | zero_bytes(w ^ BYTES('\\')) |
		    ((w - BYTES(0x20)) & ~w & BYTES(0x80)) | (w & BYTES(0x80)))
			break;
		p += 8;
	}
	while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20 &&
	    (unsigned char)*p < 0x80)
		p++;
	return p;
}

static inline const char *
skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_hex(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* What is wrong and where; the scanner's only way to fail. */
struct fault {
	const char *at, *code, *what;
};

static const char *
fault(struct fault *f, const char *at, const char *what)
{
	*f = (struct fault){at, "not_json", what};
	return NULL;
}

/* Each check_* takes p at a value's first byte, returns its end or NULL. */
static const char *
check_string(const char *p, const char *end, struct fault *f)
{
	uint32_t c;
	size_t n;

	for (p++;; ) {
		p = skip_plain(p, end);
		if (p == end)
			return fault(f, p, "a string is not closed");
		if (*p == '"')
			return p + 1;
		if (*p == '\\') {
			if (end - p < 2)
				return fault(f, p, "a string is not closed");
			if (p[1] == 'u') {
				if (end - p < 6 || !is_hex(p[2]) || !is_hex(p[3]) ||
				    !is_hex(p[4]) || !is_hex(p[5]))
					return fault(f, p, "'\\u' needs four hex digits");
				p += 6;
			} else if (memchr("\"\\/bfnrt", p[1], 8)) {
				p += 2;
			} else {
				return fault(f, p, "an unknown escape in a string");
			}
		} else if ((unsigned char)*p < 0x20) {
			return fault(f, p, "a control character in a string");
		} else {
			n = utf8_decode(p, (size_t)(end - p), &c);
			if (n == 0) {
				*f = (struct fault){p, "bad_utf8", "bytes that are not UTF-8"};
				return NULL;
			}
			p += n;
		}
	}
}

static const char *
check_number(const char *p, const char *end, struct fault *f)
{
	if (*p == '-')
		p++;
	if (p == end || !is_digit(*p))
		return fault(f, p, "a digit is missing");
	if (*p == '0')
		p++;
	else
		while (p < end && is_digit(*p))
			p++;
	if (p < end && is_digit(*p))
		return fault(f, p, "a number starts with 0");
	if (p < end && *p == '.') {
		if (++p == end || !is_digit(*p))
			return fault(f, p, "a digit is missing after the point");
		while (p < end && is_digit(*p))
			p++;
	}
	if (p < end && (*p | 0x20) == 'e') {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		if (p == end || !is_digit(*p))
			return fault(f, p, "a digit is missing in the exponent");
		while (p < end && is_digit(*p))
			p++;
	}
	return p;
}

/* A string, a number or a word: anything without brackets. */
static const char *
check_scalar(const char *p, const char *end, struct fault *f)
{
	static const char *const words[] = {"true", "false", "null"};

	if (*p == '"')
		return check_string(p, end, f);
	if (*p == '-' || is_digit(*p))
		return check_number(p, end, f);
	for (size_t i = 0; i < 3; i++) {
		size_t n = strlen(words[i]);

		if ((size_t)(end - p) >= n && memcmp(p, words[i], n) == 0)
			return p + n;
	}
	return fault(f, p, "a value is expected");
}

/* From a member's name to the first byte of its value. */
static const char *
check_name(const char *p, const char *end, struct fault *f)
{
	p = skip_space(p, end);
	if (p == end || *p != '"')
		return fault(f, p, "a name in quotes is expected");
	p = check_string(p, end, f);
	if (p == NULL)
		return NULL;
	p = skip_space(p, end);
	if (p == end || *p != ':')
		return fault(f, p, "':' is expected after a name");
	return skip_space(p + 1, end);
}

static const char *
check_value(const char *p, const char *end, struct fault *f)
{
	uint64_t objects[JSON_DEPTH / 64] = {0}; /* bit d: level d is an object */
	size_t depth = 0;

	for (;;) {
		/* p is at the first byte of a value. */
		if (p < end && (*p == '{' || *p == '[')) {
			bool object = *p == '{';

			if (depth == JSON_DEPTH) {
				*f = (struct fault){p, "too_deep", "nesting is deeper than 512"};
				return NULL;
			}
			if (object)
				objects[depth / 64] |= (uint64_t)1 << depth % 64;
			else
				objects[depth / 64] &= ~((uint64_t)1 << depth % 64);
			depth++;
			p = skip_space(p + 1, end);
			if (p == end || *p != (object ? '}' : ']')) {
				if (object && (p = check_name(p, end, f)) == NULL)
					return NULL;
				continue;
			}
		} else {
			if (p == end)
				return fault(f, p, "a value is expected");
			p = check_scalar(p, end, f);
			if (p == NULL)
				return NULL;
			if (depth == 0)
				return p;
			p = skip_space(p, end);
		}
		/* Behind a value, or at the bracket that closes an empty one. */
		for (;;) {
			bool object = objects[(depth - 1) / 64] >> (depth - 1) % 64 & 1;

			if (p < end && *p == ',')
				break;
			if (p == end || *p != (object ? '}' : ']'))
				return fault(f, p, object ? "',' or '}' is expected" : "',' or ']' is expected");
			p++;
			if (--depth == 0)
				return p;
			p = skip_space(p, end);
		}
		p = skip_space(p + 1, end);
		if (objects[(depth - 1) / 64] >> (depth - 1) % 64 & 1 &&
		    (p = check_name(p, end, f)) == NULL)
			return NULL;
	}
}

int
json_check(struct slice text, struct err *e)
{
	const char *end = text.ptr + text.len, *p;
	struct fault f;

	p = check_value(skip_space(text.ptr, end), end, &f);
	if (p) {
		p = skip_space(p, end);
		if (p == end)
			return 0;
		fault(&f, p, "something follows the value");
	}
	err_set(e, f.code, "%s at byte %zu", f.what, (size_t)(f.at - text.ptr) + 1);
	if (e)
		e->column = (size_t)(f.at - text.ptr) + 1;
	return -1;
}

/* From here on everything was accepted by json_check. */

enum json_type
json_type(struct slice value)
{
	switch (value.ptr[0]) {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case '"':
		return JSON_STRING;
	case 't':
		return JSON_TRUE;
	case 'f':
		return JSON_FALSE;
	case 'n':
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

/* p is at a string's opening quote; its end. */
static const char *
string_end(const char *p, const char *end)
{
	for (p++; p < end; p++) {
		const char *q = memchr(p, '"', (size_t)(end - p));
		const char *back = q;

		if (q == NULL)
			return end;
		while (back > p && back[-1] == '\\')
			back--;
		/* An even number of backslashes before it: the quote closes. */
		if ((q - back) % 2 == 0)
			return q + 1;
		p = q;
	}
	return end;
}

static const char *
value_end(const char *p, const char *end)
{
	size_t depth = 0;

	do {
		if (*p == '"') {
			p = string_end(p, end);
		} else if (*p == '{' || *p == '[') {
			depth++;
			p++;
		} else if (*p == '}' || *p == ']') {
			depth--;
			p++;
		} else if (depth) {
			p++;
		} else {
			while (p < end && *p != ',' && *p != '}' && *p != ']' && *p > ' ')
				p++;
		}
	} while (depth && p < end);
	return p;
}

struct json_walk
json_walk(struct slice value)
{
	const char *end = value.ptr + value.len;

	if (value.len == 0 || (*value.ptr != '{' && *value.ptr != '['))
		return (struct json_walk){NULL, NULL};
	return (struct json_walk){value.ptr, end};
}

/* Steps over '{', '[' or ',' to the next item; false at the closing bracket. */
static bool
walk_step(struct json_walk *w, char bracket)
{
	const char *p;

	if (w->at == NULL || (*w->at != bracket && *w->at != ','))
		return false;
	p = skip_space(w->at + 1, w->end);
	if (p == w->end || *p == '}' || *p == ']') {
		w->at = NULL;
		return false;
	}
	w->at = p;
	return true;
}

static struct slice
walk_value(struct json_walk *w)
{
	const char *start = w->at, *p = value_end(start, w->end);

	w->at = skip_space(p, w->end);
	if (w->at == w->end)
		w->at = NULL;
	return (struct slice){start, (size_t)(p - start)};
}

bool
json_member(struct json_walk *w, struct slice *key, struct slice *value)
{
	const char *p;

	if (!walk_step(w, '{'))
		return false;
	p = string_end(w->at, w->end);
	*key = (struct slice){w->at, (size_t)(p - w->at)};
	p = skip_space(p, w->end);
	w->at = skip_space(p + 1, w->end);
	*value = walk_value(w);
	return true;
}

bool
json_element(struct json_walk *w, struct slice *value)
{
	if (!walk_step(w, '['))
		return false;
	*value = walk_value(w);
	return true;
}

bool
json_get(struct slice object, const char *name, struct slice *value)
{
	struct json_walk w = json_walk(object);
	struct slice key, found;
	bool any = false;

	while (json_member(&w, &key, &found))
		if (json_is(key, name)) {
			*value = found;
			any = true;
		}
	return any;
}

bool
json_path(struct slice object, const char *const *path, size_t n, struct slice *value)
{
	*value = object;
	for (size_t i = 0; i < n; i++)
		if (!json_get(*value, path[i], value))
			return false;
	return true;
}

/* Numbers are short; what does not fit here is no number that we can hold. */
static bool
number_text(struct slice value, char *out, size_t size)
{
	if (value.len == 0 || value.len >= size || json_type(value) != JSON_NUMBER)
		return false;
	memcpy(out, value.ptr, value.len);
	out[value.len] = '\0';
	return true;
}

bool
json_double(struct slice value, double *out)
{
	char text[512];

	if (!number_text(value, text, sizeof(text)))
		return false;
	*out = strtod(text, NULL);
	return true;
}

bool
json_long(struct slice value, long long *out)
{
	char text[32], *end;

	if (!number_text(value, text, sizeof(text)))
		return false;
	errno = 0;
	*out = strtoll(text, &end, 10);
	return *end == '\0' && errno == 0;
}
