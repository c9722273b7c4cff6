#include "common/url.h"

struct slice
url_host(struct slice url)
{
	const char *at = memmem(url.ptr, url.len, "://", 3);
	struct slice host;
	size_t n = 0;

	if (at == NULL)
		return (struct slice){url.ptr, 0};
	host = (struct slice){at + 3, url.len - (size_t)(at + 3 - url.ptr)};
	if (host.len && host.ptr[0] == '[') {
		while (n < host.len && host.ptr[n] != ']')
			n++;
	}
	/* Also behind a bracket: [::1].evil is no loopback. */
	while (n < host.len && !memchr(":/?#", host.ptr[n], 4))
		n++;
	return (struct slice){host.ptr, n};
}

void
url_escape(struct buf *out, struct slice text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (size_t i = 0; i < text.len; i++) {
		if (memchr(plain, text.ptr[i], sizeof(plain) - 1))
			buf_addc(out, text.ptr[i]);
		else
			buf_addf(out, "%%%02X", (unsigned char)text.ptr[i]);
	}
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void
url_unescape(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		int high = -1, low = -1;

		if (text.ptr[i] == '%' && text.len - i > 2) {
			high = digit(text.ptr[i + 1]);
			low = digit(text.ptr[i + 2]);
		}
		if (high >= 0 && low >= 0) {
			buf_addc(out, (char)(high << 4 | low));
			i += 2;
		} else {
			buf_addc(out, text.ptr[i]);
		}
	}
}
