#include "tools/ai/schema_number.h"

#define FAR ((long long)1 << 60)

/* An exponent's digits, saturating far beyond what any text can make up for. */
static long long
read_exponent(const char *p, const char *end)
{
	long long e = 0;
	bool negative = *p == '-';

	if (*p == '-' || *p == '+')
		p++;
	for (; p < end; p++)
		e = e >= FAR / 16 ? FAR : e * 10 + (*p - '0');
	return negative ? -e : e;
}

struct number
number_read(struct slice text)
{
	const char *p = text.ptr, *end = text.ptr + text.len, *point = NULL, *last = NULL;
	const char *first = NULL, *stop;
	struct number out = {.negative = *p == '-'};
	long long exponent = 0;

	p += out.negative;
	for (stop = p; stop < end && (*stop | 0x20) != 'e'; stop++) {
		if (*stop == '.')
			point = stop;
		else if (*stop != '0') {
			last = stop;
			if (first == NULL)
				first = stop;
		}
	}
	if (first == NULL)
		return (struct number){.digits = {stop, 0}};
	if (stop < end)
		exponent = read_exponent(stop + 1, end);
	if (point == NULL)
		point = stop;
	/* Digits between the point and the first one: before it they count, behind it against. */
	out.exponent = first < point ? point - first : point + 1 - first;
	if (exponent >= FAR || exponent <= -FAR)
		out.exponent = exponent;
	else
		out.exponent += exponent;
	out.digits = (struct slice){first, (size_t)(last + 1 - first)};
	out.n = out.digits.len - (first < point && point < last ? 1 : 0);
	return out;
}

static int
cmp_size(struct number a, struct number b)
{
	const char *p = a.digits.ptr, *q = b.digits.ptr;
	const char *p_end = p + a.digits.len, *q_end = q + b.digits.len;

	if (a.n == 0 || b.n == 0)
		return (a.n > 0) - (b.n > 0);
	if (a.exponent != b.exponent)
		return a.exponent < b.exponent ? -1 : 1;
	for (;; p++, q++) {
		p += p < p_end && *p == '.';
		q += q < q_end && *q == '.';
		if (p == p_end || q == q_end)
			return (p < p_end) - (q < q_end);
		if (*p != *q)
			return *p < *q ? -1 : 1;
	}
}

int
number_cmp(struct number a, struct number b)
{
	if (a.negative != b.negative)
		return a.negative ? -1 : 1;
	return a.negative ? -cmp_size(a, b) : cmp_size(a, b);
}

bool
number_whole(struct number a)
{
	return a.n == 0 || (a.exponent > 0 && (unsigned long long)a.exponent >= a.n);
}

bool
number_count(struct number a, size_t *out)
{
	size_t count = 0, left;

	if (a.negative || !number_whole(a))
		return false;
	*out = SIZE_MAX;
	if (a.n > 0 && a.exponent > 20)
		return true;
	left = a.n ? (size_t)a.exponent : 0;
	for (size_t i = 0; left > 0; i++) {
		size_t digit = 0;

		if (i < a.digits.len && a.digits.ptr[i] == '.')
			continue;
		if (i < a.digits.len)
			digit = (size_t)(a.digits.ptr[i] - '0');
		if (__builtin_mul_overflow(count, (size_t)10, &count) ||
		    __builtin_add_overflow(count, digit, &count))
			return true;
		left--;
	}
	*out = count;
	return true;
}

/* digits mod m, m < 10^18 */
static uint64_t
digits_mod(struct number a, uint64_t m)
{
	uint64_t rest = 0;

	for (size_t i = 0; i < a.digits.len; i++)
		if (a.digits.ptr[i] != '.')
			rest = (rest * 10 + (uint64_t)(a.digits.ptr[i] - '0')) % m;
	return rest;
}

bool
number_multiple(struct number a, struct number b)
{
	/* As integers without trailing zeros: a = x × 10^i, b = y × 10^k. */
	long long shift = (a.exponent - (long long)a.n) - (b.exponent - (long long)b.n);
	unsigned __int128 rest, power = 10;
	uint64_t y = digits_mod(b, UINT64_MAX); /* all of them: b has at most 18 */

	if (a.n == 0)
		return true;
	/* x ends in another digit than 0, so it has no factor 10 to give. */
	if (shift < 0)
		return false;
	rest = digits_mod(a, y);
	for (; shift > 0; shift >>= 1) {
		if (shift & 1)
			rest = rest * power % y;
		power = power * power % y;
	}
	return rest % y == 0;
}
