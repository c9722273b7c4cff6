/*
 * journal_model: a journal and what is known to be in it, for the tests of journal.
 */
#ifndef KANDIL_TEST_JOURNAL_MODEL_H
#define KANDIL_TEST_JOURNAL_MODEL_H

#include "tools/collab/journal.h"

#include "tests/unit/check.h"
#include "tests/unit/scratch.h"

enum { SENDERS = 5, ENTRIES = 1 << 17 };
#define FIRST "0000000000000001.seg1"

static struct err e;
static struct journal_report report;
static struct buf bytes;

/* ---- the model: an entry is known by its place ---- */

struct model_entry {
	unsigned sender;
	uint64_t seq;
	uint64_t salt; /* which the payload is made of */
};
static struct model_entry model[ENTRIES]; /* by place */
static uint64_t next, committed, on_disk, lasts[SENDERS], skipped[SENDERS];
static size_t segment_bytes = 4096;

static inline struct slice
from_of(unsigned sender)
{
	static const char *const names[SENDERS] = {"", "anna.abc", "bert.234",
	    "a name of some length.abcdefghijklmnopqrstuvwxyz", "\xff\0x"};

	return (struct slice){names[sender], sender == 4 ? 3 : strlen(names[sender])};
}

static inline void
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

static inline struct slice
event_of(const struct model_entry *m)
{
	static const char *const events[] = {"message", "", "a longer event", "x"};

	return slice(events[m->salt % 4]);
}

static inline bool
same(const struct model_entry *m, uint64_t place, const struct journal_entry *got)
{
	static struct buf want;

	payload_of(m, &want);
	return got->place == place && got->seq == m->seq && got->flags == m->salt % 256 &&
	    slice_eq(got->from, from_of(m->sender)) && slice_eq(got->event, event_of(m)) &&
	    slice_eq(got->payload, buf_slice(&want));
}

static inline bool
reads(struct journal *j, uint64_t place)
{
	struct journal_entry got;

	return journal_read(j, place, &got, &bytes, &e) == 0 && same(&model[place], place, &got);
}

static inline bool
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

static inline struct journal *
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

static inline void
start_anew(void)
{
	next = 1;
	committed = on_disk = 0;
	memset(lasts, 0, sizeof(lasts));
	memset(skipped, 0, sizeof(skipped));
}

static inline void
commit(struct journal *j, bool sync)
{
	CHECK(journal_commit(j, sync, &e) == 0);
	committed = next - 1;
	memcpy(skipped, lasts, sizeof(lasts));
	CHECK(journal_last(j) == committed);
	if (sync)
		on_disk = committed;
}

/* The end of each test's main. */
static inline int
journal_done(void)
{
	journal_report_free(&report);
	buf_free(&bytes);
	scratch_remove(scratch);
	return check_done();
}

#endif
