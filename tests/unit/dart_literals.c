/* Every rule of Dart's string grammar: span, line, column and text of each literal. */
#include "tests/unit/check.h"
#include "tools/extract/dart.h"

#include <stdio.h>
#include <stdlib.h>

static struct words *words;
static struct dart *dart;

/* "line:column[start,end)text" for each literal, separated by " | ". */
static void
collect(const struct source *source, const struct found *f, void *state)
{
	struct buf *out = state;

	(void)source;
	if (out->len > 0)
		buf_adds(out, " | ");
	buf_addf(out, "%zu:%zu[%zu,%zu)%.*s", f->line, f->column, f->start, f->end,
	    (int)f->value.len, f->value.ptr);
}

static int
scan(const char *text, struct buf *out, struct err *e)
{
	struct source source = {"a.dart", slice(text)};

	buf_reset(out);
	buf_adds(out, "");
	return dart_scan(dart, &source, NULL, LEVEL_ALL, true, collect, out, e);
}

#define LITERALS(text, want)                           \
	do {                                           \
		struct buf out_ = {0};                 \
		struct err e_ = {0};                   \
		CHECK(scan(text, &out_, &e_) == 0);    \
		CHECK_TEXT(out_.ptr, want);            \
		buf_free(&out_);                       \
	} while (0)

/* The fault's code and place, and what was read all the same. */
#define FAULT(text, fault, fault_line, want)                 \
	do {                                                 \
		struct buf out_ = {0};                       \
		struct err e_ = {0};                         \
		CHECK(scan(text, &out_, &e_) == -1);         \
		CHECK_TEXT(e_.code ? e_.code : "", fault);   \
		CHECK(e_.line == (fault_line));              \
		CHECK_TEXT(out_.ptr, want);                  \
		buf_free(&out_);                             \
	} while (0)

static void
quotes_and_prefixes(void)
{
	LITERALS("x = 'a';", "1:5[4,7)a");
	LITERALS("x = \"a'b\";", "1:5[4,9)a'b");
	LITERALS("x = '';", "1:5[4,6)");
	LITERALS("''", "1:1[0,2)");
	LITERALS("x = '''a'b''c''';", "1:5[4,16)a'b''c");
	LITERALS("x = \"\"\"a\"b\"\"\";", "1:5[4,13)a\"b");
	LITERALS("''''''", "1:1[0,6)");
	LITERALS("x = r'a\\n$b';", "1:5[4,12)a\\n$b");
	LITERALS("x = r'\\';", "1:5[4,8)\\");
	LITERALS("x = r\"${a}\";", "1:5[4,11)${a}");
	LITERALS("x = r'''a\\\n'b''';", "1:5[4,16)a\\\n'b");
	/* An r that ends a name is no prefix. */
	LITERALS("bar'a'", "1:4[3,6)a");
}

static void
escapes(void)
{
	LITERALS("'\\n\\r\\f\\b\\t\\v'", "1:1[0,14)\n\r\f\b\t\v");
	LITERALS("'\\x41\\u0042\\u{43}\\u{1F600}'", "1:1[0,27)ABC\xf0\x9f\x98\x80");
	LITERALS("'\\uD83D\\uDE00'", "1:1[0,14)\xf0\x9f\x98\x80");
	LITERALS("'\\u{D83D}\\u{DE00}'", "1:1[0,18)\xf0\x9f\x98\x80");
	LITERALS("'\\uD83D!'", "1:1[0,9)\xef\xbf\xbd!");
	LITERALS("'\\k\\'\\\"\\\\\\$x'", "1:1[0,13)k'\"\\$x");
	LITERALS("'\\x4'", "1:1[0,5)x4");
	LITERALS("'\\u{}'", "1:1[0,6)u{}");
}

static void
interpolations(void)
{
	LITERALS("'a $b c'", "1:1[0,8)a ${b} c");
	LITERALS("'$a$b'", "1:1[0,6)${a}${b}");
	/* The name after $ holds no $ itself, and is no number. */
	LITERALS("'$a$5 $ b'", "1:1[0,10)${a}$5 $ b");
	LITERALS("'$this'", "1:1[0,7)${this}");
	LITERALS("'${a.b}'", "1:1[0,8)${a.b}");
	LITERALS("'${f({1: '}'})}'", "1:1[0,16)${f({1: '}'})} | 1:10[9,12)}");
	LITERALS("'${a ? 'b' : \"c\"} d'",
	    "1:1[0,20)${a ? 'b' : \"c\"} d | 1:8[7,10)b | 1:14[13,16)c");
	LITERALS("'${'${'x'}'}'", "1:1[0,13)${'${'x'}'} | 1:4[3,11)${'x'} | 1:7[6,9)x");
	LITERALS("'${'''a\n'b''' }'", "1:1[0,16)${'''a\n'b''' } | 1:4[3,13)a\n'b");
	/* A line break is allowed within ${} even in a single-line literal. */
	LITERALS("'${a +\n  b}' 'c'", "1:1[0,16)${a +\n  b}c");
	LITERALS("'${a /* } ' */ + b}'", "1:1[0,20)${a /* } ' */ + b}");
	LITERALS("'${a // }'\n}'", "1:1[0,13)${a // }'\n}");
	LITERALS("'${r'}'}'", "1:1[0,9)${r'}'} | 1:4[3,7)}");
}

