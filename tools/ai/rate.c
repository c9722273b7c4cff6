#include "tools/ai/rate.h"

/*
 * A user's bucket holds a burst of five seconds, and one request at the least:
 * servers count in shorter spans than the minute they publish.
 */
enum { MINUTE_MS = 60000, BURST = 12 };

static void
bucket_open(struct bucket *b, int64_t now, long per_minute)
{
	*b = (struct bucket){0};
	if (per_minute <= 0)
		return;
	b->per_ms = (double)per_minute / MINUTE_MS;
	b->size = (double)per_minute / BURST;
	if (b->size < 1)
		b->size = 1;
	b->level = b->size;
	b->at = now;
}

void
buckets_open(struct buckets *b, int64_t now, long rpm, long tpm, long output_tpm)
{
	*b = (struct buckets){0};
	bucket_open(&b->user[RATE_REQUESTS], now, rpm);
	bucket_open(&b->user[output_tpm ? RATE_INPUT : RATE_TOKENS], now, tpm);
	bucket_open(&b->user[RATE_OUTPUT], now, output_tpm);
}

static void
refill(struct bucket *b, int64_t now)
{
	if (now > b->at) {
		b->level += (double)(now - b->at) * b->per_ms;
		b->at = now;
	}
	if (b->level > b->size)
		b->level = b->size;
}

/* What is more than the whole bucket goes when it is full, into debt. */
static int64_t
wait_for(struct bucket *b, int64_t now, double want)
{
	double lacks;

	if (b->size <= 0 || want <= 0)
		return 0;
	refill(b, now);
	lacks = (want < b->size ? want : b->size) - b->level;
	/* A millionth is what adding up in doubles may lose. */
	if (lacks <= 1e-6)
		return 0;
	lacks = b->per_ms > 0 ? lacks / b->per_ms : MINUTE_MS;
	return lacks > 86400e3 ? 86400000 : (int64_t)lacks + 1;
}

static void
spread(struct amount a, double want[RATE_KINDS])
{
	want[RATE_REQUESTS] = 1;
	want[RATE_TOKENS] = (double)(a.input + a.output);
	want[RATE_INPUT] = (double)a.input;
	want[RATE_OUTPUT] = (double)a.output;
}

int64_t
buckets_take(struct buckets *b, int64_t now, struct amount a)
{
	double want[RATE_KINDS];
	int64_t wait = 0;

	spread(a, want);
	for (int k = 0; k < RATE_KINDS; k++) {
		int64_t user = wait_for(&b->user[k], now, want[k]);
		int64_t learnt = wait_for(&b->learnt[k], now, want[k]);

		if (user > wait)
			wait = user;
		if (learnt > wait)
			wait = learnt;
	}
	if (wait)
		return wait;
	for (int k = 0; k < RATE_KINDS; k++) {
		b->user[k].level -= want[k];
		b->learnt[k].level -= want[k];
		b->held[k] += want[k];
	}
	return 0;
}

/*
 * The slope is what the server says: all of what is used comes back by the
 * reset. What others in flight took may not be in `remaining` yet: it is
 * taken off, which errs on the slow side by one round trip.
 */
static void
learn(struct bucket *b, int64_t now, const struct rate *r, double others)
{
	b->size = (double)r->limit;
	b->per_ms = (double)r->limit / MINUTE_MS;
	if (r->reset_ms > 0 && r->remaining < r->limit)
		b->per_ms = (double)(r->limit - r->remaining) / (double)r->reset_ms;
	b->level = (double)r->remaining - others;
	b->at = now;
}

void
buckets_settle(struct buckets *b, int64_t now, struct amount taken, struct amount used,
    const struct limits *limits)
{
	double took[RATE_KINDS], spent[RATE_KINDS];

	spread(taken, took);
	spread(used, spent);
	for (int k = 0; k < RATE_KINDS; k++) {
		const struct rate *r = limits == NULL ? NULL
		    : k == RATE_REQUESTS ? &limits->requests
		    : k == RATE_TOKENS ? &limits->tokens
		    : k == RATE_INPUT ? &limits->input : &limits->output;

		b->held[k] = b->held[k] > took[k] ? b->held[k] - took[k] : 0;
		b->user[k].level += took[k] - spent[k];
		if (r && r->limit > 0 && r->remaining >= 0)
			learn(&b->learnt[k], now, r, b->held[k]);
		else
			b->learnt[k].level += took[k] - spent[k];
	}
}

void
pace_open(struct pace *p, int start, int most)
{
	*p = (struct pace){.most = most > 0 ? most : 1};
	p->window = start < p->most ? start : p->most;
	if (p->window < 1)
		p->window = 1;
}

int
pace_limit(const struct pace *p)
{
	return (int)p->window;
}

void
pace_good(struct pace *p, uint64_t number)
{
	if (number > p->refused)
		p->paused = 0;
	p->window += p->steady ? 1 / p->window : 1;
	if (p->window > p->most)
		p->window = p->most;
}

void
pace_bad(struct pace *p, int64_t now, int64_t sent)
{
	p->steady = true;
	if (sent > p->cut) {
		p->cut = now;
		p->least = p->window / 2 < 1 ? 1 : p->window / 2;
	}
	p->window -= 0.5;
	if (p->window < p->least)
		p->window = p->least;
}

void
pace_pause(struct pace *p, int64_t now, int64_t ms, uint64_t number)
{
	if (ms <= 0)
		return;
	if (now + ms > p->paused)
		p->paused = now + ms;
	if (number > p->refused)
		p->refused = number;
}
