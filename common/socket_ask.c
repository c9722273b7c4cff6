/*
 * HTTP, as far as a server of WebSockets has it: connections before their
 * upgrade. Each asks once and is answered once (Connection: close).
 */
#include "common/socket_part.h"

#include "common/base64.h"
#include "common/mem.h"

#include <strings.h>

/* ---- its life ---- */

static void
forget_body(struct socket_ask *ask)
{
	ask->listener->loop->begun -= ask->body.len;
	buf_free(&ask->body);
}

static void
ask_free(struct socket_ask *ask)
{
	lws_dll2_remove(&ask->list);
	if (ask->gone)
		*ask->gone = true;
	buf_free(&ask->text);
	forget_body(ask);
	free(ask);
}

void
socket_ask_new(struct socket_listener *listener, int fd, const char *address)
{
	struct sockets *loop = listener->loop;
	struct socket_ask *ask = xcalloc(1, sizeof(*ask));
	bool gone = false;
	lws_adopt_desc_t adopt = {.vh = listener->vhost,
	    .type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP | LWS_ADOPT_ALLOW_SSL,
	    .fd.sockfd = fd,
	    .opaque = ask};
	struct lws *wsi;

	ask->role.kind = SOCKET_KIND_ASK;
	ask->listener = listener;
	ask->gone = &gone;
	snprintf(ask->address, sizeof(ask->address), "%s", address);
	ask->due = loop->now + listener->set.handshake_ms;
	lws_dll2_add_tail(&ask->list, &loop->asks);
	socket_alarm(loop, ask->due);
	wsi = lws_adopt_descriptor_vhost_via_info(&adopt);
	if (gone)
		return;
	ask->gone = NULL;
	ask->wsi = wsi;
	if (wsi == NULL)
		ask_free(ask);
}

/* Who asks and does not go on makes room for others, but not at once. */
bool
socket_ask_room(struct sockets *loop)
{
	struct socket_ask *oldest;

	if (loop->asks.count < SOCKET_ASKS)
		return true;
	oldest = lws_container_of(lws_dll2_get_head(&loop->asks), struct socket_ask, list);
	if (oldest->due > loop->now + oldest->listener->set.handshake_ms * 3 / 4)
		return false;
	lws_dll2_remove(&oldest->list);
	socket_kill(oldest->wsi);
	return true;
}

size_t
socket_ask_largest(struct sockets *loop, bool give_up)
{
	struct socket_ask *largest = NULL;
	size_t n = 0;

	lws_start_foreach_dll(struct lws_dll2 *, d, lws_dll2_get_head(&loop->asks))
	{
		struct socket_ask *ask = lws_container_of(d, struct socket_ask, list);

		if (ask->body.len > n) {
			largest = ask;
			n = ask->body.len;
		}
	}
	lws_end_foreach_dll(d);
	if (largest && give_up) {
		forget_body(largest);
		largest->owed = 503;
	}
	return n;
}

int64_t
socket_ask_sweep(struct sockets *loop)
{
	int64_t next = INT64_MAX;

	lws_start_foreach_dll_safe(struct lws_dll2 *, d, after, lws_dll2_get_head(&loop->asks))
	{
		struct socket_ask *ask = lws_container_of(d, struct socket_ask, list);

		if (ask->due > loop->now) {
			if (ask->due < next)
				next = ask->due;
		} else {
			lws_dll2_remove(&ask->list);
			socket_kill(ask->wsi);
		}
	}
	lws_end_foreach_dll_safe(d, after);
	return next;
}

struct slice
socket_ask_body(const struct socket_ask *ask)
{
	return buf_slice(&ask->body);
}

const char *
socket_ask_address(const struct socket_ask *ask)
{
	return ask->address;
}

/* ---- answering ---- */

static const char *
phrase(int status)
{
	static const struct {
		int status;
		const char *text;
	} phrases[] = {{200, "OK"}, {202, "Accepted"}, {204, "No Content"}, {400, "Bad Request"},
	    {401, "Unauthorized"}, {403, "Forbidden"}, {404, "Not Found"},
	    {405, "Method Not Allowed"}, {411, "Length Required"}, {413, "Content Too Large"},
	    {415, "Unsupported Media Type"}, {422, "Unprocessable Content"},
	    {426, "Upgrade Required"}, {429, "Too Many Requests"},
	    {500, "Internal Server Error"}, {503, "Service Unavailable"}};

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].text;
	return "Other"; /* may be anything, RFC 9112 section 4 */
}

/* In one write, so that a client finds the body where it finds the status. */
void
socket_answer(struct socket_ask *ask, int status, const char *type, struct slice body,
    const char *more)
{
	struct buf b = {0};

	if (ask->answered || ask->wsi == NULL)
		return;
	ask->answered = true;
	buf_room(&b, LWS_PRE);
	b.len = LWS_PRE;
	buf_addf(&b, "HTTP/1.1 %d %s\r\nConnection: close\r\n", status, phrase(status));
	if (status != 204)
		buf_addf(&b, "Content-Type: %s\r\nContent-Length: %zu\r\n",
		    type ? type : "application/json", body.len);
	buf_addf(&b, "%s\r\n", more ? more : "");
	if (status != 204 && strcmp(ask->method, "HEAD") != 0)
		buf_addslice(&b, body);
	lws_write(ask->wsi, (unsigned char *)b.ptr + LWS_PRE, b.len - LWS_PRE,
	    LWS_WRITE_HTTP_FINAL);
	buf_free(&b);
}

static int
answer_error(struct socket_ask *ask, int status, const char *body)
{
	socket_answer(ask, status, NULL, slice(body), NULL);
	return -1; /* lws sends what there is, and closes */
}

