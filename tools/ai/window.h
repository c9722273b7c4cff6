/*
 * window: the records in hand, in the order they came.
 *
 * A slot is one record from being read to leaving. The window is bounded in
 * slots and in bytes held; one record that is larger travels alone. Slots and
 * their memory are used again: nothing is allocated in the long run.
 */
#ifndef KANDIL_AI_WINDOW_H
#define KANDIL_AI_WINDOW_H

#include "common/mem.h"
#include "common/record.h"
#include "tools/ai/cache.h"
#include "tools/ai/provider.h"
#include "tools/ai/rate.h"

struct lane;
struct http_call;
struct exec_call;

enum slot_state {
	SLOT_HELD,    /* read, not looked at yet */
	SLOT_QUEUED,  /* its request goes when its lane lets it */
	SLOT_WAITING, /* its request goes again when it is due */
	SLOT_FLYING,  /* its request is on its way */
	SLOT_TWIN,    /* another slot asks the same: waits for that */
	SLOT_LATER,   /* batch has its request */
	SLOT_DONE,    /* leaves when its turn comes */
};

struct slot {
	enum slot_state state;
	struct slot *before, *after; /* input order; after alone: free */
	struct slot *next;	     /* in a lane's queue, among twins, or among done */
	struct slot *twins;
	struct slot *bucket; /* the next of the same hash in the table of keys */
	size_t bytes;	     /* counted for the window */

	/* the record */
	size_t ordinal; /* of the record in the input, from 1 */
	bool record;	/* false: lines that were dealt with while reading */
	size_t length;	/* of those lines, about */
	bool retried;	/* it came with an error, taken off by --retry */
	bool had;	/* it came with its answer */
	struct held held;
	struct capture capture;

	/* what is asked: lives in the arena and in held */
	bool equipped;
	struct arena arena; /* of a kit, as body, raw, reply and sse */
	bool stripped;	    /* what the ask points to is given back: engine_recall */
	struct ask ask;
	struct lane *lane;
	uint8_t key[CACHE_KEY];
	bool keyed; /* it is in the table of keys */
	unsigned repairs;
	uint64_t seen; /* what others had kept when the cache was looked into (cache_news) */
	bool claimed;  /* by us, while it flies */
	int64_t behind; /* since when another process asks the same, ms; 0: none does */

	/* asking */
	struct http_call *call;
	struct exec_call *exec;
	struct buf body; /* what was sent, lent to the call */
	size_t body_size; /* about how large it will be */
	unsigned lack;	 /* the lane's when body was made */
	unsigned attempts, failures, limited;
	int64_t sent, due; /* ms */
	uint64_t number;   /* among all that its lane sent */
	struct amount taken;
	long long reserved; /* money, as price.h counts */
	struct reply reply;
	bool cached;
	int64_t latency;

	/* streaming */
	struct sse sse;
	struct buf raw;	    /* a refusal's body */
	bool ended;	    /* the stream said its last */
	bool unstreamed;    /* it is no stream but one object, which is in raw */
	struct failure broken; /* code NULL: it did not say that it failed */
	size_t streamed;    /* bytes of reply.text that went out */

	/* the end: a value for --into, or an error */
	struct usage usage;
	long long cost; /* of all its replies */
	bool priced;
	struct buf value;
	const char *code; /* NULL: no error */
	bool retryable;
	struct buf why, more; /* the error's message, and its further members */
};

/* What asking takes: there are as many as asks, not as many as records in hand. */
struct kit {
	struct arena arena;
	struct buf body, raw;
	struct reply reply;
	struct sse sse;
};

struct window {
	struct slot *first, *last, *free;
	struct slot *unbegun; /* the first that is SLOT_HELD: all behind it are */
	size_t count, most;
	size_t bytes, most_bytes;
	struct kit *kits; /* not in use */
	size_t nkits, kits_cap;
};

enum {
	/* What each buffer of a slot keeps for its next record: 1,024 slots keep it. */
	SLOT_KEPT = 1 << 10,
	/* A request above this is made again for each attempt, not kept beside its record. */
	SLOT_LARGE = 8 << 10,
};

/* Whether another line may be read. */
bool window_open(const struct window *);
/* Whether what is in hand has grown, by its replies, beyond what may be held. */
bool window_grown(const struct window *);
/* A fresh slot at the end; SLOT_HELD. */
struct slot *window_add(struct window *);
/* Counts anew what the slot holds. */
void window_count(struct window *, struct slot *);
/* It has left: its memory serves the next. */
void window_drop(struct window *, struct slot *);
void window_free(struct window *);

/* Whether the slot's request is above SLOT_LARGE. */
bool slot_large(const struct slot *);
/* Gives the slot what asking takes: an arena for its ask, buffers for request and reply. */
void slot_equip(struct window *, struct slot *);
/* Takes back what asking took, or empties what sending took; large pieces go for good. */
void slot_clear_asking(struct window *, struct slot *);
void slot_clear_body(struct slot *);

#endif
