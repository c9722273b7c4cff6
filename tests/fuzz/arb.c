/*
 * arb: what can be read can be merged into: no change gives the same bytes, and
 * a change gives a file that can be read and says what was written.
 */
#include "common/format/arb.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_same(const struct catalog *c)
{
	struct buf out = {0};

	arb_merge(c, NULL, 0, true, &out);
	/* States of keys that are gone are forgotten; all else stays. */
	if (!c->states.len && !slice_eq(buf_slice(&out), buf_slice(&c->content)))
		abort();
	buf_free(&out);
}

static void
check_change(const struct catalog *c)
{
	struct slice first = c->n ? c->entries[c->n - 1].key : S("zzz");
	struct catalog_change changes[] = {
	    {.key = first, .write = true, .value = S("one \"1\""), .state = CATALOG_DRAFT,
		.placeholders = S("[{\"name\":\"p\"},{\"name\":\"q\",\"type\":\"int\"}]")},
	    {.key = S("a new key"), .write = true, .value = S("two"), .state = CATALOG_TRANSLATED,
		.description = S("d")}};
	struct buf out = {0};
	struct catalog made;

	/* A key is changed once. */
	size_t from = slice_is(first, "a new key");

	arb_merge(c, changes + from, 2 - from, true, &out);
	if (catalog_parse("x.arb", CATALOG_ARB, buf_slice(&out), &made, NULL) != 0)
		abort();
	struct catalog_entry *e = catalog_find(&made, first),
			     *n = catalog_find(&made, S("a new key"));
	if (!e || !n || !slice_is(n->values[0], "two"))
		abort();
	if (from == 0 &&
	    (!slice_is(e->values[0], "one \"1\"") || e->state != CATALOG_DRAFT))
		abort();
	catalog_free(&made);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct catalog c;

	if (catalog_parse(
		"x.arb", CATALOG_ARB, (struct slice){(const char *)data, size}, &c, NULL) == 0) {
		check_same(&c);
		check_change(&c);
	}
	catalog_free(&c);
	return 0;
}
