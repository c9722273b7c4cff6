#include "tools/collab/join_part.h"

#include <unistd.h>

enum {
	LINES = 1000,	   /* of one group that is synced together */
	BYTES = 1 << 20,
	EXTRA = 1 << 20,   /* errors that wait for a slow reader: then we do not read on */
};

static void
unwatch(struct join *j)
{
	if (j->watch)
		sockets_unwatch(j->watch);
	j->watch = NULL;
	j->watched = -1;
}

static void
ready(void *state)
{
	((struct join *)state)->readable = true;
}

/* From now on we are woken when there is something to read. */
static void
watch(struct join *j)
{
	int fd = record_pull_fd(j->run);

	j->readable = false;
	if (fd == j->watched)
		return;
	unwatch(j);
	if (fd < 0)
		return;
	j->watch = sockets_watch(j->loop, fd, ready, j);
	j->watched = fd;
}

/* What reading led to by itself: bad lines, records that carry an error. */
static void
captured(struct join *j)
{
	struct slice rest = buf_slice(&j->capture.lines), line;

	/* One that is too long for memory goes the slow way. */
	if (j->capture.spill == 0) {
		while (slice_line(&rest, &line))
			join_out_extra(j, line, true);
		buf_reset(&j->capture.lines);
	}
	record_write(j->run, &j->capture);
	record_flush(j->run);
}

static void
too_large(struct join *j, struct record *r, size_t room)
{
	capture_reset(&j->capture);
	record_capture(j->run, &j->capture);
	record_fail(r, "too_large", false,
	    "it has %zu bytes, and the relay takes %zu: --max-payload says otherwise",
	    r->text.len, room);
	record_capture(j->run, NULL);
	captured(j);
}

/* False: not now; it is held. */
static bool
say(struct join *j, struct record *r)
{
	size_t room = party_room(j->party, slice(j->settings->event));

	if (r->text.len > room) {
		too_large(j, r, room);
		return true;
	}
	if (party_say(j->party, slice(j->settings->event), r->text)) {
		j->said = true;
		return true;
	}
	if (!j->stuck)
		record_hold(r, &j->held);
	j->stuck = true;
	unwatch(j);
	return false;
}

/* What was held, once more. */
static bool
unstick(struct join *j)
{
	struct record r;

	if (!j->stuck)
		return true;
	r = record_resume(j->run, &j->held);
	if (!say(j, &r))
		return false;
	j->stuck = false;
	j->readable = true;
	return true;
}

bool
join_in_turn(struct join *j)
{
	struct record r;
	size_t lines = 0, bytes = 0;
	bool more = true;

	if (!unstick(j) || (j->watch && !j->readable) || j->ended) {
		party_commit(j->party);
		return false;
	}
	/* A reader of errors who is slow: no more of them. */
	if (j->out.extra.len > EXTRA) {
		unwatch(j);
		party_commit(j->party);
		return false;
	}
	while (more && lines < LINES && bytes < BYTES && j->out.extra.len <= EXTRA) {
		lines++;
		switch (record_pull(j->run, &j->capture, &r)) {
		case PULL_RECORD:
			bytes += r.text.len;
			more = say(j, &r);
			break;
		case PULL_DONE:
			captured(j);
			break;
		case PULL_WAIT:
			watch(j);
			more = false;
			break;
		case PULL_END:
			unwatch(j);
			j->ended = true;
			more = false;
			break;
		}
	}
	party_commit(j->party);
	return more;
}

bool
join_in_done(const struct join *j)
{
	return j->ended && !j->stuck && party_said(j->party) == party_last(j->party);
}

void
join_in_close(struct join *j)
{
	unwatch(j);
	held_free(&j->held);
	capture_free(&j->capture);
}
