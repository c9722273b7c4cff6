#include "tools/extract/place.h"

#include "tools/extract/find.h"

enum { CLIMB = 64 }; /* brackets that are looked through for what takes a text */

static struct slice
word(const struct reader *r, struct token t)
{
	return t.kind == TOKEN_NAME ? token_text(r->text, t) : (struct slice){"", 0};
}

/* Classes begin with a capital, perhaps behind underscores. */
static bool
is_class(struct slice name)
{
	size_t i = 0;

	while (i < name.len && name.ptr[i] == '_')
		i++;
	return i < name.len && name.ptr[i] >= 'A' && name.ptr[i] <= 'Z';
}

static bool
is_keyword(struct slice name, const char *const *words)
{
	for (; *words != NULL; words++)
		if (slice_is(name, *words))
			return true;
	return false;
}

/* ---- what follows ---- */

/*
 * Behind the bracket that opens at `at`; at itself when its end is not near.
 * Arguments of trim() or tr(args: […]) are short: 100 tokens are enough.
 */
static uint32_t
skip_brackets(struct lexer *lx, uint32_t at)
{
	struct lexer ahead = *lx;
	unsigned open = 0;

	ahead.at = at;
	for (int i = 0; i < 100; i++) {
		struct token t = lex_next(&ahead);
		open += t.kind == '(' || t.kind == '[' || t.kind == '{';
		if (t.kind == ')' || t.kind == ']' || t.kind == '}') {
			if (open <= 1)
				return t.end;
			open--;
		}
		if (t.kind == TOKEN_END)
			break;
	}
	return at;
}

enum { FOLLOWED_PLAINLY, FOLLOWED_NEVER, FOLLOWED_CONSUMED };

/* What the methods called on a literal, and the operator behind it, say. */
static int
what_follows(struct reader *r, const struct words *w, uint32_t at, struct token before)
{
	struct token t = lex_peek(&r->lexer, at);

	for (size_t group = r->depth;; t = lex_peek(&r->lexer, at)) {
		if (t.kind == ')' && group > 1 && r->frames[group - 1].open == '(' &&
		    r->frames[group - 1].callee.kind == 0) {
			at = t.end;
			group--;
			continue;
		}
		if (t.kind != '.' && t.kind != TOKEN_QDOT)
			break;
		struct token method = lex_peek(&r->lexer, t.end);
		at = method.end;
		if (method.kind != TOKEN_NAME || words_has(w, WORDS_LOCALISED, word(r, method)))
			return FOLLOWED_NEVER;
		if (!words_has(w, WORDS_KEEPING, word(r, method)))
			return FOLLOWED_CONSUMED;
		if (lex_peek(&r->lexer, at).kind == '(')
			at = skip_brackets(&r->lexer, at);
	}
	switch (t.kind) {
	case TOKEN_EQUAL:
	case TOKEN_ARROW: /* a pattern */
	case TOKEN_LOGIC:
	case '[':
	case '*':
		return FOLLOWED_NEVER;
	case ':':
		/* A map's key, unless it is the first branch of a conditional. */
		return before.kind == '{' || before.kind == ',' || before.kind == ')' ?
			  FOLLOWED_NEVER : FOLLOWED_PLAINLY;
	default:
		return FOLLOWED_PLAINLY;
	}
}

/* ---- climbing ---- */

/* Notes what a token before an expression says; false: it is never shown. */
static bool
read_before(const struct reader *r, struct token before, struct place *p)
{
	static const char *const never[] = {"case", "import", "export", "part", "of", "library",
		"is", "as", "when", "if", "on", "augment", NULL};

	switch (before.kind) {
	case TOKEN_EQUAL:
	case TOKEN_LOGIC:
	case '@':
	case '<':
	case '>':
	case '*':
		return false;
	case TOKEN_OPERATOR:
		/* += joins text; <= does not. */
		if (r->text[before.start] != '+')
			return false;
		break;
	case '?':
	case ':':
		p->ternary = true;
		break;
	case TOKEN_NAME:
		if (token_is(r->text, before, "throw"))
			p->thrown = true;
		return !is_keyword(token_text(r->text, before), never);
	default:
		break;
	}
	return true;
}

static enum place_kind
assigned(const struct reader *r, struct place *p, struct token lhs)
{
	p->name = word(r, lhs);
	return PLACE_ASSIGNED;
}

/* The call that frame f is the brackets of, and which argument is at hand. */
static void
read_call(const struct reader *r, const struct frame *f, struct place *p)
{
	p->call = word(r, f->callee);
	p->target = word(r, f->target);
	p->widget = is_class(p->call) ? p->call : is_class(p->target) ? p->target : S("");
	p->constructor = p->widget.len > 0;
	if (f->name.kind == TOKEN_NAME) {
		p->argument = word(r, f->name);
	} else {
		/* A list of more than 99 arguments has none that is known by number. */
		unsigned n = f->positional < 99 ? f->positional : 99;
		p->positional = true;
		p->number[0] = (char)('0' + n / 10);
		p->number[1] = (char)('0' + n % 10);
		p->argument = n < 10 ? (struct slice){p->number + 1, 1} : (struct slice){p->number, 2};
	}
}

/* The text is what a closure in frames[i] returns: whose argument is it? */
static enum place_kind
returned_by_closure(const struct reader *r, size_t i, struct place *p)
{
	const struct frame *f = &r->frames[i];

	if (f->open == '(' && f->callee.kind == TOKEN_NAME) {
		read_call(r, f, p);
		return PLACE_CLOSURE;
	}
	if (f->lhs.kind == TOKEN_NAME)
		p->name = word(r, f->lhs);
	return PLACE_RETURN;
}

