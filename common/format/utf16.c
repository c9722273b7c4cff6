#include "common/format/utf16.h"

#include "common/format/charset.h"

struct slice
utf16_charset(struct slice text)
{
	if (slice_starts(text, "\xff\xfe"))
		return S("UTF-16LE");
	return slice_starts(text, "\xfe\xff") ? S("UTF-16BE") : S("");
}

int
utf16_decode(struct slice text, struct buf *out, struct err *e)
{
	struct charset *c = charset_open(utf16_charset(text), e);
	int rc;

	if (!c)
		return -1;
	rc = charset_convert(c, (struct slice){text.ptr + 2, text.len - 2}, out, e);
	charset_close(c);
	return rc;
}

static void
add_unit(uint32_t unit, bool little, struct buf *out)
{
	buf_addc(out, (char)(little ? unit & 0xff : unit >> 8));
	buf_addc(out, (char)(little ? unit >> 8 : unit & 0xff));
}

void
utf16_encode(struct slice text, struct slice charset, struct buf *out)
{
	bool little = slice_is(charset, "UTF-16LE");
	uint32_t c;

	add_unit(0xfeff, little, out);
	for (size_t i = 0, n; i < text.len; i += n) {
		n = utf8_decode(text.ptr + i, text.len - i, &c);
		if (!n) {
			c = 0xfffd;
			n = 1;
		}
		if (c < 0x10000) {
			add_unit(c, little, out);
			continue;
		}
		add_unit(0xd800 + ((c - 0x10000) >> 10), little, out);
		add_unit(0xdc00 + ((c - 0x10000) & 0x3ff), little, out);
	}
}
