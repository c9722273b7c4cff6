/*
 * money: what this run may spend, has set aside, and has spent.
 *
 * Exact, in billionths of the price file's currency. A request sets aside
 * what it will probably cost before it goes, so that --max-cost is passed by
 * no more than what is in flight.
 */
#ifndef KANDIL_AI_MONEY_H
#define KANDIL_AI_MONEY_H

#include "tools/ai/ai.h"
#include "tools/ai/price.h"
#include "tools/ai/rate.h"

struct money {
	struct prices *prices;
	long long most; /* -1: no limit */
	long long spent, aside;
	long long guessed; /* spent too, perhaps */
	bool batch;	/* at the batch API's price */
	bool known;	/* of anything asked, a price is known */
	struct usage usage;
};

/* 0, or -1 with e: "bad_value" (--max-cost), and what prices_open gives. */
int money_open(struct money *, const struct settings *, struct err *e);
void money_close(struct money *);
/* NULL: not known. */
const struct price *money_price(struct money *, const struct endpoint *, struct slice model);
/* Tokens that an ask will probably take; mean: of the outputs before, 0: none yet. */
struct amount money_estimate(const struct ask *, double mean);
/* Sets aside; false when that may pass the limit (nothing is set aside). */
bool money_reserve(struct money *, const struct price *, struct amount, long long *reserved);
void money_settle(struct money *, long long *reserved);
/* A reply has been paid for. */
void money_spend(struct money *, const struct price *, const struct usage *);
/* The same where the server does not say what it took: counts towards --max-cost alone. */
void money_guess(struct money *, const struct price *, struct amount);
/* Adds a reply to what a record has used and cost. */
void money_count(struct money *, const struct price *, const struct usage *, struct usage *sum,
    long long *cost, bool *priced);

bool money_known(const struct money *);
long long money_spent(const struct money *);
const struct usage *money_usage(const struct money *);
const char *money_currency(const struct money *);
/* Appends "0.000123". */
void money_put(const struct money *, long long amount, struct buf *);

#endif
