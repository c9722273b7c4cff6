/*
 * pack_escape: escapes by number, of the kinds that a rule pack's syntax has.
 */
#ifndef KANDIL_EXTRACT_PACK_ESCAPE_H
#define KANDIL_EXTRACT_PACK_ESCAPE_H

#include "common/buf.h"

/* Which escapes a syntax has, beyond backslash and any other character. */
enum {
	ESCAPE_HEX2 = 1,      /* \xHH */
	ESCAPE_HEX4 = 2,      /* \uHHHH, surrogate pairs too */
	ESCAPE_HEX8 = 4,      /* \UHHHHHHHH */
	ESCAPE_BRACES = 8,    /* \u{H…} */
	ESCAPE_OCTAL = 16,    /* \O, \OO, \OOO */
	ESCAPE_NEWLINE = 32,  /* backslash, line break: nothing */
	ESCAPE_ENTITIES = 64, /* &amp; &#38; &#x26; */
	ESCAPE_ANY = 128,     /* there are backslash escapes at all */
	ESCAPE_DOUBLED = 256, /* a quote is written twice */
};

/*
 * The escape at text, behind its backslash: how many bytes it takes, 0 when
 * it is none by number, and the code point that it means.
 */
size_t escape_number(struct slice text, unsigned escapes, uint32_t *codepoint);

#endif
