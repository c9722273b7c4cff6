/*
 * What a session waits for is said when it lasts: once for each hole, after two seconds; and
 * for --once then every minute. Whoever has patience need not read it; -q silences it.
 */
#include "tools/collab/join_part.h"

#include "common/time.h"

#include <stdio.h>

enum {
	SILENT_MS = 2000, /* a wait that needs no word */
	AGAIN_MS = 60000,
	LOOK_MS = 500,	  /* between two looks at what is missing */
	LINES = 16,	  /* about holes, in AGAIN_MS: many senders may have some */
};

bool
join_wait_due(struct join_wait *w, bool waiting, int64_t now)
{
	if (!waiting) {
		w->since = w->said = 0;
		return false;
	}
	if (w->since == 0)
		w->since = now ? now : 1;
	if (w->said ? now - w->said < AGAIN_MS : now - w->since < SILENT_MS)
		return false;
	w->said = now;
	return true;
}

/* ---- holes ---- */

static void
say_hole(struct join *j, const struct session_hole *hole)
{
	char numbers[64], until[80] = "until it comes back";
	struct buf text = {0};

	if (hole->first == hole->last)
		snprintf(numbers, sizeof(numbers), "message %llu",
		    (unsigned long long)hole->first);
	else
		snprintf(numbers, sizeof(numbers), "messages %llu to %llu",
		    (unsigned long long)hole->first, (unsigned long long)hole->last);
	if (j->settings->only_listen && hole->left_ms < 0)
		snprintf(until, sizeof(until), "until the hub's history answers");
	else if (j->settings->only_listen)
		snprintf(until, sizeof(until),
		    "about %lld s for somebody to send them again: then they are a gap",
		    (long long)(hole->left_ms + 999) / 1000);
	else if (hole->here)
		snprintf(until, sizeof(until), "until it answers");
	else if (hole->left_ms >= 0)
		snprintf(until, sizeof(until),
		    "for it to come back, about %lld s: then they are a gap",
		    (long long)(hole->left_ms + 999) / 1000);
	buf_addf(&text, "%s of '%.*s' %s missing, and nobody who is here has given %s: waiting %s",
	    numbers, (int)hole->from.len, hole->from.ptr,
	    hole->first == hole->last ? "is" : "are", hole->first == hole->last ? "it" : "them",
	    until);
	note("%s", text.ptr);
	join_waits(j, hole, text.ptr);
	buf_free(&text);
}

/* Where it is remembered; NULL: there is no place for it now. */
static struct join_hole *
remembered(struct join *j, const struct session_hole *hole, int64_t now)
{
	struct join_hole *h = NULL, *end = j->holes + JOIN_HOLES;

	for (struct join_hole *i = j->holes; i < end; i++) {
		if (i->first && slice_eq(buf_slice(&i->from), hole->from)) {
			h = i;
			break;
		}
		if (i->first == 0)
			h = i;
	}
	if (h == NULL)
		return NULL;
	if (h->first == 0) {
		buf_reset(&h->from);
		buf_addslice(&h->from, hole->from);
	}
	if (h->first != hole->first) {
		h->first = hole->first;
		h->since = now;
		h->said = false;
	}
	h->seen = j->look;
	return h;
}

static int64_t
look_at_holes(struct join *j, int64_t now)
{
	struct session_hole hole;
	struct join_hole *h;
	size_t at = 0;

	if (!party_hole(j->party, &at, &hole)) {
		for (h = j->holes; h < j->holes + JOIN_HOLES; h++)
			h->first = 0;
		return -1;
	}
	if (now < j->look)
		return j->look - now;
	j->look = now + LOOK_MS;
	if (now - j->lines_at >= AGAIN_MS) {
		j->lines_at = now;
		j->lines = 0;
	}
	at = 0;
	while (party_hole(j->party, &at, &hole)) {
		h = remembered(j, &hole, now);
		if (h == NULL || h->said || now - h->since < SILENT_MS || j->lines >= LINES)
			continue;
		h->said = true;
		j->lines++;
		say_hole(j, &hole);
	}
	for (h = j->holes; h < j->holes + JOIN_HOLES; h++)
		if (h->seen != j->look)
			h->first = 0;
	return LOOK_MS;
}

/* ---- --once ---- */

static void
say_once(const struct join *j)
{
	bool listens = j->settings->only_listen;
	uint64_t last = party_last(j->party);
	uint64_t waiting = listens ? 0 : last - party_relayed(j->party);
	struct slice who;
	size_t n = listens ? 0 : party_behind(j->party, &who);

	if (!party_is_up(j->party) && listens)
		note("--once waits until the hub is there: --for=LENGTH bounds it");
	else if (!party_is_up(j->party))
		note("--once waits until the hub is there (%llu lines wait in the outbox): "
		     "--for=LENGTH bounds it", (unsigned long long)waiting);
	else if (waiting)
		note("--once waits until the hub has taken %llu lines: --for=LENGTH bounds it",
		    (unsigned long long)waiting);
	else if (n)
		note("--once waits for '%.*s'%s to have all %llu lines: --for=LENGTH bounds it",
		    (int)who.len, who.ptr, n > 1 ? " and others" : "", (unsigned long long)last);
	else if (j->out.line.len)
		note("--once waits until standard output is read: --for=LENGTH bounds it");
	else if (listens)
		note("--once waits until what the hub's history has is here: --for=LENGTH bounds it");
	else
		note("--once waits until it is known who is here, and what they said is here: "
		     "--for=LENGTH bounds it");
}

int64_t
join_wait_turn(struct join *j, bool once)
{
	int64_t now = time_ms(), wait = look_at_holes(j, now), left;
	/* What broke is said by the party; that it never came about is not, for a while. */
	bool silent = !j->answered && !once;

	if (join_wait_due(&j->once, once, now))
		say_once(j);
	if (join_wait_due(&j->connecting, silent, now)) {
		note("the hub does not answer yet: trying on");
		j->answered = true;
	}
	if (silent && !j->answered) {
		left = j->connecting.since + SILENT_MS - now;
		wait = wait < 0 || left < wait ? left : wait;
	}
	return wait;
}

void
join_wait_close(struct join *j)
{
	for (size_t i = 0; i < JOIN_HOLES; i++)
		buf_free(&j->holes[i].from);
}
