#include "tools/collab/journal_part.h"

#include "common/mem.h"
#include "common/time.h"

#include <errno.h>
#include <stddef.h>
#include <sys/random.h>
#include <unistd.h>

enum {
	HEAD = sizeof(struct entry_head),
	CHECK_BYTES = sizeof(uint32_t),
};

static const char magic[8] = "kandilj1";

/* ---- segments ---- */

static uint64_t
head_check(const struct segment_head *head)
{
	return hash_stable(
	    (struct slice){(const char *)head, offsetof(struct segment_head, check)});
}

void
segment_begin(struct segment *s, uint64_t first, struct buf *out)
{
	struct segment_head head = {.first = first, .time = (uint64_t)(time_now() / 1000)};
	uint32_t random[2];

	/* Without random bytes entries still hold; only nobody's payload may look like one. */
	if (getrandom(random, sizeof(random), 0) != sizeof(random)) {
		random[0] = (uint32_t)time_ns();
		random[1] = (uint32_t)(uintptr_t)&head;
	}
	memcpy(head.magic, magic, sizeof(magic));
	*s = (struct segment){.first = first, .end = first, .mark = random[0], .salt = random[1]};
	head.mark = s->mark;
	head.salt = s->salt;
	head.check = head_check(&head);
	buf_add(out, &head, sizeof(head));
}

bool
segment_head_take(struct segment *s, const char bytes[sizeof(struct segment_head)])
{
	struct segment_head head;

	memcpy(&head, bytes, sizeof(head));
	if (memcmp(head.magic, magic, sizeof(magic)) != 0 || head.first != s->first ||
	    head.check != head_check(&head))
		return false;
	s->mark = head.mark;
	s->salt = head.salt;
	return true;
}

void
segment_note(struct segment *s, uint32_t index, uint64_t at)
{
	if (s->nspots && ++s->since < JOURNAL_EVERY)
		return;
	s->since = 0;
	s->spots = xgrow(s->spots, s->nspots, &s->cap, sizeof(*s->spots));
	s->spots[s->nspots++] = (struct spot){index, (uint32_t)at};
}

uint64_t
segment_near(const struct segment *s, uint64_t place)
{
	size_t low = 0, high = s->nspots;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (segment_at(s, s->spots[middle].index) <= place)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? s->spots[low - 1].at : 0;
}

/* ---- entries ---- */

static uint32_t
entry_check(const struct segment *s, const char *bytes, uint64_t size)
{
	return s->salt ^
	    (uint32_t)hash_stable(
		(struct slice){bytes + CHECK_BYTES, (size_t)size - CHECK_BYTES});
}

void
entry_put(const struct segment *s, struct entry_head head, struct slice event, struct slice payload,
    struct buf *out)
{
	size_t start = out->len;
	char *at;

	head.mark = s->mark;
	head.event = (uint16_t)event.len;
	head.length = (uint32_t)payload.len;
	buf_add(out, &head, HEAD);
	buf_addslice(out, event);
	buf_addslice(out, payload);
	at = out->ptr + start;
	head.check = entry_check(s, at, out->len - start);
	memcpy(at, &head.check, sizeof(head.check));
}

/* Whether these bytes may be the head of one, from which its size is believed. */
static bool
head_take(const struct segment *s, const char *bytes, uint64_t left, struct entry_head *head)
{
	memcpy(head, bytes, HEAD);
	return head->mark == s->mark && head->length <= JOURNAL_PAYLOAD && entry_size(head) <= left;
}

bool
entry_take(const struct segment *s, const char *bytes, uint64_t left, struct entry_head *head)
{
	return head_take(s, bytes, left, head) &&
	    head->check == entry_check(s, bytes, entry_size(head));
}

/* ---- going through ---- */

/* Whether the index is one that may come there; *next: the one behind it. */
static bool
in_order(const struct scan *s, const struct entry_head *head, uint64_t *next)
{
	uint64_t index = head->index;

	*next = index;
	if (index == UINT32_MAX || index < s->expected || (index > s->expected && !s->loose) ||
	    head->seq > PLACE_MOST)
		return false;
	if (head->flags & ENTRY_NAME)
		return true;
	if ((head->flags & ENTRY_LOST) == 0) {
		*next = index + 1;
		return true;
	}
	*next = index + head->seq;
	return head->seq <= LOST_MOST;
}

/* Whether there is an entry: 1, 0, -1: nor room for one, or the file cannot be read. */
static int
entry_at(struct scan *s, uint64_t at, uint64_t *next)
{
	size_t have;
	const char *bytes = window_look(s->window, at, HEAD, s->size, &have);
	struct entry_head head;

	if (bytes == NULL)
		return -1;
	if (!head_take(s->segment, bytes, s->size - at, &head) || !in_order(s, &head, next))
		return 0;
	bytes = window_look(s->window, at, (size_t)entry_size(&head), s->size, &have);
	if (bytes == NULL || !entry_take(s->segment, bytes, s->size - at, &head))
		return 0;
	s->head = head;
	s->bytes = bytes;
	return 1;
}

/* The offset of the next entry at or behind at, UINT64_MAX: none. */
static uint64_t
find_entry(struct scan *s, uint64_t at)
{
	enum { MARK_AT = offsetof(struct entry_head, mark) };
	const char *bytes, *hit;
	uint64_t next;
	size_t have;
	int rc;

	while ((bytes = window_look(s->window, at, HEAD, s->size, &have)) != NULL) {
		hit = memmem(bytes + MARK_AT, have - MARK_AT, &s->segment->mark,
		    sizeof(s->segment->mark));
		if (hit == NULL) {
			at += have - HEAD + 1;
			continue;
		}
		at += (uint64_t)(hit - bytes) - MARK_AT;
		rc = entry_at(s, at, &next);
		if (rc > 0)
			return at;
		if (rc < 0)
			break;
		at++;
	}
	return UINT64_MAX;
}

enum scan_step
scan_next(struct scan *s)
{
	uint64_t next = 0, at;

	if (s->at == 0)
		s->at = sizeof(struct segment_head);
	if (s->at >= s->size)
		return SCAN_END;
	if (entry_at(s, s->at, &next) == 1) {
		s->at += entry_size(&s->head);
		s->expected = next;
		s->loose = false;
		return SCAN_ENTRY;
	}
	s->loose = true;
	at = find_entry(s, s->at + 1);
	if (at == UINT64_MAX)
		return SCAN_TAIL;
	s->at = at;
	return SCAN_BAD;
}
