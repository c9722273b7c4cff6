/*
 * reply: every protocol reads any answer: whole, streamed, an error, headers;
 * and whatever schema and members a record brings, the body is JSON.
 * The first byte says which protocol and what of it.
 */
#include "tools/ai/schema.h"
#include "tools/ai/wire.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct turn turns[] = {
    {ROLE_SYSTEM, S("\"s\"")},
    {ROLE_USER, S("\"u\"")},
    {ROLE_ASSISTANT, S("[{\"type\":\"text\",\"text\":\"a\"}]")},
};

struct stream {
	const struct protocol *protocol;
	struct reply reply;
};

/* What a failure must be, whatever caused it. */
static void
check_failure(const struct failure *f)
{
	if (f->code == NULL || f->text[0] == 0 || f->wait_ms < 0 || f->action > ACTION_FALLBACK ||
	    (f->action == ACTION_FALLBACK) != (f->lack != 0) || (f->lack & (f->lack - 1)))
		abort();
	if (memchr(f->text, 0, sizeof(f->text)) == NULL ||
	    utf8_valid(f->text, strlen(f->text)) != strlen(f->text) || strchr(f->text, '\n') ||
	    strchr(f->text, '\033'))
		abort();
}

static void
check_reply(const struct reply *r)
{
	if (r->usage.input < 0 || r->usage.output < 0 || r->usage.cached < 0 ||
	    r->usage.reasoning < 0 || r->usage.written < 0 ||
	    r->usage.input < r->usage.written + r->usage.cached ||
	    r->usage.output < r->usage.reasoning)
		abort();
	if (utf8_valid(r->text.ptr ? r->text.ptr : "", r->text.len) != r->text.len)
		abort();
}

static int
on_event(struct slice name, struct slice data, void *state)
{
	struct stream *s = state;
	struct failure f = {0};
	int result = s->protocol->event(name, data, &s->reply, &f);

	if (result < 0)
		check_failure(&f);
	check_reply(&s->reply);
	return result;
}

static void
fuzz_stream(const struct protocol *p, struct slice bytes)
{
	struct stream s = {.protocol = p};
	struct sse sse = {.max = 1 << 16, .lines = p->ndjson};

	if (sse_feed(&sse, bytes, on_event, &s) == 0)
		sse_end(&sse, on_event, &s);
	sse_free(&sse);
	reply_free(&s.reply);
}

static void
fuzz_reply(const struct protocol *p, struct slice bytes)
{
	struct reply r = {0};
	struct err e = {0};

	if (json_check(bytes, NULL) != 0)
		return;
	if (p->reply(bytes, &r, &e) == 0 && r.finish == FINISH_NONE)
		abort();
	check_reply(&r);
	reply_free(&r);
}

/* Headers to the first blank line, the body behind it. */
static void
fuzz_failure(const struct protocol *p, const struct ask *a, struct slice bytes)
{
	static const int statuses[] = {200, 302, 400, 401, 403, 404, 413, 422, 429, 500, 501, 529};
	const char *blank = memmem(bytes.ptr, bytes.len, "\n\n", 2);
	struct slice headers = {bytes.ptr, blank ? (size_t)(blank + 1 - bytes.ptr) : 0};
	struct slice body = {bytes.ptr + headers.len, bytes.len - headers.len};
	struct limits limits;
	struct failure f;

	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
		p->failure(statuses[i], headers, body, a, 0, &f);
		check_failure(&f);
	}
	p->failure(400, headers, body, NULL, 0, &f);
	check_failure(&f);
	p->limits(headers, &limits);
}

/* A fallback always leaves something out: no ladder is endless. */
static void
fuzz_body(const struct protocol *p, struct ask *a, struct slice bytes)
{
	struct slice text = slice_trim(bytes), error = S("{\"error\":\"schema unsupported\"}");
	struct schema *check;
	struct buf out = {0};
	unsigned lack = 0;
	struct failure f;

	if (json_check(text, NULL) != 0)
		return;
	a->schema = text;
	a->check = check = schema_open(text, NULL);
	if (json_type(text) == JSON_OBJECT)
		a->extra = text;
	for (int step = 0;; step++) {
		buf_reset(&out);
		p->body(a, lack, &out);
		if (json_check(buf_slice(&out), NULL) != 0 || step > 4)
			abort();
		p->failure(400, S(""), error, a, lack, &f);
		if (f.action != ACTION_FALLBACK)
			break;
		if (lack & f.lack)
			abort();
		lack |= f.lack;
	}
	if (!(lack & LACK_SCHEMA))
		abort();
	if (check)
		schema_close(check);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct protocol *const all[] = {&protocol_openai, &protocol_responses,
	    &protocol_anthropic, &protocol_gemini, &protocol_interactions, &protocol_ollama,
	    &protocol_llamacpp};
	struct slice bytes = {(const char *)data + 1, size - 1};
	struct ask a = {.model = S("m"), .turns = turns, .nturns = 3, .schema = S("{}"),
	    .max_tokens = S("1"), .temperature = S("1"), .top_k = S("1"), .seed = S("1"),
	    .effort = S("\"low\""), .stream = true};

	if (size == 0)
		return 0;
	const struct protocol *p = all[(data[0] >> 2) % 7];
	switch (data[0] & 3) {
	case 0:
		fuzz_reply(p, bytes);
		break;
	case 1:
		fuzz_stream(p, bytes);
		break;
	case 2:
		fuzz_failure(p, &a, bytes);
		break;
	default:
		fuzz_body(p, &a, bytes);
	}
	return 0;
}
