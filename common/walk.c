#include "common/walk.h"

#include "common/buf.h"
#include "common/glob.h"
#include "common/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	IGNORE_FILE = 1 << 20,	/* bytes of one .gitignore; more is a fault, EFBIG */
	LINK_FILE = 4096,	/* bytes of a .git file */
	RULES = WALK_DEPTH * 2 + 64, /* ignore files in force at once */
};

/* One ignore file; its patterns are relative to the first `base` bytes of walk.full. */
struct rules {
	struct glob_list list;
	size_t base;
};

struct walk {
	const struct walk_options *options;
	walk_visit *visit;
	walk_fault *fault;
	void *state;

	/*
	 * Three spellings of where we are, which end alike: as the user would (from the operand),
	 * relative to the repository's root (for ignore files), relative to the operand (for the
	 * options' globs: a tail of full).
	 */
	struct buf shown, full;
	size_t tail; /* where in full the part below the operand starts */

	struct rules rules[RULES]; /* the farthest first: a later one overrules */
	size_t nrules, first;	   /* [first, nrules) hold here */
	struct glob_list include, exclude;

	struct buf names; /* of the folders being walked, one after the other */
	int stopped;	  /* what visit returned */
	unsigned depth;
};

static void walk_folder(struct walk *, int fd, bool included);

static void
report(struct walk *w, int error)
{
	w->fault(w->shown.ptr, error, w->state);
}

/* ---- ignore files ---- */

/*
 * Reads a small regular file; false when there is none. git follows no link to a .gitignore, so
 * neither do we.
 */
static bool
read_small(int folder, const char *name, size_t max, struct buf *out)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	ssize_t got = 0;
	int error;

	buf_reset(out);
	if (fd < 0)
		return false;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		errno = ENOENT;
	} else if ((uintmax_t)st.st_size > max) {
		errno = EFBIG;
	} else {
		char piece[4096];

		while (out->len <= max && (got = read(fd, piece, sizeof(piece))) > 0)
			buf_add(out, piece, (size_t)got);
		close(fd);
		return got >= 0;
	}
	error = errno;
	close(fd);
	errno = error;
	return false;
}

/* Adds folder/name as the last ignore file, its patterns relative to full[0..base). */
static void
add_rules(struct walk *w, int folder, const char *name, size_t base)
{
	struct buf text = {NULL, 0, 0};

	if (w->nrules < RULES && read_small(folder, name, IGNORE_FILE, &text)) {
		struct rules *r = &w->rules[w->nrules++];

		*r = (struct rules){.base = base};
		glob_add_lines(&r->list, buf_slice(&text));
	} else if (w->nrules < RULES && errno != ENOENT && errno != ELOOP && errno != ENOTDIR) {
		size_t len = w->shown.len;
		int error = errno;

		buf_addf(&w->shown, "/%s", name);
		report(w, error);
		buf_cut(&w->shown, len);
	}
	buf_free(&text);
}

static void
drop_rules(struct walk *w, size_t n)
{
	while (w->nrules > n)
		glob_free(&w->rules[--w->nrules].list);
}

/* Appends the path that a file of git names, relative to the folder it lies in. */
static void
add_named(struct buf *path, struct slice text, const char *key)
{
	text = slice_trim(text);
	text.ptr += strlen(key), text.len -= strlen(key);
	text = slice_trim(text);
	if (text.len && text.ptr[0] == '/')
		buf_reset(path);
	else
		buf_addc(path, '/');
	buf_addslice(path, text);
}

/*
 * The root's .git is a folder, or (work trees, submodules) a file that names one, which in turn
 * may name the repository's common folder; info/exclude lies there. Source:
 * gitrepository-layout(5).
 */
