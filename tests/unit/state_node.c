/*
 * state node: who takes a place among the nodes, and who gives it back: made up names take none,
 * runs that write nothing do not use a document up, and who wrote is never forgotten.
 */
#include "tests/unit/state_say.h"
#include "tools/collab/state.h"

static struct state *
small(size_t nodes)
{
	struct state *s = state_new(&(struct state_settings){.max_nodes = nodes});

	CHECK(state_self(s, S("me"), NULL) == 0);
	return s;
}

static size_t
known(const struct state *s)
{
	struct slice node;
	uint64_t seq;
	bool closed;
	size_t each = 0, n = 0;

	while (state_each(s, &each, &node, &seq, &closed)) {
		CHECK(node.len > 0);
		n++;
	}
	return n;
}

/* The head of one who tells of so many others, each with that row; of is in floor and passed. */
static void
forge(struct buf *out, int64_t clock, const char *of, size_t names, const char *row)
{
	buf_reset(out);
	buf_addf(out, "{\"head\":1,\"clock\":[%d,0],\"floor\":[1,0,\"%s.f\"],\"passed\":[1,0,\"%s.p\"],"
		 "\"digest\":\"0123456789abcdef\",\"vector\":{", (int)clock, of, of);
	for (size_t i = 0; i < names; i++)
		buf_addf(out, "%s\"%s.%zu\":%s", i ? "," : "", of, i, row);
	buf_adds(out, "}}");
	CHECK(json_check(buf_slice(out), NULL) == 0);
}

static int
told(struct state *s, const char *from, struct slice head, enum state_need *need)
{
	return state_heard(s, slice(from), 2, head, need, NULL);
}

/* One head with as many names as a message can have. */
static void
test_hearsay(void)
{
	struct state *s = new_node("me"), *other = new_node("other");
	enum state_need need = STATE_NOTHING;
	struct buf text = {0};

	CHECK(merge(s, 10, "me", 1, "{\"x\":1}") == STATE_MERGED);
	forge(&text, 20, "name", 5000, "[7,15,0]");
	CHECK(told(s, "eve", buf_slice(&text), &need) == 0 && need != STATE_NOTHING);
	CHECK(known(s) == 4); /* with eve, and the two of her floor and passed */
	/* Whatever one of them is asked to be: nothing is noted of what is refused. */
	forge(&text, 21, "bad", 5000, "[7,15,0,\"closed\"]");
	CHECK(told(s, "eve", buf_slice(&text), &need) == 0 && need == STATE_SNAPSHOT);
	forge(&text, 22, "worse", 5000, "[7,15,0]");
	buf_splice(&text, text.len - 2, 0, S(",\"last\":0"));
	CHECK(told(s, "ann", buf_slice(&text), &need) == -1 && known(s) == 6);
	CHECK(told(s, "", buf_slice(&text), &need) == -1);
	/* Messages out of their order take none either. */
	for (int i = 0; i < 5000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "gap.%d", i);
		CHECK(state_seen(s, slice(name), 2, NULL) == STATE_GAP);
		CHECK(merge(s, 30, name, 2, "{}") == STATE_GAP);
	}
	CHECK(known(s) == 6);
	CHECK(merge(s, 31, "new", 1, "{\"y\":1}") == STATE_MERGED);
	CHECK(merge(other, 32, "other", 1, "{\"z\":1}") == STATE_MERGED);
	CHECK(state_join(s, other, NULL) == 0 && reads(s, "{\"x\":1,\"y\":1,\"z\":1}"));
	buf_free(&text);
	state_free(s);
	state_free(other);
}

/* Runs that read alone, each of them new: a writer always finds room, and so do heads. */
static void
test_readers(void)
{
	struct state *s = small(6);
	enum state_need need;
	struct buf text = {0};
	char name[16], writer[16], patch[32];

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "r.%d", i);
		CHECK(state_seen(s, slice(name), 1, NULL) != STATE_REFUSED);
		forge(&text, 100 + i, name, 3, "[1,0,0]");
		CHECK(told(s, name, buf_slice(&text), &need) == 0);
		CHECK(known(s) <= 6);
		if (i % 100)
			continue;
		snprintf(writer, sizeof(writer), "w.%d", i);
		snprintf(patch, sizeof(patch), "{\"k%d\":1}", i);
		CHECK(merge(s, 100 + i, writer, 1, patch) == STATE_MERGED);
	}
	CHECK(reads(s, "{\"k0\":1,\"k100\":1,\"k200\":1}"));
	for (int i = 0; i < 300; i += 100) {
		snprintf(writer, sizeof(writer), "w.%d", i);
		CHECK(state_vector(s, slice(writer)) == 1);
	}
	/* One that was given up writes: its value counts, and what it sent before is healed. */
	CHECK(state_vector(s, S("r.3")) == 0);
	CHECK(merge(s, 900, "r.3", 3, "{\"late\":1}") == STATE_GAP);
	apply(s, 900, "r.3", "{\"late\":1}");
	/* Now there are as many as can be, and none of them goes: its head does not change that. */
	CHECK(known(s) == 6);
	apply(s, 901, "w.300", "{\"k300\":1}");
	CHECK(merge(s, 902, "w.301", 1, "{}") == STATE_REFUSED && known(s) == 6);
	CHECK(told(s, "r.7", buf_slice(&text), &need) == -1 && state_vector(s, S("w.200")) == 1);
	/* Those that are here are heard, though whose stamps they name is not known. */
	CHECK(told(s, "w.200", buf_slice(&text), &need) == 0 && known(s) == 6);
	forge(&text, 950, "r", 1, "[1,15,0]");
	CHECK(told(s, "w.200", buf_slice(&text), &need) == 0 && need == STATE_SNAPSHOT);
	CHECK(state_seen(s, S("r.8"), 1, NULL) == STATE_KNOWN);
	CHECK(state_seen(s, S("r.8"), 2, NULL) == STATE_KNOWN && known(s) == 6);
	CHECK(!state_lacks(s, S("r.9"), 4, false) && state_lacks(s, S("r.9"), 4, true));
	CHECK(state_lacks(s, S("w.200"), 2, false) && !state_lacks(s, S("w.200"), 1, true));
	buf_free(&text);
	state_free(s);
}

