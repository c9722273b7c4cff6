/* state snapshot: in chunks and back, damaged ones; bounds; patches on the wire. */
#include "tests/unit/state_say.h"
#include "tools/collab/state.h"

static void
test_snapshot(void)
{
	struct state *s = new_node("me"), *back;
	struct stamp floor = at(3, "me");
	struct buf patch = {0};
	struct chunks c;
	size_t long_ones = 0;

	CHECK(merge(s, 2, "me", 1, "{\"gone\":null}") == STATE_MERGED);
	CHECK(state_collect(s, &floor, NULL) == 0);
	for (int i = 0; i < 300; i++) {
		char node[16];

		snprintf(node, sizeof(node), "n%d", i % 50);
		buf_reset(&patch);
		buf_addf(&patch, "{\"k\\\"%d/~\":{\"é\":%s,\"d\":null,\"s\":\"", i, i % 2 ? "[ 1 ]" : "{}");
		for (int k = i == 77 ? 900 : 3; k-- > 0; )
			buf_adds(&patch, "x");
		buf_adds(&patch, "\"}}");
		CHECK(merge(s, 10 + i, node, (uint64_t)i / 50 + 1, patch.ptr) == STATE_MERGED);
	}
	CHECK(merge(s, 3, "late", 1, "{}") == STATE_BEHIND);
	c = snapshot(s, 700);
	CHECK(c.n > 20);
	for (size_t i = 0; i < c.n; i++)
		long_ones += strlen(c.v[i]) > 700;
	CHECK(long_ones == 1 && c.longest < 2 * 950 + 1300); /* the row that is longer by itself */
	back = state_new(NULL);
	for (size_t i = 0; i < c.n; i++) { /* any order, each twice */
		size_t k = (i * 7 + 3) % c.n, done;

		if (c.n % 7 == 0)
			k = c.n - 1 - i;
		done = (size_t)state_load(back, slice(c.v[k]), NULL);
		CHECK(done == (i + 1 == c.n) && state_load(back, slice(c.v[k]), NULL) == (int)done);
	}
	CHECK(equal(s, back) && state_registers(back) == state_registers(s));
	CHECK(state_bytes(back) == state_bytes(s));
	CHECK(state_vector(back, S("n7")) == 6 && state_closed(back, S("late")));
	state_free(back);
	/* One is missing: it cannot be joined. */
	back = state_new(NULL);
	for (size_t i = 1; i < c.n; i++)
		CHECK(state_load(back, slice(c.v[i]), NULL) == 0);
	CHECK(state_join(s, back, NULL) == -1);
	state_free(back);
	chunks_free(&c);
	buf_free(&patch);
	state_free(s);
}

static void
test_bad_chunks(void)
{
#define CHUNK(part, last, nodes, rows) \
	"{\"snapshot\":[1,0,\"n\"],\"part\":" part ",\"last\":" last ",\"nodes\":" nodes ",\"rows\":" rows "}"
	static const char *const bad[] = {"[]", "{}", CHUNK("-1", "true", "[]", "[]"),
	    CHUNK("9999999", "false", "[]", "[]"), CHUNK("0", "true", "{}", "[]"),
	    CHUNK("0", "true", "[1]", "[]"), CHUNK("0", "true", "[\"\\u0001\"]", "[]"),
	    CHUNK("0", "true", "[\"a\"]", "[[]]"), CHUNK("0", "true", "[\"a\"]", "[[\"z\",1]]"),
	    CHUNK("0", "true", "[\"a\"]", "[[\"r\",\"/x\",1,0,1,1]]"),
	    CHUNK("0", "true", "[\"a\"]", "[[\"r\",\"/x\",0,0,0,1]]"),
	    CHUNK("0", "true", "[\"a\"]", "[[\"r\",\"x\",1,0,0,1]]"),
	    CHUNK("0", "true", "[\"a\"]", "[[\"r\",\"/~\",1,0,0,1]]"),
	    CHUNK("0", "true", "[\"a\"]", "[[\"r\",\"/x\",1,0,0,{}]]"),
	    CHUNK("0", "true", "[\"a\"]", "[[\"r\",\"/x\",1,0,0,null]]"),
	    CHUNK("0", "true", "[\"a\"]", "[[\"r\",\"/x\",1,0,0]]"),
	    CHUNK("0", "true", "[\"a\"]", "[[\"d\",\"/x\",1,4294967296,0]]"),
	    CHUNK("0", "true", "[\"a\"]", "[[\"v\",0,-1,1,1]]"),
	    CHUNK("0", "true", "[\"a\"]", "[[\"f\",1,1]]"), CHUNK("0", "true", "[]", "[[\"v\",0,1,1,1]]"),
	    CHUNK("0", "true", "[\"\"]", "[[\"o\",\"\",1,1,0]]")};
	struct buf deep = {0};
	struct err e;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct state *s = state_new(NULL);

		CHECK(json_check(slice(bad[i]), NULL) == 0 && state_load(s, slice(bad[i]), &e) == -1);
		if (strcmp(e.code, "bad_snapshot") && strcmp(e.code, "bad_stamp"))
			CHECK_TEXT(e.code, bad[i]);
		state_free(s);
	}
	for (int depth = STATE_DEPTH - 1; depth <= STATE_DEPTH; depth++) {
		struct state *s = state_new(NULL);

		buf_reset(&deep);
		buf_adds(&deep, "{\"snapshot\":[1,0,\"n\"],\"part\":0,\"last\":true,\"nodes\":[\"a\"],\"rows\":[[\"o\",\"");
		for (int i = 0; i < depth; i++)
			buf_adds(&deep, "/x");
		buf_adds(&deep, "\",1,0,0]]}");
		CHECK(state_load(s, buf_slice(&deep), &e) == (depth < STATE_DEPTH ? 1 : -1));
		state_free(s);
	}
	buf_free(&deep);
}

