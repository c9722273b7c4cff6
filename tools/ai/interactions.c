/*
 * Gemini's interactions, told to store nothing.
 *
 * Source: the API reference and the vendor's client, 3.1.0.
 */
#include "tools/ai/wire.h"

static void
path(const struct ask *a, struct buf *out)
{
	(void)a;
	buf_adds(out, "/v1beta/interactions");
}

static void
steps(struct body *b, const struct ask *a)
{
	if (!body_name(b, "input"))
		return;
	json_open(b->out, '[');
	for (size_t i = 0; i < a->nturns; i++) {
		struct slice c = a->turns[i].content;

		if (a->turns[i].role == ROLE_SYSTEM)
			continue;
		json_open(b->out, '{');
		json_add(b->out, "type",
		    a->turns[i].role == ROLE_USER ? S("user_input") : S("model_output"));
		json_name(b->out, "content");
		if (*c.ptr == '[') {
			buf_addslice(b->out, c);
		} else {
			buf_adds(b->out, "[{\"type\":\"text\",\"text\":");
			buf_addslice(b->out, c);
			buf_adds(b->out, "}]");
		}
		json_close(b->out, '}');
	}
	json_close(b->out, ']');
}

static void
system_instruction(struct body *b, const struct ask *a, bool schema)
{
	struct buf *out = b->out;
	size_t at = out->len, first;

	if (!body_name(b, "system_instruction"))
		return;
	buf_addc(out, '"');
	first = out->len;
	system_text(a, schema, true, out);
	if (out->len > first)
		buf_addc(out, '"');
	else
		buf_cut(out, at);
}

static void
generation_config(struct body *b, const struct ask *a, unsigned lack)
{
	struct body c;

	if (!a->max_tokens.ptr && !a->temperature.ptr && !a->top_p.ptr && !a->seed.ptr &&
	    !a->stop.ptr && !a->effort.ptr)
		return;
	body_open(b, "generation_config", &c);
	body_raw(&c, "max_output_tokens", a->max_tokens);
	if (!(lack & LACK_SAMPLING)) {
		body_raw(&c, "temperature", a->temperature);
		body_raw(&c, "top_p", a->top_p);
	}
	if (!(lack & LACK_SEED))
		body_raw(&c, "seed", a->seed);
	body_raw(&c, "stop_sequences", a->stop);
	if (!(lack & LACK_EFFORT))
		body_raw(&c, "thinking_level", a->effort);
	body_close(&c);
}

static void
write_body(const struct ask *a, unsigned lack, struct buf *out)
{
	struct body b;

	body_start(&b, out, a->extra);
	body_text(&b, "model", a->model);
	system_instruction(&b, a, a->schema.ptr && (lack & LACK_SCHEMA));
	steps(&b, a);
	generation_config(&b, a, lack);
	if (a->schema.ptr && !(lack & LACK_SCHEMA) && body_name(&b, "response_format")) {
		buf_adds(out, "{\"type\":\"text\",\"mime_type\":\"application/json\",\"schema\":");
		buf_addslice(out, a->schema);
		buf_addc(out, '}');
	}
	body_raw(&b, "store", S("false"));
	/* Said either way: servers differ in what they do when nothing is said. */
	body_fixed(&b, "stream", a->stream ? S("true") : S("false"));
	body_close(&b);
}

static const struct finish_word finishes[] = {
    {"completed", FINISH_STOP},
    {"incomplete", FINISH_LENGTH},
    {"budget_exceeded", FINISH_LENGTH},
    {NULL, FINISH_OTHER},
};

/*
 * Whether the output's count holds the thoughts is told by the total, which
 * is the sum of its parts.
 */
static void
take_usage(struct slice usage, struct usage *u)
{
	static const struct slice wanted[] = {S("total_input_tokens"), S("total_output_tokens"),
	    S("total_thought_tokens"), S("total_cached_tokens"), S("total_tool_use_tokens"),
	    S("total_tokens")};
	struct slice found[6];

	if (!wire_given(usage))
		return;
	wire_pick(usage, wanted, found, 6);
	if (found[0].ptr == NULL && found[1].ptr == NULL)
		return;
	u->known = true;
	u->input = wire_count(found[0]) + wire_count(found[4]);
	u->cached = wire_count(found[3]);
	u->reasoning = wire_count(found[2]);
	u->output = wire_count(found[1]);
	if (found[5].ptr == NULL || wire_count(found[5]) != u->input + u->output)
		u->output += u->reasoning;
	wire_usage(u);
}

