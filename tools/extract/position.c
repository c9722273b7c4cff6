#include "tools/extract/position.h"

/* The end of the line that `at` lies in, behind its line break; 0: it is the last. */
static size_t
next_line(const struct position *p, size_t at)
{
	const char *text = p->text.ptr;
	size_t end = p->text.len;
	const char *lf;

	if (!p->lone_cr) {
		lf = memchr(text + at, '\n', end - at);
		return lf ? (size_t)(lf - text) + 1 : 0;
	}
	while (at < end && text[at] != '\n' && text[at] != '\r')
		at++;
	if (at == end)
		return 0;
	return at + (text[at] == '\r' && at + 1 < end && text[at + 1] == '\n' ? 2 : 1);
}

bool
position_lone_cr(struct slice text)
{
	const char *end = text.ptr + text.len, *cr = text.ptr;

	while (cr < end && (cr = memchr(cr, '\r', (size_t)(end - cr))) != NULL)
		if (++cr == end || *cr != '\n')
			return true;
	return false;
}

struct position
position_start(struct slice text)
{
	struct position p = {.text = text, .line = 1, .column = 1,
		.at = slice_starts(text, "\xef\xbb\xbf") ? 3 : 0,
		.lone_cr = position_lone_cr(text)};

	p.next = next_line(&p, p.at);
	return p;
}

void
position_find(struct position *p, size_t at, size_t *line, size_t *column)
{
	if (at < p->at)
		*p = position_start(p->text);
	while (p->next != 0 && p->next <= at) {
		p->line++;
		p->column = 1;
		p->at = p->next;
		p->next = next_line(p, p->at);
	}
	if (at > p->at) {
		p->column += utf8_count(p->text.ptr + p->at, at - p->at);
		p->at = at;
	}
	*line = p->line;
	*column = p->column;
}
