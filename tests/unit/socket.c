/*
 * socket's clients and server against each other in one loop, refusals,
 * faults, watches and TLS. What they put on the wire is tested in socket_wire.
 */
#include "tests/unit/socket_peer.h"

#include "common/spawn.h"

#include <signal.h>

static struct buf in;

static void
echo(struct peer *p, struct slice text, bool binary)
{
	socket_say(p->socket, text, binary);
}

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

/* ---- who may come in ---- */

static int
guard(struct socket_ask *ask)
{
	struct buf key = {0};
	int result = -1;

	if (!socket_ask_arg(ask, "apikey", &key))
		socket_answer(ask, 401, NULL, S("{\"error\":\"API key is missing\"}"), NULL);
	else if (strcmp(key.ptr, "message") == 0)
		socket_answer(
		    ask, 429, NULL, S("{\"x\":1,\"message\":\"Too \\u001b many\"}"), NULL);
	else if (strcmp(key.ptr, "reason") == 0)
		socket_answer(ask, 403, NULL, S(" {\"reason\":\"no\",\"error\":{}}\n"), NULL);
	else if (strcmp(key.ptr, "plain") == 0)
		socket_answer(ask, 503, "text/plain", S("first line\r\nsecond"), NULL);
	else if (strcmp(key.ptr, "empty") == 0)
		socket_answer(ask, 403, "text/plain", S(""), NULL);
	else if (strcmp(key.ptr, "there") == 0)
		socket_answer(ask, 302, NULL, S("{}"), "Location: /?apikey=yes\r\n");
	else if (strcmp(key.ptr, "yes") == 0 || key.len > 1900)
		result = slice_is(socket_ask_header(ask, "authorization"), "Bearer t") &&
				 slice_is(socket_ask_header(ask, "x-api-key"), "k k") &&
				 slice_is(socket_ask_path(ask), "/s%20p")
			     ? 0
			     : -1;
	buf_free(&key); /* an empty answer of ours: 403 */
	return result;
}

static void
test_refusals(void)
{
	static const struct {
		const char *query;
		int status;
		const char *text;
	} cases[] = {{"", 401, "API key is missing"}, {"?apikey=message", 429, "Too ? many"},
	    {"?apikey=reason", 403, "no"}, {"?apikey=plain", 503, "first line"},
	    {"?apikey=empty", 403, ""}, {"?apikey=there", 302, "{}"},
	    {"?apikey=other", 403, "forbidden"}};
	static const struct slice headers[] = {S("Authorization: Bearer t"), S("X-Api-Key:  k k ")};
	struct socket_request r = {.headers = headers, .nheaders = 2, .protocol = "phoenix"};
	struct peer c;
	char path[64];

	start((struct socket_server){0});
	door = guard;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(path, sizeof(path), "/x%s", cases[i].query);
		c = (struct peer){0};
		dial(&c, (struct socket_request){.url = address(path)});
		UNTIL(c.closed);
		CHECK(c.end.fault == SOCKET_REFUSED && c.end.status == cases[i].status);
		CHECK_TEXT(c.end.text, cases[i].text);
		CHECK(c.opened == 0);
	}
	CHECK(nserved == 0);
	CHECK_TEXT(socket_code(SOCKET_REFUSED), "refused");
	/* With its headers and its subprotocol it comes in. */
	r.url = address("/s%20p?apikey=yes");
	c = (struct peer){0};
	dial(&c, r);
	UNTIL(c.opened && served[0].opened);
	stop();
}

