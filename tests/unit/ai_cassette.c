/* cassette: what is recorded is replayed; a miss says what differs; files are for people. */
#include "tools/ai/cassette.h"

#include "common/json.h"
#include "common/path.h"
#include "tests/unit/check.h"
#include "tools/ai/cassette_text.h"

#include <stdlib.h>
#include <unistd.h>

static struct err e;
static char dir[64];
static const uint8_t first[CACHE_KEY] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 1};
static const uint8_t second[CACHE_KEY] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 2};
static const uint8_t third[CACHE_KEY] = {3}, other[CACHE_KEY] = {4};

#define URL S("https://api.example/v1/chat?api-version=2&api_key=SECRET&x=1")
#define BODY                                                                               \
	S("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Say \\\"one\\\"\"}]," \
	  "\"stop\":[],\"n\":1.10}")
#define REPLY                                                                              \
	S("{\"text\":\"one\",\"model\":\"m\",\"finish\":\"stop\",\"finish_word\":\"stop\",\"id\":\"\"," \
	  "\"ms\":1}")

static char *
path_of(const char *name)
{
	return path_join(dir, name);
}

static void
write_file(const char *name, struct slice text)
{
	char *path = path_of(name);

	CHECK(path_replace(path, text, NULL, &e) == 0);
	free(path);
}

static void
test_files(void)
{
	struct cassette *c;
	struct buf out = {0}, compact = {0};
	char *path = path_of("0123456789abcdef.json");

	CHECK(cassette_open(&c, dir, false, &e) == 0 && !cassette_replays(c));
	CHECK(!cassette_get(c, first, &out));
	CHECK(cassette_put(c, first, URL, BODY, REPLY, &e) == 0);
	CHECK(cassette_get(c, first, &out));
	json_compact(buf_slice(&out), &compact);
	CHECK(slice_eq(buf_slice(&compact), REPLY));
	CHECK(!cassette_get(c, second, &out)); /* the same name, another key */
	cassette_close(c);
	buf_reset(&out);
	CHECK(path_read(path, 1 << 20, &out, &e) == 0);
	CHECK_TEXT(out.ptr,
	    "{\n"
	    "  \"key\": \"0123456789abcdef01" "0000000000000000000000000000000000000000000000\",\n"
	    "  \"request\": {\n"
	    "    \"url\": \"https://api.example/v1/chat?api-version=2&api_key=***&x=1\",\n"
	    "    \"body\": {\n"
	    "      \"model\": \"m\",\n"
	    "      \"messages\": [\n"
	    "        {\n"
	    "          \"role\": \"user\",\n"
	    "          \"content\": \"Say \\\"one\\\"\"\n"
	    "        }\n"
	    "      ],\n"
	    "      \"stop\": [],\n"
	    "      \"n\": 1.10\n"
	    "    }\n"
	    "  },\n"
	    "  \"reply\": {\n"
	    "    \"text\": \"one\",\n"
	    "    \"model\": \"m\",\n"
	    "    \"finish\": \"stop\",\n"
	    "    \"finish_word\": \"stop\",\n"
	    "    \"id\": \"\",\n"
	    "    \"ms\": 1\n"
	    "  }\n"
	    "}\n");
	free(path);
	buf_free(&out);
	buf_free(&compact);
}

static void
miss(struct cassette *c, const char *where, const uint8_t *key, struct slice body,
    const char *want)
{
	struct buf out = {0}, whole = {0};

	CHECK(!cassette_get(c, key, &out));
	cassette_miss(c, body, &out);
	buf_addf(&whole, "this request is not recorded in '%s': %s", where, want);
	CHECK_TEXT(out.ptr, whole.ptr);
	buf_free(&out);
	buf_free(&whole);
}

#define NEAREST "the nearest that is recorded, '0123456789abcdef.json', differs "

