/*
 * backoff: how long to wait before trying again.
 *
 * Exponential with full jitter, so that many who failed together do not come
 * back together. Source: M. Brooker, "Exponential Backoff And Jitter", AWS
 * Architecture Blog, 2015; numbers by SplitMix64 (Steele, Lea, Flood 2014).
 */
#ifndef KANDIL_BACKOFF_H
#define KANDIL_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

/* Zero-initialised is ready: the first wait seeds it with random bytes. */
struct backoff {
	uint64_t state;
	bool seeded;
};

/* The same waits again, for tests. */
void backoff_seed(struct backoff *, uint64_t seed);
/*
 * Milliseconds before the next try: the minimum (what the server asked for,
 * 0 when it did not, of any length) and a random part of 0 to
 * min(cap, base × 2^attempt), ends included. attempt counts from 0; negative
 * lengths are 0.
 */
int64_t backoff_wait(struct backoff *, unsigned attempt, int64_t base_ms, int64_t cap_ms,
    int64_t minimum_ms);

#endif
