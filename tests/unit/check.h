/*
 * check: the unit tests' assertions. A failed one prints where, goes on, and
 * makes the program end with 1. check_done prints the totals.
 */
#ifndef KANDIL_CHECK_H
#define KANDIL_CHECK_H

#include <stdio.h>
#include <string.h>

static int check_passed, check_failed;

#define CHECK(expr)                                                                  \
	do {                                                                         \
		if (expr)                                                            \
			check_passed++;                                              \
		else {                                                               \
			check_failed++;                                              \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #expr); \
		}                                                                    \
	} while (0)

/* Both are NUL-terminated strings. */
#define CHECK_TEXT(got, want)                                                         \
	do {                                                                          \
		const char *got_ = (got), *want_ = (want);                            \
		if (strcmp(got_, want_) == 0)                                         \
			check_passed++;                                               \
		else {                                                                \
			check_failed++;                                               \
			fprintf(stderr, "%s:%d: %s\n got: %s\nwant: %s\n", __FILE__, \
			    __LINE__, #got, got_, want_);                             \
		}                                                                     \
	} while (0)

static inline int
check_done(void)
{
	printf("%d passed, %d failed\n", check_passed, check_failed);
	return check_failed ? 1 : 0;
}

#endif
