/* .strings, .stringsdict and .xcstrings: read, merged, and read again. */
#include "common/format/strings.h"
#include "common/format/stringsdict.h"
#include "common/format/utf16.h"
#include "common/format/xcstrings.h"

#include "tests/unit/catalog_text.h"
#include "tests/unit/check.h"

#include <stdlib.h>

static struct catalog c;

static int
parse(const char *name, struct slice text, struct err *e)
{
	catalog_free(&c);
	return catalog_parse(name, CATALOG_AUTO, text, &c, e);
}

/* The file that the changes make of text; to be freed. */
static char *
merged(const char *name, struct slice text, const char *locale, bool template,
    const struct catalog_change *changes, size_t n, size_t *len)
{
	struct catalog_merge m = {.locale = slice(locale), .changes = changes, .n = n,
	    .template = template};
	struct buf out = {0};
	struct err e = {0};

	CHECK(parse(name, text, &e) == 0);
	m.source_locale = c.source_locale;
	if (catalog_kind(c.format)->merge(&c, &m, &out, &e) < 0)
		buf_addf(&out, "%s", e.text);
	else
		CHECK(parse(name, buf_slice(&out), &e) == 0);
	if (len)
		*len = out.len;
	buf_room(&out, 1);
	return buf_detach(&out);
}

static void
check_merge(const char *name, const char *text, const char *locale,
    const struct catalog_change *changes, size_t n, const char *want)
{
	char *got = merged(name, slice(text), locale, false, changes, n, NULL);

	CHECK_TEXT(got, want);
	free(got);
}

#define CHANGE(k, s, v)                                                       \
	{.key = S(k), .write = true, .source = S(s), .value = S(v), .format = "icu", \
	    .state = CATALOG_TRANSLATED}

/* -- .strings -- */

static void
test_strings_read(void)
{
	struct err e;

	CHECK(parse("fr.lproj/Localizable.strings",
		  S("/* a file */\n\n/* Greets. */\n\"hi\" = \"Salut %@\\n\\\"x\\\"\"; // end\n"
		    "// one\n// two\nbare.key-1 = 'l\\'un';\n/* kandil: draft */\n"
		    "\"u\" = \"\\U00e9\\Ud83d\\Ude00\\351\\101\"; \"k\";\n\"e\"=\"\";"),
		  &e) == 0);
	CHECK_TEXT(listed(&c), "hi=Salut %@\n\"x\"|bare.key-1=l'un|u=é😀ØA|k=k|e=-");
	CHECK_TEXT(text_of(c.locale), "fr");
	CHECK_TEXT(text_of(c.entries[0].comment), "Greets.");
	CHECK_TEXT(c.entries[0].format, "printf");
	CHECK(c.entries[0].line == 4 && c.entries[0].column == 1);
	CHECK_TEXT(text_of(c.entries[1].comment), "one\n// two");
	CHECK_TEXT(c.entries[1].format, "plain");
	CHECK(c.entries[2].state == CATALOG_DRAFT);
	CHECK(c.nfaults == 0);
	CHECK(parse("x.strings", S("\"a\" = \"\\u00e9\";\n\"a\" = \"2\";"), &e) == 0);
	CHECK(c.nfaults == 2);
	CHECK_TEXT(c.faults[0].rule, "bad-escape");
	CHECK_TEXT(c.faults[1].rule, "duplicate-key");
	CHECK(parse("x.strings", S("{ a = b; }"), &e) == 0);
	CHECK_TEXT(listed(&c), "a=b");
}

static void
test_strings_broken(void)
{
	static const struct {
		const char *text;
		size_t line;
	} broken[] = {{"\"a\" = \"b\"\n\"c\" = \"d\";", 1}, {"a = \"b", 1}, {"\na", 2},
	    {"/* x", 1}, {"a = {b = c;};", 1}, {"a = b;\n}", 2}, {"{a = b;", 1}, {"\n= b;", 2},
	    {"a = \"\xff\";", 1}, {"<?xml version=\"1.0\"?><plist/>", 1}};

	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		struct err e = {0};
		CHECK(parse("x.strings", slice(broken[i].text), &e) < 0);
		CHECK(e.line == broken[i].line && e.code && e.text[0]);
	}
}

