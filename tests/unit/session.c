/*
 * session: thousands of random histories of nodes that are cut, crash, stall and
 * come back, over a relay that stores nothing; each from a printed seed.
 *	SESSION_ROUNDS=N   so many (default 300); SESSION_SEED=N: from that one on
 * A history that fails is cut down to the faults that it takes.
 */
#include "tests/unit/check.h"
#include "tests/unit/session_world.h"
#include "tools/collab/session.h"

#include <time.h>

/* ---- faults ---- */

enum fault { F_CUT, F_CRASH, F_HUB, F_SPLIT, F_HEAL, F_WRITE, F_FULL, F_STALE, F_DIE,
	F_MARK, F_DEAF, FAULTS };

struct op {
	int64_t at;
	enum fault fault;
	int node;
	int n;
	bool off; /* taken out while the history is being cut down */
};

static void
all_open(struct world *w)
{
	/* Those who could not hear each other learn of each other as by presence. */
	for (int i = 0; i < w->nnodes; i++)
		for (int k = 0; k < w->nnodes; k++)
			if (!w->open[i][k])
				w->nodes[i].up_since = w->now;
	memset(w->open, 1, sizeof(w->open));
	for (int i = 0; i < w->nnodes; i++)
		if (w->nodes[i].connected)
			cut(w, i);
}

static void
inject(struct world *w, const struct op *op)
{
	struct node *n = &w->nodes[op->node];

	switch (op->fault) {
	case F_CUT:
		cut(w, op->node);
		break;
	case F_CRASH:
		/* Between delivery and commit, when the next comes; or at once. */
		n->doomed = op->n % 2 && n->session;
		n->doomed_ms = op->n;
		if (!n->doomed)
			crash_for(w, op->node, op->n);
		break;
	case F_HUB:
		for (int i = 0; i < w->nnodes; i++)
			cut(w, i);
		break;
	case F_SPLIT:
		for (int i = 0; i < w->nnodes; i++)
			if (i != op->node)
				w->open[i][op->node] = w->open[op->node][i] = 0;
		break;
	case F_HEAL:
		all_open(w);
		break;
	case F_WRITE:
		write_lines(w, op->node, op->n);
		break;
	case F_FULL:
		n->full = true;
		post(w, (struct event){.at = w->now + op->n, .kind = FAULT, .node = op->node,
			    .number = 2});
		break;
	case F_STALE:
		n->copy = n->disk;
		post(w, (struct event){.at = w->now + 20000, .kind = FAULT, .node = op->node,
			    .number = 3});
		break;
	case F_DIE:
		crash(w, op->node);
		n->dead = true;
		w->idents[n->disk.ident].gone = true;
		break;
	case F_MARK:
		/* What a power failure leaves: an earlier mark. */
		crash(w, op->node);
		n->disk.taken -= n->disk.taken < 5 ? n->disk.taken : 5;
		start(w, op->node);
		break;
	case F_DEAF:
		/* Nobody is told: the relay lets some time of it fall. */
		if (n->listens || n->deaf)
			break;
		n->deaf = true;
		post(w, (struct event){.at = w->now + op->n, .kind = FAULT, .node = op->node,
			    .number = 4});
		break;
	case FAULTS:
		break;
	}
}

/* ---- a whole history ---- */

struct history {
	uint64_t seed;
	struct op *ops;
	size_t nops;
	int64_t took; /* ms from the end of the faults to rest */
};

