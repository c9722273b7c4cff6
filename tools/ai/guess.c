#include "tools/ai/guess.h"

#include "common/json.h"
#include "tools/ai/price.h"

enum {
	WHOLE = 5, REAL = 8, WORD = 1, /* numbers as models write them; true, null */
	AROUND = 3,    /* quotes, a colon, a comma: or brackets and a comma */
	LETTERS = 3,   /* of a token, at the least, in a text with a maxLength */
	DEEP = 32,
	NO_LIMIT = -1,
	MOST = 1 << 20, /* beyond this it is no limit */
};

static long long longest(struct slice schema, int depth);

static long long
limited(long long n)
{
	return n < 0 || n > MOST ? NO_LIMIT : n;
}

static long long
longest_value(struct slice values)
{
	struct json_walk w = json_walk(values);
	struct slice value;
	long long most = 0, n;

	while (json_element(&w, &value))
		if ((n = price_tokens(value) + AROUND) > most)
			most = n;
	return limited(most);
}

/* The longest of several schemas, all of which must have a limit. */
static long long
longest_of(struct slice schemas, int depth)
{
	struct json_walk w = json_walk(schemas);
	struct slice one;
	long long most = 0, n;

	while (json_element(&w, &one)) {
		if ((n = longest(one, depth + 1)) < 0)
			return NO_LIMIT;
		most = n > most ? n : most;
	}
	return most;
}

static long long
object(struct slice schema, int depth)
{
	struct slice properties, name, value;
	struct json_walk w;
	long long sum = AROUND, n;

	if (!json_get(schema, "properties", &properties) ||
	    json_type(properties) != JSON_OBJECT)
		return NO_LIMIT;
	for (w = json_walk(properties); json_member(&w, &name, &value);) {
		if ((n = longest(value, depth + 1)) < 0)
			return NO_LIMIT;
		sum = limited(sum + price_tokens(name) + AROUND + n);
		if (sum < 0)
			return NO_LIMIT;
	}
	return sum;
}

static long long
count(struct slice schema, const char *keyword)
{
	struct slice value;
	long long n;

	return json_get(schema, keyword, &value) && json_long(value, &n) ? limited(n) : NO_LIMIT;
}

static long long
array(struct slice schema, int depth)
{
	long long items = count(schema, "maxItems"), one;
	struct slice item;

	if (items < 0 || !json_get(schema, "items", &item) || (one = longest(item, depth + 1)) < 0)
		return NO_LIMIT;
	return limited(AROUND + items * (one + 1));
}

static long long
by_type(struct slice schema, struct slice type, int depth)
{
	if (json_is(type, "integer"))
		return WHOLE;
	if (json_is(type, "number"))
		return REAL;
	if (json_is(type, "boolean") || json_is(type, "null"))
		return WORD;
	if (json_is(type, "object"))
		return object(schema, depth);
	if (json_is(type, "array"))
		return array(schema, depth);
	if (json_is(type, "string") && count(schema, "maxLength") >= 0)
		return count(schema, "maxLength") / LETTERS + AROUND;
	return NO_LIMIT;
}

static long long
longest(struct slice schema, int depth)
{
	struct slice value, one;
	struct json_walk w;
	long long most = 0, n;

	if (json_type(schema) != JSON_OBJECT || depth > DEEP)
		return NO_LIMIT;
	if (json_get(schema, "const", &value))
		return limited(price_tokens(value) + AROUND);
	if (json_get(schema, "enum", &value) && json_type(value) == JSON_ARRAY)
		return longest_value(value);
	if ((json_get(schema, "anyOf", &value) || json_get(schema, "oneOf", &value)) &&
	    json_type(value) == JSON_ARRAY)
		return longest_of(value, depth);
	if (!json_get(schema, "type", &value))
		return NO_LIMIT;
	if (json_type(value) != JSON_ARRAY)
		return by_type(schema, value, depth);
	for (w = json_walk(value); json_element(&w, &one);) {
		if ((n = by_type(schema, one, depth)) < 0)
			return NO_LIMIT;
		most = n > most ? n : most;
	}
	return most;
}

long long
guess_tokens(struct slice schema)
{
	long long n = longest(schema, 0);

	/* Models put blanks and line ends between members as they like. */
	return n < 0 ? 0 : n + n / 2 + 1;
}
