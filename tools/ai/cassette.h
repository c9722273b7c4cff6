/*
 * cassette: replies as files that a person can read, edit and commit.
 *
 * DIR/<first 16 hex digits of the key>.json holds {"key","request":{"url",
 * "body"},"reply":{…}}, indented for review; never a header, never a key, and
 * what a URL's query carries under a name such as key or token is left out. Recording
 * replaces files atomically. Replay fails on a miss, naming the nearest
 * recorded request and the first difference, and opens no network.
 * A file is found by its name and believed when its "key" is the whole key: its reply
 * may be edited by hand.
 */
#ifndef KANDIL_AI_CASSETTE_H
#define KANDIL_AI_CASSETTE_H

#include "tools/ai/cache.h"

struct cassette;

/* 0, or -1 with e ("cannot_read" where replay has no such folder, "cannot_write"). */
int cassette_open(struct cassette **, const char *dir, bool replay, struct err *e);
bool cassette_replays(const struct cassette *);
/* Appends the reply as cache_decode reads it; false when there is no such file, or it is no good.
 */
bool cassette_get(struct cassette *, const uint8_t key[CACHE_KEY], struct buf *reply);
/* body and reply are JSON; 0, or -1 with e ("cannot_write"). */
int cassette_put(struct cassette *, const uint8_t key[CACHE_KEY], struct slice url,
    struct slice body, struct slice reply, struct err *e);
/*
 * After a cassette_get that found nothing: appends what is told of it, one visible line
 * without its end: what is wrong with the file, or which recorded request is nearest to
 * body and where they part, or that there is none. After some misses the nearest
 * is no longer looked for: one cause makes them all.
 */
void cassette_miss(struct cassette *, struct slice body, struct buf *out);
/* NULL is fine. */
void cassette_close(struct cassette *);

#endif
