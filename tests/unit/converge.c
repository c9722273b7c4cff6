/*
 * converge: the shared state's reason to be. Random histories of 3 to 10
 * replicas with virtual clocks and a virtual network: edits, reordering,
 * duplicates, loss, cuts, crashes, skewed and stepping clocks, newcomers,
 * collected tombstones, forgotten nodes. In the end every replica holds the
 * same bytes, and they are those of the oracle: all patches in the order of
 * their stamps, applied by RFC 7396.
 *
 * A history is a list of operations, each of which means something whatever
 * stands before it, so a failing one is shrunk by leaving operations out. The
 * replicas do what state.h tells a node to do, and nothing else.
 */
#include "common/mem.h"
#include "tools/collab/patch.h"
#include "tools/collab/state.h"

#include "tests/unit/check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

/* In all, over all histories. ASan is about 20 times slower. */
#ifndef OPERATIONS
#if defined(__SANITIZE_ADDRESS__)
#define OPERATIONS 60000
#else
#define OPERATIONS 1050000
#endif
#endif

enum { MAX_REPLICAS = 10, LINE = 64, HISTORY = 900, CHUNK = 400 };

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

enum kind { EDIT, OTHER, DELIVER, HEAD, CUT, MEND, SAVE, CRASH, SKEW, COLLECT, MEET, FORGET, ENTER, KINDS };

static const char *const kind_names[] = {"edit", "other", "deliver", "head", "cut", "mend", "save",
    "crash", "skew", "collect", "meet", "forget", "enter"};
/* How often each comes, of 1000. */
static const uint32_t kind_weights[] = {335, 20, 505, 14, 12, 18, 20, 10, 10, 25, 16, 5, 10};

struct op {
	enum kind kind;
	uint64_t seed;
};

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
	    gaps, behind;
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
	struct stamp floor = state_floor(w->r[other].state), s;

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
	if (state_heard(r->state, slice(w->ids[identity].name), head, &need, NULL) != 0)
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

/* ---- operations ---- */

static void
put_value(struct buf *out, int depth)
{
	static const char *const leaves[] = {"null", "null", "null", "{}", "[]", "[1,{\"x\": null}]",
	    "1.10", "\"\\u00e9\"", "true"};
	static const char *const names[] = {"a", "b", "c", "\\u0061", "~/"};
	uint32_t n;

	if (depth > 0 && roll(5) < 3) {
		buf_addc(out, '{');
		n = roll(3) + (depth == 3);
		for (uint32_t i = 0; i < n; i++) {
			if (i)
				buf_addc(out, ',');
			buf_addf(out, " \"%s\":", names[roll(roll(4) ? 3 : 5)]);
			put_value(out, depth - 1);
		}
		buf_addc(out, '}');
	} else if (roll(2)) {
		buf_adds(out, leaves[roll(sizeof(leaves) / sizeof(*leaves))]);
	} else {
		buf_addf(out, "%u", roll(100));
	}
}

static void
edit(struct world *w, size_t me)
{
	struct buf patch = {0};

	put_value(&patch, 3);
	/* As a whole a leaf is rare: it deletes all that there is. */
	if (json_type(buf_slice(&patch)) != JSON_OBJECT && roll(20)) {
		struct buf inner = patch;

		patch = (struct buf){0};
		buf_addf(&patch, "{\"%c\":%s}", "abc"[roll(3)], inner.ptr);
		buf_free(&inner);
	}
	publish(w, me, patch.ptr);
	did.edits++;
	buf_free(&patch);
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
	clock_start(&r->clock, 0, clock_of(w, r));
	new_identity(w, me);
}

static void
collect(struct world *w, struct replica *r)
{
	struct stamp clock = tick(w, r), horizon;
	size_t before;

	state_passed(r->state, &clock);
	if (!state_horizon(r->state, &horizon))
		return;
	before = state_registers(r->state);
	if (state_collect(r->state, &horizon, NULL) != 0)
		fail(w, "a horizon is refused");
	did.collections++;
	did.tombstones += before - state_registers(r->state);
}

