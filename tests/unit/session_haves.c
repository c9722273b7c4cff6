/*
 * session haves: what is said about ourselves goes in as many messages as it takes. None is longer
 * than the relay takes, nothing is left out, and whoever is answered is so by the last of them.
 */
#include "tests/unit/session_told.h"
#include "tools/collab/session_part.h"

enum { PEERS_MOST = 700 };

static struct {
	size_t longest, messages, most;
	unsigned entries[PEERS_MOST], answered[PEERS_MOST], asked[PEERS_MOST];
	unsigned asks, names; /* of one message, at most */
	bool early, bye, after_bye; /* answered, and more entries came */
	int64_t fails_after; /* messages; -1: never */
	const char *fill;
	size_t peers, width;
} saw;

/* Names that differ in their first bytes, and some are as wide as can be on the wire. */
static struct buf
name_of(size_t i)
{
	struct buf b = {0};

	buf_addf(&b, "%04zu", i);
	while (b.len < (i % 3 ? saw.width : 8))
		buf_adds(&b, saw.fill);
	return b;
}

static size_t
peer_of(struct slice text)
{
	struct buf name = {0};
	size_t i;

	CHECK(json_text(text, &name) && name.len >= 8 && name.len <= 255);
	i = strtoul((char[5]){name.ptr[0], name.ptr[1], name.ptr[2], name.ptr[3], 0}, NULL, 10);
	buf_free(&name);
	CHECK(i < saw.peers);
	return i < saw.peers ? i : 0;
}

static unsigned
count_names(struct slice payload, const char *list, unsigned *of)
{
	struct slice value, element;
	struct json_walk walk;
	unsigned n = 0;

	if (!json_get(payload, list, &value))
		return 0;
	walk = json_walk(value);
	for (; json_element(&walk, &element); n++)
		of[peer_of(element)]++;
	return n;
}

static bool
see(struct slice event, struct slice payload, uint64_t number, void *state)
{
	struct slice type = {0}, have = {0}, key, value;
	struct json_walk walk;
	unsigned n;

	if (!slice_is(event, "kandil"))
		return on_send(event, payload, number, state);
	if (saw.fails_after >= 0 && saw.fails_after-- == 0)
		return false;
	CHECK(json_check(payload, NULL) == 0 && json_get(payload, "type", &type));
	if (payload.len > saw.longest)
		saw.longest = payload.len;
	CHECK(payload.len <= saw.most);
	if (!json_is(type, "have") && !json_is(type, "hello"))
		return true;
	saw.messages++;
	saw.after_bye |= saw.bye;
	CHECK(json_get(payload, "have", &have));
	walk = json_walk(have);
	while (json_member(&walk, &key, &value)) {
		size_t i = peer_of(key);

		saw.entries[i]++;
		for (size_t k = 0; k < saw.peers; k++)
			saw.early |= saw.answered[k] > 0;
	}
	if (json_is(type, "hello"))
		return true;
	saw.bye |= json_get(payload, "bye", &value);
	n = count_names(payload, "hello", saw.answered);
	saw.names = n > saw.names ? n : saw.names;
	n = count_names(payload, "ask", saw.asked);
	saw.asks = n > saw.asks ? n : saw.asks;
	return true;
}

/* A room full of members, each of which has said hello and one message, and acknowledged nothing. */
static struct session *
crowd(size_t peers, size_t width, const char *fill, size_t max_payload)
{
	struct session_hooks seeing = hooks;
	static struct session_hooks kept;
	struct session_settings set = {.self = S(ME), .hooks = &kept, .seed = 7,
	    .max_payload = max_payload};
	struct session *s;

	seeing.send = see;
	kept = seeing;
	memset(&saw, 0, sizeof(saw));
	memset(&told, 0, sizeof(told));
	saw.fails_after = -1;
	saw.fill = fill, saw.width = width, saw.peers = peers;
	saw.most = max_payload < 4096 ? 4096 : max_payload;
	s = session_open(&set);
	told.own = 5;
	now = 1000;
	session_own(s, now, told.own);
	session_taken(s, told.own);
	session_up(s, now, false);
	session_member(s, now, S(ME), true);
	pass(s, 2000);
	for (size_t i = 0; i < peers; i++) {
		struct buf name = name_of(i), text = {0};

		session_member(s, now, buf_slice(&name), true);
		buf_adds(&text, "{\"kandil\":1,\"from\":");
		json_quote(&text, buf_slice(&name));
		buf_adds(&text, ",\"type\":\"hello\",\"new\":true,\"last\":0,\"have\":{}}");
		hear(s, "kandil", buf_slice(&text));
		buf_reset(&text);
		buf_adds(&text, "{\"kandil\":1,\"from\":");
		json_quote(&text, buf_slice(&name));
		buf_adds(&text, ",\"seq\":1,\"payload\":1}");
		hear(s, "e", buf_slice(&text));
		buf_free(&name);
		buf_free(&text);
	}
	CHECK(told.delivered == peers);
	session_stored(s, now);
	return s;
}

