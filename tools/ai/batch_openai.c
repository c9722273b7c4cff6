/*
 * OpenAI: a file of requests is uploaded, a batch is made of it, and two files
 * come back, results and failures, in any order. Both are read, whatever the
 * batch's status: an expired one keeps what was done, and paid for.
 */
#include "tools/ai/batch_part.h"

#include "common/json.h"
#include "common/mem.h"
#include "common/time.h"

#include <stdio.h>
#include <stdlib.h>

/* A line of JSON Lines begins with a brace, so the boundary needs no search. */
#define BOUNDARY "kandil-7MA4YWxkTrZu0gW"

enum {
	PAGE = 100,
	DAY_S = 86400,
	LATE_MS = 900000, /* between its end and its results' names */
};

static void
head(const struct chunk *c, struct buf *out)
{
	buf_addf(out,
	    "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n"
	    "--" BOUNDARY
	    "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%s.jsonl\"\r\n"
	    "Content-Type: application/jsonl\r\n\r\n",
	    c->name);
}

static void
tail(const struct chunk *c, struct buf *out)
{
	(void)c;
	buf_adds(out, "\r\n--" BOUNDARY "--\r\n");
}

static void
line(const struct chunk *c, const char *hex, struct slice body, struct buf *out)
{
	json_open(out, '{');
	json_add(out, "custom_id", slice(hex));
	json_add(out, "method", S("POST"));
	json_add(out, "url", slice(c->url));
	/* A schema or a --body may span lines, a line of the file may not. */
	json_name(out, "body");
	json_compact(body, out);
	json_close(out, '}');
	buf_addc(out, '\n');
}

static void
url(const struct ask *ask, struct buf *out)
{
	buf_adds(out, "/v1");
	ask->endpoint->protocol->path(ask, out);
}

static char *
address(const struct batch *batch, const char *path)
{
	struct buf out = {0};

	buf_addf(&out, "%s%s", batch->endpoint->base, path);
	return buf_detach(&out);
}

static int
upload(struct batches *b, struct chunk *c, struct batch *batch, struct failure *f)
{
	char *to = address(batch, "/files");
	struct slice content = chunk_map(c), id;
	struct call call = {.method = "POST", .url = to, .body = content,
	    .type = "multipart/form-data; boundary=" BOUNDARY};
	struct answer a = {0};
	int rc = batch_call(b, batch, &call, &a, f);

	if (rc == 0) {
		id = batch_text(b, buf_slice(&a.body), "id");
		if (batch_word(id))
			state_file(&b->state, batch, id);
		else
			rc = batch_bad(f, "'id' of a file");
	}
	chunk_unmap(content);
	answer_free(&a);
	free(to);
	return rc;
}

static int
create(struct batches *b, struct batch *batch, bool *unsure, struct failure *f)
{
	char *to = address(batch, "/batches");
	struct buf body = {0};
	struct answer a = {0};
	struct call call = {.method = "POST", .url = to};
	int rc;

	json_open(&body, '{');
	json_add(&body, "input_file_id", slice(batch->file));
	json_add(&body, "endpoint", slice(batch->url));
	json_add(&body, "completion_window", S("24h"));
	json_name(&body, "metadata");
	json_open(&body, '{');
	json_add(&body, "kandil", slice(batch->name));
	json_close(&body, '}');
	json_close(&body, '}');
	call.body = buf_slice(&body);
	rc = batch_call(b, batch, &call, &a, f);
	*unsure = a.unsure;
	if (rc == 0)
		rc = batch_id(b, &a, "id", unsure, f);
	buf_free(&body);
	answer_free(&a);
	free(to);
	return rc;
}

static int
submit(struct batches *b, struct chunk *c, struct batch *batch, bool *unsure, struct failure *f)
{
	if (batch->file == NULL && upload(b, c, batch, f) != 0)
		return -1;
	return create(b, batch, unsure, f);
}

/* ---- finding what was created before ---- */

static bool
find_in(struct batches *b, const struct batch *batch, struct slice list, struct buf *next)
{
	static const char *const path[] = {"metadata", "kandil"};
	struct slice data, object, value;
	struct json_walk walk;
	long long made = INT64_MAX;

	if (!json_get(list, "data", &data))
		return false;
	walk = json_walk(data);
	while (json_element(&walk, &object)) {
		json_get_text(object, "id", next);
		if (json_path(object, path, 2, &value) && json_is(value, batch->name) &&
		    batch_word(buf_slice(next))) {
			buf_reset(&b->line);
			buf_addslice(&b->line, buf_slice(next));
			return true;
		}
		if (json_get(object, "created_at", &value))
			json_long(value, &made);
	}
	/* The newest come first: what is older than ours by a day has none of ours behind it. */
	if (!json_get(list, "has_more", &value) || !slice_is(value, "true") ||
	    made < batch->time / 1000 - DAY_S)
		buf_reset(next);
	return false;
}

static int
find(struct batches *b, struct batch *batch, struct failure *f)
{
	struct buf to = {0};
	int rc;

	buf_addf(&to, "%s/batches?limit=%d", batch->endpoint->base, PAGE);
	rc = batch_find(b, batch, to.ptr, "after", find_in, f);
	buf_free(&to);
	return rc;
}

/* ---- results ---- */

static int
get(struct batches *b, const struct batch *batch, struct answer *a, struct failure *f)
{
	struct buf to = {0};
	struct call call = {.method = "GET"};
	int rc;

	buf_addf(&to, "%s/batches/%s", batch->endpoint->base, batch->id);
	call.url = to.ptr;
	rc = batch_call(b, batch, &call, a, f);
	buf_free(&to);
	return rc;
}

