/*
 * Anthropic: one request holds the batch. Nothing of ours can be sent along to
 * find it again by, so after a crash one that was made since, with as many requests, is taken
 * for ours until its results say whose it is.
 */
#include "tools/ai/batch_part.h"

#include "common/json.h"
#include "common/mem.h"
#include "common/time.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	PAGE = 100,
	SKEW_MS = 3600000, /* between their clock and ours */
};

static void
head(const struct chunk *c, struct buf *out)
{
	(void)c;
	buf_adds(out, "{\"requests\":[");
}

static void
tail(const struct chunk *c, struct buf *out)
{
	(void)c;
	buf_adds(out, "]}");
}

static void
line(const struct chunk *c, const char *hex, struct slice body, struct buf *out)
{
	struct buf one = {0};

	json_open(&one, '{');
	json_add(&one, "custom_id", slice(hex));
	json_add_raw(&one, "params", body);
	json_close(&one, '}');
	if (c->count)
		buf_addc(out, ',');
	buf_addslice(out, buf_slice(&one));
	buf_free(&one);
}

static void
url(const struct ask *ask, struct buf *out)
{
	(void)ask;
	buf_adds(out, "/v1/messages/batches");
}

static int
submit(struct batches *b, struct chunk *c, struct batch *batch, bool *unsure, struct failure *f)
{
	struct slice content = chunk_map(c);
	struct buf to = {0};
	struct call call = {.method = "POST", .body = content};
	struct answer a = {0};
	int rc;

	buf_addf(&to, "%s%s", batch->endpoint->base, batch->url);
	call.url = to.ptr;
	rc = batch_call(b, batch, &call, &a, f);
	*unsure = a.unsure;
	if (rc == 0)
		rc = batch_id(b, &a, "id", unsure, f);
	chunk_unmap(content);
	buf_free(&to);
	answer_free(&a);
	return rc;
}

/* ---- finding what was created before ---- */

static bool
known(const struct batches *b, const struct batch *batch, struct slice id)
{
	struct slice rest = buf_slice(&batch->foreign), other;

	while (slice_line(&rest, &other))
		if (slice_eq(other, id))
			return true;
	for (size_t i = 0; i < b->state.n; i++)
		if (b->state.batches[i] != batch && b->state.batches[i]->id &&
		    slice_is(id, b->state.batches[i]->id))
			return true;
	return false;
}

static long long
requests_of(struct slice object)
{
	struct slice counts, key, value;
	struct json_walk walk;
	long long sum = 0, n;

	if (!json_get(object, "request_counts", &counts))
		return -1;
	walk = json_walk(counts);
	while (json_member(&walk, &key, &value))
		if (json_long(value, &n))
			sum += n;
	return sum;
}

static bool
find_in(struct batches *b, const struct batch *batch, struct slice list, struct buf *next)
{
	struct slice data, object, more;
	struct json_walk walk;
	int64_t made = INT64_MAX;

	if (!json_get(list, "data", &data))
		return false;
	walk = json_walk(data);
	/* The newest come first. */
	while (made >= batch->time - SKEW_MS && json_element(&walk, &object)) {
		if (time_parse(batch_text(b, object, "created_at"), &made) != 0)
			continue;
		json_get_text(object, "id", next);
		if (made >= batch->time - SKEW_MS && requests_of(object) == batch->count &&
		    batch_word(buf_slice(next)) && !known(b, batch, buf_slice(next))) {
			buf_reset(&b->line);
			buf_addslice(&b->line, buf_slice(next));
			return true;
		}
	}
	if (made < batch->time - SKEW_MS || !json_get(list, "has_more", &more) ||
	    !slice_is(more, "true"))
		buf_reset(next);
	return false;
}

static int
find(struct batches *b, struct batch *batch, struct failure *f)
{
	struct buf to = {0};
	int rc;

	buf_addf(&to, "%s%s?limit=%d", batch->endpoint->base, batch->url, PAGE);
	rc = batch_find(b, batch, to.ptr, "after_id", find_in, f);
	if (rc == 1)
		batch->adopted = true;
	buf_free(&to);
	return rc;
}

/* ---- results ---- */

static enum look
look(struct batches *b, struct batch *batch, struct failure *f)
{
	static const char *const counts[] = {"request_counts", "succeeded"};
	struct answer a = {0};
	struct buf to = {0};
	struct call call = {.method = "GET"};
	enum look rc = LOOK_FAILED;
	struct slice count;

	buf_addf(&to, "%s%s/%s", batch->endpoint->base, batch->url, batch->id);
	call.url = to.ptr;
	if (batch_call(b, batch, &call, &a, f) == 0) {
		if (json_path(buf_slice(&a.body), counts, 2, &count))
			json_long(count, &batch->answered);
		rc = slice_is(batch_text(b, buf_slice(&a.body), "processing_status"), "ended")
		    ? LOOK_ENDED : LOOK_RUNS;
	}
	buf_free(&to);
	answer_free(&a);
	return rc;
}

/* The status that an error's type has when it comes over HTTP. */
static int
status_of(struct slice type)
{
	static const struct {
		const char *type;
		int status;
	} table[] = {{"invalid_request_error", 400}, {"authentication_error", 401},
	    {"billing_error", 402}, {"permission_error", 403}, {"not_found_error", 404},
	    {"conflict_error", 409}, {"request_too_large", 413}, {"rate_limit_error", 429},
	    {"timeout_error", 504}, {"overloaded_error", 529}};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (slice_is(type, table[i].type))
			return table[i].status;
	return 500;
}

struct reading {
	struct batches *b;
	struct batch *batch;
	struct buf id;
};

/* {"custom_id","result":{"type":"succeeded","message"}|{"type":"errored","error"}|…} */
static bool
on_line(void *state, struct slice text)
{
	static const char *const path[] = {"error", "type"};
	struct reading *r = state;
	struct slice result, type, body, kind;

	if (json_check(text, NULL) != 0 || !json_get_text(text, "custom_id", &r->id) ||
	    !json_get(text, "result", &result) || !json_get(result, "type", &type))
		return true;
	if (json_is(type, "succeeded") && json_get(result, "message", &body))
		return batch_result(r->b, r->batch, buf_slice(&r->id), 200, body);
	if (json_is(type, "errored") && json_get(result, "error", &body)) {
		int status = 500;

		buf_reset(&r->b->scratch);
		if (json_path(body, path, 2, &kind) && json_text(kind, &r->b->scratch))
			status = status_of(buf_slice(&r->b->scratch));
		return batch_result(r->b, r->batch, buf_slice(&r->id), status, body);
	}
	return batch_result(r->b, r->batch, buf_slice(&r->id), json_is(type, "canceled") ? -1 : 0,
	    S(""));
}

/*
 * The results' address is made here, not taken from results_url: the key goes
 * to the API's own host and to no other.
 */
static int
collect(struct batches *b, struct batch *batch, struct failure *f)
{
	struct reading r = {.b = b, .batch = batch};
	struct call call = {.method = "GET", .line = on_line, .state = &r};
	struct answer a = {0};
	struct buf to = {0};
	int rc;

	buf_addf(&to, "%s%s/%s/results", batch->endpoint->base, batch->url, batch->id);
	call.url = to.ptr;
	rc = batch_call(b, batch, &call, &a, f);
	buf_free(&to);
	buf_free(&r.id);
	answer_free(&a);
	return rc;
}

const struct batch_api batch_anthropic = {
	.lines = 100000,
	.bytes = 240 << 20,
	.head = head,
	.tail = tail,
	.line = line,
	.url = url,
	.submit = submit,
	.find = find,
	.look = look,
	.collect = collect,
};
