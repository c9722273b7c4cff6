/*
 * What a person is told on stderr: progress, attempts, the summary.
 */
#include "common/time.h"
#include "tools/ai/engine_part.h"

#include <unistd.h>

void
engine_die(enum status status, const char *text)
{
	struct slice rest = slice(text), line;
	const char *last = text;

	while (slice_line(&rest, &line)) {
		if (rest.len)
			warn("%.*s", (int)line.len, line.ptr);
		else
			last = line.ptr;
	}
	die(status, "%s", last);
}

/* What is spent; of a dry run, what can be said of it. */
static void
put_money(const struct engine *e, struct buf *b)
{
	const struct counts *c = &e->counts;

	if (c->unpriced && c->unpriced == c->asked) {
		buf_adds(b, ", at a price that is not known: see --prices");
		return;
	}
	if (!money_known(&e->money))
		return;
	buf_adds(b, c->unpriced ? ", at least " : ", ");
	money_put(&e->money, money_spent(&e->money), b);
	buf_addf(b, " %s", money_currency(&e->money));
	if (c->unpriced)
		buf_addf(b, ": the price of %lld of %lld is not known: see --prices", c->unpriced,
		    c->asked);
}

/* Why the first in order has not left: what everybody behind it waits for. */
static void
put_waited(const struct engine *e, struct buf *b)
{
	const struct slot *s = e->window.first;
	int64_t now = time_ms();

	if (s == NULL || s->state == SLOT_DONE || s->state == SLOT_HELD)
		return;
	if (s->lane && s->lane->pace.paused > now) {
		buf_addf(b, ", %s wants a pause: ", s->lane->endpoint->provider);
		progress_length(b, s->lane->pace.paused - now);
	} else if (s->state == SLOT_WAITING && s->due > now) {
		buf_addf(b, ", record %zu again in ", s->ordinal);
		progress_length(b, s->due - now);
	} else if (s->state == SLOT_QUEUED && s->lane->blocked > now) {
		buf_addf(b, ", record %zu waits for the rate: ", s->ordinal);
		progress_length(b, s->lane->blocked - now);
	} else if (s->state == SLOT_FLYING && now - s->sent > 2000) {
		buf_addf(b, ", record %zu for ", s->ordinal);
		progress_length(b, now - s->sent);
	}
}

void
engine_progress(struct engine *e)
{
	const struct counts *c = &e->counts;
	struct buf *b = &e->scratch;

	if (!progress_due(&e->progress))
		return;
	buf_reset(b);
	buf_addf(b, "%d in flight", e->flying);
	if (c->errors)
		buf_addf(b, ", %lld errors", c->errors);
	if (c->cached)
		buf_addf(b, ", %lld cached", c->cached);
	if (money_usage(&e->money)->known)
		buf_addf(b, ", %lld+%lld tokens", money_usage(&e->money)->input,
		    money_usage(&e->money)->output);
	put_money(e, b);
	put_waited(e, b);
	progress_show(&e->progress, c->records, "records", e->leaving, buf_slice(b));
}

void
tell_attempt(const struct engine *e, const struct slot *s, const struct failure *f, int status,
    int64_t wait)
{
	struct buf b = {0};

	(void)e;
	if (die_verbose() <= 0)
		return;
	buf_addf(&b, "record %zu: attempt %u: %s", s->ordinal, s->attempts, f->code);
	if (status)
		buf_addf(&b, " (%d)", status);
	buf_addf(&b, ", again in %.1f s: %s", (double)wait / 1000, f->text);
	note("%s", b.ptr);
	buf_free(&b);
}

void
tell_lack(const struct lane *lane, unsigned lack, const char *why)
{
	for (unsigned one = 1; one && one <= lack; one <<= 1)
		if (lack & one)
			note("%s%s%s %s (%s)", lane->endpoint->provider, lane->model ? "/" : "",
			    lane->model ? lane->model : "", lack_says((enum lack)one), why);
}

/* What will not be asked, as far as it is known. */
void
tell_stop(const struct engine *e)
{
	/* Without records there is nothing to try again. */
	if (e->run->common->strict || e->settings->plain)
		return;
	note("stopped after %lld replies: what follows is written as not_asked; --retry asks it "
	     "again", e->counts.asked);
}

void
engine_summary(const struct engine *e)
{
	const struct counts *c = &e->counts;
	const struct usage *u = money_usage(&e->money);
	struct buf b = {0};

	/* What it would cost is what a dry run is asked for. */
	if (e->collecting || die_verbose() < 0 || (die_verbose() == 0 && !e->settings->dry_run &&
	    (e->settings->plain || !isatty(STDERR_FILENO))))
		return;
	buf_addf(&b, "%lld records, %lld %s, %lld cached, %lld errors", c->records, c->asked,
	    e->settings->dry_run ? "to ask" : "asked", c->cached, c->errors);
	if (c->had)
		buf_addf(&b, ", %lld answered before", c->had);
	if (c->before)
		buf_addf(&b, ", %lld failed before", c->before);
	if (c->retried)
		buf_addf(&b, ", %lld retries", c->retried);
	if (c->repaired)
		buf_addf(&b, ", %lld repairs", c->repaired);
	if (u->known)
		buf_addf(&b, e->settings->dry_run ? ", about %lld tokens in, %lld out"
		    : ", tokens %lld in, %lld out", u->input, u->output);
	if (u->cached)
		buf_addf(&b, " (%lld in the provider's cache)", u->cached);
	put_money(e, &b);
	note("%s", b.ptr);
	buf_free(&b);
}
