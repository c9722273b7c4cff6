/*
 * record_loop, and pulling with everything in hand and written in order at
 * the end, give the same bytes, rejects and status: over hostile input.
 */
#include "common/record.h"
#include "common/mem.h"
#include "tests/unit/check.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct opt options[] = {{0}};
static const struct tool tool = {
    .name = "kandil-test", .summary = "x", .operands = "", .opts = options};
static char folder[] = "/tmp/kandil-pull-XXXXXX";

/* What the filter does: fails, passes, changes, doubles or drops by what the record says. */
static void
work(struct record *r, void *state)
{
	static const char *const path[] = {"done"};
	struct slice v;

	(void)state;
	if (record_get(r, "fail", &v))
		record_fail(
		    r, "test_failed", true, "failed at line %zu of '%s'", r->line, r->source);
	else if (record_get(r, "drop", &v))
		record_partial(r);
	else if (record_get(r, "place", &v))
		run_fail(r->run, S("\"file\":\"x\""), "test_place", false, "no file");
	else {
		if (!record_kind(r, "note"))
			record_set(r, path, 1, S("true"));
		record_pass(r);
		if (record_get(r, "twice", &v))
			record_emit(r->run, S("{\"second\":1}"));
	}
}

/* A record in hand, or a line that was dealt with. */
struct hand {
	struct held held;
	struct capture capture;
	bool resume;
};

static void
wait_for_more(struct run *run)
{
	struct pollfd fds[] = {{record_pull_fd(run), POLLIN, 0}, {run_signal_fd(), POLLIN, 0}};

	record_flush(run);
	poll(fds, 2, -1);
}

/* Window records at a time; they are worked on backwards, and written in order. */
static void
pull_all(struct run *run, size_t window)
{
	struct hand *hands = xcalloc(window, sizeof(*hands));
	struct record r;
	bool more = true;

	while (more) {
		size_t n = 0;

		while (more && n < window)
			switch (record_pull(run, &hands[n].capture, &r)) {
			case PULL_RECORD:
				record_hold(&r, &hands[n].held);
				hands[n++].resume = true;
				break;
			case PULL_DONE:
				hands[n++].resume = false;
				break;
			case PULL_WAIT:
				wait_for_more(run);
				break;
			case PULL_END:
				more = false;
				break;
			}
		for (size_t i = n; i-- > 0;) {
			if (!hands[i].resume)
				continue;
			record_capture(run, &hands[i].capture);
			r = record_resume(run, &hands[i].held);
			work(&r, NULL);
			record_capture(run, NULL);
		}
		for (size_t i = 0; i < n; i++)
			record_write(run, &hands[i].capture);
	}
	for (size_t i = 0; i < window; i++) {
		held_free(&hands[i].held);
		capture_free(&hands[i].capture);
	}
	free(hands);
}

/* One run in a process of its own, window 0: record_loop. Its status. */
static int
one_run(size_t window, char **argv, int argc)
{
	struct common common = {0};
	struct run run;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (!freopen("out", "w", stdout) || !freopen("messages", "w", stderr))
			_exit(99);
		run_start(&run, &tool, &common, argc, argv);
		if (window)
			pull_all(&run, window);
		else
			record_loop(&run, work, NULL);
		exit(run_finish(&run));
	}
	waitpid(pid, &status, 0);
	return status;
}

/* What a run left, read and removed. */
static void
take_file(const char *name, struct buf *all)
{
	int fd = open(name, O_RDONLY);
	ssize_t n;

	buf_addf(all, "== %s %s\n", name, fd < 0 ? "none" : "");
	while (fd >= 0 && (n = read(fd, buf_room(all, 65536), 65536)) > 0)
		all->len += (size_t)n;
	if (fd >= 0)
		close(fd);
	unlink(name);
}

static void
take_all(int status, struct buf *all)
{
	buf_reset(all);
	buf_addf(all, "status %d\n", status);
	take_file("out", all);
	take_file("messages", all);
	take_file("bad", all);
	take_file("bad.why", all);
}

/* ---- hostile input ---- */