static void
test_strings_merge(void)
{
	static const struct catalog_change changes[] = {CHANGE("b", "x {name}", "B {name} 5%"),
	    CHANGE("new", "n", "\"neuf\" 100%\n"), CHANGE("k", "k", "K")};

	check_merge("x.strings", "/* h */\n\n/* A */\n\"a\"=\"1\";\n\n/* B */\n\"b\"=\"%@ b\"; // e\n\n\"k\";\n",
	    "fr", changes, 3,
	    "/* h */\n\n/* A */\n\"a\"=\"1\";\n\n/* B */\n\"b\"=\"B %@ 5%%\"; // e\n\n"
	    "\"new\"=\"\\\"neuf\\\" 100%\\n\";\n\n\"k\"=\"K\";\n");
	check_merge("x.strings", "", "fr", changes, 2,
	    "\"b\" = \"B %@ 5%%\";\n\"new\" = \"\\\"neuf\\\" 100%\\n\";\n");
	check_merge("x.strings", "a = 1; c = 2;d=3;e=4;f=5;", "fr", changes, 1,
	    "a = 1;\n\"b\" = \"B %@ 5%%\"; c = 2;d=3;e=4;f=5;");
}

static void
test_strings_marks(void)
{
	struct catalog_change change[] = {CHANGE("b", "x", "B")};
	char *drafted, *done;

	change[0].state = CATALOG_DRAFT;
	drafted = merged("x.strings", S("  \"b\" = \"\";\r\n"), "fr", false, change, 1, NULL);
	CHECK(strncmp(drafted, "  /* kandil: draft text=", 24) == 0);
	CHECK(strstr(drafted, " */\r\n  \"b\" = \"B\";\r\n") != NULL);
	CHECK(c.entries[0].state == CATALOG_DRAFT && !c.entries[0].edited);
	change[0].state = CATALOG_TRANSLATED;
	change[0].keep_text = true;
	done = merged("x.strings", slice(drafted), "fr", false, change, 1, NULL);
	CHECK_TEXT(done, "  \"b\" = \"B\";\r\n");
	free(drafted);
	free(done);
}

static void
test_strings_utf16(void)
{
	static const struct catalog_change change[] = {CHANGE("k", "", "é😀")};
	static const char *const charsets[] = {"UTF-16LE", "UTF-16BE"};

	for (int i = 0; i < 2; i++) {
		struct buf wide = {0}, back = {0};
		struct err e;
		size_t len;
		utf16_encode(S("\"k\" = \"ü\";\n/* 😀 */\n"), slice(charsets[i]), &wide);
		char *got = merged("x.strings", buf_slice(&wide), "fr", false, change, 1, &len);
		CHECK_TEXT(text_of(c.charset), charsets[i]);
		CHECK(c.converted && c.n == 1 && c.entries[0].line == 1);
		CHECK(utf16_decode((struct slice){got, len}, &back, &e) == 0);
		CHECK_TEXT(back.ptr, "\"k\" = \"é😀\";\n/* 😀 */\n");
		free(got);
		buf_free(&wide);
		buf_free(&back);
	}
}

/* -- .stringsdict -- */

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\">\n"
#define RULE(type) \
	"<key>NSStringFormatSpecTypeKey</key><string>NSStringPluralRuleType</string>" \
	"<key>NSStringFormatValueTypeKey</key><string>" type "</string>"

