#include "common/message_parse.h"

#include <stdlib.h>

/* Text nodes as a reader sees them, the reverse, and messages made anew. */

/* Appends [at, end) of an ICU or ARB text node without its quoting. */
static void
unquote(struct slice raw, unsigned dialect, bool pound, struct buf *out)
{
	for (size_t i = 0; i < raw.len;) {
		const char *hit = memchr(raw.ptr + i, '\'', raw.len - i);
		size_t at = hit ? (size_t)(hit - raw.ptr) : raw.len, end;

		buf_add(out, raw.ptr + i, at - i);
		if (!hit)
			return;
		end = message_quoted_end(raw, at, dialect, pound);
		if (end == SIZE_MAX || end == at + 1) {
			buf_addc(out, '\'');
			i = at + 1;
			continue;
		}
		if (end == at + 2) { /* '' */
			buf_addc(out, '\'');
			i = end;
			continue;
		}
		/* Between the quotes '' is one apostrophe (ICU only). */
		size_t stop = end - (raw.ptr[end - 1] == '\'' && end - 1 > at);
		for (i = at + 1; i < stop; i++) {
			buf_addc(out, raw.ptr[i]);
			i += raw.ptr[i] == '\'';
		}
		i = end;
	}
}

/*
 * Whether # may be quoted in this node: ICU, directly in a plural's case. To
 * know it the node before is not enough, so a text that quotes a # answers.
 */
static bool
quotes_pound(const struct message *m, const struct message_node *node)
{
	const struct message_node *at = m->nodes, *end = m->nodes + m->n;
	bool plural = false, in_plural = false;

	if (message_base(m->dialect) != MESSAGE_ICU)
		return false;
	/* Walk down: skip each subtree that does not hold the node. */
	while (at < node && at < end) {
		if (at->type >= MESSAGE_PLURAL && at->type <= MESSAGE_CASE &&
		    at + at->size > node) {
			if (at->type == MESSAGE_CASE)
				in_plural = plural;
			else
				plural = at->type != MESSAGE_SELECT;
			at++;
		} else {
			at += at->size;
		}
	}
	return in_plural;
}

void
message_literal(const struct message *m, const struct message_node *node, struct buf *out)
{
	struct slice raw = message_bytes(m, node);
	unsigned base = message_base(m->dialect);

	if (base == MESSAGE_PRINTF) {
		for (size_t i = 0; i < raw.len; i++) {
			buf_addc(out, raw.ptr[i]);
			i += raw.ptr[i] == '%';
		}
		return;
	}
	if (base == MESSAGE_PLAIN || base == MESSAGE_I18NEXT || !raw.len ||
	    !memchr(raw.ptr, '\'', raw.len)) {
		buf_addslice(out, raw);
		return;
	}
	unquote(raw, m->dialect, quotes_pound(m, node), out);
}

/* ---- quoting ---- */

static bool
special(char c, bool pound)
{
	return c == '{' || c == '}' || (pound && c == '#');
}

static void
quote_icu(struct slice text, bool pound, bool more, struct buf *out)
{
	for (size_t i = 0; i < text.len;) {
		char c = text.ptr[i];

		if (c == '\'') {
			char next = i + 1 < text.len ? text.ptr[i + 1] : '\0';
			bool last = i + 1 == text.len;

			buf_adds(out, (last && more) || next == '\'' || special(next, pound) ? "''"
											     : "'");
			i++;
		} else if (special(c, pound)) {
			/* One pair of quotes for the run, apostrophes in it doubled. */
			buf_addc(out, '\'');
			for (; i < text.len && (special(text.ptr[i], pound) || text.ptr[i] == '\'');
			     i++) {
				if (text.ptr[i] == '\'')
					buf_addc(out, '\'');
				buf_addc(out, text.ptr[i]);
			}
			buf_addc(out, '\'');
		} else {
			buf_addc(out, c);
			i++;
		}
	}
}

static bool
quote_arb(struct slice text, unsigned dialect, struct buf *out)
{
	bool escaping = dialect & MESSAGE_ESCAPING;
	size_t mark = out->len;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '\'' && escaping) {
			buf_adds(out, "''");
		} else if ((c == '{' || c == '}') && escaping) {
			buf_addf(out, "'%c'", c);
		} else if (c == '}' || (c == '{' && (!(dialect & MESSAGE_RELAXED) ||
					    message_name_follows(text, i)))) {
			buf_cut(out, mark);
			return false;
		} else {
			buf_addc(out, c);
		}
	}
	return true;
}

static bool
contains(struct slice text, const char *what)
{
	return text.len && memmem(text.ptr, text.len, what, strlen(what));
}

