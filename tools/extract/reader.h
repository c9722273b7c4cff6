/*
 * reader: walks Dart source token by token and keeps the little context that
 * tells where a literal stands: the open brackets, whose they are, and what
 * the argument, element or statement at hand has shown so far.
 *
 * It is no parser: broken source never stops it. Memory is bounded: contexts
 * deeper than READER_DEPTH brackets are not kept ("too_deep" is then the
 * fault); time is linear, with LEX_DEPTH as the worst factor.
 */
#ifndef KANDIL_EXTRACT_READER_H
#define KANDIL_EXTRACT_READER_H

#include "tools/extract/lex.h"

enum { READER_DEPTH = 1024, READER_PAST = 8, READER_TYPES = 256 };

enum body {
	BODY_NONE,     /* ( and [ */
	BODY_LITERAL,  /* { of a map, a set, or named parameters */
	BODY_BLOCK,    /* { of statements or members */
	BODY_FUNCTION, /* { of a function: callee is its name, if it has one */
	BODY_SWITCH,
};

/* Judgements about an open bracket, kept once they were made (place.c). */
enum {
	CONTEXT_KNOWN = 1,
	CONTEXT_LOG = 2,    /* in a call that writes for developers */
	CONTEXT_THROWN = 4, /* in what is thrown */
};

/* An open bracket. A token of kind 0 is one that is not there. */
struct frame {
	char open; /* ( [ { or $ for an interpolation; 0 at the bottom */
	bool index; /* [ of a subscript, not of a list */
	enum body body;
	struct token callee, target; /* whose bracket: target.callee( */
	struct token before;	     /* what stands before that */
	uint32_t parameters, parameters_end; /* of a function body, within its ( ) */
	unsigned context;
	int outer; /* $: the level of the literal around it (enum level) */

	/* The argument, element, member or statement at hand. */
	uint32_t since;	     /* where it starts */
	struct token head;   /* its first token, once asked for */
	struct token name;   /* of a named argument; the key of a map's value */
	struct token lhs;    /* what the last = gives a value */
	struct token arrow;  /* => was seen: its function's name, or the => itself */
	uint32_t arrow_parameters, arrow_parameters_end;
	struct token condition[3]; /* the tokens before the last ?, nearest last */
	unsigned positional;
};

/* The last ( ) that was closed: a body or an arrow behind it asks whose it was. */
struct closed {
	struct token callee, before;
	uint32_t parameters, parameters_end;
};

/* What a declaration said about a name: String name, int? n. */
struct reader_type {
	struct slice name, type;
};

struct reader;
/* For each literal; tokens before it are reader_past, brackets are frames. */
typedef int reader_literal(struct reader *, struct token, void *state);
/* For each name, where that is set. */
typedef void reader_name(struct reader *, struct token, void *state);

struct reader {
	const char *text;
	struct lexer lexer;
	reader_literal *literal; /* returns the level for literals inside it */
	reader_name *name;	 /* may be NULL */
	void *state;

	struct frame *frames; /* frames[0] is the file; READER_DEPTH of them */
	size_t depth;	      /* of frames in use, at least 1 */
	size_t lost;	      /* open brackets that are not kept */
	struct token past[READER_PAST];
	unsigned npast;
	struct token chain;  /* what stands before the names a.b.c at hand */
	struct closed closed;
	struct reader_type types[READER_TYPES]; /* by hash; the last one said wins */
};

/* Zero-initialised is ready for reader_read; the caller frees. */
void reader_free(struct reader *);
/* Reads one source: NUL-terminated, no NUL within. Faults are in lexer. */
void reader_read(struct reader *, struct slice text);

/* The token k before the one at hand, 1 ≤ k < READER_PAST. */
static inline struct token
reader_past(const struct reader *r, unsigned k)
{
	return r->past[(r->npast - k) % READER_PAST];
}

static inline struct frame *
reader_top(struct reader *r)
{
	return &r->frames[r->depth - 1];
}

/* The first token of what is at hand in a frame. */
struct token reader_head(struct reader *, struct frame *);
/* What a declaration in this source said about a name; len 0: nothing. */
struct slice reader_type(const struct reader *, struct slice name);

#endif