static void
test_stringsdict_read(void)
{
	struct err e;

	CHECK(parse("en.lproj/Localizable.stringsdict",
		  S(HEAD
		      "<dict><!-- c --><key>f &amp; g</key><dict><key>NSStringLocalizedFormatKey</key>"
		      "<string>In %@: %#@n@ of %@</string><key>n</key><dict>" RULE("d")
		      "<key>zero</key><string>none</string>"
		      "<key>one</key><string>%d file</string><key>other</key><string>%d files"
		      "</string></dict></dict>"
		      "<key>two</key><dict><key>NSStringLocalizedFormatKey</key>"
		      "<string>%#@a@ %#@b@</string></dict>"
		      "<key>none</key><dict><key>NSStringLocalizedFormatKey</key><string>%#@n@"
		      "</string><key>n</key><dict><key>one</key><string>%d</string></dict></dict>"
		      "<key>text</key><string>x</string></dict></plist>"),
		  &e) == 0);
	CHECK_TEXT(listed(&c),
	    "f & g=In {arg1}: {n, plural, =0{none} one{{n} file} other{{n} files}} of {arg3}|"
	    "two=-|none=-|text=-");
	CHECK(c.entries[1].opaque && !c.entries[2].opaque && c.entries[3].opaque);
	CHECK(c.nfaults == 3);
	CHECK_TEXT(c.faults[1].rule, "missing-other");
	CHECK_TEXT(text_of(c.entries[0].comment), "c");
	CHECK(parse("x.stringsdict", S(HEAD "<dict><key>a</key></dict></plist>"), &e) < 0);
	CHECK(parse("x.stringsdict", S(HEAD "<array/></plist>"), &e) < 0);
	CHECK(parse("x.stringsdict", S(HEAD "<dict><key>a<dict></dict></key></dict></plist>"), &e) < 0);
	CHECK(parse("x.stringsdict", S("<plist><dict>"), &e) < 0);
	CHECK(parse("x.stringsdict", S("<plist/>"), &e) < 0);
}

static void
test_stringsdict_merge(void)
{
	static const struct catalog_change changes[] = {
	    CHANGE("f", "{n, plural, one{# file} other{# files}}",
		"{n, plural, one{# fichier} other{# fichiers}}"),
	    CHANGE("g", "{n, plural, one{# of {box}} other{# of {box}}}",
		"{n, plural, one{# <{box}>} other{{box}: #}}")};
	static const char rest[] =
	    "\t<!-- keep -->\n\t<key>z</key>\n\t<string>z</string>\n</dict>\n</plist>\n";
	struct buf want = {0}, text = {0};

	buf_adds(&text, HEAD "<dict>\n\t<key>f</key>\n\t<dict>\n"
			"\t\t<key>NSStringLocalizedFormatKey</key>\n\t\t<string>%#@x@ here</string>\n"
			"\t\t<key>x</key>\n\t\t<dict>\n"
			"\t\t\t<key>NSStringFormatValueTypeKey</key>\n\t\t\t<string>lu</string>\n"
			"\t\t\t<key>zero</key>\n\t\t\t<string>0</string>\n"
			"\t\t\t<key>other</key>\n\t\t\t<string>%lu files</string>\n"
			"\t\t</dict>\n\t</dict>\n");
	buf_adds(&text, rest);
	buf_adds(&want, HEAD
	    "<dict>\n\t<key>f</key>\n\t<dict>\n"
	    "\t\t<key>NSStringLocalizedFormatKey</key>\n\t\t<string>%#@x@</string>\n"
	    "\t\t<key>x</key>\n\t\t<dict>\n"
	    "\t\t\t<key>NSStringFormatValueTypeKey</key>\n\t\t\t<string>lu</string>\n"
	    "\t\t\t<key>one</key>\n\t\t\t<string>%lu fichier</string>\n"
	    "\t\t\t<key>other</key>\n\t\t\t<string>%lu fichiers</string>\n"
	    "\t\t</dict>\n\t</dict>\n"
	    "\t<key>g</key>\n\t<dict>\n"
	    "\t\t<key>NSStringLocalizedFormatKey</key>\n\t\t<string>%1$#@n@</string>\n"
	    "\t\t<key>n</key>\n\t\t<dict>\n"
	    "\t\t\t<key>NSStringFormatSpecTypeKey</key>\n"
	    "\t\t\t<string>NSStringPluralRuleType</string>\n"
	    "\t\t\t<key>NSStringFormatValueTypeKey</key>\n\t\t\t<string>d</string>\n"
	    "\t\t\t<key>one</key>\n\t\t\t<string>%1$d &lt;%2$@&gt;</string>\n"
	    "\t\t\t<key>other</key>\n\t\t\t<string>%2$@: %1$d</string>\n"
	    "\t\t</dict>\n\t</dict>\n");
	buf_adds(&want, rest);
	check_merge("x.stringsdict", text.ptr, "fr", changes, 2, want.ptr);
	buf_free(&text);
	buf_free(&want);
}

