/* TMX: units into entries, streamed; entities refused. */
#include "common/format/tmx.h"

#include "tests/unit/check.h"

#include <stdlib.h>

static struct catalog c;
static struct err e;

static int
parse(const char *text)
{
	catalog_free(&c);
	return catalog_parse("memory.tmx", CATALOG_AUTO, slice(text), &c, &e);
}

static void
test_units(void)
{
	CHECK(
	    parse("<?xml version='1.0'?>\n<tmx version='1.4'><header srclang='en'/><body>\n"
		  "<tu tuid='k'><tuv xml:lang='fr'><seg>Fermer &amp; <![CDATA[<ok>]]></seg></tuv>\n"
		  "<tuv xml:lang='en-US'><seg>Close</seg></tuv><tuv lang='ar'><seg/></tuv></tu>\n"
		  "<tu><tuv xml:lang='en'><seg>a<ph x='1'>x<sub>y</sub></ph><hi>b</hi></seg></tuv>"
		  "<tuv xml:lang='de'><seg>c</seg></tuv></tu>"
		  "<tu><tuv xml:lang='en'><seg>alone</seg></tuv></tu></body></tmx>") == 0);
	CHECK(c.format == CATALOG_TMX && c.n == 4);
	CHECK(slice_is(c.source_locale, "en"));
	CHECK(slice_is(c.entries[0].source, "Close") && slice_is(c.entries[0].locale, "fr"));
	CHECK(slice_is(c.entries[0].values[0], "Fermer & <ok>"));
	CHECK(slice_is(c.entries[0].key, "k") && c.entries[0].line == 3);
	CHECK(c.entries[0].state == CATALOG_TRANSLATED);
	CHECK(c.entries[1].state == CATALOG_MISSING && slice_is(c.entries[1].locale, "ar"));
	/* A code that says nothing we know is a tag of its own. */
	CHECK(slice_is(c.entries[2].source, "a<ph x=\"1\"/>b"));
	CHECK(c.entries[2].state == CATALOG_TRANSLATED);
	CHECK(slice_eq(c.entries[2].key, c.entries[2].source));
	CHECK(slice_is(c.entries[3].source, "alone") && c.entries[3].nvalues == 0);
	CHECK(c.entries[3].state == CATALOG_MISSING && c.entries[3].locale.len == 0);
}

/* A code that is one placeholder or tag of some grammar says that; and only then. */
static void
test_codes(void)
{
	static const struct {
		const char *code, *text;
	} cases[] = {{"{key}", "{key}"}, {"%1$s", "%1$s"}, {"%@", "%@"}, {"{{name}}", "{{name}}"},
	    {"&lt;b&gt;", "<b>"}, {"&lt;/a&gt;", "</a>"}, {"&lt;br/&gt;", "<br/>"},
	    {"&lt;0&gt;", "<0>"}, {"", "<it i=\"7\"/>"}, {"%", "<it i=\"7\"/>"},
	    {"{a}{b}", "<it i=\"7\"/>"}, {"a {b}", "<it i=\"7\"/>"},
	    {"{n, plural, other{x}}", "<it i=\"7\"/>"}, {"&lt;b", "<it i=\"7\"/>"}};
	struct buf b = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		buf_reset(&b);
		buf_addf(&b, "<tmx><header srclang='en'/><body><tu><tuv lang='en'><seg>"
			     "<it i='7'>%s</it></seg></tuv></tu></body></tmx>", cases[i].code);
		CHECK(parse(b.ptr) == 0 && c.n == 1);
		if (!slice_is(c.entries[0].source, cases[i].text))
			CHECK_TEXT(c.entries[0].source.ptr, cases[i].text);
	}
	buf_free(&b);
}

