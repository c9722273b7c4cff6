/* Escapes, and how a document is laid out. */
#include "common/format/xml_text.h"

#include <strings.h>

/* The encoding that the declaration names; empty: none. */
static struct slice
encoding_of(struct slice document)
{
	size_t len = document.len < 1024 ? document.len : 1024;
	const char *end = document.len ? memmem(document.ptr, len, "?>", 2) : NULL, *at;

	if (!slice_starts(document, "<?xml") || !end)
		return (struct slice){"", 0};
	at = memmem(document.ptr, (size_t)(end - document.ptr), "encoding", 8);
	if (!at)
		return (struct slice){"", 0};
	while (at < end && *at != '"' && *at != '\'')
		at++;
	if (at == end)
		return (struct slice){"", 0};
	const char *close = memchr(at + 1, *at, (size_t)(end - at - 1));
	return (struct slice){at + 1, close ? (size_t)(close - at - 1) : 0};
}

int
xml_text_check(struct slice document, struct err *e)
{
	struct slice name = encoding_of(document);
	bool wide = slice_starts(document, "\xfe\xff") || slice_starts(document, "\xff\xfe") ||
	    (document.len > 1 && memchr(document.ptr, '\0', 2));

	if (wide)
		return err_set(e, "bad_charset", "it is UTF-16: convert it to UTF-8");
	if (!name.len || (name.len == 5 && strncasecmp(name.ptr, "utf-8", 5) == 0) ||
	    (name.len == 8 && strncasecmp(name.ptr, "us-ascii", 8) == 0))
		return 0;
	return err_set(e, "bad_charset", "it is in '%.*s': convert it to UTF-8",
	    (int)(name.len < 40 ? name.len : 40), name.ptr);
}

void
xml_text_escape(struct slice text, bool attribute, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (c == '&')
			buf_adds(out, "&amp;");
		else if (c == '<')
			buf_adds(out, "&lt;");
		else if (c == '>')
			buf_adds(out, "&gt;");
		else if (c == '"' && attribute)
			buf_adds(out, "&quot;");
		else if (c == '\r' || ((c == '\n' || c == '\t') && attribute))
			buf_addf(out, "&#%d;", c);
		else
			buf_addc(out, c);
	}
}

void
xml_text_attribute(const char *name, struct slice text, struct buf *out)
{
	buf_addf(out, " %s=\"", name);
	xml_text_escape(text, true, out);
	buf_addc(out, '"');
}

void
xml_text_comment(struct slice text, struct buf *out)
{
	buf_adds(out, "<!--");
	for (size_t i = 0; i < text.len; i++) {
		buf_addc(out, text.ptr[i]);
		if (text.ptr[i] == '-' && (i + 1 == text.len || text.ptr[i + 1] == '-'))
			buf_addc(out, ' ');
	}
	buf_adds(out, "-->");
}

/* The next attribute from *at on: its name; false at the tag's end. */
static bool
next_attribute(struct slice tag, size_t *at, struct slice *name, struct xml_text_place *p)
{
	size_t i = *at;

	p->start = i;
	while (i < tag.len && strchr(" \t\r\n", tag.ptr[i]))
		i++;
	size_t from = i;
	while (i < tag.len && !strchr(" \t\r\n=>/", tag.ptr[i]))
		i++;
	*name = (struct slice){tag.ptr + from, i - from};
	while (i < tag.len && tag.ptr[i] != '"' && tag.ptr[i] != '\'' && tag.ptr[i] != '>')
		i++;
	if (!name->len || i == tag.len || tag.ptr[i] == '>')
		return false;
	const char *close = memchr(tag.ptr + i + 1, tag.ptr[i], tag.len - i - 1);
	if (!close)
		return false;
	p->value = i + 1;
	p->value_end = (size_t)(close - tag.ptr);
	*at = p->value_end + 1;
	return true;
}

static size_t
tag_name_end(struct slice tag)
{
	size_t i = 1;

	while (i < tag.len && !strchr(" \t\r\n>/", tag.ptr[i]))
		i++;
	return i;
}

bool
xml_text_find(struct slice tag, const char *name, struct xml_text_place *p)
{
	size_t at = tag_name_end(tag);
	struct slice found;

	while (next_attribute(tag, &at, &found, p))
		if (slice_is(found, name))
			return true;
	return false;
}

void
xml_text_set(struct edits *edits, struct slice tag, size_t at, const char *name,
    struct slice value)
{
	struct xml_text_place p;
	struct buf b = {0};

	if (xml_text_find(tag, name, &p)) {
		if (value.ptr)
			xml_text_escape(value, true, &b);
		edits_add(edits, at + (value.ptr ? p.value : p.start),
		    at + p.value_end + (value.ptr ? 0 : 1), buf_slice(&b));
	} else if (value.ptr) {
		xml_text_attribute(name, value, &b);
		at += tag_name_end(tag);
		edits_add(edits, at, at, buf_slice(&b));
	}
	buf_free(&b);
}

size_t
xml_text_legal(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
			return i;
		if (c == 0xef && i + 2 < text.len && (unsigned char)text.ptr[i + 1] == 0xbf &&
		    (unsigned char)text.ptr[i + 2] >= 0xbe)
			return i; /* U+FFFE, U+FFFF */
	}
	return text.len;
}

struct slice
xml_text_newline(struct slice document)
{
	const char *lf = document.len ? memchr(document.ptr, '\n', document.len) : NULL;

	return lf && lf > document.ptr && lf[-1] == '\r' ? S("\r\n") : S("\n");
}

struct slice
xml_text_indent(struct slice document, size_t offset)
{
	size_t start = offset, end;

	while (start > 0 && document.ptr[start - 1] != '\n')
		start--;
	for (end = start; end < offset; end++)
		if (document.ptr[end] != ' ' && document.ptr[end] != '\t')
			break;
	return (struct slice){document.ptr + start, end - start};
}
