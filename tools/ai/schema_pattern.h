/*
 * schema_pattern: the regular expressions of JSON Schema, on common/regex.
 *
 * They are ECMAScript's with the flag u, unanchored. A pattern is rewritten for PCRE2 where the
 * two differ: `$` is the very end, `.` no line end of Unicode's, `\s` Unicode's white space,
 * \uXXXX, \p{Letter}, `[]` and `[^]`; (?i) is taken too. What only PCRE2 knows is refused. One
 * known difference: \S inside [ ] also takes white space that is not ASCII.
 * A pattern is a stranger's and so is the text: each starting place has regex's cap, and all
 * matches on one clock share PATTERN_TIME of CPU.
 * Source: ECMA-262 §22.2.1, JSON Schema 2020-12 core §6.4.
 */
#ifndef KANDIL_AI_SCHEMA_PATTERN_H
#define KANDIL_AI_SCHEMA_PATTERN_H

#include "common/buf.h"
#include "common/die.h"

enum { PATTERN_TIME = 1000 }; /* milliseconds of CPU for one clock */

struct pattern;

/* Compiles: the caller frees. NULL with e->code "bad_pattern" and the reason. */
struct pattern *pattern_open(struct slice ecma, struct err *e);
void pattern_free(struct pattern *);

/* Zero it to start it. */
struct pattern_clock {
	unsigned matches;
	long long until; /* CPU time of this thread, ns */
};
/* Whether it matches somewhere in text (UTF-8): 1, 0, or -1 when a cap is reached. */
int pattern_test(struct pattern *, struct slice text, struct pattern_clock *);

#endif