static void
test_doors(void)
{
	struct peer c[4] = {0};
	struct buf url = {0};

	start((struct socket_server){.max_connections = 2});
	for (size_t i = 0; i < 3; i++) {
		dial(&c[i], (struct socket_request){0});
		UNTIL(c[i].opened || c[i].closed);
	}
	CHECK(c[0].opened && c[1].opened && c[2].end.fault == SOCKET_REFUSED);
	CHECK(c[2].end.status == 503);
	CHECK_TEXT(c[2].end.text, "too many connections");
	socket_close(c[0].socket, 1000, "");
	UNTIL(c[0].closed && served[0].closed);
	c[2] = (struct peer){0};
	dial(&c[2], (struct socket_request){0});
	UNTIL(c[2].opened);
	socket_cut(served[1].socket);
	UNTIL(c[1].closed && served[1].closed);
	CHECK(c[1].end.fault == SOCKET_CUT && served[1].end.fault == SOCKET_CUT);
	/* A subprotocol that is not known; an unusually long URL; one beyond what lws sends. */
	c[3] = (struct peer){0};
	dial(&c[3], (struct socket_request){.protocol = "graphql"});
	UNTIL(c[3].closed);
	CHECK(c[3].end.status == 400 && strstr(c[3].end.text, "phoenix") != NULL);
	door = guard;
	buf_adds(&url, address("/s%20p?apikey="));
	while (url.len < 1980)
		buf_addc(&url, 'k');
	c[3] = (struct peer){0};
	dial(&c[3],
	    (struct socket_request){.url = url.ptr,
		.headers = (struct slice[]){S("authorization: Bearer t"), S("x-api-key: k k")},
		.nheaders = 2});
	UNTIL(c[3].opened);
	buf_addf(&url, "%0100d", 0);
	CHECK(dial(&c[3], (struct socket_request){.url = url.ptr}) == NULL &&
	      strstr(e.text, "2000") != NULL);
	/* No new ones; those that stand go on. */
	sockets_refuse(loop);
	c[3] = (struct peer){0};
	dial(&c[3], (struct socket_request){0});
	UNTIL(c[3].closed);
	CHECK(c[3].end.fault == SOCKET_CONNECT);
	CHECK(strstr(c[3].end.text, "nobody answers at '127.0.0.1'") != NULL);
	socket_say(c[2].socket, S("on"), false);
	UNTIL(served[2].messages == 1);
	stop();
	buf_free(&url);
}

static char came_from[64];

static int
note_address(struct socket_ask *ask)
{
	snprintf(came_from, sizeof(came_from), "%s", socket_ask_address(ask));
	return 0;
}

/* Both families at one listener; tokens among the subprotocols, as phoenix.js has them. */
static void
test_addresses(void)
{
	struct peer c[3] = {0};
	char url[3][64], protocol[400];
	int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	bool six = bind(probe, (struct sockaddr *)&a, sizeof(a)) == 0;

	close(probe);
	start((struct socket_server){.host = "*"});
	door = note_address;
	memset(protocol, 'k', sizeof(protocol));
	memcpy(protocol, "phoenix, base64url.bearer.phx.", 30);
	protocol[399] = '\0';
	snprintf(url[0], sizeof(url[0]), "ws://localhost:%d/", sockets_port(loop));
	snprintf(url[1], sizeof(url[1]), "ws://127.0.0.1:%d?a=b", sockets_port(loop));
	snprintf(url[2], sizeof(url[2]), "ws://[::1]:%d/", sockets_port(loop));
	for (size_t i = 0; i < (six ? 3 : 2); i++) {
		dial(&c[i], (struct socket_request){.url = url[i], .protocol = protocol});
		UNTIL(c[i].opened && served[i].opened);
		if (i > 0)
			CHECK_TEXT(came_from, i == 1 ? "127.0.0.1" : "::1");
	}
	stop();
}

/* ---- what cannot be reached ---- */

static void
test_bad_requests(void)
{
	static const char host_too_long[] = "ws://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
					    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/";
	static const char *const urls[] = {"", "ws://", "ws:///path", "ftp://x/", "//x",
	    "ws://a b/", "ws://a/\n", "ws://a/b#c", "ws://user:secret@a/", "ws://a:0/",
	    "ws://a:65536/", "ws://a:12x/", "ws://a:/", "ws://\xc3\xa9/", "ws://[::1/",
	    host_too_long};
	static const struct slice headers[] = {
	    S("no colon"), S(": v"), S("a b: c"), S("k: se\ncret"), S("k: \r")};
	struct peer c = {0};

	start((struct socket_server){0});
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		CHECK(dial(&c, (struct socket_request){.url = urls[i]}) == NULL);
		CHECK_TEXT(e.code, "bad_url");
		CHECK(strstr(e.text, "secret") == NULL);
	}
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		CHECK(dial(&c, (struct socket_request){.headers = &headers[i], .nheaders = 1}) ==
		      NULL);
		CHECK_TEXT(e.code, "bad_header");
		CHECK(strstr(e.text, "cret") == NULL);
	}
	turn_for(20);
	CHECK(c.closed == 0 && c.opened == 0);
	/* Listening where somebody listens, where nobody can, with what is no certificate. */
	CHECK(listen_with((struct socket_server){.port = sockets_port(loop)}) < 0);
	CHECK_TEXT(e.code, "cannot_listen");
	CHECK(listen_with((struct socket_server){.host = "192.0.2.1"}) < 0);
	CHECK_TEXT(e.code, "cannot_listen");
	CHECK(listen_with(
		  (struct socket_server){.cert_file = "/dev/null", .key_file = "/dev/null"}) < 0);
	CHECK_TEXT(e.code, "bad_tls");
	stop();
}

