/*
 * learn: what people approved, into a memory that later runs read.
 *
 * The memory is NDJSON, a string record a line, one a source text: a person
 * may read, edit and share it, and --memory reads it. Each translation that a
 * person made or approved is added; of two the newest stays. Engines' drafts
 * and what memory itself gave are not learnt, nor what the seed says as well
 * and nobody approved: a catalogue does not tell who wrote it.
 */
#ifndef KANDIL_TRANSLATE_LEARN_H
#define KANDIL_TRANSLATE_LEARN_H

#include "common/record.h"

enum { LEARN_SIZE = 64 << 20 };

/* $XDG_DATA_HOME/kandil/memory.ndjson, read by every run; to be freed. NULL: no home. */
char *learn_own_file(void);

/*
 * Reads the run's records, passes them on as they are, and replaces the file
 * (a folder's memory.ndjson, "user": the own one) at the end. Only the locales
 * of to, all where it is empty. dry: says what it would learn. Dies with status 3
 * where the memory cannot be read or written.
 */
void learn(struct run *, const char *name, const struct opt_list *to, const char *from, bool dry);

#endif
