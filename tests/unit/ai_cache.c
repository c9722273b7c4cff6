/* cache: what was acknowledged is found, within its bounds; a reply comes back as it was. */
#include "tools/ai/cache.h"

#include "tests/unit/ai_cache_values.h"
#include "tools/ai/cache_part.h"
#include "tools/ai/provider.h"

#include <signal.h>
#include <sys/resource.h>

static void
test_plain(void)
{
	struct cache *c = open_with(0), *d;
	struct buf out = {0};
	uint8_t key[CACHE_KEY];
	struct stat st;
	char *name = in_dir("00000001.seg1");

	scratch_clear(scratch);
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
	CHECK(stat(scratch, &st) == 0 && (st.st_mode & 0777) == 0700);
	CHECK(stat(name, &st) == 0 && (st.st_mode & 0777) == 0600);
	/* The lock and then all files go under its feet. */
	free(name);
	name = in_dir("lock");
	unlink(name);
	CHECK(put(c, 3) == 0 && put(d, 4) == 0 && get(c, 4) == 1 && get(d, 3) == 1);
	scratch_clear(scratch);
	CHECK(put(c, 5) == 0 && put(d, 6) == 0 && get(c, 6) == 1 && get(d, 5) == 1);
	CHECK(get(c, 3) == 0);
	cache_close(c);
	cache_close(d);
	CHECK(cache_open(&c, "/dev/null/x", 0, &e) < 0 && c == NULL);
	CHECK_TEXT(e.code, "cannot_read");
	free(name);
	buf_free(&out);
}

static uint64_t
folder_bytes(void)
{
	DIR *folder = opendir(scratch);
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

	scratch_clear(scratch);
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

	scratch_clear(scratch);
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
	scratch_begin();
	test_plain();
	test_eviction();
	test_full();
	test_reply();
	scratch_remove(scratch);
	return check_done();
}
