/*
 * kandil-collab join TOPIC: stdin to everyone, everyone to stdout.
 *
 * What is special about a session is in party.h; this is its pipe: records in
 * become messages, messages become records, and a reader or a disk that is slow holds back
 * only what it must.
 */
#include "tools/collab/join_part.h"

#include "common/mem.h"
#include "common/time.h"

#include <stdlib.h>
#include <unistd.h>

enum {
	STUCK_MS = 1000,  /* a full outbox is tried again */
	FINISH_MS = 2000, /* for the record that is being written when we go */
	SETTLE_MS = 1500, /* after up, what was missed is known */
	ONCE_MS = 20,	  /* --once looks whether all is done */
	ROSTER_MS = 10000, /* a relay that tells nobody who is here: those who were heard are */
};

static void
check_settings(const struct settings *set)
{
	struct err e;

	if (set->event == NULL || set->event[0] == '\0' || strlen(set->event) > 255)
		die(STATUS_USAGE, "%s: an event needs a name of at most 255 bytes", opt_origin("event"));
	if (strcmp(set->event, "kandil") == 0)
		die(STATUS_USAGE, "%s: the event 'kandil' is what the members talk to each other in",
		    opt_origin("event"));
	if (set->vsn != 1 && set->vsn != 2)
		die(STATUS_USAGE, "%s: there are versions 1 and 2", opt_origin("vsn"));
	if (set->meta && (json_check(slice(set->meta), &e) != 0 ||
			     json_type(slice_trim(slice(set->meta))) != JSON_OBJECT))
		die(STATUS_USAGE, "%s: '%s' is no JSON object", opt_origin("meta"), set->meta);
}

/* What has to be sent cannot be together with --listen; elsewhere it is for who takes part. */
static void
check_listener(const struct run *run)
{
	static const char *const sent[] = {"event", "meta", "self"};

	if (run->noperands)
		die(STATUS_USAGE, "--listen: nothing is sent, so '%s' is not read: leave out the files, "
		    "or --listen", run->operands[0]);
	for (size_t i = 0; i < sizeof(sent) / sizeof(*sent); i++)
		if (opt_source(sent[i]) == OPT_ARGUMENT)
			die(STATUS_USAGE,
			    "--%s: nothing is sent with --listen: leave out one of them", sent[i]);
}

static void
open_limits(struct join *j)
{
	const struct settings *set = j->settings;
	int64_t ms;
	struct err e;

	j->leave_at = -1;
	if (set->for_length) {
		if (time_parse_length(slice(set->for_length), &ms) != 0 || ms < 0)
			die(STATUS_USAGE, "%s: '%s' is no length: 30s, 5m, 1h", opt_origin("for"),
			    set->for_length);
		j->leave_at = time_ms() + ms;
	}
	if (set->until && query_open(&j->until, "--until", slice(set->until), &e) != 0)
		die(STATUS_USAGE, "%s: '%s': %s", opt_origin("until"), set->until, e.text);
}

static bool
stored(uint64_t place, void *state)
{
	return join_log_store(state, place);
}

static const struct party_hooks hooks = {
    .take = join_take,
    .status = join_status,
    .presence = join_presence,
    .stored = stored,
    .refused = join_refused,
};

static void
open_party(struct join *j)
{
	struct party_settings set = {.settings = j->settings, .topic = j->topic,
	    .listen = j->settings->only_listen,
	    .self = j->settings->self, .known = j->log.lent, .known_n = j->log.lent_n,
	    .hooks = &hooks, .state = j};
	struct err e;

	j->loop = sockets_open(&e);
	if (j->loop == NULL)
		die(STATUS_FAILED, "%s", e.text);
	join_out_open(j);
	j->party = party_open(j->loop, &set);
	join_status("open", NULL, NULL, -1, party_last(j->party), j);
}

static void
woken(void *state)
{
	(void)state; /* the loop looks what it was */
}

/*
 * Everybody who is here has what we said, and we have what they did. Who says nothing comes
 * to hear what it has missed, which takes a moment.
 */
static bool
all_done(const struct join *j)
{
	uint64_t last = party_last(j->party);
	int64_t up = time_ms() - j->up;

	if (j->settings->only_listen)
		return party_is_up(j->party) && party_is_whole(j->party) && up >= SETTLE_MS;
	return join_in_done(j) && party_is_up(j->party) &&
	    (party_has_roster(j->party) || up >= ROSTER_MS) && party_is_whole(j->party) &&
	    party_relayed(j->party) >= last && party_confirmed(j->party) >= last &&
	    (j->said || up >= SETTLE_MS);
}

