/* A PO in any charset, as UTF-8, before it is parsed. */
#include "common/format/po.h"

#include "common/format/charset.h"

#include <ctype.h>

/* The end of the lines of strings that follow p, which is at a keyword. */
static const char *
strings_end(const char *p, const char *end)
{
	while ((p = memchr(p, '\n', (size_t)(end - p)))) {
		for (p++; p < end && isspace((unsigned char)*p);)
			p++;
		if (p == end || *p != '"')
			return p;
	}
	return end;
}

/*
 * The charset that the header names, which must be known before anything is
 * read: the header is looked for as bytes, an empty msgid that its msgstr
 * follows.
 */
static struct slice
header_charset(struct slice text)
{
	static const char empty[] = "msgid \"\"";
	const char *end = text.ptr + text.len, *p = text.ptr, *type;

	while ((p = memmem(p, (size_t)(end - p), empty, sizeof(empty) - 1))) {
		for (p += sizeof(empty) - 1; p < end && isspace((unsigned char)*p);)
			p++;
		if (end - p < 6 || memcmp(p, "msgstr", 6) != 0)
			continue;
		end = strings_end(p, end);
		type = memmem(p, (size_t)(end - p), "Content-Type:", 13);
		if (type)
			return po_charset((struct slice){type, (size_t)(end - type)});
		break;
	}
	return (struct slice){"", 0};
}

int
po_to_utf8(struct catalog *c, struct err *e)
{
	struct slice charset = header_charset(c->text);
	struct buf text = {0};
	struct charset *from;
	int rc;

	if (charset_is_utf8(charset))
		return 0;
	if ((from = charset_open(charset, e)) == NULL)
		return -1;
	rc = charset_convert(from, c->text, &text, e);
	charset_close(from);
	if (rc < 0) {
		buf_free(&text);
		return -1;
	}
	buf_free(&c->content);
	c->content = text;
	c->text = buf_slice(&c->content);
	c->converted = true;
	return 0;
}
