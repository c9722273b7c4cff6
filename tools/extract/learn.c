#include "tools/extract/learn.h"

#include "tools/extract/judge.h"

#include <stdio.h>

enum {
	PARAMETERS = 4096, /* bytes of a parameter list that are searched */
	AHEAD = 100,	   /* tokens of a call's arguments that are skipped */
	SEARCHED = 8 << 20, /* bytes of parameter lists in all of one source */
};

struct learner {
	const struct words *words;
	struct buf *facts;
	size_t searched; /* hostile nesting must not make this quadratic */
};

/*
 * Which parameter of the list text[start..end) the name is: its number, or
 * for a named one the name itself. False when it is none.
 */
static bool
find_parameter(struct learner *l, const struct reader *r, uint32_t start, uint32_t end,
    struct slice name, char number[12], struct slice *which)
{
	struct lexer lx = r->lexer;
	unsigned depth = 0, position = 0;
	bool named = false, value = false;
	struct token t, last = {0};

	if (end <= start || end - start > PARAMETERS)
		return false;
	l->searched += end - start;
	lx.at = start;
	lx.end = end;
	do {
		t = lex_next(&lx);
		bool ends = t.kind == TOKEN_END || (t.kind == ',' && depth == named);
		/* The last name before a comma, an = or the end is the parameter's. */
		if ((ends || (t.kind == '=' && depth <= 1) || (t.kind == '}' && depth == 1)) &&
		    !value && last.kind == TOKEN_NAME && slice_eq(token_text(r->text, last), name)) {
			*which = named ? name :
			    (struct slice){number, (size_t)snprintf(number, 12, "%u", position)};
			return true;
		}
		value = t.kind == '=' ? true : ends ? false : value;
		position += ends;
		named |= t.kind == '{' && depth == 0;
		depth += t.kind == '(' || t.kind == '<' || t.kind == '{';
		depth -= (t.kind == ')' || t.kind == '>' || t.kind == '}') && depth > 0;
		last = t;
	} while (t.kind != TOKEN_END);
	return false;
}

/* The nearest function around with a parameter of that name, by its own name. */
static bool
find_function(struct learner *l, struct reader *r, struct slice name, char number[12],
    struct slice *function, struct slice *which)
{
	for (size_t i = r->depth; i-- > 0 && l->searched < SEARCHED;) {
		const struct frame *f = &r->frames[i];
		if (f->arrow.kind == TOKEN_NAME &&
		    find_parameter(l, r, f->arrow_parameters, f->arrow_parameters_end, name,
			number, which)) {
			*function = token_text(r->text, f->arrow);
			return true;
		}
		if (f->body == BODY_FUNCTION && f->callee.kind == TOKEN_NAME &&
		    find_parameter(l, r, f->parameters, f->parameters_end, name, number, which)) {
			*function = token_text(r->text, f->callee);
			return true;
		}
	}
	return false;
}

/* Whether what is behind a token leaves its value what is shown. */
static bool
may_end_expression(struct token next)
{
	switch (next.kind) {
	case ',':
	case ')':
	case ':':
	case ']':
	case '}':
	case ';':
	case '+':
	case TOKEN_IFNULL:
	case TOKEN_END:
		return true;
	default:
		return false;
	}
}

/*
 * Whether the name, with the calls and subscripts behind it, is a whole
 * operand, which ends at *end: not so in a.b, f(x).c and c ? x : y.
 */
static bool
is_operand(struct reader *r, struct token t, uint32_t *end)
{
	struct lexer ahead = r->lexer;
	unsigned open = 0;

	ahead.at = *end = t.end;
	for (int i = 0; i < AHEAD; i++) {
		struct token next = lex_next(&ahead);
		bool opens = next.kind == '(' || next.kind == '[';
		if (open == 0 && !opens)
			return may_end_expression(next);
		open += opens;
		open -= next.kind == ')' || next.kind == ']';
		*end = next.end;
	}
	return false;
}

static bool
may_begin_expression(struct token before)
{
	switch (before.kind) {
	case '(':
	case ',':
	case ':':
	case '?':
	case '+':
	case '$':
	case TOKEN_IFNULL:
	case TOKEN_ARROW:
		return true;
	default:
		return false;
	}
}

/*
 * What the place of a name says of it. hole: the name stands in the
 * interpolation of a shown text. plain: it is no member (a.name), so it may
 * be a parameter.
 */
static void
add_facts(struct learner *l, struct reader *r, struct slice name, const struct place *p, bool hole,
    bool plain)
{
	struct slice function, which;
	char number[12];
	bool parameter = plain && find_function(l, r, name, number, &function, &which);

	if (hole || judge_is_core(l->words, p)) {
		names_fact_shown(l->facts, name, p->call);
		/* A helper's interpolated parameter is a name or a number more often. */
		if (parameter && !hole)
			names_fact_helper(l->facts, function, which);
	} else if (!p->positional && words_has(l->words, WORDS_TEXT_CLOSURES, p->argument)) {
		names_fact_shown(l->facts, name, p->argument);
	} else if (parameter && p->kind == PLACE_ARGUMENT && !p->listed) {
		names_fact_edge(l->facts, function, which, p->call, p->argument);
	}
}

static void
learn_name(struct reader *r, struct token t, void *state)
{
	struct learner *l = state;
	struct token before = reader_past(r, 1);
	bool dotted = before.kind == '.' || before.kind == TOKEN_QDOT;
	struct slice name = token_text(r->text, t);
	uint32_t end;
	struct place p;

	if (dotted)
		before = r->chain;
	if (!may_begin_expression(before) || name.ptr[0] == '$' || slice_is(name, "null") ||
	    !is_operand(r, t, &end))
		return;
	/* message.trim(): what is shown is the message. */
	if (dotted && words_has(l->words, WORDS_KEEPING, name)) {
		if (reader_past(r, 2).kind != TOKEN_NAME)
			return;
		name = token_text(r->text, reader_past(r, 2));
		dotted = reader_past(r, 3).kind == '.';
	}
	/* Within a text's interpolation the text's own place counts. */
	bool hole = reader_top(r)->open == '$';
	if (!hole)
		place_find(r, l->words, before, end, &p);
	else if (reader_top(r)->outer == LEVEL_CORE)
		p = (struct place){.kind = PLACE_ARGUMENT, .call = S("text")};
	else
		return;
	if (p.kind == PLACE_ARGUMENT || p.kind == PLACE_CLOSURE)
		add_facts(l, r, name, &p, hole, !dotted);
}

/* Only tells which literals are core, for the names inside them. */
static int
learn_literal(struct reader *r, struct token t, void *state)
{
	struct learner *l = state;
	struct place p;

	if (memchr(r->text + t.start, '$', t.end - t.start) == NULL)
		return LEVEL_NONE;
	place_find(r, l->words, reader_past(r, 1), t.end, &p);
	return judge_is_core(l->words, &p) ? LEVEL_CORE : LEVEL_NONE;
}

void
learn_read(struct reader *r, const struct words *words, struct slice text, struct buf *facts)
{
	struct learner l = {.words = words, .facts = facts};

	r->literal = learn_literal;
	r->name = learn_name;
	r->state = &l;
	reader_read(r, text);
}
