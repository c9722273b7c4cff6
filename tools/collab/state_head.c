/*
 * Heads: what a node has merged and promises, and what follows for the floor.
 *
 * A head promises that its node's later patches are stamped above its clock.
 * Once we have merged what its vector names, we have everything at or below
 * that clock that this node had or will write: its clock is covered. The
 * smallest covered clock of all known nodes is what we have passed; the
 * smallest passed of all is the horizon.
 */
#include "tools/collab/state_part.h"

#include <inttypes.h>
#include <stdlib.h>

static bool
is_known(const struct state *s, uint32_t i)
{
	const struct node *n = &s->nodes[i];

	return i != s->self && !n->closed && !n->forgotten && (n->heard || n->seq);
}

/* Closed nodes write their patches anew: nobody waits for the old ones. */
static bool
is_covered(const struct state *s, const struct pending *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct node *n = &s->nodes[p->v[i].node];

		if (!n->closed && n->seq < p->v[i].seq)
			return false;
	}
	return true;
}

static void
promote(struct state *s, struct node *n)
{
	if (n->pending && is_covered(s, n->pending)) {
		n->covered = mark_max(s, n->covered, n->pending->clock);
		free(n->pending);
		n->pending = NULL;
	}
}

static void
recompute_passed(struct state *s, const struct stamp *clock)
{
	struct mark least = {clock->l, clock->c, s->self};

	for (uint32_t i = 1; i < s->n; i++) {
		struct node *n = &s->nodes[i];

		promote(s, n);
		if (is_known(s, i) && mark_cmp(s, n->covered, least) < 0)
			least = n->covered;
	}
	s->passed = mark_max(s, s->passed, least);
}

static void
put_mark(struct buf *out, const char *name, const struct state *s, struct mark m)
{
	struct stamp stamp = mark_stamp(s, m);

	json_name(out, name);
	stamp_put(out, &stamp, true);
}

void
state_head(struct state *s, const struct stamp *clock, struct buf *out)
{
	recompute_passed(s, clock);
	json_open(out, '{');
	json_add_long(out, "head", 1);
	json_name(out, "clock");
	stamp_put(out, clock, false);
	put_mark(out, "floor", s, s->floor);
	put_mark(out, "passed", s, s->passed);
	buf_addf(out, ",\"digest\":\"%016" PRIx64 "\"", state_digest(s));
	json_name(out, "vector");
	json_open(out, '{');
	for (uint32_t i = 1; i < s->n; i++) {
		const struct node *n = &s->nodes[i];

		if (n->seq == 0 && !n->closed)
			continue;
		json_name_slice(out, n->id);
		json_open(out, '[');
		json_put_long(out, (long long)n->seq);
		json_put_long(out, n->last.l);
		json_put_long(out, n->last.c);
		if (n->closed)
			json_put(out, S("closed"));
		json_close(out, ']');
	}
	json_close(out, '}');
	json_close(out, '}');
}

/* The members of a head, raw; len 0: missing. */
struct parts {
	struct slice head, clock, floor, passed, digest, vector;
};

/* One walk: a vector is long. */
static int
read_parts(struct slice head, struct parts *p, struct err *e)
{
	struct json_walk w = json_walk(head);
	struct slice name, value;

	*p = (struct parts){0};
	while (json_type(head) == JSON_OBJECT && json_member(&w, &name, &value))
		if (slice_is(name, "\"head\""))
			p->head = value;
		else if (slice_is(name, "\"clock\""))
			p->clock = value;
		else if (slice_is(name, "\"floor\""))
			p->floor = value;
		else if (slice_is(name, "\"passed\""))
			p->passed = value;
		else if (slice_is(name, "\"digest\""))
			p->digest = value;
		else if (slice_is(name, "\"vector\""))
			p->vector = value;
	if (!slice_is(p->head, "1") || p->clock.len == 0 || p->floor.len == 0 ||
	    p->passed.len == 0 || p->digest.len != 18 || p->vector.len == 0 ||
	    json_type(p->vector) != JSON_OBJECT)
		return err_set(e, "bad_head", "this is no head of a shared state");
	return 0;
}

int
state_head_clock(struct slice head, struct stamp *clock, struct err *e)
{
	struct parts p;

	if (read_parts(head, &p, e) != 0)
		return -1;
	return stamp_get(p.clock, clock, NULL, e);
}

