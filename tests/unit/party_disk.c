/*
 * party disk: two members talk, and the power may fail at any moment: what counts as said is on the
 * disk of who said it, what was acknowledged on the disk of who did.
 */
#include "tests/unit/power.h"

#include "tests/unit/party_member.h"
#include "tools/collab/party.h"

enum { LINES = 40 };

static char *cut;

/* The last number of a sender that a journal has, had the power failed now. */
static uint64_t
left(const struct party *p, const char *which, struct slice from)
{
	struct buf folder = {0};
	struct journal_settings settings = {.outbox = strcmp(which, "out") == 0};
	struct journal_report report;
	struct journal_sender who = {.last = 0};
	struct journal_entry entry;
	struct buf bytes = {0};
	struct journal *j;
	struct err e;

	buf_addf(&folder, "%s%s/%s", cut, party_folder(p) + strlen(scratch), which);
	settings.folder = folder.ptr;
	CHECK(journal_open(&j, &settings, &report, &e) == 0);
	CHECK(report.lost == 0 && report.damaged == 0);
	journal_who(j, from, &who);
	for (uint64_t seq = 1; seq <= who.last; seq++)
		CHECK(journal_find(j, from, seq, &entry, &bytes, &e) == 0);
	journal_report_free(&report);
	journal_close(j);
	buf_free(&bytes);
	buf_free(&folder);
	return who.last;
}

struct told {
	uint64_t said, confirmed;
};

/* When more was told to be safe, whether it is: of a's lines on its own disk, and on b's. */
static void
check_safe(const struct member *a, const struct member *b, struct told *told)
{
	uint64_t said = party_last(a->party), confirmed = party_confirmed(a->party);

	CHECK(party_relayed(a->party) <= said);
	if (said == told->said && confirmed == told->confirmed)
		return;
	*told = (struct told){said, confirmed};
	power_cut(power_now(), POWER_NOTHING, cut);
	CHECK(left(a->party, "out", party_self(a->party)) >= said);
	CHECK(left(b->party, "in", party_self(a->party)) >= confirmed);
	scratch_remove(cut);
}

/* Whether a knows that b is here: from then on nothing is confirmed without it. */
static bool
knows(const struct member *a, const struct member *b)
{
	size_t at = 0;
	struct slice from;

	while (party_each(a->party, &at, &from))
		if (slice_eq(from, party_self(b->party)))
			return true;
	return false;
}

int
main(void)
{
	struct member a = {.out = -1, .ready = true}, b = {.out = -1, .ready = true};
	struct told told = {0, 0};
	struct buf path = {0};
	int64_t limit;
	uint64_t n = 0;
	pid_t hub;

	scratch_begin();
	die_verbosity(-1);
	die_name("party");
	hub = start_hub();
	buf_addf(&path, "%s.cut", scratch);
	cut = path.ptr;
	power_watch(scratch);
	open_member(&a, "disk", 1, false);
	open_member(&b, "disk", 2, false);
	limit = time_ms() + 30000;
	while (!knows(&a, &b) && time_ms() < limit) {
		turn(&a, 5);
		turn(&b, 5);
	}
	CHECK(knows(&a, &b));
	while (party_confirmed(a.party) < LINES && time_ms() < limit) {
		for (uint64_t group = scratch_random(4); group && n < LINES; group--)
			CHECK(say(&a, ++n));
		CHECK(party_commit(a.party));
		check_safe(&a, &b, &told);
		turn(&a, 5);
		check_safe(&a, &b, &told);
		turn(&b, 5); /* a hears meanwhile, too */
		check_safe(&a, &b, &told);
	}
	CHECK(told.said == LINES && told.confirmed == LINES && b.entries == LINES);
	power_forget();
	close_member(&a);
	close_member(&b);
	sockets_close(loop);
	end(&hub);
	buf_free(&a.got);
	buf_free(&b.got);
	buf_free(&a.url);
	buf_free(&b.url);
	buf_free(&path);
	scratch_remove(scratch);
	return check_done();
}
