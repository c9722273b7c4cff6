/*
 * The life of a WebSocket connection: what arrives on it, how it ends, and the
 * deadlines of all that opens, closes or is silent.
 */
#include "common/socket_part.h"

#include "common/mem.h"
#include "common/time.h"

#include <errno.h>
#include <netinet/tcp.h>

struct socket *
socket_new(struct sockets *loop, const struct socket_events *events, void *caller)
{
	struct socket *s = xcalloc(1, sizeof(*s));

	s->role.kind = SOCKET_KIND_CONNECTION;
	s->loop = loop;
	s->events = events;
	s->caller = caller;
	s->due = INT64_MAX;
	s->fd = -1;
	socket_queue_start(s);
	lws_dll2_add_tail(&s->all, &loop->all);
	return s;
}

/* What has come of a message that has not ended. */
static void
forget_message(struct socket *s)
{
	s->loop->begun -= s->in.len;
	buf_free(&s->in);
}

void
socket_release(struct socket *s)
{
	socket_drop_queue(s);
	socket_client_free(s);
	lws_dll2_remove(&s->all);
	lws_dll2_remove(&s->dirty);
	lws_dll2_remove(&s->over);
	forget_message(s);
	free(s->end);
	free(s);
}

static struct socket_end *
end_of(enum socket_fault fault, int code, struct slice text)
{
	struct socket_end *end = xcalloc(1, sizeof(*end));
	size_t n = text.len < sizeof(end->text) ? text.len : sizeof(end->text) - 1;

	end->fault = fault;
	end->code = code;
	if (n > 0)
		memcpy(end->text, text.ptr, n);
	if (n < text.len) /* no half character */
		n = utf8_valid(end->text, n);
	end->text[utf8_visible(end->text, n)] = '\0';
	return end;
}

/* What stands is counted until its end is known, not until its last byte. */
static void
uncount(struct socket *s)
{
	if (s->listener)
		s->listener->open--;
	if (s->state != SOCKET_OPENING)
		s->loop->counts.open--;
}

void
socket_over(struct socket *s, enum socket_fault fault, int code, struct slice text)
{
	if (s->state == SOCKET_OVER)
		return;
	if (s->state != SOCKET_CLOSING)
		s->end = end_of(fault, code, text);
	uncount(s);
	s->state = SOCKET_OVER;
	socket_drop_queue(s);
	forget_message(s);
	socket_client_free(s);
	lws_dll2_add_tail(&s->over, &s->loop->over);
	s->due = s->wsi ? s->loop->now + SOCKET_LINGER : INT64_MAX;
	socket_alarm(s->loop, s->due);
}

void
socket_expel(struct socket *s, enum socket_fault fault, int code, struct slice text)
{
	bool open = s->state == SOCKET_OPEN;

	s->loop->now = time_ms();
	if (s->wsi && !open && s->state != SOCKET_OVER)
		socket_kill(s->wsi);
	socket_over(s, fault, code, text);
	if (open && s->wsi && !s->mute)
		socket_queue_close(s, code, text);
}

void
socket_close(struct socket *s, int code, const char *reason)
{
	if (s->state == SOCKET_OPENING) {
		socket_expel(s, SOCKET_CLOSED, code, slice(reason));
	} else if (s->state == SOCKET_OPEN) {
		s->end = end_of(SOCKET_CLOSED, code, slice(reason));
		s->state = SOCKET_CLOSING;
		s->loop->now = time_ms();
		s->due = s->loop->now + SOCKET_LINGER;
		socket_alarm(s->loop, s->due);
		socket_queue_close(s, code, slice(reason));
	}
}

void
socket_cut(struct socket *s)
{
	if (s->wsi)
		socket_kill(s->wsi);
	s->mute = true;
	socket_over(s, SOCKET_CUT, 0, S("cut here"));
}

void
socket_drop(struct socket *s, const char *reason)
{
	if (s->state == SOCKET_OPEN || s->state == SOCKET_CLOSING)
		socket_expel(s, SOCKET_CROWDED, 1013, slice(reason));
}

