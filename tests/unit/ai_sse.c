/*
 * Server-Sent Events: the same events whatever portions the bytes come in.
 */
#include "check.h"
#include "common/json.h"
#include "tools/ai/provider.h"

static int
note_event(struct slice name, struct slice data, void *state)
{
	json_put(state, name);
	json_put(state, data);
	return 0;
}

/* The events of bytes that come as two portions, cut at `at`. */
static void
events(struct slice bytes, size_t at, bool lines, struct buf *out)
{
	struct sse s = {.lines = lines};

	buf_reset(out);
	buf_addc(out, '[');
	CHECK(sse_feed(&s, (struct slice){bytes.ptr, at}, note_event, out) == 0);
	CHECK(sse_feed(&s, (struct slice){bytes.ptr + at, bytes.len - at}, note_event, out) == 0);
	CHECK(sse_end(&s, note_event, out) == 0);
	buf_addc(out, ']');
	sse_free(&s);
}

static void
check_stream(struct slice bytes, bool lines, const char *want)
{
	struct buf got = {0}, single = {0};
	struct sse s = {.lines = lines};

	for (size_t at = 0; at <= bytes.len; at++) {
		events(bytes, at, lines, &got);
		CHECK_TEXT(got.ptr, want);
	}
	buf_addc(&single, '[');
	for (size_t i = 0; i < bytes.len; i++)
		sse_feed(&s, (struct slice){bytes.ptr + i, 1}, note_event, &single);
	sse_end(&s, note_event, &single);
	buf_addc(&single, ']');
	CHECK_TEXT(single.ptr, want);
	sse_free(&s);
	buf_free(&single);
	buf_free(&got);
}

/* One text with each end of line that the standard knows. */
static void
check_ends(const char *text, const char *want)
{
	static const char *const ends[] = {"\n", "\r", "\r\n"};
	struct buf bytes = {0};

	for (size_t e = 0; e < 3; e++) {
		buf_reset(&bytes);
		for (const char *p = text; *p; p++)
			if (*p == '\n')
				buf_adds(&bytes, ends[e]);
			else
				buf_addc(&bytes, *p);
		check_stream(buf_slice(&bytes), false, want);
	}
	buf_free(&bytes);
}

static int
stop_at_two(struct slice name, struct slice data, void *state)
{
	int *seen = state;

	(void)name;
	(void)data;
	return ++*seen == 2 ? 7 : 0;
}

static void
check_bounds(void)
{
	struct sse s = {.max = 16};
	struct buf out = {0};
	int seen = 0;

	/* A line without an end, then many short lines of one event. */
	for (int i = 0; i < 3; i++)
		CHECK(sse_feed(&s, S("data:"), note_event, &out) == 0);
	CHECK(sse_feed(&s, S("data:"), note_event, &out) == -1);
	sse_reset(&s);
	CHECK(sse_feed(&s, S("data: 1234567\n"), note_event, &out) == 0);
	CHECK(sse_feed(&s, S("data: 1234567\n"), note_event, &out) == 0);
	CHECK(sse_feed(&s, S("data: 12345678\n"), note_event, &out) == -1);
	/* Bounded by event, not by stream. */
	sse_reset(&s);
	for (int i = 0; i < 100; i++)
		CHECK(sse_feed(&s, S("data: 123\n\n: ping\n"), note_event, &out) == 0);
	sse_reset(&s);
	CHECK(sse_feed(&s, S("data:a\n\ndata:b\n\ndata:c\n\n"), stop_at_two, &seen) == 7);
	CHECK(seen == 2);
	sse_free(&s);
	buf_free(&out);
}

/* Many line ends of one kind and none of the other: each byte is looked at a few times only. */
static void
check_floods(void)
{
	static char flood[8 << 20];
	struct sse s = {0};
	struct buf out = {0};

	for (size_t i = 0; i < 2; i++) {
		memset(flood, "\r\n"[i], sizeof(flood));
		sse_reset(&s);
		CHECK(sse_feed(&s, (struct slice){flood, sizeof(flood)}, note_event, &out) == 0);
	}
	CHECK(out.len == 0);
	sse_free(&s);
	buf_free(&out);
}

int
main(void)
{
	check_ends("data: a\n\n", "[\"\",\"a\"]");
	check_ends("event: e\ndata: a\n\ndata:b\n\n", "[\"e\",\"a\",\"\",\"b\"]");
	check_ends("data: a\ndata\ndata:  b\n\n", "[\"\",\"a\\n\\n b\"]");
	check_ends("data:\n\n", "[\"\",\"\"]");
	check_ends("event: e\n\ndata: a\n\n", "[\"\",\"a\"]");
	check_ends(": comment\nid: 1\nretry: 2\ndatum: x\ndata: a:b: c\n\n\n\n",
	    "[\"\",\"a:b: c\"]");
	check_ends("data: a\n\ndata: not ended\n", "[\"\",\"a\"]");
	check_ends("data: a\n\ndata: not ended", "[\"\",\"a\"]");
	check_ends("\xEF\xBB\xBF" "data: a\n\n\xEF\xBB\xBF" "data: b\n\n", "[\"\",\"a\"]");
	check_ends(" data: a\n\n", "[]");
	check_ends("", "[]");
	check_ends("data: \xC3\xA4\xE2\x82\xAC\n\n", "[\"\",\"\xC3\xA4\xE2\x82\xAC\"]");
	check_stream(S("{\"a\":1}\n\n  {\"b\":2}\r\n{\"c\":3}"), true,
	    "[\"\",\"{\\\"a\\\":1}\",\"\",\"{\\\"b\\\":2}\",\"\",\"{\\\"c\\\":3}\"]");
	check_bounds();
	check_floods();
	return check_done();
}
