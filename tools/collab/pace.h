/*
 * pace: when the next message may go.
 *
 * Two buckets, and a message waits for both. The quota that was set counts as Supabase does:
 * deliveries, each send one and each member that gets it one. What others are heard to send is
 * spent there too, so that all members together keep to one quota without talking about it;
 * five seconds' worth may go at once, and others may put it into debt.
 *
 * The rate that is learnt, once a relay has said that it is too much, counts our own messages
 * alone, as each relay's limit has a part of its own for us, whatever else it counts: the
 * relay's word is all that is known of it. At most a quarter of a second's worth goes at once,
 * for how much the relay saves up is not known either. A refusal halves the rate, but not below
 * what the relay has taken on the average since the last one: so much is allowed. Where nothing
 * was learnt before, it begins at half of what was taken in the last second, and doubles in
 * three seconds; from the second refusal on it goes back as a cubic does (CUBIC: RFC 9438,
 * section 4.2) to the limit as it was measured, stays near it, and probes beyond: a minute later
 * it is twice that. It grows only while there is something to send that waits for it.
 * Pure: the caller says what time it is, in ms.
 */
#ifndef KANDIL_COLLAB_PACE_H
#define KANDIL_COLLAB_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
	double quota, debt, level; /* deliveries a second, 0: unlimited; seconds; deliveries */

	double rate;	/* own messages a second, 0: nothing is learnt */
	double room;	/* messages that may go at once */
	double base;	/* the rate after the last refusal */
	double ceiling; /* the relay's limit as it was measured, 0: not yet */
	double busy;	/* seconds since the last refusal in which the rate held something back */
	double taken;	/* own messages that the relay took since then */
	double recent;	/* and of about the last second */
	bool held;	/* the rate holds something back now */
	int64_t slowed; /* when it last refused */
	int64_t at;	/* when all this was true */
};

/* debt: how many seconds' worth of the quota others may put us behind. */
void pace_open(struct pace *, int64_t now, double quota, double debt);
/*
 * 0: one message may go, of so many deliveries; else the ms until it may, or is to be asked again.
 * More than a whole bucket goes when that is full.
 */
int64_t pace_wait(struct pace *, int64_t now, double cost);
/* One of ours went, of so many deliveries, with or without a pace_wait. */
void pace_spend(struct pace *, int64_t now, double cost);
/* One of others' was heard. */
void pace_heard(struct pace *, int64_t now, double cost);
/* The relay took one of ours. */
void pace_taken(struct pace *, int64_t now);
/* The relay says that it is too much: each time that the channel is closed for it, once. */
void pace_slow(struct pace *, int64_t now);

#endif
