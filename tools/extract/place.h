/*
 * place: where in a Dart program a literal (or a name) stands, and what that
 * says about its being shown.
 *
 * Climbs from the innermost bracket outwards through what only chooses or
 * joins text (?:, ??, +, parentheses, arms of a switch expression) to the
 * argument, return, assignment or map value that takes it.
 */
#ifndef KANDIL_EXTRACT_PLACE_H
#define KANDIL_EXTRACT_PLACE_H

#include "tools/extract/reader.h"
#include "tools/extract/words.h"

enum place_kind {
	PLACE_NEVER,	/* where text for people cannot stand */
	PLACE_ARGUMENT, /* of target.call: argument is its name, or its number */
	PLACE_CLOSURE,	/* returned by a closure that is such an argument */
	PLACE_RETURN,	/* of function `name` (len 0: unknown) */
	PLACE_ASSIGNED, /* to `name` */
	PLACE_BRANCH,	/* inside an interpolation; outer is that literal's level */
	PLACE_OTHER,
};

struct place {
	enum place_kind kind;
	struct slice target, call, argument, name;
	struct slice key;    /* of the map's value on the way, if any */
	bool positional;     /* argument is a number */
	struct slice widget; /* the class that call constructs, if it does */
	bool constructor;    /* it does */
	bool listed;	     /* in a list, set or map on the way */
	bool consumed;	     /* a method is called on it that does not keep it */
	bool thrown;	     /* in what is thrown */
	bool ternary;	     /* a branch of ?: */
	int outer;
	char number[2];	     /* backs argument where it is one */
};

/*
 * The place of the expression that ends at `end` in the text and begins
 * behind the token `before` in the innermost bracket. A localised literal
 * ('key'.tr()) is PLACE_NEVER. The struct must stay where it is.
 */
void place_find(struct reader *, const struct words *, struct token before, uint32_t end,
    struct place *);

#endif