/* ---- bounds, wire ---- */

static void
test_bounds(void)
{
	struct state *s = state_new(&(struct state_settings){.max_registers = 20, .max_nodes = 3});
	struct buf patch = {0};
	struct stamp t = at(1, "a");
	struct err e;
	int64_t l = 1;

	while (t.l = l++, buf_reset(&patch), buf_addf(&patch, "{\"k%d\":1}", (int)l),
	    state_apply(s, &t, buf_slice(&patch), &e) == STATE_MERGED)
		;
	CHECK(strcmp(e.code, "state_full") == 0 && state_registers(s) == 20);
	t.l = l++;
	CHECK(state_apply(s, &t, S("{\"k2\":null,\"k3\":null}"), &e) == STATE_MERGED);
	t.l = l++;
	CHECK(state_collect(s, &t, &e) == 0);
	t.l = l++;
	CHECK(state_apply(s, &t, S("{\"new\":1}"), &e) == STATE_MERGED);
	t.node = S("b");
	CHECK(state_apply(s, &t, S("{\"k3\":null}"), &e) == STATE_MERGED);
	t.node = S("c");
	CHECK(state_apply(s, &t, S("{\"k4\":null}"), &e) == STATE_MERGED);
	t.node = S("d");
	CHECK(state_apply(s, &t, S("{}"), &e) == STATE_REFUSED && strcmp(e.code, "state_full") == 0);
	state_free(s);
	s = state_new(&(struct state_settings){.max_bytes = 4000});
	t = at(1, "a");
	for (; t.l < 1000 && state_apply(s, &t, S("{\"a\":{\"b\":[1]}}"), &e) == STATE_MERGED; t.l++)
		;
	CHECK(t.l == 1000 && state_bytes(s) < 1000); /* what is written over costs nothing */
	buf_adds(&patch, "[");
	for (int i = 0; i < 4000; i++)
		buf_adds(&patch, "1,");
	buf_adds(&patch, "1]");
	CHECK(state_apply(s, &t, buf_slice(&patch), &e) == STATE_REFUSED);
	CHECK_TEXT(e.code, "state_full");
	state_free(s);
	s = state_new(NULL);
	for (int depth = STATE_DEPTH; depth <= STATE_DEPTH + 1; depth++) {
		buf_reset(&patch);
		for (int i = 0; i < depth; i++)
			buf_adds(&patch, i < depth - 3 ? "{\"a\":" : "[");
		for (int i = depth; i-- > 0; )
			buf_adds(&patch, i < depth - 3 ? "}" : "]");
		t.l++;
		CHECK(state_apply(s, &t, buf_slice(&patch), &e) ==
		    (depth == STATE_DEPTH ? STATE_MERGED : STATE_REFUSED));
	}
	CHECK_TEXT(e.code, "too_deep");
	/* All is given back. */
	t.l++;
	CHECK(state_apply(s, &t, S("{\"a\":null}"), &e) == STATE_MERGED);
	CHECK(state_collect(s, &t, &e) == 0 && state_registers(s) == 1 && state_bytes(s) == 0);
	state_free(s);
	buf_free(&patch);
}

static void
test_wire(void)
{
	struct stamp t = {1700000000000, 3, S("n")}, back = {.node = S("from")};
	struct buf out = {0};
	struct slice patch;
	struct err e;

	state_put_patch(&out, &t, S("{\"a\":1.10}"));
	CHECK_TEXT(out.ptr, "{\"stamp\":[1700000000000,3],\"patch\":{\"a\":1.10}}");
	CHECK(state_get_patch(buf_slice(&out), &back, &patch, &e) == 0 && back.l == t.l && back.c == 3);
	CHECK(slice_is(patch, "{\"a\":1.10}") && slice_is(back.node, "from"));
	CHECK(state_get_patch(S("{\"stamp\":[1,2]}"), &back, &patch, &e) == -1);
	CHECK_TEXT(e.code, "bad_patch");
	CHECK(state_get_patch(S("{\"stamp\":[1,2,3],\"patch\":1}"), &back, &patch, &e) == -1);
	CHECK_TEXT(e.code, "bad_stamp");
	CHECK(state_get_patch(S("[]"), &back, &patch, &e) == -1);
	buf_free(&out);
}

int
main(void)
{
	test_snapshot();
	test_bad_chunks();
	test_bounds();
	test_wire();
	return check_done();
}
