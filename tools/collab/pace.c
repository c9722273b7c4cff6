#include "tools/collab/pace.h"

#include <math.h>

enum { BURST_S = 5, MINUTE_MS = 60000 };

/* A learnt rate this many times above what tripped the relay is no limit any more. */
enum { FORGET = 64 };

void
pace_open(struct pace *p, int64_t now, double rate, double debt)
{
	*p = (struct pace){.rate = rate > 0 ? rate : 0, .debt = debt, .at = now};
	p->wanted = p->rate;
	p->level = p->rate * BURST_S;
}

static void
rise(struct pace *p, int64_t now)
{
	while (p->slowed && now - p->slowed >= MINUTE_MS) {
		p->slowed += MINUTE_MS;
		p->rate *= 2;
		if (p->wanted > 0 ? p->rate >= p->wanted : p->rate >= p->recent * FORGET + FORGET) {
			p->rate = p->wanted;
			p->slowed = 0;
		}
	}
}

static void
refill(struct pace *p, int64_t now)
{
	double s = (double)(now - p->at) / 1000;

	if (now <= p->at)
		return;
	p->at = now;
	p->level += s * p->rate;
	p->recent *= exp(-s / BURST_S);
	rise(p, now);
	if (p->level > p->rate * BURST_S)
		p->level = p->rate * BURST_S;
}

int64_t
pace_wait(struct pace *p, int64_t now, double cost)
{
	double lacks, ms;

	refill(p, now);
	if (p->rate <= 0)
		return 0;
	lacks = (cost < p->rate * BURST_S ? cost : p->rate * BURST_S) - p->level;
	/* A millionth is what adding up in doubles may lose. */
	if (lacks <= 1e-6)
		return 0;
	ms = ceil(lacks / p->rate * 1000);
	return ms < 86400e3 ? (int64_t)ms + (ms < 1) : 86400000;
}

void
pace_spend(struct pace *p, int64_t now, double cost)
{
	refill(p, now);
	p->recent += cost;
	p->level -= cost;
	if (p->level < -p->debt * p->rate)
		p->level = -p->debt * p->rate;
}

void
pace_slow(struct pace *p, int64_t now)
{
	refill(p, now);
	/* Many complaints about one excess are one. */
	if (p->slowed && now - p->slowed < BURST_S * 1000)
		return;
	p->rate = p->rate > 0 ? p->rate / 2 : p->recent / BURST_S / 2;
	if (p->rate < 1)
		p->rate = 1;
	p->level = 0;
	p->slowed = now > 0 ? now : 1;
}
