/*
 * hub_part: what the files of the hub share. A connection (conn) holds channels;
 * a channel is one connection's membership of one topic; a topic dies with its last
 * channel (its history lives on in hub_history).
 *
 *	hub.c          open, listen, accept, drain, timers
 *	hub_conn.c     one connection: frames in, dispatch, replies
 *	hub_join.c     phx_join, phx_leave, access_token; refusals by their codes
 *	hub_topic.c    topics and channels; fan-out by dialect
 *	hub_presence.c track, untrack, state, diffs
 *	hub_admit.c    keys and claims at the handshake and at joins
 *	hub_rest.c     /api/broadcast, /healthz, /metrics; hub_post.c the broadcasts
 *	hub_limit.c    rates
 *	hub_cap.c      what limits hold back: counted, and said
 *	hub_metric.c   counters
 *	hub_history.c  what was said: keeping it, replay
 *	hub_heal.c     sending it again, to official clients and to ours
 */
#ifndef KANDIL_COLLAB_HUB_PART_H
#define KANDIL_COLLAB_HUB_PART_H

#include "common/backoff.h"
#include "common/hash.h"
#include "common/json.h"
#include "common/socket.h"
#include "tools/collab/frame.h"
#include "tools/collab/hub.h"

/*
 * Parts of max_memory: 1/2 is the history's, 1/4 for queues, 1/8 each for what members track, and
 * for messages and bodies on their way in.
 */
enum { MEMORY_HISTORY = 2, MEMORY_QUEUES = 4, MEMORY_PRESENCE = 8, MEMORY_BEGUN = 8 };

/* A rate: a token bucket of one second's worth, at least 10. Zero-initialised is full. */
struct limit {
	double used;
	int64_t at;
};

/* What a key, a connection or a topic may do is counted by key as well: one per key in use. */
struct key_use {
	char *name; /* claims.name */
	long conns;
	struct limit messages, joins;
};

struct conn {
	struct hub *hub;
	struct socket *socket;
	struct claims claims; /* of the handshake */
	char *token; /* what it came with, for admit_check after a hub_rekey; freed with the claims */
	char *address;
	struct key_use *use;
	enum frame_dialect dialect;
	bool official; /* realtime-js: kind 4 may be sent (§3 of the facts) */
	struct channel *channels; /* by next_of_conn */
	long nchannels;
	struct limit messages;
	int64_t heard; /* ms, monotonic */
	bool phoenix;  /* came by /socket/: topics of any prefix */
	bool closing;  /* what it still says does not count */
	struct conn *next, *prev;
};

struct channel {
	struct conn *conn;
	struct topic *topic;
	char *join_ref; /* NULL: joined without */
	char *presence_key;
	bool ack, self, presence;
	bool may_write; /* private topics */
	struct claims *claims; /* of its access_token (admit_forget ends it); NULL: the connection's */
	struct meta *metas;    /* what it tracks: hub_presence */
	struct limit presence_calls;
	struct heal *heals; /* what it wants of the history: hub_heal; NULL: nothing */
	struct channel *next_of_conn, *next, *prev; /* next, prev: in the topic */
};

struct topic {
	struct hub *hub;
	char *name; /* with realtime:, as bytes; len bytes, NUL behind */
	size_t len;
	bool private;
	struct channel *channels;
	size_t nchannels;
	struct limit messages;
	struct presences *presences; /* hub_presence, NULL: nobody */
};

/* What a limit is on. */
enum cap {
	CAP_RATE, CAP_KEY_RATE, CAP_TOPIC_RATE, CAP_PRESENCE_RATE, CAP_JOINS, CAP_CONNECTIONS,
	CAP_CHANNELS, CAP_TOPICS, CAP_PAYLOAD, CAP_TRACKED, CAP_MEMORY, CAP_SLOW,
	CAPS,
};

struct metrics {
	uint64_t connections, refused_key, refused_limit, refused_origin, joins, joins_refused,
	    broadcasts, deliveries, too_large, over_rate, bad_frames, slow, rest, rest_refused,
	    presence_calls, replayed;
	uint64_t capped[CAPS];
};

