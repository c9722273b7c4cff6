/*
 * JSON of a reply on one line: random values with white space thrown in
 * between their tokens come out as they were without it.
 */
#include "common/json.h"
#include "tests/unit/check.h"
#include "tools/ai/answer.h"

#include <stdlib.h>

static void
space(struct buf *b)
{
	for (int n = rand() % 3; n > 0; n--)
		buf_addc(b, " \t\r\n"[rand() % 4]);
}

static void
both(struct buf *spaced, struct buf *tight, const char *text)
{
	space(spaced);
	buf_adds(spaced, text);
	space(spaced);
	buf_adds(tight, text);
}

/* Writes the same value twice; returns its depth. */
static size_t
value(struct buf *spaced, struct buf *tight, int left)
{
	static const char *const plain[] = {"1", "-0.5e+3", "true", "null", "\"\"", "\" [{, }] \"",
	    "\"\\\"\\\\\"", "\"\\\\\\\" x\"", "\"\\ud800 \\u0000\"", "\"\xC3\xA9\""};
	size_t deepest = 0, depth;
	bool object = rand() % 2;

	if (left == 0 || rand() % 3 == 0) {
		both(spaced, tight, plain[rand() % (int)(sizeof(plain) / sizeof(plain[0]))]);
		return 0;
	}
	both(spaced, tight, object ? "{" : "[");
	for (int i = 0, n = rand() % 4; i < n; i++) {
		if (i)
			both(spaced, tight, ",");
		if (object) {
			both(spaced, tight, "\"a b\\\"\"");
			both(spaced, tight, ":");
		}
		depth = value(spaced, tight, left - 1);
		deepest = depth > deepest ? depth : deepest;
	}
	both(spaced, tight, object ? "}" : "]");
	return deepest + 1;
}

int
main(void)
{
	struct buf spaced = {0}, tight = {0}, out = {0};
	unsigned seed = 20261122;

	printf("seed %u\n", seed);
	srand(seed);
	for (int i = 0; i < 3000; i++) {
		size_t depth;

		buf_reset(&spaced);
		buf_reset(&tight);
		buf_reset(&out);
		depth = value(&spaced, &tight, 6);
		CHECK(json_check(buf_slice(&spaced), NULL) == 0);
		CHECK(json_compact(buf_slice(&spaced), &out) == depth);
		CHECK_TEXT(out.ptr, tight.ptr);
	}
	buf_free(&spaced);
	buf_free(&tight);
	buf_free(&out);
	return check_done();
}
