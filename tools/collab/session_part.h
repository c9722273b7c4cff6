/*
 * session_part: what the files of the session share.
 *
 *	session.c        open, up, down, the turn, own messages and their acknowledgement
 *	session_peer.c   whom we know of, and who is here
 *	session_heard.c  broadcasts that arrive, taken apart
 *	session_order.c  each sender's messages in order: holes, gaps, the newcomer's baseline
 *	session_want.c   asks for holes
 *	session_heal.c   answers who asks
 *	session_tell.c   what is waited for, for people
 *	session_say.c    hello and have: what is said about ourselves
 */
#ifndef KANDIL_COLLAB_SESSION_PART_H
#define KANDIL_COLLAB_SESSION_PART_H

#include "common/backoff.h"
#include "common/hash.h"
#include "common/json.h"
#include "common/time.h"
#include "tools/collab/held_back.h"
#include "tools/collab/pace.h"
#include "tools/collab/session.h"

enum {
	HOLDERS = 8,	 /* members remembered who have more of a sender than we */
	JOBS = 64,	 /* wants that are being answered */
	PEERS = 10000,	 /* senders and members that are taken from the wire */
	NAME_MAX_LEN = 255,
	SOON_MS = 200,
	SETTLE_MS = 1000, /* a newcomer's first second; how long who is here is not known */
	RETURN_MS = 15000, /* who has gone may be on its way back: a link waits 10 s at most */
	ABSENT_MS = 120000, /* without presence: who was not heard for so long is away */
};
/* Numbers that survive every JSON reader. */
#define SEQ_MAX ((uint64_t)1 << 53)

struct holder {
	struct peer *who;
	uint64_t lowest, up_to; /* what it has */
	unsigned asked;	       /* times in a row without an answer */
};

struct peer {
	char *name;
	size_t len;

	/* its messages */
	bool known;	    /* where its order begins: false only in a newcomer's first second */
	uint64_t delivered, stored;
	uint64_t last;	    /* the highest that it has sent, as far as it or a message says */
	uint64_t base_have, base_live; /* of the first second: the highest in a have, the lowest live */
	struct held_back held;
	struct holder holders[HOLDERS];
	unsigned nholders, next_holder;
	unsigned hub_asked; /* the hub, whatever it said that it has: as holder.asked */
	uint64_t lost;	    /* this number was found to be nowhere, then: */
	int64_t lost_at;
	uint64_t gone;	    /* all up to there: a holder said that it has it no more */
	uint64_t gone_self, gone_hub; /* it said so itself; the hub did */
	bool dirty;	    /* stored is to be told */

	/* what we asked for: session_want */
	bool wanting;	    /* it is in the list */
	int64_t want_at;
	uint64_t want_last; /* of the want that is out, 0: none */
	bool want_more;	    /* the hole is longer */
	unsigned tries;

	/* the member */
	bool ours;	    /* speaks as a kandil client, or is named like one */
	bool present, near; /* in presence; in the list of those who are or were lately here */
	bool was_here;	    /* when the list was last looked through */
	int64_t heard;	    /* -1: never */
	int64_t away;	    /* since when it has not been here, while we were up */
	bool bye;	    /* it said that it leaves */
	uint64_t acked;	    /* of ours, as it said last */
	bool answered;	    /* it has answered our last hello */
	bool greeted;	    /* we have to answer its */

	uint64_t mark;	    /* walks over a map */
};

/* A list of peers that have a flag; those that lost it are taken out when it is walked. */
struct peers {
	struct peer **v;
	size_t n, cap;
};

struct job {
	struct peer *of;       /* NULL: ours */
	uint64_t first, next, last;
	unsigned left;	       /* messages that this want may still get */
	int64_t touched;
	struct peer *to;       /* for gone */
	bool done;	       /* lingers: who asks for the same at the same time has been answered */
};

struct session {
	struct session_settings set;
	char *self;
	struct slice from; /* self */
	struct buf self_json;
	const struct session_hooks *hooks;
	void *state;
	struct backoff random;
	int64_t now;

	struct table names;
	struct peers all, near, wanting, dirty;
	struct peer *hub;     /* the relay's history, where it has one */
	struct peer *foreign; /* what came from no kandil client while there was no room */
	size_t held_bytes;
	uint64_t epoch, dropped;
	int64_t swept;	      /* when names were last forgotten */

	bool up, stale, history, holding;
	bool presence;	      /* there is presence: somebody was told of */
	bool roster;	      /* since up: we saw ourselves in it */
	bool leaving;	      /* said with the last have */
	int64_t up_at;
	bool settling;	      /* newcomer */
	bool beginning;	      /* a listener that is one, until it is cut off for the first time */
	int64_t quiet_until;  /* own messages wait: is our disk an old copy? */
	bool was_up;

