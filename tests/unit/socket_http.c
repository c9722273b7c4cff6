/* socket http: plain requests to its server, and upgrades: chopped, slow or wrong. */
#include "tests/unit/socket_peer.h"

#include <sys/wait.h>

static struct buf in, out;

static void
say_request(struct socket_ask *ask)
{
	struct buf b = {0}, arg = {0};
	struct slice path = socket_ask_path(ask), type = socket_ask_header(ask, "Content-Type");
	struct slice method = socket_ask_method(ask), body = socket_ask_body(ask);
	struct slice key = socket_ask_header(ask, "apikey"),
		     x = socket_ask_header(ask, "x-api-key");

	if (slice_is(path, "/nothing"))
		return;
	buf_addf(&b, "%.*s %.*s", (int)method.len, method.ptr, (int)path.len, path.ptr);
	if (socket_ask_arg(ask, "b", &arg))
		buf_addf(&b, " b=%s", arg.ptr ? arg.ptr : "");
	if (type.ptr)
		buf_addf(&b, " type=%.*s", (int)type.len, type.ptr);
	buf_addf(&b, " %.*s/%.*s/%s", (int)key.len, key.ptr ? key.ptr : "", (int)x.len,
	    x.ptr ? x.ptr : "", socket_ask_header(ask, "origin").ptr ? "origin" : "");
	buf_addf(&b, " %zu %s", body.len, socket_ask_address(ask));
	socket_answer(ask, 200, "text/plain", buf_slice(&b), "X-More: yes\r\n");
	buf_free(&b);
	buf_free(&arg);
}

/* The whole answer to a request that comes in pieces. */
static const char *
answer(const char *request, size_t cut)
{
	int fd = raw_connect(0);
	size_t len = strlen(request);

	for (size_t at = 0; at < len; at += cut)
		raw_send(fd, request + at, len - at < cut ? len - at : cut);
	buf_reset(&in);
	raw_read(fd, &in, 0);
	close(fd);
	buf_addc(&in, '\0');
	return in.ptr;
}

static bool
says(const char *text, const char *status, const char *body)
{
	const char *at = strstr(text, "\r\n\r\n");

	if (strncmp(text, status, strlen(status)) == 0 && at && strcmp(at + 4, body) == 0)
		return true;
	fprintf(stderr, "want %s … %s\ngot %s\n", status, body, text);
	return false;
}

