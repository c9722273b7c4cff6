/*
 * Gemini's generateContent.
 *
 * Source: the API reference and the vendor's client, 3.1.0.
 */
#include "common/url.h"
#include "tools/ai/wire.h"

#include <ctype.h>

/* A model's name comes from records too: nothing in it may end the path. */
static void
path(const struct ask *a, struct buf *out)
{
	struct slice m = a->model;

	buf_adds(out, "/v1beta/");
	if (slice_starts(m, "tunedModels/")) {
		buf_adds(out, "tunedModels/");
		m = (struct slice){m.ptr + 12, m.len - 12};
	} else {
		buf_adds(out, "models/");
		if (slice_starts(m, "models/"))
			m = (struct slice){m.ptr + 7, m.len - 7};
	}
	url_escape(out, m);
	buf_adds(out, a->stream ? ":streamGenerateContent?alt=sse" : ":generateContent");
}

static void
text_part(struct buf *out, struct slice inside)
{
	json_open(out, '{');
	buf_adds(out, "\"text\":\"");
	buf_addslice(out, inside);
	buf_adds(out, "\"}");
}

static void
parts(struct buf *out, struct slice content)
{
	if (*content.ptr == '[')
		wire_splice(out, content);
	else
		text_part(out, (struct slice){content.ptr + 1, content.len - 2});
}

static void
system_instruction(struct body *b, const struct ask *a, bool schema)
{
	struct buf prompt = {0};

	if ((!schema && !ask_has_system(a)) || !body_name(b, "systemInstruction"))
		return;
	buf_adds(b->out, "{\"parts\":[");
	for (size_t i = 0; i < a->nturns; i++)
		if (a->turns[i].role == ROLE_SYSTEM)
			parts(b->out, a->turns[i].content);
	if (schema) {
		schema_prompt(a->schema, &prompt);
		text_part(b->out, buf_slice(&prompt));
		buf_free(&prompt);
	}
	buf_adds(b->out, "]}");
}

static void
write_content(struct buf *out, const struct turn *t)
{
	json_open(out, '{');
	json_add(out, "role", t->role == ROLE_USER ? S("user") : S("model"));
	json_name(out, "parts");
	json_open(out, '[');
	parts(out, t->content);
	json_close(out, ']');
	json_close(out, '}');
}

/* The levels are names of an enum: "low" is LOW. */
static void
thinking(struct body *b, const struct ask *a)
{
	struct body inner;
	struct buf level = {0};

	body_open(b, "thinkingConfig", &inner);
	json_text(a->effort, &level);
	for (size_t i = 0; i < level.len; i++)
		level.ptr[i] = (char)toupper((unsigned char)level.ptr[i]);
	body_text(&inner, "thinkingLevel", buf_slice(&level));
	body_close(&inner);
	buf_free(&level);
}

static void
generation_config(struct body *b, const struct ask *a, unsigned lack)
{
	static const struct sampling names = {"topP", "topK", "seed", "stopSequences"};
	struct body c;

	if (!a->max_tokens.ptr && !a->temperature.ptr && !a->top_p.ptr && !a->top_k.ptr &&
	    !a->seed.ptr && !a->stop.ptr && !a->schema.ptr && !a->effort.ptr)
		return;
	body_open(b, "generationConfig", &c);
	body_raw(&c, "maxOutputTokens", a->max_tokens);
	body_sampling(&c, a, lack, &names);
	/* JSON alone is asked for even where the schema was refused, but for models without it. */
	if (a->schema.ptr && !(lack & LACK_SCHEMA)) {
		body_raw(&c, "responseMimeType", S("\"application/json\""));
		if (!(lack & LACK_JSON_SCHEMA))
			body_raw(&c, "responseJsonSchema", a->schema);
	}
	if (c.out && a->effort.ptr && !(lack & LACK_EFFORT))
		thinking(&c, a);
	body_close(&c);
}

static void
write_body(const struct ask *a, unsigned lack, struct buf *out)
{
	struct body b;

	body_start(&b, out, a->extra);
	system_instruction(&b, a, ask_prompts_schema(a, lack));
	body_turns(&b, "contents", a, write_content);
	generation_config(&b, a, lack);
	body_close(&b);
}

