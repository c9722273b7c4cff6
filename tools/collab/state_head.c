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

/* A head, read and compared with what we have. */
struct reading {
	struct state *s;
	uint32_t from;
	uint64_t most, behind; /* its own last number: at most; that has passed what is here */
	struct mark floor, passed;
	uint64_t digest;
	struct pending *vector;
	size_t matching; /* nodes of which we have exactly the same */
	bool closed;	 /* a node is closed there that is not so here */
	bool more;	 /* messages are merged there that are not here */
};

static int
read_mark(struct state *s, struct slice text, struct mark *m, struct err *e)
{
	struct buf node = {0};
	struct stamp stamp;
	int rc = stamp_get(text, &stamp, &node, e);

	if (rc == 0)
		rc = state_mark(s, &stamp, m, e);
	buf_free(&node);
	return rc;
}

/* "NODE":[seq,l,c] or [seq,l,c,"closed"] */
static int
read_seen(struct reading *r, struct slice id, struct slice value, struct err *e)
{
	struct json_walk w = json_walk(value);
	struct slice text;
	long long seq, l, c;
	const struct node *mine;
	uint32_t node;
	uint64_t has;
	bool closed;

	if (!json_element(&w, &text) || !json_long(text, &seq) || seq < 0 ||
	    !json_element(&w, &text) || !json_long(text, &l) || !json_element(&w, &text) ||
	    !json_long(text, &c))
		return err_set(e, "bad_head", "a head's vector is damaged");
	closed = json_element(&w, &text) && json_is(text, "closed");
	node = state_node(r->s, id, e);
	if (node == 0)
		return -1;
	mine = &r->s->nodes[node];
	has = mine->seq;
	/* It wrote no patch since the last one of it that is here: its other messages are no loss. */
	if (node == r->from && !closed && !mine->closed && mine->last.l == l && mine->last.c == c &&
	    has < (uint64_t)seq && (uint64_t)seq < r->most)
		has = r->behind = (uint64_t)seq;
	if (closed && (!mine->closed || has > (uint64_t)seq))
		r->closed = true;
	else if (!closed && !mine->closed && has < (uint64_t)seq)
		r->more = true;
	if (mine->closed == closed && has == (uint64_t)seq)
		r->matching++;
	if (!closed) {
		r->vector->v[r->vector->n].node = node;
		r->vector->v[r->vector->n++].seq = (uint64_t)seq;
	}
	return 0;
}

static int
read_vector(struct reading *r, struct slice vector, struct err *e)
{
	struct members m = {0};
	int rc = 0;

	members_push(&m, vector);
	r->vector = xmalloc(sizeof(*r->vector) + m.n * sizeof(*r->vector->v));
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

static enum state_need
needed(const struct reading *r)
{
	struct state *s = r->s;
	size_t mine = 0;
	bool same;

	for (size_t i = 1; i < s->n; i++)
		mine += s->nodes[i].seq || s->nodes[i].closed;
	if (r->closed)
		return STATE_SNAPSHOT;
	/* They have collected what we may still hold: nobody waited for us. */
	if (mark_cmp(s, r->floor, s->floor) > 0 && mark_cmp(s, r->floor, s->passed) > 0)
		return STATE_SNAPSHOT;
	if (r->more)
		return mine ? STATE_MESSAGES : STATE_SNAPSHOT;
	same = r->matching == mine && mark_cmp(s, r->floor, s->floor) == 0;
	return same && r->digest != state_digest(s) ? STATE_SNAPSHOT : STATE_NOTHING;
}

int
state_heard(struct state *s, struct slice from, uint64_t seq, struct slice head,
    enum state_need *need, struct err *e)
{
	struct reading r = {.s = s, .from = state_find(s, from), .most = seq};
	uint32_t number = 0;
	struct stamp clock;
	struct parts p;
	struct node *n;

	if (read_parts(head, &p, e) != 0 || stamp_get(p.clock, &clock, NULL, e) != 0 ||
	    read_mark(s, p.floor, &r.floor, e) != 0 || read_mark(s, p.passed, &r.passed, e) != 0 ||
	    read_digest(p.digest, &r.digest, e) != 0 || read_vector(&r, p.vector, e) != 0 ||
	    (number = state_node(s, from, e)) == 0) {
		free(r.vector);
		return -1;
	}
	n = &s->nodes[number];
	if (r.behind > n->seq)
		n->seq = r.behind;
	n->heard = true;
	n->forgotten = false;
	n->passed = r.passed;
	n->floor = r.floor;
	promote(s, n);
	r.vector->clock = (struct mark){clock.l, clock.c, number};
	/* An older one that is not covered stays: else a busy node's never would be. */
	if (n->pending)
		free(r.vector);
	else
		n->pending = r.vector;
	promote(s, n);
	*need = needed(&r);
	return 0;
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
