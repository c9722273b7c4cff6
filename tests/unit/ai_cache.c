/* cache: what was acknowledged is found, whoever is killed; nothing damaged is ever believed. */
#include "tools/ai/cache.h"

#include "common/path.h"
#include "tests/unit/check.h"
#include "tools/ai/cache_part.h"
#include "tools/ai/provider.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct err e;
static char dir[64];
static unsigned seed;

static char *
in_dir(const char *name)
{
	return path_join(dir, name);
}

static void
clear(void)
{
	DIR *folder = opendir(dir);
	struct dirent *entry;

	while (folder && (entry = readdir(folder)) != NULL) {
		char *name = in_dir(entry->d_name);

		unlink(name);
		free(name);
	}
	if (folder)
		closedir(folder);
}

/* The key of a number, spread as a digest is. */
static void
key_of(uint64_t n, uint8_t key[CACHE_KEY])
{
	for (size_t i = 0; i < CACHE_KEY; i += 8) {
		uint64_t x = (n + 1) * 0x9e3779b97f4a7c15u + i;

		x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
		x = (x ^ x >> 27) * 0x94d049bb133111ebu;
		x ^= x >> 31;
		memcpy(key + i, &x, 8);
	}
}

/* The only value that a number ever has. */
static void
value_of(uint64_t n, struct buf *out)
{
	size_t len = (size_t)((n * 2654435761u) >> 7 & 1023);

	buf_reset(out);
	buf_addf(out, "{\"n\":%llu,\"pad\":\"", (unsigned long long)n);
	for (size_t i = 0; i < len; i++)
		buf_addc(out, (char)('a' + (n + i) % 26));
	buf_adds(out, "\"}");
}

static int
put(struct cache *c, uint64_t n)
{
	static struct buf value;
	uint8_t key[CACHE_KEY];

	key_of(n, key);
	value_of(n, &value);
	return cache_put(c, key, buf_slice(&value), &e);
}

/* 1: there and right, 0: not there, -1: wrong. */
static int
get(struct cache *c, uint64_t n)
{
	static struct buf value, want;
	uint8_t key[CACHE_KEY];

	key_of(n, key);
	value_of(n, &want);
	buf_reset(&value);
	buf_adds(&value, "before");
	if (!cache_get(c, key, &value))
		return slice_is(buf_slice(&value), "before") ? 0 : -1;
	return slice_starts(buf_slice(&value), "before") && value.len == want.len + 6 &&
	    memcmp(value.ptr + 6, want.ptr, want.len) == 0 ? 1 : -1;
}

static struct cache *
open_with(size_t max)
{
	struct cache *c = NULL;

	if (cache_open(&c, dir, max, &e) != 0) {
		fprintf(stderr, "%s\n", e.text);
		exit(1);
	}
	return c;
}

static void
write_file(const char *name, struct slice bytes)
{
	char *path = in_dir(name);
	FILE *f = fopen(path, "wb");

	CHECK(f && fwrite(bytes.ptr, 1, bytes.len, f) == bytes.len);
	if (f)
		fclose(f);
	free(path);
}

static void
read_file(const char *name, struct buf *out)
{
	char *path = in_dir(name);

	buf_reset(out);
	CHECK(path_read(path, (size_t)1 << 30, out, &e) == 0);
	free(path);
}