/* The property's words, and what an edit of either text makes of them. */
static void
test_status(void)
{
	static const struct {
		const char *words;
		enum catalog_state state;
		bool stale, edited;
	} cases[] = {
	    {"draft", CATALOG_DRAFT, false, false},
	    {"stale", CATALOG_TRANSLATED, true, false},
	    {"stale-fuzzy", CATALOG_FUZZY, true, false},
	    {"draft source=779aeef03935e9f3 text=d981d1ab5eac7e65", CATALOG_DRAFT, false, false},
	    {"stale source=779aeef03935e9f3", CATALOG_TRANSLATED, false, false},
	    {"draft source=0000000000000000", CATALOG_DRAFT, true, false},
	    {"source=0000000000000000", CATALOG_TRANSLATED, true, false},
	    {"draft stale source=0000000000000000 text=0000000000000000", CATALOG_TRANSLATED, false,
		true},
	    {"unheard of", CATALOG_TRANSLATED, false, false}};
	struct buf b = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		buf_reset(&b);
		buf_addf(&b, "<tmx><header srclang='en'/><body><tu><tuv lang='en'><seg>Open</seg>"
			     "</tuv><tuv lang='it'><prop type='" TMX_STATUS "'>%s</prop>"
			     "<seg>Apri</seg></tuv></tu></body></tmx>", cases[i].words);
		CHECK(parse(b.ptr) == 0 && c.n == 1);
		CHECK(c.entries[0].state == cases[i].state);
		CHECK(c.entries[0].stale == cases[i].stale);
		CHECK(c.entries[0].edited == cases[i].edited);
	}
	buf_free(&b);
}

static void
test_refused(void)
{
	CHECK(parse("<!DOCTYPE tmx [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>"
		    "<tmx><body><tu><tuv lang='en'><seg>&b;</seg></tuv></tu></body></tmx>") < 0);
	CHECK_TEXT(e.code, "entities_refused");
	CHECK(parse("<tmx><body><tu></body></tmx>") < 0);
	CHECK_TEXT(e.code, "bad_xml");
}

/* More languages than are read: the rest is passed over, not mixed up. */
static void
test_many_variants(void)
{
	struct buf b = {0};

	buf_adds(&b, "<tmx><header srclang='en'/><body><tu><tuv lang='en'><seg>s</seg></tuv>");
	for (int i = 0; i < 100; i++)
		buf_addf(&b, "<tuv lang='x%d'><seg>t%d</seg></tuv>", i, i);
	buf_adds(&b, "</tu></body></tmx>");
	CHECK(parse(b.ptr) == 0 && c.n == 63);
	CHECK(slice_is(c.entries[62].values[0], "t62") && slice_is(c.entries[62].locale, "x62"));
	buf_free(&b);
}

static int
count(const struct catalog *seen, const struct catalog_entry *entry, void *state)
{
	size_t *n = state;

	(void)seen;
	CHECK(entry->nvalues == 1);
	++*n;
	return 0;
}

static void
test_visit(void)
{
	char name[] = "/tmp/kandil-tmx-XXXXXX";
	FILE *file = fdopen(mkstemp(name), "w");
	size_t n = 0;

	fprintf(file, "<tmx><header srclang='en'/><body>");
	for (int i = 0; i < 5000; i++)
		fprintf(file,
		    "<tu><tuv lang='en'><seg>s%d</seg></tuv><tuv lang='fr'><seg>t</seg></tuv></tu>",
		    i);
	fprintf(file, "</body></tmx>");
	CHECK(fclose(file) == 0);
	CHECK(catalog_visit(name, CATALOG_TMX, count, &n, &e) == 0);
	CHECK(n == 5000);
	remove(name);
}

