#include "common/yaml.h"

#include "common/mem.h"

#include <stdlib.h>
#include <yaml.h>

enum { FOLLOWED = 256 }; /* steps of one look-up */

struct yaml {
	yaml_document_t document;
};

/*
 * libyaml's own loader resolves aliases to the node that they name, so they cost nothing; but it
 * builds a document before anybody can count. So the events are counted first.
 */
static int
check_bounds(struct slice text, struct err *e)
{
	yaml_parser_t parser;
	yaml_event_t event;
	yaml_event_type_t type = YAML_NO_EVENT;
	int depth = 0, nodes = 0, result = 0;

	if (text.len > YAML_SIZE)
		return err_set(e, "too_large", "more than %d KiB of YAML", YAML_SIZE >> 10);
	if (!yaml_parser_initialize(&parser))
		die(STATUS_FAILED, "out of memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)text.ptr, text.len);
	while (result == 0 && type != YAML_STREAM_END_EVENT && type != YAML_DOCUMENT_END_EVENT) {
		if (!yaml_parser_parse(&parser, &event)) {
			result = err_set(e, "bad_yaml", "%s",
			    parser.problem ? parser.problem : "not YAML");
			if (e != NULL) {
				e->line = parser.problem_mark.line + 1;
				e->column = parser.problem_mark.column + 1;
			}
			break;
		}
		type = event.type;
		if (type == YAML_MAPPING_START_EVENT || type == YAML_SEQUENCE_START_EVENT)
			depth++;
		if (type == YAML_MAPPING_END_EVENT || type == YAML_SEQUENCE_END_EVENT)
			depth--;
		if (depth > YAML_DEPTH)
			result = err_set(e, "too_deep", "YAML is nested too deeply");
		else if (++nodes > YAML_NODES)
			result = err_set(e, "too_large", "more than %d values of YAML", YAML_NODES);
		if (result != 0 && e != NULL)
			e->line = event.start_mark.line + 1;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return result;
}

struct yaml *
yaml_parse(struct slice text, struct err *e)
{
	yaml_parser_t parser;
	struct yaml *y;

	if (check_bounds(text, e) != 0)
		return NULL;
	y = xcalloc(1, sizeof(*y));
	if (!yaml_parser_initialize(&parser))
		die(STATUS_FAILED, "out of memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)text.ptr, text.len);
	if (!yaml_parser_load(&parser, &y->document)) {
		/* The events were good: what is left is an alias of nothing, or a name twice. */
		err_set(e, "bad_yaml", "%s", parser.problem ? parser.problem : "not YAML");
		if (e != NULL)
			e->line = parser.problem_mark.line + 1;
		free(y);
		y = NULL;
	}
	yaml_parser_delete(&parser);
	return y;
}

/* Not yaml_free: libyaml exports a function of that name, which ours would replace. */
void
yaml_close(struct yaml *y)
{
	if (y == NULL)
		return;
	yaml_document_delete(&y->document);
	free(y);
}

/* libyaml asks for a document that it may change, and changes nothing here. */
static yaml_node_t *
node_at(const struct yaml *y, int index)
{
	return yaml_document_get_node((yaml_document_t *)(uintptr_t)&y->document, index);
}

static struct slice
scalar(const yaml_node_t *node)
{
	return (struct slice){(const char *)node->data.scalar.value, node->data.scalar.length};
}

static yaml_node_t *
member(const struct yaml *y, const yaml_node_t *mapping, const char *name)
{
	yaml_node_pair_t *pair = mapping->data.mapping.pairs.top;

	while (pair-- > mapping->data.mapping.pairs.start) {
		const yaml_node_t *key = node_at(y, pair->key);

		if (key != NULL && key->type == YAML_SCALAR_NODE && slice_is(scalar(key), name))
			return node_at(y, pair->value);
	}
	return NULL;
}

static yaml_node_t *
item(const struct yaml *y, const yaml_node_t *sequence, const char *index)
{
	char *end;
	unsigned long i = strtoul(index, &end, 10);
	size_t n = (size_t)(sequence->data.sequence.items.top - sequence->data.sequence.items.start);

	if (*index < '0' || *index > '9' || *end != '\0' || i >= n)
		return NULL;
	return node_at(y, sequence->data.sequence.items.start[i]);
}

static yaml_node_t *
find(const struct yaml *y, const char *const *path, size_t n)
{
	yaml_node_t *node = node_at(y, 1);

	/* An alias may lead back up: a path is finite, this is its bound. */
	if (n > FOLLOWED)
		return NULL;
	for (size_t i = 0; i < n && node != NULL; i++) {
		if (node->type == YAML_MAPPING_NODE)
			node = member(y, node, path[i]);
		else if (node->type == YAML_SEQUENCE_NODE)
			node = item(y, node, path[i]);
		else
			node = NULL;
	}
	return node;
}

bool
yaml_get(const struct yaml *y, const char *const *path, size_t n, struct slice *value)
{
	const yaml_node_t *node = find(y, path, n);

	if (node == NULL || node->type != YAML_SCALAR_NODE)
		return false;
	*value = scalar(node);
	return true;
}
