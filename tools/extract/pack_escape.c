#include "tools/extract/pack_escape.h"

/* Up to `most` digits of the base at text[at]; how many there were. */
static size_t
digits(struct slice text, size_t at, unsigned base, size_t most, uint32_t *value)
{
	size_t n = 0;

	*value = 0;
	for (; n < most && at + n < text.len; n++) {
		char c = text.ptr[at + n], letter = (char)(c | 32);
		unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0') :
		    letter >= 'a' && letter <= 'f' ? (unsigned)(letter - 'a') + 10 : 99;

		if (digit >= base)
			break;
		*value = *value * base + digit;
	}
	return n;
}

/* uHHHH, or a surrogate pair as uHHHH\uHHHH. */
static size_t
four_digits(struct slice text, uint32_t *value)
{
	uint32_t low;

	if (digits(text, 1, 16, 4, value) < 4)
		return 0;
	if (*value < 0xD800 || *value > 0xDBFF || text.len < 7 ||
	    memcmp(text.ptr + 5, "\\u", 2) != 0 || digits(text, 7, 16, 4, &low) < 4 ||
	    low < 0xDC00 || low > 0xDFFF)
		return 5;
	*value = 0x10000 + ((*value - 0xD800) << 10) + (low - 0xDC00);
	return 11;
}

size_t
escape_number(struct slice text, unsigned escapes, uint32_t *value)
{
	char c = text.len ? text.ptr[0] : '\0';
	size_t n;

	if (c == 'u' && (escapes & ESCAPE_BRACES) && text.len > 1 && text.ptr[1] == '{') {
		n = digits(text, 2, 16, 6, value);
		return n && 2 + n < text.len && text.ptr[2 + n] == '}' ? n + 3 : 0;
	}
	if (c == 'u' && (escapes & ESCAPE_HEX4))
		return four_digits(text, value);
	if (c == 'x' && (escapes & ESCAPE_HEX2)) {
		n = digits(text, 1, 16, 2, value);
		return n ? n + 1 : 0;
	}
	if (c == 'U' && (escapes & ESCAPE_HEX8))
		return digits(text, 1, 16, 8, value) == 8 ? 9 : 0;
	if ((escapes & ESCAPE_OCTAL) && c >= '0' && c <= '7')
		return digits(text, 0, 8, 3, value);
	return 0;
}
