/*
 * What goes over the wire, and when; and what comes back.
 */
#include "common/mem.h"
#include "common/time.h"
#include "tools/ai/engine_part.h"
#include "tools/ai/flow.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	REPLY_BYTES = 16 << 20,
	OTHER_MS = 50, /* until it is looked at again what another process asks for */
	TOTAL = 12, /* times --timeout: a reply that comes byte by byte is given up too */
};

/* ---- the queue ---- */

void
engine_queue(struct engine *e, struct slot *s)
{
	s->state = SLOT_QUEUED;
	s->next = NULL;
	*s->lane->end = s;
	s->lane->end = &s->next;
	if (!s->stripped)
		s->taken = money_estimate(&s->ask, s->lane->mean_output);
	/* Behind so many it will not go soon. */
	if (slot_large(s) || e->queued > e->settings->jobs)
		engine_strip(e, s);
	e->queued++;
	window_count(&e->window, s);
}

static struct slot *
unqueue(struct engine *e, struct lane *lane)
{
	struct slot *s = lane->first;

	lane->first = s->next;
	if (lane->first == NULL)
		lane->end = &lane->first;
	s->next = NULL;
	e->queued--;
	return s;
}

/* ---- what comes back ---- */

static const struct limits nothing_said = {
	{-1, -1, -1}, {-1, -1, -1}, {-1, -1, -1}, {-1, -1, -1},
};

/* It is no longer in flight: what was set aside for it is settled. */
static void
land(struct engine *e, struct slot *s, struct amount used, const struct limits *limits)
{
	struct lane *lane = s->lane;

	s->call = NULL;
	lane->flying--;
	e->flying--;
	buckets_settle(&lane->buckets, time_ms(), s->taken, used, limits);
	lane->blocked = 0; /* what came back may be enough for the next */
	money_settle(&e->money, &s->reserved);
	slot_clear_body(s);
}

static struct amount
used_by(const struct slot *s, bool whole)
{
	const struct usage *u = &s->reply.usage;

	if (u->known)
		return (struct amount){u->input, u->output};
	return whole ? s->taken : (struct amount){0, 0};
}

/*
 * Whoever sends a reply is paid, whether or not it is of use. Where it is not
 * said how much, what was set aside stands for it in the budget, and in nothing else.
 */
static void
pay(struct engine *e, struct slot *s)
{
	const struct usage *u = &s->reply.usage;

	if (u->known)
		money_spend(&e->money, s->lane->price, u);
	else
		money_guess(&e->money, s->lane->price, s->taken);
}

static void
arrived(struct engine *e, struct slot *s)
{
	struct lane *lane = s->lane;
	const struct usage *u = &s->reply.usage;

	lane->answered = true;
	pace_good(&lane->pace, s->number);
	if (u->known && lane->mean_output <= 0)
		lane->mean_output = (double)u->output;
	else if (u->known)
		lane->mean_output += ((double)u->output - lane->mean_output) / 16;
	e->counts.asked++;
	s->cached = false; /* its repair was asked for, if nothing else */
	pay(e, s);
	engine_keep(e, s);
	engine_unclaim(e, s);
	engine_release(e, s);
}

/* It began and was no use. */
static void
lost(struct engine *e, struct slot *s)
{
	pay(e, s);
	money_count(&e->money, s->lane->price, &s->reply.usage, &s->usage, &s->cost, &s->priced);
}

static bool
whole_reply(struct slot *s, struct slice body, struct failure *f)
{
	struct err err;

	f->action = ACTION_RETRY;
	if (slice_trim(body).len == 0) {
		f->code = "bad_reply";
		snprintf(f->text, sizeof(f->text), "the reply is empty");
		return false;
	}
	if (json_check(slice_trim(body), &err) < 0) {
		f->code = "bad_reply";
		snprintf(f->text, sizeof(f->text), "the reply is no JSON: %.300s", err.text);
		return false;
	}
	if (s->lane->endpoint->protocol->reply(slice_trim(body), &s->reply, &err) < 0) {
		f->code = "bad_reply";
		snprintf(f->text, sizeof(f->text), "%s", err.text);
		return false;
	}
	return true;
}

static void
describe_fault(const struct http_reply *h, struct failure *f)
{
	f->action = ACTION_RETRY;
	f->code = http_code(h->fault);
	snprintf(f->text, sizeof(f->text), "%s", h->text);
}