static bool
one_of(struct slice word, const char *const *words)
{
	for (; *words; words++)
		if (slice_is(word, *words))
			return true;
	return false;
}

/*
 * Whether replies are told of and not yet where they are: it happens, for a while. They are
 * paid for, so it is not taken for a batch without any.
 */
static bool
late(struct batches *b, struct batch *batch, struct slice object)
{
	int64_t now = time_ms();

	if (batch->answered == 0 || batch_text(b, object, "output_file_id").len)
		return false;
	if (batch->late == 0)
		batch->late = now;
	if (now - batch->late < LATE_MS)
		return true;
	warn("batch '%s' of %s has ended with %lld replies and does not say where they are",
	    batch->id, batch->provider, batch->answered);
	return false;
}

static enum look
look(struct batches *b, struct batch *batch, struct failure *f)
{
	static const char *const ended[] = {"completed", "failed", "expired", "cancelled", NULL};
	static const char *const counts[] = {"request_counts", "completed"};
	struct answer a = {0};
	enum look rc = LOOK_FAILED;
	struct slice count;

	if (get(b, batch, &a, f) == 0) {
		if (json_path(buf_slice(&a.body), counts, 2, &count))
			json_long(count, &batch->answered);
		rc = one_of(batch_text(b, buf_slice(&a.body), "status"), ended) &&
			!late(b, batch, buf_slice(&a.body))
		    ? LOOK_ENDED : LOOK_RUNS;
	}
	answer_free(&a);
	return rc;
}

struct reading {
	struct batches *b;
	struct batch *batch;
	struct buf id;
};

/* {"custom_id","response":{"status_code","body"}|null,"error":{"code","message"}|null} */
static bool
on_line(void *state, struct slice text)
{
	struct reading *r = state;
	struct slice response, code, body, error;
	long long status;

	if (json_check(text, NULL) != 0 || !json_get_text(text, "custom_id", &r->id))
		return true;
	if (json_get(text, "error", &error) && json_type(error) == JSON_OBJECT) {
		struct slice word = batch_text(r->b, error, "code");
		bool expired = slice_is(word, "batch_expired");
		struct buf wrapped = {0};
		bool fine;

		/* As errors come over the wire, for the protocol's own rules. */
		json_open(&wrapped, '{');
		json_add_raw(&wrapped, "error", error);
		json_close(&wrapped, '}');
		fine = batch_result(r->b, r->batch, buf_slice(&r->id),
		    expired				? 0
		    : slice_is(word, "batch_cancelled") ? -1
							: 500,
		    buf_slice(&wrapped));
		buf_free(&wrapped);
		return fine;
	}
	if (json_get(text, "response", &response) && json_get(response, "status_code", &code) &&
	    json_long(code, &status) && status >= 100 && status < 600 &&
	    json_get(response, "body", &body))
		return batch_result(r->b, r->batch, buf_slice(&r->id),
		    status < 300 ? 200 : (int)status, body);
	return true;
}

/* One of the two files, when the batch has it: an id may be missing, null or empty. */
static int
read_results(struct batches *b, struct batch *batch, struct slice object, const char *which,
    struct failure *f)
{
	struct reading r = {.b = b, .batch = batch};
	struct call call = {.method = "GET", .line = on_line, .state = &r};
	struct answer a = {0};
	struct buf to = {0};
	struct slice id = batch_text(b, object, which);
	int rc;

	if (id.len == 0)
		return 0;
	if (!batch_word(id))
		return batch_bad(f, "proper file's id");
	buf_addf(&to, "%s/files/%.*s/content", batch->endpoint->base, (int)id.len, id.ptr);
	call.url = to.ptr;
	rc = batch_call(b, batch, &call, &a, f);
	buf_free(&to);
	buf_free(&r.id);
	answer_free(&a);
	return rc;
}

/* A batch that was not even begun: its first error is everyone's. */
static void
refused(struct batches *b, struct batch *batch, struct slice object)
{
	static const char *const path[] = {"errors", "data"};
	struct slice data, error, code;
	struct buf wrapped = {0};
	struct json_walk walk;

	if (!json_path(object, path, 2, &data))
		return;
	walk = json_walk(data);
	if (!json_element(&walk, &error))
		return;
	json_open(&wrapped, '{');
	json_add_raw(&wrapped, "error", error);
	json_close(&wrapped, '}');
	/* Too many tokens wait already: that passes. */
	code = batch_text(b, error, "code");
	batch_fail_all(b, batch, slice_is(code, "token_limit_exceeded") ? 503 : 400,
	    buf_slice(&wrapped));
	buf_free(&wrapped);
}

static int
collect(struct batches *b, struct batch *batch, struct failure *f)
{
	struct answer a = {0};
	int rc = get(b, batch, &a, f);
	struct slice object = buf_slice(&a.body);

	if (rc == 0)
		rc = read_results(b, batch, object, "output_file_id", f);
	if (rc == 0)
		rc = read_results(b, batch, object, "error_file_id", f);
	if (rc == 0) {
		struct slice status = batch_text(b, object, "status");

		if (slice_is(status, "failed"))
			refused(b, batch, object);
		else if (slice_is(status, "cancelled"))
			batch_fail_all(b, batch, -1, S(""));
	}
	answer_free(&a);
	return rc;
}

const struct batch_api batch_openai = {
	.lines = 50000,
	.bytes = 190 << 20,
	.head = head,
	.tail = tail,
	.line = line,
	.url = url,
	.submit = submit,
	.find = find,
	.look = look,
	.collect = collect,
	.by_file = true,
	.one_model = true,
};
