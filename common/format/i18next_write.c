/* Merging: forms find or get their members, in the place and style of the file. */
#include "common/format/i18next.h"

#include "common/format/arb.h"
#include "common/format/arb_state.h"
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
	size_t behind;		     /* the last member of the change before */
	size_t sorted_container;     /* the one that was looked at last */
	bool sorted, flat;
	struct buf name, text;
	struct arena arena;
	struct err *e;
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

/* Prose that is its own key ("Wait. Go on") has dots that separate nothing. */
static bool
is_path(struct slice key)
{
	bool start = true;

	for (size_t i = 0; i < key.len; i++) {
		if (key.ptr[i] == ' ' || (start && key.ptr[i] == '.'))
			return false;
		start = key.ptr[i] == '.';
	}
	return key.len && !start;
}

static size_t
array_element(const struct jsonfile *f, size_t array, struct slice number)
{
	size_t i = f->v[array].first;
	unsigned long index = 0;

	for (size_t k = 0; k < number.len; k++) {
		if (number.ptr[k] < '0' || number.ptr[k] > '9' || index > 1000000)
			return JSONFILE_NONE;
		index = index * 10 + (unsigned long)(number.ptr[k] - '0');
	}
	while (i != JSONFILE_NONE && index--)
		i = f->v[i].next;
	return number.len ? i : JSONFILE_NONE;
}

/*
 * The object that a new key belongs in, made where it is not there; *leaf is
 * the name in it. Where a text stands in the way the rest of the path stays
 * whole, as i18next also finds it.
 */
