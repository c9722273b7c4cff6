/*
 * refusal: what a relay's words of refusal ask us to do.
 *
 * Official clients class nothing and try a dead token for ever. Sources:
 * Supabase Realtime 2.129 (RealtimeWeb.UserSocket, RealtimeChannel, its log
 * codes; the plugs before its REST controller), Phoenix 1.7 (403 without a body).
 */
#ifndef KANDIL_COLLAB_REFUSAL_H
#define KANDIL_COLLAB_REFUSAL_H

#include "tools/collab/link.h"

struct refusal {
	enum link_class class;
	const char *code; /* of kandil-records(5) */
};

/*
 * An upgrade or a REST request that was answered with another status than wanted. text:
 * the message in the body, empty where there is none. A redirection, 400, 404, 405 and 426
 * are "no_realtime" and LINK_NEVER: one who has been up there before may try again (a proxy
 * before a hub that restarts).
 */
struct refusal refusal_http(int status, struct slice text);
/* The reason of a join's error reply: "Code: text", or one of two bare texts. */
struct refusal refusal_join(struct slice reason);
/* The message of an event `system` with status error, which precedes phx_close. */
struct refusal refusal_system(struct slice message);

/*
 * What to do about a refusal for good, ": …", behind its text; "" where the text says it, or
 * nobody knows. code: of kandil-records(5), also "bad_tls" for a certificate. given: whether
 * we have a key or a token.
 */
const char *refusal_remedy(const char *code, const char *text, bool given);

#endif
