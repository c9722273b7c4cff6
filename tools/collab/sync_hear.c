#include "tools/collab/sync_part.h"

#include "common/mem.h"
#include "common/time.h"

#include <stdlib.h>

enum {
	HOLE_MS = 200,	/* a hole is waited for so long, for the snapshot may be on its way */
	LAG_MS = 3000,	/* messages that another has and the session does not bring */
	CLOSED_MS = 500,
	EARLY_MS = 5000, /* what waits for our clock is tried again so often */
	FAR_MS = 3600 * 1000, /* what would wait longer is let go: a snapshot may bring it */
	STEP_MS = 1000,	 /* by so much our clock was set */
	HOLD = 16 << 20, /* bytes of the inbox that are kept for what could not be merged */
};

struct replica *
hear_replica(struct sync *s, struct slice name)
{
	uint64_t *at = table_get(&s->names, name);
	struct replica *r;

	if (at)
		return s->replicas[*at];
	r = xcalloc(1, sizeof(*r));
	r->name = xstrndup(name.ptr, name.len);
	r->heard = time_now();
	s->replicas = xgrow(s->replicas, s->nreplicas, &s->replicas_cap, sizeof(struct replica *));
	*table_put(&s->names, slice(r->name), NULL) = s->nreplicas;
	s->replicas[s->nreplicas++] = r;
	return r;
}

/* A stamp that cannot be true: once for each whose it is. */
static void
refuse_clock(struct sync *s, struct slice from, const struct err *e)
{
	struct replica *r = hear_replica(s, from);
	struct buf place = {0};

	if (r->ahead)
		return;
	r->ahead = true;
	json_add(&place, "topic", buf_slice(&s->topic));
	json_add(&place, "from", from);
	if (s->set->patches)
		run_fail(s->run, buf_slice(&place), "clock_ahead", true, "%s", e->text);
	else
		warn("'%.*s': %s", (int)from.len, from.ptr, e->text);
	run_status(s->run, STATUS_PARTIAL);
	buf_free(&place);
}

static void
refuse_patch(struct sync *s, struct slice from, const struct err *e)
{
	struct replica *r = hear_replica(s, from);

	if (!r->refused)
		warn("changes by '%s' are not taken: %s", r->name, e->text);
	r->refused = true;
	run_status(s->run, STATUS_PARTIAL);
}

/* ms until our clock has come near enough to that stamp. */
static int64_t
clock_wait(const struct stamp *stamp)
{
	return stamp->l - CLOCK_AHEAD - time_now() + 1;
}

/* What came is of no use before our clock has come near it: others are asked then. */
static void
note_ahead(struct sync *s, const struct stamp *stamp)
{
	int64_t wait = clock_wait(stamp);

	wait = time_ms() + (wait > EARLY_MS ? wait : EARLY_MS);
	if (s->ask_at < 0 || wait < s->ask_at)
		s->ask_at = wait;
}

/* The entry at that place waits for our clock. */
static void
note_early(struct sync *s, const struct party_entry *entry, const struct stamp *stamp)
{
	int64_t wait = clock_wait(stamp);

	hear_replica(s, entry->from)->early = true;
	if (wait > FAR_MS) {
		note_ahead(s, stamp);
		return;
	}
	wait = time_ms() + (wait < EARLY_MS ? wait : EARLY_MS);
	if (s->early == 0 || wait < s->early_at)
		s->early_at = wait;
	if (s->early == 0 || entry->place < s->early)
		s->early = entry->place;
}

uint64_t
hear_first(const struct sync *s)
{
	return s->hole == 0 || (s->early && s->early < s->hole) ? s->early : s->hole;
}

/* The entry at that place could not be merged: if not the session, a snapshot heals it. */
static void
note_hole(struct sync *s, uint64_t place, int64_t delay)
{
	if (s->hole == 0 || place < s->hole)
		s->hole = place;
	head_want(s, S(""), delay);
}

/* ---- patches ---- */

static enum state_result
hear_patch(struct sync *s, const struct party_entry *entry, bool again)
{
	struct stamp stamp = {.node = entry->from};
	enum state_result result;
	struct slice patch;
	struct err e;

	if (state_get_patch(entry->payload, &stamp, &patch, &e) != 0)
		return state_seen(s->state, entry->from, entry->seq, &e);
	if (clock_receive(&s->clock, &stamp, time_now(), &e) != 0) {
		refuse_clock(s, entry->from, &e);
		note_early(s, entry, &stamp);
		return STATE_KNOWN;
	}
	result = state_merge(s->state, &stamp, entry->seq, patch, &e);
	if (result == STATE_MERGED) {
		s->changed = true;
		head_soon(s, -1);
		if (!again)
			past_message(s, &stamp, entry->payload.len);
	} else if (result == STATE_GAP && state_apply(s->state, &stamp, patch, &e) == STATE_MERGED) {
		/* Its value counts at once; that all before it is here, a snapshot says. */
		s->changed = true;
		if (!again)
			past_message(s, &stamp, entry->payload.len);
	} else if (result == STATE_REFUSED) {
		refuse_patch(s, entry->from, &e);
	} else if (result == STATE_BEHIND) {
		/* It finds that out by our head; above the floor it counts all the same. */
		s->changed = true;
		head_soon(s, CLOSED_MS);
	}
	return result;
}

