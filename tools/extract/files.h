/*
 * files: reads one source file and hands it to the reader for its language.
 *
 * Besides findings the sink gets what befell the file: "error" (cannot_read,
 * bad_utf8, too_large, unterminated_string, …) and "skipped" (it is binary,
 * or nothing reads its kind); see emit.h.
 */
#ifndef KANDIL_EXTRACT_FILES_H
#define KANDIL_EXTRACT_FILES_H

#include "tools/extract/dart.h"
#include "tools/extract/pack.h"

struct files {
	const struct words *words;
	const struct names *names; /* may be NULL */
	enum level level;
	bool literals, generated;
	size_t max_file;
	struct pack **rules; /* where given, only these read */
	size_t nrules;

	/* Private. */
	struct dart *dart;
	struct packs *packs; /* opened when the first other file comes */
	struct buf text;
};

void files_free(struct files *);
/* Opens now what reading would open later: before workers start, so that it is done once. */
void files_prepare(struct files *);

/*
 * Whether a file met on a walk below the operand is read at all; a named one
 * always is. Folders of tests count below the operand only.
 */
bool files_wants(struct files *, const char *file, const char *operand);
bool files_is_dart(const char *file);

/*
 * Reads what the descriptor gives (closed afterwards) as the file of that
 * name. named: the user named this file, so generated code is read, and it
 * is said when nothing reads it.
 */
void files_read(struct files *, int fd, const char *file, bool named, find_sink *, void *state);
/* What the sink gets for a file that cannot be opened, error being an errno. */
void files_fault(const char *file, int error, find_sink *, void *state);
/* As files_read for a text in memory (NUL-terminated). */
void files_scan(struct files *, const struct source *, bool named, find_sink *, void *state);

/*
 * Into out, at most max bytes: 0, or -1 with e (cannot_read, too_large). A
 * file without writers needs one read. out ends in a NUL.
 */
int files_slurp(int fd, size_t max, struct buf *out, struct err *e);
/* Valid UTF-8 without NULs? Else false and e->code (bad_utf8, binary), line, column. */
bool files_is_text(struct slice text, struct err *e);

#endif
