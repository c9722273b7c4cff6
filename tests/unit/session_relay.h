/*
 * session_relay: what happens to the nodes of session_node.h beside a relay that stores
 * nothing: they start, write, commit, connect, are cut off, crash.
 */
#ifndef KANDIL_TEST_SESSION_RELAY_H
#define KANDIL_TEST_SESSION_RELAY_H

#include "tests/unit/session_node.h"

static void
turn(struct world *w, int i)
{
	struct node *n = &w->nodes[i];
	int64_t wait;

	if (n->session == NULL)
		return;
	wait = session_turn(n->session, w->now);
	n->turn_at = wait < 0 ? -1 : w->now + wait + (wait == 0);
	if (n->turn_at >= 0)
		post(w, (struct event){.at = n->turn_at, .kind = TURN, .node = i});
}

static int
new_ident(struct world *w, int node)
{
	struct ident *d = &w->idents[w->nidents];
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	int at = snprintf(d->name, sizeof(d->name), "n%d.", node);

	for (int i = 0; i < 26; i++)
		d->name[at + i] = letters[draw(w, 32)];
	d->name[at + 26] = 0;
	d->node = node;
	return w->nidents++;
}

static void
start(struct world *w, int i)
{
	struct node *n = &w->nodes[i];
	struct store *d = &n->disk;
	struct session_settings set = {.self = slice(w->idents[d->ident].name),
	    .listener = n->listens, .fresh = !d->used,
	    .newcomer = d->settled ? SESSION_KNOWN : n->newcomer,
	    .rate = w->rate, .window = 16, .patience_ms = n->listens ? 0 : w->patience,
	    .hub_patience_ms = n->listens ? 0 : w->hub_patience,
	    .max_payload = w->max_payload, .max_held = 4000, .seed = draw(w, 0),
	    .hooks = &hooks, .state = &places[i]};

	places[i] = (struct place){w, n, i};
	d->used = true;
	n->session = session_open(&set);
	n->npending = 0;
	n->commit_at = -1;
	n->stale = false;
	memcpy(n->delivered, d->last, sizeof(d->last));
	for (int k = 0; k < w->nidents; k++)
		if (d->last[k])
			session_known(n->session, slice(w->idents[k].name), d->last[k]);
	session_own(n->session, w->now, d->own);
	session_taken(n->session, d->taken);
	post(w, (struct event){.at = w->now + (int64_t)draw(w, 300), .kind = CONNECT, .node = i});
}

/* Whether node i has been told that node k is here, or was a quarter of a minute ago. */
static bool
knows(const struct world *w, const struct node *n, const struct node *k)
{
	if (n == k || k->listens || !w->presence || w->now - n->up_since <= 1000 ||
	    !w->open[n - w->nodes][k - w->nodes] || !w->open[k - w->nodes][n - w->nodes])
		return false;
	if (k->connected)
		return w->now - k->up_since > 1000;
	return w->now - k->cut_at < 14000 && k->cut_at - k->up_since > 1000 &&
	    k->cut_at - n->up_since > 1000;
}

/* Who was never seen is waited for by nobody. */
static void
look_round(struct world *w)
{
	bool all = true;

	for (int i = 0; i < w->nnodes && !w->met; i++)
		all &= w->nodes[i].connected && w->now - w->nodes[i].up_since > 1000;
	w->met |= all;
}

/*
 * What is confirmed is on the disks of all whom it knows of, and need not be kept: where room is
 * short it is not.
 */
static void
forget(struct world *w, int i)
{
	struct node *n = &w->nodes[i];
	struct store *d = &n->disk;
	uint64_t confirmed = session_confirmed(n->session), most;

	if (confirmed > n->confirmed && !n->connected)
		wrong(w, "%d: %" PRIu64 " are confirmed while it is down", i, confirmed);
	for (int k = 0; k < w->nnodes && confirmed > n->confirmed; k++)
		if (knows(w, n, &w->nodes[k]) && w->nodes[k].disk.last[d->ident] < confirmed)
			wrong(w, "%d: %" PRIu64 " are confirmed, but %d has %" PRIu64, i, confirmed, k,
			    w->nodes[k].disk.last[d->ident]);
	if (confirmed > n->confirmed)
		n->confirmed = confirmed;
	look_round(w);
	most = d->own > n->room ? d->own - n->room : 0;
	if (most > confirmed)
		most = confirmed;
	if (n->room && w->met && most > d->forgot)
		d->forgot = most;
}

