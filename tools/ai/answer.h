/*
 * answer: what a reply adds to its record.
 */
#ifndef KANDIL_AI_ANSWER_H
#define KANDIL_AI_ANSWER_H

#include "tools/ai/window.h"

enum { ANSWER_DEPTH = 256 }; /* nesting of a reply's JSON: the record stays readable to all */

/* Appends the value of --into: text is the reply, JSON where json is true. cost NULL: not known. */
void answer_put(const struct slot *, struct slice text, bool json, const char *cost,
    const char *currency, struct buf *out);

#endif
