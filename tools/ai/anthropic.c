/*
 * Anthropic's messages, in both versions of the API.
 *
 * Source: the API reference and the vendor's client, 1.12.0.
 */
#include "tools/ai/endpoint.h"
#include "tools/ai/wire.h"

/*
 * The API refuses a request without max_tokens. Every model takes this much,
 * most records need less, and who needs more says so: a reply that reaches it
 * is an error that names the limit, never a short answer.
 */
#define MAX_TOKENS "4096"

static void
path(const struct ask *a, struct buf *out)
{
	(void)a;
	buf_adds(out, "/v1/messages");
}

static bool
has_blocks(const struct ask *a)
{
	for (size_t i = 0; i < a->nturns; i++)
		if (a->turns[i].role == ROLE_SYSTEM && *a->turns[i].content.ptr == '[')
			return true;
	return false;
}

static void
text_block(struct buf *out, struct slice inside)
{
	json_open(out, '{');
	buf_adds(out, "\"type\":\"text\",\"text\":\"");
	buf_addslice(out, inside);
	buf_adds(out, "\"}");
}

/* One string, unless a turn came as blocks (which may be marked for caching). */
static void
system_turns(struct body *b, const struct ask *a, bool schema)
{
	struct buf *out = b->out, prompt = {0};

	if ((!schema && !ask_has_system(a)) || !body_name(b, "system"))
		return;
	if (!has_blocks(a)) {
		buf_addc(out, '"');
		system_text(a, schema, true, out);
		buf_addc(out, '"');
		return;
	}
	json_open(out, '[');
	for (size_t i = 0; i < a->nturns; i++) {
		struct slice c = a->turns[i].content;

		if (a->turns[i].role != ROLE_SYSTEM)
			continue;
		if (*c.ptr == '[')
			wire_splice(out, c);
		else
			text_block(out, (struct slice){c.ptr + 1, c.len - 2});
	}
	if (schema) {
		schema_prompt(a->schema, &prompt);
		text_block(out, buf_slice(&prompt));
		buf_free(&prompt);
	}
	json_close(out, ']');
}

static void
write_message(struct buf *out, const struct turn *t)
{
	wire_message(out, t->role == ROLE_USER ? "user" : "assistant", t->content);
}

static void
output_config(struct body *b, const struct ask *a, unsigned lack)
{
	bool schema = a->schema.ptr && !(lack & LACK_SCHEMA);
	bool effort = a->effort.ptr && !(lack & LACK_EFFORT);
	struct body inner;

	if (!schema && !effort)
		return;
	body_open(b, "output_config", &inner);
	if (effort)
		body_raw(&inner, "effort", a->effort);
	if (schema && body_name(&inner, "format")) {
		buf_adds(b->out, "{\"type\":\"json_schema\",\"schema\":");
		ask_schema_closed(a, lack & LACK_STRICT, b->out);
		buf_addc(b->out, '}');
	}
	body_close(&inner);
}

static void
write_body(const struct ask *a, unsigned lack, struct buf *out)
{
	static const struct sampling names = {"top_p", "top_k", NULL, "stop_sequences"};
	struct body b;

	body_start(&b, out, a->extra);
	body_text(&b, "model", a->model);
	body_raw(&b, "max_tokens", a->max_tokens.ptr ? a->max_tokens : S(MAX_TOKENS));
	system_turns(&b, a, a->schema.ptr && (lack & LACK_SCHEMA));
	body_turns(&b, "messages", a, write_message);
	body_sampling(&b, a, lack, &names);
	output_config(&b, a, lack);
	body_stream(&b, a);
	body_close(&b);
}

static const struct finish_word finishes[] = {
    {"end_turn", FINISH_STOP},
    {"stop_sequence", FINISH_STOP},
    {"max_tokens", FINISH_LENGTH},
    {"model_context_window_exceeded", FINISH_LENGTH},
    {"refusal", FINISH_REFUSED},
    {NULL, FINISH_OTHER},
};

/*
 * input_tokens leaves out what the cache read and wrote. In a stream a later
 * usage is cumulative, and null (or not there) where it has nothing new to say.
 */
static void
take_usage(struct slice usage, struct usage *u)
{
	static const struct slice wanted[] = {S("input_tokens"), S("output_tokens"),
	    S("cache_creation_input_tokens"), S("cache_read_input_tokens"),
	    S("output_tokens_details")};
	struct slice found[5];
	long long plain = u->input - u->cached - u->written;

	if (!wire_given(usage))
		return;
	wire_pick(usage, wanted, found, 5);
	u->known |= wire_given(found[0]) || wire_given(found[1]);
	if (wire_given(found[0]))
		plain = wire_count(found[0]);
	if (wire_given(found[1]))
		u->output = wire_count(found[1]);
	if (wire_given(found[2]))
		u->written = wire_count(found[2]);
	if (wire_given(found[3]))
		u->cached = wire_count(found[3]);
	if (wire_given(found[4]))
		u->reasoning = wire_count(wire_member(found[4], "thinking_tokens"));
	u->input = plain + u->cached + u->written;
	wire_usage(u);
}

