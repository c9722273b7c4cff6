/*
 * Connecting: the addresses one after the other, TLS, the upgrade, and what a
 * server says that refuses it.
 *
 * libwebsockets 4.1.6 has the status and the body of a refusal in one callback
 * only, LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP, and drops the connection after it.
 * So the body is waited for there, for a quarter of a second at most; servers send it
 * together with the status.
 */
#include "common/socket_part.h"

#include "common/json.h"
#include "common/mem.h"
#include "common/time.h"

#include <netdb.h>
#include <poll.h>

enum {
	STEP = 2500,	 /* ms for an address when there is another one */
	BODY_MAX = 4096, /* bytes of a refusal that are read */
	BODY_WAIT = 250, /* ms */
};

void
socket_client_free(struct socket *s)
{
	struct socket_client *c = s->client;

	if (c == NULL)
		return;
	s->client = NULL;
	if (c->list)
		freeaddrinfo(c->list);
	free(c->host);
	free(c->authority);
	free(c->target);
	free(c->protocol);
	buf_free(&c->headers);
	buf_free(&c->body);
	free(c);
}

/* ---- attempts ---- */

/* The next address; false when there is none, or lws fails at once for all. */
static bool
attempt(struct socket *s)
{
	struct socket_client *c = s->client;

	while (c->next) {
		struct addrinfo *to = c->next;
		char address[64];
		struct lws *wsi;
		struct lws_client_connect_info i = {.context = s->loop->context,
		    .vhost = c->vhost,
		    .address = address,
		    .port = c->port,
		    .path = c->target,
		    .host = c->authority,
		    .protocol = c->protocol,
		    .local_protocol_name = "client",
		    .ietf_version_or_minus_one = -1,
		    .alpn = "http/1.1",
		    .userdata = s, /* or lws does not say when it begins to close */
		    .opaque_user_data = s,
		    .ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT};

		c->next = to->ai_next;
		if (getnameinfo(to->ai_addr, to->ai_addrlen, address, sizeof(address), NULL, 0,
			NI_NUMERICHOST) != 0)
			continue;
		if (c->tls)
			i.ssl_connection |= LCCSCF_USE_SSL;
		c->reached = c->asked = false;
		c->calling = true;
		wsi = lws_client_connect_via_info(&i);
		c->calling = false;
		s->wsi = wsi;
		if (wsi == NULL)
			continue;
		s->due = c->give_up;
		if (c->next && s->loop->now + STEP < s->due)
			s->due = s->loop->now + STEP;
		socket_alarm(s->loop, s->due);
		return true;
	}
	return false;
}

/* This attempt is not the connection any more. */
static void
let_go(struct socket *s)
{
	if (s->wsi)
		lws_set_opaque_user_data(s->wsi, NULL);
	s->wsi = NULL;
}

static void
unreachable(struct socket *s)
{
	char text[200];

	let_go(s);
	if (attempt(s))
		return;
	snprintf(text, sizeof(text), "nobody answers at '%s', port %d", s->client->host,
	    s->client->port);
	socket_over(s, SOCKET_CONNECT, 0, slice(text));
}

void
socket_client_late(struct socket *s)
{
	struct socket_client *c = s->client;
	bool over = s->loop->now >= c->give_up;

	/* Where somebody has picked up no other address is tried. */
	if (!over && c->reached) {
		s->due = c->give_up;
		return;
	}
	if (s->wsi)
		socket_kill(s->wsi);
	if (!over) {
		unreachable(s);
		return;
	}
	let_go(s);
	socket_over(s, SOCKET_TIMEOUT, 0, S("no upgrade in time"));
}

/* The name is looked up here, and now: lws in Debian has no resolver that does not block. */
static void
resolve(struct socket *s)
{
	struct socket_client *c = s->client;
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_ADDRCONFIG};
	char text[200];
	int n = getaddrinfo(c->host, NULL, &hints, &c->list);

	if (n == EAI_ADDRFAMILY || n == EAI_NONAME || n == EAI_NODATA) {
		/* loopback does not count as configured */
		hints.ai_flags = 0;
		n = getaddrinfo(c->host, NULL, &hints, &c->list);
	}
	if (n != 0) {
		snprintf(text, sizeof(text), "host '%.100s' is not known: %s", c->host,
		    gai_strerror(n));
		socket_over(s, SOCKET_RESOLVE, 0, slice(text));
		return;
	}
	c->next = c->list;
	unreachable(s);
}

struct socket *
socket_connect(struct sockets *loop, const struct socket_request *r, struct err *e)
{
	struct socket *s = socket_new(loop, r->events, r->state);
	struct socket_client *c = s->client = xcalloc(1, sizeof(*c));
	const char *ca = r->ca_file ? r->ca_file : "";

	if (socket_read_request(c, r, e) < 0) {
		socket_release(s);
		return NULL;
	}
	s->max_message = r->max_message ? r->max_message : SOCKET_MESSAGE_MAX;
	s->max_queue = r->max_queue ? r->max_queue : (size_t)64 << 20;
	c->protocol = r->protocol ? xstrdup(r->protocol) : NULL;
	loop->now = time_ms();
	c->give_up = loop->now + (r->connect_ms ? r->connect_ms : 10000);
	c->vhost = c->tls ? socket_trust(loop, ca) : loop->plain;
	if (c->vhost == NULL) {
		char text[200];

		snprintf(text, sizeof(text), "no certificates to trust in '%s'",
		    *ca ? ca : "the system's files");
		socket_over(s, SOCKET_TLS, 0, slice(text));
		return s;
	}
	resolve(s);
	return s;
}