static const char *const samples[] = {"{\"id\":1}", "{\"id\":2,\"fail\":1}", "{\"drop\":1}",
    "{\"place\":1}", "{\"kind\":\"note\",\"n\":9007199254740993}", "{\"twice\":1 }", "", "  ", "\r",
    "nope", "[1]", "{\"a\":", "{\"a\":1}}", "\xEF\xBB\xBF{\"id\":3}", "{\"id\":\"\xFF\"}",
    "{\"error\":\"mine\",\"fail\":1}", "{\"error\":\"mine\"}", "  {\"id\" : 4}\t\r",
    "{\"id\":5,\"error\":{\"tool\":\"kandil-x\",\"code\":\"c\",\"message\":\"m\",\"retryable\":"
    "true}}",
    "{\"id\":6,\"fail\":1,\"error\":{\"tool\":\"kandil-test\",\"code\":\"c\"},\"kind\":\"note\"}",
    "{\"kind\":\"error\",\"error\":{\"tool\":\"kandil-x\"},\"raw\":\"{\\\"id\\\":7}\"}",
    "{\"kind\":\"error\",\"error\":{\"tool\":\"kandil-x\"},\"raw\":\"{\\\"fail\\\":7}\"}",
    "{\"kind\":\"error\",\"error\":{\"tool\":\"kandil-x\"},\"raw\":\"still no\"}",
    "{\"kind\":\"error\",\"error\":{\"tool\":\"kandil-test\"},\"file\":\"f\"}",
    "{\"kind\":\"error\",\"error\":{\"tool\":\"kandil-other\"},\"file\":\"f\"}",
    "{\"kind\":\"error\",\"error\":{\"tool\":\"kandil-x\"},\"raw_base64\":\"eyJpZCI6OH0=\"}",
    "{\"kind\":\"error\",\"error\":{\"tool\":\"kandil-x\"},\"raw\":\"{\\\"error\\\":{\\\"tool\\\":"
    "\\\"kandil-x\\\"}}\"}"};

static void
write_input(const char *name, unsigned *seed)
{
	FILE *f = fopen(name, "w");
	int lines = rand_r(seed) % 60;

	for (int i = 0; i < lines; i++) {
		size_t pick = (size_t)rand_r(seed) % (sizeof(samples) / sizeof(*samples) + 2);
		size_t max = pick == sizeof(samples) / sizeof(*samples) ? 400000 : 3000;

		if (pick >= sizeof(samples) / sizeof(*samples)) {
			/* Longer than --max-record, sometimes than many blocks. */
			fputs("{\"long\":\"", f);
			for (size_t n = (size_t)rand_r(seed) % max; n > 0; n--)
				putc('a' + (int)(n % 26), f);
			fputs("\"}", f);
		} else {
			fputs(samples[pick], f);
		}
		if (i + 1 < lines || rand_r(seed) % 2)
			putc('\n', f);
	}
	fclose(f);
}

static void
test_same(void)
{
	static const char *const switches[] = {"--retry", "--strict", "--rejects=bad"};
	static char name[] = "kandil-test", limit[] = "--max-record=2K", a[] = "a", b[] = "b",
		    missing[] = "missing", here[] = ".";
	struct buf want = {0}, got = {0};
	int unlike = 0;

	for (unsigned round = 0; round < 400; round++) {
		unsigned seed = round;
		char *argv[12] = {name, limit};
		size_t window = 1 + (size_t)rand_r(&seed) % 20;
		bool strict = false;
		int argc = 2;

		for (size_t i = 0; i < 3; i++)
			if (rand_r(&seed) % (i == 1 ? 4 : 2) == 0) {
				argv[argc++] = (char *)(uintptr_t)switches[i];
				strict = strict || i == 1;
			}
		argv[argc++] = a;
		/* What cannot be read is said when it is pulled, so not after a stop. */
		if (!strict) {
			argv[argc++] = missing;
			argv[argc++] = here;
		}
		argv[argc++] = b;
		write_input("a", &seed);
		write_input("b", &seed);
		take_all(one_run(0, argv, argc), &want);
		take_all(one_run(window, argv, argc), &got);
		if (!slice_eq(buf_slice(&want), buf_slice(&got)) && unlike++ == 0)
			fprintf(stderr, "round %u, window %zu:\n%s\n---- got\n%s\n", round, window,
			    want.ptr, got.ptr);
	}
	CHECK(unlike == 0);
	CHECK(strstr(want.ptr, "status"));
	buf_free(&want);
	buf_free(&got);
}

