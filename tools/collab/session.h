/*
 * session: nothing lost, nothing twice, over a relay that may lose all.
 *
 * Pure: no descriptor, no clock of its own, no disk. It is told what
 * happened and when (ms, monotonic), and says what to send and deliver, so
 * that years of cut networks are simulated in seconds (tests/unit/session.c).
 * kandil-session(7) is the protocol; this is it:
 *
 * - Every member has an identity (place.h) and numbers its messages from 1. A
 *   message travels as a broadcast of the user's event with the payload
 *	{"kandil":1,"from":F,"seq":N,"payload":P}	with "again":true before payload when resent.
 * - Control messages are broadcasts of the event "kandil" with the payload
 *	{"kandil":1,"from":F,"type":"hello","new":BOOL,"last":N,"have":{X:n,…}[,"more":true]}
 *	{"kandil":1,"from":F,"type":"have","last":N,"have":{X:n,…}[,"more":true]
 *	    [,"ask":[X,…]][,"hello":[X,…]][,"bye":true]}
 *	{"kandil":1,"from":F,"type":"want","to":P,"of":X,"first":a,"last":b}
 *	{"kandil":1,"from":F,"type":"gone","to":R,"of":X,"first":a,"last":b}
 *   last: own messages that were given to the relay since up, or that it has taken: what is
 *   behind goes by itself, and is not missing. have: for each sender, the
 *   number up to which all is safe on this member's disk: acknowledgement and knowledge in one.
 *   A hello has all of them (more: the rest follows as have), a have those that changed, or that
 *   somebody needs.
 * - hello on every up. Everybody answers with a have of what the hello lacks, and of how
 *   far they have the newcomer's own; its last part names under "hello" whom it answers. have is
 *   due after messages were stored: soon (200 ms), but so seldom that acknowledgements of n
 *   members take at most a tenth of the quota (of 10,000 deliveries a second where there is
 *   none), but every two minutes.
 * - A receiver delivers each sender's messages in order. After a hole it holds what is later (bounded)
 *   and wants the hole: of the sender when it is here, else of a member (or the hub, "hub") whose have
 *   covers it. It waits a little at random first, and longer when another member is heard to want
 *   the same (as in SRM: Floyd et al., IEEE/ACM ToN 5(6), 1997). Whoever is asked sends again what it has
 *   (event and payload as they were), at most a window of messages for one want, and gone for
 *   what nobody can get from it any more. A sender asked for what it never wrote answers with a have.
 *   When the sender itself says gone, or all that could have it did and the sender has been
 *   away for patience_ms, or hub_patience_ms, it is a gap, once all who are here have answered
 *   another hello or had half a minute for it: it is reported, and the order goes on behind it.
 * - A sender sends at most `window` messages beyond what the relay has acknowledged. After a loss
 *   it begins again at the first unacknowledged one (receivers drop what they have). When members who are
 *   here have not acknowledged for a while, it asks them by name in a have, so that the tail of a
 *   stream is healed too, less and less often.
 * - A newcomer (nothing on disk) starts where those present are: the have that it hears in its first
 *   second is its baseline, for senders in none of them 0: all that they have. SESSION_ALL: 0 for
 *   everybody. SESSION_ALL_ALONE: the hub's have does not count, so that who meets nobody, or others
 *   who are new, begins with all of its history, and who meets a member begins where that is.
 * - Our own number coming back higher than what we have sent means that our disk is an old
 *   copy: `stale`. To find out before a number is used twice, who comes with an identity that is not
 *   fresh listens first, until all who are here have answered its hello, at most a second.
 * - Pacing: each send costs 1 + the other members (as Supabase counts), others' sends likewise (pace.h),
 *   against rate a second with a burst of 5 s; after a refusal for too many messages also against
 *   a rate of own sends that is learnt; messages and healing by turns, have and ask last but at
 *   least every 10 s.
 * - A listener is a member without a mouth: nobody knows of it, or waits for it. Nothing is sent
 *   but wants to the hub's history (as asks of a join, as the hello that session_up takes for
 *   said), and no member is asked: what they send each other again is heard, and taken, too. The
 *   history is asked as long as it sends anything, for it sends one sender after the other. What it
 *   says to be gone, or does not answer, and does not come in patience_ms, up, is a gap, or at once
 *   when its sender says gone. As a newcomer it begins with each sender where the hub's history is,
 *   else at the first word of that sender; once it was cut off, with who was never heard of, at 1:
 *   that may have been said meanwhile.
 *
 * Trust: whoever may write to the topic may forge any of this. What forged messages can do is make
 * gaps, repeats and traffic, all bounded; they cannot crash a member, fill its memory, or
 * change what was delivered.
 */
#ifndef KANDIL_COLLAB_SESSION_H
#define KANDIL_COLLAB_SESSION_H

#include "common/buf.h"
#include "common/die.h"

struct session;

/* A message that is in some store. Lent until the next call of find. */
struct session_message {
	struct slice from;
	uint64_t seq;
	struct slice event, payload;
};

/* What find says: gone is for good, and is told; unreadable may be there when it is tried again. */
enum session_found { SESSION_GONE, SESSION_FOUND, SESSION_UNREADABLE };

