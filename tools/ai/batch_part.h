/*
 * batch_part: what the files of batch share.
 *
 *	batch.c		  the rounds: collect, submit, wait, write
 *	batch_take.c	  what is missing: known, new, failed
 *	batch_chunk.c	  a batch's content while it grows, on disk
 *	batch_submit.c	  to the provider, once, whatever happens
 *	batch_wait.c	  until they have ended, and their results
 *	batch_state.c	  the journal
 *	batch_call.c	  HTTP, one request at a time
 *	batch_find.c	  lists of batches, page by page
 *	batch_upload.c	  a file to Google
 *	batch_openai.c, batch_anthropic.c, batch_gemini.c	the three APIs
 */
#ifndef KANDIL_AI_BATCH_PART_H
#define KANDIL_AI_BATCH_PART_H

#include "common/backoff.h"
#include "common/http.h"
#include "common/progress.h"
#include "tools/ai/batch.h"
#include "tools/ai/cache_part.h"
#include "tools/ai/engine.h"
#include "tools/ai/money.h"

enum {
	KEY_HEX = 2 * CACHE_KEY,       /* a key as text: a request's name in its batch */
	BATCH_LINE = CACHE_VALUE,      /* bytes of one result */
	BATCH_WORDS = 2048,	       /* bytes of an error's body that are kept */
	BATCH_FAULTS = 4096,	       /* different errors that are kept with their words */
	BATCH_ERROR = 64 << 10,	       /* bytes of an error's body that are read */
	BATCH_ANSWER = 4 << 20,	       /* bytes of any other answer but results */
	BATCH_INLINE = 256 << 20,      /* bytes of results that come inline (Gemini) */
};

/* The code of a failure for want of what was asked for: of this program alone. */
#define BATCH_NOT_THERE "not_there"

enum batch_stage {
	STAGE_INTENT,  /* what goes in is known; whether it was submitted may not be */
	STAGE_CREATED, /* the provider has it */
	STAGE_DONE,    /* its results were read, or it never came to be */
};

struct batch_api;

struct batch {
	enum batch_stage stage;
	char *name;	/* ours, sent along where the provider keeps one */
	char *provider, *base, *protocol, *url; /* url: the API's word for what is asked */
	char *file, *id; /* the provider's, or NULL */
	int64_t time;	/* of the intent, wall clock ms */
	uint32_t count;
	const struct batch_api *api;
	const struct endpoint *endpoint; /* NULL: nothing in this run waits for it */
	bool before;	/* an earlier run read its results */
	bool adopted;	/* found after a crash by its looks: proven by its results */
	struct buf foreign; /* ids that looked like it and were not, a line each */
	unsigned polls;
	int64_t due;	/* of the next look, time_ms */
	int64_t failing, late; /* since when looks fail, results are not named; time_ms, 0: no */
	long long answered; /* as the provider counts */
	long long reserved; /* money */
	size_t matched;	    /* results that were ours */
};

/* One request. */
enum want_state {
	WANT_ASKED, /* its batch has not answered it (or never will, when the batch is done) */
	WANT_KEPT,
	WANT_FAULT,
	WANT_CANCELLED,
};
struct want {
	uint32_t batch, fault;
	uint16_t tries;
	uint8_t state;
	bool unsent; /* in a chunk that is still growing, or that was not taken */
	bool told;   /* its reply was written: who asks the same has it from the cache */
};

struct fault {
	int status;
	struct buf body;
};

/* ---- batch_state.c ---- */

struct state {
	char *path;
	int fd;
	struct batch **batches;
	size_t n, cap;
	struct places index; /* a key's fragment → at: its want */
	struct want *wants;
	size_t nwants, wants_cap;
	struct fault *faults;
	size_t nfaults, faults_cap;
};

/* Opens or makes it, locks it, reads it: 0, or -1 with e ("cannot_write", "cannot_read", "locked").
 */
