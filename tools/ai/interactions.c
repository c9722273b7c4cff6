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
write_step(struct buf *out, const struct turn *t)
{
	json_open(out, '{');
	json_add(out, "type", t->role == ROLE_USER ? S("user_input") : S("model_output"));
	json_name(out, "content");
	if (*t->content.ptr == '[') {
		buf_addslice(out, t->content);
	} else {
		buf_adds(out, "[{\"type\":\"text\",\"text\":");
		buf_addslice(out, t->content);
		buf_adds(out, "}]");
	}
	json_close(out, '}');
}

static void
generation_config(struct body *b, const struct ask *a, unsigned lack)
{
	static const struct sampling names = {"top_p", NULL, "seed", "stop_sequences"};
	struct body c;

	if (!a->max_tokens.ptr && !a->temperature.ptr && !a->top_p.ptr && !a->seed.ptr &&
	    !a->stop.ptr && !a->effort.ptr)
		return;
	body_open(b, "generation_config", &c);
	body_raw(&c, "max_output_tokens", a->max_tokens);
	body_sampling(&c, a, lack, &names);
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
	body_system(&b, "system_instruction", a, a->schema.ptr && (lack & LACK_SCHEMA), true);
	body_turns(&b, "input", a, write_step);
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

static void
take_usage(struct slice usage, struct usage *u)
{
	static const struct slice names[] = {S("total_input_tokens"), S("total_output_tokens"),
	    S("total_thought_tokens"), S("total_cached_tokens"), S("total_tool_use_tokens"),
	    S("total_tokens")};

	gemini_usage(usage, names, 6, u);
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

static void
failure(int status, struct slice headers, struct slice body, const struct ask *a, unsigned lack,
    struct failure *f)
{
	failure_of(status, headers, body, a,
	    ask_can(a, lack, LACK_SAMPLING | LACK_SEED | LACK_EFFORT | LACK_SCHEMA), f);
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
