/*
 * OpenAI's responses API, told to store nothing.
 *
 * Source: the API reference and the vendor's client, 7.57.0.
 */
#include "tools/ai/wire.h"

static void
path(const struct ask *a, struct buf *out)
{
	(void)a;
	buf_adds(out, "/responses");
}

static void
input(struct body *b, const struct ask *a, size_t from)
{
	static const char *const roles[] = {"developer", "user", "assistant"};

	if (!body_name(b, "input"))
		return;
	json_open(b->out, '[');
	for (size_t i = from; i < a->nturns; i++)
		wire_message(b->out, roles[a->turns[i].role], a->turns[i].content);
	json_close(b->out, ']');
}

static void
text_format(struct body *b, const struct ask *a, unsigned lack)
{
	struct body inner;

	if (a->schema.ptr == NULL || (lack & LACK_SCHEMA))
		return;
	body_open(b, "text", &inner);
	if (lack & LACK_JSON_SCHEMA) {
		body_raw(&inner, "format", S("{\"type\":\"json_object\"}"));
	} else if (body_name(&inner, "format")) {
		buf_adds(b->out, "{\"type\":\"json_schema\",");
		ask_schema_name(a, b->out);
		/* It is strict unless told otherwise. */
		json_add_raw(b->out, "strict", ask_strict(a, lack) ? S("true") : S("false"));
		json_add_raw(b->out, "schema", a->schema);
		buf_addc(b->out, '}');
	}
	body_close(&inner);
}

static void
write_body(const struct ask *a, unsigned lack, struct buf *out)
{
	static const struct sampling names = {.top_p = "top_p"};
	struct body b, inner;

	body_start(&b, out, a->extra);
	body_text(&b, "model", a->model);
	input(&b, a, body_system(&b, "instructions", a, ask_prompts_schema(a, lack), false));
	body_raw(&b, "max_output_tokens", a->max_tokens);
	body_sampling(&b, a, lack, &names);
	if (a->effort.ptr && !(lack & LACK_EFFORT)) {
		body_open(&b, "reasoning", &inner);
		body_raw(&inner, "effort", a->effort);
		body_close(&inner);
	}
	text_format(&b, a, lack);
	body_raw(&b, "store", S("false"));
	body_stream(&b, a);
	body_close(&b);
}

static void
take_usage(struct slice usage, struct usage *u)
{
	static const struct slice names[] = {S("input_tokens"), S("output_tokens"),
	    S("input_tokens_details"), S("output_tokens_details")};

	chat_usage(usage, names, NULL, u);
}

/* The text of the output's messages; a refusal is a part of its own kind. */
static void
take_output(struct slice output, struct reply *r)
{
	static const struct slice of_item[] = {S("type"), S("content")};
	static const struct slice of_part[] = {S("type"), S("text"), S("refusal")};
	struct json_walk items = json_walk(output), parts;
	struct slice one, found[3];

	while (json_element(&items, &one)) {
		wire_pick(one, of_item, found, 2);
		if (found[0].ptr == NULL || !json_is(found[0], "message") || found[1].ptr == NULL)
			continue;
		parts = json_walk(found[1]);
		while (json_element(&parts, &one)) {
			wire_pick(one, of_part, found, 3);
			if (found[0].ptr == NULL)
				continue;
			if (json_is(found[0], "output_text") && found[1].ptr) {
				json_text(found[1], &r->text);
			} else if (json_is(found[0], "refusal") && found[2].ptr) {
				json_text(found[2], &r->text);
				r->finish = FINISH_REFUSED;
			}
		}
	}
}

