/*
 * json: what is accepted, where a fault is found, the codec, the splice.
 */
#include "common/json.h"

#include "tests/unit/check.h"

#include <stdlib.h>

static bool
accepts(const char *text, size_t len)
{
	return json_check((struct slice){text, len}, NULL) == 0;
}

static void
test_grammar(void)
{
	static const char *const good[] = {"{}", "[]", " 0 ", "-0", "1e400", "9007199254740993",
	    "1.10", "-1.5E+7", "\"\"", "\"\\ud83d\"", "\"\\u0000\"", "true", "false", "null",
	    "[1,[2,{\"a\":[]}],\"x\"]", "{\"a\":1,\"a\":2}", "{\"\":{}}", "\t[ 1 , 2 ]\r\n",
	    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"", "\"\xF0\x9F\x98\x80\"", "\"\x7F\""};
	static const char *const bad[] = {"", " ", "{", "}", "[", "[1,]", "[,1]", "{\"a\":1,}",
	    "{\"a\"}", "{\"a\":}", "{a:1}", "{'a':1}", "01", "+1", "1.", ".5", "-", "1e", "1e+",
	    "0x1", "NaN", "nan", "Infinity", "tru", "truex", "nulll", "\"", "\"\\\"", "\"\\x\"",
	    "\"\\u12g4\"", "\"\\u12", "\"a\nb\"", "\"\x1F\"", "{} {}", "[1] 2", "[1}", "{\"a\":1]",
	    "\xEF\xBB\xBF{}", "\f1", "[1 2]", "{\"a\":1 \"b\":2}", "\"\xC0\x80\"", "\"\xED\xA0\x80\"",
	    "\"\xF4\x90\x80\x80\"", "\"\xE2\x82\"", "\"\x80\"", "[\"a\\\"]"};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (!accepts(good[i], strlen(good[i]))) {
			fprintf(stderr, "refused: %s\n", good[i]);
			CHECK(!"a good text is accepted");
		} else {
			CHECK(true);
		}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (accepts(bad[i], strlen(bad[i]))) {
			fprintf(stderr, "accepted: %s\n", bad[i]);
			CHECK(!"a bad text is refused");
		} else {
			CHECK(true);
		}
	CHECK(!accepts("1\0", 2));
	CHECK(!accepts("\"\0\"", 3));
}

static void
test_depth(void)
{
	struct buf b = {0};
	struct err e;

	for (int depth = JSON_DEPTH; depth <= JSON_DEPTH + 1; depth++) {
		buf_reset(&b);
		for (int i = 0; i < depth; i++)
			buf_adds(&b, i % 2 ? "{\"a\":" : "[");
		buf_adds(&b, "0");
		for (int i = depth; i-- > 0; )
			buf_adds(&b, i % 2 ? "}" : "]");
		CHECK((json_check(buf_slice(&b), &e) == 0) == (depth == JSON_DEPTH));
	}
	CHECK_TEXT(e.code, "too_deep");
	buf_free(&b);
}

static void
test_fault(void)
{
	struct err e;

	CHECK(json_check(S("{\"a\":01}"), &e) == -1);
	CHECK(e.column == 7);
	CHECK_TEXT(e.code, "not_json");
	CHECK(json_check(S("{\"a\":\"\xFF\"}"), &e) == -1);
	CHECK(e.column == 7);
	CHECK_TEXT(e.code, "bad_utf8");
}

static void
test_walk(void)
{
	struct slice object = S(" {\"a\" : [1, {\"b\":\"]}\\\\\"} ,3] , \"a\":\"x\\\"\" , \"n\": -1.5e3 }");
	struct slice value, element;
	struct json_walk w;
	struct buf out = {0};
	long long n;
	double d;

	object = slice_trim(object);
	CHECK(json_get(object, "a", &value));
	CHECK(json_text(value, &out));
	CHECK_TEXT(out.ptr, "x\"");
	CHECK(json_get(object, "n", &value) && json_double(value, &d) && d == -1500);
	CHECK(!json_long(value, &n));
	CHECK(!json_get(object, "b", &value));
	w = json_walk(object);
	CHECK(json_member(&w, &element, &value));
	w = json_walk(value);
	CHECK(json_element(&w, &element) && slice_is(element, "1"));
	CHECK(json_element(&w, &element) && slice_is(element, "{\"b\":\"]}\\\\\"}"));
	CHECK(json_element(&w, &element) && json_long(element, &n) && n == 3);
	CHECK(!json_element(&w, &element));
	CHECK(!json_element(&w, &element));
	w = json_walk(S("[]"));
	CHECK(!json_element(&w, &element));
	w = json_walk(S("3"));
	CHECK(!json_member(&w, &element, &value));
	CHECK(!json_long(S("9223372036854775808"), &n));
	buf_free(&out);
}

