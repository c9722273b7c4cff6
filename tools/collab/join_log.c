/*
 * The file of --log is its own state: what is in it was received, whatever has become of
 * the inbox; so each message is in it once. Of what has no number join_mark.c knows how far it is.
 * It is locked while we write. A write that a crash cut short, or a full disk, is cut off again.
 */
#include "tools/collab/join_part.h"

#include "common/mem.h"
#include "common/path.h"
#include "common/time.h"
#include "tools/collab/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BLOCK = 1 << 20,
	LINE_MOST = 64 << 20, /* longer ones are none of ours */
	GROUP = 1 << 20,      /* bytes that are written together */
	FULL_MS = 1000,	      /* a full disk is tried again */
};

/* Up to that number it has all of from. */
static void
see(struct join_log *l, struct slice from, uint64_t seq)
{
	uint64_t *at = table_get(&l->seen, from);

	if (at == NULL) {
		l->known = xgrow(l->known, l->known_n, &l->cap, sizeof(*l->known));
		l->known[l->known_n].from = (struct slice){xstrndup(from.ptr, from.len), from.len};
		l->known[l->known_n].seq = 0;
		at = table_put(&l->seen, l->known[l->known_n].from, NULL);
		*at = l->known_n++;
	}
	if (seq > l->known[*at].seq)
		l->known[*at].seq = seq;
}

static bool
has(const struct join_log *l, struct slice from, uint64_t seq)
{
	uint64_t *at = table_get(&l->seen, from);

	return at && l->known[*at].seq >= seq;
}

static void
read_line(struct join *j, struct slice line, struct buf *text)
{
	struct slice kind, value;
	long long seq;
	bool gap;

	line = slice_trim(line);
	if (line.len == 0 || json_check(line, NULL) != 0 || json_type(line) != JSON_OBJECT ||
	    !json_get(line, "kind", &kind))
		return;
	gap = json_is(kind, "gap");
	if ((!gap && !json_is(kind, "message")) || !json_get(line, "topic", &value) ||
	    !json_is(value, j->topic))
		return;
	if (json_get(line, gap ? "last" : "seq", &value) && json_long(value, &seq) && seq > 0 &&
	    json_get_text(line, "from", text) && text->len)
		see(&j->log, buf_slice(text), (uint64_t)seq);
	else
		j->log.foreign += !gap;
}

/* Reads it in blocks, from a line on; size is then where its last whole line ends. */
static void
read_from(struct join *j, int64_t at)
{
	struct join_log *l = &j->log;
	struct buf bytes = {0}, text = {0};
	bool skipping = false;
	ssize_t n;

	l->size = at;
	l->foreign = 0;
	if (lseek(l->fd, (off_t)at, SEEK_SET) < 0)
		die(STATUS_FAILED, "cannot read '%s':", l->name);
	while ((n = read(l->fd, buf_room(&bytes, BLOCK), BLOCK)) != 0) {
		size_t start = 0;
		char *end;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die(STATUS_FAILED, "cannot read '%s':", l->name);
		bytes.len += (size_t)n;
		while ((end = memchr(bytes.ptr + start, '\n', bytes.len - start)) != NULL) {
			size_t len = (size_t)(end - bytes.ptr) - start;

			if (!skipping)
				read_line(j, (struct slice){bytes.ptr + start, len}, &text);
			skipping = false;
			start += len + 1;
			l->size = at + (int64_t)start;
		}
		at += (int64_t)start;
		buf_splice(&bytes, 0, start, S(""));
		if (bytes.len > LINE_MOST) {
			at += (int64_t)bytes.len;
			buf_reset(&bytes);
			skipping = true;
		}
	}
	at += (int64_t)bytes.len;
	if (at > l->size) {
		/* A record that was cut short, or the zeros that a crash leaves; nobody else's text. */
		if (!skipping && bytes.ptr[0] != '{' && bytes.ptr[0] != '\0')
			die(STATUS_USAGE,
			    "%s: '%s' is no log of ours: its last line has no end: take another name",
			    opt_origin("log"), l->name);
		note("%s: %lld bytes at its end are no whole record: cut off", l->name,
		    (long long)(at - l->size));
		if (ftruncate(l->fd, l->size) != 0)
			die(STATUS_FAILED, "cannot cut '%s':", l->name);
	}
	buf_free(&bytes);
	buf_free(&text);
}

