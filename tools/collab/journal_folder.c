#include "tools/collab/journal_part.h"

#include "common/mem.h"
#include "common/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SEGMENTS = 1 << 16, /* of a folder: more are not looked at */
	DIGITS = 16,
};

static const char suffix[] = ".seg1", part[] = "part";

int
journal_cannot(const struct journal *j, const char *what, struct err *e)
{
	int error = errno;
	bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;

	return err_set(e, full ? "disk_full" : "cannot_write", "cannot %s '%s': %s", what,
	    j->folder, strerror(error));
}

static void
segment_name(uint64_t first, char name[JOURNAL_ASIDE])
{
	snprintf(name, JOURNAL_ASIDE, "%016" PRIx64 "%s", first, suffix);
}

/* The first place in a name of ours, 0 in any other. */
static uint64_t
first_of(const char *name)
{
	uint64_t first = 0;

	for (int i = 0; i < DIGITS; i++) {
		const char *digits = "0123456789abcdef", *digit = strchr(digits, name[i]);

		if (name[i] == '\0' || digit == NULL)
			return 0;
		first = first << 4 | (uint64_t)(digit - digits);
	}
	return strcmp(name + DIGITS, suffix) == 0 && first < PLACE_MOST ? first : 0;
}

static int
compare_segments(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

int
folder_list(struct journal *j, struct err *e)
{
	int fd = openat(j->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat st;

	if (folder == NULL) {
		err_set(e, "cannot_read", "cannot read the folder '%s': %s", j->folder,
		    strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while (j->n < SEGMENTS && (entry = readdir(folder)) != NULL) {
		uint64_t first = first_of(entry->d_name);

		if (first == 0 || fstatat(j->dirfd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		j->segments = xgrow(j->segments, j->n, &j->cap, sizeof(*j->segments));
		j->segments[j->n++] = (struct segment){
		    .first = first, .end = first, .size = (uint64_t)st.st_size};
	}
	closedir(folder);
	if (j->n)
		qsort(j->segments, j->n, sizeof(*j->segments), compare_segments);
	return 0;
}

/* A regular file of the folder, -1 with errno. */
static int
folder_open(const struct journal *j, const char *name, int flags)
{
	int fd = openat(j->dirfd, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	return fd;
}

int
folder_open_segment(const struct journal *j, uint64_t first, int flags)
{
	char name[JOURNAL_ASIDE];

	segment_name(first, name);
	return folder_open(j, name, flags);
}

/* ---- new segments ---- */

int
folder_part(const struct journal *j)
{
	unlinkat(j->dirfd, part, 0); /* of one that was killed */
	return folder_open(j, part, O_RDWR | O_CREAT | O_EXCL);
}

static int
give_up(const struct journal *j, int fd)
{
	int error = errno;

	close(fd);
	unlinkat(j->dirfd, part, 0);
	errno = error;
	return -1;
}

int
folder_write(const struct journal *j, int fd, struct buf *content)
{
	if (path_write(fd, buf_slice(content)) != 0)
		return give_up(j, fd);
	buf_reset(content);
	return 0;
}

int
folder_finish(const struct journal *j, int fd, uint64_t first)
{
	char name[JOURNAL_ASIDE];

	segment_name(first, name);
	if (fdatasync(fd) != 0 || renameat(j->dirfd, part, j->dirfd, name) != 0)
		return give_up(j, fd);
	if (store_sync(j->dirfd) != 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* ---- what goes ---- */

int
folder_aside(const struct journal *j, uint64_t first, bool keep, struct journal_report *report)
{
	char name[JOURNAL_ASIDE];
	struct buf aside = {0};
	int rc;

	segment_name(first, name);
	rc = store_aside(j->dirfd, name, keep, &aside);
	if (rc == 0) {
		report->damaged++;
		if (report->aside == NULL)
			report->aside = path_join(j->folder, aside.ptr);
		rc = store_sync(j->dirfd);
	}
	buf_free(&aside);
	return rc;
}

void
folder_drop(struct journal *j, uint64_t need)
{
	char name[JOURNAL_ASIDE];
	size_t gone = 0;

	while (gone + 1 < j->n && j->total + need > j->max &&
	    j->segments[gone].end - 1 <= j->forgotten) {
		struct segment *s = &j->segments[gone];

		segment_name(s->first, name);
		if (unlinkat(j->dirfd, name, 0) != 0 && errno != ENOENT)
			break;
		j->total -= s->bytes;
		free(s->spots);
		gone++;
	}
	if (gone == 0)
		return;
	j->n -= gone;
	memmove(j->segments, j->segments + gone, j->n * sizeof(*j->segments));
	senders_drop(j, j->segments[0].first);
}
