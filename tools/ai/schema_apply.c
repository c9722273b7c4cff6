/*
 * Keywords that apply other schemas: to the parts of a value, and to the value again.
 */
#include "tools/ai/schema_run.h"

/* ---- parts ---- */

static bool
apply_elements(struct run *r, const struct word *w, uint32_t at, size_t marks)
{
	const struct doc *d = &r->s->doc;
	uint32_t prefix = w->node == DOC_NONE ? DOC_NONE : doc_first(d, w->node);
	bool fits = true;

	for (uint32_t i = doc_first(&r->doc, at); i != DOC_NONE; i = doc_next(&r->doc, at, i)) {
		uint32_t rule = prefix != DOC_NONE ? r->s->rule_of[prefix] : w->second;

		if (rule == DOC_NONE)
			break;
		if (prefix != DOC_NONE)
			prefix = doc_next(d, w->node, prefix);
		fits &= run_apply(r, rule, i, NO_MARKS);
		run_mark(r, marks, i);
		if (!fits && (!r->loud || r->found >= SCHEMA_FOUND))
			break;
	}
	return fits;
}

static bool
apply_contains(struct run *r, const struct word *w, uint32_t at, size_t marks)
{
	size_t n = 0;
	bool scoring = r->scoring;

	/* What is not contained says nothing about which alternative was meant. */
	r->scoring = false;
	for (uint32_t i = doc_first(&r->doc, at); i != DOC_NONE; i = doc_next(&r->doc, at, i))
		if (run_try(r, w->second, i, NO_MARKS)) {
			run_mark(r, marks, i);
			n++;
		}
	r->scoring = scoring;
	if (r->limit != NULL)
		return false;
	if (n < w->limit)
		return say_plain(r, at,
		    "expected at least %zu item%s that 'contains' describes, found %zu", w->limit,
		    w->limit == 1 ? "" : "s", n);
	if (n > w->most)
		return say_plain(r, at,
		    "expected at most %zu item%s that 'contains' describes, found %zu", w->most,
		    w->most == 1 ? "" : "s", n);
	return true;
}

/* A member that the schema knows nothing of: what it might have been. */
static bool
say_additional(struct run *r, const struct word *w, uint32_t member)
{
	const struct doc *d = &r->s->doc;
	struct buf names = {0};

	if (!r->loud || w->node == DOC_NONE || d->nodes[w->node].count == 0)
		return say_plain(r, member, "this member may not be here: leave it out");
	for (uint32_t i = doc_first(d, w->node); i != DOC_NONE; i = doc_next(d, w->node, i)) {
		if (names.len > 250) {
			buf_adds(&names, ", …");
			break;
		}
		buf_adds(&names, names.len ? ", " : "");
		say_quoted(d->nodes[i].name, &names);
	}
	say_plain(r, member, "this member may not be here: the object has only %s", names.ptr);
	buf_free(&names);
	return false;
}

static bool
apply_member(struct run *r, const struct word *w, uint32_t member, bool *known)
{
	struct slice name = r->doc.nodes[member].name;
	uint32_t property = DOC_NONE;
	bool fits = true;

	*known = false;
	if (w->node != DOC_NONE)
		property = doc_find(&r->s->doc, w->node, name);
	if (property != DOC_NONE) {
		*known = true;
		fits &= run_apply(r, r->s->rule_of[property], member, NO_MARKS);
	}
	for (uint32_t i = 0; i < w->count && r->limit == NULL; i++) {
		uint32_t pattern = r->s->list[w->first + i];

		if (run_matches(r, pattern, name)) {
			*known = true;
			fits &= run_apply(r, r->s->rule_of[pattern], member, NO_MARKS);
		}
	}
	if (!*known && w->second != DOC_NONE && r->limit == NULL) {
		*known = true;
		if (r->s->rules[w->second].always < 0)
			return say_additional(r, w, member);
		fits &= run_apply(r, w->second, member, NO_MARKS);
	}
	return fits && r->limit == NULL;
}

