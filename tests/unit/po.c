/* Reading PO, its messages as ICU and back, and merging entries. */
#include "common/format/po.h"

#include "common/format/po_message.h"
#include "tests/unit/catalog_text.h"
#include "tests/unit/check.h"

#include <stdlib.h>

#define HEADER \
	"msgid \"\"\nmsgstr \"Content-Type: text/plain; charset=UTF-8\\nLanguage: ru\\n" \
	"Plural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && " \
	"(n%100<10 || n%100>=20) ? 1 : 2);\\n\"\n"

static struct catalog c;
static struct err e;

static int
parse(const char *text)
{
	catalog_free(&c);
	return catalog_parse("x.po", CATALOG_PO, slice(text), &c, &e);
}

static void
test_read(void)
{
	CHECK(
	    parse(
		"# translator\n#. extracted\n#. key: hello\n#: a.c:1 b.c:2\n#: c.c:3\n"
		"#, fuzzy,c-format\n#| msgctxt \"old\"\n#| msgid \"\"\n#| \"o\\n\"\n#| \"ld\"\n"
		"msgctxt \"menu\"\nmsgid \"a\" \"b\\\"\\t\\101\\x42\"\n\"c\"\nmsgstr \"x\"\n\"y\"\n"
		"\nmsgid \"plain\"\nmsgstr \"\"\n\n#~| msgid \"was\"\n#~ msgid \"gone\"\n#~ msgstr "
		"\"weg\"\n#~ \"er\"\n") == 0);
	CHECK(c.n == 3);
	struct catalog_entry *a = &c.entries[0];
	CHECK_TEXT(text_of(a->comment), "translator\nextracted");
	CHECK_TEXT(text_of(a->key), "hello");
	CHECK_TEXT(text_of(a->flags), "fuzzy,c-format");
	CHECK_TEXT(text_of(a->previous), "o\nld");
	CHECK_TEXT(text_of(a->context), "menu");
	CHECK_TEXT(text_of(a->source), "ab\"\tABc");
	CHECK_TEXT(text_of(a->values[0]), "xy");
	CHECK_TEXT(a->format, "printf");
	CHECK(a->state == CATALOG_FUZZY && a->stale && a->line == 12 && a->column == 1);
	CHECK(a->span.start == 0 && c.text.ptr[a->span.end] == '\n');
	CHECK(c.entries[1].state == CATALOG_MISSING && !c.entries[1].obsolete);
	CHECK(c.entries[2].obsolete);
	CHECK_TEXT(text_of(c.entries[2].values[0]), "weger");
	CHECK_TEXT(text_of(c.entries[2].previous), "was");
	CHECK(catalog_find_source(&c, S("menu"), S("ab\"\tABc")) == a);
	CHECK(catalog_find_source(&c, (struct slice){NULL, 0}, S("ab\"\tABc")) == NULL);
}

static void
test_refused(void)
{
	static const char *const bad[] = {"msgid \"a\"\n", "msgid \"a\nmsgstr \"b\"\n",
	    "msgid \"a\"\nmsgid \"b\"\nmsgstr \"\"\n", "msgstr \"a\"\n", "\"loose\"\n", "msgid a\n",
	    "msgid \"a\\q\"\nmsgstr \"\\\"\n",
	    "msgid \"a\"\nmsgstr \"\\0\"\nmsgid \"\\8\"\nmsgstr \"\"",
	    "msgid \"a\"\nmsgid_plural \"b\"\nmsgstr[1] \"\"\n", "msgctxt \"c\"\n",
	    "msgid \"a\"\nmsgid_plural \"b\"\nmsgstr \"\"\n", "msgid\nmsgstr \"\"\n",
	    "msgid \"a\"\nmsgid_plural \"b\"\nmsgstr[99999999999] \"\"\n", "nonsense \"a\"\n",
	    "msgid \"a\"\nmsgstr \"b\" msgid \"c\"\nmsgstr \"\"\n",
	    "msgid \"a\"\nmsgctxt \"late\"\nmsgstr \"\"\n"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		CHECK(parse(bad[i]) < 0);
		CHECK_TEXT(e.code, "bad_catalog");
	}
	catalog_free(&c);
	CHECK(catalog_parse("x.po", CATALOG_PO, S("msgid \"a\0\"\nmsgstr \"\"\n"), &c, &e) < 0);
	CHECK(parse("msgid \"a\"\nmsgstr \"\xff\"\n") < 0);
	CHECK_TEXT(e.code, "bad_utf8");
	CHECK(e.line == 2 && e.column == 9);
	CHECK(parse("msgid \"\"\nmsgstr \"Content-Type: text/plain; charset=no-such\\n\"\n") < 0);
	CHECK_TEXT(e.code, "bad_charset");
	CHECK(parse("msgid \"a\"\nmsgstr \"1\"\n\nmsgid \"a\"\nmsgstr \"2\"\n") == 0);
	CHECK(c.nfaults == 1);
	CHECK_TEXT(c.faults[0].rule, "duplicate-key");
}

