/*
 * emit: writes what was found as records, each string with its key.
 *
 * Beside the kinds of find.h it takes what befell a file, made by
 * files.c: "error" (an error record: rule is the code, value the message;
 * with cannot_read, status 3 as well) and "skipped" (a note on stderr).
 * Where a record asked for the file, it carries the error, or passes.
 */
#ifndef KANDIL_EXTRACT_EMIT_H
#define KANDIL_EXTRACT_EMIT_H

#include "common/record.h"
#include "tools/extract/find.h"
#include "tools/extract/ignore.h"
#include "tools/extract/keys.h"

struct emit {
	struct run *run;
	struct keys *keys;
	struct ignore *ignore; /* may be NULL */
	struct record *record; /* that asked for the file; NULL: none, or it was answered */
	struct buf object, value, plural;
};

/* A find_sink whose state is a struct emit; only source->file is read. */
void emit_found(const struct source *, const struct found *, void *emit);
void emit_free(struct emit *);

#endif
