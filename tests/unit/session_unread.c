/*
 * session unread: a line of ours that the disk does not give. As long as nobody knows that it is
 * lost, it is neither passed over nor called gone; when it is, all who miss it are told.
 */
#include "tests/unit/session_told.h"
#include "tools/collab/session.h"

/* With lines from 1 on that the relay has not taken; nobody can know us. */
static struct session *
begin_fresh(uint64_t own)
{
	struct session_settings set = {
	    .self = S(ME), .fresh = true, .newcomer = SESSION_KNOWN, .hooks = &hooks, .seed = 7};
	struct session *s = session_open(&set);

	memset(&told, 0, sizeof(told));
	told.own = own;
	now = 1000;
	session_own(s, now, own);
	session_up(s, now, false);
	session_member(s, now, S(ME), true);
	session_member(s, now, S(BOB), true);
	return s;
}

static void
ack_to(struct session *s, uint64_t first, uint64_t last)
{
	for (; first <= last; first++)
		session_acked(s, now, first, true, NULL);
}

/* The lines before it go, none behind it, and nothing is marked as taken; then all of them. */
static void
test_own(void)
{
	struct session *s = begin_fresh(20);

	told.unreadable = 7;
	pass(s, 500);
	CHECK(told.number == 6);
	ack_to(s, 1, 6);
	pass(s, 60000);
	CHECK(told.number == 6 && told.taken == 6 && session_relayed(s) == 6);
	CHECK(told.refused == 0);
	told.unreadable = 0;
	pass(s, 2000);
	CHECK(told.number == 20);
	ack_to(s, 7, 20);
	CHECK(told.taken == 20 && told.refused == 0);
	session_free(s);
}

/* It is lost: the owner is told, once, over a loss of the link too, and what is behind it goes. */
static void
test_lost(void)
{
	struct session *s = begin_fresh(20);

	told.gone = 7;
	pass(s, 500);
	CHECK(told.number == 20 && told.refused == 1 && told.taken == 0);
	session_down(s, now);
	session_up(s, now, false);
	session_member(s, now, S(ME), true);
	session_member(s, now, S(BOB), true);
	pass(s, 2000);
	CHECK(told.refused == 1);
	ack_to(s, 1, 20);
	CHECK(told.taken == 20);
	say(s, "kandil", "{\"kandil\":1,\"from\":\"" BOB "\",\"type\":\"want\",\"to\":\"" ME
	    "\",\"of\":\"" ME "\",\"first\":7,\"last\":7}");
	pass(s, 100);
	CHECK(strstr(told.last, "\"type\":\"gone\"") && strstr(told.last, "\"first\":7,\"last\":7"));
	session_free(s);
}

static bool
answer(struct session *s, uint64_t first, uint64_t last, const char *word)
{
	told.last[0] = '\0';
	say(s, "kandil", "{\"kandil\":1,\"from\":\"" BOB "\",\"type\":\"want\",\"to\":\"" ME
	    "\",\"of\":\"" ME "\",\"first\":%d,\"last\":%d}", (int)first, (int)last);
	pass(s, 1000);
	return strstr(told.last, word) != NULL;
}

/* Who asks for it is not told that it is gone, gets what is behind it, and it when it can be read. */
static void
test_asked(void)
{
	struct session *s = begin(20);
	uint64_t before;

	pass(s, 3000);
	told.unreadable = 7;
	before = told.resent;
	CHECK(!answer(s, 7, 7, "gone"));
	CHECK(told.resent == before);
	CHECK(!answer(s, 6, 8, "gone"));
	CHECK(told.resent == before + 2);
	told.unreadable = 0;
	CHECK(answer(s, 7, 7, "\"seq\":7,\"again\":true"));
	told.gone = 7;
	CHECK(answer(s, 7, 7, "\"type\":\"gone\""));
	session_free(s);
}

int
main(void)
{
	test_own();
	test_lost();
	test_asked();
	return check_done();
}