static void
test_plain(void)
{
	struct cache *c = open_with(0), *d;
	struct buf out = {0};
	uint8_t key[CACHE_KEY];
	struct stat st;
	char *name = in_dir("00000001.seg1");

	clear();
	CHECK(get(c, 1) == 0);
	CHECK(put(c, 1) == 0 && get(c, 1) == 1 && get(c, 2) == 0);
	d = open_with(0);
	CHECK(get(d, 1) == 1 && put(d, 2) == 0);
	CHECK(get(c, 2) == 1); /* what another appended */
	key_of(1, key);
	CHECK(cache_put(c, key, S("new"), &e) == 0 && cache_get(c, key, &out));
	CHECK_TEXT(out.ptr, "new");
	buf_reset(&out);
	CHECK(cache_put(c, key, S(""), &e) == 0 && cache_get(c, key, &out) && out.len == 0);
	CHECK(cache_put(c, key, (struct slice){"", CACHE_VALUE + 1}, &e) < 0);
	CHECK_TEXT(e.code, "too_large");
	CHECK(stat(dir, &st) == 0 && (st.st_mode & 0777) == 0700);
	CHECK(stat(name, &st) == 0 && (st.st_mode & 0777) == 0600);
	/* The lock and then all files go under its feet. */
	free(name);
	name = in_dir("lock");
	unlink(name);
	CHECK(put(c, 3) == 0 && put(d, 4) == 0 && get(c, 4) == 1 && get(d, 3) == 1);
	clear();
	CHECK(put(c, 5) == 0 && put(d, 6) == 0 && get(c, 6) == 1 && get(d, 5) == 1);
	CHECK(get(c, 3) == 0);
	cache_close(c);
	cache_close(d);
	CHECK(cache_open(&c, "/dev/null/x", 0, &e) < 0 && c == NULL);
	CHECK_TEXT(e.code, "cannot_read");
	free(name);
	buf_free(&out);
}

/* Cut at every byte: whole entries are found, the rest is cut off and written again. */
static void
test_torn(void)
{
	struct cache *c;
	struct buf whole = {0}, now = {0};
	size_t ends[5] = {0};

	clear();
	c = open_with(0);
	for (uint64_t n = 0; n < 4; n++) {
		CHECK(put(c, n) == 0);
		read_file("00000001.seg1", &whole);
		ends[n + 1] = whole.len;
	}
	cache_close(c);
	for (size_t len = 0; len < whole.len; len++) {
		int wrong = 0;

		write_file("00000001.seg1", (struct slice){whole.ptr, len});
		c = open_with(0);
		for (uint64_t n = 0; n < 4; n++)
			wrong += get(c, n) != (ends[n + 1] <= len);
		for (uint64_t n = 4; n-- > 0;)
			if (ends[n + 1] > len)
				wrong += put(c, n) != 0;
		for (uint64_t n = 0; n < 4; n++)
			wrong += get(c, n) != 1;
		cache_close(c);
		read_file("00000001.seg1", &now);
		if (wrong || now.len != whole.len)
			fprintf(stderr, "cut at %zu: %d wrong\n", len, wrong);
		CHECK(wrong == 0 && now.len == whole.len);
	}
	buf_free(&whole);
	buf_free(&now);
}

/* Any byte changed, in a newest or a sealed segment: that entry at most is lost, none is wrong. */
static void
test_flipped(void)
{
	struct buf whole = {0};
	size_t ends[4] = {0};
	struct cache *c;

	clear();
	c = open_with(0);
	for (uint64_t n = 0; n < 3; n++) {
		CHECK(put(c, n) == 0);
		read_file("00000001.seg1", &whole);
		ends[n + 1] = whole.len;
	}
	cache_close(c);
	for (int sealed = 0; sealed < 2; sealed++) {
		clear();
		if (sealed)
			write_file("00000002.seg1", S(""));
		for (size_t at = 0; at < whole.len; at++) {
			int wrong = 0;

			whole.ptr[at] ^= (char)(1 << at % 8);
			write_file("00000001.seg1", buf_slice(&whole));
			whole.ptr[at] ^= (char)(1 << at % 8);
			c = open_with(0);
			for (uint64_t n = 0; n < 3; n++) {
				bool hit = at >= ends[n] && at < ends[n + 1];
				int got = get(c, n);

				/* The head of the last may turn it into a torn tail. */
				wrong += hit ? got != 0 : got != 1;
			}
			cache_close(c);
			if (wrong)
				fprintf(stderr, "byte %zu, sealed %d\n", at, sealed);
			CHECK(wrong == 0);
		}
	}
	buf_free(&whole);
}

