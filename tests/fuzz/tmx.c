/* tmx: any document is read or refused. */
#include "common/format/tmx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct catalog c;

	catalog_parse("x.tmx", CATALOG_TMX, (struct slice){(const char *)data, size}, &c, NULL);
	catalog_free(&c);
	return 0;
}
