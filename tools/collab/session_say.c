#include "tools/collab/session_part.h"

enum {
	OVERDUE_MS = 10000, /* then have and ask no longer wait for messages */
	FORCED_MS = 500,    /* newcomers are answered at once, but not each by itself */
	ASK_MS = 1000,	    /* who has not acknowledged for so long is asked */
	ASK_MOST_MS = 60000,
	ASKED = 8,	    /* of one have */
	GREETED = 256,	    /* likewise: names that are read of one */
	ENTRY = 24,	    /* bytes of an entry besides its name, at most */
	TAIL = 64,	    /* of what may follow it: "hello":[ and ],"have":{},"more":true,"bye":true} */
	QUOTA = 10000,	    /* deliveries a second, where none is set */
	ACK_MOST_MS = 120000,
};
static const double IDLE_SHARE = 0.03, TRAFFIC_SHARE = 0.07;

void
say_message(struct session *s, struct slice from_json, uint64_t seq, bool again,
    struct slice payload)
{
	buf_reset(&s->out);
	buf_adds(&s->out, "{\"kandil\":1,\"from\":");
	buf_addslice(&s->out, from_json);
	buf_addf(&s->out, ",\"seq\":%llu,%s\"payload\":", (unsigned long long)seq,
	    again ? "\"again\":true," : "");
	buf_addslice(&s->out, payload);
	buf_addc(&s->out, '}');
}

size_t
session_overhead(struct slice self)
{
	struct buf b = {0};
	size_t n;

	json_quote(&b, self);
	n = b.len + sizeof("{\"kandil\":1,\"from\":,\"seq\":9007199254740992,\"again\":true,"
			   "\"payload\":}") - 1;
	buf_free(&b);
	return n;
}

void
say_begin(struct session *s, const char *type)
{
	buf_reset(&s->out);
	json_open(&s->out, '{');
	json_add_long(&s->out, "kandil", 1);
	json_add_raw(&s->out, "from", buf_slice(&s->self_json));
	json_add(&s->out, "type", slice(type));
}

bool
say_send(struct session *s)
{
	if (!s->hooks->send(S("kandil"), buf_slice(&s->out), 0, s->state))
		return false;
	pace_spend(&s->pace, s->now, peers_cost(s));
	pace_taken(&s->pace, s->now); /* as far as is known: nobody tells */
	return true;
}

void
say_dirty(struct session *s, struct peer *p)
{
	if (p->dirty || p == s->hub)
		return;
	p->dirty = true;
	peers_add(&s->dirty, p);
}

void
say_soon(struct session *s, int64_t delay)
{
	if (s->have_at < 0)
		s->have_due = s->now + delay;
	if (s->have_at < 0 || s->have_at > s->now + delay)
		s->have_at = s->now + delay;
}

void
session_stored(struct session *s, int64_t now)
{
	bool changed = false;

	s->now = now;
	for (size_t i = 0; i < s->dirty.n; i++) {
		struct peer *p = s->dirty.v[i];

		changed |= p->stored != p->delivered;
		p->stored = p->delivered;
	}
	if (changed)
		say_soon(s, SOON_MS / 2 + session_random(s, SOON_MS));
}

/* Whether there is room for one more name. It may grow sixfold by escapes. */
static bool
fits(const struct session *s, const struct peer *p)
{
	return s->out.len + 6 * p->len + ENTRY + TAIL <= s->set.max_payload;
}

/*
 * As many of the list's entries from *i on as there is room for, into "have". told: they need
 * not be said again, unless more of them is delivered than stored.
 */
static void
write_have(struct session *s, struct peers *list, size_t *i, bool told)
{
	json_name(&s->out, "have");
	json_open(&s->out, '{');
	for (; *i < list->n; ++*i) {
		struct peer *p = list->v[*i];

		if (told)
			p->dirty = p->stored != p->delivered;
		if (p->stored == 0)
			continue;
		if (!fits(s, p))
			break;
		json_name_slice(&s->out, peer_name(p));
		json_put_long(&s->out, (long long)p->stored);
	}
	json_close(&s->out, '}');
	if (*i < list->n)
		json_name(&s->out, "more"), json_put_bool(&s->out, true);
}