static void
test_stringsdict_marks(void)
{
	struct catalog_change change[] = {
	    CHANGE("f", "{n, plural, one{1} other{#}}", "{n, plural, one{un} other{#}}")};
	struct buf text = {0};
	char *drafted, *done;

	stringsdict_skeleton(S("fr"), S("en"), &text);
	change[0].state = CATALOG_FUZZY;
	drafted = merged("x.stringsdict", buf_slice(&text), "fr", false, change, 1, NULL);
	CHECK(c.n == 1 && c.entries[0].state == CATALOG_FUZZY && !c.entries[0].edited);
	CHECK(strstr(drafted, "<dict>\n\t<!-- kandil: fuzzy") != NULL);
	change[0].state = CATALOG_TRANSLATED;
	change[0].keep_text = true;
	done = merged("x.stringsdict", slice(drafted), "fr", false, change, 1, NULL);
	CHECK(strstr(done, "kandil") == NULL && c.entries[0].state == CATALOG_TRANSLATED);
	CHECK(strstr(done, "<dict>\n\t<key>f</key>") != NULL);
	free(drafted);
	free(done);
	buf_free(&text);
}

/* -- .xcstrings -- */

static const char catalog[] =
    "{\n  \"sourceLanguage\" : \"en\",\n  \"strings\" : {\n"
    "    \"\" : {\n\n    },\n"
    "    \"%lld items\" : {\n      \"comment\" : \"c\",\n      \"localizations\" : {\n"
    "        \"en\" : {\n          \"variations\" : {\n            \"plural\" : {\n"
    "              \"one\" : {\n                \"stringUnit\" : {\n"
    "                  \"state\" : \"translated\",\n"
    "                  \"value\" : \"%lld item\"\n                }\n              },\n"
    "              \"other\" : {\n                \"stringUnit\" : {\n"
    "                  \"state\" : \"new\",\n"
    "                  \"value\" : \"%lld items\"\n                }\n              }\n"
    "            }\n          }\n        }\n      }\n    },\n"
    "    \"Hello %@\" : {\n      \"shouldTranslate\" : false\n    },\n"
    "    \"dev\" : {\n      \"extractionState\" : \"stale\",\n      \"localizations\" : {\n"
    "        \"fr\" : {\"variations\":{\"device\":{\"mac\":{\"stringUnit\":{\"state\":"
    "\"translated\",\"value\":\"m\"}}}}}\n      }\n    },\n"
    "    \"sub\" : {\n      \"localizations\" : {\n        \"en\" : {\"stringUnit\":{\"state\":"
    "\"odd\",\"value\":\"%@ has %#@n@\"},\"substitutions\":{\"n\":{\"argNum\":2,"
    "\"formatSpecifier\":\"ld\",\"variations\":{\"plural\":{\"one\":{\"stringUnit\":{\"state\":"
    "\"translated\",\"value\":\"%arg dog\"}},\"other\":{\"stringUnit\":{\"state\":"
    "\"translated\",\"value\":\"%arg dogs\"}}}}}}}\n      }\n    }\n"
    "  },\n  \"version\" : \"1.0\"\n}\n";

