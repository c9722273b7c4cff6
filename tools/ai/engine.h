/*
 * engine: records in, asks out, replies in, records out.
 *
 * One process holds a window of records in input order. Each becomes an ask,
 * is looked for among what was kept (cassette, cache), else sent as soon as
 * jobs, rates and money allow, again after a failure that may pass, again
 * with the violations when the schema refuses the reply, and leaves exactly
 * once: with its `ai` member or with an error. Nothing here knows a provider.
 */
#ifndef KANDIL_AI_ENGINE_H
#define KANDIL_AI_ENGINE_H

#include "tools/ai/ai.h"
#include "tools/ai/cache.h"

struct engine;

/*
 * A request that nothing kept answers, for whoever takes it in place of the
 * network. Everything is lent until take returns.
 */
struct engine_miss {
	const struct ask *ask;	/* with its endpoint; stream is false */
	const uint8_t *key;	/* CACHE_KEY bytes: what cache_put wants */
	struct slice url, body; /* what would be sent */
	unsigned lack;		/* enum lack, as body was made */
};

enum engine_take {
	TAKE_KEPT,   /* its reply is in the cache by now: look again */
	TAKE_LATER,  /* taken: the reply comes with a later pass */
	TAKE_FAILED, /* it failed for good: failure says how (code, text, action) */
};

/* Batch: takes what is missing. Identical requests come once a pass. */
struct engine_taker {
	enum engine_take (*take)(void *state, const struct engine_miss *, struct failure *);
	/*
	 * How often this run asked for a reply that is in the cache by now; 0: it did not, or
	 * another record has been told.
	 */
	unsigned (*asked)(void *state, const uint8_t *key);
	void *state;
};

/*
 * Opens what the settings name: cassette, cache, prompts, prices. taker NULL:
 * requests are sent. Dies with status 2 or 3 and a clear message when the
 * settings cannot be kept.
 */
struct engine *engine_open(struct run *, const struct settings *, struct endpoints *,
    const struct engine_taker *);
/*
 * One pass over the run's operands (or stdin) that writes nothing and counts
 * nothing: what is missing goes to the taker. Returns how many records still
 * wait for a TAKE_LATER.
 */
size_t engine_collect(struct engine *);
/*
 * The pass that writes: every record that is read leaves once. With a taker a
 * record that is still TAKE_LATER leaves as an error, not_asked.
 */
void engine_run(struct engine *);
/* The cache in force, NULL with --no-cache: where batch puts replies. */
struct cache *engine_cache(struct engine *);
/* The summary on stderr, and the end. */
void engine_close(struct engine *);

/* Dies with a message of several lines. */
_Noreturn void engine_die(enum status, const char *text);

/*
 * The key of a request: SHA-256 of "kandil-ai 1\n" protocol "\n" url "\n" body,
 * body being made without stream and with nothing lacking. The same ask gives
 * the same key; no header and no key of a provider enters it.
 */
void engine_key(const char *protocol, struct slice url, struct slice body,
    uint8_t key[CACHE_KEY]);

#endif
