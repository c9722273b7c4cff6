/*
 * What was said goes again, at the pace of who asked for it: a replay to an official client;
 * and to kandil clients, to whom the hub is one more member, named "hub": hello is
 * answered with have, and want with the messages or with gone (session.h has the formats).
 *
 * As long as half of what may wait for a member is not gone, nothing more is sent, so that a
 * slow one is not dropped for what it asked; nor while all queues together take much.
 */
#include "common/mem.h"
#include "tools/collab/history.h"
#include "tools/collab/hub_part.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	WANTS = 64,		 /* ranges that one channel may want at a time */
	ASKS = WANTS + 1,	 /* what one join may ask: all these, and a hello */
	HEAL_QUEUE = 256 * 1024, /* bytes that may wait for a member who is healed */
	HEAL_MEMBER = 256,	 /* messages to one member in one turn */
	HEAL_TURN = 1024,	 /* to all, so that who only listens does not wait for long */
	HEAL_LEAST = 4,		 /* to each all the same */
	HEAL_AGAIN_MS = 20,	 /* until a member who is slow is looked at again */
	HAVE_BYTES = 32 * 1024,	 /* of one have; what is more goes in another */
	HAVE_ENTRY = 6 * HISTORY_FROM + 64, /* of one sender in it, at most */
};

struct want {
	char *of; /* whose messages */
	size_t of_len;
	uint64_t next, last;
};

/* What goes to one channel, in this order. */
struct heal {
	struct channel *channel;
	uint64_t replay, replay_last; /* numbers; replay 0: none */
	bool having;   /* its hello is to be answered */
	size_t cursor; /* the sender that is next in that */
	uint64_t shape; /* of the history, for which the cursor holds */
	char *to;      /* its identity, of its first want */
	size_t to_len;
	struct want wants[WANTS];
	size_t n;
	struct heal *next, *prev;
};

enum step { STEP_SENT, STEP_WAIT, STEP_NOTHING };

struct history *
history_of_channel(const struct channel *ch)
{
	const struct topic *t = ch->topic;

	if (t->hub->histories == NULL)
		return NULL;
	return history_of(t->hub->histories, (struct slice){t->name, t->len}, t->private, false);
}

static struct heal *
heal_of(struct channel *ch)
{
	struct hub *hub = ch->topic->hub;
	struct heal *heal = ch->heals;

	if (heal)
		return heal;
	heal = xcalloc(1, sizeof(*heal));
	heal->channel = ch;
	heal->next = hub->healing;
	if (heal->next)
		heal->next->prev = heal;
	hub->healing = heal;
	ch->heals = heal;
	return heal;
}

void
history_forget(struct channel *ch)
{
	struct heal *heal = ch->heals;

	if (heal == NULL)
		return;
	*(heal->prev ? &heal->prev->next : &ch->topic->hub->healing) = heal->next;
	if (heal->next)
		heal->next->prev = heal->prev;
	for (size_t i = 0; i < heal->n; i++)
		free(heal->wants[i].of);
	free(heal->to);
	free(heal);
	ch->heals = NULL;
}

/* ---- room ---- */

/* Bytes that may wait for a member who is healed. */
static size_t
queue_most(const struct hub *hub)
{
	size_t most = hub->settings.max_queue / 2;

	return most && most < HEAL_QUEUE ? most : HEAL_QUEUE;
}

/* Whether so many bytes may go to it now. What is larger than all that may wait goes alone. */
static bool
has_room(const struct channel *ch, size_t len)
{
	const struct hub *hub = ch->topic->hub;
	size_t queued = socket_queued(ch->conn->socket);
	size_t all = hub->settings.max_memory / MEMORY_QUEUES / 2;

	if (ch->conn->closing || (all && socket_frames() > all))
		return false;
	return queued == 0 || queued + len <= queue_most(hub);
}

static size_t
message_bytes(const struct history_message *m)
{
	return m->event.len + m->payload.len + m->meta.len;
}

static void
control(struct channel *ch, const struct buf *payload)
{
	struct cast cast = {
	    .json = true, .user = true, .event = S("kandil"), .payload = buf_slice(payload)};

	channel_cast(ch, &cast);
}

/* ---- replay ---- */

/* {"replayed":true,"id":…}: the id that it was sent with, else EPOCH-NUMBER. */
static void
replay_meta(const struct history *h, const struct history_message *m, struct buf *out)
{
	struct slice id;
	char number[40];

	buf_reset(out);
	json_open(out, '{');
	json_name(out, "replayed");
	json_put_bool(out, true);
	if (m->meta.len && json_get(m->meta, "id", &id) && json_type(id) == JSON_STRING) {
		json_add_raw(out, "id", id);
	} else {
		snprintf(number, sizeof(number), "%016" PRIx64 "-%" PRIu64, history_epoch(h),
		    m->number);
		json_add(out, "id", slice(number));
	}
	json_close(out, '}');
}

