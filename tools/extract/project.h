/*
 * project: the first pass of level likely: what the Dart code of a folder
 * says of its names (names.h).
 */
#ifndef KANDIL_EXTRACT_PROJECT_H
#define KANDIL_EXTRACT_PROJECT_H

#include "common/walk.h"
#include "tools/extract/files.h"

/*
 * Takes the facts of every Dart file below the operands. Files that cannot be
 * read are passed over: the second pass reports them.
 */
void project_learn(struct files *, char *const *operands, int noperands,
    const struct walk_options *, long jobs, struct names *);

/* Appends the facts of one open Dart file (closed afterwards; fd -1: none). */
void project_learn_file(struct files *, int fd, const char *file, struct buf *facts);
/* A walk_fault that says nothing: the second pass reports what cannot be read. */
walk_fault project_no_fault;

#endif
