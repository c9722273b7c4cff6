#include "common/time.h"
#include "tests/unit/check.h"

#include <stdlib.h>
#include <time.h>

static const char *
text(int64_t moment)
{
	static struct buf b;

	buf_reset(&b);
	time_put(&b, moment);
	return b.ptr;
}

static int64_t
read_time(int (*parse)(struct slice, int64_t *), const char *s)
{
	int64_t value = -77;

	return parse(slice(s), &value) == 0 ? value : -77;
}

/* Our calendar against the C library's, over all years that are written. */
static void
test_calendar(void)
{
	unsigned seed = 20261122;
	int wrong = 0;

	for (int i = 0; i < 200000; i++) {
		uint64_t r = (uint64_t)rand_r(&seed) << 31 | (uint64_t)rand_r(&seed);
		time_t seconds = (time_t)(r % 315569520000ULL) - 62167219200;
		int64_t ms = seconds * 1000 + (int64_t)(r % 1000), back;
		struct tm tm;
		char want[64], exact[80];

		gmtime_r(&seconds, &tm);
		snprintf(want, sizeof(want), "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900,
		    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
		snprintf(exact, sizeof(exact), "%s.%03dZ", want, (int)(r % 1000));
		snprintf(want + strlen(want), 2, "Z");
		if (strcmp(text(ms), want) != 0 || time_parse(slice(exact), &back) != 0 ||
		    back != ms) {
			if (wrong++ == 0)
				fprintf(stderr, "seed 20261122, %s: got %s\n", exact, text(ms));
		}
	}
	CHECK(wrong == 0);
}

/* By hand: compilers warn of strftime's %y, which is the point here. */
static void
rfc850(char *s, size_t size, const struct tm *tm)
{
	size_t n = strftime(s, size, "%A, %d-%b-", tm);

	snprintf(s + n, size - n, "%02d %02d:%02d:%02d GMT", tm->tm_year % 100, tm->tm_hour,
	    tm->tm_min, tm->tm_sec);
}

/* Every form of the HTTP date of a moment is that moment. */
static void
test_http_dates(void)
{
	time_t now = time(NULL), seconds;
	int wrong = 0;

	for (int day = -16000; day < 16000; day += 7) { /* 43 years either way */
		seconds = now + (time_t)day * 86399;
		for (size_t f = 0; f < 3; f++) {
			struct tm tm;
			char s[64];

			gmtime_r(&seconds, &tm);
			if (f == 0)
				strftime(s, sizeof(s), "%a, %d %b %Y %H:%M:%S GMT", &tm);
			else if (f == 1)
				rfc850(s, sizeof(s), &tm);
			else
				strftime(s, sizeof(s), "%a %b %e %H:%M:%S %Y", &tm);
			wrong += read_time(time_parse_http, s) != (int64_t)seconds * 1000;
			/* No prefix of it is one. */
			for (size_t n = 0; n < strlen(s); n += 5) {
				int64_t t;
				wrong += time_parse_http((struct slice){s, n}, &t) == 0;
			}
		}
	}
	CHECK(wrong == 0);
	CHECK(read_time(time_parse_http, "Sun, 06 Nov 1994 08:49:37 GMT") == 784111777000);
	CHECK(read_time(time_parse_http, "Sunday, 06-Nov-94 08:49:37 GMT") == 784111777000);
	CHECK(read_time(time_parse_http, "Sun Nov  6 08:49:37 1994") == 784111777000);
	CHECK(read_time(time_parse_http, "Sun, 31 Feb 1994 08:49:37 GMT") == -77);
	CHECK(read_time(time_parse_http, "120") == -77);
}

static void
test_rfc3339(void)
{
	static const char *const bad[] = {"", "2026-11-22", "2026-11-22T14:11:52",
	    "2026-1-22T14:11:52Z", "2026-13-01T00:00:00Z", "2025-02-29T00:00:00Z",
	    "1900-02-29T00:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T14:60:00Z",
	    "2026-11-22T14:11:61Z", "2026-11-22T14:11:52.Z", "2026-11-22T14:11:52Zx",
	    "2026-11-22T14:11:52+1:00", "2026-11-22T14:11:52+24:00", "2026-11-22T14:11:52+00:60",
	    "-026-11-22T14:11:52Z"};

	CHECK(read_time(time_parse, "1970-01-01T00:00:00Z") == 0);
	CHECK(read_time(time_parse, "2024-02-29t23:59:60z") ==
	      read_time(time_parse, "2024-03-01 00:00:00Z"));
	CHECK(read_time(time_parse, "1996-12-19T16:39:57-08:00") ==
	      read_time(time_parse, "1996-12-20T00:39:57+00:00"));
	CHECK(read_time(time_parse, "2026-11-22T14:11:52.123456789012345678901234567890Z") % 1000 ==
	      123);
	CHECK(read_time(time_parse, "2026-11-22T14:11:52.5Z") % 1000 == 500);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		CHECK(read_time(time_parse, bad[i]) == -77);
	}
	CHECK_TEXT(text(-1), "1969-12-31T23:59:59Z");
	CHECK_TEXT(text(INT64_MAX), "9999-12-31T23:59:59Z");
	CHECK_TEXT(text(INT64_MIN), "0000-01-01T00:00:00Z");
}

static void
test_lengths(void)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {{"1s", 1000}, {"6m0s", 360000}, {"100ms", 100}, {"1h2m3.5s", 3723500},
	    {"22s", 22000}, {"1.5s", 1500}, {"0", 0}, {"0s", 0}, {"+2s", 2000}, {"-1.5h", -5400000},
	    {".5s", 500}, {"1.s", 1000}, {"1ns", 1}, {"1000001ns", 2}, {"1us", 1},
	    {"1500\xC2\xB5s", 2}, {"1500\xCE\xBCs", 2}, {"0.0001s", 1}, {"-0.0001s", 0},
	    {"59.999999999s", 60000}, {"1m1h", 3660000}, {"315576000000s", 315576000000000}};
	static const char *const bad[] = {"", "-", "s", ".s", "1", "1 s", "1d", "1s2", "1..s",
	    "1.2.3s", "1e3s", "s1", "1s-2s", "0x1s", "315576000001s",
	    "999999999999999999999999999999999999999999h"};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		int64_t ms = read_time(time_parse_length, good[i].text);

		if (ms != good[i].ms)
			fprintf(stderr, "%s: %lld\n", good[i].text, (long long)ms);
		CHECK(ms == good[i].ms);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(read_time(time_parse_length, bad[i]) == -77);
}

static void
test_clocks(void)
{
	int64_t ns = time_ns(), ms = time_ms();

	CHECK(time_ns() >= ns && time_ms() >= ms && time_ms() - ns / 1000000 < 60000);
	CHECK(llabs(time_now() / 1000 - (long long)time(NULL)) <= 1);
}

static void
test_least(void)
{
	CHECK(time_least(5, 7) == 5 && time_least(7, 5) == 5 && time_least(0, 5) == 0);
	CHECK(time_least(-1, 5) == 5 && time_least(5, -1) == 5 && time_least(0, -1) == 0);
	CHECK(time_least(-1, -1) == -1);
}

int
main(void)
{
	test_calendar();
	test_rfc3339();
	test_http_dates();
	test_lengths();
	test_clocks();
	test_least();
	return check_done();
}
