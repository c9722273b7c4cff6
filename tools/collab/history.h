/*
 * history: what was said lately, topic by topic, in memory or in files.
 *
 * Of each topic the newest messages are kept: so many, or those of so long;
 * when all together take more memory than allowed, the topics that have been
 * silent longest give up their oldest first. Messages of a topic are
 * numbered from 1 within its epoch, a random number that changes whenever its history
 * begins anew: (epoch, number) names a message for ever.
 *
 * With a folder each topic has a file there, and memory holds an index only
 * (history_file.c has the format). A message is written to the kernel before history_put
 * returns, so a killed process loses nothing; it is on the disk within a second, so a
 * power failure may take the last second. Messages of kandil clients are
 * indexed by sender and sequence number as well (session.h), and kept once.
 */
#ifndef KANDIL_COLLAB_HISTORY_H
#define KANDIL_COLLAB_HISTORY_H

#include "common/buf.h"
#include "common/die.h"

struct histories; /* all topics */
struct history;	  /* one */

enum {
	HISTORY_NAME = 1024, /* bytes of a topic's name; longer ones have no history */
	HISTORY_EVENT = 1024,
	HISTORY_BODY = 32 * 1024 * 1024, /* of a whole message; larger ones are not kept */
	HISTORY_FROM = 128, /* of a sender's identity */
};

struct histories_settings {
	size_t messages;    /* of each topic; 0: any number */
	int64_t ms;	    /* how old they may get; 0: any age */
	size_t max_bytes;   /* of memory, of all topics; 0: any amount */
	const char *folder; /* made when missing, 0700; NULL: in memory */
};

struct history_message {
	uint64_t number;
	int64_t at; /* when it was kept, wall clock; never goes back within a topic */
	bool json, user; /* as in struct cast */
	bool whole; /* payload is that of the text frame, which was no usual broadcast */
	struct slice event, payload, meta;
};

/*
 * Reads what is in the folder: torn tails are cut, what is damaged otherwise is
 * set aside as FILE.damaged-TIME; both are said. NULL with e: "cannot_read", "cannot_write", "in_use"
 * (another process has the folder).
 */
struct histories *histories_open(const struct histories_settings *, struct err *e);
/* Everything is on the disk then. */
void histories_close(struct histories *);
/*
 * Drops what is too old, and brings to the disk what has waited for a second; now
 * is time_ms(). Returns ms until it wants to be called again, -1: any time. A disk that fails is
 * said once, until it works again.
 */
int64_t histories_turn(struct histories *, int64_t now);
size_t histories_bytes(const struct histories *); /* of memory */
size_t histories_topics(const struct histories *);
uint64_t histories_failures(const struct histories *); /* messages that the disk did not take */

/*
 * The history of a topic, lent until the next histories_turn or history_put;
 * NULL: nothing is kept of it, and make was not said or the name is too long.
 */
struct history *history_of(struct histories *, struct slice topic, bool private, bool make);
/*
 * Keeps a message (number and at are set here) and drops what is then too much. 0; 1: it is not
 * kept, since it is there already, or older than all of its sender's that are, or too large;
 * -1 with e "cannot_write": the disk did not take it.
 */
int history_put(struct history *, const struct history_message *, struct err *e);

uint64_t history_epoch(const struct history *);
/* The numbers kept are first to last, without holes; 0 when empty. */
uint64_t history_first(const struct history *);
uint64_t history_last(const struct history *);
/* The first number with at ≥ since; last + 1 when there is none. */
uint64_t history_since(const struct history *, int64_t since);
/*
 * One message, lent until the next call about any history; false: not kept, or
 * the disk does not give it back whole.
 */
bool history_get(struct history *, uint64_t number, struct history_message *);

/*
 * The senders of kandil messages that are kept: from cursor 0 on, until false. Where messages are
 * kept or dropped meanwhile a cursor leads on as long as history_shape is the same.
 */
uint64_t history_shape(const struct history *);
bool history_sender(const struct history *, size_t *cursor, struct slice *from, uint64_t *last);
/* That sender's first message with seq ≥ from_seq; false: none is kept. */
bool history_seek(const struct history *, struct slice from, uint64_t from_seq, uint64_t *seq,
    uint64_t *number);

/*
 * Of {"kandil":1,"from":F,"seq":N,"payload":…}: true, and F (decoded, into
 * the buf, reset first), N, and whether it says "again". payload is JSON that was checked.
 */
bool history_stamp(struct slice payload, struct buf *from, uint64_t *seq, bool *again);

#endif
