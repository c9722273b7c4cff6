/*
 * Clearing away, collecting tombstones, and joining two whole states.
 */
#include "tools/collab/state_part.h"

#include <stdlib.h>

/* A register gives way: told, and gone. */
static void
give_way(struct state *s, const struct sweep *w, struct mark *reg)
{
	if (reg->l == 0 || mark_cmp(s, *reg, w->give_way) > 0)
		return;
	if (w->dropped)
		w->dropped(*reg, w->closure);
	slot_unset(s, reg);
}

/* Children first: what kills them must still stand. Whether nothing is left of e. */
static bool
sweep_slot(struct state *s, const struct sweep *w, struct slot *e, struct mark above)
{
	struct mark below = mark_max(s, above, e->replace);

	if (e->count) {
		struct slot **child = slot_children(e);
		size_t n = e->count;

		for (size_t i = 0; i < n; i++)
			if (sweep_slot(s, w, child[i], below))
				slot_drop_child(s, e, child[i]);
		free(child);
	}
	if (e->object.l && (mark_cmp(s, e->object, above) <= 0 ||
	    mark_cmp(s, e->object, e->replace) < 0))
		slot_unset(s, &e->object);
	if (e->replace.l && mark_cmp(s, e->replace, above) <= 0)
		slot_unset(s, &e->replace);
	if (e->replace.l && e->leaf == NULL && mark_cmp(s, e->replace, w->collect) <= 0)
		slot_collect(s, e);
	give_way(s, w, &e->replace);
	give_way(s, w, &e->object);
	if (e->replace.l == 0)
		slot_set_leaf(s, e, (struct slice){NULL, 0});
	return e->replace.l == 0 && e->object.l == 0 && e->count == 0;
}

void
state_sweep(struct state *s, const struct sweep *w)
{
	sweep_slot(s, w, &s->root, (struct mark){0});
}

int
state_collect(struct state *s, const struct stamp *horizon, struct err *e)
{
	struct mark m;

	if (state_mark(s, horizon, &m, e) != 0)
		return -1;
	if (mark_cmp(s, m, s->floor) > 0) {
		s->floor = m;
		s->digest_known = false;
		state_sweep(s, &(struct sweep){.collect = m});
	}
	return 0;
}

/* Two states; own is the one that changes. lost: by own's numbers, see judge. */
struct joining {
	struct state *own;
	const struct state *other;
	uint32_t *number; /* other's nodes in own */
	bool *lost;
	struct mark floor; /* of other, in own's numbers */
	int order;	   /* own's floor against it */
};

static struct mark
translate(const struct joining *j, struct mark m)
{
	m.node = j->number[m.node];
	return m;
}

/* What other knows of one of own's nodes. */
static struct node
counterpart(const struct joining *j, uint32_t node)
{
	uint32_t number = state_find(j->other, j->own->nodes[node].id);
	struct node n = j->other->nodes[number];

	n.last = translate(j, n.last);
	n.gone = translate(j, n.gone);
	return n;
}

/*
 * A register gives way: if the side with the higher floor has not seen the
 * patch that wrote it (a node's stamps grow), its writer has lost something.
 */
static void
judge(struct mark m, void *closure)
{
	struct joining *j = closure;
	struct mark seen = j->order < 0 ? counterpart(j, m.node).last : j->own->nodes[m.node].last;

	if (mark_cmp(j->own, m, seen) > 0)
		j->lost[m.node] = true;
}

/* The registers of other's slot f into own's e; those at or below a higher floor stay out. */
static void
join_slot(struct joining *j, struct slot *e, const struct slot *f, struct mark above)
{
	struct state *s = j->own;
	struct mark replace = translate(j, f->replace), object = translate(j, f->object);
	struct slice leaf = {f->leaf, f->leaf_len};
	struct slot **child;

	if (j->order > 0 && replace.l && mark_cmp(s, replace, s->floor) <= 0) {
		judge(replace, j);
		replace = (struct mark){0};
	}
	if (j->order > 0 && object.l && mark_cmp(s, object, s->floor) <= 0) {
		judge(object, j);
		object = (struct mark){0};
	}
	if (replace.l && mark_cmp(s, replace, above) > 0)
		slot_replace(s, e, replace, leaf);
	if (object.l && mark_cmp(s, object, above) > 0) {
		struct mark below = above;

		slot_object(s, e, object, &below);
	}
	if (f->count == 0)
		return;
	above = mark_max(s, above, e->replace);
	child = slot_children(f);
	for (size_t i = 0; i < f->count; i++)
		join_slot(j, slot_child(s, e, child[i]->name), child[i], above);
	free(child);
}

