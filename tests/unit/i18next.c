/* i18next: plural families as ICU, and merging that keeps the rest of the file. */
#include "common/format/i18next.h"

#include "common/format/i18next_message.h"
#include "tests/unit/catalog_text.h"
#include "tests/unit/check.h"

#include <stdlib.h>

static struct catalog c;

static int
parse(const char *name, const char *text)
{
	struct err e;

	catalog_free(&c);
	return catalog_parse(name, CATALOG_I18NEXT, slice(text), &c, &e);
}

static void
test_read(void)
{
	CHECK(parse("locales/en/translation.json",
		  "{\"a\": {\"b\": \"Hi {{name}}\", \"list\": [\"x\", 3, {\"t\": \"y\"}]},\n"
		  " \"item_zero\": \"none\", \"item_one\": \"{{count}} item\", \"n\": 1,\n"
		  " \"item_other\": \"{{count}} items of {{all, number}}\", \"e\": \"\",\n"
		  " \"friend_male_one\": \"A friend\", \"friend_male_other\": \"Friends #'{\",\n"
		  " \"place_ordinal_one\": \"{{count}}st\", \"place_ordinal_two\": \"{{count}}nd\",\n"
		  " \"place_ordinal_few\": \"{{count}}rd\", \"place_ordinal_other\": "
		  "\"{{count}}th\",\n"
		  " \"step_one\": \"First\", \"step_two\": \"Second\", \"gender_other\": \"Other\"}") ==
	    0);
	CHECK_TEXT(listed(&c),
	    "a.b=Hi {{name}}|a.list.0=x|a.list.2.t=y|"
	    "item={count, plural, =0{none} one{{count} item} "
	    "other{{count} items of {all, number}}}|e=-|"
	    "friend_male={count, plural, one{A friend} other{Friends '#''{'}}|"
	    "place={count, selectordinal, one{{count}st} two{{count}nd} few{{count}rd} "
	    "other{{count}th}}|"
	    "step_one=First|step_two=Second|gender_other=Other");
	CHECK(c.nfaults == 0);
	CHECK_TEXT(c.entries[0].format, "i18next");
	CHECK_TEXT(c.entries[3].format, "icu");
	CHECK(c.entries[3].line == 2 && c.entries[3].column == 2);
	CHECK_TEXT(text_of(c.locale), "en");
}

static void
test_unsayable(void)
{
	/* A family that ICU cannot say, or that has a text beside it, is its forms. */
	CHECK(parse("en.json",
		  "{\"a_one\": \"{{- x}}\", \"a_other\": \"$t(b)\", \"b\": \"B\", "
		  "\"b_one\": \"1\", \"b_other\": \"{{count}}\"}") == 0);
	CHECK_TEXT(listed(&c), "a_one={{- x}}|a_other=$t(b)|b=B|b_one=1|b_other={{count}}");
}

static void
test_faults(void)
{
	CHECK(parse("es.json", "{\"n_one\": \"{{count}} a\", \"n_other\": \"{{count}} b\"}") == 0);
	CHECK(c.nfaults == 1);
	CHECK_TEXT(c.faults[0].rule, "missing-category");
	CHECK(strstr(c.faults[0].text, "_many") != NULL && c.faults[0].entry == 0);
	CHECK(parse("en.json", "{\"n_one\": \"{{count}} a\", \"n_few\": \"b\"}") == 0);
	CHECK(c.nfaults == 1);
	CHECK_TEXT(c.faults[0].rule, "missing-other");
	CHECK(parse("en.json", "{\"k\": \"a\", \"k_plural\": \"b\", \"m_0\": \"{{count}}\", "
			       "\"m_1\": \"x\", \"x_0\": \"\", \"x_1\": \"\"}") == 0);
	CHECK(c.nfaults == 2);
	CHECK_TEXT(c.faults[0].rule, "old-format");
	CHECK_TEXT(c.faults[1].rule, "old-format");
	CHECK(parse("en.json", "{\"k\": \"a\", \"k\": \"b\"}") == 0);
	CHECK(c.nfaults == 1);
	CHECK_TEXT(c.faults[0].rule, "duplicate-key");
	CHECK(parse("en.json", "[]") < 0);
	CHECK(parse("en.json", "{") < 0);
}

/* The file that the changes make of text; to be freed. */
static char *
merged(const char *name, const char *text, const struct catalog_change *changes, size_t n)
{
	struct catalog_merge m = {.changes = changes, .n = n};
	struct buf out = {0};
	struct err e = {0};

	CHECK(parse(name, text) == 0);
	m.locale = c.locale;
	if (i18next_merge(&c, &m, &out, &e) < 0) {
		buf_reset(&out);
		buf_adds(&out, e.text);
	} else {
		CHECK(parse(name, out.ptr) == 0);
	}
	buf_adds(&out, "");
	buf_room(&out, 1);
	return buf_detach(&out);
}

