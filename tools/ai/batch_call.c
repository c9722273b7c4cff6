#include "tools/ai/batch_part.h"

#include "common/json.h"
#include "common/mem.h"
#include "common/time.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	BASE_MS = 500,
	CAP_MS = 60000,
	SHOW_MS = 200,
	SILENT_MS = 120000, /* uploads of 200 MB may take any time, if only they move */
};

/* A request in flight, and what its callbacks fill. */
struct flight {
	const struct call *call;
	struct answer *answer;
	struct buf line; /* of an answer in lines: the one that is not whole */
	bool done, stopped;
	enum http_fault fault;
	char text[256];
};

void
answer_free(struct answer *a)
{
	buf_free(&a->headers);
	buf_free(&a->body);
}

bool
batch_word(struct slice id)
{
	if (id.len == 0 || id.len > 256 || memmem(id.ptr, id.len, "..", 2) || id.ptr[0] == '/')
		return false;
	for (size_t i = 0; i < id.len; i++) {
		char c = id.ptr[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			(c && strchr("-_./", c))))
			return false;
	}
	return true;
}

struct slice
batch_text(struct batches *b, struct slice object, const char *name)
{
	json_get_text(object, name, &b->scratch);
	return buf_slice(&b->scratch);
}

bool
batch_sleep(struct batches *b, int64_t ms)
{
	int64_t until = time_ms() + ms;

	while (!run_interrupted()) {
		struct pollfd signal = {run_signal_fd(), POLLIN, 0};
		int64_t left = until - time_ms();

		if (left <= 0)
			return true;
		batch_show(b, left);
		http_wait(b->http, b->progress.on && left > SHOW_MS ? SHOW_MS : left, &signal, 1);
	}
	b->interrupted = true;
	return false;
}

void
batch_trouble(struct batches *b, const char *provider, const struct failure *f, const char *until)
{
	bool first = b->trouble[0] == '\0';

	snprintf(b->trouble, sizeof(b->trouble), "%s: %.150s", provider, f->text);
	if (first && until)
		note("%s: %s: tried again %s", provider, f->text, until);
	else if (first)
		note("%s: %s: tried up to %ld times more", provider, f->text, b->settings->retries);
}

void
batch_well(struct batches *b)
{
	b->trouble[0] = '\0';
}

int
batch_bad(struct failure *f, const char *what)
{
	*f = (struct failure){.action = ACTION_FAIL, .code = "bad_reply"};
	snprintf(f->text, sizeof(f->text), "the answer has no %s", what);
	return -1;
}

int
batch_id(struct batches *b, const struct answer *a, const char *name, bool *unsure,
    struct failure *f)
{
	struct slice id = batch_text(b, buf_slice(&a->body), name);

	buf_reset(&b->line);
	buf_addslice(&b->line, id);
	if (batch_word(id))
		return 0;
	*unsure = true;
	return batch_bad(f, "name of a batch");
}

/* ---- one request ---- */

static bool
good(int status)
{
	return status >= 200 && status < 300;
}

/* Hands over the whole lines that have come. */
static bool
give_lines(struct flight *f, struct slice bytes, bool last)
{
	buf_addslice(&f->line, bytes);
	for (;;) {
		char *lf = f->line.len ? memchr(f->line.ptr, '\n', f->line.len) : NULL;
		struct slice line;
		size_t len;

		if (lf == NULL && (!last || f->line.len == 0))
			return f->line.len <= BATCH_LINE;
		len = lf ? (size_t)(lf - f->line.ptr) + 1 : f->line.len;
		line = slice_trim((struct slice){f->line.ptr, len});
		if (line.len && !f->call->line(f->call->state, line))
			return false;
		buf_splice(&f->line, 0, len, S(""));
	}
}

static bool
on_data(struct http_call *call, struct slice bytes, void *state)
{
	struct flight *f = state;

	if (good(http_status(call))) {
		f->stopped = !give_lines(f, bytes, false);
		return !f->stopped;
	}
	if (f->answer->body.len < BATCH_ERROR)
		buf_addslice(&f->answer->body, bytes);
	return true;
}

static void
on_done(struct http_call *call, const struct http_reply *reply, void *state)
{
	struct flight *f = state;

	(void)call;
	f->done = true;
	f->fault = reply->fault;
	snprintf(f->text, sizeof(f->text), "%s", reply->text);
	f->answer->status = reply->fault == HTTP_DONE ? reply->status : 0;
	buf_addslice(&f->answer->headers, reply->headers);
	if (f->call->line == NULL)
		buf_addslice(&f->answer->body, reply->body);
}

/* The endpoint's headers with the call's own type; the caller frees. */
static struct slice *
headers_of(const struct batch *batch, const struct call *call, struct buf *type, size_t *n)
{
	const struct endpoint *p = batch->endpoint;
	struct slice *v = xreallocarray(NULL, p->nheaders + call->nheaders + 1, sizeof(*v));

	*n = 0;
	buf_addf(type, "Content-Type: %s", call->type ? call->type : "application/json");
	v[(*n)++] = buf_slice(type);
	for (size_t i = 0; i < p->nheaders && !call->no_key; i++)
		if (p->headers[i].len < 13 ||
		    strncasecmp(p->headers[i].ptr, "Content-Type:", 13) != 0)
			v[(*n)++] = p->headers[i];
	for (size_t i = 0; i < call->nheaders; i++)
		v[(*n)++] = call->headers[i];
	return v;
}

