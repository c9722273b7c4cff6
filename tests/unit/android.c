/* Android's string resources: what a text says, what is written, what stays. */
#include "common/format/android.h"

#include "common/format/locale_name.h"
#include "tests/unit/check.h"

#include <stdlib.h>

static struct catalog c;
static struct err e;
static struct buf out;

#define HEAD "<resources xmlns:xliff=\"urn:oasis:names:tc:xliff:document:1.2\">\n"

static int
parse(const char *text)
{
	catalog_free(&c);
	return catalog_parse("res/values-fr/strings.xml", CATALOG_AUTO, slice(text), &c, &e);
}

/* The message of a content; NULL: no entry. */
static const char *
text_of(const char *content)
{
	buf_reset(&out);
	buf_addf(&out, HEAD "<string name=\"k\">%s</string></resources>", content);
	if (parse(out.ptr) < 0 || c.n != 1 || !c.entries[0].nvalues)
		return NULL;
	return c.entries[0].values[0].ptr;
}

static void
test_texts(void)
{
	CHECK_TEXT(text_of("  a \n\t b  "), "a b");
	CHECK_TEXT(text_of("\"  a  b \""), "  a  b ");
	CHECK_TEXT(text_of("\\n\\t\\u00e9\\ud83d\\ude00\\'\\\"\\\\\\@x"), "\n\té😀'\"\\@x");
	CHECK_TEXT(text_of("a &lt;b> <![CDATA[<i>]]>"), "a <b> <i>");
	CHECK_TEXT(text_of("<b>x</b> <a href=\"u?a&amp;b\">y</a><br/>"),
	    "<b>x</b> <a href=\"u?a&amp;b\">y</a><br/>");
	/* Nothing formats a text without arguments; ICU quotes its braces. */
	CHECK_TEXT(text_of("100% {sure}"), "100% '{'sure'}'");
	CHECK_TEXT(c.entries[0].format, "icu");
	CHECK_TEXT(text_of("Hi %1$s, %2$d"), "Hi %1$s, %2$d");
	CHECK_TEXT(c.entries[0].format, "printf");
	CHECK_TEXT(text_of("Hi <xliff:g id=\"who\" example=\"Bob\">%1$s</xliff:g>%%"), "Hi {who}%");
	CHECK_TEXT(c.entries[0].format, "icu");
	CHECK(slice_is(c.entries[0].positional, "Hi %1$s%%"));
	/* One argument without a name: positions for all. */
	CHECK_TEXT(text_of("<xliff:g id=\"a\">%1$s</xliff:g> %2$s"), "%1$s %2$s");
	CHECK(c.nfaults == 0);
}

static void
test_argument_names(void)
{
	struct buf text = {0};

	buf_adds(&text, "<xliff:g id=\"f\">%2$s</xliff:g>");
	for (int i = 0; i < 4000; i++)
		buf_adds(&text, "<xliff:g id=\"e\"/><xliff:g id=\"a\">%1$s</xliff:g>");
	CHECK(strncmp(text_of(text.ptr), "{f}{a}{a}", 9) == 0);
	buf_free(&text);
	/* What ends where the argument does and starts before it names nothing. */
	CHECK_TEXT(text_of("<xliff:g id=\"a\">x%1$s</xliff:g>"), "x%1$s");
	CHECK_TEXT(text_of("<xliff:g id=\"a\"><xliff:g id=\"b\">%1$s</xliff:g></xliff:g>"), "{b}");
	CHECK_TEXT(text_of("<xliff:g id=\"a\">%1$s</xliff:g><xliff:g id=\"b\">%1$s</xliff:g>"),
	    "{b}{b}");
	CHECK_TEXT(text_of("<xliff:g id=\"a\">%s</xliff:g> <xliff:g id=\"b\">%s</xliff:g>"),
	    "{a} {b}");
	CHECK_TEXT(text_of("<xliff:g id=\"a\">%(x)s</xliff:g>"), "%(x)s");
}

static const char *
fault_of(const char *content)
{
	text_of(content);
	return c.nfaults ? c.faults[0].rule : "none";
}

