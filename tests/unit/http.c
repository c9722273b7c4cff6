/*
 * http against a server on loopback in a process of its own, which does what
 * the path says, well or badly; and against openssl's for TLS.
 */
#include "common/http.h"
#include "common/mem.h"
#include "common/spawn.h"
#include "common/time.h"
#include "tests/unit/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct err e;
static struct buf bomb; /* 100 MB of zeros, as gzip */
static int port;

/* ---- the server ---- */

static void
send_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n <= 0)
			_exit(0);
		bytes += n;
		len -= (size_t)n;
	}
}

static void
say(int fd, const char *text)
{
	send_all(fd, text, strlen(text));
}

/* Status line, headers and body, whose length is announced. */
static void
answer(int fd, const char *status, const char *headers, struct slice body)
{
	struct buf b = {0};

	buf_addf(&b, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n", status, body.len, headers);
	buf_addslice(&b, body);
	send_all(fd, b.ptr, b.len);
	buf_free(&b);
}

static void
answer_endless(int fd)
{
	char block[8192 + 8];

	memset(block, 'x', sizeof(block));
	memcpy(block, "2000\r\n", 6);
	memcpy(block + 6 + 8192, "\r\n", 2);
	say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (;;)
		send_all(fd, block, 8192 + 8);
}

static void
answer_chunks(int fd)
{
	char piece[32];

	say(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
		"Transfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 20; i++) {
		snprintf(piece, sizeof(piece), "a\r\npiece %04d\r\n", i);
		say(fd, piece);
		usleep(5000);
	}
	say(fd, "0\r\nX-Trailer: t\r\n\r\n");
}

/* One request, whole in in; exits to close. */
static void
serve_one(int fd, const struct buf *in)
{
	struct buf b = {0};
	const char *path = strchr(in->ptr, ' ') + 1;
	bool proxied = strncmp(path, "http://", 7) == 0;

#define PATH(p) (strncmp(path, p, strlen(p)) == 0)
	if (strncmp(in->ptr, "CONNECT", 7) == 0) {
		answer(fd, "403 Forbidden", "", S(""));
	} else if (PATH("/echo") || proxied) {
		buf_addf(&b, "X-Pid: %d\r\nX-Proxied: %s\r\nX-Empty:\r\n", (int)getpid(),
		    proxied ? "yes" : "no");
		answer(fd, "200 OK", b.ptr, buf_slice(in));
	} else if (PATH("/limit")) {
		answer(fd, "429 Slow", "retry-AFTER:  7 \r\n", S("{\"error\":1}"));
	} else if (PATH("/redirect")) {
		answer(fd, "302 Found", "Location: /echo\r\n", S(""));
	} else if (PATH("/early")) {
		say(fd, "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n");
		answer(fd, "200 OK", "X-Late: 1\r\n", S("late"));
	} else if (PATH("/chunks")) {
		answer_chunks(fd);
	} else if (PATH("/slow")) {
		usleep(20000);
		answer(fd, "200 OK", "", S("slow"));
	} else if (PATH("/cut")) {
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes!");
		_exit(0);
	} else if (PATH("/chunkcut")) {
		say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n");
		_exit(0);
	} else if (PATH("/drop")) {
		_exit(0);
	} else if (PATH("/reset")) {
		setsockopt(
		    fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
		_exit(0);
	} else if (PATH("/silent")) {
		pause();
	} else if (PATH("/stall")) {
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes!");
		pause();
	} else if (PATH("/drip")) {
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
		for (;; usleep(5000))
			say(fd, "x");
	} else if (PATH("/announced")) {
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n");
		pause();
	} else if (PATH("/endless")) {
		answer_endless(fd);
	} else if (PATH("/bomb")) {
		answer(fd, "200 OK", "Content-Encoding: gzip\r\n", buf_slice(&bomb));
	} else if (PATH("/badgzip")) {
		answer(fd, "200 OK", "Content-Encoding: gzip\r\n", S("this is no gzip at all"));
	} else if (PATH("/headers")) {
		say(fd, "HTTP/1.1 200 OK\r\n");
		for (int i = 0; i < 40000; i++)
			say(fd, "X-Padding: 0123456789\r\n");
		say(fd, "\r\n");
	} else {
		say(fd, "220 mail.example.com ESMTP\r\n\r\n");
		_exit(0);
	}
#undef PATH
	buf_free(&b);
}

/* Bytes of the head and the body it announces; 0 while the head is not whole. */
static size_t
request_length(const struct buf *in)
{
	const char *end = in->len ? memmem(in->ptr, in->len, "\r\n\r\n", 4) : NULL;
	const char *length = end ? strcasestr(in->ptr, "\r\nContent-Length: ") : NULL;
	size_t head = end ? (size_t)(end - in->ptr) + 4 : 0;

	return length && length < end ? head + strtoul(length + 18, NULL, 10) : head;
}

static _Noreturn void
serve(int fd)
{
	struct buf in = {0};

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	for (;;) {
		size_t need = request_length(&in);
		bool slow = need && strstr(in.ptr, "/slowread");
		ssize_t n;

		while (need && in.len < need) {
			if (slow)
				usleep(4000);
			buf_room(&in, need);
			n = recv(
			    fd, in.ptr + in.len, 65536 < need - in.len ? 65536 : need - in.len, 0);
			if (n <= 0)
				_exit(0);
			in.len += (size_t)n;
		}
		if (need) {
			in.ptr[in.len] = '\0';
			serve_one(fd, &in);
			buf_reset(&in);
			continue;
		}
		n = recv(fd, buf_room(&in, 65536), 65536, 0);
		if (n <= 0)
			_exit(0);
		in.len += (size_t)n;
		in.ptr[in.len] = '\0';
	}
}

static pid_t
start_server(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one;
	pid_t pid;

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) < 0 || listen(fd, 512) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		return -1;
	port = ntohs(at.sin_port);
	if ((pid = fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGCHLD, SIG_IGN);
		while ((one = accept(fd, NULL, NULL)) >= 0) {
			if (fork() == 0) {
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				close(fd);
				serve(one);
			}
			close(one);
		}
		_exit(0);
	}
	close(fd);
	return pid;
}

/* ---- asking ---- */

struct result {
	int done, pieces;
	struct http_reply reply;
	struct buf headers, body, streamed;
	int stop_after; /* pieces; 0: never */
};

static void
on_done(struct http_call *call, const struct http_reply *reply, void *state)
{
	struct result *r = state;

	(void)call;
	r->done++;
	r->reply = *reply;
	buf_reset(&r->headers);
	buf_reset(&r->body);
	buf_addslice(&r->headers, reply->headers);
	buf_addslice(&r->body, reply->body);
	r->reply.headers = buf_slice(&r->headers);
	r->reply.body = buf_slice(&r->body);
}

static bool
on_data(struct http_call *call, struct slice bytes, void *state)
{
	struct result *r = state;

	CHECK(http_status(call) == 200 && r->done == 0);
	buf_addslice(&r->streamed, bytes);
	return ++r->pieces != r->stop_after;
}

static void
free_result(struct result *r)
{
	buf_free(&r->headers);
	buf_free(&r->body);
	buf_free(&r->streamed);
	*r = (struct result){0};
}

/* The address of a path; from a ring, so that some can be used at once. */
static const char *
url(const char *path)
{
	static char texts[8][200];
	static int next;
	char *text = texts[next++ % 8];

	snprintf(text, sizeof(texts[0]), "http://127.0.0.1:%d%s", port, path);
	return text;
}

static struct http *
open_http(const struct http_settings *settings)
{
	struct http *http = http_open(settings, &e);

	if (!http) {
		fprintf(stderr, "%s\n", e.text);
		exit(1);
	}
	return http;
}

/* Until nothing is in flight, ten seconds at most. */
static void
finish_all(struct http *http)
{
	int64_t end = time_ms() + 10000;

	while (http_in_flight(http) && time_ms() < end)
		http_wait(http, 1000, NULL, 0);
	CHECK(http_in_flight(http) == 0);
}

static void
ask(struct http *http, struct http_request request, struct result *r)
{
	request.done = on_done;
	request.state = r;
	r->done = r->pieces = 0;
	buf_reset(&r->streamed);
	CHECK(http_start(http, &request, &e) != NULL);
	CHECK(r->done == 0);
	finish_all(http);
	CHECK(r->done == 1);
}

/* Whether it ends in this fault, with these words. */
static bool
faulty(struct http *http, struct http_request request, enum http_fault fault, const char *words)
{
	struct result r = {0};
	bool right;

	ask(http, request, &r);
	right = r.reply.fault == fault && strstr(r.reply.text, words) != NULL &&
		(fault == HTTP_DONE || http_code(fault) != NULL);
	if (!right)
		fprintf(
		    stderr, "%s: fault %d: %s\n", request.url, (int)r.reply.fault, r.reply.text);
	free_result(&r);
	return right;
}

static bool
header_is(const struct result *r, const char *name, const char *value)
{
	struct slice found = http_header(&r->reply, name);

	return found.ptr && slice_is(found, value);
}

/* ---- tests ---- */

static void
test_requests(struct http *http)
{
	const struct slice headers[] = {
	    S("Authorization: Bearer secret"), S("X-A: a b"), S("Content-Type: application/json")};
	struct result r = {0};
	struct buf pid = {0};

	ask(http,
	    (struct http_request){
		.url = url("/echo?x=1"), .headers = headers, .nheaders = 3, .body = S("{\"a\":1}")},
	    &r);
	CHECK(r.reply.fault == HTTP_DONE && r.reply.status == 200 && !r.reply.text[0]);
	CHECK(strncmp(r.body.ptr, "POST /echo?x=1 HTTP/1.1\r\n", 25) == 0);
	CHECK(strstr(r.body.ptr, "\r\nAuthorization: Bearer secret\r\nX-A: a b\r\n"));
	CHECK(strstr(r.body.ptr, "\r\nContent-Type: application/json\r\n"));
	CHECK(strstr(r.body.ptr, "\r\nUser-Agent: test/1\r\n"));
	CHECK(strstr(r.body.ptr, "\r\n\r\n{\"a\":1}") && !strcasestr(r.body.ptr, "expect"));
	CHECK(http_header(&r.reply, "x-PID").len > 0);
	CHECK(header_is(&r, "X-Empty", "") && !http_header(&r.reply, "X-Pi").ptr);
	CHECK(r.reply.wait_ms >= 0 && r.reply.total_ms >= r.reply.wait_ms);
	/* The same connection again and again, whatever the method. */
	buf_addslice(&pid, http_header(&r.reply, "X-Pid"));
	ask(http, (struct http_request){.url = url("/echo")}, &r);
	CHECK(strncmp(r.body.ptr, "GET /echo", 9) == 0 && !strstr(r.body.ptr, "secret"));
	CHECK(header_is(&r, "X-Pid", pid.ptr));
	ask(http, (struct http_request){.url = url("/echo"), .method = "DELETE"}, &r);
	CHECK(strncmp(r.body.ptr, "DELETE /echo", 12) == 0 && header_is(&r, "X-Pid", pid.ptr));
	ask(http, (struct http_request){.url = url("/echo"), .method = "PUT", .body = S("b")}, &r);
	CHECK(strncmp(r.body.ptr, "PUT /echo", 9) == 0 && !strcasestr(r.body.ptr, "Content-Type"));
	ask(http, (struct http_request){.url = url("/echo"), .method = "POST"}, &r);
	CHECK(strncmp(r.body.ptr, "POST /echo", 10) == 0 && strstr(r.body.ptr, "Length: 0\r\n"));
	CHECK(header_is(&r, "X-Pid", pid.ptr));

	ask(http, (struct http_request){.url = url("/limit")}, &r);
	CHECK(r.reply.fault == HTTP_DONE && r.reply.status == 429);
	CHECK(header_is(&r, "Retry-After", "7") && slice_is(r.reply.body, "{\"error\":1}"));
	ask(http, (struct http_request){.url = url("/redirect")}, &r);
	CHECK(r.reply.status == 302 && header_is(&r, "location", "/echo"));
	ask(http, (struct http_request){.url = url("/early")}, &r);
	CHECK(r.reply.status == 200 && slice_is(r.reply.body, "late"));
	CHECK(header_is(&r, "X-Late", "1") && !http_header(&r.reply, "X-Early").ptr);
	buf_free(&pid);
	free_result(&r);
}

static bool
refused(struct http *http, const char *address, struct slice header, const char *code,
    const char *words)
{
	struct http_request request = {
	    .url = address, .headers = &header, .nheaders = 1, .done = on_done};
	bool none = http_start(http, &request, &e) == NULL && http_in_flight(http) == 0;

	return none && strcmp(e.code, code) == 0 && strstr(e.text, words) &&
	       !strstr(e.text, "secret");
}

static void
test_refused(struct http *http)
{
	CHECK(refused(http, url("/"), S("X-Key: secret\nX-B: b"), "bad_header", "'X-Key'"));
	CHECK(refused(http, url("/"), S("X-Key: secret\r"), "bad_header", "'X-Key'"));
	CHECK(refused(http, url("/"), S("secret"), "bad_header", "Name: value"));
	CHECK(refused(http, url("/"), S(": secret"), "bad_header", "Name: value"));
	CHECK(refused(http, url("/"), S("X Key: secret"), "bad_header", "Name: value"));
	CHECK(refused(http, url("/"), ((struct slice){"X-K: a\0b", 8}), "bad_header", "'X-K'"));
	CHECK(refused(http, "file:///etc/passwd", S("A: b"), "bad_url", "http"));
	CHECK(refused(http, "http://127.0.0.1/a b", S("A: b"), "bad_url", "blank"));
	CHECK(refused(http, "http://127.0.0.1\\@example.com/", S("A: b"), "bad_url", "backslash"));
}

static void
test_faults(struct http *http)
{
	struct http_request limited = {.url = url("/announced"), .max_reply = 1000000};
	struct buf other = {0};

	CHECK(faulty(http, (struct http_request){.url = url("/cut")}, HTTP_CUT, "cut off"));
	CHECK(faulty(http, (struct http_request){.url = url("/chunkcut")}, HTTP_CUT, "cut off"));
	CHECK(faulty(http, (struct http_request){.url = url("/drop")}, HTTP_CUT, "cut off"));
	CHECK(faulty(http, (struct http_request){.url = url("/reset")}, HTTP_CUT, "cut off"));
	CHECK(faulty(http, (struct http_request){.url = url("/mail")}, HTTP_GARBAGE, "no HTTP"));
	CHECK(faulty(http, (struct http_request){.url = url("/badgzip")}, HTTP_GARBAGE, ""));
	CHECK(faulty(http, limited, HTTP_TOO_LARGE, "1000000 bytes"));
	limited.url = url("/endless");
	CHECK(faulty(http, limited, HTTP_TOO_LARGE, "1000000 bytes"));
	limited.url = url("/bomb");
	CHECK(faulty(http, limited, HTTP_TOO_LARGE, "1000000 bytes"));
	limited.data = on_data;
	CHECK(faulty(http, limited, HTTP_TOO_LARGE, "1000000 bytes"));
	CHECK(faulty(http, (struct http_request){.url = url("/headers")}, HTTP_TOO_LARGE, ""));
	CHECK(faulty(http, (struct http_request){.url = "http://kandil.invalid/"}, HTTP_RESOLVE,
	    "kandil.invalid"));
	CHECK(faulty(http, (struct http_request){.url = "http://127.0.0.1:1/"}, HTTP_CONNECT,
	    "cannot connect: failed to connect"));
	CHECK(
	    faulty(http, (struct http_request){.url = "http://[::1]:1/"}, HTTP_CONNECT, "connect"));
	/* The connection that serves it well is still there. */
	buf_adds(&other, url("/echo"));
	CHECK(faulty(http, (struct http_request){.url = other.ptr}, HTTP_DONE, ""));
	buf_free(&other);
}

static void
test_times(struct http *http)
{
	struct http_request r = {.url = url("/silent"), .first_byte_ms = 60, .idle_ms = 20};
	struct buf large = {0};
	int64_t start = time_ms();

	CHECK(faulty(http, r, HTTP_TIMEOUT, "no reply within 60 ms"));
	CHECK(time_ms() - start >= 60);
	r = (struct http_request){.url = url("/stall"), .first_byte_ms = 10000, .idle_ms = 50};
	CHECK(faulty(http, r, HTTP_TIMEOUT, "stopped for 50 ms"));
	CHECK(time_ms() - start < 9000); /* not when the first byte would have been late */
	/* Bytes keep it alive beyond its idle time, up to the total. */
	r = (struct http_request){.url = url("/drip"), .idle_ms = 2000, .total_ms = 150};
	start = time_ms();
	CHECK(faulty(http, r, HTTP_TIMEOUT, "not finished within 150 ms"));
	CHECK(time_ms() - start >= 150);
	r.total_ms = 0;
	r.max_reply = 20;
	CHECK(faulty(http, r, HTTP_TOO_LARGE, "20 bytes"));
	/* A body that takes longer to send than the first byte may take. */
	for (size_t i = 0; i < 24 << 20; i += 16)
		buf_adds(&large, "0123456789abcdef");
	r = (struct http_request){.url = url("/slowread"),
	    .body = buf_slice(&large),
	    .first_byte_ms = 800,
	    .max_reply = 32 << 20};
	CHECK(faulty(http, r, HTTP_DONE, ""));
	buf_free(&large);
}

static void
test_stream(struct http *http)
{
	struct result r = {0};
	struct http_request request = {.url = url("/chunks"), .data = on_data};

	ask(http, request, &r);
	CHECK(r.reply.fault == HTTP_DONE && r.reply.body.len == 0 && r.streamed.len == 200);
	CHECK(r.pieces > 5); /* as they come, not at the end */
	CHECK(strncmp(r.streamed.ptr, "piece 0000piece 0001", 20) == 0);
	CHECK(header_is(&r, "content-type", "text/event-stream") &&
	      !http_header(&r.reply, "X-Trailer").ptr);
	r.stop_after = 3;
	ask(http, request, &r);
	CHECK(r.reply.fault == HTTP_STOPPED && r.pieces == 3);
	free_result(&r);
}

/* ---- many at once ---- */

struct crowd {
	struct http *http;
	struct http_call *calls[300];
	int started, done, cancelled, good;
};

static void
crowd_done(struct http_call *call, const struct http_reply *reply, void *state)
{
	struct crowd *c = state;
	struct http_request request = {.url = url("/slow"), .done = crowd_done, .state = c};
	size_t at = 0;

	while (c->calls[at] != call)
		at++;
	c->calls[at] = NULL;
	c->done++;
	c->good += reply->fault == HTTP_DONE && slice_is(reply->body, "slow");
	/* From within: the next is started, and now and then a neighbour cancelled. */
	if (c->done % 10 == 0)
		for (size_t i = 0; i < 300; i++)
			if (c->calls[i] && i % 7 == 0) {
				http_cancel(c->calls[i]);
				c->calls[i] = NULL;
				c->cancelled++;
				break;
			}
	if (c->started < 600) {
		c->calls[at] = http_start(c->http, &request, &e);
		c->started++;
	}
}

static void
test_crowd(struct http *http)
{
	struct crowd c = {.http = http};
	struct http_request request = {.url = url("/slow"), .done = crowd_done, .state = &c};

	for (size_t i = 0; i < 100; i++, c.started++)
		c.calls[i] = http_start(http, &request, &e);
	CHECK(http_in_flight(http) == 100);
	finish_all(http);
	CHECK(c.done + c.cancelled == c.started && c.good == c.done && c.cancelled >= 10);
}

/* Other descriptors, timeouts and cancelling while nothing happens. */
static void
test_wait(struct http *http)
{
	struct result r = {0};
	struct http_request request = {.url = url("/silent"), .done = on_done, .state = &r};
	struct http_call *call;
	struct pollfd more[2];
	int ends[2];
	int64_t start = time_ms();

	CHECK(pipe(ends) == 0);
	more[0] = (struct pollfd){-1, POLLIN, 0};
	more[1] = (struct pollfd){ends[0], POLLIN, 0};
	call = http_start(http, &request, &e);
	CHECK(http_wait(http, 30, more, 2) == 0 && more[1].revents == 0);
	CHECK(time_ms() - start >= 30);
	CHECK(write(ends[1], "x", 1) == 1);
	CHECK(http_wait(http, 10000, more, 2) == 1 && more[1].revents == POLLIN);
	http_cancel(call);
	CHECK(http_in_flight(http) == 0 && r.done == 0);
	CHECK(http_wait(http, -1, NULL, 0) == 0);
	CHECK(http_wait(http, 10000, more, 2) == 1);
	/* What is in flight when all is closed is dropped. */
	CHECK(http_start(http, &request, &e) != NULL);
	http_wait(http, 5, NULL, 0);
	close(ends[0]);
	close(ends[1]);
	free_result(&r);
}

static void
test_proxy(void)
{
	static const char *const wrong[] = {"ftp://u:secret@127.0.0.1:1",
	    "http://u:secret@127.0.0.1:99999", "http://u:a secret@127.0.0.1:1",
	    "http://u:secret@127.0.0.1:1", "u:secret@nowhere.invalid:1"};
	char proxy[64];
	struct result r = {0};
	struct http *http = open_http(&(struct http_settings){.proxy = "http://127.0.0.1:1"});

	CHECK(faulty(http, (struct http_request){.url = url("/echo")}, HTTP_PROXY, "proxy"));
	CHECK(faulty(
	    http, (struct http_request){.url = "https://kandil.invalid/"}, HTTP_PROXY, "proxy"));
	http_close(http);
	http = open_http(&(struct http_settings){.proxy = "http://nowhere.invalid:3128"});
	CHECK(faulty(http, (struct http_request){.url = url("/echo")}, HTTP_PROXY, "nowhere"));
	http_close(http);

	/* Its password is in no message, whatever is wrong with its address. */
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		http = open_http(&(struct http_settings){.proxy = wrong[i]});
		ask(http, (struct http_request){.url = "https://kandil.invalid/"}, &r);
		CHECK(r.reply.fault == HTTP_PROXY && strstr(r.reply.text, "secret") == NULL);
		http_close(http);
	}

	/* By the environment: for others, never for loopback. */
	snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", port);
	setenv("http_proxy", proxy, 1);
	setenv("HTTPS_PROXY", proxy, 1);
	setenv("NO_PROXY", "direct.invalid", 1);
	http = open_http(&(struct http_settings){0});
	ask(http, (struct http_request){.url = "http://kandil.invalid/echo"}, &r);
	CHECK(r.reply.status == 200 && header_is(&r, "X-Proxied", "yes"));
	ask(http, (struct http_request){.url = url("/echo")}, &r);
	CHECK(r.reply.status == 200 && header_is(&r, "X-Proxied", "no"));
	CHECK(
	    faulty(http, (struct http_request){.url = "http://direct.invalid/"}, HTTP_RESOLVE, ""));
	/* It does not allow CONNECT. */
	CHECK(faulty(
	    http, (struct http_request){.url = "https://kandil.invalid/"}, HTTP_PROXY, "proxy"));
	http_close(http);
	unsetenv("http_proxy");
	unsetenv("HTTPS_PROXY");
	unsetenv("NO_PROXY");
	free_result(&r);
}

