/*
 * session: thousands of random histories of nodes that are cut, crash, stall and
 * come back, over a relay that stores nothing; each from a printed seed.
 *	SESSION_ROUNDS=N   so many (default 300); SESSION_SEED=N: from that one on
 * A history that fails is cut down to the faults that it takes.
 */
#include "common/json.h"
#include "tests/unit/check.h"
#include "tests/unit/session_relay.h"
#include "tools/collab/session.h"

#include <sys/resource.h>
#include <time.h>

/* ---- the relay ---- */

static void
to_node(struct world *w, int from, int to, struct slice event, struct slice payload)
{
	int64_t at = w->now + (int64_t)draw(w, (uint64_t)w->delay + 1);

	if (w->loss && (int)draw(w, 1000) < w->loss)
		return;
	if (from >= 0) {
		if (at < w->wire[from][to])
			at = w->wire[from][to];
		w->wire[from][to] = at;
	}
	post(w, (struct event){.at = at, .kind = AT_NODE, .node = to, .conn = w->nodes[to].conn,
		    .name = copy(event), .payload = copy(payload)});
}

static uint64_t
number_of(struct slice object, const char *name)
{
	struct slice value;
	long long n;

	return json_get(object, name, &value) && json_long(value, &n) ? (uint64_t)n : 0;
}

static int
name_of(struct world *w, struct slice object, const char *name)
{
	static struct buf text;

	return json_get_text(object, name, &text) ? ident_of(w, buf_slice(&text)) : -1;
}

/* The hub has an empty last 200 of each, so that it has to say gone as well. */
static void
hub_have(struct world *w, int to)
{
	struct buf b = {0};

	buf_adds(&b, "{\"kandil\":1,\"from\":\"hub\",\"type\":\"have\",\"have\":{");
	for (int i = 0, n = 0; i < w->nidents; i++)
		for (int seq = SEQS - 1; seq > 0; seq--)
			if (w->hub[i][seq]) {
				buf_addf(&b, "%s\"%s\":%d", n++ ? "," : "", w->idents[i].name, seq);
				break;
			}
	buf_adds(&b, "}}");
	to_node(w, -1, to, S("kandil"), buf_slice(&b));
	buf_free(&b);
}

static void
hub_want(struct world *w, int to, struct slice p)
{
	int of = name_of(w, p, "of");
	uint64_t first = number_of(p, "first"), last = number_of(p, "last"), gone;
	struct buf b = {0};

	for (; of >= 0 && first <= last && first < SEQS; first++) {
		buf_reset(&b);
		if (w->hub[of][first]) {
			buf_addf(&b, "{\"kandil\":1,\"from\":\"%s\",\"seq\":%d,\"again\":true,"
				     "\"payload\":{\"line\":%u}}",
			    w->idents[of].name, (int)first, w->idents[of].sent[first]);
			to_node(w, -1, to, S("e"), buf_slice(&b));
		} else {
			gone = first;
			while (first < last && first + 1 < SEQS && !w->hub[of][first + 1])
				first++;
			buf_addf(&b, "{\"kandil\":1,\"from\":\"hub\",\"type\":\"gone\",\"to\":\"%s\","
				     "\"of\":\"%s\",\"first\":%d,\"last\":%d}",
			    w->idents[w->nodes[to].disk.ident].name, w->idents[of].name, (int)gone,
			    (int)first);
			to_node(w, -1, to, S("kandil"), buf_slice(&b));
		}
	}
	buf_free(&b);
}

/* A number stands for one line for ever, or two members would know different things. */
static void
note_line(struct world *w, const struct event *e)
{
	struct slice p = buf_slice(&e->payload), inner;
	int of = name_of(w, p, "from");
	uint64_t seq = number_of(p, "seq"), line;

	if (of < 0 || seq == 0 || seq >= SEQS || !json_get(p, "payload", &inner))
		return;
	line = number_of(inner, "line");
	if (w->idents[of].sent[seq] && w->idents[of].sent[seq] != line)
		wrong(w, "%s %" PRIu64 " was used twice", w->idents[of].name, seq);
	w->idents[of].sent[seq] = (uint32_t)line;
}

/* True: it was for the hub alone. */
static bool
hub_hears(struct world *w, const struct event *e)
{
	struct slice p = buf_slice(&e->payload), value;
	int of;
	uint64_t seq;

	if (!w->history)
		return false;
	if (!slice_is(buf_slice(&e->name), "kandil")) {
		of = name_of(w, p, "from");
		seq = number_of(p, "seq");
		if (of >= 0 && seq && seq < SEQS)
			w->hub[of][seq] = 1;
	} else if (json_get(p, "type", &value) && json_is(value, "hello")) {
		hub_have(w, e->from);
	} else if (json_get(p, "to", &value) && json_is(value, "hub")) {
		hub_want(w, e->from, p);
		return true;
	}
	return false;
}