static void
deliver(struct world *w, size_t from, size_t to)
{
	struct queue *q = &w->queue[from][to];
	struct parcel p;
	size_t at;

	if (q->n == 0 || w->cut[from][to])
		return;
	at = roll(3) ? 0 : roll((uint32_t)q->n);
	p = q->v[at];
	if (roll(12) == 0) { /* it comes once more, later */
		if (p.text)
			p.text = xstrdup(p.text);
	} else {
		memmove(q->v + at, q->v + at + 1, (--q->n - at) * sizeof(*q->v));
	}
	if (roll(12)) /* else it is lost */
		arrive(w, from, to, &p, true);
	free(p.text);
}

static void
drain(struct world *w, size_t from, size_t to)
{
	struct queue *q = &w->queue[from][to];

	for (size_t i = 0; i < q->n; i++) {
		struct parcel p = q->v[i]; /* arrive may move the queue */

		arrive(w, from, to, &p, false);
		free(p.text);
	}
	q->n = 0;
}

/* All of a group hear each other's heads, and what follows from them; sloppy: perhaps. */
static void
meet(struct world *w, const bool *group, bool sloppy)
{
	for (size_t a = 0; a < w->n; a++)
		for (size_t b = 0; b < w->n; b++)
			if (a != b && group[a] && group[b])
				send_head(w, a, b);
	for (int i = 0; i < 2; i++)
		for (size_t a = 0; a < w->n; a++)
			for (size_t b = 0; b < w->n; b++) {
				if (a == b || !group[a] || !group[b])
					continue;
				if (!sloppy)
					drain(w, a, b);
				for (size_t k = w->queue[a][b].n; k > 0; k--)
					deliver(w, a, b);
			}
}

/*
 * Some meet and collect tombstones; in a changing world they may have given
 * up on all others.
 */
static void
meet_some(struct world *w, size_t first)
{
	bool group[MAX_REPLICAS] = {false}, alone = !w->stable && roll(2), sloppy = roll(2);
	size_t before = did.tombstones;

	for (size_t i = 0; i < w->n; i++)
		group[i] = w->r[i].here && (i == first || (!w->cut[first][i] && roll(8)));
	for (int round = 0; round < 3; round++) {
		meet(w, group, sloppy);
		for (size_t i = 0; i < w->n; i++)
			for (size_t k = 0; group[i] && alone && k < w->n_ids; k++)
				if (!group[w->ids[k].owner]) {
					state_forget(w->r[i].state, slice(w->ids[k].name));
					did.forgotten++;
				}
	}
	for (size_t i = 0; i < w->n; i++)
		if (group[i] && roll(2))
			collect(w, &w->r[i]);
	did.early += did.tombstones - before;
}

static void
perform(struct world *w, const struct op *op)
{
	size_t a, b;

	dice = op->seed;
	a = roll((uint32_t)w->n);
	b = (a + 1 + roll((uint32_t)w->n - 1)) % w->n;
	w->now += roll(50);
	did.operations++;
	if (op->kind == ENTER) {
		if (!w->r[a].here)
			enter(w, a);
		return;
	}
	if (!w->r[a].here)
		return;
	switch (op->kind) {
	case EDIT:
		edit(w, a);
		break;
	case OTHER:
		publish(w, a, NULL);
		break;
	case DELIVER:
		for (int i = 0; i < 3; i++)
			deliver(w, roll((uint32_t)w->n), a);
		break;
	case HEAD:
		for (size_t to = 0; to < w->n; to++)
			if (to != a && w->r[to].here && !w->cut[a][to])
				send_head(w, a, to);
		break;
	case CUT:
		w->cut[a][b] = w->cut[b][a] = true;
		break;
	case MEND:
		w->cut[a][b] = w->cut[b][a] = false;
		break;
	case SAVE:
		save(w, &w->r[a]);
		break;
	case CRASH:
		if (w->stable) /* who comes back as he was is still known */
			save(w, &w->r[a]);
		crash(w, a);
		break;
	case SKEW:
		w->r[a].skew = (int64_t)roll(40000) - 20000;
		break;
	case COLLECT:
		collect(w, &w->r[a]);
		break;
	case MEET:
		meet_some(w, a);
		break;
	case FORGET:
		if (w->stable)
			break;
		state_forget(w->r[a].state, slice(w->ids[roll((uint32_t)w->n_ids)].name));
		did.forgotten++;
		break;
	default:
		break;
	}
}

