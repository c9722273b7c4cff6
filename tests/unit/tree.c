/* tree: what is parsed, what libjq refuses, and our own writer. */
#include "common/tree.h"
#include "tests/unit/check.h"

#include <math.h>
#include <stdlib.h>

enum { MANY = 1 << 20 };

/* What a value becomes, or "!code". */
static const char *
through(const char *text)
{
	static struct buf out;
	struct tree t;
	struct err e;

	buf_reset(&out);
	buf_adds(&out, "");
	if (tree_parse(slice(text), &t, &e) < 0) {
		buf_addf(&out, "!%s", e.code);
		return out.ptr;
	}
	CHECK(tree_write(&t, MANY, &out, &e) == 0);
	tree_free(&t);
	return out.ptr;
}

static void
test_round_trip(void)
{
	static const char *const same[] = {"null", "true", "false", "0", "-0", "17", "-1.5", "\"\"",
		"\"a\\n\\\"\\\\\"", "[]", "{}", "[1,[2,[]],{}]", "{\"b\":1,\"a\":{\"c\":[null]}}",
		"\"\xC3\xA9\xF0\x9F\x98\x80\"", "\"\\u0000\"", "0.1", "9007199254740991",
		"10000000000000000", "100000000000000000000", "1e+21", "1.5e-9", "123456.789",
		"1.7976931348623157e+308", "5e-324", "0.000001", "-12345678901234567000"};

	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++)
		CHECK_TEXT(through(same[i]), same[i]);
	CHECK_TEXT(through(" [ 1 , 2 ] "), "[1,2]");
	CHECK_TEXT(through("{\"a\":1,\"b\":2,\"a\":3}"), "{\"a\":3,\"b\":2}");
	CHECK_TEXT(through("1.10"), "1.1");
	CHECK_TEXT(through("1e400"), "1.7976931348623157e+308");
	CHECK_TEXT(through("\"\\u00e9\\ud83d\\ude00\\/\""), "\"\xC3\xA9\xF0\x9F\x98\x80/\"");
	CHECK_TEXT(through("{\"\\u0061\":1}"), "{\"a\":1}");
}

/* Random doubles read back as themselves. */
static void
test_numbers(void)
{
	unsigned long long bits = 88172645463325252ULL;
	struct buf text = {0};
	struct tree t;
	double d, back;

	for (int i = 0; i < 20000; i++) {
		bits ^= bits << 13;
		bits ^= bits >> 7;
		bits ^= bits << 17;
		memcpy(&d, &bits, sizeof(d));
		if (!isfinite(d))
			continue;
		buf_reset(&text);
		buf_addf(&text, "%.17g", d);
		tree_parse(buf_slice(&text), &t, NULL);
		buf_reset(&text);
		tree_write(&t, MANY, &text, NULL);
		tree_free(&t);
		back = strtod(text.ptr, NULL);
		if (memcmp(&back, &d, sizeof(d)) != 0 || json_check(buf_slice(&text), NULL) != 0)
			CHECK_TEXT(text.ptr, "the same number");
	}
	CHECK(text.len > 0);
	buf_free(&text);
}

static void
nest(struct buf *b, size_t depth, const char *open, const char *inner, const char *close)
{
	buf_reset(b);
	for (size_t i = 0; i < depth; i++)
		buf_adds(b, open);
	buf_adds(b, inner);
	for (size_t i = 0; i < depth; i++)
		buf_adds(b, close);
}

static void
test_refused(void)
{
	struct buf b = {0};

	CHECK_TEXT(through("\"\\ud83d\""), "!lone_surrogate");
	CHECK_TEXT(through("{\"a\":\"\\ude00\\ud83d\"}"), "!lone_surrogate");
	nest(&b, 256, "[", "", "]");
	CHECK_TEXT(through(b.ptr), b.ptr);
	nest(&b, 257, "[", "", "]");
	CHECK_TEXT(through(b.ptr), "!too_deep");
	nest(&b, 80, "{\"[[\":[", "\"]\\\"[\"", "]}");
	CHECK_TEXT(through(b.ptr), b.ptr);
	nest(&b, 512, "[", "", "]");
	CHECK_TEXT(through(b.ptr), "!too_deep");
	nest(&b, 500, "{\"a\":", "1", "}");
	CHECK_TEXT(through(b.ptr), "!too_deep");
	/* Nothing of a refused value stays for the next one. */
	CHECK_TEXT(through("[1]"), "[1]");
	buf_free(&b);
}

static void
test_bounds(void)
{
	struct buf out = {0};
	struct tree t;
	struct err e;

	CHECK(tree_parse(S("[\"0123456789\",1]"), &t, &e) == 0);
	CHECK(tree_write(&t, 16, &out, &e) == 0);
	buf_reset(&out);
	CHECK(tree_write(&t, 15, &out, &e) == -1);
	CHECK_TEXT(e.code, "too_long");
	tree_free(&t);
	buf_free(&out);
}

static void
test_text(void)
{
	struct buf out = {0};
	struct tree t;

	CHECK(tree_parse(S("\"x\\u0000y\""), &t, NULL) == 0);
	CHECK(tree_text(&t, &out) && out.len == 3 && out.ptr[1] == '\0');
	tree_free(&t);
	CHECK(tree_parse(S("[\"x\"]"), &t, NULL) == 0 && !tree_text(&t, &out) && out.len == 3);
	tree_free(&t);
	buf_free(&out);
}

int
main(void)
{
	test_round_trip();
	test_numbers();
	test_refused();
	test_bounds();
	test_text();
	return check_done();
}
