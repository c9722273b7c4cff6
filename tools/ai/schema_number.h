/*
 * schema_number: JSON numbers as what they say, not as what a double makes of them.
 *
 * A number stays its own text; reading it finds sign, significant digits and exponent, from which
 * comparison and divisibility are exact for any length: 0.1 + 0.2 is no multiple of 0.1 by
 * accident, 9007199254740993 is not 9007199254740992, and 1e400 is larger than 1e399.
 * Source: RFC 8259 §6, JSON Schema 2020-12 validation §6.2.
 */
#ifndef KANDIL_AI_SCHEMA_NUMBER_H
#define KANDIL_AI_SCHEMA_NUMBER_H

#include "common/buf.h"

/* ±0.DDD × 10^exponent, D from the first digit that is not 0 to the last that is not 0. */
struct number {
	struct slice digits; /* may hold the decimal point; empty: the number is 0 */
	size_t n;	     /* digits without the point */
	long long exponent;  /* saturates at ±2^60 */
	bool negative;
};

/* text is a JSON number. The result points into it. */
struct number number_read(struct slice text);
/* -1, 0 or 1. */
int number_cmp(struct number a, struct number b);
/* Whether it is whole: 3, 3.0 and 1e400 are, 0.5 is not. */
bool number_whole(struct number);
/* A whole number ≥ 0 as a count; false when it is none. Above SIZE_MAX it is SIZE_MAX. */
bool number_count(struct number, size_t *out);

enum { NUMBER_DIVISOR = 18 }; /* significant digits that a divisor may have */
/* Whether a is a whole multiple of b > 0, which has at most NUMBER_DIVISOR digits. */
bool number_multiple(struct number a, struct number b);

#endif