/* What is written reads back; one language after the other into one file. */
static void
test_merge(void)
{
	static const struct {
		const char *locale, *value;
		enum catalog_state state;
		bool stale;
	} turns[] = {{"fr", "Bonjour {name} l''{x}", CATALOG_TRANSLATED, false},
	    {"ar", "{name} <x> & y", CATALOG_DRAFT, false},
	    {"fr", "Salut {name}", CATALOG_FUZZY, true}};
	struct buf file = {0}, out = {0};

	tmx_skeleton(S("fr"), S("en"), &file);
	for (size_t i = 0; i < sizeof(turns) / sizeof(*turns); i++) {
		struct catalog_change changes[] = {
		    {.key = S("k"), .write = true, .source = S("Hi {name}"), .format = "icu",
			.value = slice(turns[i].value), .state = turns[i].state,
			.stale = turns[i].stale},
		    {.key = S("plain"), .write = true, .source = S("{x}"), .format = "plain",
			.value = S("{y}"), .state = CATALOG_TRANSLATED}};
		struct catalog_merge how = {.locale = slice(turns[i].locale),
		    .source_locale = S("en"), .changes = changes, .n = 2};
		struct catalog view;
		struct buf text = {0};

		CHECK(parse(file.ptr) == 0);
		buf_reset(&out);
		CHECK(tmx_merge(&c, &how, &out, &e) == 0);
		buf_reset(&file);
		buf_addslice(&file, buf_slice(&out));
		CHECK(parse(file.ptr) == 0);
		catalog_view(&c, how.locale, &view);
		CHECK(view.n == 2 && catalog_message(&view, &view.entries[0], &text));
		CHECK_TEXT(text.ptr, turns[i].value);
		CHECK(view.entries[0].state == turns[i].state);
		CHECK(view.entries[0].stale == turns[i].stale);
		CHECK_TEXT(view.entries[1].format, "plain");
		CHECK(slice_is(view.entries[1].values[0], "{y}"));
		catalog_free(&view);
		buf_free(&text);
	}
	CHECK(c.n == 4); /* two units in two languages */
	buf_free(&file);
	buf_free(&out);
}

/* A property holds text alone: what else lies in it is no unit, and no place to write to. */
static void
test_elements_in_property(void)
{
	static const char *const files[] = {
	    "<tmx><header srclang='en'/><body><tu tuid='k'><tuv lang='en'><seg>a</seg></tuv>"
	    "<tuv lang='fr'><prop type='x-kandil-status'>dra<tu tuid='l'/>ft</prop>"
	    "<seg>b</seg></tuv></tu></body></tmx>",
	    "<tmx><header srclang='en'/><body><tu tuid='k'><prop type='x'><tuv lang='fr'>"
	    "<seg>c</seg></tuv></prop><tuv lang='en'><seg>a</seg></tuv>"
	    "<tuv lang='fr'><prop type='x-kandil-status'>draft</prop><seg>b</seg></tuv></tu>"
	    "</body></tmx>"};
	struct catalog_change change = {.key = S("k"), .source = S("a"), .value = S("d"),
	    .format = "plain", .write = true, .state = CATALOG_TRANSLATED};
	struct catalog_merge how = {.locale = S("fr"), .source_locale = S("en"),
	    .changes = &change, .n = 1};
	struct buf out = {0};

	for (size_t i = 0; i < 2; i++) {
		CHECK(parse(files[i]) == 0 && c.n == 1);
		CHECK(slice_is(c.entries[0].key, "k") && slice_is(c.entries[0].values[0], "b"));
		CHECK(c.entries[0].state == CATALOG_DRAFT);
		CHECK(tmx_merge(&c, &how, &out, &e) < 0 && strcmp(e.code, "bad_catalog") == 0);
	}
	buf_free(&out);
}

