/*
 * hub_rest: what hub_rest.c (who asks for what) and hub_post.c (broadcasts by POST) share.
 * Each request is answered once, by one of these.
 */
#ifndef KANDIL_COLLAB_HUB_REST_H
#define KANDIL_COLLAB_HUB_REST_H

#include "tools/collab/hub_part.h"

struct rest {
	struct hub *hub;
	struct socket_ask *ask;
	struct claims claims;
	struct key_use *use;
	struct buf more; /* headers of the answer */
};

/* type NULL: application/json. The headers in more go with it. */
void rest_answer(struct rest *, int status, const char *type, struct slice body);
/* {MEMBER: TEXT}; and {"message": TEXT}. */
void rest_say(struct rest *, int status, const char *member, const char *text);
void rest_message(struct rest *, int status, const char *text);

/* POST /api/broadcast, and /api/broadcast/TOPIC/events/EVENT with what stands behind broadcast/. */
void rest_batch(struct rest *);
void rest_single(struct rest *, struct slice path);

#endif
