/*
 * converge_world: replicas with virtual clocks, disks and a virtual network between them, for
 * converge. They do what state.h tells a node to do, and nothing else.
 */
#ifndef KANDIL_TEST_CONVERGE_WORLD_H
#define KANDIL_TEST_CONVERGE_WORLD_H

#include "common/mem.h"
#include "tests/unit/state_look.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_REPLICAS = 10, CHUNK = 400 };

static uint64_t dice;

static uint32_t
roll(uint32_t sides)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (uint32_t)(dice >> 32) % sides;
}

/* ---- the world ---- */

/* What a node sent: a patch, or anything else that takes a seq. */
struct message {
	struct stamp stamp;
	char *patch; /* NULL: no patch */
};

/* An identity and its outbox, which is on disk. */
struct identity {
	char name[24];
	struct message *v;
	size_t n, cap;
	size_t owner;
	uint64_t renewed; /* patches from this seq on were written anew; 0: none */
};

/* What is under way from one replica to another. */
struct parcel {
	size_t identity;
	uint64_t seq; /* 0: text is a head, or a snapshot's chunk */
	bool chunk;
	char *text;
};

struct queue {
	struct parcel *v;
	size_t n, cap;
};

struct replica {
	bool here;
	bool quiet; /* it hardly ever writes */
	struct state *state, *fresh; /* fresh: a snapshot that is coming in */
	char *fresh_id;
	struct clock clock;
	int64_t skew, bound; /* bound is on disk */
	size_t self;
	char **saved; /* the snapshot on disk */
	size_t n_saved, cap_saved;
};

struct world {
	struct replica r[MAX_REPLICAS];
	size_t n;
	int64_t now;
	struct identity *ids;
	size_t n_ids, cap_ids;
	struct queue queue[MAX_REPLICAS][MAX_REPLICAS];
	bool cut[MAX_REPLICAS][MAX_REPLICAS];
	bool stable; /* all know each other, and nobody is forgotten */
	const char *fault;
};

/* How often things happened, over all histories. */
static struct {
	size_t operations, edits, merges, snapshots, renewals, collections, tombstones, early, forgotten,
	    gaps, behind, places;
} did;

static void
fail(struct world *w, const char *what)
{
	if (w->fault == NULL)
		w->fault = what;
}

static int64_t
clock_of(const struct world *w, const struct replica *r)
{
	return w->now + r->skew;
}

static struct stamp
tick(struct world *w, struct replica *r)
{
	struct stamp s = {0};

	if (clock_tick(&r->clock, clock_of(w, r), &s, NULL) != 0)
		fail(w, "a clock does not tick");
	clock_store(&r->clock, clock_of(w, r), &r->bound);
	s.node = slice(w->ids[r->self].name);
	return s;
}

static void
new_identity(struct world *w, size_t replica)
{
	struct identity *id;

	w->ids = xgrow(w->ids, w->n_ids, &w->cap_ids, sizeof(*w->ids));
	id = &w->ids[w->n_ids];
	*id = (struct identity){.owner = replica};
	snprintf(id->name, sizeof(id->name), "%c.%zu", (char)('a' + (char)roll(26)), w->n_ids);
	w->r[replica].self = w->n_ids++;
	if (state_self(w->r[replica].state, slice(id->name), NULL) != 0)
		fail(w, "an identity is refused");
}

static void
post(struct world *w, size_t from, size_t to, struct parcel p)
{
	struct queue *q = &w->queue[from][to];

	q->v = xgrow(q->v, q->n, &q->cap, sizeof(*q->v));
	q->v[q->n++] = p;
}

/* ---- what a node does ---- */

static void merge(struct world *, size_t me, size_t identity, uint64_t seq, bool later);

/* Writes a message under the own identity, merges and sends it. patch NULL: no patch. */
static void
publish(struct world *w, size_t me, const char *patch)
{
	struct replica *r = &w->r[me];
	struct identity *id = &w->ids[r->self];
	struct stamp s = {0};

	if (patch)
		s = tick(w, r);
	id = &w->ids[r->self];
	id->v = xgrow(id->v, id->n, &id->cap, sizeof(*id->v));
	id->v[id->n++] = (struct message){{s.l, s.c, {NULL, 0}}, patch ? xstrdup(patch) : NULL};
	merge(w, me, r->self, id->n, false);
	for (size_t to = 0; to < w->n; to++)
		if (to != me && w->r[to].here && !w->cut[me][to] && roll(10))
			post(w, me, to, (struct parcel){r->self, id->n, false, NULL});
}

