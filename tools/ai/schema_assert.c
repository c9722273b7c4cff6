/*
 * Keywords that look at the value itself: its type, size and text.
 */
#include "tools/ai/schema_run.h"

/* The values of an enum, in short, until the line is long enough. */
static void
add_choices(const struct run *r, const struct word *w, struct buf *out)
{
	const struct doc *d = &r->s->doc;

	for (uint32_t i = doc_first(d, w->node); i != DOC_NONE; i = doc_next(d, w->node, i)) {
		if (out->len > 250) {
			buf_addf(out, ", … (%u in all)", w->count);
			break;
		}
		if (out->len > 0)
			buf_adds(out, ", ");
		say_value(d, i, out);
	}
}

static bool
check_enum(struct run *r, const struct word *w, uint32_t at)
{
	uint32_t low = 0, high = w->count;
	struct buf choices = {0};

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = doc_cmp(&r->doc, at, &r->s->doc, r->s->list[w->first + middle],
		    &r->steps);

		if (r->steps < 0)
			return run_limit(r, "comparing with 'enum' takes too many steps");
		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	if (!r->loud)
		return say(r, at, "a value of 'enum'");
	add_choices(r, w, &choices);
	say(r, at, "%s%s", w->count > 1 ? "one of " : "", choices.len ? choices.ptr : "nothing");
	buf_free(&choices);
	return false;
}

static bool
check_const(struct run *r, const struct word *w, uint32_t at)
{
	struct buf text = {0};
	int order = doc_cmp(&r->doc, at, &r->s->doc, w->node, &r->steps);

	if (r->steps < 0)
		return run_limit(r, "comparing with 'const' takes too many steps");
	if (order == 0)
		return true;
	if (!r->loud)
		return say(r, at, "the value of 'const'");
	say_value(&r->s->doc, w->node, &text);
	say(r, at, "exactly %s", text.ptr);
	buf_free(&text);
	return false;
}

static bool
check_number(struct run *r, const struct word *w, uint32_t at)
{
	struct number have = number_read(r->doc.nodes[at].value);
	struct slice bound = r->s->doc.nodes[w->node].value;
	int len = (int)(bound.len < 60 ? bound.len : 60), order;

	r->steps -= (long)(r->doc.nodes[at].value.len / 16);
	if (w->op == OP_MULTIPLE)
		return number_multiple(have, w->number) ||
		    say(r, at, "a multiple of %.*s", len, bound.ptr);
	order = number_cmp(have, w->number);
	switch (w->op) {
	case OP_MINIMUM:
		return order >= 0 || say(r, at, "a number ≥ %.*s", len, bound.ptr);
	case OP_EXCLUSIVE_MINIMUM:
		return order > 0 || say(r, at, "a number > %.*s", len, bound.ptr);
	case OP_MAXIMUM:
		return order <= 0 || say(r, at, "a number ≤ %.*s", len, bound.ptr);
	default:
		return order < 0 || say(r, at, "a number < %.*s", len, bound.ptr);
	}
}

static bool
check_pattern(struct run *r, const struct word *w, uint32_t at)
{
	struct buf pattern = {0};

	if (run_matches(r, w->node, r->doc.nodes[at].value))
		return true;
	if (r->limit != NULL)
		return false;
	if (!r->loud)
		return say(r, at, "a string that matches 'pattern'");
	say_short(r->s->doc.nodes[w->node].value, 200, &pattern);
	say(r, at, "a string that matches /%s/", pattern.ptr ? pattern.ptr : "");
	buf_free(&pattern);
	return false;
}

static bool
check_length(struct run *r, const struct word *w, uint32_t at)
{
	struct slice text = r->doc.nodes[at].value;
	size_t n;

	r->steps -= (long)(text.len / 64);
	n = utf8_count(text.ptr, text.len);
	if (w->op == OP_MIN_LENGTH ? n >= w->limit : n <= w->limit)
		return true;
	return say(r, at, "a string of at %s %zu character%s, not of %zu",
	    w->op == OP_MIN_LENGTH ? "least" : "most", w->limit, w->limit == 1 ? "" : "s", n);
}

/* minItems and the like. */
static bool
check_count(struct run *r, const struct word *w, uint32_t at)
{
	bool least = w->op == OP_MIN_ITEMS || w->op == OP_MIN_PROPERTIES;
	size_t n = r->doc.nodes[at].count;
	const char *what = r->doc.nodes[at].type == JSON_ARRAY ? "item" : "member";

	if (least ? n >= w->limit : n <= w->limit)
		return true;
	return say(r, at, "at %s %zu %s%s", least ? "least" : "most", w->limit, what,
	    w->limit == 1 ? "" : "s");
}

