/*
 * Joining and leaving a topic, and new tokens for it. Everything in a join's payload is
 * optional, and what is of a wrong type counts as absent: so Supabase.
 */
#include "tools/collab/hub_part.h"

#include "common/mem.h"
#include "common/secret.h"
#include "common/time.h"

#include <stdlib.h>
#include <stdio.h>
#include <strings.h>

enum {
	TOPIC_MAX = 255, /* bytes: what a binary frame can carry */
	KEY_MAX = 255,	 /* of a presence key */
};

struct channel *
conn_channel(const struct conn *c, struct slice topic)
{
	for (struct channel *ch = c->channels; ch; ch = ch->next_of_conn)
		if (ch->topic->len == topic.len &&
		    memcmp(ch->topic->name, topic.ptr, topic.len) == 0)
			return ch;
	return NULL;
}

/* ---- what a join asks for ---- */

struct asked {
	bool ack, self, presence, private;
	struct buf key, token;
	struct slice replay; /* ptr NULL: none */
	struct slice asks;   /* of our history: likewise */
};

/* true, or the string "true" in any case. */
static bool
flag(struct slice object, const char *outer, const char *name)
{
	const char *path[] = {outer, name};
	struct slice value;

	if (outer ? !json_path(object, path, 2, &value) : !json_get(object, name, &value))
		return false;
	return json_type(value) == JSON_TRUE ||
	    (value.len == 6 && strncasecmp(value.ptr, "\"true\"", 6) == 0);
}

static void
asked_read(struct asked *a, struct slice payload)
{
	static const char *const key[] = {"presence", "key"}, *const replay[] = {"broadcast",
										   "replay"};
	struct slice config, value;

	*a = (struct asked){0};
	if (json_type(payload) != JSON_OBJECT)
		return;
	if (!json_get_text(payload, "user_token", &a->token))
		json_get_text(payload, "access_token", &a->token);
	if (!json_get(payload, "config", &config))
		return;
	a->ack = flag(config, "broadcast", "ack");
	a->self = flag(config, "broadcast", "self");
	a->presence = flag(config, "presence", "enabled");
	a->private = flag(config, NULL, "private");
	if (json_path(config, key, 2, &value))
		json_text(value, &a->key);
	if (json_path(config, replay, 2, &value) && json_type(value) != JSON_NULL)
		a->replay = value;
	if (json_get(config, "kandil", &value))
		a->asks = value;
}

static void
asked_free(struct asked *a)
{
	buf_free(&a->key);
	secret_wipe(&a->token);
}

/* ---- join ---- */

static void
refuse(struct conn *c, const struct frame *f, const char *words)
{
	struct buf body = {0};

	c->hub->metrics.joins_refused++;
	json_open(&body, '{');
	json_add(&body, "reason", slice(words));
	json_close(&body, '}');
	conn_reply(c, f, false, buf_slice(&body));
	buf_free(&body);
}

/* What stands against the join, in the protocol's words; 0, or -1 with e->text. */
static int
join_check(struct conn *c, const struct frame *f, const struct asked *a, struct claims **claims,
    struct err *e)
{
	struct hub *hub = c->hub;
	struct slice name = topic_short(f->topic);
	const char *words;
	long others = c->nchannels - (conn_channel(c, f->topic) != NULL);

	if (hub->draining)
		return err_set(e, "restarting",
		    "RealtimeRestarting: Realtime is restarting, please standby");
	if (name.len == 0)
		return err_set(e, "no_topic",
		    "TopicNameRequired: You must provide a topic name");
	if (f->topic.len > TOPIC_MAX)
		return err_set(e, "no_topic",
		    "TopicNameRequired: A topic name has at most %d bytes", TOPIC_MAX);
	if (hub->settings.max_channels > 0 && others >= hub->settings.max_channels) {
		conn_capped(c, CAP_CHANNELS);
		return err_set(e, "too_many", "ChannelRateLimitReached: Too many channels");
	}
	if (admit_token(c, buf_slice(&a->token), claims, e) != 0)
		return -1;
	if (!admit_topic(c, *claims, f->topic, a->private, false))
		return err_set(e, "unauthorized",
		    "Unauthorized: You do not have permissions to read from this Channel topic: "
		    "%.*s",
		    (int)name.len, name.ptr);
	words = a->replay.ptr ? history_replay_refusal(a->private, a->replay) : NULL;
	return words ? err_set(e, "no_replay", "%s", words) : 0;
}

static char *
copy_of(struct slice text)
{
	return text.ptr ? xstrndup(text.ptr, text.len) : NULL;
}

/*
 * What kandil clients want to know from the first: whether there is a history, and whether
 * they may not write here (false alone is said), which no reply to a write tells.
 */
static void
reply_joined(struct channel *ch, const struct frame *f)
{
	bool silent = ch->topic->private && !ch->may_write;
	struct buf b = {0};

	json_open(&b, '{');
	json_add_raw(&b, "postgres_changes", S("[]"));
	if (history_kept(ch->conn->hub) || silent) {
		json_name(&b, "kandil");
		json_open(&b, '{');
		if (history_kept(ch->conn->hub))
			json_add_raw(&b, "history", S("true"));
		if (silent)
			json_add_raw(&b, "write", S("false"));
		json_close(&b, '}');
	}
	json_close(&b, '}');
	conn_reply(ch->conn, f, true, buf_slice(&b));
	buf_free(&b);
}

