/* The tree over a JSON text: built once, and changed; jsonfile_write.c writes it. */
#include "common/format/jsonfile.h"

#include "common/format/catalog.h"

#include <stdlib.h>

/*
 * A table pays for objects that have more members than this. Of a String
 * Catalog all but one are small, and looking through them is ten times faster.
 */
enum { INDEXED_AT_LEAST = 12 };

/* -- building -- */

static size_t
new_node(struct jsonfile *f, size_t parent)
{
	f->v = xgrow(f->v, f->n, &f->cap, sizeof(*f->v));
	f->v[f->n] = (struct jsonfile_node){.name = {"", 0},
	    .parent = parent,
	    .first = JSONFILE_NONE,
	    .last = JSONFILE_NONE,
	    .near = JSONFILE_NONE,
	    .same = JSONFILE_NONE,
	    .next = JSONFILE_NONE,
	    .previous = JSONFILE_NONE};
	return f->n++;
}

/* Puts a node behind a sibling, or first. */
static void
link_node(struct jsonfile *f, size_t node, size_t after)
{
	struct jsonfile_node *at = &f->v[node], *parent = &f->v[at->parent];

	at->previous = after;
	at->next = after == JSONFILE_NONE ? parent->first : f->v[after].next;
	if (after == JSONFILE_NONE)
		parent->first = node;
	else
		f->v[after].next = node;
	if (at->next == JSONFILE_NONE)
		parent->last = node;
	else
		f->v[at->next].previous = node;
	parent->members++;
}

/* What a name in a parent is known by. */
static struct slice
table_key(struct buf *b, size_t parent, struct slice name)
{
	buf_reset(b);
	buf_add(b, &parent, sizeof(parent));
	buf_addslice(b, name);
	return buf_slice(b);
}

static struct slice
keep(struct jsonfile *f, struct slice text)
{
	return (struct slice){arena_copy(&f->arena, text.len ? text.ptr : "", text.len), text.len};
}

static void
put_name(struct jsonfile *f, size_t node)
{
	struct slice key = table_key(&f->scratch, f->v[node].parent, f->v[node].name);
	uint64_t *there = table_get(&f->names, key);

	f->v[node].same = there ? (size_t)*there : JSONFILE_NONE;
	if (there)
		*there = node;
	else
		*table_put(&f->names, keep(f, key), NULL) = node;
}

/* From now on a member is not known by its name; one of the same name before it is. */
static void
leave(struct jsonfile *f, size_t node)
{
	size_t parent = f->v[node].parent, i;
	uint64_t *there;

	if (!f->v[parent].indexed || f->v[node].removed)
		return;
	there = table_get(&f->names, table_key(&f->scratch, parent, f->v[node].name));
	if (*there == node) {
		*there = f->v[node].same;
		return;
	}
	for (i = (size_t)*there; f->v[i].same != node;)
		i = f->v[i].same;
	f->v[i].same = f->v[node].same;
}

/* Makes a member known by its name; it is linked already. */
static void
enter(struct jsonfile *f, size_t node)
{
	struct jsonfile_node *parent = &f->v[f->v[node].parent];

	if (parent->indexed) {
		put_name(f, node);
	} else if (parent->members >= INDEXED_AT_LEAST) {
		parent->indexed = true;
		for (size_t i = parent->first; i != JSONFILE_NONE; i = f->v[i].next)
			if (!f->v[i].removed)
				put_name(f, i);
	}
}

static struct slice
decode(struct jsonfile *f, struct slice raw)
{
	if (!memchr(raw.ptr, '\\', raw.len))
		return (struct slice){raw.ptr + 1, raw.len - 2};
	buf_reset(&f->scratch);
	json_text(raw, &f->scratch);
	return keep(f, buf_slice(&f->scratch));
}

/* Adds the members or elements of a value; -1 where there are too many. Depth is bounded. */
static int
add_children(struct jsonfile *f, size_t parent)
{
	struct json_walk w = json_walk(f->v[parent].value);
	bool object = f->v[parent].type == JSON_OBJECT;
	struct slice name = {NULL, 0}, value;
	size_t node;

	while (object ? json_member(&w, &name, &value) : json_element(&w, &value)) {
		if (f->n >= JSONFILE_NODES)
			return -1;
		node = new_node(f, parent);
		f->v[node].value = value;
		f->v[node].type = json_type(value);
		link_node(f, node, f->v[parent].last);
		if (object) {
			f->v[node].raw = name;
			f->v[node].name = decode(f, name);
			enter(f, node);
		}
		if (f->v[node].type >= JSON_ARRAY && add_children(f, node) < 0)
			return -1;
	}
	return 0;
}

int
jsonfile_open(struct jsonfile *f, struct slice text, struct err *e)
{
	struct catalog_cursor at = {0};

	*f = (struct jsonfile){.text = text, .order_of = JSONFILE_NONE, .apart = JSONFILE_NONE};
	if (json_check(text, e) < 0) {
		if (e)
			catalog_seek(&at, text, e->column - 1, &e->line, &e->column);
		return -1;
	}
	text = slice_trim(text);
	if (json_type(text) != JSON_OBJECT)
		return err_set(e, "bad_catalog", "the file is no JSON object");
	new_node(f, JSONFILE_NONE);
	f->v[0].value = text;
	f->v[0].type = JSON_OBJECT;
	f->style = arb_style_of(text);
	if (add_children(f, 0) < 0)
		return err_set(e, "too_large", "more than %d JSON values", JSONFILE_NODES);
	return 0;
}

