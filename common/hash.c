#include "common/hash.h"

#include "common/mem.h"

#include <stdlib.h>
#include <sys/random.h>

#define ROTL(x, b) ((x) << (b) | (x) >> (64 - (b)))

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline void
sip_round(struct sip *s)
{
	s->v0 += s->v1, s->v1 = ROTL(s->v1, 13), s->v1 ^= s->v0, s->v0 = ROTL(s->v0, 32);
	s->v2 += s->v3, s->v3 = ROTL(s->v3, 16), s->v3 ^= s->v2;
	s->v0 += s->v3, s->v3 = ROTL(s->v3, 21), s->v3 ^= s->v0;
	s->v2 += s->v1, s->v1 = ROTL(s->v1, 17), s->v1 ^= s->v2, s->v2 = ROTL(s->v2, 32);
}

/* SipHash-1-3: one round a word, three at the end. Words are little-endian. */
static uint64_t
siphash(const uint64_t key[2], struct slice text)
{
	struct sip s = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
	    key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u};
	size_t i = 0;
	uint64_t word;

	for (; text.len - i >= 8; i += 8) {
		memcpy(&word, text.ptr + i, 8);
		s.v3 ^= word;
		sip_round(&s);
		s.v0 ^= word;
	}
	word = (uint64_t)text.len << 56;
	for (size_t shift = 0; i < text.len; i++, shift += 8)
		word |= (uint64_t)(unsigned char)text.ptr[i] << shift;
	s.v3 ^= word;
	sip_round(&s);
	s.v0 ^= word;
	s.v2 ^= 0xff;
	sip_round(&s);
	sip_round(&s);
	sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t
hash_stable(struct slice text)
{
	static const uint64_t key[2] = {0, 0};

	return siphash(key, text);
}

static uint64_t
hash_seeded(struct slice text)
{
	static uint64_t key[2];
	static bool seeded;
	uint64_t hash;

	if (!seeded) {
		/* Without random bytes tables still work; only their defence is gone. */
		if (getrandom(key, sizeof(key), GRND_NONBLOCK) != sizeof(key))
			key[0] = (uint64_t)(uintptr_t)&hash;
		seeded = true;
	}
	hash = siphash(key, text);
	return hash ? hash : 1;
}

/* The slot that holds key, or the empty one where it belongs. */
static struct table_slot *
probe(const struct table *t, struct slice key, uint64_t hash)
{
	size_t mask = t->size - 1, i = hash & mask;

	while (t->slots[i].hash &&
	    (t->slots[i].hash != hash || !slice_eq(t->slots[i].key, key)))
		i = (i + 1) & mask;
	return &t->slots[i];
}

uint64_t *
table_get(const struct table *t, struct slice key)
{
	struct table_slot *slot;

	if (t->size == 0)
		return NULL;
	slot = probe(t, key, hash_seeded(key));
	return slot->hash ? &slot->value : NULL;
}

enum { TABLE_MIN = 64 };

static void
table_resize(struct table *t, size_t size)
{
	struct table old = *t;

	t->size = size;
	t->slots = xcalloc(t->size, sizeof(*t->slots));
	for (size_t i = 0; i < old.size; i++)
		if (old.slots[i].hash)
			*probe(t, old.slots[i].key, old.slots[i].hash) = old.slots[i];
	free(old.slots);
}

uint64_t *
table_put(struct table *t, struct slice key, bool *added)
{
	uint64_t hash = hash_seeded(key);
	struct table_slot *slot;
	bool fresh;

	/* Three quarters full is the most that it gets. */
	if (t->used + 1 > t->size / 4 * 3)
		table_resize(t, t->size ? t->size * 2 : TABLE_MIN);
	slot = probe(t, key, hash);
	fresh = slot->hash == 0;
	if (fresh) {
		*slot = (struct table_slot){key, hash, 0};
		t->used++;
	}
	if (added)
		*added = fresh;
	return &slot->value;
}

/*
 * The hole at i is filled by the next of its run that may stand there, whose
 * place is the new hole: no tombstones, so a table that names come and go in stays fast.
 */
static void
close_hole(struct table *t, size_t i)
{
	size_t mask = t->size - 1;

	for (size_t j = (i + 1) & mask; t->slots[j].hash; j = (j + 1) & mask) {
		size_t home = t->slots[j].hash & mask;

		if (((j - home) & mask) < ((j - i) & mask))
			continue;
		t->slots[i] = t->slots[j];
		i = j;
	}
	t->slots[i] = (struct table_slot){0};
}

bool
table_drop(struct table *t, struct slice key)
{
	struct table_slot *slot;

	if (t->size == 0)
		return false;
	slot = probe(t, key, hash_seeded(key));
	if (slot->hash == 0)
		return false;
	close_hole(t, (size_t)(slot - t->slots));
	t->used--;
	if (t->size > TABLE_MIN && t->used < t->size / 8)
		table_resize(t, t->size / 2);
	return true;
}

void
table_free(struct table *t)
{
	free(t->slots);
	*t = (struct table){0};
}
