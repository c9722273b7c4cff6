#include "common/spawn.h"

#include "common/mem.h"
#include "common/time.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 64 * 1024, LAST_WORDS = 4096, PATIENCE = 10000 /* ms for a run to end by itself */ };

/* ---- starting ---- */

/* The pipes, [0] to read and [1] to write; failed tells us that exec did not work. */
struct pipes {
	int in[2], out[2], err[2], failed[2];
};

static bool
same_name(const char *a, const char *b)
{
	size_t n = strcspn(b, "=");

	return strcspn(a, "=") == n && memcmp(a, b, n) == 0;
}

/* Ours with the changes; the strings are not copied. */
static char **
environment(const char *const *changes)
{
	size_t n = 0, cap = 0;
	char **made = NULL;

	for (char **old = environ; *old; old++) {
		const char *const *c = changes;

		while (c && *c && !same_name(*old, *c))
			c++;
		if (c && *c)
			continue;
		made = xgrow(made, n, &cap, sizeof(*made));
		made[n++] = *old;
	}
	for (const char *const *c = changes; c && *c; c++) {
		if (!strchr(*c, '='))
			continue;
		made = xgrow(made, n, &cap, sizeof(*made));
		made[n++] = (char *)(uintptr_t)*c;
	}
	made = xgrow(made, n, &cap, sizeof(*made));
	made[n] = NULL;
	return made;
}

static void
close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
close_pipes(struct pipes *p)
{
	int *const ends[] = {p->in, p->out, p->err, p->failed};

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		close_end(&ends[i][0]);
		close_end(&ends[i][1]);
	}
}

static int
open_pipes(struct pipes *p, unsigned flags)
{
	*p = (struct pipes){{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
	if ((flags & SPAWN_NO_IN || pipe2(p->in, O_CLOEXEC) == 0) &&
	    (flags & SPAWN_NO_OUT || pipe2(p->out, O_CLOEXEC) == 0) &&
	    (!(flags & SPAWN_ERR) || pipe2(p->err, O_CLOEXEC) == 0) &&
	    pipe2(p->failed, O_CLOEXEC) == 0)
		return 0;
	close_pipes(p);
	return -1;
}

/* What we catch or ignore for ourselves is not the program's. */
static void
default_signals(void)
{
	struct sigaction action;
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		if (sigaction(s, NULL, &action) == 0 &&
		    (s == SIGPIPE || s == SIGXFSZ || s == SIGCHLD || action.sa_handler != SIG_IGN))
			signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child, where nothing may allocate: threads of libcurl's may hold locks. */
static _Noreturn void
become(const struct spawn_options *o, struct pipes *p, char *const *env, pid_t parent)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), error;

	if (o->flags & SPAWN_GROUP)
		setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(127); /* it went before that was in force */
	if (dup2(o->flags & SPAWN_NO_IN ? null : p->in[0], STDIN_FILENO) >= 0 &&
	    dup2(o->flags & SPAWN_NO_OUT ? null : p->out[1], STDOUT_FILENO) >= 0 &&
	    (!(o->flags & SPAWN_ERR) || dup2(p->err[1], STDERR_FILENO) >= 0)) {
		/* Also what libraries opened. */
		close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
		default_signals();
		execvpe(o->argv[0], (char *const *)(uintptr_t)o->argv, env);
	}
	error = errno;
	if (write(p->failed[1], &error, sizeof(error)) < 0)
		_exit(126);
	_exit(127);
}

static int
fail_start(const char *name, int error, struct err *e)
{
	if (error == ENOENT)
		return err_set(e, "no_command", "the program '%s' is not found", name);
	return err_set(e, "command_failed", "cannot run '%s': %s", name, strerror(error));
}

/* Our end of a pipe, which the pipe gives up. */
static int
keep(int *end)
{
	int fd = *end;

	*end = -1;
	if (fd >= 0)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return fd;
}

int
spawn_start(struct spawn *s, const struct spawn_options *o, struct err *e)
{
	struct pipes p;
	char **env;
	sigset_t all, before;
	pid_t parent = getpid();
	int error = 0;
	ssize_t n;

	*s = (struct spawn){.in = -1, .out = -1, .err = -1, .flags = o->flags};
	if (open_pipes(&p, o->flags) < 0)
		return fail_start(o->argv[0], errno, e);
	env = environment(o->env);
	/* Our handlers must not run in the child. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	s->pid = fork();
	if (s->pid == 0)
		become(o, &p, env, parent);
	error = s->pid < 0 ? errno : 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	free(env);
	if (s->pid > 0) {
		if (o->flags & SPAWN_GROUP)
			setpgid(s->pid, s->pid); /* whoever comes first */
		close_end(&p.failed[1]);
		do
			n = read(p.failed[0], &error, sizeof(error));
		while (n < 0 && errno == EINTR);
		if (n == 0)
			error = 0;
		else
			waitpid(s->pid, &s->status, 0);
	}
	if (error) {
		s->pid = 0;
		close_pipes(&p);
		return fail_start(o->argv[0], error, e);
	}
	s->in = keep(&p.in[1]);
	s->out = keep(&p.out[0]);
	s->err = keep(&p.err[0]);
	close_pipes(&p);
	return 0;
}

