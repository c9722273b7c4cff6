/*
 * clock: stamps are ordered as events are, whatever the wall clocks do.
 */
#include "common/json.h"
#include "tools/collab/clock.h"

#include "tests/unit/check.h"
#include "tests/unit/stamp.h"

#include <stdlib.h>

static const int64_t NOW = 1700000000000;

static void
test_text(void)
{
	static const char *const bad[] = {"[1]", "[1,2,\"a\",3]", "[1,2,3]", "[0,1,\"a\"]", "[1,2,\"\"]",
	    "[-1,0,\"a\"]", "[1,-1,\"a\"]", "[1,4294967296,\"a\"]", "[9007199254740993,0,\"a\"]",
	    "[1.5,0,\"a\"]", "{}", "null", "[1,2,\"a\\u0000\"]", "[1,2]", "[99999999999999999999,0,\"a\"]"};
	struct stamp s = {9007199254740992, UINT32_MAX, S("n.\"é")}, back = {0};
	struct buf text = {0}, node = {0};
	struct err e;

	stamp_put(&text, &s, true);
	CHECK_TEXT(text.ptr, "[9007199254740992,4294967295,\"n.\\\"é\"]");
	CHECK(stamp_get(buf_slice(&text), &back, &node, &e) == 0 && stamp_cmp(&s, &back) == 0);
	CHECK(stamp_get(S("[0,0,\"\"]"), &back, &node, &e) == 0 && back.l == 0);
	CHECK(stamp_get(S("[0,0]"), &back, NULL, &e) == -1);
	back.node = S("kept");
	CHECK(stamp_get(S("[7,3]"), &back, NULL, &e) == 0 && back.l == 7 && back.c == 3);
	CHECK(slice_is(back.node, "kept"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(stamp_get(slice(bad[i]), &back, &node, &e) == -1 && strcmp(e.code, "bad_stamp") == 0);
	buf_reset(&text);
	for (int i = 0; i < NODE_MAX; i++)
		buf_addc(&text, 'x');
	CHECK(node_valid(buf_slice(&text)));
	buf_addc(&text, 'x');
	CHECK(!node_valid(buf_slice(&text)) && !node_valid(S("")) && !node_valid(S("a\nb")) &&
	    !node_valid(S("\xff")));
	buf_free(&text);
	buf_free(&node);
}

/* Random events on machines whose clocks differ by seconds, and step. */
static void
test_causality(void)
{
	struct clock k[4] = {0};
	struct stamp last[4] = {{0}};
	int64_t now[4], bound;
	bool ordered = true, near = true;

	for (int i = 0; i < 4; i++) {
		now[i] = NOW + rand() % 20000;
		clock_start(&k[i], 0, now[i]);
	}
	for (int round = 0; round < 200000; round++) {
		int i = rand() % 4, from = rand() % 4;
		struct stamp s = {.node = S("n")};

		now[i] += rand() % 3;
		if (rand() % 100 == 0)
			now[i] = NOW + rand() % 20000;
		if (rand() % 2 && last[from].l) {
			if (clock_receive(&k[i], &last[from], now[i], NULL) != 0)
				ordered = false;
			s = last[from];
		}
		if (clock_tick(&k[i], now[i], &last[i], NULL) != 0 || stamp_cmp(&last[i], &s) <= 0)
			ordered = false;
		if (llabs(last[i].l - now[i]) > 21000 + 3 * round)
			near = false;
		if (clock_store(&k[i], now[i], &bound) && rand() % 2) {
			clock_start(&k[i], bound, now[i]); /* kill -9 */
			if (k[i].l < last[i].l)
				ordered = false;
		}
	}
	CHECK(ordered);
	CHECK(near);
}

static void
test_guard(void)
{
	struct clock k = {0}, before;
	struct stamp s = {NOW + CLOCK_AHEAD + 1, 0, S("n")};
	int64_t bound = 0;
	struct err e;

	clock_start(&k, 0, NOW);
	before = k;
	CHECK(clock_receive(&k, &s, NOW, &e) == -1 && strcmp(e.code, "clock_ahead") == 0);
	CHECK(memcmp(&k, &before, sizeof(k)) == 0);
	s.l--;
	s.c = UINT32_MAX;
	CHECK(clock_receive(&k, &s, NOW, &e) == 0);
	CHECK(k.l == s.l + 1 && k.c == 0);
	/* The own clock was dragged as far as others accept: a tick beyond is refused. */
	CHECK(clock_tick(&k, NOW, &s, &e) == -1 && strcmp(e.code, "clock_ahead") == 0);
	CHECK(clock_tick(&k, NOW + 1, &s, &e) == 0 && s.l == NOW + CLOCK_AHEAD + 1 && s.c == 1);
	/* The bound keeps within what others accept, where the clock does. */
	clock_start(&k, 0, NOW);
	s = (struct stamp){NOW + CLOCK_AHEAD - 1, 0, S("n")};
	CHECK(clock_receive(&k, &s, NOW, &e) == 0 && clock_store(&k, NOW, &bound));
	CHECK(bound == NOW + CLOCK_AHEAD && !clock_store(&k, NOW, &bound));
	clock_start(&k, bound, NOW);
	CHECK(clock_tick(&k, NOW, &s, &e) == 0 && s.l == bound);
}

int
main(void)
{
	test_text();
	test_causality();
	test_guard();
	return check_done();
}
