#include "common/path.h"

#include "common/hash.h"
#include "common/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

char *
path_join(const char *folder, const char *name)
{
	struct buf b = {0};

	buf_adds(&b, folder);
	if (b.len && b.ptr[b.len - 1] != '/')
		buf_addc(&b, '/');
	buf_adds(&b, name);
	return buf_detach(&b);
}

char *
path_bin(void)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n <= 0)
		return xstrdup(".");
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	return xstrdup(self);
}

char *
path_shipped(const char *rel)
{
	const char *datadir = getenv("KANDIL_DATADIR");
	char *bin, *share, *name;

	if (datadir && *datadir)
		return path_join(datadir, rel);
	bin = path_bin();
	share = path_join(bin, "../share/kandil");
	name = path_join(share, rel);
	free(bin);
	free(share);
	return name;
}

/* $variable/kandil/rel, or $HOME/fallback/kandil/rel. */
static char *
xdg(const char *variable, const char *fallback, const char *rel)
{
	const char *root = getenv(variable), *home = getenv("HOME");
	struct buf b = {0};

	/* The XDG specification: a relative path here is invalid and ignored. */
	if (root && root[0] == '/')
		buf_adds(&b, root);
	else if (home && home[0] == '/')
		buf_addf(&b, "%s/%s", home, fallback);
	else
		return NULL;
	buf_addf(&b, "/kandil/%s", rel);
	return buf_detach(&b);
}

char *
path_config(const char *rel)
{
	return xdg("XDG_CONFIG_HOME", ".config", rel);
}

int
path_mkdirs(const char *folder)
{
	char *name = xstrdup(folder);
	int rc = 0;

	for (char *p = name + 1;; p++) {
		char end = *p;

		if (end != '/' && end != '\0')
			continue;
		*p = '\0';
		if (mkdir(name, 0777) != 0 && errno != EEXIST)
			rc = -1;
		*p = end;
		if (end == '\0')
			break;
	}
	free(name);
	return rc;
}

/* The same, and makes the folders above rel. */
static char *
xdg_private(const char *variable, const char *fallback, const char *rel)
{
	char *name = xdg(variable, fallback, rel), *slash;
	mode_t mask;

	if (name == NULL)
		return NULL;
	slash = strrchr(name, '/');
	*slash = '\0';
	mask = umask(077); /* what is kept there is nobody else's business */
	path_mkdirs(name);
	umask(mask);
	*slash = '/';
	return name;
}

char *
path_cache(const char *rel)
{
	return xdg_private("XDG_CACHE_HOME", ".cache", rel);
}

char *
path_state(const char *rel)
{
	return xdg_private("XDG_STATE_HOME", ".local/state", rel);
}

/* Says once a name that another file takes a shipped one's place. */
static void
say_override(const char *name, const char *rel)
{
	static struct table said;
	static struct arena names;
	bool first;
	char *shipped = path_shipped(rel);

	if (access(shipped, F_OK) == 0) {
		struct slice key = {arena_copy(&names, rel, strlen(rel)), strlen(rel)};

		table_put(&said, key, &first);
		if (first)
			note("'%s' is used in place of the shipped one", name);
	}
	free(shipped);
}

/* The first of the names that exists; frees the others. The last is the shipped one. */
static char *
first_of(char **names, size_t n, const char *rel)
{
	char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		if (found == NULL && names[i] && access(names[i], F_OK) == 0) {
			found = names[i];
			if (i + 1 < n)
				say_override(found, rel);
		} else {
			free(names[i]);
		}
	}
	return found;
}

char *
path_data(const char *rel)
{
	char *names[] = {path_join(".kandil", rel), path_config(rel), path_shipped(rel)};

	return first_of(names, 3, rel);
}

char *
path_trusted(const char *rel)
{
	char *names[] = {path_config(rel), path_shipped(rel)};

	return first_of(names, 2, rel);
}

/* Reads to the end, at most max bytes; the file may grow or be a pipe. */
static int
read_all(int fd, const char *name, size_t max, struct buf *out, struct err *e)
{
	size_t start = out->len;
	ssize_t n;

	for (;;) {
		char *at = buf_room(out, 64 * 1024);

		n = read(fd, at, 64 * 1024);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, "cannot_read", "cannot read '%s': %s", name, strerror(errno));
		out->len += (size_t)n;
		out->ptr[out->len] = '\0';
		if (n == 0)
			return 0;
		if (out->len - start > max)
			return err_set(e, "too_large", "'%s' is larger than %zu bytes", name, max);
	}
}

int
path_read(const char *name, size_t max, struct buf *out, struct err *e)
{
	struct stat st;
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;

	if (fd < 0)
		return err_set(e, "cannot_read", "cannot open '%s': %s", name, strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return err_set(e, "cannot_read", "'%s' is no regular file", name);
	}
	if ((size_t)st.st_size > max) {
		close(fd);
		return err_set(e, "too_large", "'%s' is larger than %zu bytes", name, max);
	}
	rc = read_all(fd, name, max, out, e);
	close(fd);
	return rc;
}

