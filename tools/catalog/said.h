/*
 * said: texts in the form by which a format compares them (catalog_kind.say),
 * so that {name}, %1$s and %s of one place are the same text.
 */
#ifndef KANDIL_CATALOG_SAID_H
#define KANDIL_CATALOG_SAID_H

#include "common/format/catalog.h"

/*
 * What the format makes of a text that translates change->source; the arena's.
 * ptr NULL with e where it cannot say it.
 */
struct slice said_text(const struct catalog_kind *, const struct catalog_change *,
    struct slice text, const char *locale, struct arena *, struct err *e);
/*
 * The same of what the file has: the entry's translation, or its source. ptr
 * NULL: it has none. What the format itself would not say stands as it is.
 */
struct slice said_entry(const struct catalog_kind *, const struct catalog_entry *,
    const char *locale, struct arena *);
struct slice said_source(const struct catalog_kind *, const struct catalog_entry *,
    const char *locale, struct arena *);

#endif
