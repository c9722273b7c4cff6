/*
 * cases: a message as whole texts without branches, one for each case of its
 * plurals and selects that the target language needs, and the translations
 * of those as one message again.
 *
 * No translator ever sees or writes the syntax of plurals. Branches within
 * each other are taken apart from the outside in.
 */
#ifndef KANDIL_TRANSLATE_CASES_H
#define KANDIL_TRANSLATE_CASES_H

#include "common/message.h"

enum { CASES_MAX = 64 };

struct piece {
	struct slice text; /* in the message's dialect, without branches */
	/* When it is shown, for a model: "n is 3, 4, 103"; empty: always. */
	struct slice when;
	/* The number that stands for its category, "3"; empty: none. */
	struct slice number;
};

/*
 * The pieces for the locale, the arena's, each once; a message without
 * branches is one piece, its text. 0, or -1 with e: "too_large" (more than CASES_MAX pieces),
 * "bad_plural" (a plural with offset:, which no whole text can say).
 */
int cases_split(const struct message *, struct slice locale, struct arena *, struct piece **out,
    size_t *n, struct err *e);

/*
 * Appends the message made of the pieces' translations, texts[i] for piece
 * i, in the source's dialect. False where a text cannot stand in a case.
 */
bool cases_join(const struct message *, struct slice locale, struct arena *,
    const struct slice *texts, struct buf *out);

#endif
