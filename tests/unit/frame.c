/*
 * frame: the captured messages of Phoenix 1.7, Supabase Realtime and their
 * clients, read and written back to the same bytes.
 */
#include "tests/unit/check.h"
#include "tools/collab/frame.h"

#include "common/json.h"

#define CONFIG                                                                                   \
	"{\"config\":{\"broadcast\":{\"self\":false,\"ack\":false},\"presence\":{\"key\":"       \
	"\"agent-a\",\"enabled\":true},\"postgres_changes\":[],\"private\":false}}"

static const char *const client_text[] = {
	"{\"topic\":\"realtime:room1\",\"event\":\"phx_join\",\"payload\":" CONFIG
	",\"ref\":\"6\",\"join_ref\":\"6\"}",
	"{\"topic\":\"realtime:room1\",\"event\":\"broadcast\",\"payload\":{\"type\":"
	"\"broadcast\",\"event\":\"agent\",\"payload\":{\"text\":\"back\"}},\"ref\":\"7\","
	"\"join_ref\":\"6\"}",
	"{\"topic\":\"phoenix\",\"event\":\"heartbeat\",\"payload\":{},\"ref\":null}",
	"[\"6\",\"6\",\"realtime:room1\",\"phx_join\"," CONFIG "]",
	"[null,\"9\",\"phoenix\",\"heartbeat\",{}]",
	"[\"6\",\"11\",\"realtime:room1\",\"phx_leave\",{}]",
	"[\"1\",\"2\",\"realtime:p\",\"presence\",{\"type\":\"presence\",\"event\":\"track\","
	"\"payload\":{\"n\":1}}]",
	"[\"6\",\"10\",\"realtime:room1\",\"presence\",{\"type\":\"presence\",\"event\":"
	"\"untrack\"}]",
};

static const char *const server_text[] = {
	"{\"event\":\"phx_reply\",\"payload\":{\"response\":{\"postgres_changes\":[]},\"status\":"
	"\"ok\"},\"ref\":\"6\",\"topic\":\"realtime:room1\"}",
	"{\"event\":\"presence_state\",\"payload\":{},\"ref\":null,\"topic\":\"realtime:room1\"}",
	"{\"event\":\"broadcast\",\"payload\":{\"event\":\"agent\",\"payload\":{\"text\":"
	"\"back\"},\"type\":\"broadcast\"},\"ref\":null,\"topic\":\"realtime:room1\"}",
	"{\"event\":\"phx_reply\",\"payload\":{\"response\":{\"reason\":\"unmatched topic\"},"
	"\"status\":\"error\"},\"ref\":\"3\",\"topic\":\"realtime:x\"}",
	"{\"event\":\"phx_close\",\"payload\":{},\"ref\":\"4\",\"topic\":\"realtime:x\"}",
	"[\"6\",\"6\",\"realtime:room1\",\"phx_reply\",{\"response\":{\"postgres_changes\":[]},"
	"\"status\":\"ok\"}]",
	"[\"6\",null,\"realtime:room1\",\"presence_state\",{}]",
	"[null,null,\"room:1\",\"broadcast\",{\"event\":\"e\",\"payload\":{\"x\":1},\"type\":"
	"\"broadcast\"}]",
	"[null,\"9\",\"phoenix\",\"phx_reply\",{\"response\":{},\"status\":\"ok\"}]",
	"[\"6\",\"6\",\"realtime:room1\",\"phx_close\",{}]",
	"[\"13\",null,\"realtime:room1\",\"system\",{\"extension\":\"system\",\"status\":\"error\","
	"\"message\":\"Too many messages per second\",\"channel\":\"room1\"}]",
	"[null,null,\"realtime:p\",\"presence_diff\",{\"joins\":{\"k1\":{\"metas\":[{\"phx_ref\":"
	"\"GOpW8D3rmHVEGwEy\",\"n\":1}]}},\"leaves\":{}}]",
};

/* text: refs may not be decoded to themselves, so members with escapes are not here. */
static void
test_text(const char *const *all, size_t n, bool server)
{
	struct frame_reader r = {0};
	struct buf out = {0};
	struct frame f;
	bool array;

	for (size_t i = 0; i < n; i++) {
		CHECK(frame_read_text(&r, slice(all[i]), &f, &array, NULL) == 0);
		CHECK(array == (all[i][0] == '['));
		buf_reset(&out);
		frame_write_text(&out, array ? FRAME_V2 : FRAME_V1, server, &f);
		CHECK_TEXT(out.ptr, all[i]);
	}
	buf_free(&out);
	frame_reader_free(&r);
}