/* Steps 2 of state.h's closed nodes. */
static void
renew(struct world *w, size_t me)
{
	struct replica *r = &w->r[me];

	if (state_closed(r->state, slice(w->ids[r->self].name))) {
		new_identity(w, me);
		did.renewals++;
	}
	for (size_t i = 0; i < w->n_ids; i++) {
		struct slice name = slice(w->ids[i].name);
		uint64_t from, end;

		if (w->ids[i].owner != me || i == r->self || !state_closed(r->state, name))
			continue;
		from = state_vector(r->state, name) + 1;
		end = w->ids[i].renewed ? w->ids[i].renewed : w->ids[i].n + 1;
		for (uint64_t seq = from; seq < end; seq++)
			if (w->ids[i].v[seq - 1].patch)
				publish(w, me, w->ids[i].v[seq - 1].patch);
		if (from < end)
			w->ids[i].renewed = from;
	}
}

static void
merge(struct world *w, size_t me, size_t identity, uint64_t seq, bool later)
{
	struct replica *r = &w->r[me];
	struct identity *id = &w->ids[identity];
	const struct message *m = &id->v[seq - 1];
	struct stamp s = m->stamp;
	enum state_result result;
	struct err e;

	s.node = slice(id->name);
	if (m->patch == NULL) {
		result = state_seen(r->state, s.node, seq, &e);
	} else {
		if (id->owner != me && clock_receive(&r->clock, &s, clock_of(w, r), NULL) != 0)
			return;
		result = state_merge(r->state, &s, seq, slice(m->patch), &e);
		did.merges++;
	}
	if (result == STATE_REFUSED)
		fail(w, "a patch is refused");
	did.gaps += result == STATE_GAP;
	did.behind += result == STATE_BEHIND;
	if (result == STATE_BEHIND && w->stable)
		fail(w, "the floor went past a known node");
	if (result == STATE_GAP && later && roll(2))
		post(w, w->ids[identity].owner == me ? (me + 1) % w->n : w->ids[identity].owner, me,
		    (struct parcel){identity, seq, false, NULL});
}

struct sending {
	struct world *w;
	size_t from, to;
};

static void
send_chunk(struct slice json, void *closure)
{
	struct sending *s = closure;

	post(s->w, s->from, s->to, (struct parcel){0, 0, true, xstrndup(json.ptr, json.len)});
}

static void
send_head(struct world *w, size_t from, size_t to)
{
	struct stamp clock = tick(w, &w->r[from]);
	struct buf head = {0};

	state_head(w->r[from].state, &clock, &head);
	post(w, from, to, (struct parcel){w->r[from].self, 0, false, buf_detach(&head)});
}

/* Whether other keeps messages no more that me lacks: here, those at or below its floor. */
static bool
is_trimmed(const struct world *w, size_t me, size_t other)
{
	struct stamp floor = floor_of(w->r[other].state), s;

	for (size_t i = 0; i < w->n_ids; i++) {
		const struct identity *id = &w->ids[i];
		uint64_t seq = state_vector(w->r[me].state, slice(id->name));

		for (; seq < state_vector(w->r[other].state, slice(id->name)); seq++) {
			s = id->v[seq].stamp;
			s.node = slice(id->name);
			if (id->v[seq].patch && stamp_cmp(&s, &floor) <= 0)
				return true;
		}
	}
	return false;
}

/* me needs what other has: messages, or a snapshot when they are no longer kept. */
static void
ask(struct world *w, size_t me, size_t other, enum state_need need)
{
	struct sending s = {w, other, me};
	struct stamp id;

	if (!w->r[other].here || (need == STATE_NOTHING && roll(60)))
		return;
	if (need == STATE_SNAPSHOT && w->stable)
		fail(w, "a known node that lost nothing needs a snapshot");
	if (need != STATE_MESSAGES || roll(8) == 0 || is_trimmed(w, me, other)) {
		id = tick(w, &w->r[other]);
		state_snapshot(w->r[other].state, &id, CHUNK + roll(4000), send_chunk, &s);
		did.snapshots++;
		return;
	}
	for (size_t i = 0; i < w->n_ids; i++) {
		struct slice name = slice(w->ids[i].name);
		uint64_t last = state_vector(w->r[other].state, name);

		for (uint64_t seq = state_vector(w->r[me].state, name) + 1; seq <= last; seq++)
			post(w, other, me, (struct parcel){i, seq, false, NULL});
	}
}

static void
hear_head(struct world *w, size_t me, size_t other, size_t identity, struct slice head)
{
	struct replica *r = &w->r[me];
	enum state_need need = STATE_NOTHING;
	struct stamp clock = {0};

	if (state_head_clock(head, &clock, NULL) != 0)
		fail(w, "a head has no clock");
	if (clock_receive(&r->clock, &clock, clock_of(w, r), NULL) != 0)
		return;
	if (state_heard(r->state, slice(w->ids[identity].name), UINT64_MAX, head, &need, NULL) != 0)
		fail(w, "a head is refused");
	ask(w, me, other, need);
}

