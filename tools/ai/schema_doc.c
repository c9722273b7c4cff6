/*
 * One pass makes the nodes; a second sorts the members of each object and hides duplicates. The
 * text was accepted by json_check, so neither looks for errors.
 */
#include "tools/ai/schema_doc.h"

#include "common/mem.h"
#include "tools/ai/schema_number.h"

#include <stdlib.h>

static const char *
skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

/* p is at a scalar's first byte. */
static const char *
scalar_end(const char *p, const char *end)
{
	if (*p == '"') {
		for (p++; *p != '"'; p++)
			if (*p == '\\')
				p++;
		return p + 1;
	}
	while (p < end && *p != ',' && *p != '}' && *p != ']' && *p > ' ')
		p++;
	return p;
}

/*
 * The text of a string with its quotes; decoded never moves, it has room for the whole text. An
 * addition may ask for a few bytes beyond the string's own length, hence the slack.
 */
static struct slice
decode(struct doc *d, struct slice raw)
{
	size_t from = d->decoded.len;

	if (memchr(raw.ptr, '\\', raw.len) == NULL)
		return (struct slice){raw.ptr + 1, raw.len - 2};
	json_text(raw, &d->decoded);
	return (struct slice){d->decoded.ptr + from, d->decoded.len - from};
}

/* Reads `"name" :` when in an object, and adds the node of the value that follows. */
static const char *
add_node(struct doc *d, uint32_t parent, const char *p, const char *end)
{
	struct doc_node *node;
	const char *stop;

	d->nodes = xgrow(d->nodes, d->n, &d->cap, sizeof(*d->nodes));
	node = &d->nodes[d->n];
	*node = (struct doc_node){.parent = parent};
	if (parent != DOC_NONE) {
		node->place = d->nodes[parent].count++;
		if (d->nodes[parent].type == JSON_OBJECT) {
			stop = scalar_end(p, end);
			node->name = decode(d, (struct slice){p, (size_t)(stop - p)});
			p = skip_space(skip_space(stop, end) + 1, end);
		}
	}
	node->type = (uint8_t)json_type((struct slice){p, 1});
	node->value = (struct slice){p, 0};
	d->n++;
	return p;
}

static int
read_nodes(struct doc *d, struct slice text, struct err *e)
{
	const char *end = text.ptr + text.len, *p = text.ptr;
	uint32_t parent = DOC_NONE;

	for (;;) {
		struct doc_node *node;

		if (d->n == DOC_NODES)
			return err_set(e, "schema_limit",
			    "more than %d values in one JSON text: split it", DOC_NODES);
		p = add_node(d, parent, p, end);
		node = &d->nodes[d->n - 1];
		if (node->type == JSON_OBJECT || node->type == JSON_ARRAY) {
			parent = (uint32_t)(d->n - 1);
			p = skip_space(p + 1, end);
			if (*p != '}' && *p != ']')
				continue;
		} else {
			const char *stop = scalar_end(p, end);

			node->value.len = (size_t)(stop - p);
			if (node->type == JSON_STRING)
				node->value = decode(d, node->value);
			node->after = (uint32_t)d->n;
			p = skip_space(stop, end);
		}
		while (parent != DOC_NONE && *p != ',') {
			node = &d->nodes[parent];
			node->value.len = (size_t)(p + 1 - node->value.ptr);
			node->after = (uint32_t)d->n;
			parent = node->parent;
			p = skip_space(p + 1, end);
		}
		if (parent == DOC_NONE)
			return 0;
		p = skip_space(p + 1, end);
	}
}

/* Members by name, and of one name in the order of the text. */
static int
by_name(void *state, uint32_t a, uint32_t b)
{
	const struct doc *d = state;
	int order = slice_cmp(d->nodes[a].name, d->nodes[b].name);

	return order ? order : (a > b) - (a < b);
}

static void
sort_members(struct doc *d, uint32_t at)
{
	struct doc_node *object = &d->nodes[at];
	uint32_t *v = d->order + d->ordered;
	uint32_t n = 0, kept = 0;

	object->sorted = (uint32_t)d->ordered;
	for (uint32_t i = at + 1; i < object->after; i = d->nodes[i].after)
		v[n++] = i;
	doc_sort(v, n, by_name, d);
	for (uint32_t i = 0; i < n; i++) {
		if (i + 1 < n && slice_eq(d->nodes[v[i]].name, d->nodes[v[i + 1]].name))
			d->nodes[v[i]].hidden = true;
		else {
			d->nodes[v[i]].place = kept;
			v[kept++] = v[i];
		}
	}
	object->count = kept;
	d->ordered += kept;
}

int
doc_read(struct doc *d, struct slice text, struct err *e)
{
	d->n = d->ordered = 0;
	buf_reset(&d->decoded);
	if (text.len >= UINT32_MAX)
		return err_set(e, "schema_limit", "a JSON text of 4 GiB or more: split it");
	if (json_check(text, e) != 0)
		return -1;
	text = slice_trim(text);
	if (memchr(text.ptr, '\\', text.len) != NULL)
		buf_room(&d->decoded, text.len + 64);
	if (read_nodes(d, text, e) != 0)
		return -1;
	d->nodes = xgrow(d->nodes, d->n, &d->cap, sizeof(*d->nodes)); /* for doc_name */
	if (d->order_cap < d->n) {
		d->order_cap = d->cap;
		d->order = xreallocarray(d->order, d->order_cap, sizeof(*d->order));
	}
	for (uint32_t i = 0; i < d->n; i++)
		if (d->nodes[i].type == JSON_OBJECT)
			sort_members(d, i);
	return 0;
}

