/*
 * Writing: stdout and its end, -o, --rejects, and signals.
 *
 * SIGINT and SIGTERM end a run between two records. The first is only
 * remembered (a byte in a pipe wakes a blocked read); a second one finds the
 * default action and ends us at once. Where a jq program runs, which may be for ever, an alarm
 * ends us GRACE_S later.
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

enum { GRACE_S = 1 };

static volatile sig_atomic_t caught, busy, armed, ending;
static int wake[2] = {-1, -1};
static const char *kept_part; /* for the last words */
static const char *secret_part, *secret_name; /* run_private: nothing of it may stay */
static bool terminal;

/* Runs when we die: names what stayed behind. */
static void
last_words(void)
{
	if (secret_part)
		unlink(secret_part);
	else if (kept_part)
		warn("what was written so far is in '%s'", kept_part);
}

/* The work that lasts is no reason to keep what is written already: a first alarm sees to that. */
static void
on_alarm(int number)
{
	(void)number;
	armed = 0;
	if (!busy)
		return; /* who works asks run_interrupted, or will soon be busy again */
	signal(caught, SIG_DFL);
	if (!ending) {
		ending = 1;
		alarm(GRACE_S); /* for a reader that does not read */
		/* A jq program is in nobody's way: stdio is not in use, and holds whole lines. */
		last_words();
		fflush(stdout);
	}
	raise(caught);
}

static void
arm(void)
{
	if (armed)
		return;
	armed = 1;
	alarm(GRACE_S);
}

void
run_busy(bool yes)
{
	busy = yes;
	if (yes && caught)
		arm();
}

static void
on_signal(int number)
{
	int error = errno;

	caught = number;
	if (busy)
		arm();
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
	struct sigaction bell = {.sa_handler = on_alarm};

	/*
	 * A closed standard descriptor would be given to the next file opened.
	 * stdout is put on a descriptor that cannot be written, so that the
	 * loss is noticed.
	 */
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			open("/dev/null", fd == 2 ? O_WRONLY : O_RDONLY);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_IGN); /* ulimit -f: the write fails, as on a full disk */
	bell.sa_flags = (int)(SA_RESTART | SA_NODEFER);
	sigaction(SIGALRM, &bell, NULL);
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
	if (kept_part || secret_name)
		die(STATUS_FAILED, "cannot write '%s':", kept_part ? kept_part : secret_name);
	die(STATUS_FAILED, "cannot write standard output:");
}

static void
flush(void)
{
	if (fflush(stdout) != 0)
		die_output();
}

int
run_signal_fd(void)
{
	return wake[0];
}

void
record_flush(struct run *run)
{
	(void)run;
	flush();
}

int
out_ready(int fd)
{
	struct pollfd fds = {fd, POLLIN, 0};
	int n;

	do
		n = caught ? -1 : poll(&fds, 1, 0);
	while (n < 0 && !caught && errno == EINTR);
	return n;
}

void
out_wait(int fd)
{
	struct pollfd fds[] = {{fd, POLLIN, 0}, {wake[0], POLLIN, 0}};

	if (__fpending(stdout) && poll(fds, 1, 0) == 0)
		flush();
	while (!caught && poll(fds, 2, -1) < 0 && errno == EINTR)
		;
}

static int
open_part(const char *part, const char *name, mode_t mode)
{
	int fd;

	/* A link that lies there in its place is not followed. */
	unlink(part);
	fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		die(STATUS_FAILED, "cannot write '%s':", name);
	return fd;
}

static char *
part_name(const char *name, const char *suffix)
{
	struct buf b = {0};

	buf_addf(&b, "%s%s", name, suffix);
	return buf_detach(&b);
}

static void
redirect(int fd)
{
	if (dup2(fd, STDOUT_FILENO) < 0)
		die(STATUS_FAILED, "cannot redirect standard output:");
	close(fd);
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
		fd = open_part(part, name, 0666);
	}
	redirect(fd);
	terminal = isatty(STDOUT_FILENO);
	run->io->part = part;
	run->io->target = target;
	kept_part = part;
	die_hook(last_words);
}

