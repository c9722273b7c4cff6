/*
 * Which places of the text are schemas, what they are called, and what references name.
 *
 * A rule is registered with its identifiers before any reference is resolved; a reference to a
 * place that no keyword leads to ("#/components/x") makes a rule there. Subschemas are queued, not
 * recursed into: the queue is the array of rules itself.
 */
#include "tools/ai/schema_part.h"
#include "tools/ai/schema_uri.h"

#include <stdio.h>

int
schema_bad(const struct schema *s, uint32_t node, struct err *e, const char *format, ...)
{
	char what[300];
	struct buf place = {0};
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	what[utf8_visible(what, strlen(what))] = '\0';
	doc_pointer(&s->doc, node, &place);
	if (place.len == 0)
		buf_adds(&place, "(root)");
	buf_cut(&place, utf8_visible(place.ptr, place.len < 80 ? place.len : 80));
	err_set(e, "bad_schema", "the schema at %s: %s", place.ptr, what);
	buf_free(&place);
	return -1;
}

/* A key that lives as long as the schema: uri, or uri#anchor. */
static struct slice
place_key(struct schema *s, struct slice uri, struct slice anchor)
{
	buf_reset(&s->scratch);
	buf_addslice(&s->scratch, uri);
	if (anchor.len > 0) {
		buf_addc(&s->scratch, '#');
		buf_addslice(&s->scratch, anchor);
	}
	return buf_slice(&s->scratch);
}

static int
add_place(struct schema *s, struct slice key, uint32_t node, struct err *e)
{
	char *copy = arena_copy(&s->arena, key.ptr, key.len);
	bool added;
	uint64_t *place = table_put(&s->places, (struct slice){copy, key.len}, &added);

	if (!added)
		return schema_bad(s, node, e, "'%.*s' is named twice: rename one",
		    (int)(key.len < 100 ? key.len : 100), key.ptr);
	*place = (uint64_t)node + 1;
	return 0;
}

static int
add_resource(struct schema *s, uint32_t node, struct slice id, uint32_t *resource, struct err *e)
{
	struct slice base = {"", 0}, fragment, uri;
	struct buf resolved = {0};
	int failed;

	if (s->nresources > 0)
		base = s->resources[*resource].uri;
	uri_resolve(base, id, &resolved);
	uri = buf_slice(&resolved);
	uri_split(&uri, &fragment);
	uri.ptr = arena_copy(&s->arena, uri.ptr, uri.len);
	buf_free(&resolved);
	if (fragment.len > 0)
		return schema_bad(s, node, e,
		    "'$id' has a fragment: name the place with '$anchor'");
	/* The whole schema without a name is found as "", which only names itself. */
	failed = add_place(s, uri, node, e);
	s->resources = xgrow(s->resources, s->nresources, &s->resources_cap, sizeof(*s->resources));
	s->resources[s->nresources] = (struct resource){uri, node};
	*resource = (uint32_t)s->nresources++;
	return failed;
}

static int
add_anchor(struct schema *s, uint32_t node, uint32_t at, uint32_t resource, bool dynamic,
    struct err *e)
{
	struct slice name = s->doc.nodes[at].value;

	if (name.len == 0 || memchr(name.ptr, '#', name.len) || memchr(name.ptr, '/', name.len))
		return schema_bad(s, at, e, "an anchor is a plain name, without '#' and '/'");
	if (dynamic) {
		s->dynamics = xgrow(s->dynamics, s->ndynamics, &s->dynamics_cap,
		    sizeof(*s->dynamics));
		s->dynamics[s->ndynamics++] = (struct dynamic){name, resource, node};
	}
	return add_place(s, place_key(s, s->resources[resource].uri, name), node, e);
}

/* The string member of that name at node, or DOC_NONE. */
static uint32_t
text_member(const struct schema *s, uint32_t node, const char *name)
{
	uint32_t at = doc_find(&s->doc, node, slice(name));

	return at != DOC_NONE && s->doc.nodes[at].type == JSON_STRING ? at : DOC_NONE;
}

static int
name_rule(struct schema *s, uint32_t node, uint32_t *resource, struct err *e)
{
	uint32_t id = text_member(s, node, "$id"), at;
	struct slice name = id == DOC_NONE ? S("") : s->doc.nodes[id].value;

	if ((node == 0 || id != DOC_NONE) && add_resource(s, node, name, resource, e) != 0)
		return -1;
	at = text_member(s, node, "$anchor");
	if (at != DOC_NONE && add_anchor(s, node, at, *resource, false, e) != 0)
		return -1;
	at = text_member(s, node, "$dynamicAnchor");
	return at == DOC_NONE ? 0 : add_anchor(s, node, at, *resource, true, e);
}

static int
queue_rule(struct schema *s, uint32_t node, uint32_t resource, struct err *e)
{
	uint8_t type = s->doc.nodes[node].type;
	struct rule rule = {.node = node};

	if (s->rule_of[node] != DOC_NONE)
		return 0;
	if (type != JSON_OBJECT && type != JSON_TRUE && type != JSON_FALSE)
		return schema_bad(s, node, e, "a schema is an object, true or false");
	if (type == JSON_OBJECT && name_rule(s, node, &resource, e) != 0)
		return -1;
	rule.resource = resource;
	rule.always = (int8_t)(type == JSON_TRUE ? 1 : type == JSON_FALSE ? -1 : 0);
	s->rules = xgrow(s->rules, s->nrules, &s->rules_cap, sizeof(*s->rules));
	s->rules[s->nrules] = rule;
	s->rule_of[node] = (uint32_t)s->nrules++;
	return 0;
}