bool
say_hello(struct session *s)
{
	size_t i = 0;

	say_begin(s, "hello");
	json_name(&s->out, "new");
	json_put_bool(&s->out, s->settling);
	json_add_long(&s->out, "last", (long long)s->given);
	write_have(s, &s->all, &i, false);
	json_close(&s->out, '}');
	if (!say_send(s))
		return false;
	s->hello_at = s->now;
	s->hub->answered = false;
	for (size_t k = 0; k < s->near.n; k++)
		s->near.v[k]->answered = false;
	while (i < s->all.n) {
		say_begin(s, "have");
		json_add_long(&s->out, "last", (long long)s->given);
		write_have(s, &s->all, &i, false);
		json_close(&s->out, '}');
		/* What does not go now is said when somebody asks. */
		if (!say_send(s))
			break;
	}
	return true;
}

void
say_watch(struct session *s)
{
	if (s->ask_at >= 0)
		return;
	s->ask_wait = ASK_MS;
	s->ask_at = s->now + s->ask_wait;
	s->ask_mark = s->relayed;
}

static bool
lags(const struct session *s, const struct peer *p)
{
	return p->ours && peer_here(s, p) && p->acked < s->ask_mark;
}

/* Who is asked now: names into "ask", as many as there is room for. */
static void
write_ask(struct session *s)
{
	size_t n = 0, start = s->near.n ? (size_t)session_random(s, (int64_t)s->near.n) : 0;

	json_name(&s->out, "ask");
	json_open(&s->out, '[');
	for (size_t i = 0; i < s->near.n && n < ASKED; i++) {
		struct peer *p = s->near.v[(start + i) % s->near.n];

		if (lags(s, p) && fits(s, p)) {
			json_put(&s->out, peer_name(p));
			n++;
		}
	}
	json_close(&s->out, ']');
}

/* Whose hello it is the answer to, from *i on, as many as there is room for. */
static void
write_greeted(struct session *s, size_t *i)
{
	size_t n = 0;

	for (; *i < s->near.n; ++*i) {
		struct peer *p = s->near.v[*i];

		if (!p->greeted)
			continue;
		if (n == GREETED || !fits(s, p))
			break;
		if (n++ == 0) {
			json_name(&s->out, "hello");
			json_open(&s->out, '[');
		}
		json_put(&s->out, peer_name(p));
	}
	if (n)
		json_close(&s->out, ']');
}

/* What is asked comes first, and whom it answers last, in messages of their own if need be. */
static bool
write_haves(struct session *s, bool ask)
{
	size_t entry = 0, name = 0;

	peers_here(s); /* the list of those near stays as it is, until time goes on */
	do {
		say_begin(s, "have");
		json_add_long(&s->out, "last", (long long)s->given);
		if (ask)
			write_ask(s);
		ask = false;
		write_have(s, &s->dirty, &entry, true);
		if (entry == s->dirty.n)
			write_greeted(s, &name);
		if (s->leaving && name == s->near.n && entry == s->dirty.n)
			json_name(&s->out, "bye"), json_put_bool(&s->out, true);
		json_close(&s->out, '}');
		if (!say_send(s))
			return false;
	} while (entry < s->dirty.n || name < s->near.n);
	/* They have been answered: it is on its way. */
	for (size_t i = 0; i < s->near.n; i++)
		s->near.v[i]->greeted = false;
	return true;
}

/*
 * What acknowledgements may cost: a share of the quota, and a share of what the messages
 * cost, together a tenth of the quota at most; saved up, so that the first ones after a silence
 * go at once. Every member has the same thought, so each counts a have n times.
 */
static void
ack_refill(struct session *s)
{
	double n = peers_cost(s), quota = s->set.rate > 0 ? s->set.rate : QUOTA;
	double most = 4 * n * n > quota / 2 ? 4 * n * n : quota / 2;

	s->ack_level += quota * IDLE_SHARE * (double)(s->now - s->ack_at) / 1000;
	s->ack_at = s->now;
	if (s->ack_level > most)
		s->ack_level = most;
}

