/*
 * Presence: who is on a topic, by key; a key has a meta for each channel that
 * tracks under it. Phoenix.Presence's wire form: identity is the phx_ref of a
 * meta, an update is a leave and a join whose phx_ref_prev is what left.
 *
 * What changes is noted with its person and told once a turn, as Phoenix's tracker
 * does every 1.5 s: members who come and go together are one diff.
 */
#include "tools/collab/hub_part.h"

#include "common/base64.h"
#include "common/crypto.h"
#include "common/mem.h"
#include "common/time.h"

#include <stdlib.h>
#include <strings.h>

enum {
	PENDING_MAX = 64 << 10, /* bytes of a diff that wait at most */
	REFS_LEN = 64, /* phx_ref and phx_ref_prev, as members */
	AROUND = 30,   /* :{"metas":[…]}, and a share of the message's own */
};

struct meta {
	struct meta *next; /* of its person */
	struct person *person;
	char ref[17];
	char *user; /* the tracked object, compact: to see whether it changes */
	struct buf text; /* as it is sent */
};

struct person {
	struct slice key;
	size_t cost; /* person_cost */
	struct meta *metas;
	struct buf joins, leaves; /* of the next diff: metas with commas between them */
	struct person *next_changed;
	bool changed;
};

/* Of a meta of so many bytes: its text, the user's object once more, the structs. */
static size_t
memory_cost(size_t len)
{
	return 2 * len + 512;
}

struct presences {
	struct topic *topic;
	struct table persons; /* by key */
	struct person *changed;
	size_t pending; /* bytes in joins and leaves */
	size_t bytes;	/* of all metas, with what stands around them in a state */
	struct presences *next_changed, **changed_at; /* in hub->changed; NULL: not there */
};

/* ---- persons ---- */

/* What stands around its metas, as it is sent: a key of 255 bytes is up to 1,530 of JSON. */
static size_t
person_cost(struct slice key)
{
	struct buf b = {0};
	size_t n;

	json_quote(&b, key);
	n = b.len + AROUND;
	buf_free(&b);
	return n;
}

/* What a meta of so many bytes is in the state that a new member gets: as if it had a key alone. */
static size_t
state_cost(const struct person *p, size_t len)
{
	return len + p->cost;
}

static struct person *
person_get(struct topic *t, struct slice key)
{
	struct presences *ps = t->presences;
	struct person *p;
	uint64_t *at;

	if (ps == NULL) {
		ps = t->presences = xcalloc(1, sizeof(*ps));
		ps->topic = t;
	}
	at = table_get(&ps->persons, key);
	if (at)
		return (struct person *)(uintptr_t)*at;
	p = xcalloc(1, sizeof(*p));
	p->key = (struct slice){xstrndup(key.ptr, key.len), key.len};
	p->cost = person_cost(p->key);
	*table_put(&ps->persons, p->key, NULL) = (uint64_t)(uintptr_t)p;
	return p;
}

static void
person_free(struct person *p)
{
	buf_free(&p->joins);
	buf_free(&p->leaves);
	free((char *)(uintptr_t)p->key.ptr);
	free(p);
}

static void
unlink_changed(struct presences *ps)
{
	if (ps->changed_at == NULL)
		return;
	*ps->changed_at = ps->next_changed;
	if (ps->next_changed)
		ps->next_changed->changed_at = ps->changed_at;
	ps->changed_at = NULL;
	ps->next_changed = NULL;
}

/* Metas are the channels' and are gone by now. */
void
presences_free(struct presences *ps)
{
	if (ps == NULL)
		return;
	unlink_changed(ps);
	for (size_t i = 0; i < ps->persons.size; i++)
		if (ps->persons.slots[i].hash)
			person_free((struct person *)(uintptr_t)ps->persons.slots[i].value);
	table_free(&ps->persons);
	free(ps);
}

/* ---- diffs ---- */

static void
note_change(struct topic *t, struct person *p, struct buf *list, struct slice meta)
{
	struct presences *ps = t->presences;
	struct hub *hub = t->hub;

	ps->pending += meta.len + (list->len ? 1 : p->cost);
	if (list->len)
		buf_addc(list, ',');
	buf_addslice(list, meta);
	if (!p->changed) {
		p->changed = true;
		p->next_changed = ps->changed;
		ps->changed = p;
	}
	if (ps->changed_at == NULL) {
		ps->changed_at = &hub->changed;
		ps->next_changed = hub->changed;
		if (hub->changed)
			hub->changed->changed_at = &ps->next_changed;
		hub->changed = ps;
	}
}

/* "key":{"metas":[…]} with a comma where it is not the first. */
static void
put_person(struct buf *b, struct slice key, struct slice metas)
{
	json_name_slice(b, key);
	buf_adds(b, "{\"metas\":[");
	buf_addslice(b, metas);
	buf_adds(b, "]}");
}

