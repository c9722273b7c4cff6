/*
 * i18next: what can be read can be merged into: no change gives the same bytes,
 * and a change gives a file that can be read and says what was written.
 */
#include "common/format/i18next.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_same(const struct catalog *c)
{
	struct catalog_merge none = {.locale = S("fr")};
	struct buf out = {0};

	if (i18next_merge(c, &none, &out, NULL) < 0)
		abort();
	/* States of keys that are gone are forgotten; all else stays. */
	if (!c->states.len && !slice_eq(buf_slice(&out), buf_slice(&c->content)))
		abort();
	buf_free(&out);
}

static void
check_change(const struct catalog *c)
{
	struct slice first = c->n ? c->entries[c->n / 2].key : S("zzz");
	struct catalog_change changes[] = {
	    {.key = first, .write = true, .format = "icu", .state = CATALOG_DRAFT,
		.value = S("{n, plural, one{# \"a\"} many{# m} other{# b}}")},
	    {.key = S("a.new.key"), .write = true, .format = "icu", .value = S("two {x}"),
		.state = CATALOG_TRANSLATED}};
	size_t from = slice_is(first, "a.new.key");
	struct catalog_merge m = {
	    .locale = S("fr"), .changes = changes + from, .n = 2 - from};
	struct buf out = {0};
	struct catalog made;
	struct err e = {0};

	if (i18next_merge(c, &m, &out, &e) < 0) {
		/* The file's own shape may stand in the way. */
		if (strcmp(e.code, "cannot_say") != 0)
			abort();
		buf_free(&out);
		return;
	}
	if (catalog_parse("fr.json", CATALOG_I18NEXT, buf_slice(&out), &made, &e) != 0)
		abort();
	struct catalog_entry *n = catalog_find(&made, S("a.new.key"));
	if (!n || n->nvalues != 1 || !slice_is(n->values[0], "two {{x}}"))
		abort();
	catalog_free(&made);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct catalog c;

	if (catalog_parse("fr.json", CATALOG_I18NEXT, (struct slice){(const char *)data, size}, &c,
		NULL) == 0) {
		check_same(&c);
		check_change(&c);
	}
	catalog_free(&c);
	return 0;
}
