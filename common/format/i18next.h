/*
 * i18next: JSON of i18next, format v4: one file a language and namespace.
 *
 * Objects within objects, or flat; a key's path is joined with '.', an array's
 * elements are numbered. The keys item_zero … item_other are one entry "item"
 * whose text is an ICU plural over {count}; place_ordinal_one … are "place" as
 * an ICU selectordinal. Contexts (friend_male) are keys of their own. Other
 * texts are given as they stand, format "i18next". A family that ICU cannot
 * say ({{- name}}, $t() in it), and one beside a plain key of its name, is
 * read form by form.
 * What the format has no place for (draft, fuzzy, stale) is kept as in ARB, in
 * the member "@@x-kandil" of the file (arb.h).
 * Faults: missing-category (i18next shows the key, or another language, where
 * a form is not there: es, fr, it, pt need _many), missing-other, old-format
 * (item_plural, item_0: v3), duplicate-key, bad-state.
 * Source: i18next documentation, "JSON format", "Plurals", "Interpolation".
 */
#ifndef KANDIL_FORMAT_I18NEXT_H
#define KANDIL_FORMAT_I18NEXT_H

#include "common/format/catalog.h"

/* As catalog_kind says. */
int i18next_parse(struct catalog *, struct err *);
/*
 * A new key takes its place behind the one before it in the stream where both
 * are in one object (in an object whose keys are sorted: its sorted place); in
 * a file with objects "a.b" goes into the object "a", in a flat one it stays
 * "a.b". A plural gets each category of the language.
 */
int i18next_merge(const struct catalog *old, const struct catalog_merge *, struct buf *out,
    struct err *);
int i18next_say(const struct catalog_change *, struct slice text, struct slice locale,
    struct buf *out, struct err *);
void i18next_skeleton(struct slice locale, struct slice source_locale, struct buf *out);

#endif
