/*
 * fix: makes the edits of findings that have one right answer, file by file,
 * each file replaced at once or not at all.
 */
#ifndef KANDIL_CATALOG_FIX_H
#define KANDIL_CATALOG_FIX_H

#include "common/format/edit.h"
#include "tools/catalog/family.h"
#include "tools/catalog/finding.h"

enum { FIXES_MAX = 10000 }; /* edits of one file in one run */

struct fix_file {
	const char *name;
	struct edits edits;
	size_t findings;
};
struct fixes {
	struct fix_file *v;
	size_t n, cap;
};

/*
 * Takes the finding's edits. False where they touch the bytes of one that was
 * taken before, or 10,000 of the file were taken: it waits for the next run.
 */
bool fixes_add(struct fixes *, const struct finding *);
/* 0, or -1 when a file could not be written, which is said on stderr. */
int fixes_apply(struct fixes *, const struct families *, bool dry_run);
void fixes_free(struct fixes *);

#endif