static int
start(struct batches *b, const struct batch *batch, const struct call *call, struct flight *f,
    struct err *e)
{
	struct buf type = {0};
	size_t n;
	struct slice *headers = headers_of(batch, call, &type, &n);
	struct http_request request = {.method = call->method, .url = call->url, .headers = headers,
	    .nheaders = n, .body = call->body, .max_reply = call->max ? call->max : BATCH_ANSWER,
	    .first_byte_ms = SILENT_MS, .idle_ms = SILENT_MS, .done = on_done, .state = f};
	struct http_call *started;

	if (call->line) {
		request.data = on_data;
		request.max_reply = (size_t)1 << 40;
	}
	started = http_start(b->http, &request, e);
	free(headers);
	buf_free(&type);
	if (started == NULL)
		return -1;
	while (!f->done && !run_interrupted()) {
		struct pollfd signal = {run_signal_fd(), POLLIN, 0};

		http_wait(b->http, -1, &signal, 1);
	}
	if (!f->done)
		http_cancel(started);
	return 0;
}

/* What an answer that is none means. unsure: the request may have arrived. */
static void
no_answer(const struct flight *f, struct failure *failure, bool *unsure)
{
	*failure = (struct failure){.action = ACTION_RETRY, .code = http_code(f->fault)};
	snprintf(failure->text, sizeof(failure->text), "%s", f->text);
	*unsure = !(f->fault == HTTP_RESOLVE || f->fault == HTTP_CONNECT ||
		    f->fault == HTTP_PROXY || f->fault == HTTP_TLS);
	if (f->fault == HTTP_TOO_LARGE)
		failure->action = ACTION_FAIL;
}

/* 0 or -1 with failure. */
static int
judge(struct flight *f, const struct batch *batch, struct failure *failure)
{
	struct ask ask = {.endpoint = batch->endpoint, .model = S("")};
	struct answer *a = f->answer;

	if (f->stopped) {
		*failure = (struct failure){.action = ACTION_STOP, .code = "cannot_write"};
		snprintf(failure->text, sizeof(failure->text),
		    "a result cannot be kept, or is longer than %d bytes", BATCH_LINE);
		return -1;
	}
	if (f->fault != HTTP_DONE) {
		no_answer(f, failure, &a->unsure);
		return -1;
	}
	if (good(a->status) &&
	    (f->call->line || f->call->any || json_check(buf_slice(&a->body), NULL) == 0))
		return 0;
	if (good(a->status)) {
		*failure = (struct failure){.action = ACTION_RETRY, .code = "bad_reply"};
		snprintf(failure->text, sizeof(failure->text), "the answer is no JSON");
		a->unsure = true;
		return -1;
	}
	a->unsure = a->status >= 500;
	batch->endpoint->protocol->failure(a->status, buf_slice(&a->headers), buf_slice(&a->body),
	    &ask, 0, failure);
	if (failure->action == ACTION_FALLBACK)
		failure->action = ACTION_FAIL;
	if (a->status == 404 || a->status == 410)
		failure->code = BATCH_NOT_THERE;
	return -1;
}

static int
call_once(struct batches *b, const struct batch *batch, const struct call *call, struct answer *a,
    struct failure *failure)
{
	struct flight f = {.call = call, .answer = a};
	struct err e;
	int rc;

	buf_reset(&a->headers);
	buf_reset(&a->body);
	a->status = 0;
	a->unsure = false;
	if (start(b, batch, call, &f, &e) != 0) {
		*failure = (struct failure){.action = ACTION_STOP, .code = e.code};
		snprintf(failure->text, sizeof(failure->text), "%.390s", e.text);
		buf_free(&f.line);
		return -1;
	}
	if (!f.done) {
		b->interrupted = true;
		a->unsure = true;
		*failure = (struct failure){.action = ACTION_STOP, .code = "interrupted"};
		buf_free(&f.line);
		return -1;
	}
	if (call->line && f.fault == HTTP_DONE && good(a->status) && !f.stopped)
		f.stopped = !give_lines(&f, S(""), true);
	rc = judge(&f, batch, failure);
	buf_free(&f.line);
	return rc;
}

int
batch_call(struct batches *b, const struct batch *batch, const struct call *call, struct answer *a,
    struct failure *failure)
{
	bool again = strcmp(call->method, "GET") == 0;

	for (unsigned tries = 0;; tries++) {
		int rc = call_once(b, batch, call, a, failure);

		if (rc == 0)
			batch_well(b);
		if (rc == 0 || !again || failure->action != ACTION_RETRY ||
		    (long)tries >= b->settings->retries)
			return rc;
		batch_trouble(b, batch->provider, failure,
		    batch->stage == STAGE_CREATED ? "for an hour" : NULL);
		if (die_verbose() > 0)
			note("%s: %s: %s: once more", batch->name, failure->code, failure->text);
		if (!batch_sleep(
			b, backoff_wait(&b->backoff, tries, BASE_MS, CAP_MS, failure->wait_ms)))
			return -1;
	}
}
