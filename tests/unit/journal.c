/*
 * journal: what was committed is there, whoever is killed and whatever is
 * damaged, in order, and nothing is there that was never appended.
 */
#include "tools/collab/journal.h"
#include "tools/collab/lock.h"

#include "tests/unit/check.h"
#include "tests/unit/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifdef __SANITIZE_ADDRESS__
enum { STEPS = 6000, FLIP_EVERY = 29, CUT_EVERY = 7, KILLS = 40, CRASHES = 40 };
#else
enum { STEPS = 60000, FLIP_EVERY = 5, CUT_EVERY = 1, KILLS = 200, CRASHES = 300 };
#endif

enum { SENDERS = 5, ENTRIES = 1 << 17 };
#define FIRST "0000000000000001.seg1"

static struct err e;
static struct journal_report report;
static struct buf bytes;

/* ---- the disk, at our command ---- */

static bool fail_sync;
static long room = -1; /* bytes that may still be written with pwrite; -1: any */
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
pwrite(int fd, const void *from, size_t n, off_t at)
{
	if (room == 0) {
		errno = ENOSPC;
		return -1;
	}
	if (room > 0) {
		n = n < (size_t)room ? n : (size_t)room;
		room -= (long)n;
	}
	return syscall(SYS_pwrite64, fd, from, n, at);
}

/* ---- the model: an entry is known by its place ---- */

struct model_entry {
	unsigned sender;
	uint64_t seq;
	uint64_t salt; /* which the payload is made of */
};
static struct model_entry model[ENTRIES]; /* by place */
static uint64_t next, committed, lasts[SENDERS], skipped[SENDERS];

static struct slice
from_of(unsigned sender)
{
	static const char *const names[SENDERS] = {"", "anna.abc", "bert.234",
	    "a name of some length.abcdefghijklmnopqrstuvwxyz", "\xff\0x"};

	return (struct slice){names[sender], sender == 4 ? 3 : strlen(names[sender])};
}

static void
payload_of(const struct model_entry *m, struct buf *out)
{
	uint64_t x = m->salt | 1;
	size_t len = m->salt % 97 == 0 ? 3000 : m->salt % 150;

	buf_reset(out);
	buf_addf(out, "{\"n\":%llu,\"p\":\"", (unsigned long long)m->salt);
	for (size_t i = 0; i < len; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		buf_addc(out, (char)(x >> 56));
	}
}

static struct slice
event_of(const struct model_entry *m)
{
	static const char *const events[] = {"message", "", "a longer event", "x"};

	return slice(events[m->salt % 4]);
}

static bool
same(const struct model_entry *m, uint64_t place, const struct journal_entry *got)
{
	static struct buf want;

	payload_of(m, &want);
	return got->place == place && got->seq == m->seq && got->flags == m->salt % 256 &&
	    slice_eq(got->from, from_of(m->sender)) && slice_eq(got->event, event_of(m)) &&
	    slice_eq(got->payload, buf_slice(&want));
}

static bool
reads(struct journal *j, uint64_t place)
{
	struct journal_entry got;

	return journal_read(j, place, &got, &bytes, &e) == 0 && same(&model[place], place, &got);
}

static bool
append(struct journal *j, unsigned sender)
{
	struct model_entry *m = &model[next];
	static struct buf payload;
	int64_t place;

	m->sender = sender;
	m->salt = scratch_random(1 << 20);
	m->seq = sender == 0 ? 0 : lasts[sender] + 1 + (scratch_random(10) == 0);
	payload_of(m, &payload);
	place = journal_append(j, from_of(sender), m->seq, event_of(m), buf_slice(&payload),
	    (unsigned)m->salt, &e);
	if (place < 0)
		return false;
	CHECK((uint64_t)place == next);
	lasts[sender] = m->seq;
	next++;
	return true;
}

static size_t segment_bytes = 4096;

static struct journal *
reopen(const char *folder, size_t max)
{
	struct journal_settings s = {
	    .folder = folder, .max_bytes = max, .segment_bytes = segment_bytes};
	struct journal *j;

	journal_report_free(&report);
	if (journal_open(&j, &s, &report, &e) != 0) {
		fprintf(stderr, "%s\n", e.text);
		check_failed++;
		exit(check_done());
	}
	return j;
}