/* Who goes first: the silent and the forgotten, then who was heard; messages alone move nobody. */
static void
test_who_goes(void)
{
	struct state *s = small(4), *a = new_node("a"), *b = new_node("b");

	hear(s, a, 10, "a");
	hear(s, b, 10, "b");
	CHECK(state_seen(s, S("silent"), 1, NULL) == STATE_MERGED && known(s) == 4);
	CHECK(state_seen(s, S("new"), 1, NULL) == STATE_MERGED && state_vector(s, S("silent")) == 0);
	state_forget(s, S("b"));
	CHECK(state_seen(s, S("b"), 1, NULL) == STATE_MERGED);
	CHECK(merge(s, 20, "w", 1, "{\"x\":1}") == STATE_MERGED && state_vector(s, S("new")) == 1);
	CHECK(state_vector(s, S("b")) == 0);
	CHECK(merge(s, 21, "v", 1, "{\"y\":1}") == STATE_MERGED && state_vector(s, S("new")) == 0);
	CHECK(state_seen(s, S("new"), 1, NULL) == STATE_KNOWN); /* a was heard */
	CHECK(merge(s, 22, "u", 1, "{}") == STATE_MERGED && known(s) == 4);
	CHECK(merge(s, 23, "t", 1, "{}") == STATE_REFUSED);
	/* Of u and v nothing is left to be read: they stay all the same. */
	CHECK(merge(s, 24, "w", 2, "{\"y\":2}") == STATE_MERGED);
	CHECK(merge(s, 25, "t", 1, "{}") == STATE_REFUSED);
	CHECK(merge(s, 21, "v", 1, "{\"y\":1}") == STATE_KNOWN && reads(s, "{\"x\":1,\"y\":2}"));
	state_free(s);
	state_free(a);
	state_free(b);
}

/* What a head waited for is not taken for what another has sent in its place. */
static void
test_pending(void)
{
	struct state *s = small(3), *a = new_node("a");
	struct stamp horizon;
	struct buf text = {0};

	CHECK(state_seen(s, S("x"), 1, NULL) == STATE_MERGED);
	CHECK(state_seen(a, S("x"), 1, NULL) == STATE_MERGED);
	CHECK(merge(a, 50, "x", 2, "{\"x\":1}") == STATE_MERGED);
	CHECK(hear(s, a, 60, "a") == STATE_MESSAGES && known(s) == 3);
	CHECK(merge(s, 40, "y", 1, "{\"y\":1}") == STATE_MERGED && state_vector(s, S("x")) == 0);
	CHECK(state_seen(s, S("y"), 2, NULL) == STATE_MERGED);
	head(s, 70, "me", &text);
	CHECK(s->passed.l < 50 && !state_horizon(s, &horizon));
	buf_free(&text);
	state_free(s);
	state_free(a);
}

/* Whole states: of the other's nodes those that wrote come first, and all of them or nothing. */
static void
test_join(void)
{
	struct state *s = small(4), *other = new_node("other"), *more = new_node("more");
	size_t before;

	CHECK(merge(s, 10, "me", 1, "{\"x\":1}") == STATE_MERGED);
	for (int i = 0; i < 10; i++) {
		char name[16];

		snprintf(name, sizeof(name), "r.%d", i);
		CHECK(state_seen(other, slice(name), 1, NULL) == STATE_MERGED);
	}
	CHECK(state_seen(s, S("r.3"), 1, NULL) == STATE_MERGED);
	CHECK(merge(other, 20, "a", 1, "{\"a\":1}") == STATE_MERGED);
	CHECK(merge(other, 21, "r.8", 2, "{\"b\":1}") == STATE_MERGED);
	CHECK(state_join(s, other, NULL) == 0 && reads(s, "{\"a\":1,\"b\":1,\"x\":1}"));
	CHECK(state_vector(s, S("a")) == 1 && state_vector(s, S("r.8")) == 2);
	CHECK(known(s) == 4 && state_digest(s) != state_digest(other));
	CHECK(state_join(other, s, NULL) == 0 && state_digest(s) == state_digest(other));
	/* Two are too many, though there is room for one. */
	before = known(s);
	CHECK(merge(more, 30, "c", 1, "{\"c\":1}") == STATE_MERGED);
	CHECK(merge(more, 31, "d", 1, "{\"d\":1}") == STATE_MERGED);
	CHECK(state_join(s, more, NULL) == -1 && known(s) == before);
	CHECK(state_vector(s, S("c")) == 0 && reads(s, "{\"a\":1,\"b\":1,\"x\":1}"));
	CHECK(merge(s, 32, "c", 1, "{\"c\":1}") == STATE_MERGED);
	state_free(s);
	state_free(other);
	state_free(more);
}

int
main(void)
{
	test_hearsay();
	test_readers();
	test_who_goes();
	test_pending();
	test_join();
	return check_done();
}
