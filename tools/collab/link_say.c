/* What a link says, and what it waits for an answer to. */
#include "common/json.h"
#include "common/mem.h"
#include "common/time.h"
#include "tools/collab/link_part.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- sending ---- */

/* A ref, or null, as text in the buffer given. */
static struct slice
ref_text(uint64_t ref, char text[24])
{
	int n = snprintf(text, 24, "%llu", (unsigned long long)ref);

	return ref ? (struct slice){text, (size_t)n} : (struct slice){NULL, 0};
}

static void
put_out(struct link *l, bool binary)
{
	size_t before = socket_queued(l->socket), after;

	socket_say(l->socket, buf_slice(&l->out), binary);
	after = socket_queued(l->socket);
	l->given += after > before ? after - before : 0;
}

/* On our topic with our join_ref, or on topic phoenix without one; returns its ref. */
static uint64_t
say(struct link *l, bool phoenix, const char *event, struct slice payload)
{
	char ref[24], join[24];
	struct frame f = {.form = FRAME_TEXT, .topic = phoenix ? S("phoenix") : slice(l->topic),
	    .event = slice(event), .payload = payload, .json = true};

	f.ref = ref_text(++l->ref, ref);
	f.join_ref = ref_text(phoenix ? 0 : l->join_ref, join);
	buf_reset(&l->out);
	frame_write_text(&l->out, l->dialect, false, &f);
	put_out(l, false);
	return l->ref;
}

/* {"config":{…}[,"access_token":…]}: the members that realtime-js sends, in its order. */
static void
write_config(struct link *l, struct slice ask, struct buf *b)
{
	buf_reset(b);
	json_open(b, '{');
	json_name(b, "config");
	json_open(b, '{');
	json_add_raw(b, "broadcast", S("{\"ack\":true,\"self\":false}"));
	json_name(b, "presence");
	json_open(b, '{');
	json_add(b, "key", buf_slice(&l->presence_key));
	json_name(b, "enabled");
	json_put_bool(b, l->presence);
	json_close(b, '}');
	json_add_raw(b, "postgres_changes", S("[]"));
	json_name(b, "private");
	json_put_bool(b, l->private);
	if (ask.len)
		json_add_raw(b, "kandil", ask);
	json_close(b, '}');
	if (l->token.len)
		json_add(b, "access_token", buf_slice(&l->token));
	json_close(b, '}');
}

static void
say_join(struct link *l, struct slice ask)
{
	l->due = time_ms() + l->times.reply;
	l->join_ref = l->ref + 1; /* the join's own ref */
	write_config(l, ask, &l->payload);
	say(l, false, "phx_join", buf_slice(&l->payload));
}

void
link_join(struct link *l)
{
	l->at = LINK_JOINING;
	l->said_text[0] = '\0';
	say_join(l, buf_slice(&l->ask));
}

bool
link_ask(struct link *l, struct slice asks)
{
	if (l->at != LINK_UP || l->asking)
		return false;
	l->asking = true;
	say_join(l, asks);
	return true;
}

void
link_beat(struct link *l)
{
	bool waits = link_moved(l) > 0;
	int64_t now = time_ms();

	say(l, true, "heartbeat", S("{}"));
	if (!l->beat_open) {
		l->beat_end = waits ? l->given : 0;
		l->beat_left_at = now;
	}
	l->beat_open = true;
	l->beat_at = now + l->heartbeat_ms;
}

void
link_say_track(struct link *l)
{
	struct buf *b = &l->payload;

	buf_reset(b);
	json_open(b, '{');
	json_add(b, "type", S("presence"));
	json_add(b, "event", S("track"));
	json_add_raw(b, "payload", l->meta.len ? buf_slice(&l->meta) : S("{}"));
	json_close(b, '}');
	l->track_ref = say(l, false, "presence", buf_slice(b));
}

void
link_say_token(struct link *l)
{
	buf_reset(&l->payload);
	json_open(&l->payload, '{');
	json_add(&l->payload, "access_token", buf_slice(&l->token));
	json_close(&l->payload, '}');
	say(l, false, "access_token", buf_slice(&l->payload));
}

