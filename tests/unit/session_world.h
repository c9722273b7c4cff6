/*
 * session_world: the relay of session_relay.h at work, with and without a history, and how a
 * world goes on: what is heard when, up to a time; whether all are at rest.
 */
#ifndef KANDIL_TEST_SESSION_WORLD_H
#define KANDIL_TEST_SESSION_WORLD_H

#include "common/json.h"
#include "tests/unit/session_relay.h"
#include "tools/collab/session.h"

/* ---- the relay ---- */

static inline void
to_node(struct world *w, int from, int to, struct slice event, struct slice payload)
{
	int64_t at = w->now + (int64_t)draw(w, (uint64_t)w->delay + 1);

	if ((w->loss && (int)draw(w, 1000) < w->loss) || w->nodes[to].deaf)
		return;
	if (from >= 0) {
		if (at < w->wire[from][to])
			at = w->wire[from][to];
		w->wire[from][to] = at;
	}
	post(w, (struct event){.at = at, .kind = AT_NODE, .node = to, .conn = w->nodes[to].conn,
		    .name = copy(event), .payload = copy(payload)});
}

static inline uint64_t
number_of(struct slice object, const char *name)
{
	struct slice value;
	long long n;

	return json_get(object, name, &value) && json_long(value, &n) ? (uint64_t)n : 0;
}

static inline int
name_of(struct world *w, struct slice object, const char *name)
{
	static struct buf text;

	return json_get_text(object, name, &text) ? ident_of(w, buf_slice(&text)) : -1;
}

/* The hub has an empty last 200 of each, so that it has to say gone as well. */
static inline void
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

static inline void
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
static inline void
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
static inline bool
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

/* False: that is too much of it, and its channel is closed. */
static inline bool
within_limit(struct world *w, int from)
{
	struct node *n = &w->nodes[from];

	n->used -= (double)(w->now - n->used_at) / 1000 * w->limit;
	n->used = n->used > 0 ? n->used : 0;
	n->used_at = w->now;
	if (w->limit <= 0 || n->used + 1 <= w->limit) {
		n->used++;
		return true;
	}
	w->refusals++;
	session_slow(n->session, w->now);
	cut(w, from);
	return false;
}

static inline void
at_relay(struct world *w, const struct event *e)
{
	int64_t at = w->now + (int64_t)draw(w, (uint64_t)w->delay + 1);

	if (e->from_conn != w->nodes[e->from].conn || !w->nodes[e->from].connected)
		return;
	if (!within_limit(w, e->from))
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

/* ---- what happens when ---- */

static inline void
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

static inline void
restart(struct world *w, int i)
{
	if (w->nodes[i].session == NULL && !w->nodes[i].dead)
		start(w, i);
}

/* The delayed half of a fault. */
static inline void
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
	} else if (e->number == 4) {
		n->deaf = false;
		n->hears_since = w->now;
	} else if (!n->dead && n->copy.ident == n->disk.ident && n->disk.settled) {
		crash(w, e->node);
		n->disk = n->copy;
		/* What it said to have it has no more, until it says so. */
		n->cut_at = INT64_MIN / 2;
		start(w, e->node);
	}
}

static inline void
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

static inline void
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

static inline void
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

/* ---- the end ---- */

/* Everybody who lives has everything that somebody who lives has, or knows that it is gone. */
static inline bool
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

/* Everybody who is here has all of ours, and we know it. */
static inline bool
all_confirmed(struct world *w)
{
	for (int i = 0; i < w->nnodes; i++)
		if (w->nodes[i].session &&
		    session_confirmed(w->nodes[i].session) < w->nodes[i].disk.own)
			return false;
	return true;
}

/* How many of node k's numbers from first to last node i has so. */
static inline int
count(const struct world *w, int i, int k, uint64_t first, uint64_t last, int state)
{
	int n = 0;

	for (uint64_t seq = first; seq <= last; seq++)
		n += w->nodes[i].disk.state[w->nodes[k].disk.ident][seq] == state;
	return n;
}

/* ---- without faults ---- */

/* A world without faults, for measuring: n members, all there before. */
static inline struct world *
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
		w->nodes[i].hears_since = INT64_MIN / 2;
		start(w, i);
	}
	run_until(w, 5000);
	w->sends = w->control = w->deliveries = w->again = 0;
	return w;
}

#endif
