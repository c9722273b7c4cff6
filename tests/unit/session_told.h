/*
 * session_told: one session among members whose every word the test makes up, and what it said,
 * delivered and gave up.
 */
#ifndef KANDIL_TEST_SESSION_TOLD_H
#define KANDIL_TEST_SESSION_TOLD_H

#include "common/mem.h"
#include "tests/unit/check.h"
#include "tools/collab/session_part.h"

#include <stdlib.h>

#define ME "me.aaaaaaaaaaaaaaaaaaaaaaaaaa"
#define EVE "eve.bbbbbbbbbbbbbbbbbbbbbbbbbb"
#define ANN "ann.dddddddddddddddddddddddddd"
#define BOB "bob.cccccccccccccccccccccccccc"

static struct {
	uint64_t sends, resent, wants, delivered, gaps, lost, stale, refused;
	uint64_t own; /* messages in the outbox */
	uint64_t taken; /* by the relay */
	uint64_t bob; /* the last delivered of BOB */
	uint64_t number; /* the last sent */
	bool full; /* the disk takes nothing */
	bool jam;  /* the link neither */
	uint64_t unreadable, gone; /* of ours, in the outbox; 0: none */
	char last[65536];
} told;

static inline bool
on_send(struct slice event, struct slice payload, uint64_t number, void *state)
{
	(void)event, (void)state;
	if (told.jam)
		return false;
	told.sends++;
	told.number = number ? number : told.number;
	told.resent += memmem(payload.ptr, payload.len, "\"again\":true", 12) != NULL;
	told.wants += memmem(payload.ptr, payload.len, "\"want\"", 6) != NULL;
	snprintf(told.last, sizeof(told.last), "%.*s", (int)payload.len, payload.ptr);
	return true;
}

static inline enum session_found
on_find(struct slice from, uint64_t seq, struct session_message *m, void *state)
{
	(void)state;
	*m = (struct session_message){from, seq, S("e"), S("{}")};
	if (!slice_is(from, ME) || seq > told.own || seq == told.gone)
		return SESSION_GONE;
	return seq == told.unreadable ? SESSION_UNREADABLE : SESSION_FOUND;
}

static inline uint64_t
on_kept(struct slice from, void *state)
{
	(void)state;
	return slice_is(from, ME) && told.own ? 1 : 0;
}

static inline bool
on_deliver(const struct session_message *m, void *state)
{
	(void)state;
	if (told.full)
		return false;
	told.delivered++;
	if (slice_is(m->from, BOB)) {
		CHECK(m->seq == told.bob + 1);
		told.bob = m->seq;
	}
	return true;
}

static inline bool
on_gap(struct slice from, uint64_t first, uint64_t last, void *state)
{
	(void)state;
	told.gaps++;
	told.lost += last - first + 1;
	if (slice_is(from, BOB))
		told.bob = last;
	return true;
}

static inline void
on_baseline(struct slice from, uint64_t seq, void *state)
{
	(void)state;
	if (slice_is(from, BOB))
		told.bob = seq;
}

static inline void
on_taken(uint64_t seq, void *state)
{
	(void)state;
	told.taken = seq;
}

static inline void
on_refused(uint64_t seq, const char *reason, void *state)
{
	(void)state;
	CHECK(reason != NULL || seq == told.gone);
	told.refused++;
}

static inline void
on_stale(void *state)
{
	(void)state;
	told.stale++;
}

static const struct session_hooks hooks = {on_send, on_find, on_kept, on_deliver, on_gap,
    on_baseline, on_taken, on_refused, on_stale};
static int64_t now;

static inline struct session *
begin(uint64_t own)
{
	struct session_settings set = {.self = S(ME), .hooks = &hooks, .seed = 7, .max_held = 100000};
	struct session *s = session_open(&set);

	memset(&told, 0, sizeof(told));
	told.own = own;
	now = 1000;
	session_known(s, S(BOB), 10);
	told.bob = 10;
	session_own(s, now, own);
	session_taken(s, own);
	session_up(s, now, false);
	session_member(s, now, S(ME), true);
	session_member(s, now, S(BOB), true);
	session_member(s, now, S(EVE), true);
	return s;
}

/* A broadcast, as the link would hand it on: only what is JSON. */
static inline void
hear(struct session *s, const char *event, struct slice payload)
{
	if (json_check(payload, NULL) == 0)
		session_heard(s, now, slice(event), payload);
}

static inline void __attribute__((format(printf, 3, 4)))
say(struct session *s, const char *event, const char *format, ...)
{
	static struct buf b;
	va_list args;
	char text[4096];

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	buf_reset(&b);
	buf_adds(&b, text);
	hear(s, event, buf_slice(&b));
}

static inline void
pass(struct session *s, int64_t ms)
{
	int64_t end = now + ms, wait;
	long turns = 0;

	while (now < end) {
		wait = session_turn(s, now);
		session_stored(s, now);
		now += wait < 0 ? ms : wait ? wait : 1;
		/* It does not spin. */
		if (++turns > 100000)
			break;
	}
	CHECK(turns <= 100000);
	now = end;
}

#endif
