/* journal: what was committed is there, in order, by place and by sender, within its bounds. */
#include "tools/collab/journal.h"
#include "tools/collab/lock.h"

#include "tests/unit/journal_model.h"

#ifdef __SANITIZE_ADDRESS__
enum { STEPS = 6000 };
#else
enum { STEPS = 60000 };
#endif

/* ---- against the model ---- */

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

/* ---- who, and how much ---- */

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

/* Full of what may not be dropped, and then let go of; and what is too large. */
static void
test_forget(void)
{
	char *folder = path_join(scratch, "forget");
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
	test_two();
	test_forget();
	test_senders();
	test_passers_by();
	test_baselines_only();
	return journal_done();
}
