/*
 * load: catalogues into the memories of the locales that are asked for.
 *
 * PO, MO, TMX and ARB are read through common/format; NDJSON is records of
 * kind string with translations. An ARB file is paired with the catalogue of
 * the source language beside it. What serves pt-BR may serve pt and the other
 * way round, at a distance; zh-Hant never serves zh.
 */
#ifndef KANDIL_TRANSLATE_LOAD_H
#define KANDIL_TRANSLATE_LOAD_H

#include "common/format/catalog.h"
#include "tools/translate/match.h"

struct loader {
	struct memories *targets;
	size_t n;
	const char *from; /* the source language, canonical */
	const char *shown; /* what records call the files that are read; NULL: their names */
};

/*
 * How far a catalogue's locale is from the one asked for: 0 the same, more
 * for parents (fr for fr-CA) and children (es-MX for es), STORE_OTHER and more
 * where the language has two written standards (pt for pt-PT); -1: of no use.
 */
int load_distance(const char *wanted, struct slice found);

/*
 * Adds a file, or the catalogues of a folder, to that tier of every locale it
 * serves. 0, or -1 with e as catalog_read, or code "no_source" for an ARB
 * file without its counterpart; its text names the file that is wrong, and the line.
 */
int load_file(struct loader *, const char *name, enum tier, struct err *e);
/* Adds one entry to one locale's tier; file is of store_file. */
void load_entry(struct store *, const struct catalog *, const struct catalog_entry *,
    uint32_t file, int distance);

/* Puts the name, and the line where it is known, before the text of e, unless that names it. */
void load_blame(const char *name, struct err *e);

/* The name of the ARB file beside name that has the source language; to be freed. */
char *load_arb_source(const char *name, const char *from);

#endif
