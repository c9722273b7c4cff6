/*
 * path: where things are, and how files are replaced.
 *
 * Data lies beside the program, in the build folder as installed
 * (bin/../share/kandil), or in $KANDIL_DATADIR. A file of the same name in
 * the project's .kandil folder, or in $XDG_CONFIG_HOME/kandil, takes its
 * place, which is said once on stderr.
 */
#ifndef KANDIL_PATH_H
#define KANDIL_PATH_H

#include "common/buf.h"
#include "common/die.h"

#include <stdio.h>
#include <sys/types.h>

/* All results are the caller's to free. */

/* The shipped file or folder DATADIR/rel; always a name, maybe of nothing. */
char *path_shipped(const char *rel);
/* The data file to use: project's, user's or shipped; NULL where none exists. */
char *path_data(const char *rel);
/* The same without the project's: for prices, prompts, and for where keys are sent. */
char *path_trusted(const char *rel);
/* The folder that the running program lies in (bin). */
char *path_bin(void);
/* $XDG_CACHE_HOME/kandil/rel, its folders made (0700); NULL: no home. */
char *path_cache(const char *rel);
/* $XDG_STATE_HOME/kandil/rel, likewise: what must survive and is no configuration. */
char *path_state(const char *rel);
/* $XDG_CONFIG_HOME/kandil/rel; NULL: no home. */
char *path_config(const char *rel);
char *path_join(const char *folder, const char *name);
/* mkdir -p; 0 or -1 with errno. */
int path_mkdirs(const char *folder);

/*
 * Reads a whole regular file, at most max bytes: 0, or -1 with e
 * ("cannot_read", "too_large").
 */
int path_read(const char *name, size_t max, struct buf *out, struct err *e);

/* Writes all of it: 0, or -1 with errno. */
int path_write(int fd, struct slice content);

/*
 * Atomic replacement: a temporary in the same folder, fsync, rename, mode
 * kept; a symbolic link is resolved first; what is no regular file is simply
 * written. -1 with e ("cannot_write") leaves the old file untouched. When the
 * new content equals the old nothing is written (*changed, may be NULL).
 */
int path_replace(const char *name, struct slice content, bool *changed, struct err *e);
/*
 * The same for a file that somebody else may write at any moment: as the new one takes its
 * place, same is asked whether the old one, which has the name `old` then, is the one that
 * was meant; it is not asked when there was none. 0; 1: it is not, or there is one now: all
 * is as it was; -1 with e as above.
 */
int path_replace_if(const char *name, struct slice content,
    bool (*same)(const char *old, void *state), void *state, struct err *e);

#endif
