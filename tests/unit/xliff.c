/* XLIFF: units as messages, inline codes, states, and what stays. */
#include "common/format/xliff.h"

#include "tests/unit/check.h"

#include <stdlib.h>

static struct catalog c;
static struct err e;
static struct buf out;

#define HEAD                                                                                \
	"<xliff xmlns=\"urn:oasis:names:tc:xliff:document:2.0\" version=\"2.1\" srcLang=\"en\"" \
	" trgLang=\"fr\">\n<file id=\"f\">\n"
#define FOOT "</file>\n</xliff>\n"

static int
parse(const char *text)
{
	catalog_free(&c);
	return catalog_parse("app.fr.xlf", CATALOG_AUTO, slice(text), &c, &e);
}

/* The only unit of these segments, with its original data. */
static const struct catalog_entry *
unit(const char *type, const char *inside)
{
	buf_reset(&out);
	buf_addf(&out, HEAD "<unit id=\"u\"%s>%s</unit>\n" FOOT, type, inside);
	return parse(out.ptr) == 0 && c.n == 1 ? &c.entries[0] : NULL;
}

#define DATA                                                                              \
	"<originalData><data id=\"d1\">{name}</data><data id=\"d2\">&lt;b></data>"      \
	"<data id=\"d3\">&lt;/b></data></originalData>"

static void
test_codes(void)
{
	const struct catalog_entry *u = unit("",
	    DATA "<segment><source>Hi <pc id=\"1\" dataRefStart=\"d2\" dataRefEnd=\"d3\"><ph "
		 "id=\"2\" dataRef=\"d1\"/></pc></source><target><ph id=\"2\" dataRef=\"d1\"/>, "
		 "<pc id=\"1\" dataRefStart=\"d2\" dataRefEnd=\"d3\">l'</pc></target></segment>");
	CHECK(u && slice_is(u->source, "Hi <b>{name}</b>"));
	/* Without a type an apostrophe is text: in ICU it is doubled before what follows. */
	CHECK(u && slice_is(u->values[0], "{name}, <b>l''</b>"));
	CHECK(u && u->state == CATALOG_TRANSLATED && slice_is(u->key, "u"));
	u = unit("", "<segment><source>a<ph id=\"1\"/>b<cp hex=\"0007\"/><mrk id=\"m\" "
		     "type=\"term\">c</mrk></source></segment>");
	CHECK(u && slice_is(u->source, "a<ph id=\"1\"/>b\ac") && u->state == CATALOG_MISSING);
	/* No character is none in original data either. */
	u = unit("", "<originalData><data id=\"d\">a<cp hex=\"0000\"/>b<cp hex=\"110000\"/>"
		     "<cp hex=\"7\"/></data></originalData>"
		     "<segment><source><ph id=\"1\" dataRef=\"d\"/></source></segment>");
	CHECK(u && slice_is(u->source, "ab\a"));
	u = unit(" type=\"kandil:icu\"",
	    DATA "<segment><source>l''<ph id=\"2\" dataRef=\"d1\"/></source></segment>");
	CHECK(u && slice_is(u->source, "l''{name}"));
}

static enum catalog_state
state(const char *said, bool *stale)
{
	struct buf b = {0};

	buf_addf(&b, "<segment%s><source>a</source><target>b</target></segment>", said);
	const struct catalog_entry *u = unit("", b.ptr);
	buf_free(&b);
	*stale = false;
	CHECK(u);
	if (!u)
		return CATALOG_MISSING;
	*stale = u->stale;
	return u->state;
}

