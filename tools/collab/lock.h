/*
 * lock: a folder that one process at a time may use.
 *
 * flock(2) on FOLDER/lock, which the kernel gives back when the process ends,
 * however it ends. The file holds the owner's process id, for the message only.
 */
#ifndef KANDIL_COLLAB_LOCK_H
#define KANDIL_COLLAB_LOCK_H

#include "common/die.h"

/*
 * The folder exists. *fd is to be closed, which unlocks. -1 with e, and *fd is -1: "in_use"
 * (names the process), "cannot_write".
 */
int lock_take(const char *folder, int *fd, struct err *e);

#endif
