/* Inline codes as text. */
#include "common/format/tmx_text.h"

#include "common/format/xml_text.h"
#include "common/message.h"

#include <stdlib.h>

enum {
	SEGMENT_MAX = 1 << 20, /* bytes of one text */
	CODES = 256,
};

void
tmx_text_begin(struct tmx_text *t, struct arena *arena)
{
	buf_reset(&t->text);
	buf_reset(&t->code);
	t->arena = arena;
	t->n = t->depth = 0;
	t->cut = false;
}

void
tmx_text_free(struct tmx_text *t)
{
	buf_free(&t->text);
	buf_free(&t->code);
	free(t->codes);
}

static void
add(struct tmx_text *t, struct buf *to, struct slice text)
{
	if (to->len + text.len <= SEGMENT_MAX)
		buf_addslice(to, text);
	else
		t->cut = true;
}

/* Whether native code is one placeholder, or one tag, of some dialect. */
static bool
is_known(struct slice code)
{
	static const unsigned dialects[] = {MESSAGE_ARB, MESSAGE_PRINTF, MESSAGE_I18NEXT};
	struct arena arena = {0};
	struct message m;
	bool known = false;

	for (size_t i = 0; i < sizeof(dialects) / sizeof(*dialects) && !known; i++)
		known = message_parse(code, dialects[i], &arena, &m, NULL) == 0 && m.n == 1 &&
		    (m.nodes[0].type == MESSAGE_PLACEHOLDER ||
			(m.nodes[0].type >= MESSAGE_OPEN && m.nodes[0].type <= MESSAGE_SELF &&
			    code.ptr[code.len - 1] == '>'));
	arena_free(&arena);
	return known;
}

static void
begin_code(struct tmx_text *t, const struct xml_event *event)
{
	struct buf b = {0};
	struct slice number;

	buf_addf(&b, "<%.*s", (int)event->name.len, event->name.ptr);
	if (xml_attribute(event, "x", &number))
		xml_text_attribute("x", number, &b);
	else if (xml_attribute(event, "i", &number))
		xml_text_attribute("i", number, &b);
	buf_adds(&b, "/>");
	t->tag = (struct slice){arena_copy(t->arena, b.ptr, b.len), b.len};
	t->start = event->start;
	t->depth = 1;
	buf_reset(&t->code);
	buf_free(&b);
}

/* end: of the element. */
static void
end_code(struct tmx_text *t, size_t end)
{
	struct slice code = buf_slice(&t->code), text = t->tag;

	if (code.len && is_known(code))
		text = (struct slice){arena_copy(t->arena, code.ptr, code.len), code.len};
	add(t, &t->text, text);
	if (t->n == CODES)
		return;
	t->codes = xgrow(t->codes, t->n, &t->cap, sizeof(*t->codes));
	t->codes[t->n++] = (struct tmx_code){text, t->start, end};
}

void
tmx_text_event(struct tmx_text *t, const struct xml_event *event)
{
	if (event->type == XML_TEXT) {
		add(t, t->depth ? &t->code : &t->text, event->text);
	} else if (event->type == XML_OPEN) {
		if (t->depth)
			t->depth++;
		else if (!slice_is(event->name, "hi"))
			begin_code(t, event);
	} else if (event->type == XML_CLOSE && t->depth && --t->depth == 0) {
		end_code(t, event->end);
	}
}
