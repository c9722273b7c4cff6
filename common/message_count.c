#include "common/message_count.h"

#include <strings.h>

static unsigned
item_of(struct message_comparison *c, enum message_item_kind kind, struct slice name)
{
	for (unsigned i = 0; i < c->nitems; i++) {
		const struct message_item *item = &c->items[i];

		if (item->kind == kind && item->name.len == name.len &&
		    (kind == MESSAGE_ITEM_PLACEHOLDER
			    ? slice_eq(item->name, name)
			    : strncasecmp(item->name.ptr, name.ptr, name.len) == 0))
			return i;
	}
	if (c->nitems == MESSAGE_ITEMS) {
		c->too_many = true;
		return 0;
	}
	c->items[c->nitems] = (struct message_item){kind, name};
	return (unsigned)c->nitems++;
}

static void
note_item(struct message_comparison *c, struct message_side *s, size_t node,
    enum message_item_kind kind, struct slice name, size_t count)
{
	if (count)
		s->v[s->n++] = (struct message_occurrence){(unsigned)node, item_of(c, kind, name),
		    (unsigned)count};
}

/* Line breaks, and backslash escapes as translators see them: \n \t \r \" \\ */
static void
note_text(struct message_comparison *c, struct message_side *s, size_t node)
{
	struct slice raw = message_bytes(&s->m, &s->m.nodes[node]);
	size_t breaks = 0, escapes[3] = {0};
	static const char letters[] = "ntr";
	static const struct slice names[] = {{"\\n", 2}, {"\\t", 2}, {"\\r", 2}};

	for (const char *at = raw.ptr, *end = raw.ptr + raw.len;
	     at < end && (at = memchr(at, '\n', (size_t)(end - at))); at++)
		breaks++;
	for (const char *at = raw.ptr, *end = raw.ptr + raw.len;
	     at < end && (at = memchr(at, '\\', (size_t)(end - at))); at += 2)
		for (size_t k = 0; k < 3; k++)
			escapes[k] += at + 1 < end && at[1] == letters[k];
	note_item(c, s, node, MESSAGE_ITEM_BREAK, S("\n"), breaks);
	for (size_t k = 0; k < 3; k++)
		note_item(c, s, node, MESSAGE_ITEM_ESCAPE, names[k], escapes[k]);
}

void
message_prepare(struct message_comparison *c, struct message_side *s)
{
	const struct message *m = &s->m;

	/* A text node has at most four kinds of items, all others one. */
	s->v = arena_alloc(c->arena, (4 * m->n + 1) * sizeof(*s->v));
	s->first = arena_alloc(c->arena, (m->n + 1) * sizeof(*s->first));
	for (size_t i = 0; i < m->n; i++) {
		const struct message_node *node = &m->nodes[i];

		s->first[i] = s->n;
		if (node->type == MESSAGE_TEXT)
			note_text(c, s, i);
		else if (node->type == MESSAGE_PLACEHOLDER || node->type == MESSAGE_POUND)
			note_item(c, s, i, MESSAGE_ITEM_PLACEHOLDER, node->name, 1);
		else if (node->type >= MESSAGE_OPEN && node->type <= MESSAGE_SELF)
			note_item(c, s, i, node->type == MESSAGE_OPEN ? MESSAGE_ITEM_OPEN
				: node->type == MESSAGE_CLOSE	      ? MESSAGE_ITEM_CLOSE
								      : MESSAGE_ITEM_SELF,
			    node->name, 1);
	}
	s->first[m->n] = s->n;
}

bool
message_spend(struct message_comparison *c, size_t steps)
{
	if (c->budget < steps) {
		c->exhausted = true;
		return false;
	}
	c->budget -= steps;
	return true;
}

static void count_range(struct message_comparison *, const struct message_side *, size_t from,
    size_t to, const struct message_assumption *, struct message_range *);

static void
count_branch(struct message_comparison *c, const struct message_side *s, size_t at,
    const struct message_assumption *a, struct message_range *sum)
{
	const struct message_node *nodes = s->m.nodes, *branch = &nodes[at];
	struct message_range *one, *all;
	bool first = true;

	if (a && a->select == (branch->type == MESSAGE_SELECT) &&
	    slice_eq(a->argument, branch->name)) {
		const struct message_node *chosen = message_case(branch, a->selector);
		size_t i = (size_t)(chosen - nodes);

		if (chosen)
			count_range(c, s, i + 1, i + chosen->size, a, sum);
		return;
	}
	if (!message_spend(c, 4 * c->nitems * branch->size))
		return;
	one = arena_alloc(c->arena, 2 * (c->nitems + 1) * sizeof(*one));
	all = one + c->nitems + 1;
	for (size_t i = at + 1; i < at + branch->size; i += nodes[i].size) {
		memset(one, 0, c->nitems * sizeof(*one));
		count_range(c, s, i + 1, i + nodes[i].size, a, one);
		for (size_t k = 0; k < c->nitems; k++) {
			if (first || one[k].low < all[k].low)
				all[k].low = one[k].low;
			if (first || one[k].high > all[k].high)
				all[k].high = one[k].high;
		}
		first = false;
	}
	for (size_t k = 0; k < c->nitems && !first; k++) {
		sum[k].low += all[k].low;
		sum[k].high += all[k].high;
	}
}

/* Adds to sum what the nodes [from, to) hold. */
static void
count_range(struct message_comparison *c, const struct message_side *s, size_t from, size_t to,
    const struct message_assumption *a, struct message_range *sum)
{
	const struct message_node *nodes = s->m.nodes;

	for (size_t i = from; i < to && message_spend(c, 1); i += nodes[i].size) {
		if (nodes[i].type >= MESSAGE_PLURAL && nodes[i].type <= MESSAGE_SELECT) {
			count_branch(c, s, i, a, sum);
			continue;
		}
		for (size_t k = s->first[i]; k < s->first[i + 1]; k++) {
			sum[s->v[k].item].low += s->v[k].count;
			sum[s->v[k].item].high += s->v[k].count;
		}
	}
}

struct message_range *
message_count(
    struct message_comparison *c, const struct message_side *s, const struct message_assumption *a)
{
	struct message_range *sum = arena_alloc(c->arena, (c->nitems + 1) * sizeof(*sum));

	memset(sum, 0, (c->nitems + 1) * sizeof(*sum));
	count_range(c, s, 0, s->m.n, a, sum);
	return sum;
}