static void
replay_one(struct channel *ch, const struct history *h, const struct history_message *m,
    struct buf *meta)
{
	static const char *const path[] = {"meta"};
	struct cast cast = {
	    .json = m->json, .user = m->user, .event = m->event, .payload = m->payload};
	struct buf whole = {0};

	replay_meta(h, m, meta);
	cast.meta = buf_slice(meta);
	if (m->whole) {
		buf_addslice(&whole, slice_trim(m->payload));
		if (whole.ptr[0] == '{')
			json_set(&whole, path, 1, cast.meta);
		cast.whole = buf_slice(&whole);
	}
	channel_cast(ch, &cast);
	ch->topic->hub->metrics.replayed++;
	buf_free(&whole);
}

static enum step
replay_step(struct heal *heal, struct history *h, struct buf *out)
{
	struct history_message m;

	if (h && heal->replay < history_first(h))
		heal->replay = history_first(h); /* dropped meanwhile */
	if (h == NULL || heal->replay > heal->replay_last) {
		heal->replay = 0;
		return STEP_SENT;
	}
	if (history_get(h, heal->replay, &m)) {
		if (!has_room(heal->channel, message_bytes(&m)))
			return STEP_WAIT;
		replay_one(heal->channel, h, &m, out);
	}
	heal->replay++;
	return STEP_SENT;
}

/* ---- have ---- */

/* An answer also when there is nothing: somebody who is new waits for it. */
static enum step
have_step(struct heal *heal, const struct history *h, struct buf *out)
{
	const struct hub *hub = heal->channel->topic->hub;
	size_t most = queue_most(hub) < HAVE_BYTES ? queue_most(hub) : HAVE_BYTES;
	bool more = false;
	struct slice from;
	uint64_t last;

	if (hub->settings.max_payload && hub->settings.max_payload < most)
		most = hub->settings.max_payload;
	if (!has_room(heal->channel, most))
		return STEP_WAIT;
	/* Names have moved: once more from the begin, nobody minds what comes twice. */
	if (h && heal->shape != history_shape(h)) {
		heal->shape = history_shape(h);
		heal->cursor = 0;
	}
	buf_reset(out);
	buf_adds(out, "{\"kandil\":1,\"from\":\"hub\",\"type\":\"have\",\"last\":0,\"have\":{");
	while (h && !more && history_sender(h, &heal->cursor, &from, &last)) {
		json_name_slice(out, from);
		buf_addf(out, "%" PRIu64, last);
		more = out->len + HAVE_ENTRY > most;
	}
	buf_adds(out, more ? "},\"more\":true}" : "}}");
	control(heal->channel, out);
	heal->having = more;
	return STEP_SENT;
}

/* ---- want ---- */

static void
want_drop(struct heal *heal, size_t i)
{
	free(heal->wants[i].of);
	heal->n--;
	memmove(heal->wants + i, heal->wants + i + 1, (heal->n - i) * sizeof(*heal->wants));
}

/* Asked again for what is on its way already: it does not go twice. */
static void
want_add(struct heal *heal, struct slice of, uint64_t first, uint64_t last)
{
	for (size_t i = 0; i < heal->n; i++) {
		struct want *w = &heal->wants[i];

		if (!slice_eq(of, (struct slice){w->of, w->of_len}) || first > w->last + 1 ||
		    last < w->next)
			continue;
		w->last = last > w->last ? last : w->last;
		return;
	}
	if (heal->n == WANTS)
		return;
	heal->wants[heal->n++] = (struct want){xstrndup(of.ptr, of.len), of.len, first, last};
}

static void
say_gone(struct heal *heal, const struct want *w, uint64_t first, uint64_t last, struct buf *out)
{
	buf_reset(out);
	json_open(out, '{');
	json_add_long(out, "kandil", 1);
	json_add(out, "from", S("hub"));
	json_add(out, "type", S("gone"));
	json_add(out, "to", (struct slice){heal->to, heal->to_len});
	json_add(out, "of", (struct slice){w->of, w->of_len});
	json_add_long(out, "first", (long long)first);
	json_add_long(out, "last", (long long)last);
	json_close(out, '}');
	control(heal->channel, out);
}

/* The message as it was, marked. */
static void
say_again(struct channel *ch, const struct history_message *m, struct buf *out)
{
	static const char *const again[] = {"again"};
	struct cast cast = {.json = true, .user = m->user, .event = m->event};

	buf_reset(out);
	buf_addslice(out, slice_trim(m->payload));
	json_set(out, again, 1, S("true"));
	cast.payload = buf_slice(out);
	channel_cast(ch, &cast);
	ch->topic->hub->metrics.replayed++;
}

