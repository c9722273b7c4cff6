/*
 * From a record to a request: the ask, its key, what was kept, others that
 * ask the same.
 */
#include "tools/ai/dry.h"
#include "tools/ai/engine_part.h"

#include "common/crypto.h"
#include "common/time.h"

/* ---- keys, and who asks the same at this moment ---- */

void
engine_key(const char *protocol, struct slice url, struct slice body, uint8_t key[CACHE_KEY])
{
	static struct crypto_hash hash;
	struct sha256 sum;

	crypto_hash_add(&hash, S("kandil-ai 1\n"));
	crypto_hash_add(&hash, slice(protocol));
	crypto_hash_add(&hash, S("\n"));
	crypto_hash_add(&hash, url);
	crypto_hash_add(&hash, S("\n"));
	crypto_hash_add(&hash, body);
	sum = crypto_hash_end(&hash);
	memcpy(key, sum.bytes, CACHE_KEY);
}

static struct slot **
bucket_of(struct engine *e, const uint8_t *key)
{
	return &e->keys[(key[0] | key[1] << 8) & (KEYS - 1)];
}

static struct slot *
same_request(struct engine *e, const uint8_t *key)
{
	struct slot *s = *bucket_of(e, key);

	while (s && memcmp(s->key, key, CACHE_KEY) != 0)
		s = s->bucket;
	return s;
}

static void
enter(struct engine *e, struct slot *s)
{
	struct slot **head = bucket_of(e, s->key);

	s->bucket = *head;
	*head = s;
	s->keyed = true;
}

static void
take_out(struct engine *e, struct slot *s)
{
	struct slot **at = bucket_of(e, s->key);

	if (!s->keyed)
		return;
	while (*at != s)
		at = &(*at)->bucket;
	*at = s->bucket;
	s->bucket = NULL;
	s->keyed = false;
}

static void
copy_reply(struct reply *to, const struct reply *from)
{
	reply_reset(to);
	to->finish = from->finish;
	to->usage = from->usage;
	buf_addslice(&to->finish_word, buf_slice(&from->finish_word));
	buf_addslice(&to->text, buf_slice(&from->text));
	buf_addslice(&to->model, buf_slice(&from->model));
	buf_addslice(&to->id, buf_slice(&from->id));
}

/*
 * The twins are let go before the slot itself goes on: should its reply need
 * a repair it asks under another key, and they ask the same once more.
 */
void
engine_release(struct engine *e, struct slot *s)
{
	struct slot *twins = s->twins, *next;
	bool failed = s->code != NULL;

	take_out(e, s);
	s->twins = NULL;
	if (!failed)
		for (struct slot *t = twins; t; t = t->next)
			copy_reply(&t->reply, &s->reply);
	if (!failed)
		engine_replied(e, s);
	for (struct slot *t = twins; t; t = next) {
		next = t->next;
		t->next = NULL;
		if (failed) {
			engine_error(e, t, s->code, s->retryable, "%s", buf_slice(&s->why).ptr);
			continue;
		}
		t->cached = true;
		t->latency = s->latency;
		e->counts.cached++;
		engine_replied(e, t);
	}
}

/* ---- the request ---- */

/* A program's request: what it is told, and nothing of how. */
static void
exec_body(const struct ask *ask, struct buf *out)
{
	static const char *const roles[] = {"system", "user", "assistant"};

	json_open(out, '[');
	for (size_t i = 0; i < ask->nturns; i++) {
		json_open(out, '{');
		json_add(out, "role", slice(roles[ask->turns[i].role]));
		json_add_raw(out, "content", ask->turns[i].content);
		json_close(out, '}');
	}
	json_close(out, ']');
}

void
engine_build(struct engine *e, const struct ask *ask, unsigned lack, struct buf *out)
{
	const struct endpoint *p = ask->endpoint;

	buf_reset(&e->url);
	buf_reset(out);
	if (p->protocol == NULL) {
		buf_addf(&e->url, "exec:%s", p->command);
		exec_body(ask, out);
		return;
	}
	endpoint_url(p, ask, &e->url);
	p->protocol->body(ask, lack, out);
}

/* ---- what was kept ---- */

/* A value of the cache or the cassette; false when it cannot be read. */
static bool
take_kept(struct engine *e, struct slot *s)
{
	struct err err;
	long ms = 0;

	reply_reset(&s->reply);
	if (cache_decode(buf_slice(&e->scratch), &s->reply, &ms, &err) < 0)
		return false;
	s->cached = true;
	s->latency = ms;
	e->counts.cached++;
	return true;
}

