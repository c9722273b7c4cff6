#include "tools/collab/journal_part.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

/* ---- where ---- */

/* The segment that a place belongs to, NULL: none of those kept. */
static const struct segment *
segment_of(const struct journal *j, uint64_t place)
{
	size_t low = 0, high = j->n;

	if (place < j->segments[0].first || place > j->written)
		return NULL;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (j->segments[middle].first <= place)
			low = middle;
		else
			high = middle;
	}
	return &j->segments[low];
}

static int
not_found(uint64_t place, struct err *e)
{
	return err_set(e, "not_found", "there is no message at place %" PRIu64, place);
}

static int
cannot_read(const struct journal *j, struct err *e)
{
	return err_set(e, "cannot_read",
	    "a message in '%s' cannot be read: it was damaged, or the disk is failing", j->folder);
}

/* Where the last entry read ends, if that is where the place may be: 0 where it is not. */
static uint64_t
follows(const struct journal *j, const struct segment *s, uint64_t place)
{
	return j->last_read && j->last_read + 1 == place && place > s->first ? j->last_end : 0;
}

/* The head of the message at or behind an offset: 1, 0 at the segment's end, -1 unreadable. */
static int
head_at(struct journal *j, const struct segment *s, uint64_t *at, struct entry_head *head)
{
	uint64_t size = s->bytes;
	const char *bytes;
	size_t have;

	for (;; *at += entry_size(head)) {
		if (*at >= size)
			return 0;
		bytes = window_look(&j->window, *at, sizeof(*head), size, &have);
		if (bytes == NULL)
			return -1;
		memcpy(head, bytes, sizeof(*head));
		if (head->mark != s->mark || entry_size(head) > size - *at)
			return -1;
		if ((head->flags & (ENTRY_NAME | ENTRY_LOST)) == 0)
			return 1;
	}
}

/* Turns the window to a segment. */
static int
turn_to(struct journal *j, const struct segment *s)
{
	if (j->window.fd < 0 || j->window.first != s->first)
		window_turn(&j->window, folder_open_segment(j, s->first, O_RDONLY), s->first);
	return j->window.fd < 0 ? -1 : 0;
}

/*
 * Where the entry of a place lies, in which segment, which the window is turned to: 0, or -1
 * with e as of journal_read.
 */
static int
locate(struct journal *j, uint64_t place, const struct segment **out, uint64_t *at, struct err *e)
{
	const struct segment *s = segment_of(j, place);
	struct entry_head head;
	int rc;

	if (s == NULL)
		return not_found(place, e);
	*at = follows(j, s, place);
	if (*at == 0)
		*at = segment_near(s, place);
	if (*at == 0)
		return not_found(place, e);
	if (turn_to(j, s) != 0)
		return cannot_read(j, e);
	while ((rc = head_at(j, s, at, &head)) > 0 && segment_at(s, head.index) < place)
		*at += entry_size(&head);
	if (rc < 0)
		return cannot_read(j, e);
	if (rc == 0 || segment_at(s, head.index) != place)
		return not_found(place, e);
	*out = s;
	return 0;
}

/* ---- what ---- */

static int
take(struct journal *j, const struct segment *s, uint64_t at, struct journal_entry *entry,
    struct buf *out, struct err *e)
{
	struct entry_head head;
	const struct sender *sender;
	size_t have, size;
	const char *bytes = window_look(&j->window, at, sizeof(head), s->bytes, &have);

	if (bytes == NULL)
		return cannot_read(j, e);
	memcpy(&head, bytes, sizeof(head));
	size = (size_t)entry_size(&head);
	bytes = head.length > JOURNAL_PAYLOAD ? NULL
					      : window_look(&j->window, at, size, s->bytes, &have);
	sender = sender_numbered(j, head.sender);
	if (bytes == NULL || sender == NULL || !entry_take(s, bytes, have, &head))
		return cannot_read(j, e);
	buf_reset(out);
	buf_room(out, size + sender->len);
	buf_add(out, bytes + sizeof(head), size - sizeof(head));
	buf_add(out, sender->from, sender->len);
	*entry = (struct journal_entry){
	    .place = segment_at(s, head.index),
	    .seq = head.seq,
	    .from = {out->ptr + head.event + head.length, sender->len},
	    .event = {out->ptr, head.event},
	    .payload = {out->ptr + head.event, head.length},
	    .flags = head.flags,
	};
	j->last_read = entry->place;
	j->last_end = at + size;
	return 0;
}

int
journal_read(struct journal *j, uint64_t place, struct journal_entry *entry, struct buf *out,
    struct err *e)
{
	const struct segment *s;
	uint64_t at;

	buf_reset(out);
	if (locate(j, place, &s, &at, e) != 0)
		return -1;
	return take(j, s, at, entry, out, e);
}

/* The last sample that is not behind seq. */
static const struct sample *
sample_before(const struct sender *s, uint64_t seq)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->samples[middle].seq <= seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &s->samples[low - 1] : NULL;
}

static int
none(uint64_t seq, struct err *e)
{
	return err_set(
	    e, "not_found", "there is no message %" PRIu64 " of that sender", seq);
}

int
journal_find(struct journal *j, struct slice from, uint64_t seq, struct journal_entry *entry,
    struct buf *out, struct err *e)
{
	const struct sender *sender = sender_of(j, from);
	const struct sample *sample = sender ? sample_before(sender, seq) : NULL;
	struct entry_head head;
	const struct segment *s;
	uint64_t at;
	int rc;

	buf_reset(out);
	if (sample == NULL || seq == 0 || seq > sender->last)
		return none(seq, e);
	if (locate(j, sample->place, &s, &at, e) != 0)
		return -1;
	/* A segment begins with a sample of everyone in it, so what is not here is nowhere. */
	while ((rc = head_at(j, s, &at, &head)) > 0) {
		const struct sender *who = sender_numbered(j, head.sender);

		if (segment_at(s, head.index) > j->written || (who == sender && head.seq > seq))
			break;
		if (who == sender && head.seq == seq)
			return take(j, s, at, entry, out, e);
		at += entry_size(&head);
	}
	if (rc < 0)
		return cannot_read(j, e);
	return none(seq, e);
}

/* ---- what there is ---- */

uint64_t
journal_first(const struct journal *j)
{
	return j->segments[0].first <= j->written ? j->segments[0].first : 0;
}

uint64_t
journal_last(const struct journal *j)
{
	return j->written;
}

static void
tell(const struct sender *s, struct journal_sender *out)
{
	*out = (struct journal_sender){
	    .from = {s->from, s->len}, .first = s->n ? s->samples[0].seq : 0, .last = s->last};
}

bool
journal_sender(const struct journal *j, size_t i, struct journal_sender *out)
{
	if (i >= j->nsenders)
		return false;
	tell(j->senders[i], out);
	return true;
}

bool
journal_who(const struct journal *j, struct slice from, struct journal_sender *out)
{
	const struct sender *s = sender_of(j, from);

	if (s == NULL)
		return false;
	tell(s, out);
	return true;
}
