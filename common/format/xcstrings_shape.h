/*
 * xcstrings_shape: which of the ways a localization has to say its text.
 */
#ifndef KANDIL_FORMAT_XCSTRINGS_SHAPE_H
#define KANDIL_FORMAT_XCSTRINGS_SHAPE_H

#include "common/format/forms.h"
#include "common/format/jsonfile.h"

enum xcstrings_kind {
	XCSTRINGS_NONE,		/* nothing in it */
	XCSTRINGS_UNIT,		/* stringUnit */
	XCSTRINGS_PLURAL,	/* variations.plural */
	XCSTRINGS_SUBSTITUTION, /* a stringUnit with one variable, explained in substitutions */
	XCSTRINGS_OPAQUE,
};

struct xcstrings_shape {
	enum xcstrings_kind kind;
	const char *why; /* opaque: one line */
	size_t unit;	 /* node of the stringUnit */
	size_t plural;	 /* node of the object of categories */
	size_t form[PLURAL_CATEGORIES]; /* stringUnits in it; JSONFILE_NONE: none */
	/* Of a substitution: its node and name, argNum (0: none), formatSpecifier. */
	size_t substitution;
	struct slice name, spec;
	size_t position;
	struct slice before, after; /* of the text around the variable */
};

/*
 * The localization of a key (a node) in that language, in any spelling, the last
 * where it stands twice; JSONFILE_NONE: none is there.
 */
size_t xcstrings_localization(const struct jsonfile *, size_t key, struct slice locale);

/* localization: a node, or JSONFILE_NONE. */
void xcstrings_shape(struct jsonfile *, size_t localization, struct xcstrings_shape *);

/* The text of a stringUnit; false where it has none. */
bool xcstrings_value(struct jsonfile *, size_t unit, struct slice *value);
/*
 * Appends what the localization says as a message and gives its format; false
 * where it says nothing.
 */
bool xcstrings_message(struct jsonfile *, const struct xcstrings_shape *, struct slice locale,
    struct buf *out, const char **format);

#endif
