/*
 * OpenAI's chat completions, and all that are compatible with them.
 *
 * Source: the API reference and the vendor's client, 7.57.0.
 */
#include "tools/ai/endpoint.h"
#include "tools/ai/wire.h"

static void
path(const struct ask *a, struct buf *out)
{
	(void)a;
	buf_adds(out, "/chat/completions");
}

/*
 * OpenAI's reasoning models refuse max_tokens; most compatible servers know
 * nothing else, and ignore what they do not know, which would leave the
 * output without a limit. Where the guess is wrong, a refusal turns it.
 */
static bool
says_max_completion(const struct ask *a, unsigned lack)
{
	const char *provider = a->endpoint ? a->endpoint->provider : "openai";

	if (lack & (LACK_MAX_TOKENS | LACK_MAX_COMPLETION))
		return (lack & LACK_MAX_TOKENS) != 0;
	return strcmp(provider, "openai") == 0 || strcmp(provider, "azure") == 0;
}

static void
response_format(struct body *b, const struct ask *a, unsigned lack)
{
	if (a->schema.ptr == NULL || (lack & LACK_SCHEMA))
		return;
	if (lack & LACK_JSON_SCHEMA) {
		body_raw(b, "response_format", S("{\"type\":\"json_object\"}"));
	} else if (body_name(b, "response_format")) {
		buf_adds(b->out, "{\"type\":\"json_schema\",\"json_schema\":{");
		ask_schema_name(a, b->out);
		if (ask_strict(a, lack))
			json_add_raw(b->out, "strict", S("true"));
		json_add_raw(b->out, "schema", a->schema);
		buf_adds(b->out, "}}");
	}
}

static void
write_body(const struct ask *a, unsigned lack, struct buf *out)
{
	struct body b;

	body_start(&b, out, a->extra);
	body_text(&b, "model", a->model);
	chat_messages(&b, a, ask_prompts_schema(a, lack));
	body_raw(&b, says_max_completion(a, lack) ? "max_completion_tokens" : "max_tokens",
	    a->max_tokens);
	body_sampling(&b, a, lack, &chat_sampling);
	if (!(lack & LACK_EFFORT))
		body_raw(&b, "reasoning_effort", a->effort);
	response_format(&b, a, lack);
	chat_stream(&b, a, lack);
	body_close(&b);
}

/* What a refusal could make us leave out, or say otherwise. */
static unsigned
could(const struct ask *a, unsigned lack)
{
	unsigned lacks = CHAT_LACKS | LACK_JSON_SCHEMA | LACK_SCHEMA, can;

	if (ask_strict(a, lack))
		lacks |= LACK_STRICT;
	can = ask_can(a, lack, lacks);
	/* One turn is enough: after that the number itself is what is refused. */
	if (a->max_tokens.ptr && !(lack & (LACK_MAX_TOKENS | LACK_MAX_COMPLETION)))
		can |= says_max_completion(a, lack) ? LACK_MAX_COMPLETION : LACK_MAX_TOKENS;
	return can;
}

static void
failure(int status, struct slice headers, struct slice body, const struct ask *a, unsigned lack,
    struct failure *f)
{
	failure_of(status, headers, body, a, a ? could(a, lack) : 0, f);
}

const struct protocol protocol_openai = {
    .name = "openai",
    .path = path,
    .body = write_body,
    .reply = chat_reply,
    .event = chat_event,
    .failure = failure,
    .limits = header_limits,
};