void
socket_kill(struct lws *wsi)
{
	lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

void
socket_gone(struct socket *s)
{
	s->wsi = NULL;
	socket_over(s, SOCKET_CUT, 0, S("the connection broke"));
	if (s->told)
		socket_release(s);
}

void
socket_tell(struct sockets *loop)
{
	struct lws_dll2 *d;

	while ((d = lws_dll2_get_head(&loop->over))) {
		struct socket *s = lws_container_of(d, struct socket, over);

		lws_dll2_remove(&s->over);
		s->told = true;
		if (!loop->closing) {
			loop->told++;
			s->events->closed(s, s->end, s->caller);
		}
		if (s->wsi == NULL)
			socket_release(s);
	}
}

/* ---- deadlines ---- */

static int64_t
due_of(const struct socket *s)
{
	if (s->state == SOCKET_OPEN && s->listener)
		return s->heard + s->listener->set.idle_ms;
	return s->due;
}

/* Pings are answered by lws without our knowing: the kernel knows when something came. */
static int64_t
heard_by_kernel(const struct socket *s)
{
	struct tcp_info info;
	socklen_t n = sizeof(info);

	if (getsockopt(lws_get_socket_fd(s->wsi), IPPROTO_TCP, TCP_INFO, &info, &n) < 0)
		return s->heard;
	return s->loop->now - (int64_t)info.tcpi_last_data_recv;
}

static void
late(struct socket *s)
{
	int64_t heard;

	switch ((enum socket_state)s->state) {
	case SOCKET_OPENING:
		if (s->client)
			socket_client_late(s);
		return;
	case SOCKET_OPEN:
		heard = heard_by_kernel(s);
		if (heard > s->heard) {
			s->heard = heard;
			if (due_of(s) > s->loop->now)
				return;
		}
		socket_expel(s, SOCKET_TIMEOUT, 1000, S("silent for too long"));
		return;
	case SOCKET_CLOSING:
	case SOCKET_OVER:
		if (s->wsi)
			socket_kill(s->wsi);
		s->mute = true;
		socket_over(s, SOCKET_CUT, 0, S(""));
		s->due = INT64_MAX;
		return;
	}
}

void
socket_sweep(struct sockets *loop)
{
	int64_t next;

	loop->sweep = INT64_MAX;
	socket_listener_wake(loop);
	next = socket_ask_sweep(loop);
	lws_start_foreach_dll_safe(struct lws_dll2 *, d, after, lws_dll2_get_head(&loop->all))
	{
		struct socket *s = lws_container_of(d, struct socket, all);

		if (due_of(s) <= loop->now)
			late(s);
		if (due_of(s) < next)
			next = due_of(s);
	}
	lws_end_foreach_dll_safe(d, after);
	/* With thousands somebody is always about to be late: not at every turn. */
	if (next != INT64_MAX)
		socket_alarm(loop, next > loop->now + 10 ? next : loop->now + 10);
}

/* ---- what arrives ---- */

static void
opened(struct socket *s)
{
	s->state = SOCKET_OPEN;
	s->due = INT64_MAX;
	s->heard = s->loop->now;
	s->loop->counts.open++;
	socket_client_free(s);
	if (s->used > 0 && lws_dll2_is_detached(&s->dirty))
		lws_dll2_add_tail(&s->dirty, &s->loop->dirty);
	if (s->listener) {
		if (!lws_is_ssl(s->wsi))
			s->fd = lws_get_socket_fd(s->wsi);
		socket_alarm(s->loop, due_of(s));
	}
	s->loop->told++;
	s->events->opened(s, s->caller);
}

static void
message(struct socket *s, struct slice whole, bool binary)
{
	s->loop->counts.messages_in++;
	s->loop->told++;
	s->events->message(s, whole, binary, s->caller);
}

/* Each may be within its limit, and all together a thousand times that. One alone may be. */
void
socket_begun(struct sockets *loop, size_t len, size_t most)
{
	for (loop->begun += len; most > 0 && loop->begun > most;) {
		struct socket *largest = NULL;
		size_t n = 0, body = socket_ask_largest(loop, false);

		lws_start_foreach_dll(struct lws_dll2 *, d, lws_dll2_get_head(&loop->all))
		{
			struct socket *s = lws_container_of(d, struct socket, all);

			if (s->listener && s->in.len > n) {
				largest = s;
				n = s->in.len;
			}
		}
		lws_end_foreach_dll(d);
		if ((n > body ? n : body) >= loop->begun || n + body == 0)
			return;
		if (body > n)
			socket_ask_largest(loop, true);
		else
			socket_expel(largest, SOCKET_CROWDED, 1013,
			    S("too slow: no room for more of a message that does not end"));
	}
}

/* Bytes of a message: lws hands on what it has read, whatever frames it came in. */
static void
receive(struct socket *s, struct lws *wsi, const char *bytes, size_t len)
{
	size_t room = s->max_message - s->in.len;
	bool whole = lws_is_final_fragment(wsi) != 0;

	s->heard = s->loop->now;
	s->loop->counts.bytes_in += len;
	if (s->state == SOCKET_OVER)
		return;
	if (len > room || lws_remaining_packet_payload(wsi) > room - len) {
		socket_expel(s, SOCKET_TOO_LARGE, 1009, S("the message is too large"));
		return;
	}
	if (whole && !s->partial) {
		message(s, (struct slice){len ? bytes : "", len}, lws_frame_is_binary(wsi) != 0);
		return;
	}
	buf_add(&s->in, bytes ? bytes : "", len);
	s->partial = !whole;
	socket_begun(s->loop, len, s->listener && !whole ? s->listener->set.max_begun : 0);
	if (whole) {
		struct buf all = s->in;

		s->in = (struct buf){0};
		s->loop->begun -= all.len;
		message(s, buf_slice(&all), lws_frame_is_binary(wsi) != 0);
		buf_free(&all);
	}
}

/* lws answers it by itself, unless it is the answer to ours. */
static int
peer_closes(struct socket *s, const unsigned char *bytes, size_t len)
{
	int code = len >= 2 ? bytes[0] << 8 | bytes[1] : 0;

	s->mute = true;
	socket_over(s, SOCKET_CLOSED, code,
	    (struct slice){(const char *)bytes + 2, len >= 2 ? len - 2 : 0});
	return s->said ? -1 : 0;
}

/*
 * lws ends it, and nothing was said by either side: because of what the peer
 * sent, or because it is gone. As a server lws has its reason in a close
 * frame; as a client it has none, and then the connection is looked at.
 */
static void
lws_closes(struct socket *s, struct lws *wsi)
{
	const unsigned char *bytes;
	ssize_t got;
	char byte;
	int n;

	s->mute = true;
	if (s->state == SOCKET_OVER)
		return;
	n = lws_get_close_length(wsi);
	bytes = lws_get_close_payload(wsi);
	if (n >= 2)
		socket_over(s, SOCKET_GARBAGE, bytes[0] << 8 | bytes[1],
		    (struct slice){(const char *)bytes + 2, (size_t)n - 2});
	else if ((got = recv(lws_get_socket_fd(wsi), &byte, 1, MSG_PEEK | MSG_DONTWAIT)) > 0 ||
	    (got < 0 && errno == EAGAIN))
		socket_over(s, SOCKET_GARBAGE, 1002, S("no WebSocket frame"));
	else
		socket_over(s, SOCKET_CUT, 0, S("the connection broke"));
}

int
socket_event(struct socket *s, struct lws *wsi, enum lws_callback_reasons why, void *in,
    size_t len)
{
	switch (why) {
	case LWS_CALLBACK_ESTABLISHED:
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		if (s->state != SOCKET_OPENING)
			return -1;
		opened(s);
		return 0;
	case LWS_CALLBACK_RECEIVE:
	case LWS_CALLBACK_CLIENT_RECEIVE:
		receive(s, wsi, in, len);
		return 0;
	case LWS_CALLBACK_RECEIVE_PONG:
	case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
		s->heard = s->loop->now;
		return 0;
	case LWS_CALLBACK_SERVER_WRITEABLE:
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		socket_flush(s);
		return 0;
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		return peer_closes(s, in, len);
	case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
	case LWS_CALLBACK_WS_CLIENT_DROP_PROTOCOL:
	case LWS_CALLBACK_CLOSED:
	case LWS_CALLBACK_CLIENT_CLOSED:
		lws_closes(s, wsi);
		return 0;
	default:
		return 0;
	}
}

const char *
socket_code(enum socket_fault fault)
{
	static const char *const codes[] = {[SOCKET_CLOSED] = "closed",
	    [SOCKET_REFUSED] = "refused", [SOCKET_RESOLVE] = "unknown_host",
	    [SOCKET_CONNECT] = "cannot_connect", [SOCKET_TLS] = "bad_tls",
	    [SOCKET_TIMEOUT] = "timeout", [SOCKET_CUT] = "cut_off",
	    [SOCKET_TOO_LARGE] = "message_too_large", [SOCKET_SLOW] = "too_slow",
	    [SOCKET_CROWDED] = "too_slow", [SOCKET_GARBAGE] = "bad_frame"};

	return codes[fault];
}
