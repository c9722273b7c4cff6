#include "tools/translate/pseudo.h"

#include <ctype.h>

bool
pseudo_locale(const char *locale)
{
	return strcmp(locale, "en-XA") == 0 || strcmp(locale, "ar-XB") == 0;
}

/* ---- what stays within literal text ---- */

/* Bytes of an entity (&amp;) or a written escape (\n, \u00e9) at text. */
static size_t
kept(struct slice text)
{
	size_t n = 1;

	if (*text.ptr == '\\' && text.len > 1)
		return text.ptr[1] == 'u' && text.len >= 6 ? 6 : 2;
	if (*text.ptr != '&')
		return 0;
	while (
	    n < text.len && n < 12 && (isalnum((unsigned char)text.ptr[n]) || text.ptr[n] == '#'))
		n++;
	return n > 1 && n < text.len && text.ptr[n] == ';' ? n + 1 : 0;
}

static const char *
accented(char c)
{
	static const char *const small[] = {"å", "ƀ", "ç", "ð", "é", "ƒ", "ĝ", "ĥ", "î", "ĵ", "ķ",
	    "ļ", "ɱ", "ñ", "ö", "þ", "ǫ", "ŕ", "š", "ţ", "û", "ṽ", "ŵ", "ẋ", "ý", "ž"};
	static const char *const large[] = {"Å", "Ɓ", "Ç", "Ð", "É", "Ƒ", "Ĝ", "Ĥ", "Î", "Ĵ", "Ķ",
	    "Ļ", "Ṁ", "Ñ", "Ö", "Þ", "Ǫ", "Ŕ", "Š", "Ţ", "Û", "Ṽ", "Ŵ", "Ẋ", "Ý", "Ž"};

	return c >= 'a' && c <= 'z' ? small[c - 'a'] : c >= 'A' && c <= 'Z' ? large[c - 'A'] : NULL;
}

static void
accent(struct slice text, const struct message_node *node, void *state, struct buf *out)
{
	(void)node, (void)state;
	for (size_t i = 0; i < text.len;) {
		size_t n = kept((struct slice){text.ptr + i, text.len - i});
		const char *letter = n ? NULL : accented(text.ptr[i]);

		if (letter)
			buf_adds(out, letter);
		else
			buf_add(out, text.ptr + i, n ? n : 1);
		i += n ? n : 1;
	}
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
turn(struct slice text, const struct message_node *node, void *state, struct buf *out)
{
	static const char open[] = "\u200f\u202e", close[] = "\u202c\u200f";
	bool inside = false;

	(void)node, (void)state;
	for (size_t i = 0; i < text.len;) {
		size_t n = kept((struct slice){text.ptr + i, text.len - i});
		bool word = !n && !is_blank(text.ptr[i]);

		if (word != inside)
			buf_adds(out, word ? open : close);
		inside = word;
		buf_add(out, text.ptr + i, n ? n : 1);
		i += n ? n : 1;
	}
	if (inside)
		buf_adds(out, close);
}

/* ---- brackets and padding ---- */

/* Characters and words of the text nodes among siblings [from, to). */
static void
measure(const struct message *m, size_t from, size_t to, size_t *length, size_t *words)
{
	*length = *words = 0;
	for (size_t i = from; i < to; i += m->nodes[i].size) {
		struct slice b = message_bytes(m, &m->nodes[i]);

		if (m->nodes[i].type != MESSAGE_TEXT)
			continue;
		*length += utf8_count(b.ptr, b.len);
		for (size_t k = 0; k < b.len; k++)
			*words += !is_blank(b.ptr[k]) && (k == 0 || is_blank(b.ptr[k - 1]));
	}
}

static void
add_padding(size_t length, size_t words, struct buf *out)
{
	static const char *const numbers[] = {" one", " two", " three", " four", " five", " six",
	    " seven", " eight", " nine", " ten"};
	size_t wanted = words > 3 ? length : length / 2, done = 0;

	for (size_t i = 0; done < wanted; i++) {
		buf_adds(out, numbers[i % 10]);
		done += strlen(numbers[i % 10]) - 1;
	}
}

static bool
has_branch(const struct message *m, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (m->nodes[i].type >= MESSAGE_PLURAL && m->nodes[i].type <= MESSAGE_SELECT)
			return true;
	return false;
}

/* Puts brackets inside the outer white space of [start, end) of out. */
static void
bracket(struct buf *out, size_t start, size_t end, size_t length, size_t words)
{
	struct buf tail = {0};

	while (start < end && is_blank(out->ptr[start]))
		start++;
	while (end > start && is_blank(out->ptr[end - 1]))
		end--;
	add_padding(length, words, &tail);
	buf_addc(&tail, ']');
	buf_splice(out, end, 0, buf_slice(&tail));
	buf_splice(out, start, 0, S("["));
	buf_free(&tail);
}

void
pseudo_accented(const struct message *m, struct arena *arena, struct buf *out)
{
	struct buf text = {0};
	struct message done;
	size_t length, words;

	message_map(m, accent, NULL, &text);
	struct slice copy = {arena_copy(arena, text.ptr ? text.ptr : "", text.len), text.len};
	if (message_parse(copy, m->dialect, arena, &done, NULL) < 0) {
		buf_addslice(out, m->text); /* cannot be: mapping keeps the syntax */
	} else if (done.n && !has_branch(&done, 0, done.n)) {
		measure(&done, 0, done.n, &length, &words);
		bracket(&text, 0, text.len, length, words);
		buf_addslice(out, buf_slice(&text));
	} else {
		/* Each case that holds no further branch, from the last to the first. */
		for (size_t i = done.n; i-- > 0;) {
			const struct message_node *c = &done.nodes[i];
			const char *brace;

			if (c->type != MESSAGE_CASE || has_branch(&done, i + 1, i + c->size))
				continue;
			brace = memchr(copy.ptr + c->start, '{', c->end - c->start);
			measure(&done, i + 1, i + c->size, &length, &words);
			bracket(&text, (size_t)(brace - copy.ptr) + 1, c->end - 1, length, words);
		}
		buf_addslice(out, buf_slice(&text));
	}
	buf_free(&text);
}

void
pseudo_bidi(const struct message *m, struct buf *out)
{
	message_map(m, turn, NULL, out);
}
