/*
 * held_back: messages of one sender that came before their turn, by number.
 *
 * Copies, bounded by the caller's count of bytes and 8,192 of a sender. Zero-initialised is empty.
 */
#ifndef KANDIL_COLLAB_HELD_BACK_H
#define KANDIL_COLLAB_HELD_BACK_H

#include "common/buf.h"

struct held_message {
	uint64_t seq;
	char *bytes; /* event, then payload */
	size_t event, payload;
};

struct held_back {
	struct held_message *v; /* ascending, from at */
	size_t at, n, cap;
};

/*
 * Keeps a copy, once; adds to *bytes. When that would pass max, those with the highest
 * numbers make room if theirs are higher; false: there was no room for it.
 */
bool held_back_add(struct held_back *, uint64_t seq, struct slice event, struct slice payload,
    size_t *bytes, size_t max);
/* The lowest, lent; false: none. */
bool held_back_first(const struct held_back *, uint64_t *seq, struct slice *event,
    struct slice *payload);
uint64_t held_back_last(const struct held_back *); /* 0: none */
/* Drops the lowest / all up to and with / all from and with seq. */
void held_back_drop(struct held_back *, size_t *bytes);
void held_back_drop_to(struct held_back *, uint64_t seq, size_t *bytes);
void held_back_drop_from(struct held_back *, uint64_t seq, size_t *bytes);
void held_back_free(struct held_back *, size_t *bytes);

#endif
