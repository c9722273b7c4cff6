/*
 * ask: one question to a model, in the terms of no provider.
 *
 * What is asked comes from the options and from the record; where it goes is
 * an endpoint. A provider makes the request's body of it. The body that is
 * made of an ask without stream is what the cache's key is taken from, so the
 * same ask must always give the same bytes.
 */
#ifndef KANDIL_AI_ASK_H
#define KANDIL_AI_ASK_H

#include "common/buf.h"

struct endpoint;
struct schema;

enum role { ROLE_SYSTEM, ROLE_USER, ROLE_ASSISTANT };

/* content: a raw JSON string, or the raw JSON array of parts that the provider knows. */
struct turn {
	enum role role;
	struct slice content;
};

/* Slices are lent by whoever fills it; ptr NULL: not said. */
struct ask {
	const struct endpoint *endpoint;
	struct slice model;	   /* as the provider names it, without "provider/" */
	bool named;		   /* by the record: else the options are to blame for it */
	const struct turn *turns;  /* systems first; at least one that is none */
	size_t nturns;
	struct slice schema;	   /* raw JSON Schema of the reply; ptr NULL: plain text */
	const struct schema *check; /* the same, compiled */
	/* Parameters, as raw JSON numbers, strings and arrays: a provider sends them untouched. */
	struct slice max_tokens, temperature, top_p, top_k, seed;
	struct slice stop;   /* array of strings */
	struct slice effort; /* "low" … : reasoning effort */
	struct slice extra;  /* a raw object whose members are added to the body as they are */
	bool stream;
};

/*
 * What a provider or a server turned out not to take (or take otherwise); an
 * endpoint remembers it for the run, and the user is told once (lack_says).
 * A schema steps down LACK_STRICT, LACK_JSON_SCHEMA, LACK_SCHEMA, as far as
 * a protocol has these steps.
 */
enum lack {
	LACK_SCHEMA = 1,	/* the schema goes into the prompt instead */
	LACK_STRICT = 2,	/* schema without "strict"; Anthropic: without its bounds */
	LACK_MAX_COMPLETION = 4, /* max_tokens for max_completion_tokens */
	LACK_STREAM_USAGE = 8,	/* no stream_options */
	LACK_SAMPLING = 16,	/* no temperature, top_p, top_k */
	LACK_JSON_SCHEMA = 32,	/* json_object for json_schema: llama-server takes the schema in it,
				 * elsewhere it goes into the prompt as well */
	LACK_SEED = 64,
	LACK_EFFORT = 128,
	LACK_MAX_TOKENS = 256,	/* max_completion_tokens for max_tokens */
	LACK_TOP_K = 512,	/* no top_k, but the other two */
};

#endif
