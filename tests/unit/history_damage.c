/*
 * history on disk: whatever is cut, flipped, full or killed, what is left is a beginning of what
 * was put, nothing damaged is overwritten, and the disk is not asked for more than is needed.
 */
#include "tools/collab/history.h"

#include "common/time.h"
#include "tests/unit/history_folder.h"
#include "tests/unit/steps.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>

static unsigned long syncs, all_syncs;

int
linkat(int fromdir, const char *from, int todir, const char *to, int flags)
{
	step();
	return (int)syscall(SYS_linkat, fromdir, from, todir, to, flags);
}

int
unlinkat(int folder, const char *name, int flags)
{
	step();
	return (int)syscall(SYS_unlinkat, folder, name, flags);
}

ssize_t
pwritev(int fd, const struct iovec *parts, int n, off_t at)
{
	step();
	return syscall(SYS_pwritev, fd, parts, n, at, 0);
}

static bool fail_cut;

int
ftruncate(int fd, off_t len)
{
	if (fail_cut) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_ftruncate, fd, len);
}

int
fdatasync(int fd)
{
	step();
	syncs++;
	return (int)syscall(SYS_fdatasync, fd);
}

int
syncfs(int fd)
{
	all_syncs++;
	return (int)syscall(SYS_syncfs, fd);
}

/* What is said of damage and full disks is wanted here; a seed that is given shows it. */
static void
quiet(bool on)
{
	static int was = -1;
	int null;

	if (getenv("KANDIL_TEST_SEED"))
		return;
	if (!on) {
		dup2(was, 2);
		close(was);
		return;
	}
	was = dup(2);
	null = open("/dev/null", O_WRONLY);
	dup2(null, 2);
	close(null);
}

/* How many files were set aside. */
static unsigned
aside(void)
{
	DIR *folder = opendir(scratch);
	struct dirent *entry;
	unsigned n = 0;

	while (folder && (entry = readdir(folder)) != NULL)
		n += strstr(entry->d_name, ".history.damaged") != NULL;
	if (folder)
		closedir(folder);
	return n;
}

/* ---- files that are not as they were written ---- */

enum { FEW = 6 };

/* A folder with one topic of FEW messages; the name of its file. */
static void
put_few(char *name, size_t size)
{
	struct histories *all;
	char text[60];

	scratch_clear(scratch);
	all = open_all(0, 1000000, 0, true);
	for (int i = 1; i <= FEW; i++) {
		snprintf(text, sizeof(text), "{\"kandil\":1,\"from\":\"a\",\"seq\":%d}", i);
		put_text(all, "realtime:x", text);
	}
	histories_close(all);
	snprintf(name, size, "%s", file_of(".history"));
}

/* What a folder with that content of the file gives: how many messages; all must be a prefix. */
static size_t
load(const char *name, struct slice content)
{
	FILE *f = fopen(name, "w");
	struct histories *all;
	struct history *h;
	struct history_message m;
	size_t n = 0;
	char want[40];

	CHECK(f != NULL && fwrite(content.ptr, 1, content.len, f) == content.len);
	fclose(f);
	all = open_all(0, 1000000, 0, true);
	h = history_of(all, S("realtime:x"), false, false);
	while (h && history_get(h, n + 1, &m)) {
		snprintf(want, sizeof(want), "{\"kandil\":1,\"from\":\"a\",\"seq\":%zu}", n + 1);
		CHECK(slice_is(m.payload, want));
		n++;
	}
	CHECK(h == NULL || history_last(h) == n);
	/* And it goes on behind what is left. */
	put_text(all, "realtime:x", "{\"kandil\":1,\"from\":\"b\",\"seq\":1}");
	h = history_of(all, S("realtime:x"), false, false);
	CHECK(h != NULL && history_last(h) == n + 1);
	histories_close(all);
	all = open_all(0, 1000000, 0, true);
	h = history_of(all, S("realtime:x"), false, false);
	CHECK(h != NULL && history_last(h) == n + 1);
	histories_close(all);
	return n;
}