static void
test_xcstrings_read(void)
{
	struct err e;

	CHECK(parse("L.xcstrings", slice(catalog), &e) == 0);
	CHECK_TEXT(listed(&c),
	    "en:%lld items={n, plural, one{{n} item} other{{n} items}}|en:Hello %@=Hello %@|"
	    "en:dev=dev|fr:dev=-|"
	    "en:sub={arg1} has {n, plural, one{{n} dog} other{{n} dogs}}");
	CHECK_TEXT(text_of(c.source_locale), "en");
	CHECK(c.entries[0].state == CATALOG_DRAFT && c.entries[0].comment.len == 1);
	CHECK(c.entries[1].fixed && !c.entries[0].fixed);
	CHECK(c.entries[2].obsolete && c.entries[3].opaque && c.entries[3].obsolete);
	CHECK(c.entries[4].state == CATALOG_FUZZY);
	CHECK(c.nfaults == 2);
	CHECK_TEXT(c.faults[0].rule, "unsayable");
	CHECK_TEXT(c.faults[1].rule, "bad-state");
	CHECK(parse("L.xcstrings", S("{\"strings\":{}}"), &e) < 0);
	CHECK(parse("L.xcstrings",
		  S("{\"sourceLanguage\":\"en\",\"strings\":{\"a\":{\"localizations\":{\"fr\":"
		    "{\"variations\":{\"plural\":{\"one\":{\"stringUnit\":{\"value\":\"x\"}}}}}}},"
		    "\"a\":{\"localizations\":{\"fr\":{\"variations\":{\"plural\":{}}}}},\"b\":1}}"),
		  &e) == 0);
	CHECK(c.nfaults == 3);
	CHECK_TEXT(c.faults[0].rule, "duplicate-key");
	CHECK_TEXT(c.faults[1].rule, "missing-other");
	CHECK_TEXT(c.faults[2].rule, "not-text");
}

/* What stands in got between two marks. */
static void
check_has(const char *got, const char *want)
{
	CHECK(strstr(got, want) != NULL);
	if (!strstr(got, want))
		fprintf(stderr, "got: %s\nwithout: %s\n", got, want);
}

static void
test_xcstrings_merge(void)
{
	struct catalog_change changes[] = {
	    CHANGE("%lld items", "{n, plural, one{# item} other{# items}}",
		"{n, plural, one{# élément} other{# éléments}}"),
	    CHANGE("sub", "{who} has {n, plural, one{# dog} other{# dogs}}",
		"{who} a {n, plural, one{# chien} other{# chiens}}"),
	    CHANGE("dev", "dev", "not written"), CHANGE("new.key", "New {x}", "Neuf {x}")};
	char *got, *again;

	changes[0].state = CATALOG_DRAFT;
	changes[1].stale = true;
	got = merged("L.xcstrings", slice(catalog), "fr", false, changes, 4, NULL);
	check_has(got, "        \"en\" : {\n          \"variations\"");
	check_has(got,
	    "        },\n        \"fr\" : {\n          \"variations\" : {\n"
	    "            \"plural\" : {\n              \"one\" : {\n"
	    "                \"stringUnit\" : {\n                  \"state\" : \"new\",\n"
	    "                  \"value\" : \"%lld élément\"\n                }\n"
	    "              },\n              \"other\" : {");
	check_has(got, "\"value\" : \"%#@n@\"");
	check_has(got, "\"argNum\" : 2,");
	check_has(got, "\"formatSpecifier\" : \"ld\",");
	check_has(got, "\"value\" : \"%1$@ a %arg chiens\"");
	check_has(got, "\"extractionState\" : \"stale\"");
	check_has(got,
	    "    \"new.key\" : {\n      \"extractionState\" : \"manual\",\n"
	    "      \"localizations\" : {\n        \"fr\" : {\n          \"stringUnit\" : {\n"
	    "            \"state\" : \"translated\",\n            \"value\" : \"Neuf %@\"\n"
	    "          }\n        }\n      }\n    },\n    \"sub\"");
	/* The same once more changes nothing. */
	again = merged("L.xcstrings", slice(got), "fr", false, changes, 4, NULL);
	CHECK_TEXT(again, got);
	free(again);
	free(got);
	got = merged("L.xcstrings", slice(catalog), "fr", false, NULL, 0, NULL);
	CHECK_TEXT(got, catalog);
	free(got);
}

