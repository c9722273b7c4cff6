/*
 * price: the shipped table, whose row decides, exact amounts, typos, and the estimate of tokens.
 */
#include "tools/ai/price.h"

#include "common/path.h"

#include "tests/unit/check.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#define HEAD "# a comment\n\n"
#define ROW(provider, model, above, until, input, cached, output, batch) \
	provider "\t" model "\t" above "\t" until "\t" input "\t" cached "\t" output "\t" batch "\there\n"

static char file[200];

static struct prices *
open_text(const char *text, const char *today, struct err *e)
{
	struct prices *all = NULL;
	bool changed;

	if (path_replace(file, slice(text), &changed, e) == 0)
		prices_open_at(&all, file, today, e);
	return all;
}

struct counts {
	long long input, cached, output;
};

/* The cost as decimal dollars; "unknown" without a price. */
static const char *
cost(const struct prices *all, const char *provider, const char *model, struct counts u, bool batch)
{
	static struct buf out;
	const struct price *p = price_find(all, provider, slice(model));

	buf_reset(&out);
	if (p == NULL)
		return "unknown";
	price_put(price_cost(p, u.input, u.cached, u.output, batch), &out);
	return out.ptr;
}

static void
test_rows(void)
{
	static const char text[] = HEAD
	    ROW("a", "m,m-20*", "-", "-", "2.50", "1.25", "10", "0.5")
	    ROW("a", "m,m-20*", "200000", "-", "5", "-", "20", "-")
	    ROW("a", "m-mini", "-", "-", "0.0375", "-", "0.15", "-")
	    ROW("a", "m-*", "-", "-", "1", "-", "1", "-")
	    ROW("a", "secret", "-", "-", "-", "-", "-", "-")
	    ROW("a", "offer", "-", "2026-12-31", "1", "-", "2", "-")
	    ROW("a", "offer", "-", "-", "2", "-", "4", "-")
	    ROW("*", "m", "-", "-", "9", "-", "9", "-")
	    ROW("free", "*,*/*", "-", "-", "0", "0", "0", "-");
	struct err e = {.text = ""};
	struct prices *all = open_text(text, "2026-12-31", &e);

	CHECK_TEXT(e.text, "");
	CHECK(all != NULL);
	if (all == NULL)
		return;
	CHECK_TEXT(cost(all, "a", "m", (struct counts){1000, 0, 100}, false), "0.0035");
	CHECK_TEXT(cost(all, "a", "m", (struct counts){1000, 1000, 100}, false), "0.00225");
	CHECK_TEXT(cost(all, "a", "m", (struct counts){1000, 0, 100}, true), "0.00175");
	CHECK_TEXT(cost(all, "a", "m-2026-01-01", (struct counts){1, 0, 0}, false), "0.0000025");
	/* One token more, and the whole prompt costs the other price; without a batch price too. */
	CHECK_TEXT(cost(all, "a", "m", (struct counts){200000, 0, 1}, false), "0.50001");
	CHECK_TEXT(cost(all, "a", "m", (struct counts){200001, 0, 1}, true), "1.000025");
	/* 37.5 nanodollars a token, up to the next whole one. */
	CHECK_TEXT(cost(all, "a", "m-mini", (struct counts){1, 0, 0}, false), "0.000000038");
	CHECK_TEXT(cost(all, "a", "m-mini", (struct counts){2, 0, 0}, false), "0.000000075");
	CHECK_TEXT(cost(all, "a", "m-other", (struct counts){1000000, 0, 0}, false), "1");
	CHECK_TEXT(cost(all, "b", "m", (struct counts){1000000, 0, 0}, false), "9");
	CHECK_TEXT(cost(all, "b", "n", (struct counts){1, 0, 0}, false), "unknown");
	CHECK_TEXT(cost(all, "a", "secret", (struct counts){1, 0, 0}, false), "unknown");
	CHECK_TEXT(cost(all, "free", "x/y", (struct counts){1000000, 0, 5}, false), "0");
	CHECK_TEXT(cost(all, "a", "offer", (struct counts){1000000, 0, 0}, false), "1");
	CHECK_TEXT(cost(all, "a", "m", (struct counts){LLONG_MAX, 0, LLONG_MAX}, false), "1000000");
	/* What no provider should say: counts below 0, more cached than there was. */
	CHECK_TEXT(cost(all, "a", "m", (struct counts){-5, -5, -5}, false), "0");
	CHECK_TEXT(cost(all, "a", "m", (struct counts){1000, 5000, 0}, false), "0.00125");
	prices_close(all);
	all = open_text(text, "2027-01-01", &e);
	CHECK(all != NULL);
	CHECK_TEXT(cost(all, "a", "offer", (struct counts){1000000, 0, 0}, false), "2");
	prices_close(all);
}

