/*
 * Snapshots and the hub's history: those that passed by, for who lacks something that
 * nobody who is here can give; and those that we say for who comes when nobody is.
 */
#include "tools/collab/sync_part.h"

#include "common/mem.h"
#include "common/time.h"

#include <stdlib.h>

enum {
	MESSAGES = 64,		     /* before there is another, while somebody is here */
	AGE_MS = 6 * 3600 * 1000,    /* then there is one after any change */
	LATER_MS = 1000,
	PARTS = 1 << 20,	     /* of snapshots that are noted: then it is begun anew */
	SNAPSHOTS = 64,		     /* that one look takes: each may cost the whole state */
};

/* ---- what a chunk is ---- */

struct chunk {
	int64_t at;
	long long part;
	bool last;
};

/* Its head stands before its rows, which are long. */
static bool
read_chunk(struct slice payload, struct chunk *c)
{
	struct json_walk walk = json_walk(payload);
	struct slice key, value;
	struct stamp id = {0};
	struct buf node = {0};
	unsigned found = 0;

	if (json_type(payload) != JSON_OBJECT)
		return false;
	while (found != 7 && json_member(&walk, &key, &value))
		if (json_is(key, "snapshot") && stamp_get(value, &id, &node, NULL) == 0)
			found |= 1;
		else if (json_is(key, "part") && json_long(value, &c->part) && c->part >= 0)
			found |= 2;
		else if (json_is(key, "last"))
			found |= 4, c->last = json_type(value) == JSON_TRUE;
	buf_free(&node);
	/* A clock that is wrong does not keep us from saying one. */
	c->at = id.l < time_now() ? id.l : time_now();
	return found == 7;
}

/* ---- what they cost ---- */

void
past_message(struct sync *s, const struct stamp *stamp, size_t bytes)
{
	int64_t now = time_now(), at = stamp->l < now ? stamp->l : now;

	/* Of what the history has, the older part is in that snapshot. */
	if (s->since.size && stamp->l < s->since.at)
		return;
	if (s->since.at == 0 || at < s->since.at)
		s->since.at = at;
	s->since.messages++;
	s->since.bytes += bytes;
}

long long
past_chunk(struct sync *s, const struct party_entry *entry)
{
	struct replica *r = hear_replica(s, entry->from);
	struct chunk c;

	if (!read_chunk(entry->payload, &c))
		return -1;
	if (c.part == 0)
		r->coming = entry->payload.len;
	else if (r->coming)
		r->coming += entry->payload.len;
	if (c.last && r->coming) {
		if (c.at >= s->since.at)
			s->since = (struct since){.at = c.at, .size = r->coming};
		/* The first that is heard: all that was counted came after it. */
		else if (s->since.size == 0)
			s->since.at = c.at, s->since.size = r->coming;
		r->coming = 0;
	}
	return c.part;
}

/* ---- those that passed by ---- */

static void
drop_parts(struct sync *s, struct parts *p)
{
	s->parts -= p->n;
	free(p->at);
	*p = (struct parts){0};
}

static void
drop_all(struct sync *s)
{
	for (size_t i = 0; i < s->nreplicas; i++) {
		drop_parts(s, &s->replicas[i]->begun);
		drop_parts(s, &s->replicas[i]->whole);
	}
}

static void
note_chunk(struct sync *s, struct replica *r, const struct chunk *c, uint64_t place)
{
	if (s->parts >= PARTS)
		drop_all(s);
	if (c->part == 0)
		drop_parts(s, &r->begun);
	else if (r->begun.n == 0)
		return;
	r->begun.at = xgrow(r->begun.at, r->begun.n, &r->begun.cap, sizeof(*r->begun.at));
	r->begun.at[r->begun.n++] = place;
	s->parts++;
	if (!c->last)
		return;
	drop_parts(s, &r->whole);
	r->whole = r->begun;
	r->begun = (struct parts){0};
}

/* Where in the inbox each sender's newest one lies. */
static void
note_chunks(struct sync *s)
{
	uint64_t first, last, taken, place;
	struct party_entry entry;
	struct chunk c;

	party_places(s->party, &first, &last, &taken);
	place = s->noted >= first ? s->noted + 1 : first;
	for (; place && place <= taken; place++) {
		if (!party_read(s->party, place, &entry) || entry.what != PARTY_MESSAGE ||
		    entry.seq == 0 || !slice_is(entry.event, "chunk") ||
		    slice_is(entry.from, s->self) || !read_chunk(entry.payload, &c))
			continue;
		note_chunk(s, hear_replica(s, entry.from), &c, place);
	}
	s->noted = taken;
}