/* ---- TLS ---- */

static int
shell(const char *line, struct buf *out)
{
	const char *argv[] = {"sh", "-c", line, NULL};

	return spawn_run(&(struct spawn_options){.argv = argv, .flags = SPAWN_ERR}, S(""), 1 << 20,
	    60000, NULL, out, &e);
}

static void
test_tls(void)
{
	char folder[] = "/tmp/kandil-tls-XXXXXX", address[64];
	const char *argv[] = {"openssl", "s_server", "-accept", "127.0.0.1:0", "-key", "key",
	    "-cert", "cert", "-www", NULL};
	struct buf out = {0}, log = {0};
	struct slice none = S("");
	struct spawn server;
	struct http *http;
	const char *at;
	struct result r = {0};

	CHECK(mkdtemp(folder) && chdir(folder) == 0);
	CHECK(shell("openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -days 2 "
		    "-subj /CN=kandil -addext subjectAltName=IP:127.0.0.1",
		  &out) == 0);
	CHECK(spawn_start(&server, &(struct spawn_options){.argv = argv, .flags = SPAWN_ERR}, &e) ==
	      0);
	buf_adds(&log, "");
	while (!(at = strstr(log.ptr, "ACCEPT 127.0.0.1:")) || !strchr(at, '\n'))
		if (spawn_pump(&server, &none, false, &log, &out, 1 << 20, 10000) > SPAWN_MOVED)
			break;
	CHECK(at != NULL);
	snprintf(address, sizeof(address), "https://127.0.0.1:%d/",
	    at ? (int)strtol(at + 17, NULL, 10) : 1);
	http = open_http(&(struct http_settings){.http2 = true});
	CHECK(
	    faulty(http, (struct http_request){.url = address}, HTTP_TLS, "no secure connection"));
	http_close(http);
	/* Its own certificate vouches for it, by the settings or the environment. */
	http = open_http(&(struct http_settings){.ca_file = "cert", .http2 = true});
	ask(http, (struct http_request){.url = address}, &r);
	CHECK(r.reply.fault == HTTP_DONE && r.reply.status == 200 && r.reply.body.len > 100);
	http_close(http);
	setenv("SSL_CERT_FILE", "cert", 1);
	http = open_http(&(struct http_settings){0});
	CHECK(faulty(http, (struct http_request){.url = address}, HTTP_DONE, ""));
	http_close(http);
	setenv("CURL_CA_BUNDLE", "nowhere", 1);
	http = open_http(&(struct http_settings){0});
	CHECK(faulty(http, (struct http_request){.url = address}, HTTP_TLS, "nowhere"));
	http_close(http);
	unsetenv("SSL_CERT_FILE");
	unsetenv("CURL_CA_BUNDLE");
	spawn_end(&server, 0);
	CHECK(shell("rm key cert", &out) == 0 && rmdir(folder) == 0);
	buf_free(&out);
	buf_free(&log);
	free_result(&r);
}

int
main(void)
{
	static const char *const foreign[] = {"http_proxy", "https_proxy", "HTTPS_PROXY",
	    "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", "SSL_CERT_FILE", "CURL_CA_BUNDLE"};
	struct http *http;
	pid_t server;
	int status;

	for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++)
		unsetenv(foreign[i]);
	signal(SIGPIPE, SIG_DFL); /* nothing here may raise it */
	CHECK(shell("head -c 100000000 /dev/zero | gzip -9", &bomb) == 0);
	server = start_server();
	CHECK(server > 0);
	http = open_http(&(struct http_settings){.user_agent = "test/1", .connections = 100});
	test_requests(http);
	test_refused(http);
	test_faults(http);
	test_times(http);
	test_stream(http);
	test_crowd(http);
	test_wait(http);
	http_close(http);
	test_proxy();
	test_tls();
	kill(server, SIGKILL);
	waitpid(server, &status, 0);
	buf_free(&bomb);
	return check_done();
}
