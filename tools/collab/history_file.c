/*
 * A topic's file at work. Every message is written at once, by one call, and
 * synced about a second later, a few files at a time, so that nobody waits long for the
 * disk. Where more topics speak than files may be open, the file system is synced as a
 * whole: thousands of fdatasync take longer than the second that there is.
 */
#include "common/time.h"
#include "tools/collab/history_part.h"
#include "tools/collab/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SYNC_MS = 1000, SYNC_FILES = 4, SAY_MS = 60000 };

/* Said once, until the disk works again; where some files work and some do not, once a minute. */
static int
failed(struct histories *all, struct err *e, const char *what, const char *file)
{
	int error = errno;
	int64_t now = time_ms();

	all->failures++;
	if (!all->failing && (all->said == 0 || now - all->said > SAY_MS)) {
		all->said = now;
		all->telling = true;
		warn("cannot %s '%s/%s': %s: the session goes on, and its history lacks what is "
		     "said now",
		    what, all->settings.folder, file, strerror(error));
	}
	all->failing = true;
	return err_set(e, "cannot_write", "cannot %s '%s/%s': %s", what, all->settings.folder, file,
	    strerror(error));
}

static void
sync_file(struct history *h)
{
	if (h->dirty == 0)
		return;
	h->dirty = 0;
	if (fdatasync(h->fd) != 0)
		failed(h->all, NULL, "sync", h->file);
}

static void
close_file(struct history *h, bool sync)
{
	if (h->fd < 0)
		return;
	if (sync)
		sync_file(h);
	h->dirty = 0;
	close(h->fd);
	h->fd = -1;
	for (size_t i = 0; i < HISTORY_OPEN; i++)
		if (h->all->open[i] == h)
			h->all->open[i] = NULL;
}

/*
 * The place in open that is to be used next; whoever has it is closed, and the disk not waited for:
 * with so many topics everything is brought there at once, later.
 */
static size_t
slot(struct histories *all)
{
	size_t i = all->hand++ % HISTORY_OPEN;
	struct history *h = all->open[i];

	if (h) {
		if (h->dirty && (all->unsynced == 0 || h->dirty < all->unsynced))
			all->unsynced = h->dirty;
		close_file(h, false);
	}
	return i;
}

static int
create(struct history *h)
{
	struct histories *all = h->all;
	struct buf header = {0};
	int rc;

	/* Something that load could not open is not overwritten. */
	h->fd = openat(all->folder, h->file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (h->fd < 0)
		return -1;
	history_disk_header(h, &header);
	rc = store_write(h->fd, 0, buf_slice(&header), S(""));
	h->before = 0;
	h->end = rc == 0 ? header.len : 0;
	all->made = true;
	buf_free(&header);
	return rc;
}

int
history_file_open(struct history *h, struct err *e)
{
	struct histories *all = h->all;
	size_t i;

	if (h->fd >= 0)
		return 0;
	i = slot(all);
	if (h->end)
		h->fd = openat(all->folder, h->file, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (h->end ? h->fd < 0 : create(h) != 0) {
		int error = errno;

		if (h->fd >= 0) {
			/* A file without a whole header is no file. */
			unlinkat(all->folder, h->file, 0);
			close(h->fd);
			h->fd = -1;
		}
		errno = error;
		return failed(all, e, h->end ? "open" : "make", h->file);
	}
	all->open[i] = h;
	return 0;
}

int
history_file_append(struct history *h, uint64_t *where, int64_t now, struct err *e)
{
	struct histories *all = h->all;
	struct slice body = buf_slice(&all->body);
	char head[ENTRY_HEAD];
	uint64_t at;

	if (history_file_open(h, e) != 0)
		return -1;
	at = h->end - h->before;
	history_disk_head(head, body);
	if ((h->torn && ftruncate(h->fd, (off_t)at) != 0) ||
	    store_write(h->fd, at, (struct slice){head, sizeof(head)}, body) != 0) {
		int error = errno;

		/* Half an entry would hide what comes behind it. */
		h->torn = ftruncate(h->fd, (off_t)at) != 0;
		errno = error;
		return failed(all, e, "write", h->file);
	}
	h->torn = false;
	*where = h->end;
	h->end += sizeof(head) + body.len;
	if (h->dirty == 0)
		h->dirty = now ? now : 1;
	if (all->telling)
		note("'%s' can be written again", all->settings.folder);
	all->failing = all->telling = false;
	history_compact(h, now);
	return 0;
}

bool
history_file_read(struct history *h, const struct entry *entry, struct buf *out)
{
	char head[ENTRY_HEAD];
	off_t at = (off_t)(entry->where - h->before);
	size_t from = out->len;

	if (history_file_open(h, NULL) != 0)
		return false;
	buf_room(out, entry->len);
	if (pread(h->fd, head, sizeof(head), at) != (ssize_t)sizeof(head) ||
	    pread(h->fd, out->ptr + from, entry->len, at + ENTRY_HEAD) != (ssize_t)entry->len)
		return false;
	out->len += entry->len;
	out->ptr[out->len] = '\0';
	return history_disk_length(head) == entry->len &&
	    history_disk_check(head, (struct slice){out->ptr + from, entry->len});
}

void
history_file_remove(struct history *h)
{
	if (h->all->compact == h)
		history_compact_stop(h->all);
	close_file(h, false);
	if (h->end && unlinkat(h->all->folder, h->file, 0) != 0 && errno != ENOENT)
		failed(h->all, NULL, "remove", h->file);
	h->before = h->end = 0;
	h->torn = false;
}

/* What was closed before it was synced; on its file system that is all there is. */
static void
sync_all(struct histories *all)
{
	all->unsynced = 0;
	all->made = false;
	if (syncfs(all->folder) != 0)
		failed(all, NULL, "sync", ".");
}

void
history_file_settle(struct histories *all)
{
	if (all->folder < 0)
		return;
	for (size_t i = 0; i < HISTORY_OPEN; i++)
		if (all->open[i])
			close_file(all->open[i], all->unsynced == 0);
	if (all->unsynced)
		sync_all(all);
	else if (all->made && store_sync(all->folder) != 0)
		failed(all, NULL, "sync", ".");
}

int64_t
history_file_turn(struct histories *all, int64_t now)
{
	bool more = history_compact_turn(all, now);
	int64_t due = -1;
	int synced = 0;

	if (all->unsynced) {
		due = all->unsynced + SYNC_MS - now;
		if (due <= 0) {
			for (size_t i = 0; i < HISTORY_OPEN; i++)
				if (all->open[i])
					all->open[i]->dirty = 0;
			sync_all(all);
			due = -1;
		}
	}
	for (size_t i = 0; i < HISTORY_OPEN; i++) {
		struct history *h = all->open[i];
		int64_t left;

		if (h == NULL || h->dirty == 0)
			continue;
		left = h->dirty + SYNC_MS - now;
		if (left <= 0 && synced < SYNC_FILES) {
			sync_file(h);
			synced++;
			continue;
		}
		left = left > 0 ? left : 0;
		due = time_least(due, left);
	}
	if (all->made && (synced || due < 0)) {
		all->made = false;
		if (store_sync(all->folder) != 0)
			failed(all, NULL, "sync", ".");
	}
	return more ? 0 : due;
}
