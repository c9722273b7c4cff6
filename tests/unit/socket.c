/*
 * socket's clients and server against each other in one loop: echoes, frames for many,
 * closing, watches. What they put on the wire is tested in socket_wire.
 */
#include "tests/unit/socket_peer.h"

static void
test_echo(void)
{
	static const size_t sizes[] = {
	    0, 1, 125, 126, 127, 65531, 65532, 65533, 65535, 65536, 131064, 131065, 1000000};
	char *text = xmalloc(1000000);
	struct peer c = {0}, *s;
	size_t done = 0;

	for (size_t i = 0; i < 1000000; i++)
		text[i] = (char)(i * 7 + i / 251);
	start((struct socket_server){.max_queue = 4 << 20});
	serve = echo;
	s = pair(&c);
	CHECK(sockets_counts(loop)->open == 2);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (int binary = 0; binary < 2; binary++) {
			socket_say(c.socket, (struct slice){text, sizes[i]}, binary != 0);
			CHECK(socket_queued(c.socket) > sizes[i]);
			done++;
			UNTIL(c.messages == done);
			CHECK(c.binary == (binary != 0) && s->binary == c.binary);
			CHECK(slice_eq(buf_slice(&c.last), (struct slice){text, sizes[i]}));
		}
	UNTIL(socket_queued(c.socket) == 0 && c.drained > 0 && s->drained > 0);
	/* Many at once, in order, through queues that grow. */
	for (uint32_t i = 0; i < 5000; i++)
		socket_say(c.socket, (struct slice){(char *)&i, sizeof(i)}, true);
	UNTIL(c.messages == done + 5000);
	CHECK(memcmp(c.last.ptr, &(uint32_t){4999}, 4) == 0);
	stop(); /* with both open */
	CHECK(c.closed == 0);
	buf_free(&c.last);
	free(text);
}

/* ---- one frame for many ---- */

static uint32_t wrong_order;

static void
count_up(struct peer *p, struct slice text, bool binary)
{
	uint32_t n;

	(void)binary;
	memcpy(&n, text.ptr, sizeof(n));
	wrong_order += n + 1 != p->messages || text.len != 200;
}

static void
test_many(void)
{
	enum { CLIENTS = 200, FRAMES = 300 };
	static struct peer clients[CLIENTS];
	size_t all = 0;
	char text[200] = "";

	start((struct socket_server){.host = "localhost"});
	wrong_order = 0;
	for (size_t i = 0; i < CLIENTS; i++) {
		char url[64];

		snprintf(url, sizeof(url), "http://localhost:%d", sockets_port(loop));
		clients[i] = (struct peer){.got = count_up};
		dial(&clients[i], (struct socket_request){.url = url});
	}
	UNTIL(sockets_counts(loop)->open == 2 * CLIENTS);
	for (uint32_t n = 0; n < FRAMES; n++) {
		struct socket_frame *f;

		memcpy(text, &n, sizeof(n));
		f = socket_frame((struct slice){text, sizeof(text)}, n % 2 != 0);
		for (size_t i = 0; i < CLIENTS; i++)
			socket_send(served[i].socket, f);
		socket_frame_free(f);
		if (n % 16 == 0)
			sockets_wait(loop, 0);
	}
	for (int turns = 0; turns < 10000 && all < CLIENTS * FRAMES; turns++) {
		sockets_wait(loop, 10);
		all = 0;
		for (size_t i = 0; i < CLIENTS; i++)
			all += clients[i].messages;
	}
	CHECK(all == CLIENTS * FRAMES && wrong_order == 0);
	/* Some vanish in the middle of it; the others do not notice. */
	for (size_t i = 0; i < CLIENTS; i += 2)
		socket_cut(clients[i].socket);
	UNTIL(sockets_counts(loop)->open == CLIENTS);
	for (size_t i = 0; i < CLIENTS; i++)
		CHECK(clients[i].closed == (i % 2 == 0));
	stop();
}

/* ---- closing ---- */

static void
hang_up(struct peer *p, struct slice text, bool binary)
{
	(void)binary;
	if (slice_is(text, "close"))
		socket_close(p->socket, 4002, "asked to");
	else if (slice_is(text, "cut"))
		socket_cut(p->socket);
	socket_say(p->socket, S("more"), false);
}

