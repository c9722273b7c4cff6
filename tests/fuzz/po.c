/*
 * po: what can be read can be merged into: no change gives the same bytes, a
 * change and a pruning give files that can be read.
 */
#include "common/format/po.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
parse_again(const struct buf *text, struct catalog *c)
{
	if (catalog_parse("x.po", CATALOG_PO, buf_slice(text), c, NULL) != 0)
		abort();
}

static void
check_changes(const struct catalog *c)
{
	struct slice old = c->n ? c->entries[0].key : S("old");
	struct catalog_change changes[] = {
	    {.key = old, .source = S("now {x}"), .old_source = S("was {x}"), .format = "icu"},
	    {.key = S("k"),
		.source = S("{n, plural, one{# a} other{# b}}"),
		.format = "icu",
		.write = true,
		.value = S("{n, plural, one{# c} other{# d}}"),
		.state = CATALOG_DRAFT}};
	struct buf out = {0};
	struct catalog made, again;

	if (po_merge(c, S("de"), changes, 0, &out, NULL) == 0 &&
	    !slice_eq(buf_slice(&out), buf_slice(&c->content)))
		abort();
	buf_reset(&out);
	if (po_merge(c, S("de"), changes, 2, &out, NULL) == 0) {
		parse_again(&out, &made);
		buf_reset(&out);
		po_prune(&made, changes + 1, 1, &out);
		parse_again(&out, &again);
		catalog_free(&made);
		catalog_free(&again);
	}
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct catalog c;
	struct buf text = {0};

	if (catalog_parse("x.po", CATALOG_PO, (struct slice){(const char *)data, size}, &c, NULL) ==
	    0) {
		for (size_t i = 0; i < c.n; i++) {
			catalog_message(&c, &c.entries[i], &text);
			catalog_source_message(&c, &c.entries[i], &text);
		}
		if (!c.converted)
			check_changes(&c);
	}
	buf_free(&text);
	catalog_free(&c);
	return 0;
}
