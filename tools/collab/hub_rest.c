/*
 * Plain HTTP beside the sockets: broadcasts without joining, as Supabase Realtime has
 * them, and what a machine's keeper asks for.
 *
 *	POST /api/broadcast
 *		{"messages":[{"topic","event","payload","private"}, ...]}
 *	POST /api/broadcast/TOPIC/events/EVENT[?private=true]
 *		JSON, or bytes as application/octet-stream
 *	GET  /healthz	200, or 503 while it ends
 *	GET  /metrics	from loopback, or with a key of the role service_role
 *
 * each also below /realtime/v1. Queries count for nothing else: official clients
 * leave their key in them, and a key in a URL is not believed here.
 */
#include "tools/collab/hub_rest.h"

void
rest_answer(struct rest *r, int status, const char *type, struct slice body)
{
	if (status >= 400)
		r->hub->metrics.rest_refused++;
	socket_answer(r->ask, status, type, body, r->more.len ? r->more.ptr : NULL);
}

void
rest_say(struct rest *r, int status, const char *member, const char *text)
{
	struct buf body = {0};

	json_open(&body, '{');
	json_add(&body, member, slice(text));
	json_close(&body, '}');
	rest_answer(r, status, NULL, buf_slice(&body));
	buf_free(&body);
}

void
rest_message(struct rest *r, int status, const char *text)
{
	rest_say(r, status, "message", text);
}

/* ---- who asks ---- */

/* Loopback itself, by the name of loopback, and no proxy or page in between. */
static bool
from_here(const struct rest *r)
{
	struct slice host = socket_ask_header(r->ask, "host");

	return admit_loopback(slice(socket_ask_address(r->ask))) && admit_loopback(host) &&
	    socket_ask_header(r->ask, "origin").ptr == NULL &&
	    socket_ask_header(r->ask, "x-forwarded-for").ptr == NULL;
}

static void
metrics(struct rest *r)
{
	struct buf text = {0};
	bool may = from_here(r);

	if (!may && admit_rest(r->hub, r->ask, &r->claims) == 0)
		may = r->hub->settings.keyring && strcmp(r->claims.role, "service_role") == 0;
	if (!may) {
		rest_message(r, 401, "Unauthorized");
		return;
	}
	metric_write(r->hub, &text);
	rest_answer(r, 200, "text/plain; version=0.0.4", buf_slice(&text));
	buf_free(&text);
}

static void
broadcast(struct rest *r, struct slice rest)
{
	if (admit_rest(r->hub, r->ask, &r->claims) != 0) {
		r->hub->metrics.refused_key++;
		rest_message(r, 401, "Unauthorized");
		return;
	}
	r->use = limit_key(r->hub, r->claims.name);
	if (rest.len == 0)
		rest_batch(r);
	else
		rest_single(r, rest);
	limit_key_done(r->use);
}

/* A page may read the answer, where it may ask (admit_origin). */
static void
allow_origin(struct rest *r, struct slice origin)
{
	/* It goes back as it came: never with what would end a header. */
	for (size_t i = 0; i < origin.len; i++)
		if ((unsigned char)origin.ptr[i] <= ' ' || (unsigned char)origin.ptr[i] >= 127)
			return;
	buf_addf(&r->more, "access-control-allow-origin: %.*s\r\nvary: origin\r\n", (int)origin.len,
	    origin.ptr);
	buf_adds(&r->more, "access-control-expose-headers: x-rate-rolling, x-rate-limit, "
			   "x-rate-limit-remaining\r\n");
}

static void
preflight(struct rest *r)
{
	buf_adds(&r->more, "access-control-allow-methods: POST, OPTIONS\r\n"
			   "access-control-allow-headers: authorization, apikey, content-type, "
			   "x-client-info\r\n"
			   "access-control-max-age: 600\r\n");
	rest_answer(r, 204, NULL, S(""));
}

static void
api(struct rest *r, struct slice rest)
{
	struct slice origin = socket_ask_header(r->ask, "origin");
	struct slice method = socket_ask_method(r->ask);

	if (!admit_origin(r->hub, origin, socket_ask_header(r->ask, "host"))) {
		r->hub->metrics.refused_origin++;
		rest_message(r, 403, "Origin is not allowed");
		return;
	}
	if (origin.ptr)
		allow_origin(r, origin);
	if (slice_is(method, "OPTIONS")) {
		preflight(r);
	} else if (!slice_is(method, "POST")) {
		buf_adds(&r->more, "allow: POST, OPTIONS\r\n");
		rest_message(r, 405, "Method Not Allowed");
	} else if (r->hub->draining) {
		rest_message(r, 503, "Realtime is restarting, please standby");
	} else {
		broadcast(r, rest);
	}
}

void
rest_request(struct socket_ask *ask, void *hub)
{
	struct rest r = {.hub = hub, .ask = ask};
	struct slice path = socket_ask_path(ask), method = socket_ask_method(ask);
	bool get = slice_is(method, "GET") || slice_is(method, "HEAD");

	if (slice_starts(path, "/realtime/v1/"))
		path = (struct slice){path.ptr + 12, path.len - 12};
	if (slice_is(path, "/api/broadcast"))
		api(&r, S(""));
	else if (slice_starts(path, "/api/broadcast/"))
		api(&r, (struct slice){path.ptr + 15, path.len - 15});
	else if (get && slice_is(path, "/healthz"))
		rest_answer(&r, r.hub->draining ? 503 : 200, "text/plain",
		    r.hub->draining ? S("draining\n") : S("ok\n"));
	else if (get && slice_is(path, "/metrics"))
		metrics(&r);
	else
		rest_message(&r, 404, "not found");
	claims_free(&r.claims);
	buf_free(&r.more);
}
