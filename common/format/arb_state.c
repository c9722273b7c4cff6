/*
 * A member of @@x-kandil is kept, replaced or removed; new ones take their
 * place in the order of keys. Within a member ours are written anew, and all
 * others stay.
 */
#include "common/format/arb_state.h"

#include "common/format/arb.h"
#include "common/json.h"

#include <stdlib.h>

struct piece {
	struct slice key, raw_name, value; /* raw_name: as in the file; len 0: a new one */
	size_t start, value_start, end; /* of the file's text */
	bool removed, changed;
};

struct plan {
	const struct arb_states *s;
	struct piece *v;
	size_t n, cap, nold, kept;
	struct table there; /* key → 1 */
	struct arena arena;
	struct buf text;
};

static const char *const ours[] = {"source", "stale", "status", "text"};

static bool
is_ours(struct slice name)
{
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		if (json_is(name, ours[i]))
			return true;
	return false;
}

static struct slice
keep(struct plan *p, struct slice s)
{
	return (struct slice){arena_copy(&p->arena, s.len ? s.ptr : "", s.len), s.len};
}

/* Whether the object has members of ours and no others. */
static bool
is_only_ours(struct slice object)
{
	struct json_walk w;
	struct slice name, value;
	bool any = false;

	if (json_type(object) != JSON_OBJECT)
		return false;
	w = json_walk(object);
	for (; json_member(&w, &name, &value); any = true)
		if (!is_ours(name))
			return false;
	return any;
}

static void
put_name(struct plan *p, const char *name)
{
	const struct arb_style *style = p->s->style;

	if (p->text.len > 1)
		buf_adds(&p->text, style->comma.len > 1 || style->lines ? ", " : ",");
	buf_addf(&p->text, "\"%s\"%s", name, style->colon.len > 1 ? ": " : ":");
}

/*
 * What is to be said of a change; a text that is simply translated needs
 * nothing, but where its source is to be remembered.
 */
static void
put_ours(struct plan *p, const struct catalog_change *c, bool approved)
{
	bool noted = c->stale || c->state == CATALOG_DRAFT || c->state == CATALOG_FUZZY ||
	    (p->s->sources && c->was_hash.len);

	if (c->was_hash.len && noted) {
		put_name(p, "source");
		buf_addf(&p->text, "\"%.*s\"", (int)c->was_hash.len, c->was_hash.ptr);
	}
	if (c->stale) {
		put_name(p, "stale");
		buf_adds(&p->text, "true");
	}
	if (c->state == CATALOG_DRAFT || c->state == CATALOG_FUZZY || approved) {
		put_name(p, "status");
		buf_addf(&p->text, "\"%s\"", catalog_state_name(c->state));
	}
	if (noted) {
		put_name(p, "text");
		buf_addc(&p->text, '"');
		arb_hash(c->value, &p->text);
		buf_addc(&p->text, '"');
	}
}

/*
 * The object of one key: ours as the change says (NULL: nothing), then all
 * that is not ours. ptr NULL: nothing is left.
 */
static struct slice
compose(struct plan *p, struct slice old, const struct catalog_change *c, bool approved)
{
	struct json_walk w;
	struct slice name, value;

	buf_reset(&p->text);
	buf_addc(&p->text, '{');
	if (c)
		put_ours(p, c, approved);
	if (old.len && json_type(old) == JSON_OBJECT) {
		w = json_walk(old);
		while (json_member(&w, &name, &value)) {
			if (is_ours(name))
				continue;
			if (p->text.len > 1)
				buf_adds(&p->text, ", ");
			buf_add(&p->text, name.ptr, (size_t)(value.ptr + value.len - name.ptr));
		}
	}
	if (p->text.len == 1)
		return (struct slice){NULL, 0};
	buf_addc(&p->text, '}');
	return keep(p, buf_slice(&p->text));
}

static struct piece *
add(struct plan *p)
{
	p->v = xgrow(p->v, p->n, &p->cap, sizeof(*p->v));
	p->v[p->n] = (struct piece){0};
	return &p->v[p->n++];
}

static const struct catalog_change *
change_of(const struct plan *p, struct slice key)
{
	uint64_t *at = p->s->n ? table_get(p->s->changed, key) : NULL;

	return at && p->s->changes[*at - 1].write ? &p->s->changes[*at - 1] : NULL;
}

