/*
 * walk: the files below an operand, in byte order of path, without what git ignores.
 *
 * A folder is read whole, sorted and walked through its descriptor (openat, O_NOFOLLOW), so a
 * path that changes under us never leads out of the tree, and a tree costs about what find(1)
 * costs. Symbolic links below the operand are not followed: what they name inside the tree is
 * visited under its own name, and what they name outside is none of ours. `.git` is skipped, and
 * so is everything that is neither a regular file nor a folder.
 *
 * Ignored is what gitignore(5) says: .gitignore of each folder, of its parents up to the
 * repository's root, and .git/info/exclude; the deepest file speaks last. A folder with its own
 * .git starts afresh. The user's global ignore file is not read: the same tree gives the same
 * files to everybody. Nor is the index: an ignored file that is tracked all the same is skipped.
 * Outside a repository the .gitignore files from the operand downwards hold.
 */
#ifndef KANDIL_WALK_H
#define KANDIL_WALK_H

#include "common/die.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	WALK_DEPTH = 200,	   /* folders below one another; deeper is a fault, ELOOP */
	WALK_FOLDER = 1 << 22,	   /* names in one folder; more is a fault, EFBIG */
};

struct walk_options {
	/*
	 * Globs in gitignore's syntax, relative to the operand: a name without slash matches at
	 * any depth, a trailing slash means folders. With includes, only files that one of them
	 * matches (or that lie in a folder that it matches) are visited. Excludes win over all.
	 */
	const char *const *include;
	size_t ninclude;
	const char *const *exclude;
	size_t nexclude;
	bool ignored; /* visit what .gitignore names as well */
};

struct walk_file {
	const char *path; /* operand, '/', path below it; as the user would name the file */
	const char *name; /* relative to folder */
	int folder;	  /* descriptor of the folder, or AT_FDCWD */
	bool operand;	  /* the operand itself: it is visited whatever any pattern says */
};

/* Called for each file; the file's strings are lent. Anything but 0 ends the walk. */
typedef int walk_visit(const struct walk_file *, void *state);
/* Called for what cannot be read (error is an errno); the walk goes on. */
typedef void walk_fault(const char *path, int error, void *state);

/*
 * Visits the operand if it is a file, else all below it. options may be NULL. Returns 0, or what
 * visit returned when that was not 0. An operand that does not exist is a fault.
 */
int walk(const char *operand, const struct walk_options *options, walk_visit *visit,
    walk_fault *fault, void *state);

/*
 * Opens for reading, never through a link (an operand may be one) and never waiting for a fifo's
 * writer: a descriptor, or -1 with errno.
 */
int walk_open(const struct walk_file *);

#endif
