/*
 * kandil-collab sync TOPIC: a JSON document that is the same everywhere.
 *
 * State (state.h), a party (party.h) and, with --state, a file (document.h). With --patches
 * standard output has the whole state first, as one JSON object, then each change that
 * is not from standard input as a merge patch; standard input has merge patches. With
 * neither it keeps a replica for those who come.
 */
#include "tools/collab/sync_part.h"

#include "common/mem.h"
#include "common/time.h"
#include "tools/collab/patch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	LINES = 256,	/* of standard input in one turn */
	FULL_MS = 20,	/* who reads our patches is slow, or does not know them all */
	JOIN_MS = 3000,	/* who is new here waits for what the others have */
	SHARE = 4,	/* at most a fourth of the time is spent on finding what changed */
	ONCE_MS = 50,
	PATIENCE_MS = 2000, /* what the history has no more, a snapshot in it has */
	LEAVE_MS = 2000,    /* for the last snapshot */
};

/* ---- hooks ---- */

static void
on_status(const char *what, const char *code, const char *text, int64_t retry_ms, uint64_t last,
    void *state)
{
	struct sync *s = state;
	struct buf b = {0};

	/* While it is opened nobody can say who we are. */
	if (!s->set->status || s->party == NULL)
		return;
	json_open(&b, '{');
	json_add(&b, "kind", S("status"));
	json_add(&b, "topic", buf_slice(&s->topic));
	json_add(&b, "state", slice(what));
	if (strcmp(what, "open") == 0) {
		json_add(&b, "from", party_self(s->party));
		json_add_long(&b, "last", (long long)last);
	}
	if (code)
		json_add(&b, "code", slice(code));
	if (text)
		json_add(&b, "reason", slice(text));
	if (retry_ms >= 0)
		json_add_long(&b, "retry_ms", retry_ms);
	json_close(&b, '}');
	record_emit(s->run, buf_slice(&b));
	record_flush(s->run);
	buf_free(&b);
}

static void
on_up(void *state)
{
	struct sync *s = state;

	for (size_t i = 0; i < s->nreplicas; i++)
		s->replicas[i]->head = false;
	s->hello = true;
	head_soon(s, 0);
}

static const struct party_hooks hooks = {.take = hear_entry, .status = on_status, .up = on_up};

/* ---- standard output ---- */

/* The reader of our patches knows that one. */
static void
show(struct sync *s, struct slice patch)
{
	struct err e;

	if (s->shown == NULL)
		s->shown = state_new(&(struct state_settings){
		    .max_registers = 4 * SYNC_REGISTERS, .max_bytes = 4 * (size_t)SYNC_BYTES});
	s->shown_at.l++;
	s->shown_at.node = S("reader");
	/* Too much of deletions: they are forgotten, and what was refused is said again. */
	if (state_apply(s->shown, &s->shown_at, patch, &e) == STATE_REFUSED &&
	    state_collect(s->shown, &s->shown_at, &e) == 0) {
		s->shown_at.l++;
		state_apply(s->shown, &s->shown_at, patch, &e);
	}
}

/* Says by what the state differs from what was shown. */
static void
say_change(struct sync *s)
{
	struct buf now = {0}, shown = {0}, patch = {0};

	state_read(s->state, &now);
	if (!s->first) {
		buf_addslice(&patch, buf_slice(&now));
	} else {
		state_read(s->shown, &shown);
		patch_diff(buf_slice(&shown), buf_slice(&now), &patch);
	}
	if (patch.len) {
		record_emit(s->run, buf_slice(&patch));
		record_flush(s->run);
		show(s, buf_slice(&patch));
		state_collect(s->shown, &s->shown_at, NULL);
	}
	s->first = true;
	buf_free(&now);
	buf_free(&shown);
	buf_free(&patch);
}

/*
 * Who is new here, and has said nothing itself, has the whole state once the others have told
 * it; for a moment that is awaited.
 */
static bool
knows_all(struct sync *s)
{
	return !s->unheard || time_ms() >= s->joined_by ||
	    (party_is_whole(s->party) && head_agree(s));
}

/* Says what changed, when somebody reads it; ms until it is tried again. */
static int64_t
emit(struct sync *s)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
	int64_t begin = time_ms();

	if (!s->changed)
		return -1;
	s->stale_file = true;
	if (!s->set->patches) {
		s->changed = false;
		return -1;
	}
	if (begin < s->emit_at)
		return s->emit_at - begin;
	if (!knows_all(s))
		return FULL_MS;
	s->unheard = false;
	if (poll(&out, 1, 0) == 0)
		return FULL_MS;
	say_change(s);
	s->changed = false;
	s->emit_at = time_ms() + SHARE * (time_ms() - begin);
	return -1;
}

