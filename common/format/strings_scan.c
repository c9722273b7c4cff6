/* One pass: white space and comments, then key = value;. */
#include "common/format/strings_scan.h"

#include "common/format/mark.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

struct scanner {
	struct strings_file *f;
	struct slice text;
	size_t at;
	struct buf decoded;
	/* The comments that were skipped last, before the next key. */
	struct catalog_span comment, mark;
	bool line_comment; /* the comment is one of //, which go on */
	struct err *e; /* never NULL */
};

/* NeXTSTEP's characters from 0x80 on (Unicode's NEXTSTEP.TXT). */
static const unsigned short nextstep[128] = {0xa0, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc7, 0xc8,
    0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd9, 0xda,
    0xdb, 0xdc, 0xdd, 0xde, 0xb5, 0xd7, 0xf7, 0xa9, 0xa1, 0xa2, 0xa3, 0x2044, 0xa5, 0x192, 0xa7,
    0xa4, 0x2019, 0x201c, 0xab, 0x2039, 0x203a, 0xfb01, 0xfb02, 0xae, 0x2013, 0x2020, 0x2021, 0xb7,
    0xa6, 0xb6, 0x2022, 0x201a, 0x201e, 0x201d, 0xbb, 0x2026, 0x2030, 0xac, 0xbf, 0xb9, 0x2cb,
    0xb4, 0x2c6, 0x2dc, 0xaf, 0x2d8, 0x2d9, 0xa8, 0xb2, 0x2da, 0xb8, 0xb3, 0x2dd, 0x2db, 0x2c7,
    0x2014, 0xb1, 0xbc, 0xbd, 0xbe, 0xe0, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe7, 0xe8, 0xe9, 0xea,
    0xeb, 0xec, 0xc6, 0xed, 0xaa, 0xee, 0xef, 0xf0, 0xf1, 0x141, 0xd8, 0x152, 0xba, 0xf2, 0xf3,
    0xf4, 0xf5, 0xf6, 0xe6, 0xf9, 0xfa, 0xfb, 0x131, 0xfc, 0xfd, 0x142, 0xf8, 0x153, 0xdf, 0xfe,
    0xff, 0xfffd, 0xfffd};

static int __attribute__((format(printf, 3, 4)))
wrong(struct scanner *s, size_t at, const char *format, ...)
{
	struct catalog_cursor cursor = {0};
	char text[300];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	err_set(s->e, "bad_catalog", "%s", text);
	catalog_seek(&cursor, s->text, at, &s->e->line, &s->e->column);
	return -1;
}

static char
peek(const struct scanner *s, size_t more)
{
	return s->at + more < s->text.len ? s->text.ptr[s->at + more] : '\0';
}

/* Bytes of white space at a place, U+2028 and U+2029 included; 0: none. */
static size_t
blank(const struct scanner *s)
{
	char c = peek(s, 0);

	if (s->at < s->text.len && c && strchr(" \t\n\r\v\f", c))
		return 1;
	return c == '\xe2' && peek(s, 1) == '\x80' && (peek(s, 2) == '\xa8' || peek(s, 2) == '\xa9')
	    ? 3
	    : 0;
}

/* The comment that starts here, from its first slash to its end; len 0: none does. */
static int
read_comment(struct scanner *s, struct catalog_span *span)
{
	const char *end;

	*span = (struct catalog_span){s->at, s->at};
	if (peek(s, 0) != '/' || (peek(s, 1) != '/' && peek(s, 1) != '*'))
		return 0;
	if (peek(s, 1) == '*') {
		end = memmem(s->text.ptr + s->at + 2, s->text.len - s->at - 2, "*/", 2);
		if (!end)
			return wrong(s, s->at, "the comment is never closed: '*/' is missing");
		span->end = (size_t)(end - s->text.ptr) + 2;
		return 0;
	}
	end = memchr(s->text.ptr + s->at, '\n', s->text.len - s->at);
	span->end = end ? (size_t)(end - s->text.ptr) : s->text.len;
	if (end && end[-1] == '\r')
		span->end--;
	return 0;
}

/* What stands between a comment's delimiters. */
static struct slice
inside(const struct scanner *s, struct catalog_span c)
{
	size_t tail = s->text.ptr[c.start + 1] == '*' ? 2 : 0;

	return (struct slice){s->text.ptr + c.start + 2, c.end - c.start - 2 - tail};
}

static void
take_comment(struct scanner *s, struct catalog_span c)
{
	struct mark mark;
	bool line = s->text.ptr[c.start + 1] == '/';

	if (mark_read(inside(s, c), &mark)) {
		s->mark = c;
		return;
	}
	/* Lines of // that follow each other are one. */
	if (line && s->line_comment && s->comment.end)
		c.start = s->comment.start;
	s->line_comment = line;
	s->comment = c;
}

