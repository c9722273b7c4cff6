#include "tools/collab/journal_part.h"

#include "common/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS = 4 }; /* of mending: what is damaged anew each time is no disk */

static void
forget(struct journal *j)
{
	window_turn(&j->window, -1, 0);
	senders_free(j);
	for (size_t i = 0; i < j->n; i++)
		free(j->segments[i].spots);
	free(j->segments);
	j->segments = NULL;
	j->n = j->cap = 0;
	j->holes = 0;
}

/* ---- one segment ---- */

/* Takes in an entry: false when it cannot be, which is damage, too. */
static bool
take_in(struct journal *j, struct segment *s, const struct scan *scan,
    struct journal_report *report)
{
	const struct entry_head *head = &scan->head;
	uint64_t at = scan->at - entry_size(head);
	struct sender *sender;

	if (head->flags & ENTRY_NAME) {
		s->named++;
		if (s->end == s->first && s->nspots == 0)
			s->names = scan->at;
		return sender_learn(j, head->sender,
		    (struct slice){scan->bytes + sizeof(*head) + head->event, head->length},
		    head->seq, report);
	}
	if (head->flags & ENTRY_LOST) {
		report->gone += head->seq;
		return true;
	}
	sender = sender_numbered(j, head->sender);
	if (sender == NULL)
		return false;
	sender_note(j, sender, s, head->seq, segment_at(s, head->index), report);
	segment_note(s, head->index, at);
	report->entries++;
	return true;
}

/* 0, or -1 when it cannot be opened: a disk that cannot be read is damage, that is not. */
static int
load_segment(struct journal *j, struct segment *s, struct journal_report *report)
{
	struct scan scan = {.window = &j->window, .segment = s, .size = s->size};
	enum scan_step step;
	const char *bytes;
	size_t have;

	if (scan.size > UINT32_MAX)
		scan.size = UINT32_MAX; /* what is beyond is no entry of ours */
	s->names = s->bytes = sizeof(struct segment_head);
	window_turn(&j->window, folder_open_segment(j, s->first, O_RDONLY), s->first);
	if (j->window.fd < 0)
		return -1;
	bytes = window_look(&j->window, 0, sizeof(struct segment_head), scan.size, &have);
	if (bytes == NULL || !segment_head_take(s, bytes)) {
		s->headless = s->damaged = true;
		j->holes++;
		return 0;
	}
	while ((step = scan_next(&scan)) != SCAN_END && step != SCAN_TAIL) {
		if (step == SCAN_BAD)
			j->holes++;
		if (step == SCAN_BAD || !take_in(j, s, &scan, report))
			s->damaged = true;
		s->end = s->first + scan.expected;
	}
	s->bytes = scan.at;
	s->torn = step == SCAN_TAIL || s->size > scan.size;
	return 0;
}

/* ---- all of them ---- */

/* The last place known to have been synced, by the file beside; 0 where that cannot be. */
static uint64_t
remembered(const struct journal *j, uint64_t end)
{
	uint64_t synced = marks_get(&j->marks, SYNCED_PLACE);

	return synced < end || synced - end < LOST_MOST ? synced : 0;
}

/*
 * The last segment's end against what was synced: what ends in no entry was either never
 * finished, and is cut, or was whole once.
 */
static void
judge_tail(struct journal *j, struct journal_report *report)
{
	struct segment *s = journal_newest(j);
	uint64_t synced = remembered(j, s->end);
	bool cut = marks_get(&j->marks, SYNCED_FIRST) == s->first &&
	    marks_get(&j->marks, SYNCED_BYTES) > s->bytes;

	s->damaged |= synced >= s->end || cut;
	/* Numbers of an outbox have no holes; who else's they were nobody knows. */
	if (synced >= s->end && j->outbox && j->nsenders == 1)
		report_range(report, (struct slice){j->senders[0]->from, j->senders[0]->len},
		    j->senders[0]->last + 1, j->senders[0]->last + 1 + synced - s->end);
}