/* ---- the end of a history ---- */

/* Whether all have merged the same. */
static bool
is_settled(struct world *w)
{
	struct replica *first = NULL;

	for (size_t i = 0; i < w->n; i++) {
		struct replica *r = &w->r[i];

		if (!r->here)
			continue;
		if (first == NULL)
			first = r;
		for (size_t k = 0; k < w->n_ids; k++)
			if (state_vector(r->state, slice(w->ids[k].name)) !=
			    state_vector(first->state, slice(w->ids[k].name)))
				return false;
		if (state_digest(r->state) != state_digest(first->state))
			return false;
	}
	return true;
}

/* Heads go round until all have the same. */
static void
settle(struct world *w)
{
	bool here[MAX_REPLICAS];

	memset(w->cut, 0, sizeof(w->cut));
	for (size_t i = 0; i < w->n; i++)
		here[i] = w->r[i].here;
	for (int round = 0; round < 40; round++) {
		w->now += 1000;
		meet(w, here, false);
		for (size_t a = 0; a < w->n; a++)
			if (w->r[a].here)
				collect(w, &w->r[a]);
		if (round && is_settled(w))
			return;
	}
	fail(w, "the replicas do not settle");
}

struct patched {
	struct stamp stamp;
	const char *patch;
};

static int
by_stamp(const void *a, const void *b)
{
	const struct patched *x = a, *y = b;

	return stamp_cmp(&x->stamp, &y->stamp);
}

/* All patches in the order of their stamps. */
static void
oracle(const struct world *w, struct buf *document)
{
	struct patched *v = NULL;
	struct buf next = {0};
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < w->n_ids; i++)
		for (size_t k = 0; k < w->ids[i].n; k++)
			if (w->ids[i].v[k].patch) {
				v = xgrow(v, n, &cap, sizeof(*v));
				v[n].stamp = w->ids[i].v[k].stamp;
				v[n].stamp.node = slice(w->ids[i].name);
				v[n++].patch = w->ids[i].v[k].patch;
			}
	if (n)
		qsort(v, n, sizeof(*v), by_stamp);
	buf_reset(document);
	buf_adds(document, "{}");
	for (size_t i = 0; i < n; i++) {
		struct buf swap = *document;

		buf_reset(&next);
		patch_apply(buf_slice(document), slice(v[i].patch), &next);
		*document = next;
		next = swap;
	}
	if (slice_is(buf_slice(document), "null")) {
		buf_reset(document);
		buf_adds(document, "{}");
	}
	buf_free(&next);
	free(v);
}

