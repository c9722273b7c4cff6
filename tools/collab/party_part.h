/*
 * party_part: what the files of the party share.
 *
 *	party.c		opening, the turn, closing, a new identity
 *	party_out.c	the outbox: what we say
 *	party_in.c	the inbox: what came, and the taker
 *	party_mend.c	what was written and cannot be read
 *	party_link.c	the link's events; who is present; what a listener asks
 */
#ifndef KANDIL_COLLAB_PARTY_PART_H
#define KANDIL_COLLAB_PARTY_PART_H

#include "common/hash.h"
#include "tools/collab/link.h"
#include "tools/collab/party.h"
#include "tools/collab/place.h"
#include "tools/collab/where.h"

/* An entry of the inbox that is a gap: its payload is [first,last]. */
enum { ENTRY_GAP = 1 };
enum {
	PARTY_REFUSED = 16,
	PARTY_ASKS = 64, /* of one join: what a hub looks at */
};

struct guest {
	char *key;
	size_t len;
	bool ours; /* a kandil client other than ourselves */
};

/* A message of a journal that cannot be read. */
struct party_unread {
	int64_t since, seen; /* 0: all can be; when it was tried last */
	uint64_t number;     /* its place, or party_unread_number */
	bool due;	     /* tried for long enough */
	unsigned vain;	     /* times that the journal was opened anew, and is whole */
};

struct party {
	struct party_settings set;
	struct sockets *loop;
	struct where where;
	struct buf topic; /* of the place: private ones have a folder of their own */
	struct buf name;
	struct place place;
	struct journal *out, *in;
	struct link *link;
	struct session *session;
	const struct party_hooks *hooks;
	void *state;
	size_t max_payload;

	/* own lines */
	uint64_t last;	       /* committed */
	uint64_t said;	       /* appended */
	bool out_full;	       /* said that the disk is full */
	int64_t out_again;     /* then: when to try again */
	bool told_full;	       /* said that the outbox is */
	bool damaged;	       /* lines of it, or of the inbox, are lost: said */
	bool out_holes;	       /* lines between its first and its last are not there */
	struct party_unread unread_out;
	uint64_t refused[PARTY_REFUSED]; /* by the relay, the newest */
	size_t nrefused;

	/* the inbox */
	uint64_t cursor;       /* taken */
	uint64_t own_shown;    /* own lines that it has, or knows of */
	uint64_t done, own_done; /* of party_done */
	uint64_t replay;       /* this place is marked as replayed */
	bool in_dirty;	       /* there is something to commit */
	bool in_stored;	       /* a part of it is to be acknowledged */
	bool in_full;	       /* no room on the disk: said */
	int64_t in_again;      /* then: when to try again */
	bool in_held;	       /* a delivery was put off: the inbox is full */
	uint64_t held_at;      /* the cursor then */
	int64_t held_since;
	bool in_holes;	       /* likewise of its places */
	struct party_unread unread_in;
	bool based;	       /* no newcomer from now on: set when it is on disk */

	/* who is present */
	struct table names;
	struct guest **guests;
	size_t nguests, guests_cap;

	bool up, been_up, told_down;
	bool history;	       /* the hub keeps one */
	struct buf asks;       /* of its history, by who listens: a JSON array without its end */
	unsigned nasks;
	int64_t ask_at;	       /* not before */
	bool stale, drop; /* a new identity is due; nothing goes with it */
	enum status ended;
	struct buf why;	  /* of the last loss or try that failed */
	struct buf find, feed, text;
};

/* ---- party.c ---- */
/* It cannot go on: says why. */
void party_fail(struct party *, enum status, const char *code, const char *text);

/* ---- party_out.c ---- */
/* Opens it, and says what was damaged: 0, or -1 with e as of place_outbox. */
int party_open_out(struct party *, struct err *e);
enum session_found party_find(struct slice from, uint64_t seq, struct session_message *,
    void *party);
uint64_t party_kept(struct slice from, void *party);
void party_taken(uint64_t seq, void *party);
void party_refused(uint64_t seq, const char *reason, void *party);
void party_forget_out(struct party *);
bool party_was_refused(const struct party *, uint64_t seq);

/* ---- party_in.c ---- */
/* Likewise. */
int party_open_in(struct party *, struct err *e);
/* Says what was lost of it, and tells the taker: whether there is something it has not had. */
bool party_lost(struct party *, const struct journal_report *);
bool party_deliver(const struct session_message *, void *party);
bool party_gap(struct slice from, uint64_t first, uint64_t last, void *party);
void party_baseline(struct slice from, uint64_t seq, void *party);
/* Own lines that the relay has taken are noted there, or with self put in. */
void party_note_own(struct party *);
/* Commits what came; ms until it is to be tried again, -1: no need. */
int64_t party_store(struct party *, int64_t now);
/* Gives the taker what there is; true: there is more for it. */
bool party_feed(struct party *);

/* ---- party_mend.c ---- */
/* It cannot be read: said when it is new. folder: of its journal. */
void party_unread_note(struct party_unread *, uint64_t number, const char *folder);
/* That one can be. */
void party_unread_over(struct party_unread *, uint64_t number);
/* Of a message that is looked for by its sender. */
uint64_t party_unread_number(struct slice from, uint64_t seq);
/* Opens the journal anew when that is due; ms until it wants to be called again, -1: any. */
int64_t party_mend_turn(struct party *);

/* ---- party_link.c ---- */
/* Opens the link: 0, or -1 with e as of link_open. */
int party_connect(struct party *, struct err *e);
void party_tell(struct party *, const char *what, const char *code, const char *text,
    int64_t retry_ms);
void party_forget_guests(struct party *);
/* Notes a control message for the hub's history; false: not now. */
bool party_ask(struct party *, struct slice payload);
/* Sends what is noted; ms until it wants to be called again, -1: any. */
int64_t party_ask_turn(struct party *, int64_t now);

#endif
