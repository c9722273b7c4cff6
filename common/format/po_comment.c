/* Comments with their marks; the key is the last "#. key:" of an entry. */
#include "common/format/po_comment.h"

#include "common/format/po.h"

/* -- reading -- */

void
po_add_line(struct buf *b, struct slice text, char separator)
{
	if (b->len)
		buf_addc(b, separator);
	buf_addslice(b, slice_trim(text));
}

/* What was taken for the key is a line of the description: the key stands last. */
static void
untake_key(struct po_key *k, struct buf *comment)
{
	struct buf after = {0};

	buf_add(&after, comment->len ? comment->ptr + k->at : "",
	    comment->len - k->at);
	buf_cut(comment, k->at);
	po_add_line(comment, k->line, '\n');
	if (after.len && k->at == 0)
		buf_addc(comment, '\n');
	buf_addslice(comment, buf_slice(&after));
	buf_free(&after);
}

/* The key's name: as it stands, or quoted as PO strings are where that could not be. */
static void
take_key(struct po_key *k, struct slice text, struct buf *comment)
{
	if (k->text.len)
		untake_key(k, comment);
	k->line = text;
	k->at = comment->len;
	text = slice_trim((struct slice){text.ptr + 5, text.len - 5});
	buf_reset(&k->text);
	if (text.len > 2 && *text.ptr == '"' && text.ptr[text.len - 1] == '"' &&
	    !po_decode((struct slice){text.ptr + 1, text.len - 2}, &k->text) &&
	    utf8_valid(k->text.ptr, k->text.len) == k->text.len)
		return;
	buf_reset(&k->text);
	buf_addslice(&k->text, text);
}

void
po_extracted(struct po_key *k, struct slice text, struct buf *comment)
{
	text = slice_trim(text);
	if (slice_starts(text, "key: "))
		take_key(k, text, comment);
	else
		po_add_line(comment, text, '\n');
}

/* -- writing -- */

void
po_put_comment(const char *mark, struct slice text, struct buf *out)
{
	const char *p = text.len ? text.ptr : "", *end = p + text.len;

	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((lf ? lf : end) - p);
		/* gettext takes a backslash before the line's end for its continuation. */
		buf_addf(out, "%s %.*s%s\n", mark, (int)len, p,
		    len && p[len - 1] == '\\' ? " " : "");
		p += len + 1;
	}
}

void
po_put_key(struct slice key, struct buf *out)
{
	if (slice_trim(key).len == key.len && *key.ptr != '"' &&
	    !memchr(key.ptr, '\n', key.len) && !memchr(key.ptr, '\r', key.len)) {
		po_put_comment("#. key:", key, out);
		return;
	}
	buf_adds(out, "#. key: ");
	po_quote(key, out);
	buf_addc(out, '\n');
}

bool
po_looks_like_key(struct slice text)
{
	const char *p = text.len ? text.ptr : "", *end = p + text.len;

	while ((p = memmem(p, (size_t)(end - p), "key:", 4))) {
		const char *line = p;
		while (line > text.ptr && (line[-1] == ' ' || line[-1] == '\t'))
			line--;
		if (line == text.ptr || line[-1] == '\n')
			return true;
		p += 4;
	}
	return false;
}
