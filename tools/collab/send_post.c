/* Requests of `send`: one at a time, and what each answer asks for. */
#include "tools/collab/send_part.h"

#include "common/secret.h"
#include "common/time.h"
#include "tools/collab/refusal.h"

#include <stdio.h>

enum {
	REPLY_MS = 30000,
	LAST_MS = 5000, /* for the request in flight, after a signal */
	SILENT_MS = 2000, /* so long nothing is said about a wait */
	SAY_MS = 60000,	/* between two lines about waits */
};

/* ---- one request ---- */

/* The message of a body: {"message":…}, {"error":…}, {"errors":…}; else its first line. */
static void
read_body(struct send *s, struct slice body)
{
	static const char *const names[] = {"message", "error", "errors"};
	struct slice value, line = {"", 0};
	struct buf text = {0};

	buf_reset(&s->text);
	for (size_t i = 0; json_check(body, NULL) == 0 && i < 3 && text.len == 0; i++)
		if (json_get(body, names[i], &value) && !json_text(value, &text))
			json_compact(value, &text);
	if (text.len == 0)
		buf_addslice(&text, slice_line(&body, &line) ? slice_trim(line) : S(""));
	secret_hide(&text, buf_slice(&s->where.key));
	secret_hide(&text, buf_slice(&s->where.token));
	if (text.len > 200)
		buf_cut(&text, utf8_valid(text.ptr, 200));
	buf_add_visible(&s->text, buf_slice(&text));
	buf_adds(&s->text, "");
	buf_free(&text);
}

static void
on_done(struct http_call *call, const struct http_reply *reply, void *state)
{
	struct send *s = state;

	(void)call;
	s->over = true;
	s->fault = reply->fault;
	s->status = reply->status;
	s->answered |= reply->fault == HTTP_DONE;
	s->mismatch = reply->mismatch;
	snprintf(s->fault_text, sizeof(s->fault_text), "%s", reply->text);
	read_body(s, reply->body);
}

static void
build(struct send *s, size_t first, size_t n)
{
	buf_reset(&s->body);
	if (s->single) {
		struct record r = record_resume(s->run, &s->held[first]);

		buf_addslice(&s->body, r.text);
		return;
	}
	buf_adds(&s->body, "{\"messages\":[");
	for (size_t i = first; i < first + n; i++) {
		struct record r = record_resume(s->run, &s->held[i]);

		buf_adds(&s->body, i > first ? "," : "");
		buf_addslice(&s->body, buf_slice(&s->head));
		buf_addslice(&s->body, r.text);
		buf_addc(&s->body, '}');
	}
	buf_adds(&s->body, "]}");
}

/* Whether a line about a wait may be said: many requests may wait, one after the other. */
static bool
may_say(struct send *s)
{
	int64_t now = time_ms();

	if (s->said_at && now - s->said_at < SAY_MS)
		return false;
	s->said_at = now;
	return true;
}

/* Waits for the answer; false: a signal came before it. */
static bool
await(struct send *s)
{
	struct pollfd signal = {.fd = run_signal_fd(), .events = POLLIN};
	int64_t now = time_ms(), end = INT64_MAX, say = now + SILENT_MS, next;

	for (; !s->over && now < end; now = time_ms()) {
		next = end < say ? end : say;
		/* Once it has come, the signal stays readable. */
		http_wait(s->http, next == INT64_MAX ? -1 : next > now ? next - now : 0, &signal,
		    end == INT64_MAX);
		if (run_interrupted() && end == INT64_MAX)
			end = time_ms() + LAST_MS;
		if (s->over || time_ms() < say)
			continue;
		if (may_say(s))
			note("waiting for the answer of '%s', %d s at most", s->where.url,
			    REPLY_MS / 1000);
		say = INT64_MAX;
	}
	return s->over;
}

/* false: a signal came before the answer. */
static bool
post(struct send *s, size_t first, size_t n)
{
	struct http_request request = {.method = "POST",
	    .url = s->single ? s->one_url.ptr : s->batch_url.ptr, .headers = s->headers,
	    .nheaders = s->nheaders, .max_reply = 64 * 1024, .first_byte_ms = REPLY_MS,
	    .idle_ms = REPLY_MS, .done = on_done, .state = s};
	struct http_call *call;
	struct err e;

	build(s, first, n);
	request.body = buf_slice(&s->body);
	s->over = false;
	call = http_start(s->http, &request, &e);
	if (call == NULL)
		die(STATUS_FAILED, "%s", e.text);
	record_flush(s->run);
	if (await(s))
		return true;
	http_cancel(call);
	return false;
}

/* ---- failures ---- */

