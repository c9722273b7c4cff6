/*
 * state head: what a replica has heard of whom, what that lets it forget, and what heads make
 * the others send.
 */
#include "tests/unit/state_say.h"
#include "tools/collab/state.h"

static void
test_vector(void)
{
	struct state *s = new_node("me");
	struct stamp horizon = at(25, "b");
	uint64_t seq;
	bool closed;
	struct slice node;
	size_t each = 0;

	CHECK(merge(s, 10, "a", 2, "{\"x\":2}") == STATE_GAP);
	CHECK(merge(s, 10, "a", 1, "{\"x\":1}") == STATE_MERGED);
	CHECK(merge(s, 10, "a", 1, "{\"x\":7}") == STATE_KNOWN);
	CHECK(state_seen(s, S("a"), 2, NULL) == STATE_MERGED);
	CHECK(state_seen(s, S("a"), 2, NULL) == STATE_KNOWN);
	CHECK(state_seen(s, S("a"), 4, NULL) == STATE_GAP);
	CHECK(merge(s, 10, "a", 3, "{\"x\":8}") == STATE_REFUSED);
	CHECK(merge(s, 0, "a", 3, "{}") == STATE_REFUSED && merge(s, 20, "a", 0, "{}") == STATE_REFUSED);
	CHECK(merge(s, 20, "", 1, "{}") == STATE_REFUSED);
	CHECK(merge(s, 20, "a", 3, "{\"x\":null}") == STATE_MERGED);
	CHECK(state_vector(s, S("a")) == 3 && state_vector(s, S("nobody")) == 0 && reads(s, "{}"));
	CHECK(state_registers(s) == 2);
	CHECK(state_collect(s, &horizon, NULL) == 0 && state_registers(s) == 1);
	/* What the floor has passed comes too late, and closes its node; what is newer is merged. */
	CHECK(merge(s, 15, "b", 1, "{\"x\":9}") == STATE_BEHIND && reads(s, "{}"));
	CHECK(state_closed(s, S("b")) && state_vector(s, S("b")) == 0);
	CHECK(merge(s, 30, "b", 2, "{\"y\":9}") == STATE_BEHIND && reads(s, "{\"y\":9}"));
	CHECK(!state_closed(s, S("a")) && merge(s, 31, "a", 4, "{\"y\":1}") == STATE_MERGED);
	while (state_each(s, &each, &node, &seq, &closed))
		CHECK(slice_is(node, "me") ? seq == 0 : slice_is(node, "a") ? seq == 4 && !closed :
		    slice_is(node, "b") && seq == 0 && closed);
	state_free(s);
}

/*
 * Two halves that gave each other up: a deletion collected in the one and
 * never seen by the other leaves no register, and still closes its writer.
 */
static void
test_lost_deletion(void)
{
	struct state *low = new_node("a"), *high, *again;
	struct stamp f = at(15, "a"), g = at(40, "b");

	CHECK(merge(low, 5, "b", 1, "{\"x\":1,\"y\":1}") == STATE_MERGED);
	high = copy(low);
	CHECK(merge(low, 10, "a", 1, "{\"x\":null}") == STATE_MERGED);
	CHECK(merge(low, 12, "b", 2, "{}") == STATE_MERGED);
	CHECK(state_collect(low, &f, NULL) == 0 && reads(low, "{\"y\":1}"));
	CHECK(merge(high, 12, "b", 2, "{}") == STATE_MERGED);
	CHECK(merge(high, 30, "b", 3, "{\"z\":null}") == STATE_MERGED);
	CHECK(state_collect(high, &g, NULL) == 0);
	again = copy(low); /* what was collected must be remembered on disk, too */
	CHECK(state_join(again, high, NULL) == 0 && reads(again, "{\"x\":1,\"y\":1}"));
	CHECK(state_closed(again, S("a")) && state_vector(again, S("a")) == 0);
	CHECK(!state_closed(again, S("b")) && state_vector(again, S("b")) == 3);
	CHECK(state_join(high, low, NULL) == 0 && state_closed(high, S("a")) && equal(high, again));
	state_free(low);
	state_free(high);
	state_free(again);
}