static struct world *
world_open(uint64_t seed)
{
	struct world *w = xcalloc(1, sizeof(*w));

	w->random = w->seed = seed;
	w->nnodes = 2 + (int)draw(w, 5);
	w->presence = draw(w, 5) != 0;
	w->history = draw(w, 4) == 0;
	w->rate = draw(w, 3) ? 0 : 200 + (double)draw(w, 1000);
	w->delay = 1 + (int)draw(w, 80);
	w->loss = draw(w, 3) ? 0 : (int)draw(w, 60);
	w->max_payload = 4096;
	w->expect_no_gap = true;
	w->patience = 600000;
	memset(w->open, 1, sizeof(w->open));
	for (int i = 0; i < w->nnodes; i++) {
		w->nodes[i].disk.ident = new_ident(w, i);
		/* Most were there before: a newcomer's past is not its own. */
		w->nodes[i].disk.settled = draw(w, 4) != 0;
		w->nodes[i].newcomer = SESSION_NOW + (enum session_newcomer)draw(w, 3);
		w->nodes[i].turn_at = w->nodes[i].commit_at = -1;
		w->nodes[i].hears_since = INT64_MIN / 2;
	}
	if (w->nnodes > 2 && draw(w, 2)) {
		w->nodes[w->nnodes - 1].listens = true;
		w->nodes[w->nnodes - 1].newcomer = draw(w, 2) ? SESSION_NOW : SESSION_ALL;
	}
	return w;
}

/*
 * Who forgets all that is confirmed can lose nothing as long as it knows who there is: whom it may
 * not see come and go, and who was here before it crashed, it does not. So one alone crashes, and
 * that one says nothing.
 */
static void
keep_knowing(const struct world *w, struct op *op)
{
	if (op->fault == F_SPLIT || op->fault == F_MARK)
		op->fault = F_CUT;
	if (op->fault == F_CRASH)
		op->node = w->nnodes - 1;
	else if (op->fault == F_WRITE && op->node == w->nnodes - 1)
		op->node = 0;
}

/* The faults of a history. Kinds that make gaps come in worlds that expect them. */
static void
plan(struct history *h, struct world *w)
{
	bool deaths = draw(w, 4) == 0, trims = draw(w, 4) == 0, copies = draw(w, 8) == 0;
	bool tight = false;
	size_t n = 10 + draw(w, 60);

	if (copies)
		w->loss = 0;
	if (deaths || trims || copies)
		w->expect_no_gap = false, w->patience = draw(w, 2) ? 30000 : 60000;
	else
		tight = w->presence && draw(w, 2);
	for (int i = 0; i < w->nnodes; i++) {
		w->nodes[i].keep = trims ? 5 + (unsigned)draw(w, 40) : 0;
		w->nodes[i].room = tight ? 1 : w->nodes[i].keep;
		/* Nobody keeps a past for somebody new. */
		if (tight)
			w->nodes[i].listens = false, w->nodes[i].disk.settled = true;
	}
	h->ops = xcalloc(n, sizeof(*h->ops));
	h->nops = n;
	for (size_t i = 0; i < n; i++) {
		struct op *op = &h->ops[i];
		uint64_t kind = draw(w, 100);

		op->at = (int64_t)draw(w, 60000);
		op->node = (int)draw(w, (uint64_t)w->nnodes);
		op->n = 1 + (int)draw(w, draw(w, 8) ? 12 : 100);
		op->fault = kind < 50 ? F_WRITE : kind < 66 ? F_CUT : kind < 80 ? F_CRASH :
		    kind < 84 ? F_HUB : kind < 87 ? F_SPLIT : kind < 91 ? F_HEAL :
		    kind < 94 ? F_FULL : kind < 96 ? F_MARK : kind < 98 ? F_DEAF :
		    deaths ? F_DIE : F_WRITE;
		if (op->fault == F_CRASH || op->fault == F_FULL || op->fault == F_DEAF)
			op->n = (int)draw(w, 8000);
		if (tight)
			keep_knowing(w, op);
		/* An old copy is found out by those who know better: they are there. */
		if (copies && op->fault != F_WRITE) {
			op->fault = i < 5 ? F_STALE : F_WRITE;
			op->n %= 20;
			op->node = i < 5 ? 0 : op->node;
		}
	}
}

static int
by_time(const void *a, const void *b)
{
	const struct op *x = a, *y = b;

	return x->at != y->at ? (x->at < y->at ? -1 : 1) : (x > y) - (x < y);
}

