#include "tools/collab/pace.h"
#include "tests/unit/check.h"

/* How many sends of that cost go in s seconds, each as soon as it may. */
static int
sends(struct pace *p, int64_t *now, double cost, int s)
{
	int64_t end = *now + (int64_t)s * 1000, wait;
	int n = 0;

	for (;;) {
		wait = pace_wait(p, *now, cost);
		if (wait == 0) {
			pace_spend(p, *now, cost);
			n++;
			continue;
		}
		if (*now + wait > end)
			break;
		*now += wait;
	}
	*now = end;
	return n;
}

static void
test_rate(void)
{
	struct pace p;
	int64_t now = 7;
	int n;

	/* 100 a second with a burst of 5 s, ten a send. */
	pace_open(&p, now, 100, 10);
	CHECK(sends(&p, &now, 10, 0) == 50);
	n = sends(&p, &now, 10, 60);
	CHECK(n >= 598 && n <= 601);
	/* Unlimited. */
	pace_open(&p, now, 0, 10);
	pace_spend(&p, now, 1e9);
	CHECK(pace_wait(&p, now, 1e9) == 0);
	/* More than a whole bucket goes when that is full, and is paid for after. */
	pace_open(&p, now, 1, 1000);
	CHECK(pace_wait(&p, now, 100) == 0);
	pace_spend(&p, now, 100);
	CHECK(pace_wait(&p, now, 1) == 96000);
	now += 96000;
	CHECK(pace_wait(&p, now, 1) == 0);
	CHECK(pace_wait(&p, now, 100) == 4000);
}

/* All who share a topic keep to one rate, for each hears the others. */
static void
test_shared(void)
{
	struct pace p[5];
	double sum = 0;

	for (int i = 0; i < 5; i++)
		pace_open(&p[i], 0, 200, 10);
	for (int64_t now = 0; now < 120000; now++)
		for (int i = 0; i < 5; i++) {
			if (pace_wait(&p[i], now, 5) != 0)
				continue;
			for (int k = 0; k < 5; k++)
				pace_spend(&p[k], now, 5);
			sum += 5;
		}
	CHECK(sum >= 200 * 115 && sum <= 200 * 127);
	/* Others' excess silences us for so long, no longer. */
	for (int k = 0; k < 1000; k++)
		pace_spend(&p[0], 120000, 1000);
	CHECK(pace_wait(&p[0], 120000, 200) == 11000);
}

static void
test_slow(void)
{
	struct pace p;
	int64_t now = 1000;
	int n;

	pace_open(&p, now, 100, 10);
	sends(&p, &now, 1, 30);
	pace_slow(&p, now);
	pace_slow(&p, now + 1);
	n = sends(&p, &now, 1, 50);
	CHECK(n >= 2490 && n <= 2510);
	/* A minute without a complaint: as before. */
	now += 20000;
	n = sends(&p, &now, 1, 30);
	CHECK(n >= 3000 && n <= 3510);
	/* Without a rate, half of what it was. */
	pace_open(&p, now, 0, 10);
	for (int i = 0; i < 30000; i++, now++)
		pace_spend(&p, now, 1);
	pace_slow(&p, now);
	n = sends(&p, &now, 1, 50);
	CHECK(n >= 22000 && n <= 28000);
}

int
main(void)
{
	test_rate();
	test_shared();
	test_slow();
	return check_done();
}