/* The reply first, then all that belongs to the new channel. */
static void
joined(struct channel *ch, struct channel *old, const struct frame *f, const struct asked *a)
{
	struct hub *hub = ch->conn->hub;
	const char *words;

	hub->metrics.joins++;
	reply_joined(ch, f);
	if (old && a->asks.ptr)
		history_go_on(old, ch);
	if (old)
		channel_end(old, NULL);
	words = a->replay.ptr ? history_replay(ch, a->replay) : NULL;
	if (words) {
		channel_end(ch, words);
		return;
	}
	if (ch->presence)
		presence_state(ch);
	if (a->asks.ptr)
		history_ask(ch, a->asks);
}

/* A join of a topic that it is in already ends the old channel, also when it is refused. */
static void
join_topic(struct conn *c, const struct frame *f, const struct asked *a)
{
	struct channel *old = conn_channel(c, f->topic), *ch;
	struct claims *claims = NULL;
	struct topic *t = NULL;
	struct err e;

	if (join_check(c, f, a, &claims, &e) == 0) {
		t = topic_get(c->hub, f->topic, a->private);
		if (t == NULL) {
			conn_capped(c, CAP_TOPICS);
			err_set(&e, "too_many", "ChannelRateLimitReached: Too many topics");
		}
	}
	if (t == NULL) {
		admit_forget(claims);
		refuse(c, f, e.text);
		if (old)
			channel_end(old, NULL);
		return;
	}
	ch = topic_join(t, c);
	ch->join_ref = copy_of(f->join_ref);
	if (a->key.len > 0 && a->key.len <= KEY_MAX)
		ch->presence_key = xstrndup(a->key.ptr, a->key.len);
	ch->ack = a->ack;
	ch->self = a->self;
	ch->presence = a->presence;
	ch->claims = claims;
	ch->may_write = admit_topic(c, claims, f->topic, a->private, true);
	joined(ch, old, f, a);
}

void
channel_join(struct conn *c, const struct frame *f)
{
	const char *words = limit_join(c, time_ms());
	struct frame answer = {.ref = f->ref, .topic = f->topic};
	struct asked a;

	if (words) {
		refuse(c, f, words);
		conn_end(c, 1008, "too many joins");
		return;
	}
	if (slice_is(f->topic, "phoenix") || f->topic.len == 0 ||
	    (!c->phoenix && !slice_starts(f->topic, "realtime:"))) {
		conn_reply(c, &answer, false, S("{\"reason\":\"unmatched topic\"}"));
		return;
	}
	asked_read(&a, f->payload);
	join_topic(c, f, &a);
	asked_free(&a);
}

/* ---- leave ---- */

void
channel_end(struct channel *ch, const char *message)
{
	if (message)
		conn_system(ch, false, message);
	conn_close_push(ch);
	topic_leave(ch);
}

void
channel_leave(struct conn *c, const struct frame *f)
{
	struct channel *ch = conn_channel(c, f->topic);

	if (ch == NULL) {
		conn_reply(c, f, true, S("{}"));
		return;
	}
	/* Meant for a channel that a later join has replaced: Phoenix gives no answer. */
	if (ch->join_ref && !slice_is(f->join_ref, ch->join_ref))
		return;
	channel_reply(ch, f, true, S("{}"));
	channel_end(ch, NULL);
}

/* ---- access_token ---- */

/* A refused token's words without their code: "InvalidJWTToken: Token has …". */
static const char *
without_code(const char *words)
{
	const char *colon = strstr(words, ": ");

	return colon && colon < words + strcspn(words, " ") ? colon + 2 : words;
}

static void
set_claims(struct channel *ch, struct claims *claims)
{
	struct slice topic = {ch->topic->name, ch->topic->len}, name = topic_short(topic);
	bool private = ch->topic->private;
	char words[TOPIC_MAX + 100];

	admit_forget(ch->claims);
	ch->claims = claims;
	ch->may_write = admit_topic(ch->conn, claims, topic, private, true);
	if (admit_topic(ch->conn, claims, topic, private, false))
		return;
	snprintf(words, sizeof(words),
	    "You no longer have permission to read from this Channel topic: %.*s", (int)name.len,
	    name.ptr);
	channel_end(ch, words);
}

/* No reply on success: so Supabase. */
void
channel_token(struct channel *ch, const struct frame *f)
{
	struct buf token = {0};
	struct claims *claims = NULL;
	struct err e;

	/* A publishable key (sb_…) is no token of a person: the present one stays. */
	if (json_type(f->payload) == JSON_OBJECT &&
	    json_get_text(f->payload, "access_token", &token) && token.len > 0 &&
	    !slice_starts(buf_slice(&token), "sb_")) {
		if (admit_token(ch->conn, buf_slice(&token), &claims, &e) == 0)
			set_claims(ch, claims);
		else
			channel_end(ch, without_code(e.text));
	}
	secret_wipe(&token);
}
