#include "tools/extract/pack_text.h"

#include "common/mem.h"
#include "tools/extract/entity.h"
#include "tools/extract/pack_value.h"

#include <ctype.h>
#include <stdlib.h>

struct pack_text {
	struct pack_value value;

	/* Where the reading of one capture stands. */
	const char *text; /* the source */
	size_t at, end;
	size_t first, last; /* the bytes that gave text, for the span */
	size_t indent;	    /* SPACE_BLOCK: columns that go from every line */

	/* What has no end before `end`: looked for once, so that time is linear. */
	bool unclosed;	  /* a bracketed interpolation */
	char lonely[4];	  /* quotes, which are apostrophes from here on */
};

struct pack_text *
pack_text_new(void)
{
	return xcalloc(1, sizeof(struct pack_text));
}

void
pack_text_free(struct pack_text *t)
{
	if (t == NULL)
		return;
	value_free(&t->value);
	free(t);
}

static bool
starts(const struct pack_text *t, struct slice mark)
{
	return mark.len && t->end - t->at >= mark.len &&
	    memcmp(t->text + t->at, mark.ptr, mark.len) == 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_name_byte(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static bool
is_indent(char c)
{
	return c == ' ' || c == '\t';
}

static bool
is_block(const struct pack_syntax *s)
{
	return s->space == SPACE_BLOCK || s->space == SPACE_INDENT;
}

static void
skip_blanks(struct pack_text *t)
{
	while (t->at < t->end && is_blank(t->text[t->at]))
		t->at++;
}

/* The source bytes [from, t->at) gave something that is shown. */
static void
extend_span(struct pack_text *t, size_t from)
{
	if (t->first == SIZE_MAX)
		t->first = from;
	t->last = t->at;
}

/* At a backslash. What no rule knows loses its backslash. */
static void
read_escape(struct pack_text *t, const struct pack_syntax *s)
{
	static const char letters[] = "ntrbfvae0", meaning[] = "\n\t\r\b\f\v\a\033";
	const char *known;
	uint32_t value;
	size_t n;
	char c;

	value_blank(&t->value);
	if (++t->at == t->end)
		return;
	c = t->text[t->at];
	n = escape_number((struct slice){t->text + t->at, t->end - t->at}, s->escapes, &value);
	if (n) {
		t->at += n;
		if (value) /* a NUL is no text */
			buf_addutf8(&t->value.segment, value);
		return;
	}
	t->at++;
	if (c == '\n' && (s->escapes & ESCAPE_NEWLINE)) {
		skip_blanks(t);
		return;
	}
	known = c && strchr(s->letters, c) ? strchr(letters, c) : NULL;
	if (known != NULL && c == '0')
		return;
	buf_addc(&t->value.segment, known != NULL ? meaning[known - letters] : c);
}

/* ---- one literal ---- */

/*
 * From a quote to its closing one; the cursor stays at one that has none, an apostrophe. All
 * quotes of its kind behind it were escaped then, and have none either.
 */
static void
skip_string(struct pack_text *t)
{
	char c = t->text[t->at];
	size_t at = t->at++;

	while (t->at < t->end && t->text[t->at] != c)
		t->at += t->text[t->at] == '\\' ? 2 : 1;
	if (t->at < t->end)
		return;
	t->at = at;
	t->lonely[strlen(t->lonely)] = c;
}

/* Past a bracketed expression to its closing mark, strings in it skipped; false: there is none. */
static bool
skip_expression(struct pack_text *t, struct slice close)
{
	size_t open = 0;

	for (; t->at < t->end; t->at++) {
		char c = t->text[t->at];

		if (open == 0 && starts(t, close))
			return true;
		if (strchr("([{", c) != NULL && c) {
			open++;
		} else if (strchr(")]}", c) != NULL && c) {
			open -= open > 0;
		} else if ((c == '"' || c == '\'' || c == '`') && strchr(t->lonely, c) == NULL) {
			skip_string(t);
		}
	}
	return false;
}

/* The interpolation at the cursor; false, and nothing moved, when there is none. */
static bool
read_interpolation(struct pack_text *t, const struct pack_syntax *s)
{
	size_t start = t->at;

	for (size_t i = 0; i < s->ninterpolations; i++) {
		size_t from;
		bool closed;

		if (!starts(t, s->open[i]))
			continue;
		from = t->at += s->open[i].len;
		if (s->close[i].len) {
			closed = !t->unclosed && skip_expression(t, s->close[i]);
			t->unclosed |= !closed;
		} else {
			while (t->at < t->end && is_name_byte(t->text[t->at]))
				t->at++;
			closed = t->at > from && !isdigit((unsigned char)t->text[from]);
		}
		if (closed) {
			struct slice expr = {t->text + from, t->at - from};

			t->at += s->close[i].len;
			if (value_expression(&t->value, expr))
				extend_span(t, start);
			return true;
		}
		t->at = start;
	}
	return false;
}

/* A byte of text itself; line breaks are LF. */
static void
read_plain(struct pack_text *t, const struct pack_syntax *s)
{
	char c = t->text[t->at++];

	if (c == '\r' && starts(t, S("\n")))
		return;
	if (s->space == SPACE_COLLAPSE && is_blank(c)) {
		t->value.blank = true;
		return;
	}
	value_blank(&t->value);
	buf_addc(&t->value.segment, c == '\r' ? '\n' : c);
	if (c == '\n' && is_block(s))
		for (size_t n = t->indent; n && t->at < t->end && is_indent(t->text[t->at]); n--)
			t->at++;
}

/* Bytes that stand for themselves, as many as there are; false when there is none. */
static bool
read_run(struct pack_text *t, const struct pack_syntax *s)
{
	size_t from = t->at;

	while (t->at < t->end && !s->special[(unsigned char)t->text[t->at]])
		t->at++;
	if (t->at == from)
		return false;
	value_blank(&t->value);
	buf_add(&t->value.segment, t->text + from, t->at - from);
	extend_span(t, from);
	return true;
}

static void
read_piece(struct pack_text *t, const struct pack_syntax *s)
{
	size_t from = t->at, len;
	char c = t->text[t->at];
	uint32_t codepoint;

	if (s->ninterpolations && read_interpolation(t, s))
		return;
	if (c == '\\' && (s->escapes & ESCAPE_ANY)) {
		read_escape(t, s);
	} else if (c == '&' && (s->escapes & ESCAPE_ENTITIES) &&
	    (len = entity_read((struct slice){t->text + t->at, t->end - t->at}, &codepoint)) > 0) {
		value_blank(&t->value);
		if (codepoint)
			buf_addutf8(&t->value.segment, codepoint);
		t->at += len;
	} else {
		read_plain(t, s);
		if (s->space == SPACE_COLLAPSE && is_blank(c))
			return;
	}
	extend_span(t, from);
}

/* Where the closing quote of the literal at the cursor stands, or the end. */
static size_t
find_quote(const struct pack_text *t, struct slice quote)
{
	size_t at = t->at;
	const char *hit;

	while ((hit = memmem(t->text + at, t->end - at, quote.ptr, quote.len)) != NULL) {
		at = (size_t)(hit - t->text);
		if (at == t->at || hit[-1] != '\\')
			return at;
		at++;
	}
	return t->end;
}

/* The indentation that all lines of a block share. */
static size_t
common_indent(const struct pack_text *t, struct slice quote, bool closing_counts)
{
	size_t least = SIZE_MAX, close = find_quote(t, quote);

	for (size_t i = t->at; i < close;) {
		const char *lf = memchr(t->text + i, '\n', close - i);
		size_t n = 0;

		if (lf == NULL)
			break;
		i = (size_t)(lf - t->text) + 1;
		while (i + n < t->end && is_indent(t->text[i + n]))
			n++;
		bool closing = i + n == close && close < t->end;

		if (i + n < t->end && t->text[i + n] != '\n' && t->text[i + n] != '\r' && n < least &&
		    (!closing || closing_counts))
			least = n;
	}
	return least == SIZE_MAX ? 0 : least;
}

/* The cursor stands behind the opening quote. */
static void
read_quoted(struct pack_text *t, const struct pack_syntax *s, struct slice quote)
{
	if (is_block(s)) {
		t->indent = common_indent(t, quote, s->space == SPACE_BLOCK);
		while (t->at < t->end && (is_indent(t->text[t->at]) || t->text[t->at] == '\r'))
			t->at++;
		if (starts(t, S("\n")))
			for (size_t n = ++t->at; t->at < t->end && t->at - n < t->indent; t->at++)
				if (!is_indent(t->text[t->at]))
					break;
	}
	while (t->at < t->end) {
		if (read_run(t, s))
			continue;
		if (starts(t, quote)) {
			t->at += quote.len;
			if (!(s->escapes & ESCAPE_DOUBLED) || !starts(t, quote))
				break;
			buf_addslice(&t->value.segment, quote);
			t->at += quote.len;
			continue;
		}
		read_piece(t, s);
	}
	/* The line break before the closing quotes of a block. */
	if (is_block(s))
		while (t->value.segment.len && strchr(" \t\n", t->value.segment.ptr[t->value.segment.len - 1]))
			buf_cut(&t->value.segment, t->value.segment.len - 1);
}

/* ---- a capture ---- */

/* The syntax, and its longest quote, that what stands at the cursor begins with; else NULL. */
static const struct pack_syntax *
syntax_here(const struct pack_text *t, const struct pack_syntax *const *syntaxes,
    struct slice *quote)
{
	const struct pack_syntax *best = NULL;

	*quote = S("");
	for (; *syntaxes != NULL; syntaxes++) {
		for (size_t i = 0; i < (*syntaxes)->nquotes; i++) {
			struct slice mark = (*syntaxes)->quotes[i];

			if (mark.len > quote->len && starts(t, mark)) {
				*quote = mark;
				best = *syntaxes;
			}
		}
	}
	return best;
}

/* The syntax of a text without quotes; NULL where all texts have quotes. */
static const struct pack_syntax *
unquoted_syntax(const struct pack_syntax *const *syntaxes)
{
	static const struct pack_syntax plain = {.name = "plain", .special = {['\r'] = true}};

	if (*syntaxes == NULL)
		return &plain;
	while (*syntaxes != NULL && (*syntaxes)->nquotes)
		syntaxes++;
	return *syntaxes;
}

/* Literals that are joined, and the expressions between them. */
static void
read_joined(struct pack_text *t, const struct pack_syntax *const *syntaxes)
{
	const struct pack_syntax *s, *before = NULL;
	struct slice quote;
	size_t from;

	for (skip_blanks(t); t->at < t->end; skip_blanks(t)) {
		from = t->at;
		s = syntax_here(t, syntaxes, &quote);
		/* The quotes belong to the span. */
		if (t->first == SIZE_MAX)
			t->first = from;
		if (s != NULL) {
			t->at += quote.len;
			read_quoted(t, s, quote);
			before = s;
		} else {
			const struct pack_syntax *by = before != NULL ? before : *syntaxes;

			skip_expression(t, by->join);
			value_expression(&t->value, (struct slice){t->text + from, t->at - from});
		}
		extend_span(t, from);
		skip_blanks(t);
		if (before != NULL && starts(t, before->join))
			t->at += before->join.len;
		else if (before == NULL || !before->adjacent)
			break;
	}
}

struct pack_read
pack_text_read(struct pack_text *t, const struct pack_syntax *const *syntaxes, struct slice source,
    size_t start, size_t end, bool icu)
{
	const struct pack_syntax *plain;
	struct slice quote;
	struct pack_read read;

	value_reset(&t->value, icu);
	t->text = source.ptr;
	t->at = start;
	t->end = end;
	t->first = SIZE_MAX;
	t->last = start;
	t->unclosed = false;
	memset(t->lonely, 0, sizeof(t->lonely));
	plain = unquoted_syntax(syntaxes);
	if (plain == NULL || syntax_here(t, syntaxes, &quote) != NULL)
		read_joined(t, syntaxes);
	else
		while (t->at < t->end)
			if (!read_run(t, plain))
				read_piece(t, plain);
	read.value = value_finish(&t->value);
	read.start = t->first == SIZE_MAX ? start : t->first;
	read.end = t->last;
	read.letters = t->value.letters;
	read.placeholders = t->value.placeholders;
	read.nplaceholders = t->value.nplaceholders;
	return read;
}

void
pack_text_prepare(struct pack_syntax *s)
{
	static const char blanks[] = " \t\n\v\f\r";

	for (size_t i = 0; i < s->nquotes; i++)
		s->special[(unsigned char)s->quotes[i].ptr[0]] = true;
	for (size_t i = 0; i < s->ninterpolations; i++)
		s->special[(unsigned char)s->open[i].ptr[0]] = true;
	for (const char *b = blanks; *b; b++)
		s->special[(unsigned char)*b] = *b == '\r' || s->space == SPACE_COLLAPSE ||
		    (*b == '\n' && is_block(s));
	s->special['\\'] = s->escapes & ESCAPE_ANY || s->special['\\'];
	s->special['&'] = s->escapes & ESCAPE_ENTITIES || s->special['&'];
}
