/*
 * emit: writes what was found as records, each string with its key.
 *
 * Beside the kinds of find.h it takes what befell a file, made by
 * files.c: "error" (an error record: rule is the code, value the message),
 * "fault" (a file that cannot be read: a message, and status 3) and
 * "skipped" (a note on stderr).
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
	const struct ignore *ignore; /* may be NULL */
	struct buf object, value, plural;
};

/* A find_sink whose state is a struct emit; only source->file is read. */
void emit_found(const struct source *, const struct found *, void *emit);
void emit_free(struct emit *);

#endif
