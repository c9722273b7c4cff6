/*
 * document: edits are found as patches, what a person broke is left alone.
 */
#include "common/path.h"
#include "tools/collab/document.h"

#include "tests/unit/check.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], *name;

static void
put(const char *text)
{
	FILE *f = fopen(name, "w");

	CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static bool
holds(const char *want)
{
	struct buf got = {0};
	bool same = path_read(name, 1 << 20, &got, NULL) == 0 && slice_is(buf_slice(&got), want);

	if (!same)
		fprintf(stderr, "got %s, want %s\n", got.ptr, want);
	buf_free(&got);
	return same;
}

/* What a poll finds: the patch, or the code of the error, or nothing. */
static bool
polls(struct document *d, const char *want, struct err *e)
{
	struct buf patch = {0};
	int rc = document_poll(d, &patch, e);
	const char *got = rc < 0 ? e->code : rc ? patch.ptr : "";
	bool same = strcmp(got, want) == 0;

	if (!same)
		fprintf(stderr, "got %s, want %s\n", got, want);
	buf_free(&patch);
	return same;
}

static void
test_edits(void)
{
	struct document *d = document_open(name, S(""), 1 << 20), *again;
	struct err e;

	CHECK(polls(d, "", &e) && document_write(d, S("{\"a\":[1,{}],\"b\":{}}"), &e) == 0);
	CHECK(holds("{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": {}\n}\n") && polls(d, "", &e));
	/* At once, of the same length, in place: found all the same. */
	put("{\n  \"a\": [\n    2,\n    {}\n  ],\n  \"b\": {}\n}\n");
	CHECK(document_write(d, S("{\"a\":9}"), &e) == 1);
	CHECK(polls(d, "{\"a\":[2,{}]}", &e) && polls(d, "", &e));
	/* A person's lay-out stays while it says the same; other names' edits are not taken back. */
	put("\xEF\xBB\xBF{ \"b\" : {\"x\":1.10},\r\n\"a\":[2,{ }] }");
	CHECK(polls(d, "{\"b\":{\"x\":1.10}}", &e));
	CHECK(document_write(d, S("{\"a\":[2,{}],\"b\":{\"x\":1.10}}"), &e) == 0);
	CHECK(holds("\xEF\xBB\xBF{ \"b\" : {\"x\":1.10},\r\n\"a\":[2,{ }] }"));
	CHECK(document_write(d, S("{\"b\":{\"x\":1.10}}"), &e) == 0);
	CHECK(holds("{\n  \"b\": {\n    \"x\": 1.10\n  }\n}\n"));
	/* A file that vanished is written again, and says nothing. */
	CHECK(unlink(name) == 0 && polls(d, "", &e));
	CHECK(document_write(d, S("{\"b\":{\"x\":1.10}}"), &e) == 0);
	CHECK(holds("{\n  \"b\": {\n    \"x\": 1.10\n  }\n}\n"));
	/* What was edited while nobody looked is found with the base, deletions too. */
	put("{\"c\":1}");
	again = document_open(name, document_base(d), 1 << 20);
	CHECK(document_write(again, S("{}"), &e) == 1);
	CHECK(polls(again, "{\"b\":null,\"c\":1}", &e));
	document_free(again);
	again = document_open(name, S(""), 1 << 20);
	CHECK(polls(again, "{\"c\":1}", &e));
	document_free(again);
	document_free(d);
}

/* What somebody does while we bring the file to the disk. */
enum { NOTHING, IN_PLACE, ANOTHER, REMOVED };
static int meanwhile;

int
fsync(int fd)
{
	char *other = path_join(dir, "other");

	(void)fd;
	if (meanwhile == IN_PLACE) {
		put("{\"a\":7}\n");
	} else if (meanwhile == ANOTHER) {
		char *keep = name;

		name = other;
		put("{\"a\":7}\n");
		name = keep;
		CHECK(rename(other, name) == 0);
	} else if (meanwhile == REMOVED) {
		CHECK(unlink(name) == 0);
	}
	meanwhile = NOTHING;
	free(other);
	return 0;
}

/* Who saves the file while we write it loses nothing; what we wrote is not left beside it. */
static void
test_race(void)
{
	struct document *d;
	struct err e;

	for (int way = IN_PLACE; way <= ANOTHER; way++)
		for (int there = 0; there < 2; there++) {
			if (there)
				put("{\"a\":1}\n");
			d = document_open(name, S("{\"a\":1}"), 1000);
			CHECK(polls(d, "", &e));
			meanwhile = way;
			CHECK(document_write(d, S("{\"a\":2}"), &e) == 1 && meanwhile == NOTHING);
			CHECK(holds("{\"a\":7}\n") && polls(d, "{\"a\":7}", &e));
			CHECK(document_write(d, S("{\"a\":3}"), &e) == 0);
			CHECK(holds("{\n  \"a\": 3\n}\n") && polls(d, "", &e));
			CHECK(unlink(name) == 0);
			document_free(d);
		}
	put("{\"a\":1}\n");
	d = document_open(name, S("{\"a\":1}"), 1000);
	CHECK(polls(d, "", &e));
	meanwhile = REMOVED;
	CHECK(document_write(d, S("{\"a\":2}"), &e) == 0 && holds("{\n  \"a\": 2\n}\n"));
	CHECK(unlink(name) == 0);
	document_free(d);
	/* Nothing else is in the folder. */
	CHECK(rmdir(dir) == 0 && mkdir(dir, 0700) == 0);
}

static void
test_broken(void)
{
	struct document *d = document_open(name, S("{\"a\":1}"), 1000);
	struct buf large = {0};
	struct err e;

	put("{\n  \"\xC3\xA9\": 1,\n  \"\xC3\xA9\": oops\n}\n");
	CHECK(polls(d, "not_json", &e) && e.line == 3 && e.column == 8 && document_broken(d));
	CHECK(strstr(e.text, "byte") == NULL && strstr(e.text, name) != NULL);
	CHECK(polls(d, "", &e) && document_write(d, S("{\"a\":2}"), &e) == 0);
	CHECK(holds("{\n  \"\xC3\xA9\": 1,\n  \"\xC3\xA9\": oops\n}\n"));
	put("");
	CHECK(polls(d, "not_json", &e) && e.line == 1 && e.column == 1);
	put("{\"a\":{\"b/\":[null],\"c\":{\"d~\":null}}}");
	CHECK(polls(d, "null_member", &e) && strstr(e.text, "'/a/c/d~0'"));
	put("[{\"a\":1}]");
	CHECK(polls(d, "not_object", &e));
	put("{\"a\":\"\xFF\"}");
	CHECK(polls(d, "bad_utf8", &e));
	for (int i = 0; i < 1001; i++)
		buf_addc(&large, ' ');
	put(large.ptr);
	CHECK(polls(d, "too_large", &e) && polls(d, "", &e) && document_broken(d));
	buf_free(&large);
	put("{\"a\":1}");
	CHECK(polls(d, "", &e) && !document_broken(d));
	CHECK(document_write(d, S("{\"a\":2}"), &e) == 0 && holds("{\n  \"a\": 2\n}\n"));
	CHECK(unlink(name) == 0 && mkdir(name, 0700) == 0);
	CHECK(polls(d, "cannot_read", &e) && polls(d, "", &e));
	CHECK(document_write(d, S("{\"a\":3}"), &e) == 0 && rmdir(name) == 0);
	CHECK(polls(d, "", &e) && document_write(d, S("{\"a\":3}"), &e) == 0);
	CHECK(holds("{\n  \"a\": 3\n}\n") && unlink(name) == 0);
	document_free(d);
	d = document_open("/nowhere/at/all", S(""), 1000);
	CHECK(polls(d, "", &e) && document_write(d, S("{}"), &e) == -1);
	CHECK_TEXT(e.code, "cannot_write");
	document_free(d);
}

int
main(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%.30s/kandil-document-XXXXXX", tmp ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL)
		return 1;
	name = path_join(dir, "state.json");
	test_edits();
	unlink(name);
	test_race();
	test_broken();
	free(name);
	rmdir(dir);
	return check_done();
}