static void
test_http(void)
{
	const char *r;

	start((struct socket_server){.max_body = 100});
	page = say_request;
	r = answer("GET /a%2Fb%20c//d?a=1&b=x%26y+z&c HTTP/1.1\r\nHost: x\r\nAPIKey:  k \r\n"
		   "X-Api-Key: kk\r\nOrigin: http://o\r\n\r\n",
	    1000);
	CHECK(says(r, "HTTP/1.1 200 OK\r\n", "GET /a/b%20c/d b=x&y z k/kk/origin 0 127.0.0.1"));
	CHECK(strstr(r, "\r\nConnection: close\r\n") &&
	      strstr(r, "\r\nContent-Type: text/plain\r\n") && strstr(r, "\r\nX-More: yes\r\n") &&
	      strstr(r, "\r\nContent-Length: 46\r\n"));
	for (size_t cut = 1; cut < 30; cut += 7)
		CHECK(says(answer("POST /p?b HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\n"
				  "Content-Length: 11\r\n\r\nhello world",
			       cut),
		    "HTTP/1.1 200 OK", "POST /p b= type=a/b // 11 127.0.0.1"));
	CHECK(says(answer("POST /e HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 99),
	    "HTTP/1.1 200", "POST /e // 0 127.0.0.1"));
	CHECK(says(answer("PUT /e HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc", 99), "HTTP/1.1 200",
	    "PUT /e // 3 127.0.0.1"));
	CHECK(says(answer("HEAD /h HTTP/1.1\r\nHost: x\r\n\r\n", 99), "HTTP/1.1 200", ""));
	CHECK(says(answer("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", 99), "HTTP/1.1 404",
	    "{\"error\":\"not found\"}"));
	CHECK(says(answer("POST /p HTTP/1.1\r\nHost: x\r\n\r\n", 99), "HTTP/1.1 411",
	    "{\"error\":\"a content-length is required\"}"));
	CHECK(says(answer("POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
			  "3\r\nabc\r\n0\r\n\r\n",
		       99),
	    "HTTP/1.1 411", "{\"error\":\"a content-length is required\"}"));
	CHECK(says(answer("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", 99),
	    "HTTP/1.1 400", "{\"error\":\"bad content-length\"}"));
	CHECK(says(
	    answer(
		"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\n"
		"Connection: upgrade, http2-settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
		999),
	    "HTTP/1.1 400", "{\"error\":\"no upgrade but to websocket\"}"));
	buf_reset(&out);
	buf_adds(&out, "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
	for (int i = 0; i < 100000; i++)
		buf_addc(&out, 'x');
	CHECK(
	    says(answer(out.ptr, 30000), "HTTP/1.1 413", "{\"error\":\"the body is too large\"}"));
	/* A key as long as keys get. */
	buf_reset(&out);
	buf_adds(&out, "GET /l?b=");
	for (int i = 0; i < 7000; i++)
		buf_addc(&out, 'k');
	buf_adds(&out, " HTTP/1.1\r\nHost: x\r\n\r\n");
	r = answer(out.ptr, 3000);
	CHECK(strncmp(r, "HTTP/1.1 200", 12) == 0 && strstr(r, "kkk //") != NULL);
	/* What is no HTTP. */
	CHECK(strncmp(answer("\x16\x03\x01\x02\x01\x01\xfc hello\r\n\r\n", 99), "HTTP/1.0 403",
		  12) == 0);
	CHECK_TEXT(answer("CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\nraw bytes", 99), "");
	CHECK(nserved == 0);
	stop();
}

/* RFC 6455 section 4.2.1: what is no opening handshake gets an answer, and nobody in. */
static void
test_upgrades(void)
{
	static const struct {
		const char *key, *version, *status;
	} cases[] = {
	    {"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", "HTTP/1.1 426"},
	    {"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "Sec-WebSocket-Version: 8\r\n",
		"HTTP/1.1 426"},
	    {"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
		"Sec-WebSocket-Version: 131\r\n", "HTTP/1.1 426"},
	    {"", "Sec-WebSocket-Version: 13\r\n", "HTTP/1.1 400"},
	    {"Sec-WebSocket-Key: c2hvcnQ=\r\n", "Sec-WebSocket-Version: 13\r\n",
		"HTTP/1.1 400"},
	    {"Sec-WebSocket-Key: no base64 of 24 bytes.!!\r\n",
		"Sec-WebSocket-Version: 13\r\n", "HTTP/1.1 400"},
	};

	start((struct socket_server){0});
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *r;

		buf_reset(&out);
		buf_addf(&out, "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
			       "Connection: Upgrade\r\n%s%s\r\n", cases[i].key,
		    cases[i].version);
		r = answer(out.ptr, 1000);
		CHECK(strncmp(r, cases[i].status, 12) == 0);
		CHECK((strstr(r, "\r\nSec-WebSocket-Version: 13\r\n") != NULL) ==
		      (strncmp(r, "HTTP/1.1 426", 12) == 0));
	}
	CHECK(nserved == 0);
	stop();
}

/* Who asks slowly is cut, and in no one's way. */
static void
test_slowloris(void)
{
	enum { SLOW = 50 };
	struct peer client = {0};
	int fds[SLOW];
	int64_t began;

	start((struct socket_server){.handshake_ms = 2000});
	page = say_request;
	began = time_ms();
	for (int i = 0; i < SLOW; i++) {
		fds[i] = raw_connect(0);
		if (i % 3 == 0)
			SEND(fds[i], "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ");
		else if (i % 3 == 1)
			SEND(fds[i], "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nab");
	}
	pair(&client);
	while (time_ms() < began + 2100) {
		for (int i = 0; i < SLOW; i += 3)
			SEND(fds[i], "x");
		turn_for(20);
	}
	for (int i = 0; i < SLOW; i++) {
		buf_reset(&in);
		CHECK(!raw_read(fds[i], &in, 1) && in.len == 0);
		close(fds[i]);
	}
	CHECK(client.closed == 0 && nserved == 1);
	stop();
}

static void
yes(struct socket_ask *ask)
{
	socket_answer(ask, 200, NULL, S("{}"), NULL);
}

/* Time that the loop slept is not taken from who comes then. */
static void
test_sleep(void)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	int status = -1;
	pid_t pid;

	start((struct socket_server){.handshake_ms = 1000, .idle_ms = 1000});
	page = yes;
	pid = fork();
	if (pid == 0) {
		char bytes[64] = "";
		int fd;

		usleep(1500000);
		fd = raw_connect(0);
		fcntl(fd, F_SETFL, 0);
		usleep(50000);
		_exit(send(fd, text, strlen(text), MSG_NOSIGNAL) > 0 &&
			      recv(fd, bytes, 12, MSG_WAITALL) == 12 &&
			      strcmp(bytes, "HTTP/1.1 200") == 0
			  ? 0
			  : 1);
	}
	while (waitpid(pid, &status, WNOHANG) == 0)
		sockets_wait(loop, 5000);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	stop();
}

int
main(void)
{
	test_http();
	test_upgrades();
	test_slowloris();
	test_sleep();
	buf_free(&in);
	buf_free(&out);
	return check_done();
}
