/*
 * history_part: what the files of history share.
 *
 *	history.c        topics, limits
 *	history_index.c  by sender
 *	history_entry.c  a message as bytes
 *	history_disk.c   the format of a file
 *	history_file.c   a topic's file: appending, reading, syncing
 *	history_compact.c  writing it anew without what was dropped
 *	history_load.c   reading the folder
 *
 * A message is one body (history_entry.c), in memory or in a file; the ring of a
 * topic has a fixed piece for each. Topics that are empty stay in the table, which
 * cannot delete, until so many are that it is made anew.
 */
#ifndef KANDIL_COLLAB_HISTORY_PART_H
#define KANDIL_COLLAB_HISTORY_PART_H

#include "common/hash.h"
#include "tools/collab/history.h"

struct entry {
	int64_t at;
	union {
		char *body;	/* in memory */
		uint64_t where; /* in the file, from its beginning as if never compacted */
	};
	struct sender *sender; /* NULL: of no kandil client */
	uint64_t seq;
	uint32_t len; /* of the body */
};

struct sender_seq {
	uint64_t seq, number;
};

/* What is kept of one sender: v[head..n), by seq. Empty ones stay until the table is made anew. */
struct sender {
	char *name;
	size_t len;
	struct sender_seq *v;
	size_t head, n, cap;
	struct sender *next; /* of its history */
};

struct index {
	struct table table; /* name → struct sender * */
	struct sender *senders;
	size_t all, empty;
	uint64_t shape; /* goes up when names move in the table */
};

struct history {
	struct histories *all;
	char *key; /* '0' public or '1' private, then the topic's name */
	size_t key_len;
	uint64_t epoch;
	uint64_t first; /* number of the oldest */
	struct entry *ring;
	size_t n, cap; /* cap is a power of two; number lies at number & (cap - 1) */
	struct index index;
	struct history *newer, *older; /* by last message; empty ones are in no list */

	/* The file, with a folder. */
	char *file;	 /* its name in the folder */
	uint64_t before; /* bytes that compactions have taken away */
	uint64_t end;	 /* where the next entry goes, as entry.where counts */
	int fd;		 /* -1: not open */
	int64_t dirty;	 /* time_ms() since when something is not on the disk, ms; 0: nothing */
	bool torn;	 /* a write failed: what lies behind end is to be cut */
};

/* Files held open. More topics than that at once are slower, not fewer. */
enum { HISTORY_OPEN = 256 };

struct histories {
	struct histories_settings settings;
	struct table table; /* key → struct history * */
	struct history **topics;
	size_t n, cap, empty;
	struct history *newest, *oldest;
	size_t bytes;
	size_t cursor;	  /* of topics, whose age is looked at next */
	int64_t looked;	  /* when last */
	struct buf body;  /* a body being made or read */
	struct buf from;  /* a sender's name */

	int folder, lock; /* -1: in memory */
	struct history *open[HISTORY_OPEN];
	size_t hand; /* the next to be closed for another */
	int64_t unsynced; /* since when something closed is not on the disk, ms; 0: nothing */
	bool made;   /* a file was made: the folder is to be synced */
	bool failing, telling; /* the disk; it was said, and its end is to be */
	int64_t said;	       /* when, time_ms(); 0: never */
	uint64_t failures;

	/* What is being compacted: bytes from compact_start to compact_at are in the new file. */
	struct history *compact;
	int compact_fd;
	uint64_t compact_start, compact_at;
	int64_t compact_not_before; /* a failure: not again at once */
};

static inline struct entry *
entry_of(const struct history *h, uint64_t number)
{
	return &h->ring[number & (h->cap - 1)];
}

/* ---- history.c ---- */
/* A message that is in its place (memory or file) already: len, at, body or where are set. */
void history_push(struct history *, const struct entry *);
void history_drop(struct history *); /* the oldest */
struct history *history_make(struct histories *, struct slice key);
/* Drops what the settings say is too much of this one. */
void history_trim(struct history *, int64_t wall);

/* ---- history_index.c ---- */
struct sender *history_index_find(const struct index *, struct slice from);
/* Bytes that it takes more; *sender is made when it is new. */
size_t history_index_add(struct index *, struct slice from, uint64_t seq, uint64_t number,
    struct sender **sender);
/* Bytes that it takes less; the sender may be gone. */
size_t history_index_remove(struct index *, struct sender *, uint64_t seq);
/* Likewise, of the senders that have nothing: they are gone. */
size_t history_index_tidy(struct index *);
/* The place of the first with at least seq, sender->n: none. */
size_t history_index_seek(const struct sender *, uint64_t seq);
void history_index_free(struct index *);

/* ---- history_entry.c ---- */
void history_body_write(struct buf *, const struct history_message *);
/* What it lends points into body. False: it is none. */
bool history_body_read(struct slice body, struct history_message *);

/* ---- history_file.c ---- */
/* Appends the body in all->body; *where it lies. */
int history_file_append(struct history *, uint64_t *where, int64_t now, struct err *e);
/* Appends the body of an entry to out, checked; false: the disk does not give it. */
bool history_file_read(struct history *, const struct entry *, struct buf *out);
/* Nothing is kept of it any more. */
void history_file_remove(struct history *);
/* Opens it, made with its header when it is new: 0, or -1 with e. */
int history_file_open(struct history *, struct err *e);
/* Closes all, and brings to the disk what is not there. */
void history_file_settle(struct histories *);
/* Syncs what has waited long enough; ms until it is to be called again, -1: any time. */
int64_t history_file_turn(struct histories *, int64_t now);

/* ---- history_disk.c ---- */
enum {
	ENTRY_HEAD = 16, /* u32 length, u32 check of the length, u64 check of the body */
	HEADER_MOST = 8192,
};
void history_disk_head(char head[ENTRY_HEAD], struct slice body);
/* The length; -1: it is not the head of an entry. */
int64_t history_disk_length(const char head[ENTRY_HEAD]);
bool history_disk_check(const char head[ENTRY_HEAD], struct slice body);
/* The first line of a file. */
void history_disk_header(const struct history *, struct buf *out);
/* Of a header's line: the topic's key (appended) and epoch. */
bool history_disk_read_header(struct slice line, struct buf *key, uint64_t *epoch);
/* The file's name of a key: appended. */
void history_disk_name(struct slice key, struct buf *out);
/* 0, or -1 with errno. */
int history_disk_copy(int from, uint64_t at, int to, uint64_t to_at, uint64_t bytes);

/* ---- history_compact.c ---- */
/* The name of what is to take its file's place: appended. */
void history_new_name(const struct history *, struct buf *out);
/* Begins to write it anew when most of it is of no use any more. */
void history_compact(struct history *, int64_t now);
/* Goes on with it, a piece at a time; true: there is more to do at once. */
bool history_compact_turn(struct histories *, int64_t now);
void history_compact_stop(struct histories *);

/* ---- history_load.c ---- */
int history_load(struct histories *, struct err *e);

#endif
