/*
 * The loop: reads while the window has room, begins, sends, writes what may
 * leave, and waits for the network and the input together.
 */
#include "tools/ai/engine_part.h"

#include "common/mem.h"
#include "common/path.h"
#include "common/record_io.h"
#include "common/time.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	/* With the program and its libraries (10 MB) that is below 20 MB in all. */
	WINDOW_BYTES = 9 << 19,
	PER_JOB = 16,	   /* slots of the window for a request in flight */
	READ_AT_ONCE = 256, /* lines before the network is looked at again */
	TICK_MS = 200,	   /* of the progress line, and of programs' time limits */
	REPAIR_TEXT = 64 << 10,
};

/* ---- opening ---- */

static void
load_repair(struct engine *e)
{
	char *name = path_trusted("ai/prompts/repair.txt");
	struct err err;

	if (name == NULL)
		die(STATUS_FAILED, "cannot find 'ai/prompts/repair.txt': is kandil installed whole?");
	if (path_read(name, REPAIR_TEXT, &e->repair_text, &err) < 0)
		die(STATUS_FAILED, "%s", err.text);
	while (e->repair_text.len && e->repair_text.ptr[e->repair_text.len - 1] == '\n')
		buf_cut(&e->repair_text, e->repair_text.len - 1);
	free(name);
}

static void
open_kept(struct engine *e)
{
	const struct settings *set = e->settings;
	struct err err;

	if (set->cassette && cassette_open(&e->cassette, set->cassette, set->replay, &err) < 0)
		die(STATUS_FAILED, "%s", err.text);
	if (set->no_cache || set->replay)
		return;
	if (cache_open(&e->cache, set->cache, set->cache_size, &err) == 0)
		return;
	if (set->dry_run)
		return;
	if (set->cache || e->taker)
		die(STATUS_FAILED, "%s", err.text);
	/* Where there is no home there is no cache: that is no reason not to work. */
	note("%s: replies are not kept", err.text);
}

/* A budget that cannot be kept is refused before anything is asked. */
static void
check_budget(struct engine *e)
{
	const struct endpoint *p;
	struct slice model;
	struct err err;

	if (!e->settings->max_cost || !e->settings->model)
		return;
	p = endpoint_default(e->endpoints, &model, &err);
	if (p == NULL)
		engine_die(STATUS_USAGE, err.text);
	else if (money_price(&e->money, p, model) == NULL)
		die(STATUS_USAGE, "the price of %s/%.*s is not known, so --max-cost cannot be kept: "
		    "add it to a file and name that by --prices", p->provider, (int)model.len, model.ptr);
}

struct engine *
engine_open(struct run *run, const struct settings *set, struct endpoints *endpoints,
    const struct engine_taker *taker)
{
	struct engine *e = xcalloc(1, sizeof(*e));
	struct err err;

	e->run = run;
	e->settings = set;
	e->endpoints = endpoints;
	e->taker = taker;
	e->last = SIZE_MAX;
	e->done_end = &e->done;
	e->window.most = (size_t)(set->window ? set->window : set->jobs * PER_JOB);
	e->window.most_bytes = WINDOW_BYTES;
	if (prompt_open(&e->prompter, set, endpoints, &err) < 0)
		die(STATUS_USAGE, "%s", err.text);
	if (money_open(&e->money, set, &err) < 0)
		die(STATUS_USAGE, "%s", err.text);
	check_budget(e);
	load_repair(e);
	if (provider_load(&err) < 0)
		die(STATUS_FAILED, "%s", err.text);
	open_kept(e);
	return e;
}

struct cache *
engine_cache(struct engine *e)
{
	return e->cache;
}

/* ---- reading ---- */

static void
read_one(struct engine *e, enum pull pull, const struct record *r, struct capture *lines)
{
	struct slot *s;

	/* A blank line leaves nothing. */
	if (pull == PULL_DONE && !lines->lines.len && !lines->why.len)
		return;
	s = window_add(&e->window);
	s->record = pull == PULL_RECORD;
	if (s->record) {
		s->ordinal = ++e->ordinal;
		s->retried = r->retried;
		record_hold(r, &s->held);
	} else {
		struct capture swap = s->capture;

		s->ordinal = e->ordinal;
		s->capture = *lines;
		s->length = s->capture.lines.len + s->capture.rejects.len;
		*lines = swap;
		if (s->capture.failed && e->run->common->strict && s->ordinal < e->last)
			e->last = s->ordinal;
	}
	window_count(&e->window, s);
}

/* Reads what is there and fits; true when it stopped for another reason than having no more now. */
static bool
read_some(struct engine *e)
{
	struct record r;
	enum pull pull;

	for (int i = 0; i < READ_AT_ONCE; i++) {
		if (e->end || !window_open(&e->window))
			return false;
		pull = record_pull(e->run, &e->lines, &r);
		if (pull == PULL_WAIT)
			return false;
		if (pull == PULL_END)
			e->end = true;
		else
			read_one(e, pull, &r, &e->lines);
	}
	return true;
}

/*
 * What is begun takes more memory than what is merely held, so there is little
 * of it beyond what can go; more where lanes stand still, since the next record
 * may be another's. Done records that wait for their turn are a
 * bound too: but what is in front of all goes on, or they would never leave.
 */
static bool
may_begin(const struct engine *e)
{
	long ready = (long)e->queued + e->backing, jobs = e->settings->jobs;

	if (window_grown(&e->window) && ready + e->flying > 0)
		return false;
	return ready < jobs / 4 + 8 || e->idle;
}

