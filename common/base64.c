#include "common/base64.h"

static const char standard[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char urlsafe[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void
put(struct buf *b, struct slice s, const char *digits, bool padded)
{
	const unsigned char *p = (const unsigned char *)s.ptr;

	buf_room(b, s.len / 3 * 4 + 4);
	for (size_t i = 0; i < s.len; i += 3) {
		size_t n = s.len - i < 3 ? s.len - i : 3;
		uint32_t v = (uint32_t)p[i] << 16;

		if (n > 1)
			v |= (uint32_t)p[i + 1] << 8;
		if (n > 2)
			v |= p[i + 2];
		buf_addc(b, digits[v >> 18]);
		buf_addc(b, digits[v >> 12 & 63]);
		if (n > 1)
			buf_addc(b, digits[v >> 6 & 63]);
		if (n > 2)
			buf_addc(b, digits[v & 63]);
		for (; padded && n < 3; n++)
			buf_addc(b, '=');
	}
}

void
base64_put(struct buf *b, struct slice bytes)
{
	put(b, bytes, standard, true);
}

void
base64url_put(struct buf *b, struct slice bytes)
{
	put(b, bytes, urlsafe, false);
}

/* What a character means, or -1. */
static int
digit(unsigned char c, char last, char last_but_one)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == (unsigned char)last_but_one ? 62 : c == (unsigned char)last ? 63 : -1;
}

/* Text without its padding. Bits that make no byte must be 0, or a value had several spellings. */
static bool
get(struct buf *out, struct slice text, const char *digits)
{
	uint32_t bits = 0;
	unsigned n = 0;

	buf_room(out, text.len / 4 * 3 + 3);
	for (size_t i = 0; i < text.len; i++) {
		int v = digit((unsigned char)text.ptr[i], digits[63], digits[62]);

		if (v < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		if ((n += 6) >= 8)
			buf_addc(out, (char)(bits >> (n -= 8) & 0xFF));
	}
	return n < 6 && (bits & ((1u << n) - 1)) == 0;
}

bool
base64_get(struct buf *out, struct slice text)
{
	size_t padding = 0;

	while (padding < 2 && padding < text.len && text.ptr[text.len - 1 - padding] == '=')
		padding++;
	return get(out, (struct slice){text.ptr, text.len - padding}, standard) &&
	    text.len % 4 == 0;
}

bool
base64url_get(struct buf *out, struct slice text)
{
	return get(out, text, urlsafe);
}
