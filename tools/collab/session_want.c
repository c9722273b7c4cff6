#include "tools/collab/session_part.h"

enum {
	AGAIN_MS = 1000,  /* before the same is wanted again; doubles */
	DOUBLINGS = 5,
	CROWD = 64,
	CROWD_MS = 100,
	WANTS = 200,	  /* in a second, of whomever */
	PATIENT = 5,	  /* unanswered wants before a holder is not believed any more */
	LOOK_MS = 5000,	  /* nobody can be asked: look again */
	INQUIRY_MS = 30000, /* for answers before a gap is one */
	STREAM_MS = 30000,  /* between two messages of a history that is sent: a large one, far away */
};

void
want_note(struct session *s, struct peer *p, int64_t delay)
{
	if (p->wanting || p == s->foreign)
		return;
	p->wanting = true;
	p->want_at = s->now + delay;
	p->want_last = 0;
	p->tries = 0;
	peers_add(&s->wanting, p);
}

void
want_moved(struct session *s, struct peer *p)
{
	p->hub_asked = 0;
	for (unsigned i = 0; i < p->nholders; i++)
		p->holders[i].asked = 0;
	/* What came was asked for: the rest is on its way; the next part when half of it is here. */
	if (p->want_last == 0)
		return;
	p->want_at = s->now + 2 * AGAIN_MS;
	if (p->delivered + (p->want_more ? s->set.window / 2 : 0) >= p->want_last)
		p->want_at = s->now;
}

void
want_overheard(struct session *s, struct peer *p, uint64_t first, uint64_t last)
{
	int64_t at = s->now + AGAIN_MS + session_random(s, AGAIN_MS);

	if (!p->wanting || p->delivered + 1 < first || p->delivered + 1 > last || p->want_at > at)
		return;
	p->want_last = last;
	p->want_more = false;
	p->want_at = at;
}

void
want_holder(struct session *s, struct peer *of, struct peer *who, uint64_t up_to)
{
	struct holder *h = NULL;

	if (of == who || of == s->hub)
		return;
	for (unsigned i = 0; i < of->nholders; i++)
		if (of->holders[i].who == who)
			h = &of->holders[i];
	if (h == NULL && of->nholders == HOLDERS)
		for (unsigned i = 0; i < HOLDERS; i++)
			if (!peer_here(s, of->holders[i].who) || of->holders[i].up_to <= of->delivered)
				h = &of->holders[i];
	if (h == NULL && of->nholders == HOLDERS)
		return;
	if (h == NULL)
		h = &of->holders[of->nholders++];
	if (h->who != who)
		*h = (struct holder){.who = who};
	h->up_to = up_to;
	h->asked = 0;
}

void
want_gone(struct session *s, struct peer *of, struct peer *who, uint64_t first, uint64_t last)
{
	uint64_t next = of->delivered + 1, tail = order_tail(s, of);
	uint64_t said = who == of ? of->gone_self : who == s->hub ? of->gone_hub : 0;

	/* More of it may have gone since it said so: part follows part. */
	if (first > (said >= next ? said + 1 : next) || last < next)
		return;
	/* Numbers that nobody has used yet cannot be gone. */
	if (last > tail)
		last = tail;
	/* Wants that crossed are answered twice. */
	if (last < said)
		last = said;
	if (who == of)
		of->gone_self = last;
	else if (who == s->hub)
		of->gone_hub = last;
	else if (last > of->gone)
		of->gone = last;
	for (unsigned i = 0; i < of->nholders; i++)
		if (of->holders[i].who == who) {
			of->holders[i].lowest = last + 1;
			of->holders[i].asked = 0;
		}
	if (of->wanting)
		of->want_at = s->now;
}

bool
want_streams(const struct session *s, int64_t now)
{
	return s->set.listener && s->history && now - s->again_at < STREAM_MS;
}

