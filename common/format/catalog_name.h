/*
 * catalog_name: what a file's name and first bytes tell: its format and its
 * locale.
 */
#ifndef KANDIL_FORMAT_CATALOG_NAME_H
#define KANDIL_FORMAT_CATALOG_NAME_H

#include "common/format/catalog.h"

/* By the ending; AUTO where the bytes must tell (.xml, .json, others). */
enum catalog_format catalog_format_of_name(const char *name);
/* By the first bytes; AUTO: none that is known. */
enum catalog_format catalog_format_of_bytes(struct slice text);

/*
 * Fills locale, name_locale and name_part from c->name, as c->format has them:
 * app_fr.arb, fr/LC_MESSAGES/x.mo, res/values-fr-rCA/strings.xml,
 * fr.lproj/Localizable.strings, locales/fr/translation.json.
 */
void catalog_take_name(struct catalog *);

/* Whether a file below a folder that is read is to be taken for a catalogue. */
bool catalog_is_named(const char *name);

#endif
