/*
 * percent: percent signs of translations whose source is a format string.
 */
#ifndef KANDIL_CATALOG_PERCENT_H
#define KANDIL_CATALOG_PERCENT_H

#include "common/format/catalog.h"

/*
 * Whether a text that puts nothing in has a percent sign for itself, which the
 * formatter that its source is written for would take for a conversion. False
 * in formats other than Android's and Apple's.
 */
bool percent_is_lone(const struct catalog *, const struct catalog_entry *);

#endif
