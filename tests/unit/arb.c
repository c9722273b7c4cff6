/* Reading ARB with spans, and merging by splices. */
#include "common/format/arb.h"

#include "tests/unit/catalog_text.h"
#include "tests/unit/check.h"

#include <stdlib.h>

static struct catalog c;

static int
parse(const char *text)
{
	struct err e;

	catalog_free(&c);
	return catalog_parse("app_ar.arb", CATALOG_ARB, slice(text), &c, &e);
}

static void
test_read(void)
{
	const char *text =
	    "\xef\xbb\xbf{\n  \"@@locale\": \"fr_CA\", \"é\": \"a\\u00e9\\\"b\",\r\n"
	    "\t\"@k\": {\"description\": \"d\"}, \"k\" : \"v\", \"@@x-kandil\": {\"k\": "
	    "{\"status\": \"draft\", \"stale\": true, \"source\": \"ab\"}}}";

	CHECK(parse(text) == 0);
	CHECK(c.bom);
	CHECK(c.n == 2);
	CHECK(c.nfaults == 0);
	CHECK_TEXT(text_of(c.locale), "fr_CA");
	CHECK_TEXT(text_of(c.entries[0].key), "é");
	CHECK_TEXT(text_of(c.entries[0].values[0]), "aé\"b");
	CHECK(c.entries[0].line == 2 && c.entries[0].column == 24);
	CHECK(memcmp(text + c.entries[0].span.start, "\"é\": \"a", 8) == 0);
	CHECK(text[c.entries[0].span.end] == ',');
	CHECK_TEXT(text_of(c.entries[1].comment), "d");
	CHECK(c.entries[1].state == CATALOG_DRAFT && c.entries[1].stale);
	CHECK_TEXT(text_of(c.entries[1].was_hash), "ab");
	CHECK(memcmp(text + c.entries[1].meta_span.start, "\"@k\"", 4) == 0);
	CHECK(catalog_find(&c, S("k")) == &c.entries[1]);
	CHECK(catalog_find(&c, S("none")) == NULL);
}

static void
test_faults(void)
{
	struct err e = {0};

	CHECK(parse("{\"a\": \"1\", \"b\": 2, \"a\": \"3\", \"@z\": {}, \"@@x-kandil\": 1}") == 0);
	CHECK(c.nfaults == 4);
	CHECK_TEXT(c.faults[0].rule, "not-text");
	CHECK_TEXT(c.faults[1].rule, "duplicate-key");
	CHECK(c.faults[1].entry == 1);
	CHECK_TEXT(c.faults[2].rule, "orphan-metadata");
	CHECK_TEXT(c.faults[3].rule, "bad-state");
	CHECK_TEXT(text_of(catalog_find(&c, S("a"))->values[0]), "3");
	CHECK(parse("[]") < 0);
	catalog_free(&c);
	CHECK(catalog_parse("x.arb", CATALOG_AUTO, S("{\n \"a\": \"é\" oops}"), &c, &e) < 0);
	CHECK_TEXT(e.code, "not_json");
	CHECK(e.line == 2 && e.column == 11);
	catalog_free(&c);
	CHECK(catalog_parse("x.arb", CATALOG_AUTO, S("{\"a\": \"\xff\"}"), &c, &e) < 0);
	CHECK_TEXT(e.code, "bad_utf8");
}

static void
test_locale_names(void)
{
	static const char *const pairs[][2] = {{"app_en.arb", "en"},
	    {"lib/l10n/app_fr_CA.arb", "fr_CA"}, {"intl_zh_Hant_TW.arb", "zh_Hant_TW"},
	    {"po/ar.po", "ar"}, {"po/app.pot", ""}, {"locale/pt_BR/LC_MESSAGES/app.po", "pt_BR"},
	    {"fr/app.po", ""}, {"fr/app.pot", ""}, {"x.de.po", "de"}, {"lib/l10n/strings.arb", ""},
	    {"sr@latin.po", "sr@latin"}};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		CHECK_TEXT(text_of(catalog_name_locale(pairs[i][0])), pairs[i][1]);

	/* A folder tells one below the folder that was asked for, and that itself does not. */
	struct catalog found;
	CHECK(catalog_parse("src/fr/app.arb", CATALOG_ARB, S("{\"a\":\"b\"}"), &found, NULL) == 0);
	catalog_take_folder(&found, 6);
	CHECK_TEXT(text_of(found.locale), "");
	catalog_take_folder(&found, 3);
	CHECK_TEXT(text_of(found.entries[0].locale), "fr");
	catalog_free(&found);
}