static void
test_faults(void)
{
	CHECK_TEXT(fault_of("don't"), "bad-escape");
	CHECK_TEXT(fault_of("\"don't\""), "none");
	CHECK_TEXT(fault_of("\"open it's"), "none");
	CHECK_TEXT(fault_of("\\u12"), "bad-escape");
	CHECK_TEXT(fault_of("%s %d"), "not-positional");
	CHECK_TEXT(fault_of("%1$s %2$d %%"), "none");
	CHECK(parse(HEAD "<plurals name=\"p\"><item quantity=\"one\">a</item>"
			 "<item quantity=\"one\">b</item><item quantity=\"some\">c</item></plurals>"
			 "<string name=\"p\">again</string></resources>") == 0);
	CHECK(c.nfaults == 4);
	CHECK_TEXT(c.faults[0].rule, "duplicate-case");
	CHECK_TEXT(c.faults[1].rule, "unknown-category");
	CHECK_TEXT(c.faults[2].rule, "missing-other");
	CHECK_TEXT(c.faults[3].rule, "duplicate-key");
	CHECK(parse("<!DOCTYPE r [<!ENTITY a \"b\">]><resources><string name=\"a\">&a;</string>"
		    "</resources>") < 0);
	CHECK_TEXT(e.code, "entities_refused");
	catalog_free(&c);
	CHECK(catalog_parse("values/x.xml", CATALOG_ANDROID, S("<a/>"), &c, &e) < 0);
	CHECK_TEXT(e.code, "bad_catalog");
	CHECK(android_name_fault(S("a.b_c-1")) == NULL && android_name_fault(S("days[3]")) == NULL);
	CHECK(android_name_fault(S("1a")) && android_name_fault(S("a b")));
	CHECK(android_name_fault(S("")));
}

static void
test_resources(void)
{
	CHECK(parse(HEAD
	    "<plurals name=\"f\"><item quantity=\"one\"><xliff:g id=\"count\">%1$d</xliff:g> of "
	    "<xliff:g id=\"who\">%2$s</xliff:g></item><item quantity=\"other\">"
	    "<xliff:g id=\"count\">%1$d</xliff:g>s of <xliff:g id=\"who\">%2$s</xliff:g></item>"
	    "</plurals><string-array name=\"d\"><item>a</item><item>b</item></string-array>"
	    "<string name=\"x\" translatable=\"false\">y</string>"
	    "<string name=\"t\" product=\"tablet\">z</string><string name=\"r\">@string/x</string>"
	    "</resources>") == 0);
	CHECK(c.n == 6 && slice_is(c.locale, "fr"));
	CHECK_TEXT(c.entries[0].values[0].ptr,
	    "{count, plural, one{{count} of {who}} other{{count}s of {who}}}");
	CHECK(slice_is(c.entries[2].key, "d[1]") && slice_is(c.entries[2].values[0], "b"));
	CHECK(c.entries[3].fixed && c.entries[5].fixed && !c.entries[4].fixed);
	CHECK(slice_is(c.entries[4].key, "t#tablet"));
}

/* Merges one change; the file is in out. */
static void
merge(const char *file, struct catalog_change change, bool template)
{
	struct catalog_merge how = {.locale = S("fr"), .source_locale = S("en"),
	    .template = template, .changes = &change, .n = 1};

	CHECK(parse(file) == 0);
	buf_reset(&out);
	if (!change.format)
		change.format = "icu";
	CHECK(android_merge(&c, &how, &out, &e) == 0);
}

static void
test_merge(void)
{
	struct catalog_change change = {.key = S("k"), .write = true, .source = S("It is {n}"),
	    .value = S("C'est {n}"), .state = CATALOG_TRANSLATED};

	merge("<resources>\n\t<string name=\"a\">x</string>\n</resources>\n", change, false);
	CHECK_TEXT(out.ptr,
	    "<resources xmlns:xliff=\"urn:oasis:names:tc:xliff:document:1.2\">\n"
	    "\t<string name=\"a\">x</string>\n"
	    "\t<string name=\"k\">C\\'est <xliff:g id=\"n\">%s</xliff:g></string>\n</resources>\n");
	/* One argument twice is one argument. */
	change.source = S("{n} of {n}");
	change.value = S("{n} sur {n}");
	merge("<resources>\n</resources>", change, false);
	CHECK(strstr(out.ptr, ">%1$s</xliff:g> sur <xliff:g id=\"n\">%1$s</xliff:g></string>"));
	change.source = S("It is");
	change.value = S(" @C'est  100%\001 ");
	change.format = "plain";
	merge("<resources/>", change, false);
	CHECK_TEXT(out.ptr, "<resources>\n    <string name=\"k\">\\u0020@C\\'est \\u0020100%"
			    "\\u0001\\u0020</string>\n</resources>");
	change.value = S("?x");
	merge("<resources><string name=\"k\" formatted=\"false\"/></resources>", change, false);
	CHECK_TEXT(out.ptr,
	    "<resources><string name=\"k\" formatted=\"false\">\\?x</string></resources>");
}

