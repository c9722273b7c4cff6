#include "tools/collab/session_part.h"

/* The members that ours have, as they stand: raw, empty when absent. */
struct envelope {
	struct slice kandil, from, seq, again, payload;
	struct slice type, to, of, first, last, have, more, new, ask, hello, bye;
};

static bool
take_apart(struct slice object, struct envelope *e)
{
	const struct {
		const char *name;
		struct slice *into;
	} members[] = {{"kandil", &e->kandil}, {"from", &e->from}, {"seq", &e->seq},
	    {"again", &e->again}, {"payload", &e->payload}, {"type", &e->type}, {"to", &e->to},
	    {"of", &e->of}, {"first", &e->first}, {"last", &e->last}, {"have", &e->have},
	    {"more", &e->more}, {"new", &e->new}, {"ask", &e->ask},
	    {"hello", &e->hello}, {"bye", &e->bye}};
	struct json_walk walk;
	struct slice key, value;
	long long version;

	*e = (struct envelope){0};
	if (json_type(object) != JSON_OBJECT)
		return false;
	walk = json_walk(object);
	while (json_member(&walk, &key, &value))
		for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
			if (json_is(key, members[i].name))
				*members[i].into = value;
	return e->kandil.len && json_long(e->kandil, &version) && version == 1;
}

/* A number of messages, from least on; false: it is none that we take. */
static bool
number(struct slice value, uint64_t least, uint64_t *out)
{
	long long n;

	if (value.len == 0 || !json_long(value, &n) || n < (long long)least ||
	    (uint64_t)n > SEQ_MAX)
		return false;
	*out = (uint64_t)n;
	return true;
}

/* Decoded, in s->text; empty: it is no name. */
static struct slice
name(struct session *s, struct slice value)
{
	buf_reset(&s->text);
	if (value.len == 0 || !json_text(value, &s->text) || s->text.len > NAME_MAX_LEN)
		buf_reset(&s->text);
	return buf_slice(&s->text);
}

static bool
is_true(struct slice value)
{
	return value.len && json_type(value) == JSON_TRUE;
}

/* The relay's own history speaks under its own name. */
static struct peer *
who(struct session *s, struct slice value, bool make)
{
	struct slice text = name(s, value);

	if (slice_is(text, "hub"))
		return s->history ? s->hub : NULL;
	return peer_get(s, text, make);
}

static void
heard_message(struct session *s, const struct envelope *e, struct slice event, uint64_t seq)
{
	struct slice text = name(s, e->from);
	bool again = is_true(e->again);
	struct peer *p;

	if (slice_eq(text, s->from)) {
		session_check_own(s, seq);
		return;
	}
	p = peer_get(s, text, true);
	if (p == NULL)
		return;
	if (again)
		s->again_at = s->now;
	else
		peer_heard(s, p);
	order_take(s, p, seq, event, e->payload, again);
}

/* One entry of a member's have: it has n of x. */
static void
heard_entry(struct session *s, struct peer *p, struct peer *x, uint64_t n, bool hello)
{
	bool counts = p != s->hub || s->set.newcomer != SESSION_ALL_ALONE;

	/* A member may be behind of what was said before we came: no word of it is a beginning. */
	if (!x->known && s->beginning) {
		if (p == s->hub)
			order_begin(s, x, n);
		return;
	}
	if (!x->known && counts && n > x->base_have)
		x->base_have = n;
	if (n > x->delivered) {
		want_holder(s, x, p, n);
		want_note(s, x, SOON_MS / 4 + session_random(s, SOON_MS));
	}
	if (hello && n < x->stored)
		say_dirty(s, x);
	x->mark = s->epoch;
}

static void
heard_map(struct session *s, struct peer *p, const struct envelope *e, bool hello)
{
	struct json_walk walk = json_walk(e->have);
	struct slice key, value, text;
	bool self = false;
	struct peer *x;
	uint64_t n;

	s->epoch++;
	while (json_member(&walk, &key, &value)) {
		if (!number(value, 0, &n))
			continue;
		text = name(s, key);
		if (slice_eq(text, s->from)) {
			session_check_own(s, n);
			self = true;
			p->acked = n;
			continue;
		}
		x = peer_get(s, text, n > 0);
		if (x && x != p)
			heard_entry(s, p, x, n, hello);
	}
	if (!hello)
		return;
	if (!self && !is_true(e->more))
		p->acked = 0;
	p->mark = s->epoch;
	/* What it does not speak of, it does not have. */
	for (size_t i = 0; i < s->all.n; i++)
		if (s->all.v[i]->mark != s->epoch && s->all.v[i]->stored)
			say_dirty(s, s->all.v[i]);
}

