#include "tools/collab/party_part.h"

#include "common/json.h"
#include "common/time.h"

#include <inttypes.h>

enum {
	FULL_MS = 1000, /* a full disk is tried again */
	TURN = 512,	/* entries for the taker, or own lines, of one turn */
	ROOM = 1024,	/* entries taken: then there may be room again */
};

/* ---- opening ---- */

static void
put_range(uint64_t first, uint64_t last, struct buf *out)
{
	buf_reset(out);
	buf_addf(out, "[%" PRIu64 ",%" PRIu64 "]", first, last);
}

/* Whether something is missing that the taker has not had. */
static bool
lost_for_taker(struct party *p)
{
	struct journal_entry entry;

	for (uint64_t place = p->cursor + 1; place <= journal_last(p->in); place++)
		if (journal_read(p->in, place, &entry, &p->feed, NULL) != 0)
			return true;
	return false;
}

static void
say_damage(const struct journal_report *report, bool missing)
{
	struct buf text = {0};

	journal_report_text(report, "inbox",
	    missing ? "what was not taken of them yet is missing, and reported where it is known whose "
		      "it was" : "they had been taken before, and nothing is missing", &text);
	if (text.len)
		warn("%s", text.ptr);
	buf_free(&text);
}

/*
 * What was lost of the inbox was acknowledged, and nobody sends it again: the taker
 * is told, as far as it is known what it was.
 */
bool
party_lost(struct party *p, const struct journal_report *report)
{
	bool missing = report->lost && lost_for_taker(p);

	say_damage(report, missing);
	p->in_holes |= report->lost || report->gone;
	if (!missing)
		return false;
	p->damaged |= !p->set.confirm;
	for (size_t i = 0; i < report->nranges; i++) {
		const struct journal_range *r = &report->ranges[i];

		put_range(r->first, r->last, &p->text);
		p->in_dirty |= journal_append(p->in, slice(r->from), 0, S(""), buf_slice(&p->text),
				   ENTRY_GAP, NULL) > 0;
	}
	return true;
}

int
party_open_in(struct party *p, struct err *e)
{
	struct journal_report report;
	struct journal_sender own;
	int rc = place_inbox(&p->place, p->set.settings->keep, &p->in, &report, e);

	if (rc != 0)
		say_damage(&report, true);
	if (rc == 0) {
		uint64_t taking = place_mark(&p->place, PLACE_TAKING);

		p->cursor = p->done = place_mark(&p->place, PLACE_DELIVERED);
		if (taking > p->cursor && !p->set.confirm)
			p->replay = taking;
		party_lost(p, &report);
		p->own_shown = journal_who(p->in, party_self(p), &own) ? own.last : 0;
		journal_forget(p->in, p->cursor);
	}
	journal_report_free(&report);
	return rc;
}

/* ---- what the session puts in ---- */

/* Up to there the inbox need not keep what it has. */
static uint64_t
let_go(const struct party *p)
{
	return p->set.confirm ? p->done : p->cursor;
}

/* There is no room now. */
static bool
put_off(struct party *p)
{
	if (!p->in_held) {
		p->held_at = let_go(p);
		p->held_since = time_ms();
	}
	p->in_held = true;
	return false;
}

static bool
append(struct party *p, struct slice from, uint64_t seq, struct slice event, struct slice payload,
    unsigned flags)
{
	struct err e;

	if (p->in_full || p->ended)
		return put_off(p);
	if (journal_append(p->in, from, seq, event, payload, flags, &e) > 0) {
		p->in_dirty = true;
		return true;
	}
	if (strcmp(e.code, "not_in_order") == 0)
		return true; /* it has it */
	if (strcmp(e.code, "too_large") != 0)
		return put_off(p);
	warn("%s", e.text);
	if (seq == 0)
		return true;
	put_range(seq, seq, &p->text);
	return append(p, from, seq, S(""), buf_slice(&p->text), ENTRY_GAP);
}