static void
test_states(void)
{
	static const struct {
		const char *said;
		enum catalog_state state;
		bool stale;
	} known[] = {{"", CATALOG_TRANSLATED, false},
	    {" state=\"initial\"", CATALOG_DRAFT, false},
	    {" state=\"initial\" subState=\"kandil:stale\"", CATALOG_TRANSLATED, true},
	    {" state=\"initial\" subState=\"kandil:stale-fuzzy\"", CATALOG_FUZZY, true},
	    {" state=\"translated\" subState=\"kandil:fuzzy\"", CATALOG_FUZZY, false},
	    /* Somebody confirmed it, whatever is left of ours. */
	    {" state=\"translated\" subState=\"kandil:draft\"", CATALOG_TRANSLATED, false},
	    {" state=\"reviewed\" subState=\"kandil:stale\"", CATALOG_APPROVED, false},
	    {" state=\"final\" subState=\"x:y\"", CATALOG_APPROVED, false},
	    /* With the hash of "b"; with another a person wrote that since. */
	    {" state=\"initial\" subState=\"kandil:draft-8b22cf2602fb60ce\"", CATALOG_DRAFT, false},
	    {" state=\"initial\" subState=\"kandil:stale-8b22cf2602fb60ce\"", CATALOG_TRANSLATED, true},
	    {" state=\"initial\" subState=\"kandil:draft-0000000000000000\"",
		CATALOG_TRANSLATED, false},
	    {" state=\"initial\" subState=\"kandil:stale-fuzzy-0000000000000000\"",
		CATALOG_TRANSLATED, false}};
	bool stale;

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		CHECK(state(known[i].said, &stale) == known[i].state);
		CHECK(stale == known[i].stale);
	}
	/* The least of all segments counts; one without a target is none. */
	const struct catalog_entry *u = unit("",
	    "<segment state=\"final\"><source>A.</source><target>B.</target></segment>"
	    "<ignorable><source> </source></ignorable>"
	    "<segment state=\"initial\"><source>C</source><target>D</target></segment>");
	CHECK(u && slice_is(u->source, "A. C") && slice_is(u->values[0], "B. D"));
	CHECK(u && u->state == CATALOG_DRAFT);
}

/* What stands within another of its kind has no place to be written to. */
static void
test_nested(void)
{
	static const char *const bad[] = {
	    "<unit id=\"a\"><unit id=\"b\"/></unit>",
	    "<unit id=\"a\"><segment><segment><source>x</source></segment></segment></unit>",
	    "<unit id=\"a\"><segment><source>x</source><source>y</source></segment></unit>",
	    "<unit id=\"a\"><segment><source>x</source><target>y</target><target/></segment></unit>"};
	struct buf b = {0};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		buf_reset(&b);
		buf_addf(&b, "<xliff version=\"2.0\" srcLang=\"en\" trgLang=\"fr\"><file id=\"f\">"
			     "%s</file></xliff>", bad[i]);
		CHECK(parse(b.ptr) < 0);
	}
	buf_free(&b);
}

static void
test_faults(void)
{
	CHECK(parse("<xliff version=\"2.0\" srcLang=\"en\"><file id=\"f\">"
		    "<unit id=\"a b\"><segment><source><ph id=\"1\" dataRef=\"x\"/></source>"
		    "<target>y</target></segment></unit><unit id=\"c\"/><unit id=\"c\"/>"
		    "</file></xliff>") == 0);
	CHECK(c.nfaults == 4);
	CHECK_TEXT(c.faults[0].rule, "bad-id");
	CHECK_TEXT(c.faults[1].rule, "dangling-data");
	CHECK_TEXT(c.faults[2].rule, "bad-id");
	CHECK_TEXT(c.faults[3].rule, "missing-locale");
	CHECK(parse("<xliff version=\"1.2\"><file/></xliff>") < 0);
	CHECK_TEXT(e.code, "bad_catalog");
	CHECK(parse("<?xml version='1.0' encoding='latin1'?><xliff version=\"2.0\"/>") < 0);
	CHECK_TEXT(e.code, "bad_charset");
}

static struct catalog made;

