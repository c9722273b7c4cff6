/*
 * What reply headers say of waiting and of limits.
 *
 * Sources: RFC 9110 10.2.3 (Retry-After); the vendors' clients for x-should-retry
 * and retry-after-ms, which are theirs alone; their manuals for the limits.
 */
#include "common/time.h"
#include "tools/ai/wire.h"

#include <stdlib.h>

/* Longer waits than this are as good as for ever, and still fit in a long. */
static const double wait_max_ms = 1e14;

bool
header_next(struct slice *rest, struct header *h)
{
	struct slice line;
	const char *colon;

	while (slice_line(rest, &line)) {
		colon = memchr(line.ptr, ':', line.len);
		if (colon == NULL)
			continue; /* the status line, the blank line at the end */
		h->name = (struct slice){line.ptr, (size_t)(colon - line.ptr)};
		h->value = slice_trim(
		    (struct slice){colon + 1, line.len - h->name.len - 1});
		return true;
	}
	return false;
}

bool
header_is(const struct header *h, const char *name)
{
	return h->name.len == strlen(name) && strncasecmp(h->name.ptr, name, h->name.len) == 0;
}

/* A decimal number at the start and end of the text; -1 otherwise. */
static double
decimal(struct slice text)
{
	char digits[32], *end;
	double n;

	if (text.len == 0 || text.len >= sizeof(digits) || text.ptr[0] < '0' || text.ptr[0] > '9')
		return -1;
	memcpy(digits, text.ptr, text.len);
	digits[text.len] = 0;
	if (digits[strspn(digits, "0123456789.")])
		return -1;
	n = strtod(digits, &end);
	return *end ? -1 : n;
}

static long
bounded(double ms)
{
	return ms <= 0 ? 0 : (long)(ms < wait_max_ms ? ms + 0.999 : wait_max_ms);
}

/* The server's own clock where it tells it: ours may be wrong. */
static int64_t
server_now(struct slice headers)
{
	struct header h;
	int64_t now;

	while (header_next(&headers, &h))
		if (header_is(&h, "date") && time_parse_http(h.value, &now) == 0)
			return now;
	return time_now();
}

long
header_wait(struct slice headers)
{
	struct slice rest = headers;
	struct header h;
	long exact = -1, after = -1;
	int64_t then;
	double n;

	while (header_next(&rest, &h)) {
		if (header_is(&h, "retry-after-ms")) {
			n = decimal(h.value);
			if (n >= 0)
				exact = bounded(n);
		} else if (header_is(&h, "retry-after")) {
			n = decimal(h.value);
			if (n >= 0)
				after = bounded(n * 1000);
			else if (time_parse_http(h.value, &then) == 0)
				after = bounded((double)(then - server_now(headers)));
		}
	}
	return exact >= 0 ? exact : after >= 0 ? after : 0;
}

int
header_retry(struct slice headers)
{
	struct header h;

	while (header_next(&headers, &h))
		if (header_is(&h, "x-should-retry")) {
			if (slice_is(h.value, "true"))
				return 1;
			if (slice_is(h.value, "false"))
				return 0;
		}
	return -1;
}

/* The rate that a name's "requests", "input-tokens" … means. */
static struct rate *
rate_of(struct limits *limits, struct slice what)
{
	if (slice_is(what, "requests"))
		return &limits->requests;
	if (slice_is(what, "tokens"))
		return &limits->tokens;
	if (slice_is(what, "input-tokens"))
		return &limits->input;
	return slice_is(what, "output-tokens") ? &limits->output : NULL;
}

/* A number alone is a length in seconds; one of years is the moment, in seconds or in ms. */
static long
bare_reset(double n, struct slice headers)
{
	static const double years = 1e8, years_ms = 1e11;

	if (n < years)
		return bounded(n * 1000);
	return bounded((n < years_ms ? n * 1000 : n) - (double)server_now(headers));
}

/* limit, remaining or reset; a reset is a length (OpenAI), a moment (Anthropic), or a number. */
static void
set_rate(struct rate *rate, struct slice field, struct slice value, struct slice headers)
{
	double n = decimal(value);
	int64_t ms;

	if (slice_is(field, "limit") && n >= 0)
		rate->limit = n < 1e15 ? (long long)n : -1;
	else if (slice_is(field, "remaining") && n >= 0)
		rate->remaining = n < 1e15 ? (long long)n : -1;
	else if (slice_is(field, "reset") && n >= 0)
		rate->reset_ms = bare_reset(n, headers);
	else if (slice_is(field, "reset") && time_parse_length(value, &ms) == 0)
		rate->reset_ms = bounded((double)ms);
	else if (slice_is(field, "reset") && time_parse(value, &ms) == 0)
		rate->reset_ms = bounded((double)(ms - server_now(headers)));
}

static bool
starts(struct slice name, const char *prefix)
{
	size_t n = strlen(prefix);

	return name.len > n && strncasecmp(name.ptr, prefix, n) == 0;
}

/*
 * x-ratelimit-FIELD-WHAT and anthropic-ratelimit-WHAT-FIELD. Both are looked
 * for everywhere, since compatible servers send the one or the other.
 */
void
header_limits(struct slice headers, struct limits *limits)
{
	static const struct rate unknown = {-1, -1, -1};
	struct slice rest = headers;
	struct header h;
	char name[48];

	*limits = (struct limits){unknown, unknown, unknown, unknown};
	while (header_next(&rest, &h)) {
		bool openai = starts(h.name, "x-ratelimit-");
		size_t skip = openai ? 12 : 20, n = h.name.len - skip;
		struct slice what, field;
		struct rate *rate;
		const char *dash;

		if ((!openai && !starts(h.name, "anthropic-ratelimit-")) || n >= sizeof(name))
			continue;
		for (size_t i = 0; i < n; i++)
			name[i] = (char)(h.name.ptr[skip + i] | 0x20); /* '-' is 0x2D already */
		dash = openai ? memchr(name, '-', n) : memrchr(name, '-', n);
		if (dash == NULL)
			continue;
		what = (struct slice){name, (size_t)(dash - name)};
		field = (struct slice){dash + 1, n - what.len - 1};
		rate = rate_of(limits, openai ? field : what);
		if (rate)
			set_rate(rate, openai ? what : field, h.value, headers);
	}
}