/* What it asks of and tells its owner. None of them may call the session. */
struct session_hooks {
	/* To the link; number 0: no acknowledgement wanted. False: not now. */
	bool (*send)(struct slice event, struct slice payload, uint64_t number, void *state);
	/*
	 * A message of ours (outbox) or of another (inbox). As long as one of ours is
	 * unreadable, none behind it is sent; who asks for one gets no answer, and asks again.
	 */
	enum session_found (*find)(struct slice from, uint64_t seq, struct session_message *,
	    void *state);
	/* The first number of that sender that is kept, 0: none. */
	uint64_t (*kept)(struct slice from, void *state);
	/*
	 * The next of its sender: to be stored, then session_stored. seq 0: from no
	 * kandil client. False: there is no room now; it comes again after session_resume.
	 */
	bool (*deliver)(const struct session_message *, void *state);
	/* Messages first to last of that sender are nowhere any more. Likewise. */
	bool (*gap)(struct slice from, uint64_t first, uint64_t last, void *state);
	/*
	 * From now on that sender's messages count from behind seq: to be stored. At the
	 * end with an empty from: whoever is not known counts from 1, we are no newcomer any more.
	 */
	void (*baseline)(struct slice from, uint64_t seq, void *state);
	/* The relay has taken all of ours up to seq: to be kept (marks). */
	void (*taken)(uint64_t seq, void *state);
	/*
	 * A message of ours that the relay refuses for good (too large), or, reason NULL, that is
	 * gone before the relay has taken it: it is skipped by a gap.
	 */
	void (*refused)(uint64_t seq, const char *reason, void *state);
	/* Our disk is an old copy: a new identity is needed; nothing is sent any more. */
	void (*stale)(void *state);
};

/* Whether anything is on disk of others; else where their messages begin. */
enum session_newcomer {
	SESSION_KNOWN,	   /* we have been here before: where we were */
	SESSION_NOW,	   /* where those are who are here */
	SESSION_ALL,	   /* with all that they have */
	SESSION_ALL_ALONE, /* likewise; with all that nobody but the hub has */
};

struct session_settings {
	struct slice self;    /* NAME.RANDOM; copied */
	bool listener;	      /* as above */
	bool fresh;	      /* the identity was made just now: nobody can know it */
	enum session_newcomer newcomer;
	double rate;	      /* deliveries a second, 0: unlimited */
	unsigned window;      /* 0: 512; at most 4096 */
	size_t max_payload;   /* bytes of one broadcast's payload, at least 4096, 0: 256 KB */
	size_t max_held;      /* bytes held behind holes, 0: 16 MiB; what is beyond is asked for again */
	int64_t patience_ms;  /* 0: 60,000; of a listener 15,000 */
	int64_t hub_patience_ms; /* likewise, of what the hub's history has no more; 0: patience_ms */
	uint64_t seed;
	const struct session_hooks *hooks;
	void *state;
};

struct session *session_open(const struct session_settings *);
void session_free(struct session *);

/* Bytes that a message's payload grows by on its way, for this identity. */
size_t session_overhead(struct slice self);

/*
 * What is on disk, before the first up: each sender's last number; own: last
 * written (the first call: by earlier processes), taken.
 */
void session_known(struct session *, struct slice from, uint64_t seq);
void session_own(struct session *, int64_t now, uint64_t last); /* and whenever more was committed */
void session_taken(struct session *, uint64_t seq);

void session_up(struct session *, int64_t now, bool hub_history);
void session_down(struct session *, int64_t now);
/* The last word before leaving: all that is stored is acknowledged, and nobody waits for us. */
void session_leave(struct session *, int64_t now);
/* The relay said that it was too much, and the link is down: goes slower (pace.h). */
void session_slow(struct session *, int64_t now);
/*
 * A broadcast arrived: message, control, or of somebody else. payload: one
 * JSON value that json_check accepted.
 */
void session_heard(struct session *, int64_t now, struct slice event, struct slice payload);
/*
 * The relay's answer to what went with that number; a reason with "payload_size"
 * in it is final (refused), any other means: again, later and later, for some three minutes.
 */
void session_acked(struct session *, int64_t now, uint64_t number, bool ok, const char *reason);
void session_member(struct session *, int64_t now, struct slice key, bool here);
/* All that was delivered so far is safe: it may be acknowledged. */
void session_stored(struct session *, int64_t now);
/* There is room again, after a deliver or gap that was false. */
void session_resume(struct session *, int64_t now);
/* Does what is due; milliseconds until the next call is due, -1: nothing. */
int64_t session_turn(struct session *, int64_t now);

/*
 * Own messages that the relay took; that every member has stored who is here, or was 15 s
 * ago, as far as this process saw it: when a relay restarts, they come back one by one.
 */
uint64_t session_relayed(const struct session *);
/* Not above what it last was while we are down or do not know yet who is here. */
uint64_t session_confirmed(struct session *);
/*
 * All who are here have answered our last hello, or had half a minute for it, and there is no
 * known hole that somebody could fill.
 */
bool session_whole(struct session *);
/*
 * Messages that are missing, while we are up: first to last of from, who is here, or away; then
 * they are a gap in left_ms at the earliest, or (-1) not before it comes back. Of a listener -1:
 * the hub's history has been asked and does not answer; what it is sending is not missing.
 */
struct session_hole {
	struct slice from; /* lent until the next call of anything */
	uint64_t first, last;
	bool here;
	int64_t left_ms;
};
/* In turn: at = 0; while (session_hole(s, now, &at, &hole)) … */
bool session_hole(const struct session *, int64_t now, size_t *at, struct session_hole *);
/* Members who have not said that they have all that the relay took of ours; *from: one of them. */
size_t session_behind(const struct session *, struct slice *from);
/* Messages of others than kandil clients that came while there was no room, and are lost. */
uint64_t session_dropped(const struct session *);

#endif
