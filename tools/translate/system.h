/*
 * system: the gettext catalogues installed on this machine, as memory.
 *
 * All .mo files of a locale are read once into a store, which is kept in
 * $XDG_CACHE_HOME/kandil/translate/ and mapped from then on. The cache names
 * the files it was made from with size and time; where anything differs, or
 * its checksum is wrong, it is made again. It is replaced atomically, so
 * several processes may do this at once.
 * KANDIL_LOCALE_PATH (folders, colon-separated) replaces the usual folders.
 */
#ifndef KANDIL_TRANSLATE_SYSTEM_H
#define KANDIL_TRANSLATE_SYSTEM_H

#include "tools/translate/load.h"

/* Fills TIER_SYSTEM; the number of catalogues it was made from. */
size_t system_load(struct memories *);

#endif
