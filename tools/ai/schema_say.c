/*
 * What is wrong, in words that a model can act on: one line a violation, with the place, what was
 * expected and what was found, each in short.
 */
#include "tools/ai/schema_run.h"

#include <stdio.h>

enum { SHORT = 60, POINTER = 200 };

void
say_short(struct slice text, size_t most, struct buf *out)
{
	size_t len = text.len;

	if (len > most) {
		for (len = most; len > 0 && ((unsigned char)text.ptr[len] & 0xC0) == 0x80; )
			len--;
	}
	buf_add_visible(out, (struct slice){text.ptr, len});
	if (len < text.len)
		buf_adds(out, "…");
}

void
say_quoted(struct slice text, struct buf *out)
{
	buf_addc(out, '\'');
	say_short(text, SHORT, out);
	buf_addc(out, '\'');
}

void
say_value(const struct doc *d, uint32_t at, struct buf *out)
{
	const struct doc_node *node = &d->nodes[at];

	switch (node->type) {
	case JSON_STRING:
		buf_addc(out, '"');
		say_short(node->value, SHORT, out);
		buf_addc(out, '"');
		break;
	case JSON_OBJECT:
		buf_addf(out, "an object of %u member%s", node->count, node->count == 1 ? "" : "s");
		break;
	case JSON_ARRAY:
		buf_addf(out, "an array of %u item%s", node->count, node->count == 1 ? "" : "s");
		break;
	default:
		say_short(node->value, SHORT, out);
	}
}

unsigned
type_of(const struct doc_node *node)
{
	static const unsigned types[] = {[JSON_NULL] = TYPE_NULL, [JSON_FALSE] = TYPE_BOOLEAN,
	    [JSON_TRUE] = TYPE_BOOLEAN, [JSON_NUMBER] = TYPE_NUMBER, [JSON_STRING] = TYPE_STRING,
	    [JSON_ARRAY] = TYPE_ARRAY, [JSON_OBJECT] = TYPE_OBJECT};

	if (node->type == JSON_NUMBER && number_whole(number_read(node->value)))
		return TYPE_NUMBER | TYPE_INTEGER;
	return types[node->type];
}

/* How deep the value lies: of alternatives that fail, the one that fails deepest was meant. */
static void
measure(struct run *r, uint32_t at, bool type)
{
	size_t score = type ? 1 : 2;

	for (; r->doc.nodes[at].parent != DOC_NONE; at = r->doc.nodes[at].parent)
		score += 2;
	if (score > r->score)
		r->score = score;
}

/* Begins the line of a violation; false when nobody will read it. */
static bool
begin(struct run *r, uint32_t at, bool type)
{
	struct buf *line = &r->line;

	if (!r->loud) {
		if (r->scoring)
			measure(r, at, type);
		return false;
	}
	if (r->found >= SCHEMA_FOUND)
		return false;
	buf_reset(&r->place);
	doc_pointer(&r->doc, at, &r->place);
	if (r->place.len == 0)
		buf_adds(&r->place, "(root)");
	buf_reset(line);
	say_short(buf_slice(&r->place), POINTER, line);
	buf_adds(line, r->naming ? ": this member's name: " : ": ");
	return true;
}

static bool
end(struct run *r)
{
	buf_addslice(&r->line, buf_slice(&r->tail));
	if (r->found++ == 0 && r->why == NULL)
		r->loud = false; /* one is enough for the error */
	if (r->why != NULL) {
		buf_addslice(r->why, buf_slice(&r->line));
		buf_addc(r->why, '\n');
	}
	return false;
}

bool
say(struct run *r, uint32_t at, const char *format, ...)
{
	char text[400];
	va_list args;

	if (!begin(r, at, false))
		return false;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	buf_addf(&r->line, "expected %s, found ", text);
	say_value(&r->doc, at, &r->line);
	return end(r);
}

bool
say_plain(struct run *r, uint32_t at, const char *format, ...)
{
	char text[600];
	va_list args;

	if (!begin(r, at, false))
		return false;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	buf_adds(&r->line, text);
	return end(r);
}

bool
say_type(struct run *r, uint32_t at, unsigned types)
{
	if (!begin(r, at, true))
		return false;
	buf_adds(&r->line, "expected ");
	type_names(types, &r->line);
	buf_adds(&r->line, ", found ");
	say_value(&r->doc, at, &r->line);
	return end(r);
}