/* A form that stands twice goes twice, or the one before it would count. */
static void
test_forms_twice(void)
{
	static const struct catalog_change change =
	    CHANGE("k", "{n, plural, one{# a} other{# b}}", "{n, plural, one{# a} other{# b}}");
	static const char *const files[][2] = {
	    {"fr.lproj/x.stringsdict", "<plist><dict><key>k</key><dict>"
	     "<key>NSStringLocalizedFormatKey</key><string>%#@n@</string><key>n</key><dict>"
	     "<key>few</key><string>%d x</string> <key>few</key><string>%d y</string>"
	     "<key>other</key><string>%d z</string></dict></dict></dict></plist>"},
	    {"L.xcstrings", "{\"sourceLanguage\":\"en\",\"strings\":{\"k\":{\"localizations\":{\"fr\":"
	     "{\"variations\":{\"plural\":{\"few\":{\"stringUnit\":{\"value\":\"%lld x\"}},"
	     "\"few\":{\"stringUnit\":{\"value\":\"%lld y\"}},"
	     "\"other\":{\"stringUnit\":{\"value\":\"%lld z\"}}}}}}}}}"}};

	for (size_t i = 0; i < 2; i++) {
		free(merged(files[i][0], slice(files[i][1]), "fr", false, &change, 1, NULL));
		const struct catalog_entry *e = &c.entries[c.n - 1];
		CHECK(e->nvalues == 1);
		CHECK(e->nvalues == 1 &&
		    slice_is(e->values[0], "{n, plural, one{{n} a} other{{n} b}}"));
	}
}

#define SAYS(name, text) "\"" name "\":{\"stringUnit\":{\"state\":\"new\",\"value\":\"" text "\"}}"

/* The source language is there twice: the last counts, for the reader as for the merge. */
static void
test_xcstrings_spellings(void)
{
	static const char *const twice[] = {SAYS("FR", "a") "," SAYS("fr", "b"),
	    SAYS("fr", "a") "," SAYS("FR", "b"), SAYS("fr", "a") "," SAYS("fr", "b"),
	    SAYS("de", "x") "," SAYS("fr", "a") "," SAYS("FR", "b") "," SAYS("fr-CA", "y")};
	static const struct catalog_change change = CHANGE("k", "c", "c");

	for (size_t i = 0; i < sizeof(twice) / sizeof(*twice); i++) {
		struct buf b = {0};
		struct catalog view;
		struct err e;
		buf_addf(&b, "{\"sourceLanguage\":\"fr\",\"strings\":{\"k\":{\"localizations\":{%s}}}}",
		    twice[i]);
		CHECK(parse("L.xcstrings", buf_slice(&b), &e) == 0);
		catalog_view(&c, S("fr"), &view);
		CHECK(view.n == 2 && slice_is(catalog_find(&view, S("k"))->values[0], "b"));
		catalog_free(&view);
		free(merged("L.xcstrings", buf_slice(&b), "fr", false, &change, 1, NULL));
		catalog_view(&c, S("fr"), &view);
		CHECK(view.n == 2 && slice_is(catalog_find(&view, S("k"))->values[0], "c"));
		catalog_free(&view);
		buf_free(&b);
	}
}