/* Queues the subschemas below the member `at` of a schema. */
static int
queue_member(struct schema *s, uint32_t at, uint32_t resource, struct err *e)
{
	const struct keyword *word = keyword_find(s->doc.nodes[at].name);
	uint8_t type = s->doc.nodes[at].type;

	if (word == NULL)
		return 0;
	if (word->shape == SHAPE_SCHEMA) {
		if (type == JSON_ARRAY && strcmp(word->name, "items") == 0)
			return schema_bad(s, at, e,
			    "'items' is one schema: a list is called 'prefixItems'");
		return queue_rule(s, at, resource, e);
	}
	if (word->shape != SHAPE_SCHEMAS && word->shape != SHAPE_MAP &&
	    word->shape != SHAPE_PATTERNS)
		return 0;
	if (type != (word->shape == SHAPE_SCHEMAS ? JSON_ARRAY : JSON_OBJECT))
		return schema_bad(s, at, e, "'%s' is %s of schemas", word->name,
		    word->shape == SHAPE_SCHEMAS ? "a list" : "an object");
	for (uint32_t i = doc_first(&s->doc, at); i != DOC_NONE; i = doc_next(&s->doc, at, i))
		if (queue_rule(s, i, resource, e) != 0)
			return -1;
	return 0;
}

int
rule_at(struct schema *s, uint32_t node, uint32_t resource, uint32_t *rule, struct err *e)
{
	size_t from = s->nrules;

	if (queue_rule(s, node, resource, e) != 0)
		return -1;
	for (; from < s->nrules; from++) {
		uint32_t at = s->rules[from].node, base = s->rules[from].resource;

		if (s->rules[from].always != 0)
			continue;
		for (uint32_t i = doc_first(&s->doc, at); i != DOC_NONE;
		     i = doc_next(&s->doc, at, i))
			if (queue_member(s, i, base, e) != 0)
				return -1;
	}
	*rule = s->rule_of[node];
	return 0;
}

/* Follows a JSON pointer, decoded but for ~, from node: the place, or DOC_NONE. */
static uint32_t
follow(const struct schema *s, uint32_t node, struct slice pointer, struct buf *token)
{
	while (pointer.len > 0 && node != DOC_NONE) {
		size_t n = 1, index = 0;
		uint32_t child;

		buf_reset(token);
		for (; n < pointer.len && pointer.ptr[n] != '/'; n++)
			if (pointer.ptr[n] == '~' && n + 1 < pointer.len &&
			    (pointer.ptr[n + 1] == '0' || pointer.ptr[n + 1] == '1'))
				buf_addc(token, pointer.ptr[++n] == '0' ? '~' : '/');
			else
				buf_addc(token, pointer.ptr[n]);
		pointer = (struct slice){pointer.ptr + n, pointer.len - n};
		if (s->doc.nodes[node].type != JSON_ARRAY) {
			node = doc_find(&s->doc, node, buf_slice(token));
			continue;
		}
		for (size_t i = 0; i < token->len; i++)
			if (token->ptr[i] < '0' || token->ptr[i] > '9' || index > SCHEMA_NODES)
				return DOC_NONE;
			else
				index = index * 10 + (size_t)(token->ptr[i] - '0');
		child = token->len ? doc_first(&s->doc, node) : DOC_NONE;
		while (child != DOC_NONE && index-- > 0)
			child = doc_next(&s->doc, node, child);
		node = child;
	}
	return node;
}

static int
find_fragment(struct schema *s, uint32_t node, uint32_t root, struct slice uri,
    struct slice fragment, uint32_t *target, struct err *e)
{
	struct buf decoded = {0}, token = {0};
	const uint64_t *place;

	*target = root;
	uri_decode(fragment, &decoded);
	if (decoded.len > 0 && decoded.ptr[0] == '/') {
		*target = follow(s, root, buf_slice(&decoded), &token);
	} else if (decoded.len > 0) {
		place = table_get(&s->places, place_key(s, uri, buf_slice(&decoded)));
		*target = place ? (uint32_t)(*place - 1) : DOC_NONE;
	}
	buf_free(&decoded);
	buf_free(&token);
	if (*target == DOC_NONE)
		return schema_bad(s, node, e,
		    "'#%.*s' names nothing here: look for it under '$defs'",
		    (int)(fragment.len < 100 ? fragment.len : 100), fragment.ptr);
	return 0;
}

int
rule_resolve(struct schema *s, uint32_t rule, uint32_t node, uint32_t *target, struct err *e)
{
	struct slice text = s->doc.nodes[node].value, uri, fragment;
	struct buf resolved = {0};
	const uint64_t *place;
	int failed;

	uri_resolve(s->resources[s->rules[rule].resource].uri, text, &resolved);
	uri = buf_slice(&resolved);
	uri_split(&uri, &fragment);
	place = table_get(&s->places, uri);
	if (place == NULL)
		failed = schema_bad(s, node, e,
		    "'%.*s' lies outside this schema, and nothing is fetched: copy it into '$defs'",
		    (int)(text.len < 100 ? text.len : 100), text.ptr);
	else
		failed = find_fragment(s, node, (uint32_t)(*place - 1), uri, fragment, target, e);
	buf_free(&resolved);
	return failed;
}
