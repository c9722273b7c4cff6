/*
 * Reading PO. A line is a comment or some tokens (keywords and strings); an
 * entry ends where a comment or a msgctxt or msgid follows a msgstr. Strings
 * of one piece without escapes are slices of the file, all others are decoded
 * into the arena.
 */
#include "common/format/po.h"

#include "common/format/po_comment.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum field { NONE, CONTEXT, ID, PLURAL, STR };

struct reader {
	struct catalog *c;
	const char *p, *end; /* what is still to be read */
	struct catalog_cursor cursor;
	struct err *err;
	/* The entry that is being read. */
	struct catalog_entry entry;
	struct slice values[CATALOG_FORMS];
	bool started; /* some line of it was seen */
	bool seen_id, seen_str;
	bool in_line; /* something stands before it in its line */
	const char *entry_start, *entry_end, *str_start;
	struct buf comment, flags;
	struct po_key key;
	/* The string that is being read: where it goes, and its bytes. */
	enum field field;
	bool previous, obsolete;
	size_t form;
	struct slice piece; /* the only piece so far, undecoded */
	bool many;	    /* the text is in scratch */
	struct buf scratch;
};

static int __attribute__((format(printf, 3, 4)))
fail(struct reader *r, const char *at, const char *format, ...)
{
	va_list ap;

	if (!r->err)
		return -1;
	r->err->code = "bad_catalog";
	va_start(ap, format);
	vsnprintf(r->err->text, sizeof(r->err->text), format, ap);
	va_end(ap);
	catalog_seek(&r->cursor, r->c->text, (size_t)(at - r->c->text.ptr), &r->err->line,
	    &r->err->column);
	return -1;
}

/* -- strings -- */

static int
decode_piece(struct reader *r, struct slice piece)
{
	const char *bad = po_decode(piece, &r->scratch);

	return bad ? fail(r, bad, "an escape that means nothing") : 0;
}

/* One "…" of the string that is being read. */
static int
add_piece(struct reader *r, struct slice piece)
{
	if (!r->piece.ptr) {
		r->piece = piece;
		return 0;
	}
	if (!r->many) {
		r->many = true;
		buf_reset(&r->scratch);
		if (decode_piece(r, r->piece) < 0)
			return -1;
	}
	return decode_piece(r, piece);
}

/* The text of the string just read, and nothing is being read any more. */
static int
end_string(struct reader *r)
{
	struct slice text = r->piece;
	struct catalog_entry *e = &r->entry;
	enum field field = r->field;

	r->field = NONE;
	if (field == NONE)
		return 0;
	if (!text.ptr)
		return fail(r, r->p, "a string is missing");
	if (!r->many && memchr(text.ptr, '\\', text.len)) {
		r->many = true;
		buf_reset(&r->scratch);
		if (decode_piece(r, text) < 0)
			return -1;
	}
	if (r->many) {
		/* An octal or hex escape can make bytes that are no UTF-8. */
		if (utf8_valid(r->scratch.ptr, r->scratch.len) != r->scratch.len)
			return fail(r, text.ptr, "an escape makes bytes that are no text");
		text = (struct slice){arena_copy(&r->c->arena, r->scratch.ptr, r->scratch.len),
		    r->scratch.len};
	}
	if (r->previous) {
		if (field == ID)
			e->previous = text;
		else if (field == PLURAL)
			e->previous_plural = text;
		else if (field == CONTEXT)
			e->previous_context = text;
		return 0;
	}
	switch (field) {
	case CONTEXT:
		e->context = text;
		break;
	case ID:
		e->source = text;
		break;
	case PLURAL:
		e->source_plural = text;
		break;
	default:
		r->values[r->form] = text;
		e->nvalues = r->form + 1;
	}
	return 0;
}

/* -- entries -- */

static struct slice
keep(struct reader *r, const struct buf *b)
{
	if (!b->len)
		return (struct slice){NULL, 0};
	return (struct slice){arena_copy(&r->c->arena, b->ptr, b->len), b->len};
}

static enum catalog_state
state_of(const struct reader *r)
{
	for (size_t i = 0; i < r->entry.nvalues; i++)
		if (!r->values[i].len)
			return CATALOG_MISSING;
	if (!r->entry.nvalues)
		return CATALOG_MISSING;
	return po_flag(r->entry.flags, "fuzzy") ? CATALOG_FUZZY : CATALOG_TRANSLATED;
}

static void
reset_entry(struct reader *r)
{
	r->entry = (struct catalog_entry){0};
	r->started = r->seen_id = r->seen_str = false;
	r->str_start = NULL;
	buf_reset(&r->comment);
	buf_reset(&r->flags);
	buf_reset(&r->key.text);
}