/* Whether there is a reason to go; done: of --once. */
static bool
leaving(const struct join *j, bool done)
{
	if (run_interrupted() || j->met || party_ended(j->party))
		return true;
	if (j->stopped && !j->settings->once)
		return true;
	if (j->leave_at >= 0 && time_ms() >= j->leave_at)
		return true;
	return done;
}

static void
loop(struct join *j)
{
	struct socket_watch *signals = sockets_watch(j->loop, run_signal_fd(), woken, NULL);
	uint64_t first, last, taken;
	int64_t wait;
	bool more, logged, once = j->settings->once, done;

	for (;;) {
		more = join_in_turn(j);
		party_places(j->party, &first, &last, &taken);
		logged = join_log_store(j, last);
		wait = party_turn(j->party);
		join_out_idle(j);
		done = once && all_done(j);
		if (leaving(j, done))
			break;
		wait = time_least(wait, join_wait_turn(j, once && !done && join_in_done(j)));
		if (more)
			wait = 0;
		if (j->stuck || !logged)
			wait = time_least(wait, STUCK_MS);
		if (once && join_in_done(j))
			wait = time_least(wait, ONCE_MS);
		if (j->leave_at >= 0)
			wait = time_least(wait,
			    j->leave_at > time_ms() ? j->leave_at - time_ms() : 0);
		sockets_wait(j->loop, wait);
	}
	sockets_unwatch(signals);
}

/* What --for has cut short is said; who ends us by a signal or --until knows. */
static void
say_unfinished(struct join *j)
{
	const char *why = party_never_up(j->party);
	const char *never = why ? ": the topic was not joined: " : "";

	if (run_interrupted() || j->met || party_ended(j->party))
		return;
	if (j->stopped && !j->settings->once)
		return; /* which was said */
	if (j->stuck)
		warn("the input was not read to its end: the outbox takes no more%s%s", never,
		    why ? why : "");
	else if (j->settings->once && !all_done(j))
		warn("the time of --for is over before %s%s%s", j->settings->only_listen ?
		    "what the hub's history has is here" : "all who are here have everything",
		    never, why ? why : "");
	else if (j->until)
		warn("nothing came for which --until is true%s%s", never, why ? why : "");
	else if (why)
		warn("the time of --for is over%s%s", never, why);
	else
		return;
	run_status(j->run, why ? STATUS_FAILED : STATUS_PARTIAL);
}

/* What has come is written as far as the reader takes it; what waits to go is told. */
static void
leave(struct join *j)
{
	enum status ended = party_ended(j->party);

	say_unfinished(j);
	join_in_end(j);
	if (!j->met && !ended)
		party_turn(j->party);
	/* The record that is being written is the last; when it is out, that is noted. */
	j->leaving = true;
	if (join_out_finish(j, FINISH_MS)) {
		party_turn(j->party);
		j->out.place = 0;
		join_out_finish(j, FINISH_MS);
	}
	if (ended)
		run_status(j->run, ended);
	party_close(j->party, j->run);
	join_out_finish(j, FINISH_MS); /* what was refused at the very end */
	join_in_close(j);
	join_out_close(j);
	join_log_close(j);
	sockets_close(j->loop);
	if (j->until)
		query_close(j->until);
	buf_free(&j->record);
	join_wait_close(j);
	free(j);
}

/* A person may type: this program talks to people. */
static void
take_terminal(struct run *run)
{
	static char *typed[] = {"-"};

	if (run->noperands == 0 && isatty(STDIN_FILENO)) {
		run->operands = typed;
		run->noperands = 1;
	}
}

void
join_run(struct run *run, void *settings)
{
	struct join *j = xcalloc(1, sizeof(*j));

	j->run = run;
	j->settings = settings;
	j->watched = -1;
	if (run->noperands == 0 || run->operands[0][0] == '\0') {
		warn("no topic is named");
		opt_usage(run->tool, run->command);
	}
	check_settings(j->settings);
	j->topic = run->operands[0];
	run->operands++;
	run->noperands--;
	j->ended = j->settings->only_listen;
	if (j->settings->only_listen)
		check_listener(run);
	else
		take_terminal(run);
	open_limits(j);
	join_log_open(j);
	open_party(j);
	loop(j);
	leave(j);
}
