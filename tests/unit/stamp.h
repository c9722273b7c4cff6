/* stamp: the order of stamps, written once more: what the tests compare with. */
#ifndef KANDIL_TEST_STAMP_H
#define KANDIL_TEST_STAMP_H

#include "tools/collab/clock.h"

static inline int
stamp_cmp(const struct stamp *a, const struct stamp *b)
{
	if (a->l != b->l)
		return a->l < b->l ? -1 : 1;
	if (a->c != b->c)
		return a->c < b->c ? -1 : 1;
	return slice_cmp(a->node, b->node);
}

#endif
