/*
 * The vocabulary: every keyword of 2020-12, what its value must be and what applies it. Sorted as
 * the specification lists them; looked at while compiling only.
 */
#include "common/opt.h"
#include "tools/ai/schema_part.h"

static const struct keyword keywords[] = {
	/* core */
	{"$schema", OP_NONE, SHAPE_TEXT},
	{"$id", OP_NONE, SHAPE_TEXT},
	{"$anchor", OP_NONE, SHAPE_TEXT},
	{"$dynamicAnchor", OP_NONE, SHAPE_TEXT},
	{"$ref", OP_REF, SHAPE_TEXT},
	{"$dynamicRef", OP_DYNAMIC_REF, SHAPE_TEXT},
	{"$defs", OP_NONE, SHAPE_MAP},
	{"$vocabulary", OP_NONE, SHAPE_ANY},
	{"$comment", OP_NONE, SHAPE_TEXT},
	{"definitions", OP_NONE, SHAPE_MAP}, /* the name before 2019 */
	/* applicators */
	{"allOf", OP_ALL, SHAPE_SCHEMAS},
	{"anyOf", OP_ANY, SHAPE_SCHEMAS},
	{"oneOf", OP_ONE, SHAPE_SCHEMAS},
	{"not", OP_NOT, SHAPE_SCHEMA},
	{"if", OP_IF, SHAPE_SCHEMA},
	{"then", OP_NONE, SHAPE_SCHEMA},
	{"else", OP_NONE, SHAPE_SCHEMA},
	{"dependentSchemas", OP_DEPENDENT_SCHEMAS, SHAPE_MAP},
	{"prefixItems", OP_ELEMENTS, SHAPE_SCHEMAS},
	{"items", OP_ELEMENTS, SHAPE_SCHEMA},
	{"contains", OP_CONTAINS, SHAPE_SCHEMA},
	{"properties", OP_MEMBERS, SHAPE_MAP},
	{"patternProperties", OP_MEMBERS, SHAPE_PATTERNS},
	{"additionalProperties", OP_MEMBERS, SHAPE_SCHEMA},
	{"propertyNames", OP_NAMES, SHAPE_SCHEMA},
	{"unevaluatedItems", OP_UNEVALUATED_ITEMS, SHAPE_SCHEMA},
	{"unevaluatedProperties", OP_UNEVALUATED_PROPERTIES, SHAPE_SCHEMA},
	/* validation */
	{"type", OP_TYPE, SHAPE_TYPES},
	{"enum", OP_ENUM, SHAPE_LIST},
	{"const", OP_CONST, SHAPE_ANY},
	{"multipleOf", OP_MULTIPLE, SHAPE_DIVISOR},
	{"maximum", OP_MAXIMUM, SHAPE_NUMBER},
	{"exclusiveMaximum", OP_EXCLUSIVE_MAXIMUM, SHAPE_NUMBER},
	{"minimum", OP_MINIMUM, SHAPE_NUMBER},
	{"exclusiveMinimum", OP_EXCLUSIVE_MINIMUM, SHAPE_NUMBER},
	{"maxLength", OP_MAX_LENGTH, SHAPE_COUNT},
	{"minLength", OP_MIN_LENGTH, SHAPE_COUNT},
	{"pattern", OP_PATTERN, SHAPE_PATTERN},
	{"maxItems", OP_MAX_ITEMS, SHAPE_COUNT},
	{"minItems", OP_MIN_ITEMS, SHAPE_COUNT},
	{"uniqueItems", OP_UNIQUE, SHAPE_BOOL},
	{"maxContains", OP_NONE, SHAPE_COUNT},
	{"minContains", OP_NONE, SHAPE_COUNT},
	{"maxProperties", OP_MAX_PROPERTIES, SHAPE_COUNT},
	{"minProperties", OP_MIN_PROPERTIES, SHAPE_COUNT},
	{"required", OP_REQUIRED, SHAPE_NAMES},
	{"dependentRequired", OP_DEPENDENT_REQUIRED, SHAPE_DEPENDS},
	/* annotations */
	{"title", OP_NONE, SHAPE_ANY},
	{"description", OP_NONE, SHAPE_ANY},
	{"default", OP_NONE, SHAPE_ANY},
	{"deprecated", OP_NONE, SHAPE_ANY},
	{"readOnly", OP_NONE, SHAPE_ANY},
	{"writeOnly", OP_NONE, SHAPE_ANY},
	{"examples", OP_NONE, SHAPE_ANY},
	{"format", OP_NONE, SHAPE_ANY},
	{"contentEncoding", OP_NONE, SHAPE_ANY},
	{"contentMediaType", OP_NONE, SHAPE_ANY},
	{"contentSchema", OP_NONE, SHAPE_SCHEMA},
	{"propertyOrdering", OP_NONE, SHAPE_ANY}, /* Gemini's */
};

enum { KEYWORDS = sizeof(keywords) / sizeof(*keywords) };

static const char *const types[] = {
    "null", "boolean", "object", "array", "number", "string", "integer"};

const struct keyword *
keyword_find(struct slice name)
{
	for (size_t i = 0; i < KEYWORDS; i++)
		if (slice_is(name, keywords[i].name))
			return &keywords[i];
	return NULL;
}

static const char *
next_keyword(size_t i, const void *state)
{
	(void)state;
	return i < KEYWORDS ? keywords[i].name : NULL;
}

const char *
keyword_nearest(struct slice name)
{
	char word[64];

	/* Words of other drafts and dialects, and what says it here. */
	if (slice_is(name, "additionalItems"))
		return "items";
	if (slice_is(name, "dependencies"))
		return "dependentRequired";
	if (slice_is(name, "id"))
		return "$id";
	if (slice_is(name, "$recursiveRef"))
		return "$dynamicRef";
	if (name.len >= sizeof(word) || memchr(name.ptr, '\0', name.len) != NULL)
		return NULL;
	memcpy(word, name.ptr, name.len);
	word[name.len] = '\0';
	return opt_nearest(word, next_keyword, NULL);
}

unsigned
type_find(struct slice name)
{
	for (unsigned i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (slice_is(name, types[i]))
			return 1U << i;
	return 0;
}

void
type_names(unsigned mask, struct buf *out)
{
	bool more = false;

	/* An integer is a number. */
	if (mask & TYPE_NUMBER)
		mask &= ~(unsigned)TYPE_INTEGER;
	for (unsigned i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (!(mask >> i & 1))
			continue;
		mask &= ~(1U << i);
		if (more)
			buf_adds(out, mask ? ", " : " or ");
		buf_adds(out, i == 0 ? "" : strchr("aio", types[i][0]) ? "an " : "a ");
		buf_adds(out, types[i]);
		more = true;
	}
}
