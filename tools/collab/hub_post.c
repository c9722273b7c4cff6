/*
 * Broadcasts by POST: many at once, or one whose topic and event stand in the path. Statuses,
 * bodies and headers are Supabase Realtime's.
 */
#include "common/time.h"
#include "common/url.h"
#include "tools/collab/hub_rest.h"

#include <stdio.h>
#include <strings.h>

/* Bytes: with "realtime:" what a binary frame carries. */
enum { NAME_MOST = 255 - 9, EVENT_MOST = 255 };
enum { FAULTS_MOST = 64 * 1024 }; /* bytes of what is told of wrong messages */

/* ---- one message ---- */

struct posted {
	struct slice event, payload, meta;
	const char *topic; /* with realtime: */
	size_t topic_len;
	bool json, user, private;
};

/* NULL: nobody is in it. */
static struct topic *
topic_of(const struct rest *r, const struct posted *p)
{
	return topic_find(r->hub, (struct slice){p->topic, p->topic_len}, p->private);
}

/* Takes a message off the rate of its topic; false: that is over it. */
static bool
take_topic(const struct rest *r, struct topic *t)
{
	return t == NULL ||
	    limit_take(&t->messages, r->hub->settings.max_topic_rate, time_ms());
}

static void
topic_is_over(struct rest *r, const struct topic *t)
{
	r->hub->metrics.over_rate++;
	hub_capped(r->hub, CAP_TOPIC_RATE, r->claims.name, NULL, time_ms());
	rest_message(r, 429,
	    limit_words(&t->messages, r->hub->settings.max_topic_rate, time_ms()));
}

static void
deliver(struct rest *r, const struct posted *p)
{
	struct hub *hub = r->hub;
	struct topic *t = topic_of(r, p);
	struct cast cast = {
	    .event = p->event,
	    .payload = p->payload,
	    .meta = p->meta,
	    .json = p->json,
	    .user = p->user,
	};

	hub->metrics.rest++;
	hub->metrics.broadcasts++;
	if (t)
		hub->metrics.deliveries += topic_cast(t, &cast, NULL);
	else
		history_keep(hub, (struct slice){p->topic, p->topic_len}, p->private, &cast);
}

static bool
may_write(const struct rest *r, const struct posted *p)
{
	struct slice topic = {p->topic, p->topic_len};

	return admit_topic(NULL, &r->claims, topic, p->private, true);
}

static bool
too_large(const struct rest *r, struct slice payload)
{
	size_t most = r->hub->settings.max_payload;

	if (most == 0 || payload.len <= most + 500) /* 500 as Supabase counts, and hub_conn */
		return false;
	r->hub->metrics.too_large++;
	hub_capped(r->hub, CAP_PAYLOAD, r->claims.name, socket_ask_address(r->ask), time_ms());
	return true;
}

/* Takes n messages off the key's rate, and says how it stands; false: answered. */
static bool
within_rate(struct rest *r, size_t n)
{
	double rate = r->hub->settings.max_key_rate;
	int64_t now = time_ms();
	const char *words = limit_rest(r->hub, r->use, n, now);

	if (rate > 0) {
		double room = limit_room(&r->use->messages, rate, now);
		double most = rate > 10 ? rate : 10;

		room = room > 0 ? room : 0;
		buf_addf(&r->more,
		    "x-rate-rolling: %.0f\r\nx-rate-limit: %.0f\r\n"
		    "x-rate-limit-remaining: %.0f\r\n",
		    most - room, most, room);
	}
	if (words) {
		r->hub->metrics.over_rate++;
		hub_capped(r->hub, CAP_KEY_RATE, r->claims.name, NULL, now);
		rest_message(r, 429, words);
	}
	return words == NULL;
}

/* ---- the batch form ---- */

static void
blame(struct buf *errors, const char *member, const char *text)
{
	json_name(errors, member);
	json_open(errors, '[');
	json_put(errors, slice(text));
	json_close(errors, ']');
}

/* A string that is not empty and not too long, decoded behind what out holds. */
static bool
batch_text(struct slice object, const char *name, size_t most, struct buf *out, struct buf *errors)
{
	struct slice value;
	size_t from = out->len;
	char text[60];

	if (!json_get(object, name, &value) || json_type(value) == JSON_NULL) {
		blame(errors, name, "can't be blank");
	} else if (!json_text(value, out)) {
		blame(errors, name, "is invalid");
	} else if (out->len == from) {
		blame(errors, name, "can't be blank");
	} else if (out->len - from > most) {
		snprintf(text, sizeof(text), "should be at most %zu byte(s)", most);
		blame(errors, name, text);
	} else {
		return true;
	}
	return false;
}

