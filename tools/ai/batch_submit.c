/*
 * To the provider, once. What goes in is on disk before anything is sent, so
 * whatever kills us, the next run knows the name (or the looks) of what it has
 * to find, and submits again only what is not there.
 */
#include "tools/ai/batch_part.h"

#include "common/mem.h"
#include "common/time.h"

#include <stdarg.h>
#include <stdio.h>

enum {
	BASE_MS = 1000,
	CAP_MS = 60000,
	SETTLE_MS = 2000, /* before a list is believed to lack what was just sent */
	FRESH_MS = 60000,
};

void
batch_stop(struct batches *b, const char *code, const char *format, ...)
{
	va_list args;

	if (b->stop)
		return;
	b->stop = code;
	va_start(args, format);
	vsnprintf(b->stop_text, sizeof(b->stop_text), format, args);
	va_end(args);
	if (strcmp(code, "interrupted") == 0)
		return;
	warn("%s", b->stop_text);
	run_status(b->run, STATUS_FAILED);
}

const struct batch_api *
batch_api(const char *protocol)
{
	if (strcmp(protocol, "openai") == 0 || strcmp(protocol, "responses") == 0)
		return &batch_openai;
	if (strcmp(protocol, "anthropic") == 0)
		return &batch_anthropic;
	return strcmp(protocol, "gemini") == 0 ? &batch_gemini : NULL;
}

bool
batch_has(const struct endpoint *p)
{
	return p->protocol && batch_api(p->protocol->name);
}

/* Points the chunk's requests to their batch. */
static void
enlist(struct batches *b, const struct chunk *c, const struct batch *batch)
{
	uint32_t number = 0;
	uint8_t key[CACHE_KEY];

	while (b->state.batches[number] != batch)
		number++;
	for (size_t i = 0; i < c->keys.len; i += KEY_HEX)
		if (batch_key((struct slice){c->keys.ptr + i, KEY_HEX}, key)) {
			struct want *w = state_add(&b->state, key);

			w->batch = number;
			w->unsent = false;
		}
}

/* 1: the provider has it; 0: it has not; -1: not known. */
static int
find(struct batches *b, struct batch *batch, struct failure *f)
{
	int rc = batch->api->find(b, batch, f);

	if (rc == 0 && time_now() - batch->time < FRESH_MS) {
		if (!batch_sleep(b, SETTLE_MS))
			return -1;
		rc = batch->api->find(b, batch, f);
	}
	if (rc == 1)
		state_created(&b->state, batch, buf_slice(&b->line));
	return rc;
}

/* Submits until it is certain: 1: the provider has it; 0: it has not; -1: not known. */
static int
submit(struct batches *b, struct chunk *c, struct batch *batch, struct failure *f)
{
	for (unsigned tries = 0;; tries++) {
		bool unsure = false;

		if (batch->api->submit(b, c, batch, &unsure, f) == 0) {
			state_created(&b->state, batch, buf_slice(&b->line));
			return 1;
		}
		if (b->interrupted)
			return unsure ? -1 : 0;
		if (unsure) {
			struct failure why;
			int rc = find(b, batch, &why);

			if (rc != 0)
				return rc;
		}
		if (f->action != ACTION_RETRY || (long)tries >= b->settings->retries)
			return 0;
		batch_trouble(b, batch->provider, f, NULL);
		if (!batch_sleep(b, backoff_wait(&b->backoff, tries, BASE_MS, CAP_MS, f->wait_ms)))
			return 0;
	}
}

static void
not_taken(struct batches *b, struct batch *batch, const struct failure *f, bool known)
{
	if (known)
		state_done(&b->state, batch);
	if (b->interrupted) {
		batch_stop(b, "interrupted", "interrupted");
		return;
	}
	if (!known) {
		batch_stop(b, "not_asked",
		    "%s: it is not known whether batch '%s' was taken: %s: run again "
		    "to find out",
		    batch->provider, batch->name, f->text);
		return;
	}
	if (f->action == ACTION_FAIL) {
		struct buf body = {0};

		/* The words are all that is left of the refusal; its kind is kept by the status. */
		buf_adds(&body, "{\"error\":{\"message\":");
		buf_reset(&b->scratch);
		buf_addf(&b->scratch, "the batch was refused: %s", f->text);
		json_quote(&body, buf_slice(&b->scratch));
		buf_adds(&body, "}}");
		batch_fail_all(b, batch, 400, buf_slice(&body));
		buf_free(&body);
		return;
	}
	batch_stop(b, f->code, "%s takes no batch: %s", batch->provider, f->text);
}

void
batch_submit(struct batches *b, struct chunk *c)
{
	struct batch *batch;
	struct failure f = {0};
	int rc;

	/* What was put in while there was money is sent; after any other stop nothing is. */
	if (c->count == 0 || (b->stop && strcmp(b->stop, "budget") != 0))
		return;
	batch = state_batch(&b->state);
	batch->api = c->api;
	batch->endpoint = c->endpoint;
	batch->name = xstrdup(c->name);
	batch->provider = xstrdup(c->endpoint->provider);
	batch->protocol = xstrdup(c->endpoint->protocol->name);
	batch->base = xstrdup(c->endpoint->base);
	batch->url = xstrdup(c->url);
	batch->reserved = c->reserved;
	state_intent(&b->state, batch, buf_slice(&c->keys));
	enlist(b, c, batch);
	rc = submit(b, c, batch, &f);
	if (rc == 1) {
		b->sent += batch->count;
		note("%u requests went to %s as batch '%s'", batch->count, batch->provider,
		    batch->id);
	} else {
		not_taken(b, batch, &f, rc == 0);
	}
	chunk_reset(c);
}

void
batch_resolve(struct batches *b)
{
	b->unresolved = false;
	for (size_t i = 0; i < b->state.n && !b->interrupted; i++) {
		struct batch *batch = b->state.batches[i];
		struct failure f = {0};
		int rc;

		if (batch->stage != STAGE_INTENT || batch->endpoint == NULL)
			continue;
		rc = find(b, batch, &f);
		if (rc == 1) {
			note("batch '%s' was found at %s", batch->id, batch->provider);
		} else if (rc < 0) {
			not_taken(b, batch, &f, false);
		} else if (batch->api->by_file && batch->file) {
			rc = submit(b, NULL, batch, &f);
			if (rc == 1)
				note("batch '%s' was made of the file that was there", batch->id);
			else if (rc < 0)
				not_taken(b, batch, &f, false);
			else
				state_done(&b->state, batch);
		} else {
			state_done(&b->state, batch);
		}
	}
}