/* Who may have number next of it: the sender, or the holders by turns. */
static struct peer *
whom(struct session *s, struct peer *p, uint64_t next)
{
	bool self = peer_here(s, p) && p->gone_self < next && !s->set.listener &&
	    (p->last >= next || held_back_last(&p->held) >= next);
	struct holder *h;

	/* A sender who does not answer: others may. */
	if (self && p->tries % 4 != 3)
		return p;
	for (unsigned i = 0; i < p->nholders && !s->set.listener; i++) {
		h = &p->holders[(p->next_holder + i) % p->nholders];
		if (h->up_to < next || h->lowest > next || h->asked >= PATIENT ||
		    !peer_here(s, h->who))
			continue;
		h->asked++;
		p->next_holder = (p->next_holder + i + 1) % p->nholders;
		return h->who;
	}
	if (s->history && p->gone_hub < next && (p->hub_asked < PATIENT || want_streams(s, s->now))) {
		p->hub_asked++;
		return s->hub;
	}
	return self ? p : NULL;
}

/*
 * Before it is given up for good, everybody is asked: by a hello, which all answer
 * with what they have and we lack. False: the answers are not all there yet.
 */
static bool
inquired(struct session *s, struct peer *p, uint64_t next)
{
	if (p->lost != next) {
		p->lost = next;
		p->lost_at = s->now;
	}
	if (s->hello_at >= p->lost_at && (session_answered(s) || s->now - s->hello_at >= INQUIRY_MS))
		return true;
	if (s->hello_at < p->lost_at && s->now - s->hello_at >= LOOK_MS / 5)
		s->hello = true;
	p->want_at = s->now + SOON_MS;
	return false;
}

/* How long we have patience with its sender, who is away. */
static int64_t
patience(const struct session *s, const struct peer *p)
{
	bool trimmed = s->history && p->gone_hub > p->delivered;

	return trimmed ? s->set.hub_patience_ms : s->set.patience_ms;
}

int64_t
want_left(const struct session *s, int64_t now, const struct peer *p)
{
	uint64_t next = p->delivered + 1;

	if (!s->set.listener)
		return patience(s, p) - (now - p->away);
	if (p->gone_self >= next)
		return 0;
	return patience(s, p) - (p->lost == next ? now - p->lost_at : 0);
}

/*
 * Nobody who is here has it. The sender has given it up: a gap. It is away: we
 * have patience, and then it is one if later ones wait behind it, or if somebody who
 * had it said that it is gone.
 */
static void
despair(struct session *s, struct peer *p, uint64_t next)
{
	int64_t left = want_left(s, s->now, p);
	struct slice event, payload;
	uint64_t last = p->gone_self, held;

	p->want_at = s->now + LOOK_MS;
	p->want_last = 0;
	if (last < next) {
		if (peer_here(s, p))
			return;
		last = p->gone;
	}
	if (held_back_first(&p->held, &held, &event, &payload) && (last < next || held <= last))
		last = held - 1;
	if (last < next)
		return;
	/* Some may have what comes later. */
	for (unsigned i = 0; i < p->nholders; i++)
		if (p->holders[i].lowest > next && p->holders[i].lowest <= last)
			last = p->holders[i].lowest - 1;
	if (p->gone_self < next && left > 0) {
		if (left < LOOK_MS)
			p->want_at = s->now + left;
		return;
	}
	if (!inquired(s, p, next))
		return;
	order_gap(s, p, last);
	order_drain(s, p);
	p->want_at = s->now;
}

/*
 * A listener cannot have it from the history. Others may want it as well, and what they are sent
 * is heard.
 */
static void
resign(struct session *s, struct peer *p, uint64_t next)
{
	struct slice event, payload;
	uint64_t last = order_tail(s, p), gone[] = {p->gone_self, p->gone_hub}, held;
	int64_t left;

	if (held_back_first(&p->held, &held, &event, &payload))
		last = held - 1;
	if (p->lost != next) {
		p->lost = next;
		p->lost_at = s->now;
	}
	p->want_last = 0;
	left = want_left(s, s->now, p);
	if (left > 0) {
		p->want_at = s->now + left;
		return;
	}
	/* Behind what is gone it goes on to ask. */
	for (int i = 0; i < 2; i++)
		if (gone[i] >= next && gone[i] < last)
			last = gone[i];
	order_gap(s, p, last);
	order_drain(s, p);
	p->want_at = s->now;
}

