#include "common/plural_rules.h"

#include "common/locale.h"
#include "common/path.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * Plural-Forms: reading, evaluating, and writing them. The expression is C's
 * in one variable; compiled to postfix, every operation total, so that a
 * hostile catalogue can neither divide by zero nor run for long.
 */

enum op {
	OP_NUMBER,
	OP_N,
	OP_NOT,
	OP_MUL,
	OP_DIV,
	OP_MOD,
	OP_ADD,
	OP_SUB,
	OP_LT,
	OP_GT,
	OP_LE,
	OP_GE,
	OP_EQ,
	OP_NE,
	OP_AND,
	OP_OR,
	OP_SELECT
};

enum { EXPR_DEPTH = 32 };

struct reader {
	struct slice text;
	size_t at;
	unsigned depth;
	struct plural_expr *expr;
	const char *wrong;
};

static void
blank(struct reader *r)
{
	while (r->at < r->text.len && memchr(" \t\r\n\\", r->text.ptr[r->at], 5))
		r->at++;
}

static bool
token(struct reader *r, const char *what)
{
	size_t n = strlen(what);

	blank(r);
	if (r->text.len - r->at < n || memcmp(r->text.ptr + r->at, what, n) != 0)
		return false;
	r->at += n;
	return true;
}

static void
fail(struct reader *r, const char *wrong)
{
	if (!r->wrong)
		r->wrong = wrong;
}

static void
emit(struct reader *r, enum op op, unsigned long value)
{
	if (r->expr->n == PLURAL_EXPR_MAX) {
		fail(r, "the plural expression is too long");
		return;
	}
	r->expr->code[r->expr->n].op = (unsigned char)op;
	r->expr->code[r->expr->n++].value = value;
}

static void ternary(struct reader *);

static void
primary(struct reader *r)
{
	blank(r);
	if (++r->depth > EXPR_DEPTH) {
		fail(r, "the plural expression is nested too deeply");
	} else if (token(r, "!")) {
		primary(r);
		emit(r, OP_NOT, 0);
	} else if (token(r, "(")) {
		ternary(r);
		if (!r->wrong && !token(r, ")"))
			fail(r, "')' is missing in the plural expression");
	} else if (token(r, "n")) {
		emit(r, OP_N, 0);
	} else if (r->at < r->text.len && r->text.ptr[r->at] >= '0' && r->text.ptr[r->at] <= '9') {
		unsigned long n = 0;
		for (;
		     r->at < r->text.len && r->text.ptr[r->at] >= '0' && r->text.ptr[r->at] <= '9';
		     r->at++)
			if (n < 1000000000000UL)
				n = n * 10 + (unsigned long)(r->text.ptr[r->at] - '0');
		emit(r, OP_NUMBER, n);
	} else {
		fail(r, "a number, n, '!' or '(' is missing in the plural expression");
	}
	r->depth--;
}

/* Binary operators by level, longest spelling first. */
static const struct {
	int level;
	const char *text;
	enum op op;
} operators[] = {{0, "||", OP_OR}, {1, "&&", OP_AND}, {2, "==", OP_EQ}, {2, "!=", OP_NE},
    {3, "<=", OP_LE}, {3, ">=", OP_GE}, {3, "<", OP_LT}, {3, ">", OP_GT}, {4, "+", OP_ADD},
    {4, "-", OP_SUB}, {5, "*", OP_MUL}, {5, "/", OP_DIV}, {5, "%", OP_MOD}};

enum { LEVELS = 6, OPERATORS = sizeof(operators) / sizeof(*operators) };

static void
binary(struct reader *r, int level)
{
	size_t i;

	if (level == LEVELS) {
		primary(r);
		return;
	}
	binary(r, level + 1);
	while (!r->wrong) {
		for (i = 0; i < OPERATORS; i++)
			if (operators[i].level == level && token(r, operators[i].text))
				break;
		if (i == OPERATORS)
			return;
		binary(r, level + 1);
		emit(r, operators[i].op, 0);
	}
}

static void
ternary(struct reader *r)
{
	if (++r->depth > EXPR_DEPTH)
		fail(r, "the plural expression is nested too deeply");
	else
		binary(r, 0);
	if (!r->wrong && token(r, "?")) {
		ternary(r);
		if (!r->wrong && !token(r, ":"))
			fail(r, "':' is missing in the plural expression");
		if (!r->wrong)
			ternary(r);
		emit(r, OP_SELECT, 0);
	}
	r->depth--;
}

