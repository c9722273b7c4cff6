#include "tools/extract/reader.h"

#include "common/mem.h"
#include "tools/extract/literal.h"

#include <stdlib.h>

enum { GENERIC = 256 }; /* bytes of type arguments that are looked through */

static bool
is_one_of(const char *text, struct token t, const char *const *words)
{
	if (t.kind != TOKEN_NAME)
		return false;
	for (; *words != NULL; words++)
		if (slice_is(token_text(text, t), *words))
			return true;
	return false;
}

static bool
is_dot(struct token t)
{
	return t.kind == '.' || t.kind == TOKEN_QDOT || t.kind == TOKEN_CASCADE;
}

/* A new argument, element or statement begins at `since`. */
static void
begin_item(struct frame *f, uint32_t since)
{
	f->since = since;
	f->head.kind = f->name.kind = f->lhs.kind = f->arrow.kind = 0;
	f->condition[2].kind = 0;
}

struct token
reader_head(struct reader *r, struct frame *f)
{
	static const char *const modifiers[] = {"else", NULL};

	if (f->head.kind == 0) {
		f->head = lex_peek(&r->lexer, f->since);
		if (is_one_of(r->text, f->head, modifiers))
			f->head = lex_peek(&r->lexer, f->head.end);
	}
	return f->head;
}

/* ---- whose bracket ---- */

/* The name that ends before `at`, white space skipped; kind 0 when none does. */
static struct token
name_before(const char *text, uint32_t at)
{
	while (at > 0 && (text[at - 1] == ' ' || text[at - 1] == '\n'))
		at--;
	struct token t = {at, at, 0};
	while (t.start > 0 && lex_name_char(text[t.start - 1]))
		t.start--;
	t.kind = t.start < t.end ? TOKEN_NAME : 0;
	return t;
}

/*
 * Callee and target of `target.callee<T>(`: backwards from the > at `close`,
 * the matching < being within GENERIC bytes.
 */
static void
generic_callee(const char *text, uint32_t close, struct frame *f)
{
	uint32_t at = close, stop = close > GENERIC ? close - GENERIC : 0;
	unsigned angles = 0;

	for (;; at--) {
		char c = text[at];
		if (c == '>')
			angles++;
		else if (c == '<' && --angles == 0)
			break;
		else if (c == ';' || c == '\'' || c == '"' || c == '=')
			return;
		if (at <= stop)
			return;
	}
	f->callee = name_before(text, at);
	if (f->callee.kind != 0 && f->callee.start > 0 && text[f->callee.start - 1] == '.')
		f->target = name_before(text, f->callee.start - 1);
}

static void
find_callee(struct reader *r, struct frame *f)
{
	struct token prev = reader_past(r, 1);

	f->before = prev;
	if (prev.kind == TOKEN_NAME) {
		f->callee = prev;
		f->before = r->chain;
		if (is_dot(reader_past(r, 2)) && reader_past(r, 3).kind == TOKEN_NAME)
			f->target = reader_past(r, 3);
	} else if (prev.kind == '>') {
		generic_callee(r->text, prev.start, f);
	}
}

/* The ( ) that this brace or arrow belongs to ends just before: `) async* {`. */
static bool
behind_parameters(const struct reader *r)
{
	static const char *const async[] = {"async", "sync", NULL};
	unsigned k = 1;

	if (reader_past(r, k).kind == '*')
		k++;
	if (is_one_of(r->text, reader_past(r, k), async))
		k++;
	return reader_past(r, k).kind == ')';
}

static bool
is_getter(const struct reader *r)
{
	return reader_past(r, 1).kind == TOKEN_NAME &&
	    token_is(r->text, reader_past(r, 2), "get");
}

/* What a { behind a closed ( ) is, and whose. */
static void
find_body(struct reader *r, struct frame *f)
{
	static const char *const control[] = {"if", "for", "while", "catch", NULL};

	f->body = BODY_FUNCTION;
	f->callee = r->closed.callee;
	f->before = r->closed.before;
	f->parameters = r->closed.parameters;
	f->parameters_end = r->closed.parameters_end;
	if (is_one_of(r->text, f->callee, control))
		f->body = BODY_BLOCK;
	else if (token_is(r->text, f->callee, "switch"))
		f->body = BODY_SWITCH;
}

