/*
 * clock: hybrid logical clocks. A stamp orders every write of every node: if
 * a happened before b, then stamp(a) < stamp(b), and stamps stay near real time.
 *
 * Pure: the wall clock (milliseconds since 1970, time_now) is an argument.
 * Source: Kulkarni, Demirbas, Madappa, Avva, Leone, "Logical Physical Clocks",
 * OPODIS 2014, algorithm of figure 5.
 */
#ifndef KANDIL_COLLAB_CLOCK_H
#define KANDIL_COLLAB_CLOCK_H

#include "common/buf.h"
#include "common/die.h"

enum {
	CLOCK_AHEAD = 60000, /* ms: what is further ahead than this is refused */
	CLOCK_STEP = 2000,   /* ms: how far the stored bound runs ahead of the clock */
	NODE_MAX = 255,	     /* bytes of a node's id */
};

/*
 * Ordered by l, then c, then the bytes of node. l from 1 to 2^53: ms. The
 * zero stamp {0} is before all others. A stamp owns nothing.
 */
struct stamp {
	int64_t l;
	uint32_t c;
	struct slice node;
};

/* Whether an id may be one: 1 to NODE_MAX bytes of UTF-8 without controls. */
bool node_valid(struct slice node);

/* Appends [l,c,"node"], or without the node [l,c]; commas as common/json has them. */
void stamp_put(struct buf *, const struct stamp *, bool node);
/*
 * Reads such an array from a checked JSON value: 0, or -1 with e ("bad_stamp")
 * for anything else, l or c out of range or a node that is none. Without
 * node only [l,c] is one, and s->node stays as it is; with node the id is
 * written there (reset first), s->node points into it, and [0,0,""] is the
 * zero stamp.
 */
int stamp_get(struct slice value, struct stamp *s, struct buf *node, struct err *);

/* Zero-initialised is a clock that has not ticked yet. */
struct clock {
	int64_t l;
	uint32_t c;
	int64_t bound; /* what is stored, see clock_store */
};

/* Begins behind all that this node stamped before: stored is its last bound, 0: none. */
void clock_start(struct clock *, int64_t stored, int64_t now);
/*
 * The stamp of a local event: fills l and c, leaves node. -1 with e
 * ("clock_ahead") when the clock is more than CLOCK_AHEAD in front of now
 * (now was set back): the others would refuse the stamp; try again later.
 */
int clock_tick(struct clock *, int64_t now, struct stamp *, struct err *);
/*
 * The receipt of a stamp from elsewhere: after it clock_tick gives later ones.
 * -1 with e ("clock_ahead") when it is more than CLOCK_AHEAD in front of now:
 * the clock has not moved, and what carries the stamp must not be merged. It
 * may be tried again: it is good as soon as the own clock has come near.
 * Never wraps: a counter that is full moves l on by 1 ms.
 */
int clock_receive(struct clock *, const struct stamp *, int64_t now, struct err *);
/*
 * After kill -9 a clock must not go back. So after each tick, before its
 * stamp is shown to anybody: when this returns true, *bound must be on disk
 * first (and be given to clock_start next time). True about every CLOCK_STEP.
 */
bool clock_store(struct clock *, int64_t now, int64_t *bound);

#endif
