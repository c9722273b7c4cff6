#include "tools/extract/position.h"

/* The end of the line that `at` lies in, behind its line break; 0: it is the last. */
static size_t
next_line(const struct position *p, size_t at)
{
	const char *from = p->text.ptr + at;
	size_t len = p->text.len - at;
	const char *lf = memchr(from, '\n', len);
	const char *cr = p->cr ? memchr(from, '\r', lf ? (size_t)(lf - from) : len) : NULL;

	if (cr != NULL && cr + 1 == lf)
		cr = NULL;
	if (cr == NULL)
		cr = lf;
	return cr ? (size_t)(cr - p->text.ptr) + 1 : 0;
}

struct position
position_start(struct slice text)
{
	struct position p = {.text = text, .line = 1, .column = 1,
		.at = slice_starts(text, "\xef\xbb\xbf") ? 3 : 0,
		.cr = text.len > 0 && memchr(text.ptr, '\r', text.len) != NULL};

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