/* The status of a response that has ended, and why it is incomplete. */
static int
take_status(struct slice status, struct slice details, struct reply *r)
{
	struct slice why = details.ptr ? wire_member(details, "reason") : (struct slice){0};

	if (status.ptr == NULL || json_is(status, "failed") || json_is(status, "in_progress") ||
	    json_is(status, "queued"))
		return -1;
	wire_copy(status, &r->finish_word);
	if (r->finish == FINISH_REFUSED) {
		wire_refused(r);
	} else if (json_is(status, "completed")) {
		r->finish = FINISH_STOP;
	} else if (json_is(status, "incomplete")) {
		wire_copy(why, &r->finish_word);
		r->finish = why.ptr && json_is(why, "content_filter") ? FINISH_REFUSED
								      : FINISH_LENGTH;
	} else {
		r->finish = FINISH_OTHER;
	}
	return 0;
}

/* text: whether to take the output as well, which a stream has told already. */
static int
take_response(struct slice body, bool text, struct reply *r)
{
	static const struct slice wanted[] = {S("status"), S("output"), S("usage"), S("model"),
	    S("id"), S("incomplete_details")};
	struct slice found[6];

	wire_pick(body, wanted, found, 6);
	if (text && (found[1].ptr == NULL || json_type(found[1]) != JSON_ARRAY))
		return -1;
	if (text)
		take_output(found[1], r);
	if (take_status(found[0], found[5], r) != 0)
		return -1;
	wire_copy(found[3], &r->model);
	wire_copy(found[4], &r->id);
	take_usage(found[2], &r->usage);
	return 0;
}

static int
reply(struct slice body, struct reply *r, struct err *e)
{
	reply_reset(r);
	if (take_response(body, true, r) != 0)
		return reply_refused(e, body, "no response: it has no 'output', or has not ended");
	return 0;
}

static int
event(struct slice name, struct slice data, struct reply *r, struct failure *f)
{
	static const struct slice wanted[] = {S("type"), S("delta"), S("response")};
	struct slice found[3];

	(void)name; /* the data says it too, everywhere */
	if (json_check(data, NULL) != 0)
		return failure_garbled(f, "the stream holds an event that is no JSON");
	wire_pick(data, wanted, found, 3);
	if (found[0].ptr == NULL)
		return wire_given(wire_member(data, "error")) ? failure_inside(data, f) : 0;
	if (json_is(found[0], "response.output_text.delta")) {
		if (found[1].ptr)
			json_text(found[1], &r->text);
	} else if (json_is(found[0], "response.refusal.delta")) {
		wire_refused(r);
		if (found[1].ptr)
			json_text(found[1], &r->text);
	} else if (json_is(found[0], "response.completed") ||
	    json_is(found[0], "response.incomplete")) {
		if (found[2].ptr == NULL || take_response(found[2], r->text.len == 0, r) != 0)
			return failure_garbled(f, "the stream ends with no response");
		return 1;
	} else if (json_is(found[0], "response.failed") || json_is(found[0], "error")) {
		return failure_inside(data, f);
	}
	return 0;
}

static unsigned
could(const struct ask *a, unsigned lack)
{
	unsigned lacks = LACK_SAMPLING | LACK_EFFORT | LACK_JSON_SCHEMA | LACK_SCHEMA;

	return ask_can(a, lack, lacks | (ask_strict(a, lack) ? LACK_STRICT : 0));
}

static void
failure(int status, struct slice headers, struct slice body, const struct ask *a, unsigned lack,
    struct failure *f)
{
	failure_of(status, headers, body, a, a ? could(a, lack) : 0, f);
}

static int
check(const struct ask *a, struct err *e)
{
	const char *other = "or ask chat completions with --api=chat";

	if (a->seed.ptr)
		return ask_refuse(e, "the responses API", "seed", other);
	if (a->stop.ptr)
		return ask_refuse(e, "the responses API", "stop", other);
	if (a->top_k.ptr)
		return ask_refuse(e, "the responses API", "top_k", other);
	return 0;
}

const struct protocol protocol_responses = {
    .name = "responses",
    .path = path,
    .body = write_body,
    .reply = reply,
    .event = event,
    .failure = failure,
    .limits = header_limits,
    .check = check,
};
