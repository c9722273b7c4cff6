#include "tools/translate/engine_part.h"

#include "common/backoff.h"
#include "common/http.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/path.h"
#include "common/progress.h"
#include "common/record.h"
#include "common/time.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * Asks DeepL: API v2 over one connection, a request at a time. Texts of one
 * request share their context. Source: DeepL API v2, "Error handling".
 */

enum {
	TEXTS = 50,	   /* of a request */
	BODY_MAX = 100000, /* bytes; DeepL takes 128 KiB, proxies and servers of tests less */
	TRIES = 6,
	BASE_MS = 500, CAP_MS = 30000, /* between two tries */
};

struct deepl {
	struct engine *engine;
	struct http *http;
	struct buf key;		/* the header with the key: wiped at the end */
	struct buf headers;	/* KANDIL_DEEPL_HEADER, lines */
	char *url;
	struct backoff backoff;
	struct batch *first, **end;
	struct progress progress;
	long long billed, done;
	char *refused[GAP_TARGETS]; /* why a locale is not asked for any more */
	/* of the request in flight */
	bool over;
	int status;
	enum http_fault fault;
	struct buf body;
	char text[256];
	int64_t wait_ms;
};

/* ---- the key ---- */

/* What the environment has for it, or NULL. */
static const char *
variable(void)
{
	static const char *const names[] = {"DEEPL_AUTH_KEY", "DEEPL_API_KEY"};
	const char *value = NULL;

	for (size_t i = 0; i < 2 && !(value && *value); i++)
		value = getenv(names[i]);
	return value && *value ? value : NULL;
}

/* The key's bytes, appended; 1, 0: there is none, -1 with e. */
static int
find_key(const char *file, struct buf *out, struct err *e)
{
	struct buf text = {0};
	struct slice line = {"", 0}, rest;

	/* The environment stands between the command line and the configuration. */
	if (variable() && opt_source("key-file") < OPT_ENVIRONMENT)
		file = NULL;
	if (file) {
		if (path_read(file, 1 << 16, &text, e) < 0)
			return -1;
		rest = buf_slice(&text);
		slice_line(&rest, &line);
	}
	if (!file && variable())
		line = slice(variable());
	line = slice_trim(line);
	buf_addslice(out, line);
	int found = line.len > 0;
	for (size_t i = 0; i < line.len; i++)
		if ((unsigned char)line.ptr[i] <= ' ' || (unsigned char)line.ptr[i] >= 0x7f)
			found = err_set(e, "no_key", "DeepL's key has a character that no key has");
	if (file && !line.len)
		found = err_set(e, "no_key", "the key file is empty, '%s'", file);
	if (text.ptr)
		explicit_bzero(text.ptr, text.cap);
	buf_free(&text);
	return found;
}

bool
engine_deepl_ready(const char *key_file)
{
	return key_file || variable();
}

/* Keys of the free plan say so, and have a host of their own. */
static char *
make_url(struct slice key)
{
	const char *server = getenv("DEEPL_SERVER_URL");
	struct buf url = {0};

	if (!server || !*server)
		server = slice_ends(key, ":fx") ? "https://api-free.deepl.com"
						: "https://api.deepl.com";
	buf_adds(&url, server);
	while (url.len && url.ptr[url.len - 1] == '/')
		buf_cut(&url, url.len - 1);
	buf_adds(&url, "/v2/translate");
	return buf_detach(&url);
}

/* ---- one request ---- */

static void
take(struct http_call *call, const struct http_reply *reply, void *state)
{
	struct deepl *d = state;
	struct slice after = http_header(reply, "Retry-After");
	long long seconds;
	int64_t moment;

	(void)call;
	d->over = true;
	d->fault = reply->fault;
	d->status = reply->status;
	buf_reset(&d->body);
	buf_addslice(&d->body, reply->body);
	snprintf(d->text, sizeof(d->text), "%s", reply->text);
	d->wait_ms = 0;
	if (!after.ptr)
		return;
	if (json_check(after, NULL) == 0 && json_long(after, &seconds) && seconds > 0)
		d->wait_ms = seconds > 86400 ? 86400000 : seconds * 1000;
	else if (time_parse_http(after, &moment) == 0 && moment > time_now())
		d->wait_ms = moment - time_now();
}

/* Waits for a reply or, with none in flight, that long; false: a signal ends us. */
static bool
wait_ms(struct deepl *d, int64_t ms)
{
	int64_t end = time_ms() + ms;
	struct pollfd signal = {.fd = run_signal_fd(), .events = POLLIN};

	while (!run_interrupted() && !d->over && (ms < 0 || time_ms() < end))
		if (http_wait(d->http, ms < 0 ? 1000 : end - time_ms(), &signal, 1) < 0)
			return false;
	return !run_interrupted();
}

