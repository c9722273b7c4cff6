/* cache on damaged files: whatever is cut or flipped, nothing wrong is ever believed. */
#include "tools/ai/cache.h"

#include "tests/unit/ai_cache_values.h"

/* A cache of the first n values in one segment: its bytes, and where each entry ends in them. */
static void
put_first(uint64_t n, size_t *ends, struct buf *whole)
{
	struct cache *c;

	scratch_clear(scratch);
	c = open_with(0);
	for (uint64_t i = 0; i < n; i++) {
		CHECK(put(c, i) == 0);
		read_file("00000001.seg1", whole);
		ends[i + 1] = whole->len;
	}
	cache_close(c);
}

/* Cut at every byte: whole entries are found, the rest is cut off and written again. */
static void
test_torn(void)
{
	struct cache *c;
	struct buf whole = {0}, now = {0};
	size_t ends[5] = {0};

	put_first(4, ends, &whole);
	for (size_t len = 0; len < whole.len; len++) {
		int wrong = 0;

		write_file("00000001.seg1", (struct slice){whole.ptr, len});
		c = open_with(0);
		for (uint64_t n = 0; n < 4; n++)
			wrong += get(c, n) != (ends[n + 1] <= len);
		for (uint64_t n = 4; n-- > 0;)
			if (ends[n + 1] > len)
				wrong += put(c, n) != 0;
		for (uint64_t n = 0; n < 4; n++)
			wrong += get(c, n) != 1;
		cache_close(c);
		read_file("00000001.seg1", &now);
		if (wrong || now.len != whole.len)
			fprintf(stderr, "cut at %zu: %d wrong\n", len, wrong);
		CHECK(wrong == 0 && now.len == whole.len);
	}
	buf_free(&whole);
	buf_free(&now);
}

/* Any byte changed, in a newest or a sealed segment: that entry at most is lost, none is wrong. */
static void
test_flipped(void)
{
	struct buf whole = {0};
	size_t ends[4] = {0};
	struct cache *c;

	put_first(3, ends, &whole);
	for (int sealed = 0; sealed < 2; sealed++) {
		scratch_clear(scratch);
		if (sealed)
			write_file("00000002.seg1", S(""));
		for (size_t at = 0; at < whole.len; at++) {
			int wrong = 0;

			whole.ptr[at] ^= (char)(1 << at % 8);
			write_file("00000001.seg1", buf_slice(&whole));
			whole.ptr[at] ^= (char)(1 << at % 8);
			c = open_with(0);
			for (uint64_t n = 0; n < 3; n++) {
				bool hit = at >= ends[n] && at < ends[n + 1];
				int got = get(c, n);

				/* The head of the last may turn it into a torn tail. */
				wrong += hit ? got != 0 : got != 1;
			}
			cache_close(c);
			if (wrong)
				fprintf(stderr, "byte %zu, sealed %d\n", at, sealed);
			CHECK(wrong == 0);
		}
	}
	buf_free(&whole);
}

static void
check_all(struct cache *c, uint64_t n, const char *what)
{
	uint64_t missing = 0;

	for (uint64_t i = 0; i < n; i++)
		missing += get(c, i) != 1;
	if (missing)
		fprintf(stderr, "%s: %llu of %llu missing or wrong\n", what,
		    (unsigned long long)missing, (unsigned long long)n);
	CHECK(missing == 0);
}

/* Sealed segments: found by their index, which may be damaged anywhere, or gone. */
static void
test_index(void)
{
	enum { N = 1500 };
	struct buf index = {0}, again = {0};
	struct cache *c, *open;

	scratch_clear(scratch);
	c = open_with(64u << 20); /* segments of 1 MiB, all of it in one */
	for (uint64_t n = 0; n < N; n++)
		CHECK(put(c, n) == 0);
	cache_close(c);
	write_file("00000002.seg1", S(""));
	c = open_with(0);
	check_all(c, N, "index made of entries");
	CHECK(get(c, N) == 0);
	cache_close(c);
	read_file("00000001.idx1", &index);
	open = open_with(0);
	for (size_t at = 0; at < index.len; at += at < 200 ? 1 : 131) {
		index.ptr[at] ^= 0x10;
		write_file("00000001.idx1", buf_slice(&index));
		index.ptr[at] ^= 0x10;
		c = open_with(0);
		check_all(c, N, "damaged index");
		cache_close(c);
		read_file("00000001.idx1", &again);
		CHECK(slice_eq(buf_slice(&again), buf_slice(&index))); /* mended */
	}
	for (size_t len = 0; len < index.len; len += 997) {
		write_file("00000001.idx1", (struct slice){index.ptr, len});
		c = open_with(0);
		check_all(c, N, "cut index");
		cache_close(c);
	}
	/* One that was opened before reads what it finds then. */
	index.ptr[index.len - 600] ^= 1;
	write_file("00000001.idx1", buf_slice(&index));
	check_all(open, N, "index damaged under an open cache");
	cache_close(open);
	buf_free(&index);
	buf_free(&again);
}

int
main(void)
{
	scratch_begin();
	test_torn();
	test_flipped();
	test_index();
	scratch_remove(scratch);
	return check_done();
}