int
plural_expr_parse(struct slice text, struct plural_expr *expr, struct err *e)
{
	struct reader r = {.text = text, .expr = expr};

	expr->n = 0;
	expr->nplurals = 0;
	if (token(&r, "nplurals")) {
		blank(&r);
		if (!token(&r, "="))
			fail(&r, "'=' is missing after nplurals");
		blank(&r);
		while (r.at < text.len && text.ptr[r.at] >= '0' && text.ptr[r.at] <= '9' &&
		    expr->nplurals <= PLURAL_FORMS_MAX)
			expr->nplurals =
			    expr->nplurals * 10 + (unsigned long)(text.ptr[r.at++] - '0');
		if (!expr->nplurals || expr->nplurals > PLURAL_FORMS_MAX)
			fail(&r, "nplurals is not a number from 1 to 16");
		if (!r.wrong && !token(&r, ";"))
			fail(&r, "';' is missing after nplurals");
		if (!r.wrong && !(token(&r, "plural") && token(&r, "=")))
			fail(&r, "plural= is missing");
	}
	if (!r.wrong)
		ternary(&r);
	if (!r.wrong) {
		token(&r, ";");
		blank(&r);
		if (r.at != text.len)
			fail(&r, "unexpected text after the plural expression");
	}
	if (!r.wrong)
		return 0;
	err_set(e, "bad_plural", "%s", r.wrong);
	if (e)
		e->column = r.at + 1;
	return -1;
}

static unsigned long
apply(enum op op, unsigned long a, unsigned long b)
{
	switch (op) {
	case OP_MUL:
		return a * b;
	case OP_DIV:
		return b ? a / b : 0;
	case OP_MOD:
		return b ? a % b : 0;
	case OP_ADD:
		return a + b;
	case OP_SUB:
		return a - b;
	case OP_LT:
		return a < b;
	case OP_GT:
		return a > b;
	case OP_LE:
		return a <= b;
	case OP_GE:
		return a >= b;
	case OP_EQ:
		return a == b;
	case OP_NE:
		return a != b;
	case OP_AND:
		return a && b;
	default:
		return a || b;
	}
}

unsigned long
plural_expr_eval(const struct plural_expr *expr, unsigned long n)
{
	unsigned long stack[PLURAL_EXPR_MAX + 1] = {0};
	size_t top = 0;

	for (size_t i = 0; i < expr->n; i++) {
		enum op op = (enum op)expr->code[i].op;

		if (op == OP_NUMBER || op == OP_N) {
			stack[top++] = op == OP_N ? n : expr->code[i].value;
		} else if (op == OP_NOT) {
			stack[top - 1] = !stack[top - 1];
		} else if (op == OP_SELECT) {
			top -= 2;
			stack[top - 1] = stack[top - 1] ? stack[top] : stack[top + 1];
		} else {
			top--;
			stack[top - 1] = apply(op, stack[top - 1], stack[top]);
		}
	}
	if (expr->nplurals && stack[0] >= expr->nplurals)
		return expr->nplurals - 1;
	return stack[0];
}

plural_set
plural_expr_categories(const struct plural_expr *expr, const struct plural_rules *rules,
    enum plural_category forms[PLURAL_FORMS_MAX])
{
	unsigned counts[PLURAL_FORMS_MAX][PLURAL_CATEGORIES] = {0};
	plural_set served = 0;

	for (unsigned long n = 0; n <= 1100; n++) {
		unsigned long form = plural_expr_eval(expr, n);
		if (form < PLURAL_FORMS_MAX)
			counts[form][plural_of_integer(rules, n)]++;
	}
	for (size_t form = 0; form < PLURAL_FORMS_MAX; form++) {
		unsigned best = 0;

		forms[form] = PLURAL_OTHER;
		for (int c = 0; c < PLURAL_CATEGORIES; c++) {
			if (counts[form][c] <= best)
				continue;
			best = counts[form][c];
			forms[form] = (enum plural_category)c;
		}
		if (best)
			served |= 1U << forms[form];
	}
	return served;
}

/* ---- headers ---- */

