/*
 * yaml: looks values up in a small YAML document, such as pubspec.yaml or l10n.yaml.
 *
 * The first document of the text only. Untrusted input: size, depth and number of nodes are
 * bounded, and aliases are references that a look-up follows, never copies. Built on libyaml,
 * which is included nowhere else.
 * Source: YAML 1.1 (libyaml's dialect); scalars are text, no type is guessed.
 */
#ifndef KANDIL_YAML_H
#define KANDIL_YAML_H

#include "common/buf.h"
#include "common/die.h"

enum {
	YAML_SIZE = 256 << 10, /* bytes of a document */
	YAML_DEPTH = 64,
	YAML_NODES = 20000,
};

struct yaml;

/*
 * Parses; the caller closes. NULL with e: line, column and code "bad_yaml", "too_deep" or
 * "too_large". An empty document has nothing at any path. The text may go after the call.
 */
struct yaml *yaml_parse(struct slice text, struct err *);
void yaml_close(struct yaml *);

/*
 * The scalar at a path of mapping names (of a sequence: the index in decimal), such as
 *	yaml_get(y, (const char *[]){"flutter", "assets", "0"}, 3, &value)
 * false when nothing is there, or no scalar. Of duplicate names the last counts. The slice lives
 * as long as y.
 */
bool yaml_get(const struct yaml *, const char *const *path, size_t n, struct slice *value);

#endif
