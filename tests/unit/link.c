/*
 * link against a relay in the same loop: every way of being refused, cut and
 * closed, in every state, and what comes of it.
 */
#include "tests/unit/link_relay.h"

#include "common/base64.h"
#include "tests/unit/check.h"
#include "tools/collab/link_part.h"

#include <sys/stat.h>
#include <unistd.h>

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
	(void)state;
	retry_ms = ms;
	snprintf(said, sizeof(said), "%s", text);
	buf_addf(&events, "%s:%s ", refusal_name(class), code);
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
static void
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
static void
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
	l->times.reply = 300;
	l->times.first = 30;
}

static void
turn(void)
{
	int64_t due = link_turn(l);

	sockets_wait(loop, due < 0 || due > 20 ? 20 : due);
}

/* Goes on until the link has told that, has ended, or that long; what was told, which is then forgotten. */
static const char *
until(const char *word, int64_t ms)
{
	static struct buf shown;
	int64_t end = time_ms() + ms;

	while (!strstr(events.ptr, word) && !strstr(events.ptr, "ended") && time_ms() < end)
		turn();
	buf_reset(&shown);
	buf_addslice(&shown, buf_slice(&events));
	buf_adds(&shown, "");
	buf_reset(&events);
	buf_adds(&events, "");
	return shown.ptr;
}

static void
run_for(int64_t ms)
{
	int64_t end = time_ms() + ms;

	while (time_ms() < end)
		turn();
}

/* What the relay heard, which is then forgotten. */
static const char *
relay_heard(void)
{
	static struct buf shown;

	buf_reset(&shown);
	buf_addslice(&shown, buf_slice(&heard));
	buf_adds(&shown, "");
	buf_reset(&heard);
	buf_adds(&heard, "");
	return shown.ptr;
}

static void
stop(void)
{
	int64_t end = time_ms() + 2000;

	link_close(l, 500);
	while (seats && time_ms() < end)
		sockets_wait(loop, 10);
	CHECK(seats == 0);
	buf_reset(&events);
	buf_adds(&events, "");
}

/* ---- the good case, in both dialects ---- */

static void
test_talk(enum frame_dialect dialect)
{
	static const char user4[] = "\x04\x0d\x05\x02\x01realtime:roomagent{}{ \"n\": 1.10 }";
	static const char bytes4[] = "\x04\x0d\x03\x00\x00realtime:roombin\x01\x02\xff";

	usual();
	set.dialect = dialect;
	start();
	CHECK(!link_send(l, S("agent"), S("{}"), 1));
	CHECK_TEXT(until("up", 2000), "connecting up ");
	CHECK_TEXT(query.ptr, dialect == FRAME_V1 ? "the-secret-key 1.0.0" : "the-secret-key 2.0.0");
	CHECK_TEXT(relay_heard(),
	    "phx_join {\"config\":{\"broadcast\":{\"ack\":true,\"self\":false},\"presence\":{"
	    "\"key\":\"\",\"enabled\":false},\"postgres_changes\":[],\"private\":false}}\n");
	CHECK(link_is_up(l) && link_members(l) == 1);
	CHECK(link_send(l, S("agent"), S("{\"text\" : \"h\303\251\",\"n\":1.10}"), 41));
	CHECK(link_send(l, S("x"), S("[]"), 0));
	CHECK_TEXT(until("ack", 2000), "ack41 ");
	run_for(20);
	CHECK_TEXT(relay_heard(),
	    dialect == FRAME_V1 ? "broadcast {\"event\":\"agent\",\"payload\":{\"text\" : \"h\303\251\","
				  "\"n\":1.10},\"type\":\"broadcast\"}\n"
				  "broadcast {\"event\":\"x\",\"payload\":[],\"type\":\"broadcast\"}\n"
				: "agent {\"text\" : \"h\303\251\",\"n\":1.10}\nx []\n");
	/* Broadcasts: text, with meta, of others' forms; kind 4 with JSON and with bytes. */
	relay_write(seat, NULL, NULL, "broadcast",
	    "{\"event\":\"e\",\"payload\":{ \"x\":1},\"type\":\"broadcast\"}");
	relay_write(seat, NULL, NULL, "broadcast",
	    "{\"type\":\"broadcast\",\"payload\":[7],\"event\":\"r\",\"meta\":{\"replayed\":true}}");
	relay_write(seat, NULL, NULL, "broadcast", "{\"event\":7}");
	relay_write(seat, NULL, "999", "broadcast", "{\"event\":\"foreign\",\"payload\":1}");
	socket_say(seat->socket, (struct slice){user4, sizeof(user4) - 1}, true);
	socket_say(seat->socket, (struct slice){bytes4, sizeof(bytes4) - 1}, true);
	socket_say(seat->socket, S("garbage"), false);
	socket_say(seat->socket, S("\x09garbage"), true);
	socket_say(seat->socket, S(""), true);
	relay_write(seat, NULL, NULL, "broadcast", "{\"event\":\"last\",\"payload\":0}");
	CHECK_TEXT(until("last", 2000),
	    dialect == FRAME_V1 ? "<e { \"x\":1}> <r [7]{\"replayed\":true}> <foreign 1> "
				  "<agent { \"n\": 1.10 }{}> <last 0> "
				: "<e { \"x\":1}> <r [7]{\"replayed\":true}> "
				  "<agent { \"n\": 1.10 }{}> <last 0> ");
	CHECK(l->skipped == 5);
	stop();
	CHECK_TEXT(relay_heard(), "phx_leave {}\n");
	CHECK(upgrades == 1 && joins == 1);
}

