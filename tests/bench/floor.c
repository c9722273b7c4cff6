/*
 * floor PORT: the least that a hub over WebSockets can do: it forwards the bytes of
 * each frame to everybody else, and knows no topics, keys or limits. tests/bench/collab
 * measures hubs against it.
 */
#include "fanout.h"

#include <arpa/inet.h>
#include <sys/epoll.h>

struct peer {
	int fd;
	bool open;
	char in[READ];
	size_t len;
	char *out;
	size_t held, cap, sent;
	struct peer *next;
};

static struct peer *peers;

static void
queue(struct peer *p, const char *bytes, size_t n)
{
	if (p->held + n > p->cap) {
		p->cap = (p->held + n) * 2;
		p->out = realloc(p->out, p->cap);
		if (p->out == NULL)
			fail("memory");
	}
	memcpy(p->out + p->held, bytes, n);
	p->held += n;
}

static void
flush_peer(struct peer *p)
{
	while (p->sent < p->held) {
		ssize_t n = send(p->fd, p->out + p->sent, p->held - p->sent, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		p->sent += (size_t)n;
	}
	p->held = p->sent = 0;
}

/* Forwards each whole frame that p sent to all others. */
static void
forward(struct peer *p)
{
	static char out[READ];
	size_t at = 0;

	while (p->len - at >= 6) {
		size_t n = (unsigned char)p->in[at + 1] & 0x7f, head = 6, len;

		if (n == 126) {
			head = 8;
			if (p->len - at < head)
				break;
			n = (size_t)(unsigned char)p->in[at + 2] << 8 | (unsigned char)p->in[at + 3];
		}
		if (p->len - at < head + n)
			break;
		len = frame(out, p->in + at + head, n, p->in[at] & 15, false);
		for (struct peer *q = peers; q; q = q->next)
			if (q != p && q->open)
				queue(q, out, len);
		at += head + n;
	}
	memmove(p->in, p->in + at, p->len - at);
	p->len -= at;
}

static bool
peer_read(struct peer *p)
{
	static const char hello[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
				    "Connection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n";
	ssize_t n = recv(p->fd, p->in + p->len, sizeof(p->in) - p->len, 0);
	char *end;

	if (n == 0 || (n < 0 && errno != EAGAIN))
		return false;
	p->len += n > 0 ? (size_t)n : 0;
	if (!p->open) {
		end = memmem(p->in, p->len, "\r\n\r\n", 4);
		if (end == NULL)
			return true;
		p->len -= (size_t)(end + 4 - p->in);
		memmove(p->in, end + 4, p->len);
		p->open = true;
		queue(p, hello, sizeof(hello) - 1);
	}
	forward(p);
	return true;
}

static int
listen_at(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 4096) < 0)
		fail("listen");
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void
drop_peer(struct peer *p)
{
	struct peer **at = &peers;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	close(p->fd);
	free(p->out);
	free(p);
}

static void
hub(int port)
{
	int fd = listen_at(port), poll = epoll_create1(0), n;
	struct epoll_event e = {.events = EPOLLIN}, events[1024];

	epoll_ctl(poll, EPOLL_CTL_ADD, fd, &e);
	for (;;) {
		n = epoll_wait(poll, events, 1024, -1);
		for (int i = 0; i < n; i++) {
			struct peer *p = events[i].data.ptr;

			if (p != NULL) {
				if ((events[i].events & EPOLLIN) && !peer_read(p))
					drop_peer(p);
				continue;
			}
			for (int new; (new = accept(fd, NULL, NULL)) >= 0;) {
				p = take(sizeof(*p));
				p->fd = new;
				p->next = peers;
				peers = p;
				quick(new);
				e = (struct epoll_event){.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = p};
				epoll_ctl(poll, EPOLL_CTL_ADD, new, &e);
			}
		}
		for (struct peer *p = peers; p; p = p->next)
			if (p->held)
				flush_peer(p);
	}
}

int
main(int argc, char **argv)
{
	raise_limit();
	if (argc == 2)
		hub(atoi(argv[1]));
	fprintf(stderr, "usage: floor PORT\n");
	return 2;
}
