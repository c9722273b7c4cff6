/*
 * Rates, as token buckets of one second's worth (at least 10, so that a rate of
 * one a second still lets a join and its first messages through). A key's
 * counters stay after its last connection until they are full: coming anew fills none.
 */
#include "common/mem.h"
#include "common/time.h"
#include "tools/collab/hub_part.h"

#include <stdlib.h>

enum { BURST = 10, USES_LEAST = 64 };

static double
burst(double rate)
{
	return rate > BURST ? rate : BURST;
}

double
limit_room(const struct limit *l, double rate, int64_t now)
{
	double gone = (double)(now - l->at) / 1000 * rate, used = l->used - (gone > 0 ? gone : 0);

	return burst(rate) - (used > 0 ? used : 0);
}

static bool
take(struct limit *l, double rate, size_t n, int64_t now)
{
	double room;

	if (rate <= 0)
		return true;
	room = limit_room(l, rate, now);
	if (room < (double)n)
		return false;
	l->used = burst(rate) - room + (double)n;
	l->at = now;
	return true;
}

bool
limit_take(struct limit *l, double rate, int64_t now)
{
	return take(l, rate, 1, now);
}

void
limit_give(struct limit *l)
{
	l->used -= 1;
}

const char *
limit_message(struct conn *c, struct topic *t, int64_t now)
{
	const struct hub_settings *s = &c->hub->settings;

	/* The narrowest first: who is over its own rate takes nothing of what it shares. */
	if (!limit_take(&c->messages, s->max_rate, now))
		conn_capped(c, CAP_RATE);
	else if (c->use && !limit_take(&c->use->messages, s->max_key_rate, now))
		hub_capped(c->hub, CAP_KEY_RATE, c->claims.name, NULL, now);
	else if (!limit_take(&t->messages, s->max_topic_rate, now))
		hub_capped(c->hub, CAP_TOPIC_RATE, c->claims.name, NULL, now);
	else
		return NULL;
	return "Too many messages per second";
}

const char *
limit_join(struct conn *c, int64_t now)
{
	if (c->use == NULL || limit_take(&c->use->joins, c->hub->settings.max_joins, now))
		return NULL;
	hub_capped(c->hub, CAP_JOINS, c->claims.name, NULL, now);
	return "ClientJoinRateLimitReached: Too many joins per second";
}

const char *
limit_words(const struct limit *l, double rate, int64_t now)
{
	if (limit_room(l, rate, now) < 1)
		return "You have exceeded your rate limit";
	return "Too many messages to broadcast, please reduce the batch size";
}

const char *
limit_rest(struct hub *hub, struct key_use *use, size_t n, int64_t now)
{
	double rate = hub->settings.max_key_rate;

	if (take(&use->messages, rate, n, now))
		return NULL;
	return limit_words(&use->messages, rate, now);
}

static void
use_free(struct key_use *use)
{
	free(use->name);
	free(use);
}

/* Whether nothing is lost when it is forgotten. */
static bool
idle(const struct hub *hub, const struct key_use *use, int64_t now)
{
	double rate = hub->settings.max_key_rate, joins = hub->settings.max_joins;

	return use->conns == 0 && limit_room(&use->messages, rate, now) >= burst(rate) &&
	    limit_room(&use->joins, joins, now) >= burst(joins);
}

/* The table anew, without those that are idle. */
static void
sweep(struct hub *hub, int64_t now)
{
	struct table old = hub->uses;

	hub->uses = (struct table){0};
	for (size_t i = 0; i < old.size; i++) {
		struct key_use *use = (struct key_use *)(uintptr_t)old.slots[i].value;

		if (old.slots[i].hash == 0)
			continue;
		if (idle(hub, use, now))
			use_free(use);
		else
			*table_put(&hub->uses, slice(use->name), NULL) = (uintptr_t)use;
	}
	table_free(&old);
	hub->uses_most = 2 * hub->uses.used + USES_LEAST;
}

struct key_use *
limit_key(struct hub *hub, const char *name)
{
	uint64_t *at = table_get(&hub->uses, slice(name));
	struct key_use *use = at ? (struct key_use *)(uintptr_t)*at : NULL;

	if (use == NULL) {
		if (hub->uses.used >= hub->uses_most)
			sweep(hub, time_ms());
		use = xcalloc(1, sizeof(*use));
		use->name = xstrdup(name);
		*table_put(&hub->uses, slice(use->name), NULL) = (uintptr_t)use;
	}
	use->conns++;
	return use;
}

void
limit_key_done(struct key_use *use)
{
	use->conns--;
}

void
limits_free(struct hub *hub)
{
	for (size_t i = 0; i < hub->uses.size; i++)
		if (hub->uses.slots[i].hash)
			use_free((struct key_use *)(uintptr_t)hub->uses.slots[i].value);
	table_free(&hub->uses);
}