/* Nothing of it is ever too much to ask. */
static void
test_settings(void)
{
	struct link_settings bad;
	static const struct {
		const char *url, *topic, *key, *code;
	} cases[] = {
	    {"ftp://127.0.0.1", "room", "k", "bad_url"},
	    {"http://user@127.0.0.1", "room", "k", "bad_url"},
	    {"http://127.0.0.1/?apikey=1", "room", "k", "bad_url"},
	    {"http://", "room", "k", "bad_url"},
	    {"http://127.0.0.1/a b", "room", "k", "bad_url"},
	    {"http://example.org", "room", "k", "insecure"},
	    {"ws://127.0.0.1.example.org", "room", "k", "insecure"},
	    {"https://example.org", "room", "", "no_key"},
	    {"http://[::1]:4000", "", "k", "bad_topic"},
	    {"http://localhost", "\xff", "k", "bad_topic"},
	};
	char topic[300];

	usual();
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bad = set;
		bad.url = cases[i].url;
		bad.topic = cases[i].topic;
		bad.key = slice(cases[i].key);
		CHECK(link_open(loop, &bad, &calls, NULL, &e) == NULL);
		CHECK_TEXT(e.code, cases[i].code);
	}
	memset(topic, 'x', sizeof(topic));
	topic[247] = '\0';
	bad = set;
	bad.topic = topic;
	CHECK(link_open(loop, &bad, &calls, NULL, &e) == NULL);
	topic[246] = '\0';
	l = link_open(loop, &bad, &calls, NULL, &e);
	CHECK(l != NULL);
	link_close(l, 0);
	bad = set;
	bad.token_command = "exit 3";
	CHECK(link_open(loop, &bad, &calls, NULL, &e) == NULL);
	CHECK_TEXT(e.code, "no_key");
}

/* ---- refusals ---- */

