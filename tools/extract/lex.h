/*
 * lex: the tokens of Dart source, one at a time, without a copy.
 *
 * The text ends in a NUL and holds no other (a buf that was checked for
 * binary content does both), so inner loops need no bound. Comments and white
 * space are skipped; a string literal is one token with all its adjacent
 * parts, whatever its interpolations hold. Nothing is allocated.
 * Source: The Dart Language Specification, "Lexical Rules" and "Strings".
 */
#ifndef KANDIL_EXTRACT_LEX_H
#define KANDIL_EXTRACT_LEX_H

#include "common/buf.h"

enum { LEX_DEPTH = 64 }; /* literals inside interpolations inside literals … */

/* A token of one character is that character; these are the others. */
enum {
	TOKEN_END = 0,
	TOKEN_NAME = 128, /* identifiers and keywords */
	TOKEN_NUMBER,
	TOKEN_STRING,
	TOKEN_ARROW,	/* => */
	TOKEN_EQUAL,	/* == and != */
	TOKEN_IFNULL,	/* ?? and ??= */
	TOKEN_QDOT,	/* ?. and ?.. */
	TOKEN_CASCADE,	/* .. and ... */
	TOKEN_LOGIC,	/* && and || */
	TOKEN_OPERATOR, /* <=, >=, += and other assignments */
};

struct token {
	uint32_t start, end; /* bytes [start,end) */
	unsigned kind;
};

struct lexer {
	const char *text;
	uint32_t at, end;
	unsigned depth; /* of interpolations around at */
	bool lone_cr;	/* CR without LF ends lines here */
	/* The first fault: where, and its code; NULL when there was none. */
	const char *fault;
	uint32_t fault_at;
};

/*
 * Over text[start..end). A `#!` line at 0 and a byte order mark are skipped.
 * end must be a token boundary (the text's end, or an interpolation's).
 */
void lex_start(struct lexer *, struct slice text, uint32_t start, uint32_t end);

/* Notes a fault, if it is the first. */
void lex_fault(struct lexer *, const char *code, uint32_t at);

/*
 * The next token; TOKEN_END at the end. A literal without its closing quote
 * ("unterminated_string") or nested deeper than LEX_DEPTH ("too_deep") is a
 * fault: a single-line one ends with its line and reading goes on, any other
 * ends the text. Its token has kind TOKEN_OPERATOR: it has no value.
 */
struct token lex_next(struct lexer *);

/* The offset of the next thing that is neither white space nor comment. */
uint32_t lex_trivia(const struct lexer *, uint32_t at);

/* The token that starts at (or after white space at) that offset. */
struct token lex_peek(const struct lexer *, uint32_t at);

/*
 * From just after `${` to its `}`: the offset of that brace, or the end of
 * the text with a fault.
 */
uint32_t lex_interpolation(struct lexer *, uint32_t at);

/* By byte: whether it may stand in a name (`$` and all beyond ASCII included). */
extern const bool lex_name_bytes[256];
/* By byte: whether it may end a stretch of plain text in a literal. */
extern const bool lex_stop_bytes[256];

static inline bool
lex_name_char(char c)
{
	return lex_name_bytes[(unsigned char)c];
}

static inline struct slice
token_text(const char *text, struct token t)
{
	return (struct slice){text + t.start, t.end - t.start};
}

/* Whether a name token is that word. */
static inline bool
token_is(const char *text, struct token t, const char *word)
{
	return t.kind == TOKEN_NAME && slice_is(token_text(text, t), word);
}

#endif
