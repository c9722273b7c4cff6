/*
 * stringsdict: Apple's plurals, an XML property list beside the .strings.
 *
 * A key whose format is one variable, "%#@files@" with text around it, is an
 * ICU plural over {n}; other arguments are {argN}. What one message cannot say
 * (two variables, a device's or a width's rule) is opaque and stays. Draft,
 * fuzzy and stale are kept in a comment above the key (mark.h); the hash in it
 * is that of the value's <dict>.
 * Faults: missing-other, unsayable, duplicate-key.
 * Source: Apple, Internationalization and Localization Guide, "Stringsdict File
 * Format".
 */
#ifndef KANDIL_FORMAT_STRINGSDICT_H
#define KANDIL_FORMAT_STRINGSDICT_H

#include "common/format/catalog.h"

/* As catalog_kind says; -1 with those of plist.h. */
int stringsdict_parse(struct catalog *, struct err *);
int stringsdict_merge(const struct catalog *old, const struct catalog_merge *, struct buf *out,
    struct err *);
/* "cannot_say" also where the source has no plural: its place is a .strings. */
int stringsdict_say(const struct catalog_change *, struct slice text, struct slice locale,
    struct buf *out, struct err *);
void stringsdict_skeleton(struct slice locale, struct slice source_locale, struct buf *out);

#endif