static void
on_done(struct http_call *call, const struct http_reply *h, void *state)
{
	struct slot *s = state;
	struct engine *e = s->lane->engine;
	const struct protocol *protocol = s->ask.endpoint->protocol;
	struct failure f = {0};
	struct limits limits = nothing_said;
	bool ok, streamed = s->ask.stream && h->status / 100 == 2;

	(void)call;
	s->latency = h->total_ms;
	if (h->status) {
		s->lane->worked = true;
		protocol->limits(h->headers, &limits);
	}
	if (streamed && !s->unstreamed)
		ok = flow_end(s, h, &f);
	else if (h->fault != HTTP_DONE)
		ok = false, describe_fault(h, &f);
	else if (h->status / 100 == 2)
		ok = whole_reply(s, streamed ? buf_slice(&s->raw) : h->body, &f);
	else
		ok = false, protocol->failure(h->status, h->headers,
		    s->ask.stream ? buf_slice(&s->raw) : h->body, &s->ask, s->lack, &f);
	land(e, s, used_by(s, ok), &limits);
	if (ok) {
		arrived(e, s);
		return;
	}
	if (h->status / 100 == 2)
		lost(e, s);
	engine_unclaim(e, s);
	engine_failed(e, s, &f, h->fault == HTTP_DONE ? h->status : 0);
}

static bool
on_data(struct http_call *call, struct slice bytes, void *state)
{
	struct slot *s = state;

	if (!flow_bytes(s, http_status(call), bytes))
		return false;
	engine_delta(s->lane->engine, s);
	return true;
}

/* ---- programs ---- */

static void
exec_landed(struct engine *e, struct slot *s, enum exec_state state, const struct failure *f)
{
	struct slot **at = &e->programs;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	s->next = NULL;
	e->execs--;
	s->latency = time_ms() - s->sent;
	land(e, s, used_by(s, state == EXEC_DONE), NULL);
	if (state == EXEC_DONE)
		arrived(e, s);
	else
		engine_failed(e, s, f, 0);
}

void
engine_exec_step(struct engine *e)
{
	struct slot *next;

	for (struct slot *s = e->programs; s; s = next) {
		struct failure f = {0};
		enum exec_state state = exec_turn(s->exec, &s->reply, &f);

		next = s->next;
		if (state != EXEC_RUNNING)
			exec_landed(e, s, state, &f);
	}
}

static int
start_program(struct engine *e, struct slot *s, struct err *err)
{
	if (s->exec == NULL)
		s->exec = xcalloc(1, sizeof(*s->exec));
	if (exec_start(s->exec, &s->ask, (long)(e->settings->timeout * 1000), err) < 0)
		return -1;
	s->next = e->programs;
	e->programs = s;
	e->execs++;
	return 0;
}

/* ---- sending ---- */

static int
open_network(struct engine *e, struct err *err)
{
	/*
	 * Over HTTP/2 libcurl 7.88 loses up to 3 % of replies at nginx and node (http.h says
	 * why), some of them paid for; HTTP/1.1 loses none, for 10 to 25 % more time and CPU.
	 */
	struct http_settings settings = {.http2 = false, .connections = e->settings->jobs};

	if (e->http == NULL)
		e->http = http_open(&settings, err);
	return e->http ? 0 : -1;
}

static int
start_call(struct engine *e, struct slot *s, struct err *err)
{
	const struct endpoint *p = s->ask.endpoint;
	long idle = (long)(e->settings->timeout * 1000);
	struct http_request request = {.method = "POST", .headers = p->headers,
	    .nheaders = p->nheaders, .max_reply = REPLY_BYTES, .first_byte_ms = idle,
	    .idle_ms = idle, .total_ms = idle * TOTAL, .done = on_done, .state = s};

	if (open_network(e, err) < 0)
		return -1;
	if (slot_large(s))
		buf_room(&s->body, s->body_size + 256);
	s->ask.stream = e->settings->stream || e->settings->plain;
	s->lack = s->lane->lack;
	engine_build(e, &s->ask, s->lack, &s->body);
	request.url = buf_slice(&e->url).ptr;
	request.body = buf_slice(&s->body);
	if (s->ask.stream) {
		flow_start(s);
		request.data = on_data;
	}
	s->call = http_start(e->http, &request, err);
	return s->call ? 0 : -1;
}

static void
send_one(struct engine *e, struct slot *s)
{
	struct failure f = {.action = ACTION_STOP};
	struct err err;

	if (!engine_recall(e, s)) {
		buckets_settle(&s->lane->buckets, time_ms(), s->taken, (struct amount){0, 0}, NULL);
		money_settle(&e->money, &s->reserved);
		engine_unclaim(e, s);
		engine_release(e, s);
		return;
	}
	reply_reset(&s->reply);
	s->state = SLOT_FLYING;
	s->sent = time_ms();
	s->attempts++;
	s->number = ++s->lane->sent;
	s->lane->flying++;
	e->flying++;
	if ((s->ask.endpoint->protocol ? start_call(e, s, &err) : start_program(e, s, &err)) == 0) {
		if (slot_large(s))
			engine_strip(e, s);
		window_count(&e->window, s);
		return;
	}
	f.code = err.code;
	snprintf(f.text, sizeof(f.text), "%s", err.text);
	land(e, s, (struct amount){0, 0}, NULL);
	engine_unclaim(e, s);
	engine_failed(e, s, &f, 0);
}

