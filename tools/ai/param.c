#include "tools/ai/param.h"

#include <stddef.h>
#include <stdio.h>

enum kind { WHOLE, NUMBER, TEXT, TEXTS, OBJECT };

static const struct param {
	const char *name, *option;
	enum kind kind;
	size_t at;   /* the slice in struct ask */
	size_t from; /* the option in struct settings; 0: not a plain one */
} params[] = {
    {"max_tokens", "max-tokens", WHOLE, offsetof(struct ask, max_tokens),
	offsetof(struct settings, max_tokens)},
    {"temperature", "temperature", NUMBER, offsetof(struct ask, temperature),
	offsetof(struct settings, temperature)},
    {"top_p", "top-p", NUMBER, offsetof(struct ask, top_p), offsetof(struct settings, top_p)},
    {"top_k", "top-k", WHOLE, offsetof(struct ask, top_k), offsetof(struct settings, top_k)},
    {"seed", "seed", WHOLE, offsetof(struct ask, seed), offsetof(struct settings, seed)},
    {"body", "body", OBJECT, offsetof(struct ask, extra), offsetof(struct settings, body)},
    {"effort", "effort", TEXT, offsetof(struct ask, effort), 0},
    {"stop", "stop", TEXTS, offsetof(struct ask, stop), 0},
};

static const char *const wanted[] = {[WHOLE] = "a whole number",
    [NUMBER] = "a number",
    [TEXT] = "a text",
    [TEXTS] = "a list of texts",
    [OBJECT] = "a JSON object"};

static bool
is_texts(struct slice value)
{
	struct json_walk w = json_walk(value);
	struct slice one;

	if (json_type(value) != JSON_ARRAY)
		return false;
	while (json_element(&w, &one))
		if (json_type(one) != JSON_STRING)
			return false;
	return true;
}

static bool
fits(enum kind kind, struct slice value)
{
	long long whole;

	switch (kind) {
	case WHOLE:
		return json_long(value, &whole) && whole >= 0;
	case NUMBER:
		return json_type(value) == JSON_NUMBER;
	case TEXT:
		return json_type(value) == JSON_STRING;
	case TEXTS:
		return is_texts(value);
	case OBJECT:
		return json_type(value) == JSON_OBJECT;
	}
	return false;
}

static void
set(struct ask *ask, const struct param *p, struct slice value)
{
	memcpy((char *)ask + p->at, &value, sizeof(value));
}

int
param_set(struct ask *ask, struct slice name, struct slice value, struct err *e)
{
	const struct param *p = params, *end = params + sizeof(params) / sizeof(params[0]);

	while (p < end && !json_is(name, p->name))
		p++;
	if (p == end)
		return 0;
	if (json_type(value) == JSON_NULL)
		return 1;
	if (!fits(p->kind, value))
		return err_set(e, "bad_value", "'%s' is not %s: %.*s", p->name, wanted[p->kind],
		    value.len > 60 ? 60 : (int)value.len, value.ptr);
	set(ask, p, value);
	return 1;
}

const char *
param_name(size_t i)
{
	return i < sizeof(params) / sizeof(params[0]) ? params[i].name : NULL;
}

/* An option that is raw JSON already. */
static int
set_option(struct ask *ask, const struct param *p, const char *text, struct err *e)
{
	struct slice value = slice_trim(slice(text));

	if (json_check(value, NULL) < 0 || !fits(p->kind, value))
		return err_set(
		    e, "bad_value", "%s: '%s' is not %s", opt_origin(p->option), text,
		    wanted[p->kind]);
	set(ask, p, value);
	return 0;
}

int
param_options(struct ask *ask, const struct settings *s, struct buf *text, struct err *e)
{
	size_t n = sizeof(params) / sizeof(params[0]), effort;

	for (size_t i = 0; i < n; i++) {
		const char *given = NULL;

		if (params[i].from)
			memcpy(&given, (const char *)s + params[i].from, sizeof(given));
		if (given && set_option(ask, &params[i], given, e) < 0)
			return -1;
	}
	if (s->effort)
		json_quote(text, slice(s->effort));
	effort = text->len;
	if (s->stop.n) {
		buf_addc(text, '['); /* a value of its own: no comma before it */
		for (size_t i = 0; i < s->stop.n; i++)
			json_put(text, slice(s->stop.v[i]));
		json_close(text, ']');
	}
	/* Now that the text no longer moves. */
	if (effort)
		ask->effort = (struct slice){text->ptr, effort};
	if (text->len > effort)
		ask->stop = (struct slice){text->ptr + effort, text->len - effort};
	return 0;
}