static bool
apply_members(struct run *r, const struct word *w, uint32_t at, size_t marks)
{
	bool fits = true, known;

	for (uint32_t i = doc_first(&r->doc, at); i != DOC_NONE; i = doc_next(&r->doc, at, i)) {
		r->steps--;
		fits &= apply_member(r, w, i, &known);
		if (known)
			run_mark(r, marks, i);
		if (!fits && (!r->loud || r->found >= SCHEMA_FOUND))
			break;
	}
	return fits;
}

static bool
apply_names(struct run *r, const struct word *w, uint32_t at)
{
	uint32_t rule = r->s->rule_of[w->node];
	bool fits = true;

	for (uint32_t i = doc_first(&r->doc, at); i != DOC_NONE; i = doc_next(&r->doc, at, i)) {
		r->naming = true;
		fits &= run_apply(r, rule, doc_name(&r->doc, i), NO_MARKS);
		r->naming = false;
		if (!fits && (!r->loud || r->found >= SCHEMA_FOUND))
			break;
	}
	return fits;
}

bool
run_inside(struct run *r, const struct word *w, uint32_t at, size_t marks)
{
	uint8_t type = r->doc.nodes[at].type;

	switch ((enum op)w->op) {
	case OP_ELEMENTS:
		return type != JSON_ARRAY || apply_elements(r, w, at, marks);
	case OP_CONTAINS:
		return type != JSON_ARRAY || apply_contains(r, w, at, marks);
	case OP_MEMBERS:
		return type != JSON_OBJECT || apply_members(r, w, at, marks);
	default:
		return type != JSON_OBJECT || apply_names(r, w, at);
	}
}

bool
run_unevaluated(struct run *r, const struct word *w, uint32_t at, size_t marks)
{
	uint8_t type = w->op == OP_UNEVALUATED_ITEMS ? JSON_ARRAY : JSON_OBJECT;
	uint32_t rule = r->s->rule_of[w->node];
	bool fits = true;

	if (r->doc.nodes[at].type != type)
		return true;
	for (uint32_t i = doc_first(&r->doc, at); i != DOC_NONE; i = doc_next(&r->doc, at, i)) {
		if (r->marks[marks + r->doc.nodes[i].place])
			continue;
		if (r->s->rules[rule].always < 0)
			fits = say_plain(r, i,
			    "no part of the schema describes this %s: leave it out",
			    type == JSON_ARRAY ? "item" : "member");
		else
			fits &= run_apply(r, rule, i, NO_MARKS);
		run_mark(r, marks, i);
		if (!fits && (!r->loud || r->found >= SCHEMA_FOUND))
			break;
	}
	return fits;
}

/* ---- the value again ---- */

/*
 * The target of a dynamic reference: the outermost part on the way here that has a dynamic anchor
 * of that name, else what the reference names by itself.
 */
static uint32_t
dynamic_target(struct run *r, const struct word *w)
{
	const struct schema *s = r->s;
	uint32_t target = w->second;

	if (w->name.ptr == NULL)
		return target;
	for (const struct scope *scope = r->scope; scope != NULL; scope = scope->up)
		for (size_t i = 0; i < s->ndynamics; i++) {
			r->steps--;
			if (s->dynamics[i].resource == scope->resource &&
			    slice_eq(s->dynamics[i].name, w->name))
				target = s->rule_of[s->dynamics[i].node];
		}
	return target;
}

static bool
apply_all(struct run *r, const struct word *w, uint32_t at, size_t marks)
{
	const struct doc *d = &r->s->doc;
	bool fits = true;

	for (uint32_t i = doc_first(d, w->node); i != DOC_NONE; i = doc_next(d, w->node, i)) {
		if (w->op == OP_DEPENDENT_SCHEMAS &&
		    doc_find(&r->doc, at, d->nodes[i].name) == DOC_NONE)
			continue;
		fits &= run_apply(r, r->s->rule_of[i], at, marks);
		if (!fits && (!r->loud || r->found >= SCHEMA_FOUND))
			break;
	}
	return fits;
}

