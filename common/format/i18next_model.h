/*
 * i18next_model: the texts of an i18next file, with the keys of a plural
 * brought together: what reading and merging both see.
 */
#ifndef KANDIL_FORMAT_I18NEXT_MODEL_H
#define KANDIL_FORMAT_I18NEXT_MODEL_H

#include "common/format/catalog.h"
#include "common/format/jsonfile.h"
#include "common/plural.h"

struct i18next_item {
	struct slice key;     /* path, "a.b.item" */
	bool plural, ordinal;
	/* Nodes; JSONFILE_NONE: none. Without plural [PLURAL_OTHER] alone. */
	size_t form[PLURAL_CATEGORIES];
	size_t first, last;   /* the first and the last of them in the file */
	struct slice message; /* ptr NULL: a form is empty */
	const char *format;
};

struct i18next_model {
	struct jsonfile file;
	struct i18next_item *v; /* in order of their first node */
	size_t n, cap;
	struct table by_key; /* key → index */
	size_t states;	     /* the node of "@@x-kandil", or JSONFILE_NONE */
	struct arena arena;
};

/*
 * Reads text, which must outlive the model; locale: of its plurals. c gets the
 * faults that show on the way (their entry is the item's index), or is NULL.
 * 0, or -1 with e as jsonfile_open. To be freed in both cases.
 */
int i18next_open(struct i18next_model *, struct slice text, struct slice locale,
    struct catalog *c, struct err *e);
void i18next_close(struct i18next_model *);

/*
 * The category that a name ends with ("item_few": PLURAL_FEW), or -1; *stem is
 * what stands before it, "place_ordinal" for an ordinal's.
 */
int i18next_suffix(struct slice name, struct slice *stem);

#endif
