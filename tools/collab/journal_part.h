/*
 * journal_part: what the files of journal share.
 *
 *	journal.c		opening, appending, committing
 *	journal_segment.c	entries in a segment: writing them, going through them
 *	journal_folder.c	the folder's files: listing, making, setting aside, dropping
 *	journal_load.c		reading all at the start
 *	journal_mend.c		writing a damaged segment anew
 *	journal_sender.c	senders, and where their messages are
 *	journal_read.c		looking up
 *	journal_report.c	what was wrong, in words
 *
 * A place is 64 bits; within a segment an entry has an index, its place less
 * the segment's first. Indexes go up by one, except behind an entry that says
 * that some are lost.
 */
#ifndef KANDIL_COLLAB_JOURNAL_PART_H
#define KANDIL_COLLAB_JOURNAL_PART_H

#include "common/hash.h"
#include "tools/collab/journal.h"
#include "tools/collab/marks.h"
#include "tools/collab/store.h"

enum {
	JOURNAL_EVERY = 32,	    /* entries between two that are indexed */
	JOURNAL_ASIDE = 80,	    /* bytes of a name in the folder */
	ENTRY_NAME = 0x8000,	    /* flags: a sender's name (payload) and last seq */
	ENTRY_LOST = 0x4000,	    /* seq places are lost from here on */
	NAMES_MOST = 2 * JOURNAL_SENDERS, /* entries of a segment: with more it is full */
	NUMBERS_MOST = 2 * NAMES_MOST,	  /* known at once while loading */
};
#define PLACE_MOST ((uint64_t)1 << 56) /* beyond it no place is ours */
#define LOST_MOST ((uint64_t)1 << 40)  /* as many are never lost at once */

/* What the file `synced` remembers: of what was on the disk once nothing is a torn end. */
enum journal_mark {
	SYNCED_PLACE,
	SYNCED_BYTES, /* of the last segment; 0: not known */
	SYNCED_FIRST, /* which segment that is */
};

/* The begin of a segment; check is over all before it. */
struct segment_head {
	char magic[8];
	uint64_t first;
	uint32_t mark, salt;
	uint64_t time; /* seconds since 1970 */
	uint64_t spare[3];
	uint64_t check;
};
_Static_assert(sizeof(struct segment_head) == 64, "the head of a segment has no padding");

/*
 * An entry: this head, the event, the payload. check is over all behind it,
 * and salted; mark is what an entry is found by behind damage. Both are random, by segment.
 */
struct entry_head {
	uint32_t check, mark;
	uint64_t seq;
	uint32_t length; /* of the payload */
	uint32_t index;
	uint32_t sender; /* its number: the same in all segments, for ever */
	uint16_t event;	 /* bytes of it */
	uint16_t flags;
};
_Static_assert(sizeof(struct entry_head) == 32, "the head of an entry has no padding");

struct spot {
	uint32_t index, at; /* an entry, and where it lies in the segment */
};

struct segment {
	uint64_t first, end; /* places: [first, end) */
	uint64_t bytes;	     /* up to where its last entry ends */
	uint64_t names;	     /* of these, the names that it begins with */
	unsigned named;	     /* names in all of it */
	uint32_t mark, salt;
	struct spot *spots; /* ascending */
	size_t nspots, cap;
	unsigned since; /* entries since the last spot */
	/* while loading */
	bool damaged; /* to be written anew */
	bool torn;    /* only its end is */
	bool headless;
	uint64_t size; /* of the file */
};

struct sample {
	uint64_t seq, place;
};

struct sender {
	char *from;
	size_t len;
	uint32_t number;    /* its highest */
	unsigned since;	    /* entries since the last sample */
	uint64_t last;	    /* seq */
	uint64_t last_place;
	uint64_t segment;   /* first place of the segment with the last sample */
	uint64_t holes;	    /* of the journal, when it was last heard of */
	uint64_t named;	    /* the mending that wrote its name */
	uint64_t told;	    /* first place of the last segment loaded that names it */
	bool kept;	    /* while some are forgotten: not this one */
	struct sample *samples; /* of places that are kept, ascending in both */
	size_t n, cap;
};

/*
 * A sender that was forgotten and comes back gets another number, while the one
 * before still stands in older segments.
 */
struct numbered {
	uint32_t number;
	struct sender *sender;
};

struct journal {
	char *folder;
	int dirfd, lock;
	bool outbox, broken;
	uint64_t max, target; /* bytes of all, of a segment */
	struct segment *segments; /* ascending, without holes; the last is appended to */
	size_t n, cap;
	int fd;		     /* of the last */
	uint64_t total;	     /* bytes of all, with pending */
	struct buf pending;  /* appended, not written: lies behind bytes of the last */
	uint64_t next;	     /* place of the next append */
	uint64_t written, synced; /* the next place is that + 1 */
	bool dirty;	     /* written and not synced */
	uint64_t forgotten;
	struct sender **senders;
	size_t nsenders, senders_cap;
	struct numbered *numbers; /* ascending */
	size_t nnumbers, numbers_cap;
	uint32_t next_number;
	struct table by_name; /* from → struct sender * */
	struct sender *recent; /* of the last append */
	struct window window;
	uint64_t last_read; /* a place */
	uint64_t last_end;  /* where its entry ends: the next is looked for there */
	struct marks marks; /* the file `synced`: journal_mark */
	uint64_t holes;	    /* while loading: damage passed so far */
	uint64_t loading;   /* first place of the segment; 0: none */
	uint64_t mendings;
};

