/*
 * stringsdict_rule: the one variable of a key, where it has one.
 */
#ifndef KANDIL_FORMAT_STRINGSDICT_RULE_H
#define KANDIL_FORMAT_STRINGSDICT_RULE_H

#include "common/format/forms.h"
#include "common/format/plist.h"

struct stringsdict_rule {
	size_t format;	    /* node of NSStringLocalizedFormatKey */
	size_t variable;    /* node of the variable's dict */
	struct slice type;  /* NSStringFormatValueTypeKey; len 0: none */
	size_t position;    /* of the number among the arguments, from 1 */
	struct slice before, after; /* of the format, around the variable */
	size_t form[PLURAL_CATEGORIES]; /* nodes; PLIST_NONE: none */
};

/* NULL, or why the value of that key is no single plural: one line. */
const char *stringsdict_rule(const struct plist *, size_t item, struct stringsdict_rule *);

#endif
