/*
 * What the value of each keyword must be, and what to write where it is something else. Subschemas
 * were judged when they were queued (schema_ref.c).
 */
#include "tools/ai/schema_part.h"

static int
need(const struct schema *s, uint32_t node, const struct keyword *word, enum json_type type,
    const char *what, struct err *e)
{
	if (s->doc.nodes[node].type == type)
		return 0;
	return schema_bad(s, node, e, "'%s' is %s", word->name, what);
}

static int
need_names(const struct schema *s, uint32_t node, const struct keyword *word, struct err *e)
{
	static const char what[] = "a list of names in the schema of the object itself";

	if (need(s, node, word, JSON_ARRAY, what, e) != 0)
		return -1;
	for (uint32_t i = doc_first(&s->doc, node); i != DOC_NONE; i = doc_next(&s->doc, node, i))
		if (need(s, i, word, JSON_STRING, what, e) != 0)
			return -1;
	return 0;
}

static int
need_types(const struct schema *s, uint32_t node, unsigned *types, struct err *e)
{
	static const char known[] =
	    "use null, boolean, object, array, number, integer or string, or leave 'type' out";
	const struct doc_node *n = &s->doc.nodes[node];
	unsigned one;

	*types = 0;
	if (n->type == JSON_STRING) {
		*types = type_find(n->value);
		if (*types == 0)
			return schema_bad(s, node, e, "'%.*s' is no type: %s",
			    (int)(n->value.len < 40 ? n->value.len : 40), n->value.ptr, known);
		return 0;
	}
	if (n->type != JSON_ARRAY || n->count == 0)
		return schema_bad(s, node, e, "'type' is a name or a list of names: %s", known);
	for (uint32_t i = doc_first(&s->doc, node); i != DOC_NONE; i = doc_next(&s->doc, node, i)) {
		if (s->doc.nodes[i].type != JSON_STRING)
			return schema_bad(s, i, e, "'type' is a name or a list of names: %s",
			    known);
		if (need_types(s, i, &one, e) != 0)
			return -1;
		*types |= one;
	}
	return 0;
}

static int
need_number(const struct schema *s, uint32_t node, const struct keyword *word, struct word *w,
    struct err *e)
{
	const struct doc_node *n = &s->doc.nodes[node];

	if (n->type != JSON_NUMBER)
		return schema_bad(s, node, e, "'%s' is %s", word->name,
		    n->type == JSON_TRUE || n->type == JSON_FALSE ?
			"the bound itself: write the number here" : "a number");
	w->number = number_read(n->value);
	if (word->shape == SHAPE_COUNT && !number_count(w->number, &w->limit))
		return schema_bad(s, node, e, "'%s' is a whole number ≥ 0", word->name);
	if (word->shape != SHAPE_DIVISOR)
		return 0;
	if (w->number.n == 0 || w->number.negative)
		return schema_bad(s, node, e, "'multipleOf' is a number above 0");
	if (w->number.n > NUMBER_DIVISOR)
		return schema_bad(s, node, e, "'multipleOf' has more than %d digits: shorten it",
		    NUMBER_DIVISOR);
	return 0;
}

int
word_pattern(struct schema *s, uint32_t node, struct slice text, struct err *e)
{
	struct err why;

	if (s->patterns[node] != NULL)
		return 0;
	s->patterns[node] = pattern_open(text, &why);
	if (s->patterns[node] == NULL)
		return schema_bad(s, node, e, "'%.*s' is no pattern: %s",
		    (int)(text.len < 60 ? text.len : 60), text.ptr, why.text);
	return 0;
}

int
word_judge(struct schema *s, uint32_t rule, uint32_t node, const struct keyword *word,
    struct word *w, struct err *e)
{
	uint8_t type = s->doc.nodes[node].type;

	switch ((enum shape)word->shape) {
	case SHAPE_TYPES:
		return need_types(s, node, &s->rules[rule].types, e);
	case SHAPE_LIST:
		return need(s, node, word, JSON_ARRAY, "a list of values", e);
	case SHAPE_NUMBER:
	case SHAPE_DIVISOR:
	case SHAPE_COUNT:
		return need_number(s, node, word, w, e);
	case SHAPE_TEXT:
		return need(s, node, word, JSON_STRING, "a string", e);
	case SHAPE_PATTERN:
		if (need(s, node, word, JSON_STRING, "a string", e) != 0)
			return -1;
		return word_pattern(s, node, s->doc.nodes[node].value, e);
	case SHAPE_BOOL:
		if (type != JSON_TRUE && type != JSON_FALSE)
			return schema_bad(s, node, e, "'%s' is true or false", word->name);
		return 0;
	case SHAPE_NAMES:
		return need_names(s, node, word, e);
	case SHAPE_DEPENDS:
		if (need(s, node, word, JSON_OBJECT, "an object of lists of names", e) != 0)
			return -1;
		for (uint32_t i = doc_first(&s->doc, node); i != DOC_NONE;
		     i = doc_next(&s->doc, node, i))
			if (need_names(s, i, word, e) != 0)
				return -1;
		return 0;
	case SHAPE_SCHEMAS:
		if (s->doc.nodes[node].count == 0)
			return schema_bad(s, node, e, "'%s' is empty: list a schema", word->name);
		return 0;
	default:
		return 0;
	}
}