/* What becomes of a member that is there. */
static void
decide(struct plan *p, struct piece *piece)
{
	const struct catalog_entry *e = catalog_find(p->s->old, piece->key);
	const struct catalog_change *c = change_of(p, piece->key);
	struct slice value = piece->value;
	bool object = json_type(value) == JSON_OBJECT;

	if (!object && !c)
		return;
	if (c)
		value = compose(p, value, c,
		    e && e->state == CATALOG_APPROVED && c->state == CATALOG_APPROVED);
	else if (!e && is_only_ours(value))
		value.ptr = NULL; /* of a message that is gone */
	else if (e && e->edited)
		value = compose(p, value, NULL, false);
	/* What is no object of ours gives way only to one. */
	if (!object && !value.ptr)
		return;
	piece->removed = value.ptr == NULL;
	piece->changed = !piece->removed && !slice_eq(value, piece->value);
	piece->value = value;
}

static void
plan_old(struct plan *p)
{
	struct slice states = p->s->old->states, name, value;
	struct json_walk w;

	if (!states.len || json_type(states) != JSON_OBJECT)
		return;
	w = json_walk(states);
	while (json_member(&w, &name, &value)) {
		struct piece *piece = add(p);
		buf_reset(&p->text);
		json_text(name, &p->text);
		*piece = (struct piece){.key = keep(p, buf_slice(&p->text)),
		    .raw_name = name,
		    .value = value,
		    .start = (size_t)(name.ptr - p->s->old->text.ptr),
		    .value_start = (size_t)(value.ptr - p->s->old->text.ptr),
		    .end = (size_t)(value.ptr + value.len - p->s->old->text.ptr)};
		*table_put(&p->there, piece->key, NULL) = 1;
		decide(p, piece);
		p->kept += !piece->removed;
	}
	p->nold = p->n;
}

static int
by_key(const void *a, const void *b)
{
	return slice_cmp(((const struct piece *)a)->key, ((const struct piece *)b)->key);
}

static void
plan_new(struct plan *p)
{
	for (size_t i = 0; i < p->s->n; i++) {
		const struct catalog_change *c = &p->s->changes[i];
		if (!c->write || table_get(&p->there, c->key))
			continue;
		struct slice value = compose(p, (struct slice){NULL, 0}, c, false);
		if (value.ptr)
			*add(p) = (struct piece){.key = c->key, .value = value};
	}
	if (p->n > p->nold)
		qsort(p->v + p->nold, p->n - p->nold, sizeof(*p->v), by_key);
}

static void
put_piece(const struct plan *p, const struct piece *piece, struct buf *out)
{
	if (piece->raw_name.len) {
		buf_addslice(out, piece->raw_name);
		buf_addslice(out, p->s->style->colon);
	} else {
		arb_style_name(p->s->style, piece->key, out);
	}
	buf_addslice(out, piece->value);
}

static void
put_whole(const struct plan *p, struct buf *out)
{
	bool first = true;

	buf_addc(out, '{');
	for (size_t i = 0; i < p->n; i++) {
		if (p->v[i].removed)
			continue;
		arb_style_separate(p->s->style, 2, first, out);
		put_piece(p, &p->v[i], out);
		first = false;
	}
	arb_style_close(p->s->style, 1, out);
	buf_addc(out, '}');
}

/* New members, each behind the kept ones with smaller keys. */
static void
splice_new(const struct plan *p, struct edits *edits)
{
	const struct piece *before = NULL, *first = p->v;
	struct buf b = {0};
	size_t k = 0;

	while (first->removed)
		first++;
	for (size_t i = p->nold; i < p->n; i++) {
		for (; k < p->nold && slice_cmp(p->v[k].key, p->v[i].key) < 0; k++)
			if (!p->v[k].removed)
				before = &p->v[k];
		size_t place = before ? before->end : first->start;
		buf_reset(&b);
		if (before)
			arb_style_separate(p->s->style, 2, false, &b);
		put_piece(p, &p->v[i], &b);
		if (!before)
			arb_style_separate(p->s->style, 2, false, &b);
		edits_add(edits, place, place, buf_slice(&b));
	}
	buf_free(&b);
}