static void
find_brace(struct reader *r, struct frame *f)
{
	static const char *const values[] = {"return", "const", "in", "await", "yield", NULL};
	static const char *const types[] = {"class", "abstract", "mixin", "extension", "enum",
		"sealed", "base", "interface", "final", NULL};
	struct token prev = reader_past(r, 1);

	f->before = prev;
	f->body = BODY_LITERAL;
	if (behind_parameters(r)) {
		find_body(r, f);
	} else if (prev.kind == TOKEN_NAME) {
		f->body = is_one_of(r->text, prev, values) ? BODY_LITERAL : BODY_BLOCK;
		if (is_getter(r)) {
			f->body = BODY_FUNCTION;
			f->callee = prev;
		}
	} else if (prev.kind == '>') {
		struct frame *parent = reader_top(r);
		if (is_one_of(r->text, reader_head(r, parent), types))
			f->body = BODY_BLOCK;
	} else if (prev.kind == ';' || prev.kind == '{' || prev.kind == '}' || prev.kind == 0) {
		f->body = BODY_BLOCK;
	}
}

static bool
is_subscript(const struct reader *r)
{
	static const char *const keywords[] = {"return", "in", "case", "await", "yield", "const",
		"else", "throw", "when", NULL};
	struct token prev = reader_past(r, 1);

	switch (prev.kind) {
	case TOKEN_NAME:
		return !is_one_of(r->text, prev, keywords);
	case ')':
	case ']':
	case '!':
	case '}':
	case TOKEN_STRING:
		return true;
	case '?':
		/* a?[i] has no space; a ? [b] : c has. */
		return r->text[prev.end] == '[' && prev.start > 0 && r->text[prev.start - 1] != ' ';
	default:
		return false;
	}
}

/* ---- brackets ---- */

static void
push(struct reader *r, struct token t)
{
	if (r->lost > 0 || r->depth == READER_DEPTH) {
		if (r->lost++ == 0)
			lex_fault(&r->lexer, "too_deep", t.start);
		return;
	}
	struct frame *f = &r->frames[r->depth];
	*f = (struct frame){.open = (char)t.kind, .since = t.end};
	if (t.kind == '(') {
		f->parameters = t.end;
		find_callee(r, f);
	} else if (t.kind == '{') {
		find_brace(r, f);
	} else {
		f->before = reader_past(r, 1);
		f->index = is_subscript(r);
	}
	r->depth++;
}

static void
close_parenthesis(struct reader *r, const struct frame *f, struct token t)
{
	static const char *const control[] = {"if", "for", "while", NULL};
	struct frame *parent = reader_top(r);

	r->closed = (struct closed){f->callee, f->before, f->parameters, t.start};
	if (parent->open != '(' && is_one_of(r->text, f->callee, control))
		begin_item(parent, t.end);
}

/* Closes the nearest bracket of that kind; none nearby: the closer is stray. */
static void
pop(struct reader *r, struct token t)
{
	char open = t.kind == ')' ? '(' : t.kind == ']' ? '[' : '{';
	size_t i = r->depth;

	if (r->lost > 0) {
		r->lost--;
		return;
	}
	while (i > 1 && r->depth - i < 8 && r->frames[i - 1].open != open &&
	    r->frames[i - 1].open != '$')
		i--;
	if (i <= 1 || r->frames[i - 1].open != open)
		return;
	r->depth = i - 1;
	struct frame *f = &r->frames[i - 1], *parent = reader_top(r);
	if (open == '(')
		close_parenthesis(r, f, t);
	else if (open == '{' && f->body != BODY_LITERAL && parent->open != '(' &&
	    parent->open != '[' && parent->body != BODY_LITERAL && parent->lhs.kind == 0)
		begin_item(parent, t.end);
}

/* ---- what else changes the item at hand ---- */

static void
read_colon(struct reader *r, struct token t)
{
	static const char *const labels[] = {"case", "default", NULL};
	struct frame *f = reader_top(r);
	struct token prev = reader_past(r, 1), prev2 = reader_past(r, 2);

	if (f->open == '(' && prev.kind == TOKEN_NAME && (prev2.kind == '(' || prev2.kind == ',')) {
		begin_item(f, t.end);
		f->name = prev;
	} else if (f->body == BODY_LITERAL && f->name.kind == 0 && f->condition[2].kind == 0) {
		begin_item(f, t.end);
		f->name = prev;
	} else if ((f->body == BODY_SWITCH || f->body == BODY_BLOCK) &&
	    is_one_of(r->text, reader_head(r, f), labels)) {
		begin_item(f, t.end);
	}
}

static void
read_arrow(struct reader *r, struct token t)
{
	struct frame *f = reader_top(r);
	struct token prev = reader_past(r, 1);

	f->arrow = t;
	f->arrow_parameters = f->arrow_parameters_end = 0;
	if (behind_parameters(r)) {
		if (r->closed.callee.kind == TOKEN_NAME)
			f->arrow = r->closed.callee;
		f->arrow_parameters = r->closed.parameters;
		f->arrow_parameters_end = r->closed.parameters_end;
	} else if (is_getter(r)) {
		f->arrow = prev;
	}
}

