/*
 * spawn: another program at the other end of pipes.
 *
 * It is found on PATH as execvp does, starts in our folder with default
 * signals (what was ignored by us for its own reasons is not inherited:
 * SIGPIPE, SIGXFSZ, SIGCHLD) and no descriptor of ours but its own three, and gets
 * SIGTERM when we end in any way. Our ends are non-blocking and close on exec.
 * child.h is for a copy of ourselves; this is for programs.
 */
#ifndef KANDIL_SPAWN_H
#define KANDIL_SPAWN_H

#include "common/buf.h"
#include "common/die.h"

#include <sys/types.h>

enum {
	SPAWN_NO_IN = 1,  /* its stdin is /dev/null instead of a pipe */
	SPAWN_NO_OUT = 2, /* its stdout is /dev/null */
	SPAWN_ERR = 4,	  /* its stderr is a pipe; otherwise it is ours */
	SPAWN_GROUP = 8,  /* a process group of its own: Ctrl-C does not reach it, and
			   * spawn_end ends its children too; it cannot ask the terminal */
};

struct spawn_options {
	const char *const *argv; /* ends in NULL; argv[0] is searched on PATH */
	const char *const *env;	 /* ends in NULL: "NAME=value" sets, "NAME" removes; or NULL */
	unsigned flags;
};

/* Zero-initialised is none. */
struct spawn {
	pid_t pid;	  /* 0: none, or ended and reaped */
	int in, out, err; /* our ends, -1: none or closed */
	int status;	  /* when pid is 0: how it ended, as waitpid has it */
	unsigned flags;	  /* as it was started */
};

/*
 * 0, or -1 with e: "no_command" (not on PATH: the caller adds what to
 * install), "command_failed" (cannot be run, no more processes or pipes).
 */
int spawn_start(struct spawn *, const struct spawn_options *, struct err *e);

enum spawn_turn {
	SPAWN_MOVED,   /* bytes went either way, or a signal or other woke us */
	SPAWN_TIMEOUT, /* nothing for timeout_ms */
	SPAWN_FULL,    /* out or err holds max bytes: take them, and go on */
	SPAWN_CLOSED,  /* it has closed its stdout (without one: stderr): spawn_end */
};

/*
 * One turn of a conversation: waits until bytes can move (timeout_ms, -1: any
 * time), writes from *input what it takes, cutting that off the slice, appends
 * what it says to out and err until they hold max bytes. out may be NULL with
 * SPAWN_NO_OUT, err without SPAWN_ERR. When it no longer reads, its stdin is
 * closed (in is -1) and the rest of *input cut off. close_in says that no more
 * comes: its stdin is closed when *input is empty. Never raises SIGPIPE.
 */
enum spawn_turn spawn_pump(struct spawn *, struct slice *input, bool close_in, struct buf *out,
    struct buf *err, size_t max, int64_t timeout_ms);
/* Closes its stdin: to most filters, the request to finish. */
void spawn_close_in(struct spawn *);
/* Whether it has ended, without waiting; then it is reaped and pid is 0. */
bool spawn_ended(struct spawn *);
/*
 * Closes our ends and waits for it to go: after grace_ms SIGTERM, after
 * grace_ms more SIGKILL. The first grace is left out with grace_ms 0 (it is
 * killed at once). How it ended, as waitpid has it; also for one that is
 * reaped already.
 */
int spawn_end(struct spawn *, int64_t grace_ms);

/*
 * For a program that reads all, writes all and ends: its stdout is appended to
 * out. 0, or -1 with e: as spawn_start, "timeout" (timeout_ms over, -1: none),
 * "too_large" (more than max_output), "command_failed" (its status is not 0;
 * with SPAWN_ERR the text ends with the last line it said there),
 * "interrupted" (stop, NULL: never, asked after each turn, was true).
 */
int spawn_run(const struct spawn_options *, struct slice input, size_t max_output,
    int64_t timeout_ms, bool (*stop)(void), struct buf *out, struct err *e);

#endif