static void
check_merge(const char *name, const char *text, const struct catalog_change *changes, size_t n,
    const char *want)
{
	char *got = merged(name, text, changes, n);

	CHECK_TEXT(got, want);
	free(got);
}

#define CHANGE(k, v) \
	{.key = S(k), .write = true, .value = S(v), .format = "icu", .state = CATALOG_TRANSLATED}

static void
test_merge_nested(void)
{
	static const struct catalog_change changes[] = {CHANGE("a.b", "Salut {name}"),
	    CHANGE("a.new", "neuf"),
	    CHANGE("x.y.z", "profond"), CHANGE("x.y.w", "large"),
	    CHANGE("item", "{n, plural, one{# élément} other{# éléments}}"),
	    CHANGE("Wait. Go.", "Attendez."), CHANGE("list.1", "deux")};

	check_merge("fr.json",
	    "{\n    \"a\": {\n        \"b\": \"Hi\",\n        \"n\": 1.50\n    },\n"
	    "    \"list\": [\"un\", \"two\"],\n    \"last\": null\n}\n",
	    changes, 7,
	    "{\n    \"a\": {\n        \"b\": \"Salut {{name}}\",\n        \"new\": \"neuf\",\n"
	    "        \"n\": 1.50\n    },\n    \"list\": [\"un\", \"deux\"],\n    \"last\": null,\n"
	    "    \"x\": {\n        \"y\": {\n            \"z\": \"profond\",\n"
	    "            \"w\": \"large\"\n        }\n    },\n"
	    "    \"item_one\": \"{{count}} élément\",\n    \"item_many\": \"{{count}} éléments\",\n"
	    "    \"item_other\": \"{{count}} éléments\",\n    \"Wait. Go.\": \"Attendez.\"\n}\n");
	check_merge("en.json", "{}\n", changes, 1,
	    "{\n  \"a\": {\n    \"b\": \"Salut {{name}}\"\n  }\n}\n");
}

static void
test_merge_flat(void)
{
	static const struct catalog_change changes[] = {CHANGE("a.c", "C"), CHANGE("a", "A")};
	static const struct catalog_change object[] = {CHANGE("a", "A"),
	    CHANGE("p", "{n, plural, one{1} other{#}}"), CHANGE("c", "C")};

	check_merge("en.json", "{\"a.b\":\"B\",\"z.z\":\"Z\"}", changes, 2,
	    "{\"a.b\":\"B\",\"z.z\":\"Z\",\"a.c\":\"C\",\"a\":\"A\"}");
	/* A text in the way of a path. */
	check_merge("en.json", "{\"a\":\"B\"}", changes, 1, "{\"a\":\"B\",\"a.c\":\"C\"}");
	/* An object in the way of a text, or of one form of a plural: that one stays out. */
	check_merge("en.json", "{\"a\":{\"b\":\"B\"},\"p_other\":{}}", object, 3,
	    "{\"a\":{\"b\":\"B\"},\"p_other\":{},\"c\":\"C\"}");
}

/*
 * A key of so many parts would make objects deeper than this program reads; that its
 * beginnings are not looked at one by one shows in the time: it would take an hour.
 */
static void
test_merge_deep(void)
{
	struct buf key = {0}, want = {0};

	for (int i = 0; i < 2000000; i++)
		buf_adds(&key, "a.");
	buf_adds(&key, "a");
	buf_addf(&want, "{\"b\":{\"c\":\"C\"},\"%s\":\"A\"}", key.ptr);
	struct catalog_change deep = CHANGE("", "A");
	deep.key = buf_slice(&key);
	check_merge("en.json", "{\"b\":{\"c\":\"C\"}}", &deep, 1, want.ptr);
	buf_free(&key);
	buf_free(&want);
}