static int
send_once(struct deepl *d, struct slice body, struct err *e)
{
	struct slice headers[20];
	struct slice rest = buf_slice(&d->headers), line;
	size_t n = 0;
	struct http_call *call;

	/* A run whose texts are all remembered needs no network. */
	if (!d->http && !(d->http = http_open(&(struct http_settings){.connections = 1}, e)))
		return -1;
	headers[n++] = buf_slice(&d->key);
	headers[n++] = S("Content-Type: application/json");
	while (n < 20 && slice_line(&rest, &line))
		if (line.len)
			headers[n++] = line;
	d->over = false;
	long timeout = (long)(d->engine->settings.timeout * 1000);
	call = http_start(d->http, &(struct http_request){.method = "POST", .url = d->url,
	    .headers = headers, .nheaders = n, .body = body, .first_byte_ms = timeout,
	    .idle_ms = timeout, .done = take, .state = d}, e);
	if (!call)
		return -1;
	if (wait_ms(d, -1))
		return 0;
	if (!d->over)
		http_cancel(call);
	return err_set(e, "engine_failed", "interrupted");
}

enum outcome {
	OUTCOME_DONE,
	OUTCOME_AGAIN,
	OUTCOME_TOO_LARGE, /* fewer texts may do */
	OUTCOME_REFUSED,   /* the language, the glossary: so will be all of this locale */
	OUTCOME_STOP,
};

/* A server, or a proxy before it, may repeat what it was sent. */
static void
hide_key(const struct deepl *d, struct buf *text)
{
	const char *space = memrchr(d->key.ptr, ' ', d->key.len), *found;
	struct slice key = {space + 1, d->key.len - (size_t)(space + 1 - d->key.ptr)};

	while (text->len && (found = memmem(text->ptr, text->len, key.ptr, key.len)))
		buf_splice(text, (size_t)(found - text->ptr), key.len, S("..."));
}

/* What DeepL says, or its status: the body of an error may be HTML, or nothing. */
static void
say(const struct deepl *d, struct err *e)
{
	struct buf message = {0}, shown = {0};
	struct slice detail;

	if (json_check(buf_slice(&d->body), NULL) == 0 &&
	    json_type(buf_slice(&d->body)) == JSON_OBJECT) {
		json_get_text(buf_slice(&d->body), "message", &message);
		if (json_get(buf_slice(&d->body), "detail", &detail) && json_type(detail) == JSON_STRING) {
			if (message.len)
				buf_adds(&message, ": ");
			json_text(detail, &message);
		}
	}
	hide_key(d, &message);
	buf_add_visible(&shown, buf_slice(&message));
	size_t n = utf8_valid(shown.ptr ? shown.ptr : "", shown.len < 200 ? shown.len : 200);
	err_set(e, "engine_failed", n ? "it answers with status %d: %.*s" : "it answers with status %d",
	    d->status, (int)n, shown.ptr);
	buf_free(&message);
	buf_free(&shown);
}

static enum outcome
judge(const struct deepl *d, struct err *e)
{
	if (d->fault == HTTP_TLS || d->fault == HTTP_PROXY || d->fault == HTTP_RESOLVE) {
		err_set(e, "engine_failed", "%s", d->text);
		return OUTCOME_STOP;
	}
	if (d->fault != HTTP_DONE) {
		err_set(e, "engine_failed", "%s", d->text);
		return OUTCOME_AGAIN;
	}
	switch (d->status) {
	case 200:
		return OUTCOME_DONE;
	case 401: case 403:
		err_set(e, "engine_failed", "DeepL refuses the key (status %d): see DEEPL_AUTH_KEY",
		    d->status);
		return OUTCOME_STOP;
	case 456:
		err_set(e, "engine_failed", "the quota of DeepL's plan is used up (status 456)");
		return OUTCOME_STOP;
	case 413:
		err_set(e, "engine_failed", "the text is too long for DeepL");
		return OUTCOME_TOO_LARGE;
	default:
		say(d, e);
		return d->status == 429 || d->status >= 500 ? OUTCOME_AGAIN : OUTCOME_REFUSED;
	}
}

/* Sends until there is a reply that can be read, or none is to be had. */
static enum outcome
ask(struct deepl *d, const struct batch *b, const struct deepl_piece *pieces, size_t n,
    struct slice body, struct err *e)
{
	enum outcome result = OUTCOME_STOP;

	for (unsigned tries = 0; tries < TRIES; tries++) {
		if (send_once(d, body, e) < 0)
			return OUTCOME_STOP;
		result = judge(d, e);
		if (result == OUTCOME_DONE &&
		    deepl_read(d->engine, b, pieces, n, buf_slice(&d->body), &d->billed, e) < 0)
			result = OUTCOME_AGAIN;
		if (result != OUTCOME_AGAIN || tries + 1 == TRIES)
			break;
		d->over = false;
		if (!wait_ms(d, backoff_wait(&d->backoff, tries, BASE_MS, CAP_MS, d->wait_ms))) {
			err_set(e, "engine_failed", "interrupted");
			return OUTCOME_STOP;
		}
	}
	/* Six tries over a minute: it would be no better with the next batch. */
	return result == OUTCOME_AGAIN ? OUTCOME_STOP : result;
}

/* ---- batches ---- */

