/*
 * socket_part: what the files of socket share. socket.c is the loop and hands
 * libwebsockets' callbacks on, socket_frame.c makes frames and lets queues
 * leave, socket_end.c knows how connections end and when, socket_client.c
 * connects to what socket_request.c has checked, socket_server.c listens,
 * socket_ask.c answers HTTP, of which socket_head.c reads the requests.
 *
 * The opaque pointer of an lws connection leads to a struct socket_role:
 * a struct socket, a struct socket_ask (a server's connection before its
 * upgrade), or the descriptor that watches others. A struct socket lives until its lws
 * connection is gone and closed has been called, whichever is later.
 *
 * Of libwebsockets 4.1.6, read in its source, and kept in mind everywhere:
 * - it never has timers of ours: its own are set to an hour, deadlines are ours
 *   (its list of timers is linear);
 * - what a socket does not take of one lws_write is copied into its own list, without limit,
 *   so nothing is written while lws_partial_buffered;
 * - its pongs and close frames go between two of our writes, so a write is of whole frames.
 */
#ifndef KANDIL_SOCKET_PART_H
#define KANDIL_SOCKET_PART_H

#include "common/socket.h"

#include <libwebsockets.h>

enum {
	SOCKET_PIECE = 65536,	   /* bytes of one write, and of the largest frame */
	SOCKET_READ = 2048,	   /* bytes a server's connection reads at a time */
	SOCKET_CLIENT_READ = 16384,
	SOCKET_HEAD = 16384,	   /* bytes of a request's or reply's headers */
	SOCKET_HEADERS = 9,	   /* whose names are known */
	SOCKET_ASKS = 1000,	   /* connections that may stand before their upgrade */
	SOCKET_LINGER = 5000,	   /* ms that a close handshake may take */
	SOCKET_REASON = 123,	   /* bytes of a close frame's reason, RFC 6455 section 5.5 */
	SOCKET_MESSAGE_MAX = 5000000,
};

enum socket_kind { SOCKET_KIND_WATCH, SOCKET_KIND_ASK, SOCKET_KIND_CONNECTION };
struct socket_role {
	enum socket_kind kind;
};

struct sockets {
	struct socket_role watching; /* the role of the epoll descriptor */
	struct lws_context *context;
	lws_sorted_usec_list_t alarm;
	int64_t now;   /* of this turn */
	int64_t sweep; /* when deadlines are looked at next; INT64_MAX: never */
	int64_t gather; /* ns: until then what is for many connections waits for more of it */
	struct lws_dll2_owner all;   /* struct socket */
	struct lws_dll2_owner dirty; /* those with something to write */
	struct lws_dll2_owner over;  /* those whose closed is to be called */
	struct lws_dll2_owner asks;  /* struct socket_ask, the oldest first */
	struct socket_listener *listeners;
	struct lws_vhost *plain;     /* clients without TLS */
	struct socket_trust *trusts; /* and with */
	int epoll;
	struct lws_dll2_owner waiting, ready, gone; /* watches: in epoll, of files, of nothing */
	size_t told;	    /* callbacks in this turn */
	size_t limit;	    /* connections that the files allow */
	size_t begun;	    /* bytes of messages and bodies that have not ended */
	bool closing, refusing;
	int port;
	struct socket_counts counts;
	unsigned char out[LWS_PRE + SOCKET_PIECE];
};

struct socket_frame {
	unsigned count;
	unsigned char opcode;
	size_t len;
	unsigned char bytes[]; /* frames of at most SOCKET_PIECE, as a server sends them */
};

enum socket_state {
	SOCKET_OPENING,
	SOCKET_OPEN,
	SOCKET_CLOSING, /* a close frame of ours is queued or sent */
	SOCKET_OVER,	/* end is known, closed is to be called or has been */
};

struct socket {
	struct socket_role role;
	unsigned char state;
	bool mute;	/* nothing more may be written: lws or the peer is closing it */
	bool said;	/* our close frame has left */
	bool told;	/* closed has been called */
	bool partial;	/* a message has begun */
	bool full;	/* drained is owed */
	int fd;		/* of an open server's connection without TLS, else -1 */
	struct sockets *loop;
	struct lws *wsi; /* NULL: there is none any more */
	const struct socket_events *events;
	void *caller;
	/* What a delivery touches stands together: of thousands nothing is in the cache. */
	struct lws_dll2 dirty;
	struct socket_frame **frames; /* the queue: a ring of size, a power of two */
	struct socket_frame *one;     /* the ring of one, which needs no memory of its own */
	uint32_t head, used, size;
	size_t queued; /* its bytes */
	size_t offset; /* those of the first frame that have left */
	size_t max_queue, max_message;
	struct socket_listener *listener; /* NULL: a client */
	struct lws_dll2 all, over;
	struct buf in; /* a message in pieces */
	int64_t due;   /* of opening and closing; INT64_MAX: none */
	int64_t heard; /* when something came */
	struct socket_end *end;
	struct socket_client *client; /* until it is open */
};