/* The same for the tombstones that the lower side has collected already. */
static void
judge_collected(struct joining *j)
{
	struct state *s = j->own;

	for (uint32_t i = 1; i < s->n; i++) {
		struct node mine = s->nodes[i], theirs = counterpart(j, i);

		if (j->order < 0 && mark_cmp(s, mine.gone, theirs.last) > 0)
			j->lost[i] = true;
		if (j->order > 0 && mark_cmp(s, theirs.gone, mine.last) > 0)
			j->lost[i] = true;
		s->nodes[i].gone = mark_max(s, mine.gone, theirs.gone);
	}
}

/* Open: the larger seq. Closed on a side, or by a loss: the lowest of those. */
static void
join_vector(struct joining *j)
{
	struct state *s = j->own;

	for (uint32_t i = 1; i < s->n; i++) {
		struct node *mine = &s->nodes[i], theirs = counterpart(j, i), higher;
		bool closed = mine->closed || theirs.closed || j->lost[i];

		higher = j->order < 0 ? theirs : *mine;
		if (!closed) {
			if (theirs.seq > mine->seq) {
				mine->seq = theirs.seq;
				mine->last = theirs.last;
			}
			continue;
		}
		if (theirs.closed && (!mine->closed || theirs.seq < mine->seq)) {
			mine->seq = theirs.seq;
			mine->last = theirs.last;
			mine->closed = true;
		}
		if (j->lost[i] && (!mine->closed || higher.seq < mine->seq)) {
			mine->seq = higher.seq;
			mine->last = higher.last;
		}
		mine->closed = true;
	}
}

static bool
is_taken_over(const struct state *other, uint32_t i)
{
	return node_wrote(&other->nodes[i]) || i == other->floor.node || i == other->newest.node;
}

static bool
is_complete(const struct state *s)
{
	return !s->loading.begun ||
	    (s->loading.last_known && s->loading.count == s->loading.last + 1);
}

/* Who has written, and whose stamps are taken over, is known here; who has not, if there is room. */
static int
number_nodes(struct joining *j, struct err *e)
{
	const struct state *other = j->other;
	struct state *s = j->own;
	size_t new = 0;
	int rc;

	j->number = xcalloc(other->n, sizeof(*j->number));
	for (uint32_t i = 1; i < other->n; i++) {
		uint32_t number = state_find(s, other->nodes[i].id);

		s->nodes[number].needed = true;
		j->number[i] = number;
		new += number == 0 && is_taken_over(other, i);
	}
	rc = state_room(s, new, true, e);
	for (size_t i = 0; i < s->n; i++)
		s->nodes[i].needed = false;
	for (int wrote = 1; wrote >= 0 && rc == 0; wrote--)
		for (uint32_t i = 1; i < other->n; i++)
			if (j->number[i] == 0 && other->nodes[i].id.len &&
			    is_taken_over(other, i) == wrote && state_has_room(s))
				j->number[i] = state_node(s, other->nodes[i].id, e);
	return rc;
}

int
state_join(struct state *s, const struct state *other, struct err *e)
{
	struct joining j = {.own = s, .other = other};
	int rc;

	if (!is_complete(other))
		return err_set(e, "bad_snapshot", "a snapshot is not complete");
	rc = number_nodes(&j, e);
	if (rc == 0) {
		j.lost = xcalloc(s->n, sizeof(*j.lost));
		j.floor = translate(&j, other->floor);
		j.order = mark_cmp(s, s->floor, j.floor);
		if (j.order < 0)
			state_sweep(s, &(struct sweep){{0}, j.floor, judge, &j});
		s->joining = true;
		join_slot(&j, &s->root, &other->root, (struct mark){0});
		s->joining = false;
		judge_collected(&j);
		join_vector(&j);
		state_newer(s, translate(&j, other->newest));
		s->floor = mark_max(s, s->floor, j.floor);
		s->digest_known = false;
		state_sweep(s, &(struct sweep){.collect = s->floor});
	}
	free(j.number);
	free(j.lost);
	return rc;
}
