/*
 * What was written to the disk and cannot be read. The disk may get over it, so it is tried again
 * for a while. Then the journal is opened anew, which sets damage aside and keeps all that is
 * whole: what is lost is known then, and told to who lacks it.
 */
#include "tools/collab/party_part.h"

#include "common/hash.h"
#include "common/mem.h"
#include "common/time.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
	RETRY_MS = 1000,
	PATIENCE_MS = 5000, /* then the journal is opened anew */
	OVER_MS = 60000,    /* nobody has asked for it so long: whatever comes is something else */
	VAIN = 3,	    /* opened anew, found whole, and not readable: the disk does not work */
};

/* ---- what cannot be read ---- */

void
party_unread_note(struct party_unread *u, uint64_t number, const char *folder)
{
	int64_t now = time_ms();

	if (u->since == 0 || now - u->seen > OVER_MS) {
		*u = (struct party_unread){.since = now};
		warn("a message in '%s' cannot be read: it was damaged, or the disk is failing: trying "
		     "again for %d s, then the damage is set aside", folder, PATIENCE_MS / 1000);
	}
	u->number = number;
	u->seen = now;
	u->due = now - u->since >= PATIENCE_MS;
}

void
party_unread_over(struct party_unread *u, uint64_t number)
{
	if (u->since && u->number == number)
		*u = (struct party_unread){0};
}

uint64_t
party_unread_number(struct slice from, uint64_t seq)
{
	return hash_stable(from) + seq;
}

bool
party_unread(const struct party *p, uint64_t place)
{
	return p->unread_in.since && p->unread_in.number == place;
}

/* ---- opened anew ---- */

static void
give_up(struct party *p, const char *what)
{
	struct buf text = {0};

	buf_addf(&text, "%s: put that right, and start this again: nothing is given up until then",
	    what);
	party_fail(p, STATUS_FAILED, "cannot_read", text.ptr);
	buf_free(&text);
}

/* Closes a journal and opens it again: 0, or -1: it cannot be (said), and we end. */
static int
open_anew(struct party *p, struct journal **j, bool outbox, struct party_unread *u,
    struct journal_report *report)
{
	struct journal_settings settings = {.folder = outbox ? p->place.out : p->place.in,
	    .max_bytes = p->set.settings->keep, .outbox = outbox};
	struct err e;

	journal_close(*j);
	*j = NULL;
	if (journal_open(j, &settings, report, &e) != 0) {
		give_up(p, e.text);
		return -1;
	}
	if (report->lost) {
		*u = (struct party_unread){0};
		return 0;
	}
	u->since = time_ms();
	u->due = false;
	if (++u->vain < VAIN)
		return 0;
	buf_reset(&p->text);
	buf_addf(&p->text, "a message in '%s' cannot be read, though it is not damaged",
	    settings.folder);
	give_up(p, p->text.ptr);
	return -1;
}

static void
mend_out(struct party *p)
{
	struct journal_report report = {0};
	struct journal_sender own;
	struct buf text = {0};
	uint64_t last;

	if (!party_commit(p))
		return; /* what is in memory only would be gone */
	if (open_anew(p, &p->out, true, &p->unread_out, &report) == 0 && report.lost) {
		journal_report_text(&report, "outbox", "who lacks them is told that they are missing",
		    &text);
		warn("%s", text.ptr);
		p->out_holes = true;
		/* With confirm the owner has what it said elsewhere, too. */
		p->damaged |= !p->set.confirm;
		/* No number is used twice: those at the end are skipped, or all is begun anew. */
		last = journal_who(p->out, party_self(p), &own) ? own.last : 0;
		if (journal_last(p->out) != p->last ||
		    (last < p->last && journal_skip(p->out, party_self(p), p->last, NULL) != 0))
			party_renew(p, true);
	}
	buf_free(&text);
	journal_report_free(&report);
}

/* ---- the inbox ---- */

struct tails {
	struct party_known *v;
	size_t n, cap;
};

/* What is known of each sender, which the damage may swallow. */
static void
note_tails(const struct party *p, struct tails *tails)
{
	struct journal_sender s;

	for (size_t i = 0; journal_sender(p->in, i, &s); i++) {
		if (s.from.len == 0)
			continue;
		tails->v = xgrow(tails->v, tails->n, &tails->cap, sizeof(*tails->v));
		tails->v[tails->n++] = (struct party_known){
		    {xstrndup(s.from.ptr, s.from.len), s.from.len}, s.last};
	}
}

/* What was delivered to us does not come again, though the inbox has forgotten it. */
static void
restore_tails(struct party *p, const struct tails *tails, bool missing)
{
	struct journal_sender s;

	for (size_t i = 0; i < tails->n; i++) {
		const struct party_known *t = &tails->v[i];
		uint64_t last = journal_who(p->in, t->from, &s) ? s.last : 0;

		if (last >= t->seq)
			continue;
		if (!missing || !party_gap(t->from, last + 1, t->seq, p))
			journal_skip(p->in, t->from, t->seq, NULL);
		p->in_dirty = true;
	}
}

static void
free_tails(struct tails *tails)
{
	for (size_t i = 0; i < tails->n; i++)
		free((void *)(uintptr_t)tails->v[i].from.ptr);
	free(tails->v);
}

static void
mend_in(struct party *p)
{
	struct journal_report report = {0};
	struct tails tails = {0};
	uint64_t last = journal_last(p->in);
	bool missing;

	if (p->in_dirty)
		return; /* likewise */
	note_tails(p, &tails);
	if (open_anew(p, &p->in, false, &p->unread_in, &report) == 0) {
		missing = party_lost(p, &report);
		if (journal_last(p->in) < last)
			give_up(p, "the end of the inbox is lost");
		else if (report.lost)
			restore_tails(p, &tails, missing);
	}
	free_tails(&tails);
	journal_report_free(&report);
}

int64_t
party_mend_turn(struct party *p)
{
	if (p->unread_out.due && p->out && !p->stale)
		mend_out(p);
	if (p->unread_in.due && !p->ended)
		mend_in(p);
	return p->unread_in.since && time_ms() - p->unread_in.seen < OVER_MS ? RETRY_MS : -1;
}