static void
add_info_exclude(struct walk *w, int root)
{
	struct buf git = {NULL, 0, 0}, text = {NULL, 0, 0};
	int fd;

	buf_adds(&git, ".git");
	if (read_small(root, ".git", LINK_FILE, &text) && slice_starts(buf_slice(&text), "gitdir:")) {
		buf_cut(&git, 1);
		add_named(&git, buf_slice(&text), "gitdir:");
	}
	fd = openat(root, git.ptr, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && read_small(fd, "commondir", LINK_FILE, &text)) {
		add_named(&git, buf_slice(&text), "");
		close(fd);
		fd = openat(root, git.ptr, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd >= 0) {
		int info = openat(fd, "info", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (info >= 0) {
			add_rules(w, info, "exclude", w->full.len);
			close(info);
		}
		close(fd);
	}
	buf_free(&git);
	buf_free(&text);
}

/* Whether a repository starts here: a .git file, or a folder with what git makes in it. */
static bool
is_repository(int folder)
{
	struct stat st;

	if (fstatat(folder, ".git", &st, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	return S_ISREG(st.st_mode) || faccessat(folder, ".git/HEAD", F_OK, 0) == 0;
}

/* The rules of a folder that starts a repository; those from outside no longer hold. */
static void
enter_repository(struct walk *w, int folder)
{
	w->first = w->nrules;
	add_info_exclude(w, folder);
}

static int
open_folder(int parent, const char *name, size_t len)
{
	char *own = xstrndup(name, len);
	int fd = openat(parent, len ? own : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	free(own);
	return fd;
}

/*
 * The ignore files from a repository's root, path[0..root), down to the parent of path, whose
 * way from the root full becomes. Takes the root's descriptor.
 */
static void
descend(struct walk *w, const char *path, size_t root, int fd)
{
	const char *at = path + root, *next;
	int parent;

	do {
		next = strchrnul(at + 1, '/');
		if (fd >= 0) {
			buf_reset(&w->shown);
			buf_add(&w->shown, path, (size_t)(at - path));
			add_rules(w, fd, ".gitignore", w->full.len);
		}
		buf_add(&w->full, at + 1, (size_t)(next - at - 1));
		buf_addc(&w->full, '/');
		parent = fd;
		fd = *next && parent >= 0 ? open_folder(parent, at + 1, (size_t)(next - at - 1)) : -1;
		if (parent >= 0)
			close(parent);
		at = next;
	} while (*next);
}

/* Finds the repository that the operand lies in, upwards from its parent. */
static void
enter_parents(struct walk *w, const char *operand)
{
	char *path = realpath(operand, NULL);
	size_t end = path != NULL && path[1] != '\0' ? strlen(path) : 0;

	while (end > 0) {
		int fd;

		while (path[--end] != '/')
			continue;
		fd = open_folder(AT_FDCWD, path, end);
		if (fd < 0)
			continue;
		if (is_repository(fd)) {
			enter_repository(w, fd);
			descend(w, path, end, fd);
			break;
		}
		close(fd);
	}
	free(path);
}

/* Whether an ignore file names what full names; the deepest that speaks decides. */
static bool
is_ignored(const struct walk *w, bool folder)
{
	for (size_t i = w->nrules; i-- > w->first;) {
		const struct rules *r = &w->rules[i];
		struct slice path = {w->full.ptr + r->base, w->full.len - r->base};
		int said = glob_decide(&r->list, path, folder);

		if (said)
			return said > 0;
	}
	return false;
}

/* ---- folders ---- */

/* An entry's kind as its last byte: '/' sorts a folder where its files will stand. */
static char
entry_kind(int folder, const struct dirent *entry)
{
	struct stat st;

	switch (entry->d_type) {
	case DT_DIR:
		return '/';
	case DT_REG:
		return '\0';
	case DT_UNKNOWN:
		if (fstatat(folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
			if (S_ISDIR(st.st_mode))
				return '/';
			if (S_ISREG(st.st_mode))
				return '\0';
		}
		break;
	}
	return 'x';
}

/* What one reading of a folder found; its names lie in walk.names. */
struct listing {
	size_t *at; /* where each name starts, sorted */
	size_t n, cap;
	bool ignore_file, repository;
};

static int
by_name(const void *a, const void *b, void *names)
{
	const char *base = names;

	return strcmp(base + *(const size_t *)a, base + *(const size_t *)b);
}

static void
read_listing(struct walk *w, DIR *dir, struct listing *l)
{
	const struct dirent *entry;

	while (errno = 0, (entry = readdir(dir)) != NULL) {
		const char *name = entry->d_name;
		char kind;

		if (name[0] == '.') {
			if (name[1] == '\0' || strcmp(name, "..") == 0)
				continue;
			if (strcmp(name, ".git") == 0) {
				l->repository = is_repository(dirfd(dir));
				continue;
			}
			l->ignore_file |= strcmp(name, ".gitignore") == 0;
		}
		if ((kind = entry_kind(dirfd(dir), entry)) == 'x')
			continue;
		if (l->n == WALK_FOLDER) {
			errno = EFBIG;
			break;
		}
		l->at = xgrow(l->at, l->n, &l->cap, sizeof(*l->at));
		l->at[l->n++] = w->names.len;
		buf_adds(&w->names, name);
		if (kind)
			buf_addc(&w->names, kind);
		buf_addc(&w->names, '\0');
	}
	if (errno != 0)
		report(w, errno);
	if (l->n)
		qsort_r(l->at, l->n, sizeof(*l->at), by_name, w->names.ptr);
}

/* Goes down into the folder `name`, which full and shown name already. */
static void
walk_down(struct walk *w, int parent, const char *name, bool included)
{
	int fd;

	if (w->depth == WALK_DEPTH) {
		report(w, ELOOP);
		return;
	}
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* Removed, or replaced by a link, since it was listed: then it is not there. */
	if (fd < 0 && (errno == ENOENT || errno == ELOOP || errno == ENOTDIR))
		return;
	if (fd < 0) {
		report(w, errno);
		return;
	}
	w->depth++;
	walk_folder(w, fd, included);
	w->depth--;
}

/* One entry of a folder: full and shown have its name added and taken off again. */
static void
walk_entry(struct walk *w, int folder, const char *name, bool included)
{
	size_t shown = w->shown.len, full = w->full.len, len = strlen(name);
	bool down = name[len - 1] == '/';
	struct slice below;
	int said;

	len -= down;
	if (shown && w->shown.ptr[shown - 1] != '/')
		buf_addc(&w->shown, '/');
	buf_add(&w->shown, name, len);
	buf_add(&w->full, name, len);
	below = (struct slice){w->full.ptr + w->tail, w->full.len - w->tail};
	said = glob_decide(&w->include, below, down);
	if (said)
		included = said > 0;
	if (glob_decide(&w->exclude, below, down) <= 0 && !is_ignored(w, down)) {
		if (down) {
			char *own = xstrndup(name, len);

			buf_addc(&w->full, '/');
			walk_down(w, folder, own, included);
			free(own);
		} else if (included) {
			w->stopped = w->visit(&(struct walk_file){w->shown.ptr, w->shown.ptr +
			    w->shown.len - len, folder, false}, w->state);
		}
	}
	buf_cut(&w->shown, shown);
	buf_cut(&w->full, full);
}

/* Walks an open folder, whose path in full ends in '/', and closes it. */
static void
walk_folder(struct walk *w, int fd, bool included)
{
	struct listing l = {.n = 0};
	size_t names = w->names.len, nrules = w->nrules, first = w->first;
	DIR *dir = fdopendir(fd);

	if (dir == NULL) {
		report(w, errno);
		close(fd);
		return;
	}
	read_listing(w, dir, &l);
	if (w->options == NULL || !w->options->ignored) {
		if (l.repository)
			enter_repository(w, fd);
		if (l.ignore_file)
			add_rules(w, fd, ".gitignore", w->full.len);
	}
	for (size_t i = 0; i < l.n && w->stopped == 0; i++)
		walk_entry(w, fd, w->names.ptr + l.at[i], included);
	drop_rules(w, nrules);
	w->first = first;
	buf_cut(&w->names, names);
	free(l.at);
	closedir(dir);
}

/* ---- the operand ---- */

int
walk_open(const struct walk_file *file)
{
	int fd = openat(file->folder, file->name,
	    O_RDONLY | O_CLOEXEC | O_NONBLOCK | (file->operand ? 0 : O_NOFOLLOW));

	/* Opening does not wait, but reading does; only an operand can be a pipe. */
	if (fd >= 0 && file->operand)
		fcntl(fd, F_SETFL, 0);
	return fd;
}

static void
add_options(struct walk *w, const struct walk_options *options)
{
	for (size_t i = 0; i < options->ninclude; i++)
		glob_add(&w->include, slice(options->include[i]));
	for (size_t i = 0; i < options->nexclude; i++)
		glob_add(&w->exclude, slice(options->exclude[i]));
}

int
walk(const char *operand, const struct walk_options *options, walk_visit *visit, walk_fault *fault,
    void *state)
{
	int fd = open(operand, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct walk *w;
	int stopped;

	if (fd < 0 && errno == ENOTDIR)
		return visit(&(struct walk_file){operand, operand, AT_FDCWD, true}, state);
	if (fd < 0) {
		fault(operand, errno, state);
		return 0;
	}
	w = xcalloc(1, sizeof(*w));
	w->options = options;
	w->visit = visit;
	w->fault = fault;
	w->state = state;
	buf_adds(&w->shown, operand);
	buf_adds(&w->full, "");
	if (options != NULL)
		add_options(w, options);
	if (options == NULL || !options->ignored)
		enter_parents(w, operand);
	buf_reset(&w->shown);
	buf_adds(&w->shown, operand);
	w->tail = w->full.len;
	walk_folder(w, fd, w->include.n == 0);
	stopped = w->stopped;
	drop_rules(w, 0);
	glob_free(&w->include);
	glob_free(&w->exclude);
	buf_free(&w->shown);
	buf_free(&w->full);
	buf_free(&w->names);
	free(w);
	return stopped;
}
