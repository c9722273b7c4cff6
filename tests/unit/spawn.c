#include "common/spawn.h"
#include "common/time.h"
#include "tests/unit/check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE = 60000 }; /* ms, for what must come */

static struct buf out;
static struct err e;

/* A shell line in one go: its output, and the error's code in e (or ""). */
static int
run(const char *line, struct slice input, size_t max, int64_t ms, unsigned flags,
    const char *const *env)
{
	const char *argv[] = {"sh", "-c", line, NULL};
	struct spawn_options o = {.argv = argv, .env = env, .flags = flags};
	int result;

	buf_reset(&out);
	buf_adds(&out, "");
	e = (struct err){.code = ""};
	result = spawn_run(&o, input, max, ms, NULL, &out, &e);
	return result;
}

static bool
failed(int result, const char *code, const char *text)
{
	if (result == -1 && strcmp(e.code, code) == 0 && strstr(e.text, text) && !out.len)
		return true;
	fprintf(stderr, "%d %s: %s\n", result, e.code, e.text);
	return false;
}

static void
test_runs(void)
{
	const char *const none[] = {"kandil-no-such-program", NULL};
	struct buf big = {0};

	CHECK(run("cat; echo done", S("in "), 100, PATIENCE, 0, NULL) == 0);
	CHECK_TEXT(out.ptr, "in done\n");
	/* More than two pipes hold goes both ways at once. */
	for (int i = 0; i < 400000; i++)
		buf_addf(&big, "%d\n", i);
	CHECK(run("cat", buf_slice(&big), big.len, PATIENCE, 0, NULL) == 0);
	CHECK(slice_eq(buf_slice(&big), buf_slice(&out)));
	CHECK(
	    failed(run("cat", buf_slice(&big), big.len - 1, PATIENCE, 0, NULL), "too_large", "'sh'"));
	/* It does not read its input: no SIGPIPE, and its answer counts. */
	CHECK(run("exec <&-; echo ok", buf_slice(&big), 100, PATIENCE, 0, NULL) == 0);
	CHECK_TEXT(out.ptr, "ok\n");
	CHECK(run("cat", S("lost"), 100, PATIENCE, SPAWN_NO_IN, NULL) == 0 && out.len == 0);

	CHECK(failed(run("echo a; echo b >&2; echo 'what \033 is' >&2; exit 3", S(""), 100, PATIENCE,
			 SPAWN_ERR, NULL),
	    "command_failed", "status 3: what ? is"));
	CHECK(failed(run("kill -9 $$", S(""), 100, PATIENCE, 0, NULL), "command_failed", "signal 9"));
	CHECK(failed(run("yes | head -c 1000000 >&2; exit 4", S(""), 3, PATIENCE, SPAWN_ERR, NULL),
	    "command_failed", "status 4: y"));
	CHECK(failed(run("sleep 60", S(""), 100, 50, 0, NULL), "timeout", "'sh'"));
	CHECK(failed(run("yes", S(""), SIZE_MAX / 2, 50, 0, NULL), "timeout", "'sh'"));
	CHECK(
	    spawn_run(&(struct spawn_options){.argv = none}, S(""), 1, 1000, NULL, &out, &e) == -1);
	CHECK_TEXT(e.code, "no_command");
	CHECK(strstr(e.text, "'kandil-no-such-program'") != NULL);
	buf_free(&big);
}

/* What the program finds: its environment, signals and descriptors. */
static void
test_surroundings(void)
{
	const char *const env[] = {"KANDIL_A=new", "KANDIL_B", "KANDIL_C=c", NULL};
	int leaked = open("/dev/null", O_RDONLY); /* as a library would open it */

	setenv("KANDIL_A", "old", 1);
	setenv("KANDIL_B", "secret", 1);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	CHECK(run("echo \"$KANDIL_A,${KANDIL_B-none},$KANDIL_C\"", S(""), 100, PATIENCE, 0, env) == 0);
	CHECK_TEXT(out.ptr, "new,none,c\n");
	CHECK(run("ls /proc/self/fd | wc -w", S(""), 100, PATIENCE, 0, NULL) == 0);
	CHECK_TEXT(out.ptr, "4\n"); /* the fourth is ls's own */
	/* SIGPIPE (13) and SIGXFSZ (25) are not ignored, SIGUSR1 (10) is, nothing is blocked. */
	CHECK(run("sed -n 's/^SigBlk:.*\\(0*\\)$/\\1/p; s/^SigIgn:\\t*//p' /proc/self/status",
		  S(""), 100, PATIENCE, 0, NULL) == 0);
	CHECK((strtoull(out.ptr, NULL, 16) & (1U << 12 | 1U << 24)) == 0);
	CHECK((strtoull(slice_trim(buf_slice(&out)).ptr, NULL, 16) & (1U << 9)) != 0);
	CHECK(run("grep SigBlk /proc/self/status", S(""), 100, PATIENCE, 0, NULL) == 0);
	CHECK_TEXT(out.ptr, "SigBlk:\t0000000000000000\n");
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
	close(leaked);
}

