/*
 * party: one member of a session as a whole: place, outbox, inbox, link and session put
 * together, for join.c and sync.c, which differ only in what they say and what they do
 * with what they hear.
 *
 * What is said is in the outbox, synced in groups, before it counts; what is
 * heard is in the inbox, synced, before the taker gets it, in order, each entry again until the
 * taker has taken it (PLACE_DELIVERED), over any kill.
 *
 * The loop of its owner:
 *	sockets_wait(loop, wait);
 *	… party_say for all that is there to be said … party_commit
 *	wait = party_turn(p);
 *
 * What is in the outbox or the inbox and cannot be read is tried again for five seconds; nothing
 * behind it is sent, or taken, meanwhile. Then the journal is opened anew, and what
 * is damaged is set aside (journal.h). A line of ours that is lost keeps its number: the others
 * hear that it is gone. What is lost of the inbox comes to the taker as a gap, behind all that is
 * there, as far as it is known whose it was. Both are said on stderr, and the run's status
 * is 1. Where it is not damage, but the disk that does not work, party_ended says so.
 *
 * When the disk is full nothing new is taken or acknowledged, which is said once, and
 * it goes on by itself when there is room. When an fsync fails, or the relay
 * refuses us for good, party_ended says so.
 */
#ifndef KANDIL_COLLAB_PARTY_H
#define KANDIL_COLLAB_PARTY_H

#include "common/socket.h"
#include "tools/collab/collab.h"
#include "tools/collab/journal.h"
#include "tools/collab/session.h"

struct party;

/* What the inbox has next. Lent until take returns. */
enum party_what {
	PARTY_MESSAGE,
	PARTY_GAP, /* seq to last of from are nowhere any more */
};
struct party_entry {
	enum party_what what;
	uint64_t place;	   /* in the inbox, from 1 */
	struct slice from; /* empty: of no kandil client */
	uint64_t seq;	   /* 0: of no kandil client */
	uint64_t last;	   /* of a gap */
	struct slice event, payload;
	bool late;     /* a gap of what the inbox had and lost: it stands behind what came later */
	bool replayed; /* it was being taken when a process died: it may have been */
	bool *begun;   /* a taker who could do it in part only sets this, and returns false */
};

/* What the owner has of a sender in a store of its own. */
struct party_known {
	struct slice from;
	uint64_t seq;
};

/* None of them may call the party, but for party_self, party_last and other questions. */
struct party_hooks {
	/*
	 * The next entry: false leaves it for later (the taker is not ready; it comes again with
	 * the next turn). True: it is done, out of this process's hands: flush first.
	 */
	bool (*take)(const struct party_entry *, void *state);
	/*
	 * state: "open" (last: own lines in the outbox; first from within party_open, when there
	 * is no party yet to ask, and again with each new identity),
	 * "connecting", "up", "down", "ended"; may be NULL. code, text: why; NULL where there is
	 * nothing to say. retry_ms: until the next try, else -1.
	 */
	void (*status)(const char *what, const char *code, const char *text, int64_t retry_ms,
	    uint64_t last, void *state);
	/*
	 * Who comes (event "join"), changes ("update"), goes ("leave", meta empty), ourselves
	 * too (party_self); may be NULL. key: the identity of a kandil client. meta: raw JSON.
	 */
	void (*presence)(const char *event, struct slice key, struct slice meta, void *state);
	/*
	 * All of the inbox up to that place is on disk, and is acknowledged when this returns
	 * true; false: not yet, again in a while. May read the inbox. May be NULL.
	 */
	bool (*stored)(uint64_t place, void *state);
	/* Joined: the first time, or again. May be NULL. */
	void (*up)(void *state);
	/*
	 * The relay does not take our line seq (too large for it, or refused again and again),
	 * which party_own still has. May be NULL: then party says so on stderr.
	 */
	void (*refused)(uint64_t seq, const char *reason, void *state);
};

struct party_settings {
	const struct settings *settings; /* url, key, as, state_dir, rate, keep, vsn, meta, since … */
	const char *topic;	/* as it goes on the wire, without realtime: */
	/*
	 * Only listens: nothing is said (party_say is not to be called), nobody is told that we are
	 * here, and a key that may not write will do. What is missing is asked of the hub alone.
	 */
	bool listen;
	bool self;		/* own messages go through the inbox, too, when the relay has them */
	/*
	 * What take took counts from party_done on only; until then it is kept, and so is
	 * what was said: for who keeps something else in step with it (sync).
	 */
	bool confirm;
	/* Up to these numbers nothing is wanted, though the inbox may not know it; lent for good. */
	const struct party_known *known;
	size_t known_n;
	/* Somebody new begins with all that nobody who is here, but the hub's history has. */
	bool all_alone;
	int64_t hub_patience_ms; /* as session_settings has it */
	const struct party_hooks *hooks;
	void *state;
};

