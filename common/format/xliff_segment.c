/* States as words of attributes, and segments by their texts. */
#include "common/format/xliff_segment.h"

#include "common/format/arb.h"

enum { HASH = 16 }; /* hex digits */

/* -- states -- */

/*
 * A subState of ours without the hash at its end; empty where the target says
 * another text than the one that the hash is of.
 */
static struct slice
without_hash(const struct xliff_segment *s)
{
	struct slice own = s->substate;
	struct buf hash = {0};
	bool same;

	if (own.len <= HASH + 1 || own.ptr[own.len - HASH - 1] != '-' || !s->target.span.end)
		return own;
	arb_hash(s->target.text, &hash);
	same = slice_ends(own, hash.ptr);
	buf_free(&hash);
	return same ? (struct slice){own.ptr, own.len - HASH - 1} : S("");
}

enum catalog_state
xliff_state_of(const struct xliff_segment *s, bool *stale, bool *edited)
{
	bool initial = !s->state.ptr || slice_is(s->state, "initial");
	bool translated = s->state.ptr && slice_is(s->state, "translated");
	struct slice own;

	if (s->substate.ptr && slice_starts(s->substate, "kandil:") && (initial || translated)) {
		own = without_hash(s);
		/* What a person wrote is a translation, whatever the segment says still. */
		if (!own.len)
			return *edited = true, CATALOG_TRANSLATED;
		if (initial && slice_starts(own, "kandil:stale"))
			*stale = true;
		if (initial && slice_ends(own, "draft"))
			return CATALOG_DRAFT;
		return slice_ends(own, "fuzzy") ? CATALOG_FUZZY : CATALOG_TRANSLATED;
	}
	if (!s->state.ptr || translated)
		return CATALOG_TRANSLATED;
	if (slice_is(s->state, "reviewed") || slice_is(s->state, "final"))
		return CATALOG_APPROVED;
	return initial ? CATALOG_DRAFT : CATALOG_TRANSLATED;
}

struct xliff_words
xliff_words_of(const struct catalog_change *c)
{
	if (c->stale)
		return (struct xliff_words){"initial",
		    c->state == CATALOG_DRAFT	  ? "kandil:stale-draft"
			: c->state == CATALOG_FUZZY ? "kandil:stale-fuzzy"
						    : "kandil:stale"};
	if (c->state == CATALOG_DRAFT)
		return (struct xliff_words){"initial", "kandil:draft"};
	if (c->state == CATALOG_FUZZY)
		return (struct xliff_words){"translated", "kandil:fuzzy"};
	return (struct xliff_words){c->state == CATALOG_APPROVED ? "reviewed" : "translated", NULL};
}

struct slice
xliff_substate(const struct xliff_words *w, struct slice text, struct arena *arena)
{
	struct buf b = {0};
	struct slice made;

	if (!w->substate)
		return (struct slice){NULL, 0};
	buf_addf(&b, "%s-", w->substate);
	arb_hash(text, &b);
	made = (struct slice){arena_copy(arena, b.ptr, b.len), b.len};
	buf_free(&b);
	return made;
}

/* -- texts -- */

/* What a segment puts into the unit's translation; ptr NULL: it has no target. */
static struct slice
part_of(const struct xliff_segment *s)
{
	if (s->target.span.end)
		return s->target.text;
	return s->ignorable ? s->source.text : (struct slice){NULL, 0};
}

const struct xliff_segment *
xliff_changed_segment(const struct xliff_unit *u, struct slice text, struct slice *part)
{
	struct slice one, rest = text;
	size_t first = 0, last = u->n;

	for (size_t i = 0; i < u->n; i++)
		if (!part_of(&u->segments[i]).ptr)
			return NULL;
	for (; first < u->n; first++) {
		one = part_of(&u->segments[first]);
		if (rest.len < one.len || memcmp(rest.ptr, one.ptr, one.len) != 0)
			break;
		rest.ptr += one.len;
		rest.len -= one.len;
	}
	if (first == u->n || u->segments[first].ignorable)
		return NULL;
	for (; last > first + 1; last--) {
		one = part_of(&u->segments[last - 1]);
		if (rest.len < one.len ||
		    memcmp(rest.ptr + rest.len - one.len, one.ptr, one.len) != 0)
			return NULL;
		rest.len -= one.len;
	}
	/* One that says nothing any more is better joined with its neighbours. */
	if (!rest.len)
		return NULL;
	*part = rest;
	return &u->segments[first];
}
