/*
 * pack_text: what a stretch of source says, by a syntax that a rule pack declares.
 *
 * Quotes are taken off, escapes and character references decoded, literals that are joined become
 * one, white space is folded where the language folds it, and interpolations become placeholders.
 */
#ifndef KANDIL_EXTRACT_PACK_TEXT_H
#define KANDIL_EXTRACT_PACK_TEXT_H

#include "common/buf.h"
#include "common/die.h"
#include "tools/extract/find.h"
#include "tools/extract/pack_escape.h"

enum { SYNTAX_MARKS = 16 }; /* quotes, interpolations of one syntax */

enum syntax_space {
	SPACE_KEEP,
	SPACE_COLLAPSE, /* runs become one space, none at the ends: HTML, JSX */
	SPACE_BLOCK,	/* the first line break and the common indentation go: Swift, Java */
	SPACE_INDENT,	/* the same, but the line of the closing quote does not count: Kotlin */
};

struct pack_syntax {
	const char *name;
	struct slice quotes[SYNTAX_MARKS]; /* none: the text is the whole capture */
	size_t nquotes;
	char letters[32];   /* single-letter escapes: "ntr" */
	unsigned escapes;   /* ESCAPE_* */
	/* An opening and a closing mark each; a closing one of len 0 means an identifier follows. */
	struct slice open[SYNTAX_MARKS], close[SYNTAX_MARKS];
	size_t ninterpolations;
	struct slice join; /* what may stand between two literals besides white space */
	bool adjacent;	   /* two literals in a row are one */
	enum syntax_space space;
	bool special[256]; /* bytes that do not stand for themselves: pack_text_prepare */
};

/* To be called once a syntax is filled in. */
void pack_text_prepare(struct pack_syntax *);

struct pack_text;

struct pack_text *pack_text_new(void);
void pack_text_free(struct pack_text *);

/*
 * Reads source[start,end), by the first of the syntaxes (NULL ends them) that fits its beginning.
 * icu: the value is an ICU message (braces quoted, interpolations {name}); else interpolations
 * stay as `${source}`. The outcome lives until the next call.
 */
struct pack_read {
	struct slice value;
	size_t start, end; /* the text's own bytes: without the white space that is folded away */
	bool letters;	   /* there is a letter outside interpolations */
	const struct placeholder *placeholders;
	size_t nplaceholders;
};
struct pack_read pack_text_read(struct pack_text *, const struct pack_syntax *const *syntaxes,
    struct slice source, size_t start, size_t end, bool icu);

#endif