static void
fail(struct send *s, size_t first, size_t n, const char *code, bool retryable, const char *text)
{
	for (size_t i = first; i < first + n; i++) {
		struct record r = record_resume(s->run, &s->held[i]);

		record_fail(&r, code, retryable, "%s", text);
	}
}

/* All that is left will fail in the same way. */
static void
end_all(struct send *s, const char *code, const char *text)
{
	s->dead = code;
	snprintf(s->dead_text, sizeof(s->dead_text), "%s", text);
	warn("%s: nothing more is sent", text);
	run_status(s->run, STATUS_FAILED);
}

/* Waits before the next try; false: a signal came. */
static bool
pause_for(struct send *s, int64_t ms)
{
	struct pollfd signal = {.fd = run_signal_fd(), .events = POLLIN};

	record_flush(s->run);
	if (!run_interrupted())
		poll(&signal, 1, (int)ms);
	return !run_interrupted();
}

enum verdict {
	SENT,
	AGAIN,	/* the same once more, now */
	LATER,	/* after a wait: it was refused, and did not arrive */
	SPLIT,	/* in smaller requests */
	FAILED, /* this one */
	DEAD,	/* and all others */
};

struct answer {
	enum verdict verdict;
	const char *code;
	bool retryable, rate;
	char text[400];
};

static bool
renew(struct send *s)
{
	struct err e;

	if (s->renewed || !(s->settings->token_command || s->settings->token_file))
		return false;
	s->renewed = true;
	if (where_token(s->settings->token_command, s->settings->token_file, &s->where.token, &e) <
	    0) {
		warn("%s", e.text);
		return false;
	}
	send_headers(s);
	return true;
}

static struct answer
judge_fault(const struct send *s)
{
	struct answer a = {.verdict = FAILED, .code = http_code(s->fault), .retryable = true};
	const char *unsure = "";

	switch (s->fault) {
	case HTTP_RESOLVE:
	case HTTP_CONNECT:
	case HTTP_PROXY:
		a.verdict = LATER;
		break;
	case HTTP_TLS:
		a.verdict = DEAD;
		break;
	default:
		unsure = "; it may have arrived";
		break;
	}
	/* Who has been answered there has the right scheme. */
	snprintf(a.text, sizeof(a.text), "%s%s%s", s->fault_text,
	    s->mismatch && !s->answered ? where_scheme_hint(s->batch_url.ptr)
	    : a.verdict == DEAD ? refusal_remedy(a.code, s->fault_text, true) : "", unsure);
	return a;
}

/* Of a 401: a relay says no more than Unauthorized, but a token says itself when it ends. */
static void
explain_key(const struct send *s, bool bare, struct answer *a, struct buf *why)
{
	struct slice given = buf_slice(s->where.token.len ? &s->where.token : &s->where.key);
	int64_t end = where_token_end(given);
	bool expired = (end && end <= time_now()) || strcmp(a->code, "token_expired") == 0;

	if (expired) {
		a->code = "token_expired";
		buf_adds(why, bare ? ": the token has expired" : "");
		buf_adds(why, s->renewed ? ", and what --token-command or --token-file gives is no better" :
		    ": give --token-command, or a new key or token");
	} else if (bare && given.len == 0) {
		buf_adds(why, ": it wants a key: set KANDIL_COLLAB_KEY, or --key-file=FILE");
	} else if (bare) {
		buf_adds(why, ": it does not know this key or token, or does not take it any more: give "
		    "another");
	} else {
		buf_adds(why, refusal_remedy(a->code, s->text.ptr, given.len > 0));
	}
}

/* What the relay's words leave open of a refusal. */
static void
explain(const struct send *s, struct answer *a, struct buf *why)
{
	bool bare = s->text.len == 0 || slice_is(buf_slice(&s->text), "Unauthorized");

	buf_adds(why, "");
	if (s->status == 401)
		explain_key(s, bare, a, why);
	else if (s->status == 403 && bare && s->settings->private_topic)
		buf_addf(why,
		    ": this key or token may not write to the private topic '%s': one for it names "
		    "the topic under write", s->topic);
	else if (a->verdict == DEAD)
		buf_adds(why, refusal_remedy(a->code, s->text.ptr, true));
}

