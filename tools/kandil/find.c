#include "tools/kandil/find.h"

#include "common/die.h"
#include "common/mem.h"
#include "common/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	MAX_ANSWER = 4 * 1024 * 1024,
	HEAD = 8192, /* bytes of a script in which its summary must be */
	PATIENCE = 5000, /* milliseconds for an answer */
};

static void
add_folders(struct folders *f, const char *list, bool absolute_only)
{
	while (list && *list) {
		size_t n = strcspn(list, ":");

		if (n > 0 && (!absolute_only || list[0] == '/') && f->n < MAX_FOLDERS)
			f->v[f->n++] = xstrndup(list, n);
		list += n + (list[n] == ':');
	}
}

struct folders
find_folders(void)
{
	struct folders f = {0};
	char *bin = path_bin();

	add_folders(&f, getenv("KANDIL_EXEC_PATH"), false);
	if (f.n + 2 <= MAX_FOLDERS) {
		f.v[f.n++] = path_join(bin, "../libexec/kandil");
		f.v[f.n++] = xstrdup(bin);
	}
	f.own = f.n;
	/* A program in the current folder must not answer for one of ours. */
	add_folders(&f, getenv("PATH"), true);
	free(bin);
	return f;
}

static bool
is_program(const char *file)
{
	struct stat st;

	return stat(file, &st) == 0 && S_ISREG(st.st_mode) && access(file, X_OK) == 0;
}

char *
find_program(const struct folders *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++) {
		char *file = path_join(f->v[i], name);

		if (is_program(file))
			return file;
		free(file);
	}
	return NULL;
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Reads until the end, or false: too much, or too late. */
static bool
read_answer(int fd, struct buf *answer)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int64_t end = now_ms() + PATIENCE;

	while (answer->len <= MAX_ANSWER) {
		int64_t left = end - now_ms();
		int ready = left > 0 ? poll(&p, 1, (int)left) : 0;

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return false;
		ssize_t n = read(fd, buf_room(answer, 65536), 65536);
		if (n == 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
		answer->len += n > 0 ? (size_t)n : 0;
	}
	return false;
}

int
find_ask(const char *file, const char *option, struct buf *answer)
{
	char *argv[] = {(char *)(uintptr_t)file, (char *)(uintptr_t)option, NULL};
	int ends[2], null, status;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		die(STATUS_FAILED, "cannot run '%s':", file);
	if (pid == 0) {
		null = open("/dev/null", O_RDONLY);
		if (dup2(null, STDIN_FILENO) >= 0 && dup2(ends[1], STDOUT_FILENO) >= 0)
			execv(file, argv);
		_exit(126);
	}
	close(ends[1]);
	if (!read_answer(ends[0], answer))
		kill(pid, SIGKILL);
	close(ends[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool
find_line(struct slice *text, struct slice *line)
{
	const char *lf;

	if (text->len == 0)
		return false;
	lf = memchr(text->ptr, '\n', text->len);
	line->ptr = text->ptr;
	line->len = lf ? (size_t)(lf - text->ptr) : text->len;
	text->ptr += line->len + (lf != NULL);
	text->len -= line->len + (lf != NULL);
	return true;
}

static void
read_head(const char *file, struct buf *out)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, buf_room(out, HEAD), HEAD);

	out->len = n > 0 ? (size_t)n : 0;
	if (fd >= 0)
		close(fd);
}

/* A script says it in a line `# summary: …`, a program in --help's second. */
void
find_summary(struct program *p)
{
	static const char mark[] = "# summary:";
	struct buf b = {0};
	struct slice text, line;
	size_t number = 0;

	read_head(p->file, &b);
	p->script = slice_starts(buf_slice(&b), "#!");
	if (!p->script) {
		buf_reset(&b);
		if (p->own)
			find_ask(p->file, "--help", &b);
	}
	text = buf_slice(&b);
	while (p->summary == NULL && find_line(&text, &line)) {
		number++;
		if (p->script && slice_starts(line, mark)) {
			line.ptr += sizeof(mark) - 1;
			line.len -= sizeof(mark) - 1;
		} else if (p->script || number != 2) {
			continue;
		}
		line = slice_trim(line);
		p->summary = xstrndup(line.ptr, line.len);
	}
	buf_free(&b);
}

void
find_needs(const struct program *p, struct buf *words)
{
	static const char mark[] = "# needs:", ours[] = "kandil-";
	struct buf b = {0};
	struct slice text, line;

	read_head(p->file, &b);
	text = buf_slice(&b);
	while (find_line(&text, &line)) {
		if (!slice_starts(line, mark))
			continue;
		for (size_t i = sizeof(mark) - 1, n; i < line.len; i += n + 1) {
			for (n = 0; i + n < line.len && line.ptr[i + n] != ','; n++)
				;
			struct slice one = slice_trim((struct slice){line.ptr + i, n});

			if (slice_starts(one, ours))
				buf_addf(words, "%s%.*s", words->len ? " " : "",
				    (int)(one.len - sizeof(ours) + 1), one.ptr + sizeof(ours) - 1);
		}
	}
	buf_free(&b);
}

static void
add_program(struct programs *all, const char *folder, const char *name, bool own)
{
	struct program p = {.file = path_join(folder, name), .words = xstrdup(name + 7),
	    .own = own};

	for (char *c = p.words; *c; c++)
		if (*c == '-')
			*c = ' ';
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->v[i].words, p.words) == 0)
			goto drop;
	if (!is_program(p.file))
		goto drop;
	all->v = xgrow(all->v, all->n, &all->cap, sizeof(*all->v));
	all->v[all->n++] = p;
	return;