/* ---- standard input ---- */

static void
on_input(void *state)
{
	((struct sync *)state)->ready = true;
}

static void
take_patch(struct sync *s, struct record *r)
{
	struct err e;

	if (own_check(s, r->text, &e) != 0) {
		record_fail(r, e.code, strcmp(e.code, "state_full") == 0, "%s", e.text);
		return;
	}
	queue_add(&s->edits, r->text);
	s->unheard = false;
	/* Its writer knows it. */
	show(s, r->text);
}

static void
read_input(struct sync *s)
{
	struct record r;

	for (int i = 0; i < LINES && s->ready && own_flush(s); i++)
		switch (record_pull(s->run, NULL, &r)) {
		case PULL_RECORD:
			take_patch(s, &r);
			break;
		case PULL_DONE:
			record_flush(s->run);
			break;
		case PULL_WAIT:
			s->ready = false;
			break;
		case PULL_END:
			s->ready = s->reading = false;
			break;
		}
	own_flush(s);
	/* While some of it waits, nothing is to wake us for more. */
	if (s->input && (!s->reading || s->edits.next != s->edits.n || s->ready)) {
		sockets_unwatch(s->input);
		s->input = NULL;
	} else if (s->input == NULL && s->reading && !s->ready && s->edits.next == s->edits.n) {
		s->input = sockets_watch(s->loop, STDIN_FILENO, on_input, s);
	}
}

/* ---- the loop ---- */

/* With --once: all who are here agree, and know it. */
static bool
is_done(struct sync *s)
{
	s->agreed = false;
	if (!s->set->once || s->reading || s->edits.next != s->edits.n || s->changed)
		return false;
	if (!file_settled(s) || !party_is_whole(s->party) || s->renewing)
		return false;
	if (party_said(s->party) != party_last(s->party) ||
	    party_confirmed(s->party) != party_last(s->party))
		return false;
	s->agreed = head_agree(s);
	if (s->agreed)
		return !past_leave(s);
	head_ask_again(s);
	return false;
}

static int64_t
turn(struct sync *s)
{
	int64_t wait, now;

	if (s->reading)
		read_input(s);
	wait = file_turn(s);
	own_flush(s);
	party_commit(s->party);
	wait = time_least(wait, party_turn(s->party));
	if (party_ended(s->party))
		return 0;
	if (!slice_is(party_self(s->party), s->self))
		own_adopt(s);
	else if (s->renewing || state_closed(s->state, slice(s->self)))
		own_renew(s);
	wait = time_least(wait, hear_turn(s));
	wait = time_least(wait, past_turn(s));
	wait = time_least(wait, head_turn(s));
	wait = time_least(wait, emit(s));
	/* What came goes into the file now, not with the next event. */
	if (s->stale_file)
		wait = time_least(wait, file_turn(s));
	store_base(s);
	wait = time_least(wait, store_turn(s, false));
	now = time_ms();
	if (s->leave_at)
		wait = time_least(wait, s->leave_at > now ? s->leave_at - now : 0);
	if (s->set->once)
		wait = time_least(wait, ONCE_MS);
	if (party_said(s->party) != party_last(s->party))
		wait = time_least(wait, party_is_stuck(s->party) ? FULL_MS : 0);
	return s->ready && s->edits.next == s->edits.n ? 0 : wait;
}

static void
on_signal(void *state)
{
	(void)state; /* the loop asks run_interrupted */
}

static void
work(struct sync *s)
{
	struct socket_watch *signals = sockets_watch(s->loop, run_signal_fd(), on_signal, s);
	int64_t wait = 0;

	while (!run_interrupted() && !party_ended(s->party)) {
		sockets_wait(s->loop, wait);
		wait = turn(s);
		if (is_done(s) || (s->leave_at && time_ms() >= s->leave_at))
			break;
	}
	sockets_unwatch(signals);
}

/* ---- beginning and end ---- */

static void
read_settings(struct sync *s)
{
	const struct settings *set = s->set;
	int64_t length;

	if (s->run->noperands != 1 || s->run->operands[0][0] == '\0') {
		if (s->run->noperands > 1)
			warn("sync takes one topic, and '%s' is another", s->run->operands[1]);
		else
			warn("no topic is named");
		opt_usage(s->run->tool, s->run->command);
	}
	if (set->vsn != 1 && set->vsn != 2)
		die(STATUS_USAGE, "%s: the versions are 1 and 2", opt_origin("vsn"));
	if (set->for_length) {
		if (time_parse_length(slice(set->for_length), &length) != 0 || length <= 0)
			die(STATUS_USAGE, "%s: '%s' is no length of time: write 30s, 5m or 1h",
			    opt_origin("for"), set->for_length);
		s->leave_at = time_ms() + length;
	}
	buf_adds(&s->topic, s->run->operands[0]);
	buf_adds(&s->topic, ":state");
	s->run->operands++;
	s->run->noperands--;
	s->reading = s->ready = set->patches && !isatty(STDIN_FILENO);
	if (set->state)
		file_check(set->state);
}

