/*
 * The tree of slots and the two registers of each.
 *
 * A slot's children are a balanced tree (tsearch), so that names chosen by
 * an enemy cost no more than others and are walked in their order.
 */
#include "tools/collab/state_part.h"

#include <search.h>
#include <stdlib.h>

/* Slots and bare names alike: a name is a slot's first member. */
static int
by_name(const void *a, const void *b)
{
	const struct slice *x = a, *y = b;

	return slice_cmp(*x, *y);
}

struct slot *
slot_child(struct state *s, struct slot *e, struct slice name)
{
	void *found = tfind(&name, &e->children, by_name);
	struct slot *child;
	char *copy;

	if (found)
		return *(struct slot **)found;
	child = xmalloc(sizeof(*child) + name.len + 1);
	copy = (char *)(child + 1);
	memcpy(copy, name.ptr, name.len);
	copy[name.len] = '\0';
	*child = (struct slot){.name = {copy, name.len}};
	if (tsearch(child, &e->children, by_name) == NULL)
		die(STATUS_FAILED, "out of memory");
	e->count++;
	s->bytes += SLOT_BYTES + name.len;
	return child;
}

struct listing {
	struct slot **v;
	size_t n;
};

static void
list_one(const void *at, VISIT which, void *closure)
{
	struct listing *list = closure;

	if (which == postorder || which == leaf)
		list->v[list->n++] = *(struct slot *const *)at;
}

struct slot **
slot_children(const struct slot *e)
{
	struct listing list = {xreallocarray(NULL, e->count, sizeof(*list.v)), 0};

	twalk_r(e->children, list_one, &list);
	return list.v;
}

void
slot_unset(struct state *s, struct mark *reg)
{
	if (reg->l) {
		s->registers--;
		s->nodes[reg->node].registers--;
	}
	*reg = (struct mark){0};
	s->digest_known = false;
}

void
slot_collect(struct state *s, struct slot *e)
{
	struct node *n = &s->nodes[e->replace.node];

	n->gone = mark_max(s, n->gone, e->replace);
	slot_unset(s, &e->replace);
}

static void
set(struct state *s, struct mark *reg, struct mark t)
{
	slot_unset(s, reg);
	s->registers++;
	s->nodes[t.node].registers++;
	*reg = t;
	state_newer(s, t);
	s->digest_known = false;
}

void
slot_set_leaf(struct state *s, struct slot *e, struct slice text)
{
	char *copy = text.ptr ? xstrndup(text.ptr, text.len) : NULL;

	s->bytes += text.len - e->leaf_len;
	free(e->leaf);
	e->leaf = copy;
	e->leaf_len = text.len;
}

void
slot_clear(struct state *s, struct slot *e)
{
	slot_set_leaf(s, e, (struct slice){NULL, 0});
	if (e->children) {
		struct slot **child = slot_children(e);

		for (size_t i = 0; i < e->count; i++) {
			slot_unset(s, &child[i]->replace);
			slot_unset(s, &child[i]->object);
			slot_clear(s, child[i]);
			s->bytes -= SLOT_BYTES + child[i]->name.len;
		}
		/* tdestroy visits the slots once more: they go with it. */
		tdestroy(e->children, free);
		free(child);
		e->children = NULL;
		e->count = 0;
	}
}

void
slot_drop_child(struct state *s, struct slot *e, struct slot *child)
{
	tdelete(child, &e->children, by_name);
	e->count--;
	slot_unset(s, &child->replace);
	slot_unset(s, &child->object);
	slot_clear(s, child);
	s->bytes -= SLOT_BYTES + child->name.len;
	free(child);
}

bool
slot_object(struct state *s, struct slot *e, struct mark t, struct mark *above)
{
	if (mark_cmp(s, t, e->replace) < 0)
		return false;
	if (mark_cmp(s, t, e->object) > 0) {
		set(s, &e->object, t);
		/* With a leaf there was nothing below: what is left of it is a tombstone. */
		if (e->leaf && !s->joining && mark_cmp(s, e->replace, s->floor) <= 0)
			slot_collect(s, e);
		slot_set_leaf(s, e, (struct slice){NULL, 0});
	}
	*above = mark_max(s, *above, e->replace);
	return mark_cmp(s, t, *above) > 0;
}

/* Of two leaves with one stamp the larger bytes; a tombstone is below them all. */
static bool
wins_tie(const struct slot *e, struct slice leaf)
{
	if (leaf.ptr == NULL)
		return false;
	return e->leaf == NULL || slice_cmp(leaf, (struct slice){e->leaf, e->leaf_len}) > 0;
}

void
slot_replace(struct state *s, struct slot *e, struct mark t, struct slice text)
{
	int order = mark_cmp(s, t, e->replace), object = mark_cmp(s, t, e->object);

	if (order < 0 || (order == 0 && (object <= 0 || !wins_tie(e, text))))
		return;
	set(s, &e->replace, t);
	if (object < 0)
		return; /* an object all the same; t only kills what is older below */
	slot_clear(s, e);
	if (object > 0) {
		slot_unset(s, &e->object);
		slot_set_leaf(s, e, text);
	}
}

void
slot_patch(struct state *s, struct slot *e, struct mark t, struct mark above,
    struct slice patch)
{
	struct members *m = &s->members;
	size_t base = m->n, end;

	if (json_type(patch) != JSON_OBJECT) {
		slot_replace(s, e, t,
		    json_type(patch) == JSON_NULL ? (struct slice){NULL, 0} : patch);
		return;
	}
	if (!slot_object(s, e, t, &above))
		return;
	members_push(m, patch);
	end = m->n;
	for (size_t i = base; i < end; i++)
		slot_patch(s, slot_child(s, e, m->v[i].name), t, above, m->v[i].value);
	m->n = base;
}
