/*
 * socket_peer: a server and clients of common/socket in one loop, what happens
 * to them written down, and a raw TCP client that says any bytes.
 */
#ifndef SOCKET_PEER_H
#define SOCKET_PEER_H

#include "common/mem.h"
#include "common/socket.h"
#include "common/time.h"
#include "tests/unit/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE = 30000 }; /* ms, for what must come */

/* One end of a connection. */
struct peer {
	struct socket *socket; /* NULL: over */
	int opened, closed, drained;
	struct socket_end end;
	size_t messages;
	bool binary;
	struct buf last;
	void (*got)(struct peer *, struct slice, bool binary);
	void *own;
};

static struct sockets *loop;
static struct err e;
static struct peer served[512]; /* the server's ends, in the order of their upgrades */
static size_t nserved;
static void (*serve)(struct peer *, struct slice, bool binary); /* what the server does */
static int (*door)(struct socket_ask *);			/* who comes in */
static void (*page)(struct socket_ask *);			/* plain requests */

static void
peer_opened(struct socket *s, void *state)
{
	struct peer *p = state;

	p->socket = s;
	p->opened++;
}

static void
peer_message(struct socket *s, struct slice text, bool binary, void *state)
{
	struct peer *p = state;

	CHECK(p->socket == s);
	p->messages++;
	p->binary = binary;
	if (p->got) {
		p->got(p, text, binary);
		return;
	}
	buf_reset(&p->last);
	buf_addslice(&p->last, text);
}

static void
peer_drained(struct socket *s, void *state)
{
	(void)s;
	((struct peer *)state)->drained++;
}

static void
peer_closed(struct socket *s, const struct socket_end *end, void *state)
{
	struct peer *p = state;

	(void)s;
	p->socket = NULL;
	p->end = *end;
	p->closed++;
}

static const struct socket_events peer_events = {
    peer_opened, peer_message, peer_drained, peer_closed};

static int
accept_peer(struct socket_ask *ask, void **conn, void *state)
{
	struct peer *p = &served[nserved];

	(void)state;
	if (door && door(ask) < 0)
		return -1;
	buf_free(&p->last);
	*p = (struct peer){.got = serve};
	nserved++;
	*conn = p;
	return 0;
}

static void
answer_page(struct socket_ask *ask, void *state)
{
	(void)state;
	if (page)
		page(ask);
}

static int
listen_with(struct socket_server set)
{
	set.host = set.host ? set.host : "127.0.0.1";
	set.events = &peer_events;
	set.accept = accept_peer;
	set.request = answer_page;
	return socket_listen(loop, &set, &e);
}

/* What the user's environment says of proxies and certificates does not count. */
static inline void
set_environment(void)
{
	static const char *const foreign[] = {"http_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"};

	for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++)
		unsetenv(foreign[i]);
	setenv("http_proxy", "http://127.0.0.1:1", 1); /* is not asked */
}

/* A fresh loop with one listener. */
static void
start(struct socket_server set)
{
	nserved = 0;
	serve = NULL;
	door = NULL;
	page = NULL;
	loop = sockets_open(&e);
	CHECK(loop != NULL);
	CHECK(listen_with(set) == 0);
}

static void
stop(void)
{
	sockets_close(loop);
	loop = NULL;
	for (size_t i = 0; i < nserved; i++)
		buf_free(&served[i].last);
}

/* Turns until the condition holds, or patience ends. */
#define UNTIL(condition) \
	do { \
		int64_t end_ = time_ms() + PATIENCE; \
		while (!(condition) && time_ms() < end_) \
			sockets_wait(loop, 50); \
		CHECK(condition); \
	} while (0)

static inline void
turn_for(int64_t ms)
{
	int64_t end = time_ms() + ms;

	while (time_ms() < end)
		sockets_wait(loop, end - time_ms());
}

static inline const char *
address(const char *path)
{
	static char text[256];

	snprintf(text, sizeof(text), "ws://127.0.0.1:%d%s", sockets_port(loop), path);
	return text;
}

static inline struct socket *
dial(struct peer *p, struct socket_request r)
{
	r.url = r.url ? r.url : address("/");
	r.events = &peer_events;
	r.state = p;
	p->socket = socket_connect(loop, &r, &e);
	return p->socket;
}

/* A client that is open, and its other end. client: zeroed or used before. */
static inline struct peer *
pair(struct peer *client)
{
	size_t n = nserved;

	buf_free(&client->last);
	*client = (struct peer){0};
	CHECK(dial(client, (struct socket_request){0}) != NULL);
	UNTIL(client->opened && nserved > n && served[n].opened);
	return &served[n];
}

/* As serve: what comes goes back. */
static inline void
echo(struct peer *p, struct slice text, bool binary)
{
	buf_reset(&p->last);
	buf_addslice(&p->last, text);
	socket_say(p->socket, text, binary);
}

/* ---- raw ---- */

static inline int
raw_connect(int receive_buffer)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)sockets_port(loop)),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (receive_buffer)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
	CHECK(connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static inline void
raw_send(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;
	int64_t end = time_ms() + PATIENCE;

	while (len > 0 && time_ms() < end) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			return;
		at += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
		sockets_wait(loop, n > 0 ? 0 : 10);
	}
}

#define SEND(fd, literal) raw_send(fd, literal, sizeof(literal) - 1)

/* Reads until there are len bytes (0: to the end); false: the end came before. */
static inline bool
raw_read(int fd, struct buf *in, size_t len)
{
	int64_t end = time_ms() + PATIENCE;

	while ((len == 0 || in->len < len) && time_ms() < end) {
		size_t want = len ? len - in->len : 4096;
		ssize_t n = recv(fd, buf_room(in, want), want, 0);

		if (n == 0 || (n < 0 && errno != EAGAIN))
			return false;
		in->len += n > 0 ? (size_t)n : 0;
		if (n < 0)
			sockets_wait(loop, 5);
	}
	return in->len >= len;
}

/* Its headers in out. */
static inline int
raw_upgrade(struct buf *out, int receive_buffer)
{
	static const char ask[] =
	    "GET /raw?apikey=k HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
	    "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	    "Sec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";
	int fd = raw_connect(receive_buffer);

	raw_send(fd, ask, strlen(ask));
	buf_reset(out);
	while (out->len < 4 || memcmp(out->ptr + out->len - 4, "\r\n\r\n", 4) != 0)
		if (!raw_read(fd, out, out->len + 1))
			break;
	buf_room(out, 1)[0] = '\0';
	return fd;
}

static uint64_t seed = 88172645463325252;

static inline uint32_t
rnd(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % below;
}

/* A masked frame. */
static inline void
put_masked(struct buf *out, unsigned first, struct slice text)
{
	unsigned char mask[4];

	buf_addc(out, (char)first);
	if (text.len < 126) {
		buf_addc(out, (char)(0x80 | text.len));
	} else if (text.len < 65536) {
		buf_addc(out, (char)0xfe);
		buf_addc(out, (char)(text.len >> 8));
		buf_addc(out, (char)text.len);
	} else {
		buf_addc(out, (char)0xff);
		for (int shift = 56; shift >= 0; shift -= 8)
			buf_addc(out, (char)(text.len >> shift));
	}
	for (int i = 0; i < 4; i++) {
		mask[i] = (unsigned char)rnd(256);
		buf_addc(out, (char)mask[i]);
	}
	for (size_t i = 0; i < text.len; i++)
		buf_addc(out, (char)((unsigned char)text.ptr[i] ^ mask[i % 4]));
}

#endif
