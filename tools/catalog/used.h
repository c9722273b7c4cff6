/*
 * used: the names that Dart sources take of an object: title in l10n.title.
 *
 * No parser: each identifier behind a '.' counts, wherever it stands, so a
 * key is called unused only when no source says its name at all. What
 * gen-l10n made (app_localizations*.dart, *.g.dart) does not count.
 */
#ifndef KANDIL_CATALOG_USED_H
#define KANDIL_CATALOG_USED_H

#include "common/hash.h"
#include "common/mem.h"

struct used {
	struct table names;
	struct arena arena;
	size_t files;
	bool unreadable; /* a source could not be read: it was said on stderr */
};

/* Adds the names of a file, or of all .dart files below a folder. */
void used_add(struct used *, const char *operand);
bool used_has(const struct used *, struct slice name);
void used_free(struct used *);

#endif
