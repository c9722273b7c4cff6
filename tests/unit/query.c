/*
 * query: what libjq 1.6 would let by, each trap by name; the two ways to
 * run a program agree.
 */
#include "common/query.h"
#include "common/query_part.h"
#include "common/tree.h"
#include "tests/unit/check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char input[] =
    "{\"a\":{\"b\":1,\"t\":\"x\\n\\\"y\"},\"s\":\"text\",\"n\":null,\"l\":[1,2],\"big\":1e16}";

static void
collect(struct slice value, void *state)
{
	struct buf *out = state;

	if (out->len)
		buf_addc(out, ' ');
	buf_addslice(out, value);
}

/* Results with spaces between, then "!code: message" where the run failed. */
static const char *
run_on(const char *program, const char *on)
{
	static struct buf out;
	struct query *q;
	struct err e = {.code = "none"};

	buf_reset(&out);
	buf_adds(&out, "");
	if (query_open(&q, "rule", slice(program), &e) < 0) {
		buf_addf(&out, "!%s:%zu: %s", e.code, e.line, e.text);
		return out.ptr;
	}
	if (query_run(q, slice(on), collect, &out, &e) < 0)
		buf_addf(&out, "%s!%s: %s", out.len ? " " : "", e.code, e.text);
	query_close(q);
	return out.ptr;
}

static const char *
run(const char *program)
{
	return run_on(program, input);
}

static bool
starts(const char *text, const char *with)
{
	return slice_starts(slice(text), with);
}

static void
test_programs(void)
{
	CHECK_TEXT(run(".a.b"), "1");
	CHECK_TEXT(run(".l[]"), "1 2");
	CHECK_TEXT(run("empty"), "");
	CHECK_TEXT(run(".a | keys"), "[\"b\",\"t\"]");
	CHECK_TEXT(run("def f(x): x + 1; f(.a.b) # a comment"), "2");
	CHECK_TEXT(run(".l[], error(\"no\")"), "1 2 !query_failed: no");
	CHECK_TEXT(run("error({code: 7})"), "!query_failed: {\"code\":7}");
	CHECK_TEXT(run("error(null)"), "");
	CHECK_TEXT(run("try error(\"x\") catch ."), "\"x\"");
	CHECK_TEXT(run(".big"), "1e16");
	CHECK_TEXT(run(".big | ."), "10000000000000000");
}

static void
test_compile_errors(void)
{
	CHECK_TEXT(run(".a |"), "!bad_program:1: the program ends too early");
	CHECK_TEXT(run("{"), "!bad_program:1: the program ends too early");
	CHECK_TEXT(run(".a\n| nosuch\n| .b"), "!bad_program:2: nosuch/0 is not defined");
	CHECK_TEXT(run(".a\n\n| ]"), "!bad_program:3: syntax error, unexpected INVALID_CHARACTER");
	CHECK_TEXT(run("\xff"), "!bad_program:0: rule: not a text in UTF-8");
}

/* libjq hands a program the environment, in two ways. */
static void
test_environment(void)
{
	setenv("KANDIL_TEST_SECRET", "secret", 1);
	CHECK_TEXT(run("$ENV"), "{}");
	CHECK_TEXT(run("env"), "{}");
	CHECK_TEXT(run("$ENV.KANDIL_TEST_SECRET, env.KANDIL_TEST_SECRET"), "null null");
	/* Ours is where it was. */
	CHECK_TEXT(getenv("KANDIL_TEST_SECRET"), "secret");
}

static void
write_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	fputs(text, f);
	fclose(f);
}

/* The callback of a run sees the environment, too. */
static void
see_home(struct slice value, void *state)
{
	(void)value;
	*(bool *)state = getenv("HOME") != NULL;
}

/* libjq reads data.json of the current folder for import, and ~/.jq always. */
static void
test_files(void)
{
	static const char *const programs[] = {
		"import \"data\" as $d; $d",
		"import \"./data\" as $d; $d",
		"include \"lib\"; f",
		"import \"lib\" as l; l::f",
		"import \"lib\" as l {search: \"./\"}; l::f",
		"module {}; 1",
		"1); import \"data\" as $d; ($d",
		"1\n)\n;\nimport \"data\" as $d;\n($d",
		"def x: (import \"data\" as $d; $d); x",
		"home_function",
	};
	char folder[] = "/tmp/kandil-query-XXXXXX";
	struct query *q;
	bool home = false;

	CHECK(mkdtemp(folder) != NULL && chdir(folder) == 0);
	setenv("HOME", folder, 1);
	unsetenv("JQ_LIBRARY_PATH");
	write_file("data.json", "\"secret\"");
	write_file("lib.jq", "def f: \"secret\";");
	write_file(".jq", "def home_function: \"secret\";");
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		CHECK(starts(run(programs[i]), "!bad_program"));
	CHECK_TEXT(run("\"lib\" | modulemeta"), "!query_failed: a query reads no modules");
	CHECK_TEXT(run("get_search_list"), "[]");
	CHECK(query_open(&q, "rule", S("1"), NULL) == 0);
	CHECK(query_run(q, S("{}"), see_home, &home, NULL) == 0);
	CHECK(home);
	query_close(q);
	unlink("data.json");
	unlink("lib.jq");
	unlink(".jq");
	CHECK(chdir("/") == 0 && rmdir(folder) == 0);
}