/* Each that goes takes the comma before it along, or the one after it where it is first. */
static void
splice_old(const struct plan *p, struct edits *edits)
{
	bool kept = false;

	for (size_t i = 0; i < p->nold; i++) {
		const struct piece *at = &p->v[i];
		if (at->removed && kept)
			edits_add(edits, p->v[i - 1].end, at->end, S(""));
		else if (at->removed)
			edits_add(edits, at->start, p->v[i + 1].start, S(""));
		else if (at->changed)
			edits_add(edits, at->value_start, at->end, at->value);
		kept |= !at->removed;
	}
}

/* -- reading -- */

/* The decoded string: in place where it has no escape, else in the arena. */
static struct slice
decode(struct catalog *c, struct slice raw)
{
	struct buf b = {0};
	struct slice text = {raw.ptr + 1, raw.len - 2};

	if (!memchr(raw.ptr, '\\', raw.len))
		return text;
	json_text(raw, &b);
	text = (struct slice){arena_copy(&c->arena, b.len ? b.ptr : "", b.len), b.len};
	buf_free(&b);
	return text;
}

/* A mark speaks of one text: where a person wrote another by now, it is done with. */
static void
forget_edited(struct catalog_entry *e, struct slice hash)
{
	struct slice text = e->nvalues ? e->values[0] : S("");
	struct buf b = {0};
	bool same;

	arb_hash(text, &b);
	same = slice_eq(buf_slice(&b), hash);
	buf_free(&b);
	if (same)
		return;
	e->edited = true;
	e->state = text.len ? CATALOG_TRANSLATED : CATALOG_MISSING;
	e->stale = false;
	e->was_hash = (struct slice){NULL, 0};
}

static void
read_state(struct catalog *c, struct slice raw_key, struct slice state)
{
	struct catalog_entry *e = catalog_find(c, decode(c, raw_key));
	struct slice member;
	size_t start = (size_t)(raw_key.ptr - c->text.ptr);
	size_t end = (size_t)(state.ptr - c->text.ptr) + state.len;

	/* State of a key that is gone is forgotten at the next write. */
	if (!e)
		return;
	if (json_type(state) != JSON_OBJECT) {
		catalog_fault(c, "bad-state", (size_t)(e - c->entries), start, end,
		    "the state of a key in '" ARB_STATE "' is no object");
		return;
	}
	if (json_get(state, "status", &member) &&
	    (json_type(member) != JSON_STRING || !catalog_state_of(decode(c, member), &e->state)))
		catalog_fault(c, "bad-state", (size_t)(e - c->entries), start, end,
		    "the status is none of draft, fuzzy, translated, approved");
	e->stale = json_get(state, "stale", &member) && json_type(member) == JSON_TRUE;
	if (json_get(state, "source", &member) && json_type(member) == JSON_STRING)
		e->was_hash = decode(c, member);
	if (json_get(state, "text", &member) && json_type(member) == JSON_STRING)
		forget_edited(e, decode(c, member));
}

void
arb_states_read(struct catalog *c)
{
	struct json_walk w;
	struct slice key, value;

	if (!c->states.len)
		return;
	if (json_type(c->states) != JSON_OBJECT) {
		size_t start = (size_t)(c->states.ptr - c->text.ptr);
		catalog_fault(c, "bad-state", SIZE_MAX, start, start + c->states.len,
		    "'" ARB_STATE "' is no object");
		return;
	}
	w = json_walk(c->states);
	while (json_member(&w, &key, &value))
		read_state(c, key, value);
}

enum arb_states_outcome
arb_states_merge(const struct arb_states *s, struct edits *edits, struct buf *whole)
{
	struct plan p = {.s = s};
	enum arb_states_outcome outcome = ARB_STATES_EDITED;
	bool object = !s->old->states.len || json_type(s->old->states) == JSON_OBJECT;

	plan_old(&p);
	plan_new(&p);
	bool nothing = p.kept == 0 && p.n == p.nold;
	if (!object && nothing && s->rebuild)
		buf_addslice(whole, s->old->states);
	else if (object && nothing)
		outcome = ARB_STATES_GONE;
	else if (!nothing && (!object || s->rebuild || p.kept == 0))
		put_whole(&p, whole);
	else if (object) {
		splice_new(&p, edits);
		splice_old(&p, edits);
	}
	if (whole->len)
		outcome = ARB_STATES_WHOLE;
	free(p.v);
	table_free(&p.there);
	arena_free(&p.arena);
	buf_free(&p.text);
	return outcome;
}