drop:
	free(p.file);
	free(p.words);
}

static int
by_words(const void *a, const void *b)
{
	return strcmp(((const struct program *)a)->words, ((const struct program *)b)->words);
}

char *
find_manuals(void)
{
	char *bin = path_bin(), *man = path_join(bin, "../share/man");

	free(bin);
	return man;
}

int
find_page(const char *man, const char *name, const char *sections)
{
	for (; *sections; sections++) {
		struct buf b = {0};
		bool there;

		buf_addf(&b, "%s/man%c/%s.%c", man, *sections, name, *sections);
		there = access(b.ptr, R_OK) == 0;
		buf_free(&b);
		if (there)
			return *sections - '0';
	}
	return 0;
}

/* kandil-records.5 is about records, kandil.7 about kandil. */
static void
add_topic(struct programs *all, const char *folder, const char *page, char section)
{
	static const char name[] = "kandil";
	const char *end = strrchr(page, '.'), *words = page;
	size_t n = sizeof(name) - 1;

	if (strncmp(page, name, n) != 0 || end == NULL || end[1] != section || end[2] != '\0')
		return;
	if (page[n] == '-' && page + n + 1 < end)
		words += n + 1;
	else if (page + n != end)
		return;
	all->v = xgrow(all->v, all->n, &all->cap, sizeof(*all->v));
	all->v[all->n++] = (struct program){.file = path_join(folder, page),
	    .words = xstrndup(words, (size_t)(end - words))};
}

struct programs
find_topics(const char *man)
{
	static const char *const sections[] = {"man5", "man7"};
	struct programs all = {0};
	struct dirent *entry;

	for (size_t i = 0; i < 2; i++) {
		char *folder = path_join(man, sections[i]);
		DIR *dir = opendir(folder);

		while (dir && (entry = readdir(dir)) != NULL)
			add_topic(&all, folder, entry->d_name, sections[i][3]);
		if (dir)
			closedir(dir);
		free(folder);
	}
	if (all.n > 1)
		qsort(all.v, all.n, sizeof(*all.v), by_words);
	return all;
}

struct programs
find_programs(const struct folders *f, size_t n)
{
	struct programs all = {0};
	struct dirent *entry;
	DIR *dir;

	for (size_t i = 0; i < n; i++) {
		dir = opendir(f->v[i]);
		while (dir && (entry = readdir(dir)) != NULL)
			if (strncmp(entry->d_name, "kandil-", 7) == 0)
				add_program(&all, f->v[i], entry->d_name, i < f->own);
		if (dir)
			closedir(dir);
	}
	if (all.n > 1)
		qsort(all.v, all.n, sizeof(*all.v), by_words);
	return all;
}