/* Reads everything; whether it is whole. */
static int
read_all(struct journal *j, struct journal_report *report, bool *whole, struct err *e)
{
	*whole = true;
	j->loading = 0;
	report->entries = report->gone = 0;
	forget(j);
	if (folder_list(j, e) != 0)
		return -1;
	for (size_t i = 0; i < j->n; i++) {
		if (i && j->segments[i].first > j->segments[i - 1].end)
			j->holes++;
		j->loading = j->segments[i].first;
		if (load_segment(j, &j->segments[i], report) != 0)
			return err_set(e, "cannot_read", "cannot read a segment of '%s': %s",
			    j->folder, strerror(errno));
	}
	if (j->n)
		judge_tail(j, report);
	for (size_t i = 0; i < j->n; i++) {
		struct segment *s = &j->segments[i];

		s->damaged |= s->torn && i + 1 < j->n;
		if (s->damaged || (i && s->first != j->segments[i - 1].end))
			*whole = false;
	}
	return 0;
}

void
journal_remember(struct journal *j, uint64_t bytes)
{
	uint64_t first = journal_newest(j)->first;

	/* At no moment the bytes of another segment. */
	if (bytes == 0 || marks_get(&j->marks, SYNCED_FIRST) != first) {
		marks_set(&j->marks, SYNCED_BYTES, 0);
		marks_set(&j->marks, SYNCED_FIRST, first);
	}
	marks_set(&j->marks, SYNCED_BYTES, bytes);
}

static int
mend_all(struct journal *j, struct journal_report *report, struct err *e)
{
	uint64_t end = j->segments[0].first, synced;

	journal_remember(j, 0);
	for (size_t i = 0; i < j->n; i++) {
		const struct segment *s = &j->segments[i];
		bool last = i + 1 == j->n;
		uint64_t until = last ? s->end : j->segments[i + 1].first;

		if (s->first < end) { /* entries of the one before have its places */
			if (folder_aside(j, s->first, false, report) != 0)
				return journal_cannot(j, "set damage aside in", e);
			continue;
		}
		if (s->first > end && journal_mend(j, NULL, end, s->first, report, e) != 0)
			return -1;
		synced = last ? remembered(j, until) : 0;
		if (synced >= until)
			until = synced + 1;
		end = s->damaged ? until : s->end;
		if (s->damaged && journal_mend(j, s, s->first, until, report, e) != 0)
			return -1;
	}
	return 0;
}

/* Cuts what is no entry off the end of the last segment. */
static int
cut_tail(struct journal *j, struct journal_report *report, struct err *e)
{
	struct segment *s = journal_newest(j);

	j->fd = folder_open_segment(j, s->first, O_RDWR);
	if (j->fd < 0)
		return journal_cannot(j, "write to", e);
	if (s->size <= s->bytes)
		return 0;
	if (ftruncate(j->fd, (off_t)s->bytes) != 0)
		return journal_cannot(j, "cut the end off the last segment of", e);
	report->torn = s->size - s->bytes;
	j->dirty = true;
	return 0;
}

int
journal_load(struct journal *j, struct journal_report *report, struct err *e)
{
	uint64_t synced = remembered(j, 1);
	bool whole = false;

	for (int round = 0; round < ROUNDS && !whole; round++) {
		if (read_all(j, report, &whole, e) != 0)
			return -1;
		if (j->n == 0) {
			report->damaged += synced > 0;
			marks_set(&j->marks, SYNCED_BYTES, 0);
			if (journal_mend(j, NULL, 1, synced + 1, report, e) != 0)
				return -1;
			whole = false;
		} else if (!whole && mend_all(j, report, e) != 0) {
			return -1;
		}
	}
	if (!whole)
		return err_set(e, "cannot_read",
		    "'%s' cannot be mended: its files change, or the disk is failing", j->folder);
	/* Those found now are among them. */
	report->gone = report->gone > report->lost ? report->gone - report->lost : 0;
	if (cut_tail(j, report, e) != 0)
		return -1;
	senders_settle(j);
	for (size_t i = 0; i < j->n; i++)
		j->total += j->segments[i].bytes;
	j->next = journal_newest(j)->end;
	j->written = j->next - 1;
	return 0;
}