static const struct finish_word finishes[] = {
    {"STOP", FINISH_STOP},
    {"MAX_TOKENS", FINISH_LENGTH},
    {"SAFETY", FINISH_REFUSED},
    {"RECITATION", FINISH_REFUSED},
    {"LANGUAGE", FINISH_REFUSED},
    {"BLOCKLIST", FINISH_REFUSED},
    {"PROHIBITED_CONTENT", FINISH_REFUSED},
    {"SPII", FINISH_REFUSED},
    {"IMAGE_SAFETY", FINISH_REFUSED},
    {"IMAGE_PROHIBITED_CONTENT", FINISH_REFUSED},
    {"IMAGE_RECITATION", FINISH_REFUSED},
    {NULL, FINISH_OTHER},
};

void
gemini_usage(struct slice usage, const struct slice *names, size_t n, struct usage *u)
{
	struct slice found[6] = {{0}};

	if (!wire_counts(usage, names, found, n, u))
		return;
	u->input = wire_count(found[0]) + wire_count(found[4]);
	u->cached = wire_count(found[3]);
	u->reasoning = wire_count(found[2]);
	u->output = wire_count(found[1]);
	if (found[5].ptr == NULL || wire_count(found[5]) != u->input + u->output)
		u->output += u->reasoning;
	wire_usage(u);
}

static void
take_usage(struct slice usage, struct usage *u)
{
	static const struct slice names[] = {S("promptTokenCount"), S("candidatesTokenCount"),
	    S("thoughtsTokenCount"), S("cachedContentTokenCount"), S("toolUsePromptTokenCount")};

	gemini_usage(usage, names, 5, u);
}

/* The text of the parts that are no thoughts. */
static void
take_parts(struct slice content, struct buf *out)
{
	static const struct slice wanted[] = {S("text"), S("thought")};
	struct slice list = wire_member(content, "parts"), part, found[2];
	struct json_walk w;

	if (list.ptr == NULL)
		return;
	w = json_walk(list);
	while (json_element(&w, &part)) {
		wire_pick(part, wanted, found, 2);
		if (found[0].ptr && (found[1].ptr == NULL || json_type(found[1]) != JSON_TRUE))
			json_text(found[0], out);
	}
}

/* The prompt itself was blocked: there is no candidate then. */
static bool
take_block(struct slice feedback, struct reply *r)
{
	struct slice reason = wire_member(feedback, "blockReason"), message;

	if (!wire_given(reason))
		return false;
	wire_copy(reason, &r->finish_word);
	r->finish = FINISH_REFUSED;
	message = wire_member(feedback, "blockReasonMessage");
	if (message.ptr && r->text.len == 0)
		json_text(message, &r->text);
	return true;
}

/* A whole reply, or one of the objects of a stream; -1 where it is none. */
static int
take(struct slice object, struct reply *r)
{
	static const struct slice wanted[] = {S("candidates"), S("promptFeedback"),
	    S("usageMetadata"), S("modelVersion"), S("responseId")};
	static const struct slice of_candidate[] = {S("content"), S("finishReason"),
	    S("finishMessage")};
	struct slice found[5], candidate[3], first;

	wire_pick(object, wanted, found, 5);
	first = wire_first(found[0]);
	wire_copy(found[3], &r->model);
	wire_copy(found[4], &r->id);
	take_usage(found[2], &r->usage);
	if (first.ptr == NULL)
		return take_block(found[1], r) || found[2].ptr ? 0 : -1;
	wire_pick(first, of_candidate, candidate, 3);
	take_parts(candidate[0], &r->text);
	if (wire_given(candidate[1])) {
		wire_finish(r, finishes, candidate[1]);
		if (r->finish != FINISH_STOP && r->text.len == 0 && candidate[2].ptr)
			json_text(candidate[2], &r->text);
	}
	return 0;
}

static int
reply(struct slice body, struct reply *r, struct err *e)
{
	return wire_whole(body, take,
	    "no generated content: it has no 'candidates' or no 'finishReason'", r, e);
}

static int
event(struct slice name, struct slice data, struct reply *r, struct failure *f)
{
	static const char *const wrong[] = {"the stream holds an event that is no JSON",
	    "the stream holds an event without 'candidates'"};

	(void)name;
	return wire_piece(data, take, wrong, r, f);
}

static void
failure(int status, struct slice headers, struct slice body, const struct ask *a, unsigned lack,
    struct failure *f)
{
	const unsigned lacks = LACK_SAMPLING | LACK_TOP_K | LACK_SEED | LACK_EFFORT |
	    LACK_JSON_SCHEMA | LACK_SCHEMA;

	failure_of(status, headers, body, a, ask_can(a, lack, lacks), f);
}

const struct protocol protocol_gemini = {
    .name = "gemini",
    .path = path,
    .body = write_body,
    .reply = reply,
    .event = event,
    .failure = failure,
    .limits = header_limits,
};
