/* Merging: forms find or get their members, in the place and style of the file. */
#include "common/format/i18next.h"

#include "common/format/arb.h"
#include "common/format/arb_state.h"
#include "common/format/i18next_array.h"
#include "common/format/i18next_message.h"
#include "common/format/i18next_model.h"

#include <stdlib.h>

enum { SORTED_AT_LEAST = 5 };

struct merge {
	struct i18next_model model;
	struct jsonfile *file; /* the model's */
	const struct catalog *old;
	const struct catalog_merge *merge;
	struct catalog_change *read; /* the changes with values as the reader gives them */
	struct table changed;	     /* key → index + 1 */
	struct i18next_arrays arrays;
	size_t behind;		     /* the last member of the change before */
	size_t sorted_container;     /* the one that was looked at last */
	bool sorted, flat;
	struct buf name, text;
	struct arena arena;
};

/* -- places -- */

static bool
is_sorted(struct merge *m, size_t container)
{
	const struct jsonfile *f = m->file;
	struct slice before = {NULL, 0};
	size_t n = 0;

	if (m->sorted_container == container)
		return m->sorted;
	m->sorted_container = container;
	m->sorted = true;
	for (size_t i = f->v[container].first; i != JSONFILE_NONE; i = f->v[i].next) {
		if (i == m->model.states || !f->v[i].value.ptr)
			continue;
		if (n++ && slice_cmp(before, f->v[i].name) >= 0)
			m->sorted = false;
		before = f->v[i].name;
	}
	m->sorted &= n >= SORTED_AT_LEAST;
	return m->sorted;
}

/* The member that a new one comes behind; JSONFILE_NONE: it is the first. */
static size_t
place_for(struct merge *m, size_t container, struct slice name)
{
	const struct jsonfile *f = m->file;
	size_t place;

	if (is_sorted(m, container))
		return jsonfile_sorted_place(m->file, container, name, m->behind);
	if (m->behind != JSONFILE_NONE && f->v[m->behind].parent == container)
		return m->behind;
	/* The states stand last. */
	place = f->v[container].last;
	return place != JSONFILE_NONE && place == m->model.states ? f->v[place].previous : place;
}

/* "a.b" at the top, and no objects: then a new key stays whole as well. */
static bool
is_flat(const struct merge *m)
{
	const struct jsonfile *f = m->file;
	bool dots = false;

	for (size_t i = f->v[0].first; i != JSONFILE_NONE; i = f->v[i].next) {
		if (i == m->model.states)
			continue;
		if (f->v[i].type >= JSON_ARRAY)
			return false;
		dots |= f->v[i].name.len && memchr(f->v[i].name.ptr, '.', f->v[i].name.len);
	}
	return dots;
}

/* The first part of a path; its length. */
static size_t
first_part(struct slice path)
{
	const char *dot = memchr(path.ptr, '.', path.len);

	return dot ? (size_t)(dot - path.ptr) : path.len;
}

/*
 * The object or array that a new key belongs in, made where it is not there;
 * *leaf is the name in it. Where a text stands in the way, or an array and the
 * path goes on without a number, the rest of the path stays whole, as i18next
 * also finds it. JSONFILE_NONE: it has no place, as an element that others
 * would have to come before.
 */
static size_t
container_for(struct merge *m, struct slice key, struct slice *leaf)
{
	struct jsonfile *f = m->file;
	size_t at = 0, child;
	const char *dot;

	*leaf = key;
	if (m->flat || !i18next_is_path(key))
		return 0;
	while ((dot = memchr(leaf->ptr, '.', leaf->len)) != NULL) {
		struct slice name = {leaf->ptr, (size_t)(dot - leaf->ptr)};
		bool array = f->v[at].type == JSON_ARRAY;
		size_t number = array ? i18next_number(name) : 0;
		child = array ? i18next_element(f, at, number) : jsonfile_child(f, at, name);
		if (child == JSONFILE_NONE && array && number != f->v[at].members)
			return JSONFILE_NONE;
		if (child == JSONFILE_NONE) {
			struct slice path = {key.ptr, (size_t)(dot - key.ptr)};
			child = jsonfile_add(f, at, array ? f->v[at].last : place_for(m, at, name),
			    array ? S("") : name,
			    i18next_is_array(&m->arrays, path) ? JSON_ARRAY : JSON_OBJECT);
			m->behind = child;
		}
		struct slice rest = {dot + 1, (size_t)(leaf->ptr + leaf->len - dot) - 1};
		if (f->v[child].type < JSON_ARRAY ||
		    (f->v[child].type == JSON_ARRAY &&
			i18next_number((struct slice){rest.ptr, first_part(rest)}) == SIZE_MAX))
			return array ? JSONFILE_NONE : at;
		*leaf = rest;
		at = child;
	}
	return at;
}

