/*
 * presence: members come, go, break off and track at random; each applies
 * state and diffs as phoenix.js does (joins, then leaves by phx_ref; what comes between
 * the join's reply and the state waits for it), and all must see exactly those who are
 * there. Seed: KANDIL_TEST_SEED.
 */
#include "tests/unit/check.h"
#include "tools/collab/hub_part.h"

#include "common/mem.h"
#include "common/time.h"

#include <stdio.h>
#include <stdlib.h>

enum { PEERS = 8, METAS = 64, ROUNDS = 150, WAIT_MS = 60000 };

struct seen {
	char key[8], ref[17];
	long long n;
};

struct peer {
	int id;
	struct socket *socket;
	bool open, joined, state; /* state: presence_state has come */
	int join_ref;
	long long tracked; /* -1: nothing */
	struct seen seen[METAS];
	size_t nseen;
	struct buf held; /* diffs that came before the state, a line each */
	int beat;
	bool answered;
};

static struct sockets *sockets;
static struct hub *hub;
static struct peer peers[PEERS];
static uint64_t state;
static size_t diffs;

/* SplitMix64 */
static uint64_t
draw(uint64_t below)
{
	uint64_t z = state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (z ^ z >> 31) % below;
}

/* ---- what a client makes of it ---- */

static void
see(struct peer *p, const char *key, struct slice meta, bool here)
{
	struct buf ref = {0};
	struct slice n;
	size_t i = 0;

	CHECK(json_get_text(meta, "phx_ref", &ref) && ref.len == 16);
	while (i < p->nseen && strcmp(p->seen[i].ref, ref.ptr) != 0)
		i++;
	if (!here && i < p->nseen) {
		p->seen[i] = p->seen[--p->nseen];
	} else if (here && i == p->nseen && i < METAS) {
		struct seen *s = &p->seen[p->nseen++];

		snprintf(s->key, sizeof(s->key), "%s", key);
		snprintf(s->ref, sizeof(s->ref), "%s", ref.ptr);
		CHECK(json_get(meta, "n", &n) && json_long(n, &s->n));
	}
	buf_free(&ref);
}

/* {"key":{"metas":[…]},…}; a key stands once, or a client would lose the first. */
static void
see_all(struct peer *p, struct slice members, bool here)
{
	struct json_walk w = json_walk(members), metas;
	struct slice key, value, list, meta;
	struct buf text = {0}, keys = {0};

	while (json_member(&w, &key, &value)) {
		buf_reset(&text);
		json_text(key, &text);
		buf_addc(&text, '\n');
		CHECK(keys.len == 0 || strstr(keys.ptr, text.ptr) == NULL);
		buf_addslice(&keys, buf_slice(&text));
		buf_cut(&text, text.len - 1);
		CHECK(json_get(value, "metas", &list));
		metas = json_walk(list);
		while (json_element(&metas, &meta))
			see(p, text.ptr, meta, here);
	}
	buf_free(&text);
	buf_free(&keys);
}

static void
see_diff(struct peer *p, struct slice diff)
{
	struct slice joins = S("{}"), leaves = S("{}");

	CHECK(json_get(diff, "joins", &joins) && json_get(diff, "leaves", &leaves));
	see_all(p, joins, true);
	see_all(p, leaves, false);
	diffs++;
}

static void
message(struct socket *s, struct slice bytes, bool binary, void *of)
{
	static struct frame_reader reader;
	struct peer *p = of;
	struct frame f;

	(void)s;
	CHECK(!binary && frame_read_text(&reader, bytes, &f, NULL, NULL) == 0);
	if (slice_is(f.topic, "phoenix")) {
		p->answered = f.ref.ptr && strtol(f.ref.ptr, NULL, 10) == p->beat;
	} else if (slice_is(f.event, "phx_reply")) {
		if (f.join_ref.ptr && strtol(f.join_ref.ptr, NULL, 10) == p->join_ref && !p->state)
			buf_reset(&p->held); /* what came so far was of an older channel */
	} else if (slice_is(f.event, "presence_state")) {
		struct slice rest, line;

		if (strtol(f.join_ref.ptr, NULL, 10) != p->join_ref)
			return; /* of a channel that is no more */
		p->nseen = 0;
		p->state = true;
		see_all(p, f.payload, true);
		for (rest = buf_slice(&p->held); slice_line(&rest, &line);)
			see_diff(p, line);
		buf_reset(&p->held);
	} else if (slice_is(f.event, "presence_diff") && p->state) {
		see_diff(p, f.payload);
	} else if (slice_is(f.event, "presence_diff") && p->joined) {
		buf_addslice(&p->held, f.payload);
		buf_addc(&p->held, '\n');
	}
}

static void
opened(struct socket *s, void *of)
{
	(void)s;
	((struct peer *)of)->open = true;
}

static void
closed(struct socket *s, const struct socket_end *end, void *of)
{
	struct peer *p = of;

	(void)s, (void)end;
	p->socket = NULL;
	p->open = p->joined = p->state = false;
	p->tracked = -1;
}

static const struct socket_events events = {.opened = opened, .message = message, .closed = closed};

/* ---- what it does ---- */