/* ---- heads ---- */

bool
hear_is_new(const struct sync *s)
{
	struct slice node;
	uint64_t seq;
	bool closed;
	size_t at = 0;

	while (state_each(s->state, &at, &node, &seq, &closed))
		if (seq && !slice_is(node, s->self))
			return false;
	return true;
}

bool
hear_is_past(const struct sync *s)
{
	struct slice from;
	size_t at = 0;

	return party_has_history(s->party) && party_has_roster(s->party) &&
	    !party_each(s->party, &at, &from);
}

/* Messages that a head names and we lack: the session brings them, or else a snapshot. */
static void
note_lag(struct sync *s, struct slice head)
{
	struct slice vector, key, value, number, stamp;
	struct buf name = {0};
	struct json_walk walk, row;
	long long seq, l;

	if (s->lag_at >= 0 || !json_get(head, "vector", &vector))
		return;
	walk = json_walk(vector);
	while (s->lag_at < 0 && json_member(&walk, &key, &value)) {
		buf_reset(&name);
		row = json_walk(value);
		if (!json_text(key, &name) || !json_element(&row, &number) || !json_long(number, &seq) ||
		    !json_element(&row, &stamp) || !json_long(stamp, &l) ||
		    !state_lacks(s->state, buf_slice(&name), (uint64_t)seq, l != 0))
			continue;
		free(s->lag_of);
		s->lag_of = xstrndup(name.ptr, name.len);
		s->lag_seq = (uint64_t)seq;
		s->lag_at = time_ms() + LAG_MS;
	}
	buf_free(&name);
}

static void
hear_head(struct sync *s, const struct party_entry *entry, bool hello)
{
	enum state_need need = STATE_NOTHING;
	struct replica *r = hear_replica(s, entry->from);
	struct stamp clock = {.node = entry->from};
	struct slice digest;
	struct err e;

	if (state_head_clock(entry->payload, &clock, &e) != 0)
		return;
	r->early_head = clock_receive(&s->clock, &clock, time_now(), &e) != 0;
	if (r->early_head) {
		refuse_clock(s, entry->from, &e);
		note_ahead(s, &clock);
		return;
	}
	if (state_heard(s->state, entry->from, entry->seq, entry->payload, &need, &e) != 0)
		return;
	past_message(s, &clock, entry->payload.len);
	r->head = true;
	if (json_get(entry->payload, "digest", &digest) && digest.len == sizeof(r->digest) + 1)
		memcpy(r->digest, digest.ptr + 1, sizeof(r->digest) - 1);
	if (hear_is_past(s)) {
		/* Only what it has merged is of interest. */
		if (need != STATE_NOTHING)
			note_lag(s, entry->payload);
	} else if (need == STATE_SNAPSHOT || (need == STATE_MESSAGES && hear_is_new(s)) ||
	    (s->blank && !head_is_ours(s, r)))
		/* What it has may be more than its vector says: what came behind a hole. */
		head_want(s, entry->from, 0);
	else if (need == STATE_MESSAGES)
		note_lag(s, entry->payload);
	if (hello)
		head_answer(s, entry->from);
	head_collect(s);
}

/* ---- snapshots ---- */

static void
hear_want(struct sync *s, const struct party_entry *entry)
{
	struct slice to;

	if (json_get(entry->payload, "to", &to) && json_is(to, s->self))
		head_snapshot(s);
}

void
hear_drop_fresh(struct sync *s)
{
	state_free(s->fresh);
	free(s->fresh_from);
	s->fresh = NULL;
	s->fresh_from = NULL;
}

struct state *
hear_fresh(void)
{
	struct state_settings settings = {
	    .max_registers = 2 * SYNC_REGISTERS, .max_bytes = 2 * (size_t)SYNC_BYTES};

	return state_new(&settings);
}

bool
hear_join(struct sync *s, struct state *snapshot, const char *from)
{
	struct stamp newest = state_newest(snapshot);
	struct err e;

	if (newest.l && clock_receive(&s->clock, &newest, time_now(), &e) != 0) {
		refuse_clock(s, newest.node, &e);
		note_ahead(s, &newest);
		head_drop_want(s);
		return false;
	}
	if (state_join(s->state, snapshot, &e) != 0) {
		warn("the state of '%s' cannot be taken: %s", from, e.text);
		return false;
	}
	s->changed = s->dirty = true;
	s->own_hole = s->blank = false;
	return true;
}

