#include "tools/collab/pace.h"

#include <math.h>

enum {
	BURST_S = 5,
	DOUBLING_S = 3,	 /* of the rate, before the limit was measured */
	CUBIC_S = 60,	 /* so long after the cubic reached the ceiling it is twice that */
	LOOK_MS = 1000,	 /* a rate that grows is looked at again */
	UNLIMITED = 1000000, /* messages a second: that is no limit any more */
};
static const double BEGIN = 1, LEAST = 0.1; /* messages a second */
static const double DEPTH_S = 0.25, MEASURED_S = 1, LOWER = 0.9;

void
pace_open(struct pace *p, int64_t now, double quota, double debt)
{
	*p = (struct pace){.quota = quota > 0 ? quota : 0, .debt = debt, .at = now};
	p->level = p->quota * BURST_S;
}

/* So many messages of the rate may go at once. */
static double
depth(const struct pace *p)
{
	return p->rate * DEPTH_S > 1 ? p->rate * DEPTH_S : 1;
}

static void
grow(struct pace *p, double s)
{
	double x;

	/* A pause in which nobody asked, as while the link was down, counts for no more. */
	p->busy += s < 2.0 * LOOK_MS / 1000 ? s : 2.0 * LOOK_MS / 1000;
	if (p->ceiling > 0) {
		x = p->busy / CUBIC_S - cbrt(1 - p->base / p->ceiling);
		p->rate = p->ceiling * (1 + x * x * x);
	} else {
		p->rate = p->base * exp2(p->busy / DOUBLING_S);
	}
	if (p->rate >= UNLIMITED)
		p->rate = 0;
}

static void
refill(struct pace *p, int64_t now)
{
	double s = (double)(now - p->at) / 1000;

	if (now <= p->at)
		return;
	p->at = now;
	p->recent *= exp(-s);
	p->level = fmin(p->level + s * p->quota, p->quota * BURST_S);
	if (p->rate <= 0)
		return;
	p->room = fmin(p->room + s * p->rate, depth(p));
	if (p->held)
		grow(p, s);
}

/* Until a bucket that has so much, and has room for most, has the cost: ms. */
static double
until(double has, double most, double rate, double cost)
{
	double lacks = fmin(cost, most) - has;

	/* A millionth is what adding up in doubles may lose. */
	return rate <= 0 || lacks <= 1e-6 ? 0 : fmax(1, ceil(lacks / rate * 1000));
}

int64_t
pace_wait(struct pace *p, int64_t now, double cost)
{
	double quota, learnt;

	refill(p, now);
	quota = until(p->level, p->quota * BURST_S, p->quota, cost);
	learnt = fmin(until(p->room, depth(p), p->rate, 1), LOOK_MS);
	p->held = learnt > quota;
	return (int64_t)fmin(fmax(quota, learnt), 86400e3);
}

void
pace_heard(struct pace *p, int64_t now, double cost)
{
	refill(p, now);
	p->level = fmax(p->level - cost, -p->debt * p->quota);
}

void
pace_spend(struct pace *p, int64_t now, double cost)
{
	pace_heard(p, now, cost);
	p->room = fmax(p->room - 1, -p->debt * p->rate);
}

void
pace_taken(struct pace *p, int64_t now)
{
	refill(p, now);
	p->taken++;
	p->recent++;
}

/*
 * The limit lies between what was taken on the average of all the time since the last refusal,
 * when the relay had nothing left either, and of the time in which we sent as fast as we might.
 */
static void
measure(struct pace *p, double s)
{
	double low = s > 0 ? p->taken / s : 0, high;

	p->base = fmax(LEAST, fmin(fmax(p->rate / 2, low), p->rate * LOWER));
	if (p->busy < MEASURED_S)
		return;
	high = fmin(p->taken / p->busy, p->rate);
	p->ceiling = fmax(p->base, (low + high) / 2);
}

void
pace_slow(struct pace *p, int64_t now)
{
	refill(p, now);
	if (p->rate > 0) {
		measure(p, (double)(now - p->slowed) / 1000);
	} else {
		p->base = fmax(BEGIN, p->recent / 2);
		p->ceiling = 0;
	}
	p->rate = p->base;
	p->room = p->busy = p->taken = p->recent = 0;
	p->held = false;
	p->slowed = now;
}