/* The sender's own word about its numbers. */
static void
heard_last(struct session *s, struct peer *p, uint64_t last)
{
	p->last = last;
	if (!p->known && s->beginning)
		order_begin(s, p, last);
	else if (!p->known && last > p->base_have)
		p->base_have = last;
	/* Numbers that it has not used were put into its mouth by somebody else. */
	held_back_drop_from(&p->held, last + 1, &s->held_bytes);
	if (last > p->delivered)
		want_note(s, p, SOON_MS / 4 + session_random(s, SOON_MS / 2));
}

static bool
names_us(struct session *s, struct slice list)
{
	struct json_walk walk = json_walk(list);
	struct slice element;

	if (list.len == 0)
		return false;
	for (int i = 0; i < 256 && json_element(&walk, &element); i++)
		if (slice_eq(name(s, element), s->from))
			return true;
	return false;
}

static void
heard_have(struct session *s, struct peer *p, const struct envelope *e, bool hello)
{
	uint64_t last;

	if (p != s->hub && number(e->last, 0, &last)) {
		/* It has been further than it knows: it must hear of that before it goes on. */
		if (hello && last < p->stored)
			s->have_now = true;
		heard_last(s, p, last);
	}
	if (e->have.len)
		heard_map(s, p, e, hello);
	/* Who came after our hello did not hear it, and says all that it has by its own. */
	p->answered |= p == s->hub || hello ? !is_true(e->more) : names_us(s, e->hello);
	p->greeted |= hello;
	p->bye = is_true(e->bye);
	if (p->acked < s->relayed)
		say_watch(s);
	if (hello || names_us(s, e->ask)) {
		say_dirty(s, p);
		say_soon(s, SOON_MS / 10 + session_random(s, SOON_MS / 2));
	}
	if (hello && is_true(e->new))
		s->have_now = true;
}

static void
heard_control(struct session *s, const struct envelope *e)
{
	struct peer *p = who(s, e->from, true), *of, *to;
	uint64_t first, last;
	bool ours;

	if (p == NULL)
		return;
	peer_heard(s, p);
	if (e->type.len == 0)
		return;
	if (json_is(e->type, "hello") || json_is(e->type, "have")) {
		heard_have(s, p, e, json_is(e->type, "hello"));
		return;
	}
	if (!number(e->first, 1, &first) || !number(e->last, first, &last))
		return;
	ours = slice_eq(name(s, e->of), s->from);
	of = ours ? NULL : who(s, e->of, false);
	if ((!ours && of == NULL) || of == s->hub)
		return;
	if (json_is(e->type, "want")) {
		to = p;
		if (slice_eq(name(s, e->to), s->from))
			heal_add(s, of, to, first, last);
		else if (of)
			want_overheard(s, of, first, last);
	} else if (json_is(e->type, "gone") && of) {
		if (p == s->hub)
			s->again_at = s->now;
		/* Whoever asked for it, nobody else can get it from there either. */
		want_gone(s, of, p, first, last);
	}
}

void
session_heard(struct session *s, int64_t now, struct slice event, struct slice payload)
{
	struct envelope e;
	uint64_t seq;
	bool ours;

	s->now = now;
	pace_heard(&s->pace, now, peers_cost(s));
	ours = take_apart(payload, &e);
	if (slice_is(event, "kandil")) {
		if (ours)
			heard_control(s, &e);
		return;
	}
	say_credit(s);
	if (!ours) {
		order_foreign(s, event, payload);
		return;
	}
	/* One of ours that we cannot place is nobody's. */
	if (number(e.seq, 1, &seq) && e.payload.len && e.from.len)
		heard_message(s, &e, event, seq);
}
