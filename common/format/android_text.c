/* Content as aapt2 reads it, and the reverse. */
#include "common/format/android_text.h"

#include "common/format/xml_text.h"

#include <ctype.h>
#include <stdlib.h>

/* -- reading -- */

void
android_text_begin(struct android_text *t, struct arena *arena)
{
	struct android_text last = *t;

	buf_reset(&last.text);
	*t = (struct android_text){.text = last.text,
	    .named_parts = last.named_parts,
	    .named_cap = last.named_cap,
	    .arena = arena};
}

static void
refuse(struct android_text *t, const char *what)
{
	if (!t->fault)
		t->fault = what;
}

/* Appends what the escape at text[i], a backslash, stands for; the bytes it takes. */
static size_t
unescape(struct android_text *t, struct slice text, size_t i)
{
	char c = i + 1 < text.len ? text.ptr[i + 1] : '\0', hex[5] = "";

	switch (c) {
	case '\0':
		return 1;
	case 'n':
		buf_addc(&t->text, '\n');
		return 2;
	case 't':
		buf_addc(&t->text, '\t');
		return 2;
	case 'u':
		break;
	default:
		buf_addc(&t->text, c);
		return 2;
	}
	for (size_t k = 0; k < 4; k++) {
		if (i + 2 + k >= text.len || !isxdigit((unsigned char)text.ptr[i + 2 + k])) {
			refuse(t, "\\u needs four hexadecimal digits");
			return 2;
		}
		hex[k] = text.ptr[i + 2 + k];
	}
	uint32_t code = (uint32_t)strtoul(hex, NULL, 16), low = 0;
	/* A pair of surrogates is one character. */
	if (code >= 0xd800 && code < 0xdc00 && i + 12 <= text.len && text.ptr[i + 6] == '\\' &&
	    text.ptr[i + 7] == 'u') {
		memcpy(hex, text.ptr + i + 8, 4);
		low = (uint32_t)strtoul(hex, NULL, 16);
	}
	if (low >= 0xdc00 && low < 0xe000) {
		buf_addutf8(&t->text, 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00));
		return 12;
	}
	if (code == 0)
		refuse(t, "\\u0000 ends no text");
	else
		buf_addutf8(&t->text, code);
	return 6;
}

static void
add_text(struct android_text *t, struct slice text)
{
	for (size_t i = 0; i < text.len;) {
		char c = text.ptr[i];
		if (!t->quoted && isspace((unsigned char)c)) {
			/* A run is one blank, and none at the start. */
			t->space |= t->started;
			i++;
			continue;
		}
		if (c == '"') {
			if (t->space)
				buf_addc(&t->text, ' ');
			t->space = false;
			t->started = true;
			t->quoted = !t->quoted;
			i++;
			continue;
		}
		if (!t->started && (c == '@' || c == '?') && text.len > i + 1)
			t->reference = true;
		if (t->space)
			buf_addc(&t->text, ' ');
		t->space = false;
		t->started = true;
		if (c == '\\') {
			i += unescape(t, text, i);
			continue;
		}
		if (c == '\'' && !t->quoted)
			refuse(t, "an apostrophe needs a backslash, or the whole text quotes");
		buf_addc(&t->text, c);
		i++;
	}
}

/* What a document's own mark-up is: text goes on before and behind it. */
static void
flush_space(struct android_text *t)
{
	if (t->space)
		buf_addc(&t->text, ' ');
	t->space = false;
}

static bool
is_named(const struct xml_event *event)
{
	struct slice name = event->name;

	return name.len >= 2 && slice_ends(name, ":g");
}

static void
open_tag(struct android_text *t, const struct xml_event *event)
{
	struct slice id;

	t->depth++;
	flush_space(t);
	if (is_named(event)) {
		t->named = (struct slice){NULL, 0};
		if (xml_attribute(event, "id", &id))
			t->named = (struct slice){arena_copy(t->arena, id.ptr, id.len), id.len};
		t->named_from = t->text.len;
		t->named_depth = t->depth;
		return;
	}
	t->started = true;
	buf_addc(&t->text, '<');
	buf_addslice(&t->text, event->name);
	for (size_t i = 0; i < event->nattributes; i++) {
		char *name = xstrndup(event->attributes[i].name.ptr, event->attributes[i].name.len);
		xml_text_attribute(name, event->attributes[i].value, &t->text);
		free(name);
	}
	buf_addc(&t->text, '>');
}