/* ---- how an attempt ends ---- */

/* What a refusal says to a person: a JSON body's own words, or the first line. */
static void
refusal_text(const struct buf *body, struct buf *out)
{
	static const char *const names[] = {"error", "message", "reason"};
	struct slice text = slice_trim(buf_slice(body)), line;

	if (json_check(text, NULL) == 0 && json_type(text) == JSON_OBJECT)
		for (size_t i = 0; i < 3; i++)
			if (json_get_text(text, names[i], out) && out->len > 0)
				return;
	buf_reset(out);
	if (slice_line(&text, &line))
		buf_addslice(out, line);
}

static void
refused(struct socket *s)
{
	struct buf text = {0};
	int status = s->client->status;

	refusal_text(&s->client->body, &text);
	socket_over(s, SOCKET_REFUSED, 0, buf_slice(&text));
	s->end->status = status;
	buf_free(&text);
}

/* As it does where one side speaks TLS and the other does not. */
static void
mismatched(struct socket *s, enum socket_fault fault, const char *text)
{
	socket_over(s, fault, 0, slice(text));
	s->end->mismatch = true;
}

static void
no_tls(struct socket *s, struct slice why)
{
	unsigned long error = ERR_peek_last_error();
	const char *reason = error ? ERR_reason_error_string(error) : NULL;
	char text[200];

	if (s->client->untrusted != 0) {
		snprintf(text, sizeof(text), "the certificate of '%.100s' is not good: %s",
		    s->client->host, X509_verify_cert_error_string(s->client->untrusted));
		socket_over(s, SOCKET_TLS, 0, slice(text));
	} else if (slice_starts(why, "connect SYSCALL") ||
	    ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
		mismatched(s, SOCKET_CONNECT, "the connection ended in the TLS handshake");
	} else {
		snprintf(text, sizeof(text), "no secure connection to '%.100s': %s",
		    s->client->host, reason ? reason : "the handshake failed");
		mismatched(s, SOCKET_TLS, text);
	}
}

static void
failed(struct socket *s, struct slice why)
{
	struct socket_client *c = s->client;

	if (c->status != 0)
		refused(s);
	else if (!c->reached)
		unreachable(s);
	else if (c->tls && !c->asked)
		no_tls(s, why);
	else if (slice_starts(why, "HS: ") || slice_starts(why, "problems"))
		socket_over(s, SOCKET_GARBAGE, 0, S("the answer is no WebSocket upgrade"));
	else if (c->tls)
		socket_over(s, SOCKET_CONNECT, 0, S("the connection ended before the upgrade"));
	else
		mismatched(s, SOCKET_CONNECT, "the connection ended before the upgrade");
}

/* Reads what the server says with its refusal: all of it, or what came in time. */
static void
read_refusal(struct socket *s, struct lws *wsi)
{
	char bytes[BODY_MAX], text[20] = "";
	struct pollfd p = {.fd = lws_get_socket_fd(wsi), .events = POLLIN};
	bool given = lws_hdr_copy(wsi, text, sizeof(text), WSI_TOKEN_HTTP_CONTENT_LENGTH) > 0;
	int left = BODY_WAIT;

	if (given && strcmp(text, "0") == 0)
		return;
	for (;;) {
		char *at = bytes;
		int n = sizeof(bytes);
		size_t had = s->client->body.len;
		int64_t before = time_ms();

		if (lws_http_client_read(wsi, &at, &n) != 0)
			return; /* at its end, or as much as we want */
		if (s->client->body.len > had)
			continue;
		if (left <= 0 || poll(&p, 1, left) <= 0)
			return;
		left -= (int)(time_ms() - before) + 1;
	}
}

int
socket_client_event(struct socket *s, struct lws *wsi, enum lws_callback_reasons why, void *user,
    void *in, size_t len)
{
	struct socket_client *c = s->client;

	switch (why) {
	case LWS_CALLBACK_WSI_CREATE:
		c->reached = true;
		return 0;
	case LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION:
		if (len == 0) /* not what OpenSSL would accept; that is decided there */
			c->untrusted = X509_STORE_CTX_get_error(user);
		return 0;
	case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
		if (c->headers.len >= len)
			return -1;
		memcpy(*(char **)in, c->headers.ptr, c->headers.len);
		*(char **)in += c->headers.len;
		c->asked = true;
		return 0;
	case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
		if (lws_http_client_http_response(wsi) == 101)
			return 0;
		c->status = (int)lws_http_client_http_response(wsi);
		read_refusal(s, wsi);
		return -1;
	case LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ:
		if (len > BODY_MAX - c->body.len)
			len = BODY_MAX - c->body.len;
		buf_add(&c->body, in, len);
		return c->body.len >= BODY_MAX ? -1 : 0;
	case LWS_CALLBACK_COMPLETED_CLIENT_HTTP:
		return -1;
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
	case LWS_CALLBACK_CLIENT_CLOSED:
		if (!c->calling)
			failed(s, (struct slice){in ? in : "", in ? len : 0});
		return 0;
	default:
		return 0;
	}
}
