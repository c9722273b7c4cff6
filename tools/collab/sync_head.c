#include "tools/collab/sync_part.h"

#include "common/mem.h"
#include "common/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	HEAD_MS = 60000, /* after a change a head follows, about so much later */
	RANK_MS = 100,	 /* those who answer a hello do so one after the other */
	HELLO_MS = 1000, /* with --once: somebody's head is old */
	ASK_MS = 5000,	 /* who was asked for a snapshot has so long for each part of it */
	BACK_MS = 500,	 /* who could not help is asked again then, then twice that … */
	BACK_MOST_MS = 60000,
	WANTS = 8,	 /* then nobody can */
	AT_ONCE = 16,	 /* chunks on their way when we leave */
	KEEP_MS = 24 * 3600 * 1000, /* deletions are known for so long, or while there is room */
};

/* ---- heads ---- */

void
head_soon(struct sync *s, int64_t ms)
{
	int64_t at = time_ms() + (ms >= 0 ? ms : backoff_wait(&s->random, 0, HEAD_MS, HEAD_MS,
				     HEAD_MS / 2));

	if (s->head_at < 0 || at < s->head_at)
		s->head_at = at;
}

void
head_answer(struct sync *s, struct slice from)
{
	struct slice other, self = slice(s->self);
	int64_t rank = 0;
	size_t at = 0;

	while (party_each(s->party, &at, &other))
		rank += !slice_eq(other, from) && slice_cmp(other, self) < 0;
	head_soon(s, rank * RANK_MS);
}

/* A message that is no patch, counted as ours. */
static bool
say(struct sync *s, const char *event, struct slice payload)
{
	if (!party_say(s->party, slice(event), payload))
		return false;
	state_seen(s->state, slice(s->self), party_said(s->party), NULL);
	s->dirty = true;
	return true;
}

static bool
say_head(struct sync *s)
{
	struct stamp clock;

	if (own_tick(s, &clock, &(struct err){0}) != 0)
		return false;
	buf_reset(&s->payload);
	state_head(s->state, &clock, &s->payload);
	/* With so many nodes nobody can be told all of them. */
	if (s->payload.len > party_room(s->party, S("hello"))) {
		s->hello = false;
		return true;
	}
	if (!say(s, s->hello ? "hello" : "head", buf_slice(&s->payload)))
		return false;
	past_message(s, &clock, s->payload.len);
	s->hello = false;
	return true;
}

void
head_collect(struct sync *s)
{
	struct stamp horizon;
	struct slice node;
	uint64_t seq;
	bool closed;
	size_t at = 0;

	while (state_each(s->state, &at, &node, &seq, &closed))
		if (!slice_is(node, s->self) && time_now() - hear_replica(s, node)->heard >
		    (int64_t)FORGET_DAYS * 24 * 3600 * 1000)
			state_forget(s->state, node);
	if (!state_horizon(s->state, &horizon))
		return;
	/* Somebody new, whom nobody waits for, may have worked alone for a while. */
	if (horizon.l > time_now() - KEEP_MS && state_registers(s->state) < SYNC_REGISTERS / 2)
		horizon.l = time_now() - KEEP_MS;
	state_collect(s->state, &horizon, NULL);
}

bool
head_is_ours(const struct sync *s, const struct replica *r)
{
	char digest[17];

	snprintf(digest, sizeof(digest), "%016" PRIx64, state_digest(s->state));
	return r->head && strcmp(r->digest, digest) == 0;
}

bool
head_agree(struct sync *s)
{
	struct slice from;
	size_t at = 0;
	bool all = true;

	if (!party_has_roster(s->party) || s->hello || s->new || s->lag_at >= 0)
		return false;
	if ((s->want_at >= 0 && !s->lacking) || s->chunks.next != s->chunks.n ||
	    s->again.next != s->again.n)
		return false;
	while (party_each(s->party, &at, &from)) {
		const struct replica *r = hear_replica(s, from);

		/* Whose clock is wrong cannot agree: that was told. */
		all = all && (r->early_head || head_is_ours(s, r));
	}
	return all;
}

void
head_ask_again(struct sync *s)
{
	if (s->head_at >= 0 && s->head_at <= time_ms() + HELLO_MS)
		return;
	s->hello = true;
	head_soon(s, HELLO_MS);
}

/* ---- snapshots that we need ---- */

void
head_want(struct sync *s, struct slice of, int64_t ms)
{
	int64_t back = s->wants ? (int64_t)BACK_MS << (s->wants < 8 ? s->wants : 8) : 0;

	s->want_head |= of.len > 0;
	/* Somebody was asked already. */
	if (s->want_at >= 0 && s->wants)
		return;
	if (back > BACK_MOST_MS)
		back = BACK_MOST_MS;
	ms = time_ms() + (ms > back ? ms : back);
	if (s->want_at >= 0 && s->want_at <= ms)
		return;
	s->want_at = ms;
	free(s->want_of);
	s->want_of = of.len ? xstrndup(of.ptr, of.len) : NULL;
}

void
head_waiting(struct sync *s)
{
	s->want_at = time_ms() + ASK_MS;
}

void
head_drop_want(struct sync *s)
{
	s->want_at = s->lag_at = -1;
	s->want_head = false;
	s->wants = 0;
	s->hole = 0; /* what is missing shows when heads are heard again */
}

/* What was asked for is here. */
static void
has_come(struct sync *s)
{
	s->wants = 0;
	if (s->lacking)
		note("what was missing has come");
	s->lacking = false;
}