static void
record_in_cassette(struct engine *e, struct slot *s, struct slice value)
{
	struct err err;

	if (cassette_put(e->cassette, s->key, buf_slice(&e->url), buf_slice(&e->body), value,
		&err) == 0)
		return;
	/* What is recorded is the reason of the run: it does not go on without. */
	engine_stop(e, err.code, "%s", err.text);
}

/* Replies of programs are not cached: the same command may be another program by now. */
static bool
cacheable(const struct engine *e, const struct slot *s)
{
	return e->cache && s->ask.endpoint->protocol;
}

/* A reply that batch fetched in this run is no cached one. */
static void
was_asked(struct engine *e, struct slot *s)
{
	unsigned asked = e->taker->asked(e->taker->state, s->key);

	if (asked == 0)
		return;
	s->cached = false;
	s->attempts += asked;
	e->counts.cached--;
	e->counts.asked++;
	money_spend(&e->money, s->lane->price, &s->reply.usage);
}

bool
engine_kept(struct engine *e, struct slot *s)
{
	bool replay = e->cassette && cassette_replays(e->cassette);

	/* Who tries a failed record again does not want what made it fail. */
	if (s->retried && !replay)
		return false;
	buf_reset(&e->scratch);
	if (e->cassette && cassette_get(e->cassette, s->key, &e->scratch) && take_kept(e, s))
		return true;
	if (!cacheable(e, s))
		return false;
	buf_reset(&e->scratch);
	if (!cache_get(e->cache, s->key, &e->scratch) || !take_kept(e, s))
		return false;
	if (e->taker && !e->collecting)
		was_asked(e, s);
	if (e->cassette && !e->settings->dry_run)
		record_in_cassette(e, s, buf_slice(&e->scratch));
	return true;
}

/* Another's claim is waited for no longer than one reply may take: he may have been stopped. */
static bool
is_overdue(const struct engine *e, struct slot *s)
{
	if (s->behind == 0)
		s->behind = time_ms();
	return time_ms() - s->behind > (int64_t)(e->settings->timeout * 1000);
}

/*
 * The cache was looked into when the record was begun, perhaps long ago; who claims first and looks
 * then misses nothing that another who had the claim has kept.
 */
enum turn_to
engine_claim(struct engine *e, struct slot *s)
{
	if (!cacheable(e, s))
		return TURN_OURS;
	s->claimed = cache_claim(e->cache, s->key);
	if (!s->claimed && !is_overdue(e, s))
		return TURN_THEIRS;
	if (!cache_news(e->cache, &s->seen))
		return TURN_OURS;
	if (engine_recall(e, s)) {
		s->ask.stream = false;
		engine_build(e, &s->ask, 0, &e->body);
		if (!engine_kept(e, s))
			return TURN_OURS;
	}
	engine_unclaim(e, s);
	return TURN_OVER;
}

void
engine_unclaim(struct engine *e, struct slot *s)
{
	if (s->claimed)
		cache_unclaim(e->cache, s->key);
	s->claimed = false;
}

void
engine_keep(struct engine *e, struct slot *s)
{
	struct err err;

	if (e->cassette == NULL && !cacheable(e, s))
		return;
	buf_reset(&e->scratch);
	cache_encode(&s->reply, (long)s->latency, &e->scratch);
	if (cacheable(e, s) && cache_put(e->cache, s->key, buf_slice(&e->scratch), &err) < 0 &&
	    !e->cache_full) {
		e->cache_full = true;
		warn("%s: replies are no longer kept", err.text);
	}
	if (e->cassette && engine_recall(e, s)) {
		s->ask.stream = false;
		engine_build(e, &s->ask, 0, &e->body);
		record_in_cassette(e, s, buf_slice(&e->scratch));
	}
}

/* Hands the request to batch; false: it has been kept by now. */
static bool
hand_over(struct engine *e, struct slot *s)
{
	struct failure failure = {0};
	struct engine_miss miss = {.ask = &s->ask, .key = s->key, .lack = s->lane->lack};

	if (miss.lack)
		engine_build(e, &s->ask, miss.lack, &e->body);
	miss.url = buf_slice(&e->url);
	miss.body = buf_slice(&e->body);
	switch (e->taker->take(e->taker->state, &miss, &failure)) {
	case TAKE_KEPT:
		s->retried = false; /* it was asked anew: that reply is wanted */
		return false;
	case TAKE_LATER:
		e->later++;
		engine_error(e, s, "not_asked", true, "its batch has not ended: run again to go on");
		return true;
	case TAKE_FAILED:
		engine_error(e, s, failure.code, failure.action == ACTION_RETRY, "%s", failure.text);
		return true;
	}
	return true;
}