static void
test_misses(void)
{
	struct cassette *c;
	struct buf out = {0};

	CHECK(cassette_open(&c, dir, true, &e) == 0 && cassette_replays(c));
	miss(c, dir, third,
	    S("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Say \\\"two\\\"\"}],"
	      "\"stop\":[],\"n\":1.10}"),
	    NEAREST
	    "at /messages/0/content: recorded \"Say \\\"one\\\"\", asked \"Say \\\"two\\\"\"");
	miss(c, dir, third,
	    S("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Say \\\"one\\\"\"}],"
	      "\"stop\":[],\"n\":1.10,\"seed\":7}"),
	    NEAREST "at /seed: only this request has 7");
	miss(c, dir, third,
	    S("{\"model\":\"m\",\"messages\":[],\"stop\":[],\"n\":1.10}"),
	    NEAREST "at /messages/0: only the recorded one has "
		    "{\"role\":\"user\",\"content\":\"Say \\\"one\\\"\"}");
	miss(c, dir, third, S("[1]"),
	    NEAREST "at the top: recorded "
		    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Say \\\"one…, "
		    "asked [1]");
	miss(c, dir, third, BODY, NEAREST "only in its address or protocol: it was asked of "
	    "'https://api.example/v1/chat?api-version=2&api_key=***&x=1'");
	/* A file that somebody edited badly is named. */
	write_file("0300000000000000.json", S("{\"key\": \"03\", }"));
	CHECK(!cassette_get(c, third, &out));
	cassette_miss(c, BODY, &out);
	CHECK(strstr(out.ptr, "0300000000000000.json' cannot be used: ") != NULL);
	write_file("0300000000000000.json", S("{\"key\":\"03000000000000000000000000000000"
					      "00000000000000000000000000000000\",\"reply\":1}"));
	buf_reset(&out);
	CHECK(!cassette_get(c, third, &out));
	cassette_miss(c, BODY, &out);
	CHECK(strstr(out.ptr, "it has no \"reply\"") != NULL);
	write_file("0300000000000000.json", S("{\"key\":\"03000000000000000000000000000000"
					      "00000000000000000000000000000000\",\"reply\":{ }}"));
	buf_reset(&out);
	/* What was edited away is told, not that nothing was recorded. */
	CHECK(!cassette_get(c, third, &out));
	cassette_miss(c, BODY, &out);
	CHECK(strstr(out.ptr, "cannot be used: a kept reply has no proper 'text'") != NULL);
	/* One cause makes many misses: the nearest of each is not looked for without end. */
	for (int i = 0; i < 20; i++) {
		buf_reset(&out);
		cassette_get(c, other, &out);
		cassette_miss(c, BODY, &out);
	}
	CHECK(strstr(out.ptr, "see the records before") != NULL);
	cassette_close(c);
	buf_free(&out);
}

static void
test_folders(void)
{
	struct cassette *c;
	char *none = path_of("none"), *file = path_of("file"), *deep = path_of("a/b");

	CHECK(cassette_open(&c, none, true, &e) < 0 && c == NULL);
	CHECK_TEXT(e.code, "cannot_read");
	write_file("file", S("x"));
	CHECK(cassette_open(&c, file, false, &e) < 0);
	CHECK_TEXT(e.code, "cannot_write");
	CHECK(cassette_open(&c, deep, false, &e) == 0);
	cassette_close(c);
	CHECK(cassette_open(&c, deep, true, &e) == 0);
	miss(c, deep, first, BODY, "nothing is");
	cassette_close(c);
	free(none);
	free(file);
	free(deep);
}

/* Indenting and compacting change nothing but space, at any depth. */
static void
test_text(void)
{
	static const char *const texts[] = {"[]", "{}", "[[],{}]", "1", "\" {a:,[\\\" \"",
	    "{\"a\":[1,-2.50e+10,null,true],\"b c\":{\"d\":{}}}"};
	struct buf indented = {0}, back = {0};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		buf_reset(&indented);
		buf_reset(&back);
		text_indent(slice(texts[i]), 3, &indented);
		CHECK(json_check(buf_slice(&indented), &e) == 0);
		json_compact(buf_slice(&indented), &back);
		CHECK_TEXT(back.ptr, texts[i]);
		CHECK(!text_difference(buf_slice(&indented), slice(texts[i]), &back));
	}
	CHECK(text_common(S("abcd"), S("abxd")) == 3 && text_common(S("aa"), S("aaa")) == 2);
	CHECK(text_common(S(""), S("a")) == 0);
	buf_free(&indented);
	buf_free(&back);
}

int
main(void)
{
	const char *tmp = getenv("TMPDIR");
	char command[128];

	snprintf(dir, sizeof(dir), "%.30s/kandil-cassette-XXXXXX", tmp ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL)
		return 1;
	test_files();
	test_misses();
	test_folders();
	test_text();
	snprintf(command, sizeof(command), "rm -r '%s'", dir);
	CHECK(system(command) == 0);
	return check_done();
}