static void
start_anew(void)
{
	next = 1;
	committed = 0;
	memset(lasts, 0, sizeof(lasts));
	memset(skipped, 0, sizeof(skipped));
}

/* What was not committed is forgotten, by the model as well. */
static void
model_reopened(void)
{
	next = committed + 1;
	memcpy(lasts, skipped, sizeof(lasts));
	for (uint64_t p = 1; p < next; p++)
		if (model[p].seq > lasts[model[p].sender])
			lasts[model[p].sender] = model[p].seq;
}

/* ---- against the model ---- */

/* A message is found by sender and number exactly when it is kept. */
static bool
finds(struct journal *j, uint64_t place)
{
	const struct model_entry *m = &model[place];
	struct journal_entry got;
	bool kept = place >= journal_first(j) && place <= committed;
	int rc = journal_find(j, from_of(m->sender), m->seq, &got, &bytes, &e);

	if (m->seq == 0 || !kept)
		return rc != 0;
	return rc == 0 && same(m, place, &got);
}

static bool
senders_agree(struct journal *j)
{
	struct journal_sender s;
	uint64_t first = journal_first(j);

	for (unsigned i = 1; i < SENDERS; i++) {
		uint64_t kept = 0;

		for (uint64_t p = first; first && p < next && kept == 0; p++)
			if (model[p].sender == i)
				kept = model[p].seq;
		if (!journal_who(j, from_of(i), &s)) {
			if (lasts[i])
				return false;
			continue;
		}
		if (s.last != lasts[i] || s.first != kept)
			return false;
	}
	return true;
}

static void
commit(struct journal *j, bool sync)
{
	CHECK(journal_commit(j, sync, &e) == 0);
	committed = next - 1;
	memcpy(skipped, lasts, sizeof(lasts));
	CHECK(journal_last(j) == committed);
	CHECK(!sync || journal_synced(j) == committed);
}

static void
test_model(void)
{
	char *folder = path_join(scratch, "model");
	struct journal *j = reopen(folder, 100000);
	bool good = true;
	unsigned fulls = 0;

	start_anew();
	for (unsigned i = 0; i < STEPS && next < ENTRIES - 1 && good; i++) {
		uint64_t what = scratch_random(1000), place = 1 + scratch_random(next);

		if (what < 500) {
			unsigned sender = (unsigned)scratch_random(SENDERS);

			if (!append(j, sender)) {
				good &= strcmp(e.code, "journal_full") == 0;
				fulls++;
				commit(j, false);
				journal_forget(j, committed - scratch_random(100) % committed);
			}
		} else if (what < 560) {
			commit(j, what < 530);
		} else if (what < 565) {
			unsigned sender = 1 + (unsigned)scratch_random(SENDERS - 1);

			if (journal_skip(j, from_of(sender), lasts[sender] + 3, &e) == 0)
				lasts[sender] += 3;
		} else if (what < 568) {
			journal_close(j);
			model_reopened();
			j = reopen(folder, 100000);
			good &= report.damaged == 0 && report.lost == 0 && report.torn == 0;
			good &= journal_last(j) == committed && senders_agree(j);
		} else if (what < 780) {
			bool kept = place >= journal_first(j) && place <= committed;

			good &= reads(j, place) == (kept && place < next);
		} else if (place < next) {
			good &= finds(j, place);
		}
	}
	good &= senders_agree(j);
	for (uint64_t p = journal_first(j); p && p <= committed; p++)
		good &= reads(j, p) && finds(j, p);
	CHECK(good);
	CHECK(fulls > 0);
	CHECK(journal_first(j) > 1000 || next < 5000);
	journal_close(j);
	scratch_remove(folder);
	free(folder);
}

/* ---- damage ---- */

/* A journal of a few segments in scratch/NAME, all of it synced. */
static char *
make(const char *name, uint64_t entries)
{
	char *folder = path_join(scratch, name);
	struct journal *j = reopen(folder, 1 << 20);

	start_anew();
	while (next <= entries) {
		CHECK(append(j, (unsigned)scratch_random(SENDERS)));
		if (scratch_random(4) == 0)
			commit(j, true);
	}
	commit(j, true);
	journal_close(j);
	return folder;
}

