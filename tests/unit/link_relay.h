/*
 * link_relay: a relay for the tests of link: one Phoenix socket server in the
 * same loop, which does what the plan says, well or badly, and logs what came.
 */
#ifndef KANDIL_TEST_LINK_RELAY_H
#define KANDIL_TEST_LINK_RELAY_H

#include "common/json.h"
#include "common/mem.h"
#include "common/socket_part.h"
#include "common/time.h"
#include "tools/collab/frame.h"

#include <stdio.h>
#include <stdlib.h>

struct seat { /* one connection */
	struct socket *socket;
	char join_ref[32];
	bool array;
};

/* What it does. Lists end in NULL and are used up from the front; then all goes well. */
static struct {
	const char *const *refuse; /* "401 text" for upgrades; "" lets one in */
	const char *const *join;   /* reasons of refused joins; "" says ok, "-" nothing, "!" cuts */
	bool no_beat, no_ack;
	int ack_one_in; /* acks are lost but for one in so many, at random; 0: none is lost */
	bool slow;	       /* reads a message, and nothing for the next 10 ms */
	const char *ack_error; /* the response of an error reply to broadcasts */
} plan;

static struct sockets *loop;
static struct seat *seat; /* the newest */
static int port, upgrades, joins, beats, seats;
static struct buf heard; /* "event payload\n" of all but heartbeats */
static struct buf query; /* the last upgrade's apikey, vsn */
static struct frame_reader relay_reader;

static const char *
take_plan(const char *const **list)
{
	const char *next = *list ? **list : NULL;

	if (next)
		++*list;
	return next ? next : "";
}

static void
relay_write(struct seat *s, const char *ref, const char *join_ref, const char *event,
    const char *payload)
{
	struct buf b = {0};
	struct frame f = {.ref = slice(ref), .join_ref = slice(join_ref),
	    .topic = S("realtime:room"), .event = slice(event), .payload = slice(payload),
	    .json = true};

	frame_write_text(&b, s->array ? FRAME_V2 : FRAME_V1, true, &f);
	socket_say(s->socket, buf_slice(&b), false);
	buf_free(&b);
}

/* A push to one channel: in v1 phx_close and phx_error carry the join_ref as ref. */
static void
relay_push(const char *event, const char *payload)
{
	bool end = strncmp(event, "phx_", 4) == 0;

	relay_write(seat, end ? seat->join_ref : NULL, seat->join_ref, event, payload);
}

static void
relay_reply(struct seat *s, struct slice ref, bool ok, const char *response)
{
	struct buf payload = {0};
	char text[32];

	snprintf(text, sizeof(text), "%.*s", (int)ref.len, ref.ptr);
	buf_addf(&payload, "{\"response\":%s,\"status\":\"%s\"}", response, ok ? "ok" : "error");
	relay_write(s, text, s->join_ref, "phx_reply", payload.ptr);
	buf_free(&payload);
}

static void
relay_join(struct seat *s, const struct frame *f)
{
	const char *reason = take_plan(&plan.join);
	struct buf b = {0};

	joins++;
	snprintf(s->join_ref, sizeof(s->join_ref), "%.*s", (int)f->join_ref.len, f->join_ref.ptr);
	if (strcmp(reason, "!") == 0) {
		socket_cut(s->socket);
	} else if (*reason == '\0') {
		relay_reply(s, f->ref, true, "{\"postgres_changes\":[]}");
	} else if (*reason != '-') {
		buf_adds(&b, "{\"reason\":");
		json_quote(&b, slice(reason));
		buf_addc(&b, '}');
		relay_reply(s, f->ref, false, b.ptr);
	}
	buf_free(&b);
}

static void
relay_take(struct seat *s, const struct frame *f)
{
	if (slice_is(f->topic, "phoenix")) {
		beats++;
		if (!plan.no_beat)
			relay_write(s, NULL, NULL, "phx_reply", "{}");
		return;
	}
	buf_addf(&heard, "%.*s %.*s\n", (int)f->event.len, f->event.ptr,
	    f->payload.len > 1000 ? 1000 : (int)f->payload.len, f->payload.ptr);
	if (slice_is(f->event, "phx_join")) {
		relay_join(s, f);
	} else if (slice_is(f->event, "phx_leave")) {
		relay_reply(s, f->ref, true, "{}");
	} else if (slice_is(f->event, "broadcast") || f->form == FRAME_USER_PUSH) {
		if (!plan.no_ack && (!plan.ack_one_in || random() % plan.ack_one_in == 0))
			relay_reply(s, f->ref, !plan.ack_error,
			    plan.ack_error ? plan.ack_error : "{}");
	} else if (slice_is(f->event, "presence")) {
		relay_reply(s, f->ref, true, "{}");
	}
}

/* Stops reading from it (the peer is held back by TCP), and goes on. */
static inline void
relay_hold(struct socket *socket, bool hold)
{
	if (socket->wsi && socket->state == SOCKET_OPEN)
		lws_rx_flow_control(socket->wsi, !hold);
}

static void
relay_message(struct socket *socket, struct slice bytes, bool binary, void *state)
{
	struct seat *s = state;
	struct frame f;
	struct err e;

	s->socket = socket;
	if (plan.slow)
		relay_hold(socket, true);
	if (binary ? frame_read_binary(bytes, false, &f, &e)
		   : frame_read_text(&relay_reader, bytes, &f, &s->array, &e))
		fprintf(stderr, "relay: %s\n", e.text);
	else
		relay_take(s, &f);
}

static void
relay_opened(struct socket *socket, void *state)
{
	seat = state;
	seat->socket = socket;
}

static void
relay_closed(struct socket *socket, const struct socket_end *end, void *state)
{
	(void)socket;
	(void)end;
	if (seat == state)
		seat = NULL;
	free(state);
	seats--;
}

static int
relay_accept(struct socket_ask *ask, void **conn, void *state)
{
	const char *words = take_plan(&plan.refuse);
	struct buf b = {0};

	(void)state;
	upgrades++;
	buf_reset(&query);
	if (socket_ask_arg(ask, "apikey", &b))
		buf_addslice(&query, buf_slice(&b));
	if (socket_ask_arg(ask, "vsn", &b))
		buf_addf(&query, " %s", b.ptr);
	if (*words) {
		buf_reset(&b);
		buf_adds(&b, "{\"error\":");
		json_quote(&b, slice(words + 4));
		buf_addc(&b, '}');
		socket_answer(ask, (int)strtol(words, NULL, 10), NULL, buf_slice(&b), NULL);
		buf_free(&b);
		return -1;
	}
	buf_free(&b);
	seats++;
	*conn = xcalloc(1, sizeof(struct seat));
	return 0;
}

static void
relay_request(struct socket_ask *ask, void *state)
{
	(void)state;
	socket_answer(ask, 404, NULL, S("{}"), NULL);
}

static const struct socket_events relay_events = {
	.opened = relay_opened, .message = relay_message, .closed = relay_closed};

static void
relay_start(void)
{
	struct socket_server server = {.host = "127.0.0.1", .accept = relay_accept,
	    .request = relay_request, .events = &relay_events};
	struct err e;

	loop = sockets_open(&e);
	if (loop == NULL || socket_listen(loop, &server, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		exit(1);
	}
	port = sockets_port(loop);
}

#endif
