/*
 * socket refused: who may come in, by what it asks and from where, and what cannot be
 * reached: bad addresses, strangers, nobody.
 */
#include "tests/unit/socket_peer.h"

#include <poll.h>
#include <signal.h>

/* What a refusal says is waited for 250 ms: such in which we, and so the servers here, run. */
int
poll(struct pollfd *fds, nfds_t n, int ms)
{
	int ready, step;

	do {
		step = ms >= 0 && ms < 20 ? ms : 20;
		ready = ppoll(fds, n, &(struct timespec){0, step * 1000000L}, NULL);
		ms -= ms > 0 ? step : 0;
	} while (ready == 0 && ms != 0);
	return ready;
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
				usleep(20000);
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

int
main(void)
{
	set_environment();
	signal(SIGCHLD, SIG_IGN);
	test_refusals();
	test_doors();
	test_addresses();
	test_bad_requests();
	test_strangers();
	return check_done();
}
