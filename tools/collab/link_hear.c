/* What a link hears: frames of its own channel, of this join, and nothing else. */
#include "common/json.h"
#include "common/secret.h"
#include "common/time.h"
#include "tools/collab/link_part.h"

#include <stdio.h>

static bool
is_ref(struct slice text, uint64_t ref)
{
	char own[24];

	snprintf(own, sizeof(own), "%llu", (unsigned long long)ref);
	return ref && slice_is(text, own);
}

/* The words of a response: a bare string, or the member that has them. Lent: l->text. */
static const char *
words(struct link *l, struct slice response)
{
	static const char *const names[] = {"reason", "error", "message"};
	struct slice value = response;

	buf_reset(&l->text);
	buf_adds(&l->text, "");
	for (size_t i = 0; i < 3 && json_type(value) != JSON_STRING; i++)
		if (!json_get(response, names[i], &value))
			value = response;
	json_text(value, &l->text);
	secret_hide(&l->text, buf_slice(&l->key));
	secret_hide(&l->text, buf_slice(&l->token));
	if (l->text.len > 300)
		buf_cut(&l->text, utf8_valid(l->text.ptr, 300));
	l->text.len = utf8_visible(l->text.ptr, l->text.len);
	l->text.ptr[l->text.len] = '\0';
	return l->text.ptr;
}

/* The channel is gone and the socket stands, but for what the relay says of it. */
static void
channel_lost(struct link *l, const char *what)
{
	struct refusal r = {LINK_BACKOFF, "closed"};

	if (link_was_told(l))
		link_lost(l, l->said, true, -1, "the relay closed the channel: %s", l->said_text);
	else
		link_lost(l, r, true, -1, "the relay closed the channel%s", what);
}

/* Our hub says from the first that nothing of ours will be taken; Supabase never does. */
static bool
may_not_write(struct slice response)
{
	static const char *const path[] = {"kandil", "write"};
	struct slice value;

	return json_path(response, path, 2, &value) && json_type(value) == JSON_FALSE;
}

static void
join_refused(struct link *l, struct slice response)
{
	const char *reason = words(l, response);

	link_lost(l, refusal_join(slice(reason)), true, -1, "the relay refuses the join: %s",
	    *reason ? reason : "it gives no reason");
}

static void
hear_join(struct link *l, bool ok, struct slice response)
{
	struct refusal barred = {LINK_NEVER, "permission"};

	if (!ok) {
		join_refused(l, response);
		return;
	}
	if (!l->listen && may_not_write(response)) {
		link_lost(l, barred, true, -1,
		    "this key or token may not write to the private topic '%s': " LINK_MAY_LISTEN,
		    l->topic + strlen("realtime:"));
		return;
	}
	l->at = LINK_UP;
	l->been_up = true;
	l->up_at = l->acked_at = time_ms();
	link_token_plan(l, l->up_at);
	roster_joined(&l->roster);
	/* Ours first: who greets the others is to be seen by them. */
	if (l->presence && !l->listen)
		link_say_track(l);
	if (l->events->up)
		l->events->up(response, l->owner);
}

/* To a further join, of link_ask. */
static void
hear_asked(struct link *l, bool ok, struct slice response)
{
	l->asking = false;
	if (ok)
		roster_joined(&l->roster);
	else
		join_refused(l, response);
}

static void
hear_reply(struct link *l, const struct frame *f, bool ok, struct slice response)
{
	const char *reason;

	if (is_ref(f->ref, l->join_ref)) {
		if (l->at == LINK_JOINING)
			hear_join(l, ok, response);
		else if (l->asking)
			hear_asked(l, ok, response);
		return;
	}
	if (is_ref(f->ref, l->leave_ref)) {
		l->left = true;
		return;
	}
	reason = ok ? "" : words(l, response);
	/* Not what was wrong with it: it is to be sent again. */
	if (strcmp(reason, "unmatched topic") == 0 &&
	    (link_awaits(l, f->ref) || is_ref(f->ref, l->track_ref))) {
		channel_lost(l, ": it does not know it any more");
		return;
	}
	if (!link_take_ack(l, f->ref, ok, reason) && !ok && is_ref(f->ref, l->track_ref))
		note("the relay does not take our presence: %s",
		    *reason ? reason : "it gives no reason");
}

