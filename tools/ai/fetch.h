/*
 * fetch: one small GET, waited for; for questions that no record waits on.
 */
#ifndef KANDIL_AI_FETCH_H
#define KANDIL_AI_FETCH_H

#include "common/buf.h"
#include "common/die.h"

enum { FETCH_MAX = 4 << 20 };

/*
 * Appends the body of a 2xx reply that is JSON: true; else false with e (which may be NULL):
 * "authentication" (401, 403), "no_model" (404, 405), "bad_reply", and as http.h has them.
 * timeout_ms is for all of it, the connection's making included.
 */
bool fetch_json(const char *url, const struct slice *headers, size_t nheaders, long timeout_ms,
    struct buf *out, struct err *e);

#endif