/* Each line is refused, with its place and what to write. */
static void
test_typos(void)
{
	static const struct {
		const char *line, *says;
	} cases[] = {
	    {ROW("a", "m", "-", "-", "2,50", "-", "1", "-"), "input '2,50': write dollars"},
	    {ROW("a", "m", "-", "-", "$2", "-", "1", "-"), "input '$2': write dollars"},
	    {ROW("a", "m", "-", "-", "1", "-", "1.1234567", "-"), "output '1.1234567': write dollars"},
	    {ROW("a", "m", "-", "-", "1", "-", "9999999", "-"), "output '9999999': write dollars"},
	    {ROW("a", "m", "-", "-", "1", "2", "1", "-"), "cached '2': cached input costs more"},
	    {ROW("a", "m", "-", "-", "1", "-", "1", "50%"), "batch '50%': write the batch price's"},
	    {ROW("a", "m", "-", "-", "1", "-", "1", "1.5"), "batch '1.5': a batch costs more"},
	    {ROW("a", "m", "200k", "-", "1", "-", "1", "-"), "above '200k': write a number"},
	    {ROW("a", "m", "-", "31.12.26", "1", "-", "1", "-"), "until '31.12.26': write the last day"},
	    {ROW("a", "m", "5", "-", "1", "-", "1", "-"), "model 'm': has no row for short prompts"},
	    {ROW("a", "m", "-", "-", "1", "-", "1", "-") ROW("a", "m", "-", "-", "1", "-", "1", "-"),
		"model 'm': stands here twice"},
	    {ROW("a", "m", "-", "-", "1", "-", "1", "-") ROW("a", "m", "5", "-", "-", "-", "-", "-"),
		"input '-': write dollars"},
	    {ROW("a", "", "-", "-", "1", "-", "1", "-"), "model '': is empty"},
	    {"a\tm\t-\t-\t1\t-\t1\t-\n", "row 'a\tm\t-"},
	    {"a m 1 1 1\n", "row 'a m 1 1 1': has too few columns"},
	    {"a\tm\t-\t-\t1\t-\t1\t-\tx\ty\n", "source 'x\ty': a tab too many"},
	};
	struct prices *none;
	struct buf text = {0};
	struct err e;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct prices *all;

		buf_reset(&text);
		buf_adds(&text, HEAD ROW("x", "y", "-", "-", "1", "-", "1", "-"));
		buf_adds(&text, cases[i].line);
		all = open_text(text.ptr, "2026-01-01", &e);
		CHECK(all == NULL);
		if (all != NULL || strcmp(e.code, "bad_prices") != 0 ||
		    strstr(e.text, cases[i].says) == NULL || e.line < 4 || strstr(e.text, file) == NULL) {
			fprintf(stderr, "%s got: %s\n", cases[i].line, all ? "no error" : e.text);
			CHECK(!"the typo is named");
		}
		prices_close(all);
	}
	CHECK(open_text("\xFF\n", "2026-01-01", &e) == NULL);
	CHECK(prices_open(&none, "/nonexistent/prices", &e) == -1 && none == NULL);
	CHECK_TEXT(e.code, "cannot_read");
	buf_free(&text);
}