void
doc_free(struct doc *d)
{
	free(d->nodes);
	free(d->order);
	buf_free(&d->decoded);
	*d = (struct doc){0};
}

uint32_t
doc_name(struct doc *d, uint32_t member)
{
	const struct doc_node *node = &d->nodes[member];

	d->nodes[d->n] = (struct doc_node){.value = node->name, .name = node->name,
	    .parent = node->parent, .after = (uint32_t)d->n + 1, .type = JSON_STRING};
	return (uint32_t)d->n;
}

static uint32_t
shown(const struct doc *d, uint32_t at, uint32_t child)
{
	while (child < d->nodes[at].after && d->nodes[child].hidden)
		child = d->nodes[child].after;
	return child < d->nodes[at].after ? child : DOC_NONE;
}

uint32_t
doc_first(const struct doc *d, uint32_t at)
{
	return shown(d, at, at + 1);
}

uint32_t
doc_next(const struct doc *d, uint32_t at, uint32_t child)
{
	return shown(d, at, d->nodes[child].after);
}

uint32_t
doc_find(const struct doc *d, uint32_t at, struct slice name)
{
	const struct doc_node *object = &d->nodes[at];
	uint32_t low = 0, high = object->count;

	if (object->type != JSON_OBJECT)
		return DOC_NONE;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		uint32_t member = d->order[object->sorted + middle];
		int order = slice_cmp(name, d->nodes[member].name);

		if (order == 0)
			return member;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return DOC_NONE;
}

void
doc_pointer(const struct doc *d, uint32_t at, struct buf *out)
{
	uint32_t path[JSON_DEPTH + 1] = {0};
	size_t n = 0;

	for (; d->nodes[at].parent != DOC_NONE; at = d->nodes[at].parent)
		path[n++] = at;
	while (n-- > 0) {
		const struct doc_node *node = &d->nodes[path[n]];

		buf_addc(out, '/');
		if (d->nodes[node->parent].type == JSON_ARRAY)
			buf_addf(out, "%u", node->place);
		for (size_t i = 0; i < node->name.len; i++)
			if (node->name.ptr[i] == '~' || node->name.ptr[i] == '/')
				buf_adds(out, node->name.ptr[i] == '~' ? "~0" : "~1");
			else
				buf_addc(out, node->name.ptr[i]);
	}
}

static int
cmp_children(const struct doc *x, uint32_t a, const struct doc *y, uint32_t b, long *steps)
{
	const struct doc_node *p = &x->nodes[a], *q = &y->nodes[b];
	uint32_t i = a + 1, j = b + 1;
	int order = (p->count > q->count) - (p->count < q->count);

	for (uint32_t k = 0; order == 0 && k < p->count && *steps >= 0; k++) {
		if (p->type == JSON_OBJECT) {
			i = x->order[p->sorted + k];
			j = y->order[q->sorted + k];
			order = slice_cmp(x->nodes[i].name, y->nodes[j].name);
		}
		if (order == 0)
			order = doc_cmp(x, i, y, j, steps);
		i = x->nodes[i].after;
		j = y->nodes[j].after;
	}
	return order;
}

int
doc_cmp(const struct doc *x, uint32_t a, const struct doc *y, uint32_t b, long *steps)
{
	const struct doc_node *p = &x->nodes[a], *q = &y->nodes[b];

	*steps -= 1 + (long)((p->value.len < q->value.len ? p->value.len : q->value.len) / 64);
	if (p->type != q->type)
		return p->type < q->type ? -1 : 1;
	switch (p->type) {
	case JSON_NUMBER:
		return number_cmp(number_read(p->value), number_read(q->value));
	case JSON_STRING:
		return slice_cmp(p->value, q->value);
	case JSON_ARRAY:
	case JSON_OBJECT:
		return cmp_children(x, a, y, b, steps);
	default:
		return 0;
	}
}

static void
sift(uint32_t *v, size_t root, size_t n, int (*cmp)(void *, uint32_t, uint32_t), void *state)
{
	uint32_t value = v[root];
	size_t child;

	while ((child = 2 * root + 1) < n) {
		if (child + 1 < n && cmp(state, v[child], v[child + 1]) < 0)
			child++;
		if (cmp(state, value, v[child]) >= 0)
			break;
		v[root] = v[child];
		root = child;
	}
	v[root] = value;
}

void
doc_sort(uint32_t *v, size_t n, int (*cmp)(void *state, uint32_t a, uint32_t b), void *state)
{
	uint32_t value;
	size_t i, j;

	/* Most objects are small, and often sorted: insertion. */
	if (n <= 16) {
		for (i = 1; i < n; i++) {
			value = v[i];
			for (j = i; j > 0 && cmp(state, v[j - 1], value) > 0; j--)
				v[j] = v[j - 1];
			v[j] = value;
		}
		return;
	}
	for (i = n / 2; i-- > 0; )
		sift(v, i, n, cmp, state);
	for (i = n; i-- > 1; ) {
		value = v[0];
		v[0] = v[i];
		v[i] = value;
		sift(v, 0, i, cmp, state);
	}
}
