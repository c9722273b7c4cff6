/*
 * A rule pack and a source, parted by a line of four dashes: whatever the pack says, reading ends,
 * and what is reported lies in the source, in order.
 */
#include "tools/extract/pack.h"

#include <stdlib.h>

struct check {
	const struct source *source;
	size_t line;
};

static void
check_found(const struct source *source, const struct found *f, void *state)
{
	struct check *check = state;

	if (source != check->source || f->start > f->end || f->end > source->text.len ||
	    f->line == 0 || f->column == 0 || utf8_valid(f->value.ptr, f->value.len) != f->value.len)
		abort();
	check->line = f->line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char mark[] = "\n----\n";
	const char *text = (const char *)data;
	const char *cut = size ? memmem(text, size, mark, sizeof(mark) - 1) : NULL;
	size_t head = cut ? (size_t)(cut - text) + 1 : size;
	struct pack *pack;
	struct err e;

	if (size > 8192)
		return -1;
	pack = pack_parse("fuzz.rules", (struct slice){text, head}, &e);
	if (pack != NULL && cut != NULL) {
		struct source source = {"fuzz", {text + head + 5, size - head - 5}};
		struct check check = {&source, 0};

		pack_scan(pack, &source, check_found, &check, &e);
		pack_scan(pack, &source, check_found, &check, &e);
	}
	pack_free(pack);
	return 0;
}
