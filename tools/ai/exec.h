/*
 * exec: a program of this machine as a model: the prompt on its stdin, the
 * reply on its stdout.
 *
 * The command is the user's own (--model="exec:ollama run x"), run by /bin/sh.
 * A lone user turn is written as it is; more turns are written as paragraphs
 * headed System:, User: and Assistant:. A status other than 0 is a failure of
 * that record, told with the last line of its stderr. Several run at once.
 */
#ifndef KANDIL_AI_EXEC_H
#define KANDIL_AI_EXEC_H

#include "common/spawn.h"
#include "tools/ai/provider.h"

#include <poll.h>

enum { EXEC_REPLY = 16 << 20, EXEC_ERRORS = 64 * 1024, EXEC_FDS = 3 };

/* Zero-initialised is none; used again and again. */
struct exec_call {
	struct spawn child;
	struct buf in, out, err;
	struct slice left; /* of in */
	int64_t deadline;  /* time_ms, 0: none */
};

enum exec_state { EXEC_RUNNING, EXEC_DONE, EXEC_FAILED };

/* 0, or -1 with e: "command_failed". timeout_ms 0: none. */
int exec_start(struct exec_call *, const struct ask *, int64_t timeout_ms, struct err *e);
/* What to poll while it runs; how many of EXEC_FDS were filled. */
size_t exec_fds(const struct exec_call *, struct pollfd *fds);
/* Moves what can move, without waiting. EXEC_DONE fills the reply, EXEC_FAILED the failure. */
enum exec_state exec_turn(struct exec_call *, struct reply *, struct failure *);
/* Ends the program if it runs. */
void exec_end(struct exec_call *);
void exec_free(struct exec_call *);

#endif
