/* session forged listen: a member who only listens, and can ask nobody whether it is true. */
#include "tests/unit/session_told.h"
#include "tools/collab/session_part.h"

static struct session *
listen_to(bool history)
{
	struct session_settings set = {.self = S(ME), .hooks = &hooks, .seed = 7,
	    .max_held = 100000, .listener = true, .newcomer = SESSION_NOW};
	struct session *s = session_open(&set);

	memset(&told, 0, sizeof(told));
	now = 1000;
	session_own(s, now, 0);
	session_up(s, now, history);
	session_member(s, now, S(BOB), true);
	session_member(s, now, S(EVE), true);
	return s;
}

static void
bob_says(struct session *s, int seq, const char *again)
{
	say(s, "e", "{\"kandil\":1,\"from\":\"%s\",\"seq\":%d,%s\"payload\":1}", BOB, seq, again);
}

/* Where somebody begins is by its own word; nothing is said, whatever is asked. */
static void
test_listener(void)
{
	struct session *s = listen_to(false);

	say(s, "kandil", "{\"kandil\":1,\"from\":\"%s\",\"type\":\"have\",\"last\":0,"
			 "\"have\":{\"%s\":5,\"%s\":9}}", EVE, BOB, ME);
	pass(s, 3000);
	/* Somebody else is sent what was before us. */
	bob_says(s, 7, "\"again\":true,");
	bob_says(s, 11, "");
	CHECK(told.delivered == 1 && told.bob == 11);
	say(s, "kandil", "{\"kandil\":1,\"from\":\"%s\",\"type\":\"want\",\"to\":\"%s\","
			 "\"of\":\"%s\",\"first\":11,\"last\":11}", EVE, ME, BOB);
	say(s, "kandil", "{\"kandil\":1,\"from\":\"%s\",\"type\":\"hello\",\"new\":true,\"last\":0,"
			 "\"have\":{}}", EVE);
	pass(s, 120000);
	CHECK(told.gaps == 0 && session_whole(s));
	/* A number that does not exist: bob's own word drops it in time. */
	bob_says(s, 1000, "");
	pass(s, 5000);
	CHECK(!session_whole(s));
	say(s, "kandil", "{\"kandil\":1,\"from\":\"%s\",\"type\":\"have\",\"last\":11,\"have\":{}}",
	    BOB);
	pass(s, 60000);
	bob_says(s, 12, "");
	CHECK(told.gaps == 0 && told.bob == 12 && session_whole(s));
	/* What the sender says to be gone is not waited for. */
	bob_says(s, 15, "");
	say(s, "kandil", "{\"kandil\":1,\"from\":\"%s\",\"type\":\"gone\",\"to\":\"%s\","
			 "\"of\":\"%s\",\"first\":13,\"last\":14}", BOB, EVE, BOB);
	pass(s, 1000);
	CHECK(told.gaps == 1 && told.lost == 2 && told.bob == 15);
	/* After a cut who was never heard of may have spoken before. */
	session_down(s, now);
	session_up(s, now, false);
	pass(s, 2000);
	say(s, "e", "{\"kandil\":1,\"from\":\"%s\",\"seq\":3,\"payload\":1}", EVE);
	say(s, "e", "{\"kandil\":1,\"from\":\"%s\",\"seq\":3,\"payload\":1}", ANN);
	pass(s, 20000);
	CHECK(told.lost == 2 + 2 + 2 && told.sends == 0 && told.stale == 0);
	session_leave(s, now);
	CHECK(told.sends == 0);
	session_free(s);
}

/* It asks as seldom as it may join; a hub that does not answer is believed to have nothing. */
static void
test_listener_asks(void)
{
	struct session *s = listen_to(true);

	CHECK(!session_whole(s));
	say(s, "kandil", "{\"kandil\":1,\"from\":\"hub\",\"type\":\"have\",\"have\":{\"%s\":10}}",
	    BOB);
	pass(s, 10);
	CHECK(session_whole(s) && told.bob == 10);
	bob_says(s, 13, "");
	told.jam = true;
	pass(s, 5000);
	CHECK(told.sends == 0);
	told.jam = false;
	pass(s, 1000);
	CHECK(told.sends == 1 && told.wants == 1 && strstr(told.last, "\"to\":\"hub\"") &&
	    strstr(told.last, "\"first\":11,\"last\":12}"));
	pass(s, 120000);
	CHECK(told.sends == told.wants && told.wants >= 3 && told.wants <= 5);
	CHECK(told.gaps == 1 && told.lost == 2 && told.bob == 13 && session_whole(s));
	session_free(s);
}

static void
hub_has(struct session *s)
{
	say(s, "kandil", "{\"kandil\":1,\"from\":\"hub\",\"type\":\"have\",\"have\":{\"%s\":50,"
			 "\"%s\":20}}", ANN, BOB);
}

/* It answers one after the other: as long as it does, who comes last is not given up. */
static void
test_listener_waits(void)
{
	struct session_settings set = {.self = S(ME), .hooks = &hooks, .seed = 7,
	    .max_held = 100000, .listener = true, .newcomer = SESSION_ALL};
	struct session *s = session_open(&set);
	struct session_hole hole;
	size_t at;

	memset(&told, 0, sizeof(told));
	now = 1000;
	session_own(s, now, 0);
	session_up(s, now, true);
	hub_has(s);
	for (int i = 1; i <= 50; i++) {
		say(s, "e", "{\"kandil\":1,\"from\":\"%s\",\"seq\":%d,\"again\":true,\"payload\":1}",
		    ANN, i);
		pass(s, 4000);
		at = 0;
		CHECK(!session_hole(s, now, &at, &hole));
	}
	CHECK(told.delivered == 50 && told.gaps == 0 && !session_whole(s));
	/* Of bob some are gone, and the rest takes its time, too. */
	say(s, "kandil", "{\"kandil\":1,\"from\":\"hub\",\"type\":\"gone\",\"to\":\"%s\","
			 "\"of\":\"%s\",\"first\":1,\"last\":9}", ME, BOB);
	pass(s, 20000);
	CHECK(told.gaps == 1 && told.lost == 9 && told.bob == 9);
	for (int i = 10; i <= 20; i++)
		bob_says(s, i, "\"again\":true,");
	pass(s, 1000);
	CHECK(told.gaps == 1 && told.bob == 20 && session_whole(s));
	session_free(s);
}

/* What it asked is lost when it is cut off, and while it is who could send it again is, too. */
static void
test_listener_cut(void)
{
	struct session *s = listen_to(true);
	uint64_t asked = 0;

	say(s, "kandil", "{\"kandil\":1,\"from\":\"hub\",\"type\":\"have\",\"have\":{\"%s\":10}}",
	    BOB);
	bob_says(s, 13, "");
	for (int i = 0; i < 12; i++) {
		pass(s, 3000);
		session_down(s, now);
		pass(s, 60000);
		asked = told.wants;
		session_up(s, now, true);
	}
	pass(s, 3000);
	CHECK(told.gaps == 0 && told.wants > asked);
	session_free(s);

	s = listen_to(false);
	bob_says(s, 10, "");
	bob_says(s, 13, "");
	pass(s, 10000);
	session_down(s, now);
	pass(s, 60000);
	session_up(s, now, false);
	pass(s, 3000);
	CHECK(told.gaps == 0);
	bob_says(s, 11, "\"again\":true,");
	bob_says(s, 12, "\"again\":true,");
	CHECK(told.gaps == 0 && told.bob == 13);
	session_free(s);
}

int
main(void)
{
	test_listener();
	test_listener_asks();
	test_listener_waits();
	test_listener_cut();
	return check_done();
}
