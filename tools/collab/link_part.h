/*
 * link_part: what the files of link share.
 *
 *	state		has		waits for		then
 *	WAITING		no socket	due			CONNECTING
 *	CONNECTING	a socket	opened			JOINING
 *					closed: lost		WAITING or ENDED
 *	JOINING		join_ref	reply ok		UP
 *					reply error: lost	OFF or ENDED
 *					due, closed: lost	WAITING
 *	UP		the channel	phx_close, phx_error,
 *					unmatched topic: lost	OFF or ENDED
 *					closed, no heartbeat,
 *					no ack, sleep, drain: lost	WAITING
 *	OFF		a socket	due			JOINING
 *					closed			WAITING, due as it was
 *	LEAVING		a socket	reply, phx_close, time	freed
 *	ENDED		nothing		link_close
 *
 * lost: what waited for acks is forgotten, down is told, once, with the time of the next
 * try; a refusal for good is told by ended instead.
 */
#ifndef KANDIL_COLLAB_LINK_PART_H
#define KANDIL_COLLAB_LINK_PART_H

#include "common/backoff.h"
#include "tools/collab/link.h"
#include "tools/collab/refusal.h"
#include "tools/collab/roster.h"

enum link_state {
	LINK_WAITING, LINK_CONNECTING, LINK_JOINING, LINK_UP, LINK_OFF, LINK_LEAVING, LINK_ENDED,
};

enum {
	LINK_QUEUE = 32 * 1024 * 1024, /* bytes that may wait to leave */
	LINK_PENDING = 65536,	       /* messages that may wait for their ack */
	LINK_NAME = 255,	       /* bytes of topic and event: their length is one byte */
};

/* What who may not write is told. */
#define LINK_MAY_LISTEN \
	"to hear it only, add --listen to join; to take part, give one that names the topic " \
	"under write, too"

/* All in ms. In the struct, so that tests need not wait for them. */
struct link_times {
	int64_t first;	   /* the first try after a loss comes within that */
	int64_t base, cap; /* the later ones, doubling */
	int64_t rate;	   /* at least, after a limit of rate */
	int64_t lasting;   /* up for so long: the next loss is a first one */
	int64_t reply;	   /* for the answer to a join, for an ack, for the end that was told */
	int64_t early;	   /* a token is replaced that long before it ends */
	int64_t renew;	   /* between two tries to get a token */
};

/* A message that the relay has not acknowledged; in the order of refs. */
struct link_pending {
	uint64_t ref, number;
	int64_t sent;
	bool done;
};

struct link_clock {
	int64_t mono, wall; /* of the last look, 0: none yet */
};

struct link {
	struct sockets *loop;
	const struct link_events *events;
	void *owner; /* their state */

	/* settings */
	char *base, *topic, *token_command, *token_file, *ca_file;
	struct buf key, token, presence_key, meta, ask;
	bool private, presence, listen;
	enum frame_dialect dialect;
	size_t max_message;
	int64_t heartbeat_ms;
	struct link_times times;

	enum link_state at;
	bool asking; /* UP, and a further join is not answered */
	int64_t due; /* of WAITING, JOINING and OFF, and of asking */
	struct socket *socket; /* the one that counts */
	struct socket *closing; /* one that is saying goodbye */
	unsigned sockets;      /* whose closed has not come yet */
	struct link_clock clock;

	/* between tries */
	struct backoff jitter;
	unsigned attempt;   /* losses since it last lasted */
	bool been_up, renewed; /* renewed: a new token is on trial */
	int64_t up_at;
	unsigned mute;	    /* channels in a row that acknowledged nothing */
	bool heard_ack;	    /* ever */

	/* of this socket and channel */
	uint64_t ref, join_ref; /* 0: none */
	bool beat_open;		/* a heartbeat, and nothing has come since */
	int64_t beat_at, token_at;
	int64_t tried_at;	/* when a token was last asked for */
	bool left;
	uint64_t track_ref, leave_ref;
	uint64_t given, gone; /* bytes into the socket's queue; out of it, as last seen */
	uint64_t last;	      /* given, behind the last message */
	int64_t moved_at;     /* when something of a message last left */
	uint64_t beat_end;    /* given, behind the open heartbeat */
	int64_t beat_left_at; /* when that left, or was said */
	int64_t acked_at;
	struct link_pending *pending; /* a ring of cap, from first on n */
	size_t first, npending, cap;
	struct refusal said; /* of a system message: why the channel will be closed */
	char said_text[256]; /* "": nothing was said */
	int64_t said_at;

	struct roster roster;
	struct frame_reader reader;
	struct buf out, payload, text;
	bool skip_noted; /* messages that are no broadcast of JSON, or nothing at all */
};

enum { LINK_NEVER_DUE = 0 }; /* of beat_at, token_at */

/* ---- link_state.c ---- */
/*
 * The connection or the channel is gone: text says why, for people. keep: the socket still stands.
 * wait_ms: until the next try, -1: by the class.
 */
void link_lost(struct link *, struct refusal, bool keep, int64_t wait_ms, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Ends the socket that counts, in a word or without; its closed will mean nothing. */
void link_drop(struct link *, bool politely);
/* Whether a system message has just said why the channel will end. */
bool link_was_told(const struct link *);
bool link_slept(struct link_clock *, int64_t mono, int64_t wall, int64_t limit);

/* ---- link_say.c ---- */
void link_join(struct link *);
void link_beat(struct link *);
void link_say_track(struct link *);
void link_say_token(struct link *);
void link_say_leave(struct link *);
/* Notes what has left since; bytes that still wait. */
size_t link_moved(struct link *);
/* The oldest message without an ack, NULL: none. */
const struct link_pending *link_oldest(const struct link *);
bool link_awaits(const struct link *, struct slice ref);
/* Acknowledged: its number is told; false: no such ref is waited for. */
bool link_take_ack(struct link *, struct slice ref, bool ok, const char *reason);
void link_forget(struct link *); /* all that waits for acks */

/* ---- link_hear.c ---- */
void link_hear(struct link *, struct slice bytes, bool binary);

/* ---- link_token.c ---- */
/* Whether a new token can be had at all. */
bool link_can_renew(const struct link *);
/* Gets one: 0, or -1 with e. *fresh: it is another than before. */
int link_renew(struct link *, bool *fresh, struct err *e);
/* When it is time, replaces the token, and tells the channel when it is up. */
void link_token_turn(struct link *, int64_t now);
/* Sets token_at from what the token says. */
void link_token_plan(struct link *, int64_t now);

#endif
