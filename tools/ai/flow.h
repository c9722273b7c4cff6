/*
 * flow: a reply that streams: bytes in any portions become the slot's reply.
 */
#ifndef KANDIL_AI_FLOW_H
#define KANDIL_AI_FLOW_H

#include "common/http.h"
#include "tools/ai/window.h"

/* Before the request goes. */
void flow_start(struct slot *);
/* Bytes of the body; of a refusal they are collected in s->raw. false: it need not go on. */
bool flow_bytes(struct slot *, int status, struct slice);
/* All has come: true when the reply is whole; else failure says why not. */
bool flow_end(struct slot *, const struct http_reply *, struct failure *);

#endif