static void
take_steps(struct slice list, struct buf *out)
{
	static const struct slice wanted[] = {S("type"), S("content")};
	struct json_walk w = json_walk(list);
	struct slice step, found[2];

	while (json_element(&w, &step)) {
		wire_pick(step, wanted, found, 2);
		if (found[0].ptr && json_is(found[0], "model_output"))
			wire_text(found[1], out);
	}
}

/* Failed, or not ended: no reply. text: whether the text is still to be taken. */
static int
take(struct slice object, bool text, struct reply *r)
{
	static const struct slice wanted[] = {S("status"), S("steps"), S("output_text"),
	    S("usage"), S("model"), S("id")};
	struct slice found[6];

	wire_pick(object, wanted, found, 6);
	if (found[0].ptr == NULL || json_is(found[0], "failed") ||
	    json_is(found[0], "in_progress") || json_is(found[0], "queued"))
		return -1;
	if (text && found[1].ptr)
		take_steps(found[1], &r->text);
	if (text && r->text.len == 0 && found[2].ptr)
		json_text(found[2], &r->text);
	wire_copy(found[4], &r->model);
	wire_copy(found[5], &r->id);
	take_usage(found[3], &r->usage);
	wire_finish(r, finishes, found[0]);
	return 0;
}

static int
reply(struct slice body, struct reply *r, struct err *e)
{
	reply_reset(r);
	if (take(body, true, r) == 0)
		return 0;
	return reply_refused(e, body, "no interaction: it has no 'status', or has not ended");
}

static int
event(struct slice name, struct slice data, struct reply *r, struct failure *f)
{
	static const struct slice wanted[] = {S("event_type"), S("delta"), S("interaction"),
	    S("error"), S("usage")};
	static const struct slice of_delta[] = {S("type"), S("text")};
	struct slice found[5], delta[2];

	(void)name;
	data = slice_trim(data);
	if (slice_is(data, "[DONE]"))
		return r->finish != FINISH_NONE ? 1 : failure_garbled(f,
		    "the stream ended before the interaction did");
	if (json_check(data, NULL) != 0)
		return failure_garbled(f, "the stream holds an event that is no JSON");
	wire_pick(data, wanted, found, 5);
	if (wire_given(found[3]) || (found[0].ptr && json_is(found[0], "error")))
		return failure_inside(data, f);
	if (found[0].ptr == NULL)
		return 0;
	if (json_is(found[0], "step.delta") && found[1].ptr) {
		wire_pick(found[1], of_delta, delta, 2);
		if (delta[0].ptr && json_is(delta[0], "text") && delta[1].ptr)
			json_text(delta[1], &r->text);
	} else if (json_is(found[0], "interaction.completed")) {
		if (found[2].ptr == NULL)
			return failure_garbled(f, "the stream ends with no interaction");
		return take(found[2], r->text.len == 0, r) == 0 ? 1 : failure_inside(found[2], f);
	}
	return 0;
}

static unsigned
could(const struct ask *a, unsigned lack)
{
	unsigned can = 0;

	if (a->temperature.ptr || a->top_p.ptr)
		can |= LACK_SAMPLING;
	if (a->seed.ptr)
		can |= LACK_SEED;
	if (a->effort.ptr)
		can |= LACK_EFFORT;
	return (can & ~lack) | schema_step(a, lack, LACK_SCHEMA);
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
	if (a->top_k.ptr)
		return ask_refuse(e, "the interactions API", "top_k",
		    "or ask generateContent with --api=gemini");
	return 0;
}

const struct protocol protocol_interactions = {
    .name = "interactions",
    .path = path,
    .body = write_body,
    .reply = reply,
    .event = event,
    .failure = failure,
    .limits = header_limits,
    .check = check,
};
