#include "common/child.h"

#include "common/die.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int
child_start(struct child *c, void (*serve)(int fd, void *state), void *state)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	c->pid = fork();
	if (c->pid < 0) {
		c->pid = 0;
		close(ends[0]);
		close(ends[1]);
		return -1;
	}
	if (c->pid == 0) {
		close(ends[0]);
		__fpurge(stdout);
		die_hook(NULL);
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(ends[1], state);
		_exit(0);
	}
	close(ends[1]);
	c->fd = ends[0];
	return 0;
}

void
child_end(struct child *c)
{
	if (c->pid == 0)
		return;
	close(c->fd);
	kill(c->pid, SIGKILL);
	while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
	c->pid = 0;
}

static void
read_all(int fd, void *to, size_t len)
{
	char *at = to;
	ssize_t n;

	while (len > 0) {
		n = recv(fd, at, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(0);
		at += n;
		len -= (size_t)n;
	}
}

/* All of the bytes: 0, or -1 when nobody reads them any more. */
static int
send_all(int fd, const void *from, size_t len)
{
	const char *at = from;
	ssize_t n;

	while (len > 0) {
		n = send(fd, at, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

void
child_read(int fd, struct buf *in)
{
	struct frame frame;

	read_all(fd, &frame, sizeof(frame));
	buf_reset(in);
	read_all(fd, buf_room(in, (size_t)frame.len), (size_t)frame.len);
	in->len = (size_t)frame.len;
	in->ptr[in->len] = '\0';
}

void
child_write(int fd, int64_t status, struct slice bytes)
{
	struct frame frame = {.len = bytes.len, .status = status};

	if (send_all(fd, &frame, sizeof(frame)) < 0 || send_all(fd, bytes.ptr, bytes.len) < 0)
		_exit(0);
}
