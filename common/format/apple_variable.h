/*
 * apple_variable: the variables of Apple's formats, "%#@files@ in %@", which
 * .stringsdict and .xcstrings explain beside the text.
 *
 * Source: Apple, Internationalization and Localization Guide.
 */
#ifndef KANDIL_FORMAT_APPLE_VARIABLE_H
#define KANDIL_FORMAT_APPLE_VARIABLE_H

#include "common/buf.h"

struct apple_variable {
	struct slice name;
	size_t position;	     /* as written, "%2$#@n@"; 0: not said */
	struct slice before, after; /* of the text around it */
};

/*
 * The length of the variable that starts at the % at `at`, with its name and
 * position (0: not said); 0 where none does.
 */
size_t apple_variable(struct slice text, size_t at, struct slice *name, size_t *position);
/* NULL and the only variable of a text, or why there is none: one line. */
const char *apple_variable_only(struct slice text, struct apple_variable *);

#endif
