/*
 * The protocols by name, and what they all return.
 */
#include "tools/ai/wire.h"

const struct protocol *
protocol_find(struct slice name)
{
	static const struct protocol *const all[] = {&protocol_openai, &protocol_responses,
	    &protocol_anthropic, &protocol_gemini, &protocol_interactions, &protocol_ollama,
	    &protocol_llamacpp};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (slice_is(name, all[i]->name))
			return all[i];
	return NULL;
}

void
reply_reset(struct reply *r)
{
	buf_reset(&r->finish_word);
	buf_reset(&r->text);
	buf_reset(&r->model);
	buf_reset(&r->id);
	r->finish = FINISH_NONE;
	r->usage = (struct usage){0};
}

void
reply_free(struct reply *r)
{
	buf_free(&r->finish_word);
	buf_free(&r->text);
	buf_free(&r->model);
	buf_free(&r->id);
	*r = (struct reply){0};
}

const char *
lack_says(enum lack lack)
{
	switch (lack) {
	case LACK_SCHEMA:
		return "takes no schema: it goes into the prompt, replies are checked here";
	case LACK_STRICT:
		return "refuses the schema as it is: asked less strictly, replies are checked here";
	case LACK_JSON_SCHEMA:
		return "takes no json_schema: asked for any JSON, replies are checked here";
	case LACK_MAX_COMPLETION:
		return "takes no max_completion_tokens: asked with max_tokens";
	case LACK_MAX_TOKENS:
		return "takes no max_tokens: asked with max_completion_tokens";
	case LACK_STREAM_USAGE:
		return "takes no stream_options: tokens are not counted while streaming";
	case LACK_SAMPLING:
		return "takes no temperature, top_p or top_k: asked without";
	case LACK_TOP_K:
		return "takes no top_k: asked without";
	case LACK_SEED:
		return "takes no seed: asked without";
	case LACK_EFFORT:
		return "takes no reasoning effort: asked without";
	}
	return "refuses an option: asked without";
}

int
ask_refuse(struct err *e, const char *api, const char *option, const char *instead)
{
	return err_set(e, "bad_value", "%s has no '%s': leave it out%s%s", api, option,
	    instead ? ", " : "", instead ? instead : "");
}
