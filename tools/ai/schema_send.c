/*
 * What a provider makes of a schema: its name, strict mode, objects without further members; and
 * what the user may have mistyped.
 */
#include "tools/ai/schema_part.h"

#include <ctype.h>
#include <stdlib.h>

size_t
schema_unknown(const struct schema *s, struct buf *out)
{
	const struct doc *d = &s->doc;
	size_t n = 0;

	for (size_t r = 0; r < s->nrules; r++) {
		uint32_t at = s->rules[r].node;

		for (uint32_t i = doc_first(d, at); s->rules[r].always == 0 && i != DOC_NONE;
		     i = doc_next(d, at, i)) {
			struct slice name = d->nodes[i].name;
			size_t from = out->len;
			const char *nearest;

			if (keyword_find(name) != NULL || slice_starts(name, "x-"))
				continue;
			n++;
			doc_pointer(d, at, out);
			if (out->len == from)
				buf_adds(out, "(root)");
			buf_adds(out, ": '");
			buf_add_visible(out, name);
			buf_adds(out, "' is no keyword");
			nearest = keyword_nearest(name);
			if (slice_is(name, "nullable"))
				buf_adds(out, ": write \"type\":[\"…\",\"null\"]");
			else if (nearest != NULL)
				buf_addf(out, ": did you mean '%s'", nearest);
			buf_addc(out, '\n');
		}
	}
	return n;
}

void
schema_name(const struct schema *s, struct buf *out)
{
	uint32_t at = doc_find(&s->doc, 0, S("title"));
	struct slice title = {"", 0};
	size_t from = out->len;

	if (at != DOC_NONE && s->doc.nodes[at].type == JSON_STRING)
		title = s->doc.nodes[at].value;
	for (size_t i = 0; i < title.len && out->len - from < 64; i++) {
		char c = title.ptr[i];

		if ((unsigned char)c < 128 && (isalnum((unsigned char)c) || c == '_' || c == '-'))
			buf_addc(out, c);
		else if (out->len > from && out->ptr[out->len - 1] != '_')
			buf_addc(out, '_');
	}
	while (out->len > from && out->ptr[out->len - 1] == '_')
		buf_cut(out, out->len - 1);
	if (out->len == from)
		buf_adds(out, "reply");
}

/* ---- OpenAI's strict mode ---- */

enum { STRICT_TEXT = 120000, STRICT_LEVELS = 10, STRICT_PROPERTIES = 5000, STRICT_VALUES = 1000 };

static bool
strict_no(const struct schema *s, uint32_t node, struct buf *why, const char *reason)
{
	size_t from;

	if (why == NULL)
		return false;
	from = why->len;
	doc_pointer(&s->doc, node, why);
	if (why->len == from)
		buf_adds(why, "(root)");
	buf_addf(why, ": %s", reason);
	return false;
}

static uint32_t
member(const struct schema *s, const struct rule *rule, const char *name)
{
	return doc_find(&s->doc, rule->node, slice(name));
}