/* Merges a French text of "k" into a file of these units, and reads that. */
static void
merge_french(const char *header, const char *units, const char *want)
{
	struct catalog_change change = {.key = S("k"), .source = S("a"), .value = S("d"),
	    .format = "plain", .write = true, .state = CATALOG_DRAFT};
	struct catalog_merge how = {.locale = S("fr"), .source_locale = S("en"),
	    .changes = &change, .n = 1};
	struct buf file = {0}, out = {0};
	struct catalog view;

	buf_addf(&file, "<tmx><header%s/><body>%s</body></tmx>", header, units);
	CHECK(parse(file.ptr) == 0 && tmx_merge(&c, &how, &out, &e) == 0);
	buf_adds(&out, "");
	CHECK(parse(out.ptr) == 0);
	catalog_view(&c, S("fr"), &view);
	CHECK(view.n == 1 && slice_is(view.entries[0].key, "k"));
	CHECK(view.n == 1 && slice_is(view.entries[0].source, want));
	CHECK(view.n == 1 && view.entries[0].nvalues && slice_is(view.entries[0].values[0], "d"));
	CHECK(view.n == 1 && view.entries[0].state == CATALOG_DRAFT && !view.entries[0].stale);
	catalog_free(&view);
	buf_free(&file);
	buf_free(&out);
}

/* What a file says of sources is no obstacle to a translation. */
static void
test_sources(void)
{
	static const char english[] = " srclang='en'";

	/* A unit without texts is nobody's: the key gets one of its own. */
	merge_french(english, "<tu tuid='k'></tu>", "a");
	/* So does one whose source the language is. */
	merge_french(english, "<tu tuid='k' srclang='fr'><tuv lang='de'><seg>x</seg></tuv></tu>", "a");
	/* A translation that stands alone gets its source, and is not overwritten as one. */
	merge_french(english, "<tu tuid='k'><tuv lang='FR'><seg>x</seg></tuv></tu>", "a");
	merge_french("", "<tu tuid='k'><tuv lang='fr'><seg>x</seg></tuv></tu>", "a");
	merge_french("", "<tu tuid='k'><tuv lang='fr'><seg>x</seg></tuv><tuv lang='de'><seg>y</seg>"
			 "</tuv></tu>", "a");
	merge_french("", "<tu tuid='k'><tuv lang='fr'><seg>x</seg></tuv><tuv lang='en'><seg>y</seg>"
			 "</tuv></tu>", "y");
	/* "*all*" is no language: neither of a new unit, nor of one whose second text is English. */
	merge_french(" srclang='*all*'", "\n", "a");
	CHECK(!strstr(c.content.ptr, "lang=\"*all*\""));
	merge_french(" srclang='*all*'", "<tu tuid='k'><tuv lang='fr'><seg>x</seg></tuv>"
	    "<tuv lang='en'><seg>y</seg></tuv></tu>", "y");
	/* A variant without a text gets it. */
	merge_french(english, "<tu tuid='k'><tuv lang='en'><seg>b</seg></tuv><tuv lang='fr'/></tu>", "b");
	merge_french(english, "<tu tuid='k'><tuv lang='en'><seg>b</seg></tuv><tuv lang='fr'>"
			      "<note>n</note></tuv></tu>", "b");
	/* The unit's own source language, where the header has all. */
	merge_french(" srclang='*all*'", "<tu tuid='k' srclang='en'><tuv lang='de'><seg>x</seg></tuv>"
	    "<tuv lang='en'><seg>y</seg></tuv></tu>", "y");
	/* A unit's own "*all*", or nothing, says no more than the header does. */
	const char *all = "<tu tuid='k' srclang='*all*'><tuv lang='fr'><seg>x</seg></tuv>"
			  "<tuv lang='en'><seg>y</seg></tuv></tu>";
	merge_french(english, all, "y");
	CHECK(c.n == 1);
	merge_french(" srclang='*all*'", all, "y");
	merge_french("", "<tu tuid='k' srclang=''><tuv lang='fr'><seg>x</seg></tuv>"
			 "<tuv lang='en'><seg>y</seg></tuv></tu>", "y");
}

int
main(void)
{
	test_merge();
	test_units();
	test_codes();
	test_status();
	test_refused();
	test_many_variants();
	test_elements_in_property();
	test_sources();
	test_visit();
	catalog_free(&c);
	return check_done();
}
