#include "tools/collab/journal_part.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { PIECE = 1 << 20 }; /* written at once */

struct mending {
	struct journal *j;
	struct journal_report *report;
	struct segment segment; /* the new one */
	uint64_t gap;		/* places lost up to its end, which no entry says yet */
	struct buf out;
	int fd;
};

/* The head of an entry that comes next. */
static struct entry_head
head_of(const struct mending *m, uint64_t place, unsigned flags)
{
	return (struct entry_head){
	    .index = (uint32_t)(place - m->segment.first), .flags = (uint16_t)flags};
}

/* Places up to the given one that nothing is there for. */
static void
lose(struct mending *m, uint64_t end, bool fresh)
{
	if (fresh)
		m->report->lost += end - m->segment.end;
	m->gap += end - m->segment.end;
	m->segment.end = end;
}

/* Says what is lost, before anything else is said. */
static void
close_gap(struct mending *m)
{
	while (m->gap) {
		struct entry_head head = head_of(m, m->segment.end - m->gap, ENTRY_LOST);

		head.seq = m->gap < LOST_MOST ? m->gap : LOST_MOST;
		entry_put(&m->segment, head, S(""), S(""), &m->out);
		m->gap -= head.seq;
	}
}

/* Each sender goes by one number here, its highest. */
static void
name(struct mending *m, struct sender *s, uint64_t seq)
{
	struct entry_head head;

	close_gap(m);
	head = head_of(m, m->segment.end, ENTRY_NAME);
	head.seq = seq;
	head.sender = s->number;
	entry_put(&m->segment, head, S(""), (struct slice){s->from, s->len}, &m->out);
	s->named = m->j->mendings;
}

static void
copy(struct mending *m, const struct scan *scan)
{
	struct entry_head head = scan->head;
	struct sender *s = sender_numbered(m->j, head.sender);
	uint64_t place = segment_at(&m->segment, head.index);
	const char *event = scan->bytes + sizeof(head);
	struct slice payload = {event + head.event, head.length};

	if (head.flags & ENTRY_NAME) {
		/* One that contradicts another segment's is not believed. */
		if (s && slice_eq(payload, (struct slice){s->from, s->len}))
			name(m, s, head.seq);
		return;
	}
	if (s == NULL && (head.flags & ENTRY_LOST) == 0)
		return; /* nobody knows who sent it */
	if (place > m->segment.end)
		lose(m, place, true);
	if (head.flags & ENTRY_LOST) {
		lose(m, place + head.seq, false);
		return;
	}
	if (s->named != m->j->mendings)
		name(m, s, 0);
	close_gap(m);
	head.sender = s->number;
	entry_put(&m->segment, head, (struct slice){event, head.event}, payload, &m->out);
	m->segment.end = place + 1;
}

static int
copy_all(struct mending *m, const struct segment *old)
{
	struct scan scan = {.window = &m->j->window, .segment = old, .size = old->size};
	enum scan_step step;

	if (scan.size > UINT32_MAX)
		scan.size = UINT32_MAX;
	window_turn(&m->j->window, folder_open_segment(m->j, old->first, O_RDONLY), old->first);
	while ((step = scan_next(&scan)) != SCAN_END && step != SCAN_TAIL) {
		if (step == SCAN_ENTRY)
			copy(m, &scan);
		if (m->out.len > PIECE && folder_write(m->j, m->fd, &m->out) != 0)
			return -1;
	}
	return 0;
}

/*
 * Of senders whose names the damage has swallowed at least the numbers that their messages in
 * older segments have. Others have them from the segment behind.
 */
static void
name_rest(struct mending *m)
{
	for (size_t i = 0; i < m->j->nsenders; i++) {
		struct sender *s = m->j->senders[i];

		if (s->named != m->j->mendings)
			name(m, s, s->last);
	}
}

static int
write_anew(struct mending *m, const struct segment *old, uint64_t first, uint64_t end)
{
	segment_begin(&m->segment, first, &m->out);
	m->fd = folder_part(m->j);
	if (m->fd < 0 || (old && !old->headless && copy_all(m, old) != 0))
		return -1;
	if (end > m->segment.end)
		lose(m, end, true);
	if (m->j->n && first == journal_newest(m->j)->first)
		name_rest(m);
	close_gap(m);
	if (folder_write(m->j, m->fd, &m->out) != 0)
		return -1;
	if (old && folder_aside(m->j, first, true, m->report) != 0) {
		int error = errno;

		close(m->fd);
		errno = error;
		return -1;
	}
	m->fd = folder_finish(m->j, m->fd, first);
	if (m->fd < 0)
		return -1;
	close(m->fd);
	return 0;
}

int
journal_mend(struct journal *j, const struct segment *old, uint64_t first, uint64_t end,
    struct journal_report *report, struct err *e)
{
	struct mending m = {.j = j, .report = report, .fd = -1};
	int rc;

	j->mendings++;
	rc = write_anew(&m, old, first, end);
	if (rc != 0)
		journal_cannot(j, "mend", e);
	buf_free(&m.out);
	return rc;
}