/* Each number has one fate, and none is missing. */
static void
check_stores(struct world *w)
{
	for (int i = 0; i < w->nnodes; i++)
		for (int k = 0; k < w->nidents; k++)
			for (uint64_t seq = 1; seq <= w->nodes[i].disk.last[k]; seq++)
				if (w->nodes[i].disk.state[k][seq] == NONE)
					wrong(w, "%d: nothing about %s %" PRIu64, i,
					    w->idents[k].name, seq);
}

static int
play(struct history *h, bool loud, bool fresh)
{
	struct world *w = world_open(h->seed);
	int broken;
	int64_t end;

	w->loud = loud;
	if (fresh)
		plan(h, w);
	else {
		struct history again = {0};

		plan(&again, w);
		free(again.ops);
	}
	qsort(h->ops, h->nops, sizeof(*h->ops), by_time);
	for (int i = 0; i < w->nnodes; i++)
		start(w, i);
	for (size_t i = 0; i < h->nops && !w->broken; i++) {
		run_until(w, h->ops[i].at);
		if (!h->ops[i].off && !w->nodes[h->ops[i].node].dead)
			inject(w, &h->ops[i]);
	}
	run_until(w, 70000);
	w->loss = 0;
	all_open(w);
	for (int i = 0; i < w->nnodes; i++) {
		restart(w, i);
		if (w->nodes[i].full && w->nodes[i].session)
			inject_late(w, &(struct event){.node = i, .number = 2});
	}
	end = w->now + 200000;
	while (w->now < end && !w->broken && !at_rest(w, false))
		run_until(w, w->now + 100);
	h->took = w->now - 70000;
	if (!w->broken)
		at_rest(w, true);
	check_stores(w);
	while (w->now < end + 100000 && !w->broken && !all_confirmed(w))
		run_until(w, w->now + 100);
	if (!all_confirmed(w))
		wrong(w, "not confirmed");
	broken = w->broken;
	world_close(w);
	return broken;
}

static const char *const fault_names[] = {"cut", "crash", "hub restarts", "split", "heal", "write",
    "disk full", "old copy", "dies", "old mark", "deaf"};

/* Takes out every fault that the failure does not need, and plays the rest aloud. */
static void
shrink(struct history *h)
{
	bool smaller = true;

	while (smaller) {
		smaller = false;
		for (size_t i = 0; i < h->nops; i++) {
			if (h->ops[i].off)
				continue;
			h->ops[i].off = true;
			if (play(h, false, false))
				smaller = true;
			else
				h->ops[i].off = false;
		}
	}
	for (size_t i = 0; i < h->nops; i++)
		if (!h->ops[i].off)
			fprintf(stderr, "  %6d ms: node %d: %s %d\n", (int)h->ops[i].at, h->ops[i].node,
			    fault_names[h->ops[i].fault], h->ops[i].n);
	play(h, true, false);
}

static void
test_histories(void)
{
	const char *rounds = getenv("SESSION_ROUNDS"), *seed = getenv("SESSION_SEED");
	uint64_t first = seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL) * 1000;
	long n = rounds ? strtol(rounds, NULL, 10) : 300;
	int64_t longest = 0, sum = 0;

	printf("session: %ld histories from seed %" PRIu64 "\n", n, first);
	for (long i = 0; i < n; i++) {
		struct history h = {.seed = first + (uint64_t)i};
		int broken = play(&h, false, true);

		CHECK(!broken);
		if (broken) {
			fprintf(stderr, "SESSION_SEED=%" PRIu64 " SESSION_ROUNDS=1:\n", h.seed);
			shrink(&h);
		}
		longest = h.took > longest ? h.took : longest;
		sum += h.took;
		free(h.ops);
		if (broken)
			return;
	}
	printf("session: at rest after %" PRId64 " ms, at most %" PRId64 " ms\n", n ? sum / n : 0,
	    longest);
}

int
main(void)
{
	test_histories();
	return check_done();
}