static void
check_all(struct cache *c, uint64_t n, const char *what)
{
	uint64_t missing = 0;

	for (uint64_t i = 0; i < n; i++)
		missing += get(c, i) != 1;
	if (missing)
		fprintf(stderr, "%s: %llu of %llu missing or wrong\n", what,
		    (unsigned long long)missing, (unsigned long long)n);
	CHECK(missing == 0);
}

/* Sealed segments: found by their index, which may be damaged anywhere, or gone. */
static void
test_index(void)
{
	enum { N = 1500 };
	struct buf index = {0}, again = {0};
	struct cache *c, *open;

	clear();
	c = open_with(64u << 20); /* segments of 1 MiB, all of it in one */
	for (uint64_t n = 0; n < N; n++)
		CHECK(put(c, n) == 0);
	cache_close(c);
	write_file("00000002.seg1", S(""));
	c = open_with(0);
	check_all(c, N, "index made of entries");
	CHECK(get(c, N) == 0);
	cache_close(c);
	read_file("00000001.idx1", &index);
	open = open_with(0);
	for (size_t at = 0; at < index.len; at += at < 200 ? 1 : 131) {
		index.ptr[at] ^= 0x10;
		write_file("00000001.idx1", buf_slice(&index));
		index.ptr[at] ^= 0x10;
		c = open_with(0);
		check_all(c, N, "damaged index");
		cache_close(c);
		read_file("00000001.idx1", &again);
		CHECK(slice_eq(buf_slice(&again), buf_slice(&index))); /* mended */
	}
	for (size_t len = 0; len < index.len; len += 997) {
		write_file("00000001.idx1", (struct slice){index.ptr, len});
		c = open_with(0);
		check_all(c, N, "cut index");
		cache_close(c);
	}
	/* One that was opened before reads what it finds then. */
	index.ptr[index.len - 600] ^= 1;
	write_file("00000001.idx1", buf_slice(&index));
	check_all(open, N, "index damaged under an open cache");
	cache_close(open);
	buf_free(&index);
	buf_free(&again);
}

static uint64_t
folder_bytes(void)
{
	DIR *folder = opendir(dir);
	struct dirent *entry;
	struct stat st;
	uint64_t total = 0;

	while (folder && (entry = readdir(folder)) != NULL) {
		char *name = in_dir(entry->d_name);

		if (stat(name, &st) == 0 && S_ISREG(st.st_mode))
			total += (uint64_t)st.st_size;
		free(name);
	}
	if (folder)
		closedir(folder);
	return total;
}

static void
test_eviction(void)
{
	enum { N = 12000, MAX = 2 << 20 };
	struct cache *c, *behind;
	uint64_t most = 0;
	int found = 0, wrong = 0;

	clear();
	c = open_with(MAX);
	put(c, 0);
	behind = open_with(MAX);
	CHECK(get(behind, 0) == 1);
	for (uint64_t n = 1; n < N; n++) {
		CHECK(put(c, n) == 0);
		wrong += get(c, n) != 1;
		if (n % 512 == 0 && folder_bytes() > most)
			most = folder_bytes();
	}
	CHECK(most <= MAX + MAX / 16 && most > MAX / 2);
	CHECK(wrong == 0);
	for (uint64_t n = 0; n < N; n++) {
		int a = get(c, n), b = get(behind, n);

		wrong += a < 0 || b < 0 || (n > 0 && a != b);
		found += a == 1;
	}
	CHECK(wrong == 0 && found > 2000 && found < 4000);
	CHECK(get(c, 0) == 0 && get(c, N - 1) == 1);
	cache_close(c);
	cache_close(behind);
	/* A smaller limit is kept from the first put on. */
	c = open_with(MAX / 2);
	put(c, N);
	CHECK(folder_bytes() <= MAX / 2 + MAX / 16);
	cache_close(c);
}

