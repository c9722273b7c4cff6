#include "tools/collab/party_part.h"

#include "common/crypto.h"
#include "common/mem.h"
#include "common/time.h"
#include "tools/collab/keyfile.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	HOSTED_RATE = 80, /* supabase.co's free plan has 100 */
	LEAVE_MS = 1000,
	FULL_MS = 1000,   /* a full disk is tried again */
};

/* ---- opening ---- */

/* The user's name, where no other is given. */
static void
find_name(struct party *p)
{
	static const char *const names[] = {"LOGNAME", "USER"};
	const char *name = p->set.settings->as;
	struct passwd *user;

	for (size_t i = 0; (name == NULL || *name == '\0') && i < 2; i++)
		name = getenv(names[i]);
	if ((name == NULL || *name == '\0') && (user = getpwuid(getuid())) != NULL)
		name = user->pw_name;
	buf_adds(&p->name, name && *name ? name : "me");
}

static void
open_place(struct party *p, struct err *e)
{
	struct place_settings place = {.url = p->where.url, .folder = p->set.settings->state_dir};

	find_name(p);
	/* A byte that no topic has. */
	buf_adds(&p->topic, p->set.topic);
	if (p->set.settings->private_topic)
		buf_adds(&p->topic, "\xff" "private");
	place.topic = buf_slice(&p->topic);
	place.name = buf_slice(&p->name);
	if (place_open(&p->place, &place, e) == 0)
		return;
	if (strcmp(e->code, "in_use") == 0)
		die(STATUS_USAGE, "%s: --as=NAME is somebody else", e->text);
	if (strcmp(e->code, "bad_name") == 0 || strcmp(e->code, "bad_url") == 0)
		die(STATUS_USAGE, "%s", e->text);
	die(STATUS_FAILED, "%s", e->text);
}

static const struct session_hooks session_hooks;

/* Whether nobody can know this identity. */
static bool
is_fresh(const struct party *p)
{
	return p->place.renewed || (p->last == 0 && !place_mark(&p->place, PLACE_BASELINE) &&
				       !place_mark(&p->place, PLACE_RELAYED));
}

static enum session_newcomer
newcomer(const struct party *p)
{
	if (place_mark(&p->place, PLACE_BASELINE))
		return SESSION_KNOWN;
	if (p->set.settings->since != 0)
		return SESSION_ALL;
	return p->set.all_alone ? SESSION_ALL_ALONE : SESSION_NOW;
}

static void
open_session(struct party *p)
{
	const struct settings *set = p->set.settings;
	struct session_settings session = {
	    .self = party_self(p),
	    .listener = p->set.listen,
	    .fresh = is_fresh(p),
	    .newcomer = newcomer(p),
	    .rate = set->rate > 0 ? set->rate : where_is_hosted(p->where.url) ? HOSTED_RATE : 0,
	    .max_payload = p->max_payload,
	    .hub_patience_ms = p->set.hub_patience_ms,
	    .hooks = &session_hooks,
	    .state = p,
	};
	struct journal_sender sender;
	size_t known = 0;

	/* Whom we have heard, we have been here before. */
	for (size_t i = 0; journal_sender(p->in, i, &sender); i++)
		known += sender.from.len && sender.last && !slice_eq(sender.from, party_self(p));
	if (known || p->set.known_n)
		session.newcomer = SESSION_KNOWN;
	crypto_random(&session.seed, sizeof(session.seed));
	p->session = session_open(&session);
	for (size_t i = 0; journal_sender(p->in, i, &sender); i++)
		if (sender.from.len && sender.last && !slice_eq(sender.from, party_self(p)))
			session_known(p->session, sender.from, sender.last);
	for (size_t i = 0; i < p->set.known_n; i++) {
		const struct party_known *k = &p->set.known[i];

		if (!slice_eq(k->from, party_self(p)) &&
		    (!journal_who(p->in, k->from, &sender) || sender.last < k->seq))
			session_known(p->session, k->from, k->seq);
	}
	session_own(p->session, time_ms(), p->last);
	session_taken(p->session, place_mark(&p->place, PLACE_RELAYED));
	party_tell(p, "open", NULL, NULL, -1);
}

static void
open_all(struct party *p)
{
	struct err e;

	if (where_find(p->set.settings, &p->where, &e) != 0)
		die(keyfile_status(&e), "%s", e.text);
	open_place(p, &e);
	if (p->place.marks_lost)
		warn("what was reached in '%s' is damaged: messages that were written may come again",
		    p->place.folder);
	if (party_open_out(p, &e) != 0 || party_open_in(p, &e) != 0)
		die(STATUS_FAILED, "%s", e.text);
	open_session(p);
	if (party_connect(p, &e) != 0)
		die(keyfile_status(&e), "%s", e.text);
}

struct party *
party_open(struct sockets *loop, const struct party_settings *set)
{
	struct party *p = xcalloc(1, sizeof(*p));

	p->set = *set;
	p->loop = loop;
	p->hooks = set->hooks;
	p->state = set->state;
	p->max_payload = set->settings->max_payload ? set->settings->max_payload : 256000;
	open_all(p);
	return p;
}

struct slice
party_self(const struct party *p)
{
	return slice(p->place.from);
}

const char *
party_folder(const struct party *p)
{
	return p->place.folder;
}

uint64_t
party_counter(const struct party *p, unsigned i)
{
	return place_mark(&p->place, i ? PLACE_OWNER_TWO : PLACE_OWNER);
}

