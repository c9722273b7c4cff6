#include "tools/ai/answer.h"

#include "tools/ai/endpoint.h"

static void
put_usage(const struct usage *u, struct buf *out)
{
	if (!u->known)
		return;
	json_name(out, "usage");
	json_open(out, '{');
	json_add_long(out, "input", u->input);
	json_add_long(out, "cached", u->cached);
	json_add_long(out, "output", u->output);
	json_add_long(out, "reasoning", u->reasoning);
	json_close(out, '}');
}

void
answer_put(const struct slot *s, struct slice text, bool json, const char *cost,
    const char *currency, struct buf *out)
{
	const struct reply *r = &s->reply;

	json_open(out, '{');
	if (json) {
		json_name(out, "json");
		json_compact(text, out);
	} else {
		json_add(out, "text", text);
	}
	/* What answered where it says so, else what was asked for. */
	json_add(out, "model", r->model.len ? buf_slice(&r->model) : s->ask.model);
	json_add(out, "provider", slice(s->ask.endpoint->provider));
	put_usage(&s->usage, out);
	if (cost) {
		json_add(out, "cost", slice(cost));
		json_add(out, "currency", slice(currency));
	}
	json_add_long(out, "attempts", s->attempts);
	json_name(out, "cached");
	json_put_bool(out, s->cached);
	json_add_long(out, "latency_ms", s->latency);
	json_add(out, "finish", r->finish_word.len ? buf_slice(&r->finish_word) : S("stop"));
	json_close(out, '}');
}