static void
test_upgrade(void)
{
	static const struct {
		const char *answer, *told;
	} cases[] = {
	    {"401 API key is missing", "connecting ended3:authentication "},
	    {"401 Failed to validate JWT signature", "connecting ended3:authentication "},
	    {"401 Token has expired", "connecting ended3:token_expired "},
	    {"403 ", "connecting ended3:permission "},
	    {"404 Tenant not found", "connecting ended3:no_realtime "},
	    {"429 Too many connected users", "connecting rate:rate_limited connecting up "},
	    {"500 Error connecting to Realtime", "connecting backoff:server_error connecting up "},
	    {"503 ", "connecting backoff:server_error connecting up "},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *const refuse[] = {cases[i].answer, NULL};

		usual();
		plan.refuse = refuse;
		start();
		CHECK_TEXT(until(strstr(cases[i].told, "ended") ? "ended" : "up", 3000),
		    cases[i].told);
		CHECK(strstr(said, cases[i].answer + 4) != NULL);
		if (strstr(cases[i].told, "rate:"))
			CHECK(retry_ms >= 150 && retry_ms <= 300);
		else if (strstr(cases[i].told, "backoff:"))
			CHECK(retry_ms <= 30);
		else
			CHECK(link_turn(l) == -1 && !link_send(l, S("e"), S("{}"), 1));
		stop();
	}
}

/* A key that the relay says back to us is not said to anybody; once up, a 404 is a restart. */
static void
test_words(void)
{
	static const char *const echo[] = {"401 no such key: the-secret-key", NULL};
	static const char *const gone[] = {"", "404 not here", "502 ", NULL};

	usual();
	plan.refuse = echo;
	start();
	CHECK_TEXT(until("ended", 2000), "connecting ended3:authentication ");
	CHECK(strstr(said, "no such key: ***") != NULL && strstr(said, "secret") == NULL);
	stop();

	usual();
	plan.refuse = gone;
	start();
	CHECK_TEXT(until("up", 2000), "connecting up ");
	socket_cut(seat->socket);
	CHECK_TEXT(until("up", 2000),
	    "backoff:cut_off connecting backoff:no_realtime connecting backoff:server_error "
	    "connecting up ");
	stop();
}

static void
test_nobody(void)
{
	int64_t most[] = {100, 200, 400, 800};

	/* A port of nobody's; the usual times. */
	for (uint64_t seed = 1; seed <= 3; seed++) {
		usual();
		set.url = "ws://127.0.0.1:1";
		set.seed = seed;
		l = link_open(loop, &set, &calls, NULL, &e);
		for (size_t i = 0; i < 4; i++) {
			CHECK_TEXT(until("backoff", 2000), "connecting backoff:cannot_connect ");
			CHECK(retry_ms >= 0 && retry_ms <= most[i]);
			if (i == 3)
				break;
			l->due = time_ms(); /* need not wait */
		}
		l->attempt = 30;
		l->due = time_ms();
		until("backoff", 2000);
		CHECK(retry_ms >= 0 && retry_ms <= 10000);
		l->times.rate = 2000;
		stop();
	}
}

static void
test_joins(void)
{
	static const struct {
		const char *reason, *told;
		int upgrades;
	} cases[] = {
	    {"Unauthorized: You do not have permissions to read", "connecting ended3:permission ", 1},
	    {"InvalidJWTToken: Fields `role` and `exp` are required in JWT",
		"connecting ended3:authentication ", 1},
	    {"InvalidJWTToken: Token has expired 9 seconds ago", "connecting ended3:token_expired ", 1},
	    {"TopicNameRequired: You must provide a topic name", "connecting ended3:bad_request ", 1},
	    {"ChannelRateLimitReached: x", "connecting rate:rate_limited up ", 1},
	    {"RealtimeRestarting: x", "connecting backoff:server_error up ", 1},
	    {"Unknown Error on Channel", "connecting backoff:server_error up ", 1},
	    {"-", "connecting backoff:timeout connecting up ", 2},
	    {"!", "connecting backoff:cut_off connecting up ", 2},
	};

	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(*cases); i++) {
		const char *const join[] = {cases[i / 2].reason, NULL};

		usual();
		set.dialect = i % 2 ? FRAME_V1 : FRAME_V2;
		plan.join = join;
		start();
		CHECK_TEXT(until(strstr(cases[i / 2].told, "ended") ? "ended" : "up", 3000),
		    cases[i / 2].told);
		CHECK(upgrades == cases[i / 2].upgrades);
		stop();
	}
}

/* ---- the channel ends ---- */

