/*
 * A check: rules applied to nodes, depth first, under a budget.
 */
#include "tools/ai/schema_run.h"

#include <stdlib.h>

enum { MARKS = 16 << 20 }; /* bytes of marks at one moment */

bool
run_limit(struct run *r, const char *what)
{
	if (r->limit == NULL)
		r->limit = what;
	return false;
}

/* Room for a mark for each child of at; false when there is too much of them. */
static bool
marks_push(struct run *r, uint32_t at, size_t *marks)
{
	size_t n = r->doc.nodes[at].count;

	*marks = r->nmarks;
	if (r->nmarks + n > MARKS)
		return run_limit(r, "the value is too large for 'unevaluatedProperties'");
	r->steps -= (long)(n / 64);
	if (r->nmarks + n > r->marks_cap) {
		r->marks_cap = 2 * (r->nmarks + n);
		r->marks = xrealloc(r->marks, r->marks_cap);
	}
	if (n > 0)
		memset(r->marks + r->nmarks, 0, n);
	r->nmarks += n;
	return true;
}

/* Ends what marks_push began; with `into` its marks are kept there. */
static void
marks_pop(struct run *r, size_t marks, size_t into)
{
	if (into != NO_MARKS)
		for (size_t i = 0; marks + i < r->nmarks; i++)
			r->marks[into + i] |= r->marks[marks + i];
	r->nmarks = marks;
}

void
run_mark(struct run *r, size_t marks, uint32_t child)
{
	if (marks != NO_MARKS)
		r->marks[marks + r->doc.nodes[child].place] = 1;
}

static bool
apply_word(struct run *r, const struct rule *rule, const struct word *w, uint32_t at, size_t marks)
{
	if (--r->steps < 0)
		return run_limit(r, "checking takes too many steps");
	switch ((enum op)w->op) {
	case OP_REF:
	case OP_DYNAMIC_REF:
	case OP_DEPENDENT_SCHEMAS:
	case OP_ALL:
	case OP_ANY:
	case OP_ONE:
	case OP_NOT:
	case OP_IF:
		return run_combine(r, w, at, marks);
	case OP_ELEMENTS:
	case OP_CONTAINS:
	case OP_MEMBERS:
	case OP_NAMES:
		return run_inside(r, w, at, marks);
	case OP_UNEVALUATED_ITEMS:
	case OP_UNEVALUATED_PROPERTIES:
		return run_unevaluated(r, w, at, marks);
	default:
		return run_assert(r, rule, w, at);
	}
}

bool
run_apply(struct run *r, uint32_t index, uint32_t at, size_t marks)
{
	const struct rule *rule = &r->s->rules[index];
	struct scope here = {r->scope, rule->resource};
	size_t own = marks;
	bool fits = true;

	if (r->limit != NULL || --r->steps < 0)
		return run_limit(r, "checking takes too many steps");
	if (rule->always != 0)
		return rule->always > 0 || say_plain(r, at, "nothing may stand here: leave it out");
	if (r->depth == SCHEMA_EVAL_DEPTH)
		return run_limit(r, "the schema leads too deep, maybe without end");
	if (rule->unevaluated && !marks_push(r, at, &own))
		return false;
	r->depth++;
	if (r->scope == NULL || r->scope->resource != rule->resource)
		r->scope = &here;
	for (uint32_t i = 0; i < rule->count; i++) {
		fits &= apply_word(r, rule, &r->s->words[rule->first + i], at, own);
		if (!fits && (!r->loud || r->found >= SCHEMA_FOUND))
			break;
	}
	r->scope = here.up;
	r->depth--;
	if (rule->unevaluated)
		marks_pop(r, own, marks);
	return fits && r->limit == NULL;
}

bool
run_try(struct run *r, uint32_t rule, uint32_t at, size_t marks)
{
	bool loud = r->loud, fits;
	size_t own = NO_MARKS;

	if (marks != NO_MARKS && !marks_push(r, at, &own))
		return false;
	r->loud = false;
	fits = run_apply(r, rule, at, own);
	r->loud = loud;
	if (marks != NO_MARKS)
		marks_pop(r, own, fits ? marks : NO_MARKS);
	return fits;
}

bool
run_matches(struct run *r, uint32_t pattern, struct slice text)
{
	int found;

	r->steps -= 1 + (long)(text.len / 64);
	if (r->steps < 0)
		return run_limit(r, "checking takes too many steps");
	found = pattern_test(r->s->patterns[pattern], text, &r->clock);
	if (found < 0)
		return run_limit(r, "a 'pattern' takes too much work");
	return found > 0;
}

struct run *
run_new(void)
{
	return xcalloc(1, sizeof(struct run));
}

void
run_free(struct run *r)
{
	if (r == NULL)
		return;
	free(r->marks);
	free(r->sorted);
	buf_free(&r->line);
	buf_free(&r->place);
	buf_free(&r->tail);
	doc_free(&r->doc);
	free(r);
}

int
schema_check(const struct schema *s, struct slice value, struct buf *why, struct err *e)
{
	struct run *r = s->run;
	size_t from = why ? why->len : 0;
	struct slice said, line;

	if (value.len == 0)
		return err_set(e, "not_json", "nothing, where JSON was expected");
	if (doc_read(&r->doc, value, e) != 0)
		return -1;
	r->s = s;
	r->steps = SCHEMA_STEPS;
	r->depth = 0;
	r->limit = NULL;
	r->nmarks = r->found = 0;
	r->clock = (struct pattern_clock){0};
	r->scope = NULL;
	buf_reset(&r->tail);
	r->why = why;
	r->loud = true;
	r->naming = r->scoring = false;
	if (run_apply(r, s->rule_of[0], 0, NO_MARKS))
		return 0;
	if (r->limit != NULL) {
		if (why != NULL)
			buf_cut(why, from);
		return err_set(e, "schema_limit", "%s: simplify the schema", r->limit);
	}
	said = why ? (struct slice){why->ptr + from, why->len - from} : buf_slice(&r->line);
	slice_line(&said, &line);
	/* err holds 400 bytes; whole characters of it. */
	return err_set(e, "schema_mismatch", "%.*s",
	    (int)utf8_valid(line.ptr, line.len < 390 ? line.len : 390), line.ptr);
}
