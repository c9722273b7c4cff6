/*
 * shape: whether a text looks like something that people read.
 *
 * Prose starts with a capital, holds a space, or is written in letters beyond
 * ASCII; names, paths, addresses, patterns and queries of machines do not
 * count, whatever else they look like.
 */
#ifndef KANDIL_EXTRACT_SHAPE_H
#define KANDIL_EXTRACT_SHAPE_H

#include "tools/extract/words.h"

enum { SHAPE_HOLE = 1 }; /* the byte that stands for an interpolation */

enum shape {
	SHAPE_NO_TEXT, /* no letter outside interpolations */
	SHAPE_MACHINE, /* an identifier, a path, a URL, SQL, a pattern … */
	SHAPE_WORD,    /* one word in lower case: could be either */
	SHAPE_PROSE,
};

/* Of decoded text with SHAPE_HOLEs. Linear time. */
enum shape shape_of(const struct words *, struct slice text);

/* Whether the code point is a letter, as far as text in UIs goes. */
bool shape_is_letter(uint32_t codepoint);

#endif