static const char *
close_with(const char *message)
{
	struct buf b = {0};

	buf_adds(&b, "{\"extension\":\"system\",\"status\":\"error\",\"message\":");
	json_quote(&b, slice(message));
	buf_adds(&b, ",\"channel\":\"room\"}");
	relay_push("system", b.ptr);
	relay_push("phx_close", "{}");
	buf_free(&b);
	return until("up", 2000);
}

static void
test_closed(enum frame_dialect dialect)
{
	char first[32];

	usual();
	set.dialect = dialect;
	start();
	until("up", 2000);
	snprintf(first, sizeof(first), "%s", seat->join_ref);
	/* What is not of this join is not about us. */
	relay_write(seat, "99", "99", "phx_close", "{}");
	relay_write(seat, "99", "99", "phx_error", "{}");
	run_for(60);
	CHECK(link_is_up(l) && joins == 1);
	relay_push("phx_error", "{}");
	CHECK_TEXT(until("up", 2000), "backoff:closed up ");
	CHECK(joins == 2 && upgrades == 1 && strcmp(first, seat->join_ref) != 0);
	/* The old join's end comes late. */
	relay_write(seat, first, first, "phx_close", "{}");
	run_for(60);
	CHECK(link_is_up(l) && joins == 2);
	relay_push("phx_close", "{}");
	CHECK_TEXT(until("up", 2000), "backoff:closed up ");
	CHECK_TEXT(close_with("Too many messages per second"), "rate:rate_limited up ");
	CHECK(retry_ms >= 150);
	CHECK_TEXT(close_with("Node request timeout"), "backoff:server_error up ");
	CHECK(upgrades == 1);
	/* A push to a channel that the relay has forgotten: it is not refused, it is to be sent again. */
	plan.ack_error = "{\"reason\":\"unmatched topic\"}";
	CHECK(link_send(l, S("e"), S("{}"), 5) && link_send(l, S("e"), S("{}"), 6));
	CHECK_TEXT(until("up", 2000), "backoff:closed up ");
	plan.ack_error = NULL;
	run_for(60);
	CHECK(link_is_up(l) && acks == 0);
	/* It shuts down, and says so. */
	relay_push("system", "{\"status\":\"ok\",\"message\":\"Subscribed to PostgreSQL\"}");
	relay_push("system", "{\"status\":\"ok\",\"message\":\"Server requested disconnect\"}");
	CHECK_TEXT(until("up", 2000), "backoff:closed connecting up ");
	CHECK(upgrades == 2);
	CHECK_TEXT(close_with("You no longer have permission to read from this Channel topic: x"),
	    "ended3:permission ");
	stop();
}

/* What the relay said of the channel explains its end, and not a cut long after it. */
static void
test_stale(void)
{
	static const char barred[] = "{\"status\":\"error\",\"message\":"
				     "\"You no longer have permission to read\"}";

	usual();
	start();
	until("up", 2000);
	relay_push("system", barred);
	run_for(350);
	socket_cut(seat->socket);
	CHECK_TEXT(until("up", 2000), "backoff:cut_off connecting up ");
	relay_push("system", barred);
	run_for(50);
	socket_cut(seat->socket);
	CHECK_TEXT(until("ended", 2000), "ended3:permission ");
	stop();
}

/* A close frame, a cut, a system message before a cut; and a cut while the channel is off. */
static void
test_cut(void)
{
	static const char *const later[] = {"ChannelRateLimitReached: x", NULL};
	int64_t due;

	usual();
	start();
	until("up", 2000);
	socket_close(seat->socket, 1001, "restart");
	CHECK_TEXT(until("up", 2000)[0] == 'b' ? "down" : "?", "down");
	CHECK(strstr(said, "1001") && strstr(said, "restart"));
	socket_cut(seat->socket);
	CHECK_TEXT(until("up", 2000), "backoff:cut_off connecting up ");
	plan.join = later;
	relay_push("phx_close", "{}");
	CHECK_TEXT(until("rate", 2000), "backoff:closed rate:rate_limited ");
	due = l->due;
	socket_cut(seat->socket);
	run_for(40);
	CHECK(l->at == LINK_WAITING && l->due == due && upgrades == 3);
	CHECK_TEXT(until("up", 2000), "connecting up ");
	stop();

	/* Closed in the middle of everything: nothing is left behind. */
	for (int i = 0; i < 12; i++) {
		usual();
		start();
		for (int k = 0; k < i; k++)
			turn();
		link_close(l, i % 3 ? 0 : 200);
		buf_reset(&events);
	}
	for (int i = 0; i < 100 && seats; i++)
		sockets_wait(loop, 10);
	CHECK(seats == 0);
}

