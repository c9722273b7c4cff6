/* link in good times: what it says and hears in both dialects, acknowledgements, presence. */
#include "tests/unit/link_told.h"

#include "tools/collab/link_part.h"

/* ---- in both dialects ---- */

static void
test_talk(enum frame_dialect dialect)
{
	static const char user4[] = "\x04\x0d\x05\x02\x01realtime:roomagent{}{ \"n\": 1.10 }";
	static const char bytes4[] = "\x04\x0d\x03\x00\x00realtime:roombin\x01\x02\xff";

	usual();
	set.dialect = dialect;
	start();
	CHECK(!link_send(l, S("agent"), S("{}"), 1));
	CHECK_TEXT(until("up", PATIENCE), "connecting up ");
	CHECK_TEXT(query.ptr, dialect == FRAME_V1 ? "the-secret-key 1.0.0" : "the-secret-key 2.0.0");
	CHECK_TEXT(relay_heard(),
	    "phx_join {\"config\":{\"broadcast\":{\"ack\":true,\"self\":false},\"presence\":{"
	    "\"key\":\"\",\"enabled\":false},\"postgres_changes\":[],\"private\":false}}\n");
	CHECK(l->at == LINK_UP);
	CHECK(link_send(l, S("agent"), S("{\"text\" : \"h\303\251\",\"n\":1.10}"), 41));
	CHECK(link_send(l, S("x"), S("[]"), 0));
	CHECK_TEXT(until("ack", PATIENCE), "ack41 ");
	wait_heard("[]");
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
	CHECK_TEXT(until("last", PATIENCE),
	    dialect == FRAME_V1 ? "<e { \"x\":1}> <r [7]{\"replayed\":true}> <foreign 1> "
				  "<agent { \"n\": 1.10 }{}> <last 0> "
				: "<e { \"x\":1}> <r [7]{\"replayed\":true}> "
				  "<agent { \"n\": 1.10 }{}> <last 0> ");
	CHECK(l->skip_noted);
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

/* ---- acknowledgements ---- */

static void
test_acks(void)
{
	usual();
	set.heartbeat_ms = 500; /* a connection that lives */
	start();
	until("up", PATIENCE);
	plan.ack_error = "\"payload_size_exceeded\"";
	CHECK(link_send(l, S("e"), S("{}"), 1));
	CHECK_TEXT(until("nack", PATIENCE), "nack1payload_size_exceeded ");
	plan.ack_error = "{\"error\":\"payload_size_exceeded\"}";
	CHECK(link_send(l, S("e"), S("{}"), 2));
	CHECK_TEXT(until("nack", PATIENCE), "nack2payload_size_exceeded ");
	plan.ack_error = "{\"reason\":\"not for the-secret-key\"}";
	CHECK(link_send(l, S("e"), S("{}"), 2));
	CHECK_TEXT(until("nack", PATIENCE), "nack2not for *** ");
	plan.ack_error = NULL;
	/* None comes: the link is broken; one that comes late means nothing. */
	plan.no_ack = true;
	CHECK(link_send(l, S("e"), S("{}"), 3));
	CHECK_TEXT(until("backoff", PATIENCE), "backoff:timeout ");
	CHECK_TEXT(until("up", PATIENCE), "connecting up ");
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
		until("up", PATIENCE);
		CHECK(link_send(l, S("e"), S("{}"), 1));
		until(i < 2 ? "backoff" : "ended", PATIENCE);
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
	end = time_ms() + PATIENCE;
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
	until("up", PATIENCE);
	wait_heard("track");
	CHECK(strstr(heard.ptr, "\"presence\":{\"key\":\"me\",\"enabled\":true}") != NULL);
	CHECK(strstr(relay_heard(),
		  "presence {\"type\":\"presence\",\"event\":\"track\",\"payload\":{\"n\":1}}\n") != NULL);
	relay_write(seat, NULL, NULL, "presence_diff",
	    "{\"joins\":{\"me\":{\"metas\":[{\"phx_ref\":\"a\",\"n\":1}]}},\"leaves\":{}}");
	relay_push("presence_state", "{\"bob\":{\"metas\":[{\"phx_ref\":\"b\"},{\"phx_ref\":\"c\"}]}}");
	CHECK_TEXT(until("+me", PATIENCE), "+bob{} +me{\"n\":1} ");
	CHECK_TEXT(relay_heard(), "");
	/* After a loss the others are who they were, until the new state says otherwise. */
	relay_push("phx_error", "{}");
	CHECK_TEXT(until("up", PATIENCE), "backoff:closed up ");
	wait_heard("track");
	CHECK(strstr(relay_heard(), "\"payload\":{\"n\":1}") != NULL);
	relay_push("presence_state",
	    "{\"me\":{\"metas\":[{\"phx_ref\":\"d\",\"n\":2}]},"
	    "\"eve\":{\"metas\":[{\"phx_ref\":\"e\"}]}}");
	CHECK_TEXT(until("+me", PATIENCE), "-bob +eve{} +me{\"n\":2} ");
	stop();

	/* Who does not ask for presence hears the diffs of public channels all the same. */
	usual();
	set.dialect = dialect;
	start();
	until("up", PATIENCE);
	relay_write(seat, NULL, NULL, "presence_diff",
	    "{\"joins\":{\"x\":{\"metas\":[{\"phx_ref\":\"a\"}]}},\"leaves\":{}}");
	run_for(30);
	CHECK_TEXT(until("?", 0), "");
	stop();
}

/* ---- who only listens ---- */

static void
test_listen(enum frame_dialect dialect)
{
	static const char *const silent[] = {"-", NULL},
				 *const refused[] = {"Unauthorized: not any more", NULL};
	char old[32];

	usual();
	set.dialect = dialect;
	set.listen = set.presence = true;
	set.ask = S("[\"all\"]");
	start();
	CHECK(!link_ask(l, S("[]")));
	CHECK_TEXT(until("up", PATIENCE), "connecting up ");
	snprintf(old, sizeof(old), "%s", seat->join_ref);
	/* A further join, at its place among what is heard; what it replaces may end. */
	CHECK(link_ask(l, S("[{\"n\":1}]")) && !link_ask(l, S("[]")));
	wait_heard("[{\"n\":1}]");
	CHECK_TEXT(relay_heard(),
	    "phx_join {\"config\":{\"broadcast\":{\"ack\":true,\"self\":false},\"presence\":{"
	    "\"key\":\"\",\"enabled\":true},\"postgres_changes\":[],\"private\":false,"
	    "\"kandil\":[\"all\"]}}\n"
	    "phx_join {\"config\":{\"broadcast\":{\"ack\":true,\"self\":false},\"presence\":{"
	    "\"key\":\"\",\"enabled\":true},\"postgres_changes\":[],\"private\":false,"
	    "\"kandil\":[{\"n\":1}]}}\n");
	relay_write(seat, old, old, "phx_close", "{}");
	relay_push("presence_state", "{\"bob\":{\"metas\":[{\"phx_ref\":\"b\"}]}}");
	relay_write(seat, NULL, NULL, "broadcast", "{\"event\":\"e\",\"payload\":1}");
	CHECK_TEXT(until("<e", PATIENCE), "+bob{} <e 1> ");
	/* No answer: what is said is heard all the same, until the link counts as broken. */
	plan.join = silent;
	CHECK(link_ask(l, S("[]")));
	wait_heard("[]}");
	relay_write(seat, NULL, NULL, "broadcast", "{\"event\":\"e\",\"payload\":2}");
	CHECK_TEXT(until("<e", PATIENCE), "<e 2> ");
	CHECK_TEXT(until("up", PATIENCE), "backoff:timeout connecting up ");
	/* A right that is gone. */
	plan.join = refused;
	CHECK(link_ask(l, S("[]")));
	CHECK_TEXT(until("ended", PATIENCE), "ended3:permission ");
	CHECK(!link_ask(l, S("[]")));
	CHECK(strstr(relay_heard(), "track") == NULL);
	stop();
}

int
main(void)
{
	begin();
	test_settings();
	for (enum frame_dialect d = FRAME_V1; d <= FRAME_V2; d++) {
		test_talk(d);
		test_presence(d);
		test_listen(d);
		test_thousand(d);
	}
	test_acks();
	return end();
}