/* A head, read and compared with what we have: nothing is noted before all of it was read. */
struct reading {
	const struct state *s;
	struct slice id; /* who says it, and its number; 0: it is new */
	uint32_t from;
	uint64_t most, behind; /* its own last number: at most; that has passed what is here */
	struct stamp clock, floor, passed;
	struct buf floor_node, passed_node;
	uint64_t digest;
	struct pending *vector; /* what is missing here */
	size_t matching; /* nodes of which we have exactly the same */
	bool closed;	 /* a node is closed there that is not so here */
	bool more;	 /* messages are merged there that are not here */
	bool hearsay;	 /* some of them of nodes that are not known here */
};

static bool
lacks(const struct state *s, uint32_t node, uint64_t seq, bool wrote)
{
	const struct node *n = &s->nodes[node];

	return !n->closed && n->seq < seq && (node || wrote || state_has_room(s));
}

bool
state_lacks(const struct state *s, struct slice node, uint64_t seq, bool wrote)
{
	return lacks(s, state_find(s, node), seq, wrote);
}

/* Of who has written nothing, nothing at or below a clock is missing. */
static void
note_missing(struct reading *r, uint32_t node, uint64_t seq, bool wrote)
{
	struct pending *p = r->vector;

	if (!wrote || r->s->nodes[node].closed)
		return;
	if (node == 0 || p->n == r->s->n) {
		r->hearsay = true;
		return;
	}
	p->v[p->n].node = node;
	p->v[p->n++].seq = seq;
}

/* A row of the vector. */
struct seen {
	long long seq, l, c;
	bool closed;
};

/* [seq,l,c] or [seq,l,c,"closed"] */
static bool
read_row(struct slice value, struct seen *row)
{
	struct json_walk w = json_walk(value);
	struct slice seq, l, c, text;

	if (!json_element(&w, &seq) || !json_element(&w, &l) || !json_element(&w, &c))
		return false;
	row->closed = json_element(&w, &text) && json_is(text, "closed");
	return json_long(seq, &row->seq) && row->seq >= 0 && json_long(l, &row->l) &&
	    json_long(c, &row->c);
}

static int
read_seen(struct reading *r, struct slice id, struct slice value, struct err *e)
{
	uint32_t node = state_find(r->s, id);
	const struct node *mine = &r->s->nodes[node];
	uint64_t has = mine->seq, seq;
	struct seen row;

	if (!read_row(value, &row) || !node_valid(id))
		return err_set(e, "bad_head", "a head's vector is damaged");
	seq = (uint64_t)row.seq;
	/* It wrote no patch since the last one of it that is here: its other messages are no loss. */
	if (node && node == r->from && !row.closed && !mine->closed && mine->last.l == row.l &&
	    mine->last.c == row.c && has < seq && seq < r->most)
		has = r->behind = seq;
	if (row.closed && (!mine->closed || has > seq))
		r->closed = true;
	if (!row.closed && has < seq) {
		r->more |= lacks(r->s, node, seq, row.l != 0);
		note_missing(r, node, seq, row.l != 0);
	}
	if (mine->closed == row.closed && has == seq)
		r->matching++;
	return 0;
}

static int
read_vector(struct reading *r, struct slice vector, struct err *e)
{
	struct members m = {0};
	int rc = 0;

	members_push(&m, vector);
	r->vector = xmalloc(sizeof(*r->vector) + r->s->n * sizeof(*r->vector->v));
	r->vector->n = 0;
	for (size_t i = 0; i < m.n && rc == 0; i++)
		rc = read_seen(r, m.v[i].name, m.v[i].value, e);
	if (r->matching != m.n)
		r->matching = 0;
	members_free(&m);
	return rc;
}

/* 16 hex digits in quotes. */
static int
read_digest(struct slice text, uint64_t *digest, struct err *e)
{
	char digits[17] = {0};

	memcpy(digits, text.ptr + 1, 16);
	if (strspn(digits, "0123456789abcdef") != 16)
		return err_set(e, "bad_head", "a head's digest is damaged");
	*digest = strtoull(digits, NULL, 16);
	return 0;
}

static bool
is_above(const struct state *s, const struct stamp *a, struct mark b)
{
	if (a->l != b.l)
		return a->l > b.l;
	if (a->c != b.c)
		return a->c > b.c;
	return slice_cmp(a->node, s->nodes[b.node].id) > 0;
}

static enum state_need
needed(struct state *s, const struct reading *r)
{
	bool same, higher = is_above(s, &r->floor, s->floor);
	size_t mine = 0;

	for (size_t i = 1; i < s->n; i++)
		mine += s->nodes[i].seq || s->nodes[i].closed;
	if (r->closed)
		return STATE_SNAPSHOT;
	/* They have collected what we may still hold: nobody waited for us. */
	if (higher && is_above(s, &r->floor, s->passed))
		return STATE_SNAPSHOT;
	if (r->more)
		return mine ? STATE_MESSAGES : STATE_SNAPSHOT;
	same = r->matching == mine && mark_cmp(s, s->nodes[r->from].floor, s->floor) == 0;
	return same && r->digest != state_digest(s) ? STATE_SNAPSHOT : STATE_NOTHING;
}