/* The entry is whole: into the catalogue with it. */
static int
end_entry(struct reader *r)
{
	struct catalog *c = r->c;
	const char *text = c->text.ptr;
	struct catalog_entry *e = &r->entry;

	if (end_string(r) < 0)
		return -1;
	if (r->seen_id ? !r->seen_str : e->context.ptr != NULL)
		return fail(r, r->p, "a message without its %s", r->seen_id ? "msgstr" : "msgid");
	if (!r->seen_id) {
		reset_entry(r);
		return 0; /* comments at the end of the file */
	}
	e->values = arena_alloc(&c->arena, e->nvalues * sizeof(*e->values));
	memcpy(e->values, r->values, e->nvalues * sizeof(*e->values));
	e->comment = keep(r, &r->comment);
	e->flags = keep(r, &r->flags);
	e->key = keep(r, &r->key.text);
	if (!e->key.ptr)
		e->key = e->source;
	e->format = po_format(e->flags, e->source);
	e->state = state_of(r);
	e->stale = e->previous.ptr && e->state == CATALOG_FUZZY;
	e->obsolete = r->obsolete;
	size_t start = (size_t)(r->entry_start - text), end = (size_t)(r->entry_end - text);
	e->span = catalog_span(c, start, end);
	e->value_span = catalog_span(c, (size_t)(r->str_start - text), end);
	if (e->source.len == 0 && !e->context.ptr && !e->obsolete) {
		if (c->head.values)
			catalog_fault(c, "duplicate-key", SIZE_MAX, start, end,
			    "the header stands twice");
		c->head = *e;
		po_take_header(c, e->values[0]);
	} else {
		struct catalog_entry *kept = catalog_add(c);
		*kept = *e;
		kept->locale = c->locale;
		catalog_index(c, c->n - 1);
	}
	reset_entry(r);
	return 0;
}

/* A line of an entry starts here; where it begins one, the entry before it ends. */
static int
open_line(struct reader *r, const char *line, bool begins)
{
	if (begins && r->seen_str && end_entry(r) < 0)
		return -1;
	if (!r->started) {
		r->started = true;
		r->entry_start = line;
	}
	return 0;
}

/* -- lines -- */

static const struct keyword {
	const char *name;
	enum field field;
} keywords[] = {{"msgctxt", CONTEXT}, {"msgid_plural", PLURAL}, {"msgid", ID}, {"msgstr", STR}};

/* Whether the keyword may follow what was read of the entry. */
static bool
belongs(const struct reader *r, enum field field)
{
	switch (field) {
	case CONTEXT:
		return !r->entry.context.ptr && !r->seen_id;
	case ID:
		return !r->seen_id;
	case PLURAL:
		return r->seen_id && !r->entry.source_plural.ptr && !r->seen_str;
	default:
		return r->seen_id;
	}
}

static int
open_string(struct reader *r, enum field field, const char *at, const char *line)
{
	struct catalog_entry *e = &r->entry;
	bool begins = field == CONTEXT || field == ID;

	/* Entries are edited as lines. */
	if (begins && r->seen_str && r->in_line)
		return fail(r, at, "a message must begin on a line of its own");
	if (end_string(r) < 0 || open_line(r, line, begins && !r->previous) < 0)
		return -1;
	r->field = field;
	r->piece = (struct slice){NULL, 0};
	r->many = false;
	if (r->previous)
		return 0;
	if (!belongs(r, field))
		return fail(r, at, "a keyword that does not belong here");
	if (field == ID) {
		r->seen_id = true;
		catalog_seek(&r->cursor, r->c->text, (size_t)(at - r->c->text.ptr), &e->line,
		    &e->column);
	}
	if (field == STR && !r->seen_str)
		r->str_start = line;
	r->seen_str |= field == STR;
	return 0;
}

/* The [N] behind a msgstr, which must count up from 0. */
static int
read_form(struct reader *r, const char **p, const char *end)
{
	size_t form = 0;

	r->form = 0;
	if (*p == end || **p != '[') {
		if (r->entry.nvalues)
			return fail(r, *p, "a second msgstr");
		return r->entry.source_plural.ptr ? fail(r, *p, "msgstr of a plural without [0]")
						  : 0;
	}
	for (++*p; *p < end && isdigit((unsigned char)**p) && form < 1000; ++*p)
		form = form * 10 + (size_t)(**p - '0');
	if (*p == end || **p != ']')
		return fail(r, *p, "']' is missing");
	++*p;
	if (form >= CATALOG_FORMS)
		return fail(r, *p, "more than %d plural forms", CATALOG_FORMS);
	if (form != r->entry.nvalues)
		return fail(r, *p, "plural form %zu where %zu is due", form, r->entry.nvalues);
	r->form = form;
	return 0;
}

/* A keyword at *p; its end in *p. line: where the line starts. */
static int
read_keyword(struct reader *r, const char **p, const char *end, const char *line)
{
	const char *at = *p;
	size_t n = 0;

	while (at + n < end && (isalpha((unsigned char)at[n]) || at[n] == '_'))
		n++;
	for (size_t i = 0; i < sizeof(keywords) / sizeof(*keywords); i++) {
		if (!slice_is((struct slice){at, n}, keywords[i].name))
			continue;
		*p += n;
		if (open_string(r, keywords[i].field, at, line) < 0)
			return -1;
		return keywords[i].field == STR && !r->previous ? read_form(r, p, end) : 0;
	}
	return fail(r, at, "neither a keyword, a string nor a comment");
}

