/* .strings and .stringsdict: read, merged, and read again. */
#include "common/format/strings.h"
#include "common/format/stringsdict.h"
#include "common/format/utf16.h"

#include "tests/unit/apple_text.h"

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
	catalog_free(&c);
	return check_done();
}