/* Made once more: the first may have been opened by others, who would read what is written. */
void
run_private(struct run *run)
{
	if (run->io->part == NULL)
		return;
	run->io->private = true;
	secret_part = run->io->part;
	secret_name = run->common->output;
	kept_part = NULL;
	redirect(open_part(secret_part, secret_name, 0600));
}

static FILE *
open_rejects(const char *name, const char *suffix)
{
	char *part = part_name(name, suffix);
	FILE *f = fdopen(open_part(part, name, 0666), "w+");

	if (f == NULL)
		die(STATUS_FAILED, "cannot write '%s':", part);
	free(part);
	return f;
}

/* Beside the rejects, where there is room for them, and without a name. */
static FILE *
open_spill(const char *name)
{
	FILE *f = open_rejects(name, ".spill.part");
	char *part = part_name(name, ".spill.part");

	unlink(part);
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
		run->io->lines.spill = open_spill(run->common->rejects);
	}
}

static void
put_lines(struct slice lines)
{
	fwrite_unlocked(lines.ptr, 1, lines.len, stdout);
	if (ferror_unlocked(stdout))
		die_output();
	if (terminal)
		flush();
}

void
out_line(struct run *run, struct slice object)
{
	struct capture *c = run->io->capture;

	if (c) {
		buf_addslice(&c->lines, object);
		buf_addc(&c->lines, '\n');
		return;
	}
	fwrite_unlocked(object.ptr, 1, object.len, stdout);
	put_lines(S("\n"));
}

static _Noreturn void
die_rejects(const struct run *run)
{
	die(STATUS_FAILED, "cannot write '%s':", run->common->rejects);
}

/* Copies a line that was too long from where it was put aside. */
static void
put_spilt(struct run *run, const struct capture *c)
{
	struct record_io *io = run->io;
	struct lines *l = &io->lines;
	char block[16 * 1024];
	uint64_t left = c->spilt;

	if (fseeko(l->spill, (off_t)c->spill, SEEK_SET) != 0)
		die_rejects(run);
	while (left > 0) {
		size_t n = fread(block, 1, left < sizeof(block) ? (size_t)left : sizeof(block),
		    l->spill);

		if (n == 0 || fwrite(block, 1, n, io->rejects) != n)
			die_rejects(run);
		left -= n;
	}
	if (--io->spills > 0 || l->skipping)
		return;
	if (ftruncate(fileno(l->spill), 0) != 0)
		die_rejects(run);
	l->spill_end = 0;
}

static void
put_rejects(struct run *run, const struct capture *c)
{
	if (c->spilt)
		put_spilt(run, c);
	fwrite(c->rejects.ptr, 1, c->rejects.len, run->io->rejects);
	fwrite(c->why.ptr, 1, c->why.len, run->io->why);
}

void
out_reject(struct run *run, struct slice original, bool spilt, struct slice why)
{
	struct record_io *io = run->io;
	struct capture *c = io->capture ? io->capture : &io->direct;

	if (spilt) {
		c->spill = io->lines.spill_end - io->lines.spilt;
		c->spilt = io->lines.spilt;
		io->spills++;
	} else {
		buf_addslice(&c->rejects, original);
	}
	buf_addc(&c->rejects, '\n');
	buf_addslice(&c->why, why);
	buf_addc(&c->why, '\n');
	if (io->capture)
		return;
	put_rejects(run, c);
	capture_reset(c);
}

void
out_stop(struct run *run)
{
	warn("stopped at the first failure (--strict)");
	exit(run_finish(run));
}

void
record_write(struct run *run, struct capture *c)
{
	bool failed = c->failed;

	if (c->lines.len)
		put_lines(buf_slice(&c->lines));
	if (c->why.len)
		put_rejects(run, c);
	capture_reset(c);
	if (failed && run->common->strict)
		out_stop(run);
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
		die_rejects(run);
	fclose(io->lines.spill);
	io->rejects = io->why = io->lines.spill = NULL;
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
		if (!io->private && stat(name, &old) == 0 &&
		    fchmod(STDOUT_FILENO, old.st_mode & 07777) != 0)
			warn("cannot keep the mode of '%s':", name);
		if (run->status >= STATUS_FAILED) {
			last_words();
		} else {
			if (fsync(STDOUT_FILENO) != 0)
				die_output();
			finish_part(name, ".part", "");
		}
		kept_part = secret_part = secret_name = NULL;
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