/* A server that is none: says text after ms, or (NULL) nothing. Its address in url. */
static pid_t
strange(const char *text, const char *more, char *url, size_t size)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), peer;
	char bytes[4096];
	pid_t pid;

	CHECK(bind(fd, (struct sockaddr *)&a, n) == 0 && listen(fd, 5) == 0);
	getsockname(fd, (struct sockaddr *)&a, &n);
	snprintf(url, size, "ws://127.0.0.1:%d/?apikey=secret", ntohs(a.sin_port));
	pid = fork();
	if (pid == 0) {
		alarm(60);
		peer = accept(fd, NULL, NULL);
		if (recv(peer, bytes, sizeof(bytes), 0) > 0 && text) {
			send(peer, text, strlen(text), MSG_NOSIGNAL);
			if (more) {
				usleep(100000);
				send(peer, more, strlen(more), MSG_NOSIGNAL);
				usleep(500000);
			}
			_exit(0);
		}
		pause();
	}
	close(fd);
	return pid;
}

static void
test_strangers(void)
{
	static const struct {
		const char *says, *then;
		enum socket_fault fault;
		int status;
		const char *text;
	} cases[] = {
	    {NULL, NULL, SOCKET_TIMEOUT, 0, "no upgrade in time"},
	    {"", NULL, SOCKET_CONNECT, 0, "before the upgrade"},
	    {"\r\n\r\nhello", NULL, SOCKET_GARBAGE, 0, ""},
	    {"HTTP/1.1 101 S\r\nUpgrade: webs", NULL, SOCKET_CONNECT, 0, "before the upgrade"},
	    {"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	     "Sec-WebSocket-Accept: wrong\r\n\r\n",
		NULL, SOCKET_GARBAGE, 0, "no WebSocket upgrade"},
	    /* The body after the status; in chunks; without length; without end. */
	    {"HTTP/1.1 403 Forbidden\r\nContent-Length: 20\r\n\r\n", "{\"error\":\"a reason\"}",
		SOCKET_REFUSED, 403, "a reason"},
	    {"HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{\"error\r\n",
		"9\r\n\":\"gone\"}\r\n0\r\n\r\n", SOCKET_REFUSED, 404, "gone"},
	    {"HTTP/1.0 500 Oh\r\n\r\nbroken\nhere", NULL, SOCKET_REFUSED, 500, "broken"},
	    {"HTTP/1.1 502 Bad\r\nContent-Length: 1000\r\n\r\n<html>", NULL, SOCKET_REFUSED, 502,
		"<html>"},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", NULL, SOCKET_REFUSED, 200, ""},
	};

	start((struct socket_server){0});
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char url[64];
		pid_t pid = strange(cases[i].says, cases[i].then, url, sizeof(url));
		struct peer c = {0};

		dial(
		    &c, (struct socket_request){.url = url, .connect_ms = cases[i].says ? 0 : 200});
		socket_say(c.socket, S("waits"), false);
		UNTIL(c.closed);
		CHECK(c.end.fault == cases[i].fault && c.end.status == cases[i].status);
		CHECK(c.end.mismatch == (cases[i].fault == SOCKET_CONNECT));
		if (strstr(c.end.text, cases[i].text) == NULL || strstr(c.end.text, "secret"))
			CHECK_TEXT(c.end.text, cases[i].text);
		kill(pid, SIGKILL);
	}
	{
		struct peer c = {0}, d = {0};

		dial(&c, (struct socket_request){.url = "ws://kandil.invalid/?apikey=secret"});
		dial(&d, (struct socket_request){.url = "ws://127.0.0.1:1/?apikey=secret"});
		socket_close(d.socket, 1000, "not wanted");
		CHECK(c.closed == 0 && d.closed == 0); /* never from within */
		UNTIL(c.closed && d.closed);
		CHECK(!c.end.mismatch && !d.end.mismatch);
		CHECK(c.end.fault == SOCKET_RESOLVE && strstr(c.end.text, "'kandil.invalid'"));
		CHECK(d.end.fault == SOCKET_CLOSED || d.end.fault == SOCKET_CONNECT);
		CHECK(!strstr(c.end.text, "secret") && !strstr(d.end.text, "secret"));
	}
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

/* ---- TLS ---- */

static void
shell(const char *line)
{
	const char *argv[] = {"sh", "-c", line, NULL};

	buf_reset(&in);
	CHECK(spawn_run(&(struct spawn_options){.argv = argv, .flags = SPAWN_ERR}, S(""), 1 << 20,
		  60000, NULL, &in, &e) == 0);
}

