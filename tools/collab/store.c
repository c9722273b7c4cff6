#include "tools/collab/store.h"

#include "common/mem.h"
#include "common/path.h"
#include "common/time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	CHUNK = 32 * 1024, /* read at once */
	KEPT = 1 << 20,	   /* bytes of a window that stay for the next file */
	SAME_TIME = 100,   /* files set aside under one name in one second */
};

/* ---- folders ---- */

int
store_sync(int folder)
{
	/* A file system that cannot sync a folder says EINVAL; there is nothing to be done. */
	return fsync(folder) == 0 || errno == EINVAL || errno == EBADF ? 0 : -1;
}

/* The entry of a new folder. It may be in one that we may not read: then as the system likes. */
static void
sync_entry(const char *path)
{
	char *up = path_join(path, "..");
	int fd = open(up, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		if (fsync(fd) != 0)
			errno = 0;
		close(fd);
	}
	free(up);
}

int
store_folder(const char *path)
{
	char *name = xstrdup(path);
	int rc = 0, error = 0;

	for (char *p = name; *p; p++) {
		char end = p[1];

		if (end != '/' && end != '\0')
			continue;
		p[1] = '\0';
		rc = mkdir(name, 0700);
		error = errno;
		if (rc == 0)
			sync_entry(name);
		p[1] = end;
	}
	free(name);
	errno = error;
	return rc == 0 || error == EEXIST ? 0 : -1;
}

/* ---- aside ---- */

int
store_aside(int folder, const char *name, bool keep, struct buf *aside)
{
	struct buf when = {0};
	int rc = -1;

	time_put(&when, time_now());
	for (int i = 1; rc != 0 && i <= SAME_TIME; i++) {
		buf_reset(aside);
		buf_addf(aside, i == 1 ? "%s.damaged-%s" : "%s.damaged-%s-%d", name, when.ptr, i);
		/* A link, so that at no moment the file is without its name. */
		rc = linkat(folder, name, folder, aside->ptr, 0);
		if (rc != 0 && errno != EEXIST) {
			rc = renameat(folder, name, folder, aside->ptr);
			break;
		}
	}
	buf_free(&when);
	if (rc == 0 && !keep && unlinkat(folder, name, 0) != 0 && errno != ENOENT)
		rc = -1;
	return rc;
}

/* ---- at a place ---- */

int
store_write(int fd, uint64_t at, struct slice first, struct slice second)
{
	while (first.len + second.len) {
		struct iovec parts[] = {{(void *)(uintptr_t)first.ptr, first.len},
		    {(void *)(uintptr_t)second.ptr, second.len}};
		ssize_t n = pwritev(fd, parts, 2, (off_t)at);
		size_t done, of_first;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n == 0 ? ENOSPC : errno;
			return -1;
		}
		done = (size_t)n;
		of_first = done < first.len ? done : first.len;
		at += done;
		first = (struct slice){first.ptr + of_first, first.len - of_first};
		done -= of_first;
		second = (struct slice){second.ptr + done, second.len - done};
	}
	return 0;
}

/* ---- windows ---- */

void
window_turn(struct window *w, int fd, uint64_t first)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = fd;
	w->first = first;
	w->at = 0;
	buf_reset(&w->bytes);
	if (w->bytes.cap > KEPT)
		buf_free(&w->bytes);
}

/* The file's bytes from an offset on, as many as there are up to len. */
static void
fill(struct window *w, uint64_t at, size_t len)
{
	w->at = at;
	buf_reset(&w->bytes);
	buf_room(&w->bytes, len);
	while (w->bytes.len < len) {
		ssize_t n = pread(w->fd, w->bytes.ptr + w->bytes.len, len - w->bytes.len,
		    (off_t)(at + w->bytes.len));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		w->bytes.len += (size_t)n;
	}
}

const char *
window_look(struct window *w, uint64_t at, size_t want, uint64_t size, size_t *have)
{
	uint64_t left = at > size ? 0 : size - at;

	if (at > size || want > left)
		return NULL;
	if (at < w->at || at + want > w->at + w->bytes.len) {
		fill(w, at, want > CHUNK ? want : left < CHUNK ? (size_t)left : CHUNK);
		if (w->bytes.len < want)
			return NULL;
	}
	*have = w->bytes.len - (size_t)(at - w->at);
	if (*have > left)
		*have = (size_t)left;
	return w->bytes.ptr + (at - w->at);
}
