/*
 * What a limit holds back is counted, and said on stderr to whoever keeps the hub: one
 * line for each limit and whoever is over it, the first time, and then with a count, at most once
 * a minute. Whoever makes up names or addresses fills a table that has an end: the rest are others.
 */
#include "common/mem.h"
#include "common/time.h"
#include "tools/collab/hub_part.h"

#include <stdio.h>
#include <stdlib.h>

enum { TOLD_MOST = 64, AGAIN_MS = 60000, NAME_SHOWN = 64 };

struct told {
	enum cap cap;
	char *who;
	int64_t at;    /* when it was said, ms, monotonic */
	uint64_t more; /* times since */
};

static const struct row {
	const char *name, *option, *text;
} rows[CAPS] = {
	[CAP_RATE] = {"rate", "max-rate",
	    "messages a second of a connection: its channel is closed"},
	[CAP_KEY_RATE] = {"key_rate", "max-key-rate",
	    "messages a second of a key: what is beyond is refused, a channel closed"},
	[CAP_TOPIC_RATE] = {"topic_rate", "max-topic-rate",
	    "messages a second to a topic: what is beyond is refused, a channel closed"},
	[CAP_PRESENCE_RATE] = {"presence_rate", "max-presence-rate",
	    "presence calls a second of a channel: it is closed"},
	[CAP_JOINS] = {"joins", "max-joins", "joins a second of a key: its connection is refused"},
	[CAP_CONNECTIONS] = {"connections", "max-connections",
	    "connections at once: no more are let in"},
	[CAP_CHANNELS] = {"channels", "max-channels",
	    "topics of one connection: its join is refused"},
	[CAP_TOPICS] = {"topics", "max-topics", "topics at once: its join is refused"},
	[CAP_PAYLOAD] = {"payload", "max-payload", "bytes of a message: it is not taken"},
	[CAP_TRACKED] = {"tracked", "max-memory",
	    "and what members track may take an eighth of it, or half of --max-queue: not taken"},
	[CAP_MEMORY] = {"memory", "max-memory",
	    "bytes for queues, and for messages on their way in: it is dropped"},
	[CAP_SLOW] = {"slow", "max-queue",
	    "bytes that a reader may be behind: it is dropped, and may come back"},
};

const char *
cap_name(enum cap cap)
{
	return rows[cap].name;
}

static double
value_of(const struct hub_settings *s, enum cap cap)
{
	const double values[CAPS] = {
	    [CAP_RATE] = s->max_rate,
	    [CAP_KEY_RATE] = s->max_key_rate,
	    [CAP_TOPIC_RATE] = s->max_topic_rate,
	    [CAP_PRESENCE_RATE] = s->max_presence_rate,
	    [CAP_JOINS] = s->max_joins,
	    [CAP_CONNECTIONS] = (double)s->max_connections,
	    [CAP_CHANNELS] = (double)s->max_channels,
	    [CAP_TOPICS] = (double)s->max_topics,
	    [CAP_PAYLOAD] = (double)s->max_payload,
	    [CAP_TRACKED] = (double)s->max_memory,
	    [CAP_MEMORY] = (double)s->max_memory,
	    [CAP_SLOW] = (double)s->max_queue,
	};

	return values[cap];
}

static void
say(const struct hub *hub, struct told *t, int64_t now)
{
	const struct row *row = &rows[t->cap];
	char times[80] = "";

	if (t->more)
		snprintf(times, sizeof(times), ": %llu times more in %lld s",
		    (unsigned long long)t->more, (long long)((now - t->at) / 1000));
	note("%s over --%s=%.15g, %s%s", t->who, row->option, value_of(&hub->settings, t->cap),
	    row->text, times);
	t->at = now;
	t->more = 0;
}

static struct told *
find(const struct hub *hub, enum cap cap, const char *who)
{
	for (size_t i = 0; i < hub->ntold; i++)
		if (hub->told[i].cap == cap && strcmp(hub->told[i].who, who) == 0)
			return &hub->told[i];
	return NULL;
}

/* Its name alone is said: never what it proves it with. */
static void
name_who(struct buf *who, const char *key, const char *address)
{
	size_t len = strlen(key);

	buf_addc(who, '\'');
	buf_add(who, key, len > NAME_SHOWN ? utf8_valid(key, NAME_SHOWN) : len);
	buf_addc(who, '\'');
	if (address)
		buf_addf(who, " at %s", address);
	buf_adds(who, " is");
}

void
hub_capped(struct hub *hub, enum cap cap, const char *key, const char *address, int64_t now)
{
	struct buf who = {0};
	struct told *t;

	hub->metrics.capped[cap]++;
	name_who(&who, key, address);
	t = find(hub, cap, who.ptr);
	if (t == NULL && hub->ntold >= TOLD_MOST) {
		buf_reset(&who);
		buf_adds(&who, "others are");
		t = find(hub, cap, who.ptr);
	}
	if (t) {
		t->more++;
		buf_free(&who);
		return;
	}
	hub->told = xgrow(hub->told, hub->ntold, &hub->told_cap, sizeof(*hub->told));
	t = &hub->told[hub->ntold++];
	*t = (struct told){.cap = cap, .who = buf_detach(&who), .at = now};
	say(hub, t, now);
}

void
conn_capped(struct conn *c, enum cap cap)
{
	hub_capped(c->hub, cap, c->claims.name, c->address, time_ms());
}

void
caps_turn(struct hub *hub, int64_t now)
{
	size_t n = 0;

	for (size_t i = 0; i < hub->ntold; i++) {
		struct told *t = &hub->told[i];

		if (now - t->at >= AGAIN_MS && t->more == 0) {
			free(t->who);
			continue;
		}
		if (now - t->at >= AGAIN_MS)
			say(hub, t, now);
		hub->told[n++] = *t;
	}
	hub->ntold = n;
}

void
caps_free(struct hub *hub)
{
	for (size_t i = 0; i < hub->ntold; i++)
		free(hub->told[i].who);
	free(hub->told);
}
