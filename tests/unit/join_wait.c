/*
 * When a wait is told of: two seconds after it began, then once a minute, whenever it is
 * looked at.
 */
#include "tests/unit/check.h"
#include "tools/collab/join_part.h"

#include "common/time.h"

#include <stdlib.h>

static uint64_t seed;

static int64_t
random_below(int64_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (int64_t)(seed >> 33) % n;
}

static void
test_due(void)
{
	struct join_wait w = {0};
	int64_t now = 0, begun = -1, said = -1;

	for (int i = 0; i < 200000; i++) {
		bool waiting = begun >= 0 ? random_below(2000) > 0 : random_below(4) == 0, due;

		now += random_below(500);
		if (!waiting)
			begun = said = -1;
		else if (begun < 0)
			begun = now;
		due = join_wait_due(&w, waiting, now);
		CHECK(due == (waiting && (said < 0 ? now - begun >= 2000 : now - said >= 60000)));
		if (due)
			said = now;
	}
}

int
main(int argc, char **argv)
{
	seed = argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)time_ns();
	printf("seed %llu\n", (unsigned long long)seed);
	test_due();
	return check_done();
}