/* One message, or one gone, of the first range. */
static enum step
want_step(struct heal *heal, struct history *h, struct buf *out)
{
	struct want *w = heal->wants;
	struct slice of = {w->of, w->of_len};
	uint64_t seq = 0, number = 0;
	struct history_message m;
	bool there;

	if (h == NULL || !history_seek(h, of, w->next, &seq, &number) || seq > w->last) {
		if (!has_room(heal->channel, HAVE_ENTRY))
			return STEP_WAIT;
		say_gone(heal, w, w->next, w->last, out);
		want_drop(heal, 0);
		return STEP_SENT;
	}
	there = history_get(h, number, &m);
	if (!has_room(heal->channel, HAVE_ENTRY + (there ? message_bytes(&m) : 0)))
		return STEP_WAIT;
	if (seq > w->next)
		say_gone(heal, w, w->next, seq - 1, out);
	if (there)
		say_again(heal->channel, &m, out);
	else
		say_gone(heal, w, seq, seq, out);
	w->next = seq + 1;
	if (w->next > w->last)
		want_drop(heal, 0);
	return STEP_SENT;
}

/* {"kandil":1,"from":F,"type":"want","to":"hub","of":X,"first":a,"last":b} */
static void
want(struct channel *ch, struct slice payload)
{
	struct slice value;
	struct buf from = {0}, of = {0};
	long long first = 0, last = 0;

	if (json_get_text(payload, "from", &from) && from.len <= HISTORY_FROM &&
	    json_get_text(payload, "of", &of) && of.len <= HISTORY_FROM &&
	    json_get(payload, "first", &value) && json_long(value, &first) && first > 0 &&
	    json_get(payload, "last", &value) && json_long(value, &last) && last >= first) {
		struct heal *heal = heal_of(ch);

		if (heal->to == NULL) {
			heal->to = xstrndup(from.ptr, from.len);
			heal->to_len = from.len;
		}
		want_add(heal, buf_slice(&of), (uint64_t)first, (uint64_t)last);
	}
	buf_free(&from);
	buf_free(&of);
}

/* ---- time ---- */

/* So many steps at most, and the heal may be gone: STEP_SENT: more could go at once. */
static enum step
heal_some(struct heal *heal, int steps, struct buf *out)
{
	struct channel *ch = heal->channel;
	struct history *h = history_of_channel(ch);
	enum step did = STEP_SENT;

	while (did == STEP_SENT && steps-- > 0) {
		if (heal->replay)
			did = replay_step(heal, h, out);
		else if (heal->having)
			did = have_step(heal, h, out);
		else if (heal->n)
			did = want_step(heal, h, out);
		else
			did = STEP_NOTHING;
	}
	if (did == STEP_NOTHING)
		history_forget(ch);
	return did;
}

static void
heal_now(struct heal *heal)
{
	struct buf out = {0};

	heal_some(heal, HEAL_MEMBER, &out);
	buf_free(&out);
}

int64_t
heal_turn(struct hub *hub)
{
	struct heal *next;
	struct buf out = {0};
	int64_t due = -1;
	int n = 0, steps;

	for (const struct heal *heal = hub->healing; heal && n < HEAL_TURN; heal = heal->next)
		n++;
	if (n == 0)
		return -1;
	steps = HEAL_TURN / n < HEAL_LEAST ? HEAL_LEAST : HEAL_TURN / n;
	steps = steps < HEAL_MEMBER ? steps : HEAL_MEMBER;
	for (struct heal *heal = hub->healing; heal; heal = next) {
		enum step did;

		next = heal->next;
		did = heal_some(heal, steps, &out);
		if (did == STEP_SENT)
			due = 0;
		else if (did == STEP_WAIT && due < 0)
			due = HEAL_AGAIN_MS;
	}
	buf_free(&out);
	return due;
}

void
heal_replay(struct channel *ch, uint64_t first, uint64_t last)
{
	struct heal *heal = heal_of(ch);

	heal->replay = first;
	heal->replay_last = last;
	heal_now(heal);
}

bool
history_control(struct channel *ch, struct slice payload)
{
	struct slice type, to;
	struct heal *heal;

	payload = slice_trim(payload);
	if (json_type(payload) != JSON_OBJECT || !json_get(payload, "type", &type))
		return false;
	if (json_is(type, "hello") && history_kept(ch->topic->hub)) {
		heal = heal_of(ch);
		heal->having = true;
		heal->cursor = 0;
		heal_now(heal);
		return false; /* the others answer it as well */
	}
	if (!json_is(type, "want") || !json_get(payload, "to", &to) || !json_is(to, "hub"))
		return false;
	want(ch, payload);
	return true;
}

void
history_ask(struct channel *ch, struct slice asks)
{
	struct json_walk walk = json_walk(asks);
	struct slice element;

	if (json_type(asks) != JSON_ARRAY)
		return;
	for (int i = 0; i < ASKS && json_element(&walk, &element); i++)
		history_control(ch, element);
}

void
history_go_on(struct channel *old, struct channel *ch)
{
	if (old->heals == NULL || old->topic != ch->topic)
		return;
	ch->heals = old->heals;
	ch->heals->channel = ch;
	old->heals = NULL;
}
