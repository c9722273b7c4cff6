/*
 * literal: what a Dart string literal says.
 *
 * A literal is one or more adjacent parts, each with its own quotes and
 * prefix. It is read as pieces: stretches of text, and the source of each
 * interpolation.
 * Source: The Dart Language Specification, "Strings"; the rule for the first
 * line of a multi-line string as the analyzer applies it (raw ones too).
 */
#ifndef KANDIL_EXTRACT_LITERAL_H
#define KANDIL_EXTRACT_LITERAL_H

#include "tools/extract/lex.h"

struct literal {
	struct lexer *lexer;
	uint32_t at, end;
	char quote; /* of the part that at lies in; 0 between parts */
	bool raw, triple;
};

struct literal_piece {
	bool expression; /* an interpolation: start..end is what stands in it */
	bool braced;	 /* ${…} rather than $name */
	bool raw;	 /* text: of its part */
	uint32_t start, end;
};

/* Over a TOKEN_STRING of that lexer (which is used to skip, not moved). */
struct literal literal_start(struct lexer *, struct token);
/* The next piece (texts may be empty); false at the end. */
bool literal_next(struct literal *, struct literal_piece *);

/*
 * Appends a text piece decoded: escapes, surrogate pairs, and line breaks as
 * LF. A lone surrogate becomes U+FFFD; a malformed escape loses its backslash.
 */
void literal_decode(const char *text, const struct literal_piece *, struct buf *out);

/* The quotes that the literal begins with: ', ", ''' or """. */
struct slice literal_quote(const char *text, struct token);

/* The whole literal as a literal record says it: $name and ${x} as ${source}. */
void literal_text(struct lexer *, struct token, struct buf *out);

#endif
