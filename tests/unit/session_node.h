/*
 * session_node: a world for sessions to live in, in one process and on a virtual
 * clock: what is to happen when, and what a node, which has a disk, does for its
 * session (the hooks).
 *
 * Everything random comes from one seed, so a history can be run again. What a
 * node has committed survives its crash; what it delivered and did not commit is
 * lost, and must come again. Of its own lines it forgets what the session confirms, as far as
 * room is short. Rules that hold always are checked as it happens (broken); those of the end
 * by session.c.
 */
#ifndef KANDIL_TEST_SESSION_NODE_H
#define KANDIL_TEST_SESSION_NODE_H

#include "common/json.h"
#include "common/mem.h"
#include "tools/collab/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { NODES = 8, IDENTS = 32, SEQS = 4096 };
enum { NONE, DELIVERED, LOST, BEFORE }; /* what a store says of a number */

struct ident {
	char name[64];
	int node;
	bool gone; /* its node has another one now, or never comes back */
	uint32_t lines[SEQS], sent[SEQS]; /* number → line: in the outbox; that the relay saw */
};

/* What is on a node's disk. */
struct store {
	int ident;
	uint64_t own, taken;
	uint64_t forgot; /* own lines up to there are in the outbox no more */
	bool settled, used;
	uint64_t last[IDENTS];
	unsigned char state[IDENTS][SEQS];
};

struct pending {
	int ident;
	uint64_t first, last;
	int state;
};

struct node {
	struct session *session;
	struct store disk, copy;
	struct pending *pending;
	size_t npending, pending_cap;
	uint64_t delivered[IDENTS]; /* with what is pending */
	bool connected, dead, full, stale;
	bool listens;	  /* nobody is told of it */
	bool deaf;	  /* nothing that is sent to it arrives */
	bool doomed;	  /* crashes when something is delivered and not committed, for: */
	int64_t doomed_ms;
	uint64_t lost;	  /* numbers that were gaps to it */
	int conn;	  /* counts connections: what belongs to an older one is lost */
	int64_t turn_at, commit_at;
	enum session_newcomer newcomer; /* where it begins, as long as nothing is settled */
	unsigned keep;	  /* messages of another sender that are kept, 0: all */
	unsigned room;	  /* own lines that are kept in any case; 0: all */
	uint64_t confirmed; /* of its own, the highest so far */
	int64_t up_since, cut_at, hears_since;
	double used;	  /* of the relay's limit */
	int64_t used_at;
	struct buf found;
	int64_t got[IDENTS][SEQS]; /* when it was committed */
};

enum event_kind { AT_RELAY, AT_NODE, ACKED, MEMBER, TURN, COMMIT, CONNECT, WRITE, FAULT };

struct event {
	int64_t at;
	uint64_t order;
	enum event_kind kind;
	int node, from, conn, from_conn;
	uint64_t number;
	bool flag;
	struct buf name, payload;
};

struct world {
	uint64_t random;
	int64_t now;
	uint64_t order;
	struct event *heap;
	size_t nevents, cap;
	int nnodes;
	struct node nodes[NODES];
	struct ident idents[IDENTS];
	int nidents;
	uint32_t lines;
	/* how it is */
	bool presence, history, calm;
	bool met; /* all have seen all: outboxes forget from then on */
	double rate, limit; /* limit: messages a second of each, 0: none; as many at once */
	int64_t patience, hub_patience;
	int delay, loss; /* ms; per thousand deliveries, silently */
	unsigned char open[NODES][NODES]; /* a pair that hears each other: partitions */
	int64_t wire[NODES][NODES]; /* when the last one between them arrives */
	int64_t up_wire[NODES];
	size_t max_payload;
	bool expect_no_gap;
	/* the hub's history: all that passed, by identity */
	unsigned char hub[IDENTS][SEQS];
	/* counts */
	uint64_t sends, control, deliveries, gaps, again, delivered;
	uint64_t refusals;
	int broken;
	bool loud;
	uint64_t seed;
};

static uint64_t
draw(struct world *w, uint64_t below)
{
	uint64_t z = w->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	z ^= z >> 31;
	return below ? z % below : z;
}

