/*
 * ignore: what the project says shall not be reported.
 *
 * In a source, a comment that says kandil:ignore leaves out what starts or
 * ends on its line, or on the next where the comment stands alone; one that
 * says kandil:ignore-file, in the file's first 2,048 bytes, leaves out the
 * file. The file .kandil/ignore is a list with a reason for each entry:
 *
 *	lib/debug/             # developers' screens, never shipped
 *	"OK"                   # the same in every language
 *	lib/about.dart "Kandil" # a name
 *
 * A glob (as in .gitignore), a text in JSON's quotes, or both.
 */
#ifndef KANDIL_EXTRACT_IGNORE_H
#define KANDIL_EXTRACT_IGNORE_H

#include "common/die.h"
#include "tools/extract/find.h"

/* Whether the source holds such a comment at all: then ask the next two. */
bool ignore_says_anything(struct slice text);
bool ignore_says_line(struct slice text, size_t start, size_t end);
bool ignore_says_file(struct slice text);

struct ignore;

/*
 * Reads a list; a file that does not exist is an empty one. NULL with e:
 * "cannot_read", or "bad_ignore" with the line (an entry without a reason).
 */
struct ignore *ignore_load(const char *file, struct err *e);
void ignore_free(struct ignore *);
/* Whether an entry names this message (its value) in this file. ignore may be NULL. */
bool ignore_lists(struct ignore *, const char *file, struct slice value);

#endif
