/*
 * locale: names of languages and regions, as BCP 47 and gettext write them.
 *
 * The canonical form here has hyphens and BCP 47 capitals (fr-CA, zh-Hant-TW).
 * Facts come from CLDR through common/data/locales.tsv, read once, when first
 * asked for; a missing file ends the program (status 3).
 * Sources: RFC 5646 (syntax), UTS 35 part 1, §3 and §4.1.3 (aliases, parents).
 */
#ifndef KANDIL_LOCALE_H
#define KANDIL_LOCALE_H

#include "common/buf.h"

enum { LOCALE_MAX = 40 }; /* bytes of a canonical name with its NUL */

/*
 * Writes the canonical form of name: "fr_CA.UTF-8" → fr-CA, "sr@latin" →
 * sr-Latn, "iw" → he. False when name is not of a locale's shape; whether the
 * parts exist is not asked. extensions (-u-…) are dropped.
 */
bool locale_canonical(struct slice name, char out[LOCALE_MAX]);

/*
 * Whether language, script and region all exist in CLDR; name in any
 * spelling. The pseudo-locales en-XA and ar-XB exist.
 */
bool locale_exists(struct slice name);
/*
 * What somebody who wrote name may have meant: a language's code by its
 * English name ("Arabic" → "ar"), else the nearest code; NULL: no idea.
 * Static, or valid until the next call.
 */
const char *locale_nearest(struct slice name);

/*
 * Replaces a canonical name by the one to fall back to: pt-AO → pt-PT → pt,
 * es-MX → es-419 → es. False at the end of the chain (name is then empty).
 */
bool locale_parent(char name[LOCALE_MAX]);

/* Whether the locale is written from right to left. */
bool locale_rtl(struct slice name);

#endif
