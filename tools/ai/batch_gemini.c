/*
 * Gemini: small batches carry their requests, larger ones name a file that
 * was uploaded; results come back the same way. A batch has a display name, by which it is found
 * again.
 */
#include "tools/ai/batch_part.h"

#include "common/json.h"
#include "common/mem.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	PAGE = 20, /* of batches that may carry their results */
	INLINE_BYTES = 16 << 20, /* the API takes 20 MB; results come inline then, too */
	INLINE_LINES = 1000,
	CANCELLED = -1,
};

static void
head(const struct chunk *c, struct buf *out)
{
	(void)c;
	(void)out;
}

static void
line(const struct chunk *c, const char *hex, struct slice body, struct buf *out)
{
	(void)c;
	json_open(out, '{');
	json_add(out, "key", slice(hex));
	/* A schema or a --body may span lines, a line of the file may not. */
	json_name(out, "request");
	json_compact(body, out);
	json_close(out, '}');
	buf_addc(out, '\n');
}

/* …/v1beta/models/m:generateContent → …:batchGenerateContent */
static void
url(const struct ask *ask, struct buf *out)
{
	size_t from = out->len, colon;

	ask->endpoint->protocol->path(ask, out);
	colon = out->len;
	while (colon > from && out->ptr[colon - 1] != ':')
		colon--;
	buf_cut(out, colon);
	buf_adds(out, "batchGenerateContent");
}

/* ---- submitting ---- */

/* The requests themselves, each with its key as metadata. */
static void
add_inline(struct slice content, struct buf *body)
{
	struct slice one, key, request;

	json_name(body, "requests");
	json_open(body, '{');
	json_name(body, "requests");
	json_open(body, '[');
	while (slice_line(&content, &one)) {
		if (!json_get(one, "key", &key) || !json_get(one, "request", &request))
			continue;
		json_open(body, '{');
		json_add_raw(body, "request", request);
		json_name(body, "metadata");
		json_open(body, '{');
		json_add_raw(body, "key", key);
		json_close(body, '}');
		json_close(body, '}');
	}
	json_close(body, ']');
	json_close(body, '}');
}

static int
create(struct batches *b, const struct batch *batch, struct slice content, bool *unsure,
    struct failure *f)
{
	struct buf to = {0}, body = {0};
	struct answer a = {0};
	struct call call = {.method = "POST"};
	int rc;

	json_open(&body, '{');
	json_name(&body, "batch");
	json_open(&body, '{');
	json_add(&body, "display_name", slice(batch->name));
	json_name(&body, "input_config");
	json_open(&body, '{');
	if (batch->file)
		json_add(&body, "file_name", slice(batch->file));
	else
		add_inline(content, &body);
	json_close(&body, '}');
	json_close(&body, '}');
	json_close(&body, '}');
	buf_addf(&to, "%s%s", batch->endpoint->base, batch->url);
	call.url = to.ptr;
	call.body = buf_slice(&body);
	rc = batch_call(b, batch, &call, &a, f);
	*unsure = a.unsure;
	if (rc == 0)
		rc = batch_id(b, &a, "name", unsure, f);
	buf_free(&to);
	buf_free(&body);
	answer_free(&a);
	return rc;
}

static int
submit(struct batches *b, struct chunk *c, struct batch *batch, bool *unsure, struct failure *f)
{
	struct slice content = {"", 0};
	int rc = 0;

	if (c && batch->file == NULL)
		content = chunk_map(c);
	if (content.len > INLINE_BYTES || (c && c->count > INLINE_LINES && batch->file == NULL))
		rc = batch_upload(b, batch, content, f);
	if (rc == 0)
		rc = create(b, batch, content, unsure, f);
	if (content.len)
		chunk_unmap(content);
	return rc;
}

/* ---- finding what was created before ---- */

