/*
 * rate: when the next request to a model may go.
 *
 * Two governors, both pure (the caller says what time it is). Buckets hold the
 * requests and tokens of a minute, those that the user allows and those that
 * the server's headers tell of; an ask takes an estimate out and puts
 * back what it did not use. A pace holds how many may be in flight: it doubles
 * while all goes well from the start, then grows by one a round. What the server
 * refuses as too much lowers it, by half a place each and by half of all in one round at the
 * most, so that a few refusals among many replies cost little and a round of
 * them halves it. Sources: V. Jacobson, M. Karels, "Congestion Avoidance and Control",
 * 1988; RFC 5681 for the names; RFC 8257 for cuts by the share of what was refused.
 */
#ifndef KANDIL_AI_RATE_H
#define KANDIL_AI_RATE_H

#include "tools/ai/provider.h"

enum rate_kind { RATE_REQUESTS, RATE_TOKENS, RATE_INPUT, RATE_OUTPUT, RATE_KINDS };

struct bucket {
	double size, level; /* size 0: no limit is known */
	double per_ms;
	int64_t at; /* when level was true, ms */
};

struct buckets {
	struct bucket user[RATE_KINDS], learnt[RATE_KINDS];
	double held[RATE_KINDS]; /* taken by those in flight */
};

/* What one request takes. */
struct amount {
	long long input, output;
};

/* per minute, 0: unlimited; --tpm is joint where there is no --output-tpm. */
void buckets_open(struct buckets *, int64_t now, long rpm, long tpm, long output_tpm);
/* 0: taken; else ms until it is worth asking again (nothing is taken). */
int64_t buckets_take(struct buckets *, int64_t now, struct amount);
/*
 * A request that took `taken` has ended and used `used`; limits: what its
 * reply's headers say, which then is believed, or NULL.
 */
void buckets_settle(struct buckets *, int64_t now, struct amount taken, struct amount used,
    const struct limits *);

struct pace {
	double window;
	int most;	  /* --jobs */
	bool steady;	  /* the first cut ended the doubling */
	int64_t cut;	  /* when the round began in which it is being lowered, ms */
	double least;	  /* and no further than to this in that round */
	int64_t paused;	  /* until then nothing goes, ms */
	uint64_t refused; /* the last request for which a pause was wanted, by number */
};

void pace_open(struct pace *, int start, int most);
/* How many may be in flight, at least 1. */
int pace_limit(const struct pace *);
/*
 * Requests are numbered in the order they are sent, from 1. A reply to one that
 * went later than all that were refused shows that the server takes others: a pause ends.
 */
void pace_good(struct pace *, uint64_t number);
/* A request that was sent at `sent` met too much load. */
void pace_bad(struct pace *, int64_t now, int64_t sent);
/* The server wants nothing before now + ms, it said to that request; which waits by itself. */
void pace_pause(struct pace *, int64_t now, int64_t ms, uint64_t number);

#endif
