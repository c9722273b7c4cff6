#include "tools/extract/compose.h"

#include "common/message.h"
#include "tools/extract/literal.h"

#include <ctype.h>
#include <stdio.h>

/* ---- names and types of placeholders ---- */

static bool
is_ascii_name(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] >= 128 || s.ptr[i] == '$')
			return false;
	return s.len > 0;
}

/* Names that say nothing of what they hold: the one before them does. */
static bool
is_conversion(struct slice name)
{
	static const char *const words[] = {"toString", "toStringAsFixed", "toStringAsPrecision",
		"toUpperCase", "toLowerCase", "trim", "substring", "padLeft", "padRight", "value",
		"format", "join", "first", "last", "round", "floor", "ceil", "abs", "toInt",
		"toDouble", "toLocal", "this", "widget", "state", NULL};

	for (size_t i = 0; words[i] != NULL; i++)
		if (slice_is(name, words[i]))
			return true;
	return false;
}

/*
 * The name in an expression that tells most: the last one at its outermost
 * level, or the one before it where that only converts; len 0 where there is
 * none, or an operator makes something new of several names.
 */
static struct slice
telling_name(struct reader *r, const struct literal_piece *p, bool *converted)
{
	struct lexer lx = r->lexer;
	struct slice best = {"", 0};
	unsigned open = 0;
	struct token t;

	lx.at = p->start;
	lx.end = p->end;
	*converted = false;
	while ((t = lex_next(&lx)).kind != TOKEN_END) {
		bool opens = t.kind == '(' || t.kind == '[' || t.kind == '{';
		bool closes = t.kind == ')' || t.kind == ']' || t.kind == '}';
		open += opens;
		open -= closes && open > 0;
		if (open > 0 || opens || closes)
			continue;
		if (t.kind == TOKEN_NAME) {
			struct slice name = token_text(r->text, t);
			if (!is_conversion(name) || best.len == 0)
				best = name;
			*converted |= slice_starts(name, "toString") || slice_starts(name, "format");
		} else if (t.kind != '.' && t.kind != TOKEN_QDOT && t.kind != '!' &&
		    t.kind != TOKEN_IFNULL && t.kind != TOKEN_STRING && t.kind != '+' &&
		    t.kind != '-' && t.kind != TOKEN_NUMBER) {
			return (struct slice){"", 0};
		}
	}
	return best;
}

static bool
ends_like(struct slice name, const char *const *words)
{
	for (; *words != NULL; words++) {
		size_t n = strlen(*words);
		if (name.len == n && strncasecmp(name.ptr, *words, n) == 0)
			return true;
		/* itemCount, item_count */
		if (name.len > n && strncasecmp(name.ptr + name.len - n, *words, n) == 0 &&
		    ((*words)[0] - 32 == name.ptr[name.len - n] || name.ptr[name.len - n - 1] == '_'))
			return true;
	}
	return false;
}

/* What gen-l10n would call the type; from declarations, else from the name. */
static const char *
type_of(struct reader *r, struct slice name, bool converted, bool simple)
{
	static const char *const ints[] = {"count", "length", "index", "total", "number", "n",
		"num", "amount", "inDays", "inHours", "inMinutes", "inSeconds", "quantity", "age",
		"days", "hours", "minutes", "seconds", "pages", NULL};
	static const char *const strings[] = {"name", "title", "text", "email", "label", "message",
		"username", "url", "path", "description", NULL};
	struct slice declared = simple ? reader_type(r, name) : (struct slice){"", 0};

	if (converted)
		return "String";
	if (slice_is(declared, "int") || slice_is(declared, "double") || slice_is(declared, "num"))
		return slice_is(declared, "int") ? "int" : slice_is(declared, "num") ? "num" : "double";
	if (slice_is(declared, "String"))
		return "String";
	if (slice_is(declared, "DateTime"))
		return "DateTime";
	if (declared.len > 0)
		return "Object";
	return ends_like(name, ints) ? "int" : ends_like(name, strings) ? "String" : "Object";
}

/* A legal placeholder name: a letter first, then letters, digits, underscores. */
static struct slice
legal_name(struct composed *c, struct slice name)
{
	while (name.len > 0 && (name.ptr[0] == '_' || isdigit((unsigned char)name.ptr[0])))
		name.ptr++, name.len--;
	if (!is_ascii_name(name) || name.len > 40 || slice_is(name, "this") ||
	    slice_is(name, "switch") || slice_is(name, "await"))
		return S("value");
	if (!isupper((unsigned char)name.ptr[0]))
		return name;
	char *lower = arena_copy(&c->names, name.ptr, name.len);
	lower[0] = (char)tolower((unsigned char)lower[0]);
	return (struct slice){lower, name.len};
}

