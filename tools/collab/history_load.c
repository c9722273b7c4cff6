/*
 * Reading the folder at the start. A write that was cut off at the end of a file is
 * cut; any other damage, and what the disk does not give, keeps what is before it, and
 * sets the whole file aside.
 */
#include "common/mem.h"
#include "common/time.h"
#include "tools/collab/history_part.h"
#include "tools/collab/lock.h"
#include "tools/collab/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum found { FOUND_ENTRY, FOUND_END, FOUND_TORN, FOUND_DAMAGE };

/* A file from a place on: nothing but zeros. */
static bool
zero_from(struct window *w, uint64_t at, uint64_t size)
{
	while (at < size) {
		size_t have;
		const char *bytes = window_look(w, at, 1, size, &have);

		if (bytes == NULL)
			return false;
		for (size_t i = 0; i < have; i++)
			if (bytes[i])
				return false;
		at += have;
	}
	return true;
}

/* What lies at a place of a file of that size; *body is lent. */
static enum found
next(struct window *w, uint64_t at, uint64_t size, struct slice *body)
{
	char head[ENTRY_HEAD];
	const char *bytes;
	int64_t length;
	size_t have;

	if (at == size)
		return FOUND_END;
	if (size - at < ENTRY_HEAD)
		return FOUND_TORN;
	bytes = window_look(w, at, ENTRY_HEAD, size, &have);
	if (bytes == NULL)
		return FOUND_DAMAGE;
	memcpy(head, bytes, sizeof(head));
	length = history_disk_length(head);
	if (length < 0)
		/* A file that got its length and not its bytes before the power went. */
		return zero_from(w, at, size) ? FOUND_TORN : FOUND_DAMAGE;
	if ((uint64_t)length > size - at - ENTRY_HEAD)
		return FOUND_TORN;
	bytes = window_look(w, at, ENTRY_HEAD + (size_t)length, size, &have);
	if (bytes == NULL)
		return FOUND_DAMAGE;
	*body = (struct slice){bytes + ENTRY_HEAD, (size_t)length};
	if (history_disk_check(head, *body))
		return FOUND_ENTRY;
	return at + ENTRY_HEAD + (uint64_t)length == size ? FOUND_TORN : FOUND_DAMAGE;
}

static bool
take(struct history *h, struct slice body, uint64_t where)
{
	struct histories *all = h->all;
	struct entry entry = {.where = where, .len = (uint32_t)body.len};
	struct history_message m;
	bool again;

	if (!history_body_read(body, &m) || m.number == 0 || m.number > UINT64_MAX / 2)
		return false;
	if (h->n == 0)
		h->first = m.number;
	else if (m.number != h->first + h->n || m.at < entry_of(h, m.number - 1)->at)
		return false;
	entry.at = m.at;
	if (m.json && !m.whole && history_stamp(m.payload, &all->from, &entry.seq, &again))
		all->bytes += history_index_add(&h->index, buf_slice(&all->from), entry.seq,
		    m.number, &entry.sender);
	history_push(h, &entry);
	/* Never down to nothing here: the file would go, and more may come. */
	while (h->n > 1 && all->settings.messages && h->n > all->settings.messages)
		history_drop(h);
	while (all->settings.max_bytes && all->bytes > all->settings.max_bytes &&
	    (all->oldest != h || h->n > 1))
		history_drop(all->oldest);
	return true;
}

