/*
 * plural_rules: CLDR's plural conditions, compiled. Private to plural*.c.
 *
 * A condition is relations joined by "and" and "or" ("and" binds tighter):
 * operand [% modulus] (=|!=) list of ranges. Source: UTS 35 part 3, §5.1.
 */
#ifndef KANDIL_PLURAL_RULES_H
#define KANDIL_PLURAL_RULES_H

#include "common/plural.h"

struct plural_range {
	unsigned long low, high;
};

struct plural_relation {
	char operand;	   /* n i v f t e; the last four are 0 of whole numbers */
	bool negated;	   /* != */
	bool alternative;  /* "or" stands before it */
	unsigned long modulus; /* 0: none */
	size_t first, count;   /* its ranges */
};

struct plural_rule {
	size_t first, count; /* its relations; none: always true (other) */
	struct slice whole, decimal; /* samples */
};

struct plural_rules {
	struct plural_rule rules[PLURAL_CATEGORIES];
	enum plural_category order[PLURAL_CATEGORIES]; /* as listed: first true wins */
	size_t n;
	plural_set all, needed, single;
};

/* Arrays that all locales share. */
extern struct plural_store {
	struct plural_relation *relations;
	size_t nrelations, relations_cap;
	struct plural_range *ranges;
	size_t nranges, ranges_cap;
} plural_store;

#endif