	/* own messages */
	bool owned;
	uint64_t inherited; /* written before this process */
	uint64_t last, sent, most_sent, relayed, confirmed;
	uint64_t given; /* the last that went out since up; what is behind it goes by itself */
	unsigned char *acked; /* ring of bits over the window */
	unsigned unwanted;    /* times in a row that the first of them was refused */
	int64_t resend_at;    /* after a refusal that is not final; 0: none */
	bool jammed;	      /* the link took nothing: acknowledgements or time open it */
	struct pace pace;
	double ack_level; /* deliveries that acknowledgements may cost now */
	int64_t ack_at;

	/* what is to be said */
	bool hello;
	int64_t hello_at;
	int64_t have_at;      /* -1: nothing is due */
	int64_t have_due;     /* since when */
	bool have_now;	      /* somebody new waits for it */
	int64_t have_forced;  /* when that was last so */
	int64_t ask_at, ask_wait; /* -1: nobody is behind */
	uint64_t ask_mark;    /* who has not acknowledged this by ask_at is asked */
	uint64_t refused[64]; /* the newest that the relay refused for good */
	size_t nrefused;
	unsigned wants;	      /* since: */
	int64_t wants_at, look_at;
	int64_t again_at;     /* when something came that somebody had asked for */
	struct job jobs[JOBS];
	size_t njobs, next_job;
	bool heal_turn;
	struct buf out, reply, text, other;
};

/* ---- session_peer.c ---- */
/* NULL: unknown (or no name), and no room or no wish to make it. */
struct peer *peer_get(struct session *, struct slice name, bool make);
struct slice peer_name(const struct peer *);
bool peer_here(const struct session *, const struct peer *);
/* Here, or gone just now without a word: cut off with us, it is on its way back. */
bool peer_expected(const struct session *, const struct peer *);
void peer_heard(struct session *, struct peer *);
/* Members besides ourselves, at a send's cost of one each. */
size_t peers_here(struct session *);
/* Until somebody who went is not waited for any more: ms, -1: nobody. */
int64_t peers_wait(const struct session *);
double peers_cost(struct session *);
void peers_add(struct peers *, struct peer *);
void peer_free(struct session *, struct peer *);

/* ---- session_order.c ---- */
void order_take(struct session *, struct peer *, uint64_t seq, struct slice event,
    struct slice payload, bool again);
void order_foreign(struct session *, struct slice event, struct slice payload);
/* Delivers what is held and has its turn. */
void order_drain(struct session *, struct peer *);
/* From the next to last, which is below all that is held of it, they are nowhere: a gap. */
void order_gap(struct session *, struct peer *, uint64_t last);
/* Its order begins behind that number. */
void order_begin(struct session *, struct peer *, uint64_t base);
/* The first second is over. */
void order_settle(struct session *);
/* A listener was cut off: who speaks up from now on may have done so before. */
void order_cut(struct session *);
/* The highest number of it that somebody is known to have. */
uint64_t order_tail(const struct session *, const struct peer *);

/* ---- session_want.c ---- */
/* There may be a hole: it is looked after. */
void want_note(struct session *, struct peer *, int64_t delay);
/* who has it up to there. */
void want_holder(struct session *, struct peer *of, struct peer *who, uint64_t up_to);
/* who (the sender itself: the last word) has first to last of it no more. */
void want_gone(struct session *, struct peer *of, struct peer *who, uint64_t first, uint64_t last);
/* Its order went on. */
void want_moved(struct session *, struct peer *);
/* Another member wants the same: we wait for the answer with it. */
void want_overheard(struct session *, struct peer *, uint64_t first, uint64_t last);
int64_t want_turn(struct session *);
/* A listener to whom the hub's history is being sent: what was asked last comes last. */
bool want_streams(const struct session *, int64_t now);
/* How long we still wait for what we lack of it next, its sender being away: ms, below 0: over. */
int64_t want_left(const struct session *, int64_t now, const struct peer *);

/* ---- session_heal.c ---- */
void heal_add(struct session *, struct peer *of, struct peer *to, uint64_t first, uint64_t last);
/* Sends one message or says one gone: 1; 0: nothing to do; -1: the link takes nothing. */
int heal_step(struct session *);
bool heal_pending(const struct session *);

/* ---- session_say.c ---- */
void say_message(struct session *, struct slice from_json, uint64_t seq, bool again,
    struct slice payload);
/* A control message of that type is begun in s->out. */
void say_begin(struct session *, const char *type);
/* Sends s->out as a control message; spends. */
bool say_send(struct session *);
void say_dirty(struct session *, struct peer *);
/* have is due in so many ms. */
void say_soon(struct session *, int64_t delay);
/* Somebody may be behind: see again in a while. */
void say_watch(struct session *);
bool say_hello(struct session *);
void say_bye(struct session *);
/* A message went by: acknowledgements may cost a part of what it does. */
void say_credit(struct session *);
/* Sends have when it is time, and asks who is silent; ms until then, -1: nothing. */
int64_t say_turn(struct session *);

/* ---- session.c ---- */
int64_t session_random(struct session *, int64_t below);
/* All who are here have said have since up, and we know who is. */
bool session_answered(struct session *);
bool session_refused(const struct session *, uint64_t seq);
/* Somebody has this number of ours: can that be? */
void session_check_own(struct session *, uint64_t seq);

#endif
