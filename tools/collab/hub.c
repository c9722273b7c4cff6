/*
 * The hub as a whole: it listens, lets in, keeps time, and ends.
 */
#include "tools/collab/hub_part.h"

#include "common/mem.h"
#include "common/time.h"

#include <stdlib.h>

enum {
	CHECK_MS = 1000,       /* between looks at tokens */
	MESSAGE_MAX = 5000000, /* bytes of a frame or a body: Supabase's */
};

struct hub *
hub_open(struct sockets *sockets, const struct hub_settings *settings, struct err *e)
{
	struct hub *hub = xcalloc(1, sizeof(*hub));

	hub->sockets = sockets;
	hub->settings = *settings;
	hub->started = time_ms();
	if (history_open(hub, e) != 0) {
		free(hub);
		return NULL;
	}
	return hub;
}

/* ---- the handshake ---- */

static void
answer(struct socket_ask *ask, int status, const char *text)
{
	struct buf body = {0};

	json_open(&body, '{');
	json_add(&body, "error", slice(text));
	json_close(&body, '}');
	socket_answer(ask, status, NULL, buf_slice(&body), NULL);
	buf_free(&body);
}

/* Which protocol is spoken: 0, or the status of a refusal. */
static int
read_dialect(struct conn *c, const struct socket_ask *ask)
{
	struct slice path = socket_ask_path(ask);
	struct buf vsn = {0};
	int status = 0;

	c->phoenix = slice_is(path, "/socket/websocket");
	if (!c->phoenix && !slice_is(path, "/realtime/v1/websocket"))
		return 404;
	if (!socket_ask_arg(ask, "vsn", &vsn) || slice_is(buf_slice(&vsn), "1.0.0"))
		c->dialect = FRAME_V1;
	else if (slice_is(buf_slice(&vsn), "2.0.0"))
		c->dialect = FRAME_V2;
	else
		status = 403;
	c->official = !c->phoenix && c->dialect == FRAME_V2;
	buf_free(&vsn);
	return status;
}

static int
on_accept(struct socket_ask *ask, void **conn, void *state)
{
	struct hub *hub = state;
	struct conn *c = xcalloc(1, sizeof(*c));
	int status;

	c->hub = hub;
	c->address = xstrdup(socket_ask_address(ask));
	status = read_dialect(c, ask);
	if (status == 404)
		answer(ask, 404, "There is no socket here: /realtime/v1/websocket");
	else if (status)
		answer(ask, status, "This protocol version is not spoken: vsn=1.0.0 or 2.0.0");
	if (status || admit_upgrade(hub, ask, c) != 0) {
		free(c->address);
		free(c);
		return -1;
	}
	c->next = hub->conns;
	if (hub->conns)
		hub->conns->prev = c;
	hub->conns = c;
	hub->nconns++;
	hub->metrics.connections++;
	*conn = c;
	return 0;
}

int
hub_listen(struct hub *hub, const char *host, int port, const char *cert, const char *key,
    struct err *e)
{
	size_t payload = hub->settings.max_payload, most = MESSAGE_MAX;
	struct socket_server server = {
		.host = host,
		.port = port,
		.cert_file = cert,
		.key_file = key,
		.max_queue = hub->settings.max_queue,
		.max_begun = hub->settings.max_memory / MEMORY_BEGUN,
		.events = &conn_events,
		.accept = on_accept,
		.request = rest_request,
		.state = hub,
	};

	/* Twice, so that one too large is refused by name and does not cost the connection. */
	if (payload > most / 2)
		most = payload * 2;
	server.max_message = server.max_body = most;
	return socket_listen(hub->sockets, &server, e);
}

/* ---- time ---- */

/*
 * Each queue is within its limit, and thousands together are more than there is: the
 * longest go first. A frame that many wait for counts once.
 */
static void
hold_queues(struct hub *hub)
{
	size_t most = hub->settings.max_memory / MEMORY_QUEUES;

	while (most > 0 && socket_frames() > most) {
		struct conn *longest = NULL;
		size_t n = 0;

		for (struct conn *c = hub->conns; c; c = c->next)
			if (c->socket && socket_queued(c->socket) > n) {
				longest = c;
				n = socket_queued(c->socket);
			}
		if (longest == NULL)
			return;
		longest->closing = true;
		socket_drop(longest->socket, "too slow: the queues of all take too much memory");
		if (socket_queued(longest->socket) >= n)
			return; /* no more than close frames are left */
	}
}

int64_t
hub_turn(struct hub *hub, int64_t now)
{
	int64_t wait;

	if (now >= hub->next_check) {
		hub->next_check = now + CHECK_MS;
		admit_check(hub, time_now());
		caps_turn(hub, now);
	}
	/* Each time: what came since may have given it work. */
	wait = history_turn(hub);
	/* Last, for what was done above may have ended channels. */
	presence_turn(hub);
	hold_queues(hub);
	if (hub->conns || hub->ntold)
		wait = time_least(wait, hub->next_check - now);
	if (hub->draining)
		wait = time_least(wait, hub->draining > now ? hub->draining - now : 0);
	return wait;
}

void
hub_drain(struct hub *hub, int64_t now, int64_t wait_ms)
{
	presence_turn(hub);
	hub->draining = now + wait_ms;
	sockets_refuse(hub->sockets);
	for (struct conn *c = hub->conns; c; c = c->next) {
		if (c->socket == NULL || c->closing)
			continue;
		for (struct channel *ch = c->channels; ch; ch = ch->next_of_conn)
			conn_system(ch, true, "Server requested disconnect");
		conn_end(c, 1001, "the server restarts");
	}
	history_turn(hub);
}

bool
hub_drained(struct hub *hub, int64_t now)
{
	return hub->draining && (hub->nconns == 0 || now >= hub->draining);
}

void
hub_rekey(struct hub *hub, const struct keyring *keyring)
{
	hub->settings.keyring = keyring;
	hub->checked = NULL;
	hub->next_check = 0;
}

void
hub_close(struct hub *hub)
{
	hub->draining = 1; /* no diffs: nobody is there */
	while (hub->conns)
		conn_free(hub->conns);
	topics_free(hub);
	history_close(hub);
	limits_free(hub);
	caps_free(hub);
	buf_free(&hub->scratch);
	buf_free(&hub->body);
	frame_reader_free(&hub->reader);
	free(hub);
}
