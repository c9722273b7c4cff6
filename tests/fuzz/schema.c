/*
 * A schema and a value, parted by a line of four dashes: reading and checking end within their
 * bounds and say the same twice; what is wrong is said in a few lines of UTF-8; the copy for a
 * provider is a schema again, and a value that fits it fits the original.
 */
#include "tools/ai/schema.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 0: fits, 1: does not, 2: no JSON, 3: a bound. */
static int
verdict(const struct schema *s, struct slice value, struct buf *why)
{
	struct err e = {0};

	if (schema_check(s, value, why, &e) == 0)
		return 0;
	if (e.text[0] == '\0' || utf8_valid(e.text, strlen(e.text)) != strlen(e.text))
		abort();
	if (strcmp(e.code, "schema_mismatch") == 0)
		return 1;
	return strcmp(e.code, "schema_limit") == 0 ? 3 : 2;
}

static void
check_words(struct slice why)
{
	size_t lines = 0;

	if (utf8_valid(why.ptr, why.len) != why.len || why.len == 0 || why.ptr[why.len - 1] != '\n')
		abort();
	for (size_t i = 0; i < why.len; i++) {
		if ((unsigned char)why.ptr[i] < 32 && why.ptr[i] != '\n')
			abort();
		lines += why.ptr[i] == '\n';
	}
	if (lines > SCHEMA_FOUND)
		abort();
}

static void
check_copy(const struct schema *s, struct slice value, int fits)
{
	struct buf copy = {0};
	struct schema *closed;
	struct err e;

	schema_copy_closed(s, &copy);
	closed = schema_open(buf_slice(&copy), &e);
	if (closed == NULL)
		abort();
	if (fits == 1 && verdict(closed, value, NULL) == 0)
		abort();
	schema_close(closed);
	buf_free(&copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char mark[] = "\n----\n";
	const char *text = (const char *)data;
	const char *cut = size ? memmem(text, size, mark, sizeof(mark) - 1) : NULL;
	size_t head = cut ? (size_t)(cut - text) : size;
	struct slice value = {"0", 1};
	struct buf why = {0};
	struct schema *s;
	struct err e;
	int fits;

	if (size > 8192)
		return -1;
	if (cut != NULL)
		value = (struct slice){cut + 6, size - head - 6};
	s = schema_open((struct slice){text, head}, &e);
	if (s == NULL)
		return 0;
	schema_unknown(s, &why);
	schema_name(s, &why);
	schema_takes_strict(s, &why);
	buf_reset(&why);
	fits = verdict(s, value, &why);
	if (fits == 1)
		check_words(buf_slice(&why));
	else if (why.len > 0)
		abort();
	/* A pattern's time may pass or not: only that may differ. */
	if (verdict(s, value, NULL) != fits && fits != 3)
		abort();
	check_copy(s, value, fits);
	schema_close(s);
	buf_free(&why);
	return 0;
}
