/*
 * Reading lines: bounded, without a copy, a block at a time.
 */
#include "common/record_io.h"

#include <errno.h>
#include <unistd.h>

enum { BLOCK = 64 * 1024, SHOWN = 256 };

void
lines_open(struct lines *l, int fd, const char *name, size_t max)
{
	l->fd = fd;
	l->name = name;
	l->max = max;
	l->from = 0;
	l->number = 0;
	l->end = false;
	buf_reset(&l->in);
}

void
lines_free(struct lines *l)
{
	buf_free(&l->in);
}

/* Reads one block behind what is there: bytes read, 0 at the end, -1. */
static ssize_t
fill(struct lines *l)
{
	ssize_t n;

	/* What is consumed makes room before the buffer grows. */
	if (l->from) {
		buf_splice(&l->in, 0, l->from, (struct slice){"", 0});
		l->from = 0;
	}
	if (!out_wait(l->fd)) {
		/* Half a line that a signal cut off is no line. */
		buf_reset(&l->in);
		l->end = true;
		return 0;
	}
	do
		n = read(l->fd, buf_room(&l->in, BLOCK), BLOCK);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		l->in.len += (size_t)n;
	else
		l->end = true;
	return n;
}

static void
spill(struct lines *l, const char *bytes, size_t len)
{
	if (l->spill)
		fwrite(bytes, 1, len, l->spill);
	l->spilt = l->spill != NULL;
}

/*
 * Drops the rest of a line that is too long, block by block, keeping its
 * first bytes to show.
 */
static enum line_result
skip_line(struct lines *l, struct slice *line)
{
	static char shown[SHOWN];
	const char *lf = NULL;
	size_t n;

	memcpy(shown, l->in.ptr + l->from, SHOWN);
	spill(l, l->in.ptr + l->from, l->in.len - l->from);
	while (lf == NULL && !l->end) {
		buf_reset(&l->in);
		l->from = 0;
		if (fill(l) < 0)
			return LINE_ERROR;
		lf = l->in.len ? memchr(l->in.ptr, '\n', l->in.len) : NULL;
		n = lf ? (size_t)(lf - l->in.ptr) : l->in.len;
		spill(l, l->in.ptr, n);
		l->from = lf ? n + 1 : n;
	}
	*line = (struct slice){shown, SHOWN};
	return LINE_TOO_LONG;
}

static struct slice
take(struct lines *l, size_t len, size_t behind)
{
	struct slice line = {l->in.ptr + l->from, len};

	l->from += len + behind;
	if (line.len && line.ptr[line.len - 1] == '\r')
		line.len--;
	if (l->number == 1 && slice_starts(line, "\xEF\xBB\xBF")) {
		line.ptr += 3;
		line.len -= 3;
	}
	return line;
}

enum line_result
lines_next(struct lines *l, struct slice *line)
{
	size_t seen = 0; /* bytes behind from that hold no line feed */

	l->number++;
	l->spilt = false;
	for (;;) {
		size_t have = l->in.len - l->from;
		const char *lf = have > seen
		    ? memchr(l->in.ptr + l->from + seen, '\n', have - seen) : NULL;

		if (lf || (l->end && have)) {
			size_t len = lf ? (size_t)(lf - l->in.ptr) - l->from : have;

			if (len > l->max && len > SHOWN) {
				*line = (struct slice){l->in.ptr + l->from, SHOWN};
				spill(l, line->ptr, len);
				l->from += len + (lf != NULL);
				return LINE_TOO_LONG;
			}
			*line = take(l, len, lf != NULL);
			return LINE_WHOLE;
		}
		if (l->end)
			return LINE_END;
		if (have > l->max && have > SHOWN)
			return skip_line(l, line);
		seen = have;
		if (fill(l) < 0)
			return LINE_ERROR;
	}
}
