/* http against a server on loopback: requests, faults, times, streams, many at once. */
#include "common/http.h"

#include "tests/unit/http_ask.h"
#include "tests/unit/http_server.h"

#include <sys/wait.h>

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
	bool none = http_start(http, &request, &e) == NULL;

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
	/* Of a server with TLS one gets the like of these, but no status. */
	CHECK(mismatched(http, url("/mail")) && mismatched(http, url("/reset")));
	CHECK(!mismatched(http, url("/cut")) && !mismatched(http, url("/badgzip")));
	CHECK(!mismatched(http, "http://127.0.0.1:1/") && !mismatched(http, url("/echo")));
	limited.url = url("/announced");
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
	    .first_byte_ms = 2500,
	    .max_reply = 32 << 20};
	start = time_ms();
	CHECK(faulty(http, r, HTTP_DONE, ""));
	CHECK(time_ms() - start > 2500);
	buf_free(&large);
}

static bool
on_piece(struct http_call *call, struct slice bytes, void *state)
{
	CHECK(write(taken[1], "x", 1) == 1);
	return on_data(call, bytes, state);
}

static void
test_stream(struct http *http)
{
	struct result r = {0};
	struct http_request request = {.url = url("/chunks"), .data = on_piece};

	ask(http, request, &r);
	CHECK(r.reply.fault == HTTP_DONE && r.reply.body.len == 0 && r.streamed.len == 200);
	CHECK(r.pieces == 20); /* as they come, not at the end */
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
	int started, ended, done, cancelled, good;
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
	c->ended++;
	c->good += reply->fault == HTTP_DONE && slice_is(reply->body, "slow");
	/* From within: the next is started, and now and then a neighbour cancelled. */
	if (c->done % 10 == 0)
		for (size_t i = 0; i < 300; i++)
			if (c->calls[i] && i % 7 == 0) {
				http_cancel(c->calls[i]);
				c->calls[i] = NULL;
				c->cancelled++;
				c->ended++;
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
	finish_all(http, &c.ended, &c.started);
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
	CHECK(r.done == 0);
	CHECK(http_wait(http, -1, NULL, 0) == 0);
	CHECK(http_wait(http, 10000, more, 2) == 1);
	/* What is in flight when all is closed is dropped. */
	CHECK(http_start(http, &request, &e) != NULL);
	http_wait(http, 5, NULL, 0);
	close(ends[0]);
	close(ends[1]);
	free_result(&r);
}

int
main(void)
{
	struct http *http;
	pid_t server;
	int status;

	forget_environment();
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
	kill(server, SIGKILL);
	waitpid(server, &status, 0);
	buf_free(&bomb);
	return check_done();
}
