/*
 * schema: a case file in the form of the public suite, messages, refusals, bounds, providers.
 *
 * With arguments, each a file of that form, it prints how many of its tests give what they should
 * (tests/lib/schema-suite).
 */
#include "tools/ai/schema.h"

#include "common/json.h"
#include "common/path.h"
#include "tools/ai/schema_number.h"
#include "tools/ai/schema_uri.h"

#include "tests/unit/check.h"

#include <stdlib.h>

struct score {
	int passed, refused, total;
};

static void
run_tests(const struct schema *s, struct slice tests, const char *what, struct score *score)
{
	struct json_walk w = json_walk(tests);
	struct slice test, data, valid;
	struct err e;

	while (json_element(&w, &test)) {
		bool fits, want;

		score->total++;
		if (s == NULL || !json_get(test, "data", &data) || !json_get(test, "valid", &valid)) {
			score->refused++;
			continue;
		}
		want = json_type(valid) == JSON_TRUE;
		fits = schema_check(s, data, NULL, &e) == 0;
		if (fits == want && (fits || strcmp(e.code, "schema_mismatch") == 0))
			score->passed++;
		else
			fprintf(stderr, "%s: %.*s: %s\n", what, (int)(data.len < 200 ? data.len : 200),
			    data.ptr, fits ? "fits" : e.text);
	}
}

static struct score
run_file(const char *name)
{
	struct score score = {0, 0, 0};
	struct slice group, schema, tests;
	struct buf text = {0}, what = {0};
	struct json_walk w;
	struct err e;

	if (path_read(name, 16 << 20, &text, &e) != 0 || json_check(buf_slice(&text), &e) != 0) {
		fprintf(stderr, "%s\n", e.text);
		score.total++;
		buf_free(&text);
		return score;
	}
	w = json_walk(slice_trim(buf_slice(&text)));
	while (json_element(&w, &group)) {
		struct schema *s;

		json_get_text(group, "description", &what);
		if (!json_get(group, "schema", &schema) || !json_get(group, "tests", &tests))
			continue;
		s = schema_open(schema, &e);
		if (s == NULL)
			fprintf(stderr, "refused: %s: %s\n", what.ptr, e.text);
		run_tests(s, tests, what.ptr, &score);
		schema_close(s);
	}
	buf_free(&text);
	buf_free(&what);
	return score;
}

static int
run_suite(int n, char **files)
{
	struct score all = {0, 0, 0};

	for (int i = 0; i < n; i++) {
		const char *base = strrchr(files[i], '/');
		struct score one = run_file(files[i]);

		printf("%-28s %4d of %4d", base ? base + 1 : files[i], one.passed, one.total);
		if (one.refused)
			printf(", %d refused", one.refused);
		printf("\n");
		all.passed += one.passed;
		all.total += one.total;
		all.refused += one.refused;
	}
	printf("%d passed, %d failed\n", all.passed, all.total - all.passed - all.refused);
	return all.passed + all.refused < all.total;
}

static void
test_cases(void)
{
	struct score score = run_file("tests/unit/ai_schema.json");

	CHECK(score.total > 100);
	CHECK(score.refused == 0);
	CHECK(score.passed == score.total);
}

/* What a check of value says, all lines. */
static const char *
why(const char *schema, const char *value)
{
	static struct buf out;
	struct err e;
	struct schema *s = schema_open(slice(schema), &e);

	buf_reset(&out);
	if (s == NULL)
		buf_adds(&out, e.text);
	else if (schema_check(s, slice(value), &out, &e) != 0 && out.len == 0)
		buf_addf(&out, "%s: %s", e.code, e.text);
	schema_close(s);
	return out.ptr ? out.ptr : "";
}

