/* iconv behind an interface of slices. */
#include "common/format/charset.h"

#include "common/mem.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <strings.h>

struct charset {
	iconv_t conversion;
	char name[40];
};

bool
charset_is_utf8(struct slice charset)
{
	static const char *const same[] = {"utf-8", "utf8", "us-ascii", "ascii", "charset", ""};

	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++)
		if (charset.len == strlen(same[i]) &&
		    strncasecmp(charset.ptr ? charset.ptr : "", same[i], charset.len) == 0)
			return true;
	return false;
}

struct charset *
charset_open(struct slice charset, struct err *e)
{
	struct charset *c = xcalloc(1, sizeof(*c));

	if (charset.len < sizeof(c->name) && !memchr(charset.ptr, '/', charset.len)) {
		memcpy(c->name, charset.ptr, charset.len);
		c->conversion = iconv_open("UTF-8", c->name);
		if (c->conversion != (iconv_t)-1)
			return c;
	}
	free(c);
	err_set(e, "bad_charset", "an unknown charset, '%.*s'",
	    (int)(charset.len > 40 ? 40 : charset.len), charset.ptr);
	return NULL;
}

int
charset_convert(struct charset *c, struct slice text, struct buf *out, struct err *e)
{
	/* iconv does not write to its input, but its prototype cannot say so. */
	char *in = (char *)(uintptr_t)text.ptr, *to;
	size_t left = text.len, room;

	iconv(c->conversion, NULL, NULL, NULL, NULL);
	while (left) {
		room = left * 3 + 16;
		to = buf_room(out, room);
		size_t rc = iconv(c->conversion, &in, &left, &to, &room);
		out->len = (size_t)(to - out->ptr);
		out->ptr[out->len] = '\0';
		if (rc == (size_t)-1 && errno != E2BIG)
			return err_set(e, "bad_charset", "bytes that are not %s", c->name);
	}
	return 0;
}

void
charset_close(struct charset *c)
{
	if (c) {
		iconv_close(c->conversion);
		free(c);
	}
}