void
link_say_leave(struct link *l)
{
	l->leave_ref = say(l, false, "phx_leave", S("{}"));
}

size_t
link_moved(struct link *l)
{
	size_t queued = l->socket ? socket_queued(l->socket) : 0;
	uint64_t gone = l->given - queued;

	/* Heartbeats that leave say nothing about messages that left long ago. */
	if (gone != l->gone && l->gone < l->last)
		l->moved_at = time_ms();
	if (l->gone < l->beat_end && gone >= l->beat_end)
		l->beat_left_at = time_ms();
	l->gone = gone;
	return queued;
}

/* ---- acknowledgements ---- */

static struct link_pending *
pending_at(const struct link *l, size_t i)
{
	return &l->pending[(l->first + i) & (l->cap - 1)];
}

static void
await_ack(struct link *l, uint64_t number)
{
	if (l->npending == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		struct link_pending *grown = xcalloc(cap, sizeof(*grown));

		for (size_t i = 0; i < l->npending; i++)
			grown[i] = *pending_at(l, i);
		free(l->pending);
		l->pending = grown;
		l->first = 0;
		l->cap = cap;
	}
	*pending_at(l, l->npending++) = (struct link_pending){l->ref, number, time_ms(), false};
	l->last = l->given;
}

const struct link_pending *
link_oldest(const struct link *l)
{
	return l->npending ? pending_at(l, 0) : NULL;
}

static struct link_pending *
find_pending(const struct link *l, struct slice text)
{
	char mine[24];
	size_t low = 0, high = l->npending;
	struct link_pending *p;
	uint64_t ref = 0;

	for (size_t i = 0; i < text.len && i < 20; i++)
		ref = ref * 10 + (uint64_t)(unsigned char)(text.ptr[i] - '0');
	if (!slice_eq(text, ref_text(ref, mine)))
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (pending_at(l, middle)->ref < ref)
			low = middle + 1;
		else
			high = middle;
	}
	p = low < l->npending ? pending_at(l, low) : NULL;
	return p && p->ref == ref && !p->done ? p : NULL;
}

bool
link_awaits(const struct link *l, struct slice ref)
{
	return find_pending(l, ref) != NULL;
}

bool
link_take_ack(struct link *l, struct slice ref, bool ok, const char *reason)
{
	struct link_pending *p = find_pending(l, ref);
	uint64_t number;

	if (p == NULL)
		return false;
	p->done = true;
	number = p->number;
	while (l->npending && pending_at(l, 0)->done) {
		l->first = (l->first + 1) & (l->cap - 1);
		l->npending--;
	}
	l->acked_at = time_ms();
	l->heard_ack = true;
	l->mute = 0;
	if (number && l->events->acked)
		l->events->acked(number, ok, reason, l->owner);
	return true;
}

void
link_forget(struct link *l)
{
	l->npending = l->first = 0;
}

bool
link_send(struct link *l, struct slice event, struct slice payload, uint64_t number)
{
	char ref[24], join[24];
	struct frame f = {.form = FRAME_USER_PUSH, .topic = slice(l->topic), .event = event,
	    .payload = payload, .json = true};

	if (l->at != LINK_UP || event.len > LINK_NAME || l->npending >= LINK_PENDING ||
	    socket_queued(l->socket) + payload.len > LINK_QUEUE)
		return false;
	if (l->dialect == FRAME_V1) {
		buf_reset(&l->payload);
		frame_broadcast(&l->payload, event, payload, S(""));
		say(l, false, "broadcast", buf_slice(&l->payload));
	} else {
		f.ref = ref_text(++l->ref, ref);
		f.join_ref = ref_text(l->join_ref, join);
		buf_reset(&l->out);
		if (frame_write_binary(&l->out, false, &f, NULL) < 0)
			return false;
		put_out(l, true);
	}
	await_ack(l, number);
	return true;
}