/* ---- silence ---- */

static void
test_silence(void)
{
	usual();
	set.heartbeat_ms = 60;
	start();
	until("up", 2000);
	run_for(400);
	CHECK(beats >= 4 && upgrades == 1);
	plan.no_beat = true;
	CHECK_TEXT(until("backoff", 2000), "backoff:timeout ");
	CHECK(strstr(said, "heartbeat") != NULL);
	plan.no_beat = false;
	CHECK_TEXT(until("up", 2000), "connecting up ");
	/* The machine slept: not even the heartbeat is waited for. */
	l->heartbeat_ms = 60000;
	l->beat_at = time_ms() + 60000;
	link_turn(l);
	l->clock.wall -= 130000;
	CHECK_TEXT(until("up", 2000), "backoff:cut_off connecting up ");
	CHECK(retry_ms == 0 && strstr(said, "slept"));
	stop();
}

/*
 * 16 MB to a relay that takes 20 MB a second and answers nothing meanwhile: slow is not dead.
 * Then it stops, and is.
 */
static void
test_slow(void)
{
	struct buf big = {0};
	struct socket *stuck;
	int64_t begin = time_ms(), last = begin;
	uint64_t n = 0;

	usual();
	set.heartbeat_ms = 60;
	start();
	l->times.reply = 200;
	until("up", 2000);
	plan.slow = plan.no_ack = plan.no_beat = true;
	buf_addc(&big, '"');
	memset(buf_room(&big, 200000), 'x', 200000);
	big.len += 200000;
	buf_addc(&big, '"');
	while (n < 80 && link_send(l, S("e"), buf_slice(&big), n + 1))
		n++;
	CHECK(n == 80);
	while (link_is_up(l) && link_moved(l) > 0 && time_ms() < begin + 10000) {
		sockets_wait(loop, 5);
		link_turn(l);
		if (seat && time_ms() - last >= 10) {
			socket_pause(seat->socket, false);
			last = time_ms();
		}
	}
	CHECK(link_is_up(l) && time_ms() - begin > 250);
	plan.no_beat = false;
	stuck = seat->socket;
	socket_pause(stuck, true);
	CHECK(link_send(l, S("e"), buf_slice(&big), 1000));
	CHECK(strstr(until("backoff", 3000), "backoff:timeout") != NULL);
	/* What waits is bounded: the caller keeps the rest. */
	plan.slow = plan.no_ack = false;
	socket_pause(stuck, false);
	until("up", 2000);
	for (n = 0; n < 1000 && link_send(l, S("e"), buf_slice(&big), 0); n++)
		continue;
	CHECK(n >= 160 && n <= 168);
	stop();
	buf_free(&big);
}

static void
test_slept(void)
{
	struct link_clock c = {0};

	CHECK(!link_slept(&c, 1000, 1000000, 50));
	CHECK(!link_slept(&c, 9000, 1008050, 50)); /* a long turn is no sleep */
	CHECK(link_slept(&c, 9001, 1008102, 50));
	CHECK(!link_slept(&c, 9002, 1000000, 50)); /* a clock set back */
}

/* ---- acknowledgements ---- */