/* What stands in the file tells the conversions; "%1$#@n@" is none, nor "%@" of a number. */
static void
test_xcstrings_specs(void)
{
	struct catalog_change change = CHANGE("k", "{n, plural, one{#} other{# of them}}",
	    "{n, plural, one{# a} other{# b}}");
	char *got = merged("L.xcstrings",
	    S("{\"sourceLanguage\":\"en\",\"strings\":{\"k\":{\"localizations\":{\"fr\":"
	      "{\"stringUnit\":{\"value\":\"%1$x %1$*d %1$@ %1$#@n@\"}}}}}}"),
	    "fr", false, &change, 1, NULL);

	check_has(got, "\"value\":\"%x a\"");
	check_has(got, "\"value\":\"%x b\"");
	CHECK_TEXT(listed(&c), "en:k=k|fr:k={n, plural, one{{n} a} other{{n} b}}");
	free(got);
}

static void
test_xcstrings_template(void)
{
	struct catalog_change changes[] = {CHANGE("Hello %@", "Hello {name}", "Hello {name}"),
	    CHANGE("k", "Text", "Text")};
	struct buf text = {0};
	char *got;

	changes[1].description = S("what it is");
	xcstrings_skeleton(S("en"), S("en"), &text);
	got = merged("L.xcstrings", buf_slice(&text), "en", true, changes, 2, NULL);
	CHECK_TEXT(got,
	    "{\n  \"sourceLanguage\" : \"en\",\n  \"strings\" : {\n"
	    "    \"Hello %@\" : {\n      \"extractionState\" : \"manual\"\n    },\n"
	    "    \"k\" : {\n      \"comment\" : \"what it is\",\n"
	    "      \"extractionState\" : \"manual\",\n      \"localizations\" : {\n"
	    "        \"en\" : {\n          \"stringUnit\" : {\n"
	    "            \"state\" : \"translated\",\n            \"value\" : \"Text\"\n"
	    "          }\n        }\n      }\n    }\n"
	    "  },\n  \"version\" : \"1.0\"\n}\n");
	CHECK_TEXT(listed(&c), "en:Hello %@=Hello %@|en:k=Text");
	free(got);
	buf_free(&text);
}

/* -- what is written is what is read -- */

static const struct catalog_entry *
find(const char *locale)
{
	for (size_t i = 0; i < c.n; i++)
		if (c.format != CATALOG_XCSTRINGS || slice_is(c.entries[i].locale, locale))
			return &c.entries[i];
	return NULL;
}

static struct slice
dup_message(const struct catalog_entry *e)
{
	return (struct slice){xstrndup(e->values[0].ptr, e->values[0].len), e->values[0].len};
}

/* say(source, m) is say(source', m') of what is read of source and m as written. */
static void
check_round(const char *base, const char *locale, const char *source, const char *text)
{
	char name[60];
	struct catalog_change change = {.key = S("key"), .write = true, .source = slice(source),
	    .value = slice(text), .format = "icu", .state = CATALOG_TRANSLATED};
	const struct catalog_kind *kind;
	struct buf skeleton = {0}, said = {0}, again = {0};
	struct catalog_change read = change;
	struct slice value;
	struct err e = {0};
	char *out;

	snprintf(name, sizeof(name), "%s.lproj/%s", locale, base);
	parse(name, S(""), &e);
	kind = catalog_kind(c.format);
	kind->skeleton(slice(locale), S("de"), &skeleton);
	if (kind->say(&change, slice(text), slice(locale), &said, &e) < 0) {
		CHECK(strcmp(e.code, "cannot_say") == 0);
		fprintf(stderr, "%s: %s: %s\n", name, text, e.text);
		CHECK(!"say");
		return;
	}
	/* The source as this format gives it back. */
	change.value = change.source;
	free(merged(name, buf_slice(&skeleton), locale, false, &change, 1, NULL));
	CHECK(find(locale) && find(locale)->nvalues == 1);
	read.source = dup_message(find(locale));
	change.value = slice(text);
	out = merged(name, buf_slice(&skeleton), locale, false, &change, 1, NULL);
	const struct catalog_entry *entry = find(locale);
	CHECK(entry && entry->nvalues == 1);
	read.format = entry->format;
	value = dup_message(entry);
	CHECK(kind->say(&read, value, slice(locale), &again, &e) == 0);
	CHECK(slice_eq(buf_slice(&said), buf_slice(&again)));
	if (!slice_eq(buf_slice(&said), buf_slice(&again)))
		fprintf(stderr, "%s %s: %s\n%s\n%s\n", name, locale, text, text_of(value), out);
	free((char *)(uintptr_t)read.source.ptr);
	free((char *)(uintptr_t)value.ptr);
	free(out);
	buf_free(&skeleton);
	buf_free(&said);
	buf_free(&again);
}

