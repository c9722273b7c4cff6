/*
 * What was said, for those who were away: kept, and replayed to official clients by
 * config.broadcast.replay of a join. How it goes to whom is hub_heal.c's.
 */
#include "common/time.h"
#include "tools/collab/history.h"
#include "tools/collab/hub_part.h"

enum { REPLAY_MOST = 25 }; /* messages of a replay: so Supabase */

int
history_open(struct hub *hub, struct err *e)
{
	const struct hub_settings *s = &hub->settings;
	struct histories_settings settings = {
	    .messages = s->history_messages,
	    .ms = s->history_ms,
	    .max_bytes = s->max_memory / MEMORY_HISTORY,
	    .folder = s->history_dir,
	};

	if (s->history_messages == 0 && s->history_ms == 0)
		return 0;
	hub->histories = histories_open(&settings, e);
	if (hub->histories)
		hub->history_bytes = histories_bytes(hub->histories);
	return hub->histories ? 0 : -1;
}

bool
history_kept(const struct hub *hub)
{
	return hub->histories != NULL;
}

void
history_close(struct hub *hub)
{
	histories_close(hub->histories);
	hub->histories = NULL;
}

/* ---- keeping ---- */

void
history_keep(struct hub *hub, struct slice name, bool private, const struct cast *cast)
{
	struct history_message m = {
	    .json = cast->json,
	    .user = cast->user,
	    .event = cast->event,
	    .payload = cast->payload,
	    .meta = cast->meta,
	};
	struct history *h;

	/* Control messages of kandil clients are about the moment. */
	if (hub->histories == NULL || slice_is(cast->event, "kandil"))
		return;
	m.whole = cast->whole.len && cast->event.len == 0;
	h = history_of(hub->histories, name, private, true);
	if (h)
		history_put(h, &m, NULL); /* a failure is said and counted there */
	hub->history_bytes = histories_bytes(hub->histories);
}

void
history_add(struct topic *t, const struct cast *cast)
{
	history_keep(t->hub, (struct slice){t->name, t->len}, t->private, cast);
}

/* ---- replay ---- */

static bool
replay_read(struct slice replay, long long *since, long long *limit)
{
	struct slice value;

	*limit = REPLAY_MOST;
	if (json_type(replay) != JSON_OBJECT || !json_get(replay, "since", &value) ||
	    !json_long(value, since) || *since < 0)
		return false;
	if (json_get(replay, "limit", &value) && json_type(value) != JSON_NULL &&
	    !json_long(value, limit))
		return false;
	*limit = *limit < 1 ? 1 : *limit > REPLAY_MOST ? REPLAY_MOST : *limit;
	return true;
}

const char *
history_replay_refusal(bool private, struct slice replay)
{
	long long since, limit;

	if (!private)
		return "UnableToReplayMessages: Replay is not allowed for public channels";
	if (!replay_read(replay, &since, &limit))
		return "UnableToReplayMessages: Replay params are not valid";
	return NULL;
}

const char *
history_replay(struct channel *ch, struct slice replay)
{
	struct hub *hub = ch->topic->hub;
	const char *words = history_replay_refusal(ch->topic->private, replay);
	long long since, limit;
	struct history *h;
	uint64_t first, last;

	if (words || !replay_read(replay, &since, &limit))
		return words;
	if (hub->histories == NULL) {
		conn_system(ch, true, "Nothing is replayed: no history is kept here");
		return NULL;
	}
	h = history_of_channel(ch);
	if (h == NULL)
		return NULL;
	first = history_since(h, since);
	last = history_last(h);
	/* Supabase leaves a hole without a word; nobody should have to guess. */
	if ((first == history_first(h) && first > 1) || last + 1 - first > (uint64_t)limit)
		conn_system(ch, true,
		    "Only the newest messages are replayed: older ones are missing");
	if (last + 1 - first > (uint64_t)limit)
		first = last + 1 - (uint64_t)limit;
	if (first <= last)
		heal_replay(ch, first, last);
	return NULL;
}

/* ---- time ---- */

int64_t
history_turn(struct hub *hub)
{
	int64_t due = heal_turn(hub), files = -1;

	if (hub->histories) {
		files = histories_turn(hub->histories, time_ms());
		hub->history_bytes = histories_bytes(hub->histories);
	}
	return time_least(due, files);
}