static void
test_words(void)
{
	CHECK_TEXT(why("{\"type\":\"object\",\"required\":[\"a\",\"b\"]}", "{\"a\":1}"),
	    "(root): expected a member 'b', found none\n");
	CHECK_TEXT(why("{\"items\":{\"properties\":{\"p/q\":{\"type\":[\"integer\",\"null\"]}}}}",
	    "[{\"p/q\":1},{\"p/q\":\"one\\n\"}]"), "/1/p~1q: expected null or an integer, found \"one?\"\n");
	CHECK_TEXT(why("{\"enum\":[\"low\",\"high\"]}", "\"Low\""),
	    "(root): expected one of \"low\", \"high\", found \"Low\"\n");
	CHECK_TEXT(why("{\"properties\":{\"id\":{}},\"additionalProperties\":false}", "{\"ID\":1}"),
	    "/ID: this member may not be here: the object has only 'id'\n");
	CHECK_TEXT(why("{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"object\",\"properties\":{\"n\":"
	    "{\"minimum\":3}}}]}", "{\"n\":2}"),
	    "/n: expected a number ≥ 3, found 2 (by alternative 2 of 2, the nearest)\n");
	CHECK_TEXT(why("{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", "[1]"),
	    "(root): expected null or a string, found an array of 1 item\n");
	CHECK_TEXT(why("{\"propertyNames\":{\"maxLength\":1}}", "{\"ab\":1}"),
	    "/ab: this member's name: expected a string of at most 1 character, not of 2, found \"ab\"\n");
	CHECK_TEXT(why("{\"pattern\":\"^a$\"}", "\"b\""),
	    "(root): expected a string that matches /^a$/, found \"b\"\n");
	/* At most five. */
	CHECK_TEXT(why("{\"items\":{\"type\":\"null\"}}", "[1,2,3,4,5,6,7]"),
	    "/0: expected null, found 1\n/1: expected null, found 2\n/2: expected null, found 3\n"
	    "/3: expected null, found 4\n/4: expected null, found 5\n");
	CHECK_TEXT(why("{}", "{"), "not_json: a name in quotes is expected at byte 2");
	CHECK_TEXT(why("{}", ""), "not_json: nothing, where JSON was expected");
}

/* The error is the first line, with lines wanted or not; why is added to. */
static void
test_first(void)
{
	struct err e;
	struct buf out = {0};
	struct schema *s = schema_open(S("{\"items\":{\"type\":\"null\"}}"), &e);

	buf_adds(&out, "before\n");
	CHECK(schema_check(s, S("[1,2]"), &out, &e) == -1);
	CHECK_TEXT(e.text, "/0: expected null, found 1");
	CHECK_TEXT(out.ptr, "before\n/0: expected null, found 1\n/1: expected null, found 2\n");
	CHECK(schema_check(s, S("[null,2]"), NULL, &e) == -1);
	CHECK_TEXT(e.text, "/1: expected null, found 2");
	CHECK_TEXT(e.code, "schema_mismatch");
	CHECK(schema_check(s, S("[null]"), &out, NULL) == 0);
	schema_close(s);
	buf_free(&out);
}

static void
test_refusals(void)
{
	CHECK_TEXT(why("[]", "1"), "the schema at (root): a schema is an object, true or false");
	CHECK_TEXT(why("{\"type\":", "1"), "the schema is no JSON: a value is expected at byte 9");
	CHECK_TEXT(why("{\"properties\":{\"a\":{\"type\":\"txt\"}}}", "1"),
	    "the schema at /properties/a/type: 'txt' is no type: use null, boolean, object, array, "
	    "number, integer or string, or leave 'type' out");
	CHECK_TEXT(why("{\"items\":[{}]}", "1"),
	    "the schema at /items: 'items' is one schema: a list is called 'prefixItems'");
	CHECK_TEXT(why("{\"exclusiveMinimum\":true}", "1"),
	    "the schema at /exclusiveMinimum: 'exclusiveMinimum' is the bound itself: write the number "
	    "here");
	CHECK_TEXT(why("{\"properties\":{\"a\":{\"required\":true}}}", "1"),
	    "the schema at /properties/a/required: 'required' is a list of names in the schema of the "
	    "object itself");
	CHECK_TEXT(why("{\"pattern\":\"(a\"}", "1"),
	    "the schema at /pattern: '(a' is no pattern: missing closing parenthesis");
	CHECK_TEXT(why("{\"pattern\":\"a\\\\Z\"}", "1"),
	    "the schema at /pattern: 'a\\Z' is no pattern: '\\Z' is no escape of ECMAScript: the ends "
	    "are ^ and $");
	CHECK_TEXT(why("{\"$ref\":\"http://example.com/x\"}", "1"),
	    "the schema at /$ref: 'http://example.com/x' lies outside this schema, and nothing is "
	    "fetched: copy it into '$defs'");
	CHECK_TEXT(why("{\"$ref\":\"#/$defs/x\"}", "1"),
	    "the schema at /$ref: '#/$defs/x' names nothing here: look for it under '$defs'");
	CHECK_TEXT(why("{\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},\"b\":{\"allOf\":[{\"$ref\":"
	    "\"#/$defs/a\"}]}},\"$ref\":\"#/$defs/a\"}", "1"),
	    "the schema at /$defs/b: it leads back to itself at the same value: put "
	    "'properties' or 'items' between");
	CHECK(strstr(why("{\"$ref\":\"#\"}", "1"), "leads back to itself") != NULL);
	CHECK(strstr(why("{\"multipleOf\":0}", "1"), "above 0") != NULL);
	CHECK(strstr(why("{\"minLength\":-1}", "1"), "≥ 0") != NULL);
	CHECK(strstr(why("{\"$anchor\":\"a\",\"$defs\":{\"x\":{\"$anchor\":\"a\"}}}", "1"), "twice"));
}