/* One address that is listened to. Lives as long as the loop. */
struct socket_listener {
	struct socket_listener *next;
	struct sockets *loop;
	struct socket_server set; /* its strings are not kept */
	struct lws_vhost *vhost;
	char name[32];
	int fd; /* -1: no more */
	struct socket_watch *watch;
	int64_t rest; /* no files left: looked at again at this time; 0: none */
	size_t open;
};

/* A client before it is open. */
struct socket_client {
	struct addrinfo *list, *next;
	char *host, *authority, *target, *protocol;
	int port;
	bool tls;
	struct lws_vhost *vhost;
	struct buf headers;
	int64_t give_up;
	bool calling; /* inside lws_client_connect_via_info, which tells by its value */
	bool reached; /* TCP stands */
	bool asked;   /* the request is written */
	long untrusted; /* X509_V_ERR_…; 0: none */
	int status;	/* of a refusal */
	struct buf body;
};

/* A piece of what a request says, in its text. */
struct socket_text {
	size_t at, len;
	bool there;
};

/* A connection of a server before its upgrade. */
struct socket_ask {
	struct socket_role role;
	bool answered;
	int owed; /* a status, when the body is through; 0: it is what it asks for */
	struct socket_listener *listener;
	struct lws *wsi;
	struct lws_dll2 list;
	int64_t due;
	bool *gone; /* set when lws has dropped it */
	char address[64];
	const char *method;
	struct socket_text path, args, header[SOCKET_HEADERS];
	struct buf text, body;
};

/* ---- socket.c ---- */
/* Looks at deadlines no later than due. */
void socket_alarm(struct sockets *, int64_t due);
/* Creates a vhost with what all have in common. */
struct lws_vhost *socket_vhost(struct sockets *, struct lws_context_creation_info *);

/* ---- socket_frame.c ---- */
/* An empty queue, without memory of its own. */
void socket_queue_start(struct socket *);
/* Queues a close frame, whatever waits; the reason is cut to fit. */
void socket_queue_close(struct socket *, int code, struct slice reason);
/* Writes what can be written now. */
void socket_flush(struct socket *);
void socket_drop_queue(struct socket *);

/* ---- socket_end.c ---- */
struct socket *socket_new(struct sockets *, const struct socket_events *, void *caller);
/* Frees it: nobody knows of it any more. */
void socket_release(struct socket *);
/*
 * It has ended so, unless it had before; after socket_close it ends as that
 * said. closed is called at the end of this turn, or of the next.
 */
void socket_over(struct socket *, enum socket_fault, int code, struct slice text);
/* The same with a close frame for the peer. */
void socket_expel(struct socket *, enum socket_fault, int code, struct slice text);
/* libwebsockets drops its connection soon. */
void socket_kill(struct lws *);
/* So many bytes more of what has not ended: no more than most, or the largest goes. */
void socket_begun(struct sockets *, size_t len, size_t most);
/* The lws connection is gone. */
void socket_gone(struct socket *);
/* Calls closed where it is owed. */
void socket_tell(struct sockets *);
void socket_sweep(struct sockets *);
/* What libwebsockets has to say about a WebSocket connection. */
int socket_event(struct socket *, struct lws *, enum lws_callback_reasons, void *in, size_t len);

/* ---- socket_client.c ---- */
/* The deadline of its attempt has come. */
void socket_client_late(struct socket *);
int socket_client_event(struct socket *, struct lws *, enum lws_callback_reasons, void *user,
    void *in, size_t len);
void socket_client_free(struct socket *);

/* ---- socket_request.c ---- */
/* Fills host, authority, target, port, tls and headers: 0, or -1 as socket_connect. */
int socket_read_request(struct socket_client *, const struct socket_request *, struct err *e);
/* Who believes that file's certificates ("": the system's); NULL: it holds none. */
struct lws_vhost *socket_trust(struct sockets *, const char *ca_file);
void socket_trust_free(struct sockets *);

/* ---- socket_server.c ---- */
/* A listener's TLS, before its first connection. */
void socket_settle_tls(SSL_CTX *);
/* Of those that sockets_refuse stopped, when lws has let go of them. */
void socket_listener_free(struct sockets *);
/* Those that rest may accept again. */
void socket_listener_wake(struct sockets *);

/* ---- socket_ask.c ---- */
/* fd is adopted, or closed. */
void socket_ask_new(struct socket_listener *, int fd, const char *address);
int socket_ask_event(struct socket_ask *, struct lws *, enum lws_callback_reasons, void *in,
    size_t len);
/* The bytes of the largest body that has begun; give_up: it is forgotten, and answered 503. */
size_t socket_ask_largest(struct sockets *, bool give_up);
/* Whether one more may ask. */
bool socket_ask_room(struct sockets *);
/* Deadlines of those that have not finished asking; the next one. */
int64_t socket_ask_sweep(struct sockets *);

/* ---- socket_head.c ---- */
/* Copies what lws has of its request. */
void socket_ask_read(struct socket_ask *, struct lws *);

#endif