/* Lines both ways with one program, one at a time. */
static void
test_conversation(void)
{
	const char *const argv[] = {
	    "sh", "-c", "while read -r l; do echo \"<$l>\"; done; echo bye", NULL};
	struct spawn s;
	struct slice none = S("");
	char want[32];
	int right = 0;

	CHECK(spawn_start(&s, &(struct spawn_options){.argv = argv}, &e) == 0);
	for (int i = 0; i < 200; i++) {
		char line[32];
		struct slice input = {line, (size_t)snprintf(line, sizeof(line), "%d\n", i)};

		buf_reset(&out);
		while (!memchr(out.ptr ? out.ptr : "", '\n', out.len))
			if (spawn_pump(&s, &input, false, &out, NULL, 1000, PATIENCE) != SPAWN_MOVED)
				break;
		snprintf(want, sizeof(want), "<%d>\n", i);
		right += slice_is(buf_slice(&out), want);
	}
	CHECK(right == 200);
	CHECK(!spawn_ended(&s));
	buf_reset(&out);
	CHECK(spawn_pump(&s, &none, false, &out, NULL, 1000, 20) == SPAWN_TIMEOUT);
	while (spawn_pump(&s, &none, true, &out, NULL, 1000, PATIENCE) == SPAWN_MOVED)
		;
	CHECK_TEXT(out.ptr, "bye\n");
	CHECK(spawn_end(&s, PATIENCE) == 0);
	CHECK(spawn_ended(&s) && spawn_end(&s, 10) == 0);
}

static bool
alive(const char *pid)
{
	struct buf path = {0};
	char state[64] = "";
	int fd;

	buf_addf(&path, "/proc/%d/stat", (int)strtol(pid, NULL, 10));
	fd = open(path.ptr, O_RDONLY);
	buf_free(&path);
	if (fd < 0)
		return false;
	if (read(fd, state, sizeof(state) - 1) < 0)
		state[0] = '\0';
	close(fd);
	return strstr(state, ") Z") == NULL && strstr(state, ") X") == NULL;
}

static void
wait_gone(const char *pid)
{
	int64_t end = time_ms() + PATIENCE;

	while (alive(pid) && time_ms() < end)
		usleep(2000);
	CHECK(!alive(pid));
}

/* Whoever does not want to go is killed, its children with it, and it goes when we go. */
static void
test_ends(void)
{
	const char *const deaf[] = {
	    "sh", "-c", "trap '' TERM; sleep 100 & echo $!; while :; do sleep 1; done", NULL};
	const char *const sleeper[] = {"sh", "-c", "echo $$; exec sleep 100", NULL};
	struct spawn_options o = {.argv = deaf, .flags = SPAWN_GROUP | SPAWN_NO_IN};
	struct spawn s;
	struct slice none = S("");
	int ends[2], status;

	CHECK(spawn_start(&s, &o, &e) == 0);
	buf_reset(&out);
	CHECK(spawn_pump(&s, &none, false, &out, NULL, 100, PATIENCE) == SPAWN_MOVED);
	status = spawn_end(&s, 50);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	wait_gone(out.ptr);

	CHECK(pipe(ends) == 0);
	if (fork() == 0) {
		o = (struct spawn_options){.argv = sleeper};
		if (spawn_start(&s, &o, &e) == 0 &&
		    spawn_pump(&s, &none, false, &out, NULL, 100, PATIENCE) == SPAWN_MOVED &&
		    write(ends[1], out.ptr, out.len) > 0)
			kill(getpid(), SIGKILL);
		_exit(1);
	}
	wait(&status);
	CHECK(WIFSIGNALED(status));
	buf_reset(&out);
	out.len = (size_t)read(ends[0], buf_room(&out, 100), 99);
	out.ptr[out.len] = '\0';
	wait_gone(out.ptr);
	close(ends[0]);
	close(ends[1]);
}

int
main(void)
{
	buf_adds(&out, "");
	test_runs();
	test_surroundings();
	test_conversation();
	test_ends();
	buf_free(&out);
	return check_done();
}