static void
turn(void)
{
	int64_t wait = hub_turn(hub, time_ms());

	sockets_wait(sockets, wait < 0 || wait > 20 ? 20 : wait);
	hub_turn(hub, time_ms());
}

static void
say(struct peer *p, const char *event, const char *payload)
{
	struct buf b = {0};

	buf_addf(&b, "[\"%d\",\"1\",\"realtime:p\",\"%s\",%s]", p->join_ref, event, payload);
	socket_say(p->socket, buf_slice(&b), false);
	buf_free(&b);
}

static void
enter(struct peer *p)
{
	struct buf config = {0};

	p->join_ref++;
	p->joined = true;
	p->state = false;
	p->tracked = -1;
	p->nseen = 0;
	buf_reset(&p->held);
	buf_addf(&config, "{\"config\":{\"presence\":{\"enabled\":true,\"key\":\"k%d\"}}}",
	    p->id % 3);
	say(p, "phx_join", config.ptr);
	buf_free(&config);
}

static void
track(struct peer *p)
{
	struct buf payload = {0};

	p->tracked = (long long)draw(4);
	buf_addf(&payload, "{\"event\":\"track\",\"payload\":{\"n\":%lld}}", p->tracked);
	say(p, "presence", payload.ptr);
	buf_free(&payload);
}

static void
act(struct peer *p)
{
	if (p->socket == NULL) {
		struct socket_request request = {.events = &events, .state = p};
		char url[80];

		snprintf(url, sizeof(url), "ws://127.0.0.1:%d/realtime/v1/websocket?vsn=2.0.0",
		    sockets_port(sockets));
		request.url = url;
		p->socket = socket_connect(sockets, &request, NULL);
	}
	if (!p->open)
		return;
	switch (draw(8)) {
	case 0:
		socket_cut(p->socket);
		p->open = false;
		break;
	case 1:
		say(p, "phx_leave", "{}");
		p->joined = p->state = false;
		break;
	case 2:
		enter(p); /* also a second time: the old channel ends */
		break;
	case 3:
		say(p, "presence", "{\"event\":\"untrack\"}");
		p->tracked = -1;
		break;
	default:
		if (p->joined)
			track(p);
		else
			enter(p);
	}
	if (!p->joined)
		p->tracked = -1;
}

/* Every client stands or is gone, for the hub as well. */
static bool
steady(void)
{
	size_t open = 0;

	for (int i = 0; i < PEERS; i++) {
		open += peers[i].open;
		if (peers[i].socket && !peers[i].open)
			return false;
	}
	return hub->nconns == open;
}

/* All that was said is done, and what follows from it has arrived. */
static void
settle(void)
{
	int64_t until = time_ms() + WAIT_MS;

	while (!steady() && time_ms() < until)
		turn();
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < PEERS; i++) {
			struct peer *p = &peers[i];
			char text[60];

			if (!p->open)
				continue;
			p->answered = false;
			snprintf(text, sizeof(text), "[null,\"%d\",\"phoenix\",\"heartbeat\",{}]",
			    ++p->beat);
			socket_say(p->socket, slice(text), false);
			while (p->open && !p->answered && time_ms() < until)
				turn();
			CHECK(p->answered || !p->open);
		}
	CHECK(time_ms() < until);
}

/* Who is there by what they did; everybody who listens must see the same. */
static void
compare(void)
{
	for (int i = 0; i < PEERS; i++) {
		const struct peer *p = &peers[i];
		size_t here = 0;

		if (!p->joined)
			continue;
		CHECK(p->state);
		for (int j = 0; j < PEERS; j++) {
			size_t found = 0;
			char key[8];

			if (!peers[j].joined || peers[j].tracked < 0)
				continue;
			here++;
			snprintf(key, sizeof(key), "k%d", j % 3);
			for (size_t k = 0; k < p->nseen; k++)
				found += strcmp(p->seen[k].key, key) == 0 &&
				    p->seen[k].n == peers[j].tracked;
			CHECK(found > 0);
		}
		CHECK(p->nseen == here);
	}
}

int
main(void)
{
	const char *given = getenv("KANDIL_TEST_SEED");
	struct hub_settings settings = {.max_channels = 100, .max_topics = 10};

	state = given ? strtoull(given, NULL, 10) : (uint64_t)time_ns();
	printf("seed %llu\n", (unsigned long long)state);
	sockets = sockets_open(NULL);
	hub = hub_open(sockets, &settings, NULL);
	CHECK(hub && hub_listen(hub, "127.0.0.1", 0, NULL, NULL, NULL) == 0);
	for (int i = 0; i < PEERS; i++)
		peers[i] = (struct peer){.id = i, .tracked = -1};
	for (int round = 0; round < ROUNDS; round++) {
		for (uint64_t n = 1 + draw(20); n > 0; n--) {
			act(&peers[draw(PEERS)]);
			if (draw(3) == 0)
				turn();
		}
		settle();
		compare();
	}
	printf("%zu diffs\n", diffs);
	CHECK(diffs > 0);
	sockets_close(sockets);
	for (int i = 0; i < PEERS; i++)
		buf_free(&peers[i].held);
	hub_close(hub);
	return check_done();
}
