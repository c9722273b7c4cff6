#include "common/time.h"

#include <stdio.h>
#include <time.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

/* 0000-01-01 and the last millisecond of 9999, for what is written. */
static const int64_t first = -62167219200000, last = 253402300799999;

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char days[][10] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
    "Saturday", "Sunday"};

/* ---- clocks ---- */

static int64_t
read_clock(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t
time_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t
time_ms(void)
{
	return read_clock(CLOCK_MONOTONIC) / 1000000;
}

int64_t
time_now(void)
{
	return read_clock(CLOCK_REALTIME) / 1000000;
}

/* ---- dates ---- */

struct date {
	int64_t year;
	int64_t month, day; /* from 1 */
	int64_t hour, minute, second, ms;
};

/*
 * Days from 1970-01-01 in the proleptic Gregorian calendar, years that begin
 * in March so that the leap day is the last. Source: H. Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
 */
static int64_t
days_from(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* The reverse: civil_from_days. */
static struct date
date_of(int64_t moment)
{
	int64_t number = (moment >= 0 ? moment : moment - (DAY - 1)) / DAY;
	int64_t rest = moment - number * DAY, z = number + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097, day = z - era * 146097;
	int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	int64_t of_year = day - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;

	return (struct date){.year = year + era * 400 + (month >= 10),
	    .month = month < 10 ? month + 3 : month - 9, .day = of_year - (153 * month + 2) / 5 + 1,
	    .hour = rest / HOUR, .minute = rest / MINUTE % 60, .second = rest / SECOND % 60};
}

static int64_t
month_length(int64_t year, int64_t month)
{
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month == 2 ? 28 + leap : 30 + ((month + (month > 7)) & 1);
}

/* A second may be 60: RFC 3339 and HTTP allow leap seconds. */
static int
moment_of(const struct date *d, int64_t offset_minutes, int64_t *moment)
{
	if (d->month < 1 || d->month > 12 || d->day < 1 ||
	    d->day > month_length(d->year, d->month) || d->hour > 23 || d->minute > 59 ||
	    d->second > 60)
		return -1;
	*moment = days_from(d->year, d->month, d->day) * DAY + d->hour * HOUR +
	    (d->minute - offset_minutes) * MINUTE + d->second * SECOND + d->ms;
	return 0;
}

void
time_put(struct buf *out, int64_t moment)
{
	struct date d = date_of(moment < first ? first : moment > last ? last : moment);

	buf_addf(out, "%04lld-%02d-%02dT%02d:%02d:%02dZ", (long long)d.year, (int)d.month,
	    (int)d.day, (int)d.hour, (int)d.minute, (int)d.second);
}

/* ---- reading ---- */

/* Each takes something off the front of the text, or returns false. */
static bool
take_char(struct slice *s, const char *set)
{
	if (s->len == 0 || s->ptr[0] == '\0' || !strchr(set, s->ptr[0]))
		return false;
	s->ptr++;
	s->len--;
	return true;
}

static bool
take_text(struct slice *s, const char *text)
{
	size_t n = strlen(text);

	if (!slice_starts(*s, text))
		return false;
	s->ptr += n;
	s->len -= n;
	return true;
}

static bool
take_digit(struct slice *s, int64_t *value)
{
	if (s->len == 0 || s->ptr[0] < '0' || s->ptr[0] > '9')
		return false;
	*value = s->ptr[0] - '0';
	s->ptr++;
	s->len--;
	return true;
}

static bool
take_number(struct slice *s, int width, int64_t *value)
{
	int64_t digit;

	for (*value = 0; width > 0; width--) {
		if (!take_digit(s, &digit))
			return false;
		*value = *value * 10 + digit;
	}
	return true;
}

static bool
take_clock(struct slice *s, struct date *d)
{
	return take_number(s, 2, &d->hour) && take_char(s, ":") &&
	    take_number(s, 2, &d->minute) && take_char(s, ":") && take_number(s, 2, &d->second);
}

static bool
take_month(struct slice *s, struct date *d)
{
	for (d->month = 1; d->month <= 12; d->month++) {
		if (s->len < 3 || memcmp(s->ptr, months + 3 * (d->month - 1), 3) != 0)
			continue;
		s->ptr += 3;
		s->len -= 3;
		return true;
	}
	return false;
}

/* The name of a day, whole or its first three letters. */
static bool
take_day_name(struct slice *s, bool whole)
{
	char name[10];

	for (size_t i = 0; i < sizeof(days) / sizeof(*days); i++) {
		snprintf(name, sizeof(name), "%.*s", whole ? 9 : 3, days[i]);
		if (take_text(s, name))
			return true;
	}
	return false;
}

int
time_parse(struct slice s, int64_t *moment)
{
	struct date d = {0};
	int64_t digit, hours = 0, minutes = 0, sign = 1;

	if (!take_number(&s, 4, &d.year) || !take_char(&s, "-") || !take_number(&s, 2, &d.month) ||
	    !take_char(&s, "-") || !take_number(&s, 2, &d.day) || !take_char(&s, "Tt ") ||
	    !take_clock(&s, &d))
		return -1;
	if (take_char(&s, ".")) {
		if (!take_digit(&s, &digit))
			return -1;
		for (int64_t unit = 100;; unit /= 10) {
			d.ms += digit * unit;
			if (!take_digit(&s, &digit))
				break;
		}
	}
	if (!take_char(&s, "Zz")) {
		if (s.len && s.ptr[0] == '-')
			sign = -1;
		if (!take_char(&s, "+-") || !take_number(&s, 2, &hours) || !take_char(&s, ":") ||
		    !take_number(&s, 2, &minutes) || hours > 23 || minutes > 59)
			return -1;
	}
	return s.len ? -1 : moment_of(&d, sign * (hours * 60 + minutes), moment);
}

/* Two digits mean the year that is at most 50 years ahead (RFC 9110). */
static int64_t
whole_year(int64_t two)
{
	int64_t now = date_of(time_now()).year, year = now - now % 100 + two;

	return year > now + 50 ? year - 100 : year <= now - 50 ? year + 100 : year;
}

int
time_parse_http(struct slice s, int64_t *moment)
{
	struct date d = {0};
	struct slice at = s;

	/* Sun, 06 Nov 1994 08:49:37 GMT */
	if (take_day_name(&at, false) && take_text(&at, ", ")) {
		if (!take_number(&at, 2, &d.day) || !take_char(&at, " ") || !take_month(&at, &d) ||
		    !take_char(&at, " ") || !take_number(&at, 4, &d.year) ||
		    !take_char(&at, " ") || !take_clock(&at, &d) || !take_text(&at, " GMT"))
			return -1;
		return at.len ? -1 : moment_of(&d, 0, moment);
	}
	/* Sunday, 06-Nov-94 08:49:37 GMT */
	at = s;
	if (take_day_name(&at, true) && take_text(&at, ", ")) {
		if (!take_number(&at, 2, &d.day) || !take_char(&at, "-") || !take_month(&at, &d) ||
		    !take_char(&at, "-") || !take_number(&at, 2, &d.year) ||
		    !take_char(&at, " ") || !take_clock(&at, &d) || !take_text(&at, " GMT"))
			return -1;
		d.year = whole_year(d.year);
		return at.len ? -1 : moment_of(&d, 0, moment);
	}
	/* Sun Nov  6 08:49:37 1994 */
	at = s;
	if (!take_day_name(&at, false) || !take_char(&at, " ") || !take_month(&at, &d) ||
	    !take_char(&at, " ") || !take_number(&at, take_char(&at, " ") ? 1 : 2, &d.day) ||
	    !take_char(&at, " ") || !take_clock(&at, &d) || !take_char(&at, " ") ||
	    !take_number(&at, 4, &d.year))
		return -1;
	return at.len ? -1 : moment_of(&d, 0, moment);
}

/* ---- lengths ---- */

/* Longest first where one begins another. Both micro signs, as Go has it. */
static const struct {
	const char *name;
	int64_t ns;
} units[] = {{"ns", 1}, {"us", 1000}, {"\xC2\xB5s", 1000}, {"\xCE\xBCs", 1000},
    {"ms", 1000000}, {"s", 1000000000}, {"m", 60000000000}, {"h", 3600000000000}};

/* One number with its unit, in nanoseconds of at most 10,000 years. */
static bool
take_part(struct slice *s, __int128 *ns)
{
	const __int128 most = (__int128)315576000000 * 1000000000;
	struct slice digits = *s;
	int64_t digit;
	__int128 unit = 0, whole = 0;
	bool any = false;

	/* The unit comes last, and is needed first. */
	while (s->len && ((s->ptr[0] >= '0' && s->ptr[0] <= '9') || s->ptr[0] == '.')) {
		s->ptr++;
		s->len--;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(*units) && unit == 0; i++)
		if (take_text(s, units[i].name))
			unit = units[i].ns;
	if (unit == 0)
		return false;
	for (; take_digit(&digits, &digit); any = true)
		if ((whole = whole * 10 + digit) * unit > most)
			return false;
	*ns = whole * unit;
	if (take_char(&digits, "."))
		for (; take_digit(&digits, &digit); any = true)
			*ns += (unit /= 10) * digit;
	/* A second dot stops the digits before the unit. */
	return any && *ns <= most && (digits.ptr[0] != '.');
}

int
time_parse_length(struct slice s, int64_t *ms)
{
	const __int128 most = (__int128)315576000000 * 1000000000;
	__int128 total = 0, part;
	bool minus = s.len && s.ptr[0] == '-';

	take_char(&s, "+-");
	if (slice_is(s, "0")) {
		*ms = 0;
		return 0;
	}
	if (s.len == 0)
		return -1;
	while (s.len) {
		if (!take_part(&s, &part) || (total += part) > most)
			return -1;
	}
	/* Up, also below zero. */
	*ms = (int64_t)(minus ? -(total / 1000000) : (total + 999999) / 1000000);
	return 0;
}
