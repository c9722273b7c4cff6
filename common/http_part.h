/*
 * http_part: what the files of http share: http.c moves bytes and keeps time,
 * http_call.c sets up one request, http_judge.c says how it ended.
 */
#ifndef KANDIL_HTTP_PART_H
#define KANDIL_HTTP_PART_H

#include "common/http.h"

#include <curl/curl.h>

enum { HTTP_HEADERS_MAX = 256 * 1024, HTTP_REPLY_MAX = 16 * 1024 * 1024 };

/* What epoll knows of a descriptor, and what libcurl wants of it. */
struct http_socket {
	bool ours; /* made and closed before our eyes, so what epoll knows is certain */
	uint32_t want, have;
	int port; /* the local one; 0: not looked at yet */
};

struct http {
	CURLM *multi;
	int epoll;
	char *user_agent, *ca_file, *proxy;
	bool http2, seen2; /* offered; a server has taken it */
	long connect_ms;
	struct http_socket *sockets; /* by descriptor */
	size_t nsockets;
	int64_t now;   /* of this turn */
	int64_t timer; /* when libcurl wants a turn; INT64_MAX: never */
	int64_t check; /* no call is due earlier */
	size_t in_flight, told; /* told: calls of done and data in this wait */
	struct http_call *active, *spare;
	struct http_call **fed; /* streams with bytes to hand on; NULL: cancelled */
	size_t nfed, fed_cap;
	struct pollfd *polled;
	size_t npolled;
};

struct http_call {
	struct http *http;
	struct http_call *prev, *next;
	uint64_t serial; /* a new one for each request */
	CURL *easy;
	struct http_request request; /* without url and headers, which are in text */
	struct buf text;
	struct curl_slist *lines;
	size_t nlines;
	struct buf headers, body;
	size_t received; /* bytes of body, decompressed */
	bool fed;
	bool begun; /* it has been sent, or will be at once */
	bool foul; /* the connection had something to read before anything was asked */
	enum http_fault fault; /* found by us; HTTP_DONE: none */
	int64_t start, first, moved; /* first: -1 before the first byte of reply */
	curl_off_t sent;	     /* bytes of body, when last looked */
	char error[CURL_ERROR_SIZE];
	char host[256]; /* of the URL, as libcurl's messages name it */
	long port;
	bool tls;
};

/* A spare call, or a new one; never NULL but when libcurl is out of memory. */
struct http_call *http_call_new(struct http *);
/* Sets the request up: 0, or -1 with e as http_start. */
int http_call_set(struct http_call *, const struct http_request *, struct err *e);
/* The moment ms (0: never) after another. */
static inline int64_t
http_due_after(int64_t moment, long ms)
{
	return ms > 0 ? moment + ms : INT64_MAX;
}

/* When it is to be given up if nothing moves; INT64_MAX: never. */
int64_t http_call_due(const struct http_call *);
/* It is due: whether it is over; a request that still moves gets more time. */
bool http_call_late(struct http_call *);
/* What to tell, the transfer being over with this result of libcurl's. */
void http_call_reply(struct http_call *, CURLcode, struct http_reply *);
void http_call_free(struct http_call *);

/* libcurl's callbacks about sockets, in http.c. */
int http_socket_made(void *state, curl_socket_t fd, curlsocktype purpose);
int http_socket_closed(void *state, curl_socket_t fd);
/* Whether a socket of that local port has something to read, or has ended. */
bool http_socket_waits(struct http *, int port);

#endif
