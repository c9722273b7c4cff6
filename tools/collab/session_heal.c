#include "tools/collab/session_part.h"

enum {
	LINGER_MS = 500, /* two who want the same at the same time get one answer */
	LOOK = 256,	 /* numbers looked for in one step */
};

/*
 * Ours: what has gone out since we are up. What has not, or has to go again, waits for its turn:
 * while we listen whether our disk is an old copy, its number may be another line's.
 */
static uint64_t
stored_of(const struct session *s, const struct peer *of)
{
	return of ? of->stored : s->given;
}

static struct slice
name_of(const struct session *s, const struct peer *of)
{
	return of ? peer_name(of) : s->from;
}

static void
expire(struct session *s)
{
	for (size_t i = 0; i < s->njobs; i++)
		if (s->jobs[i].done && s->now - s->jobs[i].touched > LINGER_MS)
			s->jobs[i--] = s->jobs[--s->njobs];
}

/* Part of it is being sent, or was a moment ago: true when nothing is left to do. */
static bool
covered(struct session *s, const struct peer *of, uint64_t *first, uint64_t last)
{
	for (size_t i = 0; i < s->njobs; i++) {
		struct job *j = &s->jobs[i];

		if (j->of != of || *first < j->first || *first > j->last)
			continue;
		if (j->done) {
			*first = j->next;
			continue;
		}
		if (last > j->last)
			j->last = last;
		j->left = s->set.window;
		return true;
	}
	return *first > last;
}

void
heal_add(struct session *s, struct peer *of, struct peer *to, uint64_t first, uint64_t last)
{
	uint64_t stored = stored_of(s, of);

	if (s->set.listener)
		return;
	if (of == NULL && first > stored) {
		/* What we never wrote, or goes by itself: our have says so. */
		say_dirty(s, to);
		say_soon(s, SOON_MS);
		return;
	}
	if (last > stored)
		last = stored;
	expire(s);
	if (first > last || covered(s, of, &first, last) || s->njobs == JOBS)
		return;
	s->jobs[s->njobs++] = (struct job){.of = of, .to = to, .first = first, .next = first,
	    .last = last, .left = s->set.window, .touched = s->now};
}

bool
heal_pending(const struct session *s)
{
	for (size_t i = 0; i < s->njobs; i++)
		if (!s->jobs[i].done)
			return true;
	return false;
}

static bool
say_gone(struct session *s, const struct job *j, uint64_t last)
{
	say_begin(s, "gone");
	json_add(&s->out, "to", peer_name(j->to));
	json_add(&s->out, "of", name_of(s, j->of));
	json_add_long(&s->out, "first", (long long)j->next);
	json_add_long(&s->out, "last", (long long)last);
	json_close(&s->out, '}');
	return say_send(s);
}

static enum session_found
look(struct session *s, const struct job *j, uint64_t seq, struct session_message *m)
{
	if (j->of == NULL && session_refused(s, seq))
		return SESSION_GONE;
	return s->hooks->find(name_of(s, j->of), seq, m, s->state);
}

/* From next on: how far nothing is kept; next - 1: next is, or may be, as *found says. */
static uint64_t
missing(struct session *s, const struct job *j, struct session_message *m,
    enum session_found *found)
{
	uint64_t kept = s->hooks->kept(name_of(s, j->of), s->state), seq = j->next;

	if (kept == 0 || kept > j->last)
		return j->last;
	if (kept > j->next)
		return kept - 1;
	while (seq <= j->last && seq - j->next < LOOK &&
	    (*found = look(s, j, seq, m)) == SESSION_GONE)
		seq++;
	return seq - 1;
}

static bool
resend(struct session *s, const struct job *j, const struct session_message *m)
{
	struct slice json = buf_slice(&s->self_json);
	bool sent;

	if (j->of) {
		buf_reset(&s->other);
		json_quote(&s->other, peer_name(j->of));
		json = buf_slice(&s->other);
	}
	say_message(s, json, m->seq, true, m->payload);
	sent = s->hooks->send(m->event, buf_slice(&s->out), j->of ? 0 : m->seq, s->state);
	if (!sent)
		return false;
	pace_spend(&s->pace, s->now, peers_cost(s));
	if (j->of)
		pace_taken(&s->pace, s->now); /* as far as is known: nobody tells */
	return true;
}

int
heal_step(struct session *s)
{
	struct session_message m;
	struct job *j = NULL;
	enum session_found found = SESSION_GONE;
	uint64_t gone;

	for (size_t i = 0; i < s->njobs && j == NULL; i++) {
		s->next_job = (s->next_job + 1) % s->njobs;
		if (!s->jobs[s->next_job].done)
			j = &s->jobs[s->next_job];
	}
	if (j == NULL)
		return 0;
	gone = missing(s, j, &m, &found);
	if (gone >= j->next) {
		if (!say_gone(s, j, gone))
			return -1;
		j->next = gone + 1;
	} else if (found == SESSION_UNREADABLE) {
		/* Neither here nor gone, as far as is known: who lacks it asks again. */
		j->next++;
	} else {
		if (!resend(s, j, &m))
			return -1;
		j->next++;
		j->left--;
	}
	j->touched = s->now;
	j->done = j->next > j->last || j->left == 0;
	return 1;
}
