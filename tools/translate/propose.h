/*
 * propose: a translation of one message into one locale, checked.
 *
 * A message is looked for as a whole; one with a plural or select that no
 * memory has as a whole is put together from its cases where the target
 * language's categories allow it. What does not pass message_verify is
 * withheld, with the reason.
 */
#ifndef KANDIL_TRANSLATE_PROPOSE_H
#define KANDIL_TRANSLATE_PROPOSE_H

#include "tools/translate/match.h"

struct proposal {
	bool found;	    /* text is a translation that passed */
	struct match match; /* how it was found */
	struct buf text;
	struct buf rejected; /* what was found and withheld; empty: nothing was */
	char reason[200];    /* why, or why nothing could be found: "" no memory has it */
};

/* Called for a whole text that no memory has, in the query's dialect. */
typedef void propose_miss_fn(const struct message *, void *state);

struct proposer {
	double fuzzy;
	struct arena arena; /* reset by the caller, between messages */
	propose_miss_fn *miss; /* may be NULL */
	void *miss_state;
	struct query query, piece;
};

/* Buffers of the proposal are reused. The message was read into p->query. */
void propose(struct proposer *, const struct memories *, struct proposal *);

#endif
