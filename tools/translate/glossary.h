/*
 * glossary: terms that must be translated one way, or not at all.
 *
 * A file of lines: term TAB locale TAB translation [TAB note]. locale "*" is
 * every locale; translation "-" keeps the term as it is. # starts a comment
 * line. A term that is a whole text answers it; a term within a text must be
 * found, translated, in the translation, or that needs review.
 */
#ifndef KANDIL_TRANSLATE_GLOSSARY_H
#define KANDIL_TRANSLATE_GLOSSARY_H

#include "tools/translate/load.h"

struct glossary;

/* An empty one; glossary_free frees. */
struct glossary *glossary_new(size_t targets);
/* 0, or -1 with e ("cannot_read", "bad_glossary" with its line). */
int glossary_read(struct glossary *, struct loader *, const char *name, struct err *e);
/*
 * The first term of source (whole words, case as written; skeletons or plain
 * text) whose translation the text for that target lacks: its term and
 * translation. False when all is well.
 */
bool glossary_breach(const struct glossary *, size_t target, struct slice source,
    struct slice translation, struct slice *term, struct slice *wanted);
/*
 * The terms of source one after the other, with the translation wanted for that target;
 * false when there are no more. walk is zero-initialised.
 */
struct glossary_walk {
	size_t at, next, from; /* private */
};
bool glossary_next(const struct glossary *, size_t target, struct slice source,
    struct glossary_walk *walk, struct slice *term, struct slice *wanted);
void glossary_free(struct glossary *);

#endif
