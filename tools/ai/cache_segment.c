#include "tools/ai/cache_part.h"

#include "common/hash.h"
#include "common/mem.h"
#include "common/time.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

enum {
	HEAD = sizeof(struct entry_head),
	MAGIC_AT = offsetof(struct entry_head, magic),
	OWN_AT = offsetof(struct entry_head, own),
	CHUNK = 64 * 1024, /* read at once when scanning */
	FIRST_PLACES = 256,
};

static const uint32_t magic = 0x01ff6bffu; /* FF 'k' FF 01 */

int
read_at(int fd, void *out, size_t len, uint64_t at)
{
	char *to = out;

	while (len) {
		ssize_t n = pread(fd, to, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		to += n;
		len -= (size_t)n;
		at += (uint64_t)n;
	}
	return 0;
}

/* ---- entries ---- */

static uint64_t
sum_head(const char *bytes)
{
	return hash_stable((struct slice){bytes + MAGIC_AT, OWN_AT - MAGIC_AT});
}

static uint64_t
sum_all(const char *bytes, size_t length)
{
	return hash_stable((struct slice){bytes + MAGIC_AT, HEAD - MAGIC_AT + length});
}

/* Takes the head out of its bytes: whether it is one. */
static bool
head_take(const char *bytes, struct entry_head *head)
{
	memcpy(head, bytes, HEAD);
	return head->magic == magic && head->length <= CACHE_VALUE && head->own == sum_head(bytes);
}

void
entry_make(const uint8_t key[CACHE_KEY], struct slice value, struct buf *out)
{
	struct entry_head head = {
	    .magic = magic, .length = (uint32_t)value.len, .time = (uint64_t)(time_now() / 1000)};

	memcpy(head.key, key, CACHE_KEY);
	buf_reset(out);
	buf_add(out, &head, HEAD);
	buf_addslice(out, value);
	head.own = sum_head(out->ptr);
	memcpy(out->ptr + OWN_AT, &head.own, sizeof(head.own));
	head.all = sum_all(out->ptr, value.len);
	memcpy(out->ptr, &head.all, sizeof(head.all));
}

bool
entry_read(int fd, struct place place, const uint8_t key[CACHE_KEY], struct buf *out)
{
	size_t before = out->len, len = HEAD + (size_t)place.length;
	struct entry_head head;
	char *at;

	/* The head lands in out as well, and is taken out again: one read, one checksum. */
	at = buf_room(out, len);
	if (read_at(fd, at, len, place.at) != 0 || !head_take(at, &head) ||
	    head.length != place.length || memcmp(head.key, key, CACHE_KEY) != 0 ||
	    head.all != sum_all(at, head.length)) {
		buf_cut(out, before);
		return false;
	}
	memmove(at, at + HEAD, place.length);
	out->len = before + place.length;
	out->ptr[out->len] = '\0';
	return true;
}

/* ---- places ---- */

static size_t
slot_of(const struct places *p, uint64_t fragment)
{
	uint64_t x = (fragment ^ p->seed) * 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 32) * 0xd6e8feb86659fd93u;
	return (size_t)(x ^ x >> 32) & (p->size - 1);
}

static struct place *
probe(const struct places *p, uint64_t fragment)
{
	size_t i = slot_of(p, fragment);

	while (p->v[i].at != UINT32_MAX && p->v[i].fragment != fragment)
		i = (i + 1) & (p->size - 1);
	return &p->v[i];
}

const struct place *
places_find(const struct places *p, uint64_t fragment)
{
	const struct place *place;

	if (p->used == 0)
		return NULL;
	place = probe(p, fragment);
	return place->at == UINT32_MAX ? NULL : place;
}

static void
grow(struct places *p)
{
	struct places bigger = {.size = p->size ? p->size * 2 : FIRST_PLACES, .seed = p->seed};

	if (p->size == 0 && getrandom(&bigger.seed, sizeof(bigger.seed), GRND_NONBLOCK) < 0)
		bigger.seed = (uint64_t)(uintptr_t)&bigger;
	bigger.v = xreallocarray(NULL, bigger.size, sizeof(*bigger.v));
	memset(bigger.v, 0xff, bigger.size * sizeof(*bigger.v));
	for (size_t i = 0; i < p->size; i++)
		if (p->v[i].at != UINT32_MAX)
			*probe(&bigger, p->v[i].fragment) = p->v[i];
	bigger.used = p->used;
	free(p->v);
	*p = bigger;
}

void
places_put(struct places *p, struct place place)
{
	struct place *slot;

	if (p->used >= p->size / 4 * 3)
		grow(p);
	slot = probe(p, place.fragment);
	p->used += slot->at == UINT32_MAX;
	*slot = place;
}

void
places_reset(struct places *p)
{
	if (p->size)
		memset(p->v, 0xff, p->size * sizeof(*p->v));
	p->used = 0;
}

void
places_free(struct places *p)
{
	free(p->v);
	*p = (struct places){0};
}

/* ---- scanning ---- */

struct scan {
	int fd;
	uint64_t size;
	uint64_t at; /* of the chunk */
	size_t have;
	char chunk[CHUNK];
};

/* At least want bytes (≤ CHUNK) at an offset, as many as *have says; NULL: they cannot be read. */
static const char *
look(struct scan *s, uint64_t at, size_t want, size_t *have)
{
	if (at < s->at || at + want > s->at + s->have) {
		uint64_t left = s->size - at;

		s->at = at;
		s->have = left < CHUNK ? (size_t)left : CHUNK;
		if (s->have < want || read_at(s->fd, s->chunk, s->have, at) != 0) {
			s->have = 0;
			return NULL;
		}
	}
	*have = s->have - (size_t)(at - s->at);
	return s->chunk + (at - s->at);
}

/* The offset of the next whole entry at or behind at, or UINT64_MAX. */
static uint64_t
find_entry(struct scan *s, uint64_t at)
{
	struct entry_head head;
	const char *bytes, *hit;
	size_t have;

	while ((bytes = look(s, at, HEAD, &have)) != NULL) {
		/* memmem over all that the chunk has; a hit's whole head may lie behind it. */
		hit = memmem(bytes + MAGIC_AT, have - MAGIC_AT, &magic, sizeof(magic));
		if (hit == NULL) {
			at += have - HEAD + 1;
			continue;
		}
		at += (size_t)(hit - bytes) - MAGIC_AT;
		bytes = look(s, at, HEAD, &have);
		if (bytes == NULL)
			break;
		if (head_take(bytes, &head) && head.length <= s->size - at - HEAD)
			return at;
		at++;
	}
	return UINT64_MAX;
}

uint64_t
segment_scan(int fd, uint64_t from, uint64_t size, bool skip, struct places *places, bool *bad)
{
	struct scan *s = xmalloc(sizeof(*s));
	struct entry_head head;
	uint64_t at = from, end = from;
	const char *bytes;
	size_t have;

	*bad = false;
	s->fd = fd;
	s->size = size;
	s->at = s->have = 0;
	while (size - at >= HEAD && (bytes = look(s, at, HEAD, &have)) != NULL) {
		if (!head_take(bytes, &head)) {
			*bad = true;
			at = skip ? find_entry(s, at + 1) : UINT64_MAX;
			if (at == UINT64_MAX)
				break;
			continue;
		}
		if (head.length > size - at - HEAD)
			break;
		if (places->used < SEGMENT_ENTRIES)
			places_put(places,
			    (struct place){key_fragment(head.key), (uint32_t)at, head.length});
		at += HEAD + head.length;
		end = at;
	}
	free(s);
	return end;
}