static const char *
code_of(const char *schema, struct slice value)
{
	struct err e = {.code = "none"};
	struct schema *s = schema_open(slice(schema), &e);

	if (s != NULL && schema_check(s, value, NULL, &e) == 0)
		e.code = "fits";
	schema_close(s);
	return e.code;
}

/* A hostile schema or value costs a bounded time, and says so. */
static void
test_bounds(void)
{
	struct buf b = {0};
	struct err e;

	/* Two to the power of forty ways to fail. */
	buf_adds(&b, "{\"$defs\":{\"d0\":{\"type\":\"null\"}");
	for (int i = 1; i <= 40; i++)
		buf_addf(&b, ",\"d%d\":{\"anyOf\":[{\"$ref\":\"#/$defs/d%d\"},{\"$ref\":\"#/$defs/d%d\"}]}",
		    i, i - 1, i - 1);
	buf_adds(&b, "},\"$ref\":\"#/$defs/d40\"}");
	CHECK_TEXT(code_of(b.ptr, S("1")), "schema_limit");
	CHECK_TEXT(code_of(b.ptr, S("null")), "fits");
	/* A pattern that takes quadratic time from each of many places. */
	buf_reset(&b);
	buf_addc(&b, '"');
	for (int i = 0; i < 200000; i++)
		buf_addc(&b, 'a');
	buf_addc(&b, '"');
	CHECK_TEXT(code_of("{\"pattern\":\"(a*a*)*[bc]\"}", buf_slice(&b)), "schema_limit");
	CHECK_TEXT(code_of("{\"pattern\":\"a.*[^a]\"}", buf_slice(&b)), "schema_limit");
	CHECK_TEXT(code_of("{\"pattern\":\"^a+$\"}", buf_slice(&b)), "fits");
	/* Dynamic recursion that does not move on. */
	CHECK_TEXT(code_of("{\"$id\":\"http://x/a\",\"$dynamicAnchor\":\"n\",\"$ref\":\"b\",\"$defs\":"
	    "{\"b\":{\"$id\":\"b\",\"properties\":{},\"$dynamicRef\":\"#m\",\"$defs\":{\"m\":"
	    "{\"$dynamicAnchor\":\"m\"}}},\"c\":{\"$dynamicAnchor\":\"m\",\"$ref\":\"b\"}}}", S("1")),
	    "schema_limit");
	/* Depth: what json_check takes is checked to the bottom. */
	buf_reset(&b);
	for (int i = 0; i < 512; i++)
		buf_addc(&b, '[');
	for (int i = 0; i < 512; i++)
		buf_addc(&b, ']');
	CHECK_TEXT(code_of("{\"items\":{\"$ref\":\"#\"}}", buf_slice(&b)), "fits");
	/* A million equal items for uniqueItems is a clear no; too many values, a bound. */
	buf_reset(&b);
	buf_adds(&b, "[0");
	for (int i = 0; i < 1 << 20; i++)
		buf_adds(&b, ",0");
	buf_addc(&b, ']');
	CHECK_TEXT(code_of("{\"uniqueItems\":true}", buf_slice(&b)), "schema_limit");
	buf_cut(&b, 200002);
	buf_addc(&b, ']');
	CHECK_TEXT(code_of("{\"uniqueItems\":true}", buf_slice(&b)), "schema_mismatch");
	buf_reset(&b);
	buf_room(&b, SCHEMA_TEXT + 10);
	memset(b.ptr, '[', SCHEMA_TEXT + 1);
	b.len = SCHEMA_TEXT + 1;
	CHECK(schema_open(buf_slice(&b), &e) == NULL && strcmp(e.code, "schema_limit") == 0);
	buf_free(&b);
}