struct hub {
	struct sockets *sockets;
	struct hub_settings settings;
	struct conn *conns;
	struct table uses; /* hub_limit: by name */
	size_t uses_most;  /* when so many are kept, those of nobody are dropped */
	struct registry *topics; /* hub_topic: by (private, name); may delete */
	struct histories *histories; /* hub_history; NULL: none are kept */
	struct heal *healing;	     /* hub_heal: the channels that want something of it */
	const struct keyring *checked; /* hub_admit: the keyring that all were admitted by */
	struct metrics metrics;
	struct told *told; /* hub_cap: what was said lately */
	size_t ntold, told_cap;
	struct backoff random;
	int64_t started, draining; /* ms, monotonic; draining: until when; 0: no */
	size_t nconns, ntopics, history_bytes;
	struct presences *changed;    /* topics whose members changed since the last turn */
	size_t presence_bytes;	      /* of all metas */
	int64_t next_check;	      /* of admit_check: ms, monotonic */
	struct buf scratch;	      /* a frame being written: by hub_conn and hub_topic alone */
	struct buf body;	      /* its payload: likewise */
	struct frame_reader reader;   /* what lies in it lives until its frame is dealt with */
};

/*
 * A broadcast on its way to the members of a topic: framed at most once per form, as
 * the first member of that form comes by.
 */
struct cast {
	struct slice event, payload, meta; /* payload raw JSON, or bytes when !json */
	struct slice whole; /* came as text: its payload as it was, for text; empty: to be made */
	bool json;
	bool user; /* came as kind 3: goes as kind 4 to official v2 clients */
	struct socket_frame *v1, *v2, *kind4, *kind2;
};

/* ---- hub_conn.c ---- */
extern const struct socket_events conn_events;
/* response: raw JSON. The reply carries to's refs. */
void conn_reply(struct conn *, const struct frame *to, bool ok, struct slice response);
/* The same with the channel's join_ref. */
void channel_reply(const struct channel *, const struct frame *to, bool ok, struct slice response);
void conn_push(struct channel *, const char *event, struct slice payload); /* with its join_ref in v2 */
void conn_close_push(struct channel *); /* phx_close, whose ref is the join_ref */
/* Event system; ok: about the whole socket, so without the member channel. */
void conn_system(struct channel *, bool ok, const char *message);
/* Ends the connection behind what is queued. */
void conn_end(struct conn *, int code, const char *reason);
/* Its channels leave, and it is freed; nothing is sent to it. */
void conn_free(struct conn *);

/* ---- hub_topic.c ---- */
/* Its name without realtime:, as people and claims know it. */
struct slice topic_short(struct slice name);
struct topic *topic_find(struct hub *, struct slice name, bool private);
struct topic *topic_get(struct hub *, struct slice name, bool private); /* made; NULL: too many */
struct channel *topic_join(struct topic *, struct conn *);
/* Presence leaves are told; the topic may be gone afterwards. */
void topic_leave(struct channel *);
/* except NULL: to all. Returns how many. Does not look at limits, and records history. */
size_t topic_cast(struct topic *, struct cast *, const struct channel *except);
/* A text message with null refs to all members, framed once per dialect: diffs. */
void topic_tell(struct topic *, const char *event, struct slice payload);
/* One message to one member in its dialect: replay and healing. */
void channel_cast(struct channel *, const struct cast *);
void topics_free(struct hub *);

/* ---- hub_join.c ---- */
void channel_join(struct conn *, const struct frame *);
void channel_leave(struct conn *, const struct frame *);
void channel_token(struct channel *, const struct frame *);
/* Ends it: system message (NULL: none), then phx_close. */
void channel_end(struct channel *, const char *message);
struct channel *conn_channel(const struct conn *, struct slice topic);

/* ---- hub_presence.c ---- */
void presence_call(struct channel *, const struct frame *);
void presence_state(struct channel *);	/* pushed after a join that enabled it */
void presence_gone(struct channel *);	/* its metas leave, with a diff */
/*
 * The diffs that wait, one a topic: what happened between two turns is one diff, so that a
 * thousand members who are cut at once are not a million messages.
 */
void presence_turn(struct hub *);
void presences_free(struct presences *);

/* ---- hub_admit.c ---- */
/*
 * The handshake: fills the connection's claims, token and use (limit_key); or answers (401, 403,
 * 429, 503) and -1.
 */
int admit_upgrade(struct hub *, struct socket_ask *, struct conn *);
/* A REST request's claims; -1: it has none (answers nothing). */
int admit_rest(struct hub *, struct socket_ask *, struct claims *);
/* Whether a page of that origin may speak to us; no origin (ptr NULL) is no browser: true. */
bool admit_origin(const struct hub *, struct slice origin, struct slice host);
/* Whether it names this machine's loopback: localhost, 127.0.0.0/8, ::1; with or without a port. */
bool admit_loopback(struct slice host);
/*
 * The claims that a join or a refresh is to have: token empty or sb_…: the handshake's (*out NULL).
 * -1 with e->code "InvalidJWTToken" and the like, and e->text "CODE: what is wrong": a join is
 * answered with it, a refresh (system) with what stands behind ": ".
 */
