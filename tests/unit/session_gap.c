/*
 * session gap: a member misses the beginning of what a sender says, which then goes for good.
 * It is a gap when all who could have it were asked, and then only, and not before the patience
 * with its sender is over.
 */
#include "tests/unit/check.h"
#include "tests/unit/session_world.h"
#include "tools/collab/session.h"

enum { LINES = 10, SENDER = 0, BEHIND = 1, OTHER = 2, THIRD = 3, MEMBERS = 4 };
enum { PATIENCE = 60000, ANSWERS = 30000 };

static void
deaf(struct world *w, int i, bool is)
{
	w->nodes[i].deaf = is;
	w->nodes[i].hears_since = INT64_MIN / 2;
}

/*
 * The sender says LINES, which all miss but those who hear; then one more, which BEHIND alone
 * hears, and it is gone: nobody has told BEHIND who has them.
 */
static struct world *
missed(bool heard, uint64_t seed)
{
	struct world *w = calm(MEMBERS, 0);

	w->random = seed;
	w->expect_no_gap = heard;
	for (int i = 1; i < MEMBERS; i++)
		deaf(w, i, i == BEHIND || !heard);
	write_lines(w, SENDER, LINES);
	run_until(w, w->now + 3000);
	for (int i = 1; i < MEMBERS; i++)
		deaf(w, i, i != BEHIND);
	write_lines(w, SENDER, 1);
	run_until(w, w->now + 45);
	crash(w, SENDER);
	w->nodes[SENDER].dead = true;
	run_until(w, w->now + 3000);
	for (int i = 1; i < MEMBERS; i++)
		deaf(w, i, false);
	CHECK(count(w, BEHIND, SENDER, 1, LINES + 1, NONE) == LINES + 1);
	CHECK(!session_whole(w->nodes[BEHIND].session));
	return w;
}

/* How long BEHIND waits, at most, until it knows what became of all. */
static int64_t
settles(struct world *w, int64_t most)
{
	int64_t end = w->now + most, from = w->now;

	while (w->now < end && count(w, BEHIND, SENDER, 1, LINES + 1, NONE))
		run_until(w, w->now + 10);
	CHECK(w->now < end);
	return w->now - from;
}

/* They have it, and did not know that it was wanted: they are asked before it is given up. */
static void
test_asked(void)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct world *w = missed(true, seed);

		settles(w, PATIENCE + ANSWERS);
		CHECK(count(w, BEHIND, SENDER, 1, LINES + 1, DELIVERED) == LINES + 1);
		CHECK(w->gaps == 0 && !w->broken);
		run_until(w, w->now + 3000);
		CHECK(at_rest(w, true) && session_whole(w->nodes[BEHIND].session));
		world_close(w);
	}
}

/* Nobody has it: a gap, after the patience, as soon as all have answered. */
static void
test_lost(void)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct world *w = missed(false, seed);
		int64_t took = settles(w, PATIENCE + ANSWERS);

		/* That it is away may be told 20 s late. */
		CHECK(took > PATIENCE - 5000 && took < PATIENCE + 26000);
		CHECK(count(w, BEHIND, SENDER, 1, LINES, LOST) == LINES);
		CHECK(count(w, BEHIND, SENDER, LINES + 1, LINES + 1, DELIVERED) == 1);
		CHECK(w->gaps == 1 && !w->broken);
		world_close(w);
	}
}

/* One who is here does not answer: it has half a minute, in which it is not a gap. */
static void
test_silent(void)
{
	struct world *w = missed(false, 1);
	int64_t took;

	deaf(w, THIRD, true);
	took = settles(w, PATIENCE + 2 * ANSWERS);
	CHECK(took > PATIENCE + ANSWERS - 5000);
	CHECK(count(w, BEHIND, SENDER, 1, LINES, LOST) == LINES && w->gaps == 1 && !w->broken);
	world_close(w);

	/* Late is not never. */
	w = missed(true, 1);
	deaf(w, OTHER, true);
	deaf(w, THIRD, true);
	run_until(w, w->now + PATIENCE + ANSWERS / 2);
	CHECK(count(w, BEHIND, SENDER, 1, LINES + 1, NONE) == LINES + 1);
	deaf(w, OTHER, false);
	cut(w, OTHER); /* its hello says what it has */
	settles(w, ANSWERS);
	CHECK(count(w, BEHIND, SENDER, 1, LINES + 1, DELIVERED) == LINES + 1);
	CHECK(w->gaps == 0 && !w->broken);
	world_close(w);
}

int
main(void)
{
	test_asked();
	test_lost();
	test_silent();
	return check_done();
}
