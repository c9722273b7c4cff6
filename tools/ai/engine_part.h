/*
 * engine_part: what the files of the engine share.
 *
 *	engine.c	the loop: reads, begins, sends, waits, writes
 *	engine_have.c	what a record has already
 *	engine_ask.c	a record becomes an ask; what was kept; twins
 *	engine_lane.c	lanes: the models that are asked
 *	engine_send.c	what may go, and goes; what comes back
 *	engine_fail.c	what comes back and is no reply: retries, fallbacks
 *	engine_reply.c	finish, schema, repairs
 *	engine_end.c	answers, errors, the stop, what leaves and how
 *	engine_tell.c	progress, attempts, the summary
 */
#ifndef KANDIL_AI_ENGINE_PART_H
#define KANDIL_AI_ENGINE_PART_H

#include "common/backoff.h"
#include "common/http.h"
#include "common/progress.h"
#include "tools/ai/cassette.h"
#include "tools/ai/engine.h"
#include "tools/ai/exec.h"
#include "tools/ai/money.h"
#include "tools/ai/prompt.h"
#include "tools/ai/schema.h"
#include "tools/ai/window.h"

/* One model of one endpoint: the limits are counted by model. */
struct lane {
	struct lane *next;
	struct engine *engine;
	const struct endpoint *endpoint;
	char *model; /* NULL: all further models of the endpoint */
	struct buckets buckets;
	struct pace pace;
	unsigned lack;
	int flying;
	uint64_t sent; /* requests, ever */
	bool worked; /* an HTTP reply has come, of whatever status */
	bool answered; /* a whole reply has come */
	int64_t blocked; /* buckets let nothing go before, ms */
	struct slot *first, **end; /* the queue */
	const struct price *price; /* NULL: not known */
	/* a running mean of what replies take, for estimates */
	double mean_output;
};

struct counts {
	long long records, errors, asked, cached, repaired, retried;
	long long had;	  /* passed with the answer that they had */
	long long before; /* passed with an error that they had */
	long long unpriced; /* of a dry run: to be asked at a price that is not known */
	struct usage usage; /* of what was asked in this run */
};

enum { KEYS = 4096 }; /* buckets of the table of keys in flight: a power of two */

struct engine {
	struct run *run;
	const struct settings *settings;
	struct endpoints *endpoints;
	const struct engine_taker *taker;
	struct prompter *prompter;
	struct cache *cache;
	struct cassette *cassette;
	struct http *http;
	struct lane *lanes;
	int nlanes;
	struct window window;
	struct slot *keys[KEYS];
	struct slot *waiting;	/* unordered */
	struct slot *done, **done_end; /* --unordered: ready to leave */
	struct backoff backoff;
	struct money money;
	struct progress progress;
	struct counts counts;
	struct slot *programs; /* those that a program answers, in flight */
	int flying, queued, backing, execs;
	size_t ordinal;	  /* records read */
	size_t last;	  /* with --strict: the first that failed */
	size_t later;	  /* in batch's hands */
	int64_t leaving;  /* bytes of input whose records have left */
	bool end;	  /* of the input */
	bool aside;	  /* at the last turn something was left to another process */
	bool was_full;	  /* the window, at the last turn */
	bool idle;	  /* more could fly, but nothing of what is ready may go */
	bool collecting;
	bool cache_full;  /* said once that it cannot be written */
	/* the stop: nothing more is asked, all that is read flows out */
	const char *stop;
	struct buf stop_text;
	struct buf repair_text; /* prompts/repair.txt, quoted pieces are made of it */
	struct capture lines;	/* of the line being read */
	struct pollfd *polls;
	size_t npolls;
	struct buf url, body, scratch, edit; /* for the moment */
};

/* ---- engine_have.c ---- */

/* Whether the record is not to be asked about: the slot then leaves. */
bool engine_has(struct engine *, struct slot *, const struct record *);
/* Writes a record that has its answer, untouched. */
void engine_pass(struct engine *, struct slot *, struct record *);

/* ---- engine_ask.c ---- */

/* SLOT_HELD → anything else. */
void engine_begin(struct engine *, struct slot *);
/* Whether its reply was kept, which then is in the slot; e->url and e->body are the request's. */
bool engine_kept(struct engine *, struct slot *);
/* Looks among what was kept, and queues it where nothing is. */
void engine_look(struct engine *, struct slot *);
enum turn_to { TURN_OURS, TURN_THEIRS, TURN_OVER };
/*
 * Whose it is to ask, right before it goes: ours, until engine_unclaim; another process's, who is
 * asking the same; nobody's (for engine_release): another's reply is in the slot by now, or the
 * ask cannot be made again.
 */
enum turn_to engine_claim(struct engine *, struct slot *);
void engine_unclaim(struct engine *, struct slot *);
/* Keeps a reply that came over the network. */
void engine_keep(struct engine *, struct slot *);
/* Makes the request's URL and body in e->url and out. */
void engine_build(struct engine *, const struct ask *, unsigned lack, struct buf *out);
/* Gives back what the ask points to while nobody looks at it, and makes it again. */
void engine_strip(struct engine *, struct slot *);
bool engine_recall(struct engine *, struct slot *);
/* Takes it out of the table of keys; its twins go their way. */
void engine_release(struct engine *, struct slot *);

/* ---- engine_reply.c ---- */

/* The reply is whole, from wherever: finish, schema, repairs. */
void engine_replied(struct engine *, struct slot *);

/* ---- engine_fail.c ---- */

/* It is queued again after so many ms. */
void engine_wait(struct engine *, struct slot *, int64_t wait);
/* status: of HTTP, 0 when none came. */
void engine_failed(struct engine *, struct slot *, const struct failure *, int status);

/* ---- engine_lane.c ---- */

/* The lane of the ask's model, made when it is the first. */
struct lane *engine_lane(struct engine *, const struct ask *);
void engine_free_lanes(struct engine *);

/* ---- engine_send.c ---- */

void engine_queue(struct engine *, struct slot *);
/* Sends what may go; the ms until something else may, -1: nothing waits for time. */
int64_t engine_send(struct engine *, int64_t now);
/* Ends what is in flight without a result. */
void engine_cancel(struct engine *);
/* Programs that are asked: how they go on, and what to poll. */
void engine_exec_step(struct engine *);

/* ---- engine_end.c ---- */

/* text: what the reply says, without a fence. */
void engine_answer(struct engine *, struct slot *, struct slice text);
/* As it came, or as it is by now. */
void engine_leaves(struct engine *, struct slot *);
/* retryable: the same record may succeed later. */
void engine_error(struct engine *, struct slot *, const char *code, bool retryable,
    const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Nothing more is asked: says so, once. code is of kandil-records(5). */
void engine_stop(struct engine *, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Writes all that may leave now. */
void engine_leave(struct engine *);
/* Deltas of what streams and may be shown. */
void engine_delta(struct engine *, struct slot *);

/* ---- engine_tell.c ---- */

void engine_progress(struct engine *);
/* -v: one line an attempt. */
void tell_attempt(const struct engine *, const struct slot *, const struct failure *, int status,
    int64_t wait);
void tell_lack(const struct lane *, unsigned lack, const char *why);
void tell_stop(const struct engine *);
void engine_summary(const struct engine *);

#endif
