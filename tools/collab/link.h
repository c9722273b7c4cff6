/*
 * link: one channel of a Phoenix socket, connected, joined and kept so.
 *
 * It connects, joins, beats, refreshes tokens, and after any loss comes back
 * by itself: first try within 100 ms, then exponentially with full jitter up
 * to 10 s. Refusals are classed by refusal.h: refresh (a new token, once, at
 * once), rate (messages slower), busy (later), back off, never (ended). It keeps nothing:
 * what was sent and not acknowledged when the link went down is the caller's to send
 * again. A try looks up the relay's name, for which the loop stands (socket.h).
 * Sources: Phoenix Channels v1 and v2; Supabase Realtime's channel codes.
 */
#ifndef KANDIL_COLLAB_LINK_H
#define KANDIL_COLLAB_LINK_H

#include "common/die.h"
#include "common/socket.h"
#include "tools/collab/frame.h"

/*
 * What leads to a loss: a socket that is closed, cut or refused; no answer to a join in 10 s; a
 * heartbeat with nothing after it, once it has left; no ack; phx_close and phx_error (the socket
 * stays, a new join has a new join_ref); a relay that says it shuts down; a wall clock that jumped
 * by two heartbeats more than the other (sleep: back at once). After 10 s of being up the waits
 * begin anew. A new token is got 60 s before the old one's exp and pushed where the channel is up; where
 * the relay finds one expired a new one is tried at once, once: a second such refusal without
 * 10 s of being up between ends the link.
 */
struct link;

struct link_settings {
	/*
	 * http(s):// or ws(s)://HOST[:PORT][/PATH]; without a path /realtime/v1, to
	 * which /websocket?apikey=…&vsn=… is added. Over plain ws only to loopback,
	 * unless insecure: a key in the clear is refused ("insecure").
	 */
	const char *url;
	bool insecure;
	struct slice key;      /* apikey; copied */
	struct slice token;    /* access_token, a user's JWT; empty: none, the key counts */
	/* Prints a token (sh -c), or NULL: at start and for each refresh. Blocks, at most 10 s. */
	const char *token_command;
	const char *token_file;	   /* is read again for each refresh; NULL */
	const char *topic;     /* without realtime: */
	bool private;
	enum frame_dialect dialect;
	bool presence;	       /* presence is wanted, and we track ourselves */
	struct slice presence_key, presence_meta; /* meta: a JSON object */
	/*
	 * Says nothing but what keeps it joined: it does not track itself, and may be without the
	 * right to write. ask: what every join asks of our hub's history, as link_ask.
	 */
	bool listen;
	struct slice ask;
	const char *ca_file;
	size_t max_message;    /* as in socket.h */
	long heartbeat_ms;     /* 0: 25,000; nothing heard before the next is due: cut */
	uint64_t seed;	       /* of the jitter; 0: random */
};

enum link_class {
	LINK_REFRESH,
	LINK_RATE, /* too many messages a second: to be sent slower */
	LINK_BUSY, /* too many joins, connections, changes of presence: to be tried later */
	LINK_BACKOFF,
	LINK_NEVER,
};

/* All come from sockets_wait and link_turn; any may be NULL. None may call link_close. */
struct link_events {
	/* Joined; response: of the join's reply, raw JSON. Again after each loss. */
	void (*up)(struct slice response, void *state);
	/*
	 * Lost, or a try failed. code as of kandil-records(5); retry_ms until the next try.
	 * text is one line without secrets.
	 */
	void (*down)(enum link_class, const char *code, const char *text, int64_t retry_ms,
	    void *state);
	/* The next connection is tried (a channel may be joined again without): for --status. */
	void (*connecting)(void *state);
	/* payload raw JSON; what is none does not get here (noted once). meta: JSON or empty. */
	void (*broadcast)(struct slice event, struct slice payload, struct slice meta, void *state);
	/*
	 * The relay took (ok), or refused for good, what was sent with this number. Never after
	 * down. None within 10 s while nothing moves either: the link is broken.
	 */
	void (*acked)(uint64_t number, bool ok, const char *reason, void *state);
	/*
	 * Who is here: key came, changed, left. meta: the newest, raw JSON object, empty when
	 * left. After each up the roster is told anew as differences to what was known.
	 */
	void (*member)(struct slice key, bool here, struct slice meta, void *state);
	/* It will never work: say text and stop with this status. No further call. */
	void (*ended)(enum status, const char *code, const char *text, void *state);
};

/*
 * NULL with e: "bad_url", "insecure", "no_key", "bad_topic", or what where_token gives. Connects
 * with the first link_turn. Settings are copied, events stay the caller's.
 */
struct link *link_open(struct sockets *, const struct link_settings *, const struct link_events *,
    void *state, struct err *e);
/*
 * Leaves the channel and closes, waiting at most wait_ms for what is queued (and a second for
 * the goodbye). Calls sockets_wait, so other sockets and watches go on; broadcasts and acks
 * are still told. Before sockets_close.
 */
void link_close(struct link *, int64_t wait_ms);
/*
 * Broadcasts with ack; number comes back by acked (0: do not tell). In v2 as
 * kind 3, whose payload's bytes survive every relay; else as text. False,
 * nothing sent: it is not up, or too much is queued (32 MiB): wait for acked.
 * event has at most 255 bytes.
 */
bool link_send(struct link *, struct slice event, struct slice payload, uint64_t number);
/*
 * Asks our hub's history by joining once more, which ends nothing: asks is its config.kandil, a
 * JSON array of control messages (session.h). False, nothing sent: it is not up, or the last is
 * not answered. A refusal is a loss.
 */
bool link_ask(struct link *, struct slice asks);
/* Timers: to be called after each sockets_wait; milliseconds until the next is due, -1: none. */
int64_t link_turn(struct link *);

#endif