static void
at_relay(struct world *w, const struct event *e)
{
	int64_t at = w->now + (int64_t)draw(w, (uint64_t)w->delay + 1);

	if (e->from_conn != w->nodes[e->from].conn || !w->nodes[e->from].connected)
		return;
	if (e->number)
		post(w, (struct event){.at = at, .kind = ACKED, .node = e->from,
			    .conn = e->from_conn, .number = e->number,
			    .flag = w->calm || draw(w, 300) != 0});
	if (!slice_is(buf_slice(&e->name), "kandil"))
		note_line(w, e);
	if (hub_hears(w, e) || w->nodes[e->from].listens)
		return;
	for (int i = 0; i < w->nnodes; i++) {
		if (i == e->from || !w->nodes[i].connected || !w->open[e->from][i])
			continue;
		w->deliveries++;
		to_node(w, e->from, i, buf_slice(&e->name), buf_slice(&e->payload));
	}
}

/* ---- faults ---- */

enum fault { F_CUT, F_CRASH, F_HUB, F_SPLIT, F_HEAL, F_WRITE, F_FULL, F_STALE, F_DIE, F_MARK, FAULTS };

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
	memset(w->open, 1, sizeof(w->open));
	/* Those who could not hear each other learn of each other as by presence. */
	for (int i = 0; i < w->nnodes; i++)
		if (w->nodes[i].connected)
			cut(w, i);
}

static void
write_lines(struct world *w, int i, int n)
{
	struct node *node = &w->nodes[i];

	if (node->dead || node->listens)
		return;
	while (n--)
		append(w, i, ++w->lines);
	if (node->session) {
		session_own(node->session, w->now, node->disk.own);
		after(w, i);
	}
}

static void
restart(struct world *w, int i)
{
	if (w->nodes[i].session == NULL && !w->nodes[i].dead)
		start(w, i);
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
		crash(w, op->node);
		post(w, (struct event){.at = w->now + op->n, .kind = FAULT, .node = op->node,
			    .number = 1});
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
	case FAULTS:
		break;
	}
}

/* The delayed half of a fault. */
static void
inject_late(struct world *w, const struct event *e)
{
	struct node *n = &w->nodes[e->node];

	if (e->number == 1) {
		restart(w, e->node);
	} else if (e->number == 2) {
		n->full = false;
		if (n->session) {
			session_resume(n->session, w->now);
			after(w, e->node);
		}
	} else if (!n->dead && n->copy.ident == n->disk.ident && n->disk.settled) {
		crash(w, e->node);
		n->disk = n->copy;
		start(w, e->node);
	}
}

static void
handle(struct world *w, const struct event *e)
{
	struct node *n = &w->nodes[e->node];
	struct slice name = buf_slice(&e->name);

	switch (e->kind) {
	case AT_RELAY:
		at_relay(w, e);
		return;
	case AT_NODE:
		if (e->conn != n->conn || !n->connected)
			return;
		session_heard(n->session, w->now, name, buf_slice(&e->payload));
		break;
	case ACKED:
		if (e->conn != n->conn || !n->connected)
			return;
		session_acked(n->session, w->now, e->number, e->flag, "timeout");
		break;
	case MEMBER:
		/* What was overtaken by a later connection, or by its end, is not told. */
		if (e->conn != n->conn || !n->connected)
			return;
		if (e->from != e->node &&
		    e->flag !=
			(w->nodes[e->from].connected && !w->nodes[e->from].listens &&
			    ident_of(w, name) == w->nodes[e->from].disk.ident))
			return;
		session_member(n->session, w->now, name, e->flag);
		/* A roster comes whole: the turn is after all of it. */
		n->turn_at = w->now;
		post(w, (struct event){.at = w->now, .kind = TURN, .node = e->node});
		return;
	case TURN:
		if (n->turn_at != w->now)
			return;
		break;
	case COMMIT:
		commit(w, e->node);
		return;
	case CONNECT:
		connect_node(w, e->node);
		return;
	case WRITE:
		write_lines(w, e->node, (int)e->number);
		return;
	case FAULT:
		inject_late(w, e);
		return;
	}
	after(w, e->node);
}

static void
run_until(struct world *w, int64_t until)
{
	while (w->nevents && w->heap[0].at <= until) {
		struct event e = next_event(w);

		w->now = e.at;
		handle(w, &e);
		buf_free(&e.name);
		buf_free(&e.payload);
	}
	w->now = until;
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
	}
	if (w->nnodes > 2 && draw(w, 2)) {
		w->nodes[w->nnodes - 1].listens = true;
		w->nodes[w->nnodes - 1].newcomer = draw(w, 2) ? SESSION_NOW : SESSION_ALL;
	}
	return w;
}