/* A write that is cut short by a limit is taken back, and told. */
static void
test_full(void)
{
	struct rlimit old, small;
	struct buf before = {0}, after = {0};
	struct cache *c;

	clear();
	c = open_with(0);
	CHECK(put(c, 1) == 0);
	read_file("00000001.seg1", &before);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small = old;
	for (size_t more = 0; more < 100; more += 33) {
		small.rlim_cur = before.len + more;
		setrlimit(RLIMIT_FSIZE, &small);
		CHECK(put(c, 2) < 0);
		CHECK_TEXT(e.code, "cannot_write");
		setrlimit(RLIMIT_FSIZE, &old);
		read_file("00000001.seg1", &after);
		CHECK(slice_eq(buf_slice(&before), buf_slice(&after)));
	}
	CHECK(get(c, 1) == 1 && get(c, 2) == 0 && put(c, 2) == 0 && get(c, 2) == 1);
	cache_close(c);
	buf_free(&before);
	buf_free(&after);
}

/* ---- several at once, killed at random ---- */

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

static void
test_killed(size_t max, bool evicting, unsigned rounds)
{
	struct shared *s =
	    mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[WRITERS + READERS];
	struct cache *c;
	uint64_t missing = 0, total = 0;

	clear();
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

/* ---- replies ---- */

static void
test_reply(void)
{
#define HEAD(finish)                                                                     \
	"{\"text\":\"\",\"model\":\"\",\"finish\":\"" finish "\",\"finish_word\":\"\",\"id\":\"\","
	static const char *const bad[] = {"", "[]", "{}", "{\"text\":1}", "\xff",
	    HEAD("maybe") "\"ms\":0}", HEAD("stop") "\"ms\":-1}",
	    HEAD("stop") "\"ms\":0,\"usage\":{\"input\":1,\"cached\":0,\"output\":1,\"reasoning\":0}}"};
	struct reply back = {0}, r = {.finish = FINISH_LENGTH,
				     .usage = {.known = true,
					 .input = 10,
					 .cached = 4,
					 .output = 7,
					 .reasoning = 2,
					 .written = 3}};
	struct buf value = {0};
	long ms = 0;

	buf_adds(&r.text, "é \"q\" \\ \n\x01");
	buf_addc(&r.text, '\0');
	buf_adds(&r.model, "m-1");
	buf_adds(&r.finish_word, "max_tokens");
	buf_adds(&r.id, "req_1");
	cache_encode(&r, 812, &value);
	CHECK(cache_decode(buf_slice(&value), &back, &ms, &e) == 0);
	CHECK(slice_eq(buf_slice(&back.text), buf_slice(&r.text)));
	CHECK(slice_is(buf_slice(&back.model), "m-1") && slice_is(buf_slice(&back.id), "req_1"));
	CHECK(slice_is(buf_slice(&back.finish_word), "max_tokens") && ms == 812);
	CHECK(back.finish == FINISH_LENGTH && back.usage.known && back.usage.input == 10 &&
	      back.usage.cached == 4 && back.usage.output == 7 && back.usage.reasoning == 2 &&
	      back.usage.written == 3);
	for (size_t len = 0; len < value.len; len++)
		CHECK(cache_decode((struct slice){value.ptr, len}, &back, &ms, &e) < 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		CHECK(cache_decode(slice(bad[i]), &back, &ms, &e) < 0);
		CHECK_TEXT(e.code, "bad_reply");
	}
	r.usage.known = false;
	buf_reset(&value);
	cache_encode(&r, 0, &value);
	CHECK(cache_decode(buf_slice(&value), &back, &ms, &e) == 0 && !back.usage.known);
	reply_free(&r);
	reply_free(&back);
	buf_free(&value);
}

int
main(void)
{
	const char *given = getenv("KANDIL_TEST_SEED"), *tmp = getenv("TMPDIR");

	seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
	printf("KANDIL_TEST_SEED=%u\n", seed);
	snprintf(dir, sizeof(dir), "%.30s/kandil-cache-XXXXXX", tmp ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL)
		return 1;
	test_plain();
	test_torn();
	test_flipped();
	test_index();
	test_eviction();
	test_full();
	test_killed((size_t)1 << 30, false, 200);
	test_killed((size_t)1 << 20, true, 100);
	test_reply();
	clear();
	rmdir(dir);
	return check_done();
}
