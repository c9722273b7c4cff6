/*
 * xcstrings: Xcode's String Catalog, one JSON file for all languages.
 *
 * An entry is one key in one language; the source language has one for every
 * key (where nothing is said, the key is the text). Texts are "printf" or
 * "plain"; plural variations, and one substitution, are an ICU plural over {n}.
 * Variations by device, several substitutions and string sets are opaque and
 * stay. state new, needs_review, translated is draft, fuzzy (also stale),
 * translated; shouldTranslate false is fixed; a key whose extractionState is
 * stale is obsolete, until it is written again.
 * Faults: missing-other, bad-state, unsayable, not-text, duplicate-key.
 * Source: Xcode's own files, versions 1.0 and 1.1.
 */
#ifndef KANDIL_FORMAT_XCSTRINGS_H
#define KANDIL_FORMAT_XCSTRINGS_H

#include "common/format/catalog.h"

/* As catalog_kind says; -1 with those of jsonfile.h. */
int xcstrings_parse(struct catalog *, struct err *);
/* A new key is marked "manual", so that Xcode keeps it whether or not code names it. */
int xcstrings_merge(const struct catalog *old, const struct catalog_merge *, struct buf *out,
    struct err *);
int xcstrings_say(const struct catalog_change *, struct slice text, struct slice locale,
    struct buf *out, struct err *);
void xcstrings_skeleton(struct slice locale, struct slice source_locale, struct buf *out);

#endif
