/*
 * ignored: a repository in a scratch folder, random ignore patterns and names, and what git
 * itself says of them. The seed is printed; SEED=n repeats a run.
 */
#ifndef KANDIL_TEST_IGNORED_H
#define KANDIL_TEST_IGNORED_H

#include "common/buf.h"
#include "tests/unit/check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned seed;
static char ignored_folder[4096];

static inline unsigned
below(unsigned n)
{
	return (unsigned)rand_r(&seed) % n;
}

static inline void
put_file(const char *name, struct slice text)
{
	FILE *f = fopen(name, "w");

	if (f == NULL || fwrite(text.ptr, 1, text.len, f) != text.len || fclose(f) != 0) {
		perror(name);
		exit(1);
	}
}

/* Runs git with stdin from a file and stdout to a file; its status. */
static inline int
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

static inline void
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
static inline void
check_ignore(const struct buf *paths, struct buf *ignored)
{
	static const char *const words[] = {"git", "-c", "core.excludesFile=/dev/null",
	    "check-ignore", "--no-index", "--stdin", "-z", NULL};

	put_file(".git/in", buf_slice(paths));
	CHECK(git(words, ".git/in", ".git/out") <= 1);
	slurp(".git/out", ignored);
}

/* Few letters, so that random patterns and random names meet. */
static inline void
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

static inline void
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

/* A new repository as the current folder. */
static inline void
ignored_begin(void)
{
	static const char *const init[] = {"git", "init", "-q", ".", NULL};
	const char *tmp = getenv("TMPDIR");

	seed = getenv("SEED") ? (unsigned)strtoul(getenv("SEED"), NULL, 10) : (unsigned)getpid();
	printf("SEED=%u\n", seed);
	snprintf(ignored_folder, sizeof(ignored_folder), "%s/walk.XXXXXX", tmp ? tmp : "/tmp");
	setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
	setenv("GIT_CONFIG_SYSTEM", "/dev/null", 1);
	if (mkdtemp(ignored_folder) == NULL || chdir(ignored_folder) != 0 ||
	    git(init, "/dev/null", "/dev/null") != 0) {
		perror("git and a scratch folder are needed");
		exit(1);
	}
}

static inline void
ignored_end(void)
{
	char command[4200];

	if (chdir("/") == 0) {
		snprintf(command, sizeof(command), "rm -rf '%s'", ignored_folder);
		check_failed += system(command) != 0;
	}
}

#endif
