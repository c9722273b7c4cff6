/*
 * What the engine found nowhere: already in a batch, new, or known to have
 * failed, in which case its provider's own rules say whether it goes again.
 */
#include "tools/ai/batch_part.h"

#include "common/crypto.h"

#include <stdio.h>

enum {
	LOST_TRIES = 3, /* batches that may expire over a request */
	FRAME = 4096,	/* bytes around a body, and of what it may lack */
};

static enum engine_take
fail(struct failure *f, const char *code, enum action action, const char *text)
{
	*f = (struct failure){.action = action, .code = code};
	snprintf(f->text, sizeof(f->text), "%s", text);
	return TAKE_FAILED;
}

/* Sets aside what it may cost; false when the budget does not allow it. */
static bool
afford(struct batches *b, const struct engine_miss *miss, struct chunk *c)
{
	const struct price *price = money_price(&b->money, miss->ask->endpoint, miss->ask->model);
	long long reserved = 0;

	if (!money_reserve(&b->money, price, money_estimate(miss->ask, 0), &reserved))
		return false;
	c->reserved += reserved;
	return true;
}

/* Into a chunk, which is submitted when it is full. */
static enum engine_take
send(struct batches *b, const struct engine_miss *miss, const struct batch_api *api,
    struct failure *f)
{
	const struct endpoint *p = miss->ask->endpoint;
	struct slice body = miss->body;
	struct buf hex = {0};
	struct chunk *c, *full;
	struct want *w;

	c = chunk_for(b, api, miss->ask);
	if (!chunk_fits(b, c, miss->body.len + FRAME))
		batch_submit(b, c);
	if (c->fd < 0 && (full = chunk_most(b)))
		batch_submit(b, full);
	if (b->stop)
		return fail(f, "not_asked", ACTION_RETRY, b->stop_text);
	if (!afford(b, miss, c)) {
		batch_stop(b, "budget", "--max-cost is reached: nothing more is submitted");
		return fail(f, "budget", ACTION_RETRY, b->stop_text);
	}
	if (c->lack & ~miss->lack) {
		buf_reset(&b->scratch);
		p->protocol->body(miss->ask, miss->lack | c->lack, &b->scratch);
		body = buf_slice(&b->scratch);
	}
	crypto_hex(&hex, miss->key, CACHE_KEY);
	buf_reset(&b->line);
	api->line(c, hex.ptr, body, &b->line);
	buf_free(&hex);
	chunk_add(b, c, buf_slice(&b->line), miss->key);
	w = state_add(&b->state, miss->key);
	w->state = WANT_ASKED;
	w->unsent = true;
	return TAKE_LATER;
}

/* Whether a request that failed so goes again; else f says how it failed. */
static bool
again(struct batches *b, const struct engine_miss *miss, const struct batch_api *api,
    struct want *w, struct failure *f)
{
	const struct fault *fault = &b->state.faults[w->fault];
	const struct ask *ask = miss->ask;
	struct chunk *c;

	*f = (struct failure){0};
	c = chunk_for(b, api, ask);
	ask->endpoint->protocol->failure(fault->status, (struct slice){"", 0},
	    buf_slice(&fault->body), ask, miss->lack | c->lack, f);
	switch (f->action) {
	case ACTION_FALLBACK:
		c->lack |= f->lack;
		return w->tries < b->settings->retries;
	case ACTION_RETRY:
		b->again = true;
		if (f->wait_ms > b->pause_ms)
			b->pause_ms = f->wait_ms;
		return w->tries < b->settings->retries;
	case ACTION_STOP:
		batch_stop(b, f->code, "%s: %s", ask->endpoint->provider, f->text);
		return false;
	case ACTION_FAIL:
		break;
	}
	return false;
}

/* A reply that is in the cache, if the cache still has it. */
static enum engine_take
kept(struct batches *b, const struct engine_miss *miss, struct failure *f)
{
	buf_reset(&b->scratch);
	if (cache_get(b->cache, miss->key, &b->scratch))
		return TAKE_KEPT;
	return fail(f, "not_kept", ACTION_RETRY,
	    "its reply was kept and is gone: is --cache-size too small?");
}

/* A request that this state knows. */
static enum engine_take
known(struct batches *b, const struct engine_miss *miss, const struct batch_api *api,
    struct want *w, struct failure *f)
{
	struct batch *batch = w->batch == UINT32_MAX ? NULL : b->state.batches[w->batch];

	switch ((enum want_state)w->state) {
	case WANT_KEPT:
		return kept(b, miss, f);
	case WANT_CANCELLED:
		return fail(f, "not_asked", ACTION_RETRY, "its batch was cancelled");
	case WANT_FAULT:
		if (!again(b, miss, api, w, f))
			return TAKE_FAILED;
		break;
	case WANT_ASKED:
		if (w->unsent && b->stop && b->final)
			return fail(f, strcmp(b->stop, "budget") == 0 ? "budget" : "not_asked",
			    ACTION_RETRY, b->stop_text);
		if (w->unsent)
			return TAKE_LATER;
		if (batch && batch->stage != STAGE_DONE) {
			batch->endpoint = miss->ask->endpoint;
			return TAKE_LATER;
		}
		/* Its reply may have come to a run that was killed, for a record with --retry. */
		buf_reset(&b->scratch);
		if (batch && batch->before && cache_get(b->cache, miss->key, &b->scratch)) {
			w->state = WANT_KEPT;
			return TAKE_KEPT;
		}
		if (w->tries >= LOST_TRIES)
			return fail(f, "expired", ACTION_RETRY,
			    "its batches ended without a result for it");
		break;
	}
	if (b->final || b->stop)
		return fail(
		    f, "not_asked", ACTION_RETRY, b->stop ? b->stop_text : "it failed for a while");
	if (b->unresolved)
		return TAKE_LATER;
	w->tries++;
	return send(b, miss, api, f);
}

unsigned
batch_asked(void *state, const uint8_t *key)
{
	struct batches *b = state;
	struct want *w = state_find(&b->state, key);

	if (w == NULL || w->state != WANT_KEPT || w->told)
		return 0;
	w->told = true;
	return w->tries + 1u;
}

enum engine_take
batch_take(void *state, const struct engine_miss *miss, struct failure *f)
{
	struct batches *b = state;
	const struct protocol *protocol = miss->ask->endpoint->protocol;
	const struct batch_api *api = protocol ? batch_api(protocol->name) : NULL;
	struct want *w;

	if (api == NULL) {
		buf_reset(&b->scratch);
		buf_addf(&b->scratch, "'%s' has no batches that are known here: leave out --batch",
		    miss->ask->endpoint->provider);
		return fail(f, "bad_request", ACTION_FAIL, b->scratch.ptr);
	}
	w = state_find(&b->state, miss->key);
	if (w)
		return known(b, miss, api, w, f);
	if (b->stop)
		return fail(f, strcmp(b->stop, "budget") == 0 ? "budget" : "not_asked",
		    ACTION_RETRY, b->stop_text);
	if (b->final)
		return fail(f, "not_asked", ACTION_RETRY, "it was not in the input before");
	if (b->unresolved)
		return TAKE_LATER;
	return send(b, miss, api, f);
}
