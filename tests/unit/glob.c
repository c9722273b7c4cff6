/* glob against git itself: random ignore files and paths, judged by `git check-ignore`. */
#include "common/glob.h"
#include "tests/unit/ignored.h"

#include <sys/stat.h>

/* As git: a path is ignored when it or a folder above it is. */
static bool
decide_path(const struct glob_list *list, struct slice path)
{
	for (size_t i = 1; i < path.len; i++)
		if (path.ptr[i] == '/' && glob_decide(list, (struct slice){path.ptr, i}, true) > 0)
			return true;
	return glob_decide(list, path, false) > 0;
}

static void
random_path(struct buf *b)
{
	for (unsigned n = 1 + below(4); n > 0; n--) {
		random_name(b);
		if (n > 1)
			buf_addc(b, '/');
	}
}

enum { LISTS = 400, PATHS = 40 };

/* One ignore file a folder, and many paths below each, all in one run of git. */
static void
test_patterns(void)
{
	struct buf paths = {NULL, 0, 0}, text[LISTS] = {{NULL, 0, 0}}, ignored = paths, name = paths;
	const char *next;
	unsigned start = seed;

	for (unsigned i = 0; i < LISTS; i++) {
		buf_reset(&name);
		buf_addf(&name, "p%u", i);
		mkdir(name.ptr, 0700);
		buf_adds(&name, "/.gitignore");
		for (unsigned n = 1 + below(3); n > 0; n--)
			random_pattern(&text[i]);
		put_file(name.ptr, buf_slice(&text[i]));
		for (unsigned n = 0; n < PATHS; n++) {
			buf_addf(&paths, "p%u/", i);
			random_path(&paths);
			buf_addc(&paths, '\0');
		}
	}
	check_ignore(&paths, &ignored);
	next = ignored.ptr;
	for (const char *p = paths.ptr; p < paths.ptr + paths.len; p += strlen(p) + 1) {
		const char *rest = strchr(p, '/') + 1;
		unsigned i = (unsigned)strtoul(p + 1, NULL, 10);
		struct glob_list list = {NULL, 0, 0};
		bool git_says = ignored.len && strcmp(p, next) == 0, we_say;

		if (git_says && next + strlen(next) + 1 < ignored.ptr + ignored.len)
			next += strlen(next) + 1;
		glob_add_lines(&list, buf_slice(&text[i]));
		we_say = decide_path(&list, slice(rest));
		if (we_say != git_says)
			fprintf(stderr, "SEED=%u: '%s' in\n%sgit: %d\n", start, rest, text[i].ptr, git_says);
		CHECK(we_say == git_says);
		glob_free(&list);
	}
	for (unsigned i = 0; i < LISTS; i++)
		buf_free(&text[i]);
	buf_free(&paths);
	buf_free(&ignored);
	buf_free(&name);
}

static void
test_globs(void)
{
	static const struct {
		const char *pattern, *path;
		bool match;
	} cases[] = {
	    {"*.c", "a.c", true}, {"*.c", "a/b.c", false}, {"a/**/b", "a/b", true},
	    {"a/**/b", "a/x/y/b", true}, {"**/b", "b", true}, {"a/**", "a", false},
	    {"a/**", "a/x/y", true}, {"**/**/a", "a", true},
	    {"a**b", "axb", true}, {"a**b", "a/b", false}, {"[!a]", "b", true}, {"[!a]", "/", false},
	    {"[]-]", "-", true}, {"[a", "a", false}, {"\\", "\\", false}, {"a\\", "a", false}, {"", "", true},
	    {"*", "", true}, {"?", "", false}, {"**/a/**/b", "x/a/y/a/z/b", true},
	};
	struct buf pattern = {NULL, 0, 0}, path = {NULL, 0, 0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bool match = glob_match(slice(cases[i].pattern), slice(cases[i].path));

		if (match != cases[i].match)
			fprintf(stderr, "%s %s\n", cases[i].pattern, cases[i].path);
		CHECK(match == cases[i].match);
	}
	/* Where a backtracking matcher takes for ever. */
	for (int i = 0; i < 200; i++) {
		buf_adds(&pattern, "**/*a*a/");
		buf_adds(&path, "aaaaaaaaa/");
	}
	buf_adds(&pattern, "b");
	buf_adds(&path, "c");
	CHECK(!glob_match(buf_slice(&pattern), buf_slice(&path)));
	buf_free(&pattern);
	buf_free(&path);
}

int
main(void)
{
	ignored_begin();
	test_globs();
	test_patterns();
	ignored_end();
	return check_done();
}
