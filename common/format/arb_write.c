/* Merging into ARB: splices at the places that the reader found. */
#include "common/format/arb.h"

#include "common/format/arb_meta.h"
#include "common/format/arb_state.h"
#include "common/json.h"

#include <stdlib.h>

struct member {
	struct slice name; /* raw */
	size_t start, end; /* of text */
	bool removed;
};

struct merge {
	const struct catalog *old;
	const struct catalog_change *changes;
	size_t n;
	bool metadata;
	size_t base; /* what spans count more than text: the BOM */
	struct arb_style style;
	struct edits edits;
	struct member *members;
	size_t nmembers, cap;
	struct table changed; /* key → index of its change, + 1 */
	bool sorted;
	bool hollow; /* is_hollow: nmembers is 0 then */
	struct buf text;
};

void
arb_skeleton(struct slice locale, struct buf *out)
{
	buf_adds(out, "{\n  \"@@locale\": ");
	json_quote(out, locale);
	buf_adds(out, "\n}\n");
}

static struct slice
object_of(const struct catalog *c)
{
	return slice_trim(c->text);
}

static void
list_members(struct merge *m)
{
	struct json_walk w = json_walk(object_of(m->old));
	struct slice key, value;

	while (json_member(&w, &key, &value)) {
		m->members = xgrow(m->members, m->nmembers, &m->cap, sizeof(*m->members));
		m->members[m->nmembers++] = (struct member){.name = key,
		    .start = (size_t)(key.ptr - m->old->text.ptr),
		    .end = (size_t)(value.ptr + value.len - m->old->text.ptr)};
	}
}

/* Enough keys to tell, each greater than the one before. */
static bool
is_sorted(const struct catalog *c)
{
	for (size_t i = 1; i < c->n; i++)
		if (slice_cmp(c->entries[i - 1].key, c->entries[i].key) >= 0)
			return false;
	return c->n >= 5;
}

static size_t
entry_end(const struct merge *m, const struct catalog_entry *e)
{
	size_t end = e->span.end > e->meta_span.end ? e->span.end : e->meta_span.end;

	return end - m->base;
}