static void
hear_system(struct link *l, struct slice payload)
{
	struct slice status = {0}, message = {0};
	struct refusal drain = {LINK_BACKOFF, "closed"};
	const char *text;

	json_get(payload, "status", &status);
	json_get(payload, "message", &message);
	if (status.len == 0 || message.len == 0)
		return;
	text = words(l, message);
	if (json_is(status, "ok")) {
		if (slice_starts(slice(text), "Server requested disconnect"))
			link_lost(l, drain, false, -1, "the relay shuts down: %s", text);
		return;
	}
	l->said = refusal_system(slice(text));
	l->said_at = time_ms();
	snprintf(l->said_text, sizeof(l->said_text), "%s", *text ? text : "?");
}

static void
hear_broadcast(struct link *l, struct slice event, struct slice payload, struct slice meta)
{
	if (l->at != LINK_UP && l->at != LINK_LEAVING)
		return;
	if (l->events->broadcast)
		l->events->broadcast(event, payload, meta, l->owner);
}

static void
skip(struct link *l)
{
	if (!l->skip_noted)
		note("messages that are no JSON are passed over, on topic '%s'", l->topic);
	l->skip_noted = true;
}

/* Events of the channel itself, which carry its join_ref, or in v1 as ref. */
static bool
ends_us(const struct link *l, const struct frame *f)
{
	struct slice whose = f->join_ref.ptr ? f->join_ref : f->ref;

	return l->join_ref && (whose.ptr == NULL || is_ref(whose, l->join_ref));
}

static void
hear_text(struct link *l, struct frame *f)
{
	struct slice event, inner, meta, value, response = S("{}");
	bool presence = l->presence && l->at == LINK_UP;

	if (slice_is(f->event, "phx_reply")) {
		json_get(f->payload, "response", &response);
		hear_reply(l, f, json_get(f->payload, "status", &value) && json_is(value, "ok"),
		    response);
	} else if (slice_is(f->event, "broadcast")) {
		if (frame_is_broadcast(&l->reader, f->payload, &event, &inner, &meta))
			hear_broadcast(l, event, inner, meta);
		else
			skip(l);
	} else if (slice_is(f->event, "presence_state")) {
		if (presence)
			roster_state(&l->roster, f->payload);
	} else if (slice_is(f->event, "presence_diff")) {
		if (presence)
			roster_diff(&l->roster, f->payload);
	} else if (slice_is(f->event, "system")) {
		hear_system(l, f->payload);
	} else if (slice_is(f->event, "phx_close") && ends_us(l, f)) {
		l->left = true;
		channel_lost(l, "");
	} else if (slice_is(f->event, "phx_error") && ends_us(l, f)) {
		channel_lost(l, ": it crashed there");
	}
}

void
link_hear(struct link *l, struct slice bytes, bool binary)
{
	struct frame f;
	struct err e;
	int rc;

	l->beat_open = false;
	rc = binary ? frame_read_binary(bytes, true, &f, &e)
		    : frame_read_text(&l->reader, bytes, &f, NULL, &e);
	if (rc < 0) {
		skip(l);
		return;
	}
	/* A heartbeat's reply has done its work by coming. */
	if (!slice_is(f.topic, l->topic))
		return;
	if (f.join_ref.ptr && !is_ref(f.join_ref, l->join_ref))
		return;
	if (f.form == FRAME_TEXT)
		hear_text(l, &f);
	else if (f.form == FRAME_USER && f.json)
		hear_broadcast(l, f.event, f.payload, f.meta);
	else if (f.form == FRAME_REPLY)
		hear_reply(l, &f, slice_is(f.event, "ok"), S("{}"));
	else
		skip(l);
}
