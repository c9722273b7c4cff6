/*
 * tree: what json_check accepts libjq reads, but for depth and surrogates;
 * what tree_write writes is JSON and comes back as itself. Paths and texts of
 * the same input run as programs on slices.
 */
#include "common/query_part.h"
#include "common/tree.h"

#include <stdlib.h>

static void
ignore(struct slice value, void *state)
{
	(void)state;
	if (json_check(value, NULL) != 0)
		abort();
}

/* The first line is a program, the rest its input. */
static void
run_text(struct slice all)
{
	const char *lf = memchr(all.ptr, '\n', all.len);
	struct slice program = {all.ptr, lf ? (size_t)(lf - all.ptr) : 0};
	struct slice input = {lf ? lf + 1 : all.ptr, lf ? all.len - program.len - 1 : 0};
	struct query_text *text;

	if (memchr(program.ptr, '\0', program.len) || json_check(input, NULL) != 0)
		return;
	text = query_text_open(program);
	if (text)
		query_text_run(text, input, ignore, NULL, NULL);
	query_text_close(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = {(const char *)data, size};
	struct buf one = {0}, two = {0};
	struct tree t;
	struct err e;

	if (size > 0)
		run_text(text);
	if (json_check(text, NULL) != 0)
		return 0;
	if (tree_parse(text, &t, &e) != 0) {
		if (strcmp(e.code, "too_deep") != 0 && strcmp(e.code, "lone_surrogate") != 0)
			abort();
		return 0;
	}
	if (tree_write(&t, 8 * size + 64, &one, NULL) != 0 || json_check(buf_slice(&one), NULL) != 0)
		abort();
	tree_free(&t);
	if (tree_parse(buf_slice(&one), &t, NULL) != 0 || tree_write(&t, 8 * size + 64, &two, NULL) != 0)
		abort();
	if (!slice_eq(buf_slice(&one), buf_slice(&two)))
		abort();
	tree_free(&t);
	buf_free(&one);
	buf_free(&two);
	return 0;
}
