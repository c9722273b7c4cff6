/*
 * patch: the vectors of RFC 7396, and that a difference applied is the other.
 */
#include "common/json.h"
#include "tools/collab/patch.h"

#include "tests/unit/check.h"
#include "tests/unit/merge_patch.h"

#include <stdlib.h>

/* Appendix A, results in the canonical order. */
static const char *const vectors[15][3] = {
    {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
    {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
    {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
    {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
    {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
    {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
    {"{\"a\": {\"b\": \"c\"}}", "{\"a\": {\"b\": \"d\", \"c\": null}}", "{\"a\":{\"b\":\"d\"}}"},
    {"{\"a\": [{\"b\":\"c\"}]}", "{\"a\": [1]}", "{\"a\":[1]}"},
    {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
    {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
    {"{\"a\":\"foo\"}", "null", "null"},
    {"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
    {"{\"e\":null}", "{\"a\":1}", "{\"a\":1,\"e\":null}"},
    {"[1,2]", "{\"a\":\"b\", \"c\":null}", "{\"a\":\"b\"}"},
    {"{}", "{\"a\": {\"bb\": {\"ccc\": null}}}", "{\"a\":{\"bb\":{}}}"},
};

static void
test_vectors(void)
{
	struct buf out = {0};

	for (size_t i = 0; i < 15; i++) {
		buf_reset(&out);
		merge_patch(slice(vectors[i][0]), slice(vectors[i][1]), &out);
		CHECK_TEXT(out.ptr, vectors[i][2]);
	}
	buf_free(&out);
}

static void
check_canonical(const char *text, const char *want)
{
	struct buf out = {0};

	patch_canonical(slice(text), &out);
	CHECK_TEXT(out.ptr, want);
	buf_free(&out);
}

static void
test_canonical(void)
{
	check_canonical("{ \"b\" : 1.10, \"\\u0061\":1e400, \"B\":\"\\u00e9\\/\" }",
	    "{\"B\":\"\\u00e9\\/\",\"a\":1e400,\"b\":1.10}");
	check_canonical("{\"a\":1,\"\\u0061\":{\"z\":null},\"a\":[ {\"y\":1, \"x\":null} ]}",
	    "{\"a\":[{\"y\":1,\"x\":null}]}");
	check_canonical("{\"\":0,\"\\u0000\":1,\"\\ud800\":2}", "{\"\":0,\"\\u0000\":1,\"\xEF\xBF\xBD\":2}");
	check_canonical(" -0 ", "-0");
}

static void
test_rest(void)
{
	struct buf b = {0}, name = {0};
	struct slice rest;

	CHECK(patch_null(S("{\"a\":[null],\"b\":{\"c/~\":null}}"), &b));
	CHECK_TEXT(b.ptr, "/b/c~1~0");
	CHECK(!patch_null(S("{\"a\":[null,{\"b\":null}]}"), &b));
	CHECK(patch_null(S("null"), &b) && b.len == 0);
	CHECK(patch_deletes(S("{\"a\":null,\"b\":{\"c\":null}}")) && patch_deletes(S("null")));
	CHECK(!patch_deletes(S("{}")) && !patch_deletes(S("{\"a\":{}}")) && !patch_deletes(S("[null]")));
	rest = S("/a~1b//~0");
	CHECK(pointer_next(&rest, &name) == 1 && slice_is(buf_slice(&name), "a/b"));
	CHECK(pointer_next(&rest, &name) == 1 && name.len == 0);
	CHECK(pointer_next(&rest, &name) == 1 && slice_is(buf_slice(&name), "~"));
	CHECK(pointer_next(&rest, &name) == 0);
	rest = S("/a~2");
	CHECK(pointer_next(&rest, &name) == -1);
	rest = S("a");
	CHECK(pointer_next(&rest, &name) == -1);
	rest = S("/~");
	CHECK(pointer_next(&rest, &name) == -1);
	buf_free(&b);
	buf_free(&name);
}

static void
put_random(struct buf *out, int depth, bool null)
{
	static const char *const leaves[] = {"1", "1.0", "\"x\"", "\"\\u0078\"", "[]", "[ null , {} ]", "true", "null"};

	if (depth > 0 && rand() % 3) {
		buf_addc(out, '{');
		for (int i = rand() % 4; i-- > 0; ) {
			buf_addf(out, "\"%s\" :", ((const char *const[]){"a", "b", "\\u0062", "c"})[rand() % 4]);
			put_random(out, depth - 1, null);
			if (i > 0)
				buf_addc(out, ',');
		}
		buf_addc(out, '}');
	} else {
		buf_adds(out, leaves[rand() % (null ? 8 : 7)]);
	}
}

static void
put_member(struct buf *out)
{
	buf_adds(out, "{\"a\":");
	put_random(out, 3, false);
	buf_adds(out, ",\"b\":{\"b\":");
	put_random(out, 3, false);
	buf_adds(out, "}}");
}

/*
 * What is added was lacking, and nothing else: apply(to, add) holds every member of to as it
 * was; with apply(from, to) it differs in nothing when no member of both differed.
 */
static void
test_addition(void)
{
	struct buf to = {0}, from = {0}, patch = {0}, got = {0}, want = {0}, again = {0};
	bool good = true;

	CHECK(patch_add(S("{\"a\":1,\"b\":{\"x\":1},\"c\":{}}"),
	    S("{\"\\u0061\":2,\"b\":{\"x\":{},\"y\":1.0},\"c\":{},\"d\":[null]}"), &patch) == 2);
	CHECK_TEXT(patch.ptr, "{\"b\":{\"y\":1.0},\"d\":[null]}");
	for (int round = 0; round < 30000 && good; round++) {
		size_t differ;

		for (int i = 0; i < 6; i++)
			buf_reset((struct buf *[]){&to, &from, &patch, &got, &want, &again}[i]);
		put_member(&to);
		put_member(&from);
		differ = patch_add(buf_slice(&to), buf_slice(&from), &patch);
		merge_patch(buf_slice(&to), buf_slice(&patch), &got);
		/* to over from is the same, but where an object would have to give way. */
		merge_patch(buf_slice(&from), buf_slice(&to), &want);
		good = json_check(buf_slice(&patch), NULL) == 0 &&
		    (differ || slice_eq(buf_slice(&got), buf_slice(&want))) &&
		    patch_add(buf_slice(&got), buf_slice(&from), &again) == differ &&
		    slice_is(buf_slice(&again), "{}");
		if (!good)
			fprintf(stderr, "to %s\nfrom %s\npatch %s\n", to.ptr, from.ptr, patch.ptr);
	}
	CHECK(good);
	for (int i = 0; i < 6; i++)
		buf_free((struct buf *[]){&to, &from, &patch, &got, &want, &again}[i]);
}

/*
 * apply(from, diff(from, to)) = canonical(to); no difference when they are
 * equal, and none again afterwards. Applying twice is applying once.
 */
static void
test_difference(void)
{
	struct buf from = {0}, to = {0}, patch = {0}, got = {0}, want = {0}, again = {0};
	bool good = true;

	for (int round = 0; round < 30000 && good; round++) {
		buf_reset(&from);
		buf_reset(&to);
		buf_reset(&patch);
		buf_reset(&got);
		buf_reset(&want);
		buf_reset(&again);
		put_random(&from, 4, false);
		put_random(&to, 4, false);
		patch_canonical(buf_slice(&to), &want);
		if (patch_diff(buf_slice(&from), buf_slice(&to), &patch))
			merge_patch(buf_slice(&from), buf_slice(&patch), &got);
		else
			patch_canonical(buf_slice(&from), &got);
		good = slice_eq(buf_slice(&got), buf_slice(&want)) &&
		    json_check(buf_slice(&got), NULL) == 0 &&
		    !patch_diff(buf_slice(&got), buf_slice(&to), &again);
		buf_reset(&patch);
		buf_reset(&got);
		put_random(&patch, 4, true);
		merge_patch(buf_slice(&from), buf_slice(&patch), &got);
		merge_patch(buf_slice(&got), buf_slice(&patch), &again);
		good = good && slice_eq(buf_slice(&got), buf_slice(&again));
		if (!good)
			fprintf(stderr, "from %s\nto %s\npatch %s\n", from.ptr, to.ptr, patch.ptr);
	}
	CHECK(good);
	buf_free(&from);
	buf_free(&to);
	buf_free(&patch);
	buf_free(&got);
	buf_free(&want);
	buf_free(&again);
}

int
main(void)
{
	test_vectors();
	test_canonical();
	test_addition();
	test_rest();
	test_difference();
	return check_done();
}
