/*
 * propose: the ICU plural that an English text seems to want.
 *
 * '$n items', '$n item(s)', '$n item${n == 1 ? "" : "s"}' and
 * '$n ${n == 1 ? "item" : "items"}' all propose
 *	{n, plural, one{{n} item} other{{n} items}}
 * and so does n == 1 ? '1 item' : '$n items' for its last branch.
 */
#ifndef KANDIL_EXTRACT_PROPOSE_H
#define KANDIL_EXTRACT_PROPOSE_H

#include "tools/extract/compose.h"

/*
 * For the literal at hand, composed as c: appends a proposal and returns
 * true, or leaves out as it is. A number that the proposal needs and the text
 * does not show is added to c's placeholders. scratch is for a sibling branch.
 */
bool propose_plural(struct reader *, struct composed *c, struct composed *scratch,
    struct buf *out);

#endif
