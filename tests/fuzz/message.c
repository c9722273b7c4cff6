/*
 * Fuzzes message: the first byte is the dialect, the rest a source and a
 * translation divided by a byte FF. What parses must map onto itself, read
 * back what it quotes, and survive the comparison in bounded time.
 */
#include "common/message.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
same(struct slice text, const struct message_node *node, void *state, struct buf *out)
{
	(void)node, (void)state;
	buf_addslice(out, text);
}

static void
round_trip(const struct message *m, struct arena *arena)
{
	struct buf out = {0}, literal = {0}, again = {0};
	struct message read;

	message_map(m, same, NULL, &out);
	if (!slice_eq(buf_slice(&out), m->text))
		abort();
	for (size_t i = 0; i < m->n; i++) {
		if (i + m->nodes[i].size > m->n || m->nodes[i].size == 0 ||
		    m->nodes[i].end < m->nodes[i].start || m->nodes[i].end > m->text.len)
			abort();
		if (m->nodes[i].type == MESSAGE_TEXT)
			message_literal(m, &m->nodes[i], &literal);
	}
	/* Literal text quoted is text without placeholders, and that same text. */
	buf_reset(&out);
	if (message_quote(buf_slice(&literal), m->dialect, false, false, &out)) {
		if (message_parse(buf_slice(&out), m->dialect, arena, &read, NULL) < 0)
			abort();
		for (size_t i = 0; i < read.n; i++) {
			if (read.nodes[i].type == MESSAGE_TEXT)
				message_literal(&read, &read.nodes[i], &again);
			else if (read.nodes[i].type < MESSAGE_OPEN)
				abort();
			else
				buf_addslice(&again, message_bytes(&read, &read.nodes[i]));
		}
	}
	buf_reset(&out);
	message_convert(m, MESSAGE_ICU, &out);
	buf_reset(&out);
	message_convert(m, MESSAGE_ARB | MESSAGE_ESCAPING, &out);
	buf_free(&out);
	buf_free(&literal);
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena arena;
	struct message m;
	struct message_faults faults = {0};
	unsigned dialect = size ? data[0] % (MESSAGE_PLAIN + 1) : 0;

	if (size < 1)
		return 0;
	if (dialect == MESSAGE_ARB)
		dialect |= data[0] & (MESSAGE_ESCAPING | MESSAGE_RELAXED);
	struct slice text = {(const char *)data + 1, size - 1}, rest = {"", 0};
	const char *mark = text.len ? memchr(text.ptr, 0xff, text.len) : NULL;
	if (mark) {
		rest = (struct slice){mark + 1, text.len - (size_t)(mark + 1 - text.ptr)};
		text.len = (size_t)(mark - text.ptr);
	}
	arena_reset(&arena);
	if (message_parse(text, dialect, &arena, &m, NULL) == 0)
		round_trip(&m, &arena);
	message_verify(text, rest, dialect, S("ar"), &arena, &faults);
	return 0;
}
