/*
 * journal on damaged files: every message that is whole is there, every one that is not is
 * reported, and nothing is there that was never appended.
 */
#include "tools/collab/journal.h"

#include "tests/unit/journal_model.h"

#include <fcntl.h>

#ifdef __SANITIZE_ADDRESS__
enum { FLIP_EVERY = 29, CUT_EVERY = 7 };
#else
enum { FLIP_EVERY = 5, CUT_EVERY = 1 };
#endif

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
	journal_report_text(&report, "outbox", "they may not have been sent", &text);
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
	journal_report_text(&report, "outbox", "they may not have been sent", &text);
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

int
main(void)
{
	scratch_begin();
	test_flips();
	test_cuts();
	test_segments();
	test_words();
	test_forged();
	test_names();
	test_baseline();
	return journal_done();
}