static void
test_damage(void)
{
	struct buf whole = {0};
	char name[600];
	size_t n = 0, last = 0;

	put_few(name, sizeof(name));
	CHECK(path_read(name, 1 << 20, &whole, &e) == 0);
	/* Cut anywhere: a prefix that never gets shorter; nothing is set aside. */
	for (size_t len = 0; len <= whole.len; len++) {
		scratch_clear(scratch);
		n = load(name, (struct slice){whole.ptr, len});
		CHECK(n >= last && n <= FEW);
		last = n;
		CHECK(aside() == 0);
	}
	CHECK(last == FEW);
	/* A bit flipped anywhere: a prefix; in what is not the last entry it is set aside. */
	for (size_t at = 0; at < whole.len; at++) {
		char was = whole.ptr[at];

		scratch_clear(scratch);
		whole.ptr[at] = (char)(was ^ 1 << random_below(8));
		n = load(name, buf_slice(&whole));
		whole.ptr[at] = was;
		CHECK(n < FEW || memchr(whole.ptr, '\n', whole.len) > (void *)(whole.ptr + at));
		CHECK(n >= FEW - 1 || aside() == 1);
	}
	/* The file system gave it its length, not its bytes. */
	scratch_clear(scratch);
	n = whole.len;
	memset(buf_room(&whole, 5000), 0, 5000);
	whole.len += 5000;
	CHECK(load(name, buf_slice(&whole)) == FEW);
	whole.len = n;
	buf_free(&whole);
}

/* Flips a bit of the third of FEW messages, whose file is NAME. */
static void
damage_third(char *name)
{
	struct buf whole = {0};
	const char *at;
	int fd = open(name, O_RDWR);

	CHECK(path_read(name, 1 << 20, &whole, &e) == 0);
	at = memmem(whole.ptr, whole.len, "\"seq\":3", 7);
	CHECK(at != NULL && pwrite(fd, "X", 1, at - whole.ptr) == 1);
	close(fd);
	buf_free(&whole);
}

/* Killed at every step of mending: what is before the damage is there, and the damage is kept. */
static void
test_mend_killed(void)
{
	unsigned deaths = 0;
	bool done = false;

	for (long n = 0; !done && n < 50; n++) {
		struct histories *all;
		struct history *h;
		char name[600];
		int status = -1;
		pid_t pid;

		put_few(name, sizeof(name));
		damage_third(name);
		pid = fork();
		if (pid == 0) {
			steps = n;
			open_all(0, 1000000, 0, true);
			_exit(0);
		}
		CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
		done = WEXITSTATUS(status) == 0;
		deaths += !done;
		all = open_all(0, 1000000, 0, true);
		h = history_of(all, S("realtime:x"), false, false);
		CHECK(h != NULL && history_first(h) == 1 && history_last(h) == 2);
		CHECK(aside() >= 1);
		CHECK(file_of(".new") == NULL);
		histories_close(all);
	}
	CHECK(done && deaths > 2);
	/* What was set aside before stays. */
	{
		unsigned before = aside();

		struct histories *all = open_all(0, 1000000, 0, true);
		put_text(all, "realtime:x", "{\"kandil\":1,\"from\":\"a\",\"seq\":3}");
		put_text(all, "realtime:x", "{\"kandil\":1,\"from\":\"a\",\"seq\":4}");
		histories_close(all);
		damage_third(file_of(".history"));
		all = open_all(0, 1000000, 0, true);
		histories_close(all);
		CHECK(aside() == before + 1);
	}
}

/* ---- the disk ---- */

/* Whoever has many topics does not wait for the disk at every message, and yet it is on it soon. */
static void
test_many_syncs(void)
{
	enum { MANY = 1000 };
	struct histories *all;
	char topic[40];
	struct stat st;
	int64_t now, due;

	scratch_clear(scratch);
	CHECK(rmdir(scratch) == 0);
	all = open_all(10, 0, 0, true);
	CHECK(stat(scratch, &st) == 0 && (st.st_mode & 0777) == 0700);
	syncs = all_syncs = 0;
	for (int i = 0; i < 3 * MANY; i++) {
		snprintf(topic, sizeof(topic), "realtime:%d", i % MANY);
		put_text(all, topic, "1");
	}
	CHECK(syncs == 0);
	now = time_ms() + 1500;
	for (int i = 0; i < 200 && (due = histories_turn(all, now)) >= 0; i++)
		now += due;
	CHECK(due == -1 && all_syncs == 1 && syncs < 300);
	histories_close(all);
	CHECK(all_syncs == 1 && syncs < 300);
}

