/* The tree over a JSON text: built once, changed, written by splices. */
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

	f->v[f->v[node].parent].twice |= there != NULL;
	if (there)
		*there = node;
	else
		*table_put(&f->names, keep(f, key), NULL) = node;
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
		/* One that was renamed is no longer known by its old name. */
		if (there && !f->v[*there].removed && slice_eq(f->v[*there].name, name))
			return (size_t)*there;
		if (!there || !f->v[parent].twice)
			return JSONFILE_NONE;
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
	f->v[node].name = keep(f, name);
	f->v[node].renamed = true;
	enter(f, node);
	touch(f, node);
}

void
jsonfile_remove(struct jsonfile *f, size_t node)
{
	f->v[node].removed = true;
	touch(f, node);
}

void
jsonfile_remove_named(struct jsonfile *f, size_t object, struct slice name)
{
	size_t i = jsonfile_child(f, object, name);

	if (i != JSONFILE_NONE)
		jsonfile_remove(f, i);
	for (; i != JSONFILE_NONE && (!f->v[object].indexed || f->v[object].twice);
	     i = f->v[i].previous)
		if (!f->v[i].removed && slice_eq(f->v[i].name, name))
			jsonfile_remove(f, i);
}

/* -- writing -- */

static bool
is_kept(const struct jsonfile_node *node)
{
	return node->value.ptr && !node->removed;
}

static void write_member(const struct jsonfile *, size_t node, int level, struct buf *out);

static void
write_new(const struct jsonfile *f, size_t node, int level, struct buf *out)
{
	const struct jsonfile_node *at = &f->v[node];
	bool first = true;

	if (at->type < JSON_ARRAY || at->written.ptr) {
		buf_addslice(out, at->written.ptr ? at->written : S("\"\""));
		return;
	}
	buf_addc(out, at->type == JSON_OBJECT ? '{' : '[');
	for (size_t i = at->first; i != JSONFILE_NONE; i = f->v[i].next) {
		if (f->v[i].removed)
			continue;
		arb_style_separate(&f->style, level + 1, first, out);
		write_member(f, i, level + 1, out);
		first = false;
	}
	if (!first)
		arb_style_close(&f->style, level, out);
	buf_addc(out, at->type == JSON_OBJECT ? '}' : ']');
}

static void
write_member(const struct jsonfile *f, size_t node, int level, struct buf *out)
{
	if (f->v[f->v[node].parent].type == JSON_OBJECT)
		arb_style_name(&f->style, f->v[node].name, out);
	write_new(f, node, level, out);
}

/* A container that keeps nothing of what it had: its inside is written whole. */
static void
rewrite_inside(const struct jsonfile *f, size_t container, int level, struct edits *edits)
{
	struct slice value = f->v[container].value;
	size_t start = (size_t)(value.ptr - f->text.ptr);
	struct buf b = {0};
	bool first = true;

	for (size_t i = f->v[container].first; i != JSONFILE_NONE; i = f->v[i].next) {
		if (f->v[i].removed || f->v[i].value.ptr)
			continue;
		arb_style_separate(&f->style, level + 1, first, &b);
		write_member(f, i, level + 1, &b);
		first = false;
	}
	if (!first)
		arb_style_close(&f->style, level, &b);
	edits_add(edits, start + 1, start + value.len - 1, buf_slice(&b));
	buf_free(&b);
}

static size_t
first_kept(const struct jsonfile *f, size_t container)
{
	size_t i = f->v[container].first;

	while (i != JSONFILE_NONE && !is_kept(&f->v[i]))
		i = f->v[i].next;
	return i;
}

/* New members, each behind the last kept one before it, or before the first kept one. */
static void
insert_new(const struct jsonfile *f, size_t container, int level, struct edits *edits)
{
	size_t first = first_kept(f, container), anchor = JSONFILE_NONE, place;
	struct buf b = {0};

	for (size_t i = f->v[container].first; i != JSONFILE_NONE; i = f->v[i].next) {
		if (is_kept(&f->v[i]))
			anchor = i;
		if (f->v[i].value.ptr || f->v[i].removed)
			continue;
		buf_reset(&b);
		if (anchor == JSONFILE_NONE) {
			write_member(f, i, level + 1, &b);
			arb_style_separate(&f->style, level + 1, false, &b);
			place = jsonfile_start(f, first);
		} else {
			arb_style_separate(&f->style, level + 1, false, &b);
			write_member(f, i, level + 1, &b);
			place = jsonfile_end(f, anchor);
		}
		edits_add(edits, place, place, buf_slice(&b));
	}
	buf_free(&b);
}

/* Each removed member goes with the comma before it, or after it where nothing is kept before. */
static void
remove_members(const struct jsonfile *f, size_t container, struct edits *edits)
{
	size_t before = JSONFILE_NONE, after; /* of those in the text */
	bool kept = false;

	for (size_t i = f->v[container].first; i != JSONFILE_NONE; i = f->v[i].next) {
		if (!f->v[i].value.ptr)
			continue;
		for (after = f->v[i].next; after != JSONFILE_NONE && !f->v[after].value.ptr;)
			after = f->v[after].next;
		if (!f->v[i].removed)
			kept = true;
		else if (kept)
			edits_add(edits, jsonfile_end(f, before), jsonfile_end(f, i), S(""));
		else if (after != JSONFILE_NONE)
			edits_add(edits, jsonfile_start(f, i), jsonfile_start(f, after), S(""));
		before = i;
	}
}

static void
edit_container(const struct jsonfile *f, size_t container, int level, struct edits *edits)
{
	struct buf b = {0};

	if (first_kept(f, container) == JSONFILE_NONE) {
		rewrite_inside(f, container, level, edits);
		return;
	}
	/* Where an insertion and another edit meet the one that was added first is made first. */
	insert_new(f, container, level, edits);
	for (size_t i = f->v[container].first; i != JSONFILE_NONE; i = f->v[i].next) {
		const struct jsonfile_node *at = &f->v[i];
		if (!is_kept(at) || !at->touched)
			continue;
		size_t start = jsonfile_start(f, i), end = jsonfile_end(f, i);
		if (at->renamed) {
			buf_reset(&b);
			json_quote(&b, at->name);
			edits_add(edits, start, start + at->raw.len, buf_slice(&b));
		}
		if (at->written.ptr)
			edits_add(edits, end - at->value.len, end, at->written);
		else if (at->type >= JSON_ARRAY)
			edit_container(f, i, level + 1, edits);
	}
	remove_members(f, container, edits);
	buf_free(&b);
}

void
jsonfile_write(struct jsonfile *f, struct edits *more, struct buf *out)
{
	struct edits none = {0}, *edits = more ? more : &none;

	if (f->v[0].touched)
		edit_container(f, 0, 0, edits);
	/* Edits lie on members, or at their ends, and members do not overlap. */
	if (!edits_apply(edits, f->text, out))
		die(STATUS_FAILED, "changes to JSON overlap: this is a fault of the program");
	edits_free(&none);
}
