/*
 * catalog_forms: which plural category each form of a catalogue serves: its
 * Plural-Forms against the locale's rules, evaluated once a catalogue.
 */
#ifndef KANDIL_FORMAT_CATALOG_FORMS_H
#define KANDIL_FORMAT_CATALOG_FORMS_H

#include "common/format/catalog.h"
#include "common/plural.h"

/* For catalog.c: nothing is known yet. */
struct catalog_forms *catalog_forms_new(struct arena *);
/*
 * The category of each form, PLURAL_FORMS_MAX of them, for texts of that
 * locale; NULL where the file's expression is unusable.
 */
const enum plural_category *catalog_forms(const struct catalog *, struct slice locale);

#endif