/* input would take another record, and stderr writes to the terminal. */
static void
test_streams(void)
{
	char seen[256] = "";
	int saved = dup(STDERR_FILENO);
	FILE *file = tmpfile();

	CHECK_TEXT(run("input"), "!query_failed: a query reads no further input");
	CHECK_TEXT(run("[inputs]"), "[]");
	CHECK_TEXT(run("input_filename"), "null");
	CHECK_TEXT(run("input_line_number"), "null");
	dup2(fileno(file), STDERR_FILENO);
	CHECK_TEXT(run("\"a\\u001b[31m\" | debug"), "\"a\\u001b[31m\"");
	CHECK_TEXT(run("7 | stderr"), "7");
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	CHECK(fread(seen, 1, sizeof(seen) - 1, file) > 0);
	CHECK_TEXT(seen, "kandil: debug: \"a\\u001b[31m\"\nkandil: debug: 7\n");
	fclose(file);
}

/* halt and halt_error end this run, neither the process nor the query. */
static void
test_halt(void)
{
	struct buf out = {0};
	struct query *q;
	struct err e;

	CHECK_TEXT(run("1, halt, 2"), "1");
	CHECK_TEXT(run("\"bye\" | halt_error"), "!query_failed: bye");
	CHECK_TEXT(run("{a: 1} | halt_error(7)"), "!query_failed: {\"a\":1}");
	CHECK(query_open(&q, "rule", S("if . == 1 then halt else . end"), &e) == 0);
	CHECK(query_run(q, S("1"), collect, &out, &e) == 0);
	CHECK(query_run(q, S("2"), collect, &out, &e) == 0);
	CHECK_TEXT(out.ptr, "2");
	buf_free(&out);
	query_close(q);
}

static char *
nested(size_t depth)
{
	struct buf b = {0};

	for (size_t i = 0; i < depth; i++)
		buf_addc(&b, '[');
	for (size_t i = 0; i < depth; i++)
		buf_addc(&b, ']');
	return buf_detach(&b);
}

/* What we accept and libjq refuses, and what it would print without end. */
static void
test_bounds(void)
{
	char *deep = nested(256), *deeper = nested(257), *deepest = nested(512);

	CHECK_TEXT(run_on(".|length", deep), "1");
	CHECK(strstr(run_on(".|length", deeper), "!too_deep: ") != NULL);
	CHECK(strstr(run_on(".|length", deepest), "!too_deep: ") != NULL);
	CHECK_TEXT(run_on(".", deepest), deepest);
	CHECK(strstr(run_on(".|1", "{\"a\":\"\\ud83d\"}"), "!lone_surrogate: ") != NULL);
	CHECK_TEXT(run_on(".a|explode", "{\"a\":\"\\u0000\\ud83d\\ude00\"}"), "[0,128512]");
	CHECK(strstr(run("reduce range(60) as $i (1; [., .])"), "!query_failed: more than") != NULL);
	CHECK(strstr(run("range(1e9) | \"0123456789\""), "!query_failed: more than") != NULL);
	CHECK(strstr(run("reduce range(5000) as $i (1; [.])"), "!query_failed: more than") != NULL);
	CHECK_TEXT(run("reduce range(511) as $i (1; [.]) | flatten"), "[1]");
	free(deep);
	free(deeper);
	free(deepest);
}

/* Random programs on random records: layer 1 and libjq say the same. */

static unsigned long seed;

static size_t
pick(size_t n)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (size_t)(seed >> 33) % n;
}

static void
add_any(struct buf *b, const char *const *from, size_t n)
{
	buf_adds(b, from[pick(n)]);
}

#define ADD_ANY(b, list) add_any(b, list, sizeof(list) / sizeof(*(list)))