/* The others are told of it, each after a while of its own. */
static void
announce(struct world *w, int i, bool here, int64_t most)
{
	for (int k = 0; k < w->nnodes && w->presence && !w->nodes[i].listens; k++)
		if (k != i && w->nodes[k].connected && w->open[i][k])
			post(w, (struct event){.at = w->now + (int64_t)draw(w, (uint64_t)most),
				    .kind = MEMBER, .node = k, .conn = w->nodes[k].conn,
				    .from = i, .from_conn = w->nodes[i].conn, .flag = here,
				    .name = copy(slice(w->idents[w->nodes[i].disk.ident].name))});
}

static void
cut(struct world *w, int i)
{
	struct node *n = &w->nodes[i];

	if (!n->connected)
		return;
	/* Its last look at who is here. */
	if (n->session) {
		session_down(n->session, w->now);
		forget(w, i);
	}
	n->connected = false;
	n->cut_at = w->now;
	n->conn++;
	announce(w, i, false, draw(w, 4) ? 100 : 20000);
	if (n->session)
		post(w, (struct event){.at = w->now + (int64_t)draw(w, 2000), .kind = CONNECT,
			    .node = i});
}

static void
crash(struct world *w, int i)
{
	struct node *n = &w->nodes[i];

	cut(w, i);
	session_free(n->session);
	n->session = NULL;
	n->npending = 0;
	n->confirmed = 0;
	n->doomed = false;
}

/* It starts again after that. */
static void
crash_for(struct world *w, int i, int64_t ms)
{
	crash(w, i);
	post(w, (struct event){.at = w->now + ms, .kind = FAULT, .node = i, .number = 1});
}

static void
append(struct world *w, int i, uint32_t line)
{
	struct store *d = &w->nodes[i].disk;

	if (d->own + 1 < SEQS)
		w->idents[d->ident].lines[++d->own] = line;
}

/* Its disk is an old copy: what it has not sent goes on under a new name. */
static void
renew(struct world *w, int i)
{
	struct store *d = &w->nodes[i].disk;
	int old = d->ident;
	uint64_t first = d->taken + 1, last = d->own;

	crash(w, i);
	w->idents[old].gone = true;
	d->ident = new_ident(w, i);
	d->last[old] = d->taken;
	memset(d->state[old], BEFORE, d->taken + 1);
	d->own = d->taken = d->forgot = 0;
	d->used = false;
	for (; first <= last; first++)
		append(w, i, w->idents[old].lines[first]);
	start(w, i);
}

static void
after(struct world *w, int i)
{
	if (w->nodes[i].stale) {
		renew(w, i);
	} else if (w->nodes[i].doomed && w->nodes[i].npending) {
		crash_for(w, i, w->nodes[i].doomed_ms);
	} else if (w->nodes[i].session) {
		forget(w, i);
		turn(w, i);
	}
}

static void
connect_node(struct world *w, int i)
{
	struct node *n = &w->nodes[i];
	int64_t roster = w->now + (int64_t)draw(w, 100);

	if (n->connected || n->session == NULL)
		return;
	n->connected = true;
	n->conn++;
	n->up_since = w->now;
	session_up(n->session, w->now, w->history);
	/* Its join asked for that. */
	if (n->listens && w->history)
		post(w, (struct event){.at = w->now, .kind = AT_RELAY, .from = i,
			    .from_conn = n->conn, .name = copy(S("kandil")),
			    .payload = copy(S("{\"kandil\":1,\"type\":\"hello\"}"))});
	/* The roster anew, whole, as differences: who has gone, too. */
	for (int d = 0; d < w->nidents && w->presence; d++) {
		int k = w->idents[d].node;

		if (w->open[i][k])
			post(w, (struct event){.at = roster, .kind = MEMBER, .node = i,
				    .conn = n->conn, .from = k,
				    .flag = w->nodes[k].connected && w->nodes[k].disk.ident == d &&
					!w->nodes[k].listens,
				    .name = copy(slice(w->idents[d].name))});
	}
	announce(w, i, true, 100);
	turn(w, i);
}

static void
commit(struct world *w, int i)
{
	struct node *n = &w->nodes[i];

	if (n->session == NULL || n->commit_at != w->now)
		return;
	for (size_t k = 0; k < n->npending; k++) {
		struct pending *p = &n->pending[k];

		if (p->ident < 0) {
			n->disk.settled = true;
			continue;
		}
		memset(n->disk.state[p->ident] + p->first, p->state, p->last - p->first + 1);
		n->disk.last[p->ident] = p->last;
		for (uint64_t seq = p->first; seq <= p->last; seq++)
			n->got[p->ident][seq] = w->now;
	}
	n->npending = 0;
	n->commit_at = -1;
	session_stored(n->session, w->now);
	after(w, i);
}

#endif