int
path_write(int fd, struct slice content)
{
	while (content.len) {
		ssize_t n = write(fd, content.ptr, content.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		content.ptr += n;
		content.len -= (size_t)n;
	}
	return 0;
}

static bool
same_content(const char *name, struct slice content)
{
	struct buf old = {0};
	bool same = path_read(name, content.len, &old, NULL) == 0 && slice_eq(buf_slice(&old), content);

	buf_free(&old);
	return same;
}

static int
fail_write(const char *name, struct err *e)
{
	return err_set(e, "cannot_write", "cannot write '%s': %s", name, strerror(errno));
}

/* Makes the rename itself durable; a file system that cannot is not our error. */
static void
sync_folder(const char *name)
{
	char *folder = xstrdup(name), *slash = strrchr(folder, '/');
	int fd;

	if (slash)
		slash[slash == folder] = '\0';
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		if (fsync(fd) != 0)
			errno = 0;
		close(fd);
	}
	free(folder);
}

static int
write_temporary(const char *temporary, int fd, mode_t mode, struct slice content)
{
	int rc = fchmod(fd, mode);

	rc |= path_write(fd, content);
	if (rc == 0)
		rc = fsync(fd);
	if (close(fd) != 0 || rc != 0) {
		int error = errno;

		unlink(temporary);
		errno = error;
		return -1;
	}
	return 0;
}

/* What is no regular file (a device, a pipe) is opened and written. */
static int
write_plainly(const char *name, struct slice content, struct err *e)
{
	int fd = open(name, O_WRONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return fail_write(name, e);
	rc = path_write(fd, content);
	if (close(fd) != 0 || rc != 0)
		return fail_write(name, e);
	return 0;
}

/* Who is to say whether a file may be replaced; same NULL: it may. */
struct guard {
	bool (*same)(const char *old, void *state);
	void *state;
};

static bool
is_inode(const char *name, ino_t inode)
{
	struct stat st;

	return stat(name, &st) == 0 && st.st_ino == inode;
}

/* The old file gets the temporary's name for a look: 0; 1, it stays; -1 with errno. */
static int
exchange(const char *temporary, const char *target, const struct guard *guard)
{
	struct stat st;

	if (stat(temporary, &st) != 0 ||
	    renameat2(AT_FDCWD, temporary, AT_FDCWD, target, RENAME_EXCHANGE) != 0)
		return -1;
	if (guard->same(temporary, guard->state)) {
		unlink(temporary);
		return 0;
	}
	/* Back, unless it was replaced or removed once more in between: what is newest stays. */
	if (renameat2(AT_FDCWD, temporary, AT_FDCWD, target, RENAME_EXCHANGE) != 0 ||
	    !is_inode(temporary, st.st_ino))
		rename(temporary, target);
	else
		unlink(temporary);
	return 1;
}

/* The temporary takes its place: 0; 1, and it is gone: it must not; -1 with errno. */
static int
put_in_place(const char *temporary, const char *target, const struct guard *guard)
{
	int rc;

	if (guard->same == NULL)
		return rename(temporary, target);
	rc = exchange(temporary, target, guard);
	if (rc >= 0)
		return rc;
	if (errno == ENOENT) {
		rc = renameat2(AT_FDCWD, temporary, AT_FDCWD, target, RENAME_NOREPLACE);
		if (rc == 0 || errno == EEXIST) {
			unlink(temporary);
			return rc == 0 ? 0 : 1;
		}
	}
	/* A file system that cannot do this: the look comes as late as it can. */
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (access(target, F_OK) == 0 && !guard->same(target, guard->state)) {
		unlink(temporary);
		return 1;
	}
	return rename(temporary, target);
}

static int
replace(const char *name, struct slice content, bool *changed, const struct guard *guard,
    struct err *e)
{
	char *target = realpath(name, NULL), *temporary;
	struct buf b = {0};
	struct stat st;
	mode_t mask, mode;
	int fd, rc = 0;

	*changed = true;
	if (target == NULL)
		target = xstrdup(name); /* it does not exist yet */
	mask = umask(0);
	umask(mask);
	mode = 0666 & ~mask;
	if (stat(target, &st) == 0) {
		mode = st.st_mode & 07777;
		if (!S_ISREG(st.st_mode)) {
			rc = write_plainly(target, content, e);
			free(target);
			return rc;
		}
		if ((size_t)st.st_size == content.len && same_content(target, content)) {
			*changed = false;
			free(target);
			return 0;
		}
	}
	buf_addf(&b, "%s.XXXXXX", target);
	temporary = buf_detach(&b);
	fd = mkstemp(temporary);
	if (fd < 0 || write_temporary(temporary, fd, mode, content) != 0) {
		rc = fail_write(name, e);
	} else if ((rc = put_in_place(temporary, target, guard)) < 0) {
		rc = fail_write(name, e);
		unlink(temporary);
	} else if (rc == 0) {
		sync_folder(target);
	}
	free(temporary);
	free(target);
	return rc;
}

int
path_replace(const char *name, struct slice content, bool *changed, struct err *e)
{
	bool dummy;

	return replace(name, content, changed ? changed : &dummy, &(struct guard){0}, e);
}

int
path_replace_if(const char *name, struct slice content,
    bool (*same)(const char *old, void *state), void *state, struct err *e)
{
	bool dummy;

	return replace(name, content, &dummy, &(struct guard){same, state}, e);
}