/* An xliff:g ends: what stands in it may be an argument, which its id names. */
static void
close_named(struct android_text *t)
{
	if (!t->named.len || t->named_depth != t->depth)
		return;
	t->named_parts = xgrow(t->named_parts, t->nnamed, &t->named_cap, sizeof(*t->named_parts));
	t->named_parts[t->nnamed++] =
	    (struct android_named){t->named_from, t->text.len, t->named};
}

static void
close_tag(struct android_text *t, const struct xml_event *event)
{
	bool hollow = event->start == event->end;

	if (is_named(event)) {
		close_named(t);
		t->named_depth = 0;
	} else if (hollow && t->text.len && t->text.ptr[t->text.len - 1] == '>') {
		buf_cut(&t->text, t->text.len - 1);
		buf_adds(&t->text, "/>");
	} else {
		flush_space(t);
		buf_addf(&t->text, "</%.*s>", (int)event->name.len, event->name.ptr);
	}
	t->depth -= t->depth > 0;
}

void
android_text_event(struct android_text *t, const struct xml_event *event)
{
	if (event->type == XML_TEXT)
		add_text(t, event->text);
	else if (event->type == XML_OPEN)
		open_tag(t, event);
	else if (event->type == XML_CLOSE)
		close_tag(t, event);
}

static void
set_name(struct android_text *t, struct slice argument, struct slice name)
{
	size_t position = 0;

	for (size_t i = 0; i < argument.len && position <= PRINTF_ARGUMENTS; i++) {
		if (!isdigit((unsigned char)argument.ptr[i]))
			return;
		position = position * 10 + (size_t)(argument.ptr[i] - '0');
	}
	if (position < 1 || position > PRINTF_ARGUMENTS)
		return;
	if (!t->names) {
		t->nnames = PRINTF_ARGUMENTS + 1;
		t->names = arena_alloc(t->arena, t->nnames * sizeof(*t->names));
		memset(t->names, 0, t->nnames * sizeof(*t->names));
	}
	t->names[position] = name;
}

/*
 * The names of the arguments that stand alone in an xliff:g, by their position
 * in the text. All at the end, in one go: parts and arguments are both in order.
 */
static void
take_names(struct android_text *t)
{
	struct arena arena = {0};
	struct message m;
	size_t at = 0;

	if (t->nnamed && message_parse(buf_slice(&t->text), MESSAGE_PRINTF, &arena, &m, NULL) == 0)
		for (size_t i = 0; i < m.n; i++) {
			const struct message_node *node = &m.nodes[i];
			if (node->type != MESSAGE_PLACEHOLDER)
				continue;
			while (at < t->nnamed && t->named_parts[at].end < node->end)
				at++;
			if (at < t->nnamed && t->named_parts[at].start == node->start &&
			    t->named_parts[at].end == node->end)
				set_name(t, node->name, t->named_parts[at].name);
		}
	arena_free(&arena);
}

void
android_text_end(struct android_text *t)
{
	t->space = false; /* blanks at the end are dropped; an open quote closes by itself */
	take_names(t);
}

void
android_text_free(struct android_text *t)
{
	buf_free(&t->text);
	free(t->named_parts);
}

/* -- writing -- */

struct writer {
	struct buf *out;
	bool started; /* something stands before */
	bool space;   /* a plain blank does */
	bool cdata;   /* within a section of it */
};

enum android_markup
android_markup_of(struct slice raw)
{
	static const char *const elements[] = {"xliff:g", "/xliff:g", "!--"};
	bool named;

	if (!raw.len)
		return ANDROID_NO_MARKUP;
	if (memmem(raw.ptr, raw.len, "<![CDATA[", 9))
		return ANDROID_CDATA;
	if (memmem(raw.ptr, raw.len, "&lt;", 4) || memmem(raw.ptr, raw.len, "&#60;", 5))
		return ANDROID_ESCAPED;
	for (size_t at = 0; at < raw.len; at++) {
		struct slice rest = {raw.ptr + at + 1, raw.len - at - 1};
		if (raw.ptr[at] != '<')
			continue;
		named = false;
		for (size_t i = 0; i < sizeof(elements) / sizeof(*elements); i++)
			named |= slice_starts(rest, elements[i]);
		if (!named)
			return ANDROID_ELEMENTS;
	}
	return ANDROID_NO_MARKUP;
}

/* One byte of text that is no escape of Android's. */
static void
put_byte(struct writer *w, struct slice byte)
{
	struct buf *out = w->out;

	if (!w->cdata) {
		xml_text_escape(byte, false, out);
		return;
	}
	if (*byte.ptr == '>' && slice_ends(buf_slice(out), "]]"))
		buf_adds(out, "]]><![CDATA[");
	buf_addslice(out, byte);
}

