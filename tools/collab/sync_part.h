/*
 * sync_part: what the files of sync share.
 *
 *	sync.c		the loop; standard input and output; when to leave
 *	sync_own.c	patches of ours: stamped, split, said
 *	sync_hear.c	what comes: patches, heads, snapshots
 *	sync_head.c	heads and snapshots that we say, and ask for
 *	sync_past.c	snapshots that passed by, and those for the hub's history
 *	sync_store.c	our replica on disk
 *	sync_file.c	the document of --state
 *
 * The topic is TOPIC:state. All that is said is a numbered message of the session:
 *	state	{"stamp":[l,c],"patch":{…}}
 *	head	state_head; hello: the same of one that has just come, who wants those of the others
 *	want	{"want":"snapshot","to":F}
 *	chunk	a part of state_snapshot
 * A hello is answered with a head by all who are here, one after the other, the lowest
 * identity first. A snapshot goes to everybody, since all number alike what F says; who
 * needs none only counts it.
 *
 * THE HUB'S HISTORY. Where the hub has one, somebody new who meets nobody begins with all of it
 * (SESSION_ALL_ALONE); who lacks something looks through the snapshots in its inbox before
 * it asks a member. A history forgets its oldest messages, so a snapshot is said into it
 * that nobody asked for, when since the last one, whoever said it,
 *	- 64 messages came, patches and heads, and as many bytes of them as that one had, or
 *	- any came, and it is six hours old;
 * by the lowest identity of those who are here. Heads count since they push out what is older, too:
 * runs that change nothing do not leave a history without the state. The condition on bytes makes
 * all snapshots together cost at most what they do, and one snapshot more: traffic stays within
 * about twice that without a history, however large the state is. Six hours cost four
 * snapshots a day, and are for histories by time, and states that are large and hardly change.
 * The last to leave, in good order (--once, --for, TERM), does so by the same rule without the
 * 64: a state that is worked on by short runs alone has snapshots, too, and a hundred runs of
 * --once with a small change each do not cost the whole state a hundred times. A history
 * suffices, then, when it holds two snapshots and what was said between them. How
 * much was counted is kept with the replica, for runs may be short.
 */
#ifndef KANDIL_COLLAB_SYNC_PART_H
#define KANDIL_COLLAB_SYNC_PART_H

#include "common/backoff.h"
#include "common/hash.h"
#include "tools/collab/collab.h"
#include "tools/collab/document.h"
#include "tools/collab/party.h"
#include "tools/collab/state.h"

enum {
	SYNC_FILE = 64 << 20, /* bytes of --state that are read */
	SYNC_REGISTERS = 500000,
	SYNC_BYTES = 128 << 20, /* of the state */
	FORGET_DAYS = 30,     /* who is away for so long is not waited for */
};

/* The places in the inbox of the parts of a snapshot, in order. */
struct parts {
	uint64_t *at;
	size_t n, cap;
};

/* Whom we know: when it was last heard, and whether it has told its head since we are up. */
struct replica {
	char *name;
	int64_t heard; /* wall clock */
	bool head;     /* it has said its head since we are up: */
	char digest[17];
	bool ahead, refused; /* said: its clock is wrong; its patches are not taken */
	bool early;	     /* some patch of it waits for our clock */
	bool early_head;     /* its last head did */
	size_t coming;	     /* bytes of a snapshot of it that comes in; 0: none */
	struct parts begun;  /* of its newest one, which is not whole */
	struct parts whole;  /* of the newest that is, until it was looked at; none: n is 0 */
	uint64_t joined;     /* up to there they are a part of ours */
};

/* The last snapshot that was heard or said, and what came since. */
struct since {
	int64_t at; /* wall clock; size 0: of the first message; 0: of none */
	uint64_t messages, bytes; /* patches and heads since then */
	uint64_t size; /* its bytes */
};

/* The party's counters: the clock's bound; the hash of what we write into the file. */
enum { COUNT_CLOCK, COUNT_WRITTEN };

/* Values one behind the other, each in a slice of one buffer. */
struct queue {
	struct buf bytes;
	size_t *ends;
	size_t n, cap, next; /* next: the first that is still to be done */
};

struct sync {
	struct run *run;
	const struct settings *set;
	struct buf topic;
	struct sockets *loop;
	struct party *party;
	struct state *state;
	struct clock clock;
	char *self;	      /* as state and outbox know us now */
	bool renewing;	      /* the party was asked for another identity */

