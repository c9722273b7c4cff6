/*
 * One connection: what it says, to whom it goes, and what is answered.
 */
#include "tools/collab/hub_part.h"

#include "common/mem.h"
#include "common/time.h"

#include <stdlib.h>

enum {
	REF_MAX = 255,	     /* bytes of a ref or join_ref: what a binary frame could carry */
	PAYLOAD_SLACK = 500, /* beyond max_payload, for what surrounds the user's: so Supabase */
};

/* ---- out ---- */

static void
conn_say(struct conn *c, const struct frame *f)
{
	struct buf *b = &c->hub->scratch;

	buf_reset(b);
	frame_write_text(b, c->dialect, true, f);
	socket_say(c->socket, buf_slice(b), false);
}

void
conn_reply(struct conn *c, const struct frame *to, bool ok, struct slice response)
{
	struct frame reply = {
		.join_ref = to->join_ref,
		.ref = to->ref,
		.topic = to->topic,
		.event = S("phx_reply"),
	};
	struct buf *body = &c->hub->body;

	buf_reset(body);
	buf_adds(body, "{\"response\":");
	buf_addslice(body, response);
	buf_adds(body, ok ? ",\"status\":\"ok\"}" : ",\"status\":\"error\"}");
	reply.payload = buf_slice(body);
	conn_say(c, &reply);
}

void
channel_reply(const struct channel *ch, const struct frame *to, bool ok, struct slice response)
{
	struct frame f = *to;

	f.join_ref = slice(ch->join_ref);
	conn_reply(ch->conn, &f, ok, response);
}

static struct slice
topic_name(const struct channel *ch)
{
	return (struct slice){ch->topic->name, ch->topic->len};
}

void
conn_push(struct channel *ch, const char *event, struct slice payload)
{
	struct frame f = {
		.join_ref = slice(ch->join_ref),
		.topic = topic_name(ch),
		.event = slice(event),
		.payload = payload,
	};

	conn_say(ch->conn, &f);
}

void
conn_close_push(struct channel *ch)
{
	struct frame f = {
		.join_ref = slice(ch->join_ref),
		.ref = slice(ch->join_ref),
		.topic = topic_name(ch),
		.event = S("phx_close"),
		.payload = S("{}"),
	};

	conn_say(ch->conn, &f);
}

void
conn_system(struct channel *ch, bool ok, const char *message)
{
	struct buf body = {0};

	json_open(&body, '{');
	json_add(&body, "extension", S("system"));
	json_add(&body, "status", ok ? S("ok") : S("error"));
	json_add(&body, "message", slice(message));
	if (!ok)
		json_add(&body, "channel", topic_short(topic_name(ch)));
	json_close(&body, '}');
	conn_push(ch, "system", buf_slice(&body));
	buf_free(&body);
}

void
conn_end(struct conn *c, int code, const char *reason)
{
	c->closing = true;
	socket_close(c->socket, code, reason);
}

/* ---- in ---- */

/* Everything that is sent to others comes by here. */
static void
broadcast(struct channel *ch, const struct frame *f, struct cast *cast)
{
	struct hub *hub = ch->conn->hub;
	size_t most = hub->settings.max_payload + PAYLOAD_SLACK;

	if (ch->topic->private && !ch->may_write)
		return; /* silent, with ack as well: so Supabase */
	if (hub->settings.max_payload && f->payload.len > most) {
		hub->metrics.too_large++;
		conn_capped(ch->conn, CAP_PAYLOAD);
		if (ch->ack)
			channel_reply(ch, f, false, S("\"payload_size_exceeded\""));
		return;
	}
	if (!cast->json || !slice_is(cast->event, "kandil") ||
	    !history_control(ch, cast->payload)) {
		hub->metrics.broadcasts++;
		hub->metrics.deliveries += topic_cast(ch->topic, cast, ch->self ? NULL : ch);
	}
	if (ch->ack)
		channel_reply(ch, f, true, S("{}"));
}

static void
broadcast_text(struct channel *ch, const struct frame *f)
{
	struct cast cast = {.json = true, .whole = f->payload};

	/* What is no broadcast as realtime-js makes them goes on as it is all the same. */
	if (!frame_is_broadcast(&ch->conn->hub->reader, f->payload, &cast.event, &cast.payload,
		&cast.meta)) {
		cast.event = S("");
		cast.payload = f->payload;
	}
	broadcast(ch, f, &cast);
}

