#include "tools/collab/session_part.h"

#include "common/mem.h"

#include <stdlib.h>

/* With presence, somebody heard and not told of yet: its name is on its way. */
enum { ARRIVING_MS = 10000 };

/* An identity is NAME.RANDOM, with 26 characters of base32. */
static bool
is_identity(struct slice name)
{
	const char *at = name.ptr + name.len - 26;

	if (name.len < 28 || at[-1] != '.')
		return false;
	for (int i = 0; i < 26; i++)
		if (!((at[i] >= 'a' && at[i] <= 'z') || (at[i] >= '2' && at[i] <= '7')))
			return false;
	return true;
}

static bool
idle(const struct peer *p)
{
	return p->delivered == 0 && !p->near && p->held.at == p->held.n;
}

static void
sweep_list(struct peers *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (!idle(l->v[i]))
			l->v[n++] = l->v[i];
	l->n = n;
}

/* Forgets whom we only know by hearsay: the table is full of names that somebody made up. */
static void
sweep(struct session *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->all.n; i++) {
		struct peer *p = s->all.v[i];
		unsigned k = 0;

		for (unsigned h = 0; h < p->nholders; h++)
			if (p->holders[h].who == s->hub || !idle(p->holders[h].who))
				p->holders[k++] = p->holders[h];
		p->nholders = k;
	}
	for (size_t i = 0; i < s->njobs; i++)
		if ((s->jobs[i].of && idle(s->jobs[i].of)) || idle(s->jobs[i].to))
			s->jobs[i--] = s->jobs[--s->njobs];
	sweep_list(&s->wanting);
	sweep_list(&s->dirty);
	table_free(&s->names);
	for (size_t i = 0; i < s->all.n; i++) {
		struct peer *p = s->all.v[i];

		if (idle(p)) {
			peer_free(s, p);
			continue;
		}
		*table_put(&s->names, peer_name(p), NULL) = (uint64_t)(uintptr_t)p;
		s->all.v[n++] = p;
	}
	s->all.n = n;
}

struct peer *
peer_get(struct session *s, struct slice name, bool make)
{
	uint64_t *slot;
	struct peer *p;

	if (name.len == 0 || name.len > NAME_MAX_LEN)
		return NULL;
	slot = table_get(&s->names, name);
	if (slot)
		return (struct peer *)(uintptr_t)*slot;
	if (!make || slice_eq(name, s->from) || slice_is(name, "hub"))
		return NULL;
	if (s->all.n >= PEERS && s->was_up) {
		/* Not for every name: once a minute. */
		if (s->swept && s->now - s->swept < 60000)
			return NULL;
		s->swept = s->now + 1;
		sweep(s);
		if (s->all.n >= PEERS)
			return NULL;
	}
	p = xcalloc(1, sizeof(*p));
	p->name = xstrndup(name.ptr, name.len);
	p->len = name.len;
	p->known = !s->settling && !s->beginning;
	p->heard = -1;
	p->away = s->now;
	p->ours = is_identity(name);
	*table_put(&s->names, peer_name(p), NULL) = (uint64_t)(uintptr_t)p;
	peers_add(&s->all, p);
	return p;
}

struct slice
peer_name(const struct peer *p)
{
	return (struct slice){p->name, p->len};
}

void
peer_free(struct session *s, struct peer *p)
{
	held_back_free(&p->held, &s->held_bytes);
	free(p->name);
	free(p);
}

void
peers_add(struct peers *l, struct peer *p)
{
	l->v = xgrow(l->v, l->n, &l->cap, sizeof(struct peer *));
	l->v[l->n++] = p;
}

bool
peer_here(const struct session *s, const struct peer *p)
{
	if (p == s->hub)
		return s->up && s->history;
	if (p->present)
		return true;
	return p->heard >= 0 && s->now - p->heard < (s->presence ? ARRIVING_MS : ABSENT_MS);
}

void
peer_heard(struct session *s, struct peer *p)
{
	p->heard = s->now;
	if (p == s->hub)
		return;
	p->ours = true;
	if (p->near)
		return;
	p->near = true;
	peers_add(&s->near, p);
	say_watch(s);
}

bool
peer_expected(const struct session *s, const struct peer *p)
{
	return peer_here(s, p) || (!p->bye && s->now - p->away < RETURN_MS);
}

size_t
peers_here(struct session *s)
{
	size_t n = 0, count = 0;

	for (size_t i = 0; i < s->near.n; i++) {
		struct peer *p = s->near.v[i];
		bool here = peer_here(s, p);

		if (p->was_here && !here && !p->present)
			p->away = s->now;
		p->was_here = here;
		count += here;
		if (peer_expected(s, p))
			s->near.v[n++] = p;
		else
			p->near = false;
	}
	s->near.n = n;
	return count;
}

int64_t
peers_wait(const struct session *s)
{
	int64_t wait = -1;

	for (size_t i = 0; i < s->near.n; i++) {
		const struct peer *p = s->near.v[i];
		int64_t left = p->bye ? 0 : p->away + RETURN_MS - s->now;

		if (p->ours && p->acked < s->relayed && left > 0 && !peer_here(s, p))
			wait = time_least(wait, left);
	}
	return wait;
}

double
peers_cost(struct session *s)
{
	return 1 + (double)peers_here(s);
}

void
session_member(struct session *s, int64_t now, struct slice key, bool here)
{
	struct peer *p;

	s->now = now;
	s->presence = true;
	if (slice_eq(key, s->from)) {
		s->roster |= here;
		return;
	}
	p = peer_get(s, key, here);
	if (p == NULL || p == s->hub || p->present == here)
		return;
	p->present = here;
	if (!here) {
		p->heard = -1;
		p->away = now;
		return;
	}
	if (!p->near) {
		p->near = true;
		peers_add(&s->near, p);
	}
	/* It can be asked now for what only it has. */
	if (p->wanting)
		p->want_at = now + session_random(s, SOON_MS);
	say_watch(s);
}
