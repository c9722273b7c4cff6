#include "tools/collab/sync_part.h"

#include "common/mem.h"
#include "common/time.h"
#include "tools/collab/patch.h"

#include <stdlib.h>

enum {
	ENVELOPE = 96, /* bytes of {"stamp":[l,c],"patch":} */
	ROW = 1300,    /* a snapshot's row of a patch is at most twice that patch and this */
};

/* ---- queue ---- */

void
queue_add(struct queue *q, struct slice value)
{
	if (q->next == q->n) {
		buf_reset(&q->bytes);
		q->n = q->next = 0;
	}
	buf_addslice(&q->bytes, value);
	q->ends = xgrow(q->ends, q->n, &q->cap, sizeof(*q->ends));
	q->ends[q->n++] = q->bytes.len;
}

bool
queue_next(const struct queue *q, struct slice *value)
{
	size_t start = q->next ? q->ends[q->next - 1] : 0;

	if (q->next == q->n)
		return false;
	*value = (struct slice){q->bytes.ptr + start, q->ends[q->next] - start};
	return true;
}

void
queue_drop(struct queue *q)
{
	if (++q->next == q->n)
		buf_free(&q->bytes);
}

void
queue_free(struct queue *q)
{
	buf_free(&q->bytes);
	free(q->ends);
	*q = (struct queue){0};
}

/* ---- one patch ---- */

/* The largest patch that is said as one. */
static size_t
own_room(const struct sync *s)
{
	size_t room = party_room(s->party, S("chunk"));

	return room > 2 * ROW ? (room - ROW) / 2 - ENVELOPE : 0;
}

int
own_tick(struct sync *s, struct stamp *stamp, struct err *e)
{
	int64_t bound;

	*stamp = (struct stamp){.node = slice(s->self)};
	if (clock_tick(&s->clock, time_now(), stamp, e) != 0) {
		if (!s->clock_told)
			warn("%s, or begin anew without '%s'", e->text, party_folder(s->party));
		s->clock_told = true;
		return -1;
	}
	if (clock_store(&s->clock, time_now(), &bound))
		party_count(s->party, COUNT_CLOCK, (uint64_t)bound);
	s->clock_told = false;
	return 0;
}

/* Others must be able to merge what we say, and to put it into a snapshot. */
int
own_check(struct sync *s, struct slice patch, struct err *e)
{
	buf_reset(&s->text);
	if (json_compact(patch, &s->text) > STATE_DEPTH)
		return err_set(e, "too_deep", "a patch nests deeper than %d", STATE_DEPTH);
	if (s->text.len > own_room(s))
		return err_set(e, "too_large", "a patch has %zu bytes, and may have %zu: change less "
			"at once, or see --max-payload", s->text.len, own_room(s));
	if ((state_registers(s->state) >= SYNC_REGISTERS || state_bytes(s->state) >= SYNC_BYTES) &&
	    !patch_deletes(patch))
		return err_set(e, "state_full", "the shared state is full, %zu members: delete something",
		    state_registers(s->state));
	return 0;
}

/* 1; 0: not now, nothing is done; -1 with e: never. */
static int
publish(struct sync *s, struct slice patch, struct err *e)
{
	struct stamp stamp;

	if (own_check(s, patch, e) != 0)
		return -1;
	if (s->renewing || own_tick(s, &stamp, e) != 0)
		return 0;
	buf_reset(&s->payload);
	state_put_patch(&s->payload, &stamp, buf_slice(&s->text));
	if (!party_say(s->party, S("state"), buf_slice(&s->payload)))
		return 0;
	if (state_merge(s->state, &stamp, party_said(s->party), buf_slice(&s->text), e) == STATE_GAP)
		state_apply(s->state, &stamp, buf_slice(&s->text), e);
	past_message(s, &stamp, s->payload.len);
	s->changed = s->dirty = true;
	head_soon(s, -1);
	return 1;
}

/* ---- many ---- */

struct splitting {
	struct sync *s;
	struct buf pointer; /* for messages */
	struct buf before;  /* {"a":{"b": … that is around the value */
	size_t depth;
	size_t room;
};

static void
put_part(struct splitting *w, struct slice value)
{
	struct buf part = {0};

	buf_addslice(&part, buf_slice(&w->before));
	buf_addslice(&part, value);
	for (size_t i = 0; i < w->depth; i++)
		buf_addc(&part, '}');
	queue_add(&w->s->edits, buf_slice(&part));
	buf_free(&part);
}