static void
compare(struct world *w)
{
	struct buf want = {0}, got = {0};

	oracle(w, &want);
	for (size_t i = 0; i < w->n; i++) {
		if (!w->r[i].here)
			continue;
		buf_reset(&got);
		state_read(w->r[i].state, &got);
		if (!slice_eq(buf_slice(&got), buf_slice(&want))) {
			if (w->fault == NULL && getenv("KANDIL_TEST_VERBOSE"))
				fprintf(stderr, "replica %zu: %s\noracle: %s\n", i, got.ptr, want.ptr);
			fail(w, "a replica differs from the oracle");
		}
	}
	buf_free(&want);
	buf_free(&got);
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

/* Everybody has heard of everybody, and remembers it. */
static void
introduce(struct world *w)
{
	for (size_t i = 0; i < w->n; i++)
		publish(w, i, NULL);
	settle(w);
	for (size_t i = 0; i < w->n; i++)
		save(w, &w->r[i]);
}

/* What goes wrong in a history, NULL: nothing. */
static const char *
run(const struct op *ops, size_t n, size_t replicas, bool stable)
{
	static struct world w;

	w = (struct world){.n = replicas, .now = 1700000000000, .stable = stable};
	dice = 1;
	for (size_t i = 0; i < (stable ? replicas : (replicas + 1) / 2); i++)
		enter(&w, i);
	if (stable)
		introduce(&w);
	for (size_t i = 0; i < n && w.fault == NULL; i++)
		perform(&w, &ops[i]);
	dice = 1;
	if (w.fault == NULL)
		settle(&w);
	if (w.fault == NULL)
		compare(&w);
	world_free(&w);
	return w.fault;
}

/* Leaves out what is not needed for the fault: halves, quarters, …, single operations. */
static size_t
shrink(struct op *ops, size_t n, size_t replicas, bool stable)
{
	struct op *fewer = xreallocarray(NULL, n, sizeof(*ops));

	for (size_t size = n / 2; size > 0; size /= 2)
		for (size_t at = 0; at + size <= n; ) {
			memcpy(fewer, ops, at * sizeof(*ops));
			memcpy(fewer + at, ops + at + size, (n - at - size) * sizeof(*ops));
			if (run(fewer, n - size, replicas, stable)) {
				n -= size;
				memcpy(ops, fewer, n * sizeof(*ops));
			} else {
				at += size;
			}
		}
	free(fewer);
	return n;
}

static enum kind
roll_kind(void)
{
	uint32_t at = roll(1000), kind = 0;

	while (kind + 1 < KINDS && at >= kind_weights[kind])
		at -= kind_weights[kind++];
	return (enum kind)kind;
}

int
main(void)
{
	static struct op ops[HISTORY];
	const char *given = getenv("KANDIL_TEST_SEED"), *fault;
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL), next = seed;

	printf("KANDIL_TEST_SEED=%" PRIu64 "\n", seed);
	while (did.operations < OPERATIONS) {
		size_t replicas, n;
		bool stable;

		dice = next++ * 0x9E3779B97F4A7C15u | 1;
		roll(2);
		replicas = 3 + roll(MAX_REPLICAS - 2);
		stable = roll(2);
		n = 1 + roll(roll(2) ? HISTORY : 60);
		for (size_t i = 0; i < n; i++) {
			ops[i].kind = roll_kind();
			ops[i].seed = ((uint64_t)roll(UINT32_MAX) << 32 | roll(UINT32_MAX)) | 1;
		}
		fault = run(ops, n, replicas, stable);
		CHECK(fault == NULL);
		if (fault) {
			fprintf(stderr, "KANDIL_TEST_SEED=%" PRIu64 ": %s\n", next - 1, fault);
			n = shrink(ops, n, replicas, stable);
			fprintf(stderr, "%zu %s replicas, %zu operations are enough:\n", replicas,
			    stable ? "stable" : "changing", n);
			for (size_t i = 0; i < n; i++)
				fprintf(stderr, "\t%s %" PRIu64 "\n", kind_names[ops[i].kind],
				    ops[i].seed);
			setenv("KANDIL_TEST_VERBOSE", "1", 1);
			run(ops, n, replicas, stable);
			break;
		}
	}
	printf("%zu operations: %zu edits, %zu merges, %zu gaps, %zu snapshots, %zu collections, "
	       "%zu tombstones (%zu on the way), %zu forgotten, %zu behind the floor, %zu new identities\n", did.operations,
	    did.edits, did.merges, did.gaps, did.snapshots, did.collections, did.tombstones, did.early, did.forgotten,
	    did.behind, did.renewals);
	return check_done();
}
