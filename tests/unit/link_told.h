/*
 * link_told: a link at the relay of link_relay, and what it tells its owner, a word each.
 */
#ifndef KANDIL_TEST_LINK_TOLD_H
#define KANDIL_TEST_LINK_TOLD_H

#include "tests/unit/link_relay.h"

#include "tests/unit/check.h"
#include "tests/unit/steady.h"
#include "tools/collab/link_part.h"

enum { PATIENCE = 30000 }; /* ms, for what must come */

static struct buf events; /* what the link told, a word each */
static int64_t retry_ms;
static char said[500];
static size_t acks;
static void (*on_ack)(uint64_t number, bool ok, const char *reason);

static void
on_up(struct slice response, void *state)
{
	(void)response;
	(void)state;
	buf_adds(&events, "up ");
}

static void
on_down(enum link_class class, const char *code, const char *text, int64_t ms, void *state)
{
	static const char *const names[] = {[LINK_REFRESH] = "refresh", [LINK_RATE] = "rate",
	    [LINK_BUSY] = "busy", [LINK_BACKOFF] = "backoff", [LINK_NEVER] = "never"};

	(void)state;
	retry_ms = ms;
	snprintf(said, sizeof(said), "%s", text);
	buf_addf(&events, "%s:%s ", names[class], code);
}

static void
on_connecting(void *state)
{
	(void)state;
	buf_adds(&events, "connecting ");
}

static void
on_broadcast(struct slice event, struct slice payload, struct slice meta, void *state)
{
	(void)state;
	buf_addf(&events, "<%.*s %.*s%.*s> ", (int)event.len, event.ptr, (int)payload.len,
	    payload.ptr, (int)meta.len, meta.ptr);
}

static void
on_acked(uint64_t number, bool ok, const char *reason, void *state)
{
	(void)state;
	acks++;
	if (on_ack)
		on_ack(number, ok, reason);
	else
		buf_addf(&events, "%s%llu%s ", ok ? "ack" : "nack", (unsigned long long)number,
		    reason);
}

static void
on_member(struct slice key, bool here, struct slice meta, void *state)
{
	(void)state;
	buf_addf(&events, "%c%.*s%.*s ", here ? '+' : '-', (int)key.len, key.ptr, (int)meta.len,
	    meta.ptr);
}

static void
on_ended(enum status status, const char *code, const char *text, void *state)
{
	(void)state;
	snprintf(said, sizeof(said), "%s", text);
	buf_addf(&events, "ended%d:%s ", (int)status, code);
}

static const struct link_events calls = {.up = on_up, .down = on_down,
    .connecting = on_connecting, .broadcast = on_broadcast, .acked = on_acked,
    .member = on_member, .ended = on_ended};

static char url[64];
static struct link_settings set;
static struct link *l;
static struct err e;

/* Settings as usual, nothing planned, nothing told yet. */
static inline void
usual(void)
{
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", port);
	set = (struct link_settings){.url = url, .key = S("the-secret-key"), .topic = "room",
	    .dialect = FRAME_V2, .heartbeat_ms = 5000, .seed = 7};
	memset(&plan, 0, sizeof(plan));
	buf_reset(&events);
	buf_adds(&events, "");
	buf_reset(&heard);
	buf_adds(&heard, "");
	upgrades = joins = beats = 0;
	acks = 0;
	on_ack = NULL;
}

/* Opened, with waits that a test can bear. */
static inline void
start(void)
{
	l = link_open(loop, &set, &calls, NULL, &e);
	if (l == NULL) {
		fprintf(stderr, "%s\n", e.text);
		exit(1);
	}
	l->times.base = 20;
	l->times.rate = 150;
	l->times.cap = 300;
	l->times.reply = 1500;
	l->times.first = 30;
}

static inline void
turn(void)
{
	int64_t due = link_turn(l);

	sockets_wait(loop, due < 0 || due > 20 ? 20 : due);
}

/* Moves a text to shown, which is what it returns; from is empty then. */
static inline const char *
take(struct buf *from, struct buf *shown)
{
	buf_reset(shown);
	buf_addslice(shown, buf_slice(from));
	buf_adds(shown, "");
	buf_reset(from);
	buf_adds(from, "");
	return shown->ptr;
}

/*
 * Goes on until the link has told that, has ended, or that long: what was told, which is then
 * forgotten.
 */
static inline const char *
until(const char *word, int64_t ms)
{
	static struct buf shown;
	int64_t end = time_ms() + ms;

	while (!strstr(events.ptr, word) && !strstr(events.ptr, "ended") && time_ms() < end)
		turn();
	return take(&events, &shown);
}

static inline void
run_for(int64_t ms)
{
	int64_t end = time_ms() + ms;

	do
		turn();
	while (time_ms() < end);
}

/* Goes on until the relay has heard that. */
static inline void
wait_heard(const char *word)
{
	int64_t end = time_ms() + PATIENCE;

	while (!strstr(heard.ptr, word) && time_ms() < end)
		turn();
}

/* What the relay heard, which is then forgotten. */
static inline const char *
relay_heard(void)
{
	static struct buf shown;

	return take(&heard, &shown);
}

static inline const char *
close_with(const char *message)
{
	struct buf b = {0};

	buf_adds(&b, "{\"extension\":\"system\",\"status\":\"error\",\"message\":");
	json_quote(&b, slice(message));
	buf_adds(&b, ",\"channel\":\"room\"}");
	relay_push("system", b.ptr);
	relay_push("phx_close", "{}");
	buf_free(&b);
	return until("up", PATIENCE);
}

static inline void
stop(void)
{
	int64_t end = time_ms() + PATIENCE;

	link_close(l, 500);
	while (seats && time_ms() < end)
		sockets_wait(loop, 10);
	CHECK(seats == 0);
	buf_reset(&events);
	buf_adds(&events, "");
}

/* Around each test's main. */
static inline void
begin(void)
{
	die_verbosity(-1);
	relay_start();
}

static inline int
end(void)
{
	sockets_close(loop);
	frame_reader_free(&relay_reader);
	buf_free(&events);
	buf_free(&heard);
	buf_free(&query);
	return check_done();
}

#endif
