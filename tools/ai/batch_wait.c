/*
 * Until the batches have ended, and what came of them: replies into the
 * cache, failures remembered for the next round.
 */
#include "tools/ai/batch_part.h"

#include "common/crypto.h"
#include "common/json.h"
#include "common/time.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	LOOK_MS = 500,	    /* at least, between two looks */
	LOOK_CAP_MS = 300000, /* and at most about so much more: reached after ten */
	PATIENCE_MS = 3600000, /* with looks that fail and may pass */
	/* Until then no provider has forgotten a batch. */
	GONE_MS = 172800000,
};

/* ---- results ---- */

/* The request that a result is for, when it is one of this batch. */
static struct want *
want_of(struct batches *b, const struct batch *batch, struct slice hex, uint8_t key[CACHE_KEY])
{
	struct want *w = batch_key(hex, key) ? state_find(&b->state, key) : NULL;

	return w && w->batch < b->state.n && b->state.batches[w->batch] == batch ? w : NULL;
}

static void
set_fault(struct batches *b, struct want *w, int status, struct slice body)
{
	w->state = WANT_FAULT;
	w->fault = state_fault(&b->state, status, body);
}

/* A reply into the cache; false when it cannot be kept. */
static bool
keep(struct batches *b, const struct batch *batch, struct want *w, const uint8_t key[CACHE_KEY],
    struct slice body)
{
	struct err e;
	int64_t took;

	reply_reset(&b->reply);
	if (batch->endpoint->protocol->reply(body, &b->reply, &e) != 0) {
		set_fault(b, w, 200, body);
		return true;
	}
	/* How long it took is known no better than by when it was submitted. */
	took = time_now() - batch->time;
	buf_reset(&b->scratch);
	cache_encode(&b->reply, took > 0 ? (long)took : 0, &b->scratch);
	if (cache_put(b->cache, key, buf_slice(&b->scratch), &e) != 0) {
		b->stuck = true;
		batch_stop(b, "cannot_write",
		    "%s: the batch's results stay with %s: make room and run "
		    "again",
		    e.text, batch->provider);
		return false;
	}
	money_spend(&b->money, money_price(&b->money, batch->endpoint, buf_slice(&b->reply.model)),
	    &b->reply.usage);
	w->state = WANT_KEPT;
	return true;
}

bool
batch_result(struct batches *b, struct batch *batch, struct slice hex, int status,
    struct slice body)
{
	uint8_t key[CACHE_KEY];
	struct want *w = want_of(b, batch, hex, key);

	if (w == NULL)
		return true; /* nobody asked that */
	batch->matched++;
	if (w->state != WANT_ASKED)
		return true; /* said twice */
	if (status == 200)
		return keep(b, batch, w, key, body);
	if (status > 0)
		set_fault(b, w, status, body);
	else if (status < 0)
		w->state = WANT_CANCELLED;
	return true;
}

void
batch_fail_all(struct batches *b, struct batch *batch, int status, struct slice body)
{
	for (size_t i = 0; i < b->state.nwants; i++) {
		struct want *w = &b->state.wants[i];

		if (w->batch >= b->state.n || b->state.batches[w->batch] != batch ||
		    w->state != WANT_ASKED)
			continue;
		if (status > 0)
			set_fault(b, w, status, body);
		else if (status < 0)
			w->state = WANT_CANCELLED;
	}
}

/* ---- waiting ---- */

static bool
waits(const struct batch *batch)
{
	return batch->stage == STAGE_CREATED && batch->endpoint;
}

size_t
batch_waiting(const struct batches *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->state.n; i++)
		n += waits(b->state.batches[i]);
	return n;
}

/* One that was found by its looks and holds nothing of ours is somebody else's. */
static void
not_ours(struct batches *b, struct batch *batch)
{
	buf_adds(&batch->foreign, batch->id);
	buf_addc(&batch->foreign, '\n');
	free(batch->id);
	batch->id = NULL;
	batch->stage = STAGE_INTENT;
	batch->adopted = false;
	batch_resolve(b);
}

static void
look_later(struct batches *b, struct batch *batch, int64_t least)
{
	batch->due = time_ms() + backoff_wait(&b->backoff, batch->polls++, LOOK_MS, LOOK_CAP_MS,
				     least > LOOK_MS ? least : LOOK_MS);
}