static void
put_changes(struct buf *b, const struct presences *ps, bool joins)
{
	buf_addc(b, '{');
	for (struct person *p = ps->changed; p; p = p->next_changed) {
		const struct buf *list = joins ? &p->joins : &p->leaves;

		if (list->len)
			put_person(b, p->key, buf_slice(list));
	}
	buf_addc(b, '}');
}

/* Back to nothing that waits; who has no meta left is forgotten. */
static void
forget_changes(struct presences *ps)
{
	struct person *p, *next;

	for (p = ps->changed; p; p = next) {
		next = p->next_changed;
		p->changed = false;
		p->next_changed = NULL;
		buf_free(&p->joins);
		buf_free(&p->leaves);
		if (p->metas == NULL) {
			table_drop(&ps->persons, p->key);
			person_free(p);
		}
	}
	ps->changed = NULL;
	ps->pending = 0;
	unlink_changed(ps);
}

/* The diff of one topic that waits, now. */
static void
flush(struct topic *t)
{
	struct presences *ps = t->presences;
	struct buf b = {0};

	if (ps == NULL || ps->changed == NULL)
		return;
	/* Not while all are leaving: they know. */
	if (!t->hub->draining && t->channels) {
		buf_adds(&b, "{\"joins\":");
		put_changes(&b, ps, true);
		buf_adds(&b, ",\"leaves\":");
		put_changes(&b, ps, false);
		buf_addc(&b, '}');
		topic_tell(t, "presence_diff", buf_slice(&b));
		buf_free(&b);
	}
	forget_changes(ps);
}

void
presence_turn(struct hub *hub)
{
	while (hub->changed)
		flush(hub->changed->topic);
}

/* ---- metas ---- */

static void
meta_free(struct channel *ch)
{
	struct meta *m = ch->metas, **at = &m->person->metas;

	while (*at != m)
		at = &(*at)->next;
	*at = m->next;
	ch->conn->hub->presence_bytes -= memory_cost(m->text.len);
	ch->topic->presences->bytes -= state_cost(m->person, m->text.len);
	ch->metas = NULL;
	free(m->user);
	buf_free(&m->text);
	free(m);
}

void
presence_gone(struct channel *ch)
{
	struct topic *t = ch->topic;
	struct meta *m = ch->metas;
	struct person *p;

	if (m == NULL)
		return;
	p = m->person;
	note_change(t, p, &p->leaves, buf_slice(&m->text));
	meta_free(ch);
	if (t->presences->pending > PENDING_MAX)
		flush(t);
}

/* {"phx_ref":…[,"phx_ref_prev":…], what the user tracks}; the refs are ours alone to say. */
static void
meta_text(struct meta *m, const char *prev, struct slice user)
{
	struct buf own = {0};

	buf_addslice(&own, user);
	json_drop(&own, "phx_ref");
	json_drop(&own, "phx_ref_prev");
	json_open(&m->text, '{');
	json_add(&m->text, "phx_ref", slice(m->ref));
	if (prev)
		json_add(&m->text, "phx_ref_prev", slice(prev));
	if (own.len > 2)
		buf_addc(&m->text, ',');
	buf_add(&m->text, own.ptr + 1, own.len - 1);
	buf_free(&own);
}

static void
make_ref(char ref[17])
{
	char bytes[12];
	struct buf text = {0};

	crypto_random(bytes, sizeof(bytes));
	base64url_put(&text, (struct slice){bytes, sizeof(bytes)});
	memcpy(ref, text.ptr, 17);
	buf_free(&text);
}

/* A version 4 UUID (RFC 9562), for who joins without a key. */
static char *
make_key(void)
{
	unsigned char bytes[16];
	struct buf hex = {0}, text = {0};

	crypto_random(bytes, sizeof(bytes));
	bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
	bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
	crypto_hex(&hex, bytes, sizeof(bytes));
	buf_addf(&text, "%.8s-%.4s-%.4s-%.4s-%.12s", hex.ptr, hex.ptr + 8, hex.ptr + 12,
	    hex.ptr + 16, hex.ptr + 20);
	buf_free(&hex);
	return buf_detach(&text);
}

/* user: a compact object. */
static void
track(struct channel *ch, struct slice user)
{
	struct topic *t = ch->topic;
	struct meta *m = xcalloc(1, sizeof(*m)), *old = ch->metas;
	struct person *p = person_get(t, slice(ch->presence_key));

	make_ref(m->ref);
	meta_text(m, old ? old->ref : NULL, user);
	m->user = xstrndup(user.ptr, user.len);
	m->person = p;
	if (old) {
		note_change(t, p, &p->leaves, buf_slice(&old->text));
		meta_free(ch);
	}
	note_change(t, p, &p->joins, buf_slice(&m->text));
	m->next = p->metas;
	p->metas = m;
	ch->metas = m;
	ch->conn->hub->presence_bytes += memory_cost(m->text.len);
	t->presences->bytes += state_cost(p, m->text.len);
	if (t->presences->pending > PENDING_MAX)
		flush(t);
}

