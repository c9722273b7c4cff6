/*
 * Topics and their channels, and what is sent to all of one topic. A public and a
 * private topic of one name are two.
 */
#include "tools/collab/hub_part.h"

#include "common/mem.h"

#include <stdlib.h>

enum { FIELD_MAX = 255 }; /* of a binary frame */

struct registry {
	struct table public, private; /* names to struct topic */
};

struct slice
topic_short(struct slice name)
{
	size_t n = slice_starts(name, "realtime:") ? strlen("realtime:") : 0;

	return (struct slice){name.ptr + n, name.len - n};
}

static struct table *
table_of(struct hub *hub, bool private)
{
	if (hub->topics == NULL)
		hub->topics = xcalloc(1, sizeof(*hub->topics));
	return private ? &hub->topics->private : &hub->topics->public;
}

struct topic *
topic_find(struct hub *hub, struct slice name, bool private)
{
	uint64_t *at = table_get(table_of(hub, private), name);

	return at ? (struct topic *)(uintptr_t)*at : NULL;
}

struct topic *
topic_get(struct hub *hub, struct slice name, bool private)
{
	struct topic *t = topic_find(hub, name, private);

	if (t)
		return t;
	if (hub->settings.max_topics > 0 && hub->ntopics >= (size_t)hub->settings.max_topics)
		return NULL;
	t = xcalloc(1, sizeof(*t));
	t->hub = hub;
	t->name = xstrndup(name.ptr, name.len);
	t->len = name.len;
	t->private = private;
	*table_put(table_of(hub, private), (struct slice){t->name, t->len}, NULL) =
	    (uint64_t)(uintptr_t)t;
	hub->ntopics++;
	return t;
}

static void
release(struct topic *t)
{
	presences_free(t->presences);
	free(t->name);
	free(t);
}

static void
topic_free(struct topic *t)
{
	table_drop(table_of(t->hub, t->private), (struct slice){t->name, t->len});
	t->hub->ntopics--;
	release(t);
}

void
topics_free(struct hub *hub)
{
	struct table *tables[] = {table_of(hub, false), table_of(hub, true)};

	for (int i = 0; i < 2; i++) {
		for (size_t at = 0; at < tables[i]->size; at++)
			if (tables[i]->slots[at].hash)
				release((struct topic *)(uintptr_t)tables[i]->slots[at].value);
		table_free(tables[i]);
	}
	free(hub->topics);
	hub->topics = NULL;
}

struct channel *
topic_join(struct topic *t, struct conn *c)
{
	struct channel *ch = xcalloc(1, sizeof(*ch));

	ch->conn = c;
	ch->topic = t;
	ch->next_of_conn = c->channels;
	c->channels = ch;
	c->nchannels++;
	ch->next = t->channels;
	if (t->channels)
		t->channels->prev = ch;
	t->channels = ch;
	t->nchannels++;
	return ch;
}

void
topic_leave(struct channel *ch)
{
	struct topic *t = ch->topic;
	struct channel **at = &ch->conn->channels;

	while (*at != ch)
		at = &(*at)->next_of_conn;
	*at = ch->next_of_conn;
	ch->conn->nchannels--;
	if (ch->prev)
		ch->prev->next = ch->next;
	else
		t->channels = ch->next;
	if (ch->next)
		ch->next->prev = ch->prev;
	t->nchannels--;
	presence_gone(ch);
	history_forget(ch);
	admit_forget(ch->claims);
	free(ch->join_ref);
	free(ch->presence_key);
	free(ch);
	if (t->nchannels == 0)
		topic_free(t);
}

/* ---- frames ---- */

static struct socket_frame *
text_frame(struct topic *t, enum frame_dialect dialect, const char *event, struct slice payload)
{
	struct buf *b = &t->hub->scratch;
	struct frame f = {
		.topic = {t->name, t->len},
		.event = slice(event),
		.payload = payload,
	};

	buf_reset(b);
	frame_write_text(b, dialect, true, &f);
	return socket_frame(buf_slice(b), false);
}

static struct socket_frame *
cast_text(struct topic *t, const struct cast *cast, enum frame_dialect dialect)
{
	struct slice payload = cast->whole;

	if (payload.len == 0) {
		struct buf *body = &t->hub->body;

		buf_reset(body);
		frame_broadcast(body, cast->event, cast->payload, cast->meta);
		payload = buf_slice(body);
	}
	return text_frame(t, dialect, "broadcast", payload);
}

