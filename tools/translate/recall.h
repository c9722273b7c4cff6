/*
 * recall: the answers to texts that came before in this run.
 *
 * Interface texts repeat. What a text without translations of its own was
 * given is kept under all that the answer depends on, and given again.
 * Bounded: when it is full, it starts anew.
 */
#ifndef KANDIL_TRANSLATE_RECALL_H
#define KANDIL_TRANSLATE_RECALL_H

#include "common/buf.h"

enum { RECALL_BYTES = 8 << 20 };

struct recalled {
	struct slice answer; /* the member translations */
	uint64_t missing;    /* bit i: the i-th target locale is without */
};

struct recall;

struct recall *recall_new(void);
/* What was kept under key, or NULL; holds until the next recall_put. */
const struct recalled *recall_get(const struct recall *, struct slice key);
/* Keeps copies. */
void recall_put(struct recall *, struct slice key, struct recalled);
void recall_free(struct recall *);

#endif
