/*
 * socket's client against servers that are written here, byte by byte: several
 * addresses of one name, attempts that fail at once, closes that nobody answers.
 */
#include "tests/unit/socket_peer.h"

#include "common/base64.h"

#include <dlfcn.h>
#include <netdb.h>
#include <openssl/sha.h>
#include <signal.h>
#include <sys/wait.h>

static struct buf in;

/* two.test has the two addresses that are set here, in this order. */
static const char *two[2];

int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
    struct addrinfo **list)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	struct addrinfo **tail = list;
	int rc = 0;

	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	if (name == NULL || strcmp(name, "two.test") != 0)
		return real(name, service, hints, list);
	for (size_t i = 0; i < 2 && rc == 0; i++) {
		rc = real(two[i], service, hints, tail);
		while (rc == 0 && *tail)
			tail = &(*tail)->ai_next;
	}
	return rc;
}

/* ---- a server of bytes ---- */

static int
listen_raw(int *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	CHECK(bind(fd, (struct sockaddr *)&a, n) == 0 && listen(fd, 5) == 0);
	getsockname(fd, (struct sockaddr *)&a, &n);
	*port = ntohs(a.sin_port);
	return fd;
}

/* The client's request is in `in`. */
static int
accept_raw(int listener)
{
	int64_t end = time_ms() + PATIENCE;
	int fd = -1;

	while (fd < 0 && time_ms() < end) {
		sockets_wait(loop, 5);
		fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	}
	buf_reset(&in);
	while (!slice_ends(buf_slice(&in), "\r\n\r\n") && raw_read(fd, &in, in.len + 1))
		continue;
	return fd;
}

/* A client that is open, and the server's end of it. */
static int
open_raw(struct peer *c)
{
	static const char name[] = "sec-websocket-key: ";
	int port, listener = listen_raw(&port), fd;
	unsigned char sum[SHA_DIGEST_LENGTH];
	struct buf text = {0}, reply = {0};
	char url[64];
	char *key;

	snprintf(url, sizeof(url), "ws://127.0.0.1:%d/", port);
	*c = (struct peer){0};
	dial(c, (struct socket_request){.url = url});
	fd = accept_raw(listener);
	close(listener);
	key = strcasestr(in.ptr, name);
	CHECK(key != NULL);
	if (key) {
		key += strlen(name);
		buf_add(&text, key, strcspn(key, "\r"));
	}
	buf_adds(&text, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"); /* RFC 6455 section 1.3 */
	SHA1((const unsigned char *)text.ptr, text.len, sum);
	buf_adds(&reply, "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
			 "Sec-WebSocket-Accept: ");
	base64_put(&reply, (struct slice){(char *)sum, sizeof(sum)});
	buf_adds(&reply, "\r\n\r\n");
	raw_send(fd, reply.ptr, reply.len);
	UNTIL(c->opened);
	buf_free(&text);
	buf_free(&reply);
	return fd;
}

/* ---- attempts ---- */

/* An address to which the kernel does not even try is as one where nobody answers. */
static void
test_at_once(void)
{
	static const char *const urls[] = {
	    "ws://255.255.255.255:1/", "wss://255.255.255.255:1/", "ws://two.test:1/"};
	char url[64];
	struct peer c;

	start((struct socket_server){0});
	two[0] = two[1] = "255.255.255.255";
	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		c = (struct peer){0};
		CHECK(dial(&c, (struct socket_request){.url = urls[i]}) != NULL && c.closed == 0);
		UNTIL(c.closed);
		CHECK(c.closed == 1 && c.opened == 0 && c.end.fault == SOCKET_CONNECT);
		CHECK(strncmp(c.end.text, "nobody answers at '", 19) == 0);
	}
	/* And the next one is tried. */
	two[1] = "127.0.0.1";
	snprintf(url, sizeof(url), "ws://two.test:%d/", sockets_port(loop));
	c = (struct peer){0};
	dial(&c, (struct socket_request){.url = url});
	UNTIL(c.opened || c.closed);
	CHECK(c.opened == 1);
	stop();
	CHECK(c.closed == 0);
}

/* Who has answered the call is given all the time there is, though there were others to try. */
static void
test_patience(void)
{
	static const char says[] = "HTTP/1.1 401 No\r\nContent-Length: 15\r\n\r\n"
				   "{\"error\":\"why\"}";
	struct peer c = {0};
	char url[64];
	int port, listener = listen_raw(&port), fd;
	int64_t began;

	start((struct socket_server){0});
	two[0] = two[1] = "127.0.0.1";
	snprintf(url, sizeof(url), "ws://two.test:%d/", port);
	dial(&c, (struct socket_request){.url = url});
	fd = accept_raw(listener);
	began = time_ms();
	while (time_ms() < began + 2700)
		sockets_wait(loop, began + 2700 - time_ms());
	CHECK(c.closed == 0);
	raw_send(fd, says, strlen(says));
	UNTIL(c.closed);
	CHECK(c.end.fault == SOCKET_REFUSED && c.end.status == 401);
	CHECK_TEXT(c.end.text, "why");
	close(fd);
	close(listener);
	stop();
}

/* ---- closing ---- */

/* A close that is not answered is over after 5 s, on both sides; a cut does not wait. */
static void
test_unanswered(void)
{
	struct peer c, d;
	int client, server, gone;
	int64_t began;

	start((struct socket_server){0});
	server = open_raw(&c);
	gone = open_raw(&d);
	client = raw_upgrade(&in, 0);
	began = time_ms();
	socket_close(c.socket, 4000, "bye");
	socket_close(d.socket, 4001, "bye");
	socket_close(served[0].socket, 4002, "bye");
	socket_say(c.socket, S("not after it"), false);
	turn_for(50);
	close(gone);
	UNTIL(d.closed);
	CHECK(c.closed == 0 && d.end.fault == SOCKET_CLOSED && d.end.code == 4001);
	UNTIL(c.closed && served[0].closed);
	CHECK(time_ms() - began >= 4990 && c.closed == 1 && served[0].closed == 1);
	CHECK(c.end.fault == SOCKET_CLOSED && c.end.code == 4000);
	CHECK(served[0].end.fault == SOCKET_CLOSED && served[0].end.code == 4002);
	/* The connection itself is gone with it. */
	buf_reset(&in);
	CHECK(!raw_read(server, &in, 0) && in.len == 2 + 4 + 5);
	CHECK((unsigned char)in.ptr[0] == 0x88 && (unsigned char)in.ptr[1] == (0x80 | 5));
	for (int i = 0; i < 5; i++)
		in.ptr[6 + i] = (char)(in.ptr[6 + i] ^ in.ptr[2 + i % 4]);
	CHECK(memcmp(in.ptr + 6, "\x0f\xa0" "bye", 5) == 0);
	close(server);
	buf_reset(&in);
	CHECK(!raw_read(client, &in, 0) && in.len == 2 + 5);
	close(client);
	stop();
}

int
main(void)
{
	test_at_once();
	test_patience();
	test_unanswered();
	buf_free(&in);
	return check_done();
}
