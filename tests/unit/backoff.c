#include "common/backoff.h"
#include "tests/unit/check.h"

/* Every wait is within its bounds, spread over all of them, and the same for the same seed. */
static void
test_bounds(void)
{
	struct backoff a = {0}, b = {0};
	int tenths[10] = {0}, outside = 0, unlike = 0;

	backoff_seed(&a, 7);
	backoff_seed(&b, 7);
	for (unsigned i = 0; i < 100000; i++) {
		unsigned attempt = i % 40;
		int64_t cap = 60000, most = attempt < 10 ? 500LL << attempt : cap;
		int64_t wait = backoff_wait(&a, attempt, 500, cap, 3000) - 3000;

		most = most < cap ? most : cap;
		outside += wait < 0 || wait > most;
		unlike += wait + 3000 != backoff_wait(&b, attempt, 500, cap, 3000);
		tenths[wait * 10 / (most + 1)]++;
	}
	CHECK(outside == 0);
	CHECK(unlike == 0);
	for (int i = 0; i < 10; i++)
		CHECK(tenths[i] > 9000 && tenths[i] < 11000);
}

static void
test_edges(void)
{
	struct backoff b = {0}, other = {0};
	int same = 0;

	CHECK(backoff_wait(&b, 5, 0, 1000, 0) == 0);
	CHECK(backoff_wait(&b, 5, 100, 0, 42) == 42);
	CHECK(backoff_wait(&b, 5, -1, -1, -1) == 0);
	CHECK(backoff_wait(&b, 4000000000U, 1, INT64_MAX, 0) >= 0);
	CHECK(backoff_wait(&b, 70, INT64_MAX, INT64_MAX, INT64_MAX) == INT64_MAX);
	CHECK(backoff_wait(&b, 0, 1, 1, 604800000) >= 604800000); /* a week is obeyed */
	/* Two processes do not wait alike. */
	for (int i = 0; i < 100; i++)
		same += backoff_wait(&b, 30, 1000, 1 << 30, 0) ==
		    backoff_wait(&other, 30, 1000, 1 << 30, 0);
	CHECK(same < 5);
}

int
main(void)
{
	test_bounds();
	test_edges();
	return check_done();
}
