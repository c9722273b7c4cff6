/*
 * Compiling: references are resolved, patterns compiled, enums sorted, keywords that act together
 * joined, so that a check meets nothing it would have to doubt.
 */
#include "tools/ai/schema_part.h"

#include <stdlib.h>

static uint32_t
child_rule(const struct schema *s, uint32_t node)
{
	return s->rule_of[node];
}

static void
add_edge(struct schema *s, uint32_t from, uint32_t to)
{
	s->edges = xgrow(s->edges, s->nedges, &s->edges_cap, sizeof(*s->edges));
	s->edges[s->nedges++] = (struct edge){from, to};
}

static int
by_value(void *state, uint32_t a, uint32_t b)
{
	struct schema *s = state;
	long steps = 1000000; /* one comparison: both are parts of one small text */

	return doc_cmp(&s->doc, a, &s->doc, b, &steps);
}

static void
list_enum(struct schema *s, struct word *w)
{
	w->first = (uint32_t)s->nlist;
	for (uint32_t i = doc_first(&s->doc, w->node); i != DOC_NONE;
	     i = doc_next(&s->doc, w->node, i)) {
		s->list = xgrow(s->list, s->nlist, &s->list_cap, sizeof(*s->list));
		s->list[s->nlist++] = i;
	}
	w->count = (uint32_t)s->nlist - w->first;
	if (w->count > 1)
		doc_sort(s->list + w->first, w->count, by_value, s);
}

/* patternProperties: its pairs of pattern (kept under the rule's node) and rule. */
static int
list_patterns(struct schema *s, uint32_t node, struct word *w, struct err *e)
{
	w->first = (uint32_t)s->nlist;
	for (uint32_t i = doc_first(&s->doc, node); i != DOC_NONE; i = doc_next(&s->doc, node, i)) {
		if (word_pattern(s, i, s->doc.nodes[i].name, e) != 0)
			return -1;
		s->list = xgrow(s->list, s->nlist, &s->list_cap, sizeof(*s->list));
		s->list[s->nlist++] = i;
	}
	w->count = (uint32_t)s->nlist - w->first;
	return 0;
}

/* The innermost schema around node: a reference may lead to a place that no keyword names. */
static uint32_t
resource_around(const struct schema *s, uint32_t node)
{
	for (; node != DOC_NONE; node = s->doc.nodes[node].parent)
		if (s->rule_of[node] != DOC_NONE)
			return s->rules[s->rule_of[node]].resource;
	return 0;
}

static int
open_reference(struct schema *s, uint32_t rule, struct word *w, struct err *e)
{
	uint32_t target;

	if (rule_resolve(s, rule, w->node, &target, e) != 0 ||
	    rule_at(s, target, resource_around(s, target), &w->second, e) != 0)
		return -1;
	if (w->op == OP_DYNAMIC_REF) {
		struct slice text = s->doc.nodes[w->node].value;
		const char *hash = memchr(text.ptr, '#', text.len);

		/* Only a reference that lands on a dynamic anchor is dynamic. */
		for (size_t i = 0; i < s->ndynamics && hash != NULL; i++)
			if (s->dynamics[i].node == target && slice_eq(s->dynamics[i].name,
			    (struct slice){hash + 1, (size_t)(text.ptr + text.len - hash - 1)}))
				w->name = s->dynamics[i].name;
	}
	add_edge(s, rule, w->second);
	return 0;
}

/* The rule of the sibling keyword of that name, or DOC_NONE. */
static uint32_t
sibling(const struct schema *s, uint32_t rule, const char *name)
{
	uint32_t at = doc_find(&s->doc, s->rules[rule].node, slice(name));

	return at == DOC_NONE ? DOC_NONE : child_rule(s, at);
}

static int
open_members(struct schema *s, uint32_t rule, struct word *w, struct err *e)
{
	uint32_t node = s->rules[rule].node;
	uint32_t patterns = doc_find(&s->doc, node, S("patternProperties"));

	w->node = doc_find(&s->doc, node, S("properties"));
	w->second = sibling(s, rule, "additionalProperties");
	return patterns == DOC_NONE ? 0 : list_patterns(s, patterns, w, e);
}

static void
open_contains(struct schema *s, uint32_t rule, struct word *w)
{
	uint32_t node = s->rules[rule].node;
	uint32_t least = doc_find(&s->doc, node, S("minContains"));
	uint32_t most = doc_find(&s->doc, node, S("maxContains"));

	/* Both were or will be judged as keywords of their own. */
	w->limit = 1;
	w->most = SIZE_MAX;
	w->second = child_rule(s, w->node);
	if (least != DOC_NONE && s->doc.nodes[least].type == JSON_NUMBER)
		number_count(number_read(s->doc.nodes[least].value), &w->limit);
	if (most != DOC_NONE && s->doc.nodes[most].type == JSON_NUMBER)
		number_count(number_read(s->doc.nodes[most].value), &w->most);
}

static void
edges_to(struct schema *s, uint32_t rule, uint32_t node)
{
	for (uint32_t i = doc_first(&s->doc, node); i != DOC_NONE; i = doc_next(&s->doc, node, i))
		add_edge(s, rule, child_rule(s, i));
}