/* The names of the segments, ascending; n of them. */
static size_t
segments_of(const char *folder, char names[64][22])
{
	struct dirent **found;
	int n = scandir(folder, &found, NULL, alphasort);
	size_t kept = 0;

	for (int i = 0; i < n; i++) {
		const char *dot = strstr(found[i]->d_name, ".seg1");

		if (dot && strlen(dot) == 5 && strlen(found[i]->d_name) == 21 && kept < 64)
			memcpy(names[kept++], found[i]->d_name, 22);
		free(found[i]);
	}
	free(found);
	return kept;
}

static uint64_t
first_of(const char *name)
{
	return strtoull(name, NULL, 16);
}

/* Opens a damaged copy: how many of the places up to `until` are not there; what is, is right. */
static uint64_t
missing(const char *folder, uint64_t until, uint64_t *low, uint64_t *high)
{
	struct journal *j = reopen(folder, 1 << 20);
	struct journal_entry got;
	uint64_t n = 0;

	*low = UINT64_MAX;
	*high = 0;
	for (uint64_t p = 1; p <= until; p++) {
		if (journal_read(j, p, &got, &bytes, &e) == 0) {
			CHECK(same(&model[p], p, &got));
			continue;
		}
		CHECK(strcmp(e.code, "not_found") == 0);
		n++;
		*low = p < *low ? p : *low;
		*high = p;
	}
	CHECK(journal_last(j) <= until);
	journal_close(j);
	return n;
}

/* After mending, everything works, and nothing is damaged any more. */
static bool
goes_on(const char *folder, uint64_t at_least)
{
	struct journal *j = reopen(folder, 1 << 20);
	struct journal_entry got;
	bool good = report.damaged == 0 && report.lost == 0 && report.torn == 0;
	int64_t place = journal_append(j, S("new.one"), 1, S("e"), S("p"), 1, &e);

	good &= place > (int64_t)at_least && journal_commit(j, true, &e) == 0;
	journal_close(j);
	j = reopen(folder, 1 << 20);
	good &= journal_read(j, (uint64_t)place, &got, &bytes, &e) == 0 && report.damaged == 0;
	good &= slice_is(got.payload, "p");
	good &= journal_find(j, S("new.one"), 1, &got, &bytes, &e) == 0;
	journal_close(j);
	return good;
}

static void
flip(const char *file, off_t at, unsigned bit)
{
	int fd = open(file, O_RDWR);
	unsigned char byte = 0;

	if (fd < 0 || pread(fd, &byte, 1, at) != 1)
		abort();
	byte = (unsigned char)(byte ^ 1u << bit);
	if (pwrite(fd, &byte, 1, at) != 1)
		abort();
	close(fd);
}

/* One bit wrong anywhere costs one message at most, or those of the segment whose head it is. */
static void
test_flips(void)
{
	enum { COUNT = 120 };
	char *folder = make("flips", COUNT), *copy = path_join(scratch, "copy");
	char names[64][22];
	size_t n = segments_of(folder, names);
	uint64_t low, high;

	CHECK(n >= 3);
	for (size_t i = 0; i < n; i++) {
		char *file = path_join(folder, names[i]), *target = path_join(copy, names[i]);
		uint64_t first = first_of(names[i]);
		uint64_t end = i + 1 < n ? first_of(names[i + 1]) : COUNT + 1;
		struct stat st;
		off_t from = (off_t)scratch_random(FLIP_EVERY);

		CHECK(stat(file, &st) == 0);
		for (off_t at = from; at < st.st_size; at += FLIP_EVERY) {
			uint64_t gone;

			scratch_copy(folder, copy);
			flip(target, at, (unsigned)scratch_random(8));
			gone = missing(copy, COUNT, &low, &high);
			CHECK(gone == report.lost && report.damaged == 1 && report.aside);
			CHECK(gone <= 1 || (at < 64 && gone == end - first && low == first));
			CHECK(gone == 0 || (low >= first && high < end));
			CHECK(report.aside && access(report.aside, F_OK) == 0);
			CHECK(goes_on(copy, COUNT));
			scratch_remove(copy);
		}
		free(file);
		free(target);
	}
	scratch_remove(folder);
	free(folder);
	free(copy);
}