static void
send_batch(void *state, struct batch *b)
{
	struct deepl *d = state;

	b->next = NULL;
	*d->end = b;
	d->end = &b->next;
}

/* One request's worth of pieces that share a context; false when the batch is done. */
static bool
next_group(const struct batch *b, const struct deepl_piece *all, bool *done,
    struct deepl_piece group[TEXTS], size_t *n, struct buf *context)
{
	struct buf other = {0};

	*n = 0;
	for (size_t i = 0; i < b->pieces && *n < TEXTS; i++) {
		if (done[i])
			continue;
		buf_reset(*n ? &other : context);
		deepl_context(all[i].work, all[i].piece, *n ? &other : context);
		if (*n && !slice_eq(buf_slice(&other), buf_slice(context)))
			continue;
		group[(*n)++] = all[i];
		done[i] = true;
	}
	buf_free(&other);
	return *n > 0;
}

static enum outcome
ask_groups(struct deepl *d, struct batch *b, const struct deepl_piece *all, struct err *e)
{
	struct deepl_piece group[TEXTS];
	bool *done = xcalloc(b->pieces + 1, sizeof(*done));
	struct buf context = {0}, body = {0};
	enum outcome result = OUTCOME_DONE;
	size_t n;

	while (result == OUTCOME_DONE && next_group(b, all, done, group, &n, &context)) {
		buf_reset(&body);
		deepl_body(d->engine, b, group, n, buf_slice(&context), &body);
		if (body.len > BODY_MAX) {
			err_set(e, "engine_failed", "the text is too long for DeepL");
			result = OUTCOME_TOO_LARGE;
		} else {
			result = ask(d, b, group, n, buf_slice(&body), e);
		}
	}
	buf_free(&context);
	buf_free(&body);
	free(done);
	return result;
}

static struct batch *
next_batch(void *state, struct err *e)
{
	struct deepl *d = state;
	struct batch *b = d->first;
	struct deepl_piece *all = xcalloc(b->pieces + 1, sizeof(*all));
	size_t n = 0;

	(void)e; /* what goes wrong is said of the batch */
	d->first = b->next;
	if (!d->first)
		d->end = &d->first;
	for (size_t i = 0; i < b->n; i++)
		for (size_t k = 0; k < b->v[i]->n; k++)
			all[n++] = (struct deepl_piece){b->v[i], k};
	struct err why = {.text = ""};
	enum outcome result = OUTCOME_REFUSED;
	if (d->refused[b->target])
		err_set(&why, "engine_failed", "%s", d->refused[b->target]);
	else
		result = ask_groups(d, b, all, &why);
	if (result == OUTCOME_REFUSED && !d->refused[b->target] && !b->back)
		d->refused[b->target] = xstrdup(why.text);
	free(all);
	b->source = S("deepl");
	b->failed = result != OUTCOME_DONE;
	b->stop = result == OUTCOME_STOP;
	b->split = result == OUTCOME_TOO_LARGE;
	snprintf(b->text, sizeof(b->text), "%s", why.text);
	d->done += (long long)b->n;
	if (progress_due(&d->progress))
		progress_show(&d->progress, d->done, "texts", -1, (struct slice){"", 0});
	return b;
}

static void
close_deepl(void *state)
{
	struct deepl *d = state;

	progress_close(&d->progress);
	if (d->billed)
		note("DeepL bills %lld characters", d->billed);
	if (d->http)
		http_close(d->http);
	for (size_t i = 0; i < GAP_TARGETS; i++)
		free(d->refused[i]);
	if (d->key.ptr)
		explicit_bzero(d->key.ptr, d->key.cap);
	buf_free(&d->key);
	buf_free(&d->headers);
	buf_free(&d->body);
	free(d->url);
	free(d);
}

int
deepl_open(struct engine *e, struct err *err)
{
	const char *more = getenv("KANDIL_DEEPL_HEADER");
	struct buf key = {0};
	int found = find_key(e->settings.key_file, &key, err);

	if (found <= 0) {
		buf_free(&key);
		return found < 0 ? -1 : err_set(err, "no_key", "DeepL's key is not set: set "
						      "DEEPL_AUTH_KEY, or name a file that has it "
						      "with --key-file");
	}
	struct deepl *d = xcalloc(1, sizeof(*d));
	d->engine = e;
	d->end = &d->first;
	d->url = make_url(buf_slice(&key));
	/* Room for all of it: growing would leave copies behind. */
	buf_room(&d->key, key.len + 64);
	buf_adds(&d->key, "Authorization: DeepL-Auth-Key ");
	buf_addslice(&d->key, buf_slice(&key));
	explicit_bzero(key.ptr, key.cap);
	buf_free(&key);
	if (more)
		buf_adds(&d->headers, more);
	progress_open(&d->progress, NULL, 0);
	e->service = (struct service){.name = "DeepL", .form = MASK_XML, .pieces = TEXTS,
	    .least = TEXTS, .bytes = 60000, .in_flight = 1, .repairs = 0, .send = send_batch,
	    .next = next_batch, .close = close_deepl, .state = d};
	return 0;
}