static struct socket_frame *
cast_binary(struct topic *t, const struct cast *cast, enum frame_form form)
{
	struct buf *b = &t->hub->scratch;
	struct frame f = {
		.form = form,
		.topic = {t->name, t->len},
		.event = cast->event,
		.payload = cast->payload,
		.meta = cast->meta,
		.json = cast->json,
	};

	buf_reset(b);
	/* Cannot fail: cast_form has looked at the lengths. */
	if (frame_write_binary(b, true, &f, NULL) != 0)
		return NULL;
	return socket_frame(buf_slice(b), true);
}

/*
 * phoenix.js takes the event of a kind 2 for the server's word: a member could close everybody's
 * channel with bytes named "phx_close".
 */
static bool
reserved(struct slice event)
{
	return slice_starts(event, "phx_") || slice_starts(event, "chan_reply_") ||
	    slice_starts(event, "presence_") || slice_is(event, "system");
}

/*
 * Which of the cast's frames is for this connection, made if it is the first
 * to want it; NULL: none (bytes have no form in v1). realtime-js stumbles over
 * kinds 0 to 2, phoenix.js over kind 4; JSON as text is understood by both.
 */
static struct socket_frame *
cast_form(struct topic *t, struct cast *cast, const struct conn *c)
{
	bool fits = t->len <= FIELD_MAX && cast->event.len <= FIELD_MAX &&
	    cast->meta.len <= FIELD_MAX;

	if (c->dialect == FRAME_V2 && c->official && fits && (cast->user || !cast->json)) {
		if (cast->kind4 == NULL)
			cast->kind4 = cast_binary(t, cast, FRAME_USER);
		return cast->kind4;
	}
	if (!cast->json) {
		if (c->dialect == FRAME_V1 || c->official || !fits ||
		    reserved(cast->event))
			return NULL;
		if (cast->kind2 == NULL)
			cast->kind2 = cast_binary(t, cast, FRAME_BROADCAST);
		return cast->kind2;
	}
	if (c->dialect == FRAME_V1) {
		if (cast->v1 == NULL)
			cast->v1 = cast_text(t, cast, FRAME_V1);
		return cast->v1;
	}
	if (cast->v2 == NULL)
		cast->v2 = cast_text(t, cast, FRAME_V2);
	return cast->v2;
}

static void
frames_free(struct cast *cast)
{
	struct socket_frame **frames[] = {&cast->v1, &cast->v2, &cast->kind4, &cast->kind2};

	for (size_t i = 0; i < sizeof(frames) / sizeof(*frames); i++) {
		if (*frames[i])
			socket_frame_free(*frames[i]);
		*frames[i] = NULL;
	}
}

size_t
topic_cast(struct topic *t, struct cast *cast, const struct channel *except)
{
	size_t n = 0;

	history_add(t, cast);
	for (struct channel *ch = t->channels; ch; ch = ch->next) {
		struct socket_frame *frame;

		if (ch == except)
			continue;
		frame = cast_form(t, cast, ch->conn);
		if (frame == NULL)
			continue;
		socket_send(ch->conn->socket, frame);
		n++;
	}
	frames_free(cast);
	return n;
}

void
topic_tell(struct topic *t, const char *event, struct slice payload)
{
	struct socket_frame *frames[2] = {0};

	for (struct channel *ch = t->channels; ch; ch = ch->next) {
		enum frame_dialect dialect = ch->conn->dialect;
		struct socket_frame **frame = &frames[dialect == FRAME_V2];

		if (*frame == NULL)
			*frame = text_frame(t, dialect, event, payload);
		socket_send(ch->conn->socket, *frame);
	}
	for (int i = 0; i < 2; i++)
		if (frames[i])
			socket_frame_free(frames[i]);
}

void
channel_cast(struct channel *ch, const struct cast *cast)
{
	struct cast one = *cast;
	struct socket_frame *frame;

	one.v1 = one.v2 = one.kind4 = one.kind2 = NULL;
	frame = cast_form(ch->topic, &one, ch->conn);
	if (frame)
		socket_send(ch->conn->socket, frame);
	frames_free(&one);
}
