/*
 * history: whatever is put, cut, flipped and restarted, what is kept is the newest
 * of what was put, whole and in order, and found by number, time and sender.
 */
#include "tools/collab/history.h"

#include "common/path.h"
#include "common/time.h"
#include "tests/unit/check.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static struct err e;
static char dir[64];
static unsigned seed;

static bool loud;

/* The next so many changes of files are made, then the process is gone; -1: all. */
static long steps = -1;
static unsigned long syncs, all_syncs;

static void
step(void)
{
	if (steps == 0)
		_exit(9);
	if (steps > 0)
		steps--;
}

int
renameat(int fromdir, const char *from, int todir, const char *to)
{
	step();
	return (int)syscall(SYS_renameat, fromdir, from, todir, to);
}

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

/* What is said of damage and full disks is wanted here: a seed on the command line shows it. */
static void
quiet(bool on)
{
	static int was = -1;
	int null;

	if (loud)
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

static unsigned
random_below(unsigned n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 8) % n;
}

static void
clear(void)
{
	DIR *folder = opendir(dir);
	struct dirent *entry;

	while (folder && (entry = readdir(folder)) != NULL)
		unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder)
		closedir(folder);
}

/* The only file with that ending, or NULL. */
static char *
file_of(const char *ending)
{
	static char name[600];
	DIR *folder = opendir(dir);
	struct dirent *entry;
	bool found = false;

	while (folder && (entry = readdir(folder)) != NULL) {
		if (!slice_ends(slice(entry->d_name), ending))
			continue;
		snprintf(name, sizeof(name), "%s/%s", dir, entry->d_name);
		found = true;
	}
	if (folder)
		closedir(folder);
	return found ? name : NULL;
}

/* How many files were set aside. */
static unsigned
aside(void)
{
	DIR *folder = opendir(dir);
	struct dirent *entry;
	unsigned n = 0;

	while (folder && (entry = readdir(folder)) != NULL)
		n += strstr(entry->d_name, ".history.damaged") != NULL;
	if (folder)
		closedir(folder);
	return n;
}

static struct histories *
open_all(size_t messages, int64_t ms, size_t bytes, bool files)
{
	struct histories_settings settings = {messages, ms, bytes, files ? dir : NULL};
	struct histories *all = histories_open(&settings, &e);

	if (all == NULL)
		fprintf(stderr, "%s\n", e.text);
	CHECK(all != NULL);
	return all;
}

/* ---- against a model ---- */

enum { TOPICS = 5, SENDERS = 4, PUTS = 4000 };

struct said {
	unsigned sender; /* SENDERS: none */
	uint64_t seq;
	unsigned id;
};

struct model {
	struct said v[PUTS];
	size_t first, n; /* kept: [first, n) */
};

static struct model models[TOPICS];

static struct slice
topic_name(unsigned topic)
{
	static char name[40];

	snprintf(name, sizeof(name), "realtime:%s/%u", topic % 2 ? "é /%" : "a.b", topic / 2);
	return slice(name);
}

static void
write_payload(struct buf *out, const struct said *s)
{
	buf_reset(out);
	if (s->sender < SENDERS)
		buf_addf(out, "{\"kandil\":1,\"from\":\"s%u.x\",\"seq\":%llu,\"payload\":",
		    s->sender, (unsigned long long)s->seq);
	buf_addf(out, "{\"id\":%u,\"text\":\"", s->id);
	for (unsigned i = 0; i < s->id % 200; i++)
		buf_addc(out, (char)('a' + i % 26));
	buf_adds(out, s->sender < SENDERS ? "\"}}" : "\"}");
}

/* Whether the sender's seq is there, or all that is there of it is newer. */
static bool
model_refuses(const struct model *m, const struct said *s)
{
	uint64_t lowest = UINT64_MAX;

	if (s->sender == SENDERS)
		return false;
	for (size_t i = m->first; i < m->n; i++) {
		if (m->v[i].sender != s->sender)
			continue;
		if (m->v[i].seq == s->seq)
			return true;
		lowest = m->v[i].seq < lowest ? m->v[i].seq : lowest;
	}
	return lowest != UINT64_MAX && s->seq < lowest;
}

static void
check_sender(const struct history *h, const struct model *m, unsigned sender)
{
	uint64_t from_seq = random_below(300), seq = 0, number = 0, best = 0, last = 0, told = 0;
	char name[20];
	size_t cursor = 0;
	struct slice from;
	bool found;

	for (size_t i = m->first; i < m->n; i++) {
		if (m->v[i].sender != sender)
			continue;
		last = m->v[i].seq > last ? m->v[i].seq : last;
		if (m->v[i].seq >= from_seq && (best == 0 || m->v[i].seq < best))
			best = m->v[i].seq;
	}
	snprintf(name, sizeof(name), "s%u.x", sender);
	found = history_seek(h, slice(name), from_seq, &seq, &number);
	CHECK(found == (best != 0));
	CHECK(!found || (seq == best && m->v[number - 1].seq == best));
	while (history_sender(h, &cursor, &from, &seq))
		if (slice_is(from, name))
			told = seq;
	CHECK(told == last);
}

