/*
 * jobs: N forked workers, numbered work, results in order.
 *
 * The parent deals items (short byte strings: file names, blocks of lines)
 * to workers that were forked after all data was loaded, and hands their
 * output on in the order of the items; at most 2N are outstanding. No
 * threads: libjq's counts are not atomic.
 */
#ifndef KANDIL_JOBS_H
#define KANDIL_JOBS_H

#include "common/buf.h"
#include "common/die.h"

struct jobs;

/*
 * In the worker: does one item and appends its result to out. The status
 * travels back with the result.
 */
typedef int jobs_work(struct slice item, struct buf *out, void *state);
/*
 * In the parent, in order. died: the worker ended on this item (a crash or
 * a kill); out is then empty. Called from within jobs_add and jobs_finish, and
 * not to call them itself.
 */
typedef void jobs_done(struct slice item, struct slice out, int status, bool died, void *state);

/* n = 0: one a core. With n = 1 no process is made and work runs here. */
struct jobs *jobs_start(long n, jobs_work *work, jobs_done *done, void *state);
void jobs_add(struct jobs *, struct slice item);
/* Waits for the rest and frees. */
void jobs_finish(struct jobs *);

#endif
