/*
 * limit: buckets against a model, whatever the clock does; and keys: who is over its rate stays
 * so when it comes anew, and those of whom nothing is to be remembered take no memory.
 */
#include "tests/unit/check.h"
#include "tools/collab/hub_part.h"

#include "common/time.h"

#include <stdlib.h>

static unsigned long long seed;

static unsigned
random_below(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

/* In any span of t seconds no more than the burst and rate × t; and when all has been quiet, that. */
static void
test_bucket(double rate)
{
	double burst = rate > 10 ? rate : 10;
	struct limit l = {0};
	int64_t now = 1000, begin = now;
	unsigned long taken = 0;

	for (int i = 0; i < 20000; i++) {
		now += random_below(30);
		taken += limit_take(&l, rate, now);
		CHECK((double)taken <= burst + rate * (double)(now - begin) / 1000 + 0.001);
	}
	CHECK((double)taken >= rate * (double)(now - begin) / 1000 * 0.9 || rate > 60);
	CHECK(limit_room(&l, rate, now + 100000000) >= burst - 0.001);
	/* A clock that goes back gives nothing. */
	l = (struct limit){0};
	while (limit_take(&l, rate, 50000))
		;
	CHECK(!limit_take(&l, rate, 10) && !limit_take(&l, rate, 50000));
	limit_give(&l);
	CHECK(limit_take(&l, rate, 50000) && !limit_take(&l, rate, 50000));
}

static void
test_keys(void)
{
	struct hub hub = {.settings = {.max_key_rate = 0.01, .max_joins = 5}};
	struct key_use *use, *busy[300];
	char name[40];

	/* All that it has, and away. */
	use = limit_key(&hub, "greedy");
	CHECK(limit_rest(&hub, use, 10, time_ms()) == NULL);
	limit_key_done(use);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "busy%d", i);
		busy[i] = limit_key(&hub, name);
	}
	for (int i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "passer%d", i);
		limit_key_done(limit_key(&hub, name));
	}
	CHECK(hub.uses.used < 1500);
	use = limit_key(&hub, "greedy");
	CHECK_TEXT(limit_rest(&hub, use, 1, time_ms()), "You have exceeded your rate limit");
	limit_key_done(use);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "busy%d", i);
		CHECK(limit_key(&hub, name) == busy[i] && busy[i]->conns == 2);
	}
	limits_free(&hub);
}

int
main(int argc, char **argv)
{
	seed = argc > 1 ? strtoull(argv[1], NULL, 10) : (unsigned long long)time_ns();
	printf("seed %llu\n", seed);
	test_bucket(0.5);
	test_bucket(7);
	test_bucket(1000);
	test_keys();
	return check_done();
}
