/*
 * judge: the level of a literal, from where it stands and what it looks like.
 */
#ifndef KANDIL_EXTRACT_JUDGE_H
#define KANDIL_EXTRACT_JUDGE_H

#include "tools/extract/find.h"
#include "tools/extract/names.h"
#include "tools/extract/place.h"
#include "tools/extract/shape.h"

/*
 * The level, LEVEL_NONE for what is not reported; why is appended to reason:
 *	core	the table's argument: Text, InputDecoration.hintText
 *	likely	MyCard.subtitle, validator, value of kGreeting in Text
 *	all	prose: return
 * names may be NULL.
 */
enum level judge(const struct words *, const struct names *, const struct place *, enum shape,
    struct buf *reason);

/* Whether the place is an argument of the table of level core. */
bool judge_is_core(const struct words *, const struct place *);

#endif