/* Its name is on the disk, too: what is in it would be in no file after a power failure. */
static void
sync_name(const char *name)
{
	char *path = realpath(name, NULL), *slash = path ? strrchr(path, '/') : NULL;
	int fd = -1;

	if (slash) {
		slash[slash == path] = '\0';
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		warn("cannot open the folder of '%s', so a power failure may take the file away:", name);
	else if (store_sync(fd) != 0)
		die(STATUS_FAILED, "cannot bring the folder of '%s' to the disk:", name);
	if (fd >= 0)
		close(fd);
	free(path);
}

void
join_log_open(struct join *j)
{
	struct join_log *l = &j->log;
	struct stat st;

	l->name = j->settings->log;
	if (l->name == NULL)
		return;
	l->fd = open(l->name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0666);
	if (l->fd < 0)
		die(STATUS_FAILED, "cannot open '%s':", l->name);
	if (fstat(l->fd, &st) != 0 || !S_ISREG(st.st_mode))
		die(STATUS_USAGE, "%s: '%s' is no file: its content has to stay", opt_origin("log"),
		    l->name);
	if (flock(l->fd, LOCK_EX | LOCK_NB) != 0)
		die(STATUS_USAGE, "'%s' is being written by another process: take another name",
		    l->name);
	/* Just made, or before a crash. */
	if (st.st_size == 0)
		sync_name(l->name);
	read_from(j, 0);
	l->lent_n = l->known_n;
	l->lent = xcalloc(l->lent_n + 1, sizeof(*l->lent));
	for (size_t i = 0; i < l->lent_n; i++)
		l->lent[i] = l->known[i];
}

/* What was there before us: in a log that has something it may be missing. */
static void
begin(struct join *j)
{
	struct join_log *l = &j->log;
	uint64_t first, last, taken;
	int64_t bytes;

	party_places(j->party, &first, &last, &taken);
	l->begun = true;
	if (join_mark_open(j, last, &l->others, &bytes)) {
		read_from(j, bytes);
		l->skip = l->foreign;
	} else {
		l->others = taken;
		join_mark_begin(l, taken);
	}
	l->last = first && (l->known_n || l->others + 1 < first) ? first - 1 : l->others;
}

/* Whether it has that entry, the next. */
static bool
is_there(struct join_log *l, const struct party_entry *entry)
{
	if (entry->seq && !entry->late)
		return has(l, entry->from, entry->what == PARTY_GAP ? entry->last : entry->seq);
	if (l->last <= l->others)
		return true;
	if (l->skip == 0)
		return false;
	l->skip -= entry->seq == 0;
	return true;
}

/*
 * The messages of the inbox that it does not have, up to place or a group of them. False: the next
 * cannot be read now.
 */
static bool
gather(struct join *j, uint64_t place)
{
	struct join_log *l = &j->log;
	struct party_entry entry;

	if (!l->begun)
		begin(j);
	while (l->last < place && l->lines.len < GROUP) {
		if (!party_read(j->party, l->last + 1, &entry)) {
			if (party_unread(j->party, l->last + 1))
				return false;
			l->last++;
			continue;
		}
		l->last++;
		if (!j->settings->self && slice_eq(entry.from, party_self(j->party)))
			continue;
		if (is_there(l, &entry))
			continue;
		join_entry(j, &entry, false, &l->record);
		buf_addslice(&l->lines, buf_slice(&l->record));
		buf_addc(&l->lines, '\n');
		if (entry.seq && !entry.late)
			see(l, entry.from, entry.what == PARTY_GAP ? entry.last : entry.seq);
	}
	return true;
}

/* Nothing of it, when not all of it can be. */
static bool
write_lines(struct join_log *l)
{
	if (l->lines.len == 0)
		return true;
	if (path_write(l->fd, buf_slice(&l->lines)) != 0) {
		int error = errno;

		if (ftruncate(l->fd, l->size) != 0)
			die(STATUS_FAILED, "cannot cut '%s' after a write that failed:", l->name);
		errno = error;
		if (error != ENOSPC && error != EDQUOT && error != EFBIG)
			die(STATUS_FAILED, "cannot write '%s':", l->name);
		if (!l->full)
			warn("the disk is full, '%s': nothing that comes is acknowledged until there is"
			     " room", l->name);
		l->full = true;
		return false;
	}
	/* After a failed sync what was written may be gone, though it can be read. */
	if (fdatasync(l->fd) != 0)
		die(STATUS_FAILED, "cannot bring '%s' to the disk:", l->name);
	if (l->full)
		note("there is room on the disk again");
	l->full = false;
	l->size += (int64_t)l->lines.len;
	buf_reset(&l->lines);
	return true;
}

bool
join_log_store(struct join *j, uint64_t place)
{
	struct join_log *l = &j->log;
	bool more = true;

	if (l->name == NULL)
		return true;
	if (l->full && time_ms() < l->again)
		return false;
	while (more && l->place < place) {
		more = gather(j, place);
		if (!write_lines(l)) {
			l->again = time_ms() + FULL_MS;
			return false;
		}
		l->place = l->last;
		if (l->place > l->others && l->skip == 0)
			join_mark_set(l, l->others = l->place);
	}
	return more;
}

void
join_log_close(struct join *j)
{
	struct join_log *l = &j->log;

	if (l->name == NULL)
		return;
	if (close(l->fd) != 0)
		warn("cannot write '%s':", l->name);
	for (size_t i = 0; i < l->known_n; i++)
		free((void *)(uintptr_t)l->known[i].from.ptr);
	free(l->known);
	free(l->lent);
	marks_close(&l->marks);
	table_free(&l->seen);
	buf_free(&l->lines);
	buf_free(&l->record);
}