/* Remembers `String name`, `int? n`: the two tokens before are a type. */
static void
note_type(struct reader *r, struct token name)
{
	static const char *const types[] = {"String", "int", "double", "num", "DateTime", "bool",
		NULL};
	unsigned k = reader_past(r, 1).kind == '?' ? 2 : 1;
	struct token type = reader_past(r, k);

	if (type.kind != TOKEN_NAME || !is_one_of(r->text, type, types))
		return;
	struct slice text = token_text(r->text, name);
	size_t i = ((unsigned char)text.ptr[0] * 31u + (unsigned char)text.ptr[text.len - 1] * 7u +
		       text.len) % READER_TYPES;
	r->types[i] = (struct reader_type){text, token_text(r->text, type)};
}

struct slice
reader_type(const struct reader *r, struct slice name)
{
	if (name.len == 0)
		return name;
	size_t i = ((unsigned char)name.ptr[0] * 31u + (unsigned char)name.ptr[name.len - 1] * 7u +
		       name.len) % READER_TYPES;
	const struct reader_type *t = &r->types[i];

	return slice_eq(t->name, name) ? t->type : (struct slice){"", 0};
}

static void
read_name(struct reader *r, struct token t)
{
	struct token prev = reader_past(r, 1);

	if (!is_dot(prev))
		r->chain = prev;
	if (prev.kind == TOKEN_NAME || prev.kind == '?')
		note_type(r, t);
	if (r->name != NULL && r->lost == 0)
		r->name(r, t, r->state);
}

static void
read_code(struct reader *r);

/* Reads the code inside a literal's interpolations. */
static void
read_inside(struct reader *r, struct token t, int level)
{
	struct literal l = literal_start(&r->lexer, t);
	struct literal_piece p;

	while (literal_next(&l, &p)) {
		if (!p.expression || r->depth == READER_DEPTH || r->lexer.depth == LEX_DEPTH)
			continue;
		if (!p.braced && r->name == NULL)
			continue;
		struct lexer outside = r->lexer;
		size_t depth = r->depth;
		r->lexer.at = p.start;
		r->lexer.end = p.end;
		r->lexer.depth++;
		r->frames[r->depth++] =
		    (struct frame){.open = '$', .since = p.start, .outer = level};
		r->past[r->npast++ % READER_PAST] = (struct token){p.start - 1, p.start, '$'};
		read_code(r);
		r->depth = depth;
		outside.fault = r->lexer.fault;
		outside.fault_at = r->lexer.fault_at;
		r->lexer = outside;
	}
}

static void
read_literal(struct reader *r, struct token t)
{
	int level = r->lost == 0 ? r->literal(r, t, r->state) : 0;

	/* Most literals have no interpolation: a look for ${ is cheaper than reading. */
	if (memchr(r->text + t.start, '$', t.end - t.start) != NULL)
		read_inside(r, t, level);
}

static void
read_token(struct reader *r, struct token t)
{
	struct frame *f = reader_top(r);

	switch (t.kind) {
	case TOKEN_NAME:
		read_name(r, t);
		break;
	case TOKEN_STRING:
		read_literal(r, t);
		break;
	case '(':
	case '[':
	case '{':
		push(r, t);
		break;
	case ')':
	case ']':
	case '}':
		pop(r, t);
		break;
	case ',':
		f->positional += f->name.kind == 0;
		begin_item(f, t.end);
		break;
	case ';':
		begin_item(f, t.end);
		break;
	case ':':
		read_colon(r, t);
		break;
	case '=':
		f->lhs = reader_past(r, 1);
		break;
	case TOKEN_IFNULL:
		if (t.end - t.start == 3)
			f->lhs = reader_past(r, 1);
		break;
	case TOKEN_ARROW:
		read_arrow(r, t);
		break;
	case '?':
		for (unsigned k = 0; k < 3; k++)
			f->condition[k] = reader_past(r, 3 - k);
		break;
	default:
		break;
	}
}

static void
read_code(struct reader *r)
{
	for (;;) {
		struct token t = lex_next(&r->lexer);
		if (t.kind == TOKEN_END)
			return;
		read_token(r, t);
		r->past[r->npast++ % READER_PAST] = t;
	}
}

void
reader_read(struct reader *r, struct slice text)
{
	if (r->frames == NULL)
		r->frames = xreallocarray(NULL, READER_DEPTH, sizeof(*r->frames));
	r->text = text.ptr;
	r->depth = 1;
	r->lost = 0;
	r->npast = READER_PAST;
	memset(r->past, 0, sizeof(r->past));
	memset(r->types, 0, sizeof(r->types));
	r->chain = (struct token){0};
	r->closed = (struct closed){0};
	r->frames[0] = (struct frame){.body = BODY_BLOCK};
	lex_start(&r->lexer, text, 0, (uint32_t)text.len);
	read_code(r);
}

void
reader_free(struct reader *r)
{
	free(r->frames);
	r->frames = NULL;
}
