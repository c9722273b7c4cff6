/*
 * ai_cache_values: a cache in a folder of the test's own, with the only value that each number
 * ever has.
 */
#ifndef KANDIL_TEST_AI_CACHE_VALUES_H
#define KANDIL_TEST_AI_CACHE_VALUES_H

#include "tools/ai/cache.h"

#include "tests/unit/check.h"
#include "tests/unit/scratch.h"

static struct err e;

static inline char *
in_dir(const char *name)
{
	return path_join(scratch, name);
}

/* The key of a number, spread as a digest is. */
static inline void
key_of(uint64_t n, uint8_t key[CACHE_KEY])
{
	for (size_t i = 0; i < CACHE_KEY; i += 8) {
		uint64_t x = (n + 1) * 0x9e3779b97f4a7c15u + i;

		x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
		x = (x ^ x >> 27) * 0x94d049bb133111ebu;
		x ^= x >> 31;
		memcpy(key + i, &x, 8);
	}
}

/* The only value that a number ever has. */
static inline void
value_of(uint64_t n, struct buf *out)
{
	size_t len = (size_t)((n * 2654435761u) >> 7 & 1023);

	buf_reset(out);
	buf_addf(out, "{\"n\":%llu,\"pad\":\"", (unsigned long long)n);
	for (size_t i = 0; i < len; i++)
		buf_addc(out, (char)('a' + (n + i) % 26));
	buf_adds(out, "\"}");
}

static inline int
put(struct cache *c, uint64_t n)
{
	static struct buf value;
	uint8_t key[CACHE_KEY];

	key_of(n, key);
	value_of(n, &value);
	return cache_put(c, key, buf_slice(&value), &e);
}

/* 1: there and right, 0: not there, -1: wrong. */
static inline int
get(struct cache *c, uint64_t n)
{
	static struct buf value, want;
	uint8_t key[CACHE_KEY];

	key_of(n, key);
	value_of(n, &want);
	buf_reset(&value);
	buf_adds(&value, "before");
	if (!cache_get(c, key, &value))
		return slice_is(buf_slice(&value), "before") ? 0 : -1;
	return slice_starts(buf_slice(&value), "before") && value.len == want.len + 6 &&
	    memcmp(value.ptr + 6, want.ptr, want.len) == 0 ? 1 : -1;
}

static inline struct cache *
open_with(size_t max)
{
	struct cache *c = NULL;

	if (cache_open(&c, scratch, max, &e) != 0) {
		fprintf(stderr, "%s\n", e.text);
		exit(1);
	}
	return c;
}

static inline void
write_file(const char *name, struct slice bytes)
{
	char *path = in_dir(name);
	FILE *f = fopen(path, "wb");

	CHECK(f && fwrite(bytes.ptr, 1, bytes.len, f) == bytes.len);
	if (f)
		fclose(f);
	free(path);
}

static inline void
read_file(const char *name, struct buf *out)
{
	char *path = in_dir(name);

	buf_reset(out);
	CHECK(path_read(path, (size_t)1 << 30, out, &e) == 0);
	free(path);
}

#endif
