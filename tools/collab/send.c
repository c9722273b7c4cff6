/*
 * kandil-collab send TOPIC: each record is the payload of one broadcast, by
 * REST, without joining: for cron, scripts and one-shot use.
 *
 * Order is kept: one request at a time. Public topics go up to 100 messages a request;
 * private ones singly, since the batch form says 202 also to what it drops for want of
 * permission (a relay older than 2.97 has the batch form alone, and a note says so).
 *
 * What was sent is not written; what could not be sent comes out as records that carry
 * their error, so that `send --retry` of the output sends those alone. A request that
 * may have arrived (cut off, timed out, 500) is not sent again without being asked to like
 * that: at most once by itself, at least once with --retry. These messages carry no sequence, and
 * nobody heals them: what must not be lost goes by `join`.
 */
#include "tools/collab/send_part.h"

#include "common/secret.h"
#include "common/time.h"
#include "common/url.h"
#include "tools/collab/keyfile.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

static const char *
rest_base(struct buf *base)
{
	/* As realtime-js derives it from the socket's. */
	if (slice_ends(buf_slice(base), "/socket"))
		buf_cut(base, base->len - strlen("/socket"));
	buf_adds(base, "/api/broadcast");
	return base->ptr;
}

static void
add_header(struct send *s, struct buf *b, const char *name, struct slice value)
{
	buf_adds(b, name);
	buf_addslice(b, value);
	s->headers[s->nheaders++] = buf_slice(b);
}

void
send_headers(struct send *s)
{
	secret_wipe(&s->apikey);
	secret_wipe(&s->bearer);
	s->nheaders = 0;
	s->headers[s->nheaders++] = S("Content-Type: application/json");
	if (s->where.key.len || s->where.token.len)
		add_header(s, &s->apikey, "apikey: ",
		    buf_slice(s->where.key.len ? &s->where.key : &s->where.token));
	if (s->where.token.len)
		add_header(s, &s->bearer, "Authorization: Bearer ", buf_slice(&s->where.token));
}

static void
open_send(struct send *s, const char *topic, struct err *e)
{
	const struct settings *set = s->settings;
	struct http_settings http = {.ca_file = set->ca_file, .connections = 1};
	struct buf base = {0};

	if (where_find(set, &s->where, e) < 0 ||
	    where_token(set->token_command, set->token_file, &s->where.token, e) < 0)
		die(keyfile_status(e), "%s", e->text);
	where_base(s->where.url, set->insecure, &base, NULL); /* where_find has seen it */
	buf_adds(&s->batch_url, rest_base(&base));
	buf_addslice(&s->one_url, buf_slice(&s->batch_url));
	buf_addc(&s->one_url, '/');
	url_escape(&s->one_url, slice(topic));
	buf_adds(&s->one_url, "/events/");
	url_escape(&s->one_url, slice(set->event));
	buf_adds(&s->one_url, "?private=true");
	buf_free(&base);
	/* What stands before each payload of a batch. */
	json_open(&s->head, '{');
	json_add(&s->head, "topic", slice(topic));
	json_add(&s->head, "event", slice(set->event));
	json_name(&s->head, "private");
	json_put_bool(&s->head, set->private_topic);
	json_name(&s->head, "payload");
	s->single = set->private_topic;
	s->most = SEND_BATCH;
	send_headers(s);
	s->http = http_open(&http, e);
	if (s->http == NULL)
		die(STATUS_FAILED, "%s", e->text);
}

static void
close_send(struct send *s)
{
	http_close(s->http);
	for (size_t i = 0; i < SEND_BATCH; i++)
		held_free(&s->held[i]);
	capture_free(&s->other);
	where_free(&s->where);
	secret_wipe(&s->apikey);
	secret_wipe(&s->bearer);
	buf_free(&s->batch_url);
	buf_free(&s->one_url);
	buf_free(&s->head);
	buf_free(&s->body);
	buf_free(&s->text);
	free(s);
}

/* One more in hand; what is too large for the relay fails here, behind those before it. */
static void
take(struct send *s, struct record *r)
{
	size_t max = s->settings->max_payload;

	if (max && r->text.len > max) {
		send_all(s);
		record_fail(r, "too_large", false,
		    "it has %zu bytes, and the relay takes %zu: --max-payload says otherwise",
		    r->text.len, max);
		return;
	}
	record_hold(r, &s->held[s->n++]);
	s->bytes += r->text.len;
	if (s->n == SEND_BATCH || s->bytes >= SEND_BYTES)
		send_all(s);
}

/* Nothing more to read at once: whatever is in hand goes, then it is waited. */
static void
wait_for_more(struct send *s)
{
	struct pollfd fds[] = {{.fd = record_pull_fd(s->run), .events = POLLIN},
	    {.fd = run_signal_fd(), .events = POLLIN}};

	if (s->n) {
		send_all(s);
		return;
	}
	record_flush(s->run);
	if (poll(fds, 2, -1) < 0 && errno != EINTR)
		die(STATUS_FAILED, "cannot wait for input:");
}

static void
work(struct send *s)
{
	struct record r;

	for (;;)
		switch (record_pull(s->run, &s->other, &r)) {
		case PULL_RECORD:
			take(s, &r);
			break;
		case PULL_DONE:
			/* A bad line has its place behind what is in hand. */
			if (s->other.lines.len || s->other.rejects.len)
				send_all(s);
			record_write(s->run, &s->other);
			break;
		case PULL_WAIT:
			wait_for_more(s);
			break;
		case PULL_END:
			send_all(s);
			return;
		}
}

void
send_run(struct run *run, void *settings)
{
	struct send *s = xcalloc(1, sizeof(*s));
	struct err e;

	s->run = run;
	s->settings = settings;
	if (run->noperands == 0 || run->operands[0][0] == '\0') {
		warn("no topic is named");
		opt_usage(run->tool, run->command);
	}
	if (s->settings->event == NULL || s->settings->event[0] == '\0')
		die(STATUS_USAGE, "%s: an event needs a name", opt_origin("event"));
	s->topic = run->operands[0];
	run->operands++;
	run->noperands--;
	open_send(s, s->topic, &e);
	work(s);
	close_send(s);
}