static struct answer
judge_status(struct send *s, size_t n)
{
	struct refusal r = refusal_http(s->status, buf_slice(&s->text));
	struct answer a = {.verdict = DEAD, .code = r.code, .retryable = true,
	    .rate = s->status == 429};
	const char *unsure = "";
	struct buf why = {0};

	if (s->status / 100 == 2)
		return (struct answer){.verdict = SENT};
	if (s->status == 401 && renew(s)) {
		a.verdict = AGAIN;
	} else if (s->status == 404 && s->single && !slice_starts(buf_slice(&s->text), "Tenant")) {
		note("the relay is older than 2.97: it does not tell whether this key may write to "
		     "the private topic '%s'", s->topic);
		s->single = false;
		a.verdict = AGAIN;
	} else if (s->status == 413 || s->status == 422) {
		a.verdict = n > 1 ? SPLIT : FAILED;
		a.code = s->status == 413 ? "too_large" : "bad_request";
		a.retryable = false;
	} else if (s->status == 429) {
		a.verdict = LATER;
		if (n > 1 && strstr(s->text.ptr, "batch size")) {
			s->most = n / 2;
			a.verdict = SPLIT;
		}
	} else if (s->status == 503) {
		a.verdict = LATER;
	} else if (s->status / 100 == 5) {
		a.verdict = FAILED;
		unsure = "; it may have arrived";
	}
	explain(s, &a, &why);
	snprintf(a.text, sizeof(a.text), "the relay refuses it (HTTP %d)%s%s%s%s", s->status,
	    s->text.len ? ": " : "", s->text.ptr, unsure, why.ptr);
	buf_free(&why);
	return a;
}

/* ---- all in hand ---- */

static const struct wait {
	int64_t first, base, cap, least;
} usual = {100, 200, 10000, 0}, slower = {2000, 4000, 8000, 2000};

static int64_t
wait_for(struct send *s, const struct wait *w, unsigned tries)
{
	if (tries == 0)
		return backoff_wait(&s->backoff, 0, w->first, w->first, w->least);
	return backoff_wait(&s->backoff, tries - 1, w->base, w->cap, w->least);
}

/* All waits from the first on, at most. */
static int64_t
wait_most(const struct wait *w)
{
	int64_t sum = w->first + w->least, next = w->base;

	for (unsigned tries = 1; tries + 1 < SEND_TRIES; tries++) {
		sum += next + w->least;
		next = 2 * next < w->cap ? 2 * next : w->cap;
	}
	return sum;
}

/* Nothing was said yet of this trouble, and it is going to take a while; or it is over. */
static void
say_trouble(struct send *s, const struct answer *a, unsigned tries)
{
	if (tries == 0 && !s->away && may_say(s))
		note("%s: trying again %d times, with waits of %lld s together at most", a->text,
		    SEND_TRIES - 1,
		    (long long)(wait_most(a->rate ? &slower : &usual) + 999) / 1000);
	else if (tries + 1 == SEND_TRIES && !s->away)
		warn("%s: given up after %d tries", a->text, SEND_TRIES);
}

/* One request of n messages until it is decided. SENT, SPLIT or FAILED, with a. */
static enum verdict
deliver(struct send *s, size_t first, size_t n, struct answer *a)
{
	for (unsigned tries = 0;; tries++) {
		if (!post(s, first, n)) {
			*a = (struct answer){FAILED, "interrupted", true, false,
			    "a signal came before the answer; it may have arrived"};
			return FAILED;
		}
		*a = s->fault == HTTP_DONE ? judge_status(s, n) : judge_fault(s);
		if (a->verdict == SENT)
			s->away = s->renewed = false;
		if (a->verdict == AGAIN)
			continue;
		if (a->verdict == DEAD)
			end_all(s, a->code, a->text);
		if (a->verdict != LATER)
			return a->verdict == DEAD ? FAILED : a->verdict;
		say_trouble(s, a, tries);
		if (s->away || tries + 1 >= SEND_TRIES) {
			s->away = true;
			run_status(s->run, STATUS_FAILED);
			return FAILED;
		}
		if (!pause_for(s, wait_for(s, a->rate ? &slower : &usual, tries)))
			return FAILED;
	}
}

void
send_all(struct send *s)
{
	size_t first = 0, limit = SEND_BATCH;
	struct answer a;

	while (first < s->n && !s->dead && !run_interrupted()) {
		size_t n = s->n - first;

		n = s->single ? 1 : n < limit ? n : limit;
		n = n < s->most ? n : s->most;
		switch (deliver(s, first, n, &a)) {
		case SENT:
			first += n;
			limit = limit < SEND_BATCH / 2 ? limit * 2 : SEND_BATCH;
			break;
		case SPLIT:
			/* One of them is bad: halves find it in few requests. */
			limit = n > 1 ? n / 2 : 1;
			break;
		default:
			fail(s, first, n, a.code, a.retryable, a.text);
			first += n;
			if (s->run->common->strict)
				first = s->n; /* the run has ended */
			break;
		}
	}
	if (s->dead)
		fail(s, first, s->n - first, s->dead, true, s->dead_text);
	else
		fail(s, first, s->n - first, "interrupted", true, "a signal came before its turn");
	s->n = s->bytes = 0;
}