int state_open(struct state *, const char *path, struct err *e);
/* Reads KEY_HEX lower-case digits; false when they are none. */
bool batch_key(struct slice hex, uint8_t key[CACHE_KEY]);
/* The request's entry, or NULL; state_add makes it (its index stays, the pointer does not). */
struct want *state_find(struct state *, const uint8_t key[CACHE_KEY]);
struct want *state_add(struct state *, const uint8_t key[CACHE_KEY]);
/* The number of an error: the same one again has the same. */
uint32_t state_fault(struct state *, int status, struct slice body);
/*
 * Each is on disk when it returns; a disk that is full ends the program. keys: KEY_HEX
 * digits each. The batch's fields but stage, time and count are the caller's to set before.
 */
void state_intent(struct state *, struct batch *, struct slice keys);
void state_file(struct state *, struct batch *, struct slice file);
void state_created(struct state *, struct batch *, struct slice id);
void state_done(struct state *, struct batch *);
struct batch *state_batch(struct state *);
/* Removes the file when nothing in it is left to wait for. */
void state_close(struct state *);

/* ---- the run ---- */

struct chunk;

struct batches {
	struct run *run;
	const struct settings *settings;
	struct engine *engine;
	struct cache *cache;
	struct http *http;
	struct state state;
	struct chunk *chunks;
	struct backoff backoff;
	struct progress progress;
	struct money money;
	bool final;	/* the pass that writes: nothing is submitted any more */
	bool interrupted;
	bool unresolved; /* the state has intents: nothing is submitted before they are resolved */
	bool stuck;	/* looking further is of no use now */
	const char *stop; /* a code: nothing more is submitted */
	char stop_text[400];
	char trouble[200]; /* what fails now and is tried again; empty: nothing */
	long long sent;	/* requests submitted in this run */
	unsigned round;
	bool again;	/* something failed and goes once more */
	unsigned failed; /* rounds in which that was so */
	long pause_ms;	/* what the provider wants to have waited before */
	struct buf url, line, scratch;
	struct reply reply;
};