/* Not known, and too new to be forgotten: another key made it, and what it does is paid for. */
static void
unknown(struct batches *b, struct batch *batch, const struct failure *f)
{
	batch->endpoint = NULL; /* it is not waited for, the others are */
	batch_stop(b, f->code,
	    "batch '%s' of %s is not known to this key (%s): run again with the key that "
	    "made it, or remove '%s' to ask all anew",
	    batch->id, batch->provider, f->text, b->state.path);
}

/* A look or its results failed: later, never, or in another run. */
static void
not_now(struct batches *b, struct batch *batch, const struct failure *f, const char *what)
{
	int64_t now = time_ms();

	if (f->action == ACTION_FAIL && time_now() - batch->time > GONE_MS) {
		warn("batch '%s' of %s is gone: %s", batch->id, batch->provider, f->text);
		state_done(&b->state, batch);
		return;
	}
	if (f->action == ACTION_FAIL && strcmp(f->code, BATCH_NOT_THERE) == 0) {
		unknown(b, batch, f);
		return;
	}
	if (f->action == ACTION_RETRY && b->settings->retries > 0) {
		if (batch->failing == 0)
			batch->failing = now;
		batch_trouble(b, batch->provider, f, "for an hour");
		if (now - batch->failing < PATIENCE_MS) {
			look_later(b, batch, f->wait_ms);
			return;
		}
	}
	b->stuck = true;
	batch_stop(b, f->code, "%s: %s: %s: its batches go on; run again to take up their results",
	    batch->provider, what, f->text);
}

static void
collect(struct batches *b, struct batch *batch)
{
	struct failure f = {0};
	struct err e;
	int rc;

	batch->matched = 0;
	rc = batch->api->collect(b, batch, &f);
	if (b->interrupted || b->stuck)
		return;
	if (rc != 0) {
		not_now(b, batch, &f, "results cannot be read");
		return;
	}
	if (batch->adopted && batch->matched == 0) {
		not_ours(b, batch);
		return;
	}
	/* What says that they need not be read again must not outlive them. */
	if (cache_sync(b->cache, &e) != 0) {
		b->stuck = true;
		batch_stop(b, e.code, "%s", e.text);
		return;
	}
	money_settle(&b->money, &batch->reserved);
	state_done(&b->state, batch);
	if (die_verbose() > 0)
		note("batch '%s' has ended: %zu results", batch->id, batch->matched);
}

static void
look(struct batches *b, struct batch *batch)
{
	struct failure f = {0};

	switch (batch->api->look(b, batch, &f)) {
	case LOOK_RUNS:
		batch->failing = 0;
		look_later(b, batch, LOOK_MS);
		return;
	case LOOK_ENDED:
		collect(b, batch);
		return;
	case LOOK_FAILED:
		if (!b->interrupted)
			not_now(b, batch, &f, "nothing can be asked");
	}
}

void
batch_show(struct batches *b, int64_t next)
{
	struct buf tail = {0};
	long long answered = 0, total = 0;

	if (!progress_due(&b->progress))
		return;
	for (size_t i = 0; i < b->state.n; i++)
		if (b->state.batches[i]->endpoint) {
			const struct batch *batch = b->state.batches[i];

			total += batch->count;
			answered += batch->stage == STAGE_DONE ? batch->count : batch->answered;
		}
	buf_addf(&tail, "of %lld, waiting for %zu batches, next %s in ", total, batch_waiting(b),
	    b->trouble[0] ? "try" : "look");
	progress_length(&tail, next);
	if (b->trouble[0])
		buf_addf(&tail, ": %s", b->trouble);
	progress_show(&b->progress, answered, "answered", 0, buf_slice(&tail));
	buf_free(&tail);
}

void
batch_wait(struct batches *b)
{
	while (!b->interrupted && batch_waiting(b)) {
		int64_t next = INT64_MAX, now;

		for (size_t i = 0; i < b->state.n && !b->interrupted; i++) {
			struct batch *batch = b->state.batches[i];

			if (waits(batch) && batch->due <= time_ms())
				look(b, batch);
			if (b->stuck)
				return;
			if (waits(batch) && batch->due < next)
				next = batch->due;
		}
		now = time_ms();
		if (b->interrupted || next == INT64_MAX)
			continue;
		next = next > now ? next - now : 0;
		batch_sleep(b, next);
	}
}