/*
 * Kind 3, and kind 0: phoenix.js has no other way to send bytes, so its event is the user's.
 * Metadata stays behind: only the hub says that something is replayed.
 */
static void
broadcast_binary(struct channel *ch, const struct frame *f)
{
	struct cast cast = {
		.event = f->event,
		.payload = f->payload,
		.json = f->json,
		.user = f->form == FRAME_USER_PUSH,
	};

	broadcast(ch, f, &cast);
}

/* A message on a topic that is joined. */
static void
channel_message(struct channel *ch, const struct frame *f)
{
	struct conn *c = ch->conn;
	const char *words;

	if (f->form == FRAME_TEXT && slice_is(f->event, "presence")) {
		presence_call(ch, f); /* has a rate of its own */
		return;
	}
	words = limit_message(c, ch->topic, time_ms());
	if (words) {
		c->hub->metrics.over_rate++;
		channel_end(ch, words);
	} else if (f->form != FRAME_TEXT) {
		broadcast_binary(ch, f);
	} else if (slice_is(f->event, "broadcast")) {
		broadcast_text(ch, f);
	} else if (slice_is(f->event, "access_token")) {
		channel_token(ch, f);
	} /* an unknown event is counted and has no answer: so Supabase */
}

static void
dispatch(struct conn *c, const struct frame *f)
{
	struct frame answer = {.ref = f->ref, .topic = f->topic};
	bool text = f->form == FRAME_TEXT;
	struct channel *ch;

	if (text && slice_is(f->topic, "phoenix") && slice_is(f->event, "heartbeat")) {
		conn_reply(c, &answer, true, S("{}"));
		return;
	}
	if (text && slice_is(f->event, "phx_join")) {
		channel_join(c, f);
		return;
	}
	if (text && slice_is(f->event, "phx_leave")) {
		channel_leave(c, f);
		return;
	}
	ch = conn_channel(c, f->topic);
	if (ch)
		channel_message(ch, f);
	else
		conn_reply(c, &answer, false, S("{\"reason\":\"unmatched topic\"}"));
}

static void
on_message(struct socket *socket, struct slice bytes, bool binary, void *state)
{
	struct conn *c = state;
	struct hub *hub = c->hub;
	struct frame f;
	bool array = true;
	int bad;

	(void)socket;
	c->heard = time_ms();
	if (c->closing)
		return;
	bad = binary ? frame_read_binary(bytes, false, &f, NULL)
		     : frame_read_text(&hub->reader, bytes, &f, &array, NULL);
	if (bad || f.ref.len > REF_MAX || f.join_ref.len > REF_MAX) {
		hub->metrics.bad_frames++;
		return;
	}
	/* phoenix.js writes arrays whatever it said, and wants to read the same. */
	c->dialect = array ? FRAME_V2 : FRAME_V1;
	if (f.form == FRAME_USER_PUSH)
		c->official = true;
	dispatch(c, &f);
}

static void
on_opened(struct socket *socket, void *state)
{
	struct conn *c = state;

	c->socket = socket;
	c->heard = time_ms();
	if (c->hub->draining) /* its upgrade was under way */
		conn_end(c, 1001, "the server restarts");
}

void
conn_free(struct conn *c)
{
	struct hub *hub = c->hub;

	while (c->channels)
		topic_leave(c->channels);
	if (c->prev)
		c->prev->next = c->next;
	else
		hub->conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	hub->nconns--;
	if (c->use)
		limit_key_done(c->use);
	claims_free(&c->claims);
	if (c->token)
		explicit_bzero(c->token, strlen(c->token));
	free(c->token);
	free(c->address);
	free(c);
}

static void
on_closed(struct socket *socket, const struct socket_end *end, void *state)
{
	struct conn *c = state;

	(void)socket;
	if (end->fault == SOCKET_SLOW || end->fault == SOCKET_CROWDED) {
		c->hub->metrics.slow++;
		conn_capped(c, end->fault == SOCKET_SLOW ? CAP_SLOW : CAP_MEMORY);
	}
	conn_free(c);
}

const struct socket_events conn_events = {
	.opened = on_opened,
	.message = on_message,
	.closed = on_closed,
};
