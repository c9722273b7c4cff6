/*
 * package: the first pass of level likely where one file is looked at: over
 * the package around it, through a cache.
 *
 * An editor asks after every keystroke, so the facts of each file are kept in
 * the user's cache folder and taken from there while the file's size and time
 * are as they were. A damaged or foreign cache is made anew; several programs
 * may do so at once, since the file is replaced whole.
 */
#ifndef KANDIL_EXTRACT_PACKAGE_H
#define KANDIL_EXTRACT_PACKAGE_H

#include "tools/extract/files.h"

/*
 * The folder of the package that encloses the file: the nearest one above
 * with a pubspec.yaml, absolute. NULL when there is none; the caller frees.
 */
char *package_root(const char *file);

/* Adds the facts of every Dart file below the root, not resolved yet. */
void package_learn(struct files *, const char *root, struct names *);

#endif
