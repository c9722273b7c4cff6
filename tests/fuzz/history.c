/*
 * history: a body that can be read is written as the same bytes; a header that can be
 * read names a topic whose file's name can be made; a stamp says what it is of.
 */
#include "common/json.h"
#include "tools/collab/history_part.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
body(struct slice input)
{
	struct history_message m;
	struct buf again = {0};

	if (!history_body_read(input, &m))
		return;
	history_body_write(&again, &m);
	if (!slice_eq(buf_slice(&again), input))
		abort();
	buf_free(&again);
}

static void
header(struct slice input)
{
	struct buf key = {0}, name = {0}, line = {0}, other = {0};
	struct history h = {0};
	uint64_t epoch;

	if (history_disk_read_header(input, &key, &h.epoch)) {
		history_disk_name(buf_slice(&key), &name);
		if (name.len > 255 || memchr(name.ptr, '/', name.len))
			abort();
		h.key = key.ptr;
		h.key_len = key.len;
		history_disk_header(&h, &line);
		line.len--; /* its line feed */
		if (!history_disk_read_header(buf_slice(&line), &other, &epoch) || epoch != h.epoch ||
		    !slice_eq(buf_slice(&key), buf_slice(&other)))
			abort();
	}
	buf_free(&key);
	buf_free(&name);
	buf_free(&line);
	buf_free(&other);
}

static void
stamp(struct slice input)
{
	struct buf from = {0};
	uint64_t seq;
	bool again;

	if (json_check(input, NULL) == 0 && history_stamp(input, &from, &seq, &again) &&
	    (from.len == 0 || from.len > HISTORY_FROM || seq == 0))
		abort();
	buf_free(&from);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = {(const char *)data, size};

	body(input);
	header(input);
	stamp(input);
	return 0;
}