static void
test_charset(void)
{
	CHECK(parse("msgid \"\"\nmsgstr \"Content-Type: text/plain; charset=ISO-8859-1\\n\"\n\n"
		    "msgid \"caf\xe9\"\nmsgstr \"\xe0\"\n") == 0);
	CHECK_TEXT(text_of(c.entries[0].source), "café");
	CHECK_TEXT(text_of(c.entries[0].values[0]), "à");
	CHECK(c.converted && c.entries[0].span.end == 0 && c.entries[0].line == 4);
}

static void
check_messages(const char *text, const char *source, const char *value)
{
	struct buf b = {0};

	CHECK(parse(text) == 0);
	CHECK(catalog_source_message(&c, &c.entries[0], &b));
	CHECK_TEXT(b.ptr ? b.ptr : "", source);
	buf_reset(&b);
	CHECK(catalog_message(&c, &c.entries[0], &b));
	CHECK_TEXT(b.ptr ? b.ptr : "", value);
	buf_free(&b);
}

static void
test_messages(void)
{
	check_messages(HEADER "#, c-format\nmsgid \"%d file #\"\nmsgid_plural \"%d files\"\n"
			      "msgstr[0] \"%d fa\"\nmsgstr[1] \"%d fb\"\nmsgstr[2] \"%d fc\"\n",
	    "{n, plural, one{{n} file '#'} other{{n} files}}",
	    "{n, plural, one{{n} fa} few{{n} fb} many{{n} fc} other{{n} fc}}");
	check_messages(HEADER
	    "#, python-brace-format\nmsgid \"l'{x} {num}\"\nmsgid_plural \"{x} {num}s\"\n"
	    "msgstr[0] \"a\"\nmsgstr[1] \"b\"\nmsgstr[2] \"c\"\n",
	    "{num, plural, one{l''{x} {num}} other{{x} {num}s}}",
	    "{num, plural, one{a} few{b} many{c} other{c}}");
	check_messages("msgid \"Don't {x}\"\nmsgstr \"l'{x}\"\n", "Don't {x}", "l''{x}");
	check_messages("msgid \"100% sure\"\nmsgstr \"x\"\n", "100% sure", "x");
	CHECK_TEXT(c.entries[0].format, "icu");
	check_messages("msgid \"%s and {\"\nmsgstr \"x\"\n", "%s and {", "x");
	CHECK_TEXT(c.entries[0].format, "printf");
	CHECK(parse(HEADER "#, c-format\nmsgid \"%d of %s\"\nmsgid_plural \"%d of %ss\"\n"
			   "msgstr[0] \"\"\nmsgstr[1] \"\"\nmsgstr[2] \"\"\n") == 0);
	struct buf b = {0};
	CHECK(!catalog_source_message(&c, &c.entries[0], &b));
	CHECK(!catalog_message(&c, &c.entries[0], &b) && b.len == 0);
	buf_free(&b);
}

static void
check_source(const char *icu, const char *id, const char *plural, const char *flag)
{
	struct arena arena = {0};
	struct po_source s;

	po_source_of(slice(icu), "icu", &arena, &s);
	CHECK_TEXT(text_of(s.id), id);
	CHECK_TEXT(s.plural.ptr ? text_of(s.plural) : "-", plural);
	CHECK_TEXT(s.flag ? s.flag : "-", flag);
	arena_free(&arena);
}

static void
test_source(void)
{
	check_source("Don't panic", "Don't panic", "-", "-");
	check_source("l''{x}", "l'{x}", "-", "python-brace-format");
	check_source("{n, plural, one{# file} other{# files}} in <b>{d}</b>",
	    "{n} file in <b>{d}</b>", "{n} files in <b>{d}</b>", "python-brace-format");
	check_source("{n, plural, =0{none} one{# file} other{# files}}",
	    "{n, plural, =0{none} one{{n} file} other{{n} files}}", "-", "-");
	check_source(
	    "{g, select, male{he} other{they}}", "{g, select, male{he} other{they}}", "-", "-");
	check_source("Use '{'braces'}'", "Use {braces}", "-", "no-python-brace-format");
}