static size_t
container_for(struct merge *m, struct slice key, struct slice *leaf)
{
	struct jsonfile *f = m->file;
	size_t at = 0, child;
	const char *dot;

	*leaf = key;
	if (m->flat || !is_path(key))
		return 0;
	while ((dot = memchr(leaf->ptr, '.', leaf->len)) != NULL) {
		struct slice name = {leaf->ptr, (size_t)(dot - leaf->ptr)};
		child = jsonfile_child(f, at, name);
		if (child != JSONFILE_NONE && f->v[child].type == JSON_ARRAY) {
			struct slice number = {dot + 1, leaf->len - name.len - 1};
			const char *end = memchr(number.ptr, '.', number.len);
			child = end ? array_element(f, child,
					  (struct slice){number.ptr, (size_t)(end - number.ptr)})
				    : JSONFILE_NONE;
			if (child == JSONFILE_NONE || f->v[child].type != JSON_OBJECT)
				return at;
			dot = end;
		} else if (child == JSONFILE_NONE) {
			child = jsonfile_add(f, at, place_for(m, at, name), name, JSON_OBJECT);
			m->behind = child;
		}
		if (f->v[child].type != JSON_OBJECT)
			return at;
		*leaf = (struct slice){dot + 1, (size_t)(leaf->ptr + leaf->len - dot) - 1};
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

/* The member of that name where it is no object; -1 where it is one. */
static int
find_member(struct merge *m, size_t container, struct slice name, size_t *node)
{
	*node = m->file->v[container].type == JSON_OBJECT ? jsonfile_child(m->file, container, name)
							  : JSONFILE_NONE;
	if (*node == JSONFILE_NONE || m->file->v[*node].type < JSON_ARRAY)
		return 0;
	return err_set(m->e, "cannot_say",
	    "%s: '%.*s' is an object in the file and a text in the records: rename one",
	    m->old->name, (int)(name.len < 80 ? name.len : 80), name.ptr);
}

/*
 * The member that a form is to stand in: the one of its name, else the one
 * that the item has for it, else spare (the one text of what becomes a plural).
 */
static int
member_for(struct merge *m, size_t container, struct slice name, size_t own, size_t *spare,
    size_t *node)
{
	if (find_member(m, container, name, node) < 0)
		return -1;
	if (*node != JSONFILE_NONE && own != JSONFILE_NONE && own != *node)
		jsonfile_remove(m->file, own);
	if (*node == JSONFILE_NONE)
		*node = own;
	if (*node == JSONFILE_NONE) {
		*node = *spare;
		*spare = JSONFILE_NONE;
	}
	if (*node != JSONFILE_NONE && m->file->v[container].type == JSON_OBJECT)
		jsonfile_rename(m->file, *node, name);
	return 0;
}

/*
 * Gives the item's members the texts of the forms: those that are there stay
 * in their places, new ones come behind the form before them, or behind start
 * (fresh: where a new key belongs).
 */
static int
set_forms(struct merge *m, struct i18next_item *item, size_t container, struct slice stem,
    const struct forms *forms, bool fresh, size_t start)
{
	struct jsonfile *f = m->file;
	size_t spare = JSONFILE_NONE, node;

	if (!item->plural && forms->plural) {
		spare = item->form[PLURAL_OTHER];
		item->form[PLURAL_OTHER] = JSONFILE_NONE;
	}
	for (int c = 0; c < PLURAL_CATEGORIES; c++) {
		if (!forms->text[c].ptr) {
			if (item->form[c] != JSONFILE_NONE)
				jsonfile_remove(f, item->form[c]);
			continue;
		}
		struct slice name = form_name(m, stem, forms, c);
		if (member_for(m, container, name, item->form[c], &spare, &node) < 0)
			return -1;
		if (node == JSONFILE_NONE) {
			if (fresh || is_sorted(m, container))
				start = place_for(m, container, name);
			node = jsonfile_add(f, container, start, name, JSON_STRING);
		}
		jsonfile_set(f, node, forms->text[c]);
		start = m->behind = node;
		fresh = false;
	}
	if (spare != JSONFILE_NONE)
		jsonfile_remove(f, spare);
	return 0;
}

static int
change_item(struct merge *m, struct i18next_item *item, const struct forms *forms)
{
	const struct jsonfile_node *first = &m->file->v[item->first];

	if (forms->plural && m->file->v[first->parent].type == JSON_ARRAY)
		return err_set(m->e, "cannot_say",
		    "%s: '%.*s' is an element of an array and cannot become a plural",
		    m->old->name, (int)(item->key.len < 80 ? item->key.len : 80), item->key.ptr);
	return set_forms(m, item, first->parent, stem_of(m, item), forms, false, first->previous);
}

static int
add_item(struct merge *m, const struct catalog_change *change, const struct forms *forms)
{
	struct i18next_item item = {.key = change->key, .plural = forms->plural};
	struct slice leaf;
	size_t container = container_for(m, change->key, &leaf);

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

static int
change_message(struct merge *m, size_t i)
{
	const struct catalog_change *change = &m->merge->changes[i];
	uint64_t *at = table_get(&m->model.by_key, change->key);
	struct i18next_item *item = at ? &m->model.v[*at] : NULL;
	struct forms forms;
	int rc = 0;

	if (change->write && !change->keep_text) {
		rc = i18next_split(change->value, change->format, m->merge->locale, &m->arena,
		    &forms, m->e);
		if (rc == 0)
			rc = item ? change_item(m, item, &forms) : add_item(m, change, &forms);
		if (rc == 0)
			m->read[i].value = as_read(m, &forms);
	} else if (item) {
		m->behind = item->last;
	}
	return rc;
}

/* -- "@@x-kandil" -- */

static void
write_states(struct merge *m, struct edits *edits)
{
	struct arb_states states = {.old = m->old,
	    .changes = m->read,
	    .n = m->merge->n,
	    .changed = &m->changed,
	    .style = &m->file->style};
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

static int
merge_changes(struct merge *m)
{
	const struct catalog_merge *merge = m->merge;
	int rc = 0;

	m->read = xcalloc(merge->n + 1, sizeof(*m->read));
	m->behind = m->sorted_container = JSONFILE_NONE;
	m->file = &m->model.file;
	m->flat = is_flat(m);
	for (size_t i = 0; rc == 0 && i < merge->n; i++) {
		m->read[i] = merge->changes[i];
		*table_put(&m->changed, merge->changes[i].key, NULL) = i + 1;
		rc = change_message(m, i);
	}
	return rc;
}

int
i18next_merge(const struct catalog *old, const struct catalog_merge *merge, struct buf *out,
    struct err *e)
{
	struct merge m = {.old = old, .merge = merge, .e = e};
	struct edits edits = {0};
	int rc = i18next_open(&m.model, old->text, old->locale, NULL, e);

	if (rc == 0)
		rc = merge_changes(&m);
	if (rc == 0) {
		if (!merge->template)
			write_states(&m, &edits);
		if (old->bom)
			buf_adds(out, "\xef\xbb\xbf");
		jsonfile_write(m.file, &edits, out);
	}
	edits_free(&edits);
	free(m.read);
	table_free(&m.changed);
	buf_free(&m.name);
	buf_free(&m.text);
	arena_free(&m.arena);
	i18next_close(&m.model);
	return rc;
}