static void
test_keys(void)
{
	CHECK(arb_key_fault(S("helloWorld_2")) == NULL);
	CHECK(arb_key_fault(S("")) && arb_key_fault(S("Hello")) && arb_key_fault(S("_x")));
	CHECK(arb_key_fault(S("2x")) && arb_key_fault(S("a-b")) && arb_key_fault(S("é")));
	CHECK(arb_key_fault(S("class")) && !arb_key_fault(S("classes")));
}

/* Merges the changes into text; the result, to be freed. */
static char *
merge(const char *text, const struct catalog_change *changes, size_t n, bool metadata)
{
	struct buf out = {0};

	CHECK(parse(text) == 0);
	arb_merge(&c, changes, n, metadata, &out);
	CHECK(parse(out.ptr) == 0);
	return buf_detach(&out);
}

static struct catalog_change
change(const char *key, const char *value)
{
	return (struct catalog_change){.key = slice(key),
	    .write = value != NULL,
	    .value = slice(value),
	    .state = CATALOG_TRANSLATED};
}

static void
check_merge(const char *text, const struct catalog_change *changes, size_t n, const char *want)
{
	char *got = merge(text, changes, n, false);

	CHECK_TEXT(got, want);
	free(got);
}

static void
test_merge(void)
{
	struct catalog_change same[] = {change("a", NULL), change("b", NULL)};
	struct catalog_change one[] = {change("a", NULL), change("n", "x\ny"), change("b", "B2")};
	struct catalog_change new[] = {change("x", "1"), change("y", "2")};

	check_merge("{ \"a\" :1e3 , \"b\":\"\\u0042\"  }\n", same, 2,
	    "{ \"a\" :1e3 , \"b\":\"\\u0042\"  }\n");
	/* In the file's own style: behind the message before it, with its colon and comma. */
	check_merge("{\r\n\t\"a\" : \"A\",\r\n\t\"@a\": {},\r\n\t\"b\" : \"B\"\r\n}", one, 3,
	    "{\r\n\t\"a\" : \"A\",\r\n\t\"@a\": {},\r\n\t\"n\" : \"x\\ny\",\r\n\t\"b\" : "
	    "\"B2\"\r\n}");
	check_merge(
	    "{\"a\":\"A\",\"b\":\"B\"}", one, 3, "{\"a\":\"A\",\"n\":\"x\\ny\",\"b\":\"B2\"}");
	check_merge("{}", new, 2, "{\n  \"x\": \"1\",\n  \"y\": \"2\"\n}");
	check_merge("{\n    \"@@x-other\": [1]\n}\n", new, 2,
	    "{\n    \"@@x-other\": [1],\n    \"x\": \"1\",\n    \"y\": \"2\"\n}\n");
	/* A sorted file stays sorted. */
	struct catalog_change sorted[] = {change("z", "Z"), change("bb", "BB")};
	check_merge("{\"a\":\"\",\"b\":\"\",\"c\":\"\",\"d\":\"\",\"e\":\"\"}", sorted, 2,
	    "{\"a\":\"\",\"b\":\"\",\"bb\":\"BB\",\"c\":\"\",\"d\":\"\",\"e\":\"\",\"z\":\"Z\"}");
}

static void
test_states(void)
{
	struct catalog_change draft[] = {change("b", "B"), change("a", "A")};
	struct catalog_change approve[] = {change("a", "A"), change("b", "B")};
	char *got, *again;

	draft[0].state = CATALOG_DRAFT;
	draft[0].was_hash = S("0123456789abcdef");
	draft[1].stale = true;
	got = merge("{\n  \"@@locale\": \"ar\"\n}\n", draft, 2, false);
	CHECK_TEXT(got,
	    "{\n  \"@@locale\": \"ar\",\n  \"b\": \"B\",\n  \"a\": \"A\",\n"
	    "  \"@@x-kandil\": {\n    \"a\": {\"stale\": true, \"text\": \"ebd11618f299a286\"},\n"
	    "    \"b\": {\"source\": \"0123456789abcdef\", \"status\": \"draft\", "
	    "\"text\": \"ef35774e6d314e91\"}\n  }\n}\n");
	CHECK(catalog_find(&c, S("b"))->state == CATALOG_DRAFT);
	again = merge(got, draft, 2, false);
	CHECK_TEXT(again, got);
	free(again);
	/* When all is translated the member goes, and leaves no trace. */
	again = merge(got, approve, 2, false);
	CHECK_TEXT(again, "{\n  \"@@locale\": \"ar\",\n  \"b\": \"B\",\n  \"a\": \"A\"\n}\n");
	free(again);
	free(got);
}