static void
world_close(struct world *w)
{
	while (w->nevents) {
		struct event e = next_event(w);

		buf_free(&e.name);
		buf_free(&e.payload);
	}
	free(w->heap);
	for (int i = 0; i < w->nnodes; i++) {
		session_free(w->nodes[i].session);
		free(w->nodes[i].pending);
		buf_free(&w->nodes[i].found);
	}
	free(w);
}

/* The faults of a history. Kinds that make gaps come in worlds that expect them. */
static void
plan(struct history *h, struct world *w)
{
	bool deaths = draw(w, 4) == 0, trims = draw(w, 4) == 0, copies = draw(w, 8) == 0;
	size_t n = 10 + draw(w, 60);

	if (copies)
		w->loss = 0;
	if (deaths || trims || copies)
		w->expect_no_gap = false, w->patience = 30000;
	for (int i = 0; i < w->nnodes; i++)
		w->nodes[i].keep = trims ? 5 + (unsigned)draw(w, 40) : 0;
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
		    kind < 95 ? F_FULL : kind < 97 ? F_MARK : deaths ? F_DIE : F_WRITE;
		if (op->fault == F_CRASH || op->fault == F_FULL)
			op->n = (int)draw(w, 8000);
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

/* Everybody who lives has everything that somebody who lives has, or knows that it is gone. */
static bool
at_rest(struct world *w, bool loud)
{
	for (int i = 0; i < w->nnodes; i++) {
		struct node *n = &w->nodes[i];

		if (n->dead)
			continue;
		for (int k = 0; k < w->nidents; k++) {
			struct node *owner = &w->nodes[w->idents[k].node];
			bool lives = !w->idents[k].gone && owner->disk.ident == k && !owner->dead;
			uint64_t last = lives ? owner->disk.own : 0;

			if (k == n->disk.ident || w->idents[k].node == i)
				continue;
			for (int j = 0; j < w->nnodes; j++)
				if (!w->nodes[j].dead && !w->nodes[j].listens &&
				    w->nodes[j].disk.last[k] > last &&
				    has(w, &w->nodes[j], k, w->nodes[j].disk.last[k]))
					last = w->nodes[j].disk.last[k];
			/* Of the last ones it may have heard nothing, where no history tells it. */
			if (n->disk.last[k] >= last || (n->listens && !w->history))
				continue;
			if (loud)
				wrong(w, "%d has %" PRIu64 " of %" PRIu64 " of %s", i, n->disk.last[k],
				    last, w->idents[k].name);
			return false;
		}
		if (n->npending || n->session == NULL ||
		    session_relayed(n->session) < n->disk.own) {
			if (loud)
				wrong(w, "%d: %zu pending, relayed %" PRIu64 " of %" PRIu64, i,
				    n->npending, n->session ? session_relayed(n->session) : 0,
				    n->disk.own);
			return false;
		}
	}
	return true;
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

/* Everybody who is here has all of ours, and we know it. */
static bool
all_confirmed(struct world *w)
{
	for (int i = 0; i < w->nnodes; i++)
		if (w->nodes[i].session &&
		    session_confirmed(w->nodes[i].session) < w->nodes[i].disk.own)
			return false;
	return true;
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
    "disk full", "old copy", "dies", "old mark"};

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

/* A world without faults, for measuring: n members, all there before. */
static struct world *
calm(int n, double rate)
{
	struct world *w = xcalloc(1, sizeof(*w));

	w->random = 1;
	w->nnodes = n;
	w->presence = w->calm = true;
	w->rate = rate;
	w->delay = 20;
	w->patience = 60000;
	w->max_payload = 256000;
	w->expect_no_gap = true;
	memset(w->open, 1, sizeof(w->open));
	for (int i = 0; i < n; i++) {
		w->nodes[i].disk.ident = new_ident(w, i);
		w->nodes[i].disk.settled = true;
		w->nodes[i].newcomer = SESSION_NOW;
		w->nodes[i].turn_at = w->nodes[i].commit_at = -1;
		start(w, i);
	}
	run_until(w, 5000);
	w->sends = w->control = w->deliveries = w->again = 0;
	return w;
}

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

/* How many of node k's numbers from first to last node i has so. */
static int
count(const struct world *w, int i, int k, uint64_t first, uint64_t last, int state)
{
	int n = 0;

	for (uint64_t seq = first; seq <= last; seq++)
		n += w->nodes[i].disk.state[w->nodes[k].disk.ident][seq] == state;
	return n;
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

/* ---- who only listens ---- */

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
	test_newcomer();
	test_listener();
	test_crowd();
	test_control();
	test_quota();
	test_histories();
	return check_done();
}
