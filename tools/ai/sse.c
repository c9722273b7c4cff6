/*
 * Server-Sent Events, and lines of JSON, out of bytes in any portions.
 *
 * A line that lies whole in one portion is read where it stands; only one
 * that is torn between two portions is copied.
 */
#include "tools/ai/provider.h"

enum { SSE_MAX = 16 * 1024 * 1024 };

static size_t
limit(const struct sse *s)
{
	return s->max ? s->max : SSE_MAX;
}

/* A blank line: what was gathered is an event, unless there was no data. */
static int
dispatch(struct sse *s, sse_event *fn, void *state)
{
	int result = 0;

	if (s->any)
		result = fn(buf_slice(&s->name), buf_slice(&s->data), state);
	buf_reset(&s->name);
	buf_reset(&s->data);
	s->any = false;
	return result;
}

/* One field; a line without a colon is a name with an empty value. */
static int
take_field(struct sse *s, struct slice line)
{
	const char *colon = memchr(line.ptr, ':', line.len);
	size_t n = colon ? (size_t)(colon - line.ptr) : line.len;
	struct slice value = {line.ptr + n, line.len - n};

	if (colon) {
		value.ptr++;
		value.len--;
		if (value.len && *value.ptr == ' ') {
			value.ptr++;
			value.len--;
		}
	}
	line.len = n;
	if (slice_is(line, "data")) {
		if (s->data.len + value.len >= limit(s))
			return -1;
		if (s->any)
			buf_addc(&s->data, '\n');
		buf_addslice(&s->data, value);
		s->any = true;
	} else if (slice_is(line, "event")) {
		buf_reset(&s->name);
		buf_addslice(&s->name, value);
	}
	return 0; /* id and retry are for clients that reconnect; a comment has no name */
}

static int
take_line(struct sse *s, struct slice line, sse_event *fn, void *state)
{
	if (!s->started && slice_starts(line, "\xEF\xBB\xBF")) {
		line.ptr += 3;
		line.len -= 3;
	}
	s->started = true;
	if (s->lines) {
		line = slice_trim(line);
		return line.len ? fn((struct slice){"", 0}, line, state) : 0;
	}
	return line.len ? take_field(s, line) : dispatch(s, fn, state);
}

/*
 * The first CR or LF from at on, or NULL. lf keeps the next LF (or end) from call to call: bytes
 * with line ends of the other kind alone would be searched to their end for each line.
 */
static const char *
line_end(const char *at, const char *end, const char **lf)
{
	const char *cr;

	if (*lf == NULL || *lf < at) {
		*lf = memchr(at, '\n', (size_t)(end - at));
		if (*lf == NULL)
			*lf = end;
	}
	cr = memchr(at, '\r', (size_t)(*lf - at));
	return cr ? cr : *lf < end ? *lf : NULL;
}

int
sse_feed(struct sse *s, struct slice bytes, sse_event *fn, void *state)
{
	const char *at = bytes.ptr, *end = bytes.ptr + bytes.len, *stop, *lf = NULL;
	struct slice line;
	int result;

	while (at < end) {
		if (s->cr && *at == '\n')
			at++;
		s->cr = false;
		if (at == end)
			break;
		stop = line_end(at, end, &lf);
		line = (struct slice){at, (size_t)((stop ? stop : end) - at)};
		if (s->line.len + line.len > limit(s))
			return -1;
		if (stop == NULL || s->line.len)
			buf_addslice(&s->line, line);
		if (stop == NULL)
			break;
		if (s->line.len)
			line = buf_slice(&s->line);
		s->cr = *stop == '\r';
		result = take_line(s, line, fn, state);
		buf_reset(&s->line);
		if (result)
			return result;
		at = stop + 1;
	}
	return 0;
}

/* An event that no blank line ended is none; a line without an LF is one. */
int
sse_end(struct sse *s, sse_event *fn, void *state)
{
	int result = 0;

	if (s->lines && s->line.len)
		result = take_line(s, buf_slice(&s->line), fn, state);
	buf_reset(&s->line);
	return result;
}

void
sse_reset(struct sse *s)
{
	buf_reset(&s->line);
	buf_reset(&s->name);
	buf_reset(&s->data);
	s->cr = s->any = s->started = false;
}

void
sse_free(struct sse *s)
{
	buf_free(&s->line);
	buf_free(&s->name);
	buf_free(&s->data);
	*s = (struct sse){0};
}