static bool
batch_private(struct slice object, bool *private, struct buf *errors)
{
	struct slice value;

	*private = false;
	if (!json_get(object, "private", &value) || json_type(value) == JSON_NULL)
		return true;
	*private = json_type(value) == JSON_TRUE || json_is(value, "true");
	if (*private || json_type(value) == JSON_FALSE || json_is(value, "false"))
		return true;
	blame(errors, "private", "is invalid");
	return false;
}

/*
 * One element of messages; texts holds topic and event. What is wrong with it is one object
 * in errors. False: something is.
 */
static bool
batch_read(const struct rest *r, struct slice object, struct posted *p, struct buf *texts,
    struct buf *meta, struct buf *errors)
{
	struct slice id;
	size_t event;
	bool good;

	*p = (struct posted){.json = true};
	buf_reset(texts);
	buf_adds(texts, "realtime:");
	json_open(errors, '{');
	good = batch_text(object, "topic", NAME_MOST, texts, errors);
	event = texts->len;
	if (!json_get(object, "payload", &p->payload) || json_type(p->payload) == JSON_NULL) {
		blame(errors, "payload", "can't be blank");
		good = false;
	} else if (json_type(p->payload) != JSON_OBJECT) {
		blame(errors, "payload", "is invalid");
		good = false;
	} else if (too_large(r, p->payload)) {
		blame(errors, "payload", "Payload size exceeds tenant limit");
		good = false;
	}
	good &= batch_text(object, "event", EVENT_MOST, texts, errors);
	good &= batch_private(object, &p->private, errors);
	json_close(errors, '}');
	if (json_get(object, "id", &id) && json_type(id) == JSON_STRING && id.len <= NAME_MOST) {
		buf_reset(meta);
		json_open(meta, '{');
		json_add_raw(meta, "id", id);
		json_close(meta, '}');
		p->meta = buf_slice(meta);
	}
	p->topic = texts->ptr;
	p->topic_len = event;
	p->event = (struct slice){texts->ptr + event, texts->len - event};
	return good;
}

/* All are looked at before any is sent. *n: how many there are. */
static bool
batch_check(struct rest *r, struct slice messages, size_t *n)
{
	struct buf errors = {0}, texts = {0}, meta = {0};
	struct json_walk walk = json_walk(messages);
	struct slice element;
	struct posted p;
	bool good = true;

	*n = 0;
	buf_adds(&errors, "{\"errors\":{\"messages\":");
	json_open(&errors, '[');
	for (; errors.len < FAULTS_MOST + 3 * *n && json_element(&walk, &element); ++*n)
		good &= batch_read(r, element, &p, &texts, &meta, &errors);
	json_close(&errors, ']');
	buf_adds(&errors, "}}");
	if (*n == 0)
		rest_answer(r, 422, NULL, S("{\"errors\":{\"messages\":[\"can't be blank\"]}}"));
	else if (!good)
		rest_answer(r, 422, NULL, buf_slice(&errors));
	buf_free(&errors);
	buf_free(&texts);
	buf_free(&meta);
	return good && *n;
}

/*
 * Takes so many off their topics' rates, as far as they are within them: how many were, and
 * *over is the topic that is not. over NULL: gives them back.
 */
static size_t
batch_take(struct rest *r, struct slice messages, size_t most, struct topic **over)
{
	struct buf errors = {0}, texts = {0}, meta = {0};
	struct json_walk walk = json_walk(messages);
	struct slice element;
	struct posted p;
	size_t n;

	for (n = 0; n < most && json_element(&walk, &element); n++) {
		struct topic *t;

		buf_reset(&errors);
		if (!batch_read(r, element, &p, &texts, &meta, &errors) || !may_write(r, &p))
			continue;
		t = topic_of(r, &p);
		if (over == NULL && t) {
			limit_give(&t->messages);
		} else if (over && !take_topic(r, t)) {
			*over = t;
			break;
		}
	}
	buf_free(&errors);
	buf_free(&texts);
	buf_free(&meta);
	return n;
}

/* Within all rates; false: answered, and only the key's has paid for it. */
static bool
batch_within(struct rest *r, struct slice messages, size_t n)
{
	struct topic *over = NULL;

	if (!within_rate(r, n))
		return false;
	if (r->hub->settings.max_topic_rate <= 0)
		return true;
	n = batch_take(r, messages, n, &over);
	if (over == NULL)
		return true;
	batch_take(r, messages, n, NULL);
	topic_is_over(r, over);
	return false;
}

