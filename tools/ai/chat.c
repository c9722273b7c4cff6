/*
 * Chat completions: what OpenAI, those compatible with it, and llama-server share.
 */
#include "tools/ai/wire.h"

void
chat_messages(struct body *b, const struct ask *a, bool schema)
{
	static const char *const roles[] = {"system", "user", "assistant"};

	if (!body_name(b, "messages"))
		return;
	/* One system message: some servers' templates refuse a second. */
	json_open(b->out, '[');
	for (size_t i = system_message(b->out, a, schema, false); i < a->nturns; i++)
		wire_message(b->out, roles[a->turns[i].role], a->turns[i].content);
	json_close(b->out, ']');
}

/* The names that llama-server and Ollama have for them too. */
const struct sampling chat_sampling = {"top_p", "top_k", "seed", "stop"};

void
chat_stream(struct body *b, const struct ask *a, unsigned lack)
{
	body_stream(b, a);
	if (!a->stream)
		body_without(b, "stream_options");
	else if (!(lack & LACK_STREAM_USAGE))
		body_raw(b, "stream_options", S("{\"include_usage\":true}"));
}

static const struct finish_word finishes[] = {
    {"stop", FINISH_STOP},
    {"eos", FINISH_STOP},	 /* Together */
    {"end_turn", FINISH_STOP},	 /* routers that pass another's word */
    {"stop_sequence", FINISH_STOP},
    {"length", FINISH_LENGTH},
    {"max_tokens", FINISH_LENGTH},
    {"model_length", FINISH_LENGTH}, /* Mistral */
    {"content_filter", FINISH_REFUSED},
    {"refusal", FINISH_REFUSED},
    {NULL, FINISH_OTHER},
};

void
chat_usage(struct slice usage, const struct slice *names, const char *written, struct usage *u)
{
	struct slice found[4];

	if (!wire_counts(usage, names, found, 4, u))
		return;
	u->input = wire_count(found[0]);
	u->output = wire_count(found[1]);
	u->cached = wire_count(wire_member(found[2], "cached_tokens"));
	u->written = written ? wire_count(wire_member(found[2], written)) : 0;
	u->reasoning = wire_count(wire_member(found[3], "reasoning_tokens"));
	wire_usage(u);
}

static void
take_usage(struct slice usage, struct usage *u)
{
	static const struct slice names[] = {S("prompt_tokens"), S("completion_tokens"),
	    S("prompt_tokens_details"), S("completion_tokens_details")};

	chat_usage(usage, names, "cache_write_tokens", u);
}

/* A message or a delta. A refusal is its own text, and decides. */
static void
take_message(struct slice message, struct reply *r)
{
	static const struct slice wanted[] = {S("content"), S("refusal")};
	struct slice found[2];

	wire_pick(message, wanted, found, 2);
	wire_text(found[0], &r->text);
	if (found[1].ptr && json_type(found[1]) == JSON_STRING && found[1].len > 2) {
		json_text(found[1], &r->text);
		wire_refused(r);
	}
}

int
chat_reply(struct slice body, struct reply *r, struct err *e)
{
	static const struct slice wanted[] = {S("choices"), S("usage"), S("model"), S("id")};
	static const struct slice of_choice[] = {S("message"), S("finish_reason"), S("error")};
	struct slice found[4], choice[3], first;

	reply_reset(r);
	wire_pick(body, wanted, found, 4);
	first = wire_first(found[0]);
	if (first.ptr == NULL)
		return reply_refused(e, body, "no chat completion: it has no 'choices'");
	wire_pick(first, of_choice, choice, 3);
	if (wire_given(choice[2]))
		return reply_refused(e, first, "no chat completion");
	if (choice[0].ptr == NULL || json_type(choice[0]) != JSON_OBJECT)
		return reply_refused(e, body, "no chat completion: its choice has no 'message'");
	take_message(choice[0], r);
	if (r->finish == FINISH_NONE) {
		if (wire_given(choice[1]))
			wire_finish(r, finishes, choice[1]);
		else /* said nothing: whole, but empty is no answer */
			r->finish = r->text.len ? FINISH_STOP : FINISH_OTHER;
	}
	wire_copy(found[2], &r->model);
	wire_copy(found[3], &r->id);
	take_usage(found[1], &r->usage);
	return 0;
}

int
chat_event(struct slice name, struct slice data, struct reply *r, struct failure *f)
{
	static const struct slice wanted[] = {S("choices"), S("usage"), S("model"), S("id"),
	    S("error")};
	static const struct slice of_choice[] = {S("delta"), S("finish_reason"), S("error"),
	    S("index")};
	struct slice found[5], choice[4], first;

	(void)name;
	data = slice_trim(data);
	if (slice_is(data, "[DONE]")) {
		if (r->finish == FINISH_NONE && r->text.len == 0)
			return failure_garbled(f, "the stream ended before it said anything");
		if (r->finish == FINISH_NONE)
			r->finish = FINISH_STOP;
		return 1;
	}
	if (json_check(data, NULL) != 0)
		return failure_garbled(f, "the stream holds an event that is no JSON");
	wire_pick(data, wanted, found, 5);
	if (wire_given(found[4]))
		return failure_inside(data, f);
	if (r->model.len == 0)
		wire_copy(found[2], &r->model);
	if (r->id.len == 0)
		wire_copy(found[3], &r->id);
	take_usage(found[1], &r->usage);
	first = wire_first(found[0]);
	if (first.ptr == NULL)
		return 0; /* the usage, at the end */
	wire_pick(first, of_choice, choice, 4);
	if (wire_given(choice[2]))
		return failure_inside(first, f);
	if (wire_count(choice[3]) != 0)
		return 0; /* another of several that were asked for */
	if (wire_given(choice[0]))
		take_message(choice[0], r);
	if (wire_given(choice[1]) && choice[1].len > 2 && r->finish == FINISH_NONE)
		wire_finish(r, finishes, choice[1]);
	return 0;
}