static bool
find_in(struct batches *b, const struct batch *batch, struct slice list, struct buf *next)
{
	static const char *const path[] = {"metadata", "displayName"};
	struct slice operations, object, name;
	struct json_walk walk;

	json_get_text(list, "nextPageToken", next);
	if (!json_get(list, "operations", &operations) && !json_get(list, "batches", &operations))
		return false;
	walk = json_walk(operations);
	while (json_element(&walk, &object)) {
		if (!json_path(object, path, 2, &name) && !json_get(object, "displayName", &name))
			continue;
		if (!json_is(name, batch->name) || !batch_word(batch_text(b, object, "name")))
			continue;
		buf_reset(&b->line);
		buf_addslice(&b->line, buf_slice(&b->scratch));
		return true;
	}
	return false;
}

static int
find(struct batches *b, struct batch *batch, struct failure *f)
{
	struct buf to = {0};
	int rc;

	buf_addf(&to, "%s/v1beta/batches?pageSize=%d", batch->endpoint->base, PAGE);
	rc = batch_find(b, batch, to.ptr, "pageToken", find_in, f);
	buf_free(&to);
	return rc;
}

/* ---- results ---- */

static int
get(struct batches *b, const struct batch *batch, struct answer *a, struct failure *f)
{
	struct buf to = {0};
	struct call call = {.method = "GET", .max = BATCH_INLINE};
	int rc;

	buf_addf(&to, "%s/v1beta/%s", batch->endpoint->base, batch->id);
	call.url = to.ptr;
	rc = batch_call(b, batch, &call, a, f);
	buf_free(&to);
	return rc;
}

/* BATCH_STATE_… or JOB_STATE_…: the word behind; b->scratch. */
static struct slice
state_of(struct batches *b, struct slice object)
{
	struct slice metadata, word = {"", 0};
	const char *at;

	if (json_get(object, "metadata", &metadata))
		word = batch_text(b, metadata, "state");
	at = word.len ? memmem(word.ptr, word.len, "STATE_", 6) : NULL;
	if (at)
		word = (struct slice){at + 6, (size_t)(word.ptr + word.len - at) - 6};
	return word;
}

static bool
ended(struct slice word)
{
	return slice_is(word, "SUCCEEDED") || slice_is(word, "PARTIALLY_SUCCEEDED") ||
	    slice_is(word, "FAILED") || slice_is(word, "CANCELLED") || slice_is(word, "EXPIRED");
}

static enum look
look(struct batches *b, struct batch *batch, struct failure *f)
{
	static const char *const counts[] = {"metadata", "batchStats", "successfulRequestCount"};
	struct answer a = {0};
	enum look rc = LOOK_FAILED;
	struct slice value;

	if (get(b, batch, &a, f) == 0) {
		struct slice object = buf_slice(&a.body);

		if (json_path(object, counts, 3, &value)) {
			buf_reset(&b->scratch); /* 64-bit numbers are strings */
			if (json_text(value, &b->scratch))
				value = buf_slice(&b->scratch);
			json_long(value, &batch->answered);
		}
		rc = ended(state_of(b, object)) ||
			(json_get(object, "done", &value) && slice_is(value, "true"))
		    ? LOOK_ENDED : LOOK_RUNS;
	}
	answer_free(&a);
	return rc;
}

/* The HTTP status of google.rpc's codes; those of HTTP are themselves; CANCELLED as batch_result
 * has it. */
static int
status_of(struct slice error)
{
	static const int table[] = {[1] = CANCELLED,
	    [2] = 500,
	    [3] = 400,
	    [4] = 504,
	    [5] = 404,
	    [6] = 409,
	    [7] = 403,
	    [8] = 429,
	    [9] = 400,
	    [10] = 409,
	    [11] = 400,
	    [12] = 501,
	    [13] = 500,
	    [14] = 503,
	    [15] = 500,
	    [16] = 401};
	struct slice value;
	long long code;

	if (!json_get(error, "code", &value) || !json_long(value, &code) || code < 1)
		return 500;
	if (code < (long long)(sizeof(table) / sizeof(*table)))
		return table[code];
	return code >= 400 && code < 600 ? (int)code : 500;
}

