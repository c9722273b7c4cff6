/* jobs: order, no deadlock on large answers, and workers that are killed. */
#include "common/jobs.h"

#include "common/time.h"
#include "tests/unit/check.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the parent saw. */
struct seen {
	size_t count, died, wrong, bytes;
	pid_t parent;
	int worker_is_parent;
};

static size_t
number(struct slice item)
{
	char text[32] = "";

	memcpy(text, item.ptr, item.len < 31 ? item.len : 31);
	return strtoul(text, NULL, 10);
}

/* Later items finish first; the answer's size varies from nothing to 3 MB. */
static int
work_sized(struct slice item, struct buf *out, void *state)
{
	const struct seen *seen = state;
	size_t n = number(item), len = n % 7 == 0 ? 3000000 : n % 5 == 0 ? 0 : n;

	if (n % 4 == 0)
		usleep(2000);
	memset(buf_room(out, len), 'a' + (int)(n % 26), len);
	out->len += len;
	return getpid() == seen->parent ? -7 : (int)n;
}

static void
done_sized(struct slice item, struct slice out, int status, bool died, void *state)
{
	struct seen *seen = state;
	size_t n = number(item), len = n % 7 == 0 ? 3000000 : n % 5 == 0 ? 0 : n;

	seen->worker_is_parent += status == -7;
	seen->wrong += n != seen->count || out.len != len ||
	    (status != (int)n && status != -7) ||
	    (len > 0 && (out.ptr[0] != 'a' + (int)(n % 26) || out.ptr[len - 1] != out.ptr[0]));
	seen->died += died;
	seen->bytes += out.len;
	seen->count++;
}

static void
add_number(struct jobs *j, size_t number, size_t padding)
{
	struct buf item = {0};

	buf_addf(&item, "%zu ", number);
	memset(buf_room(&item, padding), ' ', padding);
	item.len += padding;
	jobs_add(j, buf_slice(&item));
	buf_free(&item);
}

static void
add_numbers(struct jobs *j, size_t count, size_t padding)
{
	for (size_t i = 0; i < count; i++)
		add_number(j, i, padding);
}

static void
test_order(long n, size_t count, size_t padding)
{
	struct seen seen = {.parent = getpid()};
	bool alone = n == 1 || (n == 0 && sysconf(_SC_NPROCESSORS_ONLN) == 1);
	struct jobs *j = jobs_start(n, work_sized, done_sized, &seen);

	add_numbers(j, count, padding);
	jobs_finish(j);
	CHECK(seen.count == count);
	CHECK(seen.wrong == 0);
	CHECK(seen.died == 0);
	CHECK(seen.worker_is_parent == (alone ? (int)count : 0));
}

/* Items 3, 10 and 11 kill their worker in three ways, 20 ends it politely. */
static int
work_deadly(struct slice item, struct buf *out, void *state)
{
	(void)state;
	switch (number(item)) {
	case 3:
		kill(getpid(), SIGKILL);
		break;
	case 10:
		abort();
	case 11:
		signal(SIGSEGV, SIG_DFL);
		/* In the middle of an answer: the bytes before count for nothing. */
		buf_adds(out, "half");
		raise(SIGSEGV);
		break;
	case 20:
		exit(3);
	default:
		buf_addslice(out, item);
	}
	return 0;
}

static void
done_deadly(struct slice item, struct slice out, int status, bool died, void *state)
{
	struct seen *seen = state;
	size_t n = number(item);
	bool deadly = n == 3 || n == 10 || n == 11 || n == 20;

	(void)status;
	seen->wrong += n != seen->count || died != deadly ||
	    (died ? out.len != 0 : !slice_eq(item, out));
	seen->died += died;
	seen->count++;
}

static void
test_deaths(long n)
{
	struct seen seen = {0};
	struct jobs *j = jobs_start(n, work_deadly, done_deadly, &seen);

	add_numbers(j, 60, 10);
	jobs_finish(j);
	CHECK(seen.count == 60);
	CHECK(seen.died == 4);
	CHECK(seen.wrong == 0);
	CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

/* Somebody else kills every worker again and again, whatever it is doing. */
static _Noreturn void
kill_children(pid_t parent)
{
	char name[64];
	pid_t child;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/task/%d/children", parent, parent);
	for (;;) {
		usleep(3000);
		f = fopen(name, "r");
		while (f && fscanf(f, "%d", &child) == 1)
			if (child != getpid())
				kill(child, SIGKILL);
		if (f)
			fclose(f);
	}
}

static int
work_slow(struct slice item, struct buf *out, void *state)
{
	(void)state;
	usleep(300);
	memset(buf_room(out, 100000), 'x', 100000);
	out->len += 100000;
	return (int)number(item);
}

static void
done_slow(struct slice item, struct slice out, int status, bool died, void *state)
{
	struct seen *seen = state;

	seen->wrong += number(item) != seen->count ||
	    (died ? out.len != 0 : out.len != 100000 || status != (int)seen->count);
	seen->died += died;
	seen->count++;
}

static void
stop(pid_t *pid)
{
	if (*pid <= 0)
		return;
	kill(*pid, SIGKILL);
	waitpid(*pid, NULL, 0);
	*pid = 0;
}

static void
test_killer(void)
{
	struct seen seen = {0};
	pid_t parent = getpid(), killer = fork();
	int64_t until = time_ms() + 60000;
	size_t count = 0;
	struct jobs *j;

	if (killer == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		kill_children(parent);
	}
	j = jobs_start(3, work_slow, done_slow, &seen);
	/* However late the killer begins; and it ends before nothing gets done. */
	for (; count < 400 || (seen.died == 0 && time_ms() < until); count++) {
		add_number(j, count, 50000);
		if (seen.died >= 20)
			stop(&killer);
	}
	stop(&killer);
	jobs_finish(j);
	CHECK(seen.count == count);
	CHECK(seen.wrong == 0);
	CHECK(seen.died > 0);
	CHECK(seen.died < 100);
}

/* What the parent has in stdout's buffer is written once, by the parent. */
static void
test_stdout_once(void)
{
	struct seen seen = {0};
	char line[64] = "", rest[64] = "";
	int saved = dup(STDOUT_FILENO);
	FILE *file = tmpfile();
	struct jobs *j;

	fflush(stdout);
	dup2(fileno(file), STDOUT_FILENO);
	setvbuf(stdout, NULL, _IOFBF, 4096);
	printf("once");
	j = jobs_start(2, work_deadly, done_deadly, &seen);
	add_numbers(j, 25, 0);
	jobs_finish(j);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	rewind(file);
	CHECK(fgets(line, sizeof(line), file) != NULL);
	CHECK_TEXT(line, "once");
	CHECK(fgets(rest, sizeof(rest), file) == NULL);
	fclose(file);
}

static int
open_files(void)
{
	int n = 0;
	DIR *dir = opendir("/proc/self/fd");

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

int
main(void)
{
	int before = open_files();

	test_order(1, 50, 3);
	test_order(2, 200, 3);
	test_order(5, 100, 500000);
	test_order(0, 20, 3);
	test_order(20, 30, 0);
	test_order(4, 0, 0);
	test_deaths(2);
	test_deaths(7);
	test_killer();
	test_stdout_once();
	CHECK(open_files() == before);
	return check_done();
}