/* The good part of a file, in a new one, which takes its name once it is whole. */
static int
copy_good(const struct history *h, int fd, uint64_t good)
{
	const struct histories *all = h->all;
	struct buf name = {0}, aside = {0};
	int to, rc = -1;

	history_new_name(h, &name);
	to = openat(all->folder, name.ptr, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (to >= 0 && history_disk_copy(fd, 0, to, 0, good) == 0 && fdatasync(to) == 0 &&
	    store_aside(all->folder, h->file, true, &aside) == 0)
		rc = renameat(all->folder, name.ptr, all->folder, h->file);
	if (rc == 0)
		warn("'%s/%s' is damaged at byte %llu: what is before it is kept, and the file as "
		     "it was set aside as '%s'", all->settings.folder, h->file,
		    (unsigned long long)good + 1, aside.ptr);
	if (to >= 0)
		close(to);
	buf_free(&name);
	buf_free(&aside);
	return rc;
}

static void
entries(struct history *h, struct window *w, uint64_t at, uint64_t size)
{
	enum found found;
	struct slice body;
	int rc = 0;

	while ((found = next(w, at, size, &body)) == FOUND_ENTRY) {
		if (!take(h, body, at)) {
			found = FOUND_DAMAGE;
			break;
		}
		at += ENTRY_HEAD + body.len;
	}
	h->end = at;
	if (found == FOUND_TORN) {
		rc = ftruncate(w->fd, (off_t)at);
		if (rc == 0)
			warn("'%s/%s' ends in a write that was cut off: %llu bytes were cut",
			    h->all->settings.folder, h->file, (unsigned long long)(size - at));
	} else if (found == FOUND_DAMAGE)
		rc = copy_good(h, w->fd, at);
	h->all->made |= found != FOUND_END;
	if (rc != 0) {
		warn("cannot mend '%s/%s':", h->all->settings.folder, h->file);
		h->torn = true; /* what lies behind is cut before anything is written there */
	}
}

/* A header that was being written when all ended: nothing was behind it. */
static bool
unfinished(struct window *w, struct slice begin, uint64_t size)
{
	size_t n = 0;

	while (n < begin.len && begin.ptr[n] >= ' ' && begin.ptr[n] <= '~')
		n++;
	return (n == 0 || begin.ptr[0] == '{') && zero_from(w, n, size);
}

/* One that is not what its name says is set aside whole. */
static void
set_aside(const struct histories *all, const char *file)
{
	struct buf aside = {0};

	if (store_aside(all->folder, file, false, &aside) == 0)
		warn("'%s/%s' is no history of the topic that its name says: it is set aside as "
		     "'%s'", all->settings.folder, file, aside.ptr);
	else
		warn("'%s/%s' is no history of the topic that its name says, and cannot be set "
		     "aside:", all->settings.folder, file);
	buf_free(&aside);
}

static void
load(struct histories *all, const char *file, struct window *w, uint64_t size, struct buf *key)
{
	size_t want = size < HEADER_MOST ? (size_t)size : HEADER_MOST, have;
	const char *text = size ? window_look(w, 0, want, size, &have) : "";
	struct slice begin = {text ? text : "", text ? want : 0};
	const char *end = memchr(begin.ptr, '\n', begin.len);
	struct buf name = {0};
	uint64_t epoch;
	struct history *h;

	buf_reset(key);
	if (text && end == NULL && unfinished(w, begin, size)) {
		unlinkat(all->folder, file, 0);
		return;
	}
	begin.len = end ? (size_t)(end - begin.ptr) : 0;
	if (end && history_disk_read_header(begin, key, &epoch))
		history_disk_name(buf_slice(key), &name);
	if (name.ptr == NULL || strcmp(name.ptr, file) != 0 ||
	    table_get(&all->table, buf_slice(key)) != NULL) {
		set_aside(all, file);
	} else {
		h = history_make(all, buf_slice(key));
		h->epoch = epoch;
		entries(h, w, begin.len + 1, size);
		/* What is too old, or nothing at all, takes the file with it. */
		history_trim(h, time_now());
		if (h->n == 0)
			history_file_remove(h);
	}
	buf_free(&name);
}

static void
open_and_load(struct histories *all, const char *file, struct window *w, struct buf *key)
{
	struct stat st;

	window_turn(w, openat(all->folder, file, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), 0);
	if (w->fd < 0 || fstat(w->fd, &st) != 0 || !S_ISREG(st.st_mode))
		warn("'%s/%s' cannot be opened: its history is left alone", all->settings.folder,
		    file);
	else
		load(all, file, w, (uint64_t)st.st_size, key);
}

struct found_file {
	char *name;
	struct timespec changed;
};

/* The one that was silent longest first: then the list by last message is in order. */
static int
by_time(const void *a, const void *b)
{
	const struct found_file *x = a, *y = b;

	if (x->changed.tv_sec != y->changed.tv_sec)
		return x->changed.tv_sec < y->changed.tv_sec ? -1 : 1;
	if (x->changed.tv_nsec != y->changed.tv_nsec)
		return x->changed.tv_nsec < y->changed.tv_nsec ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void
load_all(struct histories *all, DIR *folder)
{
	struct found_file *files = NULL;
	size_t n = 0, cap = 0;
	struct window window = {.fd = -1};
	struct buf key = {0};
	struct dirent *entry;
	struct stat st;

	while ((entry = readdir(folder)) != NULL) {
		struct slice name = slice(entry->d_name);

		if (slice_ends(name, ".history.new"))
			unlinkat(all->folder, entry->d_name, 0); /* a compaction that was cut off */
		if (!slice_ends(name, ".history") ||
		    fstatat(all->folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		files = xgrow(files, n, &cap, sizeof(*files));
		files[n++] = (struct found_file){xstrdup(entry->d_name), st.st_mtim};
	}
	if (n)
		qsort(files, n, sizeof(*files), by_time);
	for (size_t i = 0; i < n; i++) {
		open_and_load(all, files[i].name, &window, &key);
		free(files[i].name);
	}
	window_turn(&window, -1, 0);
	buf_free(&window.bytes);
	free(files);
	buf_free(&key);
}

int
history_load(struct histories *all, struct err *e)
{
	const char *name = all->settings.folder;
	DIR *folder;

	if (store_folder(name) != 0)
		return err_set(e, "cannot_write", "cannot make the folder '%s': %s", name,
		    strerror(errno));
	if (lock_take(name, &all->lock, e) != 0)
		return -1;
	all->folder = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	folder = all->folder < 0 ? NULL : opendir(name);
	if (folder == NULL)
		return err_set(e, "cannot_read", "cannot read the folder '%s': %s", name,
		    strerror(errno));
	load_all(all, folder);
	closedir(folder);
	return 0;
}
