/*
 * gaps: the texts that a window of records lacks in some locales, each once,
 * with what helps to translate it.
 */
#ifndef KANDIL_TRANSLATE_GAPS_H
#define KANDIL_TRANSLATE_GAPS_H

#include "common/hash.h"
#include "common/mem.h"

enum { GAP_TARGETS = 64, GAP_KNOWN = 4096 };

/* All slices are the arena's; len 0: not said. */
struct gap {
	struct slice text, context; /* with dialect, what names it */
	unsigned dialect;
	uint64_t targets; /* bit i: locale i lacks it */
	struct slice key, file, widget, note;
	struct slice before; /* the text that comes before it in the file */
	struct slice others; /* raw JSON object: locale → a finished translation */
	struct slice stale;  /* raw JSON object: locale → what was right for an older source */
	size_t max_length;   /* code points, 0: any */
};

/* A translation that is certain, of the same file: how it is said there. */
struct gap_known {
	size_t target;
	struct slice file, text, value;
};

/* Zero-initialised is empty. */
struct gaps {
	struct gap *v;
	size_t n, cap;
	struct gap_known *known;
	size_t known_n, known_cap;
	struct table names;
	struct arena arena;
};

/* Enters it for that locale and returns it; slices are copied when it is new. */
struct gap *gaps_add(struct gaps *, const struct gap *, size_t target);
/* Replaces one of a gap's slices by a copy. */
void gaps_keep(struct gaps *, struct slice *member, struct slice text);
void gaps_know(struct gaps *, const struct gap_known *);
/* Those of one file follow each other, else in the order they came. */
void gaps_sort(struct gaps *);
void gaps_reset(struct gaps *);
void gaps_free(struct gaps *);

#endif
