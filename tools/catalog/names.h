/*
 * names: arguments that the files of a family call differently.
 *
 * Android's arguments are positions; a file may name them (xliff:g), and then
 * its messages have the names. Where another file of the family does not, or
 * has other names, the positions are what is common.
 */
#ifndef KANDIL_CATALOG_NAMES_H
#define KANDIL_CATALOG_NAMES_H

#include "tools/catalog/family.h"

/* Takes the names out of messages whose files do not agree about them. */
void names_unify(struct family *);

#endif
