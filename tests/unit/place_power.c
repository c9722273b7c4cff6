/*
 * place power: the power fails while an outbox is made, written, or exchanged for another:
 * every line that was committed and not taken by the relay is there once, in order, and no
 * number of an identity stands for another line than it did.
 */
#include "tests/unit/power.h"

#include "tests/unit/place_lines.h"
#include "tools/collab/place.h"

#ifdef __SANITIZE_ADDRESS__
enum { LUCK = 4 };
#else
enum { LUCK = 10 };
#endif
enum { PROMISES = 8 };

/* From that point on lines up to that one were committed. */
static struct {
	size_t point;
	unsigned lines;
} promises[PROMISES];
static size_t npromises;
static char *disk, *cut;

static void
promise(unsigned lines)
{
	promises[npromises].point = power_now();
	promises[npromises++].lines = lines;
}

/*
 * Whether the outbox has all lines behind relayed that were committed, but the lost one, each
 * once. old: the identity that they were first written under.
 */
static bool
keeps(struct journal *j, const char *old, unsigned relayed, unsigned committed, unsigned lost)
{
	bool good = true, is_old = strcmp(p.from, old) == 0;
	struct journal_entry got;
	struct buf bytes = {0};
	unsigned last = 0, n;

	for (uint64_t at = 1; at <= journal_last(j); at++) {
		if (journal_read(j, at, &got, &bytes, &e) != 0)
			continue;
		n = got.payload.len > 8 ? (unsigned)strtoul(got.payload.ptr + 8, NULL, 10) : 0;
		good &= slice_is(got.payload, line(n)) && slice_is(got.from, p.from) && n > last &&
		    n != lost;
		/* What the relay has is not sent again under another number. */
		good &= is_old ? got.seq == n : n > relayed;
		for (unsigned k = last; ++k < n && k <= committed;)
			good &= k == lost || k <= relayed;
		last = n;
	}
	buf_free(&bytes);
	return good && last >= committed;
}

static bool
survives(size_t point, enum power_luck luck, const char *old, unsigned relayed, unsigned lost)
{
	unsigned committed = 0;
	struct journal *j;
	bool good = true;

	for (size_t i = 0; i < npromises; i++)
		if (promises[i].point <= point)
			committed = promises[i].lines;
	power_cut(point, luck, cut);
	/* Twice: what was cut short is mended for good. */
	for (int i = 0; i < 2; i++) {
		good &= open_place("ws://h", S("r"), S("anna")) == 0;
		j = outbox();
		good &= keeps(j, old, relayed, committed, lost) && (i == 0 || !p.renewed);
		journal_close(j);
		place_close(&p);
	}
	if (!good)
		power_tell(point, luck);
	scratch_remove(cut);
	return good;
}

/* What was noted, cut short at every point. */
static void
check_points(size_t first, const char *old, unsigned relayed, unsigned lost)
{
	bool good = true;
	size_t end;

	power_rest();
	end = power.nops;
	root = cut;
	for (size_t point = first; point <= end && good; point++) {
		good = survives(point, POWER_NOTHING, old, relayed, lost) &&
		    survives(point, POWER_ALL, old, relayed, lost);
		for (int i = 0; i < LUCK && good; i++)
			good = survives(point, POWER_SOME, old, relayed, lost);
	}
	root = disk;
	CHECK(good);
	CHECK(end > first + 10);
	power_forget();
	npromises = 0;
	remove_place();
}

/* A first outbox, and lines for it. */
static void
test_written(void)
{
	char from[PLACE_IDENTITY + 1];
	size_t first;
	struct journal *j;

	first = power_watch(disk);
	CHECK(open_place("ws://h", S("r"), S("anna")) == 0);
	memcpy(from, p.from, sizeof(from));
	j = outbox();
	for (unsigned i = 1; i <= 12; i++) {
		CHECK(journal_append(j, slice(p.from), i, S("e"), slice(line(i)), 0, &e) == i);
		if (i % 4)
			continue;
		CHECK(journal_commit(j, true, &e) == 0);
		promise(i);
	}
	journal_close(j);
	place_close(&p);
	check_points(first, from, 0, 0);
}

/* It has lost a line: the others go into a new one. */
static void
test_damaged(void)
{
	char from[PLACE_IDENTITY + 1];
	size_t first;

	prepare(12, 5);
	memcpy(from, p.from, sizeof(from));
	damage(p.out, 8);
	place_close(&p);
	first = power_watch(disk);
	promise(12);
	CHECK(open_place("ws://h", S("r"), S("anna")) == 0);
	journal_close(outbox());
	CHECK(p.renewed);
	place_close(&p);
	check_points(first, from, 5, 8);
}

/* It is an old copy, or is to be another's. */
static void
test_told(void)
{
	char from[PLACE_IDENTITY + 1];
	size_t first;

	prepare(5, 2);
	memcpy(from, p.from, sizeof(from));
	first = power_watch(disk);
	promise(5);
	CHECK(place_renew(&p, &e) == 0);
	journal_close(outbox());
	place_close(&p);
	check_points(first, from, 2, 0);
}

int
main(void)
{
	scratch_begin();
	root = disk = path_join(scratch, "disk");
	cut = path_join(scratch, "cut");
	mkdir(disk, 0700);
	test_written();
	test_damaged();
	test_told();
	journal_report_free(&report);
	scratch_remove(scratch);
	free(disk);
	free(cut);
	return check_done();
}
