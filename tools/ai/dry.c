#include "tools/ai/dry.h"

#include "tools/ai/engine_part.h"

void
engine_dry(struct engine *e, struct slot *s)
{
	struct amount tokens = money_estimate(&s->ask, s->lane->mean_output);
	struct usage usage = {.known = true, .input = tokens.input, .output = tokens.output};
	struct buf *out = &s->value, cost = {0};

	engine_build(e, &s->ask, s->lane->lack, &s->body);
	money_spend(&e->money, s->lane->price, &usage);
	money_count(&e->money, s->lane->price, &usage, &s->usage, &s->cost, &s->priced);
	buf_reset(out);
	json_open(out, '{');
	json_name(out, "request");
	json_open(out, '{');
	if (s->ask.endpoint->command)
		json_add(out, "command", slice(s->ask.endpoint->command));
	else
		json_add(out, "url", buf_slice(&e->url));
	/* A schema or a --body may span lines, a record may not. */
	json_name(out, "body");
	json_compact(buf_slice(&s->body), out);
	json_close(out, '}');
	json_name(out, "estimate");
	json_open(out, '{');
	json_add_long(out, "input_tokens", tokens.input);
	json_add_long(out, "output_tokens", tokens.output);
	if (s->priced) {
		money_put(&e->money, s->cost, &cost);
		json_add(out, "cost", buf_slice(&cost));
		json_add(out, "currency", slice(money_currency(&e->money)));
	}
	json_close(out, '}');
	json_close(out, '}');
	buf_free(&cost);
	engine_leaves(e, s);
}