static void
test_acks(void)
{
	usual();
	set.heartbeat_ms = 60; /* a connection that lives */
	start();
	until("up", 2000);
	plan.ack_error = "\"payload_size_exceeded\"";
	CHECK(link_send(l, S("e"), S("{}"), 1));
	CHECK_TEXT(until("nack", 2000), "nack1payload_size_exceeded ");
	plan.ack_error = "{\"error\":\"payload_size_exceeded\"}";
	CHECK(link_send(l, S("e"), S("{}"), 2));
	CHECK_TEXT(until("nack", 2000), "nack2payload_size_exceeded ");
	plan.ack_error = "{\"reason\":\"not for the-secret-key\"}";
	CHECK(link_send(l, S("e"), S("{}"), 2));
	CHECK_TEXT(until("nack", 2000), "nack2not for *** ");
	plan.ack_error = NULL;
	/* None comes: the link is broken; one that comes late means nothing. */
	plan.no_ack = true;
	CHECK(link_send(l, S("e"), S("{}"), 3));
	CHECK_TEXT(until("backoff", 2000), "backoff:timeout ");
	CHECK_TEXT(until("up", 2000), "connecting up ");
	CHECK(link_send(l, S("e"), S("{}"), 4));
	relay_reply(seat, S("1"), true, "{}");
	relay_reply(seat, S("04"), true, "{}");
	relay_reply(seat, S("99999999999999999999999"), true, "{}");
	relay_reply(seat, S(""), true, "{}");
	run_for(50);
	CHECK(acks == 3 && link_oldest(l)->number == 4);
	stop();

	/* On a private topic a write that is not allowed is silent for ever. */
	usual();
	set.private = true;
	plan.no_ack = true;
	start();
	for (int i = 0; i < 3; i++) {
		until("up", 2000);
		CHECK(link_send(l, S("e"), S("{}"), 1));
		until(i < 2 ? "backoff" : "ended", 2000);
	}
	CHECK(l->at == LINK_ENDED && strstr(said, "may not write"));
	stop();
}

/* ---- 1,000 messages over a relay that cuts and loses acks ---- */

enum { SENDS = 1000 };
static bool acked[SENDS + 1], sent[SENDS + 1];

static void
count_ack(uint64_t number, bool ok, const char *reason)
{
	CHECK(ok && *reason == '\0');
	/* Only what was sent on this channel, once. */
	CHECK(number >= 1 && number <= SENDS && sent[number] && !acked[number]);
	acked[number] = true;
}

static void
test_thousand(enum frame_dialect dialect)
{
	size_t done = 0, cuts = 0;
	uint64_t next = 1;
	char payload[32];
	int64_t end;

	usual();
	set.dialect = dialect;
	on_ack = count_ack;
	memset(acked, 0, sizeof(acked));
	memset(sent, 0, sizeof(sent));
	start();
	srandom(4);
	plan.ack_one_in = 2;
	l->times = (struct link_times){.first = 5, .base = 5, .cap = 20, .reply = 30};
	end = time_ms() + 20000;
	while (done < SENDS && time_ms() < end) {
		if (strstr(events.ptr, "backoff")) {
			memset(sent, 0, sizeof(sent));
			next = 1;
			buf_reset(&events);
			buf_adds(&events, "");
		}
		for (int i = 0; i < 20 && next <= SENDS; next++) {
			if (acked[next])
				continue;
			snprintf(payload, sizeof(payload), "{\"i\":%d}", (int)next);
			if (!link_send(l, S("m"), slice(payload), next))
				break;
			sent[next] = true;
			i++;
		}
		turn();
		if (seat && random() % 15 == 0) {
			socket_cut(seat->socket);
			cuts++;
		}
		done = 0;
		for (size_t i = 1; i <= SENDS; i++)
			done += acked[i];
	}
	CHECK(done == SENDS && acks == SENDS && cuts > 0);
	for (size_t i = 1; i <= SENDS; i += 111) {
		snprintf(payload, sizeof(payload), "{\"i\":%d}", (int)i);
		CHECK(strstr(heard.ptr, payload) != NULL);
	}
	stop();
}

/* ---- tokens ---- */