static void
hear_chunk(struct sync *s, const struct party_entry *entry)
{
	long long part = past_chunk(s, entry);
	struct err e;
	int rc;

	/* Whoever it was meant for, it is good for whom something is missing. */
	if (s->want_at < 0 || part < 0)
		return;
	if (s->fresh && !slice_is(entry->from, s->fresh_from))
		return;
	if (s->fresh == NULL) {
		/* What began before is found in the inbox. */
		if (part > 0)
			return;
		s->fresh = hear_fresh();
		s->fresh_from = xstrndup(entry->from.ptr, entry->from.len);
	}
	rc = state_load(s->fresh, entry->payload, &e);
	if (rc < 0 && strcmp(e.code, "other_snapshot") == 0) {
		/* It has begun anew. */
		state_free(s->fresh);
		s->fresh = hear_fresh();
		rc = state_load(s->fresh, entry->payload, &e);
	}
	if (rc == 0)
		head_waiting(s);
	if (rc > 0 && hear_join(s, s->fresh, s->fresh_from)) {
		hear_replica(s, entry->from)->joined = entry->place;
		head_joined(s);
	}
	if (rc != 0)
		hear_drop_fresh(s);
}

/* ---- all ---- */

/* again: only what is counted is of interest, its other effects it has had. */
static void
hear(struct sync *s, const struct party_entry *entry, bool again)
{
	enum state_result result;
	struct err e;

	if (slice_is(entry->event, "state"))
		result = hear_patch(s, entry, again);
	else
		result = state_seen(s->state, entry->from, entry->seq, &e);
	/* Of who is early the lines before it are there, and wait as well. */
	if (result == STATE_REFUSED || (result == STATE_GAP && !hear_replica(s, entry->from)->early))
		note_hole(s, entry->place, HOLE_MS);
	if (!again) {
		if (slice_is(entry->event, "head") || slice_is(entry->event, "hello"))
			hear_head(s, entry, slice_is(entry->event, "hello"));
		else if (slice_is(entry->event, "want"))
			hear_want(s, entry);
		else if (slice_is(entry->event, "chunk"))
			hear_chunk(s, entry);
	}
}

/* The inbox cannot keep all for ever: then a snapshot is to bring it. */
static void
hold(struct sync *s, size_t bytes)
{
	s->held = hear_first(s) ? s->held + bytes : 0;
	if (s->held < HOLD)
		return;
	if (s->early && s->ask_at < 0)
		s->ask_at = s->early_at;
	s->hole = s->early = 0;
	s->held = 0;
}

/* Unless a snapshot had it. */
static bool
is_lost(const struct sync *s, const struct party_entry *gap)
{
	return state_vector(s->state, gap->from) < gap->last && !state_closed(s->state, gap->from);
}

bool
hear_entry(const struct party_entry *entry, void *state)
{
	struct sync *s = state;

	s->place = entry->place;
	s->dirty = true;
	if (entry->what == PARTY_GAP) {
		if (is_lost(s, entry))
			note_hole(s, entry->place, 0);
		return true;
	}
	/* Not of a kandil client: no state. */
	if (entry->seq == 0)
		return true;
	hear_replica(s, entry->from)->heard = time_now();
	hear(s, entry, false);
	hold(s, entry->payload.len + entry->from.len);
	return true;
}

void
hear_again(struct sync *s, bool gaps)
{
	uint64_t from = hear_first(s);
	struct party_entry entry;

	s->hole = s->early = 0;
	for (size_t i = 0; i < s->nreplicas; i++)
		s->replicas[i]->early = false;
	for (uint64_t place = from; from && place <= s->place; place++) {
		if (!party_read(s->party, place, &entry) || slice_is(entry.from, s->self))
			continue;
		if (entry.what == PARTY_MESSAGE && entry.seq)
			hear(s, &entry, true);
		else if (entry.what == PARTY_GAP && gaps && is_lost(s, &entry))
			note_hole(s, place, HOLE_MS);
	}
}

int64_t
hear_turn(struct sync *s)
{
	int64_t now = time_ms(), wait = -1, offset = time_now() - now;

	if (offset > s->offset + STEP_MS && s->ask_at >= 0)
		s->ask_at = now;
	s->offset = offset;
	if (s->early && now >= s->early_at) {
		hear_again(s, true);
		s->dirty = true;
	}
	if (s->ask_at >= 0 && now >= s->ask_at && party_is_up(s->party)) {
		s->ask_at = -1;
		s->hello = true;
		head_soon(s, 0);
	}
	if (s->early)
		wait = s->early_at - now;
	if (s->ask_at >= 0)
		wait = time_least(wait, s->ask_at > now ? s->ask_at - now : EARLY_MS);
	return wait < EARLY_MS ? wait : EARLY_MS;
}