static void
check_topic(struct histories *all, unsigned topic)
{
	const struct model *m = &models[topic];
	struct history *h = history_of(all, topic_name(topic), topic % 2, false);
	struct history_message got;
	struct buf want = {0};

	CHECK((h != NULL) == (m->n > m->first));
	if (h == NULL)
		return;
	CHECK(history_first(h) == m->first + 1 && history_last(h) == m->n);
	for (size_t i = m->first; i < m->n; i++) {
		write_payload(&want, &m->v[i]);
		CHECK(history_get(h, i + 1, &got));
		CHECK(got.number == i + 1 && slice_eq(got.payload, buf_slice(&want)) &&
		    slice_is(got.event, "message") && got.json &&
		    got.user == (m->v[i].id % 2 == 0));
	}
	CHECK(!history_get(h, m->first, &got) && !history_get(h, m->n + 1, &got));
	CHECK(history_since(h, 0) == m->first + 1);
	CHECK(history_since(h, time_now() + 100000) == m->n + 1);
	for (unsigned sender = 0; sender < SENDERS; sender++)
		check_sender(h, m, sender);
	buf_free(&want);
}

static void
put_one(struct histories *all, unsigned topic, unsigned id, uint64_t *seqs)
{
	struct model *m = &models[topic];
	struct said s = {random_below(SENDERS + 1), 0, id};
	struct history *h = history_of(all, topic_name(topic), topic % 2, true);
	struct buf payload = {0};
	struct history_message message = {.json = true, .user = id % 2 == 0, .event = S("message")};
	bool refused;

	/* Mostly the next, now and then one again, or one that is late. */
	if (s.sender < SENDERS) {
		uint64_t *seq = &seqs[topic * SENDERS + s.sender];

		s.seq = *seq > 20 && random_below(5) == 0 ? *seq - random_below(20) : ++*seq;
	}
	refused = model_refuses(m, &s);
	write_payload(&payload, &s);
	message.payload = buf_slice(&payload);
	CHECK(history_put(h, &message, &e) == refused);
	if (!refused)
		m->v[m->n++] = s;
	buf_free(&payload);
}

static void
test_model(bool files)
{
	uint64_t seqs[TOPICS * SENDERS] = {0};
	size_t keep = 1 + random_below(60);
	struct histories *all;

	clear();
	memset(models, 0, sizeof(models));
	all = open_all(keep, 0, 0, files);
	for (unsigned id = 0; id < PUTS; id++) {
		unsigned topic = random_below(TOPICS);

		put_one(all, topic, id, seqs);
		if (models[topic].n - models[topic].first > keep)
			models[topic].first = models[topic].n - keep;
		if (random_below(10) == 0)
			histories_turn(all, time_ms() + random_below(3000));
		if (random_below(100) == 0)
			check_topic(all, random_below(TOPICS));
		if (files && random_below(200) == 0) {
			histories_close(all);
			all = open_all(keep, 0, 0, true);
		}
	}
	for (unsigned topic = 0; topic < TOPICS; topic++)
		check_topic(all, topic);
	histories_close(all);
}

/* ---- files that are not as they were written ---- */

static void
put_text(struct histories *all, const char *topic, const char *text)
{
	struct history *h = history_of(all, slice(topic), false, true);
	struct history_message m = {.json = true, .event = S("e"), .payload = slice(text)};

	CHECK(history_put(h, &m, &e) == 0);
}