/* Begins those behind, in order. */
static void
begin_some(struct engine *e)
{
	struct slot *s;

	while ((s = e->window.unbegun) && may_begin(e)) {
		if (s->record) {
			engine_begin(e, s);
		} else {
			e->window.unbegun = s->after;
			engine_leaves(e, s);
		}
		/* The next one's prompt may take for ever. */
		engine_leave(e);
	}
}

/* ---- waiting ---- */

/*
 * Nobody reads what we write: each further reply would be paid for in vain. The
 * next write would end us in the same way, perhaps an hour from now.
 */
static void
reader_gone(void)
{
	raise(SIGPIPE);
	errno = EPIPE;
	die(STATUS_FAILED, "cannot write standard output:");
}

/* Waits for network, programs, input, signals, and whoever reads us to go; ms -1: any time. */
static void
wait_for(struct engine *e, int64_t ms)
{
	size_t n = 0, most = 3 + ENDPOINTS_FDS + (size_t)e->execs * EXEC_FDS;

	if (most > e->npolls) {
		e->polls = xreallocarray(e->polls, most, sizeof(*e->polls));
		e->npolls = most;
	}
	e->polls[n++] = (struct pollfd){STDOUT_FILENO, 0, 0};
	e->polls[n++] = (struct pollfd){run_signal_fd(), POLLIN, 0};
	if (!e->end && window_open(&e->window) && record_pull_fd(e->run) >= 0)
		e->polls[n++] = (struct pollfd){record_pull_fd(e->run), POLLIN, 0};
	for (struct slot *s = e->programs; s; s = s->next)
		n += exec_fds(s->exec, e->polls + n);
	n += endpoints_fds(e->endpoints, e->polls + n);
	if ((e->progress.on || e->programs) && (ms < 0 || ms > TICK_MS))
		ms = TICK_MS;
	if (ms != 0)
		record_flush(e->run);
	if (e->http)
		http_wait(e->http, ms, e->polls, n);
	else
		while (poll(e->polls, n, (int)(ms > INT32_MAX ? INT32_MAX : ms)) < 0 && errno == EINTR &&
		    !run_interrupted())
			;
	if (!e->collecting && e->polls[0].revents & POLLERR)
		reader_gone();
	if (e->programs)
		engine_exec_step(e);
	endpoints_turn(e->endpoints);
}

/* ---- the pass ---- */

static void
tell_interrupted(const struct engine *e)
{
	bool kept = e->cache || e->cassette;

	if (e->window.count == 0 || e->settings->plain)
		return;
	note("interrupted: %zu records that were read are not written", e->window.count);
	/* Replies of programs are kept by a cassette alone. */
	for (const struct lane *l = e->lanes; l; l = l->next)
		kept = kept && (l->endpoint->protocol || e->cassette);
	if (kept)
		note("the same command again asks no more for what was answered");
}

static void
pass(struct engine *e)
{
	int64_t wake;
	bool more;

	while (!run_interrupted()) {
		more = read_some(e);
		begin_some(e);
		wake = engine_send(e, time_ms());
		engine_leave(e);
		engine_progress(e);
		if (e->end && e->window.count == 0)
			return;
		/* Leaving has made room, and beginning what is next may let it leave at once. */
		if (!e->end && window_open(&e->window) && e->was_full)
			more = true;
		e->was_full = !window_open(&e->window);
		if (e->window.unbegun && may_begin(e))
			more = true;
		if (!more || e->flying || e->programs)
			wait_for(e, more ? 0 : wake);
	}
	/* What is complete, and in its turn, leaves: it was paid for. */
	engine_leave(e);
	tell_interrupted(e);
}

size_t
engine_collect(struct engine *e)
{
	struct run *run = e->run, quiet = *run;
	struct common common = *run->common;
	struct record_io io = {0};

	/* The same input, read beside the run: nothing is written, nothing counts. */
	common.strict = false;
	common.rejects = NULL;
	quiet.common = &common;
	quiet.io = &io;
	io.told = run->io->told;
	e->run = &quiet;
	e->collecting = true;
	e->later = 0;
	e->end = false;
	e->ordinal = 0;
	pass(e);
	while (e->window.first)
		window_drop(&e->window, e->window.first);
	e->window.unbegun = NULL;
	lines_free(&io.lines);
	buf_free(&io.edit);
	buf_free(&io.kind);
	buf_free(&io.unwrapped);
	e->collecting = false;
	run->io->told = true;
	e->run = run;
	e->end = false;
	e->ordinal = 0;
	e->counts = (struct counts){0};
	e->stop = NULL;
	return e->later;
}

void
engine_run(struct engine *e)
{
	/* Text is for a person: it may come to the terminal behind our back, as by tee. */
	if (!e->settings->plain)
		progress_open(&e->progress, e->run->operands, e->run->noperands);
	pass(e);
	progress_close(&e->progress);
}

void
engine_close(struct engine *e)
{
	engine_summary(e);
	engine_cancel(e);
	if (e->http)
		http_close(e->http);
	prompt_close(e->prompter);
	if (e->cassette)
		cassette_close(e->cassette);
	if (e->cache)
		cache_close(e->cache);
	window_free(&e->window);
	engine_free_lanes(e);
	money_close(&e->money);
	capture_free(&e->lines);
	buf_free(&e->stop_text);
	buf_free(&e->repair_text);
	buf_free(&e->url);
	buf_free(&e->body);
	buf_free(&e->scratch);
	buf_free(&e->edit);
	free(e->polls);
	free(e);
}
