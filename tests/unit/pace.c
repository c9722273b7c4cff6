#include "tools/collab/pace.h"
#include "common/backoff.h"
#include "tests/unit/check.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

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

/* All who share a topic keep to one quota, for each hears the others. */
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
			pace_spend(&p[i], now, 5);
			for (int k = 0; k < 5; k++)
				if (k != i)
					pace_heard(&p[k], now, 5);
			sum += 5;
		}
	CHECK(sum >= 200 * 115 && sum <= 200 * 127);
	/* Others' excess silences us for so long, no longer. */
	for (int k = 0; k < 1000; k++)
		pace_heard(&p[0], 120000, 1000);
	CHECK(pace_wait(&p[0], 120000, 200) == 11000);
}

/* ---- relays that refuse ---- */

enum { BUCKETS = 12, BUCKET_MS = 5000 };

/*
 * rate messages a second, of all its senders: a token bucket of so many, as our hub has, or
 * burst 0: the mean over up to twelve buckets of five seconds, looked at when one begins, as
 * Supabase has it.
 */
struct relay {
	double rate, burst, used;
	int64_t at;
	double bucket[BUCKETS];
	int n;
	bool over;
};

static bool
take_mean(struct relay *r, int64_t now)
{
	while (now >= r->at + BUCKET_MS) {
		double sum = 0;

		r->n += r->n < BUCKETS;
		for (int i = 0; i < r->n; i++)
			sum += r->bucket[i];
		r->over = sum * 1000 / BUCKET_MS / r->n >= r->rate;
		memmove(r->bucket + 1, r->bucket, (BUCKETS - 1) * sizeof(*r->bucket));
		r->bucket[0] = 0;
		r->at += BUCKET_MS;
	}
	r->bucket[0]++;
	return !r->over;
}

static bool
take(struct relay *r, int64_t now)
{
	if (r->burst <= 0)
		return take_mean(r, now);
	r->used = fmax(0, r->used - (double)(now - r->at) / 1000 * r->rate);
	r->at = now;
	if (r->used + 1 > r->burst)
		return false;
	r->used++;
	return true;
}

/* A member behind a link, which is away for 2 to 10 s after a refusal, as link.c is. */
struct sender {
	struct pace pace;
	struct backoff jitter;
	unsigned attempt;
	int64_t up_at, refused; /* up from; -1: was not */
	double waiting;		/* messages that are to go */
	int taken, closes;	/* of this minute */
	bool kept;		/* a refusal did not slow it down */
};

static void
refuse(struct sender *s, int64_t now)
{
	double before = s->pace.rate;

	pace_slow(&s->pace, now);
	s->kept |= before > 0 && s->pace.rate > before * 0.95;
	s->closes++;
	if (s->refused - s->up_at >= 10000)
		s->attempt = 0;
	s->up_at = now + backoff_wait(&s->jitter, s->attempt++, 2000, 8000, 2000);
	s->refused = -1;
}

static void
run(struct sender *s, struct relay *r, int64_t now, int64_t trip)
{
	if (s->refused >= 0 && now >= s->refused + trip)
		refuse(s, now);
	if (now < s->up_at)
		return;
	for (int i = 0; i < 256 && s->waiting >= 1 && pace_wait(&s->pace, now, 2) == 0; i++) {
		pace_spend(&s->pace, now, 2);
		if (s->refused >= 0)
			continue;
		if (take(r, now)) {
			pace_taken(&s->pace, now);
			s->waiting--;
			s->taken++;
		} else {
			s->refused = now;
		}
	}
}

static void
sender_open(struct sender *s, uint64_t seed)
{
	*s = (struct sender){.refused = -1};
	backoff_seed(&s->jitter, seed);
	pace_open(&s->pace, 0, 0, 10);
}

/* Who has always more to say: what of the limit it gets in each minute, how often it is refused. */
static void
check_bucket(double rate, double burst, int64_t trip, uint64_t seed)
{
	/* Each halving once, from what went at once to the limit, and three to find it. */
	int first = 3 + (int)ceil(log2(fmax(1, burst / rate)));
	struct relay r = {.rate = rate, .burst = burst};
	struct sender s;
	double least = 1;
	int most = 0;

	sender_open(&s, seed);
	for (int64_t now = 0; now < 300000; now++) {
		s.waiting = 1000000;
		run(&s, &r, now, trip);
		if ((now + 1) % 60000)
			continue;
		least = fmin(least, s.taken / (60 * rate));
		if (now < 60000)
			CHECK(s.closes <= first);
		else
			most = s.closes > most ? s.closes : most;
		s.taken = s.closes = 0;
	}
	if (least < 0.7 || most > 2 || s.kept)
		printf("pace: rate %g, burst %g, trip %" PRId64 ", seed %" PRIu64 ": at least "
		       "%.0f %%, at most %d closes\n", rate, burst, trip, seed, 100 * least, most);
	CHECK(least >= 0.7);
	CHECK(most <= 2);
	CHECK(!s.kept);
}