static void
test_codec(void)
{
	struct buf text = {0}, quoted = {0};

	CHECK(json_text(S("\"\\u0041\\ud83d\\ude00\\ud83dx\\ude00\\/\\n\""), &text));
	CHECK_TEXT(text.ptr, "A\xF0\x9F\x98\x80\xEF\xBF\xBDx\xEF\xBF\xBD/\n");
	CHECK(!json_text(S("12"), &text));
	json_quote(&quoted, S("a\"b\\\n\x01\xC3\xA9\xFFz"));
	CHECK_TEXT(quoted.ptr, "\"a\\\"b\\\\\\n\\u0001\xC3\xA9\xEF\xBF\xBDz\"");
	CHECK(json_is(S("\"\\u0061b\""), "ab"));
	CHECK(!json_is(S("\"ab\""), "a"));
	CHECK(json_is(S("\"\""), ""));
	buf_free(&text);
	buf_free(&quoted);
}

/* Every string of bytes comes back from quote and text, bad bytes as U+FFFD. */
static void
test_codec_roundtrip(void)
{
	struct buf raw = {0}, quoted = {0}, back = {0};

	for (int round = 0; round < 2000; round++) {
		buf_reset(&raw);
		buf_reset(&quoted);
		buf_reset(&back);
		for (int i = rand() % 20; i-- > 0; )
			buf_addutf8(&raw, (uint32_t)(rand() % 4 ? rand() % 0x90 : rand() % 0x110000));
		json_quote(&quoted, buf_slice(&raw));
		if (json_check(buf_slice(&quoted), NULL) != 0 || !json_text(buf_slice(&quoted), &back) ||
		    !slice_eq(buf_slice(&raw), buf_slice(&back))) {
			CHECK(!"round trip");
			break;
		}
	}
	CHECK(true);
	buf_free(&raw);
	buf_free(&quoted);
	buf_free(&back);
}

/* Sets a.b… (dotted) in object and compares. */
static void
set_is(const char *object, const char *dotted, const char *value, const char *want)
{
	const char *path[8];
	size_t n = 0;
	char *copy = strdup(dotted), *rest = copy, *part;
	struct buf b = {0};

	while ((part = strsep(&rest, ".")) != NULL)
		path[n++] = part;
	buf_adds(&b, object);
	json_set(&b, path, n, slice(value));
	CHECK_TEXT(b.ptr, want);
	CHECK(json_check(buf_slice(&b), NULL) == 0);
	buf_free(&b);
	free(copy);
}

static void
test_splice(void)
{
	set_is("{}", "a", "1", "{\"a\":1}");
	set_is("{ }", "a", "1", "{\"a\":1 }");
	set_is("{\"a\":1 }", "b", "2", "{\"a\":1,\"b\":2 }");
	set_is("{\"a\":1,\"a\": 2 ,\"b\":3}", "a", "[9]", "{\"a\":1,\"a\": [9] ,\"b\":3}");
	set_is("{\"t\":{\"fr\":{\"x\":1}}}", "t.ar", "{}", "{\"t\":{\"fr\":{\"x\":1},\"ar\":{}}}");
	set_is("{\"t\":{\"fr\":{\"x\":1}}}", "t.fr.y", "2", "{\"t\":{\"fr\":{\"x\":1,\"y\":2}}}");
	set_is("{\"n\":9007199254740993,\"e\":1e400}", "t.fr.v", "true",
	    "{\"n\":9007199254740993,\"e\":1e400,\"t\":{\"fr\":{\"v\":true}}}");
	set_is("{\"t\":3}", "t.a", "1", "{\"t\":{\"a\":1}}");
	set_is("{\"\\u0061\":3}", "a", "1", "{\"\\u0061\":1}");
	set_is("{\"a\":{}}", "a.b", "1", "{\"a\":{\"b\":1}}");
}

static void
drop_is(const char *object, const char *name, const char *want)
{
	struct buf b = {0};

	buf_adds(&b, object);
	json_drop(&b, name);
	CHECK_TEXT(b.ptr, want);
	buf_free(&b);
}

static void
test_drop(void)
{
	drop_is("{\"a\":1}", "a", "{}");
	drop_is("{\"a\":1, \"b\":2}", "a", "{\"b\":2}");
	drop_is("{\"a\":1, \"b\":2 }", "b", "{\"a\":1 }");
	drop_is("{\"b\":0,\"a\":1,\"c\":3,\"a\":2}", "a", "{\"b\":0,\"c\":3}");
	drop_is("{\"b\":0}", "a", "{\"b\":0}");
	drop_is("{ \"a\":1 , \"a\":2 }", "a", "{  }");
	drop_is("{\"a\":1, \"a\":2, \"b\":3, \"a\":4, \"a\":5 }", "a", "{\"b\":3 }");
}

static void
test_write(void)
{
	struct buf b = {0};

	json_open(&b, '{');
	json_add(&b, "a", S("x:"));
	json_name(&b, "b");
	json_open(&b, '[');
	json_put_long(&b, -7);
	json_put(&b, S("["));
	json_put_bool(&b, false);
	json_close(&b, ']');
	json_add_long(&b, "c", 3);
	json_add_raw(&b, "d", S("{\"e\":1.10}"));
	json_close(&b, '}');
	CHECK_TEXT(b.ptr, "{\"a\":\"x:\",\"b\":[-7,\"[\",false],\"c\":3,\"d\":{\"e\":1.10}}");
	buf_free(&b);
}

int
main(void)
{
	srand(1);
	test_grammar();
	test_depth();
	test_fault();
	test_walk();
	test_codec();
	test_codec_roundtrip();
	test_splice();
	test_drop();
	test_write();
	return check_done();
}
