/* tmx: any document is read or refused; what was read can be merged into. */
#include "tests/fuzz/merge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_merge("x.tmx", CATALOG_TMX, data, size);
}
