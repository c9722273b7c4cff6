#include "tools/collab/session_part.h"

uint64_t
order_tail(const struct session *s, const struct peer *p)
{
	uint64_t tail = p->last, held = held_back_last(&p->held);

	if (held > tail)
		tail = held;
	for (unsigned i = 0; i < p->nholders; i++)
		if (p->holders[i].up_to > tail && peer_here(s, p->holders[i].who))
			tail = p->holders[i].up_to;
	return tail;
}

/* Its number is the next: told to the owner, who may have no room. */
static bool
hand_over(struct session *s, struct peer *p, uint64_t seq, struct slice event,
    struct slice payload)
{
	struct session_message m = {peer_name(p), seq, event, payload};

	if (!s->hooks->deliver(&m, s->state)) {
		s->holding = true;
		return false;
	}
	p->delivered = seq;
	p->tries = 0;
	say_dirty(s, p);
	return true;
}

static void
hold(struct session *s, struct peer *p, uint64_t seq, struct slice event, struct slice payload)
{
	held_back_add(&p->held, seq, event, payload, &s->held_bytes, s->set.max_held);
	want_note(s, p, SOON_MS / 4 + session_random(s, SOON_MS / 2));
}

void
order_drain(struct session *s, struct peer *p)
{
	struct slice event, payload;
	uint64_t seq;

	while (!s->holding && p->known && held_back_first(&p->held, &seq, &event, &payload)) {
		if (seq > p->delivered + 1)
			return;
		if (seq == p->delivered + 1 && !hand_over(s, p, seq, event, payload))
			return;
		held_back_drop(&p->held, &s->held_bytes);
	}
}

void
order_take(struct session *s, struct peer *p, uint64_t seq, struct slice event,
    struct slice payload, bool again)
{
	if (!p->known && s->beginning) {
		/* Somebody else misses it, from before us. */
		if (again)
			return;
		order_begin(s, p, seq - 1);
	}
	if (seq > p->last)
		p->last = seq;
	if (!p->known) {
		if (!again && (p->base_live == 0 || seq < p->base_live))
			p->base_live = seq;
		hold(s, p, seq, event, payload);
		return;
	}
	if (seq <= p->delivered)
		return;
	if (seq != p->delivered + 1 || s->holding) {
		hold(s, p, seq, event, payload);
		return;
	}
	if (!hand_over(s, p, seq, event, payload)) {
		hold(s, p, seq, event, payload);
		return;
	}
	order_drain(s, p);
	if (p->wanting)
		want_moved(s, p);
}

void
order_foreign(struct session *s, struct slice event, struct slice payload)
{
	struct session_message m = {S(""), 0, event, payload};

	if (!s->holding) {
		if (s->hooks->deliver(&m, s->state))
			return;
		s->holding = true;
	}
	/* Nobody has it a second time. */
	if (!held_back_add(&s->foreign->held, s->foreign->last + 1, event, payload, &s->held_bytes,
		s->set.max_held))
		s->dropped++;
	else
		s->foreign->last++;
}

void
session_resume(struct session *s, int64_t now)
{
	struct session_message m = {S(""), 0, S(""), S("")};
	uint64_t seq;

	s->now = now;
	s->holding = false;
	while (held_back_first(&s->foreign->held, &seq, &m.event, &m.payload)) {
		if (!s->hooks->deliver(&m, s->state)) {
			s->holding = true;
			return;
		}
		held_back_drop(&s->foreign->held, &s->held_bytes);
	}
	for (size_t i = 0; i < s->wanting.n; i++) {
		order_drain(s, s->wanting.v[i]);
		s->wanting.v[i]->want_at = now;
	}
}

void
order_gap(struct session *s, struct peer *p, uint64_t last)
{
	if (!s->hooks->gap(peer_name(p), p->delivered + 1, last, s->state)) {
		s->holding = true;
		return;
	}
	p->delivered = last;
	p->tries = 0;
	say_dirty(s, p);
}

void
order_begin(struct session *s, struct peer *p, uint64_t base)
{
	p->known = true;
	if (base > p->delivered) {
		p->delivered = base;
		held_back_drop_to(&p->held, base, &s->held_bytes);
		s->hooks->baseline(peer_name(p), base, s->state);
		say_dirty(s, p);
	}
	order_drain(s, p);
	if (order_tail(s, p) > p->delivered)
		want_note(s, p, session_random(s, SOON_MS));
}

/*
 * The baseline of a sender is what those who were here before us have. What we
 * heard from it ourselves is not below it, however late the others spoke.
 */
static void
settle_one(struct session *s, struct peer *p)
{
	uint64_t base = p->base_have;

	if (p->base_live && p->base_live <= base)
		base = p->base_live - 1;
	order_begin(s, p, base);
}

void
order_settle(struct session *s)
{
	s->settling = false;
	s->set.newcomer = SESSION_KNOWN;
	for (size_t i = 0; i < s->all.n && !s->beginning; i++)
		if (!s->all.v[i]->known)
			settle_one(s, s->all.v[i]);
	s->hooks->baseline(S(""), 0, s->state);
}

void
order_cut(struct session *s)
{
	if (s->settling)
		return;
	for (size_t i = 0; i < s->all.n && s->beginning; i++)
		s->all.v[i]->known = true;
	s->beginning = false;
}
