/*
 * journal power: the power fails at any moment of a journal's life, with whatever luck: what
 * was synced is there, each in its place, what an opening has found whole as well, and nothing
 * that was never appended.
 */
#include "tests/unit/power.h"

#include "tests/unit/journal_model.h"
#include "tools/collab/journal.h"

#ifdef __SANITIZE_ADDRESS__
enum { LIVES = 3, STEPS = 20, LUCK = 2 };
#else
enum { LIVES = 6, STEPS = 25, LUCK = 3 };
#endif
enum { PROMISES = 4 * STEPS, SMALL = 64 << 10, KEPT = 60 };
/* Of a small journal the last sender is silent: in time only the names tell how far it was. */
enum { SILENT = SENDERS - 1 };

/* From that point on this much is safe: the caller was told so. */
struct promise {
	size_t point;
	uint64_t place, forgotten, lasts[SENDERS];
};
static struct promise promises[PROMISES];
static size_t npromises;
static uint64_t forgotten;
static size_t max_bytes;

static void
promise(const struct journal *j)
{
	struct promise *p = &promises[npromises++];

	*p = (struct promise){
	    .point = power_now(), .place = journal_last(j), .forgotten = forgotten};
	memcpy(p->lasts, lasts, sizeof(lasts));
}

/* Opened after a kill: all that can be read is promised from now on. */
static struct journal *
killed(struct journal *j, const char *folder)
{
	journal_close(j);
	j = reopen(folder, max_bytes);
	CHECK(report.lost == 0 && report.damaged == 0 && journal_last(j) == next - 1);
	committed = on_disk = next - 1;
	promise(j);
	return j;
}

static void
let_go(struct journal *j)
{
	if (max_bytes == 0 || next <= KEPT)
		return;
	forgotten = next - KEPT;
	journal_forget(j, forgotten);
}

/* Nearly as much as it may have, and all of it on the disk. */
static void
fill(struct journal *j)
{
	uint64_t have = 0;

	for (int i = 0; i < 5; i++)
		CHECK(append(j, SILENT));
	while (have < SMALL * 7 / 8) {
		CHECK(append(j, 1 + (unsigned)scratch_random(SILENT - 1)));
		payload_of(&model[next - 1], &bytes);
		have += 40 + bytes.len;
		if (next % 8 == 0)
			commit(j, true);
		let_go(j);
	}
	commit(j, true);
}

/* One step of it: a group of messages, most often committed, sometimes to the disk. */
static struct journal *
live(struct journal *j, const char *folder, bool first)
{
	uint64_t how = first ? 0 : scratch_random(10), senders = max_bytes ? SILENT - 1 : SILENT;

	let_go(j);
	for (uint64_t n = 1 + scratch_random(8); n; n--)
		CHECK(append(j, 1 + (unsigned)scratch_random(senders)));
	if (scratch_random(5) == 0) {
		unsigned sender = 1 + (unsigned)scratch_random(senders);

		lasts[sender] += 10;
		CHECK(journal_skip(j, from_of(sender), lasts[sender], &e) == 0);
	}
	if (how == 0) {
		/* What was written can be read, and is not on the disk. */
		power_fail = true;
		CHECK(journal_commit(j, true, &e) == -1 && strcmp(e.code, "fsync_failed") == 0);
		CHECK(!power_fail);
		return killed(j, folder);
	}
	commit(j, how >= 5);
	if (how >= 5)
		promise(j);
	return how == 1 ? killed(j, folder) : j;
}

/* Whether the journal has what was promised, and nothing else. */
static bool
keeps(struct journal *j, const struct promise *p)
{
	struct journal_entry got;
	struct journal_sender who;
	bool good = p == NULL || journal_last(j) >= p->place;

	for (uint64_t at = 1; at <= journal_last(j); at++) {
		bool sure = p && at > p->forgotten && at <= p->place;

		if (journal_read(j, at, &got, &bytes, &e) == 0)
			good &= at < next && same(&model[at], at, &got);
		else
			good &= !sure;
	}
	for (unsigned s = 1; p && s < SENDERS; s++)
		good &= p->lasts[s] == 0 ||
		    (journal_who(j, from_of(s), &who) && who.last >= p->lasts[s]);
	return good;
}

static bool
survives(size_t point, enum power_luck luck, const char *cut, const char *to)
{
	const struct promise *p = NULL;
	struct journal *j;
	bool good;

	for (size_t i = 0; i < npromises; i++)
		if (promises[i].point <= point)
			p = &promises[i];
	power_cut(point, luck, cut);
	j = reopen(to, max_bytes);
	good = keeps(j, p);
	journal_close(j);
	/* What was damaged is mended for good. */
	j = reopen(to, max_bytes);
	good &= report.lost == 0 && report.damaged == 0 && keeps(j, p);
	journal_close(j);
	if (!good)
		power_tell(point, luck);
	scratch_remove(cut);
	return good;
}

static void
test_life(void)
{
	char *disk = path_join(scratch, "disk"), *folder = path_join(disk, "j");
	char *cut = path_join(scratch, "cut"), *to = path_join(cut, "j");
	struct journal *j;
	size_t point, end;
	bool good = true;

	start_anew();
	npromises = 0;
	forgotten = 0;
	mkdir(disk, 0700);
	if (max_bytes) {
		j = reopen(folder, max_bytes);
		fill(j);
		journal_close(j);
	}
	point = power_watch(disk);
	j = reopen(folder, max_bytes);
	promise(j);
	for (int i = 0; i < STEPS; i++)
		j = live(j, folder, i == 0);
	/* A small one has dropped some. */
	CHECK((max_bytes == 0) == (journal_first(j) == 1));
	journal_close(j);
	power_rest();
	end = power.nops;
	for (; point <= end && good; point++) {
		good = survives(point, POWER_NOTHING, cut, to) &&
		    survives(point, POWER_ALL, cut, to);
		for (int i = 0; i < LUCK && good; i++)
			good = survives(point, POWER_SOME, cut, to);
	}
	CHECK(good);
	CHECK(end > 3 * STEPS);
	power_forget();
	scratch_remove(disk);
	free(disk);
	free(folder);
	free(cut);
	free(to);
}

int
main(void)
{
	scratch_begin();
	for (int i = 0; i < LIVES; i++) {
		max_bytes = i % 2 ? SMALL : 0;
		test_life();
	}
	return journal_done();
}
