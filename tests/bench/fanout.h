/*
 * fanout: what the load (fanout.c) and the floor (floor.c) share: frames of
 * WebSockets, sockets that do not wait, memory, an end where something fails.
 */
#ifndef KANDIL_BENCH_FANOUT_H
#define KANDIL_BENCH_FANOUT_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ = 1 << 16 };

_Noreturn static void
fail(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(3);
}

static void *
take(size_t n)
{
	void *p = calloc(1, n);

	if (p == NULL)
		fail("memory");
	return p;
}

static void
quick(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	fcntl(fd, F_SETFL, O_NONBLOCK);
}

/* Appends a frame; masked (with zeros, so the bytes stay) as clients must. */
static size_t
frame(char *out, const void *payload, size_t n, int opcode, bool masked)
{
	size_t at = 0, i;

	out[at++] = (char)(0x80 | opcode);
	if (n < 126) {
		out[at++] = (char)((masked ? 0x80 : 0) | (int)n);
	} else {
		out[at++] = (char)((masked ? 0x80 : 0) | 126);
		out[at++] = (char)(n >> 8);
		out[at++] = (char)n;
	}
	for (i = 0; masked && i < 4; i++)
		out[at++] = 0;
	memcpy(out + at, payload, n);
	return at + n;
}

/* As many connections as the machine allows. */
static void
raise_limit(void)
{
	struct rlimit r;

	getrlimit(RLIMIT_NOFILE, &r);
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
}

#endif