/* A JWT that ends in so many seconds, with a mark by which it is known. */
static void
write_token(const char *file, int64_t seconds, const char *mark)
{
	struct buf b = {0}, claims = {0};
	FILE *f = fopen(file, "w");

	base64url_put(&b, S("{\"alg\":\"HS256\"}"));
	buf_addf(&claims, "{\"exp\":%lld,\"role\":\"%s\"}",
	    (long long)(time_now() / 1000 + seconds), mark);
	buf_addc(&b, '.');
	base64url_put(&b, buf_slice(&claims));
	buf_adds(&b, ".AAAA");
	CHECK(f && fchmod(fileno(f), 0600) == 0 && fprintf(f, "%s\n", b.ptr) > 0);
	if (f)
		fclose(f);
	buf_free(&b);
	buf_free(&claims);
}

static size_t
times(const char *text, const char *what)
{
	size_t n = 0;

	while ((text = strstr(text, what))) {
		n++;
		text++;
	}
	return n;
}

static void
test_tokens(void)
{
	static const char *const twice[] = {"InvalidJWTToken: Token has expired 1 seconds ago",
	    "InvalidJWTToken: Token has expired 1 seconds ago", NULL};
	static const char *const upgrade[] = {"401 Token has expired", NULL};
	char file[] = "/tmp/kandil-token-XXXXXX", command[100];
	struct buf echo = {0};
	int fd = mkstemp(file);

	CHECK(fd >= 0);
	close(fd);
	/* Replaced before it ends, and pushed; not pushed when it is the same. */
	write_token(file, 600, "old");
	usual();
	set.token_file = file;
	start();
	l->times.renew = 50;
	CHECK_TEXT(until("up", 2000), "connecting up ");
	CHECK(times(relay_heard(), "\"access_token\":\"ey") == 1);
	CHECK(l->token_at > time_ms() + 530000 && l->token_at < time_ms() + 545000);
	l->token_at = time_ms();
	run_for(30);
	CHECK_TEXT(relay_heard(), "");
	write_token(file, 700, "new");
	l->token_at = time_ms();
	run_for(30);
	CHECK(strncmp(relay_heard(), "access_token {\"access_token\":\"ey", 31) == 0);
	/* Refused for it: a new one at once, on the same socket. The old one is not shown either. */
	write_token(file, 800, "newer");
	buf_addf(&echo, "Token has expired 3 seconds ago: %s", l->token.ptr);
	CHECK_TEXT(close_with(echo.ptr), "refresh:token_expired up ");
	CHECK(strstr(said, "ago: ***") != NULL && strstr(said, "ey") == NULL);
	CHECK(retry_ms == 0 && upgrades == 1);
	/* The new one is no better: that is that. */
	CHECK_TEXT(close_with("Token has expired 3 seconds ago"), "ended3:token_expired ");
	stop();

	snprintf(command, sizeof(command), "cat %s", file);
	usual();
	set.token_command = command;
	plan.refuse = upgrade;
	start();
	CHECK_TEXT(until("up", 2000), "connecting refresh:token_expired connecting up ");
	stop();
	usual();
	set.token_command = command;
	plan.join = twice;
	start();
	CHECK_TEXT(until("ended", 2000), "connecting refresh:token_expired ended3:token_expired ");
	CHECK(joins == 2 && upgrades == 1);
	stop();

	/* A command that fails is no refusal: its reason may pass. */
	usual();
	set.token_command = command;
	start();
	until("up", 2000);
	unlink(file);
	CHECK_TEXT(close_with("Token has expired 3 seconds ago"), "backoff:token_expired up ");
	CHECK(strstr(said, "no new token") != NULL);
	write_token(file, 30, "short");
	/* Over by our own clock: replaced before it is tried. */
	l->token_at = time_ms();
	run_for(30);
	CHECK(l->token_at > time_ms() + 10000 && l->token_at <= time_ms() + 15000);
	write_token(file, -30, "over");
	l->token_at = time_ms();
	run_for(30);
	write_token(file, 300, "good");
	l->times.renew = 0;
	relay_heard();
	socket_cut(seat->socket);
	until("up", 2000);
	CHECK(strstr(relay_heard(), l->token.ptr) != NULL);
	stop();
	unlink(file);

	/* Without a key the token is what the handshake shows. */
	usual();
	set.key = S("");
	set.token = S("tok en+/=");
	start();
	until("up", 2000);
	CHECK_TEXT(query.ptr, "tok en+/= 2.0.0");
	stop();
	buf_free(&echo);
}