enum { FEW = 6 };

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
	struct histories *all;
	struct buf whole = {0};
	char text[60], name[600];
	size_t n = 0, last = 0;

	clear();
	all = open_all(0, 1000000, 0, true);
	for (int i = 1; i <= FEW; i++) {
		snprintf(text, sizeof(text), "{\"kandil\":1,\"from\":\"a\",\"seq\":%d}", i);
		put_text(all, "realtime:x", text);
	}
	histories_close(all);
	snprintf(name, sizeof(name), "%s", file_of(".history"));
	CHECK(path_read(name, 1 << 20, &whole, &e) == 0);
	/* Cut anywhere: a prefix that never gets shorter; nothing is set aside. */
	for (size_t len = 0; len <= whole.len; len++) {
		clear();
		n = load(name, (struct slice){whole.ptr, len});
		CHECK(n >= last && n <= FEW);
		last = n;
		CHECK(aside() == 0);
	}
	CHECK(last == FEW);
	/* A bit flipped anywhere: a prefix; in what is not the last entry it is set aside. */
	for (size_t at = 0; at < whole.len; at++) {
		char was = whole.ptr[at];

		clear();
		whole.ptr[at] = (char)(was ^ 1 << random_below(8));
		n = load(name, buf_slice(&whole));
		whole.ptr[at] = was;
		CHECK(n < FEW || memchr(whole.ptr, '\n', whole.len) > (void *)(whole.ptr + at));
		CHECK(n >= FEW - 1 || aside() == 1);
	}
	/* The file system gave it its length, not its bytes. */
	clear();
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
		char text[60], name[600];
		int status = -1;
		pid_t pid;

		clear();
		all = open_all(0, 1000000, 0, true);
		for (int i = 1; i <= FEW; i++) {
			snprintf(text, sizeof(text), "{\"kandil\":1,\"from\":\"a\",\"seq\":%d}", i);
			put_text(all, "realtime:x", text);
		}
		histories_close(all);
		snprintf(name, sizeof(name), "%s", file_of(".history"));
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

/* ---- what is too much ---- */

static void
test_compaction(void)
{
	struct histories *all;
	struct buf text = {0};
	struct history *h;
	struct history_message m;
	struct stat st;
	off_t most = 0;

	clear();
	all = open_all(100, 0, 0, true);
	for (int i = 0; i < 3000; i++) {
		buf_reset(&text);
		buf_addf(&text, "{\"n\":%d,\"pad\":\"%0*d\"}", i, 2000, 0);
		put_text(all, "realtime:x", text.ptr);
		if (i % 3 == 0)
			histories_turn(all, time_ms());
		if (stat(file_of(".history"), &st) == 0 && st.st_size > most)
			most = st.st_size;
		if (i == 1500) {
			histories_close(all);
			all = open_all(100, 0, 0, true);
		}
	}
	/* 100 of 2 KB are 200 KB: never much above twice that, and what is worth a copy. */
	CHECK(most > 300000 && most < 600000);
	h = history_of(all, S("realtime:x"), false, false);
	CHECK(h != NULL && history_first(h) == 2901 && history_last(h) == 3000);
	for (uint64_t number = 2901; h && number <= 3000; number++) {
		buf_reset(&text);
		buf_addf(&text, "{\"n\":%d,\"pad\":\"%0*d\"}", (int)number - 1, 2000, 0);
		CHECK(history_get(h, number, &m) && slice_eq(m.payload, buf_slice(&text)));
	}
	histories_close(all);
	CHECK(file_of(".new") == NULL);
	buf_free(&text);
}

/* Of all memory the topics that were silent longest give up theirs first. */
static void
test_memory(bool files)
{
	enum { MOST = 200000 };
	struct histories *all;
	char topic[40], text[300];
	struct history *h;

	clear();
	all = open_all(0, 1000000, MOST, files);
	for (int i = 0; i < 2000; i++) {
		snprintf(topic, sizeof(topic), "realtime:%d", i);
		snprintf(text, sizeof(text), "{\"pad\":\"%0200d\"}", i);
		put_text(all, topic, text);
		if (i % 20 == 0)
			put_text(all, "realtime:busy", text);
		CHECK(histories_bytes(all) <= MOST);
		if (i % 50 == 0)
			histories_turn(all, time_ms());
	}
	CHECK(history_of(all, S("realtime:0"), false, false) == NULL);
	CHECK(history_of(all, S("realtime:1999"), false, false) != NULL);
	h = history_of(all, S("realtime:busy"), false, false);
	CHECK(h != NULL && history_first(h) == 1 && history_last(h) == 100);
	histories_turn(all, time_ms());
	CHECK(histories_topics(all) > 10 && histories_topics(all) < 1000);
	histories_close(all);
}

static void
test_age(void)
{
	struct histories *all;
	struct history *h;

	clear();
	all = open_all(0, 60, 0, true);
	put_text(all, "realtime:x", "1");
	usleep(40000);
	put_text(all, "realtime:x", "2");
	usleep(40000);
	h = history_of(all, S("realtime:x"), false, false);
	CHECK(h != NULL && history_first(h) == 2 && history_last(h) == 2);
	usleep(70000);
	histories_turn(all, time_ms() + 2000);
	CHECK(histories_topics(all) == 0 && histories_bytes(all) == 0);
	CHECK(file_of(".history") == NULL);
	put_text(all, "realtime:x", "3");
	h = history_of(all, S("realtime:x"), false, false);
	CHECK(h != NULL && history_first(h) == 1);
	histories_close(all);
	usleep(70000);
	all = open_all(0, 60, 0, true);
	CHECK(histories_topics(all) == 0 && file_of(".history") == NULL);
	histories_close(all);
}

