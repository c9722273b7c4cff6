/* yaml: look-ups, and documents that would run away. */
#include "common/yaml.h"
#include "tests/unit/check.h"

static const char *
get(const struct yaml *y, const char *const *path, size_t n)
{
	static char text[200];
	struct slice value;

	if (!yaml_get(y, path, n, &value))
		return "(none)";
	snprintf(text, sizeof(text), "%.*s", (int)value.len, value.ptr);
	return text;
}

#define GET(y, ...) \
	get(y, (const char *const[]){__VA_ARGS__}, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))

static void
test_lookup(void)
{
	struct err e = {0};
	struct yaml *y = yaml_parse(S("name: app # the app\n"
				      "flutter:\n  generate: true\n  assets:\n    - a/\n    - 'b c'\n"
				      "text: |\n  two\n  lines\nbase: &b {k: v}\ncopy: *b\nname: again\n"),
	    &e);

	CHECK(y != NULL);
	CHECK_TEXT(GET(y, "name"), "again");
	CHECK_TEXT(GET(y, "flutter", "generate"), "true");
	CHECK_TEXT(GET(y, "flutter", "assets", "1"), "b c");
	CHECK_TEXT(GET(y, "flutter", "assets", "2"), "(none)");
	CHECK_TEXT(GET(y, "flutter", "assets", "-1"), "(none)");
	CHECK_TEXT(GET(y, "flutter", "assets"), "(none)");
	CHECK_TEXT(GET(y, "name", "x"), "(none)");
	CHECK_TEXT(GET(y, "text"), "two\nlines\n");
	CHECK_TEXT(GET(y, "copy", "k"), "v");
	yaml_close(y);
}

static void
expect_refusal(struct slice text, const char *code)
{
	struct err e = {0};
	struct yaml *y = yaml_parse(text, &e);

	CHECK(y == NULL);
	CHECK_TEXT(e.code ? e.code : "none", code);
	yaml_close(y);
}

static void
test_refusals(void)
{
	struct buf b = {NULL, 0, 0};

	expect_refusal(S("a: [1, 2\nb: 3"), "bad_yaml");
	expect_refusal(S("a: *nothing"), "bad_yaml");
	expect_refusal(S("a: \xff"), "bad_yaml");
	for (int i = 0; i <= YAML_DEPTH; i++)
		buf_addc(&b, '[');
	expect_refusal(buf_slice(&b), "too_deep");
	buf_reset(&b);
	for (int i = 0; i <= YAML_NODES; i++)
		buf_adds(&b, "- a\n");
	expect_refusal(buf_slice(&b), "too_large");
	while (b.len <= YAML_SIZE)
		buf_adds(&b, "# a comment\n");
	expect_refusal(buf_slice(&b), "too_large");
	buf_free(&b);
}

/* Aliases of aliases: a billion in text, a dozen nodes in memory. */
static void
test_aliases(void)
{
	struct err e;
	struct yaml *y = yaml_parse(S("a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\n"
				      "c: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\n"
				      "e: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nself: &s {again: *s, v: w}\n"),
	    &e);

	CHECK(y != NULL);
	CHECK_TEXT(GET(y, "e", "7", "6", "5", "4", "3"), "x");
	CHECK_TEXT(GET(y, "self", "again", "again", "v"), "w");
	yaml_close(y);
}

int
main(void)
{
	struct err e;
	struct yaml *empty = yaml_parse(S("# nothing\n"), &e);

	CHECK(empty != NULL);
	CHECK_TEXT(GET(empty, "a"), "(none)");
	yaml_close(empty);
	test_lookup();
	test_refusals();
	test_aliases();
	return check_done();
}
