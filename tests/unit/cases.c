/*
 * cases: plurals and selects as whole texts, and back.
 */
#include "tests/unit/check.h"

#include "tools/translate/cases.h"

static struct arena arena;

/* The pieces, one a line: "when|number|text". */
static const char *
split(const char *text, const char *format, const char *locale)
{
	static struct buf out;
	struct message m = {.n = 0};
	struct piece *pieces;
	struct err e = {.text = ""};
	size_t n;

	buf_reset(&out);
	buf_adds(&out, "");
	CHECK(message_parse(slice(text), (unsigned)message_dialect_of(slice(format)), &arena, &m,
		  &e) == 0);
	if (cases_split(&m, slice(locale), &arena, &pieces, &n, &e) < 0)
		buf_addf(&out, "! %s", e.code);
	else
		for (size_t i = 0; i < n; i++)
			buf_addf(&out, "%s%.*s|%.*s|%.*s", i ? "\n" : "", (int)pieces[i].when.len,
			    pieces[i].when.ptr ? pieces[i].when.ptr : "", (int)pieces[i].number.len,
			    pieces[i].number.ptr ? pieces[i].number.ptr : "",
			    (int)pieces[i].text.len, pieces[i].text.ptr);
	return out.ptr;
}

/* Each piece as its own translation: the faults of what is joined of them, "" if none. */
static const char *
rejoin(const char *text, const char *format, const char *locale, struct buf *out)
{
	static char fault[200];
	struct message m = {.n = 0};
	struct piece *pieces;
	struct slice texts[CASES_MAX];
	struct message_faults faults = {0};
	size_t n = 0;

	CHECK(message_parse(slice(text), (unsigned)message_dialect_of(slice(format)), &arena, &m,
		  NULL) == 0);
	CHECK(cases_split(&m, slice(locale), &arena, &pieces, &n, NULL) == 0);
	for (size_t i = 0; i < n; i++)
		texts[i] = pieces[i].text;
	buf_reset(out);
	CHECK(cases_join(&m, slice(locale), &arena, texts, out));
	message_verify(m.text, buf_slice(out), m.dialect, slice(locale), &arena, &faults);
	*fault = '\0';
	for (size_t i = 0; faults.serious && i < faults.n; i++)
		if (!faults.v[i].warning)
			snprintf(fault, sizeof(fault), "%s", faults.v[i].text);
	return fault;
}

static void
test_split(void)
{
	CHECK_TEXT(split("Save", "icu", "ar"), "||Save");
	CHECK_TEXT(split("{n, plural, one{# file} other{# files}} left", "icu", "fr"),
	    "n is 0, 1|1|{n} file left\nn is 2, 3, 4 and so on|2|{n} files left");
	CHECK_TEXT(split("{n, plural, one{One file} other{{n} files}}", "icu", "ru"),
	    "n is 1, 21, 31 and so on|1|{n} files\nn is 2, 3, 4 and so on|2|{n} files\n"
	    "n is 0, 5, 6 and so on|5|{n} files\nn is any number||{n} files");
	/* Arabic zero and =0 are asked once; gen-l10n has one place for the two. */
	CHECK_TEXT(split("{n, plural, =0{None} other{{n}}}", "icu", "he"),
	    "n is 0|0|None\nn is 1|1|{n}\nn is 2|2|{n}\nn is 0, 3, 4 and so on|3|{n}");
	CHECK_TEXT(split("{g, select, male{He} other{They}} won", "icu", "fr"),
	    "g is male||He won\ng is other||They won");
	CHECK_TEXT(split("{g, select, a{{n, plural, one{# x} other{# y}}} other{z}}", "icu", "de"),
	    "g is a; n is 1|1|{n} x\ng is a; n is 0, 2, 3 and so on|2|{n} y\ng is other||z");
	CHECK_TEXT(split("{n, plural, offset:1 one{x} other{y}}", "icu", "fr"), "! bad_plural");
}

