/*
 * sse: the same events whether bytes come whole, in portions or one by one;
 * within the bound, and no line feed in NDJSON.
 */
#include "tools/ai/provider.h"

#include <stdlib.h>

enum { MOST = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	struct buf text;
	bool lines;
};

static int
note_event(struct slice name, struct slice data, void *state)
{
	struct seen *seen = state;

	if (data.len > MOST || name.len > MOST)
		abort();
	if (seen->lines && (data.len == 0 || memchr(data.ptr, '\n', data.len)))
		abort();
	buf_addf(&seen->text, "%zu %zu ", name.len, data.len);
	buf_addslice(&seen->text, name);
	buf_addslice(&seen->text, data);
	return 0;
}

/* The result, and the events up to it. */
static int
feed(struct slice bytes, size_t portion, struct seen *seen)
{
	struct sse s = {.max = MOST, .lines = seen->lines};
	int result = 0;

	for (size_t at = 0; result == 0 && at < bytes.len; at += portion) {
		size_t n = bytes.len - at < portion ? bytes.len - at : portion;

		result = sse_feed(&s, (struct slice){bytes.ptr + at, n}, note_event, seen);
	}
	if (result == 0)
		result = sse_end(&s, note_event, seen);
	sse_free(&s);
	return result;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen whole = {0}, parts = {0};
	struct slice bytes = {(const char *)data + 1, size - 1};
	size_t portions[2] = {1, 0};

	if (size == 0)
		return 0;
	whole.lines = parts.lines = data[0] & 1;
	portions[1] = (size_t)(data[0] >> 1) + 1;
	int result = feed(bytes, bytes.len + 1, &whole);
	for (int i = 0; i < 2; i++) {
		buf_reset(&parts.text);
		if (feed(bytes, portions[i], &parts) != result ||
		    !slice_eq(buf_slice(&whole.text), buf_slice(&parts.text)))
			abort();
	}
	buf_free(&whole.text);
	buf_free(&parts.text);
	return 0;
}
