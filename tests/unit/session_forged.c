/*
 * session against members who lie, vanish or do not answer: forged, garbled and greedy
 * traffic. What it may cost is bounded: sends, names, bytes; nothing that was delivered changes.
 */
#include "tests/unit/session_told.h"
#include "tools/collab/session_part.h"

/* A million wants: each gets a window at most, and asking often gets no more. */
static void
test_wants(void)
{
	struct session *s = begin(100000);

	pass(s, 2000);
	told.resent = 0;
	say(s, "kandil", "{\"kandil\":1,\"from\":\"%s\",\"type\":\"want\",\"to\":\"%s\",\"of\":\"%s\","
			 "\"first\":1,\"last\":1000000}", EVE, ME, ME);
	pass(s, 60000);
	CHECK(told.resent == 512);
	for (int i = 0; i < 10000; i++)
		say(s, "kandil", "{\"kandil\":1,\"from\":\"%s\",\"type\":\"want\",\"to\":\"%s\","
				 "\"of\":\"%s\",\"first\":1,\"last\":9007199254740992}", EVE, ME, ME);
	pass(s, 60000);
	CHECK(told.resent == 1024);
	for (int i = 0; i < 10000; i++)
		say(s, "kandil", "{\"kandil\":1,\"from\":\"%s\",\"type\":\"want\",\"to\":\"%s\","
				 "\"of\":\"%s\",\"first\":%d,\"last\":%d}", EVE, ME, ME, i * 10 + 1,
		    i * 10 + 1000000);
	CHECK(s->njobs <= JOBS);
	pass(s, 60000);
	CHECK(told.resent <= 1024 + JOBS * 512);
	/* Of what we never wrote: one have. */
	told.sends = 0;
	for (int i = 0; i < 1000; i++)
		say(s, "kandil", "{\"kandil\":1,\"from\":\"%s\",\"type\":\"want\",\"to\":\"%s\","
				 "\"of\":\"%s\",\"first\":100001,\"last\":100002}", EVE, ME, ME);
	pass(s, 5000);
	CHECK(told.sends >= 1 && told.sends <= 4);
	session_free(s);
}

/* Numbers from nowhere move nobody's order. */
static void
test_numbers(void)
{
	struct session *s = begin(5);
	const char *bad[] = {"0", "-1", "1.5", "9223372036854775808", "9007199254740993", "1e3", "\"11\"",
	    "null", "[11]", "18446744073709551627", "011"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		say(s, "e", "{\"kandil\":1,\"from\":\"%s\",\"seq\":%s,\"payload\":1}", BOB, bad[i]);
		say(s, "kandil", "{\"kandil\":1,\"from\":\"%s\",\"type\":\"have\",\"last\":%s,"
				 "\"have\":{\"%s\":%s}}", EVE, bad[i], BOB, bad[i]);
		say(s, "kandil", "{\"kandil\":1,\"from\":\"%s\",\"type\":\"gone\",\"to\":\"%s\","
				 "\"of\":\"%s\",\"first\":%s,\"last\":%s}", BOB, ME, BOB, bad[i], bad[i]);
	}
	pass(s, 30000);
	CHECK(told.bob == 10 && told.gaps == 0 && told.stale == 0);
	/* Bob, in whose name they are said, is asked, and sets it right. */
	say(s, "e", "{\"kandil\":1,\"from\":\"%s\",\"seq\":9007199254740992,\"payload\":1}", BOB);
	say(s, "kandil", "{\"kandil\":1,\"from\":\"%s\",\"type\":\"gone\",\"to\":\"%s\","
			 "\"of\":\"%s\",\"first\":1,\"last\":9007199254740992}", EVE, ME, BOB);
	told.wants = 0;
	pass(s, 2000);
	CHECK(told.wants >= 1 && told.gaps == 0);
	say(s, "kandil", "{\"kandil\":1,\"from\":\"%s\",\"type\":\"have\",\"last\":10,\"have\":{}}", BOB);
	pass(s, 120000);
	CHECK(session_whole(s) && told.gaps == 0);
	say(s, "e", "{\"kandil\":1,\"from\":\"%s\",\"seq\":11,\"payload\":1}", BOB);
	CHECK(told.bob == 11 && told.gaps == 0);
	/* What he has not sent yet cannot be gone. */
	say(s, "kandil", "{\"kandil\":1,\"from\":\"%s\",\"type\":\"gone\",\"to\":\"%s\","
			 "\"of\":\"%s\",\"first\":12,\"last\":9000}", BOB, ME, BOB);
	pass(s, 120000);
	CHECK(told.gaps == 0);
	say(s, "e", "{\"kandil\":1,\"from\":\"%s\",\"seq\":12,\"payload\":1}", BOB);
	CHECK(told.bob == 12);
	session_free(s);
}