static bool
is_taken(const struct composed *c, struct slice name)
{
	for (size_t i = 0; i < c->nplaceholders; i++)
		if (slice_eq(c->placeholders[i].name, name))
			return true;
	return false;
}

/* The placeholder of an expression: one there is already, or a new one. */
static size_t
placeholder(struct reader *r, struct composed *c, const struct literal_piece *p)
{
	struct slice expr = slice_trim((struct slice){r->text + p->start, p->end - p->start});
	bool converted;

	for (size_t i = 0; i < c->nplaceholders; i++)
		if (slice_eq(c->placeholders[i].expr, expr))
			return i;
	struct slice telling = telling_name(r, p, &converted);
	struct slice base = legal_name(c, telling), name = base;
	for (unsigned n = 2; is_taken(c, name); n++) {
		char made[64];
		int len = snprintf(made, sizeof(made), "%.*s%u", (int)base.len, base.ptr, n);
		name = (struct slice){arena_copy(&c->names, made, (size_t)len), (size_t)len};
	}
	const char *type = type_of(r, telling, converted, telling.len == expr.len);
	c->placeholders[c->nplaceholders] = (struct placeholder){name, expr, slice(type)};
	return c->nplaceholders++;
}

/* ---- the message ---- */

static void
reset(struct composed *c)
{
	buf_reset(&c->value);
	buf_reset(&c->plain);
	buf_reset(&c->text);
	arena_reset(&c->names);
	c->nplaceholders = c->nparts = 0;
}

void
compose_plain(struct reader *r, struct token t, struct composed *c)
{
	struct literal l = literal_start(&r->lexer, t);
	struct literal_piece p;

	buf_reset(&c->plain);
	while (literal_next(&l, &p)) {
		if (p.expression)
			buf_addc(&c->plain, SHAPE_HOLE);
		else
			literal_decode(r->text, &p, &c->plain);
	}
}

/* A text in place of a hole is one with its neighbours: what one quotes ends before the next. */
void
compose_with(const struct composed *c, size_t at, struct slice text, bool in_plural,
    struct buf *out)
{
	struct buf run = {0};

	for (size_t i = 0; i < c->nparts; i++) {
		const struct composed_part *p = &c->parts[i];

		if (i == at || !p->hole) {
			buf_addslice(&run, i == at ? text : p->text);
			continue;
		}
		message_quote(buf_slice(&run), MESSAGE_ICU, in_plural, true, out);
		buf_reset(&run);
		buf_addc(out, '{');
		buf_addslice(out, c->placeholders[p->placeholder].name);
		buf_addc(out, '}');
	}
	message_quote(buf_slice(&run), MESSAGE_ICU, in_plural, in_plural, out);
	buf_free(&run);
}

/* Text parts first get their offset in c->text: it may still move. */
static void
settle_texts(struct composed *c)
{
	size_t at = 0;

	for (size_t i = 0; i < c->nparts; i++) {
		if (c->parts[i].hole)
			continue;
		c->parts[i].text.ptr = c->text.ptr + at;
		at += c->parts[i].text.len;
	}
}

bool
compose(struct reader *r, struct token t, struct composed *c)
{
	struct literal l = literal_start(&r->lexer, t);
	struct literal_piece p;

	reset(c);
	while (literal_next(&l, &p)) {
		size_t before = c->text.len;
		struct composed_part *last = c->nparts > 0 ? &c->parts[c->nparts - 1] : NULL;
		if (p.expression) {
			if (c->nparts + 2 > 2 * COMPOSE_HOLES)
				return false;
			size_t i = placeholder(r, c, &p);
			c->parts[c->nparts++] = (struct composed_part){
				.hole = true, .placeholder = i, .text = c->placeholders[i].expr};
			buf_addc(&c->plain, SHAPE_HOLE);
			continue;
		}
		literal_decode(r->text, &p, &c->text);
		size_t len = c->text.len - before;
		if (len == 0)
			continue;
		buf_add(&c->plain, c->text.ptr + before, len);
		/* Adjacent literals are one stretch of text. */
		if (last != NULL && !last->hole)
			last->text.len += len;
		else
			c->parts[c->nparts++] = (struct composed_part){.text = {NULL, len}};
	}
	settle_texts(c);
	compose_with(c, SIZE_MAX, S(""), false, &c->value);
	return true;
}

void
compose_free(struct composed *c)
{
	buf_free(&c->value);
	buf_free(&c->plain);
	buf_free(&c->text);
	arena_free(&c->names);
}