/* The disk takes no more, in the middle of an entry; then it does again. */
static void
test_full(void)
{
	struct rlimit was, full;
	struct histories *all;
	struct history *h;
	struct history_message m = {.json = true, .event = S("e"), .payload = S("\"lost\"")};
	uint64_t last;

	scratch_clear(scratch);
	signal(SIGXFSZ, SIG_IGN);
	all = open_all(1000, 0, 0, true);
	put_text(all, "realtime:x", "\"first\"");
	getrlimit(RLIMIT_FSIZE, &was);
	full = was;
	full.rlim_cur = 1000;
	setrlimit(RLIMIT_FSIZE, &full);
	h = history_of(all, S("realtime:x"), false, false);
	while (h && history_put(h, &m, &e) == 0)
		;
	CHECK_TEXT(e.code, "cannot_write");
	last = h ? history_last(h) : 0;
	CHECK(histories_failures(all) == 1);
	CHECK(h != NULL && history_put(h, &m, &e) == -1 && histories_failures(all) == 2);
	setrlimit(RLIMIT_FSIZE, &was);
	put_text(all, "realtime:x", "\"again\"");
	CHECK(h != NULL && history_last(h) == last + 1);
	histories_close(all);
	all = open_all(1000, 0, 0, true);
	h = history_of(all, S("realtime:x"), false, false);
	CHECK(h != NULL && history_last(h) == last + 1);
	CHECK(h != NULL && history_get(h, last + 1, &m) && slice_is(m.payload, "\"again\""));
	CHECK(aside() == 0);
	histories_close(all);
}

/*
 * What is left of a long message that did not fit is not behind the short one that comes next,
 * whether it could be cut off at once or not before then.
 */
static void
test_cut(bool late)
{
	struct rlimit was, full;
	struct histories *all;
	struct history *h;
	struct buf text = {0};
	struct history_message m = {.json = true, .event = S("e")}, got;
	struct stat st;

	scratch_clear(scratch);
	all = open_all(1000, 0, 0, true);
	put_text(all, "realtime:x", "\"first\"");
	h = history_of(all, S("realtime:x"), false, false);
	buf_addf(&text, "\"%02000d\"", 0);
	m.payload = buf_slice(&text);
	getrlimit(RLIMIT_FSIZE, &was);
	full = was;
	full.rlim_cur = 1000;
	setrlimit(RLIMIT_FSIZE, &full);
	fail_cut = late;
	CHECK(h != NULL && history_put(h, &m, &e) == -1);
	setrlimit(RLIMIT_FSIZE, &was);
	CHECK(stat(file_of(".history"), &st) == 0 && (st.st_size == 1000) == late);
	m.payload = S("\"short\"");
	/* Nothing is written in front of what cannot be cut off. */
	CHECK(!late || (h != NULL && history_put(h, &m, &e) == -1));
	fail_cut = false;
	put_text(all, "realtime:x", "\"short\"");
	histories_close(all);
	all = open_all(1000, 0, 0, true);
	h = history_of(all, S("realtime:x"), false, false);
	CHECK(h != NULL && history_last(h) == 2);
	CHECK(h != NULL && history_get(h, 2, &got) && slice_is(got.payload, "\"short\""));
	CHECK(aside() == 0);
	histories_close(all);
	buf_free(&text);
}

int
main(void)
{
	scratch_begin();
	die_name("history");
	quiet(true);
	test_damage();
	test_mend_killed();
	quiet(false);
	test_many_syncs();
	quiet(true);
	test_full();
	test_cut(false);
	test_cut(true);
	quiet(false);
	return history_done();
}