static void
open_sync(struct sync *s)
{
	struct party_settings party = {.settings = s->set, .topic = s->topic.ptr, .confirm = true,
	    .all_alone = true, .hub_patience_ms = PATIENCE_MS, .hooks = &hooks, .state = s};
	int64_t bound;
	struct err e;

	s->notify = -1;
	s->head_at = s->want_at = s->lag_at = s->ask_at = -1;
	if ((s->loop = sockets_open(&e)) == NULL)
		die(STATUS_FAILED, "%s", e.text);
	s->party = party_open(s->loop, &party);
	on_status("open", NULL, NULL, -1, party_last(s->party), s);
	s->self = xstrdup("");
	store_open(s);
	bound = (int64_t)party_counter(s->party, COUNT_CLOCK);
	clock_start(&s->clock, bound, time_now());
	if (state_newest(s->state).l) {
		struct stamp newest = state_newest(s->state);

		own_passed(s, &newest);
	}
	own_adopt(s);
	s->new = s->blank = hear_is_new(s);
	s->unheard = s->new && party_said(s->party) == 0;
	s->joined_by = time_ms() + JOIN_MS;
	if (s->set->state)
		file_open(s);
	s->changed = true;
}

/* What --for has cut short is said; who ends us by a signal knows. */
static void
say_unfinished(struct sync *s)
{
	const char *why = party_never_up(s->party);

	if (s->agreed || run_interrupted() || (!s->set->once && why == NULL))
		return;
	run_status(s->run, why ? STATUS_FAILED : STATUS_PARTIAL);
	if (s->set->once)
		warn("the time of --for is over before all who are here agree%s",
		    party_is_up(s->party) ? "" : ": the hub is not there");
	else
		warn("the time of --for is over: the topic was not joined: %s", why);
}

/* Those of the file are found there again. */
static void
say_unsaid(struct sync *s)
{
	size_t n = s->edits.n - s->edits.next;

	if (n == 0)
		return;
	run_status(s->run, STATUS_PARTIAL);
	if (s->set->patches)
		warn("%zu change%s not taken: the last of standard input", n, n == 1 ? " was" : "s were");
}

/* The last to leave says a snapshot for who comes later, which takes a moment. */
static void
leave(struct sync *s)
{
	int64_t now = time_ms(), until = now + LEAVE_MS, wait = 0;

	if (!past_leave(s))
		return;
	s->leaving = true;
	while (!party_ended(s->party) && (now = time_ms()) < until &&
	    (s->chunks.next != s->chunks.n || party_relayed(s->party) < party_said(s->party))) {
		sockets_wait(s->loop, wait);
		head_turn(s);
		party_commit(s->party);
		wait = time_least(party_turn(s->party), until - now);
	}
}

static void
close_sync(struct sync *s)
{
	if (party_ended(s->party)) {
		run_status(s->run, party_ended(s->party));
	} else {
		say_unfinished(s);
		own_flush(s);
		party_commit(s->party);
		s->emit_at = 0;
		s->unheard = false;
		emit(s);
		s->write_at = 0;
		file_turn(s);
		party_commit(s->party);
		store_base(s);
		leave(s);
		store_turn(s, true);
		say_unsaid(s);
		if (s->lacking)
			run_status(s->run, STATUS_PARTIAL);
	}
	file_close(s);
	party_close(s->party, s->run);
	sockets_close(s->loop);
	state_free(s->state);
	state_free(s->fresh);
	state_free(s->shown);
	for (size_t i = 0; i < s->nreplicas; i++) {
		free(s->replicas[i]->name);
		free(s->replicas[i]->begun.at);
		free(s->replicas[i]->whole.at);
		free(s->replicas[i]);
	}
	free(s->replicas);
	table_free(&s->names);
	queue_free(&s->edits);
	queue_free(&s->again);
	queue_free(&s->chunks);
	free(s->self);
	free(s->lag_of);
	free(s->want_of);
	free(s->fresh_from);
	free(s->store);
	free(s->base_store);
	buf_free(&s->topic);
	buf_free(&s->base);
	buf_free(&s->text);
	buf_free(&s->payload);
	free(s);
}

void
sync_run(struct run *run, void *settings)
{
	struct sync *s = xcalloc(1, sizeof(*s));

	s->run = run;
	s->set = settings;
	read_settings(s);
	open_sync(s);
	work(s);
	close_sync(s);
}
