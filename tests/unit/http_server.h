/*
 * http_server: a server on loopback in a process of its own, which does what the path says,
 * well or badly.
 */
#ifndef KANDIL_TEST_HTTP_SERVER_H
#define KANDIL_TEST_HTTP_SERVER_H

#include "common/buf.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static struct buf bomb; /* 100 MB of zeros, as gzip */
static int port;
static int taken[2]; /* a pipe: a byte for each piece of /chunks that the client has */

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

/* Each piece when the client has told that it has the one before. */
static void
answer_chunks(int fd)
{
	char piece[32], byte;

	say(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
		"Transfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 20; i++) {
		snprintf(piece, sizeof(piece), "a\r\npiece %04d\r\n", i);
		say(fd, piece);
		if (read(taken[0], &byte, 1) != 1)
			_exit(0);
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
			if (slow) {
				/* What it has not read is with the client, not on the way. */
				setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){65536}, sizeof(int));
				usleep(8000);
			}
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

	if (fd < 0 || pipe2(taken, O_CLOEXEC) < 0 ||
	    bind(fd, (struct sockaddr *)&at, len) < 0 || listen(fd, 512) < 0 ||
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

/* The address of a path; from a ring, so that some can be used at once. */
static inline const char *
url(const char *path)
{
	static char texts[8][200];
	static int next;
	char *text = texts[next++ % 8];

	snprintf(text, sizeof(texts[0]), "http://127.0.0.1:%d%s", port, path);
	return text;
}

#endif
