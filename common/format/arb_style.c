/* The file's own indentation, learnt from its first two members. */
#include "common/format/arb_style.h"

#include "common/json.h"

struct arb_style
arb_style_of(struct slice object)
{
	struct arb_style style = {.lines = true,
	    .newline = S("\n"),
	    .indent = S("  "),
	    .colon = S(": "),
	    .comma = S(", ")};
	struct json_walk w = json_walk(object);
	struct slice key, value, second;
	const char *lf;

	if (!json_member(&w, &key, &value))
		return style;
	style.colon = (struct slice){key.ptr + key.len, (size_t)(value.ptr - key.ptr) - key.len};
	lf = memrchr(object.ptr, '\n', (size_t)(key.ptr - object.ptr));
	if (lf) {
		style.indent = (struct slice){lf + 1, (size_t)(key.ptr - lf) - 1};
		if (lf > object.ptr && lf[-1] == '\r')
			style.newline = S("\r\n");
		return style;
	}
	style.lines = false;
	style.indent = S("");
	style.comma = style.colon.len > 1 ? S(", ") : S(",");
	if (json_member(&w, &second, &value)) {
		const char *comma = second.ptr;
		while (comma > object.ptr && *comma != ',')
			comma--;
		style.comma = (struct slice){comma, (size_t)(second.ptr - comma)};
	}
	return style;
}

static void
new_line(const struct arb_style *style, int level, struct buf *out)
{
	buf_addslice(out, style->newline);
	for (int i = 0; i < level; i++)
		buf_addslice(out, style->indent);
}

void
arb_style_separate(const struct arb_style *style, int level, bool first, struct buf *out)
{
	if (style->lines) {
		if (!first)
			buf_addc(out, ',');
		new_line(style, level, out);
	} else if (!first) {
		buf_addslice(out, style->comma);
	}
}

void
arb_style_name(const struct arb_style *style, struct slice name, struct buf *out)
{
	json_quote(out, name);
	buf_addslice(out, style->colon);
}

void
arb_style_close(const struct arb_style *style, int level, struct buf *out)
{
	if (style->lines)
		new_line(style, level, out);
}
