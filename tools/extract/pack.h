/*
 * pack: reads source text of any language by a rule pack, a data file of patterns.
 *
 * kandil-rules(5) describes the format. A pack's patterns are compiled when it is first used, so
 * opening all shipped packs costs a fraction of a millisecond. A source is read in one pass: at a
 * byte (or a word) with which a rule can begin, the rules of the present mode are tried in the
 * pack's order; the first that matches takes its text, and the pass goes on after it. Packs may
 * come from a project that was just cloned: size, number, time and memory are bounded, and a
 * pattern that runs away ends in an error that names the rule.
 */
#ifndef KANDIL_EXTRACT_PACK_H
#define KANDIL_EXTRACT_PACK_H

#include "common/die.h"
#include "tools/extract/find.h"

#include <stdbool.h>

struct pack;

/*
 * Reads a pack file: the caller frees. NULL with e (the line in the pack; code "cannot_read" or
 * "bad_pack"). Patterns are not compiled yet.
 */
struct pack *pack_load(const char *file, struct err *);
/* The same of a text; file is its name, beside which the files that it includes lie. */
struct pack *pack_parse(const char *file, struct slice text, struct err *);
void pack_free(struct pack *);
const char *pack_name(const struct pack *);

/* Whether the pack says that it reads files of this name (its globs, on the path as given). */
bool pack_matches(const struct pack *, const char *filename);

/*
 * Compiles the patterns that are not compiled yet: 0, or -1 with e (code "bad_pack", the line in
 * the pack). pack_scan does it by itself; a tool calls it to refuse a bad --rules file early.
 */
int pack_compile(struct pack *, struct err *);

/*
 * Reports what the pack finds in the source, in order of position: 0, or -1 with e: "bad_pack";
 * "bad_utf8" (line and column in the source); "too_large"; "rule_limit" (the rule is named);
 * "too_deep". What was found before an error has been reported.
 */
int pack_scan(struct pack *, const struct source *, find_sink *, void *state, struct err *);

/*
 * The packs that this run knows: the shipped ones (share/kandil/extract/rules/NAME.rules), each
 * replaced by the user's or the project's file of that name, and further ones that they add.
 */
struct packs;
/* Opens them all; a pack that cannot be read is warned of and left out. The caller frees. */
struct packs *packs_open(void);
void packs_free(struct packs *);
/* The first, in order of name, that reads files of this name, or NULL. */
struct pack *packs_for(struct packs *, const char *filename);

#endif
