/*
 * socket: a server hears any bytes, before its upgrade or after it, in two
 * pieces. Who was let in is told of once, in order, and no message is larger than allowed. The
 * first byte: 'w' after an upgrade, else from the start; the second: where it is cut.
 */
#include "common/socket.h"
#include "common/time.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 1000 };

static struct sockets *loop;
static int accepted, opened, closed, asked;

static void
must(bool yes)
{
	if (!yes)
		abort();
}

static void
on_opened(struct socket *s, void *state)
{
	(void)s;
	must(state == &loop && ++opened == accepted);
}

static void
on_message(struct socket *s, struct slice text, bool binary, void *state)
{
	(void)state;
	must(text.len <= MOST && opened > closed);
	socket_say(s, text, binary);
}

static void
on_closed(struct socket *s, const struct socket_end *end, void *state)
{
	(void)s;
	(void)state;
	must(++closed <= accepted && utf8_valid(end->text, strlen(end->text)) == strlen(end->text));
}

static int
on_accept(struct socket_ask *ask, void **conn, void *state)
{
	struct buf key = {0};

	(void)state;
	*conn = &loop;
	if (socket_ask_arg(ask, "refuse", &key)) {
		socket_answer(ask, 401, NULL, buf_slice(&key), NULL);
		buf_free(&key);
		return -1;
	}
	accepted++;
	return 0;
}

static void
on_request(struct socket_ask *ask, void *state)
{
	static const char *const names[] = {"host", "origin", "authorization", "apikey",
	    "x-api-key", "content-type", "user-agent", "x-forwarded-for"};
	struct slice path = socket_ask_path(ask), body = socket_ask_body(ask);
	struct buf all = {0};

	(void)state;
	asked++;
	must(path.len > 0 && path.ptr[0] == '/' && body.len <= MOST);
	socket_ask_arg(ask, "a", &all);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		buf_addslice(&all, socket_ask_header(ask, names[i]));
	buf_addslice(&all, path);
	buf_addslice(&all, body);
	socket_answer(ask, 200, NULL, buf_slice(&all), NULL);
	buf_free(&all);
}

static void
start(void)
{
	static const struct socket_events events = {on_opened, on_message, NULL, on_closed};
	struct socket_server server = {.host = "127.0.0.1", .max_message = MOST, .max_body = MOST,
	    .handshake_ms = 200, .events = &events, .accept = on_accept, .request = on_request};
	struct err e;

	loop = sockets_open(&e);
	must(loop != NULL && socket_listen(loop, &server, &e) == 0);
}

static int
dial(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)sockets_port(loop)),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct linger none = {.l_onoff = 1}; /* or ports run out */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	/* libFuzzer's alarm interrupts it, and it goes on. */
	while ((rc = connect(fd, (struct sockaddr *)&a, sizeof(a))) != 0 &&
	    (errno == EINTR || errno == EALREADY))
		continue;
	must(fd >= 0 && (rc == 0 || errno == EISCONN));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

/* Whether the other end has ended. */
static bool
drain(int fd)
{
	char bytes[4096];
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		continue;
	return n == 0 || errno != EAGAIN;
}

static void
say(int fd, const void *bytes, size_t len)
{
	if (len > 0 && send(fd, bytes, len, MSG_NOSIGNAL) > 0)
		sockets_wait(loop, 0);
	sockets_wait(loop, 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char upgrade[] =
	    "GET /raw?apikey=k HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
	size_t cut;
	int64_t end;
	int fd;

	if (size < 2 || size > 20000)
		return 0;
	if (loop == NULL)
		start();
	accepted = opened = closed = asked = 0;
	fd = dial();
	cut = data[1] < size - 2 ? data[1] : size - 2;
	if (data[0] == 'w') {
		say(fd, upgrade, sizeof(upgrade) - 1);
		must(opened == 1);
	}
	say(fd, data + 2, cut);
	say(fd, data + 2 + cut, size - 2 - cut);
	shutdown(fd, SHUT_WR);
	end = time_ms() + 1000;
	while ((!drain(fd) || closed < accepted) && time_ms() < end)
		sockets_wait(loop, 20);
	must(closed == accepted && asked + accepted <= 1);
	close(fd);
	sockets_wait(loop, 0);
	return 0;
}