/* Token buckets of a second's worth, as our hub's, and of more. */
static void
test_buckets(void)
{
	static const double rates[] = {1, 3, 20, 100, 1000};
	static const int64_t trips[] = {0, 50, 300};

	for (size_t i = 0; i < 5; i++)
		for (size_t k = 0; k < 3; k++)
			for (uint64_t seed = 1; seed <= 3; seed++) {
				double rate = rates[i];

				check_bucket(rate, fmax(10, rate), trips[k], seed);
				check_bucket(rate, fmax(20, 2 * rate), trips[k], seed);
				check_bucket(rate, fmax(50, 10 * rate), trips[k], seed);
			}
}

/*
 * A mean over a minute punishes what was too much for as long: after two minutes it gets its part,
 * and does not fall below for good.
 */
static void
test_mean(void)
{
	static const double excess[] = {1.5, 4};

	for (int i = 0; i < 2; i++)
		for (uint64_t seed = 1; seed <= 3; seed++) {
			struct relay r = {.rate = 50};
			struct sender s;
			int closes = 0;

			sender_open(&s, seed);
			for (int64_t now = 0; now < 720000; now++) {
				s.waiting += excess[i] * r.rate / 1000;
				run(&s, &r, now, 50);
				if (now == 120000)
					s.taken = s.closes = 0;
			}
			closes = s.closes;
			CHECK(s.taken >= 0.7 * 600 * r.rate);
			CHECK(closes <= 30);
		}
}

/* Several who share one limit and do not count each other: each gets a part that is worth it. */
static void
test_parts(void)
{
	struct relay r = {.rate = 40, .burst = 40};
	struct sender s[4];
	int sum = 0;

	for (uint64_t i = 0; i < 4; i++)
		sender_open(&s[i], i + 1);
	for (int64_t now = 0; now < 600000; now++)
		for (int i = 0; i < 4; i++) {
			s[i].waiting = 1000000;
			run(&s[i], &r, now, 50);
		}
	for (int i = 0; i < 4; i++) {
		sum += s[i].taken;
		CHECK(s[i].taken >= 600 * 40 / 4 / 4);
		CHECK(s[i].closes <= 40);
	}
	CHECK(sum >= 0.7 * 600 * 40);
}

/* ---- the rate that is learnt ---- */

/* A limit that is ten times as high is found within four minutes. */
static void
test_higher(void)
{
	struct relay r = {.rate = 10, .burst = 10};
	struct sender s;

	sender_open(&s, 1);
	for (int64_t now = 0; now < 600000; now++) {
		s.waiting = 1000000;
		run(&s, &r, now, 50);
		if (now == 300000)
			r.rate = r.burst = 100;
		if (now == 540000)
			s.taken = 0;
	}
	CHECK(s.taken >= 0.7 * 60 * 100);
}

/* Who has little to say learns no more of it: the burst after an hour is as careful as before. */
static void
test_idle(void)
{
	struct pace p;
	int64_t now = 1000;
	double rate;
	int n;

	pace_open(&p, now, 0, 10);
	for (int i = 0; i < 40; i++)
		pace_spend(&p, now, 2), pace_taken(&p, now);
	pace_slow(&p, now);
	rate = p.rate;
	CHECK(rate == 20);
	for (int i = 0; i < 3600; i++, now += 1000)
		if (pace_wait(&p, now, 2) == 0)
			pace_spend(&p, now, 2), pace_taken(&p, now);
	CHECK(p.rate < 2 * rate);
	n = sends(&p, &now, 2, 0);
	CHECK(n >= 1 && n <= 10);
	/* What others say does not silence us: it is the quota that counts it. */
	for (int i = 0; i < 1000; i++)
		pace_heard(&p, now, 2);
	CHECK(pace_wait(&p, now, 2) <= 100);
	/* Refusals that never end leave little, from which it comes back. */
	for (int i = 0; i < 100; i++, now += 3000)
		pace_slow(&p, now);
	CHECK(p.rate > 0 && p.rate <= 1);
	sends(&p, &now, 2, 120);
	n = sends(&p, &now, 2, 60);
	CHECK(n >= 60 * (int)rate);
	/* It stays below the quota as well, and what goes without asking is paid for. */
	pace_open(&p, now, 10, 10);
	pace_slow(&p, now);
	for (int i = 0; i < 5; i++)
		pace_spend(&p, now, 2);
	CHECK(pace_wait(&p, now, 2) == 1000);
	n = 0;
	for (int i = 0; i < 300; i++, now += 1000)
		n += sends(&p, &now, 2, 0);
	CHECK(n > 1200 && n <= 1500 + 25);
}

int
main(void)
{
	test_rate();
	test_shared();
	test_idle();
	test_higher();
	test_buckets();
	test_mean();
	test_parts();
	return check_done();
}
