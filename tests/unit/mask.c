/*
 * mask: what a translator is shown, and its answer as a message again.
 */
#include "tests/unit/check.h"

#include "tools/translate/mask.h"

static struct arena arena;

static struct message
read_text(const char *text, const char *format)
{
	struct message m = {.n = 0};
	unsigned dialect = (unsigned)message_dialect_of(slice(format));

	CHECK(message_parse(slice(text), dialect, &arena, &m, NULL) == 0);
	return m;
}

static const char *
put(const char *text, const char *format, enum mask_form form)
{
	static struct buf out;
	struct message m = read_text(text, format);

	buf_reset(&out);
	buf_adds(&out, "");
	mask_put(&m, form, &out);
	return out.ptr;
}

static const char *
take(const char *text, const char *format, enum mask_form form, const char *answer)
{
	static struct buf out;
	struct message m = read_text(text, format);
	struct err e = {.text = ""};

	buf_reset(&out);
	buf_adds(&out, "");
	if (mask_take(&m, form, slice(answer), &out, &e) < 0) {
		buf_reset(&out);
		buf_addf(&out, "! %s", e.text);
	}
	return out.ptr;
}

/* What is shown, taken as the answer, is the same message: whatever the text. */
static void
test_identity(void)
{
	static const char *const texts[][2] = {{"Hello {name}", "icu"}, {"It''s '{'x'}' {a}", "icu"},
	    {"  {a} & <b>{b}</b> \n", "icu"}, {"{d, date, short} {n, number}", "icu"},
	    {"{d, date, short} and {d}", "icu"}, {"l'{'a'}' < > &amp; \"q\"", "icu"},
	    {"%1$s of %2$d, 100 %%", "printf"}, {"%s %s", "printf"}, {"{{name}} {x}", "i18next"},
	    {"a {b} <i>c</i>", "plain"}, {"l'{x} '' {y}", "arb"}, {"<a href=\"{u}\">x</a>", "icu"},
	    {"", "icu"}, {" ", "icu"}, {"<x id=\"0\"/> {n}", "icu"}};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		for (int form = MASK_TOKENS; form <= MASK_XML; form++) {
			char shown[400];
			struct message m = read_text(texts[i][0], texts[i][1]), back = {.n = 0};
			struct buf out = {0}, one = {0}, two = {0};

			snprintf(shown, sizeof(shown), "%s",
			    put(texts[i][0], texts[i][1], (enum mask_form)form));
			CHECK(mask_take(&m, (enum mask_form)form, slice(shown), &out, NULL) == 0);
			CHECK(message_parse(buf_slice(&out), m.dialect, &arena, &back, NULL) == 0);
			/* The quoting may be another, what a reader sees is not. */
			mask_put(&m, MASK_XML, &one);
			mask_put(&back, MASK_XML, &two);
			CHECK(slice_eq(buf_slice(&one), buf_slice(&two)));
			buf_free(&out);
			buf_free(&one);
			buf_free(&two);
		}
}

static void
test_shown(void)
{
	CHECK_TEXT(put("It''s {d, date, short} '{'", "icu", MASK_TOKENS), "It's {d} {");
	CHECK_TEXT(put(" Hello {name} & <b>you</b> ", "icu", MASK_XML),
	    "Hello <x id=\"0\"/> &amp; <x id=\"1\"/>you<x id=\"2\"/>");
	CHECK_TEXT(put("%1$s, 100 %%", "printf", MASK_TOKENS), "%1$s, 100 %");
}

static void
test_tokens(void)
{
	/* Quoting is ours, whatever the model writes. */
	CHECK_TEXT(take("The {x}", "icu", MASK_TOKENS, "L'{x}"), "L''{x}");
	CHECK_TEXT(take("The {d, date, short}", "icu", MASK_TOKENS, "Le {d}"),
	    "Le {d, date, short}");
	CHECK_TEXT(take("All of it", "icu", MASK_TOKENS, "Tout {ça"), "Tout '{'ça");
	CHECK_TEXT(take("100 %% of %s", "printf", MASK_TOKENS, "%s à 100 %"), "%s à 100 %%");
	CHECK_TEXT(take("\n Save ", "icu", MASK_TOKENS, "  Enregistrer\n"), "\n Enregistrer ");
	CHECK(*take("Save", "arb", MASK_TOKENS, "{Enregistrer") == '!');
	/* A token that is lost or doubled is for message_verify, which knows plurals. */
	CHECK_TEXT(take("{a} {b}", "icu", MASK_TOKENS, "{b} {b}"), "{b} {b}");
}

static void
test_xml(void)
{
	CHECK_TEXT(take("{a} {b}", "icu", MASK_XML, "<x id=\"1\"/> a <x id=\"0\"></x>"),
	    "{b} a {a}");
	CHECK_TEXT(take("{a} b", "icu", MASK_XML, "&lt;&#233;&#xe9;&quot;&gt;&apos; <x id=\"0\" />"),
	    "<éé\">' {a}");
	CHECK_TEXT(take("{a}", "icu", MASK_XML, "x"), "! {a} is lost");
	CHECK(*take("{a}", "icu", MASK_XML, "<x id=\"0\"/><x id=\"0\"/>") == '!');
	CHECK(*take("{a}", "icu", MASK_XML, "<x id=\"0\"/><x id=\"1\"/>") == '!');
	CHECK(*take("{a}", "icu", MASK_XML, "<x id=\"99999999999999999999\"/>") == '!');
	CHECK_TEXT(take("a", "plain", MASK_XML, "&#0; &#x110000; &#xZ; & &amp"),
	    "&#0; &#x110000; &#xZ; & &amp");
	/* No UTF-8, no control characters by the back door. */
	CHECK_TEXT(take("a", "plain", MASK_XML, "&#xD800; &#xdfff; &#27; &#10;b"),
	    "&#xD800; &#xdfff; &#27; \nb");
}

int
main(void)
{
	test_identity();
	test_shown();
	test_tokens();
	test_xml();
	arena_free(&arena);
	return check_done();
}