/* Members are replaced, removed and put in one by one, in any style; a person's stay. */
static void
test_state_splices(void)
{
	struct catalog_change some[] = {change("d", "D"), change("a", "A"), change("x", "X")};
	char *got;

	some[0].state = some[2].state = CATALOG_DRAFT;
	got = merge("{\"@@x-kandil\":{\"_note\":[1 ],\"a\":{\"stale\":true},\"gone\":{\"stale\":true},"
		    "\"k\":{\"t\" : 1,\"status\":\"draft\",\"text\":\"0\"} , \"z\":7},"
		    "\"a\":\"\",\"d\":\"\",\"k\":\"K\"}",
	    some, 3, false);
	CHECK_TEXT(got, "{\"@@x-kandil\":{\"_note\":[1 ],"
			"\"d\":{\"status\":\"draft\",\"text\":\"96f57966bedc81b4\"},"
			"\"k\":{\"t\" : 1},"
			"\"x\":{\"status\":\"draft\",\"text\":\"78acf4525d8a74c4\"} , \"z\":7},"
			"\"a\":\"A\",\"x\":\"X\",\"d\":\"D\",\"k\":\"K\"}");
	free(got);
	/* Nothing else in the file, and nothing left of it. */
	got = merge("{ \"@@x-kandil\": {\"gone\": {\"stale\": true}}}", some + 1, 1, false);
	CHECK_TEXT(got, "{\"a\": \"A\"}");
	free(got);
}

static void
test_metadata(void)
{
	struct catalog_change hello = change("hello", "Hi {name} {n}");
	char *got;

	hello.description = S("greets");
	hello.placeholders =
	    S("[{\"name\":\"name\",\"expr\":\"user.name\",\"type\":\"User?\"},"
	      "{\"name\":\"n\",\"type\":\"int\",\"example\":\"3\"}]");
	got = merge("{\n  \"x\": \"1\"\n}\n", &hello, 1, true);
	CHECK_TEXT(got, "{\n  \"x\": \"1\",\n  \"hello\": \"Hi {name} {n}\",\n  \"@hello\": {\n"
			"    \"description\": \"greets\",\n    \"placeholders\": {\n"
			"      \"name\": {},\n      \"n\": {\n        \"type\": \"int\",\n"
			"        \"example\": \"3\"\n      }\n    }\n  }\n}\n");
	free(got);
	/* What is declared already stays; only what is new is added. */
	got = merge("{\"hello\":\"Hi\",\"@hello\":{\"placeholders\":{\"n\":{\"type\":\"num\"}}}}",
	    &hello, 1, true);
	CHECK_TEXT(got,
	    "{\"hello\":\"Hi {name} {n}\",\"@hello\":{\"placeholders\":{\"n\":{\"type\":"
	    "\"num\"},\"name\":{}}}}");
	free(got);
	/* A new name takes the old one's place, and what was declared with it. */
	struct catalog_rename rename = {S("who"), S("name")};
	hello.renames = &rename;
	hello.nrenames = 1;
	got =
	    merge("{\"hello\":\"Hi\",\"@hello\":{\"placeholders\":{\"who\":{\"example\":\"E\"}}}}",
		&hello, 1, true);
	CHECK_TEXT(got,
	    "{\"hello\":\"Hi {name} {n}\",\"@hello\":{\"placeholders\":{\"name\":{\"example\":"
	    "\"E\"},\"n\":{\"type\":\"int\",\"example\":\"3\"}}}}");
	free(got);
	hello.nrenames = 0;
	got = merge("{\"hello\":\"Hi\",\"@hello\":{}}", &hello, 1, true);
	CHECK_TEXT(got,
	    "{\"hello\":\"Hi {name} {n}\",\"@hello\":{\"placeholders\":{\"name\":{},\"n\":"
	    "{\"type\":\"int\",\"example\":\"3\"}}}}");
	free(got);
}

int
main(void)
{
	test_read();
	test_faults();
	test_locale_names();
	test_keys();
	test_merge();
	test_states();
	test_state_splices();
	test_metadata();
	catalog_free(&c);
	return check_done();
}