/* Captured bytes and what they mean; "-" is null. */
static const struct binary {
	bool server;
	enum frame_form form;
	const char *hex, *join_ref, *ref, *topic, *event, *meta, *payload;
	bool json;
} binaries[] = {
	{false, FRAME_PUSH, "00010106053335726f6f6d3a3173686f75740102ff", "3", "5", "room:1",
	    "shout", "-", "\001\002\377", false},
	{true, FRAME_PUSH, "0001060533726f6f6d3a3173686f75740102ff", "3", "-", "room:1", "shout",
	    "-", "\001\002\377", false},
	{true, FRAME_REPLY, "01010106023335726f6f6d3a316f6b0102ff", "3", "5", "room:1", "ok", "-",
	    "\001\002\377", false},
	{true, FRAME_BROADCAST, "020605726f6f6d3a3173686f75740102ff", "-", "-", "room:1", "shout",
	    "-", "\001\002\377", false},
	{false, FRAME_USER_PUSH,
	    "0301010e05000136387265616c74696d653a726f6f6d316167656e747b2274657874223a2268c3a9222c"
	    "226e223a317d",
	    "6", "8", "realtime:room1", "agent", "-", "{\"text\":\"h\303\251\",\"n\":1}", true},
	{false, FRAME_USER_PUSH, "0301010e03000036397265616c74696d653a726f6f6d3162696e0102ff", "6",
	    "9", "realtime:room1", "bin", "-", "\001\002\377", false},
	{true, FRAME_USER,
	    "040e0500017265616c74696d653a726f6f6d316167656e747b2274657874223a2268c3a9222c226e223a"
	    "317d",
	    "-", "-", "realtime:room1", "agent", "-", "{\"text\":\"h\303\251\",\"n\":1}", true},
	{true, FRAME_USER,
	    "040e051a017265616c74696d653a726f6f6d316167656e747b227265706c61796564223a747275652c22"
	    "6964223a2278227d7b226e223a317d",
	    "-", "-", "realtime:room1", "agent", "{\"replayed\":true,\"id\":\"x\"}",
	    "{\"n\":1}", true},
	/* Topic and event in Latin-1, as old realtime-js writes them. */
	{false, FRAME_USER_PUSH, "0300010a050001387265616c74696d653ae93033353d427b7d", "-",
	    "8", "realtime:\351", "035=B", "-", "{}", true},
};

static void
from_hex(const char *hex, struct buf *out)
{
	unsigned byte;

	buf_reset(out);
	for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		buf_addc(out, (char)byte);
}

static bool
same(struct slice got, const char *want)
{
	return strcmp(want, "-") == 0 ? got.ptr == NULL : slice_is(got, want);
}

static void
test_binary(void)
{
	struct buf bytes = {0}, out = {0};
	struct frame f;

	for (size_t i = 0; i < sizeof(binaries) / sizeof(*binaries); i++) {
		const struct binary *b = &binaries[i];

		from_hex(b->hex, &bytes);
		CHECK(frame_read_binary(buf_slice(&bytes), b->server, &f, NULL) == 0);
		CHECK(f.form == b->form && f.json == b->json);
		CHECK(same(f.join_ref, b->join_ref) && same(f.ref, b->ref));
		CHECK(same(f.topic, b->topic) && same(f.event, b->event));
		CHECK(same(f.meta, b->meta) && same(f.payload, b->payload));
		buf_reset(&out);
		CHECK(frame_write_binary(&out, b->server, &f, NULL) == 0);
		CHECK(slice_eq(buf_slice(&out), buf_slice(&bytes)));
		size_t head = bytes.len - f.payload.len;
		/* Cut anywhere in front of the payload, it is no frame. */
		for (size_t n = 0; n < head; n++)
			CHECK(frame_read_binary((struct slice){bytes.ptr, n}, b->server, &f,
				  NULL) == -1);
		/* The other side does not send this kind (0 alone goes both ways). */
		CHECK(b->form == FRAME_PUSH ||
		    frame_read_binary(buf_slice(&bytes), !b->server, &f, NULL) == -1);
	}
	buf_free(&bytes);
	buf_free(&out);
}

static const char *const garbage[] = {
	"", " ", "null", "\"x\"", "[]", "[\"1\",\"2\",\"t\",\"e\"]", "[1,2,3,4,5]",
	"[{},\"2\",\"t\",\"e\",{}]", "[\"1\",[],\"t\",\"e\",{}]", "[null,null,null,\"e\",{}]",
	"[null,null,\"t\",5,{}]", "[null,null,\"t\",\"e\",{}] x", "[null,null,\"t\",\"e\",{}",
	"[null,null,\"\377\",\"e\",{}]", "{}", "{\"topic\":\"t\",\"event\":\"e\",\"payload\":{}}",
	"{\"topic\":\"t\",\"event\":\"e\",\"ref\":null}",
	"{\"topic\":\"t\",\"payload\":{},\"ref\":null}",
	"{\"event\":\"e\",\"payload\":{},\"ref\":null}",
	"{\"topic\":null,\"event\":\"e\",\"payload\":{},\"ref\":null}",
};

static const char *const garbage_hex[] = {
	"", "00", "05", "ff0000", "0001", "00ffffffff", "0301010e05000236", "03000001010002",
	"0300000101000174657b", /* JSON that is none */
	"030000010102017465" "5b5d" "7b7d", /* metadata that is an array */
};

