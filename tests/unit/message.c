/*
 * message. With arguments it is a probe for the comparisons with other
 * parsers in translate.bats: "parse DIALECT" reads messages, one a line (\n
 * for a line break), and prints ok or error for each.
 */
#include "tests/unit/check.h"

#include "common/message.h"

#include <stdlib.h>

static struct arena arena;

/* "ok", or what is wrong with its place. */
static const char *
parse(const char *text, const char *format)
{
	static char out[500];
	struct message m;
	struct err e;

	arena_reset(&arena);
	if (message_parse(
		slice(text), (unsigned)message_dialect_of(slice(format)), &arena, &m, &e) == 0)
		return "ok";
	snprintf(out, sizeof(out), "%zu: %s", e.column, e.text);
	return out;
}

/* All nodes on one line: types by letter, names, bytes. */
static const char *
tree(const char *text, const char *format)
{
	static const char letters[] = "tp#PSsc<>/r";
	static char out[1000];
	struct message m;
	struct err e;
	size_t n = 0;

	arena_reset(&arena);
	if (message_parse(
		slice(text), (unsigned)message_dialect_of(slice(format)), &arena, &m, &e) < 0)
		return "error";
	*out = '\0';
	for (size_t i = 0; i < m.n; i++) {
		struct slice b = message_bytes(&m, &m.nodes[i]);
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%c%u", i ? " " : "",
		    letters[m.nodes[i].type], m.nodes[i].size);
		if (m.nodes[i].name.len)
			n += (size_t)snprintf(out + n, sizeof(out) - n, ":%.*s",
			    (int)m.nodes[i].name.len, m.nodes[i].name.ptr);
		if (m.nodes[i].style.len)
			n += (size_t)snprintf(out + n, sizeof(out) - n, ",%.*s",
			    (int)m.nodes[i].style.len, m.nodes[i].style.ptr);
		if (m.nodes[i].type == MESSAGE_TEXT)
			n +=
			    (size_t)snprintf(out + n, sizeof(out) - n, "[%.*s]", (int)b.len, b.ptr);
	}
	return out;
}

static void
test_trees(void)
{
	CHECK_TEXT(tree("Hello {name}!", "icu"), "t1[Hello ] p1:name t1[!]");
	CHECK_TEXT(tree("{n, plural, one{# item} other{{n} items}}", "icu"),
	    "P7:n c3:one #1:n t1[ item] c3:other p1:n t1[ items]");
	CHECK_TEXT(tree("{n, plural, one{# item} other{{n} items}}", "arb"),
	    "P6:n c2:one t1[# item] c3:other p1:n t1[ items]");
	CHECK_TEXT(
	    tree("{g, select, male{{n,plural,other{#}}} other{# {n, number, ::currency/EUR}}}",
		"icu"),
	    "s8:g c4:male P3:n c2:other #1:n c3:other t1[# ] p1:n,number");
	CHECK_TEXT(tree("l'{x} '' don't '{'{y}", "icu"), "t1[l'{x} '' don't '{'] p1:y");
	CHECK_TEXT(tree("l'{x}", "arb"), "t1[l'] p1:x");
	CHECK_TEXT(tree("l''{x} '{y}'", "arb-escaping"), "t1[l''] p1:x t1[ '{y}']");
	CHECK_TEXT(tree("a {b c} {x} {", "arb-relaxed"), "t1[a {b c} ] p1:x t1[ {]");
	CHECK_TEXT(tree("<b>Hi</b> {n}<br>a < b <your name>", "icu"),
	    "<1:b t1[Hi] >1:b t1[ ] p1:n /1:br t1[a < b <your name>]");
	CHECK_TEXT(tree("<a href=\"{url}\">x</a>", "icu"), "<1:a p1:url r1 t1[x] >1:a");
	CHECK_TEXT(tree("%s of %2$-5ld, %% %(who)s %@ 100%%", "printf"),
	    "p1:1,s t1[ of ] p1:2,ld t1[, %% ] p1:who,s t1[ ] p1:2,@ t1[ 100%%]");
	CHECK_TEXT(tree("%*d %d", "printf"), "p1:2,d t1[ ] p1:3,d");
	CHECK_TEXT(tree("{{- name}} {x} {{n, number}} $t(key, {\"a\": (1)})", "i18next"),
	    "p1:name t1[ {x} ] p1:n,number t1[ ] p1:key, {\"a\": (1)},$t");
	CHECK_TEXT(tree("{x} %s <i>y</i>", "plain"), "t1[{x} %s ] <1:i t1[y] >1:i");
	CHECK_TEXT(tree("{0} {n_1} {名前}", "icu"), "p1:0 t1[ ] p1:n_1 t1[ ] p1:名前");
	CHECK_TEXT(tree("", "icu"), "");
}

