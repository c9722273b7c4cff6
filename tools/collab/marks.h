/*
 * marks: a few counters in a file that survive kill -9 at no cost: an update
 * is two stores into shared memory (mmap of the file), no system call.
 *
 * A counter has two slots, each a value and its inverse, written in turn, so
 * that a process killed between the two stores leaves the value before. What
 * a power failure leaves is an earlier value, or (with the file torn) none, which
 * reads as 0: whoever uses a mark takes care that an early one only repeats work.
 * The file's blocks are there from the start; yet on a file system that copies
 * what is overwritten (btrfs) a full disk may end the program in an update.
 */
#ifndef KANDIL_COLLAB_MARKS_H
#define KANDIL_COLLAB_MARKS_H

#include "common/buf.h"
#include "common/die.h"

enum { MARKS = 8 };

struct marks {
	struct marks_file *file; /* mapped */
	unsigned turn[MARKS];	 /* the slot that is written next */
};

/*
 * Makes the file when it is missing. *damaged: it, or some of its counters,
 * could not be read and start from 0. -1 with e ("cannot_write", "disk_full").
 */
int marks_open(struct marks *, const char *name, bool *damaged, struct err *e);
uint64_t marks_get(const struct marks *, unsigned i);
/* It may go down, too, which costs four stores. */
void marks_set(struct marks *, unsigned i, uint64_t value);
/* Zero-initialised is fine. */
void marks_close(struct marks *);

#endif
