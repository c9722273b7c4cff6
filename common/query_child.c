/*
 * A program that is not trusted runs in a child that has nothing: no
 * environment, no descriptor but its socket and no right to open one, bounded
 * memory, and a CPU timer that starts anew for each run. What it is told to do
 * wrong kills it; the parent says so, and starts another for the next record.
 */
#include "common/child.h"
#include "common/mem.h"
#include "common/query_part.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	MAX_DEATHS = 16,   /* then the program is not started again */
	WALL_FACTOR = 60, /* of the CPU limit: the machine may be busy */
};

/* The statuses of the frames that the child sends. */
enum { ANSWER_RESULT, ANSWER_DONE, ANSWER_ERROR };

/* Bytes of ANSWER_ERROR: struct err, with its code in place of a pointer. */
struct report {
	char code[32];
	struct err err;
};

struct query_child {
	const char *name;
	struct buf program;
	struct query_limits limits;
	struct child child;
	unsigned deaths;
	struct buf in;
};

/* In the child. */

#if defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SPACE 0 /* its shadow needs terabytes of it */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADDRESS_SPACE 0
#endif
#endif
#ifndef ADDRESS_SPACE
#define ADDRESS_SPACE 1
#endif

static size_t
address_space(void)
{
	char line[128] = "0";
	FILE *f = fopen("/proc/self/statm", "re");

	if (f == NULL || fgets(line, sizeof(line), f) == NULL)
		_exit(1);
	fclose(f);
	return strtoul(line, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

static void
limit(int what, size_t n)
{
	struct rlimit r = {n, n};

	/* A child without its limits must not run. */
	if (setrlimit((__rlimit_resource_t)what, &r) != 0)
		_exit(1);
}

static void
lock_in(int fd, const struct query_limits *limits)
{
	int null = open("/dev/null", O_RDWR);

	for (int i = 0; i <= 2; i++)
		if (dup2(null, i) < 0)
			_exit(1);
	close_range(3, (unsigned)fd - 1, 0);
	close_range((unsigned)fd + 1, ~0U, 0);
	if (ADDRESS_SPACE)
		limit(RLIMIT_AS, address_space() + limits->memory);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, 0);
	limit(RLIMIT_NOFILE, 0);
	limit(RLIMIT_NPROC, 0);
	signal(SIGPROF, SIG_DFL);
}

/* SIGPROF ends us after so much CPU time from now on. */
static void
start_clock(long cpu_ms)
{
	struct itimerval t = {.it_value = {cpu_ms / 1000, cpu_ms % 1000 * 1000}};

	setitimer(ITIMER_PROF, &t, NULL);
}

static void
send_result(struct slice value, void *state)
{
	child_write(*(int *)state, ANSWER_RESULT, value);
}

static void
send_end(int fd, int rc, const struct err *e)
{
	struct report r = {.err = *e};

	if (rc == 0) {
		child_write(fd, ANSWER_DONE, (struct slice){"", 0});
		return;
	}
	snprintf(r.code, sizeof(r.code), "%s", e->code);
	child_write(fd, ANSWER_ERROR, (struct slice){(const char *)&r, sizeof(r)});
}

static void
serve(int fd, void *state)
{
	struct query_child *c = state;
	struct query_jq *jq;
	struct buf input = {0};
	struct err e = {.code = ""};
	int rc;

	lock_in(fd, &c->limits);
	start_clock(c->limits.cpu_ms);
	rc = query_jq_open(&jq, buf_slice(&c->program), &e);
	send_end(fd, rc, &e);
	if (rc < 0)
		return;
	for (;;) {
		child_read(fd, &input);
		start_clock(c->limits.cpu_ms);
		send_end(fd, query_jq_run(jq, buf_slice(&input), send_result, &fd, &e), &e);
	}
}

/* In the parent. */

static long long
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Reads all of len bytes before the deadline: 0 or -1. */
static int
read_by(int fd, void *to, size_t len, long long deadline)
{
	struct pollfd p = {fd, POLLIN, 0};
	char *at = to;
	ssize_t n;

	while (len > 0) {
		long long left = deadline - now_ms();

		if (left <= 0)
			return -1;
		if (poll(&p, 1, left > 1000 ? 1000 : (int)left) <= 0)
			continue;
		n = recv(fd, at, len, MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return -1;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The child is gone, or has to go: why, as an error. */
static int
buried(struct query_child *c, struct err *e)
{
	int status = child_end(&c->child);

	c->deaths++;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF)
		return err_set(e, "query_killed", "%s: stopped after %ld ms of computing", c->name,
		    c->limits.cpu_ms);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return err_set(e, "query_killed", "%s: stopped: no answer in time", c->name);
	if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_FAILED)
		return err_set(e, "query_killed", "%s: stopped: more than %zu MB of memory", c->name,
		    c->limits.memory >> 20);
	return err_set(e, "query_killed", "%s: crashed (%s %d)", c->name,
	    WIFSIGNALED(status) ? "signal" : "status",
	    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

/* The codes that come from there are known here, and static. */
static const char *
known_code(const char *code)
{
	static const char *const codes[] = {"bad_program", "query_failed", "too_deep",
	    "lone_surrogate", "too_long", "not_json"};

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (strcmp(code, codes[i]) == 0)
			return codes[i];
	return "query_failed";
}

static int
read_report(struct query_child *c, struct err *e)
{
	struct report r;

	if (c->in.len != sizeof(r))
		return buried(c, e);
	memcpy(&r, c->in.ptr, sizeof(r));
	r.code[sizeof(r.code) - 1] = '\0';
	r.err.text[sizeof(r.err.text) - 1] = '\0';
	err_set(e, known_code(r.code), "%s: %s", c->name, r.err.text);
	if (e)
		e->line = r.err.line;
	return -1;
}

/* Hands results on until the child says that this was all. */
static int
answers(struct query_child *c, query_result *result, void *state, struct err *e)
{
	long long deadline = now_ms() + WALL_FACTOR * c->limits.cpu_ms;
	size_t left = 2 * (size_t)QUERY_OUTPUT;
	struct frame f;

	for (;;) {
		if (read_by(c->child.fd, &f, sizeof(f), deadline) < 0 || f.len > left)
			return buried(c, e);
		buf_reset(&c->in);
		if (read_by(c->child.fd, buf_room(&c->in, (size_t)f.len), (size_t)f.len, deadline) < 0)
			return buried(c, e);
		c->in.len = (size_t)f.len;
		c->in.ptr[c->in.len] = '\0';
		if (f.status == ANSWER_DONE)
			return 0;
		if (f.status == ANSWER_ERROR)
			return read_report(c, e);
		left -= (size_t)f.len;
		result(buf_slice(&c->in), state);
	}
}

static int
start(struct query_child *c, struct err *e)
{
	if (child_start(&c->child, serve, c) < 0)
		return err_set(e, "query_failed", "%s: cannot start a process", c->name);
	if (answers(c, NULL, NULL, e) == 0)
		return 0;
	child_end(&c->child);
	return -1;
}

int
query_child_open(struct query_child **out, const char *name, struct slice program,
    const struct query_limits *limits, struct err *e)
{
	struct query_child *c = xcalloc(1, sizeof(*c));

	c->name = name;
	c->limits = *limits;
	buf_addslice(&c->program, program);
	if (start(c, e) == 0) {
		*out = c;
		return 0;
	}
	query_child_close(c);
	return -1;
}

int
query_child_run(struct query_child *c, struct slice input, query_result *result, void *state,
    struct err *e)
{
	struct frame f = {.len = input.len};

	if (c->deaths >= MAX_DEATHS)
		return err_set(e, "query_killed", "%s: stopped %u times, not started again", c->name,
		    c->deaths);
	if (c->child.pid == 0 && start(c, e) < 0)
		return -1;
	if (child_send(c->child.fd, &f, sizeof(f)) < 0 ||
	    child_send(c->child.fd, input.ptr, input.len) < 0)
		return buried(c, e);
	return answers(c, result, state, e);
}

void
query_child_close(struct query_child *c)
{
	if (c == NULL)
		return;
	child_end(&c->child);
	buf_free(&c->program);
	buf_free(&c->in);
	free(c);
}
