#include "tools/collab/session_part.h"

#include "common/mem.h"

#include <stdlib.h>

enum {
	WINDOW = 512,
	WINDOW_MOST = 4096,
	TURN = 256,	   /* messages of one turn: then somebody else may have a look */
	JAM_MS = 50,	   /* the link's queue is full: again after that */
	REFUSED_MS = 1000, /* the relay did not want it now: again after that; doubles */
	REFUSED_MOST_MS = 60000,
	UNREAD_MS = 1000,  /* the next own one cannot be read: again after that */
	UNWANTED = 8,	   /* nor so many times in a row, some minutes: it never will */
	MAX_PAYLOAD = 256000,
	PATIENCE_MS = 60000,
	LISTEN_MS = 15000, /* for what others ask for: who was cut off with us is back by then */
	DEBT_S = 10,	   /* what others spend too much does not silence us for longer */
};

struct session *
session_open(const struct session_settings *set)
{
	struct session *s = xcalloc(1, sizeof(*s));

	s->set = *set;
	s->self = xstrndup(set->self.ptr, set->self.len);
	s->from = s->set.self = (struct slice){s->self, set->self.len};
	json_quote(&s->self_json, s->from);
	s->hooks = set->hooks;
	s->state = set->state;
	backoff_seed(&s->random, set->seed);
	if (s->set.window == 0 || s->set.window > WINDOW_MOST)
		s->set.window = s->set.window ? WINDOW_MOST : WINDOW;
	if (s->set.max_payload == 0)
		s->set.max_payload = MAX_PAYLOAD;
	/* The smallest in which an entry of have fits. */
	if (s->set.max_payload < 4096)
		s->set.max_payload = 4096;
	if (s->set.max_held == 0)
		s->set.max_held = 16 << 20;
	if (s->set.patience_ms == 0)
		s->set.patience_ms = set->listener ? LISTEN_MS : PATIENCE_MS;
	if (s->set.hub_patience_ms == 0)
		s->set.hub_patience_ms = s->set.patience_ms;
	s->acked = xcalloc(s->set.window, 1);
	s->settling = set->newcomer == SESSION_NOW || set->newcomer == SESSION_ALL_ALONE;
	s->beginning = set->listener && set->newcomer == SESSION_NOW;
	s->hub = xcalloc(1, sizeof(*s->hub));
	s->hub->name = xstrdup("hub");
	s->hub->len = 3;
	s->foreign = xcalloc(1, sizeof(*s->foreign));
	s->foreign->name = xstrdup("");
	s->have_at = s->ask_at = -1;
	s->have_forced = s->again_at = INT64_MIN / 2;
	return s;
}

void
session_free(struct session *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->all.n; i++)
		peer_free(s, s->all.v[i]);
	peer_free(s, s->hub);
	peer_free(s, s->foreign);
	table_free(&s->names);
	free(s->all.v);
	free(s->near.v);
	free(s->wanting.v);
	free(s->dirty.v);
	free(s->acked);
	free(s->self);
	buf_free(&s->self_json);
	buf_free(&s->out);
	buf_free(&s->reply);
	buf_free(&s->text);
	buf_free(&s->other);
	free(s);
}

int64_t
session_random(struct session *s, int64_t below)
{
	return below > 1 ? backoff_wait(&s->random, 0, below - 1, below - 1, 0) : 0;
}

void
session_known(struct session *s, struct slice from, uint64_t seq)
{
	struct peer *p = peer_get(s, from, true);

	if (p == NULL)
		return;
	p->known = true;
	p->delivered = p->stored = p->last = seq;
}

void
session_own(struct session *s, int64_t now, uint64_t last)
{
	s->now = now;
	if (!s->owned)
		s->inherited = last;
	s->owned = true;
	if (last > s->last)
		s->last = last;
}

void
session_taken(struct session *s, uint64_t seq)
{
	if (seq > s->last)
		seq = s->last;
	if (seq > s->relayed)
		s->relayed = s->sent = s->given = s->most_sent = seq;
}

void
session_check_own(struct session *s, uint64_t seq)
{
	/* What was on disk when we began, or went out since. Who says nothing uses no number. */
	if (s->set.listener || s->stale || seq <= s->inherited || seq <= s->most_sent)
		return;
	s->stale = true;
	s->hooks->stale(s->state);
}