void
engine_look(struct engine *e, struct slot *s)
{
	const struct protocol *protocol = s->ask.endpoint->protocol;
	struct slot *same;

	s->ask.stream = false;
	engine_build(e, &s->ask, 0, &e->body);
	engine_key(protocol ? protocol->name : "exec", buf_slice(&e->url), buf_slice(&e->body),
	    s->key);
	s->body_size = e->body.len;
	s->behind = 0;
	if (cacheable(e, s))
		cache_news(e->cache, &s->seen);
	if (engine_kept(e, s)) {
		engine_replied(e, s);
		return;
	}
	if (e->cassette && cassette_replays(e->cassette)) {
		buf_reset(&e->scratch);
		cassette_miss(e->cassette, buf_slice(&e->body), &e->scratch);
		engine_error(e, s, "not_recorded", false, "%s", buf_slice(&e->scratch).ptr);
		return;
	}
	if (e->taker && hand_over(e, s))
		return;
	if (e->taker && engine_kept(e, s)) {
		engine_replied(e, s);
		return;
	}
	same = same_request(e, s->key);
	if (same) {
		s->state = SLOT_TWIN;
		s->next = same->twins;
		same->twins = s;
		engine_strip(e, s);
		return;
	}
	enter(e, s);
	engine_queue(e, s);
}

/* ---- from the record ---- */

static bool
wanted(const struct engine *e, const struct record *r)
{
	const struct opt_list *kinds = &e->settings->kind;

	if (kinds->n == 0)
		return true;
	for (size_t i = 0; i < kinds->n; i++)
		if (record_kind(r, kinds->v[i]))
			return true;
	return false;
}

/* Whether it is the server's doing, not the options'. */
static bool
unanswered(const char *code)
{
	return strncmp(code, "no_", 3) != 0 && strcmp(code, "bad_value") != 0 &&
	    strcmp(code, "cannot_start") != 0 && strcmp(code, "cannot_read") != 0;
}

static void
not_possible(struct engine *e, struct slot *s, const struct err *err)
{
	bool setup = strcmp(err->code, "no_model") == 0 || strcmp(err->code, "no_key") == 0 ||
	    strcmp(err->code, "cannot_start") == 0;

	/* What the options mean cannot be had, and nobody has been asked: no record is to blame. */
	if (s->ask.turns && !s->ask.named && e->lanes == NULL)
		engine_die(unanswered(err->code) ? STATUS_FAILED : STATUS_USAGE, err->text);
	engine_error(e, s, err->code, setup, "%s", err->text);
}

void
engine_strip(struct engine *e, struct slot *s)
{
	const char *model = s->lane->model;

	/* Repairs are not in the record; the model's name is told with the answer. */
	if (s->stripped || s->repairs || (s->ask.model.ptr && !model))
		return;
	if (model)
		s->ask.model = slice(model);
	arena_free(&s->arena);
	s->stripped = true;
	window_count(&e->window, s);
}

bool
engine_recall(struct engine *e, struct slot *s)
{
	struct record r = record_resume(e->run, &s->held);
	struct err err;

	if (!s->stripped)
		return true;
	s->stripped = false;
	if (prompt_ask(e->prompter, r.text, &s->arena, &s->ask, &err) == 0)
		return true;
	engine_error(e, s, err.code, false, "%s", err.text);
	return false;
}

void
engine_begin(struct engine *e, struct slot *s)
{
	struct record r = record_resume(e->run, &s->held);
	const struct protocol *protocol;
	struct err err;

	e->window.unbegun = s->after;
	if (!wanted(e, &r)) {
		s->state = SLOT_DONE;
		engine_leaves(e, s);
		return;
	}
	if (engine_has(e, s, &r))
		return;
	if (e->stop) {
		engine_error(e, s, "not_asked", true, "%s", buf_slice(&e->stop_text).ptr);
		return;
	}
	slot_equip(&e->window, s);
	if (prompt_ask(e->prompter, r.text, &s->arena, &s->ask, &err) < 0) {
		not_possible(e, s, &err);
		return;
	}
	s->lane = engine_lane(e, &s->ask);
	protocol = s->ask.endpoint->protocol;
	if (protocol && protocol->check && protocol->check(&s->ask, &err) < 0) {
		engine_error(e, s, err.code, false, "%s", err.text);
		return;
	}
	if (e->settings->max_cost && !s->lane->price) {
		engine_error(e, s, "no_price", false, "the price of %s/%.*s is not known, so --max-cost "
		    "cannot be kept: add it to a file and name that by --prices",
		    s->ask.endpoint->provider, (int)s->ask.model.len, s->ask.model.ptr);
		return;
	}
	if (e->settings->dry_run) {
		engine_dry(e, s);
		return;
	}
	engine_look(e, s);
}
