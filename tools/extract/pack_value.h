/*
 * pack_value: builds a message out of decoded text and of expressions.
 *
 * Text goes into `segment` as it is decoded; an expression becomes a placeholder whose name is
 * the word in it that tells most: {name} of user.getName().
 */
#ifndef KANDIL_EXTRACT_PACK_VALUE_H
#define KANDIL_EXTRACT_PACK_VALUE_H

#include "common/mem.h"
#include "tools/extract/find.h"

enum { VALUE_PLACEHOLDERS = 100 }; /* of one message; further ones stay in it as source */

struct pack_value {
	struct buf text;    /* the message so far */
	struct buf segment; /* decoded text since the last placeholder */
	bool icu;	    /* braces are quoted, and expressions are placeholders; else ${source} */
	bool letters;	    /* there was a letter outside expressions */
	bool blank;	    /* folded white space that has not been put yet */
	struct placeholder placeholders[VALUE_PLACEHOLDERS];
	size_t nplaceholders;
	struct arena names;
};

void value_reset(struct pack_value *, bool icu);
void value_free(struct pack_value *);
/* Puts the space that folded white space has become, unless nothing stands before it. */
void value_blank(struct pack_value *);
/*
 * An expression's source; false when it gave no text. A comment gives none, and an expression that
 * is only a literal is that literal's text: JSX's {" "} is white space.
 */
bool value_expression(struct pack_value *, struct slice source);
/* The message, until the next reset. */
struct slice value_finish(struct pack_value *);

#endif
