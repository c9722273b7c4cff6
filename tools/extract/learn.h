/*
 * learn: the first pass over a project: which names it shows.
 *
 * A name in a core position (Text(kGreeting), Text(user.title), Text(items[i]))
 * is shown. Where it is a parameter of the function around, that function is
 * a helper that shows what it is given; where a function hands a parameter on
 * to another call, that is an edge which names.h follows.
 */
#ifndef KANDIL_EXTRACT_LEARN_H
#define KANDIL_EXTRACT_LEARN_H

#include "tools/extract/reader.h"
#include "tools/extract/words.h"

/* Appends the facts of one source; the reader's callbacks are taken over. */
void learn_read(struct reader *, const struct words *, struct slice text, struct buf *facts);

#endif
