/*
 * pack_parse: what the readers of a pack file share: where they are, and how they complain.
 */
#ifndef KANDIL_EXTRACT_PACK_PARSE_H
#define KANDIL_EXTRACT_PACK_PARSE_H

#include "tools/extract/pack_rule.h"

enum pack_section { HEAD, LET, SYNTAX, MODE, RULE, SKIP, NONE };

struct parser {
	struct pack *pack;
	const char *file; /* the included one, or NULL */
	size_t line;
	unsigned includes;
	enum pack_section section;
	struct pack_syntax *syntax; /* the section's own, */
	struct pack_mode *mode;
	struct pack_rule *rule;
	struct err *e;
};

/* Fills the error, with the line and the included file's name; -1. */
int parse_fault(struct parser *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A slice as printf's %.*s takes it. */
#define SHOW(s) (int)((s).len < 60 ? (s).len : 60), (s).ptr

/* Copies into the pack; the first is NUL-terminated. */
const char *parse_keep(struct parser *, struct slice);
struct slice parse_keep_slice(struct parser *, struct slice);
/* Takes the next word off the list; false at its end. */
bool parse_word(struct slice *list, struct slice *word);

/* Sets what a key of the present section sets; -1 with the error. */
int parse_key(struct parser *, struct slice key, struct slice value);

#endif
