#include "tools/translate/mask.h"

#include "common/json.h"
#include "common/mem.h"

#include <stdlib.h>

/* ---- tokens ---- */

/* Whether all placeholders of that name are written with the same bytes. */
static bool
written_alike(const struct message *m, const struct message_node *node)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->nodes[i].type == node->type && slice_eq(m->nodes[i].name, node->name) &&
		    !slice_eq(message_bytes(m, &m->nodes[i]), message_bytes(m, node)))
			return false;
	return true;
}

static bool
has_braces(unsigned dialect)
{
	return (dialect & 15) == MESSAGE_ICU || (dialect & 15) == MESSAGE_ARB;
}

/* "{date, date, short}" is {date} to a translator, unless {date} is something else as well. */
static void
add_token(const struct message *m, const struct message_node *node, struct buf *out)
{
	if (node->type == MESSAGE_PLACEHOLDER && has_braces(m->dialect) &&
	    written_alike(m, node))
		buf_addf(out, "{%.*s}", (int)node->name.len, node->name.ptr);
	else
		buf_addslice(out, message_bytes(m, node));
}

static void
escape(struct slice text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		switch (text.ptr[i]) {
		case '&':
			buf_adds(out, "&amp;");
			break;
		case '<':
			buf_adds(out, "&lt;");
			break;
		case '>':
			buf_adds(out, "&gt;");
			break;
		default:
			buf_addc(out, text.ptr[i]);
		}
	}
}

void
mask_put(const struct message *m, enum mask_form form, struct buf *out)
{
	struct buf whole = {0}, literal = {0};
	size_t id = 0;

	for (size_t i = 0; i < m->n; i++) {
		if (m->nodes[i].type != MESSAGE_TEXT && form == MASK_XML) {
			buf_addf(&whole, "<x id=\"%zu\"/>", id++);
		} else if (m->nodes[i].type != MESSAGE_TEXT) {
			add_token(m, &m->nodes[i], &whole);
		} else {
			buf_reset(&literal);
			message_literal(m, &m->nodes[i], &literal);
			if (form == MASK_XML)
				escape(buf_slice(&literal), &whole);
			else
				buf_addslice(&whole, buf_slice(&literal));
		}
	}
	buf_addslice(out, slice_trim(buf_slice(&whole)));
	buf_free(&whole);
	buf_free(&literal);
}

void
mask_tokens(const struct message *m, struct buf *out)
{
	struct buf token = {0};

	json_open(out, '[');
	for (size_t i = 0; i < m->n; i++) {
		if (m->nodes[i].type == MESSAGE_TEXT)
			continue;
		buf_reset(&token);
		add_token(m, &m->nodes[i], &token);
		json_put(out, buf_slice(&token));
	}
	json_close(out, ']');
	buf_free(&token);
}

/* ---- the way back ---- */

struct taking {
	const struct message *m;
	struct slice answer;
	size_t at;
	struct buf text; /* literal text so far, not quoted yet */
	struct buf body;
	struct buf *tokens; /* MASK_TOKENS: of each node */
	unsigned char *seen; /* MASK_XML: of each node */
};

/* Writes the literal text before a token (more), or at the end. */
static int
put_text(struct taking *t, bool more, struct err *e)
{
	bool ok = message_quote(buf_slice(&t->text), t->m->dialect, false, more, &t->body);

	buf_reset(&t->text);
	return ok ? 0 : err_set(e, "bad_reply", "it has a brace that this message format cannot say");
}

static int
put_node(struct taking *t, const struct message_node *node, size_t step, struct err *e)
{
	if (put_text(t, true, e) < 0)
		return -1;
	buf_addslice(&t->body, message_bytes(t->m, node));
	t->at += step;
	return 0;
}

/* The node whose token stands here, the longest; NULL: none. */
static const struct message_node *
token_at(const struct taking *t, size_t *step)
{
	const struct message_node *found = NULL;
	size_t left = t->answer.len - t->at;

	*step = 0;
	for (size_t i = 0; i < t->m->n; i++) {
		const struct buf *token = &t->tokens[i];

		if (token->len > *step && token->len <= left &&
		    memcmp(t->answer.ptr + t->at, token->ptr, token->len) == 0) {
			found = &t->m->nodes[i];
			*step = token->len;
		}
	}
	return found;
}

static int
take_tokens(struct taking *t, struct err *e)
{
	int status = 0;

	t->tokens = xcalloc(t->m->n + 1, sizeof(*t->tokens));
	for (size_t i = 0; i < t->m->n; i++)
		if (t->m->nodes[i].type != MESSAGE_TEXT)
			add_token(t->m, &t->m->nodes[i], &t->tokens[i]);
	while (status == 0 && t->at < t->answer.len) {
		size_t step = 0;
		const struct message_node *node = token_at(t, &step);

		if (node)
			status = put_node(t, node, step, e);
		else
			buf_addc(&t->text, t->answer.ptr[t->at++]);
	}
	for (size_t i = 0; i < t->m->n; i++)
		buf_free(&t->tokens[i]);
	free(t->tokens);
	return status;
}

/* ---- XML ---- */