/* Our own name used by another: once told, and nothing is said any more. */
static void
test_self(void)
{
	struct session *s = begin(5);

	say(s, "e", "{\"kandil\":1,\"from\":\"%s\",\"seq\":5,\"payload\":1}", ME);
	say(s, "kandil", "{\"kandil\":1,\"from\":\"%s\",\"type\":\"hello\",\"have\":{\"%s\":99}}", ME, BOB);
	CHECK(told.stale == 0 && told.delivered == 0);
	say(s, "e", "{\"kandil\":1,\"from\":\"%s\",\"seq\":6,\"payload\":1}", ME);
	say(s, "kandil", "{\"kandil\":1,\"from\":\"%s\",\"type\":\"have\",\"have\":{\"%s\":99}}", EVE, ME);
	CHECK(told.stale == 1);
	told.sends = 0;
	pass(s, 60000);
	CHECK(told.sends == 0);
	session_free(s);
}

/* Twelve thousand made-up names, and as many messages that never have their turn. */
static void
test_memory(void)
{
	struct session *s = begin(5);
	char name[64];

	for (int i = 0; i < 12000; i++) {
		snprintf(name, sizeof(name), "x%d", i);
		say(s, "e", "{\"kandil\":1,\"from\":\"%s\",\"seq\":%d,\"payload\":\"%0100d\"}", name, 2 + i,
		    0);
		say(s, "kandil", "{\"kandil\":1,\"from\":\"%s\",\"type\":\"have\",\"last\":3,\"have\":"
				 "{\"y%d\":7,\"z%d\":9007199254740992}}", EVE, i, i);
		if (i % 100 == 0)
			pass(s, 1000);
	}
	CHECK(s->all.n <= PEERS);
	CHECK(s->held_bytes <= 100000);
	CHECK(told.wants <= 130 * 200);
	say(s, "e", "{\"kandil\":1,\"from\":\"%s\",\"seq\":11,\"payload\":1}", BOB);
	CHECK(told.bob == 11);
	session_free(s);
}

static uint64_t state = 1;

static uint64_t
draw(uint64_t below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (state >> 33) % below;
}

/* Whatever is said: Bob's order stands, and an answer is never much more than the question. */
static void
test_garble(void)
{
	static const char *const pieces[] = {"{", "}", "\"kandil\":1", ",", "\"from\":\"" EVE "\"",
	    "\"from\":\"" BOB "\"", "\"seq\":12", "\"type\":\"hello\"", "\"type\":\"have\"",
	    "\"type\":\"want\"", "\"type\":\"gone\"", "\"have\":{\"" ME "\":3,\"" BOB "\":20}",
	    "\"have\":[1]", "\"new\":true", "\"more\":true", "\"last\":15", "\"last\":9007199254740992",
	    "\"first\":1", "\"of\":\"" BOB "\"", "\"of\":\"" ME "\"", "\"to\":\"" ME "\"", "\"to\":7",
	    "\"ask\":[\"" ME "\"]", "\"hello\":[\"" ME "\",null]", "\"payload\":[[]]", "\"again\":true",
	    "\"from\":\"\\ud800\"", "\"kandil\":2"};
	struct session *s = begin(50);
	struct buf b = {0};
	uint64_t heard = 0;

	for (int i = 0; i < 60000; i++) {
		uint64_t n = 3 + draw(7);

		buf_reset(&b);
		buf_adds(&b, "{\"kandil\":1");
		for (uint64_t k = 0; k < n; k++) {
			buf_addc(&b, ',');
			buf_adds(&b, pieces[2 + draw(sizeof(pieces) / sizeof(*pieces) - 2)]);
		}
		buf_addc(&b, '}');
		if (draw(5) == 0)
			b.ptr[draw(b.len)] = (char)draw(128);
		heard++;
		hear(s, draw(3) ? "kandil" : "e", buf_slice(&b));
		if (draw(50) == 0)
			pass(s, 100);
		if (draw(1000) == 0) {
			session_down(s, now);
			session_up(s, now, draw(2) == 0);
		}
	}
	pass(s, 300000);
	CHECK(told.sends < heard * 8);
	buf_free(&b);
	session_free(s);
}

/* Who comes with a known name listens first: an own line that never went out is not given away. */
static void
test_early(void)
{
	struct session *s = begin(5);

	told.own = 6;
	session_own(s, now, 6);
	say(s, "kandil", "{\"kandil\":1,\"from\":\"%s\",\"type\":\"want\",\"to\":\"%s\",\"of\":\"%s\","
			 "\"first\":5,\"last\":6}", BOB, ME, ME);
	pass(s, 900);
	CHECK(told.resent == 1);
	say(s, "kandil", "{\"kandil\":1,\"from\":\"%s\",\"type\":\"have\",\"have\":{\"%s\":6}}", BOB, ME);
	CHECK(told.stale == 1);
	session_free(s);
}