static void
test_rounds(void)
{
	static const char *const locales[] = {"fr", "ar", "ja", "ru", "lv"};
	static const char *const pairs[][2] = {{"a {x} b {y}", "{y} 100% {x}"},
	    {"50% of {n, number}", "{n, number}: 50%"}, {"{x} of {x}", "{x}/{x}"},
	    {"<b>{x}</b>", "l''{x} \n\"q\" \\ /* */"}};
	static const char *const plurals[][2] = {
	    {"{n, plural, one{# a} other{# b}}",
		"{n, plural, zero{z} one{#} two{t} few{# f} many{# m} other{# o%}}"},
	    {"{n, plural, one{# a} other{# of #}}", "{n, plural, one{#} other{# de #}}"},
	    {"{who} has {n, plural, one{a dog} other{# dogs}}",
		"{n, plural, one{{who}: un} other{{who}: #}}"},
	    {"{n, plural, one{a dog of {who}} other{dogs of {who}}}",
		"chez {who} {n, plural, one{un} other{des}}"}};

	for (size_t l = 0; l < sizeof(locales) / sizeof(*locales); l++) {
		for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
			check_round("x.strings", locales[l], pairs[i][0], pairs[i][1]);
			check_round("x.xcstrings", locales[l], pairs[i][0], pairs[i][1]);
		}
		for (size_t i = 0; i < sizeof(plurals) / sizeof(*plurals); i++) {
			check_round("x.stringsdict", locales[l], plurals[i][0], plurals[i][1]);
			check_round("x.xcstrings", locales[l], plurals[i][0], plurals[i][1]);
		}
	}
	check_round("x.strings", "fr", "100%", "100% vrai");
	check_round("x.strings", "fr", "a", "50%d %% x");
}

static void
test_cannot(void)
{
	static const char *const texts[] = {"{g, select, other{x}}", "{n, plural, =3{x} other{#}}",
	    "{n, selectordinal, other{#}}", "{d, date}", "{n, plural, offset:1 other{#}}",
	    "{n, plural, other{{m, plural, other{#}}}}"};
	static const char *const names[] = {"x.strings", "x.xcstrings"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		for (size_t k = 0; k < 2; k++) {
			struct catalog_change change = {.key = S("k"), .source = slice(texts[i]),
			    .format = "icu"};
			struct buf out = {0};
			struct err e = {0};
			parse(names[k], S(""), &e);
			e = (struct err){0};
			CHECK(catalog_kind(c.format)->say(
				  &change, change.source, S("en"), &out, &e) < 0);
			CHECK(e.code && strcmp(e.code, "cannot_say") == 0);
			buf_free(&out);
		}
}

int
main(void)
{
	test_strings_read();
	test_strings_broken();
	test_strings_merge();
	test_strings_marks();
	test_strings_utf16();
	test_stringsdict_read();
	test_stringsdict_merge();
	test_stringsdict_marks();
	test_xcstrings_read();
	test_xcstrings_merge();
	test_forms_twice();
	test_xcstrings_spellings();
	test_xcstrings_specs();
	test_xcstrings_template();
	test_rounds();
	test_cannot();
	catalog_free(&c);
	return check_done();
}
