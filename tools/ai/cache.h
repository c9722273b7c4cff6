/*
 * cache: replies on disk, so that what was paid for once is never paid again.
 *
 * A folder (0700) of append-only segments (0600). An entry is one write(2)
 * under a lock (flock on DIR/lock), with its key, length and checksums, before
 * its record is written out; what a killed writer left half done is ignored
 * and cut off by the next. Several processes may use a folder at once: each
 * looks at what others appended before it calls a key missing. The newest
 * segment is read when the folder is opened; older ones are sealed, with an
 * index beside them that is checked piece by piece as it is used and made anew
 * when damaged. Whole segments go, oldest first, when the size is passed.
 *
 * Nothing is synced to disk unasked: what write(2) took survives the death of the
 * process, and a power cut costs some replies, never a wrong one, where an
 * fsync a record would cost each of them milliseconds.
 *
 * In memory are at most 43 bytes an entry of the newest segment (1/64 of the
 * whole) and 1 to 2 bytes an entry of the sealed ones: a Bloom filter and the
 * first key of every block of their index, whose blocks stay on disk.
 *
 * A damaged folder costs replies. Checksums keep accidents out, not people:
 * whoever may write into the folder may answer for the model.
 */
#ifndef KANDIL_AI_CACHE_H
#define KANDIL_AI_CACHE_H

#include "common/buf.h"
#include "common/die.h"

enum {
	CACHE_KEY = 32,		   /* SHA-256 */
	CACHE_VALUE = 64 << 20,	   /* bytes of one value */
	CACHE_BYTES = 1 << 30,	   /* of a folder, where nobody says */
};

struct cache;

/*
 * dir NULL: $XDG_CACHE_HOME/kandil/ai; made when it is missing. max_bytes 0: CACHE_BYTES.
 * A folder that may only be read is one that cache_put fails on. 0, or -1
 * with e ("cannot_write", "cannot_read").
 */
int cache_open(struct cache **, const char *dir, size_t max_bytes, struct err *e);
/*
 * Appends the value kept under key, the latest that this process knows of; false
 * when nobody put one, it was evicted, or it is damaged.
 */
bool cache_get(struct cache *, const uint8_t key[CACHE_KEY], struct buf *out);
/*
 * 0, or -1 with e ("cannot_write": full disk; "too_large": more than
 * CACHE_VALUE; the run may go on without) and nothing was kept. Waits for other
 * writers, who take microseconds.
 */
int cache_put(struct cache *, const uint8_t key[CACHE_KEY], struct slice value, struct err *e);
/*
 * Says to the other processes that use the folder that this one asks for the reply of a key, until
 * cache_unclaim, or its end in whatever way: true; false when another one does. Where it cannot be
 * said (a folder that may only be read) it is true: asking twice is better than not at all.
 */
bool cache_claim(struct cache *, const uint8_t key[CACHE_KEY]);
void cache_unclaim(struct cache *, const uint8_t key[CACHE_KEY]);
/*
 * Takes in what others have kept. Whether there was anything since *seen was set, which it is
 * anew: who looked in vain then looks once more. 0 is before everything.
 */
bool cache_news(struct cache *, uint64_t *seen);
/*
 * Brings to disk what was put: 0, or -1 with e ("cannot_write"). For who is about to forget where
 * else the replies are; it may take seconds.
 */
int cache_sync(struct cache *, struct err *e);
/* NULL is fine. */
void cache_close(struct cache *);

/*
 * What is kept: a reply as JSON
 *	{"text","model","finish","finish_word","id","usage":{"input","cached","output",
 *	"reasoning","written"},"ms"}
 * no key, no header, no URL. usage is missing where the provider did not say. ms: how long the
 * reply took when it was asked for.
 */
struct reply;
void cache_encode(const struct reply *, long ms, struct buf *out);
/*
 * Fills a reply, reset first: 0, or -1 with e ("bad_reply") when the value is not ours.
 * Any value may be given; it is checked.
 */
int cache_decode(struct slice value, struct reply *, long *ms, struct err *e);

#endif
