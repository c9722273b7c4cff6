/*
 * Nodes: their numbers, and whose place is given back when there is none left.
 *
 * A node that has written nothing is in no register, and no stamp is its: without it the state
 * is what it would be had we never heard of it, which is a thing that happens anyway. One
 * that has written keeps its place: what gives way to a higher floor is told from what was
 * lost by its last stamp alone (state_join).
 */
#include "tools/collab/state_part.h"

#include <stdlib.h>

uint32_t
state_find(const struct state *s, struct slice id)
{
	uint64_t *number = table_get(&s->ids, id);

	return number ? (uint32_t)*number : 0;
}

/* Places that were never taken, or were given back. */
static size_t
room(const struct state *s)
{
	size_t taken = s->n - 1 - s->vacant;

	return taken < s->limit.max_nodes ? s->limit.max_nodes - taken : 0;
}

bool
state_has_room(const struct state *s)
{
	return room(s) > 0;
}

enum { IDLE, STAYS, GOES };

/* Who may go, by number: the caller's to free. */
static unsigned char *
sort_out(const struct state *s, bool live, size_t *idle)
{
	unsigned char *is = xcalloc(s->n, 1);

	is[s->self] = is[s->floor.node] = is[s->passed.node] = is[s->newest.node] = STAYS;
	*idle = 0;
	for (uint32_t i = 0; i < s->n; i++) {
		const struct node *n = &s->nodes[i];

		if (n->id.len == 0 || n->needed || node_wrote(n) ||
		    (!live && n->heard && !n->forgotten))
			is[i] = STAYS;
		*idle += is[i] == IDLE;
	}
	return is;
}

/* What heads said of who goes is not to be read of who comes: their next ones say it again. */
static void
forget_said(struct state *s, const unsigned char *is)
{
	for (uint32_t i = 1; i < s->n; i++) {
		struct node *n = &s->nodes[i];
		bool goes = false;

		if (is[n->passed.node] == GOES)
			n->passed = (struct mark){0};
		if (is[n->floor.node] == GOES)
			n->floor = (struct mark){0};
		for (size_t k = 0; n->pending && k < n->pending->n; k++)
			goes |= is[n->pending->v[k].node] == GOES;
		if (goes) {
			free(n->pending);
			n->pending = NULL;
		}
	}
}

static void
give_back(struct state *s, uint32_t i)
{
	struct node *n = &s->nodes[i];

	table_drop(&s->ids, n->id);
	free((char *)(uintptr_t)n->id.ptr);
	free(n->pending);
	*n = (struct node){.id = S("")};
	s->vacant++;
}

int
state_room(struct state *s, size_t n, bool live, struct err *e)
{
	size_t idle, lacks = n > room(s) ? n - room(s) : 0;
	unsigned char *is;

	if (lacks == 0)
		return 0;
	is = sort_out(s, live, &idle);
	if (idle < lacks) {
		free(is);
		return err_set(e, "state_full", "the shared state knows %zu nodes already, which "
			"is the limit: begin a new topic with its document", s->limit.max_nodes);
	}
	/* First those that said no head, or none for long. */
	for (int heard = 0; heard < 2; heard++)
		for (uint32_t i = 1; i < s->n && lacks; i++)
			if (is[i] == IDLE && (heard || !s->nodes[i].heard || s->nodes[i].forgotten)) {
				is[i] = GOES;
				lacks--;
			}
	forget_said(s, is);
	for (uint32_t i = 1; i < s->n; i++)
		if (is[i] == GOES)
			give_back(s, i);
	free(is);
	return 0;
}

/* The number of a new one. */
static uint32_t
vacant(struct state *s)
{
	uint32_t i = 1;

	if (s->vacant == 0) {
		s->nodes = xgrow(s->nodes, s->n, &s->cap, sizeof(*s->nodes));
		return (uint32_t)s->n++;
	}
	while (s->nodes[i].id.len)
		i++;
	s->vacant--;
	return i;
}

uint32_t
state_node(struct state *s, struct slice id, struct err *e)
{
	uint32_t number = state_find(s, id);

	if (number)
		return number;
	if (!node_valid(id)) {
		err_set(e, "bad_stamp", "a node's id is empty, too long or not plain text");
		return 0;
	}
	if (state_room(s, 1, true, e) != 0)
		return 0;
	number = vacant(s);
	s->nodes[number] = (struct node){.id = {xstrndup(id.ptr, id.len), id.len}};
	*table_put(&s->ids, s->nodes[number].id, NULL) = number;
	return number;
}

int
state_self(struct state *s, struct slice node, struct err *e)
{
	uint32_t number = state_node(s, node, e);

	if (number == 0)
		return -1;
	s->self = number;
	return 0;
}

int
state_mark(struct state *s, const struct stamp *stamp, struct mark *m, struct err *e)
{
	uint32_t node;

	*m = (struct mark){0};
	if (stamp->l == 0)
		return 0;
	node = state_node(s, stamp->node, e);
	if (node == 0)
		return -1;
	*m = (struct mark){stamp->l, stamp->c, node};
	return 0;
}