static int
read_head(struct reading *r, struct slice head, struct err *e)
{
	struct parts p;

	if (!node_valid(r->id))
		return err_set(e, "bad_stamp", "a head is of no node");
	if (read_parts(head, &p, e) != 0 || stamp_get(p.clock, &r->clock, NULL, e) != 0 ||
	    stamp_get(p.floor, &r->floor, &r->floor_node, e) != 0 ||
	    stamp_get(p.passed, &r->passed, &r->passed_node, e) != 0 ||
	    read_digest(p.digest, &r->digest, e) != 0)
		return -1;
	return read_vector(r, p.vector, e);
}

/* Whose floor and passed they are is known, too, where there is room: else they are not noted. */
static struct mark
place_stamp(struct state *s, const struct stamp *stamp)
{
	struct mark m = {0};

	if (state_find(s, stamp->node) || state_has_room(s))
		state_mark(s, stamp, &m, NULL);
	return m;
}

/* From now on who says it is known. */
static int
place(struct state *s, struct reading *r, struct err *e)
{
	uint32_t floor = state_find(s, r->floor.node), passed = state_find(s, r->passed.node);
	size_t new = 0;
	int rc;

	s->nodes[r->from].needed = s->nodes[floor].needed = s->nodes[passed].needed = true;
	for (size_t i = 0; i < r->vector->n; i++)
		s->nodes[r->vector->v[i].node].needed = true;
	new += r->from == 0;
	new += r->floor.l && floor == 0 && !slice_eq(r->floor.node, r->id);
	new += r->passed.l && passed == 0 && !slice_eq(r->passed.node, r->id) &&
	    !slice_eq(r->passed.node, r->floor.node);
	rc = state_room(s, new, true, e);
	if (rc != 0)
		rc = state_room(s, r->from == 0, true, e);
	for (size_t i = 0; i < s->n; i++)
		s->nodes[i].needed = false;
	if (rc != 0)
		return -1;
	r->from = state_node(s, r->id, e);
	return 0;
}

static void
note_clock(struct state *s, struct reading *r)
{
	struct node *n = &s->nodes[r->from];
	struct pending *p = r->vector;

	promote(s, n);
	/* An older one that is not covered stays: else a busy node's never would be. */
	if (n->pending || r->hearsay)
		return;
	p->clock = (struct mark){r->clock.l, r->clock.c, r->from};
	n->pending = xrealloc(p, sizeof(*p) + p->n * sizeof(*p->v));
	r->vector = NULL;
	promote(s, n);
}

int
state_heard(struct state *s, struct slice from, uint64_t seq, struct slice head,
    enum state_need *need, struct err *e)
{
	struct reading r = {.s = s, .id = from, .from = state_find(s, from), .most = seq};
	int rc = read_head(&r, head, e);

	if (rc == 0)
		rc = place(s, &r, e);
	if (rc == 0) {
		struct mark floor = place_stamp(s, &r.floor), passed = place_stamp(s, &r.passed);
		struct node *n = &s->nodes[r.from];

		if (r.behind > n->seq)
			n->seq = r.behind;
		n->heard = true;
		n->forgotten = false;
		n->passed = passed;
		n->floor = floor;
		note_clock(s, &r);
		*need = needed(s, &r);
	}
	free(r.vector);
	buf_free(&r.floor_node);
	buf_free(&r.passed_node);
	return rc;
}

void
state_forget(struct state *s, struct slice node)
{
	struct node *n = &s->nodes[state_find(s, node)];

	if (n != s->nodes)
		n->forgotten = true;
}

bool
state_horizon(const struct state *s, struct stamp *stamp)
{
	struct mark least = s->passed, floor = s->floor;
	bool all = true, any = false;

	for (uint32_t i = 1; i < s->n; i++) {
		const struct node *n = &s->nodes[i];

		if (n->heard && mark_cmp(s, n->floor, s->passed) <= 0)
			floor = mark_max(s, floor, n->floor);
		if (!is_known(s, i))
			continue;
		if (!n->heard)
			all = false;
		else if (mark_cmp(s, n->passed, least) < 0)
			least = n->passed;
		any = true;
	}
	/* Who knows nobody may be new: there are others, who know what it does not. */
	if (all && any)
		floor = mark_max(s, floor, least);
	*stamp = mark_stamp(s, floor);
	return mark_cmp(s, floor, s->floor) > 0;
}
