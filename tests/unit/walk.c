/* walk against git itself: random trees with ignore files, judged by `git check-ignore`. */
#include "common/walk.h"
#include "tests/unit/ignored.h"

#include <errno.h>
#include <sys/stat.h>

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

int
main(void)
{
	ignored_begin();
	put_file(".git/info/exclude", S("cc\n/t1/a\n"));
	for (unsigned i = 0; i < 25; i++)
		test_tree(i);
	test_options();
	test_repositories();
	test_permission();
	test_depth();
	ignored_end();
	return check_done();
}