static void
test_values(void)
{
	struct arena arena = {0};
	struct po_forms ru, ar;
	struct slice v[PLURAL_FORMS_MAX];

	CHECK(po_forms_of(S(""), S("ru"), &ru, &e) == 0 && ru.n == 3);
	CHECK(po_values_of(S("{n, plural, one{# a} few{# b} many{# c} other{# d}}"), "icu", &ru,
	    S(""), &arena, v));
	CHECK_TEXT(text_of(v[0]), "{n} a");
	CHECK_TEXT(text_of(v[1]), "{n} b");
	CHECK_TEXT(text_of(v[2]), "{n} c");
	CHECK(
	    po_values_of(S("{n, plural, one{# 100%} other{# b}}"), "icu", &ru, S("%d"), &arena, v));
	CHECK_TEXT(text_of(v[0]), "%d 100%%");
	CHECK_TEXT(text_of(v[2]), "%d b");
	CHECK(po_values_of(S("same {n}"), "icu", &ru, S(""), &arena, v));
	CHECK_TEXT(text_of(v[2]), "same {n}");
	CHECK(!po_values_of(S("{g, select, a{b} other{c}}"), "icu", &ru, S(""), &arena, v));
	CHECK(po_forms_of(S(""), S("ar"), &ar, &e) == 0 && ar.n == 6 && ar.single[2] == 2);
	CHECK(po_values_of(
	    S("{n, plural, =0{Z} =1{O} two{T} other{# x}}"), "icu", &ar, S(""), &arena, v));
	CHECK_TEXT(text_of(v[0]), "Z");
	CHECK_TEXT(text_of(v[1]), "O");
	CHECK_TEXT(text_of(v[2]), "T");
	CHECK_TEXT(text_of(v[5]), "{n} x");
	CHECK(po_forms_of(S("nplurals=0/0"), S("ar"), &ar, &e) < 0);
	arena_free(&arena);
}

static void
test_merge(void)
{
	struct catalog_change changes[] = {{.key = S("greet"),
					       .source = S("Hi {x}"),
					       .format = "icu",
					       .old_source = S("Hello {x}")},
	    {.key = S("new"),
		.source = S("New"),
		.format = "icu",
		.write = true,
		.value = S("Neu"),
		.state = CATALOG_DRAFT,
		.reference = S("lib/a.dart"),
		.description = S("what\nfor")},
	    {.key = S("keep"), .source = S("Keep"), .format = "icu"}};
	struct buf out = {0};

	CHECK(parse("# me\n\n# tr\n#. key: greet\n#: x.dart\n#, no-wrap\nmsgid \"Hello {x}\"\n"
		    "msgstr \"\"\n\"Hallo {x}\"\n\nmsgid \"Keep\"\nmsgstr  \"Bleib\"\n") == 0);
	CHECK(po_merge(&c, S("de"), changes, 3, &out, &e) == 0);
	CHECK_TEXT(out.ptr, "# me\n\n# tr\n#. key: greet\n#: x.dart\n"
			    "#, fuzzy, no-wrap, python-brace-format\n#| msgid \"Hello {x}\"\n"
			    "msgid \"Hi {x}\"\nmsgstr \"Hallo {x}\"\n\n"
			    "#. what\n#. for\n#. key: new\n#: lib/a.dart\n#, fuzzy\nmsgid \"New\"\n"
			    "msgstr \"Neu\"\n\nmsgid \"Keep\"\nmsgstr  \"Bleib\"\n");
	CHECK(parse(out.ptr) == 0);
	buf_reset(&out);
	po_prune(&c, changes, 1, &out);
	CHECK(strstr(out.ptr, "\n#~ msgid \"Keep\"\n#~ msgstr  \"Bleib\"\n") != NULL);
	CHECK(strstr(out.ptr, "#, fuzzy\n#~ msgid \"New\"\n") != NULL);
	buf_free(&out);
}

/* One text under two keys: the second one's key becomes its context. */
static void
test_homonyms(void)
{
	struct catalog_change changes[] = {{.key = S("openVerb"),
					       .source = S("Open"),
					       .format = "icu",
					       .write = true,
					       .value = S("A"),
					       .state = CATALOG_TRANSLATED},
	    {.key = S("openAdjective"),
		.source = S("Open"),
		.format = "icu",
		.write = true,
		.value = S("B"),
		.state = CATALOG_TRANSLATED}};
	struct buf out = {0}, again = {0};

	po_skeleton(S("de"), "app", &out);
	CHECK(parse(out.ptr) == 0);
	buf_reset(&out);
	CHECK(po_merge(&c, S("de"), changes, 2, &out, &e) == 0);
	CHECK(strstr(out.ptr, "msgctxt \"openAdjective\"\nmsgid \"Open\"\nmsgstr \"B\"\n") != NULL);
	CHECK(parse(out.ptr) == 0 && c.n == 2 && c.nfaults == 0);
	CHECK(po_merge(&c, S("de"), changes, 2, &again, &e) == 0);
	CHECK_TEXT(again.ptr, out.ptr);
	buf_free(&out);
	buf_free(&again);
}

int
main(void)
{
	test_read();
	test_refused();
	test_charset();
	test_messages();
	test_source();
	test_values();
	test_merge();
	test_homonyms();
	catalog_free(&c);
	return check_done();
}