	/* patches of ours that wait: edits of the file, and those of a closed identity */
	struct queue edits, again;
	bool clock_told;

	int64_t joined_by;    /* who is new does not wait for the others any longer */

	/* standard input and output */
	bool reading;	      /* there is more to come */
	bool ready;	      /* some of it is there */
	struct socket_watch *input;
	bool unheard;	      /* we are new, said nothing and wrote nothing: that waits for the others */
	bool first;	      /* the whole state was written */
	struct state *shown;  /* what the reader of our patches knows; stamped by shown_at */
	struct stamp shown_at;
	bool changed;	      /* the state has: it may not be what is shown */
	int64_t emit_at;      /* not before */

	/* the file */
	struct document *document;
	int notify;	      /* inotify; -1: none */
	bool touched;	      /* something happened there */
	bool joining;	      /* we are new, and the file is not: it waits for the others */
	int64_t look_at;      /* else it is looked at then */
	bool stale_file;      /* it has to be written */
	bool gone;	      /* somebody removed it, who may be writing another */
	bool refused;	      /* it has what cannot be shared: a copy of it is kept */
	bool keep_base;	      /* what it says is not on disk as our base */
	int64_t write_at;     /* not before */
	int64_t fault_at;     /* a broken file is told then, 0: nothing to tell */
	struct err fault;
	bool fault_told, write_told;

	/* heads and snapshots */
	struct table names;
	struct replica **replicas;
	size_t nreplicas, replicas_cap;
	int64_t head_at;      /* -1: none is due */
	bool hello;	      /* it is one */
	int64_t lag_at;	      /* of lag_of up to lag_seq is missing: a snapshot then; -1: nothing is */
	char *lag_of;
	uint64_t lag_seq;
	struct backoff random;
	int64_t want_at;      /* a snapshot is asked for; -1: none is needed */
	unsigned wants;
	bool want_head;	      /* somebody's head says so: what passed by is not enough */
	bool lacking;	      /* nobody is here who could say one: told */
	char *want_of;	      /* whom; NULL: whoever is here */
	uint64_t hole;	      /* the first place of the inbox that could not be merged; 0: none */
	size_t held;	      /* bytes of the inbox since the first hole, or early one */
	uint64_t early;	      /* the first place that waits for our clock; 0: none */
	int64_t early_at;     /* it is merged again then */
	int64_t offset;	      /* of the wall clock */
	int64_t ask_at;	      /* heads and snapshots were ahead of our clock: others then; -1: none were */
	bool own_hole;	      /* lines of our own that are not kept */
	struct state *fresh;  /* a snapshot that comes in */
	char *fresh_from;
	struct queue chunks;  /* one that we send */
	bool chunks_again;    /* and it was asked for once more */

	/* the history */
	bool new;	      /* nothing of others is here, and it is not known whether all has come */
	bool blank;	      /* likewise, and nothing was taken of anybody who knows more */
	bool left;	      /* a last one was said */
	bool leaving;
	uint64_t noted;	      /* up to this place of the inbox snapshots are noted */
	size_t parts;	      /* of all senders, that are noted */
	struct since since, saying; /* saying: as since was when what we say now was made */

	/* the replica on disk */
	char *store;
	char *base_store;
	struct buf base;      /* what the file of --state said last, when we began; empty: not known */
	uint64_t place;	      /* of the inbox: all is merged, or is behind hole or early */
	bool dirty;
	int64_t store_at;
	bool store_told;

	int64_t leave_at;     /* --for; 0: never */
	bool agreed;	      /* with --once: all who are here, at the last look */
	struct buf text, payload;
};

/* ---- queue ---- */
void queue_add(struct queue *, struct slice);
/* The first that is to be done; false: none. queue_drop: it is. */
bool queue_next(const struct queue *, struct slice *);
void queue_drop(struct queue *);
void queue_free(struct queue *);

/* ---- sync_own.c ---- */
/* Whether a patch can be said at all: 0, or -1 with e: "too_deep", "too_large", "state_full". */
int own_check(struct sync *, struct slice patch, struct err *e);
/* Queues a patch, in as many as are needed; what can never go is told. */
void own_queue(struct sync *, struct slice patch);
/*
 * Stamps, says and merges what is queued, as far as it goes: false when some waits (the outbox is
 * full, the clock was set back).
 */