void
session_up(struct session *s, int64_t now, bool history)
{
	s->now = now;
	s->up = true;
	s->hello = !s->set.listener;
	/* What its join asked for. */
	s->hub->answered &= !s->set.listener;
	s->history = history;
	s->up_at = now;
	s->roster = s->jammed = false;
	s->have_at = s->ask_at = -1;
	s->resend_at = 0;
	if (!s->was_up) {
		s->was_up = true;
		pace_open(&s->pace, now, s->set.rate, DEBT_S);
		/* Full: the first ones go at once. */
		s->ack_level = 1e9;
		s->ack_at = now;
		s->quiet_until = s->set.fresh ? now : now + SETTLE_MS;
		if (s->set.newcomer == SESSION_ALL)
			s->hooks->baseline(S(""), 0, s->state);
	}
	for (size_t i = 0; i < s->all.n; i++) {
		struct peer *p = s->all.v[i];

		p->away = now;
		/* Who was heard before the loss may have gone since. */
		if (!p->present)
			p->heard = -1;
		/* What it was asked went down with the link, and nobody could send anything again. */
		p->hub_asked = 0;
		if (s->set.listener)
			p->lost = 0;
		if (order_tail(s, p) > p->delivered)
			want_note(s, p, SOON_MS + session_random(s, SOON_MS));
	}
	say_watch(s);
}

void
session_down(struct session *s, int64_t now)
{
	s->now = now;
	if (!s->up)
		return;
	session_confirmed(s);
	s->up = false;
	order_cut(s);
	s->sent = s->given = s->relayed;
	memset(s->acked, 0, s->set.window);
	s->njobs = 0;
	for (size_t i = 0; i < s->wanting.n; i++)
		s->wanting.v[i]->tries = 0;
}

void
session_slow(struct session *s, int64_t now)
{
	s->now = now;
	if (s->was_up)
		pace_slow(&s->pace, now);
}

void
session_leave(struct session *s, int64_t now)
{
	s->now = now;
	if (s->up && s->was_up && !s->set.listener)
		say_bye(s);
}

bool
session_answered(struct session *s)
{
	/* Without presence who is here is known by then, or not at all. */
	if (!s->roster && !(s->set.listener && s->history) && s->now - s->up_at < SETTLE_MS)
		return false;
	if (s->hello || (s->history && !s->hub->answered))
		return false;
	if (s->set.listener)
		return true;
	peers_here(s);
	for (size_t i = 0; i < s->near.n; i++)
		if (s->near.v[i]->ours && peer_here(s, s->near.v[i]) && !s->near.v[i]->answered)
			return false;
	return true;
}

bool
session_refused(const struct session *s, uint64_t seq)
{
	size_t n = s->nrefused < 64 ? s->nrefused : 64;

	for (size_t i = 0; i < n; i++)
		if (s->refused[i] == seq)
			return true;
	return false;
}

static void
refuse(struct session *s, uint64_t seq, const char *reason)
{
	bool known = session_refused(s, seq);

	if (!known)
		s->refused[s->nrefused++ % 64] = seq;
	/* What is gone is found so again after each loss. */
	if (seq > s->relayed && (reason || !known))
		s->hooks->refused(seq, reason, s->state);
}

/* Number seq is done with: the relay has it, or never will. */
static void
settled(struct session *s, uint64_t seq)
{
	uint64_t before = s->relayed;

	if (seq <= s->relayed || seq > s->relayed + s->set.window)
		return;
	s->acked[seq % s->set.window] = 1;
	while (s->acked[(s->relayed + 1) % s->set.window] && s->relayed < s->most_sent)
		s->acked[++s->relayed % s->set.window] = 0;
	if (s->relayed == before)
		return;
	if (s->sent < s->relayed)
		s->sent = s->relayed;
	s->hooks->taken(s->relayed, s->state);
	say_watch(s);
}

void
session_acked(struct session *s, int64_t now, uint64_t number, bool ok, const char *reason)
{
	s->now = now;
	s->jammed = false;
	if (number == 0 || number > s->most_sent || !s->up)
		return;
	if (ok) {
		pace_taken(&s->pace, now);
		s->unwanted = 0;
		settled(s, number);
	} else if ((reason && strstr(reason, "payload_size")) || s->unwanted >= UNWANTED) {
		s->unwanted = 0;
		refuse(s, number, reason ? reason : "");
		settled(s, number);
	} else if (number > s->relayed) {
		int64_t wait = (int64_t)REFUSED_MS << s->unwanted;

		wait = wait < REFUSED_MOST_MS ? wait : REFUSED_MOST_MS;
		s->unwanted += number == s->relayed + 1;
		s->resend_at = now + wait + session_random(s, REFUSED_MS);
		if (s->sent >= number)
			s->sent = number - 1;
	}
}

