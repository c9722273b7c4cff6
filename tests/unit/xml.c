/* xml: events, the bytes they came from, and what is refused. */
#include "common/xml.h"
#include "tests/unit/check.h"

#include <stdlib.h>

struct trace {
	struct buf text;
	struct slice document;
	int stop_after;
};

/* A line an event; spans are shown as the document's own bytes, which is what a splice needs. */
static int
trace(const struct xml_event *event, void *state)
{
	static const char *const types[] = {"open", "close", "text", "comment", "pi"};
	struct trace *t = state;

	buf_addf(&t->text, "%s", types[event->type]);
	if (event->name.len)
		buf_addf(&t->text, " %.*s", (int)event->name.len, event->name.ptr);
	if (event->text.len)
		buf_addf(&t->text, " '%.*s'", (int)event->text.len, event->text.ptr);
	if (event->end <= t->document.len)
		buf_addf(&t->text, " <%.*s>", (int)(event->end - event->start),
		    t->document.ptr + event->start);
	buf_addf(&t->text, " %zu:%zu %zu\n", event->line, event->column, event->depth);
	for (size_t i = 0; i < event->nattributes; i++) {
		const struct xml_attribute *a = &event->attributes[i];

		buf_addf(&t->text, "  %.*s='%.*s' <%.*s>\n", (int)a->name.len, a->name.ptr,
		    (int)a->value.len, a->value.ptr, (int)(a->end - a->start),
		    t->document.ptr + a->start);
	}
	return t->stop_after && --t->stop_after == 0 ? 7 : 0;
}

static int
pass(const struct xml_event *event, void *state)
{
	(void)event;
	(void)state;
	return 0;
}

static void
test_events(void)
{
	static const struct slice document = {.ptr =
	    "<?xml version=\"1.0\"?>\n<!DOCTYPE a SYSTEM \"a.dtd\">\n"
	    "<a x = 'one &amp;&#x20AC;' y=\"a > '\">\n"
	    "é &lt;b&gt;<![CDATA[<raw>]]> end<b/><!-- no --><g:c>t</g:c><?go on?></a>\n"};
	struct trace t = {.document = slice(document.ptr)};
	struct err e = {0};

	CHECK(xml_read(t.document, trace, &t, &e) == 0);
	CHECK_TEXT(t.text.ptr,
	    "open a <<a x = 'one &amp;&#x20AC;' y=\"a > '\">> 3:1 1\n"
	    "  x='one &€' <one &amp;&#x20AC;>\n"
	    "  y='a > '' <a > '>\n"
	    "text '\né <b><raw> end' <\né &lt;b&gt;<![CDATA[<raw>]]> end> 3:38 1\n"
	    "open b <<b/>> 4:33 2\n"
	    "close b <> 4:37 2\n"
	    "comment ' no ' <<!-- no -->> 4:37 1\n"
	    "open g:c <<g:c>> 4:48 2\n"
	    "text 't' <t> 4:53 2\n"
	    "close g:c <</g:c>> 4:54 2\n"
	    "pi go 'on' <<?go on?>> 4:60 1\n"
	    "close a <</a>> 4:69 1\n");
	buf_reset(&t.text);
	t.stop_after = 2;
	CHECK(xml_read(t.document, trace, &t, &e) == 7);
	buf_free(&t.text);
}

/* Whatever the pieces, the same events. */
static void
test_pieces(void)
{
	static const char document[] = "<a k='v'>some <b z=\"1\"/>text &amp; more<!-- c --></a>";
	struct trace whole = {.document = slice(document)}, parts = whole;
	struct err e;

	CHECK(xml_read(slice(document), trace, &whole, &e) == 0);
	for (size_t step = 1; step < 9; step++) {
		struct xml *x = xml_open(trace, &parts);

		buf_reset(&parts.text);
		for (size_t at = 0; at < sizeof(document) - 1; at += step) {
			size_t n = sizeof(document) - 1 - at;

			CHECK(xml_feed(x, (struct slice){document + at, n < step ? n : step}, n <= step,
			    &e) == 0);
		}
		xml_close(x);
		CHECK_TEXT(parts.text.ptr, whole.text.ptr);
	}
	buf_free(&whole.text);
	buf_free(&parts.text);
}

static void
expect_refusal(const char *document, const char *code, size_t line)
{
	struct err e = {0};

	CHECK(xml_read(slice(document), pass, NULL, &e) == -1);
	CHECK_TEXT(e.code ? e.code : "none", code);
	CHECK(e.line == line);
}

static void
test_refusals(void)
{
	struct buf big = {NULL, 0, 0};
	struct err e = {0};

	expect_refusal("<!DOCTYPE a [<!ENTITY b 'c'>]>\n<a>&b;</a>", "entities_refused", 1);
	expect_refusal("<!DOCTYPE a [\n<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
	    "entities_refused", 2);
	expect_refusal("<!DOCTYPE a [<!ENTITY % p 'c'>]><a/>", "entities_refused", 1);
	expect_refusal("<!DOCTYPE a [<!ATTLIST a b CDATA 'c'>]><a/>", "entities_refused", 1);
	expect_refusal("<a>\n&nbsp;</a>", "entities_refused", 2);
	expect_refusal("<!DOCTYPE a SYSTEM 'x'><a>\n&nbsp;</a>", "entities_refused", 2);
	expect_refusal("<!DOCTYPE a SYSTEM 'x'>\n<a b='&nbsp;'/>", "entities_refused", 2);
	expect_refusal("<a>\n<b></a>", "bad_xml", 2);
	expect_refusal("<a a='1' a='2'/>", "bad_xml", 1);
	expect_refusal("", "bad_xml", 1);
	expect_refusal("<a>\xff</a>", "bad_xml", 1);
	for (int i = 0; i <= XML_DEPTH; i++)
		buf_adds(&big, "<a>");
	expect_refusal(big.ptr, "too_deep", 1);
	buf_reset(&big);
	buf_adds(&big, "<a b='");
	memset(buf_room(&big, 3 * XML_TAG), 'x', 3 * XML_TAG);
	big.len += 3 * XML_TAG;
	CHECK(xml_read(buf_slice(&big), pass, NULL, &e) == -1);
	CHECK_TEXT(e.code, "too_large");
	buf_free(&big);
}

/* UTF-16: text and elements are placed, attributes are not. */
static void
test_utf16(void)
{
	static const char document[] = "\xff\xfe<\0a\0 \0b\0=\0'\0c\0'\0>\0\xac\x20<\0/\0a\0>";
	struct trace t = {.document = {document, sizeof(document)}};
	struct err e;

	CHECK(xml_read(t.document, trace, &t, &e) == 0);
	CHECK(t.text.len && strstr(t.text.ptr, "  b='c' <>\n") != NULL);
	CHECK(t.text.len && strstr(t.text.ptr, "text '€'") != NULL);
	buf_free(&t.text);
}

int
main(void)
{
	test_events();
	test_pieces();
	test_refusals();
	test_utf16();
	return check_done();
}