/* White space and comments; those above a blank line belong to nothing. */
static int
skip(struct scanner *s)
{
	struct catalog_span c;
	unsigned lines = 0;
	size_t n;

	s->comment = s->mark = (struct catalog_span){0, 0};
	s->line_comment = false;
	for (;;) {
		if ((n = blank(s))) {
			lines += peek(s, 0) == '\n';
			s->at += n;
			if (lines > 1)
				s->comment = (struct catalog_span){0, 0};
			continue;
		}
		if (read_comment(s, &c) < 0)
			return -1;
		if (c.end == c.start)
			return 0;
		take_comment(s, c);
		s->at = c.end;
		lines = 0;
	}
}

/* -- strings -- */

static bool
is_bare(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_$/:.-", c));
}

static unsigned
hex_digit(char c)
{
	return isdigit((unsigned char)c) ? (unsigned)(c - '0')
					 : (unsigned)(tolower((unsigned char)c) - 'a' + 10);
}

/* Up to four hex digits behind \U. */
static uint32_t
read_unit(struct scanner *s)
{
	uint32_t unit = 0;

	for (int i = 0; i < 4 && isxdigit((unsigned char)peek(s, 0)); i++, s->at++)
		unit = unit << 4 | hex_digit(peek(s, 0));
	return unit;
}

static void
read_unicode(struct scanner *s)
{
	uint32_t unit = read_unit(s), low;
	size_t mark = s->at;

	if (unit >= 0xd800 && unit < 0xdc00 && peek(s, 0) == '\\' && peek(s, 1) == 'U') {
		s->at += 2;
		low = read_unit(s);
		if (low >= 0xdc00 && low < 0xe000)
			unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
		else
			s->at = mark;
	}
	buf_addutf8(&s->decoded, unit);
}

static void
read_octal(struct scanner *s)
{
	unsigned byte = 0;

	for (int i = 0; i < 3 && peek(s, 0) >= '0' && peek(s, 0) <= '7'; i++, s->at++)
		byte = (byte << 3 | (unsigned)(peek(s, 0) - '0')) & 0xff;
	buf_addutf8(&s->decoded, byte < 128 ? byte : nextstep[byte - 128]);
}

/* What stands behind a backslash. */
static void
read_escape(struct scanner *s, const char **fault)
{
	static const char from[] = "abfnrtv", to[] = "\a\b\f\n\r\t\v";
	char c = peek(s, 0);
	const char *known = c ? strchr(from, c) : NULL;

	if (c >= '0' && c <= '7') {
		read_octal(s);
		return;
	}
	s->at++;
	if (c == 'U') {
		if (!isxdigit((unsigned char)peek(s, 0)))
			*fault = "'\\U' without hexadecimal digits";
		read_unicode(s);
	} else if (known) {
		buf_addc(&s->decoded, to[known - from]);
	} else {
		if (isalpha((unsigned char)c))
			*fault = c == 'u' ? "Apple reads '\\u' as 'u': write '\\U'"
					  : "an escape that Apple does not know";
		buf_addc(&s->decoded, c);
	}
}

static struct slice
take_decoded(struct scanner *s)
{
	struct slice text = buf_slice(&s->decoded);

	return (struct slice){arena_copy(&s->f->arena, text.ptr, text.len), text.len};
}

/* A quoted or bare string: -1 where none is here. */
static int
read_string(struct scanner *s, struct slice *text, struct catalog_span *span, const char **fault)
{
	char quote = peek(s, 0);

	span->start = s->at;
	buf_reset(&s->decoded);
	if (quote != '"' && quote != '\'') {
		while (is_bare(peek(s, 0)))
			buf_addc(&s->decoded, s->text.ptr[s->at++]);
		span->end = s->at;
		*text = take_decoded(s);
		return text->len ? 0 : -1;
	}
	for (s->at++; s->at < s->text.len && peek(s, 0) != quote;) {
		const char *p = s->text.ptr + s->at;
		size_t left = s->text.len - s->at, n = 0;
		while (n < left && p[n] != quote && p[n] != '\\')
			n++;
		buf_add(&s->decoded, p, n);
		s->at += n;
		if (n < left && p[n] == '\\') {
			s->at++;
			if (s->at < s->text.len)
				read_escape(s, fault);
		}
	}
	if (s->at >= s->text.len)
		return wrong(s, span->start, "the string is never closed: '%c' is missing", quote);
	span->end = ++s->at;
	*text = take_decoded(s);
	return 0;
}

/* -- items -- */

static int
shown(struct slice key)
{
	return (int)(key.len < 80 ? key.len : 80);
}

