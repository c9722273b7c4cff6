/* .xcstrings: read, merged, and read again. */
#include "common/format/xcstrings.h"

#include "tests/unit/apple_text.h"

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

int
main(void)
{
	test_xcstrings_read();
	test_xcstrings_merge();
	test_forms_twice();
	test_xcstrings_spellings();
	test_xcstrings_specs();
	test_xcstrings_template();
	catalog_free(&c);
	return check_done();
}