/* ---- files ---- */

static void
test_many(void)
{
	enum { MANY = 600 };
	struct histories *all;
	char topic[300];
	struct history *h;
	struct history_message m;

	clear();
	all = open_all(10, 0, 0, true);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < MANY; i++) {
			/* Long names are hashed, and tell each other apart by their ends only. */
			snprintf(topic, sizeof(topic), "realtime:%0*d", i % 2 ? 250 : 3, i);
			put_text(all, topic, round == 0 ? "0" : round == 1 ? "1" : "2");
		}
		histories_turn(all, time_ms() + 1500 * round);
		if (round == 1) {
			histories_close(all);
			all = open_all(10, 0, 0, true);
		}
	}
	for (int i = 0; i < MANY; i++) {
		snprintf(topic, sizeof(topic), "realtime:%0*d", i % 2 ? 250 : 3, i);
		h = history_of(all, slice(topic), false, false);
		CHECK(h != NULL && history_last(h) == 3);
		CHECK(h != NULL && history_get(h, 2, &m) && slice_is(m.payload, "1"));
	}
	/* Another process may not have the folder. */
	{
		struct histories_settings settings = {10, 0, 0, dir};

		CHECK(histories_open(&settings, &e) == NULL);
		CHECK_TEXT(e.code, "in_use");
	}
	histories_close(all);
}

/* Whoever has many topics does not wait for the disk at every message, and yet it is on it soon. */
static void
test_many_syncs(void)
{
	enum { MANY = 1000 };
	struct histories *all;
	char topic[40];
	struct stat st;
	int64_t now, due;

	clear();
	CHECK(rmdir(dir) == 0);
	all = open_all(10, 0, 0, true);
	CHECK(stat(dir, &st) == 0 && (st.st_mode & 0777) == 0700);
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

	clear();
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

static void
test_stamp(void)
{
	static const struct {
		const char *text;
		bool good, again;
		uint64_t seq;
	} rows[] = {
	    {"{\"kandil\":1,\"from\":\"a.b\",\"seq\":7,\"payload\":{}}", true, false, 7},
	    {" { \"seq\":8 , \"again\":true,\"from\":\"\\u0061.b\",\"kandil\":1}", true, true, 8},
	    {"{\"kandil\":2,\"from\":\"a.b\",\"seq\":7}", false, false, 0},
	    {"{\"kandil\":1,\"from\":\"a.b\",\"seq\":0}", false, false, 0},
	    {"{\"kandil\":1,\"from\":\"a.b\",\"seq\":-1}", false, false, 0},
	    {"{\"kandil\":1,\"from\":\"a.b\",\"seq\":1.5}", false, false, 0},
	    {"{\"kandil\":1,\"from\":\"a.b\",\"seq\":99999999999999999999}", false, false, 0},
	    {"{\"kandil\":1,\"from\":\"\",\"seq\":7}", false, false, 0},
	    {"{\"kandil\":1,\"from\":7,\"seq\":7}", false, false, 0},
	    {"{\"kandil\":1,\"seq\":7}", false, false, 0},
	    {"[\"kandil\"]", false, false, 0},
	    {"{\"a\":{\"kandil\":1,\"from\":\"a.b\",\"seq\":7}}", false, false, 0},
	};
	struct buf from = {0};
	uint64_t seq;
	bool again;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		bool good = history_stamp(slice(rows[i].text), &from, &seq, &again);

		if (good != rows[i].good)
			fprintf(stderr, "%s\n", rows[i].text);
		CHECK(good == rows[i].good);
		CHECK(!good || (again == rows[i].again && seq == rows[i].seq));
		if (good)
			CHECK_TEXT(from.ptr, "a.b");
	}
	buf_free(&from);
}

int
main(int argc, char **argv)
{
	seed = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : (unsigned)time_ns();
	printf("seed %u\n", seed);
	loud = argc > 1;
	die_name("history");
	/* What is said about damage and full disks is wanted here. */
	/* In memory where there is some: thousands of syncs take a minute on a disk. */
	snprintf(dir, sizeof(dir), "%s", "/dev/shm/history.XXXXXX");
	if (mkdtemp(dir) == NULL) {
		snprintf(dir, sizeof(dir), "%s", "/tmp/history.XXXXXX");
		if (mkdtemp(dir) == NULL)
			return 1;
	}
	for (int i = 0; i < 3; i++) {
		test_model(false);
		test_model(true);
	}
	quiet(true);
	test_damage();
	test_mend_killed();
	quiet(false);
	test_compaction();
	test_memory(false);
	test_memory(true);
	test_age();
	test_many();
	test_many_syncs();
	quiet(true);
	test_full();
	quiet(false);
	test_stamp();
	clear();
	rmdir(dir);
	return check_done();
}
