/* MO: both byte orders, contexts, plurals, charsets; and every bad offset refused. */
#include "common/format/mo.h"

#include "tests/unit/check.h"

#include <stdlib.h>

static struct catalog c;
static struct err e;

struct pair {
	struct slice name, text;
};

static void
put_word(struct buf *b, uint32_t value, bool swapped)
{
	if (swapped)
		value = __builtin_bswap32(value);
	buf_add(b, &value, sizeof(value));
}

/* A file of those strings, tables first. */
static void
build(const struct pair *pairs, uint32_t n, bool swapped, struct buf *b)
{
	uint32_t header[] = {0x950412de, 0, n, 28, 28 + n * 8, 0, 28 + n * 16};
	uint32_t at = 28 + n * 16;

	buf_reset(b);
	for (size_t i = 0; i < 7; i++)
		put_word(b, header[i], swapped);
	for (int table = 0; table < 2; table++)
		for (uint32_t i = 0; i < n; i++) {
			struct slice s = table ? pairs[i].text : pairs[i].name;
			put_word(b, (uint32_t)s.len, swapped);
			put_word(b, at, swapped);
			at += (uint32_t)s.len + 1;
		}
	for (int table = 0; table < 2; table++)
		for (uint32_t i = 0; i < n; i++) {
			buf_addslice(b, table ? pairs[i].text : pairs[i].name);
			buf_addc(b, '\0');
		}
}

static int
parse(const struct buf *b)
{
	catalog_free(&c);
	return catalog_parse("fr/LC_MESSAGES/x.mo", CATALOG_MO, buf_slice(b), &c, &e);
}

static const struct pair pairs[] = {
	{S(""), S("Content-Type: text/plain; charset=UTF-8\nLanguage: fr\n"
		  "Plural-Forms: nplurals=2; plural=n>1;\n")},
	{S("Open"), S("Ouvrir")},
	{S("door\004Open"), S("Ouverte")},
	{S("%d day\0%d days"), S("%d jour\0%d jours")},
};

static void
test_orders(void)
{
	struct buf b = {0}, text = {0};

	for (int swapped = 0; swapped < 2; swapped++) {
		build(pairs, 4, swapped, &b);
		CHECK(parse(&b) == 0);
		CHECK(c.n == 3 && c.nplurals == 2);
		CHECK(slice_is(c.locale, "fr"));
		CHECK(slice_is(c.entries[0].values[0], "Ouvrir"));
		CHECK(slice_is(c.entries[1].context, "door"));
		CHECK(catalog_find_source(&c, S("door"), S("Open")) == &c.entries[1]);
		CHECK(c.entries[2].nvalues == 2 && slice_is(c.entries[2].source_plural, "%d days"));
		buf_reset(&text);
		CHECK(catalog_message(&c, &c.entries[2], &text));
		CHECK_TEXT(text.ptr, "{n, plural, one{{n} jour} other{{n} jours}}");
	}
	buf_free(&b);
	buf_free(&text);
}

/* Every word of header and tables set to something wild: refused or read, never a crash. */
static void
test_bad_offsets(void)
{
	static const uint32_t wild[] = {0, 1, 27, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff};
	struct buf b = {0};
	int refused = 0;

	build(pairs, 4, false, &b);
	for (size_t at = 8; at < 28 + 64; at += 4)
		for (size_t i = 0; i < sizeof(wild) / sizeof(*wild); i++) {
			uint32_t old;
			memcpy(&old, b.ptr + at, 4);
			memcpy(b.ptr + at, &wild[i], 4);
			refused += parse(&b) < 0;
			memcpy(b.ptr + at, &old, 4);
		}
	CHECK(refused > 80);
	for (size_t len = 0; len < b.len; len++) {
		struct buf cut = {0};
		buf_add(&cut, b.ptr, len);
		CHECK(parse(&cut) < 0);
		buf_free(&cut);
	}
	build(pairs, 4, false, &b);
	uint32_t outside = (uint32_t)b.len;
	memcpy(b.ptr + 28 + 8 + 4, &outside, 4);
	CHECK(parse(&b) < 0);
	CHECK_TEXT(e.code, "bad_catalog");
	CHECK_TEXT(e.text, "string 1 lies outside the file");
	buf_free(&b);
}

static void
test_charset(void)
{
	static const struct pair latin[] = {
	    {S(""), S("Content-Type: text/plain; charset=ISO-8859-1\n")}, {S("x"), S("\xe9t\xe9")}};
	static const struct pair broken[] = {{S("x"), S("\xe9")}};
	struct buf b = {0};

	build(latin, 2, false, &b);
	CHECK(parse(&b) == 0 && slice_is(c.entries[0].values[0], "été"));
	build(broken, 1, false, &b);
	CHECK(parse(&b) < 0);
	CHECK_TEXT(e.code, "bad_utf8");
	buf_free(&b);
}

static int
count(const struct catalog *seen, const struct catalog_entry *entry, void *state)
{
	int *n = state;

	CHECK(seen->format == CATALOG_MO && entry->values[0].len > 0);
	return ++*n == 2 ? 7 : 0;
}

static void
test_visit(void)
{
	struct buf b = {0};
	char name[] = "/tmp/kandil-mo-XXXXXX";
	int fd = mkstemp(name), n = 0;
	FILE *file = fdopen(fd, "wb");

	build(pairs, 4, false, &b);
	CHECK(fwrite(b.ptr, 1, b.len, file) == b.len && fclose(file) == 0);
	CHECK(catalog_visit(name, CATALOG_MO, count, &n, &e) == 7);
	CHECK(n == 2);
	remove(name);
	CHECK(catalog_visit(name, CATALOG_MO, count, &n, &e) < 0);
	CHECK_TEXT(e.code, "cannot_read");
	buf_free(&b);
}

/* Many strings that are the same bytes would cost their number times their length. */
static void
test_overlap(void)
{
	enum { N = 100, LEN = 5000 };
	struct buf b = {0};
	uint32_t header[] = {0x950412de, 0, N, 28, 28, 0, 28 + N * 8};

	for (size_t i = 0; i < 7; i++)
		put_word(&b, header[i], false);
	for (uint32_t i = 0; i < N; i++) {
		put_word(&b, LEN, false);
		put_word(&b, 28 + N * 8, false);
	}
	for (size_t i = 0; i < LEN; i++)
		buf_addc(&b, 'x');
	buf_addc(&b, '\0');
	CHECK(parse(&b) < 0);
	CHECK_TEXT(e.code, "bad_catalog");
	buf_free(&b);
}

int
main(void)
{
	test_overlap();
	test_orders();
	test_bad_offsets();
	test_charset();
	test_visit();
	catalog_free(&c);
	return check_done();
}