/* A statement or member in frames[i]. */
static enum place_kind
in_statement(struct reader *r, size_t i, struct token before, struct place *p)
{
	struct frame *f = &r->frames[i];
	struct token head = reader_head(r, f);

	if (token_is(r->text, head, "throw"))
		p->thrown = true;
	if (f->arrow.kind == TOKEN_NAME) {
		p->name = word(r, f->arrow);
		return PLACE_RETURN;
	}
	if (f->arrow.kind != 0)
		return returned_by_closure(r, i, p);
	if (token_is(r->text, before, "return") || token_is(r->text, head, "return") ||
	    token_is(r->text, before, "yield")) {
		while (i > 0 && r->frames[i].body != BODY_FUNCTION && r->frames[i].open == '{')
			i--;
		if (r->frames[i].callee.kind == TOKEN_NAME) {
			p->name = word(r, r->frames[i].callee);
			return PLACE_RETURN;
		}
		return i > 0 ? returned_by_closure(r, i - 1, p) : PLACE_RETURN;
	}
	if (f->lhs.kind != 0)
		return assigned(r, p, f->lhs);
	return PLACE_OTHER;
}

/* Within ( ): 0 and another kind of place, or 1 to climb on (a group). */
static int
in_parentheses(const struct reader *r, const struct frame *f, struct token before, struct place *p)
{
	static const char *const control[] = {"if", "while", "for", "switch", "catch", "assert",
		NULL};
	static const char *const groups[] = {"return", "await", "yield", "throw", "in", "else",
		NULL};
	struct slice callee = word(r, f->callee);

	if (before.kind == '=' || f->lhs.kind != 0) {
		p->kind = assigned(r, p, f->lhs);
		return 0;
	}
	if (is_keyword(callee, control)) {
		p->kind = PLACE_NEVER;
		return 0;
	}
	if (callee.len == 0 || is_keyword(callee, groups)) {
		p->kind = PLACE_OTHER;
		p->thrown |= slice_is(callee, "throw");
		return f->arrow.kind == 0;
	}
	read_call(r, f, p);
	p->kind = f->arrow.kind != 0 ? PLACE_CLOSURE : PLACE_ARGUMENT;
	return 0;
}

static void
climb(struct reader *r, struct token before, struct place *p)
{
	static const char *const groups[] = {"return", "await", "yield", "throw", NULL};

	for (size_t i = r->depth - 1, steps = 0;; i--) {
		struct frame *f = &r->frames[i];
		p->kind = PLACE_OTHER;
		if (++steps > CLIMB)
			return;
		p->kind = PLACE_NEVER;
		if (!read_before(r, before, p))
			return;
		if (f->open == '$') {
			p->kind = PLACE_BRANCH;
			p->outer = f->outer;
			return;
		}
		if (f->open == '(') {
			if (in_parentheses(r, f, before, p) == 0)
				return;
		} else if (f->open == '[') {
			if (f->index)
				return;
			if (before.kind == '=') {
				p->kind = assigned(r, p, f->lhs);
				return;
			}
			p->listed = true;
		} else if (f->body == BODY_LITERAL) {
			if (before.kind == '=' || f->lhs.kind != 0) {
				p->kind = assigned(r, p, f->lhs);
				return;
			}
			p->listed = true;
			if (p->key.len == 0 && f->name.kind != 0)
				p->key = token_text(r->text, f->name);
		} else if (f->body != BODY_SWITCH || f->arrow.kind == 0) {
			p->kind = in_statement(r, i, before, p);
			return;
		}
		before = f->before;
		if (f->callee.kind == TOKEN_NAME && is_keyword(word(r, f->callee), groups))
			before = f->callee;
	}
}

/*
 * What the brackets around say, up to the nearest function's body: kept in
 * each frame, so that many literals in one bracket ask once.
 */
static unsigned
context(struct reader *r, const struct words *w, size_t i)
{
	struct frame *f = &r->frames[i];

	if (f->context & CONTEXT_KNOWN)
		return f->context;
	f->context = CONTEXT_KNOWN;
	if (i > 0 && f->body != BODY_FUNCTION)
		f->context |= context(r, w, i - 1);
	if (f->open == '(' && f->callee.kind == TOKEN_NAME) {
		struct slice callee = word(r, f->callee), target = word(r, f->target);
		if (words_has_call(w, WORDS_LOG_CALLS, target, callee))
			f->context |= CONTEXT_LOG;
		if (f->before.kind == '@')
			f->context |= CONTEXT_LOG;
		if (token_is(r->text, f->before, "throw") ||
		    (is_class(callee) && words_has(w, WORDS_ERRORS, callee)) ||
		    (is_class(target) && words_has(w, WORDS_ERRORS, target)))
			f->context |= CONTEXT_THROWN;
	}
	return f->context;
}

void
place_find(struct reader *r, const struct words *w, struct token before, uint32_t end,
    struct place *p)
{
	int follows = what_follows(r, w, end, before);

	*p = (struct place){.kind = PLACE_NEVER};
	p->consumed = follows == FOLLOWED_CONSUMED;
	if (follows == FOLLOWED_NEVER)
		return;
	climb(r, before, p);
	if (p->kind == PLACE_NEVER)
		return;
	unsigned around = context(r, w, r->depth - 1);
	if (around & CONTEXT_LOG)
		p->kind = PLACE_NEVER;
	if (around & CONTEXT_THROWN)
		p->thrown = true;
}
