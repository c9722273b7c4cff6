/*
 * send_part: what the files of `send` share: records in hand, and how one
 * request of them ended.
 */
#ifndef KANDIL_COLLAB_SEND_PART_H
#define KANDIL_COLLAB_SEND_PART_H

#include "common/backoff.h"
#include "common/http.h"
#include "common/mem.h"
#include "tools/collab/where.h"

enum {
	SEND_BATCH = 100,	 /* messages of one request */
	SEND_BYTES = 1024 * 1024, /* of one request, but for one message that is larger */
	SEND_TRIES = 8,
};

struct send {
	struct run *run;
	const struct settings *settings;
	const char *topic;
	struct where where;
	struct http *http;
	struct backoff backoff;
	struct buf batch_url, one_url, head, apikey, bearer;
	struct slice headers[3];
	size_t nheaders;

	struct held held[SEND_BATCH];
	size_t n, bytes;
	struct capture other; /* what pulling wrote by itself */
	struct buf body, text;

	bool single;	  /* one message a request */
	size_t most;	  /* messages of one request: less once the relay said so */
	bool renewed;	  /* a new token is on trial */
	bool answered;	  /* by HTTP, once at least: the URL's scheme is right */
	bool away;	  /* nobody was there: one try until somebody is */
	int64_t said_at;  /* when it was last said what is waited for; 0: never */
	const char *dead; /* the code with which all else fails; NULL: it goes on */
	char dead_text[400];

	/* of the request in flight */
	bool over;
	int status;
	enum http_fault fault;
	bool mismatch; /* of that fault: as in http.h */
	char fault_text[256];
};

/* ---- send.c ---- */
void send_headers(struct send *); /* from key and token, anew */

/* ---- send_post.c ---- */
/*
 * Sends all that is in hand, in order, with all waiting and trying again; writes those
 * that failed with their errors. Nothing is in hand afterwards.
 */
void send_all(struct send *);

#endif