/* last: nothing follows this text. */
static void
put_text(struct writer *w, struct slice text, bool last)
{
	struct buf *out = w->out;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		bool blank = c == ' ' && w->started && !w->space && !(last && i + 1 == text.len);
		size_t legal = xml_text_legal((struct slice){text.ptr + i, text.len - i});

		if (c == '\n' || c == '\t')
			buf_addf(out, "\\%c", c == '\n' ? 'n' : 't');
		else if (legal == 0 && c == 0xef) {
			buf_addf(out, "\\uff%02x", (unsigned)(unsigned char)text.ptr[i + 2] | 0xc0);
			i += 2;
		} else if ((c == ' ' && !blank) || c < 0x20)
			buf_addf(out, "\\u%04x", c);
		else if (strchr("\\'\"", c) || (!w->started && (c == '@' || c == '?')))
			buf_addf(out, "\\%c", c);
		else
			put_byte(w, (struct slice){text.ptr + i, 1});
		w->space = blank;
		w->started = true;
	}
}

static struct slice
name_of(const struct printf_arguments *args, const struct message_node *node)
{
	size_t position = 0;

	for (size_t i = 0; i < node->name.len && position < 100; i++)
		position = position * 10 + (size_t)(node->name.ptr[i] - '0');
	if (position < 1 || position > args->n || !args->v[position - 1].name.len ||
	    isdigit((unsigned char)*args->v[position - 1].name.ptr))
		return (struct slice){NULL, 0};
	return args->v[position - 1].name;
}

static int
ignore(const struct xml_event *event, void *state)
{
	(void)event, (void)state;
	return 0;
}

/* Whether the tags of a text stand as XML wants them. */
static bool
is_marked_up(const struct message *m)
{
	struct buf b = {0};
	bool tags = false, good;

	buf_adds(&b, "<x>");
	for (size_t i = 0; i < m->n; i++)
		if (m->nodes[i].type >= MESSAGE_OPEN) {
			tags = true;
			buf_addslice(&b, message_bytes(m, &m->nodes[i]));
		}
	buf_adds(&b, "</x>");
	good = tags && xml_read(buf_slice(&b), ignore, NULL, NULL) == 0;
	buf_free(&b);
	return good;
}

/* Whether the run of text that begins at a node has what a section of CDATA is for. */
static bool
needs_cdata(const struct message *m, const struct printf_arguments *args, size_t i)
{
	for (; i < m->n; i++) {
		struct slice bytes = message_bytes(m, &m->nodes[i]);
		if (m->nodes[i].type == MESSAGE_PLACEHOLDER && name_of(args, &m->nodes[i]).ptr)
			return false;
		if (memchr(bytes.ptr, '<', bytes.len) || memchr(bytes.ptr, '&', bytes.len))
			return true;
	}
	return false;
}

static void
set_cdata(struct writer *w, bool cdata)
{
	if (w->cdata != cdata)
		buf_adds(w->out, cdata ? "<![CDATA[" : "]]>");
	w->cdata = cdata;
}

void
android_text_write(struct slice text, const struct printf_arguments *args, bool plural,
    enum android_markup like, struct buf *out, bool *named)
{
	/* A string without arguments is not formatted: its percent signs are themselves. */
	unsigned dialect = args->n == 0 && !plural ? MESSAGE_PLAIN : MESSAGE_PRINTF;
	struct writer w = {.out = out};
	struct arena arena = {0};
	struct message m;

	if (message_parse(text, dialect, &arena, &m, NULL) < 0)
		m = (struct message){.n = 0};
	bool markup = like == ANDROID_NO_MARKUP ? args->n == 0 : like == ANDROID_ELEMENTS;
	bool begun = false;
	markup = markup && is_marked_up(&m);
	for (size_t i = 0; i < m.n; i++) {
		const struct message_node *node = &m.nodes[i];
		struct slice bytes = message_bytes(&m, node), name;
		if (node->type == MESSAGE_PLACEHOLDER && (name = name_of(args, node)).ptr) {
			set_cdata(&w, false);
			buf_adds(out, "<xliff:g");
			xml_text_attribute("id", name, out);
			buf_addf(out, ">%.*s</xliff:g>", (int)bytes.len, bytes.ptr);
			*named = w.started = true;
			w.space = begun = false;
		} else if (markup && node->type >= MESSAGE_OPEN) {
			buf_addslice(out, bytes);
			w.started = true;
		} else {
			/* Once for each run of text. */
			if (like == ANDROID_CDATA && !begun)
				set_cdata(&w, needs_cdata(&m, args, i));
			begun = true;
			put_text(&w, bytes, i + 1 == m.n);
		}
	}
	set_cdata(&w, false);
	arena_free(&arena);
}
