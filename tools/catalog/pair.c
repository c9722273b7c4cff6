#include "tools/catalog/pair.h"

#include "common/mem.h"
#include "common/message.h"

#include <stdio.h>
#include <string.h>

/* The plural of a message, or NULL. */
static const struct message_node *
plural_of(const struct message *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->nodes[i].type == MESSAGE_PLURAL || m->nodes[i].type == MESSAGE_ORDINAL)
			return &m->nodes[i];
	return NULL;
}

static bool
has_name(const struct message *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->nodes[i].type != MESSAGE_CASE && slice_is(m->nodes[i].name, name))
			return true;
	return false;
}

static bool
is_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

		if (!letter && !(c >= '0' && c <= '9'))
			return false;
	}
	return name.len > 0;
}

/*
 * The name that a placeholder of the one text has in the other, a plural. There
 * position N is argN, and the position that is none of these is the number.
 */
static bool
add_name(const struct message_node *node, unsigned dialect, const struct message *other,
    struct buf *out)
{
	const struct message_node *plural = plural_of(other);
	char name[40];

	if (dialect != MESSAGE_PRINTF) {
		if (is_name(node->name))
			buf_addf(out, "{%.*s}", (int)node->name.len, node->name.ptr);
		return is_name(node->name);
	}
	snprintf(name, sizeof(name), "arg%.*s", (int)(node->name.len < 30 ? node->name.len : 30),
	    node->name.ptr);
	if (plural && !has_name(other, name))
		buf_addf(out, "{%.*s}", (int)plural->name.len, plural->name.ptr);
	else
		buf_addf(out, "{%s}", name);
	return true;
}

/* Appends a text of another dialect as ICU's; other: what it is compared with. */
static bool
add_as_icu(struct slice text, unsigned dialect, struct slice other, struct arena *arena,
    struct buf *out)
{
	struct message m, with;
	struct buf literal = {0};
	bool good = message_parse(text, dialect, arena, &m, NULL) == 0 &&
	    message_parse(other, MESSAGE_ICU, arena, &with, NULL) == 0;

	for (size_t i = 0; good && i < m.n; i++) {
		const struct message_node *node = &m.nodes[i];

		buf_reset(&literal);
		if (node->type == MESSAGE_PLACEHOLDER) {
			good = add_name(node, dialect, &with, out);
		} else if (node->type == MESSAGE_TEXT) {
			message_literal(&m, node, &literal);
			good = message_quote(buf_slice(&literal), MESSAGE_ICU, false, i + 1 < m.n, out);
		} else {
			buf_addslice(out, message_bytes(&m, node));
		}
	}
	buf_free(&literal);
	return good;
}

bool
pair_make(struct pair *p, struct slice source, const char *source_format, struct slice text,
    const char *format)
{
	int from = message_dialect_of(slice(source_format)), to = message_dialect_of(slice(format));
	struct arena arena = {0};
	bool good = from >= 0 && to >= 0;

	p->names_only = false;
	p->dialect = (unsigned)to;
	if (from == to) {
		buf_addslice(&p->source, source);
		buf_addslice(&p->text, text);
	} else if (good && (from == MESSAGE_PLAIN || to == MESSAGE_PLAIN) && from != MESSAGE_ICU &&
	    to != MESSAGE_ICU) {
		p->dialect = (unsigned)(from == MESSAGE_PLAIN ? to : from);
		good = from == MESSAGE_PLAIN
		    ? message_quote(source, p->dialect, false, false, &p->source)
		    : (buf_addslice(&p->source, source), true);
		good = good && (to == MESSAGE_PLAIN
			    ? message_quote(text, p->dialect, false, false, &p->text)
			    : (buf_addslice(&p->text, text), true));
	} else if (good && (from == MESSAGE_ICU || to == MESSAGE_ICU)) {
		p->dialect = MESSAGE_ICU;
		p->names_only = true;
		good = from == MESSAGE_ICU
		    ? (buf_addslice(&p->source, source), true)
		    : add_as_icu(source, (unsigned)from, text, &arena, &p->source);
		good = good && (to == MESSAGE_ICU
			    ? (buf_addslice(&p->text, text), true)
			    : add_as_icu(text, (unsigned)to, source, &arena, &p->text));
	} else {
		good = false;
	}
	arena_free(&arena);
	return good;
}
