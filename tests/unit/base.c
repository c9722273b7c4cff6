/*
 * mem, buf, hash, path: the ground floor.
 */
#include "common/hash.h"
#include "common/mem.h"
#include "common/path.h"

#include "tests/unit/check.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void
test_buf(void)
{
	struct buf b = {0};

	buf_addf(&b, "%s-%d", "x", 42);
	buf_splice(&b, 1, 1, S("::"));
	CHECK_TEXT(b.ptr, "x::42");
	buf_splice(&b, 0, 3, S(""));
	CHECK_TEXT(b.ptr, "42");
	buf_cut(&b, 1);
	buf_addutf8(&b, 0x20AC);
	buf_addutf8(&b, 0xD800);
	CHECK_TEXT(b.ptr, "4\xE2\x82\xAC\xEF\xBF\xBD");
	CHECK(utf8_valid(b.ptr, b.len) == b.len);
	CHECK(utf8_count(b.ptr, b.len) == 3);
	CHECK(utf8_valid("abcdefgh\xC3", 9) == 8);
	CHECK(slice_cmp(S("a"), S("ab")) < 0 && slice_cmp(S("b"), S("ab")) > 0 &&
	    slice_cmp(S("a"), S("a")) == 0);
	CHECK(slice_is(slice_trim(S(" \t x y\r\n")), "x y"));
	buf_reset(&b);
	buf_add_visible(&b, S("a\tb\n\x1b[1m\x7f\xc2\x9b\xff\xc3\xa9"));
	CHECK_TEXT(b.ptr, "a b??[1m???\xc3\xa9");
	/* Ten columns, whatever the bytes; what is longer, blanks that are two, and no words. */
	buf_reset(&b);
	buf_add_wrapped(&b, S("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9 a bcd longer-than-ten e  f g"), 0, 2,
	    10);
	CHECK_TEXT(b.ptr, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9 a bcd\n  longer-than-ten\n  e  f g");
	buf_reset(&b);
	buf_add_wrapped(&b, S("a-word-of-its-own b"), 0, 4, 10);
	buf_add_wrapped(&b, S(""), 0, 4, 10);
	CHECK_TEXT(b.ptr, "a-word-of-its-own\n    b");
	buf_reset(&b);
	buf_adds(&b, "12345678");
	buf_add_wrapped(&b, S("one two"), 8, 3, 10);
	CHECK_TEXT(b.ptr, "12345678one\n   two");
	buf_free(&b);
}

static void
test_lines(void)
{
	struct slice rest = S("one\r\n\n two\r\nlast"), line;
	struct buf b = {0};

	while (slice_line(&rest, &line))
		buf_addf(&b, "<%.*s>", (int)line.len, line.ptr);
	CHECK_TEXT(b.ptr, "<one><>< two><last>");
	CHECK(rest.len == 0);
	buf_free(&b);
}

/* Encoding and decoding agree for every code point. */
static void
test_utf8(void)
{
	struct buf b = {0};
	uint32_t wrong = 0, c;

	for (uint32_t i = 0; i < 0x110000; i++) {
		if (i >= 0xD800 && i <= 0xDFFF)
			continue;
		buf_reset(&b);
		buf_addutf8(&b, i);
		if (utf8_decode(b.ptr, b.len, &c) != b.len || c != i)
			wrong++;
	}
	CHECK(wrong == 0);
	buf_free(&b);
}

static void
test_arena(void)
{
	struct arena a = {0};
	char *first, *large;

	first = arena_copy(&a, "hello", 5);
	large = arena_alloc(&a, 100000);
	memset(large, 1, 100000);
	CHECK_TEXT(first, "hello");
	arena_reset(&a);
	CHECK(arena_alloc(&a, 1) == (void *)first);
	CHECK(arena_alloc(&a, 90000) == (void *)large);
	arena_free(&a);
}

/* Against an array of what should be there: names come, go, and come again. */
static void
test_table_drop(void)
{
	static char names[3000][8];
	static uint64_t here[3000];
	struct table t = {0};
	uint32_t random = 7;
	size_t wrong = 0, n = 0, most = 0;

	for (size_t i = 0; i < 3000; i++)
		snprintf(names[i], sizeof(names[i]), "%zu", i);
	for (size_t step = 1; step <= 200000; step++) {
		/* Full and nearly empty by turns, so that it grows and shrinks. */
		bool grow = step / 20000 % 2 == 0;
		size_t i = (random = random * 1664525 + 1013904223) >> 8; /* Numerical Recipes */
		struct slice key = slice(names[i %= 3000]);

		if ((random >> 5) % 8 < (grow ? 6u : 2u)) {
			n += here[i] == 0;
			*table_put(&t, key, NULL) = here[i] = step;
		} else {
			wrong += table_drop(&t, key) != (here[i] != 0);
			n -= here[i] != 0;
			here[i] = 0;
		}
		wrong += t.used != n;
		most = t.size > most ? t.size : most;
		for (size_t j = step % 500 ? 3000 : 0; j < 3000; j++) {
			uint64_t *at = table_get(&t, slice(names[j]));

			wrong += (at ? *at : 0) != here[j];
		}
	}
	CHECK(wrong == 0);
	for (size_t i = 0; i < 3000; i++)
		table_drop(&t, slice(names[i]));
	CHECK(t.used == 0 && most >= 4096 && t.size < 128);
	table_free(&t);
}

static void
test_table(void)
{
	struct table t = {0};
	struct arena keys = {0};
	bool added;
	size_t wrong = 0;
	char name[16];

	for (int i = 0; i < 10000; i++) {
		int n = snprintf(name, sizeof(name), "k%d", i % 5000);

		*table_put(&t, (struct slice){arena_copy(&keys, name, (size_t)n), (size_t)n}, &added) += 1;
		wrong += added != (i < 5000);
	}
	CHECK(wrong == 0);
	CHECK(t.used == 5000);
	CHECK(*table_get(&t, S("k4999")) == 2);
	CHECK(table_get(&t, S("k5000")) == NULL);
	table_free(&t);
	arena_free(&keys);
	/* The reference implementation's SipHash-1-3 of the empty string, key 0. */
	CHECK(hash_stable(S("")) == 0xd1fba762150c532cu);
}

static void
test_replace(void)
{
	char folder[] = "/tmp/kandil-unit.XXXXXX";
	char *name;
	struct buf b = {0};
	struct stat st;
	struct err e;
	bool changed;

	CHECK(mkdtemp(folder) != NULL);
	name = path_join(folder, "a");
	CHECK(path_replace(name, S("one"), &changed, &e) == 0 && changed);
	CHECK(chmod(name, 0640) == 0);
	CHECK(path_replace(name, S("one"), &changed, &e) == 0 && !changed);
	CHECK(path_replace(name, S("two"), &changed, &e) == 0 && changed);
	CHECK(stat(name, &st) == 0 && (st.st_mode & 07777) == 0640);
	CHECK(path_read(name, 3, &b, &e) == 0);
	CHECK_TEXT(b.ptr, "two");
	CHECK(path_read(name, 2, &b, &e) == -1);
	CHECK_TEXT(e.code, "too_large");
	CHECK(path_read(folder, 9, &b, &e) == -1);
	unlink(name);
	rmdir(folder);
	CHECK(path_replace(name, S("x"), &changed, &e) == -1);
	CHECK_TEXT(e.code, "cannot_write");
	free(name);
	buf_free(&b);
}

int
main(void)
{
	test_buf();
	test_lines();
	test_utf8();
	test_arena();
	test_table();
	test_table_drop();
	test_replace();
	return check_done();
}