/* facts §4.3, and the same texts with their places. */
static void
test_accepts(void)
{
	static const char *const cases[][3] = {
	    {"{n, plural, one{x}}", "19: the case 'other' is missing",
		"19: the case 'other' is missing"},
	    {"{n, plural, bad{x} other{y}}", "ok", "13: unknown plural category, 'bad'"},
	    {"{n, plural, one{x} one{z} other{y}}", "ok", "ok"},
	    {"{n, plural, =3{x} other{y}}", "ok", "13: gen-l10n knows only =0, =1 and =2"},
	    {"{n, plural, offset:1 other{y}}", "ok", "13: gen-l10n knows no offset:"},
	    {"{n, selectordinal, other{y}}", "ok", "5: unknown argument type, 'selectordinal'"},
	    {"{n, number}", "ok", "5: unknown argument type, 'number'"},
	    {"{d, date, ::yMd}", "ok", "ok"},
	    {"{0}", "ok", "2: gen-l10n knows no numbered placeholders, '0'"},
	    {"{a b}", "4: a placeholder is one name", "4: a placeholder is one name"},
	    {"{a-b}", "3: a placeholder is one name", "3: a placeholder is one name"},
	    {"{}", "1: the placeholder has no name", "1: the placeholder has no name"},
	    {"bad {", "5: '}' is missing", "5: '}' is missing"},
	    {"{a", "1: '}' is missing", "1: '}' is missing"},
	    {"x } y", "ok", "3: '}' without '{'"},
	    {"l'{x}", "ok", "ok"},
	    {"{n, plural}", "11: the cases of the plural are missing",
		"11: the cases of the plural are missing"},
	    {"{n, plural, other y}", "19: '{' is missing after 'other'",
		"19: '{' is missing after 'other'"},
	    {"{n, plural, other{y}", "1: '}' is missing", "1: '}' is missing"},
	    {"{n, plural, other{y", "13: the case 'other' is never closed",
		"13: the case 'other' is never closed"},
	    {"{n, select, a{x}}", "17: the case 'other' is missing",
		"17: the case 'other' is missing"},
	    {"{n, foo}", "5: unknown argument type, 'foo'", "5: unknown argument type, 'foo'"},
	    {"{1a}", "2: a placeholder's name cannot start with a digit",
		"2: gen-l10n knows no numbered placeholders, '1a'"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		CHECK_TEXT(parse(cases[i][0], "icu"), cases[i][1]);
		CHECK_TEXT(parse(cases[i][0], "arb"), cases[i][2]);
	}
	CHECK_TEXT(parse("it's", "arb"), "ok");
	CHECK_TEXT(parse("it's", "arb-escaping"), "3: an apostrophe alone: write ''");
	CHECK_TEXT(parse("100% sure", "printf"), "ok"); /* "% s" is a conversion */
	CHECK_TEXT(parse("100%", "printf"), "4: '%' starts no conversion: write %%");
	CHECK_TEXT(parse("{{a", "i18next"), "1: '}}' is missing");
	CHECK(message_dialect_of(S("xml")) == -1);
}

static void
test_bounds(void)
{
	struct buf b = {0};

	for (int i = 0; i < 1000; i++)
		buf_adds(&b, "{n,select,other{");
	CHECK_TEXT(parse(b.ptr, "icu"), "388: more than 24 plurals and selects within each other");
	buf_reset(&b);
	for (int i = 0; i < 9000; i++)
		buf_adds(&b, "{a}");
	CHECK_TEXT(parse(b.ptr, "icu"), "24577: the message has more than 8192 parts");
	/* Many cases and many names: verify gives up, in bounded time. */
	buf_reset(&b);
	buf_adds(&b, "{n, select, ");
	for (int i = 0; i < 2000; i++)
		buf_addf(&b, "c%d{{v%d}} ", i, i % 250);
	buf_adds(&b, "other{}}");
	struct message_faults f = {0};
	arena_reset(&arena);
	message_verify(buf_slice(&b), buf_slice(&b), MESSAGE_ICU, S("ar"), &arena, &f);
	CHECK(f.serious);
	buf_free(&b);
}

/* Codes of all faults, warnings in brackets. */
static const char *
verify(const char *source, const char *translation, const char *format, const char *locale)
{
	static char out[1000];
	struct message_faults f = {0};
	size_t n = 0;

	arena_reset(&arena);
	message_verify(slice(source), slice(translation),
	    (unsigned)message_dialect_of(slice(format)), slice(locale), &arena, &f);
	*out = '\0';
	for (size_t i = 0; i < f.n; i++)
		n += (size_t)snprintf(out + n, sizeof(out) - n, f.v[i].warning ? "%s(%s)" : "%s%s",
		    i ? " " : "", message_fault_code(f.v[i].kind));
	return out;
}

static void
test_verify(void)
{
	static const char *const en =
	    "{n, plural, one{# item for {user}} other{# items for {user}}}";
	static const char *const cases[][5] = {
	    {"Hello {name}", "مرحبا {name}", "icu", "ar", ""},
	    {"Hello {name}", "مرحبا {nombre}", "icu", "ar", "added-placeholder lost-placeholder"},
	    {"Hello {name}", "Hola", "icu", "es", "lost-placeholder"},
	    {"{a} {b}", "{b} {a}", "icu", "es", ""},
	    {"{a}", "{a} {a}", "icu", "es", "duplicated-placeholder"},
	    {"{d, date}", "{d, number}", "icu", "es", "retyped-placeholder"},
	    {"{d, number}", "{d}", "icu", "es", "(retyped-placeholder)"},
	    {"Hi", "Hola {", "icu", "es", "bad-syntax"},
	    {"Hi", " ", "icu", "es", "empty"},
	    {" Hi\n", "Hola", "icu", "es", "line-breaks outer-space outer-space"},
	    {"a\\nb", "a b", "icu", "es", "escapes"},
	    {"<b>Hi</b> you", "<b>Hola</b> tú", "icu", "es", ""},
	    {"<b>Hi</b> you", "Hola tú", "icu", "es", "lost-tag"},
	    {"<b>Hi</b> you", "</b>Hola<b> tú", "icu", "es", "tag-order"},
	    {"Hi<br>you", "Hola<br/>tú", "icu", "es", ""},
	    {"Hi you", "Hola <i>tú</i>", "icu", "es", "added-tag"},
	    {"%s of %d", "%2$d de %1$s", "printf", "es", ""},
	    {"%s of %d", "%d de %s", "printf", "es", "retyped-placeholder retyped-placeholder"},
	    {"%s of %d", "%s de %i", "printf", "es", ""},
	    {"%s", "%d", "printf", "es", "retyped-placeholder"},
	    {"100%", "100 %", "printf", "fr", ""},
	    {"{{n}} items", "{{m}} cosas", "i18next", "es", "added-placeholder lost-placeholder"},
	    {"{x}", "y", "plain", "es", ""},
	    /* plurals */
	    {en, "{n, plural, one{# cosa de {user}} other{# cosas de {user}}}", "icu", "es", ""},
	    {en, "{n, plural, one{una cosa de {user}} other{# cosas de {user}}}", "icu", "es", ""},
	    {en, "{n, plural, one{# cosa} other{# cosas de {user}}}", "icu", "es",
		"lost-placeholder"},
	    {en, "{n, plural, one{# cosa de {user}} other{cosas de {user}}}", "icu", "es",
		"lost-placeholder"},
	    {en, "{n, plural, one{une chose de {user}} other{# choses de {user}}}", "icu", "fr",
		"lost-placeholder"},
	    /* "1 file" stands for one number only where the category does. */
	    {"{n, plural, one{1 file} other{# files}}",
		"{n, plural, one{1 файл} few{# файла} many{# файлов} other{# файла}}", "icu", "ru",
		"lost-placeholder"},
	    {"{n, plural, =1{1 file} other{# files}}",
		"{n, plural, one{1 fichier} other{# fichiers}}", "icu", "fr", "lost-placeholder"},
	    {"{n, plural, one{1 file} other{# files}}",
		"{n, plural, one{# fichier} other{# fichiers}}", "icu", "fr", ""},
	    {"{n, plural, one{1 file} other{# files}}",
		"{n, plural, =1{1 fichier} one{# fichier} other{# fichiers}}", "icu", "fr", ""},
	    {"{n, plural, one{1 file} other{# files}}",
		"{n, plural, one{1 archivo} other{# archivos}}", "icu", "es", ""},
	    {"{n, plural, one{a song} other{# songs}}",
		"{n, plural, one{un MP3} other{# MP3}}", "icu", "fr", ""},
	    {"{n, plural, one{1 file} other{files}}",
		"{n, plural, one{1 fichier} other{fichiers}}", "icu", "fr", ""},
	    {"{n, plural, one{1 file} other{# files}}",
		"{n, plural, zero{لا شيء} one{ملف ١} two{ملفان} few{ملف ٣} many{#} other{#}}",
		"icu", "ar", "lost-placeholder"},
	    {en, "{user}: cosas", "icu", "es", "structure lost-placeholder"},
	    {en, "{n, plural, one{عنصر {user}} other{# {user}}}", "icu", "ar",
		"missing-category missing-category missing-category missing-category"},
	    {en,
		"{n, plural, zero{لا شيء {user}} one{عنصر {user}} two{عنصران {user}} few{# {user}} "
		"many{# {user}} other{# {user}}}",
		"icu", "ar", ""},
	    {en,
		"{n, plural, zero{لا شيء {user}} one{عنصر {user}} two{عنصران {user}} few{{user}} "
		"many{# {user}} other{# {user}}}",
		"icu", "ar", "lost-placeholder"},
	    {en,
		"{n, plural, =0{لا شيء {user}} =1{عنصر {user}} two{عنصران {user}} few{# {user}} "
		"many{# {user}} other{# {user}}}",
		"icu", "ar", ""},
	    {en, "{n, plural, one{# {user}} few{# {user}} many{# {user}} other{# {user}}}", "icu",
		"ru", ""},
	    {en, "{n, plural, one{# {user}} few{# {user}} other{# {user}}}", "icu", "ru",
		"missing-category"},
	    {en, "{n, plural, other{# {user}}}", "icu", "ja", ""},
	    {en, "{n, plural, one{# {user}} few{# {user}} other{# {user}}}", "icu", "es",
		"(unused-category)"},
	    {en, "{n, plural, one{# {user}} one{# {user}} other{# {user}}}", "icu", "es",
		"duplicate-case"},
	    {"{n, plural, =0{none} other{{n} left}}", "{n, plural, =0{nada} one{uno} other{{n}}}",
		"arb", "es", ""},
	    {"{n, plural, =1{one} other{{n}}}", "{n, plural, =1{uno} one{un} other{{n}}}", "arb",
		"es", "(duplicate-case)"},
	    {"{g, select, male{He} female{She} other{They}}", "{g, select, male{Él} other{Elle}}",
		"icu", "es", "structure"},
	    {"{g, select, male{He} female{She} other{They}}",
		"{g, select, male{Él} female{Ella} other{Elle}}", "icu", "es", ""},
	    {"{n} items", "{n, plural, one{# cosa} other{# cosas}}", "icu", "es", ""},
	    {"{n} items", "{m, plural, one{# cosa} other{{n} cosas}}", "icu", "es",
		"added-placeholder lost-placeholder"},
	    {"l'{x}", "l'{x}", "arb", "fr", ""},
	    {"of {x}", "l'{x}", "icu", "fr", "lost-placeholder"},
	    {"of {x}", "l'{x}", "arb", "fr", ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *got = verify(cases[i][0], cases[i][1], cases[i][2], cases[i][3]);
		if (strcmp(got, cases[i][4]) != 0)
			fprintf(stderr, "%s | %s\n", cases[i][0], cases[i][1]);
		CHECK_TEXT(got, cases[i][4]);
	}
}

static const char *
quote(const char *text, const char *format, bool plural, bool more)
{
	static struct buf b;

	buf_reset(&b);
	buf_adds(&b, "");
	return message_quote(
		   slice(text), (unsigned)message_dialect_of(slice(format)), plural, more, &b)
		   ? b.ptr
		   : "impossible";
}

/* What is quoted reads back as itself. */
static void
test_quote(void)
{
	static const char *const texts[] = {"don't", "it''s", "'", "a'", "'{'", "{x}", "a}b", "#1",
	    "''{''}'#'", "100%", "l'{x}'", "{'}", "'#{'", "plain"};
	static const char *const dialects[] = {"icu", "arb-escaping", "printf", "plain"};
	struct buf literal = {0}, framed = {0};
	struct message m;

	CHECK_TEXT(quote("don't", "icu", false, false), "don't");
	CHECK_TEXT(quote("l'", "icu", false, true), "l''");
	CHECK_TEXT(quote("{a}", "icu", false, false), "'{'a'}'");
	CHECK_TEXT(quote("#", "icu", true, false), "'#'");
	CHECK_TEXT(quote("#", "icu", false, false), "#");
	CHECK_TEXT(quote("{", "arb", false, false), "impossible");
	CHECK_TEXT(quote("{ a", "arb-relaxed", false, false), "{ a");
	CHECK_TEXT(quote("{{a}}", "i18next", false, false), "impossible");
	CHECK_TEXT(quote("5%", "printf", false, false), "5%%");
	for (size_t d = 0; d < 4; d++) {
		unsigned dialect = (unsigned)message_dialect_of(slice(dialects[d]));
		for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
			buf_reset(&framed);
			CHECK(message_quote(slice(texts[i]), dialect, false, true, &framed));
			if (d < 2)
				buf_adds(&framed, "{end}");
			arena_reset(&arena);
			CHECK(message_parse(buf_slice(&framed), dialect, &arena, &m, NULL) == 0);
			buf_reset(&literal);
			buf_adds(&literal, "");
			for (size_t k = 0; k < m.n; k++)
				if (m.nodes[k].type == MESSAGE_TEXT)
					message_literal(&m, &m.nodes[k], &literal);
			CHECK_TEXT(literal.ptr, texts[i]);
			CHECK(m.n == (d < 2 ? 2 : 1));
		}
	}
	buf_free(&literal);
	buf_free(&framed);
}

static const char *
convert(const char *text, const char *from, const char *to)
{
	static struct buf b;
	struct message m;

	buf_reset(&b);
	buf_adds(&b, "");
	arena_reset(&arena);
	if (message_parse(
		slice(text), (unsigned)message_dialect_of(slice(from)), &arena, &m, NULL) < 0)
		return "error";
	return message_convert(&m, (unsigned)message_dialect_of(slice(to)), &b) ? b.ptr
										: "impossible";
}

static void
test_convert(void)
{
	CHECK_TEXT(convert("Don't touch {x}", "arb", "icu"), "Don't touch {x}");
	CHECK_TEXT(convert("l'{x}", "arb", "icu"), "l''{x}");
	CHECK_TEXT(convert("l''{x}", "icu", "arb"), "l'{x}");
	CHECK_TEXT(convert("l''{x}", "icu", "arb-escaping"), "l''{x}");
	CHECK_TEXT(convert("don't", "icu", "arb-escaping"), "don''t");
	CHECK_TEXT(convert("'{'{x}", "icu", "arb"), "impossible");
	CHECK_TEXT(convert("'{'{x}", "icu", "arb-escaping"), "'{'{x}");
	CHECK_TEXT(convert("{n, plural, one{# item} other{# items}}", "icu", "arb"),
	    "{n, plural, one{{n} item} other{{n} items}}");
	CHECK_TEXT(convert("{n, plural, one{#1} other{it's '}", "arb", "icu"), "error");
	CHECK_TEXT(convert("{n, plural, one{#1} other{it's}}", "arb", "icu"),
	    "{n, plural, one{'#'1} other{it's}}");
	CHECK_TEXT(convert("{n, plural, =3{x} other{y}}", "icu", "arb"), "impossible");
	CHECK_TEXT(convert("{n, selectordinal, other{y}}", "icu", "arb"), "impossible");
	CHECK_TEXT(convert("{x}", "printf", "icu"), "impossible");
}

static void
shout(struct slice text, const struct message_node *node, void *state, struct buf *out)
{
	(void)node, (void)state;
	for (size_t i = 0; i < text.len; i++)
		buf_addc(out, text.ptr[i] >= 'a' && text.ptr[i] <= 'z' ? (char)(text.ptr[i] - 32)
								       : text.ptr[i]);
}

static void
test_map(void)
{
	static const char text[] = "it's '{'a {n, plural ,  one{# 'x' }  other {<b>b</b>}} c";
	struct buf b = {0};
	struct message m;
	struct message_placeholder *p;

	arena_reset(&arena);
	CHECK(message_parse(slice(text), MESSAGE_ICU, &arena, &m, NULL) == 0);
	message_map(&m, shout, NULL, &b);
	CHECK_TEXT(b.ptr, "IT'S '{'A {n, plural ,  one{# 'X' }  other {<b>B</b>}} C");
	CHECK(message_branches(&m) && !message_is_plain(&m));
	CHECK(message_parse(S("{a} {n, plural, other{# {a}}} {n, number}"), MESSAGE_ICU, &arena, &m,
		  NULL) == 0);
	CHECK(message_placeholders(&m, &arena, &p) == 2);
	CHECK(slice_is(p[0].name, "a") && p[0].count == 2 && !p[0].style.len);
	CHECK(slice_is(p[1].name, "n") && p[1].count == 3 && slice_is(p[1].style, "number"));
	buf_free(&b);
}

static void
probe(const char *format)
{
	char line[4000];

	while (fgets(line, sizeof(line), stdin)) {
		char *to = line;

		line[strcspn(line, "\n")] = '\0';
		for (const char *at = line; *at; at++) {
			bool feed = at[0] == '\\' && at[1] == 'n';
			*to++ = feed ? '\n' : *at;
			at += feed;
		}
		*to = '\0';
		puts(strcmp(parse(line, format), "ok") == 0 ? "ok" : "error");
	}
}

int
main(int argc, char **argv)
{
	die_name("message");
	if (argc == 3 && strcmp(argv[1], "parse") == 0) {
		probe(argv[2]);
		return 0;
	}
	test_trees();
	test_accepts();
	test_bounds();
	test_verify();
	test_quote();
	test_convert();
	test_map();
	arena_free(&arena);
	return check_done();
}