/* Says it, and lets nothing more be submitted. */
void batch_stop(struct batches *, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- batch_chunk.c ---- */

struct chunk {
	struct chunk *next;
	const struct batch_api *api;
	const struct endpoint *endpoint;
	char *url;	/* the API's word for what is asked */
	char *model;	/* where a batch has one only, else "" */
	char name[32];
	unsigned lack;	/* learnt from refusals: bodies are made so */
	int fd;		/* -1: empty */
	struct buf pending; /* not written yet */
	size_t bytes, count;
	bool whole; /* its tail is written */
	struct buf keys;
	long long reserved;
};

/* A file without a name beside the state: for what may be larger than memory. */
int batch_file(const struct batches *);
/* The chunk that such requests go to. */
struct chunk *chunk_for(struct batches *, const struct batch_api *, const struct ask *);
/* The one to submit before another is begun, NULL: there is room for another file. */
struct chunk *chunk_most(const struct batches *);
/* Whether a request of so many bytes still fits. */
bool chunk_fits(const struct batches *, const struct chunk *, size_t bytes);
void chunk_add(struct batches *, struct chunk *, struct slice line, const uint8_t key[CACHE_KEY]);
/* All of it, in memory as it lies on disk; chunk_unmap when done. */
struct slice chunk_map(struct chunk *);
void chunk_unmap(struct slice);
/* Makes it empty. */
void chunk_reset(struct chunk *);
void chunks_free(struct batches *);

/* ---- batch_take.c ---- */

/* As engine_taker has them. */
enum engine_take batch_take(void *state, const struct engine_miss *, struct failure *);
unsigned batch_asked(void *state, const uint8_t *key);

/* ---- batch_submit.c ---- */

void batch_submit(struct batches *, struct chunk *);
/* Intents of a run that was killed: found at the provider, or known not to be there. */
void batch_resolve(struct batches *);

/* ---- batch_wait.c ---- */

/* How many batches with requests of this run have not ended. */
size_t batch_waiting(const struct batches *);
/* The progress line: next is the time until something is done again. */
void batch_show(struct batches *, int64_t next);
/* Until all of them have, or a signal. */
void batch_wait(struct batches *);
/*
 * What a result says: the key's KEY_HEX digits; status 200 and the body of a reply, any
 * other and an error's. status 0: it expired or was lost; -1: somebody cancelled it. False when the
 * reply cannot be kept: the batch must be read again.
 */
bool batch_result(struct batches *, struct batch *, struct slice hex, int status,
    struct slice body);
/* All requests of a batch that ended without results. */
void batch_fail_all(struct batches *, struct batch *, int status, struct slice body);

/* ---- batch_call.c ---- */

struct answer {
	int status; /* 0: none came */
	bool unsure; /* the request may have been done all the same */
	struct buf headers, body;
};
/* Zero-initialised before use. */
void answer_free(struct answer *);

struct call {
	const char *method, *url, *type; /* type NULL: application/json */
	struct slice body;
	const struct slice *headers; /* further ones */
	size_t nheaders;
	bool no_key;	   /* without the endpoint's own headers */
	bool any;	   /* the answer's body need not be JSON */
	size_t max;	   /* bytes of answer; 0: BATCH_ANSWER */
	/* Takes a 2xx answer line by line, instead of its being collected; false stops. */
	bool (*line)(void *state, struct slice line);
	void *state;
};
/*
 * One request and its answer: 0 for a 2xx (a JSON one, unless it came in lines),
 * else -1 with what is to be done about it. A GET is tried --retries times.
 */
int batch_call(struct batches *, const struct batch *, const struct call *, struct answer *,
    struct failure *);
/* Waits, and shows how it goes; false: a signal came. */
bool batch_sleep(struct batches *, int64_t ms);
/*
 * What fails will be tried again: shown until batch_well, and said at the first failure.
 * until: how long, "for an hour"; NULL: --retries times.
 */
void batch_trouble(struct batches *, const char *provider, const struct failure *,
    const char *until);
void batch_well(struct batches *);
/* Whether it may stand in a path: what comes from a server is not trusted. */
bool batch_word(struct slice id);
/* The text of a member, into b->scratch; empty when there is none. */
struct slice batch_text(struct batches *, struct slice object, const char *name);
/* An answer that lacks something; -1. */
int batch_bad(struct failure *, const char *what);
/*
 * The id of what was created, into b->line: 0, or -1 with failure and *unsure, since
 * something was.
 */
int batch_id(struct batches *, const struct answer *, const char *name, bool *unsure,
    struct failure *);

/* ---- batch_find.c ---- */

/*
 * Looks through a list. url: of its first page; after: the parameter that asks for the next. page
 * returns whether it found it (its id in b->line), else puts into next what names the next page;
 * nothing: there is none that matters. 1: found, 0: it is not there, -1 with failure.
 */
int batch_find(struct batches *, struct batch *, const char *url, const char *after,
    bool (*page)(struct batches *, const struct batch *, struct slice list, struct buf *next),
    struct failure *);

/* ---- batch_upload.c ---- */

/* The file's name at the provider goes into the state: 0 or -1 with failure. */
int batch_upload(struct batches *, struct batch *, struct slice content, struct failure *);

/* ---- the APIs ---- */

enum look { LOOK_FAILED = -1, LOOK_RUNS, LOOK_ENDED };

struct batch_api {
	size_t lines, bytes; /* of one batch */
	/* What stands before and behind the requests, and one of them; first: without a comma. */
	void (*head)(const struct chunk *, struct buf *out);
	void (*tail)(const struct chunk *, struct buf *out);
	void (*line)(const struct chunk *, const char *hex, struct slice body, struct buf *out);
	/* Appends what goes to the chunk's url. */
	void (*url)(const struct ask *, struct buf *out);
	/*
	 * Submits; chunk is NULL where batch->file is all that is needed. 0 with the id in
	 * b->line, or -1 with failure and *unsure: it may have been created.
	 */
	int (*submit)(
	    struct batches *, struct chunk *, struct batch *, bool *unsure, struct failure *);
	/* 1: found, its id in b->line; 0: it is not there; -1 with failure. */
	int (*find)(struct batches *, struct batch *, struct failure *);
	enum look (*look)(struct batches *, struct batch *, struct failure *);
	/* Results into batch_result: 0, or -1 with failure (action RETRY: may be tried again). */
	int (*collect)(struct batches *, struct batch *, struct failure *);
	bool by_file; /* a file is uploaded first, from which it can still be created */
	bool one_model; /* a batch asks one model only */
};
extern const struct batch_api batch_openai, batch_anthropic, batch_gemini;
/* NULL: the protocol has no batches. */
const struct batch_api *batch_api(const char *protocol);

#endif
