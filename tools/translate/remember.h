/*
 * remember: what engines answered in earlier runs, so that nothing is asked
 * or paid for twice.
 *
 * $XDG_CACHE_HOME/kandil/translate/answers.ndjson, a line an answer, which a
 * person may read and remove. Lines are added in one write under a lock, so
 * that several processes may do it at once; at REMEMBER_SIZE the file becomes
 * answers.1.ndjson and a new one is begun, so that the two are bounded. A
 * line that cannot be read is passed over.
 */
#ifndef KANDIL_TRANSLATE_REMEMBER_H
#define KANDIL_TRANSLATE_REMEMBER_H

#include "tools/translate/drafts.h"
#include "tools/translate/match.h"

enum { REMEMBER_SIZE = 8 << 20 };

/* Whose answers, and how they were asked for: others are not ours. */
struct remembrance {
	const char *engine;  /* "deepl", "model" */
	struct slice manner; /* what was asked of it besides: model, formality, glossary */
	const char *from;
	const struct memories *targets;
	size_t n;
	bool verified; /* only answers that were translated back */
	struct buf lines; /* to be added */
};

/* Puts what is remembered into the drafts; what cannot be read is not there. */
void remember_load(const struct remembrance *, struct drafts *);
/* Takes an answer, or one that was withheld; written by remember_flush. */
void remember_add(struct remembrance *, const struct draft_key *, const struct draft *);
/* 0, or -1 with e ("cannot_write"); without a home there is nothing to write. */
int remember_flush(struct remembrance *, struct err *e);

#endif
