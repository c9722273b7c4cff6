/*
 * strings: Apple's .strings, "key" = "value"; with comments.
 *
 * UTF-8, or UTF-16 with a byte order mark, which is written back as UTF-16.
 * Keys and values may be bare (letters, digits and _$/:.-) or in single
 * quotes; "key"; alone is its own value. Escapes are Apple's: \n \t \r \a \b \f
 * \v \" \\, \U and up to four hex digits (UTF-16), up to three octal digits
 * (NeXTSTEP's charset); any other character stands for itself.
 * A block comment directly above a key is its comment; draft, fuzzy and stale
 * are kept in one of mark.h. Texts are "printf" (%@, %1$lld), or "plain".
 * Plurals are .stringsdict's. A missing semicolon makes the file unreadable,
 * as it does for Apple.
 * Faults: duplicate-key, bad-escape (\u, which Apple reads as u).
 * Source: Apple, Resource Programming Guide, "Strings Files"; the behaviour of
 * CoreFoundation's property list reader.
 */
#ifndef KANDIL_FORMAT_STRINGS_H
#define KANDIL_FORMAT_STRINGS_H

#include "common/format/catalog.h"

/* As catalog_kind says; -1 with "bad_catalog", "bad_utf8", "bad_charset". */
int strings_parse(struct catalog *, struct err *);
int strings_merge(const struct catalog *old, const struct catalog_merge *, struct buf *out,
    struct err *);
int strings_say(const struct catalog_change *, struct slice text, struct slice locale,
    struct buf *out, struct err *);
void strings_skeleton(struct slice locale, struct slice source_locale, struct buf *out);

#endif
