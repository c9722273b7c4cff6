/*
 * Reading the table, finding a row, and arithmetic without fractions.
 */
#include "tools/ai/price.h"

#include "common/glob.h"
#include "common/mem.h"
#include "common/path.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { COLUMNS = 9, FILE_MOST = 1 << 20, PRICE_DIGITS = 6, DOLLARS_MOST = 1000000 };

static const char *const names[COLUMNS] = {
    "provider", "model", "above", "until", "input", "cached", "output", "batch", "source"};

struct prices {
	struct price **rows; /* each allocated by itself: they point to each other */
	size_t n, cap;
	struct buf text; /* the file, cut into strings */
};

struct reader {
	const char *file;
	size_t line;
	struct err *e;
};

static int
bad(const struct reader *r, const char *column, struct slice text, const char *what)
{
	size_t len = utf8_valid(text.ptr, text.len < 60 ? text.len : 60);

	err_set(r->e, "bad_prices", "%s:%zu: %s '%.*s': %s", r->file, r->line, column, (int)len,
	    text.ptr, what);
	if (r->e != NULL)
		r->e->line = r->line;
	return -1;
}

/*
 * A decimal of at most `places` places as a whole number of 10^-places; false when it is none, or
 * its whole part is above most.
 */
static bool
read_decimal(struct slice text, int places, long long most, long long *out)
{
	long long value = 0;
	int seen = -1; /* places behind the point */

	if (text.len == 0 || text.ptr[0] == '.' || text.ptr[text.len - 1] == '.')
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '.' && seen < 0) {
			seen = 0;
			continue;
		}
		if (c < '0' || c > '9' || (seen >= 0 && ++seen > places))
			return false;
		value = value * 10 + (c - '0');
		if (seen < 0 && value > most)
			return false;
	}
	for (seen = seen < 0 ? 0 : seen; seen < places; seen++)
		value *= 10;
	*out = value;
	return true;
}

static int
read_price(const struct reader *r, int column, struct slice text, long long *out)
{
	if (read_decimal(text, PRICE_DIGITS, DOLLARS_MOST, out))
		return 0;
	return bad(r, names[column], text,
	    "write dollars for a million tokens, with a point and at most 6 places, like 0.15");
}

static bool
is_date(struct slice text)
{
	if (text.len != 10 || text.ptr[4] != '-' || text.ptr[7] != '-')
		return false;
	for (size_t i = 0; i < 10; i++)
		if (i != 4 && i != 7 && (text.ptr[i] < '0' || text.ptr[i] > '9'))
			return false;
	return true;
}

static int
read_numbers(const struct reader *r, const struct slice *column, struct price *p)
{
	long long value = 0;

	if (!slice_is(column[2], "-") && !read_decimal(column[2], 0, 1LL << 40, &value))
		return bad(r, names[2], column[2], "write a number of prompt tokens, or -");
	p->above = (uint64_t)value;
	/* A dash: it has a price, which is not known. */
	p->input = -1;
	if (slice_is(column[4], "-") && p->above == 0)
		return 0;
	if (read_price(r, 4, column[4], &p->input) != 0 ||
	    read_price(r, 6, column[6], &p->output) != 0)
		return -1;
	p->cached = p->input;
	if (!slice_is(column[5], "-") && read_price(r, 5, column[5], &p->cached) != 0)
		return -1;
	if (p->cached > p->input)
		return bad(r, names[5], column[5],
		    "cached input costs more than input: check both");
	value = 1000;
	if (!slice_is(column[7], "-") && !read_decimal(column[7], 3, 1, &value))
		return bad(r, names[7], column[7],
		    "write the batch price's share of the price, like 0.5, or -");
	if (value > 1000)
		return bad(r, names[7], column[7], "a batch costs more than the price: check it");
	p->batch = (int)value;
	return 0;
}

/*
 * The rows of one model, by length of prompt: 1 when p is kept, 0 when it is not needed; the same
 * step twice is a mistake.
 */
