/*
 * socket: WebSocket connections, of a server and of clients, many at once in
 * one thread, by libwebsockets (RFC 6455), with the small HTTP that a server
 * answers beside them.
 *
 * Frames are made once and shared: a frame that 5,000 connections get is one
 * piece of memory that each of their queues refers to, and what waits for a
 * connection leaves in as few writes as fit. Everything to one connection goes
 * through its queue, in order. Messages of more than 64 KiB go in fragments of
 * that size. No permessage-deflate.
 *
 * libwebsockets 4.1.6 sets limits that show: a server takes frames that are not
 * masked, and a client those that are; a server decodes %2F in paths; a client sees close codes
 * 1012, 1013 and 1014 as 1002, with their reason, may send 2,000 bytes of path and query, and
 * takes no certificate for an IPv6 address by number; looking a name up blocks the
 * whole loop, as long as the system's resolver waits; of pings that come at once the first is
 * answered.
 *
 * All callbacks come from sockets_wait. Within any of them anything may be
 * sent, watched, connected or ended. Bytes that are lent live until the callback returns.
 */
#ifndef KANDIL_SOCKET_H
#define KANDIL_SOCKET_H

#include "common/buf.h"
#include "common/die.h"

struct sockets;	     /* the loop: one a process */
struct socket;	     /* one WebSocket connection */
struct socket_ask;   /* one HTTP request: an upgrade to be decided, or a plain one */
struct socket_frame; /* one message, framed, counted */
struct socket_watch; /* a descriptor of somebody else */

/* NULL with e ("no_network"). SIGPIPE is ignored from now on. */
struct sockets *sockets_open(struct err *e);
/* Drops all connections without a word and without callbacks. */
void sockets_close(struct sockets *);
/*
 * Moves everything that can move and returns after at least one event, a
 * signal, or timeout_ms (-1: any time; 0: does not wait). At its end what was
 * sent during the callbacks is written, as far as it goes without blocking.
 */
void sockets_wait(struct sockets *, int64_t timeout_ms);

/*
 * Calls ready while fd is readable or at its end, until unwatched: pipes,
 * terminals, regular files, signal_fd. fd stays the caller's.
 */
struct socket_watch *sockets_watch(struct sockets *, int fd, void (*ready)(void *state),
    void *state);
void sockets_unwatch(struct socket_watch *);

/* How a connection ended. */
enum socket_fault {
	SOCKET_CLOSED,	/* by a close frame: code and text of the side that sent it first */
	/*
	 * The upgrade was answered with another status; text is what the body says:
	 * member error, message or reason of a JSON object, else the first line. It is
	 * waited for 250 ms at most, in which the loop stands.
	 */
	SOCKET_REFUSED,
	SOCKET_RESOLVE, /* the name is not known */
	SOCKET_CONNECT, /* nobody answers, unreachable, reset before the upgrade */
	SOCKET_TLS,	/* certificate, handshake */
	SOCKET_TIMEOUT, /* no upgrade in connect_ms; or silent for idle_ms */
	SOCKET_CUT,	/* the connection broke without a close frame */
	SOCKET_TOO_LARGE, /* a message beyond max_message: closed with 1009 */
	SOCKET_SLOW,	/* it was max_queue behind: closed with 1013 */
	SOCKET_CROWDED, /* all together took too much, max_begun or socket_drop: likewise */
	SOCKET_GARBAGE, /* a protocol error: closed with 1002 */
};
struct socket_end {
	enum socket_fault fault;
	int code;   /* of the close frame, 0: none */
	int status; /* HTTP, of SOCKET_REFUSED */
	/*
	 * It ended before the upgrade as it does when one side speaks TLS and the other does not:
	 * a handshake that fails, but for the certificate; a connection that ends in the clear.
	 */
	bool mismatch;
	char text[256]; /* one line that may be shown; never a URL's query */
};

struct socket_events {
	/* The upgrade is done; server: after accept said yes. */
	void (*opened)(struct socket *, void *state);
	/* A whole message. Text is not checked to be UTF-8. */
	void (*message)(struct socket *, struct slice, bool binary, void *state);
	/* Its queue is empty again (after it was not). May be NULL. */
	void (*drained)(struct socket *, void *state);
	/* The last call about it; also when it never opened. Not called by sockets_close. */
	void (*closed)(struct socket *, const struct socket_end *, void *state);
};

/* ---- client ---- */

struct socket_request {
	const char *url; /* ws://, wss:// (or http, https), with its query, without account */
	const struct slice *headers; /* "Name: value" */
	size_t nheaders;
	const char *protocol; /* subprotocol offered, NULL: none */
	const char *ca_file;  /* NULL: $SSL_CERT_FILE, then the system's */
	size_t max_message;   /* bytes of one message that comes; 0: 5,000,000 */
	size_t max_queue;     /* bytes that may wait to leave; 0: 64 MiB */
	long connect_ms;      /* name, TCP, TLS and upgrade together; 0: 10,000 */
	const struct socket_events *events;
	void *state;
};
/*
 * Its strings are needed until it returns. NULL with e ("bad_url", "bad_header"), and closed
 * is not called. No redirects, and no proxy of the environment. The addresses of a
 * name are tried one after the other, each for 2.5 s while there is another.
 */