void
head_joined(struct sync *s)
{
	s->want_at = s->lag_at = -1;
	s->want_head = false;
	own_replay(s);
	hear_again(s, false);
	if (s->hole == 0)
		has_come(s);
}

/* What somebody's head named is missing all the same. */
static bool
is_behind(const struct sync *s)
{
	return s->lag_of && state_vector(s->state, slice(s->lag_of)) < s->lag_seq &&
	    !state_closed(s->state, slice(s->lag_of));
}

void
head_looked(struct sync *s)
{
	own_replay(s);
	hear_again(s, true);
	if (s->hole || s->own_hole || s->want_head || is_behind(s))
		return;
	s->want_at = s->lag_at = -1;
	has_come(s);
}

/* Who is asked: whose head showed that it has more, else the lowest who is here. */
static struct slice
choose(struct sync *s)
{
	struct slice from, best = S("");
	size_t at = 0;

	while (party_each(s->party, &at, &from)) {
		if (s->want_of && slice_is(from, s->want_of))
			return from;
		if (best.len == 0 || slice_cmp(from, best) < 0)
			best = from;
	}
	return best;
}

/*
 * Who comes says hello, and is asked then. Until that the state is of what there is, which
 * does not keep --once.
 */
static int64_t
nobody(struct sync *s)
{
	if (s->lacking || !party_has_roster(s->party))
		return -1;
	s->lacking = true;
	if (party_has_history(s->party))
		warn("changes are missing: the hub's history does not reach back to them, and nobody is "
		     "here who has them: they come when such a member does; let one stay, or give the "
		     "hub a larger --history");
	else
		warn("changes are missing, and nobody is here who has them: they come when such a member "
		     "does");
	return -1;
}

static int64_t
ask(struct sync *s, int64_t now)
{
	struct slice of;
	bool said;

	if (s->want_at < 0 || now < s->want_at)
		return s->want_at < 0 ? -1 : s->want_at - now;
	hear_drop_fresh(s);
	of = choose(s);
	/* While the history comes, it may come. */
	if (of.len == 0 && !party_is_whole(s->party))
		return -1;
	past_look(s);
	if (s->want_at < 0 || now < s->want_at)
		return s->want_at < 0 ? -1 : s->want_at - now;
	if (of.len == 0)
		return nobody(s);
	if (s->wants >= WANTS) {
		/* What is missing nobody has. */
		s->want_at = -1;
		s->want_head = false;
		s->hole = 0;
		s->wants = 0;
		return -1;
	}
	buf_reset(&s->payload);
	json_open(&s->payload, '{');
	json_add(&s->payload, "want", S("snapshot"));
	json_add(&s->payload, "to", of);
	json_close(&s->payload, '}');
	said = say(s, "want", buf_slice(&s->payload));
	free(s->want_of);
	s->want_of = NULL;
	s->wants += said;
	s->want_at = now + (said ? ASK_MS : BACK_MS);
	return s->want_at - now;
}

/* The session had its time. */
static int64_t
lag_turn(struct sync *s, int64_t now)
{
	if (s->lag_at < 0)
		return -1;
	if (state_vector(s->state, slice(s->lag_of)) >= s->lag_seq) {
		s->lag_at = -1;
		return -1;
	}
	if (now < s->lag_at)
		return s->lag_at - now;
	if (!party_is_whole(s->party)) {
		s->lag_at = now + BACK_MS;
		return BACK_MS;
	}
	s->lag_at = -1;
	head_want(s, S(""), 0);
	return 0;
}

/* ---- snapshots that we say ---- */

static void
add_chunk(struct slice json, void *state)
{
	struct sync *s = state;

	queue_add(&s->chunks, json);
	s->saying.size += json.len;
}

void
head_snapshot(struct sync *s)
{
	struct stamp id;

	/* What is on its way may have begun before they listened. */
	if (s->chunks.next != s->chunks.n) {
		s->chunks_again = true;
		return;
	}
	if (own_tick(s, &id, &(struct err){0}) != 0)
		return;
	s->chunks_again = false;
	past_begun(s, &id);
	state_snapshot(s->state, &id, party_room(s->party, S("chunk")), add_chunk, s);
}

static bool
say_chunks(struct sync *s)
{
	struct slice chunk;

	while (queue_next(&s->chunks, &chunk)) {
		/* What does not go before we leave is not to wait in the outbox. */
		if (s->leaving && party_said(s->party) >= party_relayed(s->party) + AT_ONCE)
			return false;
		if (chunk.len <= party_room(s->party, S("chunk")) && !say(s, "chunk", chunk))
			return false;
		queue_drop(&s->chunks);
		if (s->chunks.next == s->chunks.n)
			past_said(s);
	}
	if (s->chunks_again)
		head_snapshot(s);
	return s->chunks.next == s->chunks.n;
}

int64_t
head_turn(struct sync *s)
{
	int64_t now = time_ms(), wait;

	if (!party_is_up(s->party) || s->renewing)
		return -1;
	if (s->head_at >= 0 && now >= s->head_at)
		s->head_at = say_head(s) ? -1 : now + BACK_MS;
	wait = s->head_at < 0 ? -1 : s->head_at - now;
	wait = time_least(wait, lag_turn(s, now));
	wait = time_least(wait, ask(s, now));
	return say_chunks(s) ? wait : time_least(wait, BACK_MS);
}
