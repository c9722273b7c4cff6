/*
 * store: what the two append-only stores have in common, the client's journal and
 * the hub's history: private folders that are there after a power failure, damaged files
 * set aside, and files written at a place and looked at piece by piece.
 *
 * They are two, since they promise different things. A journal is one line of messages of
 * all senders, synced before they count, dropped by whole segments, mended around damage. A
 * history is a file a topic, of which there may be 10,000, synced a second later,
 * dropped message by message, and may lose its end. Formats and indexes differ with that.
 */
#ifndef KANDIL_COLLAB_STORE_H
#define KANDIL_COLLAB_STORE_H

#include "common/buf.h"

/* mkdir -p: what is made is the user's alone (0700), and on the disk. 0, or -1 with errno. */
int store_folder(const char *path);
/* Brings a folder's entries to the disk, where its file system can do that: 0, or -1 with errno. */
int store_sync(int folder);
/*
 * Gives a file the name NAME.damaged-TIME as well; with keep it has its own still, to
 * be replaced. aside: reset, the new name. Nothing is synced. 0, or -1 with errno.
 */
int store_aside(int folder, const char *name, bool keep, struct buf *aside);

/* All of first and then of second, at an offset, by one call where it can be: 0, or -1 with errno. */
int store_write(int fd, uint64_t at, struct slice first, struct slice second);

/* A piece of a file in memory. */
struct window {
	int fd; /* -1: none; closed by window_turn */
	uint64_t first; /* which file that is, as the caller counts */
	uint64_t at;
	struct buf bytes;
};

/*
 * At least want bytes at an offset of a file that has size bytes, lent until the next call;
 * *have: how many there are. NULL: it has not so many, or they cannot be read.
 */
const char *window_look(struct window *, uint64_t at, size_t want, uint64_t size, size_t *have);
/* Looks at another file from now on; closes the one before. -1: none. */
void window_turn(struct window *, int fd, uint64_t first);

#endif