int admit_token(struct conn *, struct slice token, struct claims **out, struct err *e);
/* topic: with realtime:, as in struct topic; claims NULL: the connection's. Public: always. */
bool admit_topic(const struct conn *, const struct claims *, struct slice topic, bool private,
    bool write);
/* Ends what admit_token made; NULL is fine. */
void admit_forget(struct claims *);
/*
 * Whose token has expired, or whose key is gone after a hub_rekey? Its channels are ended as the
 * protocol says; a connection whose key is gone is closed. To be called about every second.
 * now: wall clock (time_now), as exp is.
 */
void admit_check(struct hub *, int64_t now);

/* ---- hub_limit.c ---- */
/* Whether one more is within rate a second (0: always); counts it if so. */
bool limit_take(struct limit *, double rate, int64_t now);
/* A message of this connection to this topic: NULL, or the protocol's words. */
const char *limit_message(struct conn *, struct topic *, int64_t now);
const char *limit_join(struct conn *, int64_t now);
struct key_use *limit_key(struct hub *, const char *name); /* counted, made */
/* n messages by REST of this key: NULL, or the protocol's words. */
const char *limit_rest(struct hub *, struct key_use *, size_t n, int64_t now);
/* What a REST request that was not within it is told. */
const char *limit_words(const struct limit *, double rate, int64_t now);
/* Takes it back. */
void limit_give(struct limit *);
/* What is left of it, in messages. */
double limit_room(const struct limit *, double rate, int64_t now);
void limit_key_done(struct key_use *);
void limits_free(struct hub *); /* hub_close */

/* ---- hub_cap.c ---- */
/*
 * Something of key (claims.name) was not taken, or a connection ended: counted, and
 * said when that is due. address NULL: the limit is of all that the key has.
 */
void hub_capped(struct hub *, enum cap, const char *key, const char *address, int64_t now);
void conn_capped(struct conn *, enum cap); /* likewise, of one connection */
const char *cap_name(enum cap);		   /* as /metrics has it */
void caps_turn(struct hub *, int64_t now); /* about every second, while hub->ntold */
void caps_free(struct hub *);

/* ---- hub_rest.c, hub_metric.c ---- */
void rest_request(struct socket_ask *, void *hub);
void metric_write(struct hub *, struct buf *out); /* Prometheus text format 0.0.4 */

/* ---- hub_history.c ---- */
int history_open(struct hub *, struct err *e); /* reads history_dir */
/* What is said in a topic that nobody is in (REST); history_add is the same for those that are. */
void history_keep(struct hub *, struct slice topic, bool private, const struct cast *);
void history_add(struct topic *, const struct cast *);
/*
 * join's config.broadcast.replay {since, limit}, behind the ok of the join (which has checked that
 * the channel is private and since and limit are numbers): NULL, or the protocol's words of
 * refusal, with which the channel ends.
 */
const char *history_replay(struct channel *, struct slice replay);
/* A control message of a kandil client (event "kandil"): true when it was for the hub alone. */
bool history_control(struct channel *, struct slice payload);
/*
 * join's config.kandil, behind the ok of the join: an array of such messages to the history, from
 * who listens, and may have no right to send any. What is none of them is passed over.
 */
void history_ask(struct channel *, struct slice asks);
/* A second join of the connection replaces old: what old still wants goes to the new channel. */
void history_go_on(struct channel *old, struct channel *);
bool history_kept(const struct hub *);
/*
 * Before the join is answered: what history_replay would refuse, without sending anything; NULL:
 * it is fine. history_replay itself comes after the reply (it sends broadcasts).
 */
const char *history_replay_refusal(bool private, struct slice replay);
/* Its topic's, lent until the next history_turn or history_keep; NULL: nothing is kept. */
struct history *history_of_channel(const struct channel *);
/* Sends those numbers again, as replayed: what fits now, the rest by heal_turn. */
void heal_replay(struct channel *, uint64_t first, uint64_t last);
int64_t heal_turn(struct hub *); /* ms until it wants to be called again, -1: any */
/* topic_leave calls it: what the channel still wants is forgotten. */
void history_forget(struct channel *);
/*
 * Drops what is too old, writes what waits, heals; ms until it wants to be called again, -1: any.
 */
int64_t history_turn(struct hub *);
void history_close(struct hub *);

#endif
