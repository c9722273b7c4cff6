/*
 * socket's server against bytes: the examples of RFC 6455 section 5.7, frames
 * that it must refuse, silence and closing.
 */
#include "tests/unit/socket_peer.h"

static struct buf in, out;

static bool
reads(int fd, const char *bytes, size_t len)
{
	buf_reset(&in);
	return raw_read(fd, &in, len) && memcmp(in.ptr, bytes, len) == 0;
}
#define READS(fd, literal) reads(fd, literal, sizeof(literal) - 1)

/* RFC 6455 section 1.3 and 5.7, masked where they come from a client. */
static void
test_examples(void)
{
	int fd;
	char big[65536];

	start((struct socket_server){0});
	serve = echo;
	fd = raw_upgrade(&in, 0);
	CHECK(strncmp(in.ptr, "HTTP/1.1 101 ", 13) == 0);
	CHECK(strstr(in.ptr, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") != NULL);
	CHECK(strcasestr(in.ptr, "extensions") == NULL);
	CHECK(strcasestr(in.ptr, "sec-websocket-protocol") == NULL);
	SEND(fd, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
	CHECK(READS(fd, "\x81\x05Hello"));
	/* In fragments, with a ping between, whose answer does not wait for the rest. */
	buf_reset(&out);
	put_masked(&out, 0x01, S("\x48\x65\x6c"));
	put_masked(&out, 0x89, S("Hello"));
	raw_send(fd, out.ptr, out.len);
	CHECK(READS(fd, "\x8a\x05Hello"));
	CHECK(served[0].messages == 1);
	buf_reset(&out);
	put_masked(&out, 0x80, S("lo"));
	raw_send(fd, out.ptr, out.len);
	CHECK(READS(fd, "\x81\x05Hello"));
	/* An empty last fragment, an empty message, a pong that nobody asked for. */
	buf_reset(&out);
	put_masked(&out, 0x02, S("ab"));
	put_masked(&out, 0x80, S(""));
	put_masked(&out, 0x8a, S("x"));
	put_masked(&out, 0x81, S(""));
	for (size_t i = 0; i < out.len; i++) /* chopped */
		raw_send(fd, out.ptr + i, 1);
	CHECK(READS(fd, "\x82\x02"
			"ab\x81\x00"));
	memset(big, 'b', sizeof(big));
	buf_reset(&out);
	put_masked(&out, 0x82, (struct slice){big, 256});
	raw_send(fd, out.ptr, out.len);
	CHECK(reads(fd, "\x82\x7e\x01\x00", 4) && reads(fd, big, 256));
	/* What is larger than a write leaves in fragments. */
	buf_reset(&out);
	put_masked(&out, 0x82, (struct slice){big, 65536});
	raw_send(fd, out.ptr, out.len);
	CHECK(reads(fd, "\x02\x7e\xff\xfc", 4) && reads(fd, big, 65532));
	CHECK(READS(fd, "\x80\x04"
			"bbbb"));
	CHECK(served[0].messages == 6);
	close(fd);
	UNTIL(served[0].closed);
	CHECK(served[0].end.fault == SOCKET_CUT);
	stop();
}

/* What is no frame ends the connection with a code (0: without one), and says so. */
static void
test_bad_frames(void)
{
	static const struct {
		const char *what;
		struct slice bytes;
		int code;
		enum socket_fault fault;
	} cases[] = {
	    {"rsv1, compressed", S("\xc1\x85\x01\x02\x03\x04Hello"), 1002, SOCKET_GARBAGE},
	    {"rsv2", S("\xa1\x80\x01\x02\x03\x04"), 1002, SOCKET_GARBAGE},
	    {"rsv3 of a ping", S("\x99\x80\x01\x02\x03\x04"), 1002, SOCKET_GARBAGE},
	    {"opcode 3", S("\x83\x80\x01\x02\x03\x04"), 1002, SOCKET_GARBAGE},
	    {"opcode 7", S("\x87\x80\x01\x02\x03\x04"), 1002, SOCKET_GARBAGE},
	    {"opcode 11", S("\x8b\x80\x01\x02\x03\x04"), 1002, SOCKET_GARBAGE},
	    {"opcode 15", S("\x8f\x80\x01\x02\x03\x04"), 1002, SOCKET_GARBAGE},
	    {"ping in fragments", S("\x09\x80\x01\x02\x03\x04"), 1002, SOCKET_GARBAGE},
	    {"continuation of nothing", S("\x80\x80\x01\x02\x03\x04"), 1002, SOCKET_GARBAGE},
	    {"text within a text", S("\x01\x80\x01\x02\x03\x04\x81\x80\x01\x02\x03\x04"), 1002,
		SOCKET_GARBAGE},
	    {"a long ping", S("\x89\xfe\x01\x00\x01\x02\x03\x04"), 0, SOCKET_GARBAGE},
	    {"a length of 64 bits", S("\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\x04"),
		0, SOCKET_GARBAGE},
	    {"a terabyte", S("\x82\xff\x00\x00\x01\x00\x00\x00\x00\x00\x01\x02\x03\x04xxxx"), 1009,
		SOCKET_TOO_LARGE},
	    {"one byte too many", S("\x82\xfe\x03\xe9\x01\x02\x03\x04xxxx"), 1009,
		SOCKET_TOO_LARGE},
	};
	struct peer other = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct peer *beside;
		int fd;

		start((struct socket_server){.max_message = 1000});
		beside = pair(&other);
		fd = raw_upgrade(&in, 0);
		raw_send(fd, cases[i].bytes.ptr, cases[i].bytes.len);
		buf_reset(&in);
		if (cases[i].code)
			CHECK(raw_read(fd, &in, 4) && (unsigned char)in.ptr[0] == 0x88 &&
			      ((unsigned char)in.ptr[2] << 8 | (unsigned char)in.ptr[3]) ==
				  cases[i].code);
		else
			CHECK(!raw_read(fd, &in, 1));
		UNTIL(served[1].closed);
		if (served[1].end.fault != cases[i].fault) {
			fprintf(stderr, "%s: fault %d\n", cases[i].what, (int)served[1].end.fault);
			CHECK(false);
		}
		CHECK(served[1].messages == 0);
		/* Nobody else feels it. */
		socket_say(other.socket, S("still"), false);
		UNTIL(beside->messages == 1);
		close(fd);
		stop();
	}
}

/* Fragments count together against the limit, and not each. */
static void
test_limit(void)
{
	char big[600];
	int fd;

	memset(big, 'x', sizeof(big));
	start((struct socket_server){.max_message = 1000});
	fd = raw_upgrade(&in, 0);
	buf_reset(&out);
	put_masked(&out, 0x01, (struct slice){big, 600});
	put_masked(&out, 0x80, (struct slice){big, 400});
	put_masked(&out, 0x01, (struct slice){big, 600});
	put_masked(&out, 0x80, (struct slice){big, 401});
	put_masked(&out, 0x81, S("late"));
	raw_send(fd, out.ptr, out.len);
	UNTIL(served[0].closed);
	CHECK(served[0].messages == 1 && served[0].last.len == 1000);
	CHECK(served[0].end.fault == SOCKET_TOO_LARGE);
	CHECK_TEXT(socket_code(served[0].end.fault), "message_too_large");
	close(fd);
	stop();
}

/* ---- ten thousand ---- */

static uint32_t due_in, due_back, pongs;

/* Message n, of bytes that no piece of a write can shift unseen. */
static void
number(struct buf *text, uint32_t n, size_t len)
{
	buf_reset(text);
	buf_add(text, &n, sizeof(n));
	for (size_t i = sizeof(n); i < len; i++)
		buf_addc(text, (char)(n + i % 251));
}

static bool
counts_on(struct slice text, uint32_t n)
{
	for (size_t i = sizeof(n); i < text.len; i++)
		if (text.ptr[i] != (char)(n + i % 251))
			return false;
	return true;
}

static void
in_order(struct peer *p, struct slice text, bool binary)
{
	uint32_t n;

	memcpy(&n, text.ptr, sizeof(n));
	CHECK(n == due_in);
	CHECK(counts_on(text, n));
	due_in++;
	socket_say(p->socket, text, binary);
}

/* Takes whole frames off in; a message may be in fragments. */
static void
take_frames(struct buf *message)
{
	for (;;) {
		const unsigned char *b = (const unsigned char *)in.ptr;
		size_t header = 2, len;
		uint32_t n;

		if (in.len < 4)
			return;
		len = b[1] & 0x7f;
		if (len == 126) {
			header = 4;
			len = (size_t)b[2] << 8 | b[3];
		}
		if (in.len < header + len)
			return;
		if (b[0] == 0x8a) { /* between frames, also where one had left in part */
			CHECK(len == 4 && memcmp(b + header, "ping", 4) == 0);
			pongs++;
			buf_splice(&in, 0, header + len, S(""));
			continue;
		}
		buf_add(message, in.ptr + header, len);
		if (b[0] & 0x80) {
			memcpy(&n, message->ptr, sizeof(n));
			CHECK(n == due_back);
			CHECK(counts_on(buf_slice(message), n));
			due_back++;
			buf_reset(message);
		}
		buf_splice(&in, 0, header + len, S(""));
	}
}

static void
test_order(void)
{
	enum { MESSAGES = 10000 };
	struct buf text = {0}, message = {0};
	uint32_t made = 0;
	int fd;

	start((struct socket_server){.max_queue = 64 << 20});
	serve = in_order;
	fd = raw_upgrade(&in, 0);
	buf_reset(&in);
	buf_reset(&out);
	due_in = due_back = pongs = 0;
	while (due_back < MESSAGES && served[0].closed == 0) {
		ssize_t n;
		size_t cut;

		while (made < MESSAGES && out.len < 100000) {
			size_t len = 4 + (rnd(50) ? rnd(300) : rnd(90000)), half;

			number(&text, made, len);
			half = rnd(3) ? text.len : rnd((uint32_t)text.len);
			put_masked(
			    &out, half < text.len ? 0x02 : 0x82, (struct slice){text.ptr, half});
			if (half < text.len)
				put_masked(
				    &out, 0x80, (struct slice){text.ptr + half, text.len - half});
			put_masked(&out, 0x89, S("ping"));
			made++;
		}
		cut =
		    out.len < 1 + (size_t)rnd(40000) ? out.len : 1 + (size_t)rnd((uint32_t)out.len);
		n = out.len ? send(fd, out.ptr, cut, MSG_NOSIGNAL) : 0;
		if (n > 0)
			buf_splice(&out, 0, (size_t)n, S(""));
		sockets_wait(loop, 0);
		cut = 1 + rnd(60000);
		n = recv(fd, buf_room(&in, cut), cut, 0);
		in.len += n > 0 ? (size_t)n : 0;
		take_frames(&message);
	}
	CHECK(due_in == MESSAGES && due_back == MESSAGES && pongs > 0);
	CHECK(sockets_counts(loop)->messages_in == MESSAGES);
	CHECK(sockets_counts(loop)->messages_out == MESSAGES);
	close(fd);
	stop();
	buf_free(&text);
	buf_free(&message);
}

/* Writes of which the kernel takes a part: what is left follows, and no pong comes before. */
static void
test_backlog(void)
{
	enum { ROUNDS = 10 };
	struct buf text = {0}, message = {0};
	uint32_t made = 0;
	int64_t end = time_ms() + PATIENCE;
	int fd;

	start((struct socket_server){.max_queue = 64 << 20});
	fd = raw_upgrade(&in, 65536);
	buf_reset(&in);
	due_back = pongs = 0;
	for (int round = 0; round < ROUNDS && served[0].socket; round++) {
		while (served[0].socket && socket_queued(served[0].socket) == 0 && time_ms() < end) {
			number(&text, made++, 4 + rnd(round % 2 ? 300 : 60000));
			socket_say(served[0].socket, buf_slice(&text), true);
			sockets_wait(loop, 0);
		}
		buf_reset(&out);
		put_masked(&out, 0x89, S("ping"));
		raw_send(fd, out.ptr, out.len);
		while ((due_back < made || pongs <= (uint32_t)round) && time_ms() < end) {
			size_t cut = 1 + rnd(60000);
			ssize_t n = recv(fd, buf_room(&in, cut), cut, 0);

			in.len += n > 0 ? (size_t)n : 0;
			take_frames(&message);
			sockets_wait(loop, n < 0 ? 5 : 0);
		}
		CHECK(due_back == made && pongs == (uint32_t)round + 1);
	}
	CHECK(served[0].closed == 0);
	close(fd);
	stop();
	buf_free(&text);
	buf_free(&message);
}

/* Silence ends a connection; a ping is no silence. */
static void
test_idle(void)
{
	int64_t end = time_ms() + PATIENCE;
	int quiet, pings;

	/* Longer than a busy machine keeps us from the next ping. */
	start((struct socket_server){.idle_ms = 3000});
	quiet = raw_upgrade(&in, 0);
	pings = raw_upgrade(&in, 0);
	while (served[0].closed == 0 && time_ms() < end) {
		buf_reset(&out);
		put_masked(&out, 0x89, S(""));
		raw_send(pings, out.ptr, out.len);
		turn_for(300);
	}
	CHECK(served[0].closed == 1 && served[0].end.fault == SOCKET_TIMEOUT);
	CHECK(READS(quiet, "\x88\x15\x03\xe8silent for too long"));
	CHECK(served[1].closed == 0);
	UNTIL(served[1].closed);
	close(quiet);
	close(pings);
	stop();
}

/* ---- closing ---- */

static void
test_closing(void)
{
	int fd;

	start((struct socket_server){0});
	serve = echo;
	/* The client begins: its code comes back. */
	fd = raw_upgrade(&in, 0);
	buf_reset(&out);
	put_masked(&out, 0x88,
	    S("\x0f\xa1"
	      "bye"));
	raw_send(fd, out.ptr, out.len);
	CHECK(READS(fd, "\x88\x05\x0f\xa1"
			"bye"));
	UNTIL(served[0].closed);
	CHECK(served[0].end.fault == SOCKET_CLOSED && served[0].end.code == 4001);
	CHECK_TEXT(served[0].end.text, "bye");
	CHECK(!raw_read(fd, &in, in.len + 1));
	close(fd);
	/* The server begins: queue, close frame; what still comes is taken, until the answer. */
	fd = raw_upgrade(&in, 0);
	socket_say(served[1].socket, S("last"), false);
	socket_close(served[1].socket, 1001, "going");
	socket_say(served[1].socket, S("never"), false);
	CHECK(READS(fd, "\x81\x04last\x88\x07\x03\xe9going"));
	buf_reset(&out);
	put_masked(&out, 0x81, S("late"));
	raw_send(fd, out.ptr, out.len);
	UNTIL(served[1].messages == 1);
	CHECK(served[1].closed == 0);
	buf_reset(&out);
	put_masked(&out, 0x88, S("\x03\xe9"));
	raw_send(fd, out.ptr, out.len);
	UNTIL(served[1].closed);
	CHECK(served[1].end.fault == SOCKET_CLOSED && served[1].end.code == 1001);
	CHECK_TEXT(served[1].end.text, "going");
	CHECK(!raw_read(fd, &in, in.len + 1));
	close(fd);
	/* A close frame without code; one with control characters in its reason. */
	fd = raw_upgrade(&in, 0);
	buf_reset(&out);
	put_masked(&out, 0x88, S(""));
	raw_send(fd, out.ptr, out.len);
	UNTIL(served[2].closed);
	CHECK(served[2].end.fault == SOCKET_CLOSED && served[2].end.code == 0);
	close(fd);
	fd = raw_upgrade(&in, 0);
	buf_reset(&out);
	put_masked(&out, 0x88, S("\x03\xe8\x1b[31mred\n\xff"));
	raw_send(fd, out.ptr, out.len);
	UNTIL(served[3].closed);
	CHECK_TEXT(served[3].end.text, "?[31mred??");
	close(fd);
	stop();
}

/* Messages that do not end, each within its limit: the largest goes, for what all take. */
static void
test_crowded(void)
{
	static char text[800];
	int large, small;

	memset(text, 'x', sizeof(text));
	start((struct socket_server){.max_begun = 1000});
	large = raw_upgrade(&in, 0);
	small = raw_upgrade(&in, 0);
	buf_reset(&out);
	put_masked(&out, 0x01, (struct slice){text, 800});
	raw_send(large, out.ptr, out.len);
	buf_reset(&out);
	put_masked(&out, 0x01, (struct slice){text, 400});
	raw_send(small, out.ptr, out.len);
	UNTIL(served[0].closed);
	CHECK(served[0].end.fault == SOCKET_CROWDED && served[0].end.code == 1013);
	CHECK(served[1].closed == 0);
	close(large);
	close(small);
	stop();
}

int
main(void)
{
	printf("seed %llu\n", (unsigned long long)seed);
	test_examples();
	test_bad_frames();
	test_limit();
	test_order();
	test_backlog();
	test_idle();
	test_closing();
	test_crowded();
	buf_free(&in);
	buf_free(&out);
	return check_done();
}
