/* What is written into a catalogue of Apple's is what is read of it, or cannot be said. */
#include "common/format/strings.h"
#include "common/format/xcstrings.h"

#include "tests/unit/apple_text.h"

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
	test_rounds();
	test_cannot();
	catalog_free(&c);
	return check_done();
}