static void __attribute__((format(printf, 2, 3)))
wrong(struct world *w, const char *format, ...)
{
	va_list args;

	w->broken++;
	if (!w->loud)
		return;
	va_start(args, format);
	fprintf(stderr, "  %" PRId64 " ms: ", w->now);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

/* ---- events, earliest first ---- */

static bool
earlier(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void
post(struct world *w, struct event e)
{
	size_t i = w->nevents++;

	e.order = w->order++;
	w->heap = xgrow(w->heap, i, &w->cap, sizeof(*w->heap));
	for (; i && earlier(&e, &w->heap[(i - 1) / 2]); i = (i - 1) / 2)
		w->heap[i] = w->heap[(i - 1) / 2];
	w->heap[i] = e;
}

static struct event
next_event(struct world *w)
{
	struct event top = w->heap[0], e = w->heap[--w->nevents];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < w->nevents) {
		if (child + 1 < w->nevents && earlier(&w->heap[child + 1], &w->heap[child]))
			child++;
		if (!earlier(&w->heap[child], &e))
			break;
		w->heap[i] = w->heap[child];
		i = child;
	}
	w->heap[i] = e;
	return top;
}

static struct buf
copy(struct slice text)
{
	struct buf b = {0};

	buf_addslice(&b, text);
	buf_adds(&b, "");
	return b;
}

static int
ident_of(struct world *w, struct slice name)
{
	for (int i = 0; i < w->nidents; i++)
		if (slice_is(name, w->idents[i].name))
			return i;
	return -1;
}

/* The one node that hooks are called for: they have one state. */
struct place {
	struct world *w;
	struct node *n;
	int index;
};
static struct place places[NODES];

/* ---- what a session asks of its owner ---- */

/* Acknowledged means safe on disk, whatever else was delivered by then. */
static void
check_have(struct place *p, struct slice payload)
{
	struct slice have, key, value;
	struct json_walk walk;
	long long n;

	if (!json_get(payload, "have", &have))
		return;
	walk = json_walk(have);
	while (json_member(&walk, &key, &value))
		for (int k = 0; k < p->w->nidents; k++)
			if (json_is(key, p->w->idents[k].name) &&
			    (!json_long(value, &n) || (uint64_t)n > p->n->disk.last[k]))
				wrong(p->w, "%d: says that it has %.*s of %s: on its disk are %" PRIu64,
				    p->index, (int)value.len, value.ptr, p->w->idents[k].name,
				    p->n->disk.last[k]);
}

static bool
hook_send(struct slice event, struct slice payload, uint64_t number, void *state)
{
	struct place *p = state;
	struct world *w = p->w;
	int64_t at = w->now + (int64_t)draw(w, (uint64_t)w->delay + 1);

	if (!p->n->connected || (draw(w, 200) == 0 && !w->calm))
		return false;
	if (at < w->up_wire[p->index])
		at = w->up_wire[p->index];
	w->up_wire[p->index] = at;
	/* In its joins, which the hub alone hears. */
	if (p->n->listens && (!w->history || !slice_is(event, "kandil") || number ||
				 memmem(payload.ptr, payload.len, "\"to\":\"hub\"", 10) == NULL))
		wrong(w, "%d: a listener says %.*s", p->index, (int)payload.len, payload.ptr);
	w->sends += !p->n->listens;
	if (slice_is(event, "kandil")) {
		w->control++;
		check_have(p, payload);
	}
	if (memmem(payload.ptr, payload.len, "\"again\":true", 12))
		w->again++;
	post(w, (struct event){.at = at, .kind = AT_RELAY, .from = p->index,
		    .from_conn = p->n->conn, .number = number, .name = copy(event),
		    .payload = copy(payload)});
	return true;
}

static uint64_t
first_kept(struct world *w, struct node *n, int ident)
{
	uint64_t last = ident == n->disk.ident ? n->disk.own : n->disk.last[ident], first;

	(void)w;
	if (ident == n->disk.ident)
		return last > n->disk.forgot ? n->disk.forgot + 1 : 0;
	first = n->keep && last > n->keep ? last - n->keep + 1 : 1;
	for (; first <= last; first++)
		if (n->disk.state[ident][first] == DELIVERED)
			return first;
	return 0;
}

static uint64_t
hook_kept(struct slice from, void *state)
{
	struct place *p = state;
	int ident = ident_of(p->w, from);

	return ident < 0 ? 0 : first_kept(p->w, p->n, ident);
}

static bool
has(struct world *w, struct node *n, int ident, uint64_t seq)
{
	uint64_t kept = first_kept(w, n, ident);

	if (kept == 0 || seq < kept || seq >= SEQS)
		return false;
	return ident == n->disk.ident ? seq <= n->disk.own : n->disk.state[ident][seq] == DELIVERED;
}

static enum session_found
hook_find(struct slice from, uint64_t seq, struct session_message *m, void *state)
{
	struct place *p = state;
	int ident = ident_of(p->w, from);

	if (ident < 0 || !has(p->w, p->n, ident, seq))
		return SESSION_GONE;
	buf_reset(&p->n->found);
	buf_addf(&p->n->found, "{\"line\":%u}",
	    ident == p->n->disk.ident ? p->w->idents[ident].lines[seq]
				      : p->w->idents[ident].sent[seq]);
	*m = (struct session_message){slice(p->w->idents[ident].name), seq, S("e"),
	    buf_slice(&p->n->found)};
	return SESSION_FOUND;
}

static void
keep_pending(struct place *p, int ident, uint64_t first, uint64_t last, int state)
{
	struct node *n = p->n;

	if (last >= SEQS) {
		wrong(p->w, "number %" PRIu64 " out of nothing", last);
		return;
	}
	n->pending = xgrow(n->pending, n->npending, &n->pending_cap, sizeof(*n->pending));
	n->pending[n->npending++] = (struct pending){ident, first, last, state};
	if (ident >= 0)
		n->delivered[ident] = last;
	if (n->commit_at < 0) {
		n->commit_at = p->w->now + (int64_t)draw(p->w, 50);
		post(p->w, (struct event){.at = n->commit_at, .kind = COMMIT, .node = p->index});
	}
}

static bool
hook_deliver(const struct session_message *m, void *state)
{
	struct place *p = state;
	int ident = ident_of(p->w, m->from);
	char want[64];

	if (p->n->full)
		return false;
	if (m->seq == 0)
		return true;
	if (ident < 0) {
		wrong(p->w, "delivered from nobody");
		return true;
	}
	if (m->seq != p->n->delivered[ident] + 1)
		wrong(p->w, "%d: %s %" PRIu64 " after %" PRIu64, p->index, p->w->idents[ident].name,
		    m->seq, p->n->delivered[ident]);
	snprintf(want, sizeof(want), "{\"line\":%u}",
	    p->w->idents[ident].sent[m->seq < SEQS ? m->seq : 0]);
	if (!slice_is(m->payload, want) || !slice_is(m->event, "e"))
		wrong(p->w, "%d: %s %" PRIu64 " is %.*s", p->index, p->w->idents[ident].name, m->seq,
		    (int)m->payload.len, m->payload.ptr);
	keep_pending(p, ident, m->seq, m->seq, DELIVERED);
	p->w->delivered++;
	return true;
}

/* It was not deaf since it must have heard what it, or somebody else, asked everybody. */
static bool
hears(const struct world *w, const struct node *n)
{
	return !n->deaf && w->now - n->hears_since > 40000;
}

/* A gap is right when nobody who could be asked has had any of it for a while. */
static bool
hook_gap(struct slice from, uint64_t first, uint64_t last, void *state)
{
	struct place *p = state;
	struct world *w = p->w;
	int ident = ident_of(w, from);

	if (p->n->full)
		return false;
	w->gaps++;
	if (ident < 0 || first != p->n->delivered[ident] + 1 || last < first || last >= SEQS) {
		wrong(w, "%d: gap %" PRIu64 "-%" PRIu64 " makes no sense", p->index, first, last);
		return true;
	}
	p->n->lost += last - first + 1;
	/* It cannot ask those who have it; a history that nothing was lost of is enough. */
	if (w->expect_no_gap && (!p->n->listens || (w->history && !w->loss)))
		wrong(w, "%d: gap of %s %" PRIu64 "-%" PRIu64, p->index, w->idents[ident].name, first,
		    last);
	for (int i = 0; i < w->nnodes && !w->loss && !p->n->listens && hears(w, p->n); i++)
		for (uint64_t seq = first; seq <= last; seq++)
			if (i != p->index && !w->nodes[i].listens && w->nodes[i].connected &&
			    w->open[i][p->index] && hears(w, &w->nodes[i]) &&
			    w->now - w->nodes[i].up_since > 5000 &&
			    w->now - p->n->up_since > 5000 &&
			    w->now - w->nodes[i].got[ident][seq] > 5000 &&
			    has(w, &w->nodes[i], ident, seq)) {
				wrong(w, "%d: gap of %s %" PRIu64 "-%" PRIu64 ", but %d has %" PRIu64,
				    p->index, w->idents[ident].name, first, last, i, seq);
				seq = last;
			}
	keep_pending(p, ident, first, last, LOST);
	return true;
}

static void
hook_baseline(struct slice from, uint64_t seq, void *state)
{
	struct place *p = state;
	int ident = ident_of(p->w, from);

	if (from.len == 0)
		keep_pending(p, -1, 0, 0, BEFORE);
	else if (ident >= 0 && p->n->delivered[ident] == 0)
		keep_pending(p, ident, 1, seq, BEFORE);
	else
		wrong(p->w, "%d: a baseline too late", p->index);
}

static void
hook_taken(uint64_t seq, void *state)
{
	struct place *p = state;

	if (seq <= p->n->disk.taken || seq > p->n->disk.own)
		wrong(p->w, "%d: taken %" PRIu64 " after %" PRIu64, p->index, seq, p->n->disk.taken);
	/* The relay has it: a line that is on its way may be lost yet. */
	for (uint64_t i = p->n->disk.taken + 1; i <= seq && i < SEQS; i++)
		if (p->w->idents[p->n->disk.ident].sent[i] == 0)
			wrong(p->w, "%d: %" PRIu64 " is taken and was not at the relay", p->index, i);
	p->n->disk.taken = seq;
}

static void
hook_refused(uint64_t seq, const char *reason, void *state)
{
	struct place *p = state;

	/* An old mark leads back to what all have, and was forgotten for that. */
	if (reason || seq > p->n->disk.forgot)
		wrong(p->w, "refused %" PRIu64, seq);
}

static void
hook_stale(void *state)
{
	((struct place *)state)->n->stale = true;
}

static const struct session_hooks hooks = {hook_send, hook_find, hook_kept, hook_deliver,
    hook_gap, hook_baseline, hook_taken, hook_refused, hook_stale};

#endif