/* An object that is too large goes member by member: merge patches add up. */
static void
split(struct splitting *w, struct slice value)
{
	struct json_walk walk = json_walk(value);
	struct slice key, inner;

	if (value.len + w->before.len + w->depth <= w->room) {
		put_part(w, value);
		return;
	}
	if (json_type(value) != JSON_OBJECT) {
		warn("the member at '%s' has %zu bytes, and one may have %zu: it is not shared",
		    w->pointer.ptr, value.len, w->room);
		run_status(w->s->run, STATUS_PARTIAL);
		w->s->refused = true;
		return;
	}
	while (json_member(&walk, &key, &inner)) {
		size_t before = w->before.len, pointer = w->pointer.len;
		struct buf name = {0};

		json_text(key, &name);
		pointer_add(&w->pointer, buf_slice(&name));
		buf_addc(&w->before, '{');
		buf_addslice(&w->before, key);
		buf_addc(&w->before, ':');
		w->depth++;
		split(w, inner);
		w->depth--;
		buf_cut(&w->before, before);
		buf_cut(&w->pointer, pointer);
		buf_free(&name);
	}
}

void
own_queue(struct sync *s, struct slice patch)
{
	struct splitting w = {.s = s, .room = own_room(s)};
	struct buf compact = {0};

	json_compact(patch, &compact);
	buf_adds(&w.pointer, "");
	split(&w, buf_slice(&compact));
	buf_free(&w.pointer);
	buf_free(&w.before);
	buf_free(&compact);
}

static bool
flush(struct sync *s, struct queue *q)
{
	struct slice patch;
	struct err e;

	while (queue_next(q, &patch)) {
		int rc = publish(s, patch, &e);

		if (rc == 0)
			return false;
		if (rc < 0) {
			warn("%s: it is not shared", e.text);
			run_status(s->run, STATUS_PARTIAL);
			s->refused = true;
		}
		queue_drop(q);
	}
	return true;
}

bool
own_flush(struct sync *s)
{
	return flush(s, &s->again) && flush(s, &s->edits);
}

/* ---- identities ---- */

void
own_passed(struct sync *s, const struct stamp *stamp)
{
	if (stamp->l >= s->clock.l)
		clock_start(&s->clock, stamp->l + 1, time_now());
}

/* A line of ours that is in the outbox: what a crash, or a new identity, left there. */
static enum state_result
replay_one(struct sync *s, uint64_t seq)
{
	struct slice event, payload, patch;
	struct stamp stamp = {.node = slice(s->self)};
	enum state_result result;
	struct err e;

	if (!party_own(s->party, seq, &event, &payload))
		return STATE_GAP;
	if (!slice_is(event, "state") || state_get_patch(payload, &stamp, &patch, &e) != 0) {
		if (state_head_clock(payload, &stamp, &e) == 0)
			own_passed(s, &stamp);
		return state_seen(s->state, slice(s->self), seq, &e);
	}
	own_passed(s, &stamp);
	result = state_merge(s->state, &stamp, seq, patch, &e);
	/* The lines between are not kept: what is written here is written all the same. */
	if (result == STATE_GAP)
		state_apply(s->state, &stamp, patch, &e);
	return result;
}

void
own_replay(struct sync *s)
{
	uint64_t last = party_last(s->party), seq = state_vector(s->state, slice(s->self)) + 1;

	for (; seq <= last; seq++) {
		enum state_result result = replay_one(s, seq);

		s->own_hole |= result == STATE_GAP || result == STATE_REFUSED;
		s->changed = s->dirty = true;
	}
	if (s->own_hole)
		head_want(s, S(""), 0);
}

void
own_adopt(struct sync *s)
{
	struct slice self = party_self(s->party);
	struct err e;

	s->renewing = false;
	free(s->self);
	s->self = xstrndup(self.ptr, self.len);
	s->own_hole = false;
	if (state_self(s->state, slice(s->self), &e) != 0)
		die(STATUS_FAILED, "%s", e.text);
	own_replay(s);
	s->dirty = true;
	head_soon(s, 0);
}

/* What of ours the others let go is to be said again. */
static void
collect_lost(struct sync *s)
{
	uint64_t last = party_last(s->party), seq = state_vector(s->state, slice(s->self)) + 1;
	struct slice event, payload, patch;
	struct stamp stamp;

	for (; seq <= last; seq++)
		if (party_own(s->party, seq, &event, &payload) && slice_is(event, "state") &&
		    state_get_patch(payload, &stamp, &patch, NULL) == 0)
			queue_add(&s->again, patch);
}

void
own_renew(struct sync *s)
{
	if (!s->renewing) {
		if (party_said(s->party) != party_last(s->party) ||
		    !state_closed(s->state, slice(s->self)))
			return;
		note("deletions that we missed were forgotten by the others: we go on under a new name");
		collect_lost(s);
		s->renewing = s->dirty = true;
	}
	/* What is to be said again is on disk before the old outbox is gone. */
	store_turn(s, true);
	if (!s->dirty)
		party_renew(s->party, false);
}