static void
batch_send(struct rest *r, struct slice messages)
{
	struct buf errors = {0}, texts = {0}, meta = {0};
	struct json_walk walk = json_walk(messages);
	struct slice element;
	struct posted p;

	while (json_element(&walk, &element)) {
		buf_reset(&errors);
		/* Without the right to write: dropped, and still 202. So Supabase. */
		if (batch_read(r, element, &p, &texts, &meta, &errors) && may_write(r, &p))
			deliver(r, &p);
	}
	buf_free(&errors);
	buf_free(&texts);
	buf_free(&meta);
}

void
rest_batch(struct rest *r)
{
	struct slice body = slice_trim(socket_ask_body(r->ask)), messages;
	size_t n;

	if (json_check(body, NULL) != 0) {
		rest_message(r, 400, "Bad Request");
		return;
	}
	if (json_type(body) != JSON_OBJECT || !json_get(body, "messages", &messages) ||
	    json_type(messages) != JSON_ARRAY) {
		rest_answer(r, 422, NULL, S("{\"errors\":{\"messages\":[\"can't be blank\"]}}"));
		return;
	}
	if (!batch_check(r, messages, &n) || !batch_within(r, messages, n))
		return;
	batch_send(r, messages);
	rest_answer(r, 202, NULL, S(""));
}

/* ---- the single form ---- */

static bool
is_type(struct slice type, const char *name)
{
	return type.len == strlen(name) && strncasecmp(type.ptr, name, type.len) == 0;
}

/* application/json or application/octet-stream, parameters aside; nothing counts as JSON. */
static int
content_type(const struct rest *r, bool *json)
{
	struct slice type = socket_ask_header(r->ask, "content-type");
	const char *end = type.ptr ? memchr(type.ptr, ';', type.len) : NULL;

	if (end)
		type.len = (size_t)(end - type.ptr);
	type = type.ptr ? slice_trim(type) : type;
	*json = type.len == 0 || is_type(type, "application/json");
	return *json || is_type(type, "application/octet-stream") ? 0 : -1;
}

static void
invalid(struct rest *r, const char *member, const char *text)
{
	struct buf body = {0};

	buf_adds(&body, "{\"errors\":");
	json_open(&body, '{');
	blame(&body, member, text);
	json_close(&body, '}');
	buf_addc(&body, '}');
	rest_answer(r, 422, NULL, buf_slice(&body));
	buf_free(&body);
}

static void
single_send(struct rest *r, struct posted *p)
{
	if (p->topic_len == 9)
		invalid(r, "topic", "can't be blank");
	else if (p->event.len == 0)
		invalid(r, "event", "can't be blank");
	else if (p->topic_len > NAME_MOST + 9)
		invalid(r, "topic", "should be at most 246 byte(s)");
	else if (p->event.len > EVENT_MOST)
		invalid(r, "event", "should be at most 255 byte(s)");
	else if (too_large(r, p->payload))
		invalid(r, "payload", "Payload size exceeds tenant limit");
	else if (!may_write(r, p))
		rest_message(r, 403, "Unauthorized");
	else if (!within_rate(r, 1))
		return;
	else if (!take_topic(r, topic_of(r, p)))
		topic_is_over(r, topic_of(r, p));
	else {
		deliver(r, p);
		rest_answer(r, 202, NULL, S(""));
	}
}

/* rest: TOPIC/events/EVENT, percent-encoded; an encoded slash has become one on its way here. */
void
rest_single(struct rest *r, struct slice rest)
{
	const char *at = memmem(rest.ptr, rest.len, "/events/", 8);
	struct slice topic = {rest.ptr, at ? (size_t)(at - rest.ptr) : 0}, event;
	struct posted p = {.user = true};
	struct buf names = {0}, private = {0};
	size_t split;

	if (at == NULL) {
		rest_message(r, 404, "not found");
		return;
	}
	event = (struct slice){at + 8, rest.len - topic.len - 8};
	if (content_type(r, &p.json) != 0) {
		rest_say(r, 415, "error",
		    "Unsupported Media Type. Use application/json or application/octet-stream");
		return;
	}
	buf_adds(&names, "realtime:");
	url_unescape(&names, topic);
	split = names.len;
	url_unescape(&names, event);
	p.topic = names.ptr;
	p.topic_len = split;
	p.event = (struct slice){names.ptr + split, names.len - split};
	p.payload = socket_ask_body(r->ask);
	if (p.json && slice_trim(p.payload).len == 0)
		p.payload = S("{}");
	p.private = socket_ask_arg(r->ask, "private", &private) &&
	    slice_is(buf_slice(&private), "true");
	if (p.json && json_check(p.payload, NULL) != 0)
		rest_message(r, 400, "Bad Request");
	else
		single_send(r, &p);
	buf_free(&names);
	buf_free(&private);
}
