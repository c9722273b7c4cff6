/*
 * arb_meta: the @key member, what gen-l10n is told about a message.
 */
#ifndef KANDIL_FORMAT_ARB_META_H
#define KANDIL_FORMAT_ARB_META_H

#include "common/format/arb_style.h"
#include "common/format/catalog.h"
#include "common/format/edit.h"

/* Whether there is anything to tell. */
bool arb_meta_needed(const struct catalog_change *);
/*
 * Appends the object: description, context, placeholders with type (where it
 * is one that gen-l10n knows), format and example.
 */
void arb_meta_write(const struct catalog_change *, const struct arb_style *, struct buf *out);
/*
 * Adds the edits by which an existing @key declares the placeholders that it
 * lacks, and those that are renamed under their new names; base: the offset of meta in the file.
 */
void arb_meta_declare(const struct catalog_change *, struct slice meta, size_t base,
    const struct arb_style *, struct edits *);

#endif