static void
test_unknown(void)
{
	struct err e;
	struct buf out = {0};
	struct schema *s = schema_open(S("{\"title\":\"Ticket class (v2)!\",\"unqiueItems\":[],\"x-a\":1,"
	    "\"properties\":{\"a\":{\"nullable\":true,\"zzz\":1},\"unqiueItems\":{}}}"), &e);

	CHECK(s != NULL && schema_unknown(s, &out) == 3);
	CHECK_TEXT(out.ptr, "(root): 'unqiueItems' is no keyword: did you mean 'uniqueItems'\n"
	    "/properties/a: 'nullable' is no keyword: write \"type\":[\"…\",\"null\"]\n"
	    "/properties/a: 'zzz' is no keyword\n");
	buf_reset(&out);
	schema_name(s, &out);
	CHECK_TEXT(out.ptr, "Ticket_class_v2");
	schema_close(s);
	s = schema_open(S("{\"title\":\"تذكرة\"}"), &e);
	buf_reset(&out);
	schema_name(s, &out);
	CHECK_TEXT(out.ptr, "reply");
	schema_close(s);
	buf_free(&out);
}

#define OBJECT(members, more) \
	"{\"type\":\"object\",\"properties\":{" members "},\"required\":[\"a\"]" more "}"

static const char *
strict(const char *schema)
{
	static struct buf out;
	struct err e;
	struct schema *s = schema_open(slice(schema), &e);

	buf_reset(&out);
	if (schema_takes_strict(s, &out))
		buf_adds(&out, "strict");
	schema_close(s);
	return out.ptr;
}

/* The closed copy; "!" in front when an object stays open. */
static const char *
closed(const char *schema)
{
	static struct buf out;
	struct buf copy = {0};
	struct err e;
	struct schema *s = schema_open(slice(schema), &e);

	buf_reset(&out);
	if (!schema_copy_closed(s, &copy))
		buf_addc(&out, '!');
	buf_addslice(&out, buf_slice(&copy));
	schema_close(s);
	/* A copy is a schema again. */
	s = schema_open(buf_slice(&copy), &e);
	CHECK(s != NULL);
	schema_close(s);
	buf_free(&copy);
	return out.ptr;
}

static void
test_providers(void)
{
	CHECK_TEXT(strict(OBJECT("\"a\":{\"type\":\"string\"}", ",\"additionalProperties\":false")),
	    "strict");
	CHECK_TEXT(strict(OBJECT("\"a\":{\"type\":\"string\"}", "")),
	    "(root): additionalProperties is not false");
	CHECK_TEXT(strict(OBJECT("\"a\":{\"type\":\"string\"},\"b\":{\"type\":\"null\"}",
	    ",\"additionalProperties\":false")), "/properties/b: this property is not required");
	CHECK_TEXT(strict(OBJECT("\"a\":{\"type\":\"string\",\"minLength\":1}",
	    ",\"additionalProperties\":false")),
	    "/properties/a/minLength: strict mode does not know this keyword");
	CHECK_TEXT(strict(OBJECT("\"a\":{}", ",\"additionalProperties\":false")),
	    "/properties/a: it has no type");
	CHECK_TEXT(strict("{\"type\":\"array\",\"items\":{\"type\":\"string\"}}"),
	    "(root): the whole is not simply an object");
	CHECK_TEXT(closed(OBJECT("\"a\":{\"type\":\"object\",\"properties\":{\"n\":{}} \n}", " ")),
	    OBJECT("\"a\":{\"type\":\"object\",\"properties\":{\"n\":{}},\"additionalProperties\":false"
	    " \n}", ",\"additionalProperties\":false "));
	CHECK_TEXT(closed(OBJECT("\"a\":{}", ",\"additionalProperties\":true")),
	    OBJECT("\"a\":{}", ",\"additionalProperties\":false"));
	/* A map, parts of one object, and a base with additions stay open. */
	CHECK(closed("{\"type\":\"object\"}")[0] == '!');
	CHECK(closed("{\"type\":\"object\",\"additionalProperties\":{}}")[0] == '!');
	CHECK_TEXT(closed("{\"allOf\":[{\"properties\":{\"a\":{}}},{\"properties\":{\"b\":{}}}]}"),
	    "!{\"allOf\":[{\"properties\":{\"a\":{}}},{\"properties\":{\"b\":{}}}]}");
	CHECK_TEXT(closed("{\"$ref\":\"#/$defs/b\",\"properties\":{\"a\":{}},\"$defs\":{\"b\":"
	    "{\"properties\":{\"b\":{}}}}}"), "!{\"$ref\":\"#/$defs/b\",\"properties\":{\"a\":{}},"
	    "\"$defs\":{\"b\":{\"properties\":{\"b\":{}}}}}");
	CHECK_TEXT(closed("{\"anyOf\":[{\"properties\":{\"a\":{}}},{\"type\":\"null\"}]}"),
	    "{\"anyOf\":[{\"properties\":{\"a\":{}},\"additionalProperties\":false},"
	    "{\"type\":\"null\"}]}");
}

