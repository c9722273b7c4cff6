/*
 * price: what a reply costs, from a dated table that anyone can edit; and how many tokens a text
 * may be, before anyone has counted them.
 *
 * The table is a file, prices/models.tsv, which says where its figures come from and when. A model
 * that is not in it has no price: never a guess. Money is exact: prices are picodollars a token,
 * amounts nanodollars (10^-9 USD) that stop at a bound instead of overflowing; a fraction of a
 * nanodollar is rounded up, so that a budget is never passed by rounding.
 */
#ifndef KANDIL_AI_PRICE_H
#define KANDIL_AI_PRICE_H

#include "common/buf.h"
#include "common/die.h"

/* Nanodollars: what one reply can cost at most, a million dollars, so that sums have room. */
#define PRICE_MOST INT64_C(1000000000000000)

/* What a row says; "above" chains to the price of longer prompts. */
struct price {
	const char *provider, *model; /* as the row has them */
	const char *source;	      /* where from and when */
	uint64_t above;		      /* prompts of more tokens than this */
	long long input, cached, output; /* picodollars a token = 10^-6 dollars a million */
	int batch;		       /* thousandths of the price in the batch API, or 1000 */
	bool ends;		       /* it has a last day */
	const struct price *longer;    /* the same model's next step, or NULL */
};

struct prices;

/*
 * Reads file, or the shipped table when it is NULL (the user's own ai/prices/models.tsv
 * takes its place, never a project's): 0, and the caller closes *out; or -1, *out NULL, with e->code
 * "cannot_read", "too_large" or "bad_prices", whose text is file:line: what is wrong, what to do.
 */
int prices_open(struct prices **out, const char *file, struct err *e);
/* The same on another day, YYYY-MM-DD: rows that have ended by then are left out. */
int prices_open_at(struct prices **out, const char *file, const char *today, struct err *e);
void prices_close(struct prices *);

/*
 * The price of a model: of the patterns that match, that with the most literal characters, the
 * provider's own before those of all. NULL: not known. Lives as long as the table.
 */
const struct price *price_find(const struct prices *, const char *provider, struct slice model);

/*
 * What tokens cost, in nanodollars, at most PRICE_MOST. input includes cached, output includes
 * reasoning; the whole prompt's length decides the step of the price; a count below 0 is 0.
 */
long long price_cost(const struct price *, long long input, long long cached, long long output,
    bool batch);
/* The sum of two amounts ≥ 0, at most LLONG_MAX. */
long long price_add(long long a, long long b);

/* "USD": what the amounts are in. */
const char *price_currency(const struct prices *);
/* Appends an amount as a decimal: "0", "0.00042", "12.5". */
void price_put(long long nano, struct buf *out);
/* Reads such a decimal (at most nine places): 0, or -1 when it is none or above 9 billion. */
int price_amount(struct slice text, long long *nano);

/*
 * An estimate of the tokens of a text in UTF-8, by its letters and scripts, for rate limits, dry
 * runs and reservations; what a provider counts afterwards is what is booked.
 * Error, measured against OpenAI's o200k and cl100k vocabularies on 37 texts (prose of 24
 * languages, code, JSON, digits, noise): 0.59 to 1.57 of the larger count, 2.5 for nothing but
 * blanks; about 1.1 for European prose, more than half everywhere. Against the smaller count it
 * is up to 4 times too high in small scripts (Georgian, Armenian), which newer vocabularies know
 * better. Other vendors do not publish theirs: Anthropic says of its newest that it counts some
 * 30 % more than the one before. The framing of a chat (a few tokens a message) is not in it.
 */
long long price_tokens(struct slice text);

#endif
