/*
 * dart: finds the string literals of Dart source, and those that people read.
 *
 * Without a Dart SDK: a lexer that gets every literal right (lex, literal), a
 * reader that keeps a little context (reader, place), the shape of the text
 * (shape), and what a first pass learned about the project's own names
 * (names). One struct dart reads any number of sources and reuses its memory.
 */
#ifndef KANDIL_EXTRACT_DART_H
#define KANDIL_EXTRACT_DART_H

#include "common/die.h"
#include "tools/extract/find.h"
#include "tools/extract/names.h"
#include "tools/extract/words.h"

struct dart;

struct dart *dart_new(const struct words *);
void dart_free(struct dart *);

/*
 * Reports the strings of levels up to `level`, in order of position; with
 * `literals` every literal instead. names may be NULL. The text must be valid
 * UTF-8, end in a NUL and hold none. 0, or -1 with e (line and column set):
 * "unterminated_string" or "too_deep"; what could be read was reported.
 */
int dart_scan(struct dart *, const struct source *, const struct names *, enum level level,
    bool literals, find_sink *, void *state, struct err *);

/* The first pass: appends what the source says of its names (names.h). */
void dart_learn(struct dart *, const struct source *, struct buf *facts);

/* Whether the name or the head of a file says that a program wrote it. */
bool dart_is_generated(const struct words *, const struct source *);
/* Whether a file's path says that it holds tests. */
bool dart_is_test(const struct words *, const char *file);

#endif
