/* link refused: upgrades and joins that are answered with no, and nobody who answers. */
#include "tests/unit/link_told.h"

#include "tools/collab/link_part.h"

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
	    {"429 Too many connected users", "connecting busy:rate_limited connecting up "},
	    {"500 Error connecting to Realtime", "connecting backoff:server_error connecting up "},
	    {"503 ", "connecting backoff:server_error connecting up "},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *const refuse[] = {cases[i].answer, NULL};

		usual();
		plan.refuse = refuse;
		start();
		CHECK_TEXT(until(strstr(cases[i].told, "ended") ? "ended" : "up", PATIENCE),
		    cases[i].told);
		CHECK(strstr(said, cases[i].answer + 4) != NULL);
		if (strstr(cases[i].told, "busy:"))
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
	CHECK_TEXT(until("ended", PATIENCE), "connecting ended3:authentication ");
	CHECK(strstr(said, "no such key: ***") != NULL && strstr(said, "secret") == NULL);
	stop();

	usual();
	plan.refuse = gone;
	start();
	CHECK_TEXT(until("up", PATIENCE), "connecting up ");
	socket_cut(seat->socket);
	CHECK_TEXT(until("up", PATIENCE),
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
			CHECK_TEXT(until("backoff", PATIENCE), "connecting backoff:cannot_connect ");
			CHECK(retry_ms >= 0 && retry_ms <= most[i]);
			if (i == 3)
				break;
			l->due = time_ms(); /* need not wait */
		}
		l->attempt = 30;
		l->due = time_ms();
		until("backoff", PATIENCE);
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
	    {"ChannelRateLimitReached: x", "connecting busy:rate_limited up ", 1},
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
		CHECK_TEXT(until(strstr(cases[i / 2].told, "ended") ? "ended" : "up", PATIENCE),
		    cases[i / 2].told);
		CHECK(upgrades == cases[i / 2].upgrades);
		stop();
	}
}

int
main(void)
{
	begin();
	test_upgrade();
	test_words();
	test_nobody();
	test_joins();
	return end();
}