static inline struct segment *
journal_newest(const struct journal *j)
{
	return &j->segments[j->n - 1];
}

static inline uint64_t
segment_at(const struct segment *s, uint32_t index)
{
	return s->first + index;
}

/* ---- journal_segment.c ---- */

/* Begins a segment: random mark and salt, its head appended to out. */
void segment_begin(struct segment *, uint64_t first, struct buf *out);
/* Takes the head out of a file's first bytes: whether it is one, of that first place. */
bool segment_head_take(struct segment *, const char bytes[sizeof(struct segment_head)]);
/* Appends an entry; the head's check, mark, length and event are filled in here. */
void entry_put(const struct segment *, struct entry_head, struct slice event, struct slice payload,
    struct buf *out);
/* Whether the bytes (of which there are left, the head at least) begin with a whole entry. */
bool entry_take(const struct segment *, const char *bytes, uint64_t left, struct entry_head *);
static inline uint64_t
entry_size(const struct entry_head *head)
{
	return sizeof(*head) + (uint64_t)head->event + head->length;
}
/* Notes where an entry lies, if it is time for that. */
void segment_note(struct segment *, uint32_t index, uint64_t at);
/* Where the last noted entry lies that is not behind the place; 0: none is. */
uint64_t segment_near(const struct segment *, uint64_t place);

/*
 * Goes through the entries of a segment. At its begin when zero-initialised but for
 * window, segment and size.
 */
struct scan {
	struct window *window;
	const struct segment *segment;
	uint64_t size;	   /* of the file */
	uint64_t at;	   /* behind what was returned last */
	uint64_t expected; /* index of the next entry, may pass 32 bits */
	bool loose;	   /* behind damage: it may be more */
	struct entry_head head; /* of SCAN_ENTRY */
	const char *bytes;	/* of the whole entry; lent until the next call */
};
enum scan_step {
	SCAN_ENTRY,
	SCAN_BAD,  /* damage, ended by an entry, which is next */
	SCAN_TAIL, /* damage up to the end; at is where it begins */
	SCAN_END,
};
enum scan_step scan_next(struct scan *);

/* ---- journal_folder.c ---- */

/* Appends path and why (errno) to e: "disk_full" or "cannot_write". */
int journal_cannot(const struct journal *, const char *what, struct err *e);
/* Fills segments (first and size only), ascending. 0, or -1 with e. */
int folder_list(struct journal *, struct err *e);
/* Opens a segment, which must be a regular file: -1 with errno. */
int folder_open_segment(const struct journal *, uint64_t first, int flags);
/*
 * A new segment's file, under another name until it is finished; content is written
 * as it comes. finish syncs it and gives it its name, in place of one that has it.
 * Each 0, or -1 with errno and nothing is left of it. finish returns the descriptor.
 */
int folder_part(const struct journal *);
int folder_write(const struct journal *, int fd, struct buf *content);
int folder_finish(const struct journal *, int fd, uint64_t first);
/*
 * Sets a segment aside. With keep its own name stays as well, to be replaced.
 * 0, or -1 with errno.
 */
int folder_aside(const struct journal *, uint64_t first, bool keep, struct journal_report *);
/* Removes the oldest segments until `need` more bytes fit, or none may be removed. */
void folder_drop(struct journal *, uint64_t need);

/* ---- journal_load.c and journal_mend.c ---- */

/* Reads, mends and reads again until all is whole. 0, or -1 with e. */
int journal_load(struct journal *, struct journal_report *, struct err *e);
/* Notes how much of the last segment is on the disk: bytes, 0: not known. */
void journal_remember(struct journal *, uint64_t bytes);
/*
 * Writes a segment anew with what can be read of it (nothing: old is NULL),
 * as far as the place `end`. 0, or -1 with e.
 */
int journal_mend(struct journal *, const struct segment *old, uint64_t first, uint64_t end,
    struct journal_report *, struct err *e);

/* ---- journal_sender.c ---- */

struct sender *sender_of(const struct journal *, struct slice from);
struct sender *sender_numbered(const struct journal *, uint32_t number);
/* A new one, of the next number. NULL: there are too many. */
struct sender *sender_add(struct journal *, struct slice from);
/*
 * What a name entry says: false when it contradicts what is known. report may
 * be NULL, as below.
 */
bool sender_learn(struct journal *, uint32_t number, struct slice from, uint64_t seq,
    struct journal_report *);
/* Notes a message of it in the segment: what a hole before it has swallowed is reported. */
void sender_note(struct journal *, struct sender *, const struct segment *, uint64_t seq,
    uint64_t place, struct journal_report *);
/* After loading: those that were forgotten before the last segment began. */
void senders_settle(struct journal *);
/* Forgets what lies before a place. */
void senders_drop(struct journal *, uint64_t first);
/* Appends the name entries that a segment begins with. */
void senders_put(const struct journal *, const struct segment *, struct buf *out);
void senders_free(struct journal *);

/* ---- journal_report.c ---- */

void report_range(struct journal_report *, struct slice from, uint64_t first, uint64_t last);

#endif
