/*
 * journal when the process is killed, the power fails, or the disk does: what was synced is
 * there, and what is said to be stored is.
 */
#include "tools/collab/journal.h"

#include "common/time.h"

#include "tests/unit/journal_model.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#ifdef __SANITIZE_ADDRESS__
enum { KILLS = 40, CRASHES = 40 };
#else
enum { KILLS = 200, CRASHES = 300 };
#endif

/* ---- the disk, at our command ---- */

static bool fail_sync;
static long room = -1; /* bytes that may still be written with pwritev; -1: any */
static uint64_t synced_size; /* of the file that was synced last */

int
fdatasync(int fd)
{
	struct stat st;

	if (fail_sync) {
		errno = EIO;
		return -1;
	}
	if (fstat(fd, &st) == 0)
		synced_size = (uint64_t)st.st_size;
	return (int)syscall(SYS_fdatasync, fd);
}

ssize_t
pwritev(int fd, const struct iovec *from, int n, off_t at)
{
	struct iovec parts[2];

	if (room < 0 || n > 2)
		return syscall(SYS_pwritev, fd, from, n, at, 0);
	if (room == 0) {
		errno = ENOSPC;
		return -1;
	}
	for (int i = 0; i < n; i++) {
		parts[i] = from[i];
		if (parts[i].iov_len > (size_t)room)
			parts[i].iov_len = (size_t)room;
		room -= (long)parts[i].iov_len;
	}
	return syscall(SYS_pwritev, fd, parts, n, at, 0);
}

/* ---- crashes ---- */

struct shared {
	volatile uint64_t appended, synced;
};

static void
pause_us(long us)
{
	struct timespec t = {us / 1000000, us % 1000000 * 1000};

	nanosleep(&t, NULL);
}

/* Appends for ever, in groups, and drops what is old. Everything is told before it is done. */
static _Noreturn void
child(const char *folder, struct shared *shared)
{
	struct journal *j = reopen(folder, 500000);
	static struct buf payload;
	bool sync;

	for (uint64_t n = journal_last(j) + 1;;) {
		journal_forget(j, n > 1000 ? n - 1000 : 0);
		for (uint64_t group = 1 + scratch_random(40); group; group--, n++) {
			struct model_entry m = {1, n, n * 7919};

			shared->appended = n;
			payload_of(&m, &payload);
			if (journal_append(j, from_of(1), n, event_of(&m), buf_slice(&payload),
				(unsigned)m.salt, &e) < 0)
				_exit(1);
		}
		sync = scratch_random(4) != 0;
		if (journal_commit(j, sync, &e) != 0)
			_exit(1);
		if (sync)
			shared->synced = journal_last(j);
	}
}

/* Everything that was synced is there, in order, and nothing that was not appended. */
static void
check_after(struct journal *j, uint64_t synced, uint64_t appended)
{
	struct journal_entry got;
	uint64_t first = journal_first(j), last = journal_last(j);
	bool good = last >= synced && last <= appended;

	good &= first <= (synced > 1000 ? synced - 1000 : 1) + 1;
	for (uint64_t p = first; p && p <= last; p++) {
		struct model_entry m = {1, p, p * 7919};

		good &= journal_read(j, p, &got, &bytes, &e) == 0 && same(&m, p, &got);
	}
	CHECK(good);
}

static void
test_kills(void)
{
	char *folder = path_join(scratch, "kills");
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int64_t until = time_ms() + 60000;
	uint64_t most = 0;

	/* On a slow disk little is written between two of them. */
	for (int i = 0; i < KILLS || (most <= 2000 && time_ms() < until); i++) {
		struct journal *j;
		pid_t pid;
		int status;

		scratch_random(2); /* another run for every child */
		pid = fork();
		if (pid == 0)
			child(folder, shared);
		pause_us((long)(500 + scratch_random(6000)));
		kill(pid, SIGKILL);
		CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
		j = reopen(folder, 500000);
		CHECK(report.lost == 0 && report.damaged == 0);
		check_after(j, shared->synced, shared->appended);
		CHECK(journal_last(j) >= most);
		most = journal_last(j);
		journal_close(j);
	}
	CHECK(most > 2000);
	munmap(shared, sizeof(*shared));
	scratch_remove(folder);
	free(folder);
}

/* The power fails: of what was not synced any part may be there, cut or zeroed. */
static void
test_power(void)
{
	char *folder = path_join(scratch, "power"), *file = path_join(folder, FIRST);

	segment_bytes = 0; /* all in one */
	for (int i = 0; i < CRASHES; i++) {
		struct journal *j = reopen(folder, 0);
		uint64_t sure, size;
		struct stat st;
		int fd;

		start_anew();
		for (int k = 0; k < 6; k++) {
			for (uint64_t n = scratch_random(4); n; n--)
				CHECK(append(j, 1));
			commit(j, scratch_random(2) == 0);
		}
		sure = on_disk;
		journal_close(j);
		CHECK(stat(file, &st) == 0);
		size = (uint64_t)st.st_size;
		CHECK(sure < committed || synced_size == size);
		fd = open(file, O_RDWR);
		/* From somewhere behind what was synced: nothing, or zeros for a while. */
		if (size > synced_size) {
			uint64_t at = synced_size + scratch_random(size - synced_size);
			uint64_t len = 1 + scratch_random(size - at);
			static const char zeros[1 << 16];

			if (scratch_random(2))
				CHECK(ftruncate(fd, (off_t)at) == 0);
			else
				CHECK(pwrite(fd, zeros, len, (off_t)at) == (ssize_t)len);
		}
		close(fd);
		j = reopen(folder, 0);
		CHECK(journal_last(j) >= sure && journal_last(j) <= committed);
		for (uint64_t p = 1; p <= sure; p++)
			CHECK(reads(j, p));
		CHECK(report.damaged || report.lost == 0);
		CHECK(report.entries + report.lost == journal_last(j));
		journal_close(j);
		scratch_remove(folder);
	}
	segment_bytes = 4096;
	free(folder);
	free(file);
}

