/*
 * Messages are dropped at the beginning of a file, which only grows. When what
 * was dropped is more than what is left, what is left is copied to a
 * new file, a piece in each turn, which then takes the old one's name.
 */
#include "tools/collab/history_part.h"
#include "tools/collab/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { WORTH = 64 * 1024, PIECE = 1024 * 1024, AGAIN_MS = 60000 };

void
history_new_name(const struct history *h, struct buf *out)
{
	buf_adds(out, h->file);
	buf_adds(out, ".new");
}

static int
give_up(struct histories *all, int64_t now)
{
	const struct history *h = all->compact;

	note("cannot write '%s/%s' anew: %s: it stays larger than it need be", all->settings.folder,
	    h->file, strerror(errno));
	all->compact_not_before = now + AGAIN_MS;
	history_compact_stop(all);
	return -1;
}

void
history_compact_stop(struct histories *all)
{
	struct buf name = {0};

	if (all->compact == NULL)
		return;
	history_new_name(all->compact, &name);
	if (all->compact_fd >= 0)
		close(all->compact_fd);
	unlinkat(all->folder, name.ptr, 0);
	all->compact_fd = -1;
	all->compact = NULL;
	buf_free(&name);
}

void
history_compact(struct history *h, int64_t now)
{
	struct histories *all = h->all;
	uint64_t first = h->n ? entry_of(h, h->first)->where : h->end;
	struct buf name = {0}, header = {0};

	/* first counts the header too: it is small beside WORTH. */
	if (all->compact || first - h->before < h->end - first + WORTH ||
	    now < all->compact_not_before)
		return;
	history_new_name(h, &name);
	history_disk_header(h, &header);
	all->compact = h;
	all->compact_start = all->compact_at = first;
	all->compact_fd = openat(all->folder, name.ptr,
	    O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (all->compact_fd < 0 ||
	    store_write(all->compact_fd, 0, buf_slice(&header), S("")) != 0)
		give_up(all, now);
	buf_free(&name);
	buf_free(&header);
}

/* The new file has all of it: it becomes the file. */
static int
take_over(struct history *h, size_t header)
{
	struct histories *all = h->all;
	struct buf name = {0};
	int rc;

	history_new_name(h, &name);
	rc = fdatasync(all->compact_fd) != 0 ||
	    renameat(all->folder, name.ptr, all->folder, h->file) != 0;
	buf_free(&name);
	if (rc)
		return -1;
	close(h->fd);
	h->fd = all->compact_fd;
	h->before = all->compact_start - header;
	h->dirty = 0;
	all->compact_fd = -1;
	all->compact = NULL;
	all->made = true;
	return 0;
}

bool
history_compact_turn(struct histories *all, int64_t now)
{
	struct history *h = all->compact;
	struct buf header = {0};
	uint64_t piece, to;
	int rc;

	if (h == NULL)
		return false;
	history_disk_header(h, &header);
	piece = h->end - all->compact_at < PIECE ? h->end - all->compact_at : PIECE;
	to = header.len + all->compact_at - all->compact_start;
	rc = history_file_open(h, NULL) != 0 ||
	    history_disk_copy(h->fd, all->compact_at - h->before, all->compact_fd, to, piece) != 0;
	if (rc == 0) {
		/* On its way to the disk while we go on: the last wait is short. */
		sync_file_range(all->compact_fd, (off_t)to, (off_t)piece, SYNC_FILE_RANGE_WRITE);
		all->compact_at += piece;
		if (all->compact_at == h->end)
			rc = take_over(h, header.len);
	}
	buf_free(&header);
	if (rc)
		give_up(all, now);
	return all->compact != NULL;
}