/* An exact number that is a category's only one is no case of its own: ARB has one place. */
static void
test_places(void)
{
	static const char *const locales[] = {"ar", "cy", "de", "es", "en-GB", "hu"};
	const char *text = "{n, plural, =0{No file} =1{Only a file} one{A file} other{# files}}";
	struct buf out = {0};

	for (size_t i = 0; i < sizeof(locales) / sizeof(*locales); i++) {
		struct message_faults faults = {0};
		struct message m;

		CHECK_TEXT(rejoin(text, "icu", locales[i], &out), "");
		CHECK(message_parse(buf_slice(&out), MESSAGE_ARB, &arena, &m, NULL) == 0);
		message_check(&m, slice(locales[i]), &arena, &faults);
		CHECK(!faults.n);
		CHECK(strstr(out.ptr, "{No file}") && strstr(out.ptr, "one{Only a file}"));
	}
	/* French one is 0 and 1: =0 and =1 say something else. */
	CHECK_TEXT(rejoin(text, "icu", "fr", &out), "");
	CHECK(strstr(out.ptr, " =0{No file} =1{Only a file} one{# files}") != NULL);
	/* A source without one means it by =1. */
	text = "{n, plural, =0{No file} =1{A file} other{# files}}";
	CHECK_TEXT(rejoin(text, "icu", "fr", &out), "");
	CHECK(strstr(out.ptr, " =0{No file} one{# files} other{# files}") != NULL);
	buf_free(&out);
}

static void
test_bounds(void)
{
	struct buf text = {0};

	for (int i = 0; i < 40; i++)
		buf_addf(&text, "{g%d, select, a{x} other{y}}", i);
	CHECK_TEXT(split(text.ptr, "icu", "fr"), "! too_large");
	buf_reset(&text);
	for (int i = 0; i < 500; i++)
		buf_addf(&text, "{g%d, select, other{y}}", i);
	CHECK_TEXT(split(text.ptr, "icu", "fr"), "! too_large");
	/* A case that stands twice is never seen; these would be 343 million. */
	buf_reset(&text);
	for (int i = 0; i < 3; i++) {
		buf_addf(&text, "{g%d, select, ", i);
		for (int k = 0; k < 700; k++)
			buf_adds(&text, "x{}");
		buf_adds(&text, "other{y}}");
	}
	CHECK(strstr(split(text.ptr, "icu", "fr"), "g0 is other; g1 is x; g2 is other||yy") != NULL);
	CHECK_TEXT(split("{n, plural, =7{a} =7{b} other{c}}", "icu", "ja"),
	    "n is 7|7|a\nn is 0, 1, 2 and so on|1|c");
	buf_free(&text);
}

/* Whatever the message and the language, its own pieces make a message that passes. */
static void
test_join(void)
{
	static const char *const texts[] = {"{n, plural, one{# file} other{# files}}",
	    "Move {n, plural, =0{nothing} one{the file} other{# files}} to {place}?",
	    "{g, select, male{His} female{Her} other{Their}} {n, plural, one{cat} other{{n} cats}}",
	    "{n, plural, one{It''s # '{'x'}'} other{They''re #}}",
	    "{g, select, a{{n, plural, one{# x} other{# '#' y}}} other{z # '' {n}}}",
	    "{n, plural, one{{m, plural, one{# of one} other{# of {n}}}} other{{m} {m, plural, one{a} other{b}} of {n}}}",
	    "{n, selectordinal, one{#st} two{#nd} few{#rd} other{#th}} place"};
	static const char *const locales[] = {"ar", "fr", "ru", "pl", "ja", "he", "cs", "ga", "de"};
	struct buf out = {0};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		for (size_t k = 0; k < sizeof(locales) / sizeof(*locales); k++)
			CHECK_TEXT(rejoin(texts[i], "icu", locales[k], &out), "");
	CHECK_TEXT(rejoin("{n, plural, =0{None} =1{One} other{{n}}}", "arb", "fr", &out), "");
	CHECK_TEXT(out.ptr, "{n, plural, =0{None} one{{n}} other{{n}}}");
	rejoin("{n, plural, one{# file} other{# files}}", "icu", "ja", &out);
	CHECK_TEXT(out.ptr, "{n, plural, other{# files}}");
	buf_free(&out);
}

int
main(void)
{
	test_split();
	test_places();
	test_bounds();
	test_join();
	arena_free(&arena);
	return check_done();
}