/* Of a refusal that has no text, what the provider says of it. */
static void
take_refusal(struct slice details, struct reply *r)
{
	struct slice why;

	if (r->text.len || !wire_given(details))
		return;
	why = wire_member(details, "explanation");
	if (why.ptr)
		json_text(why, &r->text);
}

static void
take_message(struct slice message, struct reply *r)
{
	static const struct slice wanted[] = {S("model"), S("id"), S("usage")};
	struct slice found[3];

	wire_pick(message, wanted, found, 3);
	wire_copy(found[0], &r->model);
	wire_copy(found[1], &r->id);
	take_usage(found[2], &r->usage);
}

static int
reply(struct slice body, struct reply *r, struct err *e)
{
	static const struct slice wanted[] = {S("content"), S("stop_reason"), S("stop_details")};
	struct slice found[3];

	reply_reset(r);
	wire_pick(body, wanted, found, 3);
	if (found[0].ptr == NULL || json_type(found[0]) != JSON_ARRAY || !wire_given(found[1]))
		return reply_refused(e, body,
		    "no message: it has no 'content' or no 'stop_reason'");
	wire_text(found[0], &r->text);
	wire_finish(r, finishes, found[1]);
	if (r->finish == FINISH_REFUSED)
		take_refusal(found[2], r);
	take_message(body, r);
	return 0;
}

/* The word is kept until message_stop: before that the stream may still be cut. */
static void
take_delta(struct slice data, struct reply *r)
{
	struct slice delta = wire_member(data, "delta");
	struct slice word = wire_member(delta, "stop_reason");

	take_usage(wire_member(data, "usage"), &r->usage);
	wire_copy(word, &r->finish_word);
	if (word.ptr && json_is(word, "refusal"))
		take_refusal(wire_member(delta, "stop_details"), r);
}

static int
end_stream(struct reply *r)
{
	struct buf word = {0};

	json_quote(&word, buf_slice(&r->finish_word));
	wire_finish(r, finishes, buf_slice(&word));
	buf_free(&word);
	return 1;
}

static int
event(struct slice name, struct slice data, struct reply *r, struct failure *f)
{
	static const struct slice wanted[] = {S("type"), S("delta"), S("message"),
	    S("content_block")};
	static const struct slice of_delta[] = {S("type"), S("text")};
	struct slice found[4], part[2];

	(void)name;
	if (json_check(data, NULL) != 0)
		return failure_garbled(f, "the stream holds an event that is no JSON");
	wire_pick(data, wanted, found, 4);
	if (found[0].ptr == NULL)
		return wire_given(wire_member(data, "error")) ? failure_inside(data, f) : 0;
	if (json_is(found[0], "content_block_delta") || json_is(found[0], "content_block_start")) {
		bool start = found[3].ptr != NULL;

		wire_pick(start ? found[3] : found[1].ptr ? found[1] : S("{}"), of_delta, part, 2);
		if (part[0].ptr && part[1].ptr && json_is(part[0], start ? "text" : "text_delta"))
			json_text(part[1], &r->text);
	} else if (json_is(found[0], "message_start")) {
		if (found[2].ptr)
			take_message(found[2], r);
	} else if (json_is(found[0], "message_delta")) {
		take_delta(data, r);
	} else if (json_is(found[0], "message_stop")) {
		return end_stream(r);
	} else if (json_is(found[0], "error")) {
		return failure_inside(data, f);
	}
	return 0; /* ping, and what is not known yet */
}

static void
failure(int status, struct slice headers, struct slice body, const struct ask *a, unsigned lack,
    struct failure *f)
{
	const unsigned lacks =
	    LACK_SAMPLING | LACK_TOP_K | LACK_EFFORT | LACK_STRICT | LACK_SCHEMA;

	failure_of(status, headers, body, a, ask_can(a, lack, lacks), f);
}

static int
check(const struct ask *a, struct err *e)
{
	static const char version[] = "Anthropic's API version 2026-10-21";
	const char *older = "or ask with --api-version=2023-06-01";

	if (a->seed.ptr)
		return ask_refuse(e, "Anthropic's API", "seed", NULL);
	if (a->endpoint == NULL || !a->endpoint->version_new)
		return 0;
	if (a->temperature.ptr)
		return ask_refuse(e, version, "temperature", older);
	if (a->top_p.ptr)
		return ask_refuse(e, version, "top_p", older);
	if (a->top_k.ptr)
		return ask_refuse(e, version, "top_k", older);
	return 0;
}

const struct protocol protocol_anthropic = {
    .name = "anthropic",
    .path = path,
    .body = write_body,
    .reply = reply,
    .event = event,
    .failure = failure,
    .limits = header_limits,
    .check = check,
};