/* An error as it comes over the wire, for the protocol's own rules. */
static void
wrap(struct slice error, struct buf *out)
{
	json_open(out, '{');
	json_add_raw(out, "error", error);
	json_close(out, '}');
}

struct reading {
	struct batches *b;
	struct batch *batch;
	struct buf id;
};

/* {"key" or "metadata":{"key"}, "response":{…} or "error":{…}} */
static bool
on_line(void *state, struct slice text)
{
	static const char *const path[] = {"metadata", "key"};
	struct reading *r = state;
	struct slice key, body, error;

	if (json_check(text, NULL) != 0 ||
	    (!json_get(text, "key", &key) && !json_path(text, path, 2, &key)))
		return true;
	buf_reset(&r->id);
	if (!json_text(key, &r->id))
		return true;
	if (json_get(text, "response", &body) && !json_get(body, "error", &error))
		return batch_result(r->b, r->batch, buf_slice(&r->id), 200, body);
	if (json_get(text, "error", &error) || (json_get(text, "response", &body) &&
		json_get(body, "error", &error))) {
		struct buf wrapped = {0};
		bool fine;

		wrap(error, &wrapped);
		fine = batch_result(r->b, r->batch, buf_slice(&r->id), status_of(error),
		    buf_slice(&wrapped));
		buf_free(&wrapped);
		return fine;
	}
	return true;
}

static int
read_file(struct reading *r, struct slice name, struct failure *f)
{
	struct call call = {.method = "GET", .line = on_line, .state = r};
	struct answer a = {0};
	struct buf to = {0};
	int rc;

	if (!batch_word(name))
		return batch_bad(f, "proper file's name");
	buf_addf(&to, "%s/download/v1beta/%.*s:download?alt=media", r->batch->endpoint->base,
	    (int)name.len, name.ptr);
	call.url = to.ptr;
	rc = batch_call(r->b, r->batch, &call, &a, f);
	buf_free(&to);
	answer_free(&a);
	return rc;
}

/* The results, which are named in one of two places: a file or an array. */
static int
read_output(struct reading *r, struct slice object, struct failure *f)
{
	static const char *const mirror[] = {"metadata", "output"};
	static const char *const inside[] = {"inlinedResponses", "inlinedResponses"};
	struct slice output, value, one;
	struct json_walk walk;

	if (!json_get(object, "response", &output) && !json_path(object, mirror, 2, &output))
		return 0;
	if (json_get(output, "responsesFile", &value) &&
	    batch_text(r->b, output, "responsesFile").len)
		return read_file(r, buf_slice(&r->b->scratch), f);
	if (!json_path(output, inside, 2, &value) && !json_get(output, "inlinedResponses", &value))
		return 0;
	walk = json_walk(value);
	while (json_element(&walk, &one))
		if (!on_line(r, one))
			return -1;
	return 0;
}

static int
collect(struct batches *b, struct batch *batch, struct failure *f)
{
	struct reading r = {.b = b, .batch = batch};
	struct answer a = {0};
	int rc = get(b, batch, &a, f);
	struct slice object = buf_slice(&a.body), error;
	struct buf wrapped = {0};

	if (rc == 0)
		rc = read_output(&r, object, f);
	if (rc == 0 && json_get(object, "error", &error)) {
		wrap(error, &wrapped);
		batch_fail_all(b, batch, status_of(error), buf_slice(&wrapped));
	}
	if (rc == 0 && slice_is(state_of(b, object), "CANCELLED"))
		batch_fail_all(b, batch, -1, S(""));
	buf_free(&wrapped);
	buf_free(&r.id);
	answer_free(&a);
	return rc;
}

const struct batch_api batch_gemini = {
	.lines = 50000,
	.bytes = 190 << 20,
	.head = head,
	.tail = head,
	.line = line,
	.url = url,
	.submit = submit,
	.find = find,
	.look = look,
	.collect = collect,
	.by_file = true,
};