/* None of the alternatives fits: says what the nearest, or each type, would have been. */
static bool
say_nearest(struct run *r, const struct word *w, uint32_t at, uint32_t nearest, unsigned types)
{
	const struct doc *d = &r->s->doc;
	size_t tail = r->tail.len;
	uint32_t n = 1;

	if (types != 0)
		return say_type(r, at, types);
	for (uint32_t i = doc_first(d, w->node); i != nearest; i = doc_next(d, w->node, i))
		n++;
	if (d->nodes[w->node].count > 1 && tail < 200)
		buf_addf(&r->tail, " (by alternative %u of %u, the nearest)", n,
		    d->nodes[w->node].count);
	run_apply(r, r->s->rule_of[nearest], at, NO_MARKS);
	buf_cut(&r->tail, tail);
	return false;
}

/* anyOf and oneOf. */
static bool
apply_some(struct run *r, const struct word *w, uint32_t at, size_t marks)
{
	const struct doc *d = &r->s->doc;
	bool scoring = r->scoring;
	uint32_t fitting = 0, place[2] = {0, 0}, nearest = DOC_NONE;
	size_t best = 0, before = r->score;
	unsigned types = 0;
	bool typed = true;

	r->scoring = r->loud || scoring;
	for (uint32_t i = doc_first(d, w->node), n = 1; i != DOC_NONE;
	     i = doc_next(d, w->node, i), n++) {
		const struct rule *rule = &r->s->rules[r->s->rule_of[i]];

		r->score = 0;
		if (run_try(r, r->s->rule_of[i], at, marks)) {
			if (fitting < 2)
				place[fitting] = n;
			fitting++;
			/* Where marks are asked for, every alternative that fits has a say. */
			if (w->op == OP_ONE ? fitting == 2 : marks == NO_MARKS)
				break;
		} else if (nearest == DOC_NONE || r->score > best) {
			nearest = i;
			best = r->score;
		}
		types |= rule->types;
		typed &= rule->types != 0 && !(rule->types & type_of(&r->doc.nodes[at]));
	}
	r->scoring = scoring;
	r->score = best > before ? best : before;
	if (r->limit != NULL)
		return false;
	if (fitting > 1 && w->op == OP_ONE)
		return say_plain(r, at, "expected exactly one alternative of 'oneOf' to fit, found "
		    "numbers %u and %u fitting", place[0], place[1]);
	if (fitting > 0)
		return true;
	return r->loud ? say_nearest(r, w, at, nearest, typed ? types : 0) : false;
}

static bool
apply_if(struct run *r, const struct word *w, uint32_t at, size_t marks)
{
	bool scoring = r->scoring, holds;
	uint32_t next;

	r->scoring = false;
	holds = run_try(r, r->s->rule_of[w->node], at, marks);
	r->scoring = scoring;
	if (r->limit != NULL)
		return false;
	next = holds ? w->second : w->third;
	return next == DOC_NONE || run_apply(r, next, at, marks);
}

static bool
apply_not(struct run *r, const struct word *w, uint32_t at)
{
	bool scoring = r->scoring, fits;

	r->scoring = false;
	fits = run_try(r, r->s->rule_of[w->node], at, NO_MARKS);
	r->scoring = scoring;
	if (r->limit != NULL)
		return false;
	return !fits || say(r, at, "anything but what 'not' describes");
}

bool
run_combine(struct run *r, const struct word *w, uint32_t at, size_t marks)
{
	switch ((enum op)w->op) {
	case OP_REF:
		return run_apply(r, w->second, at, marks);
	case OP_DYNAMIC_REF:
		return run_apply(r, dynamic_target(r, w), at, marks);
	case OP_DEPENDENT_SCHEMAS:
		return r->doc.nodes[at].type != JSON_OBJECT || apply_all(r, w, at, marks);
	case OP_ALL:
		return apply_all(r, w, at, marks);
	case OP_NOT:
		return apply_not(r, w, at);
	case OP_IF:
		return apply_if(r, w, at, marks);
	default:
		return apply_some(r, w, at, marks);
	}
}
