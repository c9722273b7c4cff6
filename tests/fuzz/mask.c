/*
 * Fuzzes mask and cases: the first byte is the dialect, the rest a message and an
 * answer divided by a byte FF. What is shown of a message must come back as
 * itself, any answer must become a message or be refused, and the pieces of a
 * message must join.
 */
#include "tools/translate/cases.h"
#include "tools/translate/mask.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
take(const struct message *m, enum mask_form form, struct slice answer, struct arena *arena)
{
	struct buf out = {0};
	struct message made;
	struct err e;

	if (mask_take(m, form, answer, &out, &e) == 0)
		message_parse(buf_slice(&out), m->dialect, arena, &made, NULL);
	buf_free(&out);
}

static void
round_trip(const struct message *m, struct arena *arena)
{
	struct buf shown = {0}, back = {0};
	struct message made;
	struct err e;

	mask_put(m, MASK_XML, &shown);
	/* Braces that a dialect can say only as it was written: refused, never wrong. */
	if (mask_take(m, MASK_XML, buf_slice(&shown), &back, &e) == 0) {
		struct buf again = {0};

		if (message_parse(buf_slice(&back), m->dialect, arena, &made, NULL) < 0)
			abort();
		mask_put(&made, MASK_XML, &again);
		/* Within what looks like a tag quotes are not text alone: verify tells. */
		if (!memchr(m->text.ptr, '<', m->text.len) && !slice_eq(buf_slice(&shown), buf_slice(&again)))
			abort();
		buf_free(&again);
	}
	buf_free(&shown);
	buf_free(&back);
}

static void
pieces(const struct message *m, struct slice answer, struct arena *arena)
{
	struct slice texts[CASES_MAX];
	struct piece *list;
	struct buf out = {0};
	struct err e;
	size_t n;

	if (cases_split(m, S("ar"), arena, &list, &n, &e) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		struct message part;

		texts[i] = list[i].text;
		if (message_parse(texts[i], m->dialect, arena, &part, NULL) < 0 ||
		    message_branches(&part))
			abort();
		round_trip(&part, arena);
		take(&part, MASK_XML, answer, arena);
		take(&part, MASK_TOKENS, answer, arena);
	}
	cases_join(m, S("ar"), arena, texts, &out);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned dialects[] = {MESSAGE_ICU, MESSAGE_ARB, MESSAGE_ARB | MESSAGE_ESCAPING,
	    MESSAGE_ARB | MESSAGE_RELAXED, MESSAGE_PRINTF, MESSAGE_I18NEXT, MESSAGE_PLAIN};
	static struct arena arena;
	struct message m;

	if (size < 1 || size > 4000)
		return 0;
	const char *text = (const char *)data + 1;
	const char *divide = size > 1 ? memchr(text, 0xff, size - 1) : NULL;
	struct slice source = {text, divide ? (size_t)(divide - text) : size - 1};
	struct slice answer = {"", 0};

	if (divide)
		answer = (struct slice){divide + 1, size - 2 - source.len};
	arena_reset(&arena);
	if (utf8_valid(source.ptr, source.len) == source.len &&
	    utf8_valid(answer.ptr, answer.len) == answer.len &&
	    message_parse(source, dialects[data[0] % 7], &arena, &m, NULL) == 0)
		pieces(&m, answer, &arena);
	return 0;
}