static void
test_marks(void)
{
	struct catalog_change change = {.key = S("k"), .write = true, .source = S("a"),
	    .value = S("b"), .state = CATALOG_DRAFT, .was_hash = S("0123456789abcdef"),
	    .format = "icu"};
	char *marked;

	merge("<resources>\n  <string name=\"k\">x</string>\n</resources>\n", change, false);
	marked = xstrndup(out.ptr, out.len);
	CHECK(parse(marked) == 0 && c.entries[0].state == CATALOG_DRAFT && !c.entries[0].stale);
	CHECK(slice_is(c.entries[0].was_hash, "0123456789abcdef"));
	/* A person edits the text: the mark counts no more. */
	strstr(marked, ">b<")[1] = 'c';
	CHECK(parse(marked) == 0 && c.entries[0].state == CATALOG_TRANSLATED &&
	    c.entries[0].edited);
	change.state = CATALOG_TRANSLATED;
	change.keep_text = true;
	/* What is simply translated remembers its source, where that is known. */
	merge(marked, change, false);
	CHECK(strstr(out.ptr, "<!-- kandil: source=0123456789abcdef text=") != NULL);
	change.was_hash = S("");
	merge(marked, change, false);
	CHECK_TEXT(out.ptr, "<resources>\n  <string name=\"k\">c</string>\n</resources>\n");
	free(marked);
}

/* Items come and go one by one: comments between them stay. */
static void
test_items(void)
{
	struct catalog_change change = {.key = S("p"), .write = true,
	    .source = S("{n, plural, one{# file} other{# files}}"),
	    .value = S("{n, plural, one{# fichier} other{# fichiers}}"),
	    .state = CATALOG_TRANSLATED, .format = "icu"};

	merge("<resources>\n  <plurals name=\"p\">\n    <!-- one -->\n"
	      "    <item quantity=\"few\">x</item>\n"
	      "    <item quantity=\"other\">%d fichiers</item>\n  </plurals>\n</resources>\n",
	    change, false);
	CHECK(parse(out.ptr) == 0 && strstr(out.ptr, "<!-- one -->") && !strstr(out.ptr, "few"));
	CHECK_TEXT(c.entries[0].values[0].ptr,
	    "{n, plural, one{{n} fichier} other{{n} fichiers}}");
	/* Of a quantity that stands twice the first is read, and so it is written. */
	merge("<resources><plurals name=\"p\"><item quantity=\"few\">x</item>"
	      "<item quantity=\"one\">x</item><item quantity=\"one\">%d fichier</item>"
	      "<item quantity=\"few\">x</item><item quantity=\"other\">y</item></plurals></resources>",
	    change, false);
	CHECK(parse(out.ptr) == 0);
	CHECK_TEXT(c.entries[0].values[0].ptr,
	    "{n, plural, one{{n} fichier} other{{n} fichiers}}");
}

static void
test_say(void)
{
	struct catalog_change change = {.key = S("k"), .source = S("{a} of {b}"), .format = "icu"};

	buf_reset(&out);
	CHECK(android_say(&change, S("sur {b}, {a}"), S("fr"), &out, &e) == 0);
	struct buf other = {0};
	change.format = "printf";
	change.source = S("%1$s of %2$d");
	CHECK(android_say(&change, S("sur %2$d, %1$s"), S("fr"), &other, &e) == 0);
	CHECK(slice_eq(buf_slice(&out), buf_slice(&other)));
	buf_free(&other);
	change.format = "icu";
	change.source = S("x");
	CHECK(android_say(&change, S("{n, select, a{b} other{c}}"), S("fr"), &out, &e) < 0);
	CHECK(android_say(&change, S("{n, plural, other{c}}"), S("fr"), &out, &e) < 0);
	change.key = S("a b");
	CHECK(android_say(&change, S("x"), S("fr"), &out, &e) < 0);
	CHECK_TEXT(e.code, "cannot_say");
}

static void
check_name(const char *canonical, const char *folder)
{
	char back[LOCALE_MAX];
	struct slice part;

	buf_reset(&out);
	buf_adds(&out, "values");
	locale_name_put(CATALOG_ANDROID, canonical, &out);
	CHECK_TEXT(out.ptr, folder);
	CHECK(locale_name_android(buf_slice(&out), back, &part));
	CHECK_TEXT(back, canonical);
	CHECK(part.len == strlen(folder) - 6);
}

static void
test_names(void)
{
	char canonical[LOCALE_MAX];
	struct slice part;

	check_name("fr", "values-fr");
	check_name("fr-CA", "values-fr-rCA");
	check_name("sr-Latn", "values-b+sr+Latn");
	check_name("es-419", "values-b+es+419");
	check_name("he", "values-iw");
	check_name("id", "values-in");
	CHECK(!locale_name_android(S("values"), canonical, &part) && part.len == 0);
	CHECK(!locale_name_android(S("values-night"), canonical, &part));
	CHECK(!locale_name_android(S("values-car"), canonical, &part));
	CHECK(locale_name_android(S("values-mcc310-fr-rCA-v21"), canonical, &part));
	CHECK_TEXT(canonical, "fr-CA");
	CHECK(slice_is(part, "-fr-rCA"));
}

int
main(void)
{
	test_texts();
	test_argument_names();
	test_faults();
	test_resources();
	test_merge();
	test_marks();
	test_items();
	test_say();
	test_names();
	catalog_free(&c);
	buf_free(&out);
	return check_done();
}