void
party_count(struct party *p, unsigned i, uint64_t value)
{
	place_set(&p->place, i ? PLACE_OWNER_TWO : PLACE_OWNER, value);
}

/* ---- the session's hooks ---- */

static bool
send_out(struct slice event, struct slice payload, uint64_t number, void *state)
{
	struct party *p = state;

	return p->set.listen ? party_ask(p, payload) : link_send(p->link, event, payload, number);
}

static void
on_stale(void *state)
{
	struct party *p = state;

	warn("the outbox in '%s' is an old copy, or is used twice: we go on under a new name",
	    p->place.folder);
	party_renew(p, true);
}

static const struct session_hooks session_hooks = {
    .send = send_out,
    .find = party_find,
    .kept = party_kept,
    .deliver = party_deliver,
    .gap = party_gap,
    .baseline = party_baseline,
    .taken = party_taken,
    .refused = party_refused,
    .stale = on_stale,
};

/* ---- a new identity ---- */

void
party_renew(struct party *p, bool keep)
{
	p->drop = !keep && (p->drop || !p->stale);
	p->stale = true;
}

/* 0, or -1 with e: then there is no outbox and no link. */
static int
renew(struct party *p, struct err *e)
{
	/* Nobody is to wait for the old one to come back. */
	if (p->up)
		session_leave(p->session, time_ms());
	link_close(p->link, p->up ? LEAVE_MS : 0);
	p->link = NULL;
	party_forget_guests(p);
	journal_close(p->out);
	p->out = NULL;
	if (p->drop)
		place_set(&p->place, PLACE_RELAYED, p->last);
	if (place_renew(&p->place, e) != 0 || party_open_out(p, e) != 0)
		return -1;
	p->up = p->stale = p->drop = false;
	p->nrefused = 0;
	p->own_shown = p->own_done = 0;
	session_free(p->session);
	open_session(p);
	return party_connect(p, e);
}

/* ---- the turn ---- */

void
party_fail(struct party *p, enum status status, const char *code, const char *text)
{
	if (p->ended)
		return;
	p->ended = status;
	warn("%s", text);
	party_tell(p, "ended", code, text, -1);
}

int64_t
party_turn(struct party *p)
{
	int64_t wait = -1;
	struct err e;

	if (p->ended)
		return -1;
	/* What was said and is not on disk yet goes first, when it can. */
	if (p->stale && (party_commit(p) || p->ended)) {
		party_note_own(p);
		if (!p->ended && renew(p, &e) != 0)
			party_fail(p, STATUS_FAILED, e.code, e.text);
	}
	if (!p->ended && p->link)
		wait = link_turn(p->link);
	if (p->ended)
		return -1;
	wait = time_least(wait, party_mend_turn(p));
	if (p->ended)
		return -1;
	party_note_own(p);
	wait = time_least(wait, party_store(p, time_ms()));
	if (party_feed(p))
		wait = 0;
	if (p->ended)
		return -1;
	party_forget_out(p);
	if (!p->stale)
		wait = time_least(wait, session_turn(p->session, time_ms()));
	wait = time_least(wait, party_ask_turn(p, time_ms()));
	return p->stale ? time_least(wait, p->out_full ? FULL_MS : 0) : wait;
}

bool
party_is_up(const struct party *p)
{
	return p->up;
}

const char *
party_never_up(const struct party *p)
{
	return p->been_up ? NULL : p->why.len ? p->why.ptr : "the hub has not answered";
}

bool
party_hole(const struct party *p, size_t *at, struct session_hole *hole)
{
	return p->up && !p->stale && session_hole(p->session, time_ms(), at, hole);
}

size_t
party_behind(const struct party *p, struct slice *from)
{
	return session_behind(p->session, from);
}

bool
party_has_history(const struct party *p)
{
	return p->history;
}

enum status
party_ended(const struct party *p)
{
	return p->ended;
}

/* ---- closing ---- */

static void
say_waiting(const struct party *p, struct run *run)
{
	uint64_t waiting = p->last - session_relayed(p->session);

	if (p->nrefused || p->damaged)
		run_status(run, STATUS_PARTIAL);
	if (session_dropped(p->session))
		warn("%llu messages of clients that number none came while there was no room, and are "
		     "lost", (unsigned long long)session_dropped(p->session));
	if (p->said > p->last) {
		run_status(run, STATUS_FAILED);
		warn("%llu lines were not taken: the disk is full", (unsigned long long)(p->said - p->last));
	}
	if (waiting) {
		warn("%llu line%s in the outbox: %s sent when this topic is joined %s",
		    (unsigned long long)waiting, waiting == 1 ? " waits" : "s wait",
		    waiting == 1 ? "it is" : "they are", p->set.listen ? "without --listen" : "again");
		run_status(run, STATUS_PARTIAL);
	}
}

void
party_close(struct party *p, struct run *run)
{
	if (p->out && !p->ended)
		party_commit(p);
	if (!p->ended) {
		party_store(p, time_ms());
		session_leave(p->session, time_ms());
	}
	if (p->link)
		link_close(p->link, p->up && !p->ended ? LEAVE_MS : 0);
	if (run && p->out)
		say_waiting(p, run);
	session_free(p->session);
	journal_close(p->out);
	journal_close(p->in);
	place_close(&p->place);
	where_free(&p->where);
	party_forget_guests(p);
	buf_free(&p->why);
	buf_free(&p->find);
	buf_free(&p->feed);
	buf_free(&p->text);
	buf_free(&p->asks);
	buf_free(&p->name);
	buf_free(&p->topic);
	free(p);
}
