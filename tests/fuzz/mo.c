/* mo: no offset, length or charset of a compiled catalogue leads outside it. */
#include "common/format/mo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct catalog c;
	struct buf text = {0};

	if (catalog_parse("x.mo", CATALOG_MO, (struct slice){(const char *)data, size}, &c, NULL) ==
	    0)
		for (size_t i = 0; i < c.n; i++) {
			catalog_message(&c, &c.entries[i], &text);
			catalog_source_message(&c, &c.entries[i], &text);
			buf_reset(&text);
		}
	buf_free(&text);
	catalog_free(&c);
	return 0;
}