static int
by_value(void *state, uint32_t a, uint32_t b)
{
	struct run *r = state;

	/* Once the budget is gone the order means nothing, and nothing is compared any more. */
	return r->steps < 0 ? 0 : doc_cmp(&r->doc, a, &r->doc, b, &r->steps);
}

static bool
check_unique(struct run *r, const struct word *w, uint32_t at)
{
	size_t n = 0, count = r->doc.nodes[at].count;

	if (r->s->doc.nodes[w->node].type != JSON_TRUE || count < 2)
		return true;
	if (r->sorted_cap < count) {
		r->sorted_cap = 2 * count;
		r->sorted = xreallocarray(r->sorted, r->sorted_cap, sizeof(*r->sorted));
	}
	for (uint32_t i = doc_first(&r->doc, at); i != DOC_NONE; i = doc_next(&r->doc, at, i))
		r->sorted[n++] = i;
	doc_sort(r->sorted, n, by_value, r);
	for (size_t i = 1; i < n; i++) {
		uint32_t a = r->doc.nodes[r->sorted[i - 1]].place;
		uint32_t b = r->doc.nodes[r->sorted[i]].place;
		int order = by_value(r, r->sorted[i - 1], r->sorted[i]);

		if (r->steps < 0)
			break;
		if (order == 0)
			return say_plain(r, at,
			    "expected no item twice, found items %u and %u equal", a < b ? a : b,
			    a < b ? b : a);
	}
	return r->steps >= 0 || run_limit(r, "comparing for 'uniqueItems' takes too many steps");
}

/* The names that the array at node of the schema lists and the object at lacks. */
static bool
check_names(struct run *r, uint32_t node, uint32_t at, struct slice because)
{
	const struct doc *d = &r->s->doc;
	struct buf name = {0};
	bool fits = true;

	for (uint32_t i = doc_first(d, node); i != DOC_NONE; i = doc_next(d, node, i)) {
		r->steps--;
		if (doc_find(&r->doc, at, d->nodes[i].value) != DOC_NONE)
			continue;
		fits = false;
		if (!r->loud) {
			say_plain(r, at, "a member is missing");
			break;
		}
		buf_reset(&name);
		say_quoted(d->nodes[i].value, &name);
		if (because.len > 0) {
			buf_adds(&name, " beside ");
			say_quoted(because, &name);
		}
		say_plain(r, at, "expected a member %s, found none", name.ptr);
	}
	buf_free(&name);
	return fits;
}

static bool
check_dependent(struct run *r, const struct word *w, uint32_t at)
{
	const struct doc *d = &r->s->doc;
	bool fits = true;

	for (uint32_t i = doc_first(d, w->node); i != DOC_NONE; i = doc_next(d, w->node, i)) {
		r->steps--;
		if (doc_find(&r->doc, at, d->nodes[i].name) != DOC_NONE)
			fits &= check_names(r, i, at, d->nodes[i].name);
	}
	return fits;
}

bool
run_assert(struct run *r, const struct rule *rule, const struct word *w, uint32_t at)
{
	uint8_t type = r->doc.nodes[at].type;

	switch ((enum op)w->op) {
	case OP_TYPE:
		return (type_of(&r->doc.nodes[at]) & rule->types) != 0 ||
		    say_type(r, at, rule->types);
	case OP_ENUM:
		return check_enum(r, w, at);
	case OP_CONST:
		return check_const(r, w, at);
	case OP_MINIMUM:
	case OP_EXCLUSIVE_MINIMUM:
	case OP_MAXIMUM:
	case OP_EXCLUSIVE_MAXIMUM:
	case OP_MULTIPLE:
		return type != JSON_NUMBER || check_number(r, w, at);
	case OP_MIN_LENGTH:
	case OP_MAX_LENGTH:
		return type != JSON_STRING || check_length(r, w, at);
	case OP_PATTERN:
		return type != JSON_STRING || check_pattern(r, w, at);
	case OP_MIN_ITEMS:
	case OP_MAX_ITEMS:
		return type != JSON_ARRAY || check_count(r, w, at);
	case OP_UNIQUE:
		return type != JSON_ARRAY || check_unique(r, w, at);
	case OP_MIN_PROPERTIES:
	case OP_MAX_PROPERTIES:
		return type != JSON_OBJECT || check_count(r, w, at);
	case OP_REQUIRED:
		return type != JSON_OBJECT || check_names(r, w->node, at, S(""));
	case OP_DEPENDENT_REQUIRED:
		return type != JSON_OBJECT || check_dependent(r, w, at);
	default:
		return true;
	}
}