static void
test_tls(void)
{
	char folder[] = "/tmp/kandil-socket-XXXXXX", url[64], by_number[64];
	struct socket_server set = {.cert_file = "cert", .key_file = "other.key"};
	struct peer c = {0};
	char *big = xcalloc(1, 300000);
	int plain = 0;

	CHECK(mkdtemp(folder) && chdir(folder) == 0);
	shell("for n in '' other.; do openssl req -x509 -newkey ec -pkeyopt "
	      "ec_paramgen_curve:prime256v1 -nodes -keyout ${n}key -out ${n:+other}${n:-cert} "
	      "-days 2 "
	      "-subj /CN=kandil -addext subjectAltName=DNS:localhost; done; mv other.key k; "
	      "mv otherother. other; mv k other.key");
	start((struct socket_server){0}); /* plain beside it */
	CHECK(listen_with(set) < 0);
	CHECK_TEXT(e.code, "bad_tls");
	CHECK(strstr(e.text, "'cert', 'other.key'") != NULL);
	set.key_file = "key";
	CHECK(listen_with(set) == 0);
	serve = echo;
	snprintf(url, sizeof(url), "wss://localhost:%d/", sockets_port(loop));
	snprintf(by_number, sizeof(by_number), "wss://127.0.0.1:%d/", sockets_port(loop));
	/* Not trusted: by the system, by another's certificate; not there at all. */
	for (size_t i = 0; i < 4; i++) {
		static const char *const cas[] = {NULL, "other", "nowhere", "cert"};

		c = (struct peer){0};
		dial(&c,
		    (struct socket_request){.url = i == 3 ? by_number : url, .ca_file = cas[i]});
		UNTIL(c.closed);
		CHECK(c.end.fault == SOCKET_TLS && c.opened == 0 && !c.end.mismatch);
		if (i == 0)
			CHECK(strstr(c.end.text, "'localhost' is not good: self") != NULL);
		if (i == 2)
			CHECK(strstr(c.end.text, "'nowhere'") != NULL);
		if (i == 3) /* trusted, but for another name */
			CHECK(strstr(c.end.text, "'127.0.0.1' is not good: IP address mismatch"));
	}
	CHECK(nserved == 0);
	/* Good, by the file or the environment. */
	for (size_t i = 0; i < 2; i++) {
		if (i == 1)
			setenv("SSL_CERT_FILE", "cert", 1);
		if (i == 1) {
			stop();
			start((struct socket_server){0});
			plain = sockets_port(loop);
			CHECK(listen_with(set) == 0);
			serve = echo;
			snprintf(url, sizeof(url), "https://localhost:%d/", sockets_port(loop));
		}
		c = (struct peer){0};
		dial(&c, (struct socket_request){.url = url, .ca_file = i ? NULL : "cert"});
		UNTIL(c.opened || c.closed);
		CHECK(c.opened == 1);
		if (!c.opened)
			continue;
		for (int n = 0; n < 20; n++)
			socket_say(c.socket, (struct slice){big, n % 2 ? 300000 : 10}, true);
		UNTIL(c.messages == 20);
		CHECK(c.last.len == 300000);
		socket_close(c.socket, 1000, "done");
		UNTIL(c.closed && served[0].closed);
		CHECK(served[0].end.code == 1000 && c.end.fault == SOCKET_CLOSED);
		buf_free(&c.last);
	}
	/* Plain words to TLS, and TLS to plain ears. */
	c = (struct peer){0};
	url[2] = 'p';
	snprintf(by_number, sizeof(by_number), "ws://localhost:%d/", sockets_port(loop));
	dial(&c, (struct socket_request){.url = by_number});
	UNTIL(c.closed);
	CHECK(c.end.fault == SOCKET_CONNECT && c.end.mismatch);
	c = (struct peer){0};
	snprintf(by_number, sizeof(by_number), "wss://127.0.0.1:%d/", plain);
	dial(&c, (struct socket_request){.url = by_number});
	UNTIL(c.closed);
	CHECK((c.end.fault == SOCKET_TLS || c.end.fault == SOCKET_CONNECT) && c.end.mismatch);
	unsetenv("SSL_CERT_FILE");
	stop();
	shell("rm -f key cert other other.key");
	CHECK(rmdir(folder) == 0);
	free(big);
}

int
main(void)
{
	static const char *const foreign[] = {"http_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"};

	for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++)
		unsetenv(foreign[i]);
	setenv("http_proxy", "http://127.0.0.1:1", 1); /* is not asked */
	signal(SIGCHLD, SIG_IGN);
	test_echo();
	test_many();
	test_refusals();
	test_doors();
	test_addresses();
	test_bad_requests();
	test_strangers();
	test_closing();
	test_watch();
	signal(SIGCHLD, SIG_DFL);
	test_tls();
	buf_free(&in);
	return check_done();
}
