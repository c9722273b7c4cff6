/*
 * json: strict validation, slices, the string codec, and the splice.
 *
 * The first of three JSON layers (tree and query are built on libjq). A
 * record is validated once, by json_check; every other function here trusts
 * that and works on slices of the record's own bytes, so what a filter does
 * not write keeps its order, spacing, number text and escapes.
 * Sources: RFC 8259 (grammar), RFC 3629 (UTF-8).
 */
#ifndef KANDIL_JSON_H
#define KANDIL_JSON_H

#include "common/buf.h"
#include "common/die.h"

enum { JSON_DEPTH = 512 }; /* nesting that is accepted */

/*
 * Checks that text is exactly one JSON value with white space around it:
 * 0, or -1 with e->column the 1-based byte of the fault and e->code
 * "not_json", "bad_utf8" or "too_deep". Lone surrogate escapes and \u0000
 * are valid. Constant memory.
 */
int json_check(struct slice text, struct err *e);

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* Everything below takes values that json_check accepted. */

enum json_type json_type(struct slice value);

/*
 * Walks an object's members or an array's elements in order:
 *	struct json_walk w = json_walk(object);
 *	while (json_member(&w, &key, &value)) …
 * key and value are raw slices, key with its quotes. Walking anything else
 * than an object (json_member) or an array (json_element) yields nothing.
 */
struct json_walk {
	const char *at, *end;
};
struct json_walk json_walk(struct slice value);
bool json_member(struct json_walk *, struct slice *key, struct slice *value);
bool json_element(struct json_walk *, struct slice *value);

/* The value of the last member of that (decoded) name; false when none. */
bool json_get(struct slice object, const char *name, struct slice *value);
/* The same down a path of names. */
bool json_path(struct slice object, const char *const *path, size_t n, struct slice *value);

/* Whether value is a string that decodes to text. */
bool json_is(struct slice value, const char *text);
/*
 * Appends a string's decoded bytes (UTF-8) and returns true; anything but a
 * string appends nothing and returns false. Lone surrogates become U+FFFD.
 */
bool json_text(struct slice value, struct buf *out);
/* json_get + json_text into a buf that is reset first. */
bool json_get_text(struct slice object, const char *name, struct buf *out);
/* A number as double / as a whole number in range; false when it is not one. */
bool json_double(struct slice value, double *out);
bool json_long(struct slice value, long long *out);

/*
 * Writing. Names and values go where the buffer stands; commas come by
 * themselves (none directly after an opening bracket or a name). Text is
 * escaped minimally: quotes, backslash and controls; bytes that are not
 * UTF-8 become U+FFFD.
 *	json_open(b, '{'); json_name(b, "id"); json_put(b, text); json_close(b, '}');
 */
void json_open(struct buf *, char bracket);
void json_close(struct buf *, char bracket);
void json_name(struct buf *, const char *name);
void json_name_slice(struct buf *, struct slice name);
void json_put(struct buf *, struct slice text);
void json_put_raw(struct buf *, struct slice value);
void json_put_long(struct buf *, long long);
void json_put_bool(struct buf *, bool);
/* name and value in one call; the text variant skips nothing, even if empty. */
void json_add(struct buf *, const char *name, struct slice text);
void json_add_long(struct buf *, const char *name, long long);
void json_add_raw(struct buf *, const char *name, struct slice value);
/* The quoted form alone, no comma. */
void json_quote(struct buf *, struct slice text);

/*
 * Appends a value without the white space between its tokens, every string
 * and number as it is, so that it fits a line; returns how deep it nests.
 */
size_t json_compact(struct slice value, struct buf *out);

/*
 * The splice: sets the member at path to the JSON value, in place. Of
 * duplicate names the last is replaced; a new member goes directly after the
 * last value; missing (or non-object) steps on the way become objects. The
 * buffer holds one object, with nothing before its '{'. value must not point
 * into it.
 */
void json_set(struct buf *object, const char *const *path, size_t n, struct slice value);
/* Removes every member of that name with its comma; false when none. */
bool json_drop(struct buf *object, const char *name);

#endif
