#include "tools/ai/cache.h"

#include "common/json.h"
#include "tools/ai/provider.h"

static const char *const finishes[] = {
    [FINISH_NONE] = "none",
    [FINISH_STOP] = "stop",
    [FINISH_LENGTH] = "length",
    [FINISH_REFUSED] = "refused",
    [FINISH_OTHER] = "other",
};

void
cache_encode(const struct reply *r, long ms, struct buf *out)
{
	json_open(out, '{');
	json_add(out, "text", buf_slice(&r->text));
	json_add(out, "model", buf_slice(&r->model));
	json_add(out, "finish", slice(finishes[r->finish]));
	json_add(out, "finish_word", buf_slice(&r->finish_word));
	json_add(out, "id", buf_slice(&r->id));
	if (r->usage.known) {
		json_name(out, "usage");
		json_open(out, '{');
		json_add_long(out, "input", r->usage.input);
		json_add_long(out, "cached", r->usage.cached);
		json_add_long(out, "output", r->usage.output);
		json_add_long(out, "reasoning", r->usage.reasoning);
		json_add_long(out, "written", r->usage.written);
		json_close(out, '}');
	}
	json_add_long(out, "ms", ms);
	json_close(out, '}');
}

static int
not_ours(struct err *e, const char *what)
{
	return err_set(e, "bad_reply", "a kept reply has no proper '%s'", what);
}

/* A count that is there and not negative. */
static bool
count(struct slice object, const char *name, long long *out)
{
	struct slice value;

	return json_get(object, name, &value) && json_long(value, out) && *out >= 0;
}

static int
decode_usage(struct slice value, struct usage *u, struct err *e)
{
	struct slice usage;

	if (!json_get(value, "usage", &usage))
		return 0;
	if (!count(usage, "input", &u->input) || !count(usage, "cached", &u->cached) ||
	    !count(usage, "output", &u->output) || !count(usage, "reasoning", &u->reasoning) ||
	    !count(usage, "written", &u->written))
		return not_ours(e, "usage");
	u->known = true;
	return 0;
}

int
cache_decode(struct slice value, struct reply *r, long *ms, struct err *e)
{
	struct slice finish;
	long long took;
	size_t i;

	reply_reset(r);
	if (json_check(value, e) != 0 || json_type(value) != JSON_OBJECT)
		return err_set(e, "bad_reply", "a kept reply is no JSON object");
	if (!json_get_text(value, "text", &r->text))
		return not_ours(e, "text");
	if (!json_get_text(value, "model", &r->model))
		return not_ours(e, "model");
	if (!json_get_text(value, "finish_word", &r->finish_word))
		return not_ours(e, "finish_word");
	if (!json_get_text(value, "id", &r->id))
		return not_ours(e, "id");
	if (!json_get(value, "finish", &finish))
		return not_ours(e, "finish");
	for (i = 0; i < sizeof(finishes) / sizeof(*finishes); i++)
		if (json_is(finish, finishes[i]))
			break;
	if (i == sizeof(finishes) / sizeof(*finishes))
		return not_ours(e, "finish");
	r->finish = (enum finish)i;
	if (!count(value, "ms", &took))
		return not_ours(e, "ms");
	*ms = (long)took;
	return decode_usage(value, &r->usage, e);
}
