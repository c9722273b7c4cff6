/* link lost: closed, cut, silent, slow, asleep, in every state; and what comes of it. */
#include "tests/unit/link_told.h"

#include "tools/collab/link_part.h"

/* ---- the channel ends ---- */

static void
test_closed(enum frame_dialect dialect)
{
	char first[32];

	usual();
	set.dialect = dialect;
	start();
	until("up", PATIENCE);
	snprintf(first, sizeof(first), "%s", seat->join_ref);
	/* What is not of this join is not about us. */
	relay_write(seat, "99", "99", "phx_close", "{}");
	relay_write(seat, "99", "99", "phx_error", "{}");
	run_for(60);
	CHECK(l->at == LINK_UP && joins == 1);
	relay_push("phx_error", "{}");
	CHECK_TEXT(until("up", PATIENCE), "backoff:closed up ");
	CHECK(joins == 2 && upgrades == 1 && strcmp(first, seat->join_ref) != 0);
	/* The old join's end comes late. */
	relay_write(seat, first, first, "phx_close", "{}");
	run_for(60);
	CHECK(l->at == LINK_UP && joins == 2);
	relay_push("phx_close", "{}");
	CHECK_TEXT(until("up", PATIENCE), "backoff:closed up ");
	CHECK_TEXT(close_with("Too many messages per second"), "rate:rate_limited up ");
	CHECK(retry_ms >= 150);
	CHECK_TEXT(close_with("Node request timeout"), "backoff:server_error up ");
	CHECK(upgrades == 1);
	/* A push to a channel that the relay has forgotten: it is not refused, it is to be sent again. */
	plan.ack_error = "{\"reason\":\"unmatched topic\"}";
	CHECK(link_send(l, S("e"), S("{}"), 5) && link_send(l, S("e"), S("{}"), 6));
	CHECK_TEXT(until("up", PATIENCE), "backoff:closed up ");
	plan.ack_error = NULL;
	run_for(60);
	CHECK(l->at == LINK_UP && acks == 0);
	/* It shuts down, and says so. */
	relay_push("system", "{\"status\":\"ok\",\"message\":\"Subscribed to PostgreSQL\"}");
	relay_push("system", "{\"status\":\"ok\",\"message\":\"Server requested disconnect\"}");
	CHECK_TEXT(until("up", PATIENCE), "backoff:closed connecting up ");
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
	until("up", PATIENCE);
	relay_push("system", barred);
	run_for(1700);
	socket_cut(seat->socket);
	CHECK_TEXT(until("up", PATIENCE), "backoff:cut_off connecting up ");
	relay_push("system", barred);
	run_for(50);
	socket_cut(seat->socket);
	CHECK_TEXT(until("ended", PATIENCE), "ended3:permission ");
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
	until("up", PATIENCE);
	socket_close(seat->socket, 1001, "restart");
	CHECK_TEXT(until("up", PATIENCE)[0] == 'b' ? "down" : "?", "down");
	CHECK(strstr(said, "1001") && strstr(said, "restart"));
	socket_cut(seat->socket);
	CHECK_TEXT(until("up", PATIENCE), "backoff:cut_off connecting up ");
	plan.join = later;
	l->times.rate = 1000;
	relay_push("phx_close", "{}");
	CHECK_TEXT(until("busy", PATIENCE), "backoff:closed busy:rate_limited ");
	due = l->due;
	socket_cut(seat->socket);
	run_for(40);
	CHECK(l->at == LINK_WAITING && l->due == due && upgrades == 3);
	CHECK_TEXT(until("up", PATIENCE), "connecting up ");
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
	set.heartbeat_ms = 500;
	start();
	until("up", PATIENCE);
	for (int64_t end_ms = time_ms() + PATIENCE; beats < 4 && time_ms() < end_ms;)
		turn();
	CHECK(beats >= 4 && upgrades == 1);
	plan.no_beat = true;
	CHECK_TEXT(until("backoff", PATIENCE), "backoff:timeout ");
	CHECK(strstr(said, "heartbeat") != NULL);
	plan.no_beat = false;
	CHECK_TEXT(until("up", PATIENCE), "connecting up ");
	/* The machine slept: not even the heartbeat is waited for. */
	l->heartbeat_ms = 60000;
	l->beat_at = time_ms() + 60000;
	link_turn(l);
	l->clock.wall -= 130000;
	CHECK_TEXT(until("up", PATIENCE), "backoff:cut_off connecting up ");
	CHECK(retry_ms == 0 && strstr(said, "slept"));
	stop();
}

/*
 * 30 MB to a relay that takes 20 MB a second and answers nothing meanwhile: slow is not dead.
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
	set.heartbeat_ms = 100;
	start();
	l->times.reply = 800;
	until("up", PATIENCE);
	plan.slow = plan.no_ack = plan.no_beat = true;
	buf_addc(&big, '"');
	memset(buf_room(&big, 200000), 'x', 200000);
	big.len += 200000;
	buf_addc(&big, '"');
	while (n < 150 && link_send(l, S("e"), buf_slice(&big), n + 1))
		n++;
	CHECK(n == 150);
	while (l->at == LINK_UP && link_moved(l) > 0 && time_ms() < begin + PATIENCE) {
		sockets_wait(loop, 5);
		link_turn(l);
		if (seat && time_ms() - last >= 10) {
			relay_hold(seat->socket, false);
			last = time_ms();
		}
	}
	CHECK(l->at == LINK_UP && time_ms() - begin > 900);
	plan.no_beat = false;
	stuck = seat->socket;
	relay_hold(stuck, true);
	CHECK(link_send(l, S("e"), buf_slice(&big), 1000));
	CHECK(strstr(until("backoff", PATIENCE), "backoff:timeout") != NULL);
	/* What waits is bounded: the caller keeps the rest. */
	plan.slow = plan.no_ack = false;
	relay_hold(stuck, false);
	until("up", PATIENCE);
	for (n = 0; n < 1000 && link_send(l, S("e"), buf_slice(&big), 0); n++)
		continue;
	CHECK(n >= 160 && n <= 168);
	stop();
	buf_free(&big);
}

/* A heartbeat behind messages that has only just left has not been ignored; later it has. */
static void
test_behind(void)
{
	struct buf big = {0};
	int64_t end_ms = time_ms() + PATIENCE;

	usual();
	start();
	l->times.reply = PATIENCE;
	until("up", PATIENCE);
	plan.no_ack = plan.no_beat = true;
	buf_addc(&big, '"');
	memset(buf_room(&big, 200000), 'x', 200000);
	big.len += 200000;
	buf_addc(&big, '"');
	for (uint64_t n = 1; n <= 40; n++)
		CHECK(link_send(l, S("e"), buf_slice(&big), n));
	l->beat_at = time_ms();
	link_turn(l);
	CHECK(l->beat_open && link_moved(l) > 0);
	while (socket_queued(l->socket) > 0 && time_ms() < end_ms)
		sockets_wait(loop, 5);
	l->beat_at = time_ms(); /* the next one is due */
	link_turn(l);
	CHECK(l->at == LINK_UP && l->beat_open);
	l->heartbeat_ms = 100;
	l->beat_at = time_ms() + 100;
	CHECK_TEXT(until("backoff", PATIENCE), "backoff:timeout ");
	CHECK(strstr(said, "heartbeat") != NULL);
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

int
main(void)
{
	begin();
	for (enum frame_dialect d = FRAME_V1; d <= FRAME_V2; d++)
		test_closed(d);
	test_cut();
	test_stale();
	test_silence();
	test_slept();
	test_slow();
	test_behind();
	return end();
}
