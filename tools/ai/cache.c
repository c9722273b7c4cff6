#include "tools/ai/cache_part.h"

#include "common/mem.h"
#include "common/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int
fail(const struct cache *c, struct err *e)
{
	return err_set(e, "cannot_write", "cannot write to the replies' cache '%s': %s", c->dir,
	    strerror(errno));
}

/* ---- following what others append ---- */

/*
 * Reads on in the newest segment; -1: it is no longer what it was. What is no
 * entry there may be one that is being written, so only under the lock is
 * anything behind it believed.
 */
static int
read_on(struct cache *c, bool locked, bool *more)
{
	struct stat st;
	uint64_t end;
	bool bad;

	if (fstat(c->fd, &st) != 0 || st.st_nlink == 0 || (uint64_t)st.st_size < c->end)
		return -1;
	if ((uint64_t)st.st_size == c->end)
		return 0;
	end = segment_scan(c->fd, c->end, segment_bytes((uint64_t)st.st_size), locked, &c->places,
	    &bad);
	*more |= end > c->end;
	c->end = end;
	if (bad && !locked && folder_lock(c) == 0) {
		int rc = read_on(c, true, more);

		folder_unlock(c);
		return rc;
	}
	return 0;
}

/* Takes in what was appended since; whether there was anything. */
static bool
follow(struct cache *c, bool locked)
{
	bool more = false;

	if (c->fd < 0)
		folder_load(c, locked);
	while (c->fd >= 0) {
		/* Asked before reading on: what is sealed then is read to its end. */
		bool sealed = folder_has(c, c->number + 1);

		if (read_on(c, locked, &more) != 0) {
			folder_load(c, locked);
			more = true;
			if (c->fd >= 0)
				read_on(c, locked, &more);
			break;
		}
		if (!sealed)
			break;
		more = true;
		folder_seal(c, false);
		if (!folder_newest(c, c->number + 1, 0))
			folder_load(c, locked);
	}
	c->news += more;
	return more;
}

/* ---- looking up ---- */

static bool
look(struct cache *c, const uint8_t key[CACHE_KEY], struct buf *out)
{
	const struct place *place = places_find(&c->places, key_fragment(key));

	if (place && c->fd >= 0 && entry_read(c->fd, *place, key, out))
		return true;
	for (size_t i = c->n; i-- > 0;)
		if (folder_get(c, &c->sealed[i], key, out))
			return true;
	return false;
}

bool
cache_get(struct cache *c, const uint8_t key[CACHE_KEY], struct buf *out)
{
	return look(c, key, out) || (follow(c, false) && look(c, key, out));
}

bool
cache_news(struct cache *c, uint64_t *seen)
{
	bool news;

	follow(c, false);
	news = c->news != *seen;
	*seen = c->news;
	return news;
}

/* ---- who asks for what ---- */

/*
 * A byte of the file for a key, locked as long as its reply is asked for: the lock goes with the
 * process (fcntl(2), open file description locks). Two keys with one byte wait for each other
 * in vain, once in 2^62.
 */
static bool
set_claim(const struct cache *c, const uint8_t key[CACHE_KEY], short type)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_len = 1,
	    .l_start = (off_t)(key_fragment(key) >> 2)};

	return fcntl(c->claims, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES);
}