static void
random_value(struct buf *b, int depth)
{
	static const char *const scalars[] = {"null", "true", "false", "0", "-0", "17", "-3",
		"123456789012345", "1234567890123456", "1.10", "1e2", "1E400", "\"\"", "\"text\"",
		"\"\\u00e9\\n\\\"\"", "\"\\u0000\"", "\"\xC3\xA9\xF0\x9F\x98\x80\"", "\"\\ud83d\\ude00\"",
		"\"\x7F\"", "[]", "[1,{\"a\":2}]", "\"\\\\ud83d\""};
	static const char *const names[] = {"a", "b", "_c1", "\\u0061", "A"};

	if (depth == 0 || pick(3) == 0) {
		ADD_ANY(b, scalars);
		return;
	}
	buf_addc(b, '{');
	for (size_t n = pick(4); n > 0; n--) {
		buf_addc(b, '"');
		ADD_ANY(b, names);
		buf_adds(b, pick(2) ? "\":" : "\" : ");
		random_value(b, depth - 1);
		if (n > 1)
			buf_addc(b, ',');
	}
	buf_addc(b, '}');
}

static void
random_path(struct buf *b)
{
	static const char *const paths[] = {".a", ".b", ".a.b", "._c1.a", ".a.a.a", " .b ", ".A", "."};

	ADD_ANY(b, paths);
}

static void
random_program(struct buf *b)
{
	static const char *const texts[] = {"", "to ", "\\n", "\\\"", "\\u00e9", "\xC3\xA9", "/", "\\/", ")"};

	if (pick(4) == 0) {
		random_path(b);
		return;
	}
	buf_addc(b, '"');
	for (size_t n = pick(4); n > 0; n--) {
		ADD_ANY(b, texts);
		buf_adds(b, "\\(");
		random_path(b);
		buf_adds(b, ")");
	}
	ADD_ANY(b, texts);
	buf_addc(b, '"');
}

/* One canonical text of a value, for comparing. */
static void
canonical(struct buf *text)
{
	struct tree t;

	if (text->len == 0)
		return;
	CHECK(tree_parse(buf_slice(text), &t, NULL) == 0);
	buf_reset(text);
	CHECK(tree_write(&t, 1 << 20, text, NULL) == 0);
	tree_free(&t);
}

static void
test_agreement(void)
{
	struct buf program = {0}, record = {0}, one = {0}, two = {0};
	struct query_text *text;
	struct query_jq *jq;
	size_t answered = 0, compared = 0;
	int rc;

	seed = getenv("SEED") ? strtoul(getenv("SEED"), NULL, 10) : 20240229;
	printf("seed %lu\n", seed);
	for (int i = 0; i < 30; i++) {
		buf_reset(&program);
		random_program(&program);
		text = query_text_open(buf_slice(&program));
		CHECK(text != NULL);
		CHECK(query_jq_open(&jq, buf_slice(&program), NULL) == 0);
		for (int k = 0; text && k < 400; k++) {
			buf_reset(&record);
			buf_reset(&one);
			buf_reset(&two);
			random_value(&record, 3);
			rc = query_text_run(text, buf_slice(&record), collect, &one, NULL);
			compared++;
			if (rc > 0)
				continue;
			answered++;
			if (rc != query_jq_run(jq, buf_slice(&record), collect, &two, NULL)) {
				CHECK_TEXT(program.ptr, "fails in both or in none");
				CHECK_TEXT(record.ptr, "");
				continue;
			}
			canonical(&one);
			canonical(&two);
			if (!slice_eq(buf_slice(&one), buf_slice(&two))) {
				CHECK_TEXT(one.ptr, two.ptr);
				CHECK_TEXT(program.ptr, record.ptr);
			}
		}
		query_text_close(text);
		query_jq_close(jq);
	}
	CHECK(answered > compared / 4);
	buf_free(&program);
	buf_free(&record);
	buf_free(&one);
	buf_free(&two);
}

/* What is more than a path or a text is left to libjq. */
static void
test_not_simple(void)
{
	static const char *const programs[] = {"", "1", ".a | .b", ".a[0]", ".a?", ".[\"a\"]", "..",
		".a .b", "\"a\" + \"b\"", "\"\\(1)\"", "\"\\(.a|length)\"", "\"\\(\"x\")\"", "\"a", "\"a\"\"b\"",
		"\"\\x\"", "\"\\ud800\"", "@text \"a\"", ".a.", ".1", ".a-b", "\"\\(.a\"", "# c\n.a"};
	struct query_text *text;

	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
		text = query_text_open(slice(programs[i]));
		CHECK(text == NULL);
		query_text_close(text);
	}
}

int
main(void)
{
	test_not_simple();
	test_agreement();
	test_programs();
	test_compile_errors();
	test_environment();
	test_files();
	test_streams();
	test_halt();
	test_bounds();
	return check_done();
}
