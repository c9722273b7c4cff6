#include "tools/collab/journal_part.h"

#include "common/mem.h"
#include "common/path.h"
#include "tools/collab/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	MAX_DEFAULT = 64 << 20,
	MAX_LEAST = 64 << 10,
	SHARE = 16,	       /* of max_bytes is a segment */
	SEGMENT_LEAST = 4096,
	SEGMENT_MOST = 16 << 20, /* what is dropped at once, written anew when damaged */
	INDEX_MOST = 1 << 30,  /* then a segment is full, however few its bytes */
	KEEP = 1 << 20,	       /* bytes of pending that are kept when it is empty */
};

/* ---- segments one after the other ---- */

static int
final(struct journal *j, struct err *e)
{
	j->broken = true;
	return err_set(e, "fsync_failed",
	    "the disk did not take what was written to '%s': %s: it may be lost, start anew",
	    j->folder, strerror(errno));
}

static int
sync_data(struct journal *j, struct err *e)
{
	int rc;

	if (!j->dirty)
		return 0;
	while ((rc = fdatasync(j->fd)) != 0 && errno == EINTR)
		;
	if (rc != 0)
		return final(j, e);
	j->dirty = false;
	j->synced = j->written;
	marks_set(&j->marks, SYNCED_PLACE, j->synced);
	journal_remember(j, journal_newest(j)->bytes);
	return 0;
}

/*
 * Begins another segment, once the one before is on the disk: what it begins
 * with is all that is known of messages dropped with older ones.
 */
static int
roll(struct journal *j, struct err *e)
{
	struct segment s;
	struct buf out = {0};
	int fd, rc = 0;

	if (sync_data(j, e) != 0)
		return -1;
	segment_begin(&s, j->next, &out);
	senders_put(j, &s, &out);
	s.bytes = s.names = out.len;
	s.named = (unsigned)j->nsenders;
	if (j->n && journal_newest(j)->first == s.first)
		journal_remember(j, 0); /* or it would seem cut */
	fd = folder_part(j);
	if (fd < 0 || folder_write(j, fd, &out) != 0 || (fd = folder_finish(j, fd, s.first)) < 0)
		rc = journal_cannot(j, "write to", e);
	buf_free(&out);
	if (rc != 0)
		return rc;
	if (j->fd >= 0)
		close(j->fd);
	j->fd = fd;
	j->total += s.bytes;
	if (j->n && journal_newest(j)->first == s.first) {
		/* It had names alone, and its file's name is that of the new one. */
		j->total -= journal_newest(j)->bytes;
		free(journal_newest(j)->spots);
		j->n--;
		window_turn(&j->window, -1, 0);
	}
	j->segments = xgrow(j->segments, j->n, &j->cap, sizeof(*j->segments));
	j->segments[j->n++] = s;
	journal_remember(j, s.bytes);
	return 0;
}

static bool
is_full(const struct journal *j)
{
	const struct segment *s = journal_newest(j);

	return s->bytes - s->names >= j->target || s->end - s->first >= INDEX_MOST ||
	    s->named >= NAMES_MOST;
}

/* ---- opening ---- */

/*
 * Brings to the disk what a killed process had only written. It is written once more:
 * where its fsync failed, pages of it pass for clean that are on no disk.
 */
