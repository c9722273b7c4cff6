#include "tools/extract/literal.h"

struct literal
literal_start(struct lexer *lx, struct token t)
{
	return (struct literal){.lexer = lx, .at = t.start, .end = t.end};
}

/*
 * Behind a first line of white space only (each character may follow a
 * backslash), or at itself where there is no such line.
 */
static uint32_t
first_line(const char *text, uint32_t at)
{
	for (uint32_t i = at;; i++) {
		if (text[i] == '\\')
			i++;
		switch (text[i]) {
		case ' ':
		case '\t':
			continue;
		case '\r':
			return i + (text[i + 1] == '\n' ? 2 : 1);
		case '\n':
			return i + 1;
		default:
			return at;
		}
	}
}

/* Steps over the prefix and the opening quotes of the next part. */
static void
open_part(struct literal *l)
{
	const char *text = l->lexer->text;

	l->raw = text[l->at] == 'r';
	l->at += l->raw;
	l->quote = text[l->at];
	l->triple = text[l->at + 1] == l->quote && text[l->at + 2] == l->quote;
	l->at += l->triple ? 3 : 1;
	if (l->triple)
		l->at = first_line(text, l->at);
}

static bool
at_close(const struct literal *l)
{
	const char *s = l->lexer->text + l->at;

	return s[0] == l->quote && (!l->triple || (s[1] == l->quote && s[2] == l->quote));
}

/* Names after $ hold no $ themselves. */
static bool
starts_name(char c)
{
	return lex_name_char(c) && c != '$' && !(c >= '0' && c <= '9') && (unsigned char)c < 128;
}

static struct literal_piece
interpolation(struct literal *l)
{
	const char *text = l->lexer->text;
	struct literal_piece p = {.expression = true, .start = l->at + 1};

	if (text[p.start] == '{') {
		p.braced = true;
		p.start++;
		p.end = lex_interpolation(l->lexer, p.start);
		l->at = p.end + 1;
		return p;
	}
	p.end = p.start;
	while (lex_name_char(text[p.end]) && text[p.end] != '$' && (unsigned char)text[p.end] < 128)
		p.end++;
	l->at = p.end;
	return p;
}

bool
literal_next(struct literal *l, struct literal_piece *piece)
{
	const char *text = l->lexer->text;

	if (l->quote == 0) {
		l->at = lex_trivia(l->lexer, l->at);
		if (l->at >= l->end)
			return false;
		open_part(l);
	}
	if (text[l->at] == '$' && !l->raw && (text[l->at + 1] == '{' || starts_name(text[l->at + 1]))) {
		*piece = interpolation(l);
	} else {
		*piece = (struct literal_piece){.raw = l->raw, .start = l->at};
		while (l->at < l->end) {
			char c = text[l->at];
			if (!lex_stop_bytes[(unsigned char)c]) {
				l->at++;
				continue;
			}
			if (at_close(l) || (!l->raw && c == '$' &&
			    (text[l->at + 1] == '{' || starts_name(text[l->at + 1]))))
				break;
			l->at += c == '\\' && !l->raw ? 2 : 1;
		}
		piece->end = l->at;
	}
	if (l->at >= l->end || at_close(l)) {
		l->at += l->triple ? 3 : 1;
		l->quote = 0;
	}
	return true;
}

/* Reads up to max hexadecimal digits: how many there were. */
static unsigned
hex(const char *s, unsigned max, uint32_t *value)
{
	unsigned n = 0;

	for (*value = 0; n < max; n++) {
		char c = s[n];
		unsigned digit;
		if (c >= '0' && c <= '9')
			digit = (unsigned)(c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			digit = (unsigned)((c | 32) - 'a') + 10;
		else
			break;
		*value = *value * 16 + digit;
	}
	return n;
}

/*
 * A UTF-16 or scalar escape at s (behind its backslash): the bytes it takes,
 * 0 when it is malformed.
 */
static uint32_t
code_unit(const char *s, uint32_t *value)
{
	unsigned n;

	if (s[0] == 'x')
		return hex(s + 1, 2, value) == 2 ? 3 : 0;
	if (s[0] != 'u')
		return 0;
	if (s[1] != '{')
		return hex(s + 1, 4, value) == 4 ? 5 : 0;
	n = hex(s + 2, 6, value);
	return n > 0 && s[2 + n] == '}' ? n + 3 : 0;
}

/* Decodes the escape behind a backslash; returns the bytes it takes. */
static uint32_t
decode_escape(const char *s, struct buf *out)
{
	static const char letters[] = "nrfbtv", bytes[] = "\n\r\f\b\t\v";
	const char *known = s[0] ? strchr(letters, s[0]) : NULL;
	uint32_t value, low, n, m;

	if (known != NULL) {
		buf_addc(out, bytes[known - letters]);
		return 1;
	}
	n = code_unit(s, &value);
	if (n == 0) {
		buf_addc(out, s[0]);
		return 1;
	}
	if (value >= 0xd800 && value < 0xdc00 && s[n] == '\\') {
		m = code_unit(s + n + 1, &low);
		if (m > 0 && low >= 0xdc00 && low < 0xe000) {
			value = 0x10000 + ((value - 0xd800) << 10) + (low - 0xdc00);
			n += 1 + m;
		}
	}
	buf_addutf8(out, value);
	return n;
}

void
literal_decode(const char *text, const struct literal_piece *p, struct buf *out)
{
	uint32_t at = p->start, from = at;

	while (at < p->end) {
		char c = text[at];
		bool escape = c == '\\' && !p->raw;
		if (!escape && c != '\r') {
			at++;
			continue;
		}
		buf_add(out, text + from, at - from);
		if (escape) {
			at++;
			/* A line's end behind a backslash is still a line's end. */
			if (text[at] != '\r')
				at += decode_escape(text + at, out);
		} else {
			buf_addc(out, '\n');
			at += at + 1 < p->end && text[at + 1] == '\n' ? 2 : 1;
		}
		from = at;
	}
	/* An escape may only seem to reach behind the piece in broken source. */
	if (at == p->end)
		buf_add(out, text + from, at - from);
}

struct slice
literal_quote(const char *text, struct token t)
{
	const char *s = text + t.start + (text[t.start] == 'r');

	return (struct slice){s, s[1] == s[0] && s[2] == s[0] ? 3 : 1};
}

void
literal_text(struct lexer *lx, struct token t, struct buf *out)
{
	struct literal l = literal_start(lx, t);
	struct literal_piece p;

	while (literal_next(&l, &p)) {
		if (p.expression) {
			buf_adds(out, "${");
			buf_add(out, lx->text + p.start, p.end - p.start);
			buf_addc(out, '}');
		} else {
			literal_decode(lx->text, &p, out);
		}
	}
}
