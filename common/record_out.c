/*
 * Writing: stdout and its end, -o, --rejects, and signals.
 *
 * SIGINT and SIGTERM end a run between two records. The first is only
 * remembered (a byte in a pipe wakes a blocked read); a second one finds the
 * default action and ends us at once.
 */
#include "common/mem.h"
#include "common/record_io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static volatile sig_atomic_t caught;
static int wake[2] = {-1, -1};
static const char *kept_part; /* for the last words */
static bool terminal;

static void
on_signal(int number)
{
	int error = errno;

	caught = number;
	if (write(wake[1], "", 1) < 0)
		errno = error; /* the pipe is full: it wakes anyway */
	errno = error;
}

bool
run_interrupted(void)
{
	return caught != 0;
}

static void
catch(int number)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART}, old;

	action.sa_flags |= (int)SA_RESETHAND;

	/* What the parent ignores (nohup, a background job) stays ignored. */
	if (sigaction(number, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		sigaction(number, &action, NULL);
}

void
out_signals(void)
{
	/*
	 * A closed standard descriptor would be given to the next file opened.
	 * stdout is put on a descriptor that cannot be written, so that the
	 * loss is noticed.
	 */
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			open("/dev/null", fd == 2 ? O_WRONLY : O_RDONLY);
	signal(SIGPIPE, SIG_DFL);
	if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) == 0) {
		catch(SIGINT);
		catch(SIGTERM);
	}
	terminal = isatty(STDOUT_FILENO);
	setvbuf(stdout, NULL, _IOFBF, 64 * 1024);
}

static _Noreturn void
die_output(void)
{
	/* stdio would try again, and fail again, at exit. */
	__fpurge(stdout);
	if (kept_part)
		die(STATUS_FAILED, "cannot write '%s':", kept_part);
	die(STATUS_FAILED, "cannot write standard output:");
}

static void
flush(void)
{
	if (fflush(stdout) != 0)
		die_output();
}

bool
out_wait(int fd)
{
	struct pollfd fds[] = {{fd, POLLIN, 0}, {wake[0], POLLIN, 0}};

	if (caught)
		return false;
	if (__fpending(stdout) && poll(fds, 1, 0) == 0)
		flush();
	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		;
	return !caught;
}

/* Runs when we die: names what stayed behind. */
static void
last_words(void)
{
	if (kept_part)
		warn("what was written so far is in '%s'", kept_part);
}

static int
open_part(const char *part)
{
	int fd;

	/* A link that lies there in its place is not followed. */
	unlink(part);
	fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0)
		die(STATUS_FAILED, "cannot write '%s':", part);
	return fd;
}

static char *
part_name(const char *name, const char *suffix)
{
	struct buf b = {0};

	buf_addf(&b, "%s%s", name, suffix);
	return buf_detach(&b);
}

/*
 * A device or a pipe is written as it is; a file gets a part first, beside
 * what a link points to.
 */
static void
open_output(struct run *run, const char *name)
{
	struct stat st;
	bool plain = stat(name, &st) == 0 && !S_ISREG(st.st_mode);
	char *target = realpath(name, NULL), *part = NULL;
	int fd;

	if (target == NULL)
		target = xstrdup(name);
	if (plain) {
		fd = open(name, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			die(STATUS_FAILED, "cannot write '%s':", name);
	} else {
		part = part_name(target, ".part");
		fd = open_part(part);
	}
	if (dup2(fd, STDOUT_FILENO) < 0)
		die(STATUS_FAILED, "cannot redirect standard output:");
	close(fd);
	terminal = isatty(STDOUT_FILENO);
	run->io->part = part;
	run->io->target = target;
	kept_part = part;
	die_hook(last_words);
}

static FILE *
open_rejects(const char *name, const char *suffix)
{
	char *part = part_name(name, suffix);
	FILE *f = fdopen(open_part(part), "w");

	if (f == NULL)
		die(STATUS_FAILED, "cannot write '%s':", part);
	free(part);
	return f;
}

void
out_open(struct run *run)
{
	if (run->common->output)
		open_output(run, run->common->output);
	if (run->common->rejects) {
		run->io->rejects = open_rejects(run->common->rejects, ".part");
		run->io->why = open_rejects(run->common->rejects, ".why.part");
	}
}

void
out_line(struct slice object)
{
	fwrite_unlocked(object.ptr, 1, object.len, stdout);
	putc_unlocked('\n', stdout);
	if (ferror_unlocked(stdout))
		die_output();
	if (terminal)
		flush();
}

void
out_reject(struct record_io *io, struct slice original, struct slice why)
{
	fwrite(original.ptr, 1, original.len, io->rejects);
	putc('\n', io->rejects);
	fwrite(why.ptr, 1, why.len, io->why);
	putc('\n', io->why);
}

static void
finish_part(const char *name, const char *suffix, const char *target_suffix)
{
	char *part = part_name(name, suffix), *target = part_name(name, target_suffix);

	if (rename(part, target) != 0)
		die(STATUS_FAILED, "cannot rename '%s' to '%s':", part, target);
	free(part);
	free(target);
}

static void
close_rejects(struct run *run)
{
	struct record_io *io = run->io;
	const char *name = run->common->rejects;

	if (io->rejects == NULL)
		return;
	if (fclose(io->rejects) != 0 || fclose(io->why) != 0)
		die(STATUS_FAILED, "cannot write '%s':", name);
	io->rejects = io->why = NULL;
	finish_part(name, ".part", "");
	finish_part(name, ".why.part", ".why");
}

void
out_close(struct run *run)
{
	struct record_io *io = run->io;
	const char *name = io->target;
	struct stat old;

	flush();
	if (caught) {
		last_words();
		return;
	}
	close_rejects(run);
	if (io->part) {
		if (stat(name, &old) == 0 && fchmod(STDOUT_FILENO, old.st_mode & 07777) != 0)
			warn("cannot keep the mode of '%s':", name);
		if (run->status >= STATUS_FAILED) {
			last_words();
		} else {
			if (fsync(STDOUT_FILENO) != 0)
				die_output();
			finish_part(name, ".part", "");
		}
		kept_part = NULL;
	}
	free(io->part);
	free(io->target);
	io->part = io->target = NULL;
	if (fclose(stdout) != 0)
		die(STATUS_FAILED, "cannot write standard output:");
}

void
out_raise(void)
{
	if (!caught)
		return;
	/* By the signal itself, so that make and shells see what happened. */
	signal(caught, SIG_DFL);
	raise(caught);
}