/* ---- presence ---- */

static void
test_presence(enum frame_dialect dialect)
{
	usual();
	set.dialect = dialect;
	set.presence = true;
	set.presence_key = S("me");
	set.presence_meta = S("{\"n\":1}");
	start();
	l->times.track = 200;
	until("up", 2000);
	run_for(20);
	CHECK(strstr(heard.ptr, "\"presence\":{\"key\":\"me\",\"enabled\":true}") != NULL);
	CHECK(strstr(relay_heard(),
		  "presence {\"type\":\"presence\",\"event\":\"track\",\"payload\":{\"n\":1}}\n") != NULL);
	relay_write(seat, NULL, NULL, "presence_diff",
	    "{\"joins\":{\"me\":{\"metas\":[{\"phx_ref\":\"a\",\"n\":1}]}},\"leaves\":{}}");
	relay_push("presence_state", "{\"bob\":{\"metas\":[{\"phx_ref\":\"b\"},{\"phx_ref\":\"c\"}]}}");
	CHECK_TEXT(until("+me", 2000), "+bob{} +me{\"n\":1} ");
	CHECK(link_members(l) == 3);
	/* Changes come no faster than the relay allows, and only the last of them. */
	for (int i = 2; i < 9; i++) {
		char meta[24];

		snprintf(meta, sizeof(meta), "{\"n\":%d}", i);
		link_track(l, slice(meta));
		turn();
	}
	CHECK_TEXT(relay_heard(), "");
	run_for(250);
	CHECK_TEXT(relay_heard(),
	    "presence {\"type\":\"presence\",\"event\":\"track\",\"payload\":{\"n\":8}}\n");
	/* After a loss the others are who they were, until the new state says otherwise. */
	relay_push("phx_error", "{}");
	CHECK_TEXT(until("up", 2000), "backoff:closed up ");
	run_for(20);
	CHECK(strstr(relay_heard(), "\"payload\":{\"n\":8}") != NULL);
	relay_push("presence_state",
	    "{\"me\":{\"metas\":[{\"phx_ref\":\"d\",\"n\":8}]},\"eve\":{\"metas\":[{\"phx_ref\":\"e\"}]}}");
	CHECK_TEXT(until("+me", 2000), "-bob +eve{} +me{\"n\":8} ");
	CHECK(link_members(l) == 2);
	stop();

	/* Who does not ask for presence hears the diffs of public channels all the same. */
	usual();
	set.dialect = dialect;
	start();
	until("up", 2000);
	relay_write(seat, NULL, NULL, "presence_diff",
	    "{\"joins\":{\"x\":{\"metas\":[{\"phx_ref\":\"a\"}]}},\"leaves\":{}}");
	run_for(30);
	CHECK_TEXT(until("?", 0), "");
	CHECK(link_members(l) == 1);
	stop();
}

int
main(void)
{
	die_verbosity(-1);
	relay_start();
	test_settings();
	for (enum frame_dialect d = FRAME_V1; d <= FRAME_V2; d++) {
		test_talk(d);
		test_closed(d);
		test_presence(d);
		test_thousand(d);
	}
	test_upgrade();
	test_words();
	test_nobody();
	test_joins();
	test_cut();
	test_stale();
	test_silence();
	test_slept();
	test_slow();
	test_acks();
	test_tokens();
	sockets_close(loop);
	frame_reader_free(&relay_reader);
	buf_free(&events);
	buf_free(&heard);
	buf_free(&query);
	return check_done();
}