static int
open_word(struct schema *s, uint32_t rule, struct word *w, struct err *e)
{
	switch ((enum op)w->op) {
	case OP_REF:
	case OP_DYNAMIC_REF:
		return open_reference(s, rule, w, e);
	case OP_ENUM:
		list_enum(s, w);
		return 0;
	case OP_ELEMENTS:
		w->node = doc_find(&s->doc, s->rules[rule].node, S("prefixItems"));
		w->second = sibling(s, rule, "items");
		return 0;
	case OP_MEMBERS:
		return open_members(s, rule, w, e);
	case OP_CONTAINS:
		open_contains(s, rule, w);
		return 0;
	case OP_DEPENDENT_SCHEMAS:
	case OP_ALL:
	case OP_ANY:
	case OP_ONE:
		edges_to(s, rule, w->node);
		return 0;
	case OP_IF:
		w->second = sibling(s, rule, "then");
		w->third = sibling(s, rule, "else");
		add_edge(s, rule, child_rule(s, w->node));
		if (w->second != DOC_NONE)
			add_edge(s, rule, w->second);
		if (w->third != DOC_NONE)
			add_edge(s, rule, w->third);
		return 0;
	case OP_NOT:
		add_edge(s, rule, child_rule(s, w->node));
		return 0;
	case OP_UNEVALUATED_ITEMS:
	case OP_UNEVALUATED_PROPERTIES:
		s->rules[rule].unevaluated = true;
		return 0;
	default:
		return 0;
	}
}

static int
by_op(void *state, uint32_t a, uint32_t b)
{
	const struct word *words = state;

	return (words[a].op > words[b].op) - (words[a].op < words[b].op);
}

/* Puts the words of the rule that is being made into the order of application. */
static void
sort_words(struct word *words, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++)
		for (uint32_t k = i; k > 0 && by_op(words, k - 1, k) > 0; k--) {
			struct word swap = words[k];

			words[k] = words[k - 1];
			words[k - 1] = swap;
		}
}

static int
open_rule(struct schema *s, uint32_t rule, struct err *e)
{
	uint32_t node = s->rules[rule].node, first = (uint32_t)s->nwords;
	bool members = false, elements = false;

	for (uint32_t i = doc_first(&s->doc, node); i != DOC_NONE; i = doc_next(&s->doc, node, i)) {
		const struct keyword *word = keyword_find(s->doc.nodes[i].name);
		struct word w = {.node = i, .second = DOC_NONE, .third = DOC_NONE};

		if (word == NULL)
			continue;
		w.op = word->op;
		if (word_judge(s, rule, i, word, &w, e) != 0)
			return -1;
		/* Keywords that act together are one word. */
		if (w.op == OP_NONE || (w.op == OP_MEMBERS && members) ||
		    (w.op == OP_ELEMENTS && elements))
			continue;
		members |= w.op == OP_MEMBERS;
		elements |= w.op == OP_ELEMENTS;
		if (open_word(s, rule, &w, e) != 0)
			return -1;
		s->words = xgrow(s->words, s->nwords, &s->words_cap, sizeof(*s->words));
		s->words[s->nwords++] = w;
	}
	s->rules[rule].first = first;
	s->rules[rule].count = (uint32_t)s->nwords - first;
	if (s->rules[rule].count > 1)
		sort_words(s->words + first, s->rules[rule].count);
	return 0;
}

static int
compile(struct schema *s, struct err *e)
{
	uint32_t root;

	if (rule_at(s, 0, 0, &root, e) != 0)
		return -1;
	/* References add rules while this runs. */
	for (uint32_t i = 0; i < s->nrules; i++)
		if (s->rules[i].always == 0 && open_rule(s, i, e) != 0)
			return -1;
	return rule_circle(s, e);
}

struct schema *
schema_open(struct slice text, struct err *e)
{
	struct schema *s = xcalloc(1, sizeof(*s));
	struct err why;

	text = slice_trim(text);
	if (text.len > SCHEMA_TEXT) {
		err_set(e, "schema_limit", "a schema of more than %d MiB: shorten it",
		    SCHEMA_TEXT >> 20);
		goto failed;
	}
	buf_addslice(&s->text, text);
	if (text.len == 0 || doc_read(&s->doc, buf_slice(&s->text), &why) != 0) {
		err_set(e, "bad_schema", "the schema is no JSON: %s",
		    text.len ? why.text : "it is empty");
		goto failed;
	}
	if (s->doc.n > SCHEMA_NODES) {
		err_set(e, "schema_limit", "a schema of more than %d values: shorten it",
		    SCHEMA_NODES);
		goto failed;
	}
	s->rule_of = xreallocarray(NULL, s->doc.n, sizeof(*s->rule_of));
	memset(s->rule_of, 0xFF, s->doc.n * sizeof(*s->rule_of));
	s->patterns = xcalloc(s->doc.n, sizeof(struct pattern *));
	if (compile(s, e) != 0)
		goto failed;
	s->run = run_new();
	return s;
failed:
	schema_close(s);
	return NULL;
}

void
schema_close(struct schema *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; s->patterns != NULL && i < s->doc.n; i++)
		pattern_free(s->patterns[i]);
	run_free(s->run);
	free(s->patterns);
	free(s->rule_of);
	free(s->rules);
	free(s->words);
	free(s->list);
	free(s->resources);
	free(s->dynamics);
	free(s->edges);
	table_free(&s->places);
	arena_free(&s->arena);
	buf_free(&s->scratch);
	buf_free(&s->text);
	doc_free(&s->doc);
	free(s);
}