static int
link_row(struct prices *all, const struct reader *r, struct price *p)
{
	for (size_t i = 0; i < all->n; i++) {
		struct price *other = all->rows[i];

		if (strcmp(other->provider, p->provider) != 0 ||
		    strcmp(other->model, p->model) != 0)
			continue;
		while (other->longer != NULL && other->longer->above <= p->above)
			other = (struct price *)other->longer;
		/* Behind a price that still holds stands the one to come. */
		if (other->above == p->above && other->ends)
			return 0;
		if (other->above >= p->above)
			return bad(r, names[1], slice(p->model),
			    other->above == p->above ? "stands here twice: remove one" :
						       "put the row of shorter prompts first");
		p->longer = other->longer;
		other->longer = p;
		return 1;
	}
	if (p->above != 0)
		return bad(r, names[1], slice(p->model),
		    "has no row for short prompts above this one");
	all->rows = xgrow(all->rows, all->n, &all->cap, sizeof(*all->rows));
	all->rows[all->n++] = p;
	return 1;
}

static int
read_row(struct prices *all, const struct reader *r, struct slice line, const char *today)
{
	struct slice column[COLUMNS];
	struct price *p;
	size_t n = 0;
	int kept;

	for (const char *at = line.ptr, *end = line.ptr + line.len; n < COLUMNS; n++) {
		const char *tab = memchr(at, '\t', (size_t)(end - at));

		column[n] = (struct slice){at, (size_t)((tab && n + 1 < COLUMNS ? tab : end) - at)};
		if (column[n].len == 0)
			return bad(r, names[n], column[n], "is empty: write - for nothing");
		if (tab == NULL)
			break;
		at = tab + 1;
	}
	if (n + 1 < COLUMNS)
		return bad(r, "row", line, "has too few columns: nine, with one tab between two");
	if (memchr(column[8].ptr, '\t', column[8].len) != NULL)
		return bad(r, names[8], column[8],
		    "a tab too many: nine columns, one tab between two");
	if (!slice_is(column[3], "-") && !is_date(column[3]))
		return bad(r, names[3], column[3], "write the last day as 2026-12-31, or -");
	p = xcalloc(1, sizeof(*p));
	if (read_numbers(r, column, p) != 0) {
		free(p);
		return -1;
	}
	if (!slice_is(column[3], "-") && slice_cmp(column[3], slice(today)) < 0) {
		free(p);
		return 0;
	}
	/* The columns end at tabs and at the line's end, which become NULs. */
	p->provider = column[0].ptr;
	p->model = column[1].ptr;
	p->source = column[8].ptr;
	p->ends = !slice_is(column[3], "-");
	for (size_t i = 0; i < COLUMNS; i++)
		((char *)(uintptr_t)column[i].ptr)[column[i].len] = '\0';
	kept = link_row(all, r, p);
	if (kept <= 0)
		free(p);
	return kept < 0 ? -1 : 0;
}

static int
read_rows(struct prices *all, const char *file, const char *today, struct err *e)
{
	struct slice rest = buf_slice(&all->text), line;
	struct reader r = {file, 0, e};

	if (utf8_valid(rest.ptr, rest.len) != rest.len || memchr(rest.ptr, '\0', rest.len) != NULL)
		return err_set(e, "bad_prices", "%s: no text in UTF-8: save it as such", file);
	while (slice_line(&rest, &line)) {
		r.line++;
		if (slice_trim(line).len == 0 || line.ptr[0] == '#')
			continue;
		if (read_row(all, &r, line, today) != 0)
			return -1;
	}
	return 0;
}