static int
settle(struct journal *j, struct err *e)
{
	struct segment *s = journal_newest(j);
	uint64_t synced = marks_get(&j->marks, SYNCED_PLACE), at;
	char bytes[4096];

	j->synced = synced < j->written ? synced : j->written;
	if (j->synced == j->written && !j->dirty &&
	    marks_get(&j->marks, SYNCED_FIRST) == s->first &&
	    marks_get(&j->marks, SYNCED_BYTES) == s->bytes)
		return 0;
	/* From an entry that is there on: the next may have its sender's name before it. */
	at = segment_near(s, j->synced);
	if (at == 0)
		at = sizeof(struct segment_head);
	while (at < s->bytes) {
		uint64_t left = s->bytes - at;
		ssize_t n = pread(
		    j->fd, bytes, left < sizeof(bytes) ? (size_t)left : sizeof(bytes), (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO; /* it was longer just now */
		if (n <= 0 || store_write(j->fd, at, (struct slice){bytes, (size_t)n}, S("")) != 0)
			return journal_cannot(j, "write to", e);
		at += (uint64_t)n;
	}
	j->dirty = true;
	return sync_data(j, e);
}

static int
open_folder(struct journal *j, struct err *e)
{
	if (store_folder(j->folder) != 0)
		return journal_cannot(j, "make the folder", e);
	j->dirfd = open(j->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (j->dirfd < 0)
		return err_set(e, "cannot_read", "cannot open the folder '%s': %s", j->folder,
		    strerror(errno));
	return 0;
}

static int
set_up(struct journal *j, struct journal_report *report, struct err *e)
{
	char *synced;
	bool damaged;
	int rc;

	if (open_folder(j, e) != 0 || lock_take(j->folder, &j->lock, e) != 0)
		return -1;
	synced = path_join(j->folder, "synced");
	rc = marks_open(&j->marks, synced, &damaged, e);
	free(synced);
	if (rc != 0 || journal_load(j, report, e) != 0 || settle(j, e) != 0)
		return -1;
	/* Without room for it what is there can be read, and in time dropped. */
	return is_full(j) && roll(j, e) != 0 && j->broken ? -1 : 0;
}

int
journal_open(struct journal **out, const struct journal_settings *settings,
    struct journal_report *report, struct err *e)
{
	struct journal *j = xcalloc(1, sizeof(*j));
	uint64_t max = settings->max_bytes ? settings->max_bytes : MAX_DEFAULT, target;

	*out = NULL;
	*report = (struct journal_report){0};
	j->folder = xstrdup(settings->folder);
	j->dirfd = j->lock = j->fd = j->window.fd = -1;
	j->outbox = settings->outbox;
	j->max = max < MAX_LEAST ? MAX_LEAST : max < PLACE_MOST ? max : PLACE_MOST;
	target = j->max / SHARE < SEGMENT_MOST ? j->max / SHARE : SEGMENT_MOST;
	if (settings->segment_bytes && settings->segment_bytes < target)
		target = settings->segment_bytes;
	j->target = target < SEGMENT_LEAST ? SEGMENT_LEAST : target;
	if (set_up(j, report, e) != 0) {
		journal_close(j);
		return -1;
	}
	*out = j;
	return 0;
}

void
journal_close(struct journal *j)
{
	if (j == NULL)
		return;
	window_turn(&j->window, -1, 0);
	if (j->fd >= 0)
		close(j->fd);
	if (j->dirfd >= 0)
		close(j->dirfd);
	marks_close(&j->marks);
	senders_free(j);
	for (size_t i = 0; i < j->n; i++)
		free(j->segments[i].spots);
	free(j->segments);
	buf_free(&j->window.bytes);
	buf_free(&j->pending);
	free(j->folder);
	if (j->lock >= 0)
		close(j->lock); /* the last: now others may */
	free(j);
}

/* ---- appending ---- */

/* Room for so many bytes more: 0 or -1 with e. */
static int
make_room(struct journal *j, uint64_t need, struct err *e)
{
	const struct segment *s;

	if (j->total + need > j->max)
		folder_drop(j, need);
	s = journal_newest(j);
	if (j->total + need > j->max || s->bytes + j->pending.len + need > UINT32_MAX ||
	    j->next - s->first >= UINT32_MAX)
		return err_set(e, "journal_full",
		    "'%s' is full: it waits until what it holds is no longer needed", j->folder);
	return 0;
}

static int
check(const struct journal *j, struct slice from, uint64_t seq, struct slice event,
    struct slice payload, const struct sender *s, struct err *e)
{
	uint64_t last = s ? s->last : 0;

	if (from.len > JOURNAL_NAME || event.len > JOURNAL_EVENT || payload.len > JOURNAL_PAYLOAD ||
	    payload.len + event.len > j->max / 2)
		return err_set(e, "too_large", "a message of %zu bytes is too large for '%s'",
		    payload.len + event.len, j->folder);
	if (seq && (seq <= last || seq > PLACE_MOST || (j->outbox && seq != last + 1)))
		return err_set(e, "not_in_order",
		    "message %llu comes after message %llu of the same sender",
		    (unsigned long long)seq, (unsigned long long)last);
	return 0;
}

/* Appends an entry, with its sender's name before it where that is new. NULL: with e. */
static struct sender *
put_sender(struct journal *j, struct slice from, struct sender *s, uint64_t seq, struct err *e)
{
	struct segment *segment = journal_newest(j);
	struct entry_head head = {.index = (uint32_t)(j->next - segment->first), .seq = seq,
	    .flags = ENTRY_NAME};

	if (s == NULL)
		s = sender_add(j, from);
	if (s == NULL) {
		err_set(e, "too_many",
		    "'%s' holds messages of too many senders: one more is refused", j->folder);
		return NULL;
	}
	head.sender = s->number;
	entry_put(segment, head, S(""), from, &j->pending);
	segment->named++;
	j->total += sizeof(head) + from.len;
	if (seq > s->last)
		s->last = seq;
	return s;
}

static struct sender *
known(const struct journal *j, struct slice from)
{
	if (j->recent && slice_eq(from, (struct slice){j->recent->from, j->recent->len}))
		return j->recent;
	return sender_of(j, from);
}

int64_t
journal_append(struct journal *j, struct slice from, uint64_t seq, struct slice event,
    struct slice payload, unsigned flags, struct err *e)
{
	struct sender *s = known(j, from);
	uint64_t need = 2 * sizeof(struct entry_head) + from.len + event.len + payload.len;
	struct segment *segment;
	struct entry_head head;

	if (check(j, from, seq, event, payload, s, e) != 0 || make_room(j, need, e) != 0)
		return -1;
	if (s == NULL)
		s = put_sender(j, from, NULL, 0, e);
	if (s == NULL)
		return -1;
	segment = journal_newest(j);
	head = (struct entry_head){
	    .index = (uint32_t)(j->next - segment->first),
	    .seq = seq,
	    .sender = s->number,
	    .flags = flags & JOURNAL_FLAGS,
	};
	segment_note(segment, head.index, segment->bytes + j->pending.len);
	sender_note(j, s, segment, seq, j->next, NULL);
	entry_put(segment, head, event, payload, &j->pending);
	j->total += sizeof(head) + event.len + payload.len;
	j->recent = s;
	return (int64_t)j->next++;
}

int
journal_skip(struct journal *j, struct slice from, uint64_t seq, struct err *e)
{
	struct sender *s = known(j, from);

	if (from.len > JOURNAL_NAME || seq > PLACE_MOST)
		return err_set(e, "too_large",
		    "the name or number of a sender is too large for '%s'", j->folder);
	if (s && seq <= s->last)
		return 0;
	if (make_room(j, sizeof(struct entry_head) + from.len, e) != 0)
		return -1;
	return put_sender(j, from, s, seq, e) ? 0 : -1;
}

/* ---- committing ---- */

/* Writes what is pending, or nothing of it. */
static int
write_pending(struct journal *j, struct err *e)
{
	struct segment *s = journal_newest(j);

	if (store_write(j->fd, s->bytes, buf_slice(&j->pending), S("")) != 0) {
		journal_cannot(j, "write to", e);
		if (ftruncate(j->fd, (off_t)s->bytes) != 0)
			errno = 0; /* written over next, or cut at the next start */
		return -1;
	}
	s->bytes += j->pending.len;
	s->end = j->next;
	j->written = j->next - 1;
	j->dirty = true;
	buf_reset(&j->pending);
	if (j->pending.cap > KEEP)
		buf_free(&j->pending);
	return 0;
}

int
journal_commit(struct journal *j, bool sync, struct err *e)
{
	if (j->broken) {
		errno = EIO;
		return final(j, e);
	}
	if (j->pending.len && write_pending(j, e) != 0)
		return -1;
	if (sync && sync_data(j, e) != 0)
		return -1;
	/* That there is no room for a new segment is said by the next write. */
	if (is_full(j) && roll(j, NULL) != 0 && j->broken)
		return final(j, e);
	return 0;
}

void
journal_forget(struct journal *j, uint64_t place)
{
	if (place > j->forgotten)
		j->forgotten = place;
}