static void
hear_chunk(struct world *w, size_t me, struct slice chunk)
{
	struct replica *r = &w->r[me];
	struct stamp newest;
	struct slice id;
	int rc;

	if (!json_get(chunk, "snapshot", &id))
		fail(w, "a chunk has no id");
	if (r->fresh_id == NULL || !slice_is(id, r->fresh_id)) {
		state_free(r->fresh);
		free(r->fresh_id);
		r->fresh = state_new(NULL);
		r->fresh_id = xstrndup(id.ptr, id.len);
	}
	rc = state_load(r->fresh, chunk, NULL);
	if (rc < 0)
		fail(w, "a chunk is refused");
	if (rc <= 0)
		return;
	newest = state_newest(r->fresh);
	if (clock_receive(&r->clock, &newest, clock_of(w, r), NULL) == 0) {
		if (state_join(r->state, r->fresh, NULL) != 0)
			fail(w, "a snapshot cannot be joined");
		renew(w, me);
	}
	state_free(r->fresh);
	free(r->fresh_id);
	r->fresh = NULL;
	r->fresh_id = NULL;
}

static void
arrive(struct world *w, size_t from, size_t to, struct parcel *p, bool later)
{
	if (!w->r[to].here)
		return;
	if (p->chunk)
		hear_chunk(w, to, slice(p->text));
	else if (p->text)
		hear_head(w, to, from, p->identity, slice(p->text));
	else
		merge(w, to, p->identity, p->seq, later);
	renew(w, to);
}

static void
drop_saved(struct replica *r)
{
	for (size_t i = 0; i < r->n_saved; i++)
		free(r->saved[i]);
	r->n_saved = 0;
}

static void
save_chunk(struct slice json, void *closure)
{
	struct replica *r = closure;

	r->saved = xgrow(r->saved, r->n_saved, &r->cap_saved, sizeof(*r->saved));
	r->saved[r->n_saved++] = xstrndup(json.ptr, json.len);
}

static void
save(struct world *w, struct replica *r)
{
	struct stamp id = tick(w, r);

	drop_saved(r);
	state_snapshot(r->state, &id, CHUNK, save_chunk, r);
}

/* All in memory is lost; what is on disk is the snapshot, the outboxes and the clock's bound. */
static void
crash(struct world *w, size_t me)
{
	struct replica *r = &w->r[me];
	int rc = 1;

	state_free(r->state);
	state_free(r->fresh);
	free(r->fresh_id);
	r->fresh = NULL;
	r->fresh_id = NULL;
	r->state = state_new(NULL);
	for (size_t i = 0; i < r->n_saved; i++) /* the order must not matter */
		rc = state_load(r->state, slice(r->saved[r->n_saved - 1 - i]), NULL);
	if (rc != 1)
		fail(w, "a state does not come back");
	clock_start(&r->clock, r->bound, clock_of(w, r));
	if (state_self(r->state, slice(w->ids[r->self].name), NULL) != 0)
		fail(w, "an identity is refused");
	for (size_t i = 0; i < w->n_ids; i++)
		if (w->ids[i].owner == me)
			for (uint64_t seq = state_vector(r->state, slice(w->ids[i].name)) + 1;
			    seq <= w->ids[i].n; seq++)
				merge(w, me, i, seq, false);
	renew(w, me);
}

static void
enter(struct world *w, size_t me)
{
	struct replica *r = &w->r[me];

	r->here = true;
	r->state = state_new(NULL);
	r->skew = (int64_t)roll(40000) - 20000;
	r->quiet = roll(3) == 0;
	clock_start(&r->clock, 0, clock_of(w, r));
	new_identity(w, me);
}

static void
collect(struct world *w, struct replica *r)
{
	struct stamp clock = tick(w, r), horizon;
	struct buf head = {0};
	size_t before;

	state_head(r->state, &clock, &head);
	buf_free(&head);
	if (!state_horizon(r->state, &horizon))
		return;
	before = state_registers(r->state);
	if (state_collect(r->state, &horizon, NULL) != 0)
		fail(w, "a horizon is refused");
	did.collections++;
	did.tombstones += before - state_registers(r->state);
}

/* Others want the places of who has written nothing: all that can be given back is. */
static void
squeeze(struct replica *r)
{
	size_t most = r->state->limit.max_nodes;

	r->state->limit.max_nodes = r->state->n - 1 - r->state->vacant;
	while (state_room(r->state, 1, true, NULL) == 0) {
		r->state->limit.max_nodes--;
		did.places++;
	}
	r->state->limit.max_nodes = most;
}

static void
world_free(struct world *w)
{
	for (size_t i = 0; i < w->n; i++) {
		state_free(w->r[i].state);
		state_free(w->r[i].fresh);
		free(w->r[i].fresh_id);
		drop_saved(&w->r[i]);
		free(w->r[i].saved);
		for (size_t k = 0; k < w->n; k++) {
			for (size_t p = 0; p < w->queue[i][k].n; p++)
				free(w->queue[i][k].v[p].text);
			free(w->queue[i][k].v);
		}
	}
	for (size_t i = 0; i < w->n_ids; i++) {
		for (size_t k = 0; k < w->ids[i].n; k++)
			free(w->ids[i].v[k].patch);
		free(w->ids[i].v);
	}
	free(w->ids);
}

#endif