/* number_cmp agrees with doubles where those are exact, for every way of writing them. */
static void
test_numbers(void)
{
	static const char *const forms[] = {"%.6f", "%.9e", "%.0f", "%.3fe-2"};
	unsigned seed = 7;
	int wrong = 0;

	for (int i = 0; i < 20000; i++) {
		char text[2][64];
		double value[2];

		for (int k = 0; k < 2; k++) {
			seed = seed * 1103515245 + 12345;
			value[k] = ((int)(seed >> 8) % 2001 - 1000) / 8.0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			snprintf(text[k], sizeof(text[k]), forms[seed >> 4 & 3], value[k]);
#pragma GCC diagnostic pop
			value[k] = strtod(text[k], NULL);
		}
		if (number_cmp(number_read(slice(text[0])), number_read(slice(text[1]))) !=
		    (value[0] > value[1]) - (value[0] < value[1])) {
			fprintf(stderr, "%s against %s\n", text[0], text[1]);
			wrong++;
		}
	}
	CHECK(wrong == 0);
	CHECK(number_cmp(number_read(S("1e999999999999999999999")), number_read(S("1e9"))) > 0);
	CHECK(number_cmp(number_read(S("-0")), number_read(S("0e5"))) == 0);
}

static const char *
resolve(const char *base, const char *reference)
{
	static struct buf out;

	buf_reset(&out);
	uri_resolve(slice(base), slice(reference), &out);
	return out.ptr ? out.ptr : "";
}

/* Examples of RFC 3986 §5.4. */
static void
test_uris(void)
{
	static const char base[] = "http://a/b/c/d;p?q";
	static const char *const pairs[][2] = {{"g:h", "g:h"}, {"g", "http://a/b/c/g"},
	    {"./g", "http://a/b/c/g"}, {"g/", "http://a/b/c/g/"}, {"/g", "http://a/g"},
	    {"//g", "http://g"}, {"?y", "http://a/b/c/d;p?y"}, {"g?y", "http://a/b/c/g?y"},
	    {"#s", "http://a/b/c/d;p?q#s"}, {"g#s", "http://a/b/c/g#s"}, {"", "http://a/b/c/d;p?q"},
	    {".", "http://a/b/c/"}, {"..", "http://a/b/"}, {"../g", "http://a/b/g"},
	    {"../..", "http://a/"}, {"../../g", "http://a/g"}, {"../../../g", "http://a/g"},
	    {"/./g", "http://a/g"}, {"g.", "http://a/b/c/g."}, {"./g/.", "http://a/b/c/g/"},
	    {"g/../h", "http://a/b/c/h"}};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		CHECK_TEXT(resolve(base, pairs[i][0]), pairs[i][1]);
	CHECK_TEXT(resolve("urn:x:y", "#a"), "urn:x:y#a");
}

int
main(int argc, char **argv)
{
	if (argc > 1)
		return run_suite(argc - 1, argv + 1);
	test_cases();
	test_words();
	test_first();
	test_refusals();
	test_bounds();
	test_unknown();
	test_providers();
	test_numbers();
	test_uris();
	return check_done();
}