/* -- one message -- */

/* The name of a form, in m->name. */
static struct slice
form_name(struct merge *m, struct slice stem, const struct forms *f, int category)
{
	buf_reset(&m->name);
	buf_addslice(&m->name, stem);
	if (f->plural && f->ordinal && !slice_ends(stem, "_ordinal"))
		buf_adds(&m->name, "_ordinal");
	if (f->plural)
		buf_addf(&m->name, "_%s", plural_name((enum plural_category)category));
	return buf_slice(&m->name);
}

/* The name that an item's members have before their suffixes. */
static struct slice
stem_of(struct merge *m, const struct i18next_item *item)
{
	struct slice name = m->file->v[item->first].name, stem = name;

	if (item->plural)
		i18next_suffix(name, &stem);
	if (item->ordinal && !slice_ends(item->key, "_ordinal"))
		stem.len -= strlen("_ordinal");
	return (struct slice){arena_copy(&m->arena, stem.ptr, stem.len), stem.len};
}

/* Whether an object or an array stands in the place of one of the forms. */
static bool
is_occupied(struct merge *m, size_t container, struct slice stem, const struct forms *forms)
{
	for (int c = 0; c < PLURAL_CATEGORIES; c++) {
		size_t node = forms->text[c].ptr
		    ? jsonfile_child(m->file, container, form_name(m, stem, forms, c))
		    : JSONFILE_NONE;

		if (node != JSONFILE_NONE && m->file->v[node].type >= JSON_ARRAY)
			return true;
	}
	return false;
}

/*
 * The member that a form is to stand in: the one of its name, else the one
 * that the item has for it, else spare (the one text of what becomes a plural).
 */
static size_t
member_for(struct merge *m, size_t container, struct slice name, size_t own, size_t *spare)
{
	bool named = m->file->v[container].type == JSON_OBJECT;
	size_t node = named ? jsonfile_child(m->file, container, name) : JSONFILE_NONE;

	if (node != JSONFILE_NONE && own != JSONFILE_NONE && own != node)
		jsonfile_remove(m->file, own);
	if (node == JSONFILE_NONE)
		node = own;
	if (node == JSONFILE_NONE) {
		node = *spare;
		*spare = JSONFILE_NONE;
	}
	if (node != JSONFILE_NONE && named)
		jsonfile_rename(m->file, node, name);
	return node;
}

/*
 * Gives the item's members the texts of the forms: those that are there stay
 * in their places, new ones come behind the form before them, or behind start
 * (fresh: where a new key belongs). False, and nothing is changed, where they
 * have no place.
 */
static bool
set_forms(struct merge *m, struct i18next_item *item, size_t container, struct slice stem,
    const struct forms *forms, bool fresh, size_t start)
{
	struct jsonfile *f = m->file;
	size_t spare = JSONFILE_NONE, node;
	bool array = f->v[container].type == JSON_ARRAY;

	if (!array && is_occupied(m, container, stem, forms))
		return false;
	if (!item->plural && forms->plural) {
		spare = item->form[PLURAL_OTHER];
		item->form[PLURAL_OTHER] = JSONFILE_NONE;
	}
	for (int c = 0; c < PLURAL_CATEGORIES; c++) {
		if (!forms->text[c].ptr) {
			if (item->form[c] != JSONFILE_NONE)
				jsonfile_remove_named(f, container, f->v[item->form[c]].name);
			continue;
		}
		struct slice name = form_name(m, stem, forms, c);
		node = member_for(m, container, name, item->form[c], &spare);
		if (node == JSONFILE_NONE) {
			if (array)
				start = f->v[container].last;
			else if (fresh || is_sorted(m, container))
				start = place_for(m, container, name);
			node = jsonfile_add(
			    f, container, start, array ? S("") : name, JSON_STRING);
		}
		jsonfile_set(f, node, forms->text[c]);
		start = m->behind = node;
		fresh = false;
	}
	if (spare != JSONFILE_NONE)
		jsonfile_remove(f, spare);
	return true;
}

static bool
change_item(struct merge *m, struct i18next_item *item, const struct forms *forms)
{
	const struct jsonfile_node *first = &m->file->v[item->first];

	/* An element of an array has no name that a plural's forms could have. */
	if (forms->plural && m->file->v[first->parent].type == JSON_ARRAY)
		return false;
	return set_forms(m, item, first->parent, stem_of(m, item), forms, false, first->previous);
}

