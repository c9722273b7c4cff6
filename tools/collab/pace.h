/*
 * pace: how many deliveries a second a session may cost.
 *
 * Supabase counts each send once and each delivery once, over all members; so
 * what others are heard to send is spent here too, and all members together
 * keep to one quota without talking about it. A bucket of five seconds' worth,
 * which may go into debt. Pure: the caller says what time it is, in ms.
 */
#ifndef KANDIL_COLLAB_PACE_H
#define KANDIL_COLLAB_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
	double rate;   /* deliveries a second in force; 0: unlimited */
	double wanted; /* the one that was set */
	double level, debt;
	double recent;	/* deliveries of about the last five seconds */
	int64_t at;	/* when level and recent were true */
	int64_t slowed; /* when the relay last complained, or when the rate last rose again */
};

/* debt: how many seconds' worth others may put us behind. */
void pace_open(struct pace *, int64_t now, double rate, double debt);
/* 0: so many may go; else the ms until they may. More than a whole bucket goes when it is full. */
int64_t pace_wait(struct pace *, int64_t now, double cost);
/* So many went: ours, or others'. */
void pace_spend(struct pace *, int64_t now, double cost);
/*
 * The relay says that it is too much: half the rate (half of what was spent of
 * late, where there was none), doubled again after each minute without a complaint.
 */
void pace_slow(struct pace *, int64_t now);

#endif