static void
forget_seen(void)
{
	memset(saw.entries, 0, sizeof(saw.entries));
	memset(saw.answered, 0, sizeof(saw.answered));
	saw.messages = 0;
	saw.early = false;
}

static void
check_answers(struct session *s)
{
	int64_t end = now + 600000;

	/* All are answered, and told all, the answer last. */
	for (; now < end && saw.answered[saw.peers - 1] == 0; )
		pass(s, 100);
	CHECK(saw.messages > 0 && !saw.early && saw.names <= 256);
	for (size_t i = 0; i < saw.peers; i++)
		CHECK(saw.answered[i] == 1 && saw.entries[i] == 1);
}

/* Whatever is left in a message, nothing is put behind it that does not fit. */
static void
test_room(void)
{
	for (size_t most = 4096; most < 5700; most += 7) {
		struct session *s = crowd(20, 255, "\x01", most);

		check_answers(s);
		pass(s, 10000);
		CHECK(saw.longest <= most && saw.asks > 0);
		session_leave(s, now);
		CHECK(saw.bye && !saw.after_bye);
		session_free(s);
	}
}

static void
test_lengths(void)
{
	static const struct {
		size_t peers, width;
		const char *fill;
		size_t max_payload;
	} cases[] = {{40, 255, "\x01", 1}, {300, 255, "\x01", 4096}, {300, 60, "n", 4096},
	    {600, 24, "n", 1 << 20}, {256, 255, "n", 80000}, {300, 255, "\"", 70000}, {1, 255, "\x01", 4096}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct session *s = crowd(cases[i].peers, cases[i].width, cases[i].fill,
		    cases[i].max_payload);
		unsigned asked = 0;

		check_answers(s);
		/* They are silent: they are asked, some of them at a time. */
		pass(s, 400000);
		for (size_t k = 0; k < saw.peers; k++)
			asked += saw.asked[k];
		CHECK(asked > 0 && saw.asks >= 1 && saw.asks <= 8);
		/* A hello of ours, and the last word. */
		forget_seen();
		session_down(s, now);
		session_up(s, now, false);
		pass(s, 2000);
		for (size_t k = 0; k < saw.peers; k++)
			CHECK(saw.entries[k] >= 1);
		forget_seen();
		session_leave(s, now);
		CHECK(saw.bye && !saw.after_bye && saw.longest <= saw.most);
		session_free(s);
	}
}

/* The link that takes some of them: all are said again, and nobody is taken for answered before. */
static void
test_jam(void)
{
	for (int64_t after = 0; after < 6; after++) {
		struct session *s = crowd(60, 255, "n", 8192);

		saw.fails_after = after;
		pass(s, 30000);
		for (size_t i = 0; i < saw.peers; i++)
			CHECK(saw.answered[i] >= 1 && saw.entries[i] >= 1);
		session_free(s);
	}
}

/* Somebody tells of senders whose names are as long as can be: to ask for them is as bounded. */
static void
test_wants(void)
{
	struct session *s = crowd(2, 255, "\x01", 4096);
	struct buf name = name_of(1), text = {0};

	saw.peers = PEERS_MOST;
	pass(s, 10000);
	for (size_t i = 2; i < 20; i++) {
		struct buf of = name_of(i);

		buf_reset(&text);
		buf_adds(&text, "{\"kandil\":1,\"from\":");
		json_quote(&text, buf_slice(&name));
		buf_adds(&text, ",\"type\":\"have\",\"last\":1,\"have\":{");
		json_quote(&text, buf_slice(&of));
		buf_adds(&text, ":9}}");
		hear(s, "kandil", buf_slice(&text));
		buf_free(&of);
	}
	pass(s, 100000);
	CHECK(saw.longest > 2 * 1500 && saw.longest <= 4096);
	buf_free(&name);
	buf_free(&text);
	session_free(s);
}

int
main(void)
{
	test_room();
	test_lengths();
	test_jam();
	test_wants();
	return check_done();
}