int
prices_open_at(struct prices **out, const char *file, const char *today, struct err *e)
{
	struct prices *all = xcalloc(1, sizeof(*all));
	char *found = file ? xstrdup(file) : path_trusted("ai/prices/models.tsv");
	int failed;

	*out = NULL;
	if (found == NULL)
		failed = err_set(e, "cannot_read",
		    "no price table 'ai/prices/models.tsv': name one with --prices");
	else
		failed = path_read(found, FILE_MOST, &all->text, e);
	if (!failed && all->text.len > 0)
		failed = read_rows(all, found, today, e);
	free(found);
	if (!failed)
		*out = all;
	else
		prices_close(all);
	return failed;
}

int
prices_open(struct prices **out, const char *file, struct err *e)
{
	char today[16] = "";
	struct tm tm;
	time_t now = time(NULL);

	if (gmtime_r(&now, &tm) != NULL)
		strftime(today, sizeof(today), "%Y-%m-%d", &tm);
	return prices_open_at(out, file, today, e);
}

void
prices_close(struct prices *all)
{
	if (all == NULL)
		return;
	for (size_t i = 0; i < all->n; i++)
		for (struct price *p = all->rows[i], *next; p != NULL; p = next) {
			next = (struct price *)p->longer;
			free(p);
		}
	free(all->rows);
	buf_free(&all->text);
	free(all);
}

/* How well one of the patterns (commas between) matches: literal characters + 1, or 0. */
static size_t
match(const char *patterns, struct slice name)
{
	size_t best = 0;

	for (const char *at = patterns; *at != '\0'; ) {
		size_t len = strcspn(at, ","), stars = 0;

		for (size_t i = 0; i < len; i++)
			stars += at[i] == '*';
		if (len - stars + 1 > best && glob_match((struct slice){at, len}, name))
			best = len - stars + 1;
		at += len + (at[len] == ',');
	}
	return best;
}

const struct price *
price_find(const struct prices *all, const char *provider, struct slice model)
{
	const struct price *found = NULL;
	size_t best = 0;

	for (size_t i = 0; i < all->n; i++) {
		const struct price *p = all->rows[i];
		bool own = strcmp(p->provider, provider) == 0;
		size_t score;

		if (!own && strcmp(p->provider, "*") != 0)
			continue;
		score = 2 * match(p->model, model);
		if (score == 0 || score + own <= best)
			continue;
		best = score + own;
		found = p;
	}
	return found == NULL || found->input < 0 ? NULL : found;
}

long long
price_cost(const struct price *p, long long input, long long cached, long long output, bool batch)
{
	unsigned __int128 pico, nano;

	input = input < 0 ? 0 : input;
	cached = cached < 0 ? 0 : cached > input ? input : cached;
	output = output < 0 ? 0 : output;
	while (p->longer != NULL && (uint64_t)input > p->longer->above)
		p = p->longer;
	pico = (unsigned __int128)(input - cached) * (uint64_t)p->input +
	    (unsigned __int128)cached * (uint64_t)p->cached +
	    (unsigned __int128)output * (uint64_t)p->output;
	/* Picodollars by thousandths of the price; up to the next nanodollar. */
	pico *= (unsigned)(batch ? p->batch : 1000);
	nano = (pico + 999999) / 1000000;
	return nano > (unsigned __int128)PRICE_MOST ? PRICE_MOST : (long long)nano;
}

long long
price_add(long long a, long long b)
{
	long long sum;

	return __builtin_add_overflow(a, b, &sum) ? LLONG_MAX : sum;
}

const char *
price_currency(const struct prices *all)
{
	(void)all;
	return "USD";
}

void
price_put(long long nano, struct buf *out)
{
	long long rest = nano % 1000000000;
	int places = 9;

	buf_addf(out, "%lld", nano / 1000000000);
	if (rest == 0)
		return;
	for (; rest % 10 == 0; rest /= 10)
		places--;
	buf_addf(out, ".%0*lld", places, rest);
}

int
price_amount(struct slice text, long long *nano)
{
	return read_decimal(text, 9, LLONG_MAX / 1000000000 - 1, nano) ? 0 : -1;
}