/* ---- calls ---- */

void
presence_state(struct channel *ch)
{
	const struct presences *ps = ch->topic->presences;
	struct buf state = {0}, metas = {0};

	buf_addc(&state, '{');
	for (size_t i = 0; ps && i < ps->persons.size; i++) {
		const struct table_slot *slot = &ps->persons.slots[i];
		const struct person *p = (struct person *)(uintptr_t)slot->value;

		if (slot->hash == 0 || p->metas == NULL)
			continue;
		buf_reset(&metas);
		for (const struct meta *m = p->metas; m; m = m->next) {
			if (metas.len)
				buf_addc(&metas, ',');
			buf_addslice(&metas, buf_slice(&m->text));
		}
		put_person(&state, p->key, buf_slice(&metas));
	}
	buf_addc(&state, '}');
	conn_push(ch, "presence_state", buf_slice(&state));
	buf_free(&state);
	buf_free(&metas);
}

/*
 * Whether its meta may become len bytes long. All of a topic is one message to who joins,
 * who must be able to take it: it may fill half of a queue.
 */
static bool
has_room(const struct channel *ch, size_t len)
{
	const struct hub *hub = ch->conn->hub;
	const struct hub_settings *s = &hub->settings;
	const struct presences *ps = ch->topic->presences;
	size_t all = hub->presence_bytes + memory_cost(len);
	size_t here = len + (ps ? ps->bytes : 0) + person_cost(slice(ch->presence_key));

	if (ch->metas) {
		all -= memory_cost(ch->metas->text.len);
		here -= state_cost(ch->metas->person, ch->metas->text.len);
	}
	return (s->max_memory == 0 || all <= s->max_memory / MEMORY_PRESENCE) &&
	    (s->max_queue == 0 || here <= s->max_queue / 2);
}

static void
call_track(struct channel *ch, const struct frame *f)
{
	struct buf user = {0};
	struct slice payload = S("{}");
	struct hub *hub = ch->conn->hub;
	bool first = !ch->presence;

	json_get(f->payload, "payload", &payload);
	if (json_type(payload) != JSON_OBJECT) {
		channel_reply(ch, f, false,
		    S("{\"reason\":\"Presence track payload must be a map\"}"));
		return;
	}
	json_compact(payload, &user);
	if (hub->settings.max_payload && user.len > hub->settings.max_payload) {
		hub->metrics.too_large++;
		conn_capped(ch->conn, CAP_PAYLOAD);
		channel_end(ch, "Track message size exceeded");
		buf_free(&user);
		return;
	}
	if (ch->presence_key == NULL)
		ch->presence_key = make_key();
	if (!has_room(ch, user.len + REFS_LEN)) {
		hub->metrics.too_large++;
		conn_capped(ch->conn, CAP_TRACKED);
		channel_reply(ch, f, false,
		    S("{\"reason\":\"Presence is full: too much is tracked here\"}"));
		buf_free(&user);
		return;
	}
	channel_reply(ch, f, true, S("{}"));
	if (ch->metas == NULL || !slice_is(buf_slice(&user), ch->metas->user))
		track(ch, buf_slice(&user));
	/* Who tracks wants to know the others, too: so Supabase. */
	ch->presence = true;
	if (first)
		presence_state(ch);
	buf_free(&user);
}

void
presence_call(struct channel *ch, const struct frame *f)
{
	struct hub *hub = ch->conn->hub;
	struct buf event = {0};

	hub->metrics.presence_calls++;
	if (!limit_take(&ch->presence_calls, hub->settings.max_presence_rate, time_ms())) {
		hub->metrics.over_rate++;
		conn_capped(ch->conn, CAP_PRESENCE_RATE);
		channel_end(ch, "Client presence rate limit exceeded");
		return;
	}
	if (json_type(f->payload) != JSON_OBJECT ||
	    !json_get_text(f->payload, "event", &event)) {
		channel_reply(ch, f, true, S("{}"));
	} else if (strcasecmp(event.ptr, "untrack") == 0) {
		channel_reply(ch, f, true, S("{}"));
		presence_gone(ch);
	} else if (strcasecmp(event.ptr, "track") == 0 &&
	    (!ch->topic->private || ch->may_write)) {
		call_track(ch, f);
	} else {
		channel_reply(ch, f, false, S("{}"));
	}
	buf_free(&event);
}