/* ---- a disk that fails ---- */

static void
test_sync_fails(void)
{
	char *folder = path_join(scratch, "fsync");
	struct journal *j = reopen(folder, 0);

	start_anew();
	CHECK(append(j, 1));
	commit(j, true);
	CHECK(append(j, 1));
	fail_sync = true;
	CHECK(journal_commit(j, true, &e) == -1 && strcmp(e.code, "fsync_failed") == 0);
	fail_sync = false;
	CHECK(journal_commit(j, true, &e) == -1 && strcmp(e.code, "fsync_failed") == 0);
	journal_close(j);
	j = reopen(folder, 0);
	CHECK(reads(j, 1) && reads(j, 2));
	journal_close(j);
	scratch_remove(folder);
	free(folder);
}

/* Full, at any byte: nothing of the group is in the file, all of it when there is room again. */
static void
test_full(void)
{
	char *folder = path_join(scratch, "full"), *copy = path_join(scratch, "copy");
	struct journal *j = reopen(folder, 0), *other;
	unsigned full = 0;

	start_anew();
	for (int i = 0; i < 200; i++) {
		uint64_t before = committed;

		for (uint64_t n = 1 + scratch_random(5); n; n--)
			CHECK(append(j, 1 + (unsigned)scratch_random(2)));
		room = (long)scratch_random(300);
		if (journal_commit(j, true, &e) != 0) {
			full++;
			CHECK(strcmp(e.code, "disk_full") == 0);
			CHECK(journal_last(j) == before && !reads(j, before + 1));
			room = -1;
			scratch_copy(folder, copy);
			other = reopen(copy, 0);
			CHECK(report.torn == 0 && report.damaged == 0);
			CHECK(journal_last(other) == before);
			journal_close(other);
			scratch_remove(copy);
		}
		room = -1;
		commit(j, true);
		for (uint64_t p = before + 1; p <= committed; p++)
			CHECK(reads(j, p));
	}
	CHECK(full > 0);
	journal_close(j);
	j = reopen(folder, 0);
	for (uint64_t p = 1; p <= committed; p++)
		CHECK(reads(j, p));
	journal_close(j);
	scratch_remove(folder);
	free(folder);
	free(copy);
}

/* Fills what there is, lets go of some of it, and goes on: as many rounds as lines are given. */
static void
fill(const char *folder, void (*more)(void *), void *state)
{
	struct journal *j = reopen(folder, 0);
	bool full = false;

	start_anew();
	for (int i = 0; i < 5000 && !full; i++) {
		CHECK(append(j, 1));
		full = journal_commit(j, true, &e) != 0;
		if (!full)
			committed = next - 1;
	}
	CHECK(full && strcmp(e.code, "disk_full") == 0);
	CHECK(journal_commit(j, true, &e) != 0 && strcmp(e.code, "disk_full") == 0);
	more(state);
	commit(j, true);
	for (uint64_t p = 1; p <= committed; p++)
		CHECK(reads(j, p));
	journal_close(j);
}

static void
lift_limit(void *limit)
{
	setrlimit(RLIMIT_FSIZE, limit);
}

static void
remove_ballast(void *name)
{
	unlink(name);
}

/* A real limit: of a small disk, where one may be mounted, and of the size of files. */
static void
test_really_full(void)
{
	char *folder = path_join(scratch, "small"), *inner = path_join(folder, "j");
	char *ballast = path_join(folder, "ballast");
	struct rlimit old, limit;

	mkdir(folder, 0700);
	if (mount("none", folder, "tmpfs", 0, "size=512k") == 0) {
		int fd = open(ballast, O_WRONLY | O_CREAT, 0600);

		CHECK(fd >= 0 && fallocate(fd, 0, 0, 400 << 10) == 0);
		close(fd);
		fill(inner, remove_ballast, ballast);
		CHECK(umount(folder) == 0);
	} else {
		printf("no small disk may be mounted here: %s\n", strerror(errno));
	}
	signal(SIGXFSZ, SIG_IGN);
	CHECK(getrlimit(RLIMIT_FSIZE, &old) == 0);
	limit = (struct rlimit){3000, old.rlim_max};
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	fill(inner, lift_limit, &old);
	setrlimit(RLIMIT_FSIZE, &old);
	scratch_remove(folder);
	free(folder);
	free(inner);
	free(ballast);
}

int
main(void)
{
	scratch_begin();
	test_kills();
	test_power();
	test_sync_fails();
	test_full();
	test_really_full();
	return journal_done();
}
