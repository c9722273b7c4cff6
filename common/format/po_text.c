/* The small print of PO: header fields, flags, and the codec of its strings. */
#include "common/format/po.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

/* The value of a header field ("Language"), or false. */
static bool
header_field(struct slice header, const char *field, struct slice *value)
{
	const char *p = header.len ? header.ptr : "", *end = p + header.len;
	size_t n = strlen(field);

	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((lf ? lf : end) - p);
		if (len > n && p[n] == ':' && strncasecmp(p, field, n) == 0) {
			*value = slice_trim((struct slice){p + n + 1, len - n - 1});
			return true;
		}
		p += len + 1;
	}
	return false;
}

struct slice
po_charset(struct slice type)
{
	const char *at = memmem(type.ptr, type.len, "charset=", 8);
	size_t n = 0;

	if (!at)
		return (struct slice){"", 0};
	at += 8;
	while (at + n < type.ptr + type.len &&
	       (isalnum((unsigned char)at[n]) || strchr("-_.:", at[n])) && at[n])
		n++;
	return (struct slice){at, n};
}

void
po_take_header(struct catalog *c, struct slice header)
{
	struct slice value;

	if (header_field(header, "Language", &value) && value.len)
		c->locale = c->locale_member = value;
	if (header_field(header, "Content-Type", &value) && po_charset(value).len)
		c->charset = po_charset(value);
	if (header_field(header, "Plural-Forms", &value) && value.len) {
		const char *n = memmem(value.ptr, value.len, "nplurals=", 9);
		c->plural_forms = value;
		/* The slice ends in a line break or a quote: strtoul stops there. */
		unsigned long count =
		    n && isdigit((unsigned char)n[9]) ? strtoul(n + 9, NULL, 10) : 0;
		c->nplurals = count <= CATALOG_FORMS ? count : 0;
	}
}

char
po_line(struct slice line, struct slice *rest)
{
	char mark;

	while (line.len && isspace((unsigned char)*line.ptr)) {
		line.ptr++;
		line.len--;
	}
	*rest = line;
	if (!line.len || *line.ptr != '#')
		return line.len ? '\0' : ' ';
	mark = line.len > 1 && strchr(".:,=|~", line.ptr[1]) && line.ptr[1] ? line.ptr[1] : '#';
	size_t n = mark == '#' ? 1 : 2;
	*rest = (struct slice){line.ptr + n, line.len - n};
	return mark;
}

bool
po_flag(struct slice flags, const char *word)
{
	const char *p = flags.len ? flags.ptr : "", *end = p + flags.len;

	while (p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		struct slice one = {p, (size_t)((comma ? comma : end) - p)};
		if (slice_is(slice_trim(one), word))
			return true;
		p += one.len + 1;
	}
	return false;
}

void
po_quote(struct slice text, struct buf *out)
{
	static const char plain[] = "\a\b\t\n\v\f\r", names[] = "abtnvfr";
	const char *at;

	buf_addc(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		char ch = text.ptr[i];
		if (ch == '"' || ch == '\\') {
			buf_addc(out, '\\');
			buf_addc(out, ch);
		} else if (ch && (at = strchr(plain, ch))) {
			buf_addc(out, '\\');
			buf_addc(out, names[at - plain]);
		} else if ((unsigned char)ch < 0x20) {
			buf_addf(out, "\\%03o", (unsigned)ch);
		} else {
			buf_addc(out, ch);
		}
	}
	buf_addc(out, '"');
}

const char *
po_format(struct slice flags, struct slice source)
{
	const char *p = flags.len ? flags.ptr : "", *end = p + flags.len;

	while (p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		struct slice one = {p, (size_t)((comma ? comma : end) - p)};
		p += one.len + 1;
		one = slice_trim(one);
		if (slice_ends(one, "brace-format"))
			return slice_starts(one, "no-") ? "plain" : "icu";
		if (slice_ends(one, "-format") && !slice_starts(one, "no-"))
			return "printf";
	}
	return catalog_guess_format(source);
}

static int
hex_digit(char ch)
{
	if (isdigit((unsigned char)ch))
		return ch - '0';
	return isxdigit((unsigned char)ch) ? (ch | 0x20) - 'a' + 10 : -1;
}

void
po_put(const char *keyword, struct slice text, struct buf *out)
{
	const char *p = text.len ? text.ptr : "", *end = p + text.len;
	const char *lf = text.len ? memchr(p, '\n', text.len - 1) : NULL;

	buf_adds(out, keyword);
	buf_addc(out, ' ');
	if (!lf) {
		po_quote(text, out);
		buf_addc(out, '\n');
		return;
	}
	buf_adds(out, "\"\"\n");
	while (p < end) {
		lf = memchr(p, '\n', (size_t)(end - p));
		size_t len = lf ? (size_t)(lf - p) + 1 : (size_t)(end - p);
		po_quote((struct slice){p, len}, out);
		buf_addc(out, '\n');
		p += len;
	}
}

/* p is behind a backslash; appends what is meant, returns its end or NULL. */
static const char *
decode_escape(const char *p, const char *end, struct buf *out)
{
	static const char names[] = "abtnvfr\"\\'?", values[] = "\a\b\t\n\v\f\r\"\\'?";
	const char *at;
	int value = 0, digits = 0;

	if (p == end)
		return NULL;
	if (*p && (at = strchr(names, *p))) {
		buf_addc(out, values[at - names]);
		return p + 1;
	}
	if (*p == 'x') {
		for (p++; p < end && digits < 2 && hex_digit(*p) >= 0; p++, digits++)
			value = value * 16 + hex_digit(*p);
	} else {
		for (; p < end && digits < 3 && *p >= '0' && *p <= '7'; p++, digits++)
			value = value * 8 + (*p - '0');
	}
	/* NUL would end the text for every program that reads the MO. */
	if (digits == 0 || value == 0 || value > 255)
		return NULL;
	buf_addc(out, (char)value);
	return p;
}

const char *
po_decode(struct slice text, struct buf *out)
{
	const char *p = text.len ? text.ptr : "", *end = p + text.len;

	while (p < end) {
		const char *back = memchr(p, '\\', (size_t)(end - p));
		buf_add(out, p, (size_t)((back ? back : end) - p));
		if (!back)
			break;
		p = decode_escape(back + 1, end, out);
		if (!p)
			return back;
	}
	return NULL;
}