/* A "…" at *p; its end in *p. */
static int
read_piece(struct reader *r, const char **p, const char *end)
{
	const char *start = *p + 1, *q = start;

	if (r->field == NONE)
		return fail(r, *p, "a string without a keyword");
	while (q < end && *q != '"')
		q += *q == '\\' && q + 1 < end ? 2 : 1;
	if (q >= end)
		return fail(r, *p, "a string is not closed in its line");
	*p = q + 1;
	return add_piece(r, (struct slice){start, (size_t)(q - start)});
}

/* Keywords and strings from p to the end of the line. */
static int
read_tokens(struct reader *r, const char *p, const char *end, const char *line)
{
	r->in_line = false;
	for (;; r->in_line = true) {
		while (p < end && isspace((unsigned char)*p))
			p++;
		if (p == end)
			break;
		if ((*p == '"' ? read_piece(r, &p, end) : read_keyword(r, &p, end, line)) < 0)
			return -1;
	}
	if (!r->previous)
		r->entry_end = end;
	return 0;
}

/* Tokens stand plain, behind #| (previous), #~ (obsolete) or #~| (both). */
static int
token_line(struct reader *r, const char *p, const char *end, bool previous, bool obsolete)
{
	bool other = previous != r->previous || obsolete != r->obsolete;

	if (other && end_string(r) < 0)
		return -1;
	if (other && (obsolete != r->obsolete || previous) && r->seen_str && end_entry(r) < 0)
		return -1;
	r->previous = previous;
	r->obsolete = obsolete;
	if (open_line(r, r->p, false) < 0)
		return -1;
	return read_tokens(r, p, end, r->p);
}

static int
comment_line(struct reader *r, const char *p, const char *end)
{
	struct slice text = {p, (size_t)(end - p)};
	char kind = text.len ? text.ptr[0] : '\0';

	if (end_string(r) < 0)
		return -1;
	/* It would have no place when the entry is written anew; gettext refuses it too. */
	if (!r->seen_str && (r->seen_id || r->entry.context.ptr))
		return fail(r, p, "a comment within a message: it belongs before it");
	if (open_line(r, r->p, true) < 0)
		return -1;
	if (kind == ',' || kind == '=' || kind == ':' || kind == '.') {
		text.ptr++;
		text.len--;
	}
	if (kind == ',' || kind == '=')
		po_add_line(&r->flags, text, ',');
	else if (kind == '.')
		po_extracted(&r->key, text, &r->comment);
	else if (kind != ':')
		po_add_line(&r->comment, text, '\n');
	return 0;
}

static int
read_line(struct reader *r, const char *end)
{
	const char *p = r->p;

	while (p < end && isspace((unsigned char)*p))
		p++;
	if (p == end)
		return 0;
	if (*p != '#')
		return token_line(r, p, end, false, false);
	p++;
	if (p < end && *p == '|')
		return token_line(r, p + 1, end, true, false);
	if (p == end || *p != '~')
		return comment_line(r, p, end);
	for (p++; p < end && (*p == ' ' || *p == '\t');)
		p++;
	bool previous = p < end && *p == '|';
	return token_line(r, p + previous, end, previous, true);
}

/* -- the file -- */

static int
read_lines(struct reader *r)
{
	while (r->p < r->end) {
		const char *lf = memchr(r->p, '\n', (size_t)(r->end - r->p));
		const char *end = lf ? lf : r->end, *next = lf ? lf + 1 : r->end;

		if (end > r->p && end[-1] == '\r')
			end--;
		if (read_line(r, end) < 0)
			return -1;
		r->p = next;
	}
	return end_entry(r);
}

int
po_parse(struct catalog *c, struct err *e)
{
	struct reader r = {.c = c, .err = e};
	int rc;

	if (po_to_utf8(c, e) < 0)
		return -1;
	r.p = c->text.ptr;
	r.end = r.p + c->text.len;
	size_t good = utf8_valid(c->text.ptr, c->text.len);
	const char *nul = memchr(c->text.ptr, '\0', c->text.len);
	if (nul) {
		rc = fail(&r, nul, "a NUL byte: no text file");
	} else if (good < c->text.len) {
		rc = fail(&r, r.p + good, "bytes that are not UTF-8");
		if (e)
			e->code = "bad_utf8";
	} else {
		rc = read_lines(&r);
	}
	for (size_t i = 0; rc == 0 && i < c->n; i++)
		c->entries[i].locale = c->locale;
	buf_free(&r.comment);
	buf_free(&r.flags);
	buf_free(&r.key.text);
	buf_free(&r.scratch);
	return rc;
}
