/* Messages, texts and codes. */
#include "common/format/xliff_message.h"

#include "common/format/xml_text.h"
#include "common/message.h"
#include "common/xml.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const formats[] = {"icu", "printf", "i18next", "plain"};

bool
xliff_message_typed(const struct xliff_unit *u)
{
	struct slice word;

	if (!u->type.ptr || !slice_starts(u->type, "kandil:"))
		return false;
	word = (struct slice){u->type.ptr + 7, u->type.len - 7};
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (slice_is(word, formats[i]))
			return true;
	return false;
}

const char *
xliff_message_format(const struct xliff_unit *u, struct slice source)
{
	if (!xliff_message_typed(u))
		return catalog_guess_format(source);
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (slice_is((struct slice){u->type.ptr + 7, u->type.len - 7}, formats[i]))
			return formats[i];
	return "icu";
}

/* From one spelling of ICU to another, or as it is. */
static void
convert(struct slice text, unsigned from, unsigned to, struct buf *out)
{
	struct arena arena = {0};
	struct message m;

	if (message_parse(text, from, &arena, &m, NULL) < 0 || !message_convert(&m, to, out))
		buf_addslice(out, text);
	arena_free(&arena);
}

void
xliff_message_read(const struct xliff_unit *u, struct slice text, const char *format,
    struct buf *out)
{
	if (!xliff_message_typed(u) && strcmp(format, "icu") == 0)
		convert(text, MESSAGE_ARB, MESSAGE_ICU, out);
	else
		buf_addslice(out, text);
}

void
xliff_message_text(const struct xliff_unit *u, struct slice message, const char *format,
    struct buf *out)
{
	if (!xliff_message_typed(u) && strcmp(format, "icu") == 0)
		convert(message, MESSAGE_ICU, MESSAGE_ARB, out);
	else
		buf_addslice(out, message);
}

/* -- text -- */

/* Appends text as content, <cp> for what XML cannot hold. */
static void
put_text(struct slice text, struct buf *out)
{
	while (text.len) {
		size_t n = xml_text_legal(text), step;
		uint32_t code = 0;
		xml_text_escape((struct slice){text.ptr, n}, false, out);
		text.ptr += n;
		text.len -= n;
		if (!text.len)
			return;
		step = utf8_decode(text.ptr, text.len, &code);
		buf_addf(out, "<cp hex=\"%04x\"/>", (unsigned)code);
		text.ptr += step ? step : 1;
		text.len -= step ? step : 1;
	}
}

bool
xliff_needs_space(struct slice text)
{
	if (text.len && (isspace((unsigned char)text.ptr[0]) ||
			    isspace((unsigned char)text.ptr[text.len - 1])))
		return true;
	for (size_t i = 0; i < text.len; i++)
		if (strchr("\n\r\t", text.ptr[i]) ||
		    (text.ptr[i] == ' ' && i + 1 < text.len && text.ptr[i + 1] == ' '))
			return true;
	return false;
}

/* -- building a source -- */

static unsigned
dialect_of(const char *format, bool typed)
{
	int dialect = message_dialect_of(slice(format));

	if (dialect < 0)
		return MESSAGE_PLAIN;
	return !typed && dialect == MESSAGE_ICU ? MESSAGE_ARB : (unsigned)dialect;
}

struct builder {
	struct xliff_built *built;
	struct arena *arena;
	const struct message *m;
	struct slice before;
	size_t *pair; /* of a node: the node that closes or opens it, + 1; 0: none */
	size_t *id;   /* of an opening node that has one: its code's number */
	size_t cap;
};

/* The id of the data that says so, which is added where it is not there; 0: too many. */
static void
put_data(struct builder *b, struct slice text)
{
	struct buf *d = &b->built->data;

	buf_addslice(d, b->before);
	buf_addf(d, "<data id=\"d%zu\">", ++b->built->ndata);
	put_text(text, d);
	buf_adds(d, "</data>");
}