bool
party_deliver(const struct session_message *m, void *state)
{
	struct party *p = state;

	if (!append(p, m->from, m->seq, m->event, m->payload, 0))
		return false;
	p->in_stored = true;
	return true;
}

bool
party_gap(struct slice from, uint64_t first, uint64_t last, void *state)
{
	struct party *p = state;

	put_range(first, last, &p->text);
	if (!append(p, from, last, S(""), buf_slice(&p->text), ENTRY_GAP))
		return false;
	p->in_stored = true;
	return true;
}

void
party_baseline(struct slice from, uint64_t seq, void *state)
{
	struct party *p = state;
	struct err e;

	if (from.len == 0)
		p->based = true;
	else if (journal_skip(p->in, from, seq, &e) != 0)
		warn("%s", e.text);
	p->in_dirty = p->in_stored = true;
}

/* One of our own lines: with --self what the relay has, else that it is known. */
static bool
note_one(struct party *p, uint64_t seq)
{
	struct session_message m;
	enum session_found found = SESSION_GONE;

	if (p->set.self && !party_was_refused(p, seq))
		found = party_find(party_self(p), seq, &m, p);
	if (found == SESSION_UNREADABLE)
		return false;
	if (found == SESSION_FOUND)
		return append(p, m.from, seq, m.event, m.payload, 0);
	if (p->set.self && p->out_holes && !party_was_refused(p, seq))
		return party_gap(party_self(p), seq, seq, p);
	return journal_skip(p->in, party_self(p), seq, NULL) == 0;
}

void
party_note_own(struct party *p)
{
	uint64_t relayed = place_mark(&p->place, PLACE_RELAYED);

	if (relayed <= p->own_shown || p->in_full)
		return;
	if (!p->set.self)
		p->own_shown = relayed - 1;
	for (int i = 0; i < TURN && p->own_shown < relayed; i++) {
		if (!note_one(p, p->own_shown + 1))
			return;
		p->own_shown++;
		p->in_dirty = true;
	}
}

/* ---- to the disk ---- */

static int64_t
cannot_store(struct party *p, int64_t now, const struct err *e)
{
	if (strcmp(e->code, "fsync_failed") == 0) {
		party_fail(p, STATUS_FAILED, e->code, e->text);
		return -1;
	}
	if (!p->in_full)
		warn("%s: nothing that comes is acknowledged until there is room", e->text);
	p->in_full = true;
	p->in_again = now + FULL_MS;
	return FULL_MS;
}

/* Whether what was put off may fit by now. */
static bool
may_fit(const struct party *p, int64_t now)
{
	uint64_t up_to = let_go(p);

	return up_to >= p->held_at + ROOM || now - p->held_since >= FULL_MS ||
	    (up_to > p->held_at && up_to >= journal_last(p->in));
}

int64_t
party_store(struct party *p, int64_t now)
{
	struct err e;

	if (p->in_full && now < p->in_again)
		return p->in_again - now;
	if (p->in_dirty) {
		if (journal_commit(p->in, p->in_stored, &e) != 0)
			return cannot_store(p, now, &e);
		if (p->in_full)
			note("there is room on the disk again");
		p->in_dirty = p->in_full = false;
		if (p->based)
			place_set(&p->place, PLACE_BASELINE, 1);
		p->based = false;
	}
	if (p->in_stored && p->hooks->stored &&
	    !p->hooks->stored(journal_last(p->in), p->state))
		return FULL_MS;
	if (p->in_stored)
		session_stored(p->session, now);
	p->in_stored = false;
	if (p->in_held && !p->in_full && may_fit(p, now)) {
		p->in_held = false;
		session_resume(p->session, now);
		return p->in_dirty ? 0 : -1;
	}
	if (p->in_held)
		return FULL_MS;
	if (p->own_shown >= place_mark(&p->place, PLACE_RELAYED) || p->in_full)
		return -1;
	return p->unread_out.since ? FULL_MS : 0;
}

