/*
 * schema_run: one check under way, shared by the files that apply keywords.
 */
#ifndef KANDIL_AI_SCHEMA_RUN_H
#define KANDIL_AI_SCHEMA_RUN_H

#include "tools/ai/schema_part.h"

/*
 * The children of a value that some keyword has looked at, a byte each, for unevaluatedItems and
 * unevaluatedProperties: a place on a stack in run; NO_MARKS where nobody asks.
 */
#define NO_MARKS SIZE_MAX

/* The parts with an $id of their own that the check went through, for $dynamicRef. */
struct scope {
	const struct scope *up;
	uint32_t resource;
};

struct run {
	const struct schema *s;
	struct doc doc;
	long steps;
	unsigned depth;
	const char *limit; /* the bound that was reached */
	uint8_t *marks;
	size_t nmarks, marks_cap;
	uint32_t *sorted; /* for uniqueItems */
	size_t sorted_cap;
	struct pattern_clock clock;
	const struct scope *scope;
	struct buf *why; /* the lines; NULL: nobody asks */
	struct buf line, place;
	struct buf tail; /* ends each line: whose alternative this is */
	size_t found;
	bool loud;    /* violations are reported; else only counted as no */
	bool naming;  /* the value is a member's name */
	bool scoring; /* violations that are not reported are measured: */
	size_t score; /* how far into the value the best attempt went */
};

/* Whether the value at node `at` fits the rule. False also when a bound is reached. */
bool run_apply(struct run *, uint32_t rule, uint32_t at, size_t marks);
/* The same without a report; marks of a value that does not fit are dropped. */
bool run_try(struct run *, uint32_t rule, uint32_t at, size_t marks);
/* Marks one child of the value that marks belongs to. */
void run_mark(struct run *, size_t marks, uint32_t child);
/* Ends the check: a bound, in words. False. */
bool run_limit(struct run *, const char *what);
bool run_matches(struct run *, uint32_t pattern, struct slice text);

/* A keyword's verdict on a value. */
bool run_assert(struct run *, const struct rule *, const struct word *, uint32_t at);
bool run_inside(struct run *, const struct word *, uint32_t at, size_t marks);
bool run_combine(struct run *, const struct word *, uint32_t at, size_t marks);
bool run_unevaluated(struct run *, const struct word *, uint32_t at, size_t marks);

/*
 * Reports a violation: "expected " and the words, then what was found at the value. Always false.
 */
bool say(struct run *, uint32_t at, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same in the caller's words alone. */
bool say_plain(struct run *, uint32_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The value was of another type than the one that `types` allows. */
bool say_type(struct run *, uint32_t at, unsigned types);
/* Appends a value in short, and text in quotes, in short. */
void say_value(const struct doc *, uint32_t at, struct buf *out);
void say_quoted(struct slice text, struct buf *out);
/* The first bytes of text, whole characters, safe to show. */
void say_short(struct slice text, size_t most, struct buf *out);
/* The TYPE_ bits of a value. */
unsigned type_of(const struct doc_node *);

#endif