/* Adds a code of the node: raw is its element. */
static void
add_code(struct builder *b, struct slice text, const struct buf *raw, bool alone)
{
	struct xliff_code *code = &b->built->codes[b->built->n++];

	code->text = (struct slice){arena_copy(b->arena, text.ptr, text.len), text.len};
	code->raw = (struct slice){arena_copy(b->arena, raw->ptr, raw->len), raw->len};
	code->alone = alone;
	buf_addslice(&b->built->source, code->raw);
}

static void
put_code(struct builder *b, size_t i)
{
	const struct message_node *node = &b->m->nodes[i];
	struct slice text = message_bytes(b->m, node);
	size_t number = b->built->n + 1;
	struct buf raw = {0};

	put_data(b, text);
	if (node->type == MESSAGE_OPEN && b->pair[i]) {
		b->id[i] = number;
		buf_addf(&raw, "<sc id=\"c%zu\" dataRef=\"d%zu\"/>", number, b->built->ndata);
		add_code(b, text, &raw, false);
	} else if (node->type == MESSAGE_CLOSE && b->pair[i]) {
		buf_addf(&raw, "<ec startRef=\"c%zu\" dataRef=\"d%zu\"/>", b->id[b->pair[i] - 1],
		    b->built->ndata);
		add_code(b, text, &raw, false);
	} else {
		buf_addf(&raw, "<ph id=\"c%zu\"", number);
		xml_text_attribute("equiv", xml_text_legal(text) == text.len ? text : S(""), &raw);
		buf_addf(&raw, " dataRef=\"d%zu\"/>", b->built->ndata);
		add_code(b, text, &raw, true);
	}
	buf_free(&raw);
}

/* Opening and closing tags that belong together, at the top of the message. */
static void
find_pairs(struct builder *b)
{
	size_t *open = arena_alloc(b->arena, (b->m->n + 1) * sizeof(*open)), n = 0;

	for (size_t i = 0; i < b->m->n; i += b->m->nodes[i].size) {
		const struct message_node *node = &b->m->nodes[i];
		if (node->type == MESSAGE_OPEN) {
			open[n++] = i;
		} else if (node->type == MESSAGE_CLOSE && n &&
		    slice_eq(b->m->nodes[open[n - 1]].name, node->name)) {
			b->pair[i] = open[--n] + 1;
			b->pair[b->pair[i] - 1] = i + 1;
		}
	}
}

/* A tag whole, not one that goes on behind a placeholder. */
static bool
is_code(const struct message *m, const struct message_node *node)
{
	struct slice bytes = message_bytes(m, node);

	if (node->type == MESSAGE_PLACEHOLDER)
		return true;
	return node->type >= MESSAGE_OPEN && node->type <= MESSAGE_SELF && slice_ends(bytes, ">");
}

enum { CODES = 256 };

void
xliff_build(struct slice text, const char *format, bool typed, struct slice before,
    struct arena *arena, struct xliff_built *built)
{
	struct message m;
	struct builder b = {.built = built, .arena = arena, .m = &m, .before = before};

	*built = (struct xliff_built){0};
	built->codes = arena_alloc(arena, CODES * sizeof(*built->codes));
	if (message_parse(text, dialect_of(format, typed), arena, &m, NULL) < 0) {
		put_text(text, &built->source);
		return;
	}
	b.pair = arena_alloc(arena, (m.n + 1) * sizeof(*b.pair));
	b.id = arena_alloc(arena, (m.n + 1) * sizeof(*b.id));
	memset(b.pair, 0, (m.n + 1) * sizeof(*b.pair));
	memset(b.id, 0, (m.n + 1) * sizeof(*b.id));
	find_pairs(&b);
	for (size_t i = 0; i < m.n; i += m.nodes[i].size) {
		const struct message_node *node = &m.nodes[i];
		/* Of a pair both or none: room for the end is asked for at the start. */
		bool room = built->n + 2 <= CODES;
		if (node->type == MESSAGE_CLOSE && b.pair[i])
			room = b.id[b.pair[i] - 1] != 0 && built->n < CODES;
		if (is_code(&m, node) && room)
			put_code(&b, i);
		else
			put_text(message_bytes(&m, node), &built->source);
	}
}