/* The end of the item's line, comments in it included, where nothing else is in it. */
static int
find_line_end(struct scanner *s, struct strings_item *item)
{
	size_t mark = s->at;
	struct catalog_span c;

	item->line_end = s->at;
	for (;;) {
		while (peek(s, 0) == ' ' || peek(s, 0) == '\t')
			s->at++;
		if (read_comment(s, &c) < 0)
			return -1;
		if (c.end == c.start ||
		    memchr(s->text.ptr + c.start, '\n', c.end - c.start))
			break;
		s->at = c.end;
	}
	if (s->at == s->text.len || peek(s, 0) == '\n' || (peek(s, 0) == '\r' && peek(s, 1) == '\n'))
		item->line_end = s->at;
	else
		s->at = mark;
	return 0;
}

static int
read_value(struct scanner *s, struct strings_item *item)
{
	char c;

	item->value = item->key;
	if (peek(s, 0) == '=') {
		s->at++;
		if (skip(s) < 0)
			return -1;
		c = peek(s, 0);
		if (c != '"' && c != '\'' && !is_bare(c))
			return wrong(s, s->at, "the value of '%.*s' is no string", shown(item->key),
			    item->key.ptr);
		if (read_string(s, &item->value, &item->text, &item->fault) < 0)
			return -1;
		size_t end = s->at;
		if (skip(s) < 0)
			return -1;
		if (peek(s, 0) != ';')
			return wrong(s, end, "';' is missing after the value of '%.*s'",
			    shown(item->key), item->key.ptr);
	} else if (peek(s, 0) == ';') {
		item->text = (struct catalog_span){item->name.end, item->name.end};
	} else {
		return wrong(s, item->name.end, "'=' or ';' is missing after the key '%.*s'",
		    shown(item->key), item->key.ptr);
	}
	item->end = ++s->at;
	return find_line_end(s, item);
}

static int
read_item(struct scanner *s)
{
	struct strings_item item = {.comment = {"", 0}, .mark = s->mark};

	if (s->comment.end)
		item.comment = slice_trim(inside(s, s->comment));
	item.comment_start = s->comment.start;
	if (s->mark.end)
		item.mark_text = inside(s, s->mark);
	if (read_string(s, &item.key, &item.name, &item.fault) < 0)
		return s->e->code ? -1 : wrong(s, s->at, "a key is expected here");
	if (skip(s) < 0 || read_value(s, &item) < 0)
		return -1;
	s->f->v = xgrow(s->f->v, s->f->n, &s->f->cap, sizeof(*s->f->v));
	s->f->v[s->f->n++] = item;
	return 0;
}

static int
read_items(struct scanner *s)
{
	bool braces;

	if (slice_starts(s->text, "bplist0") || slice_starts(slice_trim(s->text), "<?xml") ||
	    slice_starts(slice_trim(s->text), "<!DOCTYPE"))
		return wrong(s, 0, "a property list and no text of \"key\" = \"value\";: only "
				   "the text format is read");
	if (skip(s) < 0)
		return -1;
	braces = peek(s, 0) == '{';
	s->at += braces;
	if (braces && skip(s) < 0)
		return -1;
	while (s->at < s->text.len && !(braces && peek(s, 0) == '}'))
		if (read_item(s) < 0 || skip(s) < 0)
			return -1;
	s->f->content_end = s->at;
	if (!braces)
		return 0;
	if (s->at == s->text.len)
		return wrong(s, s->at, "'}' is missing at the end");
	s->at++;
	if (skip(s) < 0)
		return -1;
	return s->at == s->text.len ? 0 : wrong(s, s->at, "something stands behind the last '}'");
}

int
strings_scan(struct slice text, struct strings_file *f, struct err *e)
{
	struct err own = {0};
	struct scanner s = {.f = f, .text = text, .e = &own};
	size_t valid = utf8_valid(text.ptr, text.len);
	int rc;

	*f = (struct strings_file){.text = text};
	if (valid < text.len) {
		wrong(&s, valid, "bytes that are not UTF-8");
		own.code = "bad_utf8";
		rc = -1;
	} else {
		rc = read_items(&s);
	}
	if (rc < 0 && e)
		*e = own;
	buf_free(&s.decoded);
	return rc;
}

void
strings_scan_free(struct strings_file *f)
{
	free(f->v);
	arena_free(&f->arena);
	*f = (struct strings_file){0};
}

void
strings_quote(struct slice text, struct buf *out)
{
	static const char from[] = "\"\\\n\t\r", to[] = "\"\\ntr";

	buf_addc(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		const char *known = c ? strchr(from, c) : NULL;
		if (known)
			buf_addf(out, "\\%c", to[known - from]);
		else if (c < ' ' || c == 0x7f)
			buf_addf(out, "\\U%04x", c);
		else
			buf_addc(out, (char)c);
	}
	buf_addc(out, '"');
}