static void
say_answer(struct session *s, const char *who, int bob)
{
	say(s, "kandil", "{\"kandil\":1,\"from\":\"%s\",\"type\":\"have\",\"last\":%d,"
			 "\"have\":{\"%s\":%d,\"%s\":5},\"hello\":[\"%s\"]}", who,
	    strcmp(who, BOB) == 0 ? bob : 0, BOB, bob, ME, ME);
}

/* Whether something is missing is known when all have answered, and it is waited for while somebody has it. */
static void
test_whole(void)
{
	struct session *s = begin(5);

	pass(s, 5000);
	CHECK(!session_whole(s));
	/* Who came later says its own hello. */
	say(s, "kandil", "{\"kandil\":1,\"from\":\"%s\",\"type\":\"hello\",\"last\":0,"
			 "\"have\":{\"%s\":10,\"%s\":5}}", EVE, BOB, ME);
	pass(s, 1000);
	CHECK(!session_whole(s));
	say_answer(s, BOB, 12);
	pass(s, 1000);
	CHECK(!session_whole(s));
	/* He goes, and nobody has it; he may be on his way back. */
	session_member(s, now, S(BOB), false);
	pass(s, 5000);
	CHECK(!session_whole(s));
	pass(s, 15000);
	CHECK(session_whole(s) && told.gaps == 0);
	/* Now somebody has. */
	say_answer(s, EVE, 12);
	pass(s, 100);
	CHECK(!session_whole(s));
	session_free(s);
	/* Who never answers is not waited for. */
	s = begin(5);
	pass(s, 60000);
	CHECK(session_whole(s));
	session_free(s);
}

/* A relay in trouble for a minute costs no line; one that will never take it holds up nobody. */
static void
test_unwanted(void)
{
	struct session *s = begin(5);
	int64_t began;

	told.own = 6;
	session_own(s, now, 6);
	began = now;
	while (told.refused == 0 && now - began < 1000000) {
		told.number = 0;
		pass(s, 100);
		if (told.number == 6)
			session_acked(s, now, 6, false, "busy");
	}
	CHECK(told.refused == 1);
	CHECK(now - began > 60000 && now - began < 400000);
	CHECK(session_relayed(s) == 6);
	session_free(s);
}

/* What waits for room here is not missing; what is missing is told of. */
static void
test_holes(void)
{
	struct session *s = begin(5);
	struct session_hole hole;
	size_t at = 0;

	told.full = true;
	for (int i = 11; i < 14; i++)
		say(s, "e", "{\"kandil\":1,\"from\":\"%s\",\"seq\":%d,\"payload\":1}", BOB, i);
	pass(s, 5000);
	CHECK(!session_hole(s, now, &at, &hole));
	told.full = false;
	session_resume(s, now);
	CHECK(told.bob == 13 && !session_hole(s, now, &at, &hole));
	say(s, "e", "{\"kandil\":1,\"from\":\"%s\",\"seq\":16,\"payload\":1}", BOB);
	at = 0;
	CHECK(session_hole(s, now, &at, &hole) && hole.first == 14 && hole.last == 15 && hole.here);
	CHECK(!session_hole(s, now, &at, &hole));
	session_free(s);
}

static void
say_gone(struct session *s, int first, int last)
{
	say(s, "kandil", "{\"kandil\":1,\"from\":\"hub\",\"type\":\"gone\",\"to\":\"%s\","
			 "\"of\":\"%s\",\"first\":%d,\"last\":%d}", ME, BOB, first, last);
}

/* What goes while it is asked for is told part by part: it is not waited for. */
static void
test_gone(void)
{
	struct session *s = begin(5);

	session_down(s, now);
	session_member(s, now, S(BOB), false);
	session_up(s, now, true);
	session_member(s, now, S(ME), true);
	pass(s, 20000);
	say(s, "kandil", "{\"kandil\":1,\"from\":\"hub\",\"type\":\"have\",\"have\":{\"%s\":15}}", BOB);
	pass(s, 2000);
	CHECK(told.wants > 0 && !session_whole(s));
	say_gone(s, 11, 13);
	CHECK(!session_whole(s));
	say_gone(s, 15, 15);
	CHECK(!session_whole(s));
	say_gone(s, 14, 15);
	say_gone(s, 11, 14);
	pass(s, 60000);
	CHECK(session_whole(s));
	session_free(s);
}

int
main(void)
{
	test_gone();
	test_early();
	test_holes();
	test_whole();
	test_unwanted();
	test_wants();
	test_numbers();
	test_self();
	test_memory();
	test_garble();
	return check_done();
}
