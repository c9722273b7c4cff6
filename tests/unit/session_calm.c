/*
 * session calm: worlds in which nothing breaks. What acknowledgements cost, that the quota is
 * kept, by a crowd too, and where somebody new begins.
 */
#include "tests/unit/check.h"
#include "tests/unit/session_world.h"
#include "tools/collab/session.h"

/* Members who talk all the time acknowledge at little cost, and nothing is sent twice. */
static void
test_control(void)
{
	for (int n = 2; n <= NODES; n += 3) {
		struct world *w = calm(n, 100.0 * n);

		/* 60 a second in all: below the quota. */
		for (int64_t t = 5000; t < 305000; t += 16)
			post(w, (struct event){.at = t, .kind = WRITE, .node = (int)draw(w, (uint64_t)n),
				    .number = 1});
		run_until(w, 305000);
		printf("session: %d members: %" PRIu64 " sends, %" PRIu64 " of them control\n", n,
		    w->sends, w->control);
		CHECK(w->control * 100 <= w->sends * 13 + 5000);
		CHECK(w->again == 0);
		run_until(w, 330000);
		CHECK(at_rest(w, true) && all_confirmed(w) && !w->broken);
		/* At rest nothing is said any more. */
		w->sends = 0;
		run_until(w, 3600000);
		CHECK(w->sends == 0);
		world_close(w);
	}
}

/* Everybody with more to say than the quota takes: the quota is kept, by all together. */
static void
test_quota(void)
{
	struct world *w = calm(5, 200);
	uint64_t cost;

	for (int i = 0; i < 5; i++)
		write_lines(w, i, 3000);
	run_until(w, 65000);
	cost = w->sends + w->deliveries;
	printf("session: quota 200: %" PRIu64 " a second\n", cost / 60);
	CHECK(cost >= 200 * 55 && cost <= 200 * 68);
	CHECK(w->control * 8 <= w->sends);
	for (int i = 0; i < 5; i++)
		CHECK(w->nodes[i].disk.taken >= 300);
	CHECK(!w->broken);
	world_close(w);
}

/*
 * More members than the quota is meant for, as fifty at 80 a second: what they say to each
 * other keeps to it all the same, and everybody hears what everybody said.
 */
static void
test_crowd(void)
{
	struct world *w = calm(NODES, 2);
	uint64_t cost;

	for (int64_t t = 5000; t < 1205000; t += 12000)
		post(w, (struct event){.at = t, .kind = WRITE, .node = (int)draw(w, NODES), .number = 1});
	run_until(w, 1205000);
	cost = w->sends + w->deliveries;
	printf("session: a crowd at quota 2: %.2f a second, %.0f %% of it control\n",
	    (double)cost / 1200, 100 * (double)w->control / (double)w->sends);
	CHECK(cost <= 2 * 1200 && w->control * 2 <= w->sends);
	run_until(w, 1205000 + 240000);
	CHECK(at_rest(w, true) && all_confirmed(w) && !w->broken);
	world_close(w);
}

/*
 * A relay takes nothing of a burst, closes the channel and wants it slower. What the sender still
 * holds and will send is not missing: nobody wants it, and it goes once.
 */
static void
test_untaken(void)
{
	struct world *w = calm(3, 0);
	struct session_hole hole;
	int holes = 0;

	write_lines(w, 0, 16);
	session_slow(w->nodes[0].session, w->now);
	cut(w, 0);
	for (int64_t end = w->now + 60000; w->now < end;) {
		run_until(w, w->now + 10);
		for (int i = 1; i < 3; i++) {
			size_t at = 0;

			holes += session_hole(w->nodes[i].session, w->now, &at, &hole);
		}
	}
	CHECK(holes == 0 && w->again == 16);
	CHECK(at_rest(w, true) && all_confirmed(w) && !w->broken);
	world_close(w);
}

/*
 * A relay closes who sends more than ten a second, and all have more to say: each finds that
 * out, and what control messages take of it.
 */
static void
test_limit(void)
{
	struct world *w = calm(5, 0);

	w->limit = 10;
	for (int i = 0; i < 5; i++)
		write_lines(w, i, 3000);
	run_until(w, w->now + 180000);
	printf("session: limit 10 of each: %.1f a second, %" PRIu64 " refusals\n",
	    (double)w->sends / 5 / 180, w->refusals);
	for (int i = 0; i < 5; i++)
		CHECK(w->nodes[i].disk.taken >= 10 * 180 * 6 / 10);
	CHECK(w->refusals <= (uint64_t)5 * 7 && w->refusals >= 5);
	CHECK(w->control * 4 <= w->sends);
	CHECK(!w->broken);
	world_close(w);
}

