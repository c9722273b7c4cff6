/*
 * schema_uri: which document and place a reference names.
 * Source: RFC 3986 §3, §5.2 (resolution), RFC 6901 §6 (pointers in fragments).
 */
#ifndef KANDIL_AI_SCHEMA_URI_H
#define KANDIL_AI_SCHEMA_URI_H

#include "common/buf.h"

/* Appends the reference resolved against base; its fragment, if any, stays as it is written. */
void uri_resolve(struct slice base, struct slice reference, struct buf *out);
/* Cuts at the '#': what is before it stays in *uri; true when there is a fragment. */
bool uri_split(struct slice *uri, struct slice *fragment);
/* Appends text with %XX decoded; what is no such escape stays. */
void uri_decode(struct slice text, struct buf *out);

#endif
