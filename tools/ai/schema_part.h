/*
 * schema_part: what the files of schema share.
 *
 * The schema's text is indexed as a doc. Every place in it that is a schema becomes a rule, made
 * the first time that something leads there; a rule is its keywords in the order in which they
 * are applied, and each keyword refers back to its value in the doc.
 */
#ifndef KANDIL_AI_SCHEMA_PART_H
#define KANDIL_AI_SCHEMA_PART_H

#include "common/hash.h"
#include "common/mem.h"
#include "tools/ai/schema.h"
#include "tools/ai/schema_doc.h"
#include "tools/ai/schema_number.h"
#include "tools/ai/schema_pattern.h"

/* In the order of application; the last two see what all others have looked at. */
enum op {
	OP_NONE, /* says nothing about the value */
	OP_REF,
	OP_DYNAMIC_REF,
	OP_TYPE,
	OP_ENUM,
	OP_CONST,
	OP_MINIMUM,
	OP_EXCLUSIVE_MINIMUM,
	OP_MAXIMUM,
	OP_EXCLUSIVE_MAXIMUM,
	OP_MULTIPLE,
	OP_MIN_LENGTH,
	OP_MAX_LENGTH,
	OP_PATTERN,
	OP_MIN_ITEMS,
	OP_MAX_ITEMS,
	OP_UNIQUE,
	OP_ELEMENTS, /* prefixItems and items */
	OP_CONTAINS, /* with minContains and maxContains */
	OP_REQUIRED,
	OP_MIN_PROPERTIES,
	OP_MAX_PROPERTIES,
	OP_DEPENDENT_REQUIRED,
	OP_MEMBERS, /* properties, patternProperties and additionalProperties */
	OP_NAMES,
	OP_DEPENDENT_SCHEMAS,
	OP_ALL,
	OP_ANY,
	OP_ONE,
	OP_NOT,
	OP_IF, /* with then and else */
	OP_UNEVALUATED_ITEMS,
	OP_UNEVALUATED_PROPERTIES,
};

/* What a keyword's value must be. */
enum shape {
	SHAPE_ANY,
	SHAPE_SCHEMA,
	SHAPE_SCHEMAS,	/* a list of at least one */
	SHAPE_MAP,	/* an object of schemas */
	SHAPE_PATTERNS, /* the same, its names are patterns */
	SHAPE_TYPES,
	SHAPE_LIST,
	SHAPE_NUMBER,
	SHAPE_DIVISOR,
	SHAPE_COUNT,
	SHAPE_TEXT,
	SHAPE_PATTERN,
	SHAPE_BOOL,
	SHAPE_NAMES,   /* a list of strings */
	SHAPE_DEPENDS, /* an object of such lists */
};

enum {
	TYPE_NULL = 1,
	TYPE_BOOLEAN = 2,
	TYPE_OBJECT = 4,
	TYPE_ARRAY = 8,
	TYPE_NUMBER = 16,
	TYPE_STRING = 32,
	TYPE_INTEGER = 64,
};

struct keyword {
	const char *name;
	uint8_t op, shape;
};

/* The keyword of that name, or NULL; the nearest to a name that is none, or NULL. */
const struct keyword *keyword_find(struct slice name);
const char *keyword_nearest(struct slice name);
/* 0 for a name that is no type. */
unsigned type_find(struct slice name);
/* "a string or null" */
void type_names(unsigned types, struct buf *out);

/* One keyword of a rule, or a few that act together. DOC_NONE and NULL: not there. */
struct word {
	uint8_t op;
	uint32_t node;	 /* of its value; of properties, of prefixItems */
	uint32_t second; /* rule: of items, of additionalProperties, of a reference, then */
	uint32_t third;	 /* rule: else */
	size_t limit, most;
	uint32_t first, count; /* enum: sorted values, in list; patterns: name and rule, in pairs */
	struct number number;
	struct slice name; /* a dynamic reference's */
};

struct rule {
	uint32_t node, resource;
	uint32_t first, count; /* words */
	unsigned types;	       /* what `type` allows, 0 without it */
	int8_t always;	       /* 1: true, -1: false */
	bool unevaluated;
};

/* A part with an $id of its own; 0 is the whole schema. */
struct resource {
	struct slice uri;
	uint32_t node;
};

struct dynamic {
	struct slice name;
	uint32_t resource, node;
};

/* One schema is applied at the same value as another: a circle of these never ends. */
struct edge {
	uint32_t from, to;
};

struct run;

struct schema {
	struct buf text;
	struct doc doc;
	uint32_t *rule_of; /* by node; DOC_NONE: none */
	struct rule *rules;
	struct word *words;
	uint32_t *list;
	struct pattern **patterns; /* by node of the pattern's text or its rule */
	struct resource *resources;
	struct dynamic *dynamics;
	struct edge *edges;
	size_t nrules, rules_cap, nwords, words_cap, nlist, list_cap, nresources, resources_cap;
	size_t ndynamics, dynamics_cap, nedges, edges_cap;
	struct table places; /* URI, and URI#anchor → node + 1 */
	struct arena arena;
	struct buf scratch;
	struct run *run;
};

/* The rule of a node, made and scanned for identifiers when it is new (schema_ref.c). */
int rule_at(struct schema *, uint32_t node, uint32_t resource, uint32_t *rule, struct err *e);
/* Finds what a reference at a node of that rule names: its node. */
int rule_resolve(struct schema *, uint32_t rule, uint32_t node, uint32_t *target, struct err *e);
/* -1 with "bad_schema", naming the place of node. */
int schema_bad(const struct schema *, uint32_t node, struct err *e, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Judges the value at node, a keyword of that rule; what it says goes to w and the rule. */
int word_judge(struct schema *, uint32_t rule, uint32_t node, const struct keyword *,
    struct word *w, struct err *e);
/* Compiles the pattern that text is and keeps it under node. */
int word_pattern(struct schema *, uint32_t node, struct slice text, struct err *e);
/*
 * -1 with "bad_schema" where schemas lead to each other at one value in a circle, so that no
 * check of them could end.
 */
int rule_circle(const struct schema *, struct err *e);

/* The state of checks; run_new for schema_open. */
struct run *run_new(void);
void run_free(struct run *);

#endif