bool
cache_claim(struct cache *c, const uint8_t key[CACHE_KEY])
{
	if (c->claims < 0)
		c->claims = openat(c->dirfd, "claims",
		    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	return c->claims < 0 || set_claim(c, key, F_WRLCK);
}

void
cache_unclaim(struct cache *c, const uint8_t key[CACHE_KEY])
{
	if (c->claims >= 0)
		set_claim(c, key, F_UNLCK);
}

/* ---- appending ---- */

/* Seals the newest segment, where there is one, and begins another: 0 or -1 with errno. */
static int
roll(struct cache *c)
{
	/*
	 * The index first: a segment that has both an index and a successor is never
	 * appended to again, and one that has only the index makes a new one when it is sealed.
	 */
	if (c->fd >= 0)
		folder_seal(c, true);
	if (c->number + 1 >= SEGMENT_LAST) {
		errno = EFBIG;
		return -1;
	}
	if (!folder_newest(c, c->number + 1, O_CREAT | O_EXCL))
		return -1;
	folder_evict(c);
	return 0;
}

/* One write; what it leaves half done is cut off again. */
static int
append(struct cache *c)
{
	ssize_t n;
	int error;

	do
		n = write(c->fd, c->entry.ptr, c->entry.len);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)c->entry.len)
		return 0;
	error = n < 0 ? errno : ENOSPC;
	if (n > 0 && ftruncate(c->fd, (off_t)c->end) != 0)
		error = errno; /* the next writer cuts it */
	errno = error;
	return -1;
}

static int
put(struct cache *c, const uint8_t key[CACHE_KEY], struct slice value)
{
	follow(c, true);
	if (c->fd < 0 || c->end >= c->target || c->places.used >= SEGMENT_ENTRIES) {
		if (roll(c) != 0)
			return -1;
	} else if (file_size(c->fd) != c->end && ftruncate(c->fd, (off_t)c->end) != 0) {
		return -1;
	}
	if (!c->evicted)
		folder_evict(c);
	entry_make(key, value, &c->entry);
	if (append(c) != 0)
		return -1;
	places_put(&c->places,
	    (struct place){key_fragment(key), (uint32_t)c->end, (uint32_t)value.len});
	c->end += c->entry.len;
	return 0;
}

int
cache_put(struct cache *c, const uint8_t key[CACHE_KEY], struct slice value, struct err *e)
{
	int rc;

	if (value.len > CACHE_VALUE)
		return err_set(e, "too_large", "a reply of %zu bytes is too large to be kept",
		    value.len);
	if (folder_lock(c) != 0)
		return fail(c, e);
	rc = put(c, key, value);
	folder_unlock(c);
	return rc == 0 ? 0 : fail(c, e);
}

int
cache_sync(struct cache *c, struct err *e)
{
	/* The segments that were written to since are several, and some are closed by now. */
	return syncfs(c->dirfd) == 0 ? 0 : fail(c, e);
}

/* ---- open and close ---- */

static char *
make_folder(const char *dir, struct err *e)
{
	char *name = dir ? xstrdup(dir) : path_cache("ai");
	mode_t mask;

	if (name == NULL) {
		err_set(e, "cannot_read", "there is no folder for the replies' cache: set HOME or "
		    "XDG_CACHE_HOME, or give one with --cache=DIR");
		return NULL;
	}
	mask = umask(077);
	path_mkdirs(name);
	umask(mask);
	return name;
}

int
cache_open(struct cache **out, const char *dir, size_t max_bytes, struct err *e)
{
	char *name = make_folder(dir, e);
	struct cache *c;
	int fd;

	*out = NULL;
	if (name == NULL)
		return -1;
	fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		err_set(e, "cannot_read", "cannot open the replies' cache '%s': %s", name,
		    strerror(errno));
		free(name);
		return -1;
	}
	c = xcalloc(1, sizeof(*c));
	c->dir = name;
	c->dirfd = fd;
	c->lock = c->claims = c->fd = -1;
	c->news = 1;
	c->max = max_bytes ? max_bytes : CACHE_BYTES;
	c->target = c->max / 64;
	if (c->target < SEGMENT_LEAST)
		c->target = SEGMENT_LEAST;
	if (c->target > SEGMENT_MOST)
		c->target = SEGMENT_MOST;
	folder_load(c, false);
	follow(c, false);
	*out = c;
	return 0;
}

void
cache_close(struct cache *c)
{
	if (c == NULL)
		return;
	folder_forget(c);
	free(c->sealed);
	places_free(&c->places);
	buf_free(&c->entry);
	buf_free(&c->image);
	if (c->lock >= 0)
		close(c->lock);
	if (c->claims >= 0)
		close(c->claims);
	close(c->dirfd);
	free(c->dir);
	free(c);
}
