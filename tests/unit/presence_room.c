/*
 * presence_room: whatever members call themselves, what is tracked in a topic is a message that
 * who joins can take, and no diff is longer than it may be.
 */
#include "tests/unit/hub_peer.h"
#include "tools/collab/hub_part.h"

enum { MOST = 12000, LAST = PEERS - 1, DIFF = (64 << 10) + 4096 };

static void
begin(struct script *s)
{
	s->file = __FILE__;
	s->sockets = sockets_open(NULL);
	CHECK(s->sockets != NULL);
}

static void
enter(struct script *s, int i)
{
	connect_peer(s, &s->peers[i], "/realtime/v1/websocket?apikey=k&vsn=2.0.0", 0);
}

static void
cut(struct script *s, struct peer *p)
{
	if (p->socket)
		socket_cut(p->socket);
	while (!p->ended)
		turn(s);
}

/* What has text in it, with all that is before it; NULL: it does not come. */
static struct got *
await(struct script *s, struct peer *p, const char *text)
{
	struct got *g;

	while ((g = next(s, p)) != NULL && strstr(g->bytes.ptr, text) == NULL)
		got_free(g);
	if (g == NULL)
		fail(s, "nothing came", slice(p->ended ? p->end.text : ""), text);
	return g;
}

/* ---- the state ---- */

/* The key of a member, as JSON: two digits and as much of fill as there is room for. */
static void
join(struct script *s, int i, const char *fill, size_t bytes)
{
	struct buf b = {0};

	buf_addf(&b, "[\"1\",\"1\",\"realtime:p\",\"phx_join\",{\"config\":{\"presence\":"
		     "{\"enabled\":true,\"key\":\"%02d", i);
	for (size_t n = 2 + bytes; n <= 255; n += bytes)
		buf_adds(&b, fill);
	buf_adds(&b, "\"}}}]");
	say(s, &s->peers[i], b.ptr, false);
	buf_free(&b);
}

/* Whether there was room. */
static bool
track(struct script *s, int i, const char *what)
{
	struct peer *p = &s->peers[i];
	struct buf b = {0};
	struct got *g;
	bool taken;

	buf_addf(&b, "[\"1\",\"2\",\"realtime:p\",\"presence\","
		     "{\"event\":\"track\",\"payload\":%s}]",
	    what);
	say(s, p, b.ptr, false);
	g = await(s, p, "[\"1\",\"2\",\"realtime:p\",\"phx_reply\"");
	taken = g && strstr(g->bytes.ptr, "\"status\":\"ok\"") != NULL;
	CHECK(taken || (g && strstr(g->bytes.ptr, "Presence is full") != NULL));
	got_free(g);
	buf_free(&b);
	return taken;
}

static void
untrack(struct script *s, int i)
{
	say(s, &s->peers[i], "[\"1\",\"3\",\"realtime:p\",\"presence\",{\"event\":\"untrack\"}]",
	    false);
	got_free(await(s, &s->peers[i], "[\"1\",\"3\",\"realtime:p\",\"phx_reply\""));
}

/* Who joins now gets all of them, in as many bytes as there may be. */
static void
check_state(struct script *s, size_t members)
{
	struct got *g;
	size_t n = 0;

	enter(s, LAST);
	join(s, LAST, "v", 1);
	g = await(s, &s->peers[LAST], "\"presence_state\"");
	for (const char *at = g ? g->bytes.ptr : ""; (at = strstr(at, "\"phx_ref\":")); at++)
		n++;
	CHECK(n == members);
	CHECK(g == NULL || g->bytes.len <= MOST / 2 + 60);
	got_free(g);
	cut(s, &s->peers[LAST]);
}

static void
test_state(const char *fill, size_t bytes)
{
	struct script s = {.settings.max_queue = MOST};
	size_t first = 0;

	begin(&s);
	for (int i = 0; i < LAST; i++) {
		enter(&s, i);
		join(&s, i, fill, bytes);
		got_free(await(&s, &s.peers[i], "\"presence_state\""));
	}
	/* What was taken is given back: there is the same room again. */
	for (int round = 0; round < 3; round++) {
		size_t members = 0;

		for (int i = 0; i < LAST; i++)
			members += track(&s, i, "{}");
		check_state(&s, members);
		CHECK(members > 1 && members < LAST);
		CHECK(round == 0 || members == first);
		first = members;
		CHECK(track(&s, 0, round % 2 ? "{\"n\":1}" : "{}"));
		for (int i = 0; i < LAST; i++)
			untrack(&s, i);
		check_state(&s, 0);
	}
	for (int i = 0; i < LAST; i++)
		cut(&s, &s.peers[i]);
	finish(&s);
}

/* ---- diffs ---- */

/* Members who come and go many times between two turns, each time by another name. */
static void
come_and_go(struct script *s, int i)
{
	struct buf b = {0};

	for (int n = 100; n < 130; n++) {
		buf_reset(&b);
		buf_addf(&b, "[\"%d\",\"1\",\"realtime:p\",\"phx_join\",{\"config\":{\"presence\":"
			     "{\"key\":\"%02d%d", n, i, n);
		for (size_t len = 5; len < 255; len++)
			buf_adds(&b, "\\u0001");
		buf_adds(&b, "\"}}}]");
		say(s, &s->peers[i], b.ptr, false);
		buf_reset(&b);
		buf_addf(&b, "[\"%d\",\"2\",\"realtime:p\",\"presence\",{\"event\":\"track\"}]", n);
		say(s, &s->peers[i], b.ptr, false);
		buf_reset(&b);
		buf_addf(&b, "[\"%d\",\"3\",\"realtime:p\",\"phx_leave\",{}]", n);
		say(s, &s->peers[i], b.ptr, false);
	}
	say(s, &s->peers[i], "[null,\"last\",\"phoenix\",\"heartbeat\",{}]", false);
	buf_free(&b);
}

static void
test_diffs(void)
{
	enum { MEMBERS = 12 };
	struct script s = {0};
	struct got *g;
	bool done = false;

	begin(&s);
	enter(&s, LAST);
	say(&s, &s.peers[LAST], "[\"1\",\"1\",\"realtime:p\",\"phx_join\",{}]", false);
	got_free(await(&s, &s.peers[LAST], "phx_reply"));
	for (int i = 0; i < MEMBERS; i++)
		enter(&s, i);
	for (int i = 0; i < MEMBERS; i++)
		come_and_go(&s, i);
	for (int i = 0; i < MEMBERS; i++)
		got_free(await(&s, &s.peers[i], "\"last\""));
	say(&s, &s.peers[LAST], "[null,\"last\",\"phoenix\",\"heartbeat\",{}]", false);
	while (!done && (g = next(&s, &s.peers[LAST])) != NULL) {
		done = strstr(g->bytes.ptr, "\"last\"") != NULL;
		CHECK(g->bytes.len <= DIFF);
		got_free(g);
	}
	CHECK(done);
	for (int i = 0; i < PEERS; i++)
		if (s.peers[i].open)
			cut(&s, &s.peers[i]);
	finish(&s);
}

int
main(void)
{
	test_state("k", 1);
	test_state("\\u0001", 1);
	test_state("\\\"", 1);
	test_state("\xc3\xa9", 2);
	test_state("\\u2028", 3);
	test_diffs();
	return check_done();
}
