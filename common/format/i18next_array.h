/*
 * i18next_array: which objects of an i18next file are arrays, "list.0",
 * "list.1", when they are not there yet.
 *
 * They are where the template has an array; of what it does not have, where
 * the keys of the stream count from 0 without a gap.
 */
#ifndef KANDIL_FORMAT_I18NEXT_ARRAY_H
#define KANDIL_FORMAT_I18NEXT_ARRAY_H

#include "common/format/catalog.h"
#include "common/format/jsonfile.h"

struct i18next_arrays {
	struct jsonfile like; /* the template's */
	bool liked;	      /* there is one */
	struct table next;    /* path → the number that comes next; GAP: it is no array */
};

/* The changes' keys must outlive it. To be freed. */
void i18next_arrays_open(struct i18next_arrays *, const struct catalog_merge *);
void i18next_arrays_free(struct i18next_arrays *);
/* Whether what stands at that path ("a.list") is to be an array. */
bool i18next_is_array(struct i18next_arrays *, struct slice path);

/* The number that a part of a path is ("0", "12"), or SIZE_MAX. */
size_t i18next_number(struct slice part);
/*
 * The element of that number, or JSONFILE_NONE. Fast where numbers come in order;
 * of an array whose elements are added behind the last one and never removed.
 */
size_t i18next_element(struct jsonfile *, size_t array, size_t number);
/*
 * Whether a key that is not there yet is a path, "a.b.item": of at most 64 parts.
 * Prose that is its own key ("Wait. Go on") has dots that separate nothing.
 */
bool i18next_is_path(struct slice key);

#endif