/*
 * The last segment cut anywhere: what is whole stays. Where it is known that more was synced this
 * is loss; where it is not (the file `synced` is gone, too) it is a torn end.
 */
static void
test_cuts(void)
{
	enum { COUNT = 60 };
	char *folder = make("cuts", COUNT), *copy = path_join(scratch, "copy");
	char *synced = path_join(copy, "synced");
	char names[64][22];
	size_t n = segments_of(folder, names);
	char *file = path_join(folder, names[n - 1]), *target = path_join(copy, names[n - 1]);
	uint64_t low, high, before = 0;
	struct stat st;

	CHECK(stat(file, &st) == 0);
	for (off_t at = 64; at < st.st_size; at += CUT_EVERY) {
		uint64_t gone;

		scratch_copy(folder, copy);
		CHECK(truncate(target, at) == 0);
		gone = missing(copy, COUNT, &low, &high);
		CHECK(gone == report.lost && (gone == 0 || report.damaged == 1));
		CHECK(gone == 0 || high == COUNT);
		CHECK(goes_on(copy, COUNT));
		scratch_remove(copy);

		scratch_copy(folder, copy);
		CHECK(truncate(target, at) == 0 && unlink(synced) == 0);
		CHECK(missing(copy, COUNT, &low, &high) == gone && report.damaged == 0 &&
		    report.lost == 0);
		CHECK(at == 64 || gone <= before); /* fewer, the later the cut */
		before = gone;
		CHECK(goes_on(copy, COUNT - gone));
		scratch_remove(copy);
	}
	scratch_remove(folder);
	free(folder);
	free(copy);
	free(synced);
	free(file);
	free(target);
}

/* Segments that are missing, empty, swapped, foreign; the whole folder's. */
static void
test_segments(void)
{
	enum { COUNT = 200 };
	char *folder = make("segments", COUNT), *copy = path_join(scratch, "copy");
	char names[64][22];
	size_t n = segments_of(folder, names);
	uint64_t low, high;
	struct buf text = {0};

	CHECK(n >= 4);
	for (size_t i = 0; i < n; i++) {
		char *target = path_join(copy, names[i]);
		char *other = path_join(copy, names[(i + 1) % n]);
		uint64_t first = first_of(names[i]);
		uint64_t end = i + 1 < n ? first_of(names[i + 1]) : COUNT + 1;

		for (int how = 0; how < 5; how++) {
			uint64_t gone;

			scratch_copy(folder, copy);
			if (how == 0)
				CHECK(unlink(target) == 0);
			else if (how == 1)
				CHECK(truncate(target, 0) == 0);
			else if (how == 2)
				CHECK(unlink(target) == 0 && symlink(other, target) == 0);
			else if (how == 3)
				CHECK(unlink(target) == 0 && mkfifo(target, 0600) == 0);
			else
				CHECK(rename(other, target) == 0);
			gone = missing(copy, COUNT, &low, &high);
			if (how == 4)
				CHECK(gone >= end - first && gone < COUNT);
			else if (i == 0 && how != 1)
				/* The first missing is as if it had been dropped. */
				CHECK(gone == end - first && report.lost == 0);
			else
				CHECK(gone == end - first && report.lost == gone);
			if (how < 2)
				CHECK(goes_on(copy, COUNT));
			scratch_remove(copy);
		}
		free(target);
		free(other);
	}
	scratch_copy(folder, copy);
	for (size_t i = 0; i < n; i++) {
		char *target = path_join(copy, names[i]);

		CHECK(unlink(target) == 0);
		free(target);
	}
	CHECK(missing(copy, COUNT, &low, &high) == COUNT && report.lost == COUNT);
	journal_report_text(&report, "outbox", true, &text);
	CHECK_TEXT(text.ptr, "outbox: 200 lines of it are missing: they may not have been sent");
	CHECK(goes_on(copy, COUNT));
	scratch_remove(copy);
	scratch_remove(folder);
	buf_free(&text);
	free(folder);
	free(copy);
}

