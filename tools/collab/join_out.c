#include "tools/collab/join_part.h"

#include "common/time.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXTRA_MOST = 4 << 20 }; /* of lines that wait for a slow reader */

/*
 * Whether stdout blocks is a property that it shares with others: a shell, the other end of
 * a terminal. So we do not change it: a pipe or a terminal is opened once more for
 * ourselves. One of another user's (sudo, su) cannot be: it gets what it has room for.
 */
void
join_out_open(struct join *j)
{
	struct join_out *o = &j->out;
	struct epoll_event event = {.events = EPOLLOUT};
	struct stat st;

	o->fd = STDOUT_FILENO;
	o->ready = -1;
	o->block = true;
	if (fstat(STDOUT_FILENO, &st) != 0)
		return;
	o->socket = S_ISSOCK(st.st_mode);
	if (S_ISFIFO(st.st_mode) || isatty(STDOUT_FILENO)) {
		int fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

		o->pieces = fd < 0;
		o->fd = fd < 0 ? STDOUT_FILENO : fd;
	} else if (!o->socket) {
		return;
	}
	o->ready = epoll_create1(EPOLL_CLOEXEC);
	o->block = o->ready < 0 || epoll_ctl(o->ready, EPOLL_CTL_ADD, o->fd, &event) != 0;
}

static _Noreturn void
failed(void)
{
	/* As for every filter: nobody reads on, and we end quietly. */
	if (errno == EPIPE) {
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	die(STATUS_FAILED, "cannot write standard output:");
}

static ssize_t
put(const struct join_out *o, const char *bytes, size_t len)
{
	if (o->socket)
		return send(o->fd, bytes, len, MSG_NOSIGNAL | (o->block ? 0 : MSG_DONTWAIT));
	if (o->pieces) {
		struct pollfd fd = {.fd = o->fd, .events = POLLOUT};

		/* Writable is a pipe that takes so much at once (POSIX, write). */
		len = len < PIPE_BUF ? len : PIPE_BUF;
		if (poll(&fd, 1, 0) == 0) {
			errno = EAGAIN;
			return -1;
		}
	}
	return write(o->fd, bytes, len);
}

/* Writes what stdout takes; true: all. */
static bool
flush_line(struct join_out *o)
{
	while (o->at < o->line.len) {
		ssize_t n = put(o, o->line.ptr + o->at, o->line.len - o->at);

		if (n >= 0)
			o->at += (size_t)n;
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			return false;
		else if (errno != EINTR)
			failed();
	}
	buf_reset(&o->line);
	o->at = 0;
	return true;
}

static void
woken(void *state)
{
	(void)state; /* the loop's next turn writes on */
}

/* Wakes the loop when there is room; when nothing waits, not. */
static void
watch(struct join *j, bool on)
{
	struct join_out *o = &j->out;

	if (on && o->watch == NULL && o->ready >= 0)
		o->watch = sockets_watch(j->loop, o->ready, woken, NULL);
	else if (!on && o->watch) {
		sockets_unwatch(o->watch);
		o->watch = NULL;
	}
}

bool
join_out_idle(struct join *j)
{
	struct join_out *o = &j->out;

	if (!flush_line(o)) {
		watch(j, true);
		return false;
	}
	if (o->extra.len && o->place == 0) {
		struct buf empty = o->line;

		o->line = o->extra;
		o->extra = empty;
		if (!flush_line(o)) {
			watch(j, true);
			return false;
		}
	}
	watch(j, false);
	return true;
}

bool
join_out_write(struct join *j, struct slice line, uint64_t place)
{
	buf_addslice(&j->out.line, line);
	buf_addc(&j->out.line, '\n');
	j->out.place = place;
	if (flush_line(&j->out))
		return true;
	watch(j, true);
	return false;
}

void
join_out_extra(struct join *j, struct slice line, bool must)
{
	struct join_out *o = &j->out;

	if (!must && o->extra.len + line.len > EXTRA_MOST) {
		if (o->dropped++ == 0)
			warn("standard output is not read: records of presence and status are left out");
		return;
	}
	buf_addslice(&o->extra, line);
	buf_addc(&o->extra, '\n');
}

bool
join_out_finish(struct join *j, int64_t ms)
{
	struct join_out *o = &j->out;
	int64_t end = time_ms() + ms;
	struct pollfd fd = {.fd = o->fd, .events = POLLOUT};

	while (!join_out_idle(j)) {
		int64_t left = end - time_ms();

		if (left <= 0 || (poll(&fd, 1, (int)left) < 0 && errno != EINTR))
			return false;
	}
	return true;
}

void
join_out_close(struct join *j)
{
	struct join_out *o = &j->out;

	watch(j, false);
	if (o->ready >= 0)
		close(o->ready);
	if (o->fd != STDOUT_FILENO)
		close(o->fd);
	buf_free(&o->line);
	buf_free(&o->extra);
}
