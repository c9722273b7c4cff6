/*
 * xcstrings: what can be read can be merged into: no change gives the same
 * bytes, a change gives a file that can be read and says what was written, and
 * the same change once more changes nothing.
 */
#include "common/format/xcstrings.h"
#include "common/json.h"
#include "common/locale.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct catalog_entry *
find(const struct catalog *c, struct slice key)
{
	const struct catalog_entry *found = NULL;

	char name[LOCALE_MAX];

	for (size_t i = 0; i < c->n; i++)
		if (slice_eq(c->entries[i].key, key) &&
		    locale_canonical(c->entries[i].locale, name) && strcmp(name, "fr") == 0)
			found = &c->entries[i];
	return found;
}

/*
 * What is said of the new key is no object: a catalogue that Xcode does not write. The
 * merge keeps it, and the frame says that the file has no place for the text.
 */
static bool
is_taken(const struct catalog *c)
{
	struct slice strings, value;

	return json_get(slice_trim(c->text), "strings", &strings) &&
	    json_get(strings, "a new key", &value) && json_type(value) != JSON_OBJECT;
}

static void
merge(const struct catalog *c, const struct catalog_merge *m, struct buf *out,
    struct catalog *made)
{
	if (xcstrings_merge(c, m, out, NULL) < 0 ||
	    catalog_parse("x.xcstrings", CATALOG_XCSTRINGS, buf_slice(out), made, NULL) != 0)
		abort();
}

static void
check_change(const struct catalog *c)
{
	struct slice first = c->n ? c->entries[c->n / 2].key : S("zzz");
	struct catalog_change changes[] = {
	    {.key = first, .write = true, .format = "icu", .state = CATALOG_FUZZY,
		.source = S("{n, plural, one{#} other{#}}"),
		.value = S("{n, plural, one{# \"a\"} other{# b}}")},
	    {.key = S("a new key"), .write = true, .format = "icu", .value = S("two"),
		.state = CATALOG_DRAFT}};
	size_t from = slice_is(first, "a new key");
	struct catalog_merge m = {
	    .locale = S("fr"), .changes = changes + from, .n = 2 - from};
	struct buf out = {0}, again = {0};
	struct catalog made, twice;
	const struct catalog_entry *e;

	merge(c, &m, &out, &made);
	e = find(&made, S("a new key"));
	if (!e != is_taken(c))
		abort();
	if (e && !e->opaque &&
	    (e->nvalues != 1 || !slice_is(e->values[0], "two") || e->state != CATALOG_DRAFT))
		abort();
	e = find(&made, first);
	if (from == 0 &&
	    (!e || (!e->opaque && (e->nvalues != 1 || e->state != CATALOG_FUZZY ||
				      !slice_is(e->values[0],
					  "{n, plural, one{{n} \"a\"} other{{n} b}}")))))
		abort();
	merge(&made, &m, &again, &twice);
	if (!slice_eq(buf_slice(&out), buf_slice(&again)))
		abort();
	catalog_free(&made);
	catalog_free(&twice);
	buf_free(&out);
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct catalog_merge none = {.locale = S("fr")};
	struct catalog c, made;
	struct buf out = {0};

	if (catalog_parse("x.xcstrings", CATALOG_XCSTRINGS,
		(struct slice){(const char *)data, size}, &c, NULL) == 0) {
		merge(&c, &none, &out, &made);
		/* A catalogue without strings gets them. */
		if (c.n && !slice_eq(buf_slice(&out), buf_slice(&c.content)))
			abort();
		catalog_free(&made);
		buf_free(&out);
		check_change(&c);
	}
	catalog_free(&c);
	return 0;
}