static bool
want_send(struct session *s, struct peer *p, struct peer *to, uint64_t next)
{
	struct slice event, payload;
	uint64_t last = order_tail(s, p), held;

	if (held_back_first(&p->held, &held, &event, &payload))
		last = held - 1;
	/* A sender may have been heard of only by what a holder says. */
	if (last < next)
		last = next;
	say_begin(s, "want");
	json_add(&s->out, "to", peer_name(to));
	json_add(&s->out, "of", peer_name(p));
	json_add_long(&s->out, "first", (long long)next);
	json_add_long(&s->out, "last", (long long)last);
	json_close(&s->out, '}');
	if (!say_send(s))
		return false;
	/* No more than a window of messages comes of it, but all that is gone is said at once. */
	p->want_more = !s->set.listener && last - next >= s->set.window;
	p->want_last = p->want_more ? next + s->set.window - 1 : last;
	p->want_at = s->now + session_random(s, AGAIN_MS / 2) +
	    (AGAIN_MS << (p->tries < DOUBLINGS ? p->tries : DOUBLINGS));
	p->tries++;
	s->wants++;
	return true;
}

/* False: the link takes nothing now. */
static bool
want_one(struct session *s, struct peer *p)
{
	uint64_t next = p->delivered + 1;
	struct peer *to = whom(s, p, next);

	if (to == NULL && s->set.listener)
		resign(s, p, next);
	else if (to == NULL)
		despair(s, p, next);
	if (to == NULL)
		return true;
	if (!want_send(s, p, to, next)) {
		/* A listener asks in joins, which are rare. */
		if (s->set.listener)
			p->hub_asked--;
		return false;
	}
	/* It is given up some time after the last that was asked. */
	if (s->set.listener)
		p->lost = 0;
	return true;
}

int64_t
want_turn(struct session *s)
{
	int64_t wait = -1, paced;
	double cost;
	size_t n = 0;

	if (s->now - s->wants_at >= 1000) {
		s->wants_at = s->now;
		s->wants = 0;
	}
	/* Many at once are looked at now and then: each has a time of its own. */
	if (s->now < s->look_at)
		return s->look_at - s->now;
	s->look_at = s->wanting.n > CROWD ? s->now + CROWD_MS : 0;
	cost = s->wanting.n ? peers_cost(s) : 0; /* all are counted for that: once */
	for (size_t i = 0; i < s->wanting.n; i++) {
		struct peer *p = s->wanting.v[i];
		bool due = s->now >= p->want_at && p->known && !s->holding;

		if (p->known && order_tail(s, p) <= p->delivered) {
			p->wanting = false;
			continue;
		}
		s->wanting.v[n++] = p;
		paced = due ? pace_wait(&s->pace, s->now, cost) : 0;
		if (due && paced == 0 && s->wants >= WANTS)
			paced = s->wants_at + 1000 - s->now;
		else if (due && paced == 0 && !s->jammed && !want_one(s, p))
			s->jammed = true;
		if (paced)
			wait = time_least(wait, paced);
		else if (p->known && !s->holding)
			wait = time_least(wait, p->want_at > s->now ? p->want_at - s->now : 1);
	}
	s->wanting.n = n;
	return wait;
}

/* Whether what we lack of it can come, or be known to be lost: else nobody is left to wait for. */
static bool
may_come(const struct session *s, const struct peer *p)
{
	/* It comes, or is a gap in a while. */
	if (s->set.listener)
		return p->known;
	/* Whom we only know by hearsay was not cut off with us. */
	if (peer_here(s, p) || (p->near && peer_expected(s, p)) ||
	    held_back_last(&p->held) > p->delivered)
		return true;
	if (s->history && p->gone_hub <= p->delivered && p->hub_asked < PATIENT)
		return true;
	for (unsigned i = 0; i < p->nholders; i++) {
		const struct holder *h = &p->holders[i];

		/* What it had it may have said to be gone since, to the last. */
		if (h->up_to > p->delivered && h->lowest <= h->up_to && peer_here(s, h->who))
			return true;
	}
	return false;
}

bool
session_whole(struct session *s)
{
	if (s->settling || (!session_answered(s) && s->now - s->up_at < INQUIRY_MS))
		return false;
	for (size_t i = 0; i < s->wanting.n; i++) {
		const struct peer *p = s->wanting.v[i];

		if (order_tail(s, p) > p->delivered && may_come(s, p))
			return false;
	}
	return true;
}