/* Nothing blocks: a slow line is waited for by poll, a pipe without a writer too. */
static void
test_slow(void)
{
	struct common common = {0};
	struct capture c = {0};
	struct run run;
	struct record r;
	char *argv[] = {
	    (char[]){"kandil-test"}, (char[]){"--max-record=1K"}, (char[]){"fifo"}, NULL};
	int fd, pulls = 0;
	char *junk = xmalloc(5000);

	CHECK(mkfifo("fifo", 0600) == 0);
	run_start(&run, &tool, &common, 3, argv);
	CHECK(record_pull(&run, &c, &r) == PULL_WAIT);
	fd = open("fifo", O_WRONLY);
	CHECK(record_pull(&run, &c, &r) == PULL_WAIT);
	CHECK(write(fd, "{\"id\":", 6) == 6);
	CHECK(record_pull(&run, &c, &r) == PULL_WAIT);
	CHECK(write(fd, "1}\n{\"id\":2}\n{", 13) == 13);
	CHECK(record_pull(&run, &c, &r) == PULL_RECORD && slice_is(r.text, "{\"id\":1}"));
	CHECK(record_pull(&run, &c, &r) == PULL_RECORD && r.line == 2);
	CHECK(record_pull(&run, &c, &r) == PULL_WAIT);
	/* A line that is too long, piece by piece. */
	memset(junk, 'x', 5000);
	for (int i = 0; i < 10; i++) {
		CHECK(write(fd, junk, 5000) == 5000);
		CHECK(record_pull(&run, &c, &r) == PULL_WAIT);
	}
	CHECK(write(fd, "\n{\"id\":4}", 9) == 9);
	CHECK(record_pull(&run, &c, &r) == PULL_DONE);
	CHECK(strstr(c.lines.ptr, "too_long") && strstr(c.lines.ptr, "\"line\":3,"));
	CHECK(record_pull(&run, &c, &r) == PULL_WAIT && c.lines.len == 0);
	close(fd);
	CHECK(record_pull(&run, &c, &r) == PULL_RECORD && r.line == 4);
	while (record_pull(&run, &c, &r) != PULL_END && pulls++ < 10)
		;
	CHECK(pulls == 0 && record_pull_fd(&run) == -1);
	capture_free(&c);
	free(junk);
}

/* A signal ends it, and can be polled for. */
static void
test_signal(void)
{
	struct common common = {0};
	struct run run;
	struct record r;
	char *argv[] = {(char[]){"kandil-test"}, (char[]){"a"}, NULL};
	struct pollfd fd;
	FILE *f = fopen("a", "w");

	fputs("{\"id\":1}\n{\"id\":2}\n", f);
	fclose(f);
	run_start(&run, &tool, &common, 2, argv);
	fd = (struct pollfd){run_signal_fd(), POLLIN, 0};
	CHECK(record_pull(&run, NULL, &r) == PULL_RECORD);
	CHECK(poll(&fd, 1, 0) == 0);
	raise(SIGINT);
	CHECK(poll(&fd, 1, 0) == 1);
	CHECK(record_pull(&run, NULL, &r) == PULL_END && record_pull(&run, NULL, &r) == PULL_END);
}

/* In a process of its own: a run has signals and stdout to itself. */
static void
apart(void (*test)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		check_failed = 0;
		test();
		_exit(check_failed != 0);
	}
	waitpid(pid, &status, 0);
	CHECK(status == 0);
}

int
main(void)
{
	if (!mkdtemp(folder) || chdir(folder) < 0)
		return 1;
	test_same();
	apart(test_slow);
	apart(test_signal);
	unlink("a");
	unlink("b");
	unlink("fifo");
	rmdir(folder);
	return check_done();
}
