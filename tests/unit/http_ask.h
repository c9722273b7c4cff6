/*
 * http_ask: requests of common/http that are waited for, and what came of them.
 */
#ifndef KANDIL_TEST_HTTP_ASK_H
#define KANDIL_TEST_HTTP_ASK_H

#include "common/http.h"
#include "common/spawn.h"
#include "common/time.h"
#include "tests/unit/check.h"

#include <stdlib.h>

static struct err e;

struct result {
	int done, pieces;
	struct http_reply reply;
	struct buf headers, body, streamed;
	int stop_after; /* pieces; 0: never */
};

static inline void
on_done(struct http_call *call, const struct http_reply *reply, void *state)
{
	struct result *r = state;

	(void)call;
	r->done++;
	r->reply = *reply;
	buf_reset(&r->headers);
	buf_reset(&r->body);
	buf_addslice(&r->headers, reply->headers);
	buf_addslice(&r->body, reply->body);
	r->reply.headers = buf_slice(&r->headers);
	r->reply.body = buf_slice(&r->body);
}

static inline bool
on_data(struct http_call *call, struct slice bytes, void *state)
{
	struct result *r = state;

	CHECK(http_status(call) == 200 && r->done == 0);
	buf_addslice(&r->streamed, bytes);
	return ++r->pieces != r->stop_after;
}

static inline void
free_result(struct result *r)
{
	buf_free(&r->headers);
	buf_free(&r->body);
	buf_free(&r->streamed);
	*r = (struct result){0};
}

static inline struct http *
open_http(const struct http_settings *settings)
{
	struct http *http = http_open(settings, &e);

	if (!http) {
		fprintf(stderr, "%s\n", e.text);
		exit(1);
	}
	return http;
}

/* Until that many have ended, half a minute at most. */
static inline void
finish_all(struct http *http, const int *ended, const int *started)
{
	int64_t end = time_ms() + 30000;

	while (*ended < *started && time_ms() < end)
		http_wait(http, 1000, NULL, 0);
	CHECK(*ended == *started);
}

static inline void
ask(struct http *http, struct http_request request, struct result *r)
{
	request.done = on_done;
	request.state = r;
	r->done = r->pieces = 0;
	buf_reset(&r->streamed);
	CHECK(http_start(http, &request, &e) != NULL);
	CHECK(r->done == 0);
	finish_all(http, &r->done, &(const int){1});
	CHECK(r->done == 1);
}

/* Whether it ends in this fault, with these words. */
static inline bool
faulty(struct http *http, struct http_request request, enum http_fault fault, const char *words)
{
	struct result r = {0};
	bool right;

	ask(http, request, &r);
	right = r.reply.fault == fault && strstr(r.reply.text, words) != NULL &&
		(fault == HTTP_DONE || http_code(fault) != NULL);
	if (!right)
		fprintf(
		    stderr, "%s: fault %d: %s\n", request.url, (int)r.reply.fault, r.reply.text);
	free_result(&r);
	return right;
}

/* Whether it ended as where one side speaks TLS and the other does not. */
static inline bool
mismatched(struct http *http, const char *url)
{
	struct result r = {0};
	bool mismatch;

	ask(http, (struct http_request){.url = url}, &r);
	mismatch = r.reply.mismatch;
	free_result(&r);
	return mismatch;
}

static inline bool
header_is(const struct result *r, const char *name, const char *value)
{
	struct slice found = http_header(&r->reply, name);

	return found.ptr && slice_is(found, value);
}

static inline int
shell(const char *line, struct buf *out)
{
	const char *argv[] = {"sh", "-c", line, NULL};

	return spawn_run(&(struct spawn_options){.argv = argv, .flags = SPAWN_ERR}, S(""), 1 << 20,
	    60000, NULL, out, &e);
}

/* What the environment says of proxies and certificates does not count. */
static inline void
forget_environment(void)
{
	static const char *const foreign[] = {"http_proxy", "https_proxy", "HTTPS_PROXY",
	    "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", "SSL_CERT_FILE", "CURL_CA_BUNDLE"};

	for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++)
		unsetenv(foreign[i]);
}

#endif
