/*
 * time: clocks, and the forms in which other programs write times.
 *
 * Moments are milliseconds since 1970-01-01T00:00:00Z (wall clock), lengths
 * are milliseconds; dates are computed here, without locale or zone files.
 */
#ifndef KANDIL_TIME_H
#define KANDIL_TIME_H

#include "common/buf.h"

/* The monotonic clock: for lengths and deadlines, never for records. */
int64_t time_ns(void);
int64_t time_ms(void);
/* The wall clock. */
int64_t time_now(void);

/* The shorter of two waits, of which one below 0 is none: -1 when both are. */
static inline int64_t
time_least(int64_t a, int64_t b)
{
	return a < 0 ? b : b < 0 || a < b ? a : b;
}

/*
 * Appends a moment as RFC 3339 in UTC, for years 0 to 9999 (others are cut to
 * them), in whole seconds (2026-11-22T14:11:52Z), rounded down.
 */
void time_put(struct buf *, int64_t moment);

/*
 * Each reads all of the slice, or returns -1 and leaves *moment alone.
 * time_parse: RFC 3339 with any offset; decimals beyond milliseconds are
 * dropped, a leap second is the second after it. time_parse_http: the three forms of
 * RFC 9110 section 5.6.7 (IMF-fixdate, RFC 850, asctime); the name of the
 * day is not compared with the date.
 */
int time_parse(struct slice, int64_t *moment);
int time_parse_http(struct slice, int64_t *moment);

/*
 * A length as Go's time.ParseDuration has it ("1s", "6m0s", "100ms",
 * "1h2m3.5s", "0"), which includes protobuf's ("22s", "1.5s"). Rounded up to
 * milliseconds: most are waits. -1 when it is none, or over 10,000 years.
 */
int time_parse_length(struct slice, int64_t *ms);

#endif
