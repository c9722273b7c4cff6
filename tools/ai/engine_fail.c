/*
 * What becomes of a request that gave no reply: again, without a part, given
 * up, or the end of all asking.
 */
#include "common/time.h"
#include "tools/ai/engine_part.h"

enum {
	BASE_MS = 500, CAP_MS = 60000, /* backoff */
	LIMITED = 8,	/* a rate limit may meet a record --retries times this often */
	UNREACHED = 2,	/* tries again before an address that never answered is given up */
	KEPT_REPLY = 16 << 10, /* bytes of a reply in an error record */
};

void
engine_wait(struct engine *e, struct slot *s, int64_t wait)
{
	s->state = SLOT_WAITING;
	s->due = time_ms() + wait;
	s->next = e->waiting;
	e->waiting = s;
	e->backing++;
}

static void
give_up(struct engine *e, struct slot *s, const struct failure *f, int status)
{
	if (status)
		json_add_long(&s->more, "status", status);
	if (s->attempts > 1)
		json_add_long(&s->more, "attempts", s->attempts);
	if (s->reply.text.len) {
		struct slice text = buf_slice(&s->reply.text);

		text.len = utf8_valid(text.ptr, text.len > KEPT_REPLY ? KEPT_REPLY : text.len);
		json_add(&s->more, "reply", text);
	}
	engine_error(e, s, f->code, f->action != ACTION_FAIL, "%s", f->text);
	engine_release(e, s);
}

/* Whether the server, not the request, is what is too much. */
static bool
overload(const char *code)
{
	return strcmp(code, "rate_limited") == 0 || strcmp(code, "overloaded") == 0 ||
	    strcmp(code, "timeout") == 0;
}

/* Somebody is there, but does not say what was asked. */
static bool
silent(const char *code)
{
	return strcmp(code, "timeout") == 0 || strcmp(code, "cut_off") == 0 ||
	    strcmp(code, "bad_reply") == 0;
}

static bool
ever_worked(const struct engine *e, const struct endpoint *p)
{
	for (const struct lane *l = e->lanes; l; l = l->next)
		if (l->endpoint == p && l->worked)
			return true;
	return false;
}

/* 0: give up; 1: again. */
static bool
tries_left(struct engine *e, struct slot *s, const struct failure *f, int status)
{
	long retries = e->settings->retries;

	if (e->stop)
		return false;
	/* What was shown cannot be taken back. */
	if (e->settings->plain && s->streamed)
		return false;
	if (strcmp(f->code, "rate_limited") == 0)
		return s->limited++ < (unsigned long)retries * LIMITED;
	if (status == 0 && !ever_worked(e, s->lane->endpoint) && retries > UNREACHED &&
	    (strcmp(f->code, "timeout") != 0 && strcmp(f->code, "cut_off") != 0))
		retries = UNREACHED;
	return s->failures++ < (unsigned long)retries;
}

static void
retry(struct engine *e, struct slot *s, const struct failure *f, int status)
{
	struct lane *lane = s->lane;
	int64_t now = time_ms(), wait;

	if (overload(f->code) || f->slow_down) {
		pace_bad(&lane->pace, now, s->sent);
		pace_pause(&lane->pace, now, f->wait_ms, s->number);
	}
	if (!tries_left(e, s, f, status)) {
		if (status == 0 && !e->stop && lane->endpoint->protocol &&
		    !ever_worked(e, lane->endpoint))
			engine_stop(e, f->code, "%s %s at %s: %s", silent(f->code)
			    ? "no answer from" : "cannot reach", lane->endpoint->provider,
			    lane->endpoint->base, f->text);
		give_up(e, s, f, status);
		return;
	}
	wait = backoff_wait(&e->backoff, s->failures + s->limited - 1, BASE_MS, CAP_MS, f->wait_ms);
	tell_attempt(e, s, f, status, wait);
	if (s->streamed && e->settings->stream)
		s->streamed = 0;
	reply_reset(&s->reply);
	e->counts.retried++;
	engine_wait(e, s, wait);
}

/* The server does not take a part of the request: from now on it is left out, and that is said. */
static void
fall_back(struct engine *e, struct slot *s, const struct failure *f, int status)
{
	struct failure final = *f;

	if (f->lack & ~s->lane->lack) {
		s->lane->lack |= f->lack;
		tell_lack(s->lane, f->lack, f->text);
	} else if (!(f->lack & ~s->lack)) {
		/* It was left out already, and is complained of still. */
		final.action = ACTION_FAIL;
		final.code = "bad_request";
		give_up(e, s, &final, status);
		return;
	}
	engine_queue(e, s);
}

void
engine_failed(struct engine *e, struct slot *s, const struct failure *f, int status)
{
	switch (f->action) {
	case ACTION_RETRY:
		retry(e, s, f, status);
		return;
	case ACTION_FALLBACK:
		fall_back(e, s, f, status);
		return;
	case ACTION_STOP:
		engine_stop(e, f->code, "%s: %s", s->lane->endpoint->provider, f->text);
		give_up(e, s, f, status);
		return;
	case ACTION_FAIL:
		/* The next would hear the same. */
		if (strcmp(f->code, "no_model") == 0 && !s->ask.named && !s->lane->answered)
			engine_stop(e, f->code, "%s: %s", s->lane->endpoint->provider, f->text);
		give_up(e, s, f, status);
		return;
	}
}