void
jsonfile_free(struct jsonfile *f)
{
	free(f->v);
	free(f->order);
	table_free(&f->names);
	arena_free(&f->arena);
	buf_free(&f->scratch);
	*f = (struct jsonfile){0};
}

/* -- asking -- */

size_t
jsonfile_child(const struct jsonfile *f, size_t parent, struct slice name)
{
	struct buf b = {0};
	uint64_t *there;
	size_t i;

	if (parent == JSONFILE_NONE || f->v[parent].type != JSON_OBJECT)
		return JSONFILE_NONE;
	if (f->v[parent].indexed) {
		there = table_get(&f->names, table_key(&b, parent, name));
		buf_free(&b);
		return there ? (size_t)*there : JSONFILE_NONE;
	}
	for (i = f->v[parent].last; i != JSONFILE_NONE; i = f->v[i].previous)
		if (!f->v[i].removed && slice_eq(f->v[i].name, name))
			break;
	return i;
}

struct slice
jsonfile_text(struct jsonfile *f, size_t node)
{
	return decode(f, f->v[node].value);
}

size_t
jsonfile_start(const struct jsonfile *f, size_t node)
{
	const struct jsonfile_node *at = &f->v[node];

	return (size_t)((at->raw.ptr ? at->raw.ptr : at->value.ptr) - f->text.ptr);
}

size_t
jsonfile_end(const struct jsonfile *f, size_t node)
{
	const struct jsonfile_node *at = &f->v[node];

	return (size_t)(at->value.ptr - f->text.ptr) + at->value.len;
}

static void
list_order(struct jsonfile *f, size_t object)
{
	if (f->order_of == object)
		return;
	f->order_of = object;
	f->norder = 0;
	for (size_t i = f->v[object].first; i != JSONFILE_NONE; i = f->v[i].next) {
		if (!f->v[i].value.ptr || i == f->apart)
			continue;
		f->order = xgrow(f->order, f->norder, &f->order_cap, sizeof(*f->order));
		f->order[f->norder++] = i;
	}
}

size_t
jsonfile_sorted_place(struct jsonfile *f, size_t object, struct slice name, size_t hint)
{
	size_t low = 0, high, place, next;

	/* Halving among what was there, then a step over each new one. */
	list_order(f, object);
	for (high = f->norder; low < high;) {
		size_t middle = low + (high - low) / 2;
		if (slice_cmp(f->v[f->order[middle]].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	place = low ? f->order[low - 1] : JSONFILE_NONE;
	if (hint != JSONFILE_NONE && f->v[hint].parent == object &&
	    slice_cmp(f->v[hint].name, name) < 0 &&
	    (place == JSONFILE_NONE || slice_cmp(f->v[place].name, f->v[hint].name) < 0))
		place = hint;
	for (;;) {
		next = place == JSONFILE_NONE ? f->v[object].first : f->v[place].next;
		if (next == JSONFILE_NONE || next == f->apart ||
		    slice_cmp(f->v[next].name, name) >= 0)
			return place;
		place = next;
	}
}

/* -- changing -- */

static void
touch(struct jsonfile *f, size_t node)
{
	for (; node != JSONFILE_NONE && !f->v[node].touched; node = f->v[node].parent)
		f->v[node].touched = true;
}

size_t
jsonfile_add(struct jsonfile *f, size_t parent, size_t after, struct slice name,
    enum json_type type)
{
	size_t node = new_node(f, parent);

	f->v[node].name = keep(f, name);
	f->v[node].type = type;
	link_node(f, node, after);
	enter(f, node);
	touch(f, node);
	return node;
}

size_t
jsonfile_append(struct jsonfile *f, size_t parent, struct slice name, enum json_type type)
{
	return jsonfile_add(f, parent, f->v[parent].last, name, type);
}

void
jsonfile_set_raw(struct jsonfile *f, size_t node, struct slice raw)
{
	f->v[node].written = keep(f, raw);
	touch(f, node);
}

void
jsonfile_set(struct jsonfile *f, size_t node, struct slice text)
{
	struct buf b = {0};

	if (f->v[node].value.ptr && !f->v[node].written.ptr && f->v[node].type == JSON_STRING &&
	    slice_eq(jsonfile_text(f, node), text))
		return;
	json_quote(&b, text);
	jsonfile_set_raw(f, node, buf_slice(&b));
	buf_free(&b);
}

void
jsonfile_rename(struct jsonfile *f, size_t node, struct slice name)
{
	if (slice_eq(f->v[node].name, name))
		return;
	leave(f, node);
	f->v[node].name = keep(f, name);
	f->v[node].renamed = true;
	enter(f, node);
	touch(f, node);
}

void
jsonfile_remove(struct jsonfile *f, size_t node)
{
	if (f->v[node].removed)
		return;
	leave(f, node);
	f->v[node].removed = true;
	touch(f, node);
}

void
jsonfile_remove_named(struct jsonfile *f, size_t object, struct slice name)
{
	size_t i;

	while ((i = jsonfile_child(f, object, name)) != JSONFILE_NONE)
		jsonfile_remove(f, i);
}