/* Of two who are new one has it, if not both: the other may begin where that one was. */
static void
check_both(const struct world *w, uint64_t first)
{
	int k = w->nodes[0].disk.ident;

	for (uint64_t seq = first; seq <= 100; seq++) {
		int one = w->nodes[1].disk.state[k][seq], two = w->nodes[2].disk.state[k][seq];

		CHECK(one != NONE && two != NONE && (one == DELIVERED || two == DELIVERED));
	}
}

enum company { NOBODY, NEWCOMER, MEMBER_HERE, SILENT };

/*
 * Node 0 says 100 lines over a hub with a history and goes for good; then somebody new comes,
 * node 1, and meets that company. The hub has the lines from first on.
 */
static void
newcomer_meets(enum session_newcomer how, enum company company, int first, int state, int64_t most)
{
	struct world *w = calm(3, 0);
	int64_t begin = 20000;

	w->history = true;
	w->expect_no_gap = first == 1;
	w->hub_patience = 2000;
	for (int i = 1; i < 3; i++) {
		crash(w, i);
		w->nodes[i].disk.settled = i == 2 && company == MEMBER_HERE;
		w->nodes[i].newcomer = how;
	}
	cut(w, 0);
	run_until(w, 10000);
	if (company == MEMBER_HERE)
		start(w, 2);
	write_lines(w, 0, 100);
	run_until(w, begin);
	crash(w, 0);
	w->nodes[0].dead = true;
	run_until(w, begin + 21000);
	for (int seq = 1; seq < first; seq++)
		w->hub[w->nodes[0].disk.ident][seq] = 0;
	begin = w->now;
	start(w, 1);
	if (company == NEWCOMER)
		start(w, 2);
	if (company == SILENT) {
		/* Half open: the hub counts it, and it hears nothing. */
		w->nodes[2].connected = true;
		w->open[1][2] = w->open[2][1] = 0;
		for (int64_t t = begin; t < begin + 1500; t += 100)
			post(w, (struct event){.at = t, .kind = MEMBER, .node = 1,
				    .conn = w->nodes[1].conn + 1, .from = 2, .flag = true,
				    .name = copy(slice(w->idents[w->nodes[2].disk.ident].name))});
	}
	while (w->now < begin + most && count(w, 1, 0, 1, 100, NONE))
		run_until(w, w->now + 10);
	if (company == NEWCOMER) {
		run_until(w, begin + most);
		check_both(w, (uint64_t)first);
	} else {
		CHECK(count(w, 1, 0, (uint64_t)first, 100, state) == 101 - first);
		CHECK(first == 1 || count(w, 1, 0, 1, (uint64_t)first - 1, LOST) == first - 1);
	}
	/* Who is present and silent may answer yet. */
	CHECK(!w->broken && session_whole(w->nodes[1].session) == (company != SILENT));
	world_close(w);
}

/* Where somebody new begins, by who answers: a member, the hub alone, or others that are new. */
static void
test_newcomer(void)
{
	newcomer_meets(SESSION_NOW, NOBODY, 1, BEFORE, 5000);
	newcomer_meets(SESSION_ALL, NOBODY, 1, DELIVERED, 5000);
	newcomer_meets(SESSION_ALL_ALONE, NOBODY, 1, DELIVERED, 5000);
	newcomer_meets(SESSION_ALL_ALONE, NEWCOMER, 1, DELIVERED, 5000);
	newcomer_meets(SESSION_ALL_ALONE, SILENT, 1, DELIVERED, 8000);
	newcomer_meets(SESSION_ALL_ALONE, MEMBER_HERE, 1, BEFORE, 5000);
	newcomer_meets(SESSION_ALL, MEMBER_HERE, 1, DELIVERED, 5000);
	/* What the history has no more is a gap, after the patience with its sender. */
	newcomer_meets(SESSION_ALL_ALONE, NOBODY, 61, DELIVERED, 10000);
	newcomer_meets(SESSION_ALL_ALONE, NEWCOMER, 61, DELIVERED, 10000);
}

int
main(void)
{
	test_newcomer();
	test_untaken();
	test_limit();
	test_crowd();
	test_control();
	test_quota();
	return check_done();
}
