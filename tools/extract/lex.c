#include "tools/extract/lex.h"

#include "tools/extract/position.h"

/* What a byte starts, so that one look decides. */
enum { OTHER, SPACE, NAME, DIGIT, QUOTE, COMPOUND };

static const unsigned char starts[256] = {
	[' '] = SPACE, ['\t'] = SPACE, ['\n'] = SPACE, ['\r'] = SPACE, ['\f'] = SPACE,
	['a' ... 'z'] = NAME, ['A' ... 'Z'] = NAME, ['_'] = NAME, ['$'] = NAME,
	[128 ... 255] = NAME, ['0' ... '9'] = DIGIT, ['\''] = QUOTE, ['"'] = QUOTE,
	['='] = COMPOUND, ['!'] = COMPOUND, ['?'] = COMPOUND, ['.'] = COMPOUND,
	['&'] = COMPOUND, ['|'] = COMPOUND, ['<'] = COMPOUND, ['>'] = COMPOUND,
	['+'] = COMPOUND, ['-'] = COMPOUND, ['*'] = COMPOUND, ['/'] = COMPOUND,
	['%'] = COMPOUND, ['^'] = COMPOUND, ['~'] = COMPOUND,
};

const bool lex_name_bytes[256] = {
	['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['_'] = true, ['$'] = true,
	['0' ... '9'] = true, [128 ... 255] = true,
};

const bool lex_stop_bytes[256] = {
	[0] = true, ['\''] = true, ['"'] = true, ['\\'] = true, ['$'] = true,
	['\n'] = true, ['\r'] = true,
};

static unsigned
byte_at(const struct lexer *lx, uint32_t at)
{
	return (unsigned char)lx->text[at];
}

void
lex_fault(struct lexer *lx, const char *code, uint32_t at)
{
	if (lx->fault == NULL) {
		lx->fault = code;
		lx->fault_at = at;
	}
}

void
lex_start(struct lexer *lx, struct slice text, uint32_t start, uint32_t end)
{
	*lx = (struct lexer){.text = text.ptr, .at = start, .end = end};
	lx->lone_cr = position_lone_cr(text);
	if (start == 0 && end >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0)
		lx->at = 3;
	if (start == 0 && text.ptr[lx->at] == '#' && text.ptr[lx->at + 1] == '!')
		while (lx->at < end && text.ptr[lx->at] != '\n')
			lx->at++;
}

/* Most white space is indentation: eight blanks at a time. */
static uint32_t
skip_space(const struct lexer *lx, uint32_t at)
{
	const uint64_t blanks = 0x2020202020202020;
	uint64_t eight;

	while (starts[byte_at(lx, at)] == SPACE) {
		at++;
		while (at + 8 <= lx->end) {
			memcpy(&eight, lx->text + at, 8);
			if (eight != blanks)
				break;
			at += 8;
		}
	}
	return at;
}

static uint32_t
skip_line(const struct lexer *lx, uint32_t at)
{
	const char *lf;

	if (!lx->lone_cr) {
		lf = memchr(lx->text + at, '\n', lx->end - at);
		return lf ? (uint32_t)(lf - lx->text) : lx->end;
	}
	while (at < lx->end && lx->text[at] != '\n' && lx->text[at] != '\r')
		at++;
	return at;
}

/* Block comments nest; at is behind the first slash and star. */
static uint32_t
skip_block(const struct lexer *lx, uint32_t at)
{
	for (size_t depth = 1; at < lx->end; at++) {
		char c = lx->text[at];
		if (c == '*' && lx->text[at + 1] == '/') {
			at++;
			if (--depth == 0)
				return at + 1;
		} else if (c == '/' && lx->text[at + 1] == '*') {
			at++;
			depth++;
		}
	}
	return lx->end;
}

uint32_t
lex_trivia(const struct lexer *lx, uint32_t at)
{
	for (;;) {
		at = skip_space(lx, at);
		if (lx->text[at] != '/' || at >= lx->end)
			return at;
		if (lx->text[at + 1] == '/')
			at = skip_line(lx, at);
		else if (lx->text[at + 1] == '*')
			at = skip_block(lx, at + 2);
		else
			return at;
	}
}

uint32_t
lex_interpolation(struct lexer *lx, uint32_t at)
{
	struct lexer inner = *lx;
	size_t braces = 1;

	inner.at = at;
	inner.end = lx->end;
	if (++inner.depth > LEX_DEPTH) {
		lex_fault(lx, "too_deep", at);
		return lx->end;
	}
	for (;;) {
		struct token t = lex_next(&inner);
		braces += t.kind == '{';
		if (t.kind == TOKEN_END || (t.kind == '}' && --braces == 0)) {
			if (inner.fault != NULL)
				lex_fault(lx, inner.fault, inner.fault_at);
			if (t.kind == TOKEN_END)
				lex_fault(lx, "unterminated_string", at);
			return t.start;
		}
	}
}

/*
 * One part of a literal, from its prefix or quote to behind its closing
 * quote; *closed says whether there is one. An open single-line part ends at
 * its line's end, any other at the text's.
 */
static uint32_t
part_end(struct lexer *lx, uint32_t at, bool *closed)
{
	const char *text = lx->text;
	bool raw = text[at] == 'r';
	char quote = text[at += raw];
	bool triple = text[at + 1] == quote && text[at + 2] == quote;

	*closed = true;
	at += triple ? 3 : 1;
	for (; at < lx->end; at++) {
		if (!lex_stop_bytes[byte_at(lx, at)])
			continue;
		char c = text[at];
		if (c == quote) {
			if (!triple)
				return at + 1;
			if (text[at + 1] == quote && text[at + 2] == quote)
				return at + 3;
		} else if ((c == '\n' || c == '\r') && !triple) {
			break;
		} else if (c == '\\' && !raw) {
			/* A backslash does not hide a line's end from a single-line part. */
			if (text[at + 1] != '\n' && text[at + 1] != '\r')
				at++;
		} else if (c == '$' && text[at + 1] == '{' && !raw) {
			at = lex_interpolation(lx, at + 2);
		}
	}
	*closed = false;
	return at < lx->end ? at : lx->end;
}

/* Whether a part of a literal starts here. */
static bool
starts_part(const char *text, uint32_t at)
{
	char c = text[at];

	if (c == 'r')
		c = text[at + 1];
	return c == '\'' || c == '"';
}

static struct token
literal(struct lexer *lx, uint32_t start)
{
	struct token t = {start, start, TOKEN_STRING};

	lx->at = start;
	do {
		bool closed;
		uint32_t part = lx->at;
		t.end = part_end(lx, part, &closed);
		if (!closed) {
			lex_fault(lx, "unterminated_string", part);
			t.kind = TOKEN_OPERATOR;
			lx->at = t.end;
			break;
		}
		lx->at = lex_trivia(lx, t.end);
	} while (lx->at < lx->end && starts_part(lx->text, lx->at));
	return t;
}

/* Two and more characters that are one token, as far as a reader cares. */
static struct token
compound(struct lexer *lx, uint32_t start)
{
	const char *s = lx->text + start;
	struct token t = {start, start + 1, (unsigned char)s[0]};

	if (s[1] == '=' && s[0] != '?' && s[0] != '.') {
		t.kind = s[0] == '=' || s[0] == '!' ? TOKEN_EQUAL : TOKEN_OPERATOR;
		t.end++;
	} else if (s[0] == '=' && s[1] == '>') {
		t.kind = TOKEN_ARROW;
		t.end++;
	} else if (s[0] == '?' && s[1] == '?') {
		t.kind = TOKEN_IFNULL;
		t.end += s[2] == '=' ? 2 : 1;
	} else if (s[0] == '?' && s[1] == '.' && starts[(unsigned char)s[2]] != DIGIT) {
		t.kind = TOKEN_QDOT;
		t.end += s[2] == '.' ? 2 : 1;
	} else if (s[0] == '.' && s[1] == '.') {
		t.kind = TOKEN_CASCADE;
		t.end += s[2] == '.' ? 2 : 1;
	} else if ((s[0] == '&' || s[0] == '|') && s[1] == s[0]) {
		t.kind = TOKEN_LOGIC;
		t.end++;
	}
	return t;
}

struct token
lex_next(struct lexer *lx)
{
	const char *text = lx->text;
	uint32_t at = lx->at;

	/* One blank or nothing stands between most tokens. */
	at += text[at] == ' ';
	if (starts[byte_at(lx, at)] == SPACE || text[at] == '/')
		at = lex_trivia(lx, at);
	struct token t = {at, at + 1, TOKEN_END};
	if (at >= lx->end) {
		lx->at = lx->end;
		return (struct token){lx->end, lx->end, TOKEN_END};
	}
	switch (starts[byte_at(lx, at)]) {
	case NAME:
		if (text[at] == 'r' && starts_part(text, at))
			return literal(lx, at);
		t.kind = TOKEN_NAME;
		while (lex_name_bytes[byte_at(lx, t.end)])
			t.end++;
		break;
	case DIGIT:
		t.kind = TOKEN_NUMBER;
		while (lex_name_bytes[byte_at(lx, t.end)] ||
		    (text[t.end] == '.' && starts[byte_at(lx, t.end + 1)] == DIGIT))
			t.end++;
		break;
	case QUOTE:
		return literal(lx, at);
	case COMPOUND:
		t = compound(lx, at);
		break;
	default:
		t.kind = byte_at(lx, at);
	}
	if (t.end > lx->end)
		t.end = lx->end;
	lx->at = t.end;
	return t;
}

struct token
lex_peek(const struct lexer *lx, uint32_t at)
{
	struct lexer ahead = *lx;

	ahead.at = at;
	return lex_next(&ahead);
}