static void
test_closing(void)
{
	char reason[201];
	struct peer c = {0}, *s;

	memset(reason, 'r', 200);
	reason[200] = '\0';
	start((struct socket_server){0});
	serve = hang_up;
	s = pair(&c);
	socket_say(c.socket, S("close"), false);
	UNTIL(c.closed && s->closed);
	CHECK(c.end.fault == SOCKET_CLOSED && c.end.code == 4002 && c.messages == 0);
	CHECK_TEXT(c.end.text, "asked to");
	CHECK(s->end.fault == SOCKET_CLOSED && s->end.code == 4002);
	CHECK_TEXT(s->end.text, "asked to");
	s = pair(&c);
	socket_say(c.socket, S("cut"), false);
	UNTIL(c.closed && s->closed);
	CHECK(c.end.fault == SOCKET_CUT && s->end.fault == SOCKET_CUT && c.messages == 0);
	/* All that was said before arrives; a long reason is cut. */
	s = pair(&c);
	for (int i = 0; i < 1000; i++)
		socket_say(c.socket, S("a message of some bytes"), false);
	socket_close(c.socket, 3000, reason);
	socket_close(c.socket, 3001, "twice");
	UNTIL(c.closed && s->closed);
	CHECK(s->messages == 1000 && s->end.code == 3000 && c.end.code == 3000);
	CHECK(strlen(s->end.text) == 123);
	/* Both at once. */
	s = pair(&c);
	socket_close(c.socket, 3002, "client");
	socket_close(s->socket, 3003, "server");
	UNTIL(c.closed && s->closed);
	CHECK(c.end.fault == SOCKET_CLOSED && s->end.fault == SOCKET_CLOSED);
	CHECK(c.end.code == 3002 && s->end.code == 3003);
	CHECK(c.closed == 1 && s->closed == 1 && sockets_counts(loop)->open == 0);
	stop();
	buf_free(&c.last);
}

/* ---- descriptors of others ---- */

struct reader {
	struct socket_watch *watch;
	int fd, calls;
	size_t bytes, most;
	bool ended;
};

static void
read_some(void *state)
{
	struct reader *r = state;
	char bytes[4096];
	ssize_t n = read(r->fd, bytes, r->most);

	r->calls++;
	r->bytes += n > 0 ? (size_t)n : 0;
	if (n == 0) {
		r->ended = true;
		sockets_unwatch(r->watch);
		r->watch = NULL;
	}
}

static void
test_watch(void)
{
	struct reader file = {.most = 100}, pipes = {.most = 100}, twin = {.most = 1};
	struct peer c = {0}, *s;
	int ends[2];
	char name[] = "/tmp/kandil-socket-XXXXXX";

	start((struct socket_server){0});
	serve = echo;
	s = pair(&c);
	(void)s;
	file.fd = mkstemp(name);
	unlink(name);
	for (int i = 0; i < 1000; i++)
		CHECK(write(file.fd, "0123456789", 10) == 10);
	lseek(file.fd, 0, SEEK_SET);
	CHECK(pipe(ends) == 0);
	pipes.fd = twin.fd = ends[0];
	file.watch = sockets_watch(loop, file.fd, read_some, &file);
	pipes.watch = sockets_watch(loop, ends[0], read_some, &pipes);
	twin.watch = sockets_watch(loop, ends[0], read_some, &twin);
	/* A file is read to its end while sockets go on. */
	socket_say(c.socket, S("beside"), false);
	UNTIL(file.ended && c.messages == 1);
	CHECK(file.bytes == 10000 && file.calls == 101);
	CHECK(pipes.calls == 0);
	CHECK((fcntl(ends[0], F_GETFL) & O_NONBLOCK) == 0);
	CHECK(write(ends[1], "ab", 2) == 2);
	UNTIL(pipes.bytes + twin.bytes == 2);
	sockets_unwatch(twin.watch);
	CHECK(write(ends[1], "cd", 2) == 2);
	UNTIL(pipes.bytes + twin.bytes == 4);
	close(ends[1]);
	UNTIL(pipes.ended);
	/* At rest it waits as long as it may, and no longer. */
	{
		int64_t began = time_ms();

		sockets_wait(loop, 120);
		while (time_ms() < began + 119)
			sockets_wait(loop, began + 120 - time_ms());
		CHECK(time_ms() - began < PATIENCE);
	}
	close(ends[0]);
	close(file.fd);
	stop();
	buf_free(&c.last);
}

int
main(void)
{
	set_environment();
	test_echo();
	test_many();
	test_closing();
	test_watch();
	return check_done();
}