static bool
strict_word(struct slice name)
{
	static const char *const known[] = {"$schema", "$ref", "$defs", "definitions", "title",
	    "description", "type", "enum", "const", "anyOf", "properties", "required",
	    "additionalProperties", "items", "minItems", "maxItems", "pattern", "format", "minimum",
	    "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (slice_is(name, known[i]))
			return true;
	return false;
}

static bool
strict_object(const struct schema *s, const struct rule *rule, struct buf *why)
{
	const struct doc *d = &s->doc;
	uint32_t properties = member(s, rule, "properties"), required = member(s, rule, "required");
	uint32_t more = member(s, rule, "additionalProperties"), up = d->nodes[rule->node].parent;
	unsigned levels = 1;

	if (more == DOC_NONE || d->nodes[more].type != JSON_FALSE)
		return strict_no(s, rule->node, why, "additionalProperties is not false");
	for (; up != DOC_NONE; up = d->nodes[up].parent)
		if (s->rule_of[up] != DOC_NONE && s->rules[s->rule_of[up]].types & TYPE_OBJECT)
			levels++;
	if (levels > STRICT_LEVELS)
		return strict_no(s, rule->node, why, "more than 10 levels of objects");
	if (properties == DOC_NONE)
		return true;
	if (d->nodes[properties].count > STRICT_PROPERTIES)
		return strict_no(s, properties, why, "more than 5000 properties");
	for (uint32_t i = doc_first(d, properties); i != DOC_NONE; i = doc_next(d, properties, i)) {
		bool listed = false;

		for (uint32_t k = required == DOC_NONE ? DOC_NONE : doc_first(d, required);
		     k != DOC_NONE && !listed; k = doc_next(d, required, k))
			listed = slice_eq(d->nodes[k].value, d->nodes[i].name);
		if (!listed)
			return strict_no(s, i, why, "this property is not required");
	}
	return true;
}

static bool
strict_rule(const struct schema *s, const struct rule *rule, struct buf *why)
{
	const struct doc *d = &s->doc;

	if (rule->always != 0)
		return slice_is(d->nodes[rule->node].name, "additionalProperties") ||
		    strict_no(s, rule->node, why, "it says nothing about the value");
	for (uint32_t i = doc_first(d, rule->node); i != DOC_NONE; i = doc_next(d, rule->node, i))
		if (!strict_word(d->nodes[i].name))
			return strict_no(s, i, why, "strict mode does not know this keyword");
	if (rule->types == 0 && member(s, rule, "anyOf") == DOC_NONE &&
	    member(s, rule, "$ref") == DOC_NONE)
		return strict_no(s, rule->node, why, "it has no type");
	if (rule->types & TYPE_ARRAY && member(s, rule, "items") == DOC_NONE)
		return strict_no(s, rule->node, why, "an array without items");
	return !(rule->types & TYPE_OBJECT) || strict_object(s, rule, why);
}

bool
schema_takes_strict(const struct schema *s, struct buf *why)
{
	size_t properties = 0, values = 0;

	if (s->rules[0].types != TYPE_OBJECT || member(s, &s->rules[0], "anyOf") != DOC_NONE)
		return strict_no(s, 0, why, "the whole is not simply an object");
	for (size_t i = 0; i < s->nrules; i++) {
		uint32_t at;

		if (!strict_rule(s, &s->rules[i], why))
			return false;
		at = member(s, &s->rules[i], "properties");
		properties += at == DOC_NONE ? 0 : s->doc.nodes[at].count;
		at = member(s, &s->rules[i], "enum");
		values += at == DOC_NONE ? 0 : s->doc.nodes[at].count;
	}
	if (properties > STRICT_PROPERTIES || values > STRICT_VALUES || s->text.len > STRICT_TEXT)
		return strict_no(s, 0, why, "it is too large");
	return true;
}

/* ---- objects without further members ---- */

/* Whether the rule lists members of its own. */
static bool
lists_members(const struct schema *s, const struct rule *rule)
{
	return member(s, rule, "properties") != DOC_NONE ||
	    member(s, rule, "patternProperties") != DOC_NONE ||
	    member(s, rule, "additionalProperties") != DOC_NONE;
}

/*
 * The rules that describe only a part of their object: another rule, applied to the same object,
 * has members to add. Closing them would forbid those.
 */
static void
find_partial(const struct schema *s, bool *partial)
{
	bool *shares = xcalloc(s->nrules, sizeof(*shares)), again = true;

	for (size_t i = 0; i < s->nrules; i++) {
		const struct rule *rule = &s->rules[i];

		for (uint32_t k = 0; k < rule->count; k++) {
			const struct word *w = &s->words[rule->first + k];

			if (w->op == OP_NOT || w->op == OP_IF || w->op == OP_DEPENDENT_SCHEMAS ||
			    w->op == OP_DYNAMIC_REF ||
			    (w->op == OP_ALL && s->doc.nodes[w->node].count > 1))
				shares[i] = true;
		}
	}
	for (size_t i = 0; i < s->nedges; i++) {
		uint32_t from = s->edges[i].from;

		if (shares[from] || lists_members(s, &s->rules[from]))
			partial[from] = partial[s->edges[i].to] = true;
	}
	while (again) {
		again = false;
		for (size_t i = 0; i < s->nedges; i++)
			if (partial[s->edges[i].from] && !partial[s->edges[i].to])
				again = partial[s->edges[i].to] = true;
	}
	free(shares);
}

struct edit {
	size_t at, drop;
	const char *text;
};

static int
by_place(const void *a, const void *b)
{
	const struct edit *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

/* How to close the rule: 1, 0 when there is nothing to do, -1 when it has to stay open. */
static int
close_rule(const struct schema *s, const struct rule *rule, bool partial, struct edit *edit)
{
	uint32_t more = member(s, rule, "additionalProperties");
	struct slice raw = s->doc.nodes[rule->node].value;
	const char *end = raw.ptr + raw.len - 1;

	if (rule->always != 0 || (!(rule->types & TYPE_OBJECT) && !lists_members(s, rule)))
		return 0;
	if (more != DOC_NONE && s->doc.nodes[more].type != JSON_TRUE)
		return s->doc.nodes[more].type == JSON_FALSE ? 0 : -1;
	if (partial || member(s, rule, "properties") == DOC_NONE)
		return -1;
	if (more != DOC_NONE) {
		raw = s->doc.nodes[more].value;
		*edit = (struct edit){(size_t)(raw.ptr - s->text.ptr), raw.len, "false"};
		return 1;
	}
	while (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\n' || end[-1] == '\r')
		end--;
	*edit = (struct edit){(size_t)(end - s->text.ptr), 0, ",\"additionalProperties\":false"};
	return 1;
}

bool
schema_copy_closed(const struct schema *s, struct buf *out)
{
	bool *partial = xcalloc(s->nrules, sizeof(*partial)), all = true;
	struct edit *edits = xcalloc(s->nrules, sizeof(*edits));
	size_t n = 0, from = 0;

	find_partial(s, partial);
	for (size_t i = 0; i < s->nrules; i++) {
		int done = close_rule(s, &s->rules[i], partial[i], &edits[n]);

		n += done > 0;
		all &= done >= 0;
	}
	qsort(edits, n, sizeof(*edits), by_place);
	for (size_t i = 0; i < n; i++) {
		buf_add(out, s->text.ptr + from, edits[i].at - from);
		buf_adds(out, edits[i].text);
		from = edits[i].at + edits[i].drop;
	}
	buf_add(out, s->text.ptr + from, s->text.len - from);
	free(partial);
	free(edits);
	return all;
}
