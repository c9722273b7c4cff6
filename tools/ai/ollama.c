/*
 * Ollama's own chat.
 *
 * Source: ollama's docs/api.md and its client, 0.6.4.
 */
#include "tools/ai/wire.h"

static void
path(const struct ask *a, struct buf *out)
{
	(void)a;
	buf_adds(out, "/api/chat");
}

/* Its messages are one string each: of an array the texts (check refused other parts). */
static void
write_message(struct buf *out, const struct turn *t)
{
	struct buf text = {0}, string = {0};

	if (*t->content.ptr == '[') {
		wire_text(t->content, &text);
		json_quote(&string, buf_slice(&text));
	}
	wire_message(out, t->role == ROLE_USER ? "user" : "assistant",
	    string.len ? buf_slice(&string) : t->content);
	buf_free(&text);
	buf_free(&string);
}

static void
messages(struct body *b, const struct ask *a, bool schema)
{
	if (!body_name(b, "messages"))
		return;
	json_open(b->out, '[');
	system_message(b->out, a, schema, true);
	wire_turns(b->out, a, write_message);
	json_close(b->out, ']');
}

static void
model_options(struct body *b, const struct ask *a, unsigned lack)
{
	struct body o;

	if (!a->max_tokens.ptr && !a->temperature.ptr && !a->top_p.ptr && !a->top_k.ptr &&
	    !a->seed.ptr && !a->stop.ptr)
		return;
	body_open(b, "options", &o);
	body_raw(&o, "num_predict", a->max_tokens);
	body_sampling(&o, a, lack, &chat_sampling);
	body_close(&o);
}

static void
write_body(const struct ask *a, unsigned lack, struct buf *out)
{
	struct body b;

	body_start(&b, out, a->extra);
	body_text(&b, "model", a->model);
	messages(&b, a, a->schema.ptr && (lack & LACK_SCHEMA));
	/* It streams unless told otherwise. */
	body_fixed(&b, "stream", a->stream ? S("true") : S("false"));
	if (!(lack & LACK_SCHEMA))
		body_raw(&b, "format", a->schema);
	if (a->effort.ptr && !(lack & LACK_EFFORT))
		body_raw(&b, "think", json_is(a->effort, "none") ? S("false") : a->effort);
	model_options(&b, a, lack);
	body_close(&b);
}

static const struct finish_word finishes[] = {
    {"stop", FINISH_STOP},
    {"length", FINISH_LENGTH},
    {NULL, FINISH_OTHER},
};

/* A whole reply, or a line of a stream; -1 where it is none. */
static int
take(struct slice object, struct reply *r)
{
	static const struct slice wanted[] = {S("message"), S("done"), S("done_reason"),
	    S("model"), S("prompt_eval_count"), S("eval_count")};
	struct slice found[6];

	wire_pick(object, wanted, found, 6);
	if (found[1].ptr == NULL)
		return -1;
	wire_copy(found[3], &r->model);
	wire_text(wire_member(found[0], "content"), &r->text);
	if (json_type(found[1]) != JSON_TRUE)
		return 0;
	if (wire_given(found[2]))
		wire_finish(r, finishes, found[2]);
	else
		r->finish = FINISH_STOP; /* older versions give no reason */
	if (found[5].ptr) {
		r->usage.known = true;
		r->usage.input = wire_count(found[4]); /* not there when all was cached */
		r->usage.output = wire_count(found[5]);
	}
	return 0;
}

static int
reply(struct slice body, struct reply *r, struct err *e)
{
	return wire_whole(body, take, "no chat reply: it is not 'done'", r, e);
}

static int
event(struct slice name, struct slice data, struct reply *r, struct failure *f)
{
	static const char *const wrong[] = {"the stream holds a line that is no JSON",
	    "the stream holds a line without 'done'"};

	(void)name;
	return wire_piece(data, take, wrong, r, f);
}

static void
failure(int status, struct slice headers, struct slice body, const struct ask *a, unsigned lack,
    struct failure *f)
{
	failure_of(status, headers, body, a,
	    ask_can(a, lack, LACK_EFFORT | LACK_SCHEMA), f);
}

/* Its images lie beside the text, as bare base64: parts of other APIs would be lost in it. */
static int
check(const struct ask *a, struct err *e)
{
	for (size_t i = 0; i < a->nturns; i++) {
		struct json_walk w = json_walk(a->turns[i].content);
		struct slice part, type;

		while (json_element(&w, &part)) {
			type = wire_member(part, "type");
			if (type.ptr && !json_is(type, "text"))
				return err_set(e, "bad_value",
				    "Ollama's API takes text alone, not other parts in 'content': "
				    "ask its compatible API with --api=chat");
		}
	}
	return 0;
}

const struct protocol protocol_ollama = {
    .name = "ollama",
    .path = path,
    .body = write_body,
    .reply = reply,
    .event = event,
    .failure = failure,
    .limits = header_limits,
    .ndjson = true,
    .check = check,
};
