/*
 * url: the parts of a URL that decide where secrets may go, and escaping.
 * Source: RFC 3986. Nothing is resolved or normalised.
 */
#ifndef KANDIL_URL_H
#define KANDIL_URL_H

#include "common/buf.h"

/*
 * The host behind "://", IPv6 with its brackets, without port; empty when there is no
 * "://". An account (user@) is not understood: refuse URLs with '@' first.
 */
struct slice url_host(struct slice url);
/* Appends text with all but unreserved characters (section 2.3) as %XX; for any bytes. */
void url_escape(struct buf *out, struct slice text);
/* Appends what it means; a % without two digits stays. */
void url_unescape(struct buf *out, struct slice text);

#endif