/* &amp; and its like at text, in out; its length, 0: it is none. */
static size_t
entity(struct slice text, struct buf *out)
{
	static const struct {
		const char *name, *says;
	} known[] = {{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}};
	unsigned long c = 0;
	size_t i = 2;

	for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++)
		if (slice_starts(text, known[k].name)) {
			buf_adds(out, known[k].says);
			return strlen(known[k].name);
		}
	if (!slice_starts(text, "&#"))
		return 0;
	bool hex = text.len > 2 && (text.ptr[2] == 'x' || text.ptr[2] == 'X');
	for (i += hex; i < text.len && i < 12; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *d = memchr(digits, text.ptr[i] | 0x20, hex ? 16 : 10);

		if (!d)
			break;
		c = c * (hex ? 16 : 10) + (unsigned long)(d - digits);
	}
	bool control = c < ' ' && c != '\n' && c != '\t', surrogate = c >= 0xd800 && c < 0xe000;
	if (i == (hex ? 3U : 2U) || i >= text.len || text.ptr[i] != ';' || control || surrogate ||
	    c > 0x10ffff)
		return 0;
	buf_addutf8(out, (uint32_t)c);
	return i + 1;
}

/* <x id="N"/> or <x id="N"></x> at text: N, and its length; 0 when there is none. */
static size_t
read_mark(struct slice text, size_t *id)
{
	static const char *const ends[] = {"\"/>", "\" />", "\"></x>"};
	size_t i = strlen("<x id=\"");

	if (!slice_starts(text, "<x id=\""))
		return 0;
	for (*id = 0; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9' &&
	     *id < MESSAGE_NODES; i++)
		*id = *id * 10 + (size_t)(text.ptr[i] - '0');
	struct slice rest = {text.ptr + i, text.len - i};
	for (size_t k = 0; k < sizeof(ends) / sizeof(*ends); k++)
		if (slice_starts(rest, ends[k]))
			return i + strlen(ends[k]);
	return 0;
}

/* What is wrong is said to people, who know no marks. */
static int
put_mark(struct taking *t, size_t id, size_t step, struct err *e)
{
	size_t i = 0;

	while (i < t->m->n && (t->m->nodes[i].type == MESSAGE_TEXT || id-- > 0))
		i++;
	if (i == t->m->n)
		return err_set(e, "bad_reply", "a placeholder was added");
	if (!t->seen[i]++)
		return put_node(t, &t->m->nodes[i], step, e);
	struct slice bytes = message_bytes(t->m, &t->m->nodes[i]);
	return err_set(e, "bad_reply", "%.*s is there twice",
	    (int)utf8_valid(bytes.ptr, bytes.len < 60 ? bytes.len : 60), bytes.ptr);
}

static int
all_seen(const struct taking *t, struct err *e)
{
	for (size_t i = 0; i < t->m->n; i++) {
		struct slice bytes = message_bytes(t->m, &t->m->nodes[i]);

		if (t->m->nodes[i].type != MESSAGE_TEXT && !t->seen[i])
			return err_set(e, "bad_reply", "%.*s is lost",
			    (int)utf8_valid(bytes.ptr, bytes.len < 60 ? bytes.len : 60),
			    bytes.ptr);
	}
	return 0;
}

static int
take_xml(struct taking *t, struct err *e)
{
	int status = 0;

	t->seen = xcalloc(t->m->n + 1, 1);
	while (status == 0 && t->at < t->answer.len) {
		struct slice rest = {t->answer.ptr + t->at, t->answer.len - t->at};
		size_t id, step = *rest.ptr == '<' ? read_mark(rest, &id) : 0;

		if (step) {
			status = put_mark(t, id, step, e);
			continue;
		}
		step = *rest.ptr == '&' ? entity(rest, &t->text) : 0;
		if (!step)
			buf_addc(&t->text, *rest.ptr);
		t->at += step ? step : 1;
	}
	if (status == 0)
		status = all_seen(t, e);
	free(t->seen);
	return status;
}

/*
 * Whether the dialect reads the answer as a message: a quote of the text may
 * open where one of the source's tokens closes, which no single piece shows.
 */
static int
check_reads(const struct message *source, struct slice body, struct err *e)
{
	struct arena arena = {0};
	struct message made;
	struct err why;
	int status = message_parse(body, source->dialect, &arena, &made, &why);

	if (status < 0)
		err_set(e, "bad_reply", "the answer is no message: %s", why.text);
	arena_free(&arena);
	return status;
}

int
mask_take(const struct message *source, enum mask_form form, struct slice answer, struct buf *out,
    struct err *e)
{
	struct taking t = {.m = source, .answer = slice_trim(answer)};
	struct slice inner = slice_trim(source->text);
	int status = form == MASK_XML ? take_xml(&t, e) : take_tokens(&t, e);

	if (status == 0)
		status = put_text(&t, false, e);
	if (status == 0)
		status = check_reads(source, buf_slice(&t.body), e);
	if (status == 0) {
		/* The white space around the source is not the translator's business. */
		buf_add(out, source->text.ptr, (size_t)(inner.ptr - source->text.ptr));
		buf_addslice(out, buf_slice(&t.body));
		buf_add(out, inner.ptr + inner.len, source->text.len - inner.len -
			(size_t)(inner.ptr - source->text.ptr));
	}
	buf_free(&t.text);
	buf_free(&t.body);
	return status;
}