/* Elements are looked up in any order, and prose does not make an array's path an object's. */
static void
test_arrays(void)
{
	static const struct catalog_change changes[] = {CHANGE("rows. Done", "Fait"),
	    CHANGE("rows.0", "un"), CHANGE("rows.1", "deux"), CHANGE("old.1.u", "U"),
	    CHANGE("old.0.u", "V"), CHANGE("old.2.u", "W"), CHANGE("old.1.v", "X"),
	    CHANGE("old.3.t", "Y"), CHANGE("old.5.t", "Z"), CHANGE("old.3.u", "A")};

	check_merge("en.json", "{\"old\":[{\"t\":\"0\"},{\"t\":\"1\"},{\"t\":\"2\"}]}", changes,
	    sizeof(changes) / sizeof(*changes),
	    "{\"old\":[{\"t\":\"0\",\"u\":\"V\"},{\"t\":\"1\",\"u\":\"U\",\"v\":\"X\"},"
	    "{\"t\":\"2\",\"u\":\"W\"},{\"t\":\"Y\",\"u\":\"A\"}],\"rows. Done\":\"Fait\","
	    "\"rows\":[\"un\",\"deux\"]}");
}

/* A form that stands twice goes twice, or the one before it would count; with an index too. */
static void
test_forms_twice(void)
{
	static const struct catalog_change change =
	    CHANGE("k", "{n, plural, one{# a} other{# b}}");
	struct buf b = {0}, want = {0};

	for (int many = 0; many < 100; many += 99) {
		buf_reset(&b);
		buf_reset(&want);
		for (int i = 0; i < many; i++)
			buf_addf(&b, "\"x%d\":\"x\",", i);
		buf_addf(&want, "{%s\"k_one\":\"{{count}} a\",\"k_other\":\"{{count}} b\"}",
		    b.len ? b.ptr : "");
		buf_splice(&b, 0, 0, S("{"));
		buf_adds(&b, "\"k_few\":\"x\",\"k_one\":\"{{count}} a\",\"k_few\":\"y\","
			     "\"k_other\":\"{{count}} z\"}");
		check_merge("en.json", b.ptr, &change, 1, want.ptr);
	}
	buf_free(&b);
	buf_free(&want);
}

static void
test_merge_sorted(void)
{
	static const struct catalog_change changes[] = {CHANGE("c", "C"),
	    CHANGE("n", "{n, plural, one{1} other{#}}"), CHANGE("A", "first"), CHANGE("z", "Z")};

	check_merge("en.json", "{\"a\":\"\",\"b\":\"\",\"d\":\"\",\"m\":\"\",\"o\":\"\"}", changes, 4,
	    "{\"A\":\"first\",\"a\":\"\",\"b\":\"\",\"c\":\"C\",\"d\":\"\",\"m\":\"\","
	    "\"n_one\":\"1\",\"n_other\":\"{{count}}\",\"o\":\"\",\"z\":\"Z\"}");
}

static void
test_merge_families(void)
{
	static const struct catalog_change plural[] = {
	    CHANGE("k", "{n, plural, =0{no} one{1 k} other{# k}}")};
	static const struct catalog_change text[] = {CHANGE("k", "one text")};
	static const struct catalog_change ordinal[] = {
	    CHANGE("k", "{n, selectordinal, one{#st} two{#nd} few{#rd} other{#th}}")};

	/* A text becomes a plural in its place, and the reverse. */
	check_merge("en.json", "{\"a\":\"\",\"k\":\"x\",\"z\":\"\"}", plural, 1,
	    "{\"a\":\"\",\"k_zero\":\"no\",\"k_one\":\"1 k\",\"k_other\":\"{{count}} k\",\"z\":\"\"}");
	check_merge("en.json", "{\"k_zero\":\"0\",\"k_one\":\"1\",\"k_other\":\"n\",\"z\":\"\"}", text,
	    1, "{\"k\":\"one text\",\"z\":\"\"}");
	/* A form that is gone goes, one that lacks comes to its place. */
	check_merge("ru.json", "{\"a\":\"\",\"k_few\":\"{{count}} y\",\"k_other\":\"z\"}", plural, 1,
	    "{\"a\":\"\",\"k_zero\":\"no\",\"k_one\":\"1 k\",\"k_few\":\"{{count}} k\","
	    "\"k_many\":\"{{count}} k\",\"k_other\":\"{{count}} k\"}");
	check_merge("en.json", "{\"k_ordinal_one\":\"1\",\"k_ordinal_other\":\"n\"}", ordinal, 1,
	    "{\"k_ordinal_one\":\"{{count}}st\",\"k_ordinal_two\":\"{{count}}nd\","
	    "\"k_ordinal_few\":\"{{count}}rd\",\"k_ordinal_other\":\"{{count}}th\"}");
	/* Forms that stand beside a text of their name are taken in. */
	check_merge("en.json", "{\"k\":\"x\",\"k_one\":\"1\",\"k_other\":\"n\"}", plural, 1,
	    "{\"k_zero\":\"no\",\"k_one\":\"1 k\",\"k_other\":\"{{count}} k\"}");
}

