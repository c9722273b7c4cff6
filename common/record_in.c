/*
 * Reading lines: bounded, without a copy, a block at a time.
 */
#include "common/record_io.h"

#include <errno.h>
#include <unistd.h>

/* Blocks of a line that is too long that are skipped before others have their turn. */
enum { BLOCK = 64 * 1024, TURN = 64 };

void
lines_open(struct lines *l, int fd, const char *name, size_t max)
{
	l->fd = fd;
	l->name = name;
	l->max = max;
	l->from = l->seen = 0;
	l->number = 0;
	l->end = l->skipping = false;
	l->error = 0;
	buf_reset(&l->in);
}

void
lines_free(struct lines *l)
{
	buf_free(&l->in);
}

/*
 * Reads one block behind what is there: LINE_WHOLE when it did or came to the
 * end, LINE_WAIT, LINE_ERROR.
 */
static enum line_result
fill(struct lines *l)
{
	ssize_t n = 0;
	int ready;

	/* What is consumed makes room before the buffer grows. */
	if (l->from) {
		buf_splice(&l->in, 0, l->from, (struct slice){"", 0});
		l->from = 0;
	}
	ready = out_ready(l->fd);
	if (ready == 0)
		return LINE_WAIT;
	if (ready > 0)
		n = read(l->fd, buf_room(&l->in, BLOCK), BLOCK);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return LINE_WAIT;
	if (n > 0) {
		l->in.len += (size_t)n;
		return LINE_WHOLE;
	}
	l->end = true;
	/* Half a line that a signal cut off is no line. */
	if (run_interrupted())
		buf_reset(&l->in);
	if (n == 0)
		return LINE_WHOLE;
	l->error = errno;
	return LINE_ERROR;
}

static void
spill(struct lines *l, const char *bytes, size_t len)
{
	if (!l->spill)
		return;
	/* Others may have read there since. */
	if (fseeko(l->spill, (off_t)l->spill_end, SEEK_SET) != 0 ||
	    fwrite(bytes, 1, len, l->spill) != len)
		die(STATUS_FAILED, "cannot keep a line that is too long:");
	l->spill_end += len;
	l->spilt += len;
}

static void
keep_shown(struct lines *l)
{
	memcpy(l->shown, l->in.ptr + l->from, LINE_SHOWN);
	l->spilt = 0;
}

static enum line_result
too_long(struct lines *l, struct slice *line)
{
	l->number++;
	l->seen = 0;
	*line = (struct slice){l->shown, LINE_SHOWN};
	return LINE_TOO_LONG;
}

/*
 * Drops the rest of a line that is too long, block by block. A read that fails
 * ends it, and is told with the next line.
 */
static enum line_result
skip_line(struct lines *l, struct slice *line)
{
	const char *lf = NULL;
	size_t n;

	for (int turn = 0; lf == NULL && !l->end; turn++) {
		if (turn == TURN || fill(l) == LINE_WAIT)
			return LINE_WAIT;
		lf = l->in.len ? memchr(l->in.ptr, '\n', l->in.len) : NULL;
		n = lf ? (size_t)(lf - l->in.ptr) : l->in.len;
		spill(l, l->in.ptr, n);
		l->from = lf ? n + 1 : n;
	}
	if (run_interrupted())
		return LINE_END;
	l->skipping = false;
	return too_long(l, line);
}

static void
start_skipping(struct lines *l)
{
	keep_shown(l);
	spill(l, l->in.ptr + l->from, l->in.len - l->from);
	l->from = l->in.len;
	l->skipping = true;
}

static struct slice
take(struct lines *l, size_t len, size_t behind)
{
	struct slice line = {l->in.ptr + l->from, len};

	l->number++;
	l->from += len + behind;
	l->seen = 0;
	if (line.len && line.ptr[line.len - 1] == '\r')
		line.len--;
	if (l->number == 1 && slice_starts(line, "\xEF\xBB\xBF")) {
		line.ptr += 3;
		line.len -= 3;
	}
	return line;
}

/* The line of len bytes that is whole in the buffer. */
static enum line_result
found(struct lines *l, size_t len, size_t behind, struct slice *line)
{
	if (len > l->max && len > LINE_SHOWN) {
		keep_shown(l);
		spill(l, l->in.ptr + l->from, len);
		l->from += len + behind;
		return too_long(l, line);
	}
	*line = take(l, len, behind);
	return LINE_WHOLE;
}

static enum line_result
at_end(struct lines *l)
{
	if (!l->error)
		return LINE_END;
	errno = l->error;
	l->error = 0;
	return LINE_ERROR;
}

enum line_result
lines_next(struct lines *l, struct slice *line)
{
	l->spilt = l->skipping ? l->spilt : 0;
	while (!l->skipping) {
		size_t have = l->in.len - l->from;
		const char *lf = have > l->seen
		    ? memchr(l->in.ptr + l->from + l->seen, '\n', have - l->seen) : NULL;

		if (lf)
			return found(l, (size_t)(lf - l->in.ptr) - l->from, 1, line);
		if (l->end && have && !l->error)
			return found(l, have, 0, line);
		if (l->end)
			return at_end(l);
		if (have > l->max && have > LINE_SHOWN) {
			start_skipping(l);
			break;
		}
		l->seen = have;
		if (fill(l) == LINE_WAIT)
			return LINE_WAIT;
	}
	return skip_line(l, line);
}
