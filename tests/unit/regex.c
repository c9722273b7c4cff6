/* regex: captures, first bytes, and patterns that would run away. */
#include "common/regex.h"
#include "tests/unit/check.h"

#include <stdlib.h>
#include <time.h>

/* The matches of a pattern, each as "start-end(captures)". */
static const char *
matches(const char *pattern, unsigned flags, const char *text)
{
	static struct buf out;
	struct err e = {0};
	struct regex *re = regex_compile(slice(pattern), flags, &e);
	struct regex_subject subject;
	size_t from = 0, at, start, end;

	buf_reset(&out);
	buf_adds(&out, re != NULL ? "" : e.text);
	if (re == NULL)
		return out.ptr;
	CHECK(regex_subject(&subject, slice(text), &e) == 0);
	while (from <= strlen(text) && regex_match(re, &subject, from, &e) == 1) {
		CHECK(regex_capture(re, 0, &start, &end) && end == regex_end(re));
		at = start;
		buf_addf(&out, "%zu-%zu", start, end);
		for (size_t i = 1; i <= regex_groups(re); i++)
			if (regex_capture(re, i, &start, &end))
				buf_addf(&out, "(%s %.*s)", regex_group_name(re, i) ?: "",
				    (int)(end - start), text + start);
		buf_addc(&out, ' ');
		from = regex_end(re) > at ? regex_end(re) : regex_end(re) + 1;
	}
	regex_free(re);
	return out.ptr;
}

static void
test_matches(void)
{
	CHECK_TEXT(matches("a(?<x>b)?(c)", 0, "ac abc"), "0-2( c) 3-6(x b)( c) ");
	CHECK_TEXT(matches("é.", 0, "-é\xe2\x82\xac"), "1-6 ");
	CHECK_TEXT(matches("^b", REGEX_MULTILINE, "a\nb\nb"), "2-3 4-5 ");
	CHECK_TEXT(matches("^b", REGEX_ANCHORED, "ab"), "");
	CHECK_TEXT(matches("B # b", REGEX_CASELESS | REGEX_EXTENDED, "ab"), "1-2 ");
	CHECK_TEXT(matches("(?:(?<x>a)|(?<x>b))", REGEX_DUPNAMES, "ab"), "0-1(x a) 1-2(x b) ");
	CHECK_TEXT(matches("x*", 0, ""), "0-0 ");
	CHECK_TEXT(matches("(?<=b)c", 0, "bc"), "1-2 ");
}

static void
expect_bad(const char *pattern, size_t column)
{
	struct err e = {0};

	CHECK(regex_compile(slice(pattern), 0, &e) == NULL);
	CHECK_TEXT(e.code ? e.code : "none", "bad_pattern");
	CHECK(e.column == column && e.text[0]);
}

static void
test_bad_patterns(void)
{
	struct buf big = {NULL, 0, 0};
	struct err e;

	expect_bad("a(b", 4);
	expect_bad("[z-a]", 4);
	expect_bad("a\\C", 4);
	expect_bad("\xff", 1);
	for (int i = 0; i < 200; i++)
		buf_addc(&big, '(');
	for (int i = 0; i < 200; i++)
		buf_addc(&big, ')');
	CHECK(regex_compile(buf_slice(&big), 0, &e) == NULL);
	buf_reset(&big);
	for (int i = 0; i <= REGEX_GROUPS; i++)
		buf_adds(&big, "(a)");
	CHECK(regex_compile(buf_slice(&big), 0, &e) == NULL);
	while (big.len <= REGEX_PATTERN)
		buf_addc(&big, 'a');
	CHECK(regex_compile(buf_slice(&big), 0, &e) == NULL);
	CHECK(regex_compile(S("(((((a{1,100}){1,100}){1,100}){1,100}){1,100})"), 0, &e) == NULL);
	buf_free(&big);
}

static bool
can_begin(const char *pattern, unsigned flags, const char *bytes)
{
	bool first[256], want[256] = {false};
	struct err e;
	struct regex *re = regex_compile(slice(pattern), flags, &e);
	bool known = regex_first(re, first);

	regex_free(re);
	for (; *bytes; bytes++)
		want[(unsigned char)*bytes] = true;
	return known && memcmp(first, want, sizeof(want)) == 0;
}

static void
test_first(void)
{
	bool first[256];
	struct err e;
	struct regex *any = regex_compile(S("a*"), REGEX_ANCHORED, &e);

	CHECK(can_begin("\"[^\"]*\"", REGEX_ANCHORED, "\""));
	CHECK(can_begin("(?:a|b)c", REGEX_ANCHORED, "ab"));
	CHECK(can_begin("(?<=x)[>;]", REGEX_ANCHORED, ">;"));
	CHECK(can_begin("ab", REGEX_ANCHORED | REGEX_CASELESS, "aA"));
	CHECK(can_begin("\xc3\xa9", REGEX_ANCHORED, "\xc3"));
	CHECK(!regex_first(any, first));
	regex_free(any);
}

/* Each of these takes a backtracking matcher longer than anybody's life. */
static void
test_limits(void)
{
	static const char *const patterns[] = {"(a+)+$", "(a|aa)+$", "(?:a*)*b", "(.*)*b$",
	    "^(?:(?:a|a)*)*$", "(a(?1)?a?)*b", "(*NO_JIT)(a+)+$"};
	struct buf text = {NULL, 0, 0};
	struct regex_subject subject;
	struct err e = {0};

	for (int i = 0; i < 40; i++)
		buf_addc(&text, 'a');
	/* What PCRE2 looks for beforehand is there, so that it has to try. */
	buf_adds(&text, "!bx");
	CHECK(regex_subject(&subject, buf_slice(&text), &e) == 0);
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		struct regex *re = regex_compile(slice(patterns[i]), REGEX_ANCHORED, &e);
		int found = regex_match(re, &subject, 0, &e);

		CHECK(found == -1);
		CHECK_TEXT(found == -1 ? e.code : patterns[i], "regex_limit");
		regex_free(re);
	}
	buf_free(&text);
}

/* The stack that patterns recurse on is bounded too. */
static void
test_recursion(void)
{
	struct buf text = {NULL, 0, 0};
	struct regex_subject subject;
	struct err e = {0};
	struct regex *re = regex_compile(S("\\((?:[^()]|(?R))*\\)"), 0, &e);

	for (int i = 0; i < 100000; i++)
		buf_addc(&text, '(');
	for (int i = 0; i < 100000; i++)
		buf_addc(&text, ')');
	CHECK(regex_subject(&subject, buf_slice(&text), &e) == 0);
	CHECK(regex_match(re, &subject, 0, &e) == -1);
	regex_free(re);
	buf_free(&text);
}

int
main(void)
{
	struct regex_subject subject;
	struct err e = {0};

	test_matches();
	test_bad_patterns();
	test_first();
	test_limits();
	test_recursion();
	CHECK(regex_subject(&subject, S("ab\xc0\x80"), &e) == -1 && e.column == 3);
	return check_done();
}