/* Merges one change into c; the entry that the new file has. */
static const struct catalog_entry *
merge(struct catalog_change change)
{
	struct catalog_merge how = {.locale = S("fr"), .source_locale = S("en"),
	    .changes = &change, .n = 1};

	buf_reset(&out);
	CHECK(xliff_merge(&c, &how, &out, &e) == 0);
	catalog_free(&made);
	CHECK(catalog_parse("app.fr.xlf", CATALOG_XLIFF, buf_slice(&out), &made, &e) == 0);
	return catalog_find(&made, change.key);
}

/* Whatever the message: what is written reads back, new and merged. */
static void
test_round_trip(void)
{
	static const struct {
		const char *format, *source, *target;
	} messages[] = {{"icu", "Hi {name}, {n, plural, one{# <b>a</b>} other{# {name}}}",
			    "{n, plural, one{# <b>a</b>} other{# {name}}} {name} l''{name}"},
	    {"icu", "<b>a</b> <i>b</i>", "<i>a</i> <b>b</b>"},
	    {"icu", "<b>a <i>b</i></b>", "<b>a <i>b</b></i>"},
	    {"icu", "{a} {b}", "{b} {a} {a}"}, {"printf", "%s of %d", "%2$d de %1$s"},
	    {"i18next", "{{a}} $t(b)", "$t(b) {{- a}} {{a}}"},
	    {"plain", " {a} \n\t\x01 ]]> &amp; ", " b\x02 "},
	    {"icu", "<a href=\"{url}\">x</a>", "<a href=\"{url}\">y</a>"}};

	for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
		struct catalog_change change = {.key = S("the key"), .write = true,
		    .source = slice(messages[i].source), .value = slice(messages[i].source),
		    .format = messages[i].format, .state = CATALOG_FUZZY, .description = S("d--")};
		CHECK(parse(HEAD "  " FOOT) == 0);
		for (int again = 0; again < 2; again++) {
			const struct catalog_entry *u = merge(change);
			CHECK(u && slice_eq(u->source, change.source));
			CHECK(u && slice_eq(u->values[0], change.value));
			CHECK(u && u->state == CATALOG_FUZZY && slice_is(u->comment, "d--"));
			CHECK(u && strcmp(u->format, change.format) == 0);
			change.value = slice(messages[i].target);
			CHECK(parse(out.ptr) == 0);
		}
		/* The source changes and the translation stays. */
		change.old_source = change.source;
		change.source = S("another {name}");
		change.keep_text = change.stale = true;
		change.value = c.entries[0].values[0];
		const struct catalog_entry *u = merge(change);
		CHECK(u && u->stale && slice_eq(u->source, change.source));
		CHECK(u && slice_is(u->values[0], messages[i].target));
	}
}

static void
test_stays(void)
{
	struct catalog_change change = {.key = S("u"), .write = true, .source = S("A"),
	    .value = S("B <ph id=\"1\"/>"), .format = "icu", .state = CATALOG_APPROVED};

	unit(" my:x='1'", "<!-- c --><segment id='s' canResegment=\"no\"><source>A"
			  "<ph id=\"1\"/></source>"
			  "</segment>");
	merge(change);
	CHECK(strstr(out.ptr, "<unit id=\"u\" my:x='1'><!-- c -->"
			      "<segment state=\"reviewed\" id='s' "
			      "canResegment=\"no\"><source>A<ph id=\"1\"/></source><target>B <ph "
			      "id=\"1\"/></target></segment></unit>"));
	/* A new file says its target language when there is one. */
	CHECK(parse("<xliff version=\"2.0\" srcLang=\"en\"><file id=\"f\">\n</file></xliff>") == 0);
	merge(change);
	CHECK(strstr(out.ptr, "<xliff trgLang=\"fr\" version"));
}

int
main(void)
{
	test_codes();
	test_states();
	test_nested();
	test_faults();
	test_round_trip();
	test_stays();
	catalog_free(&c);
	catalog_free(&made);
	buf_free(&out);
	return check_done();
}
