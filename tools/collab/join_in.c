#include "tools/collab/join_part.h"

#include <stdio.h>
#include <string.h>
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
	if (j->capture.failed && j->run->common->strict && !j->stopped) {
		warn("stopped at the first failure (--strict)");
		j->stopped = j->ended = true;
		unwatch(j);
	}
	/* We stop by ourselves: what was taken before is still to be stored, and all to be said. */
	j->capture.failed = false;
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

/* What to say of a line that the hub took no more than this of, or nothing for another reason. */
static void
fail_refused(struct record *r, uint64_t seq, const char *reason)
{
	bool size = strstr(reason, "payload_size") != NULL;
	char others[80];

	snprintf(others, sizeof(others), "for the others message %llu of ours is missing",
	    (unsigned long long)seq);
	if (size)
		record_fail(r, "too_large", false,
		    "the hub does not take its %zu bytes (%s), and %s: give less, or raise "
		    "--max-payload of the hub", r->text.len, reason, others);
	else
		record_fail(r, "refused", true, "the hub does not take it (%s), and %s", reason,
		    others);
}

void
join_refused(uint64_t seq, const char *reason, void *state)
{
	struct join *j = state;
	struct record r = {.source = "<outbox>", .line = (size_t)seq, .run = j->run};
	struct slice event;

	/* Hundreds may be refused at once, and nobody need read what we write. */
	if (j->out.extra.len > EXTRA || !party_own(j->party, seq, &event, &r.text)) {
		warn("the hub does not take message %llu of ours: %s: the others are told that it "
		     "is missing", (unsigned long long)seq, reason);
		run_status(j->run, STATUS_PARTIAL);
		return;
	}
	r.original = r.text;
	capture_reset(&j->capture);
	record_capture(j->run, &j->capture);
	fail_refused(&r, seq, reason);
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
join_in_end(struct join *j)
{
	unwatch(j);
}

void
join_in_close(struct join *j)
{
	held_free(&j->held);
	capture_free(&j->capture);
}
