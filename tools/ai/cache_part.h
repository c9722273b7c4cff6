/*
 * cache_part: what the files of cache share.
 *
 *	cache.c		looking up, following others, appending
 *	cache_folder.c	the lock, sealed segments, eviction
 *	cache_segment.c	entries in a segment, and the newest segment's table of them
 *	cache_index.c	the file beside a sealed segment
 *	cache_reply.c	replies as values
 *
 * Files are DIR/lock, DIR/claims (empty: of its bytes one is locked for each reply that is
 * being asked for), DIR/NNNNNNNN.seg1 and .idx1, eight hex digits that grow by one; the last
 * digit of the suffix is the format's version, so that another version leaves these alone. All
 * numbers are the machine's own (64 bit, little-endian), since a cache is not carried around.
 */
#ifndef KANDIL_AI_CACHE_PART_H
#define KANDIL_AI_CACHE_PART_H

#include "tools/ai/cache.h"

#include <sys/types.h>

enum {
	SEGMENT_LEAST = 256 << 10, /* a segment is 1/64 of the folder, within these */
	SEGMENT_MOST = 64 << 20,
	SEGMENT_LAST = 0x7fffffff, /* number: beyond it is none of ours */
	SEGMENT_ENTRIES = 1 << 18, /* more are in no segment of ours, and are not read */
};

/* Where an entry is. A key is known by its first 8 bytes until the entry is read. */
struct place {
	uint64_t fragment;
	uint32_t at;	 /* of its head, in the segment */
	uint32_t length; /* of its value */
};

static inline uint64_t
key_fragment(const uint8_t key[CACHE_KEY])
{
	uint64_t fragment;

	memcpy(&fragment, key, sizeof(fragment));
	return fragment;
}

/* ---- cache_segment.c ---- */

/*
 * An entry: this head and the value. `all` is over everything behind it, the value
 * included; `own` over the head from magic to key. The magic holds bytes that no
 * UTF-8 has, so that no reply's text is ever taken for an entry.
 */
struct entry_head {
	uint64_t all;
	uint32_t magic, length;
	uint64_t time; /* seconds since 1970 */
	uint8_t key[CACHE_KEY];
	uint64_t own;
};
_Static_assert(sizeof(struct entry_head) == 64, "the head of an entry has no padding");

/* Makes out one entry. */
void entry_make(const uint8_t key[CACHE_KEY], struct slice value, struct buf *out);
/* Appends the value of the entry there, when it is whole and of that key. */
bool entry_read(int fd, struct place, const uint8_t key[CACHE_KEY], struct buf *out);

/* Places by fragment, the latest of each; zero-initialised is empty and ready. */
struct places {
	struct place *v; /* at UINT32_MAX: free */
	size_t used, size;
	uint64_t seed; /* keys may be a stranger's: what they collide on is not known to him */
};
const struct place *places_find(const struct places *, uint64_t fragment);
void places_put(struct places *, struct place);
void places_reset(struct places *);
void places_free(struct places *);

/*
 * Puts the entries of fd in [from, size) into places and returns where the
 * last whole one ends. *bad: there was something that is no entry, not only
 * one that ends beyond size; with skip, entries behind that are looked for.
 */
uint64_t segment_scan(int fd, uint64_t from, uint64_t size, bool skip, struct places *, bool *bad);

/* Reads exactly len bytes at an offset: 0, or -1. */
int read_at(int fd, void *out, size_t len, uint64_t at);

/* ---- cache_index.c ---- */

/*
 * The index of a sealed segment: fences (the first fragment of every block)
 * and filter in memory, blocks of sorted places on disk, each with a checksum.
 * Zero-initialised is none.
 */
struct index {
	uint64_t *fences, *filter;
	uint32_t count, blocks;
	uint64_t mask;	/* bits of filter − 1 */
	uint64_t start; /* of the blocks in the file */
	char *held;	/* the blocks, where they could not be written; else NULL */
};

/* Makes the file's bytes of all places of a segment that has size bytes. */
void index_make(const struct places *, uint64_t size, struct buf *image);
/*
 * Reads an index that was made of a segment of size bytes: 0, or -1 when it is damaged
 * or another's.
 */
int index_read(struct index *, int fd, uint64_t size);
/* The same of an image that is in no file; takes a copy of its blocks. */
int index_hold(struct index *, struct slice image, uint64_t size);
/* Whether it may have the fragment: never false for one that it has. */
bool index_may(const struct index *, uint64_t fragment);
/* 1 and the place, 0: it has none, -1: it is damaged. fd: its file, -1 with held blocks. */
int index_find(const struct index *, int fd, uint64_t fragment, struct place *);
void index_free(struct index *);

/* ---- cache_folder.c ---- */

/* A sealed segment. */
struct segment {
	uint32_t number;
	uint64_t size;
	struct index index;
	int fd, index_fd; /* -1: not open */
	uint64_t used;	  /* when it was last opened: the least goes first */
	bool gone;	  /* evicted, or of no use */
	bool mended;	  /* its index was made anew once: not again */
};

struct cache {
	char *dir;
	int dirfd, lock, claims; /* descriptors */
	uint64_t news; /* grows whenever others have kept something; from 1 */
	uint64_t max, target; /* bytes of the folder, of a segment */
	struct segment *sealed; /* ascending */
	size_t n, cap;
	size_t open;
	uint64_t clock;
	/* the newest segment: fd -1 when there is none yet */
	uint32_t number;
	int fd;
	uint64_t end; /* of its last whole entry */
	struct places places;
	bool evicted; /* the folder's size was looked at */
	struct buf entry, image;
};

/* As flock: waits for it; 0, or -1 with errno. A lock file that was deleted locks nobody out. */
int folder_lock(struct cache *);
void folder_unlock(struct cache *);

/* Opens a regular file of the folder with the flags of open, -1 for anything else. */
int folder_file(const struct cache *, uint32_t number, const char *suffix, int flags);
/* Whether there is a segment of that number. */
bool folder_has(const struct cache *, uint32_t number);
/*
 * Looks at the folder anew: sealed segments with their indexes, and the newest
 * opened. locked: the lock is held; where it is not, it is taken to mend an index.
 */
void folder_load(struct cache *, bool locked);
/* Makes the newest segment of that number: flags as for open. false with errno. */
bool folder_newest(struct cache *, uint32_t number, int flags);
/* The newest segment is sealed by now: ours, under the lock, or by others. */
void folder_seal(struct cache *, bool ours);
/* Removes the oldest segments until there is room for one more, under the lock. */
void folder_evict(struct cache *);
/* Closes and forgets all segments. */
void folder_forget(struct cache *);
/* Looks in one sealed segment; appends the value. */
bool folder_get(struct cache *, struct segment *, const uint8_t key[CACHE_KEY], struct buf *out);

uint64_t file_size(int fd);
/* Of a segment's bytes those that are read: no segment of ours passes that. */
uint64_t segment_bytes(uint64_t size);

#endif