/* ---- the taker ---- */

static bool
read_range(struct slice payload, uint64_t *first, uint64_t *last)
{
	struct json_walk w = json_walk(payload);
	struct slice value;
	long long n[2];

	for (int i = 0; i < 2; i++)
		if (!json_element(&w, &value) || !json_long(value, &n[i]) || n[i] < 1)
			return false;
	*first = (uint64_t)n[0];
	*last = (uint64_t)n[1];
	return true;
}

bool
party_read(struct party *p, uint64_t place, struct party_entry *out)
{
	struct journal_entry entry;
	struct err e;

	if (p->in == NULL)
		return false;
	if (journal_read(p->in, place, &entry, &p->feed, &e) != 0) {
		/* As of party_find. */
		if (strcmp(e.code, "not_found") != 0 ||
		    (!p->in_holes && place >= journal_first(p->in) && place <= journal_last(p->in)))
			party_unread_note(&p->unread_in, place, p->place.in);
		return false;
	}
	party_unread_over(&p->unread_in, place);
	*out = (struct party_entry){.what = PARTY_MESSAGE, .place = place, .from = entry.from,
	    .seq = entry.seq, .event = entry.event, .payload = entry.payload,
	    .replayed = place == p->replay};
	if (!(entry.flags & ENTRY_GAP))
		return true;
	out->what = PARTY_GAP;
	out->late = entry.seq == 0;
	return read_range(entry.payload, &out->seq, &out->last);
}

void
party_places(const struct party *p, uint64_t *first, uint64_t *last, uint64_t *taken)
{
	*first = p->in ? journal_first(p->in) : 0;
	*last = p->in ? journal_last(p->in) : 0;
	*taken = p->cursor;
}

static bool
give(struct party *p, uint64_t place)
{
	struct party_entry entry;
	bool begun = false;

	/* What was lost has been reported; what may come back is waited for. */
	if (!party_read(p, place, &entry))
		return !party_unread(p, place);
	/* What is ours is there when --self was given once. */
	if (!p->set.self && slice_eq(entry.from, party_self(p)))
		return true;
	if (!p->set.confirm)
		place_set(&p->place, PLACE_TAKING, place);
	entry.begun = &begun;
	if (p->hooks->take(&entry, p->state))
		return true;
	/* It was not begun, unless by a process before us. */
	if (!p->set.confirm && place != p->replay && !begun)
		place_set(&p->place, PLACE_TAKING, p->cursor);
	return false;
}

bool
party_feed(struct party *p)
{
	uint64_t first = journal_first(p->in), last = journal_last(p->in);
	int n = 0;

	if (first > p->cursor + 1)
		p->cursor = first - 1;
	for (; p->cursor < last && n < TURN && !p->ended; n++) {
		if (!give(p, p->cursor + 1))
			break;
		p->cursor++;
		if (!p->set.confirm)
			place_set(&p->place, PLACE_DELIVERED, p->cursor);
	}
	if (!p->set.confirm)
		journal_forget(p->in, p->cursor);
	return n == TURN && p->cursor < last;
}

void
party_done(struct party *p, uint64_t place, uint64_t own)
{
	if (place > p->cursor)
		place = p->cursor;
	if (place > p->done) {
		p->done = place;
		place_set(&p->place, PLACE_DELIVERED, place);
		journal_forget(p->in, place);
	}
	if (own > p->own_done)
		p->own_done = own;
}

void
party_rewind(struct party *p)
{
	p->cursor = p->done = 0;
	place_set(&p->place, PLACE_DELIVERED, 0);
}

bool
party_is_whole(const struct party *p)
{
	return p->up && p->in && session_whole(p->session) && p->cursor >= journal_last(p->in) &&
	    !p->in_dirty && !p->in_held;
}
