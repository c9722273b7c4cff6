/*
 * progress: the one line on stderr that long work shows.
 *
 * Only where a person looks: stderr is a terminal that is not dumb, stdout is
 * none (records would run through the line), and not with -q. At most ten times
 * a second, never wider than the terminal, gone at the end; a message takes
 * its place and the line comes back below. NO_COLOR changes nothing: it has no colour.
 */
#ifndef KANDIL_PROGRESS_H
#define KANDIL_PROGRESS_H

#include "common/buf.h"

/* One a process. Zero-initialised is off; all calls on it then do nothing. */
struct progress {
	bool on;
	int64_t start, shown; /* ms */
	int64_t total;	      /* bytes of input, -1: unknown */
	struct buf line;
};

/*
 * Looks whether anybody looks. files: the operands, n 0 is stdin; when all are
 * regular files the time that is left can be told.
 */
void progress_open(struct progress *, char *const *files, int n);
/* Whether it is time to show again: cheap, for every turn of a loop. */
bool progress_due(struct progress *);
/*
 * Shows "DONE WHAT, RATE/s, ETA, TAIL". at: bytes of input that are done
 * with. tail: what else there is to say, may be empty.
 */
void progress_show(struct progress *, long long done, const char *what, int64_t at,
    struct slice tail);
/* Takes the line off the terminal: for good. */
void progress_close(struct progress *);

/* How wide the terminal at fd is; 80 where it does not say, or is none. */
size_t progress_columns(int fd);
/* "1h02m", "3m12s", "45s": how long that is. */
void progress_length(struct buf *, int64_t ms);

#endif
