#include "tools/ai/cache_part.h"

#include "common/mem.h"
#include "common/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SEGMENTS = 1 << 16, /* of a folder: more are not looked at; --cache-size of 4 TiB */
	OPEN = 96,	 /* sealed segments that are kept open, two descriptors each */
	NAME = 32,
};

struct found {
	uint32_t number;
	uint64_t size;
};

static void
name_of(uint32_t number, const char *suffix, char name[NAME])
{
	snprintf(name, NAME, "%08" PRIx32 ".%s", number, suffix);
}

bool
folder_has(const struct cache *c, uint32_t number)
{
	char name[NAME];

	name_of(number, "seg1", name);
	return faccessat(c->dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int
folder_file(const struct cache *c, uint32_t number, const char *suffix, int flags)
{
	char name[NAME];
	struct stat st;
	int fd;

	name_of(number, suffix, name);
	fd = openat(c->dirfd, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		fd = -1;
		errno = EINVAL;
	}
	return fd;
}

uint64_t
file_size(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* ---- the lock ---- */

int
folder_lock(struct cache *c)
{
	for (int tries = 0; tries < 8; tries++) {
		struct stat st;

		if (c->lock < 0)
			c->lock = openat(c->dirfd, "lock",
			    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
		if (c->lock < 0)
			return -1;
		while (flock(c->lock, LOCK_EX) != 0)
			if (errno != EINTR)
				return -1;
		if (fstat(c->lock, &st) == 0 && st.st_nlink > 0)
			return 0;
		close(c->lock);
		c->lock = -1;
	}
	errno = ESTALE;
	return -1;
}

void
folder_unlock(struct cache *c)
{
	int error = errno;

	flock(c->lock, LOCK_UN);
	errno = error;
}

/* ---- sealed segments ---- */

static void
segment_shut(struct cache *c, struct segment *s)
{
	if (s->fd >= 0)
		close(s->fd);
	if (s->index_fd >= 0)
		close(s->index_fd);
	if (s->fd >= 0 || s->index_fd >= 0)
		c->open--;
	s->fd = s->index_fd = -1;
}

static void
segment_drop(struct cache *c, struct segment *s)
{
	segment_shut(c, s);
	index_free(&s->index);
	s->gone = true;
}

/* Opens what a look-up reads; false when the segment is gone. */
static bool
segment_open(struct cache *c, struct segment *s)
{
	s->used = ++c->clock;
	if (s->fd >= 0)
		return true;
	if (c->open == OPEN) {
		struct segment *oldest = NULL;

		for (size_t i = 0; i < c->n; i++)
			if (c->sealed[i].fd >= 0 &&
			    (oldest == NULL || c->sealed[i].used < oldest->used))
				oldest = &c->sealed[i];
		if (oldest)
			segment_shut(c, oldest);
	}
	s->fd = folder_file(c, s->number, "seg1", O_RDONLY);
	if (s->fd < 0)
		return false;
	if (s->index.held == NULL)
		s->index_fd = folder_file(c, s->number, "idx1", O_RDONLY);
	c->open++;
	return true;
}

/* Writes an index beside its segment, all or nothing, under the lock: 0 or -1. */
static int
index_write(struct cache *c, uint32_t number, struct slice image)
{
	char name[NAME];
	int fd, rc;

	unlinkat(c->dirfd, "index.part", 0); /* of one that was killed */
	fd = openat(c->dirfd, "index.part", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	rc = path_write(fd, image);
	close(fd);
	name_of(number, "idx1", name);
	if (rc == 0)
		rc = renameat(c->dirfd, "index.part", c->dirfd, name);
	if (rc != 0)
		unlinkat(c->dirfd, "index.part", 0);
	return rc;
}

/* The index of a segment from its places, beside it or, where that cannot be, in memory. */
static void
index_new(struct cache *c, struct segment *s, const struct places *places, bool locked)
{
	int fd = -1;

	index_free(&s->index);
	index_make(places, s->size, &c->image);
	if (locked && index_write(c, s->number, buf_slice(&c->image)) == 0)
		fd = folder_file(c, s->number, "idx1", O_RDONLY);
	if (fd < 0 || index_read(&s->index, fd, s->size) != 0)
		index_hold(&s->index, buf_slice(&c->image), s->size);
	if (fd >= 0)
		close(fd);
	buf_free(&c->image);
}

/* Makes a sealed segment's index anew from its entries. */
static void
segment_mend(struct cache *c, struct segment *s, bool locked)
{
	struct places places = {0};
	int fd = folder_file(c, s->number, "seg1", O_RDONLY);
	bool bad, mine = !locked && folder_lock(c) == 0;

	if (fd >= 0) {
		segment_scan(fd, 0, s->size, true, &places, &bad);
		segment_shut(c, s);
		index_new(c, s, &places, locked || mine);
		close(fd);
	} else {
		segment_drop(c, s);
	}
	if (mine)
		folder_unlock(c);
	s->mended = true;
	places_free(&places);
}

uint64_t
segment_bytes(uint64_t size)
{
	uint64_t most = SEGMENT_MOST + (uint64_t)CACHE_VALUE + sizeof(struct entry_head);

	return size < most ? size : most;
}

static struct segment *
segment_add(struct cache *c, uint32_t number, uint64_t size)
{
	struct segment *s;

	c->sealed = xgrow(c->sealed, c->n, &c->cap, sizeof(*c->sealed));
	s = &c->sealed[c->n++];
	*s = (struct segment){
	    .number = number, .size = segment_bytes(size), .fd = -1, .index_fd = -1};
	return s;
}

static void
segment_load(struct cache *c, uint32_t number, bool locked)
{
	int fd = folder_file(c, number, "seg1", O_RDONLY), index_fd;
	struct segment *s;

	if (fd < 0)
		return;
	s = segment_add(c, number, file_size(fd));
	close(fd);
	index_fd = folder_file(c, number, "idx1", O_RDONLY);
	if (index_fd < 0 || index_read(&s->index, index_fd, s->size) != 0)
		segment_mend(c, s, locked);
	if (index_fd >= 0)
		close(index_fd);
}

/* ---- the folder ---- */

static int
compare_found(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

/* The number in a name of ours, 0 in any other. */
static uint32_t
number_of(const char *name, const char *suffix)
{
	uint32_t number = 0;

	for (int i = 0; i < 8; i++) {
		const char *digits = "0123456789abcdef", *digit = strchr(digits, name[i]);

		if (name[i] == '\0' || digit == NULL)
			return 0;
		number = number << 4 | (uint32_t)(digit - digits);
	}
	return name[8] == '.' && strcmp(name + 9, suffix) == 0 && number < SEGMENT_LAST ? number
											: 0;
}

/*
 * The folder's segments, ascending; the caller's to free. With tidy, indexes
 * whose segment is gone are removed.
 */
static struct found *
list(const struct cache *c, bool tidy, size_t *n)
{
	int fd = openat(c->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct found *v = NULL;
	struct dirent *entry;
	struct stat st;
	size_t cap = 0;

	*n = 0;
	if (folder == NULL) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	while (*n < SEGMENTS && (entry = readdir(folder)) != NULL) {
		uint32_t number = number_of(entry->d_name, "seg1");
		uint32_t beside = number_of(entry->d_name, "idx1");

		if (number && fstatat(c->dirfd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode)) {
			v = xgrow(v, *n, &cap, sizeof(*v));
			v[(*n)++] = (struct found){number, (uint64_t)st.st_size};
		} else if (tidy && beside) {
			if (!folder_has(c, beside))
				unlinkat(c->dirfd, entry->d_name, 0);
		}
	}
	closedir(folder);
	if (v)
		qsort(v, *n, sizeof(*v), compare_found);
	return v;
}

void
folder_evict(struct cache *c)
{
	size_t n;
	struct found *v = list(c, true, &n);
	uint64_t total = 0;
	size_t kept = 0;
	char name[NAME];

	for (size_t i = 0; i < n; i++)
		total += v[i].size + v[i].size / 64; /* its index is about that */
	for (size_t i = 0; i < n && v[i].number != c->number && total + c->target > c->max; i++) {
		name_of(v[i].number, "seg1", name);
		if (unlinkat(c->dirfd, name, 0) != 0 && errno != ENOENT)
			break; /* others find their way by the numbers: no gaps */
		name_of(v[i].number, "idx1", name);
		unlinkat(c->dirfd, name, 0);
		total -= v[i].size + v[i].size / 64;
		for (size_t k = 0; k < c->n; k++)
			if (c->sealed[k].number == v[i].number)
				segment_drop(c, &c->sealed[k]);
	}
	free(v);
	for (size_t k = 0; k < c->n; k++)
		if (!c->sealed[k].gone)
			c->sealed[kept++] = c->sealed[k];
	c->n = kept;
	c->evicted = true;
}

void
folder_forget(struct cache *c)
{
	for (size_t i = 0; i < c->n; i++)
		segment_drop(c, &c->sealed[i]);
	c->n = 0;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->number = 0;
	c->end = 0;
	places_reset(&c->places);
}

bool
folder_newest(struct cache *c, uint32_t number, int flags)
{
	int fd = folder_file(c, number, "seg1", flags | O_RDWR | O_APPEND);

	if (fd < 0 && flags == 0 && (errno == EACCES || errno == EROFS || errno == EPERM))
		fd = folder_file(c, number, "seg1", O_RDONLY);
	if (fd < 0)
		return false;
	c->fd = fd;
	c->number = number;
	c->end = 0;
	places_reset(&c->places);
	return true;
}

void
folder_load(struct cache *c, bool locked)
{
	size_t n;
	struct found *v;

	folder_forget(c);
	v = list(c, false, &n);
	while (n > 0 && !folder_newest(c, v[n - 1].number, 0))
		n--;
	for (size_t i = 0; i + 1 < n; i++)
		segment_load(c, v[i].number, locked);
	free(v);
}

void
folder_seal(struct cache *c, bool ours)
{
	struct segment *s = segment_add(c, c->number, file_size(c->fd));
	int fd = ours ? -1 : folder_file(c, c->number, "idx1", O_RDONLY);

	if (fd < 0 || index_read(&s->index, fd, s->size) != 0)
		index_new(c, s, &c->places, ours);
	if (fd >= 0)
		close(fd);
	close(c->fd);
	c->fd = -1;
}

bool
folder_get(struct cache *c, struct segment *s, const uint8_t key[CACHE_KEY], struct buf *out)
{
	uint64_t fragment = key_fragment(key);
	struct place place;
	int rc;

	if (s->gone || !index_may(&s->index, fragment))
		return false;
	for (;;) {
		if (!segment_open(c, s)) {
			segment_drop(c, s);
			return false;
		}
		rc = index_find(&s->index, s->index_fd, fragment, &place);
		if (rc >= 0 || s->mended)
			break;
		segment_mend(c, s, false);
	}
	return rc == 1 && entry_read(s->fd, place, key, out);
}
