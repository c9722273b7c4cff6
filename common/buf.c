#include "common/buf.h"

#include "common/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/die.h"

int
slice_cmp(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n ? memcmp(a.ptr, b.ptr, n) : 0;

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct slice
slice_trim(struct slice s)
{
	while (s.len && is_space(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}
	while (s.len && is_space(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

bool
slice_line(struct slice *rest, struct slice *line)
{
	const char *lf = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
	size_t n = lf ? (size_t)(lf - rest->ptr) : rest->len, behind = lf ? n + 1 : n;

	if (rest->len == 0)
		return false;
	*line = (struct slice){rest->ptr, n && rest->ptr[n - 1] == '\r' ? n - 1 : n};
	rest->ptr += behind;
	rest->len -= behind;
	return true;
}

char *
buf_room(struct buf *b, size_t more)
{
	size_t need;

	/* One byte extra for the NUL that every buf ends in. */
	if (__builtin_add_overflow(b->len, more, &need) || need == SIZE_MAX)
		die(STATUS_FAILED, "out of memory");
	if (++need > b->cap) {
		/* What comes in one large piece mostly stays as it is. */
		size_t cap = b->cap == 0 && need > 4096 ? need : b->cap < 64 ? 64 : b->cap;

		while (cap < need)
			cap = cap > SIZE_MAX / 2 ? need : cap * 2;
		b->ptr = xrealloc(b->ptr, cap);
		b->cap = cap;
	}
	return b->ptr + b->len;
}

void
buf_add(struct buf *b, const void *bytes, size_t len)
{
	char *at = buf_room(b, len);

	if (len)
		memcpy(at, bytes, len);
	b->len += len;
	b->ptr[b->len] = '\0';
}

void
buf_adds(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void
buf_addslice(struct buf *b, struct slice s)
{
	buf_add(b, s.ptr, s.len);
}

void
buf_addc(struct buf *b, char c)
{
	buf_room(b, 1);
	b->ptr[b->len++] = c;
	b->ptr[b->len] = '\0';
}

void
buf_addf(struct buf *b, const char *format, ...)
{
	va_list args, again;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		die(STATUS_FAILED, "cannot format a message");
	vsnprintf(buf_room(b, (size_t)len), (size_t)len + 1, format, again);
	va_end(again);
	b->len += (size_t)len;
}

void
buf_addutf8(struct buf *b, uint32_t c)
{
	char *at = buf_room(b, 4);
	size_t n;

	if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		c = 0xFFFD;
	if (c < 0x80) {
		at[0] = (char)c;
		n = 1;
	} else if (c < 0x800) {
		at[0] = (char)(0xC0 | c >> 6);
		at[1] = (char)(0x80 | (c & 0x3F));
		n = 2;
	} else if (c < 0x10000) {
		at[0] = (char)(0xE0 | c >> 12);
		at[1] = (char)(0x80 | (c >> 6 & 0x3F));
		at[2] = (char)(0x80 | (c & 0x3F));
		n = 3;
	} else {
		at[0] = (char)(0xF0 | c >> 18);
		at[1] = (char)(0x80 | (c >> 12 & 0x3F));
		at[2] = (char)(0x80 | (c >> 6 & 0x3F));
		at[3] = (char)(0x80 | (c & 0x3F));
		n = 4;
	}
	b->len += n;
	b->ptr[b->len] = '\0';
}

void
buf_add_visible(struct buf *b, struct slice text)
{
	size_t from = b->len;

	buf_addslice(b, text);
	buf_cut(b, from + utf8_visible(b->ptr + from, text.len));
}

void
buf_add_wrapped(struct buf *b, struct slice words, size_t column, size_t indent, size_t width)
{
	size_t start = column;

	while (words.len) {
		const char *blank = memchr(words.ptr, ' ', words.len);
		size_t n = blank ? (size_t)(blank - words.ptr) : words.len;
		size_t columns = utf8_count(words.ptr, n);

		if (column + columns > width && column > start) {
			buf_cut(b, b->len - 1); /* the blank before it */
			buf_addf(b, "\n%*s", (int)indent, "");
			column = start = indent;
		}
		buf_add(b, words.ptr, n);
		column += columns;
		if (blank) {
			buf_addc(b, ' ');
			column++;
			n++;
		}
		words = (struct slice){words.ptr + n, words.len - n};
	}
}

void
buf_splice(struct buf *b, size_t at, size_t drop, struct slice with)
{
	if (with.len > drop)
		buf_room(b, with.len - drop);
	if (b->ptr == NULL)
		return;
	memmove(b->ptr + at + with.len, b->ptr + at + drop, b->len - at - drop);
	if (with.len)
		memcpy(b->ptr + at, with.ptr, with.len);
	b->len = b->len - drop + with.len;
	b->ptr[b->len] = '\0';
}

void
buf_cut(struct buf *b, size_t len)
{
	if (len >= b->len)
		return;
	b->len = len;
	b->ptr[len] = '\0';
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
	if (b->ptr)
		b->ptr[0] = '\0';
}

char *
buf_detach(struct buf *b)
{
	char *bytes;

	buf_room(b, 0);
	b->ptr[b->len] = '\0';
	bytes = b->ptr;
	*b = (struct buf){0};
	return bytes;
}

void
buf_free(struct buf *b)
{
	free(b->ptr);
	*b = (struct buf){0};
}

size_t
utf8_decode(const char *text, size_t len, uint32_t *codepoint)
{
	const unsigned char *p = (const unsigned char *)text;
	uint32_t c = p[0], least;
	size_t n;

	if (c < 0x80) {
		*codepoint = c;
		return 1;
	}
	if (c >= 0xC2 && c <= 0xDF)
		n = 2, c &= 0x1F, least = 0x80;
	else if (c >= 0xE0 && c <= 0xEF)
		n = 3, c &= 0x0F, least = 0x800;
	else if (c >= 0xF0 && c <= 0xF4)
		n = 4, c &= 0x07, least = 0x10000;
	else
		return 0;
	if (n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3F);
	}
	if (c < least || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		return 0;
	*codepoint = c;
	return n;
}

size_t
utf8_valid(const char *text, size_t len)
{
	size_t i = 0, n;
	uint32_t c;

	while (i < len) {
		uint64_t eight;

		/* Source text and records are mostly ASCII: eight bytes at a time. */
		while (len - i >= sizeof(eight)) {
			memcpy(&eight, text + i, sizeof(eight));
			if (eight & 0x8080808080808080u)
				break;
			i += sizeof(eight);
		}
		if (i == len)
			break;
		n = utf8_decode(text + i, len - i, &c);
		if (n == 0)
			break;
		i += n;
	}
	return i;
}

size_t
utf8_count(const char *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += (text[i] & 0xC0) != 0x80;
	return count;
}

size_t
utf8_visible(char *text, size_t len)
{
	size_t at = 0, out = 0, n;
	uint32_t c;

	while (at < len) {
		n = utf8_decode(text + at, len - at, &c);
		if (n == 0 || c < 0x20 || (c >= 0x7F && c <= 0x9F)) {
			text[out++] = n && c == '\t' ? ' ' : '?';
			at += n ? n : 1;
			continue;
		}
		memmove(text + out, text + at, n);
		out += n;
		at += n;
	}
	return out;
}
