/*
 * What of an ask the protocols write alike, and what they could leave out of it.
 */
#include "tools/ai/wire.h"

bool
ask_prompts_schema(const struct ask *a, unsigned lack)
{
	return a->schema.ptr && (lack & (LACK_SCHEMA | LACK_JSON_SCHEMA));
}

/* Into an open JSON string, behind a blank line when something stands there since start. */
static void
add_inside(struct buf *out, size_t start, struct slice string)
{
	if (string.len < 2 || *string.ptr != '"')
		return;
	if (out->len > start)
		buf_adds(out, "\\n\\n");
	buf_add(out, string.ptr + 1, string.len - 2);
}

size_t
system_text(const struct ask *a, bool schema, bool whole, struct buf *out)
{
	size_t start = out->len, i;

	for (i = 0; i < a->nturns && a->turns[i].role == ROLE_SYSTEM; i++) {
		struct slice content = a->turns[i].content, part;
		struct json_walk w = json_walk(content);

		if (*content.ptr == '"') {
			add_inside(out, start, content);
			continue;
		}
		if (!whole)
			break;
		while (json_element(&w, &part))
			add_inside(out, start, wire_member(part, "text"));
	}
	if (schema) {
		if (out->len > start)
			buf_adds(out, "\\n\\n");
		schema_prompt(a->schema, out);
	}
	return i;
}

/* Closes what was opened for it, or takes back all since at where there is no text. */
static size_t
system_or_nothing(struct buf *out, size_t at, const struct ask *a, bool schema, bool whole,
    const char *close)
{
	size_t first = out->len, taken = system_text(a, schema, whole, out);

	if (out->len > first)
		buf_adds(out, close);
	else
		buf_cut(out, at);
	return taken;
}

size_t
body_system(struct body *b, const char *name, const struct ask *a, bool schema, bool whole)
{
	size_t at = b->out->len;

	if (!body_name(b, name))
		return 0;
	buf_addc(b->out, '"');
	return system_or_nothing(b->out, at, a, schema, whole, "\"");
}

size_t
system_message(struct buf *out, const struct ask *a, bool schema, bool whole)
{
	size_t at = out->len;

	buf_adds(out, "{\"role\":\"system\",\"content\":\"");
	return system_or_nothing(out, at, a, schema, whole, "\"}");
}

void
wire_message(struct buf *out, const char *role, struct slice content)
{
	json_open(out, '{');
	json_add(out, "role", slice(role));
	json_add_raw(out, "content", content);
	json_close(out, '}');
}

bool
ask_has_system(const struct ask *a)
{
	for (size_t i = 0; i < a->nturns; i++)
		if (a->turns[i].role == ROLE_SYSTEM)
			return true;
	return false;
}

void
wire_turns(struct buf *out, const struct ask *a, write_turn *turn)
{
	for (size_t i = 0; i < a->nturns; i++)
		if (a->turns[i].role != ROLE_SYSTEM)
			turn(out, &a->turns[i]);
}

void
body_turns(struct body *b, const char *name, const struct ask *a, write_turn *turn)
{
	if (!body_name(b, name))
		return;
	json_open(b->out, '[');
	wire_turns(b->out, a, turn);
	json_close(b->out, ']');
}

void
body_sampling(struct body *b, const struct ask *a, unsigned lack, const struct sampling *names)
{
	if (!(lack & LACK_SAMPLING)) {
		body_raw(b, "temperature", a->temperature);
		body_raw(b, names->top_p, a->top_p);
		if (names->top_k && !(lack & LACK_TOP_K))
			body_raw(b, names->top_k, a->top_k);
	}
	if (names->seed && !(lack & LACK_SEED))
		body_raw(b, names->seed, a->seed);
	if (names->stop)
		body_raw(b, names->stop, a->stop);
}

void
body_stream(struct body *b, const struct ask *a)
{
	/* A stream that was not wished for, nobody would read as one. */
	if (a->stream)
		body_fixed(b, "stream", S("true"));
	else
		body_without(b, "stream");
}

/* The next step down for a schema that was sent by the steps that lack left; 0: none. */
static unsigned
schema_step(const struct ask *a, unsigned lack, unsigned steps)
{
	static const unsigned order[] = {LACK_STRICT, LACK_JSON_SCHEMA, LACK_SCHEMA};

	if (a->schema.ptr == NULL || (lack & LACK_SCHEMA))
		return 0;
	/* A step that was taken leaves those before it behind. */
	for (size_t i = 0; i < 3; i++)
		if ((steps & order[i]) && !(lack & order[i]) &&
		    !(order[i] == LACK_STRICT && (lack & LACK_JSON_SCHEMA)))
			return order[i];
	return 0;
}

unsigned
ask_can(const struct ask *a, unsigned lack, unsigned lacks)
{
	unsigned can = 0;

	if (a == NULL)
		return 0;
	if (a->temperature.ptr || a->top_p.ptr)
		can |= LACK_SAMPLING;
	if (a->top_k.ptr && !(lack & LACK_SAMPLING))
		can |= LACK_TOP_K;
	if (a->seed.ptr)
		can |= LACK_SEED;
	if (a->effort.ptr)
		can |= LACK_EFFORT;
	if (a->stream)
		can |= LACK_STREAM_USAGE;
	return (can & lacks & ~lack) | schema_step(a, lack, lacks);
}