bool
message_quote(struct slice text, unsigned dialect, bool in_plural, bool more, struct buf *out)
{
	switch (message_base(dialect)) {
	case MESSAGE_ICU:
		quote_icu(text, in_plural, more, out);
		return true;
	case MESSAGE_ARB:
		return quote_arb(text, dialect, out);
	case MESSAGE_PRINTF:
		for (size_t i = 0; i < text.len; i++) {
			if (text.ptr[i] == '%')
				buf_addc(out, '%');
			buf_addc(out, text.ptr[i]);
		}
		return true;
	case MESSAGE_I18NEXT:
		if (contains(text, "{{") || contains(text, "$t("))
			return false;
		break;
	default:
		break;
	}
	buf_addslice(out, text);
	return true;
}

/* ---- writing anew ---- */

/*
 * Calls each for every node in order with the bytes before it that belong to
 * no node ("{n, plural, one{"), so that a caller copies or replaces.
 */
struct writer {
	const struct message *m;
	unsigned dialect;
	message_text_fn *map; /* NULL: the text itself */
	void *state;
	struct buf literal, mapped, *out;
	size_t copied; /* bytes of the text that are written */
	bool failed;
};

static void
write_up_to(struct writer *w, size_t at)
{
	buf_add(w->out, w->m->text.ptr + w->copied, at - w->copied);
	w->copied = at;
}

static void
write_text(struct writer *w, const struct message_node *node, bool in_plural)
{
	struct slice raw = message_bytes(w->m, node);
	bool more = node->end < w->m->text.len;

	write_up_to(w, node->start);
	w->copied = node->end;
	buf_reset(&w->literal);
	message_literal(w->m, node, &w->literal);
	if (w->map) {
		buf_reset(&w->mapped);
		w->map(buf_slice(&w->literal), node, w->state, &w->mapped);
		/* What did not change keeps its spelling. */
		if (!slice_eq(buf_slice(&w->mapped), buf_slice(&w->literal)) &&
		    message_quote(buf_slice(&w->mapped), w->dialect, in_plural, more, w->out))
			return;
		buf_addslice(w->out, raw);
		return;
	}
	if (!message_quote(buf_slice(&w->literal), w->dialect, in_plural, more, w->out))
		w->failed = true;
}

static void
write_range(struct writer *w, size_t from, size_t to, bool in_plural)
{
	const struct message_node *nodes = w->m->nodes;

	for (size_t i = from; i < to; i += nodes[i].size) {
		const struct message_node *node = &nodes[i];

		if (node->type == MESSAGE_TEXT) {
			write_text(w, node, in_plural);
		} else if (node->type == MESSAGE_POUND && message_base(w->dialect) == MESSAGE_ARB) {
			write_up_to(w, node->start);
			buf_addf(w->out, "{%.*s}", (int)node->name.len, node->name.ptr);
			w->copied = node->end;
		} else if (node->type >= MESSAGE_PLURAL && node->type <= MESSAGE_SELECT) {
			for (size_t k = i + 1; k < i + node->size; k += nodes[k].size)
				write_range(w, k + 1, k + nodes[k].size,
				    node->type != MESSAGE_SELECT);
		}
	}
}

bool
message_convert(const struct message *m, unsigned dialect, struct buf *out)
{
	struct writer w = {.m = m, .dialect = dialect, .out = out};
	struct arena arena = {0};
	struct message check;
	size_t mark = out->len;

	if (dialect == m->dialect) {
		buf_addslice(out, m->text);
		return true;
	}
	if (message_base(dialect) > MESSAGE_ARB || message_base(m->dialect) > MESSAGE_ARB)
		return false;
	for (size_t i = 0; i < m->n; i++)
		if (m->nodes[i].offset && message_base(dialect) == MESSAGE_ARB)
			return false;
	write_range(&w, 0, m->n, false);
	write_up_to(&w, m->text.len);
	/* What ARB has no words for (offset:, =3, numbers) fails to parse. */
	if (!w.failed)
		w.failed = message_parse((struct slice){out->ptr + mark, out->len - mark}, dialect,
			       &arena, &check, NULL) < 0;
	if (w.failed)
		buf_cut(out, mark);
	arena_free(&arena);
	buf_free(&w.literal);
	return !w.failed;
}

void
message_map(const struct message *m, message_text_fn *fn, void *state, struct buf *out)
{
	struct writer w = {.m = m, .dialect = m->dialect, .map = fn, .state = state, .out = out};

	write_range(&w, 0, m->n, false);
	write_up_to(&w, m->text.len);
	buf_free(&w.literal);
	buf_free(&w.mapped);
}
