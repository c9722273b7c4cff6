/*
 * The string codec: between a JSON string and the UTF-8 that it means.
 */
#include "common/json.h"

static uint32_t
hex4(const char *p)
{
	uint32_t c = 0;

	for (int i = 0; i < 4; i++) {
		char d = p[i];

		c = c << 4 | (uint32_t)(d <= '9' ? d - '0' : (d | 0x20) - 'a' + 10);
	}
	return c;
}

/* p is at the backslash of an escape; appends what it means, returns its end. */
static const char *
decode_escape(const char *p, const char *end, struct buf *out)
{
	static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
	const char *name;
	uint32_t c, low;

	if (p[1] != 'u') {
		name = strchr(names, p[1]);
		buf_addc(out, name ? values[name - names] : p[1]);
		return p + 2;
	}
	c = hex4(p + 2);
	p += 6;
	if (c >= 0xD800 && c <= 0xDBFF && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
		low = hex4(p + 2);
		if (low >= 0xDC00 && low <= 0xDFFF) {
			c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
			p += 6;
		}
	}
	buf_addutf8(out, c); /* a lone surrogate becomes U+FFFD there */
	return p;
}

bool
json_text(struct slice value, struct buf *out)
{
	const char *p, *end, *escape;

	if (value.len < 2 || value.ptr[0] != '"')
		return false;
	p = value.ptr + 1;
	end = value.ptr + value.len - 1;
	buf_room(out, (size_t)(end - p));
	while (p < end) {
		escape = memchr(p, '\\', (size_t)(end - p));
		if (escape == NULL)
			escape = end;
		buf_add(out, p, (size_t)(escape - p));
		p = escape < end ? decode_escape(escape, end, out) : end;
	}
	return true;
}

bool
json_get_text(struct slice object, const char *name, struct buf *out)
{
	struct slice value;

	buf_reset(out);
	return json_get(object, name, &value) && json_text(value, out);
}

bool
json_is(struct slice value, const char *text)
{
	size_t n = strlen(text);
	struct buf decoded = {0};
	bool same;

	if (value.len < 2 || value.ptr[0] != '"')
		return false;
	/* Nearly always there is no escape: the bytes decide. */
	if (memchr(value.ptr, '\\', value.len) == NULL)
		return value.len == n + 2 && memcmp(value.ptr + 1, text, n) == 0;
	json_text(value, &decoded);
	same = decoded.len == n && memcmp(decoded.ptr, text, n) == 0;
	buf_free(&decoded);
	return same;
}

/* The bytes that need an escape, or 0; for others than these \u00XX. */
static char
short_escape(char c)
{
	switch (c) {
	case '"':
	case '\\':
		return c;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return 0;
	}
}

static void
quote_bytes(struct buf *out, const char *p, size_t len)
{
	size_t from = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_add(out, p + from, i - from);
		if (short_escape(p[i])) {
			buf_addc(out, '\\');
			buf_addc(out, short_escape(p[i]));
		} else {
			buf_addf(out, "\\u%04x", c);
		}
		from = i + 1;
	}
	buf_add(out, p + from, len - from);
}

void
json_quote(struct buf *out, struct slice text)
{
	size_t at = 0, good;

	buf_room(out, text.len + 2);
	buf_addc(out, '"');
	while (at < text.len) {
		good = utf8_valid(text.ptr + at, text.len - at);
		quote_bytes(out, text.ptr + at, good);
		at += good;
		if (at < text.len) {
			buf_addutf8(out, 0xFFFD);
			at++;
		}
	}
	buf_addc(out, '"');
}