/*
 * Dies with the user's message where it cannot be (status 2 or 3): names wrong, outbox in use,
 * no key. Says on stderr what of the disk was damaged. Connects from the first turn on.
 */
struct party *party_open(struct sockets *, const struct party_settings *);
/* The identity, lent until the next turn: it changes when it had to be renewed. */
struct slice party_self(const struct party *);
/* The folder with our state: files of the owner's may lie there under names of their own. */
const char *party_folder(const struct party *);

/* The largest payload that can be said with that event: the relay, or the disk, takes no more. */
size_t party_room(const struct party *, struct slice event);
/*
 * Appends a message of ours (payload: JSON that json_check accepted, at most party_room; event:
 * 1 to 255 bytes). False: the outbox is full or the disk is (said once): try again
 * after the next turn. It counts when party_commit has returned true.
 */
bool party_say(struct party *, struct slice event, struct slice payload);
/*
 * All that was said is on disk. False: not yet (disk full): again after the next turn;
 * party_ended tells whether there is any sense in it.
 */
bool party_commit(struct party *);
/*
 * After each sockets_wait: stores, acknowledges, feeds the taker, sends; ms until due, -1: nothing.
 * What take leaves does not count as due: call it again when the taker is ready.
 */
int64_t party_turn(struct party *);
/* With confirm: what was taken up to place, and own lines up to own, need not be kept. */
void party_done(struct party *, uint64_t place, uint64_t own);
/* With confirm, before the first turn: all that the inbox still has is taken once more. */
void party_rewind(struct party *);
/*
 * An entry of the inbox once more: lent until the next call of anything. False: nothing is
 * there (any more), or (party_unread) it cannot be read now.
 */
bool party_read(struct party *, uint64_t place, struct party_entry *);
/* Whether that place, which could not be read just now, may still be: it is tried again. */
bool party_unread(const struct party *, uint64_t place);
/*
 * The first place that the inbox has, the last that is written, and up to where it was
 * taken; 0: none.
 */
void party_places(const struct party *, uint64_t *first, uint64_t *last, uint64_t *taken);
/*
 * Two numbers of the owner's, beside the outbox, that survive kill -9 (after a power failure
 * they may be earlier ones); 0 at first.
 */
uint64_t party_counter(const struct party *, unsigned i);
void party_count(struct party *, unsigned i, uint64_t);
/*
 * A line of ours, if it is still kept: lent until the next call of anything.
 * False: not there.
 */
bool party_own(struct party *, uint64_t seq, struct slice *event, struct slice *payload);
/*
 * At the next turn we take a new identity, as when the disk is found to be an old copy. Lines
 * that the relay has not taken are sent again under it, when they are to be kept.
 */
void party_renew(struct party *, bool keep);

/* The disk is full for what we say: there is no sense in haste. */
bool party_is_stuck(const struct party *);
/* The number of what was said last, committed or not. */
uint64_t party_said(const struct party *);
/* Own numbers: last committed; taken by the relay; on the disks of all who are here. */
uint64_t party_last(const struct party *);
uint64_t party_relayed(const struct party *);
uint64_t party_confirmed(const struct party *);
bool party_is_up(const struct party *);
/* Why the topic was never joined, as the last try says; NULL: it was, now or before. */
const char *party_never_up(const struct party *);
/* The hub keeps a history, as it said when we joined last. */
bool party_has_history(const struct party *);
/* Nothing is missing, as far as is known, and all that came has been taken. */
bool party_is_whole(const struct party *);
/* Whether it is known who is present: a moment after up. */
bool party_has_roster(const struct party *);
/* Present kandil clients but ourselves, in turn: at = 0; while (party_each(p, &at, &from)) … */
bool party_each(const struct party *, size_t *at, struct slice *from);
/* What is missing, and who is behind: session_hole, session_behind. */
bool party_hole(const struct party *, size_t *at, struct session_hole *);
size_t party_behind(const struct party *, struct slice *from);
/* Refused for good, or the disk failed: the status to leave with (party said why); 0: no. */
enum status party_ended(const struct party *);
/*
 * Leaves; says how many lines wait in the outbox and raises the run's status to 1 when some do,
 * the relay refused some, or some were lost. run NULL: says nothing.
 */
void party_close(struct party *, struct run *);

#endif
