#include "common/backoff.h"

#include "common/time.h"

#include <sys/random.h>

void
backoff_seed(struct backoff *b, uint64_t seed)
{
	*b = (struct backoff){.state = seed, .seeded = true};
}

static uint64_t
next(struct backoff *b)
{
	uint64_t z = b->state += 0x9E3779B97F4A7C15;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
	z = (z ^ z >> 27) * 0x94D049BB133111EB;
	return z ^ z >> 31;
}

int64_t
backoff_wait(struct backoff *b, unsigned attempt, int64_t base_ms, int64_t cap_ms,
    int64_t minimum_ms)
{
	int64_t minimum = minimum_ms > 0 ? minimum_ms : 0, most = base_ms > 0 ? base_ms : 0;
	uint64_t seed;

	if (!b->seeded) {
		if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
			seed = (uint64_t)time_ns(); /* early in a boot; jitter is no secret */
		backoff_seed(b, seed);
	}
	if (cap_ms < most)
		most = cap_ms > 0 ? cap_ms : 0;
	for (; attempt > 0 && most > 0 && most < cap_ms; attempt--)
		most = most > cap_ms / 2 ? cap_ms : most * 2;
	if (most > INT64_MAX - minimum)
		most = INT64_MAX - minimum;
	/* 2^64 is so much more than any wait that the remainder is even enough. */
	return minimum + (int64_t)(next(b) % ((uint64_t)most + 1));
}