/* The row of po-plurals.tsv for exactly this name: locales TAB header. */
static bool
shipped_header(struct slice rows, const char *name, struct buf *out)
{
	size_t n = strlen(name);
	const char *at = rows.ptr, *end = rows.ptr + rows.len;

	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		const char *tab = memchr(at, '\t', (size_t)((stop ? stop : end) - at));

		stop = stop ? stop : end;
		for (const char *word = at; tab && *at != '#' && word < tab;) {
			const char *space = memchr(word, ' ', (size_t)(tab - word));
			space = space ? space : tab;
			if ((size_t)(space - word) == n && memcmp(word, name, n) == 0) {
				buf_add(out, tab + 1, (size_t)(stop - tab - 1));
				return true;
			}
			word = space + 1;
		}
		at = stop + 1;
	}
	return false;
}

/* One relation for whole numbers, where v f t e are 0; 1 or 0 when constant. */
static int
add_relation(const struct plural_relation *r, struct buf *out)
{
	char left[32];
	bool in = false;

	if (r->operand != 'n' && r->operand != 'i') {
		for (size_t i = 0; i < r->count; i++)
			in |= plural_store.ranges[r->first + i].low == 0;
		return in != r->negated;
	}
	if (r->modulus)
		snprintf(left, sizeof(left), "n%%%lu", r->modulus);
	else
		snprintf(left, sizeof(left), "n");
	if (r->count > 1 || r->negated)
		buf_adds(out, "(");
	for (size_t i = 0; i < r->count; i++) {
		const struct plural_range *range = &plural_store.ranges[r->first + i];

		if (i)
			buf_adds(out, r->negated ? " && " : " || ");
		if (range->low == range->high)
			buf_addf(out, "%s%s%lu", left, r->negated ? "!=" : "==", range->low);
		else if (r->negated)
			buf_addf(out, "(%s<%lu || %s>%lu)", left, range->low, left, range->high);
		else if (range->low == 0)
			buf_addf(out, "%s<=%lu", left, range->high);
		else
			buf_addf(out, "(%s>=%lu && %s<=%lu)", left, range->low, left, range->high);
	}
	if (r->count > 1 || r->negated)
		buf_adds(out, ")");
	return -1;
}

/* A rule's condition for whole numbers; false when none satisfies it. */
static bool
add_condition(const struct plural_rule *rule, struct buf *out)
{
	size_t begin = out->len, term = begin;
	bool dead = false, any = false;

	for (size_t i = 0; i < rule->count; i++) {
		const struct plural_relation *r = &plural_store.relations[rule->first + i];
		size_t mark = out->len;

		if (r->alternative) {
			if (dead)
				buf_cut(out, term);
			else
				any = true;
			dead = false;
			term = mark = out->len;
		}
		if (out->len > begin)
			buf_adds(out, mark == term ? " || " : " && ");
		int constant = add_relation(r, out);
		if (constant >= 0) {
			buf_cut(out, mark);
			dead |= constant == 0;
		}
	}
	if (dead)
		buf_cut(out, term);
	return any || !dead;
}

static void
derived_header(const struct plural_rules *r, struct buf *out)
{
	struct buf expression = {0};
	unsigned forms = 0;

	for (size_t i = 0; i < r->n; i++) {
		size_t mark = expression.len;
		enum plural_category c = r->order[i];

		if (c == PLURAL_OTHER || !(r->needed & 1U << c))
			continue;
		if (!add_condition(&r->rules[c], &expression)) {
			buf_cut(&expression, mark);
			continue;
		}
		buf_addf(&expression, " ? %u : ", forms++);
	}
	buf_addf(out, "nplurals=%u; plural=", forms + 1);
	buf_addslice(out, buf_slice(&expression));
	buf_addf(out, "%u;", forms);
	buf_free(&expression);
}

bool
plural_po_header(struct slice locale, struct buf *out)
{
	struct buf rows = {0};
	char name[LOCALE_MAX];
	char *file = path_shipped("common/po-plurals.tsv");
	bool found = false;

	if (path_read(file, 1 << 20, &rows, NULL) == 0 && locale_canonical(locale, name)) {
		do
			found = shipped_header(buf_slice(&rows), name, out);
		while (!found && locale_parent(name));
	}
	free(file);
	buf_free(&rows);
	const struct plural_rules *r = found ? NULL : plural_rules(locale);
	if (r)
		derived_header(r, out);
	return found || r;
}
