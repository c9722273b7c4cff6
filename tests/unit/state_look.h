/*
 * state_look: what the tests of the shared state see beyond state.h.
 */
#ifndef KANDIL_TEST_STATE_LOOK_H
#define KANDIL_TEST_STATE_LOOK_H

#include "tests/unit/stamp.h"
#include "tools/collab/state_part.h"

/* Up to where tombstones are gone: lent. */
static inline struct stamp
floor_of(const struct state *s)
{
	return mark_stamp(s, s->floor);
}

#endif
