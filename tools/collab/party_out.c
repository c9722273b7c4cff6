#include "tools/collab/party_part.h"

#include "common/time.h"

enum { FULL_MS = 1000 }; /* a full disk is tried again */

static void
say_damage(const struct party *p, const struct journal_report *report)
{
	struct buf text = {0};

	journal_report_text(report, "outbox", "they may not have been sent", &text);
	if (text.len)
		warn("%s", text.ptr);
	buf_free(&text);
	if (p->place.renewed)
		warn("the outbox cannot go on as it was: we are '%s' from now on, and %llu lines of it "
		     "are sent again", p->place.from, (unsigned long long)p->place.moved);
}

int
party_open_out(struct party *p, struct err *e)
{
	struct journal_report report;
	struct journal_sender own;
	int rc = place_outbox(&p->place, p->set.settings->keep, &p->out, &report, e);

	say_damage(p, &report);
	/* With confirm the owner has what it said elsewhere, too. */
	p->damaged |= rc == 0 && report.lost > 0 && !p->set.confirm;
	journal_report_free(&report);
	if (rc != 0)
		return -1;
	p->out_holes = false;
	p->unread_out = (struct party_unread){0};
	p->last = journal_who(p->out, party_self(p), &own) ? own.last : 0;
	p->said = p->last;
	return 0;
}

/* ---- what the session asks of it ---- */

/* What an outbox without holes says that it does not have may be damage that hides it. */
static bool
is_hidden(const struct party *p, uint64_t seq)
{
	struct journal_sender own;

	return !p->out_holes && journal_who(p->out, party_self(p), &own) && own.first &&
	    seq >= own.first && seq <= p->last;
}

enum session_found
party_find(struct slice from, uint64_t seq, struct session_message *m, void *state)
{
	struct party *p = state;
	bool own = slice_eq(from, party_self(p));
	struct journal *j = own ? p->out : p->in;
	struct party_unread *u = own ? &p->unread_out : &p->unread_in;
	uint64_t number = party_unread_number(from, seq);
	struct journal_entry entry;
	struct err e;

	if (j == NULL)
		return SESSION_UNREADABLE;
	if (journal_find(j, from, seq, &entry, &p->find, &e) != 0) {
		if (strcmp(e.code, "not_found") == 0 && !(own && is_hidden(p, seq)))
			return SESSION_GONE;
		party_unread_note(u, number, own ? p->place.out : p->place.in);
		return SESSION_UNREADABLE;
	}
	party_unread_over(u, number);
	if (entry.flags & ENTRY_GAP)
		return SESSION_GONE;
	*m = (struct session_message){entry.from, entry.seq, entry.event, entry.payload};
	return SESSION_FOUND;
}

uint64_t
party_kept(struct slice from, void *state)
{
	struct party *p = state;
	struct journal *j = slice_eq(from, party_self(p)) ? p->out : p->in;
	struct journal_sender sender;

	return j && journal_who(j, from, &sender) ? sender.first : 0;
}

void
party_taken(uint64_t seq, void *state)
{
	struct party *p = state;

	place_set(&p->place, PLACE_RELAYED, seq);
}

void
party_refused(uint64_t seq, const char *reason, void *state)
{
	struct party *p = state;

	/* Lost: it was said when that was found. */
	if (reason == NULL)
		return;
	p->refused[p->nrefused++ % PARTY_REFUSED] = seq;
	if (p->hooks->refused)
		p->hooks->refused(seq, reason, p->state);
	else
		warn("the relay does not take line %llu of ours: %s: the others are told that it is "
		     "missing", (unsigned long long)seq, reason);
}

bool
party_was_refused(const struct party *p, uint64_t seq)
{
	for (size_t i = 0; i < p->nrefused && i < PARTY_REFUSED; i++)
		if (p->refused[i] == seq)
			return true;
	return false;
}

/* ---- saying ---- */

size_t
party_room(const struct party *p, struct slice event)
{
	size_t relay = p->max_payload - session_overhead(party_self(p));
	size_t disk = (p->set.settings->keep ? p->set.settings->keep : 64 << 20) / 2;

	disk = disk > event.len + 64 ? disk - event.len - 64 : 0;
	if (disk > JOURNAL_PAYLOAD)
		disk = JOURNAL_PAYLOAD;
	return relay < disk ? relay : disk;
}

void
party_forget_out(struct party *p)
{
	uint64_t up_to = session_confirmed(p->session);

	if (p->set.self && p->own_shown < up_to)
		up_to = p->own_shown;
	if (p->set.confirm && p->own_done < up_to)
		up_to = p->own_done;
	/* Without holes from 1 on: a line's number is its place. */
	journal_forget(p->out, up_to);
}

/* The disk is full: said once, and once that there is room. */
static bool
disk_full(struct party *p, const char *text)
{
	if (!p->out_full)
		warn("%s: nothing more is taken until there is room", text);
	p->out_full = true;
	p->out_again = time_ms() + FULL_MS;
	return false;
}

/* What is in it is still needed. */
static bool
outbox_full(struct party *p, const char *text)
{
	if (!p->told_full)
		note("%s: --keep=BYTES gives it more", text);
	p->told_full = true;
	return false;
}

bool
party_say(struct party *p, struct slice event, struct slice payload)
{
	struct err e;
	int64_t place;

	if (p->ended || p->stale || (p->out_full && time_ms() < p->out_again))
		return false;
	place = journal_append(p->out, party_self(p), p->said + 1, event, payload, 0, &e);
	if (place < 0 && strcmp(e.code, "journal_full") == 0) {
		/* Perhaps there is what may be let go by now, or is not written yet. */
		party_forget_out(p);
		if (!party_commit(p))
			return false;
		place = journal_append(p->out, party_self(p), p->said + 1, event, payload, 0, &e);
	}
	if (place > 0) {
		p->said++;
		return true;
	}
	if (strcmp(e.code, "journal_full") == 0)
		return outbox_full(p, e.text);
	party_fail(p, STATUS_FAILED, e.code, e.text);
	return false;
}

bool
party_commit(struct party *p)
{
	struct err e;

	if (p->ended || (p->out_full && time_ms() < p->out_again))
		return false;
	if (p->said == p->last)
		return true;
	if (journal_commit(p->out, true, &e) != 0) {
		if (strcmp(e.code, "fsync_failed") != 0)
			return disk_full(p, e.text);
		party_fail(p, STATUS_FAILED, e.code, e.text);
		return false;
	}
	if (p->out_full)
		note("there is room on the disk again");
	p->out_full = false;
	p->last = p->said;
	session_own(p->session, time_ms(), p->last);
	return true;
}

bool
party_own(struct party *p, uint64_t seq, struct slice *event, struct slice *payload)
{
	struct session_message m;

	if (party_find(party_self(p), seq, &m, p) != SESSION_FOUND)
		return false;
	*event = m.event;
	*payload = m.payload;
	return true;
}

bool
party_is_stuck(const struct party *p)
{
	return p->out_full;
}

uint64_t
party_said(const struct party *p)
{
	return p->said;
}

uint64_t
party_last(const struct party *p)
{
	return p->last;
}

uint64_t
party_relayed(const struct party *p)
{
	return session_relayed(p->session);
}

uint64_t
party_confirmed(const struct party *p)
{
	return session_confirmed(p->session);
}