static void
test_shipped(void)
{
	struct err e = {.text = ""};
	struct prices *all;
	const struct price *p;

	CHECK(prices_open(&all, "tools/ai/prices/models.tsv", &e) == 0);
	CHECK_TEXT(e.text, "");
	if (all == NULL)
		return;
	p = price_find(all, "anthropic", S("claude-haiku-4-5-20251001"));
	CHECK(p != NULL && p->input > 0 && p->output > p->input && p->batch == 500);
	p = price_find(all, "openai", S("gpt-4o-mini"));
	CHECK(p != NULL && p->input == 150000 && p->cached == 75000 && p->output == 600000);
	/* Never the price of a name that only begins the same. */
	CHECK(price_find(all, "openai", S("gpt-4o-mini-audio-preview")) == NULL);
	CHECK(price_find(all, "anthropic", S("claude-opus-9")) == NULL);
	p = price_find(all, "ollama", S("hf.co/org/model:7b"));
	CHECK(p != NULL && price_cost(p, 9999, 0, 9999, false) == 0);
	CHECK(price_find(all, "ollama", S("gpt-oss:120b-cloud")) == NULL);
	prices_close(all);
}

static void
test_money(void)
{
	static const char *const good[] = {"0", "12.5", "0.000000001", "2", "9223372035.999999999"};
	static const char *const bad[] = {"", ".", "1.", ".5", "-1", "1e3", "0.0000000001", "1,5", "1.2.3",
	    "99999999999999999999", "$1", "9223372036"};
	struct buf out = {0};
	long long nano;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		buf_reset(&out);
		CHECK(price_amount(slice(good[i]), &nano) == 0);
		price_put(nano, &out);
		CHECK_TEXT(out.ptr, good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(price_amount(slice(bad[i]), &nano) == -1);
	CHECK(price_amount(S("2.50"), &nano) == 0 && nano == 2500000000);
	CHECK(price_add(LLONG_MAX - 1, 5) == LLONG_MAX);
	CHECK(price_add(2, 3) == 5);
	buf_free(&out);
}

/* Texts, and their tokens in the vocabularies o200k and cl100k. */
static void
test_tokens(void)
{
	static const struct {
		const char *text;
		long long counts[2];
	} cases[] = {
	    {"Please check your connection and try again.", {8, 8}},
	    {"Bitte die Lieferadresse vor dem Bezahlen prüfen.", {10, 13}},
	    {"Проверьте подключение к сети и повторите попытку.", {14, 21}},
	    {"请确认您的订单，并在付款前检查送货地址。", {13, 16}},
	    {"パスワードを忘れた場合は、こちらから再設定してください。", {17, 25}},
	    {"비밀번호를 잊으셨나요?", {9, 13}},
	    {"कृपया अपना पासवर्ड दर्ज करें और फिर से प्रयास करें।", {16, 50}},
	    {"{\"id\": 12345, \"tags\": [\"a\", \"b\"], \"ok\": true}", {21, 21}},
	    {"7f3a9c01d2e84b5f90aa6612c7de4830", {23, 23}},
	};
	char blanks[1001];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		long long a = cases[i].counts[0], b = cases[i].counts[1];
		long long dear = a > b ? a : b, cheap = a < b ? a : b;
		long long n = price_tokens(slice(cases[i].text));

		if (2 * n < dear || n > 3 * cheap + 2) {
			fprintf(stderr, "%s: %lld, counted %lld and %lld\n", cases[i].text, n, a, b);
			CHECK(!"the estimate is within its error");
		} else {
			CHECK(true);
		}
	}
	CHECK(price_tokens(S("")) == 0);
	CHECK(price_tokens((struct slice){"\xFF\xFE", 2}) == 2);
	memset(blanks, ' ', 1000);
	CHECK(price_tokens((struct slice){blanks, 1000}) < 40);
}

int
main(void)
{
	const char *tmp = getenv("TMPDIR");
	int fd;

	snprintf(file, sizeof(file), "%s/price.XXXXXX", tmp ? tmp : "/tmp");
	fd = mkstemp(file);
	if (fd < 0) {
		perror(file);
		return 1;
	}
	close(fd);
	test_rows();
	test_typos();
	test_shipped();
	test_money();
	test_tokens();
	unlink(file);
	return check_done();
}