void
xliff_built_free(struct xliff_built *built)
{
	buf_free(&built->data);
	buf_free(&built->source);
}

/* -- a target -- */

/* The longest code that stands at the text's start; one that was not used yet goes first. */
static size_t
find_code(const struct xliff_code *codes, const bool *used, size_t n, struct slice text)
{
	size_t found = SIZE_MAX;

	for (size_t i = 0; i < n; i++) {
		struct slice t = codes[i].text;
		if (!t.len || t.len > text.len || *t.ptr != *text.ptr ||
		    memcmp(t.ptr, text.ptr, t.len) != 0 || (used[i] && !codes[i].alone))
			continue;
		if (found == SIZE_MAX || t.len > codes[found].text.len ||
		    (t.len == codes[found].text.len && used[found] && !used[i]))
			found = i;
	}
	return found;
}

/* The element once more, under an id of its own. */
static void
put_again(struct slice raw, size_t times, struct buf *out)
{
	struct xml_text_place id;

	if (!xml_text_find(raw, "id", &id))
		return;
	buf_add(out, raw.ptr, id.value_end);
	buf_addf(out, "-%zu", times + 1);
	buf_add(out, raw.ptr + id.value_end, raw.len - id.value_end);
}

/* The end of the plural or select that stands at offset at, or at. */
static size_t
branch_end(const struct message *m, size_t *node, size_t at)
{
	while (*node < m->n && m->nodes[*node].start < at)
		*node += m->nodes[*node].size;
	if (*node < m->n && m->nodes[*node].start == at &&
	    m->nodes[*node].type >= MESSAGE_PLURAL && m->nodes[*node].type <= MESSAGE_SELECT)
		return m->nodes[*node].end;
	return at;
}

static void
put_codes(struct slice text, const struct message *m, const struct xliff_code *codes, size_t n,
    struct buf *out)
{
	bool used[CODES] = {false};
	size_t from = 0, at = 0, node = 0, times = 1;

	while (at < text.len) {
		size_t end = branch_end(m, &node, at);
		size_t code = SIZE_MAX;
		if (end > at) {
			at = end;
			continue;
		}
		code = find_code(codes, used, n, (struct slice){text.ptr + at, text.len - at});
		if (code == SIZE_MAX) {
			at++;
			continue;
		}
		put_text((struct slice){text.ptr + from, at - from}, out);
		if (used[code])
			put_again(codes[code].raw, times++, out);
		else
			buf_addslice(out, codes[code].raw);
		used[code] = true;
		from = at += codes[code].text.len;
	}
	put_text((struct slice){text.ptr + from, text.len - from}, out);
}

static int
ignore(const struct xml_event *event, void *state)
{
	(void)event, (void)state;
	return 0;
}

static bool
is_content(struct slice content)
{
	struct buf b = {0};
	bool good;

	buf_adds(&b, "<target>");
	buf_addslice(&b, content);
	buf_adds(&b, "</target>");
	good = xml_read(buf_slice(&b), ignore, NULL, NULL) == 0;
	buf_free(&b);
	return good;
}

void
xliff_put_target(struct slice text, const char *format, bool typed,
    const struct xliff_code *codes, size_t n, struct buf *out)
{
	struct arena arena = {0};
	struct message m;
	size_t start = out->len;

	if (message_parse(text, dialect_of(format, typed), &arena, &m, NULL) < 0)
		m = (struct message){.n = 0};
	put_codes(text, &m, codes, n < CODES ? n : CODES, out);
	/* A pair that came apart is no XML: then its codes are text. */
	if (n && !is_content((struct slice){out->ptr + start, out->len - start})) {
		buf_cut(out, start);
		put_codes(text, &m, codes, 0, out);
	}
	arena_free(&arena);
}
