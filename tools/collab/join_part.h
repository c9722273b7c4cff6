/*
 * join_part: what the files of `join` share.
 *
 *	join.c		options, the loop, leaving
 *	join_in.c	stdin: records become messages
 *	join_out.c	stdout, which may be slow
 *	join_record.c	the records that are written
 *	join_log.c	--log: a file that is its own state
 *	join_mark.c	how far that file is
 *	join_wait.c	what is waited for, said when it lasts
 */
#ifndef KANDIL_COLLAB_JOIN_PART_H
#define KANDIL_COLLAB_JOIN_PART_H

#include "common/hash.h"
#include "common/query.h"
#include "common/record.h"
#include "common/socket.h"
#include "tools/collab/marks.h"
#include "tools/collab/party.h"

/* stdout without blocking: what it does not take now waits here. */
struct join_out {
	int fd;	   /* ours, or 1 */
	bool socket; /* by send(2) */
	bool block;  /* a file: always takes all */
	bool pieces; /* writes would block: no more at once than there is room for */
	int ready;   /* an epoll descriptor that is readable when fd is writable, -1: none */
	struct socket_watch *watch; /* on it, while something waits */
	struct buf line;
	size_t at;	/* of line: written */
	uint64_t place; /* of the inbox, that line is; 0: something else */
	struct buf extra; /* whole lines that are of no place: presence, status, errors */
	uint64_t dropped; /* of them */
};

struct join_log {
	const char *name; /* NULL: there is none */
	int fd;
	int64_t size;	  /* of what is whole and on disk */
	struct table seen; /* sender → index in known */
	struct party_known *known;
	size_t known_n, cap;
	struct party_known *lent; /* what was known at the start: for good, known grows */
	size_t lent_n;
	struct buf lines, record; /* to be written */
	bool begun;		/* place and last are known */
	uint64_t place, last;	/* of the inbox: written; in lines */
	struct marks marks;	/* join_mark.c */
	uint64_t others;	/* it has all up to there that no number tells */
	uint64_t foreign, skip; /* lines of no number: that were read; that stand behind others */
	bool full;		/* the disk: said */
	int64_t again;		/* then: when to try again */
};

/* A wait: since when, and when it was last said; 0: it is none, never. */
struct join_wait {
	int64_t since, said;
};

/* What is missing of a sender. */
struct join_hole {
	struct buf from;
	uint64_t first; /* 0: nothing */
	int64_t since, seen;
	bool said;
};
enum { JOIN_HOLES = 16 }; /* that are remembered */

struct join {
	struct run *run;
	const struct settings *settings;
	const char *topic;
	struct sockets *loop;
	struct party *party;
	struct join_out out;
	struct join_log log;
	struct query *until;
	bool met;	 /* until is true */
	bool leaving;	 /* no further record is begun */
	bool bad_until;	 /* it failed: said */
	int64_t leave_at; /* of --for; -1: never */
	int64_t up;	  /* since when we are, 0: we are not */
	struct buf record;

	/* what is waited for */
	struct join_hole holes[JOIN_HOLES];
	int64_t look;	  /* the next look at them */
	int64_t lines_at; /* since then so many lines were said: */
	unsigned lines;
	struct join_wait once, connecting;
	bool answered; /* the hub has, or it was said that it has not */

	/* stdin */
	bool said;	/* something of it went into the outbox */
	bool ended;	/* no more comes */
	bool stopped;	/* at a failure, by --strict */
	bool readable;	/* there may be something */
	bool stuck;	/* the outbox takes nothing: held waits */
	struct held held;
	int watched;	/* this descriptor, -1: none */
	struct socket_watch *watch;
	struct capture capture;
};

/* ---- join_in.c ---- */
/* Reads and commits; true: there is more to read at once. */
bool join_in_turn(struct join *);
/* All that was read is on disk, and no more comes. */
bool join_in_done(const struct join *);
/* A line of the outbox, perhaps of an earlier run, that the hub does not take: its error record. */
void join_refused(uint64_t seq, const char *reason, void *join);
/* No more is read; what the hub refuses can still be told. */
void join_in_end(struct join *);
void join_in_close(struct join *);

/* ---- join_out.c ---- */
void join_out_open(struct join *);
/* Nothing waits: a line may be begun. */
bool join_out_idle(struct join *);
/* Begins a line (its LF is added); true when all of it is written. */
bool join_out_write(struct join *, struct slice line, uint64_t place);
/*
 * A line of no place: it goes when it can. Unless it must, it is left out when too
 * much waits already.
 */
void join_out_extra(struct join *, struct slice line, bool must);
/* Before we go: finishes what was begun, in ms at most; false: there was no time for all of it. */
bool join_out_finish(struct join *, int64_t ms);
void join_out_close(struct join *);

/* ---- join_record.c ---- */
/* The record of an entry, without LF, in out (reset first). */
void join_entry(const struct join *, const struct party_entry *, bool replayed, struct buf *out);
bool join_take(const struct party_entry *, void *join);
void join_presence(const char *event, struct slice key, struct slice meta, void *join);
void join_status(const char *what, const char *code, const char *text, int64_t retry_ms,
    uint64_t last, void *join);

/* state "waiting": what is missing. */
void join_waits(struct join *, const struct session_hole *, const char *text);

/* ---- join_wait.c ---- */
/* To be called each turn; once: --once waits. ms until it wants to be called again, -1: any. */
int64_t join_wait_turn(struct join *, bool once);
/* Whether a line about it is due: two seconds after it began, then every minute. */
bool join_wait_due(struct join_wait *, bool waiting, int64_t now);
void join_wait_close(struct join *);

/* ---- join_log.c ---- */
/* Reads it; dies when it cannot be. */
void join_log_open(struct join *);
/* All of the inbox up to place is in it, on disk. False: not now. */
bool join_log_store(struct join *, uint64_t place);
void join_log_close(struct join *);

/* ---- join_mark.c ---- */
/*
 * Opens it; dies when it cannot be. True: the log had all of the inbox up to *place when it had so
 * many *bytes; last: the inbox ends there. False: nothing is known of this log.
 */
bool join_mark_open(struct join *, uint64_t last, uint64_t *place, int64_t *bytes);
/* This log counts from that place on. */
void join_mark_begin(struct join_log *, uint64_t place);
/* All of its size is on disk, and goes so far. */
void join_mark_set(struct join_log *, uint64_t place);

#endif
