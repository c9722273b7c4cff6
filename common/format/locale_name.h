/*
 * locale_name: a locale as each platform spells it in file names, and back.
 *
 * Sources: developer.android.com, "App resources overview" (qualifiers, the
 * older codes iw, in, ji); Apple, "Choosing localization regions and
 * scripts"; RFC 5646 for all others.
 */
#ifndef KANDIL_FORMAT_LOCALE_NAME_H
#define KANDIL_FORMAT_LOCALE_NAME_H

#include "common/format/catalog.h"
#include "common/locale.h"

/*
 * Appends a canonical locale (fr-CA) as new files of the format have it: ARB
 * and PO fr_CA, Android's folder "-fr-rCA", "-b+sr+Latn" ("" for an empty
 * locale), all others fr-CA.
 */
void locale_name_put(enum catalog_format, const char *canonical, struct buf *out);

/*
 * The locale among the qualifiers of a resource folder, "values-fr-rCA-v21":
 * its canonical form, and in *part where it stands with its hyphen, a slice of
 * folder ("-fr-rCA"). False, and *part is the empty place behind "values",
 * where the folder is for all languages. Not to be called for another folder.
 */
bool locale_name_android(struct slice folder, char canonical[LOCALE_MAX], struct slice *part);

#endif
