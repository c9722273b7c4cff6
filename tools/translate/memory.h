/*
 * memory: units (a source text and its translation) of one locale, found by
 * folded text.
 *
 * A store is filled, sealed, and then only read. It holds offsets, no
 * pointers, so that it can be written to a file and mapped again as it is
 * (system.c). Units are sorted by the hash of their folded source; equal
 * units of several catalogues are merged, and counted.
 */
#ifndef KANDIL_TRANSLATE_MEMORY_H
#define KANDIL_TRANSLATE_MEMORY_H

#include "common/buf.h"

/* One unit of a store; plain data, written to disk as it is. */
struct unit {
	uint64_t hash;	  /* of the folded source */
	uint32_t source, source_len; /* in the pool */
	uint32_t target, target_len;
	uint32_t folded, folded_len; /* the folded source */
	uint32_t file;	  /* offset in the pool of the catalogue's name, NUL-terminated */
	uint32_t order;	  /* of addition */
	uint16_t votes;	  /* catalogues that say the same */
	uint8_t dialect;  /* of both texts: enum message_dialect and flags */
	uint8_t state;	  /* enum catalog_state */
	uint8_t distance; /* of its locale from the one that is asked for */
	uint8_t flags;
	uint16_t reserved; /* 0: no byte on disk is left to chance */
};

/*
 * What a fuzzy search sees of a unit before it looks at its text: sorted by
 * length and read from front to back, so that most units cost no cache miss.
 */
struct shape {
	uint64_t bigrams[2]; /* which pairs of characters there are, as a set of 128 */
	uint32_t unit;	     /* its index */
	uint16_t length;     /* code points, at most 65535 */
	uint16_t words;
};

enum { UNIT_SAME = 1 /* the same text in both languages is right */ };

struct store {
	struct unit *units; /* sorted by hash */
	size_t n, cap;
	struct shape *shapes; /* of all units, by length */
	struct buf pool;
	const char *bytes; /* the pool, or the mapped one */
	size_t bytes_len;
	bool sealed, mapped;
};

struct addition {
	struct slice source, target;
	unsigned dialect;
	unsigned state;
	unsigned distance;
	bool same; /* a text that equals its source is right */
	uint32_t file; /* from store_file */
};

enum {
	STORE_OTHER = 64, /* from this distance on it is written otherwise: a person must look */
	STORE_UNITS = 4000000, /* and no more; a memory beyond that is cut off */
	STORE_POOL = 1 << 30,
	STORE_TEXT = 2000, /* bytes of a source that is kept: longer ones are not interface text */
};

/* Enters a catalogue's name. */
uint32_t store_file(struct store *, const char *name);
/*
 * Adds a unit. Ignored: empty texts, texts that are too long, and, unless
 * `same`, texts with letters that equal their source (they were never
 * translated). False only when the store is full.
 */
bool store_add(struct store *, const struct addition *);
/* Sorts and merges; needed before looking up. */
void store_seal(struct store *);
/* The units whose folded source has that hash: the first, and how many. */
const struct unit *store_find(const struct store *, uint64_t hash, size_t *n);
void store_free(struct store *);

uint64_t store_hash(struct slice folded);
struct shape store_shape(struct slice folded);

static inline struct slice
store_source(const struct store *s, const struct unit *u)
{
	return (struct slice){s->bytes + u->source, u->source_len};
}

static inline struct slice
store_target(const struct store *s, const struct unit *u)
{
	return (struct slice){s->bytes + u->target, u->target_len};
}

static inline struct slice
store_folded(const struct store *s, const struct unit *u)
{
	return (struct slice){s->bytes + u->folded, u->folded_len};
}

static inline const char *
store_name(const struct store *s, const struct unit *u)
{
	return s->bytes + u->file;
}

#endif
