/*
 * llama-server's own chat endpoint: its form of the schema, its errors.
 *
 * Source: llama.cpp's tools/server/README.md, and a server asked (0.7.0).
 */
#include "tools/ai/wire.h"

static void
path(const struct ask *a, struct buf *out)
{
	(void)a;
	buf_adds(out, "/v1/chat/completions");
}

/* Builds of early 2025 know only json_object with a schema in it. */
static void
response_format(struct body *b, const struct ask *a, unsigned lack)
{
	if (a->schema.ptr == NULL || (lack & LACK_SCHEMA) || !body_name(b, "response_format"))
		return;
	if (lack & LACK_JSON_SCHEMA) {
		buf_adds(b->out, "{\"type\":\"json_object\"");
		json_add_raw(b->out, "schema", a->schema);
		buf_addc(b->out, '}');
	} else {
		buf_adds(b->out, "{\"type\":\"json_schema\",\"json_schema\":{");
		ask_schema_name(a, b->out);
		json_add_raw(b->out, "schema", a->schema);
		buf_adds(b->out, "}}");
	}
}

static void
write_body(const struct ask *a, unsigned lack, struct buf *out)
{
	struct body b, inner;

	body_start(&b, out, a->extra);
	body_text(&b, "model", a->model);
	chat_messages(&b, a, a->schema.ptr && (lack & LACK_SCHEMA));
	body_raw(&b, "max_tokens", a->max_tokens);
	body_sampling(&b, a, lack, &chat_sampling);
	if (a->effort.ptr && !(lack & LACK_EFFORT)) {
		body_open(&b, "chat_template_kwargs", &inner);
		body_raw(&inner, "reasoning_effort", a->effort);
		body_close(&inner);
	}
	response_format(&b, a, lack);
	chat_stream(&b, a, lack);
	body_close(&b);
}

/* Whether the model's output broke its own grammar, which the same seed does again. */
static bool
broke_grammar(int status, struct slice body)
{
	static const char said[] = "does not match the expected";

	return status == 500 && memmem(body.ptr, body.len, said, sizeof(said) - 1) != NULL;
}

static void
failure(int status, struct slice headers, struct slice body, const struct ask *a, unsigned lack,
    struct failure *f)
{
	bool seeded = a && a->seed.ptr && !(lack & LACK_SEED);

	failure_of(status, headers, body, a,
	    ask_can(a, lack, CHAT_LACKS | LACK_JSON_SCHEMA | LACK_SCHEMA), f);
	if (f->action == ACTION_RETRY &&
	    (status == 501 || (seeded && broke_grammar(status, body))))
		f->action = ACTION_FAIL;
}

const struct protocol protocol_llamacpp = {
    .name = "llamacpp",
    .path = path,
    .body = write_body,
    .reply = chat_reply,
    .event = chat_event,
    .failure = failure,
    .limits = header_limits,
};