/* The newest of one sender: true: it has become a part of ours. */
static bool
take_one(struct sync *s, const struct replica *r)
{
	struct state *snapshot = hear_fresh();
	struct party_entry entry;
	struct err e;
	bool joined;
	int rc = 0;

	for (size_t i = 0; i < r->whole.n && rc == 0; i++)
		if (party_read(s->party, r->whole.at[i], &entry))
			rc = state_load(snapshot, entry.payload, &e);
	joined = rc > 0 && hear_join(s, snapshot, r->name);
	state_free(snapshot);
	return joined;
}

/* The place of the last part of one that is whole; 0: there is none. */
static uint64_t
end_of(const struct replica *r)
{
	return r->whole.n ? r->whole.at[r->whole.n - 1] : 0;
}

/* Whose is the newest that is not a part of ours; NULL: there is none. */
static struct replica *
newest(struct sync *s)
{
	struct replica *best = NULL;

	for (size_t i = 0; i < s->nreplicas; i++) {
		struct replica *r = s->replicas[i];

		if (end_of(r) > r->joined && (best == NULL || end_of(r) > end_of(best)))
			best = r;
	}
	return best;
}

bool
past_look(struct sync *s)
{
	struct replica *r;
	bool any = false;

	note_chunks(s);
	for (int i = 0; i < SNAPSHOTS && (r = newest(s)) != NULL; i++) {
		any |= take_one(s, r);
		r->joined = end_of(r);
		drop_parts(s, &r->whole);
	}
	/* Also by what a head said since, a hole may be none. */
	if (any || (s->want_at >= 0 && !s->lacking))
		head_looked(s);
	return any;
}

/* ---- those that we say ---- */

static bool
is_due(const struct sync *s, uint64_t messages)
{
	if (s->since.messages == 0 || state_newest(s->state).l == 0)
		return false;
	return (s->since.messages >= messages && s->since.bytes >= s->since.size) ||
	    time_now() - s->since.at >= AGE_MS;
}

/* There is a history, we know who is here, and what we say would be all. */
static bool
may_say(struct sync *s)
{
	return party_is_up(s->party) && party_has_history(s->party) && party_has_roster(s->party) &&
	    party_is_whole(s->party) && !s->new && !s->renewing && s->want_at < 0 && s->lag_at < 0 &&
	    hear_first(s) == 0 && !s->own_hole && s->chunks.next == s->chunks.n;
}

static bool
has_company(const struct sync *s)
{
	struct slice from;
	size_t at = 0;

	return !party_has_roster(s->party) || party_each(s->party, &at, &from);
}

static bool
is_lowest(struct sync *s)
{
	struct slice from;
	size_t at = 0;

	while (party_each(s->party, &at, &from))
		if (slice_cmp(from, slice(s->self)) < 0)
			return false;
	return true;
}

void
past_begun(struct sync *s, const struct stamp *id)
{
	s->saying = s->since;
	s->saying.at = id->l;
	s->saying.size = 0;
}

void
past_said(struct sync *s)
{
	struct since *now = &s->since, *then = &s->saying;

	/* Another one was heard meanwhile: it is the newer one. */
	if (then->size == 0 || now->at > then->at)
		return;
	now->messages -= then->messages < now->messages ? then->messages : now->messages;
	now->bytes -= then->bytes < now->bytes ? then->bytes : now->bytes;
	now->at = then->at;
	now->size = then->size;
	then->size = 0;
	s->dirty = true;
}

int64_t
past_turn(struct sync *s)
{
	int64_t left;

	/* Somebody new cannot know what it lacks: of what passed by, nothing is left out. */
	if (s->new && party_is_whole(s->party)) {
		s->new = false;
		s->blank = s->blank && has_company(s);
		if (party_has_history(s->party))
			past_look(s);
	}
	if (!party_is_up(s->party) || !party_has_history(s->party) || s->since.messages == 0)
		return -1;
	left = s->since.at + AGE_MS - time_now();
	if (!is_due(s, MESSAGES))
		return left > LATER_MS ? left : LATER_MS;
	if (!is_lowest(s))
		return -1;
	if (!may_say(s))
		return LATER_MS;
	head_snapshot(s);
	return LATER_MS;
}

bool
past_leave(struct sync *s)
{
	if (s->left || !may_say(s) || !is_due(s, 1) || has_company(s))
		return false;
	s->left = true;
	head_snapshot(s);
	return s->chunks.next != s->chunks.n;
}