static void
test_garbage(void)
{
	struct frame_reader r = {0};
	struct buf bytes = {0};
	struct frame f;
	struct err e;

	for (size_t i = 0; i < sizeof(garbage) / sizeof(*garbage); i++) {
		CHECK(frame_read_text(&r, slice(garbage[i]), &f, NULL, &e) == -1);
		CHECK_TEXT(e.code, "bad_frame");
	}
	for (size_t i = 0; i < sizeof(garbage_hex) / sizeof(*garbage_hex); i++) {
		from_hex(garbage_hex[i], &bytes);
		CHECK(frame_read_binary(buf_slice(&bytes), false, &f, &e) == -1);
		CHECK_TEXT(e.code, "bad_frame");
	}
	buf_free(&bytes);
	frame_reader_free(&r);
}

/* What is legal and unusual: numbers as refs, more elements, escapes, space, order. */
static void
test_unusual(void)
{
	struct frame_reader r = {0};
	struct buf out = {0};
	struct frame f;

	CHECK(frame_read_text(&r,
		  S(" [ 7 , null,\"real\\u0074ime:\\u00e9\\n\",\"e\", [1, 2] , \"more\"] \n"), &f,
		  NULL, NULL) == 0);
	CHECK(same(f.join_ref, "7") && same(f.ref, "-"));
	CHECK(same(f.topic, "realtime:\303\251\n") && same(f.payload, "[1, 2]"));
	frame_write_text(&out, FRAME_V2, true, &f);
	frame_write_text(&out, FRAME_V1, true, &f);
	CHECK_TEXT(out.ptr, "[\"7\",null,\"realtime:\303\251\\n\",\"e\",[1, 2]]"
			    "{\"event\":\"e\",\"payload\":[1, 2],\"ref\":null,\"topic\":"
			    "\"realtime:\303\251\\n\"}");
	CHECK(frame_read_text(&r,
		  S("{\"ref\":\"\",\"payload\":1e400,\"event\":\"\",\"topic\":\"\",\"x\":0}"), &f,
		  NULL, NULL) == 0);
	CHECK(same(f.join_ref, "-") && same(f.ref, "") && same(f.payload, "1e400"));
	buf_free(&out);
	frame_reader_free(&r);
}

static void
test_too_long(void)
{
	char text[256];
	struct frame f = {.form = FRAME_USER_PUSH, .topic = S("realtime:t"), .payload = S("{}")};
	struct buf out = {0};
	struct err e;

	memset(text, 'x', sizeof(text));
	f.event = (struct slice){text, 255};
	CHECK(frame_write_binary(&out, false, &f, &e) == 0);
	buf_reset(&out);
	f.event.len = 256;
	CHECK(frame_write_binary(&out, false, &f, &e) == -1 && out.len == 0);
	CHECK_TEXT(e.code, "too_long");
	f.event.len = 1;
	CHECK(frame_write_binary(&out, true, &f, &e) == -1); /* kind 3 is the client's */
	buf_free(&out);
}

static void
test_broadcast(void)
{
	struct slice event, inner, meta;
	struct frame_reader r = {0};
	struct buf out = {0};
	struct frame f;

	frame_broadcast(&out, S("ev\"t"), S("{\"b\":1, \"a\":1.10}"), S(""));
	CHECK_TEXT(out.ptr, "{\"event\":\"ev\\\"t\",\"payload\":{\"b\":1, \"a\":1.10},\"type\":"
			    "\"broadcast\"}");
	CHECK(frame_is_broadcast(&r, buf_slice(&out), &event, &inner, &meta));
	CHECK(same(event, "ev\"t") && same(inner, "{\"b\":1, \"a\":1.10}") && meta.len == 0);
	buf_reset(&out);
	frame_broadcast(&out, S(""), S("null"), S("{\"replayed\":true}"));
	CHECK(frame_is_broadcast(&r, buf_slice(&out), &event, &inner, &meta));
	CHECK(same(event, "") && same(inner, "null") && same(meta, "{\"replayed\":true}"));
	CHECK(frame_is_broadcast(&r, S("{\"event\":\"e\"}"), &event, &inner, &meta));
	CHECK(same(event, "e") && same(inner, "{}"));
	CHECK(!frame_is_broadcast(&r, S("{\"event\":1,\"payload\":{}}"), &event, &inner, &meta));
	CHECK(!frame_is_broadcast(&r, S("{\"event\":\"e\",\"type\":\"presence\"}"), &event, &inner,
	    &meta));
	CHECK(!frame_is_broadcast(&r, S("[\"event\"]"), &event, &inner, &meta));
	/* The frame's own strings outlive the taking apart. */
	CHECK(frame_read_text(&r,
		  S("[\"1\",\"2\",\"topic\",\"broadcast\",{\"event\":\"a longer name\"}]"), &f,
		  NULL, NULL) == 0);
	CHECK(frame_is_broadcast(&r, f.payload, &event, &inner, &meta));
	CHECK(same(f.topic, "topic") && same(f.ref, "2") && same(event, "a longer name"));
	buf_free(&out);
	frame_reader_free(&r);
}

int
main(void)
{
	test_text(client_text, sizeof(client_text) / sizeof(*client_text), false);
	test_text(server_text, sizeof(server_text) / sizeof(*server_text), true);
	test_binary();
	test_garbage();
	test_unusual();
	test_too_long();
	test_broadcast();
	return check_done();
}