struct socket *socket_connect(struct sockets *, const struct socket_request *, struct err *e);

/* ---- server ---- */

struct socket_server {
	const char *host; /* numeric address, or a name to bind to; "" or "*": all */
	int port;	  /* 0: the system chooses; sockets_port says it */
	const char *cert_file, *key_file; /* PEM; both: TLS (1.2 and later) */
	size_t max_message;  /* as above; 0: 5,000,000 */
	size_t max_queue;    /* bytes that one connection may be behind (one message always is let
			      * through); 0: 1 MiB */
	size_t max_body;     /* of a plain HTTP request; 0: 5,000,000 */
	/*
	 * Bytes of messages and bodies that have begun and not ended, of all connections
	 * together: beyond it the largest is given up (SOCKET_CROWDED; 503); 0: 64 MiB.
	 */
	size_t max_begun;
	long max_connections; /* further ones are answered 503; 0: as many as files allow */
	long handshake_ms;   /* a request's head and body, TLS: slowloris; 0: 10,000 */
	long idle_ms;	     /* a WebSocket that says nothing, no ping either; 0: 60,000 */
	const struct socket_events *events; /* of every connection; state is what accept set */
	/*
	 * An upgrade is asked for: 0 lets it in and sets *conn, the state of its
	 * events, of which closed is the last in any case; -1: refused, and socket_answer has
	 * been called. A subprotocol, where one is offered, must be "phoenix".
	 */
	int (*accept)(struct socket_ask *, void **conn, void *state);
	/*
	 * A plain request, its body whole: calls socket_answer before it returns. What is
	 * too large (413), has no length (411) or asks for what is not here is answered without.
	 */
	void (*request)(struct socket_ask *, void *state);
	void *state;
};
/*
 * 0, or -1 with e: "cannot_listen" (in use, no such address, no right),
 * "bad_tls" (a certificate or key that is none, or do not belong together).
 * May be called for several addresses. Its strings are needed until it returns.
 */
int socket_listen(struct sockets *, const struct socket_server *, struct err *e);
/* The port of the last socket_listen. */
int sockets_port(const struct sockets *);
/* Accepts no new connections from now on; those that stand go on. */
void sockets_refuse(struct sockets *);

/*
 * Of a request, lent until the callback returns. path is percent-encoded,
 * without query; %2F in it has become '/', + a blank, ; an &, and //, /. and /.. have been
 * normalised, also where they were encoded. A subprotocol is cut to 120 bytes. Headers of
 * common names only: host,
 * origin, authorization, apikey, x-api-key, content-type, sec-websocket-protocol,
 * user-agent, x-forwarded-for. ptr NULL: not there.
 */
struct slice socket_ask_method(const struct socket_ask *);
struct slice socket_ask_path(const struct socket_ask *);
struct slice socket_ask_header(const struct socket_ask *, const char *name);
/* The query parameter, decoded, appended to out (reset first); false: not there. */
bool socket_ask_arg(const struct socket_ask *, const char *name, struct buf *out);
struct slice socket_ask_body(const struct socket_ask *);
/* The peer's address as text. */
const char *socket_ask_address(const struct socket_ask *);
/*
 * type: of the body, NULL: application/json. more: "Name: value\r\n"…, or NULL. The connection
 * is closed after it. An upgrade, when it is let in, may not be answered.
 */
void socket_answer(struct socket_ask *, int status, const char *type, struct slice body,
    const char *more);

/* ---- both ---- */

/* A text or binary message, copied; counted: 1, the caller's. */
struct socket_frame *socket_frame(struct slice, bool binary);
void socket_frame_free(struct socket_frame *); /* takes one off the count */

/*
 * Queues it; the frame stays the caller's too. The client masks a copy. Before opened it
 * waits. On one that is closing, nothing. May end the connection (SOCKET_SLOW), whose
 * closed is then called from the next sockets_wait, not from here.
 */
void socket_send(struct socket *, struct socket_frame *);
/* socket_frame, socket_send and socket_frame_free in one. */
void socket_say(struct socket *, struct slice, bool binary);
/* Bytes that wait to leave. */
size_t socket_queued(const struct socket *);
/* Bytes of all frames that there are, each counted once. */
size_t socket_frames(void);
/*
 * Sends what is queued, then a close frame with code and reason (at most 123
 * bytes); cut after 5 s. closed is called in the end. Messages that still
 * come are handed on until then. Before opened: the attempt is given up.
 */
void socket_close(struct socket *, int code, const char *reason);
/* Cuts it now, without a close frame; closed is called from the next sockets_wait. */
void socket_cut(struct socket *);
/* Forgets what waits for it, and ends it as SOCKET_CROWDED; reason as of socket_close. */
void socket_drop(struct socket *, const char *reason);

/* What went through this loop so far. */
struct socket_counts {
	uint64_t messages_in, messages_out, bytes_in, bytes_out;
	size_t open; /* WebSocket connections that stand */
};
const struct socket_counts *sockets_counts(const struct sockets *);

/*
 * As codes of kandil-records(5), in order: "closed", "refused", "unknown_host", "cannot_connect",
 * "bad_tls", "timeout", "cut_off", "message_too_large", "too_slow" (of both), "bad_frame".
 */
const char *socket_code(enum socket_fault);

#endif
