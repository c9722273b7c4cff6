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
message(struct buf *out, const struct turn *t)
{
	struct buf text = {0};

	json_open(out, '{');
	json_add(out, "role", t->role == ROLE_USER ? S("user") : S("assistant"));
	if (*t->content.ptr == '[') {
		wire_text(t->content, &text);
		json_add(out, "content", buf_slice(&text));
		buf_free(&text);
	} else {
		json_add_raw(out, "content", t->content);
	}
	json_close(out, '}');
}

static void
messages(struct body *b, const struct ask *a, bool schema)
{
	struct buf *out = b->out;
	size_t at, first;

	if (!body_name(b, "messages"))
		return;
	json_open(out, '[');
	at = out->len;
	buf_adds(out, "{\"role\":\"system\",\"content\":\"");
	first = out->len;
	system_text(a, schema, true, out);
	if (out->len > first)
		buf_adds(out, "\"}");
	else
		buf_cut(out, at);
	for (size_t i = 0; i < a->nturns; i++)
		if (a->turns[i].role != ROLE_SYSTEM)
			message(out, &a->turns[i]);
	json_close(out, ']');
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
	if (!(lack & LACK_SAMPLING)) {
		body_raw(&o, "temperature", a->temperature);
		body_raw(&o, "top_p", a->top_p);
		if (!(lack & LACK_TOP_K))
			body_raw(&o, "top_k", a->top_k);
	}
	if (!(lack & LACK_SEED))
		body_raw(&o, "seed", a->seed);
	body_raw(&o, "stop", a->stop);
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
	reply_reset(r);
	if (take(body, r) != 0 || r->finish == FINISH_NONE)
		return reply_refused(e, body, "no chat reply: it is not 'done'");
	return 0;
}

static int
event(struct slice name, struct slice data, struct reply *r, struct failure *f)
{
	(void)name;
	if (json_check(data, NULL) != 0)
		return failure_garbled(f, "the stream holds a line that is no JSON");
	if (wire_given(wire_member(data, "error")))
		return failure_inside(data, f);
	if (take(data, r) != 0)
		return failure_garbled(f, "the stream holds a line without 'done'");
	return r->finish != FINISH_NONE;
}

static unsigned
could(const struct ask *a, unsigned lack)
{
	unsigned can = a->effort.ptr ? LACK_EFFORT & ~lack : 0;

	return can | schema_step(a, lack, LACK_SCHEMA);
}

static void
failure(int status, struct slice headers, struct slice body, const struct ask *a, unsigned lack,
    struct failure *f)
{
	failure_of(status, headers, body, a, a ? could(a, lack) : 0, f);
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
				    "ask its compatible API with --api=openai");
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
