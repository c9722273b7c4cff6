/*
 * hash: SipHash-1-3, a stable text hash, and a table from slices to numbers.
 *
 * Tables hold names that come from untrusted files, so each process seeds
 * their hash with random bytes (hash flooding). Where a hash is printed (the
 * suffix of a key) it must be the same everywhere: hash_stable has a fixed key.
 * Source: J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF".
 */
#ifndef KANDIL_HASH_H
#define KANDIL_HASH_H

#include "common/buf.h"

uint64_t hash_stable(struct slice);

/*
 * A table from byte strings to 64-bit values (an index, or a pointer cast
 * through uintptr_t). It copies no key: keys must outlive it. Zero-initialised
 * is empty and ready.
 */
struct table_slot {
	struct slice key;
	uint64_t hash; /* 0 marks an empty slot */
	uint64_t value;
};
struct table {
	struct table_slot *slots;
	size_t used, size; /* size is a power of two */
};

/* A pointer to key's value, or NULL. Valid until the next table_put. */
uint64_t *table_get(const struct table *, struct slice key);
/*
 * A pointer to key's value, added as 0 when it is new (*added says so, may
 * be NULL). Valid until the next table_put.
 */
uint64_t *table_put(struct table *, struct slice key, bool *added);
/*
 * Takes key out; false when it was not there. Values move, and the table
 * shrinks when little is left. Source: D. E. Knuth, TAOCP 3, 6.4, Algorithm R.
 */
bool table_drop(struct table *, struct slice key);
void table_free(struct table *);

#endif