/* An outbox knows whose lines are lost, and says it. */
static void
test_words(void)
{
	char *folder = path_join(scratch, "words"), *file = path_join(folder, FIRST);
	struct journal_settings s = {.folder = folder, .outbox = true};
	struct journal *j;
	struct buf text = {0}, want = {0};
	struct stat st;

	CHECK(journal_open(&j, &s, &report, &e) == 0);
	for (uint64_t i = 1; i <= 20; i++)
		CHECK(journal_append(j, S("a.b"), i, S("e"), S("{\"x\":1}"), 0, &e) > 0);
	CHECK(journal_append(j, S("a.b"), 22, S("e"), S("1"), 0, &e) == -1 &&
	    strcmp(e.code, "not_in_order") == 0);
	CHECK(journal_append(j, S("a.b"), 20, S("e"), S("1"), 0, &e) == -1);
	CHECK(journal_commit(j, true, &e) == 0);
	journal_close(j);
	CHECK(stat(file, &st) == 0);
	flip(file, 64 + 35 + 8 * 40 + 5, 1);  /* the ninth */
	flip(file, 64 + 35 + 11 * 40 + 33, 1); /* the twelfth */
	flip(file, st.st_size - 1, 1);
	flip(file, st.st_size - 41, 1);
	CHECK(journal_open(&j, &s, &report, &e) == 0);
	CHECK(report.lost == 4 && report.entries == 16 && report.torn == 0 && report.nranges == 3);
	journal_report_text(&report, "outbox", true, &text);
	buf_addf(&want,
	    "outbox: 4 lines of it are damaged and set aside in '%s': they may not have been sent "
	    "(9 of 'a.b', 12 of 'a.b', 19-20 of 'a.b')",
	    report.aside);
	CHECK_TEXT(text.ptr, want.ptr);
	journal_close(j);
	journal_report_free(&report);
	CHECK(journal_open(&j, &s, &report, &e) == 0 && report.lost == 0 && report.gone == 4);
	journal_close(j);
	scratch_remove(folder);
	buf_free(&text);
	buf_free(&want);
	free(folder);
	free(file);
}

/* A payload that is a whole entry is none, even behind damage. */
static void
test_forged(void)
{
	char *folder = path_join(scratch, "forged"), *file = path_join(folder, FIRST);
	struct journal *j = reopen(folder, 0);
	struct journal_entry got;
	struct buf segment = {0}, fake = {0};
	uint32_t index = 2;

	CHECK(journal_append(j, S("a"), 1, S("e"), S("innocent"), 0, &e) == 1);
	CHECK(journal_commit(j, true, &e) == 0);
	CHECK(path_read(file, 1 << 20, &segment, &e) == 0);
	/* Who can read the folder can copy an entry's mark, and yet has no valid check. */
	buf_add(&fake, segment.ptr + 64 + 33, segment.len - 64 - 33);
	memcpy(fake.ptr + 20, &index, sizeof(index));
	CHECK(journal_append(j, S("a"), 2, S("e"), buf_slice(&fake), 0, &e) == 2);
	CHECK(journal_append(j, S("a"), 3, S("e"), S("last"), 0, &e) == 3);
	CHECK(journal_commit(j, true, &e) == 0);
	journal_close(j);
	flip(file, (off_t)segment.len + 5, 3);
	j = reopen(folder, 0);
	CHECK(report.lost == 1 && journal_read(j, 2, &got, &bytes, &e) == -1);
	CHECK(journal_read(j, 3, &got, &bytes, &e) == 0 && slice_is(got.payload, "last"));
	CHECK(journal_find(j, S("a"), 3, &got, &bytes, &e) == 0 && got.place == 3);
	CHECK(journal_find(j, S("a"), 2, &got, &bytes, &e) == -1);
	journal_close(j);
	scratch_remove(folder);
	buf_free(&segment);
	buf_free(&fake);
	free(folder);
	free(file);
}

/* ---- crashes ---- */

static void
pause_us(long us)
{
	struct timespec t = {us / 1000000, us % 1000000 * 1000};

	nanosleep(&t, NULL);
}

struct shared {
	volatile uint64_t appended, synced;
};