static void
stop_budget(struct engine *e)
{
	struct buf spent = {0};

	money_put(&e->money, money_spent(&e->money), &spent);
	engine_stop(e, "budget", "--max-cost=%s: %s %s are spent, and the next request may pass it",
	    e->settings->max_cost, buf_slice(&spent).ptr, money_currency(&e->money));
	buf_free(&spent);
}

/* What another process asks, or has asked, is taken from the head of the queue. */
static void
pass_over(struct engine *e, struct lane *lane)
{
	enum turn_to turn;

	while (lane->first && (turn = engine_claim(e, lane->first)) != TURN_OURS) {
		struct slot *s = unqueue(e, lane);

		if (turn == TURN_THEIRS) {
			engine_wait(e, s, OTHER_MS);
			e->aside = true;
		} else {
			engine_release(e, s);
		}
	}
}

/* Whether the first of the lane may go now; else when, in *wake (-1: when something lands). */
static bool
may_go(struct engine *e, struct lane *lane, int64_t now, int64_t *wake)
{
	struct slot *s;
	int64_t wait;

	*wake = -1;
	if (e->flying >= e->settings->jobs || lane->flying >= pace_limit(&lane->pace))
		return false;
	if (now < lane->pace.paused) {
		*wake = lane->pace.paused;
		return false;
	}
	if (now < lane->blocked) {
		*wake = lane->blocked;
		return false;
	}
	pass_over(e, lane);
	if ((s = lane->first) == NULL)
		return false;
	if (!money_reserve(&e->money, lane->price, s->taken, &s->reserved)) {
		engine_unclaim(e, s);
		/* What is in flight may turn out cheaper than it was taken for. */
		if (e->flying == 0)
			stop_budget(e);
		return false;
	}
	wait = buckets_take(&lane->buckets, now, s->taken);
	if (wait) {
		money_settle(&e->money, &s->reserved);
		engine_unclaim(e, s);
		*wake = lane->blocked = now + wait;
	}
	return wait == 0;
}

/* Those that have waited long enough queue again. */
static int64_t
wake_up(struct engine *e, int64_t now)
{
	struct slot **at = &e->waiting, *s;
	int64_t first = -1;

	while ((s = *at)) {
		if (s->due <= now || e->stop) {
			*at = s->next;
			e->backing--;
			engine_queue(e, s);
			continue;
		}
		if (first < 0 || s->due < first)
			first = s->due;
		at = &s->next;
	}
	return first;
}

static void
sooner(int64_t *wake, int64_t at)
{
	if (at >= 0 && (*wake < 0 || at < *wake))
		*wake = at;
}

/* After a stop: what was not asked leaves so. */
static void
drain(struct engine *e, struct lane *lane)
{
	while (lane->first) {
		struct slot *s = unqueue(e, lane);

		engine_error(e, s, "not_asked", true, "%s", buf_slice(&e->stop_text).ptr);
		engine_release(e, s);
	}
}

/* With --strict: whether it, or who asks the same, comes behind the first failure. */
static bool
behind(const struct engine *e, const struct slot *s)
{
	if (s->ordinal <= e->last)
		return false;
	for (const struct slot *t = s->twins; t; t = t->next)
		if (t->ordinal <= e->last)
			return false;
	return true;
}

/* What will never leave is not asked. */
static void
drop_behind(struct engine *e, struct lane *lane)
{
	while (lane->first && behind(e, lane->first)) {
		struct slot *s = unqueue(e, lane);

		engine_error(e, s, "not_asked", true, "stopped at the first failure");
		engine_release(e, s);
	}
}

int64_t
engine_send(struct engine *e, int64_t now)
{
	int64_t wake = wake_up(e, now), at;
	bool timed = true;

	e->aside = false;
	for (struct lane *l = e->lanes; l; l = l->next) {
		drop_behind(e, l);
		while (l->first && !e->stop && may_go(e, l, now, &at)) {
			send_one(e, unqueue(e, l));
			drop_behind(e, l);
		}
		if (l->first && !e->stop) {
			sooner(&wake, at);
			timed &= at >= 0;
		}
	}
	if (e->aside)
		sooner(&wake, now + OTHER_MS);
	e->idle = e->queued + e->backing > 0 && e->flying < e->settings->jobs &&
	    (timed || e->nlanes > 1);
	if (e->stop)
		for (struct lane *l = e->lanes; l; l = l->next)
			drain(e, l);
	return wake < 0 ? -1 : wake > now ? wake - now : 0;
}

void
engine_cancel(struct engine *e)
{
	for (struct slot *s = e->window.first; s; s = s->after) {
		if (s->state != SLOT_FLYING)
			continue;
		if (s->call)
			http_cancel(s->call);
		else if (s->exec)
			exec_end(s->exec);
		s->call = NULL;
		s->state = SLOT_WAITING;
	}
}
