/*
 * walk and glob against git itself: random ignore files and trees, judged by `git check-ignore`.
 * The seed is printed; SEED=n repeats a run.
 */
#include "common/buf.h"
#include "common/glob.h"
#include "common/walk.h"
#include "tests/unit/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned seed;

static unsigned
below(unsigned n)
{
	return (unsigned)rand_r(&seed) % n;
}

static void
put_file(const char *name, struct slice text)
{
	FILE *f = fopen(name, "w");

	if (f == NULL || fwrite(text.ptr, 1, text.len, f) != text.len || fclose(f) != 0) {
		perror(name);
		exit(1);
	}
}

/* Runs git with stdin from a file and stdout to a file; its status. */
static int
git(const char *const *words, const char *in, const char *out)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int from = open(in, O_RDONLY), to = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(from, 0);
		dup2(to, 1);
		execvp("git", (char *const *)(uintptr_t)words);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		exit(1);
	return WEXITSTATUS(status);
}

static void
slurp(const char *name, struct buf *out)
{
	FILE *f = fopen(name, "r");
	char piece[4096];
	size_t n;

	buf_reset(out);
	while (f != NULL && (n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_add(out, piece, n);
	if (f != NULL)
		fclose(f);
}

/* Which of the NUL-separated paths git ignores, NUL-separated. */
static void
check_ignore(const struct buf *paths, struct buf *ignored)
{
	static const char *const words[] = {"git", "-c", "core.excludesFile=/dev/null",
	    "check-ignore", "--no-index", "--stdin", "-z", NULL};

	put_file(".git/in", buf_slice(paths));
	CHECK(git(words, ".git/in", ".git/out") <= 1);
	slurp(".git/out", ignored);
}

/* ---- patterns ---- */

/* Few letters, so that random patterns and random names meet. */
static void
random_name(struct buf *b)
{
	static const char *const parts[] = {"a", "b", "c", "ab", "-", "]", ".a", "a b", "[", "\\",
	    "*", "!", "#", "\xc3\xa9", "9", " "};
	size_t start = b->len;

	for (unsigned n = 1 + below(2); n > 0; n--)
		buf_adds(b, parts[below(below(3) ? 4 : 16)]);
	if (b->ptr[b->len - 1] == '\\' && below(2))
		buf_cut(b, b->len > start + 1 ? b->len - 1 : b->len);
}

static void
random_pattern(struct buf *b)
{
	static const char *const parts[] = {"a", "b", "c", "*", "?", "/", "**", "/**/", "**/", "/**",
	    "[ab]", "[!a]", "[^b-c]", "[]a]", "[[:alpha:]]", "[[:digit:]b]", "\\a", "\\*", "[a", "[\\]]",
	    "[a-c]", "[--0]", "***", "!", "#", " ", "\\ ", "\\", ".a", "[[:no:]]", "\xc3\xa9", "[[:",
	    "\\[",
	    "[!]]", "[b-a]", "\\!", "\\/", "ab", "[a-\\c]", "[[a]"};

	if (below(6) == 0)
		buf_addc(b, '!');
	if (below(5) == 0)
		buf_addc(b, '/');
	for (unsigned n = 1 + below(5); n > 0; n--)
		buf_adds(b, parts[below(below(2) ? 10 : sizeof(parts) / sizeof(*parts))]);
	if (below(4) == 0)
		buf_addc(b, '/');
	if (below(8) == 0)
		buf_adds(b, "  ");
	buf_adds(b, below(10) ? "\n" : "\r\n");
}

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

/* ---- trees ---- */

static void
random_tree(struct buf *path, unsigned depth, struct buf *files)
{
	size_t len = path->len;

	for (unsigned n = 1 + below(5); n > 0; n--) {
		random_name(path);
		if (depth && below(2)) {
			if (mkdir(path->ptr, 0700) == 0) {
				buf_addc(path, '/');
				random_tree(path, depth - 1, files);
			}
		} else if (access(path->ptr, F_OK) != 0) {
			put_file(path->ptr, S(""));
			buf_addslice(files, buf_slice(path));
			buf_addc(files, '\0');
		}
		buf_cut(path, len);
	}
	if (below(2)) {
		struct buf text = {NULL, 0, 0};

		for (unsigned n = 1 + below(3); n > 0; n--)
			random_pattern(&text);
		buf_adds(path, ".gitignore");
		put_file(path->ptr, buf_slice(&text));
		buf_addslice(files, buf_slice(path));
		buf_addc(files, '\0');
		buf_cut(path, len);
		buf_free(&text);
	}
}

struct seen {
	struct buf names;
	char last[8192];
	int faults;
	bool ordered;
};

static int
note_file(const struct walk_file *file, void *state)
{
	struct seen *seen = state;
	int fd = walk_open(file);

	CHECK(fd >= 0);
	close(fd);
	seen->ordered &= strcmp(seen->last, file->path) < 0;
	snprintf(seen->last, sizeof(seen->last), "%s", file->path);
	buf_adds(&seen->names, file->path);
	buf_addc(&seen->names, '\n');
	return 0;
}

static void
note_fault(const char *path, int error, void *state)
{
	struct seen *seen = state;

	(void)path;
	(void)error;
	seen->faults++;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What git does not ignore of the NUL-separated files, sorted, a line each. */
static void
expected(const struct buf *files, const char *prefix, struct buf *out)
{
	struct buf ignored = {NULL, 0, 0};
	const char *names[4096], *next;
	size_t n = 0;

	check_ignore(files, &ignored);
	next = ignored.ptr;
	for (const char *p = files->ptr; p < files->ptr + files->len; p += strlen(p) + 1) {
		if (ignored.len && next < ignored.ptr + ignored.len && strcmp(p, next) == 0)
			next += strlen(next) + 1;
		else if (n < 4096 && strncmp(p, prefix, strlen(prefix)) == 0)
			names[n++] = p;
	}
	qsort(names, n, sizeof(*names), by_text);
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "%s\n", names[i]);
	buf_free(&ignored);
}

static void
test_tree(unsigned number)
{
	struct buf path = {NULL, 0, 0}, files = path, want = path;
	struct seen seen = {.ordered = true};
	unsigned start = seed;

	buf_addf(&path, "t%u/", number);
	mkdir(path.ptr, 0700);
	random_tree(&path, 4, &files);
	buf_cut(&path, path.len - 1);
	expected(&files, path.ptr, &want);
	walk(path.ptr, NULL, note_file, note_fault, &seen);
	buf_adds(&want, "");
	buf_adds(&seen.names, "");
	if (strcmp(seen.names.ptr, want.ptr) != 0)
		fprintf(stderr, "SEED=%u tree %s\n", start, path.ptr);
	CHECK_TEXT(seen.names.ptr, want.ptr);
	CHECK(seen.ordered);
	CHECK(seen.faults == 0);
	buf_free(&path);
	buf_free(&files);
	buf_free(&want);
	buf_free(&seen.names);
}

/* ---- what no pattern decides ---- */

static struct slice
walked(const char *operand, const struct walk_options *options, struct seen *seen)
{
	buf_reset(&seen->names);
	seen->last[0] = '\0';
	walk(operand, options, note_file, note_fault, seen);
	return buf_slice(&seen->names);
}

static void
test_options(void)
{
	static const char *const include[] = {"*.c", "keep/"}, *const exclude[] = {"b.c", "/keep/no/"};
	struct walk_options options = {include, 2, exclude, 2, false};
	struct seen seen = {.ordered = true};

	mkdir("o", 0700);
	mkdir("o/keep", 0700);
	mkdir("o/keep/no", 0700);
	put_file("o/a.c", S(""));
	put_file("o/a.h", S(""));
	put_file("o/b.c", S(""));
	put_file("o/keep/a.h", S(""));
	put_file("o/keep/no/a.c", S(""));
	put_file("o/keep.c", S(""));
	put_file("o/.gitignore", S("keep.c\n"));
	CHECK(symlink("/etc", "o/out") == 0);
	CHECK(symlink("a.c", "o/link.c") == 0);
	CHECK(mkfifo("o/fifo.c", 0600) == 0);
	walked("o", &options, &seen);
	CHECK_TEXT(seen.names.ptr, "o/a.c\no/keep/a.h\n");
	options.ignored = true;
	walked("o/", &options, &seen);
	CHECK_TEXT(seen.names.ptr, "o/a.c\no/keep.c\no/keep/a.h\n");
	/* A named file is visited whatever any pattern says. */
	walked("o/keep.c", NULL, &seen);
	CHECK_TEXT(seen.names.ptr, "o/keep.c\n");
	CHECK(seen.faults == 0);
	buf_reset(&seen.names);
	walk("absent", NULL, note_file, note_fault, &seen);
	CHECK(seen.faults == 1 && seen.names.len == 0);
	buf_free(&seen.names);
}

/* A repository within a repository, and info/exclude of a work tree. */
static void
test_repositories(void)
{
	static const char *const init[] = {"git", "init", "-q", "r/inner", NULL},
	    *const empty[] = {"git", "-C", "r/inner", "-c", "user.name=a", "-c", "user.email=a@b.c",
	        "commit", "-q", "--allow-empty", "-m", "x", NULL},
	    *const tree[] = {"git", "-C", "r/inner", "worktree", "add", "-q", "../tree", NULL};
	struct seen seen = {.ordered = true};

	mkdir("r", 0700);
	put_file("r/.gitignore", S("a.c\n"));
	CHECK(git(init, "/dev/null", "/dev/null") == 0);
	put_file("r/inner/a.c", S(""));
	put_file("r/inner/b.c", S(""));
	put_file("r/inner/.git/info/exclude", S("b.c\n"));
	CHECK(git(empty, "/dev/null", "/dev/null") == 0);
	CHECK(git(tree, "/dev/null", "/dev/null") == 0);
	put_file("r/tree/a.c", S(""));
	put_file("r/tree/b.c", S(""));
	walked("r", NULL, &seen);
	CHECK_TEXT(seen.names.ptr, "r/.gitignore\nr/inner/a.c\nr/tree/a.c\n");
	/* From within, with the rules of the folders above. */
	mkdir("r/sub", 0700);
	mkdir("r/sub/deep", 0700);
	put_file("r/sub/.gitignore", S("/deep/x.c\n"));
	put_file("r/sub/deep/a.c", S(""));
	put_file("r/sub/deep/x.c", S(""));
	put_file("r/sub/deep/y.c", S(""));
	walked("r/sub/deep", NULL, &seen);
	CHECK_TEXT(seen.names.ptr, "r/sub/deep/y.c\n");
	buf_free(&seen.names);
}

/* A folder that may not be read is a fault, and the walk goes on. Root may read all. */
static void
test_permission(void)
{
	struct seen seen = {.ordered = true};
	uid_t user = geteuid();

	mkdir("x", 0755);
	mkdir("x/locked", 0755);
	mkdir("x/open", 0755);
	put_file("x/locked/a.c", S(""));
	put_file("x/open/b.c", S(""));
	chmod("x/locked", 0000);
	CHECK(chmod(".", 0755) == 0);
	if (user == 0)
		CHECK(seteuid(65534) == 0);
	walked("x", NULL, &seen);
	if (user == 0)
		CHECK(seteuid(0) == 0);
	CHECK_TEXT(seen.names.ptr, "x/open/b.c\n");
	CHECK(seen.faults == 1);
	chmod("x/locked", 0700);
	buf_free(&seen.names);
}

static void
test_depth(void)
{
	char name[3000] = "d";
	struct seen seen = {.ordered = true};

	mkdir(name, 0700);
	for (int i = 0; i < WALK_DEPTH + 5; i++) {
		snprintf(name + strlen(name), sizeof(name) - strlen(name), "/d");
		mkdir(name, 0700);
	}
	walked("d", NULL, &seen);
	CHECK(seen.faults == 1);
	buf_free(&seen.names);
}

static void
enter_scratch(char *template)
{
	static const char *const init[] = {"git", "init", "-q", ".", NULL};

	setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
	setenv("GIT_CONFIG_SYSTEM", "/dev/null", 1);
	if (mkdtemp(template) == NULL || chdir(template) != 0 ||
	    git(init, "/dev/null", "/dev/null") != 0) {
		perror("git and a scratch folder are needed");
		exit(1);
	}
}

int
main(void)
{
	char folder[4096], command[4200];

	seed = getenv("SEED") ? (unsigned)strtoul(getenv("SEED"), NULL, 10) : (unsigned)getpid();
	printf("SEED=%u\n", seed);
	snprintf(folder, sizeof(folder), "%s/walk.XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	enter_scratch(folder);
	test_globs();
	test_patterns();
	put_file(".git/info/exclude", S("cc\n/t1/a\n"));
	for (unsigned i = 0; i < 25; i++)
		test_tree(i);
	test_options();
	test_repositories();
	test_permission();
	test_depth();
	if (chdir("/") == 0) {
		snprintf(command, sizeof(command), "rm -rf '%s'", folder);
		check_failed += system(command) != 0;
	}
	return check_done();
}
