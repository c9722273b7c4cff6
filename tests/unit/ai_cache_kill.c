/* cache by several processes at once, killed at random: what was acknowledged is found. */
#include "tools/ai/cache.h"

#include "tests/unit/ai_cache_values.h"

#include "common/time.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

static unsigned seed;

enum { WRITERS = 4, READERS = 2, STRIDE = 1 << 20 };

struct shared {
	atomic_uint acknowledged[WRITERS]; /* puts of each that returned 0 */
	atomic_uint wrong, lost, reads;
	atomic_bool stop;
};

static void
writer(struct shared *s, unsigned who, size_t max)
{
	struct cache *c = open_with(max);

	for (;;) {
		unsigned n = atomic_load(&s->acknowledged[who]);

		if (put(c, (uint64_t)who * STRIDE + n) != 0) {
			fprintf(stderr, "%s\n", e.text);
			atomic_fetch_add(&s->wrong, 1);
		}
		atomic_store(&s->acknowledged[who], n + 1);
	}
}

static void
reader(struct shared *s, unsigned who, size_t max, bool evicting)
{
	struct cache *c = open_with(max);
	unsigned state = seed + who;

	while (!atomic_load(&s->stop)) {
		unsigned from = (unsigned)rand_r(&state) % WRITERS;
		unsigned n = atomic_load(&s->acknowledged[from]);
		/* Mostly the latest, which this process has not seen yet. */
		unsigned which = n == 0		      ? 0
				 : rand_r(&state) % 4 ? n - 1
						      : (unsigned)rand_r(&state) % n;
		int got = get(c, (uint64_t)from * STRIDE + which);

		atomic_fetch_add(&s->reads, 1);
		if (got < 0)
			atomic_fetch_add(&s->wrong, 1);
		if (n > 0 && got == 0 && !evicting)
			atomic_fetch_add(&s->lost, 1);
		if (rand_r(&state) % 512 == 0) {
			cache_close(c);
			c = open_with(max);
		}
	}
	cache_close(c);
}

static pid_t
start(struct shared *s, unsigned who, size_t max, bool evicting)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (who < WRITERS)
			writer(s, who, max);
		else
			reader(s, who, max, evicting);
		_exit(0);
	}
	return pid;
}

/* Whether each writer has put something, and the readers have read. */
static bool
begun(struct shared *s)
{
	for (unsigned who = 0; who < WRITERS; who++)
		if (atomic_load(&s->acknowledged[who]) == 0)
			return false;
	return atomic_load(&s->reads) > 100;
}

static void
test_killed(size_t max, bool evicting, unsigned rounds)
{
	struct shared *s =
	    mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[WRITERS + READERS];
	struct cache *c;
	uint64_t missing = 0, total = 0;
	int64_t until = time_ms() + 60000;

	scratch_clear(scratch);
	memset(s, 0, sizeof(*s));
	for (unsigned i = 0; i < WRITERS + READERS; i++)
		pids[i] = start(s, i, max, evicting);
	for (unsigned i = 0; i < rounds; i++) {
		unsigned who = (unsigned)rand_r(&seed) % WRITERS;
		struct timespec pause = {0, rand_r(&seed) % 8000000};

		nanosleep(&pause, NULL);
		kill(pids[who], SIGKILL);
		waitpid(pids[who], NULL, 0);
		pids[who] = start(s, who, max, evicting);
	}
	while (!begun(s) && time_ms() < until)
		sched_yield();
	atomic_store(&s->stop, true);
	for (unsigned i = 0; i < WRITERS + READERS; i++) {
		if (i < WRITERS)
			kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	c = open_with(max);
	for (unsigned who = 0; who < WRITERS; who++) {
		unsigned n = atomic_load(&s->acknowledged[who]);

		total += n;
		for (unsigned i = evicting && n > 50 ? n - 50 : 0; i < n; i++) {
			int got = get(c, (uint64_t)who * STRIDE + i);

			missing += got < 0 || (got == 0 && !evicting);
		}
		CHECK(n > 0);
	}
	cache_close(c);
	CHECK(missing == 0);
	CHECK(atomic_load(&s->wrong) == 0);
	CHECK(atomic_load(&s->lost) == 0);
	CHECK(atomic_load(&s->reads) > 100);
	printf("%llu puts, %u reads, %u kills\n", (unsigned long long)total,
	    atomic_load(&s->reads), rounds);
	munmap(s, sizeof(*s));
}

int
main(void)
{
	scratch_begin();
	seed = (unsigned)scratch_random(UINT32_MAX);
	test_killed((size_t)1 << 30, false, 200);
	test_killed((size_t)1 << 20, true, 100);
	scratch_remove(scratch);
	return check_done();
}
