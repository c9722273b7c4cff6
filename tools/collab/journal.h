/*
 * journal: messages in an append-only store on disk, each with its place: a
 * number from 1 in the order in which they were appended, which stays the same for
 * ever. Used as the outbox (own lines: synced before they count as taken) and as the
 * inbox (what others sent, in the order in which it is delivered).
 *
 * The folder holds segments, NNNNNNNNNNNNNNNN.seg1, named by their first
 * place in hex. Every entry in them has a checksum that is secret to the
 * segment, so that no payload can be taken for an entry. A segment begins
 * with the names of all senders and the last number that each has used: this is what
 * is still known of those whose messages were dropped. Numbers in the files are the
 * machine's own (64 bit, little-endian), since a journal is not carried around.
 *
 * DAMAGE. What journal_open finds:
 *	torn	the last segment ends in something that is no whole entry, and
 *		nothing that was synced is missing (the file `synced` remembers how
 *		far that is): a write that a crash cut short. It is cut off; nobody
 *		was told that it is stored.
 *	damaged	anything else that is no entry, and entries or segments that were
 *		synced and are gone. The segment is set aside as NAME.damaged-TIME, as it is,
 *		and written anew with all its whole entries, those behind the damage, too.
 *		The places of the others stay empty for ever: reading one says
 *		"not_found". The report counts them. A crash meanwhile does no harm.
 * Checksums keep accidents out, not people: whoever may write into the folder may
 * forge messages.
 *
 * MEMORY. 24 bytes for every 32 entries, some 100 for each sender, at most
 * JOURNAL_SENDERS of them, and what was appended and not committed.
 *
 * Source of the method: A. Pillai et al., "All File Systems Are Not Created Equal"
 * (OSDI 2014): what a file may look like after a crash; A. Rebello et al., "Can
 * Applications Recover from fsync Failures?" (ATC 2020): why a failed one is final.
 */
#ifndef KANDIL_COLLAB_JOURNAL_H
#define KANDIL_COLLAB_JOURNAL_H

#include "common/buf.h"
#include "common/die.h"

enum {
	JOURNAL_SENDERS = 16384,   /* beyond it those long silent are forgotten */
	JOURNAL_NAME = 255,	   /* bytes of a sender */
	JOURNAL_EVENT = 65535,	   /* of an event */
	JOURNAL_PAYLOAD = 32 << 20, /* of a payload */
	JOURNAL_FLAGS = 0xff,	   /* the bits of flags that are kept */
	JOURNAL_RANGES = 32,	   /* of a report */
};

struct journal;

struct journal_settings {
	const char *folder;   /* made when it is missing, 0700 */
	size_t max_bytes;     /* of all segments; 0: 64 MiB; at least 64 KiB */
	size_t segment_bytes; /* 0, or more than a sixteenth of max_bytes: that */
	bool outbox;	      /* each sender's numbers have no holes */
};

/* Messages of a sender that were stored and are lost: as far as it is known who sent them. */
struct journal_range {
	char *from;
	uint64_t first, last;
};

struct journal_report {
	uint64_t entries;  /* that are there */
	uint64_t torn;	   /* bytes cut off the end */
	uint64_t lost;	   /* entries that were stored and are not there any more */
	uint64_t gone;	   /* that an earlier opening found lost */
	size_t damaged;	   /* segments set aside, or missing */
	char *aside;	   /* path of the first that was set aside; NULL: none */
	struct journal_range ranges[JOURNAL_RANGES];
	size_t nranges;
	bool more; /* there are more ranges than that */
};

/*
 * Locks the folder, reads all segments, mends what is damaged. *report is filled
 * also when it fails; the caller's to free. Takes 0.1 s for 64 MiB. 0, or -1
 * with e: "in_use" (names the process), "disk_full" (to mend it), "cannot_read",
 * "cannot_write".
 */
int journal_open(struct journal **, const struct journal_settings *, struct journal_report *,
    struct err *e);
/* What was not committed is gone. NULL is fine. */
void journal_close(struct journal *);

/*
 * Appends to out what the report says is wrong, in one line, or nothing: "outbox: 3 lines of it are
 * damaged and set aside in '…': they may not have been sent". what: "outbox", "inbox"; fate: what
 * becomes of the lines that are lost.
 */
void journal_report_text(const struct journal_report *, const char *what, const char *fate,
    struct buf *out);
void journal_report_free(struct journal_report *);

/*
 * Takes a message in memory: its place, or -1 with e:
 *	journal_full	max_bytes are full of what may not be dropped: commit, let
 *			go of some (journal_forget), and try again
 *	too_large	of a field, or more than half of max_bytes
 *	not_in_order	seq is not above the last one of that sender (outbox: not the next)
 *	too_many	senders, all with messages that are kept
 * seq 0: a message without a number, which journal_find does not find.
 * Bits of flags are the caller's.
 */
int64_t journal_append(struct journal *, struct slice from, uint64_t seq, struct slice event,
    struct slice payload, unsigned flags, struct err *e);
/*
 * Notes that a sender's numbers up to seq are used, without a message (a baseline,
 * a gap): takes no place, is kept and committed like one. Up to its last: does
 * nothing. 0, or -1 with e as above.
 */
int journal_skip(struct journal *, struct slice from, uint64_t seq, struct err *e);
/*
 * Writes what was appended, with one write; with sync also brings to the disk
 * all that was written. 0, or -1 with e:
 *	disk_full	nothing of it is in the file, all of it still in memory:
 *			the same call may be made again
 *	cannot_write	likewise
 *	fsync_failed	what was written may be gone though it can be read: final,
 *			the journal does nothing more
 */
int journal_commit(struct journal *, bool sync, struct err *e);

/* The slices lie in the buffer that was given. */
struct journal_entry {
	uint64_t place, seq;
	struct slice from, event, payload;
	unsigned flags;
};
/*
 * Each resets the buffer and fills the entry: 0, or -1 with e ("not_found":
 * dropped, lost, or not committed; "cannot_read": damaged since, or the
 * disk fails). Reading places one after the other is fast (1 µs), looking for one
 * takes some 20 µs; in a segment shared with many senders up to 1 ms.
 */
int journal_read(struct journal *, uint64_t place, struct journal_entry *, struct buf *,
    struct err *e);
int journal_find(struct journal *, struct slice from, uint64_t seq, struct journal_entry *,
    struct buf *, struct err *e);

/* The first place kept, and the last that was committed; 0: none. */
uint64_t journal_first(const struct journal *);
uint64_t journal_last(const struct journal *);

struct journal_sender {
	struct slice from;    /* lent until the next append */
	uint64_t first, last; /* seq: the first kept (0: none), the last ever appended */
};
/* The i-th sender, in no order that matters; false beyond the last. */
bool journal_sender(const struct journal *, size_t i, struct journal_sender *);
/* That sender; false when it is not known. */
bool journal_who(const struct journal *, struct slice from, struct journal_sender *);

/*
 * When room is needed the oldest segments are dropped whole: those of which
 * all places are at or below the highest one given to journal_forget (none at first).
 */
void journal_forget(struct journal *, uint64_t place);

#endif
