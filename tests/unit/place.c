/*
 * place: names that people give lead nowhere else, and an identity never numbers two
 * different lines alike, whatever is lost, copied or killed.
 */
#include "tools/collab/place.h"

#include "tests/unit/place_lines.h"
#include "tests/unit/steps.h"

#include "common/time.h"
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

int
rename(const char *from, const char *to)
{
	step();
	return (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
}

int
renameat2(int fromdir, const char *from, int todir, const char *to, unsigned flags)
{
	step();
	return (int)syscall(SYS_renameat2, fromdir, from, todir, to, flags);
}

int
unlink(const char *name)
{
	step();
	return (int)syscall(SYS_unlink, name);
}

int
fdatasync(int fd)
{
	step();
	return (int)syscall(SYS_fdatasync, fd);
}

/* ---- paths ---- */

static void
path_is(const char *url, struct slice topic, struct slice name, const char *want)
{
	CHECK(open_place(url, topic, name) == 0);
	CHECK(strncmp(p.folder, scratch, strlen(scratch)) == 0);
	CHECK_TEXT(p.folder + strlen(scratch), want);
	place_close(&p);
}

static void
test_paths(void)
{
	char longer[300];
	struct slice name = S("anna");

	path_is("http://127.0.0.1:4000/realtime/v1", S("standup"), name,
	    "/127.0.0.1_4000/standup/anna");
	path_is("WSS://Ref.Supabase.CO", S("a"), name, "/ref.supabase.co_443/a/anna");
	path_is("ws://[::1]?x", S("a"), name, "/%5B%3A%3A1%5D_80/a/anna");
	path_is("ws://h", S("../../x"), name, "/h_80/%2E.%2F..%2Fx/anna");
	path_is("ws://h", S(".."), S("."), "/h_80/%2E./%2E");
	path_is("ws://h", S("a\0b\n/%2F+~"), S("\xd9\x85"), "/h_80/a%00b%0A%2F%252F%2B~/%D9%85");
	memset(longer, 'x', sizeof(longer));
	path_is("ws://h", (struct slice){longer, 100}, name,
	    "/h_80/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/anna");
	path_is("ws://h", (struct slice){longer, 300}, name,
	    "/h_80/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx+"
	    "0d4e2ca9e9cbced7a7a5380eb29e1a37/anna");
	CHECK(open_place("ws://h", S("t"), (struct slice){longer, 65}) == -1 &&
	    strcmp(e.code, "bad_name") == 0);
	CHECK(open_place("ws://h", S("t"), S("")) == -1 && strcmp(e.code, "bad_name") == 0);
	CHECK(open_place("ws://h", S("t"), S("a\nb")) == -1 && strcmp(e.code, "bad_name") == 0);
	CHECK(open_place("ws://h", S("t"), S("a\0b")) == -1 && strcmp(e.code, "bad_name") == 0);
	CHECK(open_place("ws://h", S("t"), S("\xff")) == -1 && strcmp(e.code, "bad_name") == 0);
	CHECK(open_place("ws://h", S(""), name) == -1 && strcmp(e.code, "bad_name") == 0);
	CHECK(open_place("h:80", S("t"), name) == -1 && strcmp(e.code, "bad_url") == 0);
	CHECK(open_place("ws://h:0", S("t"), name) == -1 && strcmp(e.code, "bad_url") == 0);
	CHECK(open_place("ws://h:70000", S("t"), name) == -1 && strcmp(e.code, "bad_url") == 0);
	CHECK(open_place("ws://", S("t"), name) == -1 && strcmp(e.code, "bad_url") == 0);
	CHECK(open_place("ws://a@h/", S("t"), name) == -1 && strcmp(e.code, "bad_url") == 0);
	CHECK(open_place("ws://anna:secret@h/", S("t"), name) == -1 && strstr(e.text, "secret") == NULL);
}

static void
test_home(void)
{
	struct place_settings s = {.url = "ws://h:1", .topic = S("t"), .name = S("n")};
	char *state = path_join(scratch, "state");
	char *want = path_join(state, "kandil/collab/h_1/t/n");
	struct stat st;

	unsetenv("XDG_STATE_HOME");
	unsetenv("HOME");
	CHECK(place_open(&p, &s, &e) == -1 && strcmp(e.code, "no_home") == 0);
	setenv("HOME", scratch, 1);
	CHECK(place_open(&p, &s, &e) == 0);
	CHECK(strcmp(p.folder + strlen(scratch), "/.local/state/kandil/collab/h_1/t/n") == 0);
	place_close(&p);
	setenv("XDG_STATE_HOME", state, 1);
	CHECK(place_open(&p, &s, &e) == 0);
	CHECK_TEXT(p.folder, want);
	CHECK(stat(p.folder, &st) == 0 && (st.st_mode & 0777) == 0700);
	CHECK(stat(p.out, &st) == 0 && (st.st_mode & 0777) == 0700);
	place_close(&p);
	free(state);
	free(want);
}

/* ---- identities ---- */

static void
test_identity(void)
{
	char first[PLACE_IDENTITY + 1];
	struct place_settings s = {
	    .url = "ws://h", .topic = S("i"), .name = S("a.b c"), .folder = scratch};
	struct place other;
	char *node;
	struct journal *j;

	CHECK(place_open(&p, &s, &e) == 0);
	CHECK(strlen(p.from) == 5 + 1 + 26 && strncmp(p.from, "a.b c.", 6) == 0);
	CHECK(strspn(p.from + 6, "abcdefghijklmnopqrstuvwxyz234567") == 26);
	CHECK(!p.renewed && p.aside == NULL);
	CHECK(place_open(&other, &s, &e) == -1 && strcmp(e.code, "in_use") == 0);
	memcpy(first, p.from, sizeof(first));
	place_set(&p, PLACE_RELAYED, 7); /* of an outbox that has not so many */
	place_close(&p);
	CHECK(place_open(&p, &s, &e) == 0 && strcmp(p.from, first) == 0 && !p.renewed);
	CHECK(place_mark(&p, PLACE_RELAYED) == 7);
	j = outbox();
	CHECK(p.renewed && p.moved == 0 && strcmp(p.from, first) != 0);
	CHECK(place_mark(&p, PLACE_RELAYED) == 0);
	journal_close(j);
	memcpy(first, p.from, sizeof(first));
	node = path_join(p.out, "node");
	place_close(&p);
	for (int how = 0; how < 4; how++) {
		static const char *const texts[] = {"", "a.b c.short\n",
		    "a.b c.abcdefghijklmnopqrstuvwxy1\n", "b.b c.abcdefghijklmnopqrstuvwxyz\n"};
		FILE *f = fopen(node, "w");

		fputs(texts[how], f);
		fclose(f);
		CHECK(place_open(&p, &s, &e) == 0 && p.renewed && strcmp(p.from, first) != 0);
		CHECK(p.aside && access(p.aside, F_OK) == 0);
		memcpy(first, p.from, sizeof(first));
		place_close(&p);
		CHECK(place_open(&p, &s, &e) == 0 && !p.renewed && strcmp(p.from, first) == 0);
		place_close(&p);
	}
	free(node);
}

/* ---- renewing ---- */

static void
test_damaged(void)
{
	char first[PLACE_IDENTITY + 1];
	struct journal *j;

	prepare(30, 10);
	memcpy(first, p.from, sizeof(first));
	damage(p.out, 20);
	place_close(&p);
	CHECK(open_place("ws://h", S("r"), S("anna")) == 0);
	j = outbox();
	CHECK(report.lost == 1 && p.renewed && p.moved == 19 && strcmp(first, p.from) != 0);
	CHECK(report.nranges == 1 && report.ranges[0].first == 20 && report.ranges[0].last == 20);
	CHECK(has(j, 10, 30, 20));
	CHECK(place_mark(&p, PLACE_RELAYED) == 0 && p.aside && access(p.aside, F_OK) == 0);
	CHECK(journal_append(j, slice(p.from), 20, S("e"), S("more"), 0, &e) == 20);
	journal_close(j);
	place_close(&p);
	remove_place();
}

/* The disk is an old copy: told so from outside. */
static void
test_told(void)
{
	char first[PLACE_IDENTITY + 1];
	struct journal *j;

	prepare(5, 2);
	memcpy(first, p.from, sizeof(first));
	CHECK(place_renew(&p, &e) == 0 && p.moved == 3 && strcmp(first, p.from) != 0);
	j = outbox();
	CHECK(has(j, 2, 5, 0) && report.lost == 0);
	journal_close(j);
	place_close(&p);
	remove_place();
}

/* Killed at every step of an exchange: nothing is doubled, nothing is missing. */
static void
test_killed(void)
{
	bool done = false;
	unsigned deaths = 0;

	for (long n = 0; !done && n < 200; n++) {
		struct journal *j;
		int status;
		pid_t pid;

		prepare(12, 5);
		damage(p.out, 8);
		place_close(&p);
		pid = fork();
		if (pid == 0) {
			steps = n;
			if (open_place("ws://h", S("r"), S("anna")) == 0)
				outbox();
			_exit(0);
		}
		CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
		done = WEXITSTATUS(status) == 0;
		deaths += !done;
		CHECK(open_place("ws://h", S("r"), S("anna")) == 0);
		j = outbox();
		CHECK(has(j, 5, 12, 8));
		journal_close(j);
		place_close(&p);
		CHECK(open_place("ws://h", S("r"), S("anna")) == 0);
		j = outbox();
		CHECK(has(j, 5, 12, 8) && !p.renewed);
		journal_close(j);
		place_close(&p);
		remove_place();
	}
	CHECK(done && deaths > 8);
}

/* An outbox that is gone is a new one; so is one whose marks say more than it has. */
static void
test_gone(void)
{
	char first[PLACE_IDENTITY + 1], *out;
	struct journal *j;

	prepare(5, 5);
	memcpy(first, p.from, sizeof(first));
	out = path_join(p.folder, "out");
	place_close(&p);
	scratch_remove(out);
	CHECK(open_place("ws://h", S("r"), S("anna")) == 0);
	CHECK(strcmp(first, p.from) != 0 && place_mark(&p, PLACE_RELAYED) == 0);
	j = outbox();
	CHECK(has(j, 0, 0, 0));
	journal_close(j);
	place_close(&p);
	free(out);
	remove_place();
}

/* ---- marks ---- */

static void
test_marks(void)
{
	struct journal_report r;
	struct journal *j;
	char *marks;
	int fd;

	CHECK(open_place("ws://h", S("m"), S("n")) == 0 && !p.marks_lost);
	marks = path_join(p.folder, "marks");
	for (uint64_t i = 0; i < 1000; i++)
		place_set(&p, PLACE_DELIVERED, i);
	place_set(&p, PLACE_SPARE, 77);
	place_set(&p, PLACE_BASELINE, 9);
	place_set(&p, PLACE_BASELINE, 3);
	place_close(&p);
	CHECK(open_place("ws://h", S("m"), S("n")) == 0 && !p.marks_lost);
	CHECK(place_mark(&p, PLACE_DELIVERED) == 999 && place_mark(&p, PLACE_SPARE) == 77);
	CHECK(place_mark(&p, PLACE_BASELINE) == 3);
	/* Beyond what the inbox has: its places will be given again. */
	CHECK(place_inbox(&p, 0, &j, &r, &e) == 0 && place_mark(&p, PLACE_DELIVERED) == 0);
	journal_close(j);
	journal_report_free(&r);
	place_set(&p, PLACE_DELIVERED, 50);
	place_set(&p, PLACE_DELIVERED, 51);
	place_close(&p);
	/* One slot of a counter is damaged: the one before counts. Both: 0, and said. */
	fd = open(marks, O_RDWR);
	for (int slot = 0; slot < 2; slot++)
		CHECK(pwrite(fd, "x", 1, 32 + 32 * PLACE_DELIVERED + 16 * slot + 3) == 1);
	CHECK(pwrite(fd, "x", 1, 32 + 32 * PLACE_SPARE + 3) == 1);
	close(fd);
	CHECK(open_place("ws://h", S("m"), S("n")) == 0 && p.marks_lost);
	CHECK(place_mark(&p, PLACE_DELIVERED) == 0 && place_mark(&p, PLACE_BASELINE) == 3);
	CHECK(place_mark(&p, PLACE_SPARE) == 77 || place_mark(&p, PLACE_SPARE) == 0);
	place_close(&p);
	CHECK(open_place("ws://h", S("m"), S("n")) == 0 && !p.marks_lost);
	place_close(&p);
	CHECK(truncate(marks, 100) == 0);
	CHECK(open_place("ws://h", S("m"), S("n")) == 0 && p.marks_lost);
	CHECK(place_mark(&p, PLACE_BASELINE) == 0);
	place_close(&p);
	free(marks);
}

/* Killed while it counts: what is read is what was set last, or the one before. */
static void
test_marks_killed(void)
{
	volatile uint64_t *told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	for (int i = 0; i < 50; i++) {
		struct timespec t = {0, (long)(200000 + scratch_random(1000000))};
		uint64_t got, was = *told;
		int64_t until = time_ms() + 30000;
		pid_t pid = fork();

		if (pid == 0) {
			if (open_place("ws://h", S("k"), S("n")) != 0)
				_exit(1);
			for (uint64_t n = place_mark(&p, PLACE_DELIVERED) + 1;; n++) {
				place_set(&p, PLACE_DELIVERED, n);
				*told = n;
			}
		}
		/* Every other one when it has counted for a while, however slow the machine is. */
		while (i % 2 && *told < was + 100 && time_ms() < until)
			sched_yield();
		nanosleep(&t, NULL);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		CHECK(open_place("ws://h", S("k"), S("n")) == 0 && !p.marks_lost);
		got = place_mark(&p, PLACE_DELIVERED);
		CHECK(got == *told || got == *told + 1);
		place_close(&p);
	}
	CHECK(*told > 1000);
	munmap((void *)(uintptr_t)told, sizeof(*told));
}

int
main(void)
{
	scratch_begin();
	test_paths();
	test_home();
	test_identity();
	test_damaged();
	test_told();
	test_killed();
	test_gone();
	test_marks();
	test_marks_killed();
	journal_report_free(&report);
	scratch_remove(scratch);
	return check_done();
}
