/*
 * frames: what is read can be written in either form, and reads the same
 * again. The first byte: who sent it.
 */
#include "tools/collab/frame.h"

#include "common/json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool yes)
{
	if (!yes)
		abort();
}

static bool
same(const struct frame *a, const struct frame *b)
{
	return a->form == b->form && a->json == b->json && slice_eq(a->topic, b->topic) &&
	    slice_eq(a->event, b->event) && slice_eq(a->join_ref, b->join_ref) &&
	    slice_eq(a->ref, b->ref) && slice_eq(a->payload, b->payload) &&
	    slice_eq(a->meta, b->meta);
}

static void
text(struct slice bytes)
{
	struct frame_reader r = {0}, again = {0};
	struct slice event, inner, meta, event2, inner2, meta2;
	struct buf out = {0};
	struct frame f, g;
	bool array, array2;

	if (frame_read_text(&r, bytes, &f, &array, NULL) == 0) {
		frame_write_text(&out, array ? FRAME_V2 : FRAME_V1, false, &f);
		must(frame_read_text(&again, buf_slice(&out), &g, &array2, NULL) == 0);
		must(array == array2 && same(&f, &g));
		if (frame_is_broadcast(&r, f.payload, &event, &inner, &meta)) {
			buf_reset(&out);
			frame_broadcast(&out, event, inner, meta);
			must(json_check(buf_slice(&out), NULL) == 0);
			must(frame_is_broadcast(&again, buf_slice(&out), &event2, &inner2, &meta2));
			must(slice_eq(event, event2) && slice_eq(inner, inner2) &&
			    slice_eq(meta, meta2));
		}
	}
	buf_free(&out);
	frame_reader_free(&r);
	frame_reader_free(&again);
}

static void
binary(struct slice bytes, bool server)
{
	struct buf out = {0};
	struct frame f, g;

	if (frame_read_binary(bytes, server, &f, NULL) != 0)
		return;
	must(frame_write_binary(&out, server, &f, NULL) == 0);
	must(f.json || slice_eq(buf_slice(&out), bytes));
	must(frame_read_binary(buf_slice(&out), server, &g, NULL) == 0 && same(&f, &g));
	if (f.json) {
		buf_reset(&out);
		frame_broadcast(&out, f.event, f.payload, f.meta);
		must(json_check(buf_slice(&out), NULL) == 0);
	}
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct slice bytes = {(const char *)data + 1, size - 1};

	if (data[0] == 't')
		text(bytes);
	else
		binary(bytes, data[0] & 1);
	return 0;
}