static void
adjacent(void)
{
	LITERALS("'a' 'b'", "1:1[0,7)ab");
	LITERALS("f('a'\n   \"b\" r'$c' '''d''');", "1:3[2,26)ab$cd");
	LITERALS("'a' /* x */ // y\n 'b' ;", "1:1[0,21)ab");
	LITERALS("'a' + 'b'", "1:1[0,3)a | 1:7[6,9)b");
	LITERALS("['a', 'b']", "1:2[1,4)a | 1:7[6,9)b");
}

static void
multi_line(void)
{
	/* A first line of white space only is dropped with its break. */
	LITERALS("'''\na\n'''", "1:1[0,9)a\n");
	LITERALS("''' \t\na'''", "1:1[0,10)a");
	LITERALS("''' \\\na'''", "1:1[0,10)a");
	LITERALS("'''\\ \na'''", "1:1[0,10)a");
	LITERALS("'''  a\nb'''", "1:1[0,11)  a\nb");
	LITERALS("'''\n\na'''", "1:1[0,9)\na");
	LITERALS("r'''\na'''", "1:1[0,9)a");
	/* CRLF and CR are one line break. */
	LITERALS("'''\r\na\r\nb\rc'''", "1:1[0,14)a\nb\nc");
	LITERALS("'''a\\\nb'''", "1:1[0,10)a\nb");
	LITERALS("'''a''\\''''", "1:1[0,11)a'''");
}

static void
comments_and_lines(void)
{
	LITERALS("// 'no'\n'a'", "2:1[8,11)a");
	LITERALS("/* 'no' /* \"no\" */ 'no' */ 'a'", "1:28[27,30)a");
	LITERALS("/// it's\nvar a = 'b';", "2:9[17,20)b");
	LITERALS("#!/usr/bin/env dart 'no'\n'a'", "2:1[25,28)a");
	LITERALS("\xef\xbb\xbf'a'", "1:1[3,6)a");
	LITERALS("a\r\nb 'c'\r+'d'\n+'e'", "2:3[5,8)c | 3:2[10,13)d | 4:2[15,18)e");
	LITERALS("// x\r'a'", "2:1[5,8)a");
	/* Columns count code points: e acute is one, an emoji is one. */
	LITERALS("/*\xc3\xa9\xf0\x9f\x98\x80*/'a' 'b' + '\xc3\xa9' + 'c'",
	    "1:7[10,17)ab | 1:17[20,24)\xc3\xa9 | 1:23[27,30)c");
	LITERALS("a / b 'c'", "1:7[6,9)c");
	LITERALS("", "");
}

static void
faults(void)
{
	/* A single-line literal without end ends with its line; reading goes on. */
	FAULT("x = 'a\n'b'", "unterminated_string", 1, "2:1[7,10)b");
	FAULT("'a' + '''b\n'c'", "unterminated_string", 1, "1:1[0,3)a");
	FAULT("'ok'\n+ '${a", "unterminated_string", 2, "1:1[0,4)ok");
	FAULT("'a\\\n'b'", "unterminated_string", 1, "2:1[4,7)b");
	FAULT("'", "unterminated_string", 1, "");
	FAULT("\"\\", "unterminated_string", 1, "");
}

/* n times `open`, then 'x', then n times `close`. */
static char *
nested(const char *open, const char *close, size_t n)
{
	struct buf b = {0};

	buf_adds(&b, "'first' +");
	for (size_t i = 0; i < n; i++)
		buf_adds(&b, open);
	buf_adds(&b, "'x'");
	for (size_t i = 0; i < n; i++)
		buf_adds(&b, close);
	return buf_detach(&b);
}

static void
depth(void)
{
	struct buf out = {0};
	struct err e = {0};
	char *text = nested("(", ")", 1000);

	CHECK(scan(text, &out, &e) == 0);
	CHECK(strstr(out.ptr, ")x") != NULL);
	free(text);
	text = nested("[{(", ")}]", 10000);
	CHECK(scan(text, &out, &e) == -1);
	CHECK_TEXT(e.code, "too_deep");
	CHECK_TEXT(out.ptr, "1:1[0,7)first");
	free(text);
	/* In sequence their number does not matter here, only in a message. */
	text = nested("'$a' + ", "", 5000);
	CHECK(scan(text, &out, &e) == 0);
	free(text);
	text = nested("'${", "}'", 60);
	CHECK(scan(text, &out, &e) == 0);
	free(text);
	text = nested("'${", "}'", 10000);
	CHECK(scan(text, &out, &e) == -1);
	CHECK_TEXT(e.code, "too_deep");
	free(text);
	buf_free(&out);
}

int
main(void)
{
	struct err e = {0};

	words = words_load(&e);
	if (words == NULL) {
		fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	dart = dart_new(words);
	quotes_and_prefixes();
	escapes();
	interpolations();
	adjacent();
	multi_line();
	comments_and_lines();
	faults();
	depth();
	dart_free(dart);
	words_free(words);
	return check_done();
}