bool own_flush(struct sync *);
/* Merges what the outbox has beyond the state. */
void own_replay(struct sync *);
/* Our identity is closed: takes another, and says again what was lost. */
void own_renew(struct sync *);
/* The party has another identity. */
void own_adopt(struct sync *);
/* We have stamped that before: the clock goes on behind it. */
void own_passed(struct sync *, const struct stamp *);
/* A clock's reading that is stored where it must be. */
int own_tick(struct sync *, struct stamp *, struct err *e);

/* ---- sync_hear.c ---- */
bool hear_entry(const struct party_entry *, void *sync);
/* Merges once more what could not be. gaps: what nobody has is a hole all the same. */
void hear_again(struct sync *, bool gaps);
/* Looks again at what was ahead of our clock; ms until the next time, -1: nothing was. */
int64_t hear_turn(struct sync *);
/* The first place of the inbox that is still to be merged; 0: none. */
uint64_t hear_first(const struct sync *);
/* What has come of a snapshot is of no use. */
void hear_drop_fresh(struct sync *);
/* An empty state for one to be loaded into. */
struct state *hear_fresh(void);
/* One that is whole becomes a part of ours: false: it cannot, which is told. */
bool hear_join(struct sync *, struct state *snapshot, const char *from);
/* Nobody who is here could have said what we hear: it comes out of the history. */
bool hear_is_past(const struct sync *);
/* Nothing of others is in our state. */
bool hear_is_new(const struct sync *);
struct replica *hear_replica(struct sync *, struct slice name);

/* ---- sync_head.c ---- */
void head_soon(struct sync *, int64_t ms);
/* A snapshot is needed, of that one (empty: anybody), in so many ms. */
void head_want(struct sync *, struct slice of, int64_t ms);
/* Somebody has come and said hello. */
void head_answer(struct sync *, struct slice from);
/* Somebody asked us for a snapshot. */
void head_snapshot(struct sync *);
/* A part of what we asked for has come. */
void head_waiting(struct sync *);
/* A snapshot has come. */
void head_joined(struct sync *);
/* Likewise, out of the inbox. */
void head_looked(struct sync *);
/* None is of use now. */
void head_drop_want(struct sync *);
/* Says what is due; ms until the next, -1: none. */
int64_t head_turn(struct sync *);
/* Somebody's head is old: all are asked for theirs, once a second. */
void head_ask_again(struct sync *);
/* Its last head has the state that we have. */
bool head_is_ours(const struct sync *, const struct replica *);
/* All who are here have told their heads, they have the state that we have. */
bool head_agree(struct sync *);
/* Who was not heard for long is not waited for; drops tombstones that all have. */
void head_collect(struct sync *);

/* ---- sync_past.c ---- */
/* A patch was merged, or a head said or heard, of so many bytes. */
void past_message(struct sync *, const struct stamp *, size_t bytes);
/* A part of a snapshot is heard: its number, -1: it is none. */
long long past_chunk(struct sync *, const struct party_entry *);
/*
 * Takes what the inbox has of snapshots that we did not need before, the newest first: whether
 * there was any. What names there are is up to the others: each part is read once,
 * and one look takes so many snapshots at most; the next one goes on.
 */
bool past_look(struct sync *);
/* We begin to say one; all of it is said. */
void past_begun(struct sync *, const struct stamp *id);
void past_said(struct sync *);
/* Says one when it is time; ms until it is to be called again, -1: no need. */
int64_t past_turn(struct sync *);
/* We leave: true when one is to be said before. */
bool past_leave(struct sync *);

/* ---- sync_store.c ---- */
/* Loads the replica, or begins one; dies where it cannot. */
void store_open(struct sync *);
/* Writes it when it is time, or now; ms until it is to be done, -1: no need. */
int64_t store_turn(struct sync *, bool now);
/*
 * Writes what the file of --state said last beside the replica, once all edits up to there are in
 * the outbox: after a crash an edit is told from what came by it.
 */
void store_base(struct sync *);

/* ---- sync_file.c ---- */
/* Dies where the folder of that file is not there. */
void file_check(const char *name);
void file_open(struct sync *);
/* Takes edits, and writes what changed; ms until it is to be done again. */
int64_t file_turn(struct sync *);
/*
 * The state is in the file, and the file in the state; or it is broken, or with --once it
 * cannot be written.
 */
bool file_settled(const struct sync *);
void file_close(struct sync *);

#endif