static void
test_states(void)
{
	struct catalog_change draft[] = {CHANGE("k", "{n, plural, one{1} other{#}}")};
	struct catalog_change again[] = {CHANGE("k", "ignored")};
	char *got;

	draft[0].state = CATALOG_DRAFT;
	draft[0].was_hash = S("0123456789abcdef");
	got = merged("fr.json", "{\n  \"k_one\": \"\"\n}\n", draft, 1);
	CHECK(c.n == 1 && c.entries[0].state == CATALOG_DRAFT && !c.entries[0].edited);
	CHECK_TEXT(text_of(c.entries[0].was_hash), "0123456789abcdef");
	CHECK(strstr(got, "\"@@x-kandil\"") != NULL);
	/* The text stays, the state goes. */
	again[0].keep_text = true;
	char *done = merged("fr.json", got, again, 1);
	CHECK(strstr(done, "@@x-kandil") == NULL && strstr(done, "k_many") != NULL);
	CHECK(c.entries[0].state == CATALOG_TRANSLATED);
	/* A person's edit ends the mark. */
	char *at = strstr(got, "{{count}}");
	if (at)
		at[0] = at[1] = '_';
	CHECK(parse("fr.json", got) == 0);
	CHECK(c.entries[0].edited && c.entries[0].state == CATALOG_TRANSLATED);
	free(done);
	free(got);
}

/* say(m) is say of what is read of what was written for m. */
static void
check_round(const char *locale, const char *text, const char *format)
{
	struct catalog_change change = {.key = S("k"), .write = true, .value = slice(text),
	    .format = format, .source = slice(text), .state = CATALOG_TRANSLATED};
	struct catalog_merge m = {.locale = slice(locale), .changes = &change, .n = 1};
	struct buf name = {0}, out = {0}, said = {0}, again = {0};
	struct err e = {0};

	buf_addf(&name, "%s.json", locale);
	CHECK(i18next_say(&change, change.value, m.locale, &said, &e) == 0);
	CHECK(parse(name.ptr, "{}") == 0);
	CHECK(i18next_merge(&c, &m, &out, &e) == 0);
	CHECK(parse(name.ptr, out.ptr) == 0);
	CHECK(c.n == 1 && c.nfaults == 0);
	if (c.n == 1) {
		change.format = c.entries[0].format;
		CHECK(i18next_say(&change, c.entries[0].values[0], m.locale, &again, &e) == 0);
		CHECK(slice_eq(buf_slice(&said), buf_slice(&again)));
	}
	buf_free(&name);
	buf_free(&out);
	buf_free(&said);
	buf_free(&again);
}

static void
test_rounds(void)
{
	static const char *const locales[] = {"en", "ar", "es", "ru", "ja", "lv", "cy", "fr"};
	static const char *const texts[] = {"plain '{'quoted'}' it''s", "Hi {name}, {n, number}",
	    "{d, date, short} {t, time, long} {p, number, percent}",
	    "You have {n, plural, one{# new} other{# new}} in {box}",
	    "{n, plural, zero{z} one{#} two{t} few{# f} many{# m} other{# '#'}}",
	    "{n, selectordinal, one{#a} two{#b} few{#c} other{#d}}", "<b>x</b> 100%"};

	for (size_t i = 0; i < sizeof(locales) / sizeof(*locales); i++)
		for (size_t k = 0; k < sizeof(texts) / sizeof(*texts); k++)
			check_round(locales[i], texts[k], "icu");
	check_round("en", "{{- raw}} $t(other) {single}", "i18next");
	check_round("en", "%1$s has %2$d, 100%%", "printf");
}

static void
test_cannot(void)
{
	static const char *const texts[] = {"{g, select, other{x}}", "{{x}} '{{'y",
	    "{n, plural, offset:1 other{#}}", "{n, plural, =3{x} other{#}}",
	    "{n, plural, other{{m, plural, other{}}}}", "{n, plural, other{{count}}}",
	    "{n, number, ::currency/EUR}", "{n, spellout}"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct catalog_change change = {.format = "icu"};
		struct buf out = {0};
		struct err e = {0};
		CHECK(i18next_say(&change, slice(texts[i]), S("en"), &out, &e) < 0);
		CHECK(e.code && (i == 1 || strcmp(e.code, "cannot_say") == 0));
		buf_free(&out);
	}
}

int
main(void)
{
	test_read();
	test_unsayable();
	test_faults();
	test_merge_nested();
	test_merge_flat();
	test_merge_deep();
	test_arrays();
	test_forms_twice();
	test_merge_sorted();
	test_merge_families();
	test_states();
	test_rounds();
	test_cannot();
	catalog_free(&c);
	return check_done();
}