/* Appends for ever, in groups, and drops what is old. Everything is told before it is done. */
static _Noreturn void
child(const char *folder, struct shared *shared)
{
	struct journal *j = reopen(folder, 500000);
	static struct buf payload;

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
		if (journal_commit(j, scratch_random(4) != 0, &e) != 0)
			_exit(1);
		shared->synced = journal_synced(j);
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
	uint64_t most = 0;

	for (int i = 0; i < KILLS; i++) {
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
		uint64_t synced, size;
		struct stat st;
		int fd;

		start_anew();
		for (int k = 0; k < 6; k++) {
			for (uint64_t n = scratch_random(4); n; n--)
				CHECK(append(j, 1));
			commit(j, scratch_random(2) == 0);
		}
		synced = journal_synced(j);
		journal_close(j);
		CHECK(stat(file, &st) == 0);
		size = (uint64_t)st.st_size;
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
		CHECK(journal_last(j) >= synced && journal_last(j) <= committed);
		for (uint64_t p = 1; p <= synced; p++)
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
	CHECK(journal_synced(j) == 1);
	journal_close(j);
	j = reopen(folder, 0);
	CHECK(journal_synced(j) == 2 && reads(j, 1) && reads(j, 2));
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

	start_anew();
	for (int i = 0; i < 200; i++) {
		uint64_t before = committed;

		for (uint64_t n = 1 + scratch_random(5); n; n--)
			CHECK(append(j, 1 + (unsigned)scratch_random(2)));
		room = (long)scratch_random(300);
		if (journal_commit(j, true, &e) != 0) {
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

/* ---- and the rest ---- */

static void
test_two(void)
{
	char *folder = path_join(scratch, "two");
	struct journal *j = reopen(folder, 0), *other;
	struct journal_settings s = {.folder = folder};
	struct journal_report r;
	char number[32];
	int fd;

	snprintf(number, sizeof(number), "process %ld:", (long)getpid());
	CHECK(journal_open(&other, &s, &r, &e) == -1 && strcmp(e.code, "in_use") == 0);
	CHECK(strstr(e.text, number) != NULL && other == NULL);
	fd = 99;
	CHECK(lock_take(folder, &fd, &e) == -1 && fd == -1 && strcmp(e.code, "in_use") == 0);
	journal_close(j);
	CHECK(journal_open(&other, &s, &r, &e) == 0);
	journal_close(other);
	scratch_remove(folder);
	s.folder = "/proc/nowhere/journal";
	CHECK(journal_open(&other, &s, &r, &e) == -1 && strcmp(e.code, "cannot_write") == 0);
	free(folder);
}

/* Whose name in the last segment is damaged is still known when the older ones are dropped. */
static void
test_names(void)
{
	char *folder = path_join(scratch, "names"), *first = path_join(folder, FIRST), *last;
	struct journal *j = reopen(folder, 0);
	struct journal_sender s;
	char names[64][22];

	CHECK(journal_append(j, S("old"), 7, S("e"), S("p"), 0, &e) == 1);
	for (uint64_t i = 1; i < 100; i++)
		CHECK(journal_append(j, S("new"), i, S("e"), S("a payload"), 0, &e) > 0);
	CHECK(journal_commit(j, true, &e) == 0);
	journal_close(j);
	CHECK(segments_of(folder, names) == 2);
	last = path_join(folder, names[1]);
	flip(last, 64 + 33, 1);
	j = reopen(folder, 0);
	CHECK(report.damaged == 1 && report.lost == 0);
	journal_close(j);
	CHECK(unlink(first) == 0);
	j = reopen(folder, 0);
	CHECK(report.damaged == 0);
	CHECK(journal_who(j, S("old"), &s) && s.last == 7 && s.first == 0);
	CHECK(journal_who(j, S("new"), &s) && s.last == 99 && s.first == 0);
	journal_close(j);
	scratch_remove(folder);
	free(folder);
	free(first);
	free(last);
}

/* A baseline is no message, and yet it is missed. */
static void
test_baseline(void)
{
	char *folder = path_join(scratch, "base"), *file = path_join(folder, FIRST);
	struct journal *j = reopen(folder, 0);
	struct journal_sender s;
	struct stat st;

	CHECK(journal_append(j, S("a"), 1, S("e"), S("p"), 0, &e) == 1);
	CHECK(journal_skip(j, S("a"), 9, &e) == 0 && journal_skip(j, S("a"), 5, &e) == 0);
	CHECK(journal_append(j, S("a"), 9, S("e"), S("p"), 0, &e) == -1);
	CHECK(journal_commit(j, true, &e) == 0);
	journal_close(j);
	j = reopen(folder, 0);
	CHECK(journal_who(j, S("a"), &s) && s.first == 1 && s.last == 9 && report.damaged == 0);
	journal_close(j);
	CHECK(stat(file, &st) == 0);
	flip(file, st.st_size - 1, 0);
	j = reopen(folder, 0);
	CHECK(report.damaged == 1 && report.lost == 0 && report.torn == 0);
	CHECK(journal_who(j, S("a"), &s) && s.last == 1);
	journal_close(j);
	scratch_remove(folder);
	free(folder);
	free(file);
}

/* Full of what may not be dropped, and held. */
static void
test_hold(void)
{
	char *folder = path_join(scratch, "hold");
	struct journal *j = reopen(folder, 64 << 10);
	struct journal_entry got;
	struct buf large = {0};

	buf_room(&large, 33 << 20);
	memset(large.ptr, 'x', 33 << 20);
	large.len = 5000;
	start_anew();
	while (append(j, 1))
		commit(j, false);
	CHECK(strcmp(e.code, "journal_full") == 0 && journal_first(j) == 1 && committed > 100);
	journal_forget(j, committed - 50);
	journal_hold(j, 1);
	CHECK(journal_append(j, S("a"), 1, S(""), buf_slice(&large), 0, &e) == -1 &&
	    journal_first(j) == 1);
	journal_hold(j, UINT64_MAX);
	CHECK(journal_append(j, S("a"), 1, S(""), buf_slice(&large), 0, &e) > 0);
	CHECK(journal_first(j) > 1 && journal_first(j) <= committed - 49);
	CHECK(journal_read(j, next, &got, &bytes, &e) == -1); /* not committed yet */
	CHECK(journal_find(j, S("a"), 1, &got, &bytes, &e) == -1);
	large.len = 40 << 10;
	CHECK(journal_append(j, S("a"), 2, S(""), buf_slice(&large), 0, &e) == -1 &&
	    strcmp(e.code, "too_large") == 0);
	journal_close(j);
	j = reopen(folder, 1 << 30);
	large.len = 33 << 20;
	CHECK(journal_append(j, S("a"), 1, S(""), buf_slice(&large), 0, &e) == -1);
	large.len = 256;
	CHECK(journal_append(j, buf_slice(&large), 1, S(""), S("p"), 0, &e) == -1);
	journal_close(j);
	scratch_remove(folder);
	buf_free(&large);
	free(folder);
}

/* A sender's last number outlives its messages; strangers do not fill the memory. */
static void
test_senders(void)
{
	char *folder = path_join(scratch, "senders");
	struct journal *j = reopen(folder, 4 << 20);
	struct journal_sender s;
	struct buf name = {0};
	size_t n = 0;

	CHECK(journal_append(j, S("old"), 77, S("e"), S("p"), 0, &e) == 1);
	CHECK(journal_skip(j, S("base"), 500, &e) == 0);
	for (int i = 0; i < JOURNAL_SENDERS + 5000; i++) {
		buf_reset(&name);
		buf_addf(&name, "stranger.%d", i);
		CHECK(journal_append(j, buf_slice(&name), 1, S("e"), S("payload"), 0, &e) > 0 ||
		    strcmp(e.code, "journal_full") == 0 || strcmp(e.code, "too_many") == 0);
		if (i % 50 == 0) {
			CHECK(journal_commit(j, false, &e) == 0);
			journal_forget(j, journal_last(j));
		}
		if (i == 10000) {
			CHECK(journal_skip(j, S("old"), 78, &e) == 0);
			journal_close(j);
			j = reopen(folder, 4 << 20);
			CHECK(report.damaged == 0);
			CHECK(journal_who(j, S("old"), &s) && s.last == 77);
			CHECK(journal_who(j, S("base"), &s) && s.last == 500 && s.first == 0);
		}
	}
	while (journal_sender(j, n, &s))
		n++;
	CHECK(n <= JOURNAL_SENDERS && n > JOURNAL_SENDERS / 2);
	CHECK(journal_commit(j, true, &e) == 0);
	journal_close(j);
	j = reopen(folder, 4 << 20);
	CHECK(report.damaged == 0 && report.lost == 0);
	/* The last of them is known, whether its message is still kept or not. */
	CHECK(journal_append(j, S("late"), 1, S("e"), S("p"), 0, &e) > 0);
	CHECK(journal_commit(j, true, &e) == 0);
	journal_close(j);
	scratch_remove(folder);
	buf_free(&name);
	free(folder);
}

/* Names of whom nothing is kept come and go, more than may be remembered: that is no damage. */
static void
test_passers_by(void)
{
	char *folder = path_join(scratch, "passers");
	struct journal *j = reopen(folder, 0);
	struct journal_sender s;
	struct buf name = {0};
	uint64_t last = 0;
	int n = 0;

	CHECK(journal_append(j, S("first"), 3, S("e"), S("p"), 0, &e) == 1);
	for (int i = 0; i < 5 * JOURNAL_SENDERS; i++) {
		buf_reset(&name);
		buf_addf(&name, "passer.%d", i);
		CHECK(journal_skip(j, buf_slice(&name), 7, &e) == 0);
		if (i % 2000 != 0)
			continue;
		CHECK(journal_append(j, S("first"), 4 + (uint64_t)i, S("e"), S("p"), 0, &e) > 0);
		CHECK(journal_commit(j, false, &e) == 0);
		last = 4 + (uint64_t)i;
		n++;
	}
	CHECK(journal_append(j, buf_slice(&name), 8, S("e"), S("q"), 0, &e) == n + 2);
	CHECK(journal_commit(j, true, &e) == 0);
	journal_close(j);
	j = reopen(folder, 0);
	CHECK(report.damaged == 0 && report.lost == 0 && journal_last(j) == (uint64_t)n + 2);
	CHECK(journal_who(j, S("first"), &s) && s.first == 3 && s.last == last);
	CHECK(journal_who(j, buf_slice(&name), &s) && s.first == 8 && s.last == 8);
	journal_close(j);
	scratch_remove(folder);
	buf_free(&name);
	free(folder);
}

/* Segments full of baselines alone begin at one place: one file, which is not dropped in use. */
static void
test_baselines_only(void)
{
	char *folder = path_join(scratch, "baselines");
	struct journal *j = reopen(folder, 64 << 10);
	struct journal_entry got;
	struct buf name = {0};
	uint64_t seq = 0;

	for (int i = 0; i < 400; i++) {
		buf_reset(&name);
		buf_addf(&name, "sender.%d", i);
		CHECK(journal_skip(j, buf_slice(&name), 7, &e) == 0);
		CHECK(journal_commit(j, true, &e) == 0);
	}
	while (journal_append(j, S("a"), seq + 1, S("e"), S("some payload"), 0, &e) > 0) {
		CHECK(journal_commit(j, true, &e) == 0);
		seq++;
	}
	CHECK(strcmp(e.code, "journal_full") == 0 && seq > 100 && journal_first(j) == 1);
	journal_close(j);
	j = reopen(folder, 64 << 10);
	CHECK(report.damaged == 0 && report.lost == 0 && report.entries == seq);
	CHECK(journal_last(j) == seq && journal_read(j, 1, &got, &bytes, &e) == 0);
	CHECK(slice_is(got.payload, "some payload"));
	journal_close(j);
	scratch_remove(folder);
	buf_free(&name);
	free(folder);
}

int
main(void)
{
	scratch_begin();
	test_model();
	test_flips();
	test_cuts();
	test_segments();
	test_words();
	test_forged();
	test_kills();
	test_power();
	test_sync_fails();
	test_full();
	test_really_full();
	test_two();
	test_names();
	test_baseline();
	test_hold();
	test_senders();
	test_passers_by();
	test_baselines_only();
	journal_report_free(&report);
	buf_free(&bytes);
	scratch_remove(scratch);
	return check_done();
}
