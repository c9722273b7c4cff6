#include "tools/ai/dry.h"

#include "tools/ai/engine_part.h"

/* Whether a reply was kept: counted, and of no further use. */
static bool
look(struct engine *e, struct slot *s)
{
	const struct protocol *protocol = s->ask.endpoint->protocol;

	engine_build(e, &s->ask, 0, &e->body);
	engine_key(protocol ? protocol->name : "exec", buf_slice(&e->url), buf_slice(&e->body),
	    s->key);
	if (engine_kept(e, s))
		return true;
	e->counts.asked++;
	return false;
}

void
engine_dry(struct engine *e, struct slot *s)
{
	struct amount tokens = money_estimate(&s->ask, s->lane->mean_output);
	struct usage usage = {.known = true};
	struct buf *out = &s->value, cost = {0};
	bool kept = look(e, s);

	if (kept)
		tokens = (struct amount){0, 0};
	else if (s->lane->price == NULL)
		e->counts.unpriced++;
	usage.input = tokens.input;
	usage.output = tokens.output;
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
	if (kept) {
		json_name(out, "cached");
		json_put_bool(out, true);
	}
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
