/*
 * regex: compiled patterns that cannot run away.
 *
 * PCRE2 with its just-in-time compiler, in UTF mode. Patterns may come from a project that was
 * just cloned: the work at one starting place, the depth, the heap, the compiler's stack, the
 * length of the pattern and of the subject are all capped, and reaching a cap is an error, not a
 * missing match. \C, which can split a character, is refused. PCRE2 is included nowhere else.
 * Source: pcre2pattern(3), pcre2api(3), pcre2jit(3).
 */
#ifndef KANDIL_REGEX_H
#define KANDIL_REGEX_H

#include "common/buf.h"
#include "common/die.h"

enum {
	REGEX_PATTERN = 64 << 10,  /* bytes of a pattern */
	REGEX_SUBJECT = 256 << 20, /* bytes of a subject */
	REGEX_MATCHES = 1000000,   /* PCRE2's match limit for one starting place: about 10 ms */
	REGEX_DEPTH = 2000,	   /* backtracking depth without the compiler; 256 KiB stack with it */
	REGEX_GROUPS = 100,	   /* captures of one pattern */
};

enum {
	REGEX_ANCHORED = 1, /* match only where the search starts */
	REGEX_CASELESS = 2,
	REGEX_EXTENDED = 4,  /* white space and # comments in the pattern mean nothing */
	REGEX_MULTILINE = 8, /* ^ and $ at every line */
	REGEX_DOTALL = 16,
	REGEX_DUPNAMES = 32, /* a capture's name may be used again */
};

struct regex;

/*
 * Compiles: the caller frees. NULL with e->code "bad_pattern", e->column the 1-based byte of the
 * fault in the pattern, and PCRE2's words.
 */
struct regex *regex_compile(struct slice pattern, unsigned flags, struct err *);
void regex_free(struct regex *);

/* Captures are numbered from 1; 0 is the whole match. */
size_t regex_groups(const struct regex *);
/* The name of capture i, or NULL when it has none. Lives as long as the regex. */
const char *regex_group_name(const struct regex *, size_t i);
/*
 * Which bytes a match can begin with: fills first[256] and returns true, or false when any byte
 * can, or the match may be empty.
 */
bool regex_first(const struct regex *, bool first[256]);

/*
 * A subject, checked once for all patterns that will look at it. 0, or -1 with e->code
 * "bad_utf8" (e->column its 1-based byte) or "too_large". The text is lent, not copied.
 */
struct regex_subject {
	struct slice text;
};
int regex_subject(struct regex_subject *, struct slice text, struct err *);

/*
 * The first match that starts at or after `from` (a character's first byte): 1, 0 when there is
 * none, -1 with e->code "regex_limit". The captures are read from the regex until its next match.
 */
int regex_match(struct regex *, const struct regex_subject *, size_t from, struct err *);
/* The bytes [start,end) of capture i; false when it took no part in the match. */
bool regex_capture(const struct regex *, size_t i, size_t *start, size_t *end);
/* Where the last match (capture 0) ends. */
size_t regex_end(const struct regex *);

#endif