/* ---- talking ---- */

void
spawn_close_in(struct spawn *s)
{
	close_end(&s->in);
}

/* write(2) to somebody who may be gone, without the signal. */
static ssize_t
write_quietly(int fd, const char *bytes, size_t len)
{
	static const struct timespec now;
	sigset_t pipe, before, pending;
	ssize_t n;
	int error;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	sigpending(&pending);
	sigprocmask(SIG_BLOCK, &pipe, &before);
	n = write(fd, bytes, len);
	error = errno;
	/* One that was pending before is somebody else's. */
	if (n < 0 && error == EPIPE && !sigismember(&pending, SIGPIPE))
		sigtimedwait(&pipe, NULL, &now);
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return n;
}

static bool
later(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void
put(struct spawn *s, struct slice *input)
{
	ssize_t n = write_quietly(s->in, input->ptr, input->len);

	if (later(n))
		return;
	if (n < 0) {
		/* It reads no more; what it says may still be worth having. */
		input->ptr += input->len;
		input->len = 0;
		spawn_close_in(s);
		return;
	}
	input->ptr += n;
	input->len -= (size_t)n;
}

static void
get(int *fd, struct buf *to, size_t max)
{
	size_t room = max - to->len < BLOCK ? max - to->len : BLOCK;
	ssize_t n = read(*fd, buf_room(to, room), room);

	if (later(n))
		return;
	if (n <= 0) {
		close_end(fd);
		return;
	}
	to->len += (size_t)n;
	to->ptr[to->len] = '\0';
}

static bool
closed(const struct spawn *s)
{
	if (!(s->flags & SPAWN_NO_OUT))
		return s->out < 0;
	return s->err < 0 && s->in < 0;
}

enum spawn_turn
spawn_pump(struct spawn *s, struct slice *input, bool close_in, struct buf *out, struct buf *err,
    size_t max, int64_t timeout_ms)
{
	struct pollfd fds[3];
	int n, wait = timeout_ms < 0 ? -1 : timeout_ms > INT32_MAX ? INT32_MAX : (int)timeout_ms;

	if (s->in < 0) {
		input->ptr += input->len;
		input->len = 0;
	} else if (close_in && !input->len) {
		spawn_close_in(s);
	}
	if (closed(s))
		return SPAWN_CLOSED;
	if ((s->out >= 0 && out->len >= max) || (s->err >= 0 && err->len >= max))
		return SPAWN_FULL;
	/* A pipe without bytes for it is watched too: that it is closed is news. */
	fds[0] = (struct pollfd){s->in, input->len ? POLLOUT : 0, 0};
	fds[1] = (struct pollfd){s->out, POLLIN, 0};
	fds[2] = (struct pollfd){s->err, POLLIN, 0};
	n = poll(fds, 3, wait);
	if (n == 0)
		return SPAWN_TIMEOUT;
	if (n < 0)
		return SPAWN_MOVED;
	if (fds[1].revents)
		get(&s->out, out, max);
	if (fds[2].revents)
		get(&s->err, err, max);
	if (fds[0].revents && input->len)
		put(s, input);
	else if (fds[0].revents)
		spawn_close_in(s);
	return closed(s) ? SPAWN_CLOSED : SPAWN_MOVED;
}

/* ---- ending ---- */

bool
spawn_ended(struct spawn *s)
{
	if (s->pid > 0 && waitpid(s->pid, &s->status, WNOHANG) == s->pid)
		s->pid = 0;
	return s->pid == 0;
}

/* Waits at most ms (-1: any time), looking ever more seldom. */
static bool
wait_for(struct spawn *s, int64_t ms)
{
	int64_t end = time_ms() + ms, pause = 1;

	while (!spawn_ended(s)) {
		struct timespec ts = {0, pause * 1000000};

		if (ms >= 0 && time_ms() >= end)
			return false;
		nanosleep(&ts, NULL);
		pause = pause < 16 ? 2 * pause : 16;
	}
	return true;
}

static void
tell(const struct spawn *s, int number)
{
	kill(s->flags & SPAWN_GROUP ? -s->pid : s->pid, number);
}

int
spawn_end(struct spawn *s, int64_t grace_ms)
{
	pid_t group = s->flags & SPAWN_GROUP ? s->pid : 0;

	close_end(&s->in);
	close_end(&s->out);
	close_end(&s->err);
	if (s->pid == 0)
		return s->status;
	if (grace_ms <= 0 || !wait_for(s, grace_ms)) {
		if (grace_ms > 0)
			tell(s, SIGTERM);
		if (grace_ms <= 0 || !wait_for(s, grace_ms)) {
			tell(s, SIGKILL);
			wait_for(s, -1);
		}
	}
	if (group > 0)
		kill(-group, SIGKILL); /* children that it left behind */
	return s->status;
}

/* ---- in one go ---- */

static struct slice
last_line(const struct buf *err)
{
	struct slice text = slice_trim(buf_slice(err));
	const char *lf = text.len ? memrchr(text.ptr, '\n', text.len) : NULL;

	return lf ? (struct slice){lf + 1, text.len - (size_t)(lf + 1 - text.ptr)} : text;
}

static int
fail_status(const char *name, int status, const struct buf *err, struct err *e)
{
	struct slice words = last_line(err);
	struct buf text = {0};

	buf_adds(&text, words.len ? ": " : "");
	buf_add_visible(&text, (struct slice){words.ptr, words.len < 200 ? words.len : 200});
	if (WIFSIGNALED(status))
		err_set(e, "command_failed", "'%s' was ended by signal %d%s", name,
		    WTERMSIG(status), text.ptr);
	else
		err_set(e, "command_failed", "'%s' failed with status %d%s", name,
		    WEXITSTATUS(status), text.ptr);
	buf_free(&text);
	return -1;
}

/* Until its output ends: 0, or -1. */
static int
run_pump(struct spawn *s, struct slice input, size_t max, int64_t end, bool (*stop)(void),
    struct buf *out, struct buf *err, struct err *e)
{
	size_t last = max < LAST_WORDS ? max : LAST_WORDS;

	for (;;) {
		int64_t left = end == INT64_MAX ? -1 : end - time_ms();

		if (stop && stop())
			return err_set(e, "interrupted", "interrupted");
		/* A program that talks without end does not let poll time out. */
		if (end != INT64_MAX && left <= 0)
			return err_set(e, "timeout", "no end within the time allowed");
		switch (spawn_pump(s, &input, true, out, err, max, left)) {
		case SPAWN_MOVED:
		case SPAWN_TIMEOUT:
			break;
		case SPAWN_FULL:
			if (out && out->len >= max)
				return err_set(e, "too_large", "more output than expected");
			break;
		case SPAWN_CLOSED:
			return 0;
		}
		/* The end is what tells. */
		if (err->len >= last)
			buf_splice(err, 0, err->len - last / 2, (struct slice){"", 0});
	}
}

int
spawn_run(const struct spawn_options *o, struct slice input, size_t max_output, int64_t timeout_ms,
    bool (*stop)(void), struct buf *out, struct err *e)
{
	struct spawn s;
	struct buf err = {0};
	struct err why;
	const char *name = o->argv[0];
	size_t before = out ? out->len : 0;
	int64_t end = timeout_ms < 0 ? INT64_MAX : time_ms() + timeout_ms, left;
	int result, status;

	if (spawn_start(&s, o, e) < 0)
		return -1;
	result = run_pump(&s, input, before + max_output + 1, end, stop, out, &err, &why);
	if (result < 0) {
		spawn_end(&s, 0);
		err_set(e, why.code, "'%s': %s", name, why.text);
	} else {
		left = end == INT64_MAX ? PATIENCE : end - time_ms();
		status = spawn_end(&s, left > 0 ? left : 1);
		if (status != 0)
			result = fail_status(name, status, &err, e);
	}
	if (result < 0 && out)
		buf_cut(out, before);
	buf_free(&err);
	return result;
}