static void
went_out(struct session *s, uint64_t seq)
{
	s->sent = seq;
	if (seq > s->given)
		s->given = seq;
	if (seq > s->most_sent)
		s->most_sent = seq;
}

/* The next own message. */
static bool
own_step(struct session *s)
{
	struct session_message m;
	uint64_t seq = s->sent + 1;
	bool acked = s->acked[seq % s->set.window];
	enum session_found found =
	    acked ? SESSION_GONE : s->hooks->find(s->from, seq, &m, s->state);

	if (found == SESSION_UNREADABLE) {
		s->resend_at = s->now + UNREAD_MS;
		return true;
	}
	if (found == SESSION_FOUND) {
		say_message(s, buf_slice(&s->self_json), seq, seq <= s->most_sent, m.payload);
		if (!s->hooks->send(m.event, buf_slice(&s->out), seq, s->state))
			return false;
		pace_spend(&s->pace, s->now, peers_cost(s));
		say_credit(s);
		went_out(s, seq);
		return true;
	}
	/* Taken already, or lost: then who misses it is told that it is gone. */
	went_out(s, seq);
	if (!acked)
		refuse(s, seq, NULL);
	settled(s, seq);
	return true;
}

static bool
own_pending(const struct session *s)
{
	return s->now >= s->quiet_until && s->sent < s->last &&
	    s->sent - s->relayed < s->set.window && s->now >= s->resend_at;
}

/* Own messages and healing by turns, as the pace allows; ms until more may go. */
static int64_t
pump(struct session *s)
{
	int64_t wait;

	for (int i = 0; i < TURN; i++) {
		bool own = own_pending(s), heal = heal_pending(s), went;

		if (!own && !heal)
			return -1;
		wait = pace_wait(&s->pace, s->now, peers_cost(s));
		if (wait)
			return wait;
		s->heal_turn = !s->heal_turn;
		went = heal && (s->heal_turn || !own) ? heal_step(s) >= 0 : own_step(s);
		if (!went) {
			s->jammed = true;
			return -1;
		}
	}
	return 0;
}

/* The listening at the start is over. */
static int64_t
listen_turn(struct session *s)
{
	int64_t left = s->up_at + SETTLE_MS - s->now, wait = -1;

	if ((s->settling || s->now < s->quiet_until) && session_answered(s))
		left = 0;
	if (s->settling) {
		if (left <= 0)
			order_settle(s);
		else
			wait = left;
	}
	if (s->now < s->quiet_until) {
		if (left <= 0)
			s->quiet_until = s->now;
		else
			wait = left;
	}
	return wait;
}

int64_t
session_turn(struct session *s, int64_t now)
{
	int64_t wait, resend;

	s->now = now;
	if (!s->up || s->stale)
		return -1;
	s->jammed = false;
	if (s->hello) {
		if (!say_hello(s))
			return JAM_MS;
		s->hello = false;
	}
	wait = listen_turn(s);
	wait = time_least(wait, want_turn(s));
	if (s->set.listener)
		return s->jammed ? time_least(wait, JAM_MS) : wait;
	if (!s->jammed)
		wait = time_least(wait, pump(s));
	wait = time_least(wait, say_turn(s));
	wait = time_least(wait, peers_wait(s));
	resend = s->resend_at > now && s->sent < s->last ? s->resend_at - now : -1;
	wait = time_least(wait, resend);
	return s->jammed ? time_least(wait, JAM_MS) : wait;
}

uint64_t
session_relayed(const struct session *s)
{
	return s->relayed;
}

uint64_t
session_confirmed(struct session *s)
{
	uint64_t least = s->relayed;

	if (!s->up || (!s->roster && s->now - s->up_at < SETTLE_MS))
		return s->confirmed;
	for (size_t i = 0; i < s->near.n; i++) {
		const struct peer *p = s->near.v[i];

		if (p->ours && peer_expected(s, p) && p->acked < least)
			least = p->acked;
	}
	/* Remembered for when nobody can be asked. */
	s->confirmed = least;
	return least;
}

uint64_t
session_dropped(const struct session *s)
{
	return s->dropped;
}
