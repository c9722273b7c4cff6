/*
 * child: a copy of this process at the other end of a socket.
 *
 * What jobs builds on: work that may crash, or that must be bounded,
 * is done in a child and answered in frames. A child ends with its parent.
 */
#ifndef KANDIL_CHILD_H
#define KANDIL_CHILD_H

#include "common/buf.h"

#include <sys/types.h>

struct child {
	pid_t pid; /* 0: none */
	int fd;	   /* the parent's end, a stream */
};

/* What is in front of the bytes, both ways. */
struct frame {
	uint64_t len;
	int64_t status; /* for the two sides to agree on */
};

/*
 * Forks. The child calls serve, which is not to return, with its end; it has
 * dropped the parent's unwritten output and last words, ignores SIGINT and
 * SIGTERM (which go to the whole group: the parent decides what is finished
 * first) and dies with its parent. 0, or -1 with errno.
 */
int child_start(struct child *, void (*serve)(int fd, void *state), void *state);
/* Kills it if it still runs, and reaps. */
void child_end(struct child *);

/*
 * In the child: read one frame into a buf that is reset first, write one.
 * Both end the process when the parent is gone.
 */
void child_read(int fd, struct buf *in);
void child_write(int fd, int64_t status, struct slice);

#endif
