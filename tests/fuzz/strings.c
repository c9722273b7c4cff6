/*
 * strings, stringsdict: what can be read can be merged into: no change gives
 * the same bytes, and a change gives a file that can be read and says what was
 * written. The first byte chooses the format.
 */
#include "common/format/strings.h"
#include "common/format/stringsdict.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_same(const struct catalog *c)
{
	struct catalog_merge none = {.locale = S("fr")};
	struct buf out = {0};

	if (catalog_kind(c->format)->merge(c, &none, &out, NULL) < 0 ||
	    !slice_eq(buf_slice(&out), buf_slice(&c->content)))
		abort();
	buf_free(&out);
}

static void
check_entry(const struct catalog *made, struct slice key, const char *text, bool draft)
{
	struct catalog_entry *e = catalog_find(made, key);

	if (!e || (!e->opaque && (e->nvalues != 1 || !slice_is(e->values[0], text))))
		abort();
	if (draft && !e->opaque && e->state != CATALOG_DRAFT)
		abort();
}

static void
check_change(const struct catalog *c, const char *name, struct slice value, const char *text)
{
	struct slice first = c->n ? c->entries[c->n / 2].key : S("zzz");
	struct catalog_change changes[] = {
	    {.key = first, .write = true, .format = "icu", .state = CATALOG_DRAFT, .value = value},
	    {.key = S("a new key"), .write = true, .format = "icu", .value = value,
		.state = CATALOG_TRANSLATED}};
	size_t from = slice_is(first, "a new key");
	struct catalog_merge m = {
	    .locale = S("fr"), .changes = changes + from, .n = 2 - from};
	struct buf out = {0};
	struct catalog made;

	if (catalog_kind(c->format)->merge(c, &m, &out, NULL) < 0 ||
	    catalog_parse(name, c->format, buf_slice(&out), &made, NULL) != 0)
		abort();
	check_entry(&made, S("a new key"), text, false);
	if (from == 0)
		check_entry(&made, first, text, true);
	catalog_free(&made);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = {(const char *)data + 1, size ? size - 1 : 0};
	bool dict = size && data[0] == 'd';
	const char *name = dict ? "fr.lproj/x.stringsdict" : "fr.lproj/x.strings";
	struct catalog c;

	if (size &&
	    catalog_parse(name, dict ? CATALOG_STRINGSDICT : CATALOG_STRINGS, text, &c, NULL) == 0) {
		/* UTF-16 with half a pair in it is not written back as it was. */
		if (!c.converted)
			check_same(&c);
		if (dict)
			check_change(&c, name, S("{n, plural, one{<#>} other{# & b}}"),
			    "{n, plural, one{<{n}>} other{{n} & b}}");
		else
			check_change(&c, name, S("\"q\" \\ \n"), "\"q\" \\ \n");
	}
	if (size)
		catalog_free(&c);
	return 0;
}