/* Behind the greatest key that is smaller; 0: all are greater. */
static size_t
sorted_place(const struct merge *m, struct slice key)
{
	size_t low = 0, high = m->old->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (slice_cmp(m->old->entries[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? entry_end(m, &m->old->entries[low - 1]) : 0;
}

/* Behind the last member, but before the states. */
static size_t
default_place(const struct merge *m)
{
	size_t place = 0;

	for (size_t i = 0; i < m->nmembers; i++)
		if (!json_is(m->members[i].name, ARB_STATE))
			place = m->members[i].end;
	return place ? place : m->nmembers ? m->members[m->nmembers - 1].end : 0;
}

/* Inserts `, "name": value…` behind the member that ends at place. */
static void
insert(struct merge *m, size_t place, struct slice name, struct slice value)
{
	struct buf b = {0};
	bool first = m->nmembers == 0 && m->edits.n == 0;

	if (m->nmembers == 0)
		place = (size_t)(object_of(m->old).ptr - m->old->text.ptr) + 1;
	arb_style_separate(&m->style, 1, first, &b);
	arb_style_name(&m->style, name, &b);
	buf_addslice(&b, value);
	edits_add(&m->edits, place, place, buf_slice(&b));
	buf_free(&b);
}

static struct slice
quoted(struct merge *m, struct slice text)
{
	buf_reset(&m->text);
	json_quote(&m->text, text);
	return buf_slice(&m->text);
}

static void
insert_meta(struct merge *m, const struct catalog_change *change, size_t place)
{
	struct buf name = {0};

	if (!m->metadata || !arb_meta_needed(change))
		return;
	buf_addc(&name, '@');
	buf_addslice(&name, change->key);
	buf_reset(&m->text);
	arb_meta_write(change, &m->style, &m->text);
	insert(m, place, buf_slice(&name), buf_slice(&m->text));
	buf_free(&name);
}

static void
change_entry(struct merge *m, const struct catalog_change *change, const struct catalog_entry *e)
{
	size_t start = e->value_span.start - m->base, end = e->value_span.end - m->base;

	if (!change->write)
		return;
	if (!e->nvalues || !slice_eq(e->values[0], change->value))
		edits_add(&m->edits, start, end, quoted(m, change->value));
	if (!m->metadata)
		return;
	if (!e->meta.ptr)
		insert_meta(m, change, e->span.end - m->base);
	else
		arb_meta_declare(change, e->meta, (size_t)(e->meta.ptr - m->old->text.ptr),
		    &m->style, &m->edits);
}

static void
change_entries(struct merge *m)
{
	size_t place = 0, at;

	for (size_t i = 0; i < m->n; i++) {
		const struct catalog_change *change = &m->changes[i];
		const struct catalog_entry *e = catalog_find(m->old, change->key);

		*table_put(&m->changed, change->key, NULL) = i + 1;
		if (e) {
			change_entry(m, change, e);
			place = entry_end(m, e);
		} else if (change->write) {
			at = m->sorted ? sorted_place(m, change->key) : place;
			at = at ? at : default_place(m);
			insert(m, at, change->key, quoted(m, change->value));
			insert_meta(m, change, at);
			if (!place && !m->sorted)
				place = at;
		}
	}
}

/* -- removing -- */

/* The members marked removed go, each with the comma before it, or after it where it is first. */
static void
remove_members(struct merge *m)
{
	bool kept = false;

	for (size_t i = 0; i < m->nmembers; i++) {
		struct member *at = &m->members[i];
		if (!at->removed)
			kept = true;
		else if (kept)
			edits_add(&m->edits, m->members[i - 1].end, at->end, S(""));
		else if (i + 1 < m->nmembers)
			edits_add(&m->edits, at->start, m->members[i + 1].start, S(""));
		else
			edits_add(&m->edits, at->start, at->end, S(""));
	}
}

/* -- @@x-kandil -- */

static void
write_states(struct merge *m)
{
	struct arb_states states = {.old = m->old,
	    .changes = m->changes,
	    .n = m->n,
	    .changed = &m->changed,
	    .style = &m->style,
	    .rebuild = m->hollow};
	struct member *old = NULL;
	struct buf whole = {0};
	enum arb_states_outcome outcome = arb_states_merge(&states, &m->edits, &whole);

	for (size_t i = 0; i < m->nmembers; i++)
		if (json_is(m->members[i].name, ARB_STATE))
			old = &m->members[i];
	if (old && outcome == ARB_STATES_GONE)
		old->removed = true;
	else if (old && outcome == ARB_STATES_WHOLE)
		edits_add(&m->edits, old->end - m->old->states.len, old->end, buf_slice(&whole));
	else if (outcome == ARB_STATES_WHOLE)
		insert(m, m->nmembers ? m->members[m->nmembers - 1].end : 0, S(ARB_STATE),
		    buf_slice(&whole));
	buf_free(&whole);
}

/*
 * A file of states alone has no member that a new one could stand behind: what
 * is between its brackets is written anew.
 */
static bool
is_hollow(const struct merge *m)
{
	if (m->nmembers != 1 || !json_is(m->members[0].name, ARB_STATE))
		return false;
	for (size_t i = 0; i < m->n; i++)
		if (m->changes[i].write)
			return true;
	return false;
}

/* The bytes between the brackets go, behind what was inserted at their start. */
static void
empty_object(struct merge *m)
{
	struct slice object = object_of(m->old);
	size_t start = (size_t)(object.ptr - m->old->text.ptr);

	edits_add(&m->edits, start + 1, start + object.len - 1, S(""));
}

static void
open_merge(struct merge *m)
{
	m->base = m->old->bom ? 3 : 0;
	m->style = arb_style_of(object_of(m->old));
	m->sorted = is_sorted(m->old);
	list_members(m);
}

static void
finish_merge(struct merge *m, struct buf *out)
{
	if (m->old->bom)
		buf_adds(out, "\xef\xbb\xbf");
	/* Edits lie on members, or at their ends, and members do not overlap. */
	if (!edits_apply(&m->edits, m->old->text, out))
		die(STATUS_FAILED, "%s: changes overlap: this is a fault of the program",
		    m->old->name);
	edits_free(&m->edits);
	table_free(&m->changed);
	free(m->members);
	buf_free(&m->text);
}

/* An object that was empty closes on a line of its own now. */
static void
close_empty(struct merge *m)
{
	size_t end = (size_t)(object_of(m->old).ptr - m->old->text.ptr) + object_of(m->old).len - 1;

	buf_reset(&m->text);
	arb_style_close(&m->style, 0, &m->text);
	edits_add(&m->edits, end, end, buf_slice(&m->text));
}

void
arb_merge(const struct catalog *old, const struct catalog_change *changes, size_t n, bool metadata,
    struct buf *out)
{
	struct merge m = {.old = old, .changes = changes, .n = n, .metadata = metadata};

	open_merge(&m);
	m.hollow = is_hollow(&m);
	if (m.hollow)
		m.nmembers = 0;
	change_entries(&m);
	write_states(&m);
	remove_members(&m);
	if (m.hollow)
		empty_object(&m);
	if (m.nmembers == 0 && m.edits.n)
		close_empty(&m);
	finish_merge(&m, out);
}
