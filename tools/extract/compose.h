/*
 * compose: the message that a Dart literal makes.
 *
 * 'Hello $name, you have ${cart.items.length} items' becomes the ICU message
 * Hello {name}, you have {length} items. ICU's quoting holds: a literal brace
 * is written '{', and an apostrophe before one is doubled; all other
 * apostrophes stand for themselves. (Catalogue formats with other rules, such
 * as gen-l10n's, convert from this; see common/message.h.)
 */
#ifndef KANDIL_EXTRACT_COMPOSE_H
#define KANDIL_EXTRACT_COMPOSE_H

#include "common/mem.h"
#include "tools/extract/find.h"
#include "tools/extract/reader.h"
#include "tools/extract/shape.h"

enum { COMPOSE_HOLES = 128 }; /* interpolations of one message; more is a fault */

/* One stretch of decoded text, or one interpolation, in order. */
struct composed_part {
	bool hole;
	size_t placeholder;	/* hole: index in placeholders */
	struct slice text;	/* decoded text; hole: the expression's source */
};

struct composed {
	struct buf value; /* ICU */
	struct buf plain; /* decoded, SHAPE_HOLE for each interpolation */
	struct placeholder placeholders[COMPOSE_HOLES]; /* in order of first use */
	size_t nplaceholders;
	struct composed_part parts[2 * COMPOSE_HOLES + 1];
	size_t nparts;
	struct buf text;    /* backs the text parts */
	struct arena names; /* backs names that were made */
};

/*
 * Fills c, whose memory is reused; slices live until the next call. False
 * when there are more than COMPOSE_HOLES interpolations.
 */
bool compose(struct reader *, struct token literal, struct composed *c);
void compose_free(struct composed *);

/* Only decodes, into c->plain: enough for shape_of. */
void compose_plain(struct reader *, struct token literal, struct composed *c);

/* Appends the message, with part `at` (none: SIZE_MAX) as this text instead. */
void compose_with(const struct composed *, size_t at, struct slice text, bool in_plural,
    struct buf *out);

#endif
