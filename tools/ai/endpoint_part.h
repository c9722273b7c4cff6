/*
 * endpoint_part: what the files of endpoint share.
 */
#ifndef KANDIL_AI_ENDPOINT_PART_H
#define KANDIL_AI_ENDPOINT_PART_H

#include "common/spawn.h"
#include "tools/ai/endpoint.h"
#include "tools/ai/providers.h"

enum {
	ENDPOINTS = 32,
	SERVERS = ENDPOINTS_FDS,
	SERVER_WORDS = 64 * 1024
}; /* of one run; records may name many providers */

struct endpoints {
	const struct endpoint_settings *settings;
	struct providers table;
	struct endpoint *v[ENDPOINTS];
	size_t n;
	struct spawn server[SERVERS]; /* llama-servers that were started */
	size_t nservers;
};

/* The model where nobody names one, as endpoint_default has it without --model. */
struct endpoint *endpoint_auto(struct endpoints *, struct slice *name, struct err *e);

/* The endpoint of a line of the table, with the options if --model names it; NULL with e. */
struct endpoint *endpoint_of(struct endpoints *, const struct provider *, struct err *e);

/*
 * The first model that an endpoint lists, the caller's to free, and how many it has; NULL with
 * e, "no_model" (it lists none) and those of fetch_json.
 */
char *models_first(const struct endpoint *, size_t *n, struct err *e);

/* Whether it is on this machine; here or on a private network. */
bool url_loopback(struct slice url);
bool url_near(struct slice url);
/*
 * A base URL as the protocol wants it, of what people write: /v1 or not, a
 * slash at the end or not, Ollama's host:port. To be freed.
 */
char *url_base(struct slice given, const char *provider, const char *protocol);
/* -1 with e "bad_value": no URL, one with an account, or a key in the clear on a public network. */
int url_check(struct slice url, bool with_key, struct err *e);

/*
 * Adds what every request to the endpoint says: its key (len 0: none), the
 * API's version, the user's own --header. -1 with e: "bad_value", "cannot_read".
 */
int endpoint_headers(struct endpoint *, const struct provider *, const struct endpoint_settings *,
    bool primary, struct slice key, struct err *e);

#endif
