/*
 * From a reply to an answer: how it finished, the schema, repairs.
 */
#include "tools/ai/answer.h"
#include "tools/ai/engine_part.h"

enum { KEPT_REPLY = 16 << 10 }; /* bytes of a reply in an error record */

/*
 * The JSON in a reply. Models wrap it in a fence, asked or not: exactly that
 * is taken off, nothing is searched for.
 */
static struct slice
without_fence(struct slice text, bool *fenced)
{
	struct slice inner = slice_trim(text);

	*fenced = false;
	if (!slice_starts(inner, "```") || !slice_ends(inner, "\n```") || inner.len < 8)
		return text;
	if (slice_starts(inner, "```json\n"))
		inner = (struct slice){inner.ptr + 8, inner.len - 8};
	else if (slice_starts(inner, "```\n"))
		inner = (struct slice){inner.ptr + 4, inner.len - 4};
	else
		return text;
	if (inner.len < 4)
		return text;
	*fenced = true;
	return slice_trim((struct slice){inner.ptr, inner.len - 4});
}

/* Appends the reply to the error's members: it was paid for, and says what went wrong. */
static void
show_reply(struct slot *s)
{
	struct slice text = buf_slice(&s->reply.text);

	if (text.len > KEPT_REPLY)
		text.len = utf8_valid(text.ptr, KEPT_REPLY);
	json_add(&s->more, "reply", text);
}

/* The words of prompts/repair.txt around the violations, as a JSON string. */
static struct slice
repair_turn(struct engine *e, struct arena *arena, struct slice violations)
{
	static const char mark[] = "{violations}";
	struct slice text = buf_slice(&e->repair_text);
	const char *at = memmem(text.ptr, text.len, mark, sizeof(mark) - 1);
	struct buf plain = {0}, quoted = {0};
	struct slice turn;

	if (at) {
		buf_add(&plain, text.ptr, (size_t)(at - text.ptr));
		buf_addslice(&plain, violations);
		at += sizeof(mark) - 1;
		buf_add(&plain, at, (size_t)(text.ptr + text.len - at));
	} else {
		buf_addslice(&plain, text);
		buf_addslice(&plain, violations);
	}
	json_quote(&quoted, buf_slice(&plain));
	turn = (struct slice){arena_copy(arena, quoted.ptr, quoted.len), quoted.len};
	buf_free(&plain);
	buf_free(&quoted);
	return turn;
}

static void
ask_again(struct engine *e, struct slot *s, struct slice violations)
{
	struct ask *ask = &s->ask;
	struct buf quoted = {0};
	struct turn *turns;

	if (!engine_recall(e, s))
		return;
	turns = arena_alloc(&s->arena, (ask->nturns + 2) * sizeof(*turns));
	s->repairs++;
	e->counts.repaired++;
	memcpy(turns, ask->turns, ask->nturns * sizeof(*turns));
	json_quote(&quoted, buf_slice(&s->reply.text));
	turns[ask->nturns] = (struct turn){ROLE_ASSISTANT,
	    {arena_copy(&s->arena, quoted.ptr, quoted.len), quoted.len}};
	buf_free(&quoted);
	turns[ask->nturns + 1] = (struct turn){ROLE_USER, repair_turn(e, &s->arena, violations)};
	ask->turns = turns;
	ask->nturns += 2;
	s->failures = s->limited = 0;
	s->streamed = 0;
	if (die_verbose() > 0)
		note("record %zu: repair %u: %.*s", s->ordinal, s->repairs, (int)violations.len,
		    violations.ptr);
	engine_look(e, s);
}

/* A reply to a schema: an answer, another question, or an error. */
static void
judge(struct engine *e, struct slot *s)
{
	static bool told;
	struct buf why = {0};
	bool fenced;
	struct slice text = without_fence(buf_slice(&s->reply.text), &fenced);
	struct err err;

	if (schema_check(s->ask.check, text, &why, &err) == 0) {
		buf_reset(&e->scratch);
		if (json_compact(text, &e->scratch) > ANSWER_DEPTH) {
			show_reply(s);
			engine_error(e, s, "invalid_reply", true,
			    "the reply's JSON is nested deeper than %d", ANSWER_DEPTH);
			return;
		}
		if (fenced && !told) {
			told = true;
			note("%s: replies come in a code fence, which is taken off",
			    s->ask.endpoint->provider);
		}
		engine_answer(e, s, text);
		return;
	}
	if (why.len == 0)
		buf_adds(&why, err.text);
	while (why.len && why.ptr[why.len - 1] == '\n')
		buf_cut(&why, why.len - 1);
	if ((long)s->repairs < e->settings->repairs && strcmp(err.code, "schema_limit") != 0 &&
	    e->stop == NULL) {
		ask_again(e, s, buf_slice(&why));
	} else {
		show_reply(s);
		json_add_long(&s->more, "repairs", s->repairs);
		engine_error(e, s, "invalid_reply", true, "the reply does not fit the schema: %s", err.text);
	}
	buf_free(&why);
}

void
engine_replied(struct engine *e, struct slot *s)
{
	struct reply *r = &s->reply;
	const char *word = buf_slice(&r->finish_word).ptr;

	money_count(&e->money, s->lane->price, &r->usage, &s->usage, &s->cost, &s->priced);
	switch (r->finish) {
	case FINISH_STOP:
		if (s->ask.check)
			judge(e, s);
		else
			engine_answer(e, s, buf_slice(&r->text));
		return;
	case FINISH_LENGTH:
		show_reply(s);
		engine_error(e, s, "truncated", false,
		    "the reply was cut at a token limit, '%s': raise --max-tokens or ask for less",
		    word);
		return;
	case FINISH_REFUSED:
		show_reply(s);
		engine_error(e, s, "refused", false, "the model refused, '%s'", word);
		return;
	case FINISH_NONE:
	case FINISH_OTHER:
		show_reply(s);
		engine_error(e, s, "no_answer", false, "the reply is no text, '%s'", word);
		return;
	}
}