static bool
add_item(struct merge *m, const struct catalog_change *change, const struct forms *forms)
{
	struct i18next_item item = {.key = change->key, .plural = forms->plural};
	struct slice leaf;
	size_t container = container_for(m, change->key, &leaf);
	const struct jsonfile_node *at;

	if (container == JSONFILE_NONE)
		return false;
	at = &m->file->v[container];
	/* An element comes behind those that are there, and is one text. */
	if (at->type == JSON_ARRAY && (forms->plural || i18next_number(leaf) != at->members))
		return false;
	for (int c = 0; c < PLURAL_CATEGORIES; c++)
		item.form[c] = JSONFILE_NONE;
	return set_forms(m, &item, container, leaf, forms, true, JSONFILE_NONE);
}

/* The text as it will be read: what the state's hash is made of. */
static struct slice
as_read(struct merge *m, const struct forms *forms)
{
	struct forms f = *forms;

	if (!f.plural)
		return f.text[PLURAL_OTHER];
	f.number = S("count");
	buf_reset(&m->text);
	if (!i18next_join(&f, m->old->locale, &m->text))
		return f.text[PLURAL_OTHER];
	return (struct slice){arena_copy(&m->arena, m->text.ptr, m->text.len), m->text.len};
}

/* What has no place in the file stays out of it; the frame, which looks for it, says so. */
static void
change_message(struct merge *m, size_t i)
{
	const struct catalog_change *change = &m->merge->changes[i];
	uint64_t *at = table_get(&m->model.by_key, change->key);
	struct i18next_item *item = at ? &m->model.v[*at] : NULL;
	struct forms forms;

	if (change->write && !change->keep_text) {
		m->read[i].write = i18next_split(change->value, change->format, m->merge->locale,
				       &m->arena, &forms, NULL) == 0 &&
		    (item ? change_item(m, item, &forms) : add_item(m, change, &forms));
		if (m->read[i].write)
			m->read[i].value = as_read(m, &forms);
	} else if (item) {
		m->behind = item->last;
	}
}

/* -- "@@x-kandil" -- */

static void
write_states(struct merge *m, struct edits *edits)
{
	struct arb_states states = {.old = m->old,
	    .changes = m->read,
	    .n = m->merge->n,
	    .changed = &m->changed,
	    .style = &m->file->style,
	    .sources = true};
	struct buf whole = {0};
	enum arb_states_outcome outcome = arb_states_merge(&states, edits, &whole);
	size_t node = m->model.states;

	if (outcome == ARB_STATES_GONE && node != JSONFILE_NONE)
		jsonfile_remove(m->file, node);
	if (outcome == ARB_STATES_WHOLE) {
		if (node == JSONFILE_NONE)
			node = jsonfile_append(m->file, 0, S(ARB_STATE), JSON_OBJECT);
		jsonfile_set_raw(m->file, node, buf_slice(&whole));
	}
	buf_free(&whole);
}

static void
merge_changes(struct merge *m)
{
	const struct catalog_merge *merge = m->merge;

	m->read = xcalloc(merge->n + 1, sizeof(*m->read));
	m->behind = m->sorted_container = JSONFILE_NONE;
	m->file = &m->model.file;
	m->flat = is_flat(m);
	i18next_arrays_open(&m->arrays, merge);
	for (size_t i = 0; i < merge->n; i++) {
		m->read[i] = merge->changes[i];
		*table_put(&m->changed, merge->changes[i].key, NULL) = i + 1;
		change_message(m, i);
	}
}

int
i18next_merge(const struct catalog *old, const struct catalog_merge *merge, struct buf *out,
    struct err *e)
{
	struct merge m = {.old = old, .merge = merge};
	struct edits edits = {0};
	int rc = i18next_open(&m.model, old->text, old->locale, NULL, e);

	if (rc == 0) {
		merge_changes(&m);
		if (!merge->template)
			write_states(&m, &edits);
		if (old->bom)
			buf_adds(out, "\xef\xbb\xbf");
		jsonfile_write(m.file, &edits, out);
	}
	edits_free(&edits);
	free(m.read);
	table_free(&m.changed);
	i18next_arrays_free(&m.arrays);
	buf_free(&m.name);
	buf_free(&m.text);
	arena_free(&m.arena);
	i18next_close(&m.model);
	return rc;
}