void
say_credit(struct session *s)
{
	s->ack_level += TRAFFIC_SHARE * peers_cost(s);
}

static int64_t
ack_wait(struct session *s)
{
	double n = peers_cost(s), quota = s->set.rate > 0 ? s->set.rate : QUOTA, lacks, ms;

	ack_refill(s);
	lacks = n * n - s->ack_level;
	if (lacks <= 1e-6)
		return 0;
	ms = lacks / (quota * IDLE_SHARE) * 1000;
	return ms < ACK_MOST_MS ? (int64_t)ms + 1 : ACK_MOST_MS;
}

static void
say_have(struct session *s, bool ask)
{
	double n = peers_cost(s);
	size_t kept = 0;

	if (!write_haves(s, ask)) {
		s->jammed = true;
		for (size_t i = 0; i < s->dirty.n; i++)
			s->dirty.v[i]->dirty = true;
		return;
	}
	for (size_t i = 0; i < s->dirty.n; i++)
		if (s->dirty.v[i]->dirty)
			s->dirty.v[kept++] = s->dirty.v[i];
	s->dirty.n = kept;
	s->have_at = -1;
	s->have_now = false;
	ack_refill(s);
	s->ack_level -= n * n;
}

/* Without regard to the quota: it is the last, and saves the others a wait. */
void
say_bye(struct session *s)
{
	s->leaving = true;
	write_haves(s, false);
}

/* It is time to ask, and somebody is behind the mark. */
static bool
ask_due(const struct session *s)
{
	bool behind = false;

	if (s->ask_at < 0 || s->now < s->ask_at)
		return false;
	for (size_t i = 0; i < s->near.n; i++)
		behind |= lags(s, s->near.v[i]);
	return behind;
}

static void
say_ask(struct session *s)
{
	say_have(s, true);
	s->ask_wait = s->ask_wait * 2 < ASK_MOST_MS ? s->ask_wait * 2 : ASK_MOST_MS;
	s->ask_at = s->now + s->ask_wait;
}

/* Who is behind the mark is asked; who catches up moves the mark. */
static int64_t
ask_turn(struct session *s)
{
	int64_t wait, late = s->ask_at + OVERDUE_MS - s->now;

	if (s->ask_at < 0)
		return -1;
	if (s->now < s->ask_at)
		return s->ask_at - s->now;
	if (ask_due(s)) {
		/* A question and its answers are acknowledgements, too: as rare as those. */
		wait = ack_wait(s);
		if (wait && s->now - s->ask_at < ACK_MOST_MS)
			return wait;
		wait = pace_wait(&s->pace, s->now, peers_cost(s));
		if (wait && late > 0)
			return time_least(wait, late);
		say_ask(s);
		return s->ask_at - s->now;
	}
	s->ask_at = -1;
	if (s->ask_mark < s->relayed) {
		say_watch(s);
		/* Acknowledgements are as rare as the quota wants them. */
		s->ask_at += 3 * ack_wait(s);
	}
	return s->ask_at < 0 ? -1 : s->ask_at - s->now;
}

/* Until have may go: ms, 0: now. */
static int64_t
have_wait(struct session *s)
{
	double n = peers_cost(s);
	int64_t wait, late = s->have_due + OVERDUE_MS - s->now;

	if (s->now < s->have_at)
		return s->have_at - s->now;
	if (s->have_now && s->now - s->have_forced >= FORCED_MS) {
		s->have_forced = s->now;
		return 0;
	}
	wait = ack_wait(s);
	if (wait && s->now - s->have_due < ACK_MOST_MS)
		return wait;
	wait = pace_wait(&s->pace, s->now, n);
	return late <= 0 || wait == 0 ? 0 : time_least(wait, late);
}

int64_t
say_turn(struct session *s)
{
	int64_t wait = -1, ask;

	if (s->jammed)
		return -1;
	if (s->have_at >= 0) {
		wait = have_wait(s);
		if (wait == 0) {
			if (ask_due(s))
				say_ask(s);
			else
				say_have(s, false);
			wait = -1;
		}
	}
	ask = s->jammed ? -1 : ask_turn(s);
	return time_least(wait, ask);
}