static void
test_heads(void)
{
	struct state *a = new_node("a"), *b = new_node("b"), *c;
	struct stamp horizon, clock;
	struct buf text = {0};
	struct err e;

	CHECK(merge(a, 10, "a", 1, "{\"x\":1}") == STATE_MERGED);
	CHECK(merge(a, 11, "a", 2, "{\"x\":null}") == STATE_MERGED);
	head(a, 12, "a", &text);
	CHECK(!state_horizon(a, &horizon)); /* alone */
	CHECK(hear(b, a, 12, "a") == STATE_SNAPSHOT);
	CHECK(merge(b, 13, "b", 1, "{\"y\":1}") == STATE_MERGED);
	CHECK(hear(b, a, 14, "a") == STATE_MESSAGES);
	CHECK(merge(b, 10, "a", 1, "{\"x\":1}") == STATE_MERGED);
	CHECK(!state_horizon(b, &horizon));
	CHECK(merge(b, 11, "a", 2, "{\"x\":null}") == STATE_MERGED);
	CHECK(hear(a, b, 15, "b") == STATE_MESSAGES);
	CHECK(merge(a, 13, "b", 1, "{\"y\":1}") == STATE_MERGED);
	CHECK(hear(a, b, 16, "b") == STATE_NOTHING && hear(b, a, 17, "a") == STATE_NOTHING);
	CHECK(hear(a, b, 18, "b") == STATE_NOTHING);
	CHECK(state_horizon(a, &horizon) && horizon.l >= 11 && horizon.l <= 18);
	CHECK(state_registers(a) == 3 && state_collect(a, &horizon, NULL) == 0);
	CHECK(state_registers(a) == 2 && reads(a, "{\"y\":1}"));
	/* b has passed that floor: it needs nothing, and follows. */
	CHECK(hear(b, a, 19, "a") == STATE_NOTHING);
	CHECK(state_horizon(b, &horizon) && state_collect(b, &horizon, NULL) == 0);
	CHECK(state_digest(a) == state_digest(b));
	horizon = floor_of(b);
	CHECK(state_collect(a, &horizon, NULL) == 0 && equal(a, b));
	/* A node that is known and silent holds everything up, until it is forgotten. */
	CHECK(state_seen(a, S("c"), 1, NULL) == STATE_MERGED);
	CHECK(hear(a, b, 40, "b") == STATE_NOTHING && hear(b, a, 41, "a") == STATE_MESSAGES);
	CHECK(state_seen(b, S("c"), 1, NULL) == STATE_MERGED);
	CHECK(hear(b, a, 42, "a") == STATE_NOTHING && hear(a, b, 43, "b") == STATE_NOTHING);
	CHECK(!state_horizon(a, &horizon));
	state_forget(a, S("c"));
	state_forget(b, S("c"));
	CHECK(hear(b, a, 44, "a") == STATE_NOTHING && hear(a, b, 45, "b") == STATE_NOTHING);
	CHECK(state_horizon(a, &horizon) && horizon.l >= 40);
	/* The same vector and floor, another content: somebody is wrong, both take all. */
	c = copy(a);
	apply(c, 50, "x", "{\"z\":1}");
	CHECK(hear(a, c, 51, "c") == STATE_SNAPSHOT && hear(c, a, 52, "a") == STATE_SNAPSHOT);
	/* Heads of an enemy change nothing. */
	head(a, 60, "a", &text);
	CHECK(state_head_clock(buf_slice(&text), &clock, &e) == 0 && clock.l == 60);
	for (size_t i = 0; i < text.len; i++) {
		enum state_need need;
		char was = text.ptr[i];

		for (const char *p = "x9\"[{,"; *p; p++) {
			text.ptr[i] = *p;
			if (json_check(buf_slice(&text), NULL) == 0)
				state_heard(b, S("evil"), 1, buf_slice(&text), &need, &e);
		}
		text.ptr[i] = was;
	}
	CHECK(reads(b, "{\"y\":1}") && state_vector(b, S("a")) == 2);
	buf_free(&text);
	state_free(a);
	state_free(b);
	state_free(c);
}

/* Messages that were no patches need not come, where their own sender says so; patches do. */
static void
test_head_skips(void)
{
	struct state *a = new_node("a"), *b = new_node("b");
	enum state_need need;
	struct buf text = {0};

	CHECK(merge(a, 10, "a", 1, "{\"x\":1}") == STATE_MERGED);
	CHECK(merge(b, 10, "a", 1, "{\"x\":1}") == STATE_MERGED);
	CHECK(state_seen(a, S("a"), 2, NULL) == STATE_MERGED);
	CHECK(hear(b, a, 11, "c") == STATE_MESSAGES && state_vector(b, S("a")) == 1);
	CHECK(hear(b, a, 11, "a") == STATE_NOTHING && state_vector(b, S("a")) == 2);
	CHECK(merge(a, 12, "a", 3, "{\"x\":2}") == STATE_MERGED);
	CHECK(state_seen(a, S("a"), 4, NULL) == STATE_MERGED);
	CHECK(hear(b, a, 13, "a") == STATE_MESSAGES && state_vector(b, S("a")) == 2);
	CHECK(merge(b, 12, "a", 3, "{\"x\":2}") == STATE_MERGED);
	CHECK(hear(b, a, 14, "a") == STATE_NOTHING && state_vector(b, S("a")) == 4);
	/* Not behind the head's own number, nor by one that is damaged. */
	for (uint64_t seq = 5; seq <= 9; seq++)
		CHECK(state_seen(a, S("a"), seq, NULL) == STATE_MERGED);
	CHECK(hear(b, a, 15, "a") == STATE_MESSAGES && state_vector(b, S("a")) == 4);
	head(a, 16, "a", &text);
	CHECK(buf_slice(&text).ptr[text.len - 2] == '}');
	buf_splice(&text, text.len - 2, 0, S(",\"b\":0"));
	CHECK(state_heard(b, S("a"), 99, buf_slice(&text), &need, NULL) == -1);
	CHECK(state_vector(b, S("a")) == 4);
	buf_free(&text);
	state_free(a);
	state_free(b);
}

int
main(void)
{
	test_vector();
	test_lost_deletion();
	test_heads();
	test_head_skips();
	return check_done();
}