/* ---- upgrades ---- */

/* lws takes one of the names offered, and "phoenix" is all it has. */
static bool
names_phoenix(struct slice offered)
{
	while (offered.len > 0) {
		const char *comma = memchr(offered.ptr, ',', offered.len);
		size_t n = comma ? (size_t)(comma - offered.ptr) : offered.len;

		if (slice_is(slice_trim((struct slice){offered.ptr, n}), "phoenix"))
			return true;
		n += comma != NULL;
		offered.ptr += n;
		offered.len -= n;
	}
	return false;
}

/* RFC 6455 section 4.2.1: lws would agree to another version, and hang up without the key. */
static bool
has_key(struct lws *wsi)
{
	char text[25] = "";
	struct buf key = {0};
	bool good = lws_hdr_copy(wsi, text, sizeof(text), WSI_TOKEN_KEY) == 24 &&
	    base64_get(&key, slice(text)) && key.len == 16;

	buf_free(&key);
	return good;
}

static bool
is_version_13(struct lws *wsi)
{
	char text[4] = "";

	return lws_hdr_copy(wsi, text, sizeof(text), WSI_TOKEN_VERSION) == 2 &&
	    strcmp(text, "13") == 0;
}

static int
upgrade(struct socket_ask *ask, struct lws *wsi, const char *what)
{
	struct socket_listener *listener = ask->listener;
	struct slice protocol;
	struct socket *s;
	void *caller = NULL;

	socket_ask_read(ask, wsi);
	if (strcasecmp(what, "websocket") != 0)
		return answer_error(ask, 400, "{\"error\":\"no upgrade but to websocket\"}");
	if (!slice_is(socket_ask_method(ask), "GET"))
		return answer_error(ask, 405, "{\"error\":\"upgrades are asked for by GET\"}");
	if (!has_key(wsi))
		return answer_error(ask, 400, "{\"error\":\"no sec-websocket-key\"}");
	if (!is_version_13(wsi)) { /* section 4.4 */
		socket_answer(ask, 426, NULL, S("{\"error\":\"no websocket version but 13\"}"),
		    "Sec-WebSocket-Version: 13\r\n");
		return -1;
	}
	protocol = socket_ask_header(ask, "sec-websocket-protocol");
	if (protocol.ptr && !names_phoenix(protocol))
		return answer_error(ask, 400,
		    "{\"error\":\"unknown subprotocol: offer phoenix or none\"}");
	if (listener->loop->refusing)
		return answer_error(ask, 503, "{\"error\":\"the server is about to stop\"}");
	if (listener->open >= (size_t)listener->set.max_connections)
		return answer_error(ask, 503, "{\"error\":\"too many connections\"}");
	if (listener->set.accept(ask, &caller, listener->set.state) < 0 || ask->answered)
		return answer_error(ask, 403, "{\"error\":\"forbidden\"}");

	s = socket_new(listener->loop, listener->set.events, caller);
	s->wsi = wsi;
	s->listener = listener;
	s->max_message = listener->set.max_message;
	s->max_queue = listener->set.max_queue;
	s->due = ask->due;
	listener->open++;
	lws_set_opaque_user_data(wsi, s);
	ask_free(ask);
	return 0;
}

/* ---- plain requests ---- */

/* The announced length: 0 where there is none, -1 where it is no number. */
static long long
body_length(struct lws *wsi)
{
	char text[20] = "", *end;
	int n = lws_hdr_copy(wsi, text, sizeof(text), WSI_TOKEN_HTTP_CONTENT_LENGTH);

	if (n == 0)
		return 0;
	if (n < 0 || strspn(text, "0123456789") != strlen(text))
		return -1;
	return strtoll(text, &end, 10);
}

static int
serve(struct socket_ask *ask)
{
	if (ask->owed == 413)
		return answer_error(ask, 413, "{\"error\":\"the body is too large\"}");
	if (ask->owed)
		return answer_error(ask, ask->owed,
		    "{\"error\":\"too many large requests at once\"}");
	ask->listener->set.request(ask, ask->listener->set.state);
	return answer_error(ask, 404, "{\"error\":\"not found\"}");
}

static int
request(struct socket_ask *ask, struct lws *wsi)
{
	bool posts = lws_hdr_total_length(wsi, WSI_TOKEN_POST_URI) > 0;
	bool given = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) > 0;
	long long length = body_length(wsi);

	socket_ask_read(ask, wsi);
	if (length < 0)
		return answer_error(ask, 400, "{\"error\":\"bad content-length\"}");
	if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0 || (posts && !given))
		return answer_error(ask, 411, "{\"error\":\"a content-length is required\"}");
	/* What is too large is read to its end, or the answer would not be. */
	if ((size_t)length > ask->listener->set.max_body)
		ask->owed = 413;
	if (length > 0 || posts)
		return 0;
	return serve(ask);
}

int
socket_ask_event(struct socket_ask *ask, struct lws *wsi, enum lws_callback_reasons why, void *in,
    size_t len)
{
	ask->wsi = wsi;
	switch (why) {
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return upgrade(ask, wsi, in);
	case LWS_CALLBACK_HTTP:
		return request(ask, wsi);
	case LWS_CALLBACK_HTTP_BODY:
		if (ask->owed || len == 0)
			return 0;
		buf_add(&ask->body, in, len);
		socket_begun(ask->listener->loop, len, ask->listener->set.max_begun);
		return 0;
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		return serve(ask);
	case LWS_CALLBACK_RAW_ADOPT:
	case LWS_CALLBACK_RAW_RX:
		return -1;
	case LWS_CALLBACK_WSI_DESTROY:
		ask_free(ask);
		return 0;
	default:
		return 0;
	}
}
