/* session listen: a member who only listens: nobody waits for it, and what it misses. */
#include "tests/unit/check.h"
#include "tests/unit/session_world.h"
#include "tools/collab/session.h"

/* Node 3 begins to listen where node 0 has said 10 lines, and hears 5 more. */
static struct world *
listening(bool history, enum session_newcomer how)
{
	struct world *w = calm(4, 0);
	struct node *n = &w->nodes[3];

	int before = how == SESSION_NOW ? BEFORE : history ? DELIVERED : NONE;

	w->history = history;
	for (int i = 0; i < 4; i++)
		cut(w, i);
	crash(w, 3);
	n->listens = true;
	n->newcomer = how;
	n->disk.settled = false;
	run_until(w, 15000);
	write_lines(w, 0, 10);
	run_until(w, 20000);
	w->sends = w->again = 0;
	start(w, 3);
	run_until(w, 23000);
	CHECK(w->sends == 0 && n->disk.settled && session_whole(n->session));
	write_lines(w, 0, 5);
	run_until(w, 26000);
	CHECK(count(w, 3, 0, 1, 10, before) == 10);
	return w;
}

/* It is cut off while node 0 says 5 lines and node 1 its first 2; then both go on. */
static void
miss(struct world *w)
{
	cut(w, 3);
	write_lines(w, 0, 5);
	write_lines(w, 1, 2);
	run_until(w, w->now + 3000);
	CHECK(w->nodes[3].connected);
	write_lines(w, 0, 1);
	write_lines(w, 1, 1);
	run_until(w, w->now + 3000);
}

/* Nobody waits for it, or sends anything again for it. */
static void
check_unknown(struct world *w)
{
	for (int i = 0; i < 2; i++)
		CHECK(session_confirmed(w->nodes[i].session) == w->nodes[i].disk.own &&
		    w->nodes[i].disk.own);
	CHECK(w->again == 0);
}

static void
test_listener(void)
{
	struct world *w = listening(false, SESSION_NOW);
	size_t at = 0;
	struct session_hole hole;

	CHECK(count(w, 3, 0, 11, 15, DELIVERED) == 5 && w->nodes[3].lost == 0);
	miss(w);
	check_unknown(w);
	/* Somebody might want it, too, and be sent it: for a quarter of a minute. */
	CHECK(count(w, 3, 0, 16, 21, NONE) == 6 && !session_whole(w->nodes[3].session));
	CHECK(session_hole(w->nodes[3].session, w->now, &at, &hole) && !hole.here &&
	    hole.left_ms > 10000 && hole.left_ms <= 15000 && hole.last - hole.first < 5);
	run_until(w, w->now + 16000);
	CHECK(count(w, 3, 0, 16, 20, LOST) == 5 && count(w, 3, 0, 21, 21, DELIVERED) == 1);
	CHECK(count(w, 3, 1, 1, 2, LOST) == 2 && count(w, 3, 1, 3, 3, DELIVERED) == 1);
	CHECK(w->nodes[3].lost == 7 && session_whole(w->nodes[3].session) && !w->broken);
	world_close(w);

	/* What a member who missed it, too, is sent again is heard. */
	w = listening(false, SESSION_NOW);
	w->open[0][2] = w->open[1][2] = 0;
	miss(w);
	w->open[0][2] = w->open[1][2] = 1;
	CHECK(count(w, 3, 0, 16, 21, NONE) == 6);
	write_lines(w, 0, 1);
	run_until(w, w->now + 3000);
	CHECK(count(w, 3, 0, 16, 22, DELIVERED) == 7 && w->again && !w->broken);
	world_close(w);

	/* All of it from the beginning: of what nobody gives it says that it is missing. */
	w = listening(false, SESSION_ALL);
	run_until(w, w->now + 16000);
	CHECK(count(w, 3, 0, 1, 10, LOST) == 10 && count(w, 3, 0, 11, 15, DELIVERED) == 5);
	CHECK(!w->broken);
	world_close(w);

	/* With a history nothing is missing. */
	for (enum session_newcomer how = SESSION_NOW; how <= SESSION_ALL; how++) {
		w = listening(true, how);
		w->expect_no_gap = true;
		CHECK(count(w, 3, 0, 11, 15, DELIVERED) == 5);
		miss(w);
		check_unknown(w);
		CHECK(count(w, 3, 0, 16, 21, DELIVERED) == 6);
		CHECK(count(w, 3, 1, 1, 3, DELIVERED) == 3);
		CHECK(w->nodes[3].lost == 0 && session_whole(w->nodes[3].session) && !w->broken);
		world_close(w);
	}
}

int
main(void)
{
	test_listener();
	return check_done();
}
