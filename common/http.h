/*
 * http: requests in flight, many at once in one thread, by libcurl.
 *
 * Whatever is started is sent at once: how many, how often and what is tried
 * again is the caller's to decide. Connections are kept and reused. Redirects
 * are not followed (a key must not travel to another host): a 3xx is a reply
 * like any other. No cookies, no .netrc, no other protocols than http and
 * https. A process that forks must not use it in the child; programs that it
 * runs by spawn inherit nothing.
 */
#ifndef KANDIL_HTTP_H
#define KANDIL_HTTP_H

#include "common/buf.h"
#include "common/die.h"

#include <poll.h>

struct http;
struct http_call;

struct http_settings {
	const char *user_agent; /* NULL: "kandil/VERSION" */
	/* NULL: $CURL_CA_BUNDLE, $SSL_CERT_FILE, then the system's. */
	const char *ca_file;
	/*
	 * NULL: by the environment (https_proxy, HTTPS_PROXY, http_proxy,
	 * all_proxy, ALL_PROXY, no_proxy, NO_PROXY), which is never asked for
	 * loopback addresses. Given: for all addresses; "" is none.
	 */
	const char *proxy;
	/*
	 * HTTP/2 where the server offers it over TLS. Servers end a connection after
	 * some 1,000 requests (nginx) or resets (nghttp2; libcurl 7.88 resets streams
	 * that are done). It does not tell what was refused then, and is safe to send
	 * again, from what was cut: neither is, both are HTTP_CUT.
	 */
	bool http2;
	long connect_ms;    /* name, TCP, proxy and TLS together; 0: 10,000 */
	long connections;   /* kept open: as many as will be in flight; 0: 64 */
};

enum http_fault {
	HTTP_DONE,	/* a whole reply, of whatever status */
	HTTP_RESOLVE,	/* the name is not known */
	HTTP_CONNECT,	/* refused, unreachable */
	HTTP_PROXY,	/* the proxy is down, unknown, or refuses */
	HTTP_TLS,	/* certificate, handshake, CA file */
	HTTP_TIMEOUT,	/* text says which of the times */
	HTTP_CUT,	/* closed early, reset, shorter than announced */
	HTTP_TOO_LARGE, /* beyond max_reply, decompressed; or headers beyond 256 KiB */
	HTTP_GARBAGE,	/* no HTTP, or not compressed as announced */
	HTTP_STOPPED,	/* data returned false */
	HTTP_OTHER,
};

/* Lent until done returns. */
struct http_reply {
	enum http_fault fault;
	int status;	      /* 0 when none arrived */
	struct slice headers; /* lines as received, status line first: http_header */
	struct slice body;    /* what arrived, decompressed; empty when streamed */
	char text[256];	      /* of a fault: one line, no key, no URL's password */
	/*
	 * It ended before a reply as it does when one side speaks TLS and the other does not: a
	 * handshake that fails, but for the certificate; cut or garbage in the clear.
	 */
	bool mismatch;
	int64_t wait_ms;      /* start to the first byte of the reply, -1: none */
	int64_t total_ms;     /* start to the end */
};

/* The last call about a request; it may start and cancel any other. */
typedef void http_done(struct http_call *, const struct http_reply *, void *state);
/*
 * Bytes of the body in the order they came, decompressed, lent until it returns; false
 * ends the request (HTTP_STOPPED). It may start and cancel, also itself.
 * Asked first: http_status.
 */
typedef bool http_data(struct http_call *, struct slice, void *state);

struct http_request {
	const char *method; /* "GET", "POST", "DELETE", …; NULL: POST when there is a body */
	const char *url;    /* http:// or https:// */
	const struct slice *headers; /* "Name: value", copied */
	size_t nheaders;
	struct slice body;     /* lent until done */
	size_t max_reply;      /* bytes of body; 0: 16 MiB */
	/*
	 * All in ms, 0: none. first_byte: without a byte of reply, restarted
	 * while the request is still being sent and moves; idle: between two
	 * bytes of reply; total: from start to end.
	 */
	long first_byte_ms, idle_ms, total_ms;
	http_done *done;
	http_data *data; /* NULL: the body is collected for done */
	void *state;
};

/* NULL with e ("no_network") when libcurl cannot be set up. */
struct http *http_open(const struct http_settings *, struct err *e);
/* Drops what is in flight without calling done. */
void http_close(struct http *);

/*
 * NULL with e, and done is not called: "bad_url" (not http or https, control
 * characters), "bad_header" (no name, a control character: the text names the header
 * and never its value).
 */
struct http_call *http_start(struct http *, const struct http_request *, struct err *e);
/* Forgets it: done is not called, the connection is closed if it was in use. */
void http_cancel(struct http_call *);
/* Of a call that streams: the reply's status, while it lasts. */
int http_status(const struct http_call *);

/*
 * Moves everything that can move, calling done and data, and returns after at
 * least one of: a call of either, an event on more (poll's revents are set, n
 * may be 0), a signal, timeout_ms (-1: any time; 0: does not wait). Returns the
 * number of more that have events, or -1 with errno (EINTR is 0). With
 * nothing in flight it waits for more and the timeout alone.
 */
int http_wait(struct http *, int64_t timeout_ms, struct pollfd *more, size_t n);

/* The first header of that name, without case and surrounding blanks; ptr NULL: none. */
struct slice http_header(const struct http_reply *, const char *name);

/* Whether a host (of IPv6 with or without brackets) is this machine by its very name. */
bool http_loopback(struct slice host);

/*
 * As error codes of kandil-records(5): "unknown_host", "cannot_connect",
 * "proxy_failed", "bad_tls", "timeout", "cut_off", "reply_too_large",
 * "bad_reply", "stopped", "request_failed"; NULL for HTTP_DONE.
 */
const char *http_code(enum http_fault);

#endif
