#include "tools/ai/money.h"

#include "common/json.h"
#include "tools/ai/guess.h"

/* A reply nobody has set a limit for, before any has been seen. */
enum { OUTPUT_GUESS = 500 };

int
money_open(struct money *m, const struct settings *set, struct err *e)
{
	*m = (struct money){.most = -1, .batch = set->batch};
	if (set->max_cost && price_amount(slice(set->max_cost), &m->most) < 0)
		return err_set(e, "bad_value", "%s: an amount such as 2 or 0.50, not '%s'",
		    opt_origin("max-cost"), set->max_cost);
	return prices_open(&m->prices, set->prices, e);
}

void
money_close(struct money *m)
{
	prices_close(m->prices);
}

const struct price *
money_price(struct money *m, const struct endpoint *p, struct slice model)
{
	/* What runs on this machine costs nothing. */
	static const struct price nothing = {.provider = "", .model = "", .batch = 1000};
	const struct price *price = &nothing;

	if (!p->local && p->protocol)
		price = model.ptr ? price_find(m->prices, p->provider, model) : NULL;
	if (price && price != &nothing)
		m->known = true;
	return price;
}

struct amount
money_estimate(const struct ask *ask, double mean)
{
	struct amount a = {0};
	long long most;

	for (size_t i = 0; i < ask->nturns; i++)
		a.input += price_tokens(ask->turns[i].content);
	if (ask->schema.ptr)
		a.input += price_tokens(ask->schema);
	a.output = OUTPUT_GUESS;
	if (mean > 0)
		a.output = (long long)(2 * mean);
	else if (ask->schema.ptr && (most = guess_tokens(ask->schema)) > 0 && most < a.output)
		a.output = most;
	if (ask->max_tokens.ptr && json_long(ask->max_tokens, &most) &&
	    (mean <= 0 || most < a.output))
		a.output = most;
	return a;
}

bool
money_reserve(struct money *m, const struct price *price, struct amount a, long long *reserved)
{
	long long cost = price ? price_cost(price, a.input, 0, a.output, m->batch) : 0;

	if (m->most >= 0 && m->spent + m->guessed + m->aside + cost > m->most)
		return false;
	*reserved = cost;
	m->aside += cost;
	return true;
}

void
money_settle(struct money *m, long long *reserved)
{
	m->aside -= *reserved;
	*reserved = 0;
}

static void
add_usage(struct usage *sum, const struct usage *u)
{
	sum->known |= u->known;
	sum->input += u->input;
	sum->cached += u->cached;
	sum->output += u->output;
	sum->reasoning += u->reasoning;
	sum->written += u->written;
}

static long long
cost_of(const struct money *m, const struct price *price, const struct usage *u)
{
	return price_cost(price, u->input, u->cached, u->output, m->batch);
}

void
money_spend(struct money *m, const struct price *price, const struct usage *u)
{
	add_usage(&m->usage, u);
	if (price && u->known)
		m->spent = price_add(m->spent, cost_of(m, price, u));
}

void
money_guess(struct money *m, const struct price *price, struct amount a)
{
	if (price)
		m->guessed = price_add(m->guessed,
		    price_cost(price, a.input, 0, a.output, m->batch));
}

void
money_count(struct money *m, const struct price *price, const struct usage *u, struct usage *sum,
    long long *cost, bool *priced)
{
	add_usage(sum, u);
	if (!price || !u->known)
		return;
	*cost = price_add(*cost, cost_of(m, price, u));
	*priced = true;
}

bool
money_known(const struct money *m)
{
	return m->known;
}

long long
money_spent(const struct money *m)
{
	return m->spent;
}

const struct usage *
money_usage(const struct money *m)
{
	return &m->usage;
}

const char *
money_currency(const struct money *m)
{
	return price_currency(m->prices);
}

void
money_put(const struct money *m, long long amount, struct buf *out)
{
	(void)m;
	price_put(amount, out);
}
