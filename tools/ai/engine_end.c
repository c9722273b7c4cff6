/*
 * How records leave: with an answer, with an error, as they came; and the
 * stop, after which all that is read leaves unasked.
 */
#include "tools/ai/answer.h"
#include "tools/ai/engine_part.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

/* ---- the end of a slot ---- */

void
engine_leaves(struct engine *e, struct slot *s)
{
	s->state = SLOT_DONE;
	s->next = NULL;
	if (!e->settings->stream && !e->settings->plain)
		slot_clear_asking(&e->window, s);
	if (e->settings->unordered) {
		*e->done_end = s;
		e->done_end = &s->next;
	}
	window_count(&e->window, s);
}

void
engine_answer(struct engine *e, struct slot *s, struct slice text)
{
	struct buf cost = {0};

	if (e->settings->plain) {
		engine_leaves(e, s);
		return;
	}
	if (s->priced)
		money_put(&e->money, s->cost, &cost);
	answer_put(s, text, s->ask.check != NULL, s->priced ? cost.ptr : NULL,
	    money_currency(&e->money), &s->value);
	buf_free(&cost);
	engine_leaves(e, s);
}

void
engine_error(struct engine *e, struct slot *s, const char *code, bool retryable,
    const char *format, ...)
{
	va_list args;
	int n;

	buf_reset(&s->why);
	va_start(args, format);
	n = vsnprintf(buf_room(&s->why, 1000), 1000, format, args);
	va_end(args);
	s->why.len = n < 0 ? 0 : n > 999 ? utf8_valid(s->why.ptr, 999) : (size_t)n;
	s->why.ptr[s->why.len] = '\0';
	s->code = code;
	s->retryable = retryable;
	/* Nothing behind the first failure is asked any more. */
	if (e->run->common->strict && s->ordinal < e->last)
		e->last = s->ordinal;
	engine_leaves(e, s);
}

void
engine_stop(struct engine *e, const char *code, const char *format, ...)
{
	va_list args;
	int n;

	if (e->stop)
		return;
	e->stop = code;
	buf_reset(&e->stop_text);
	va_start(args, format);
	n = vsnprintf(buf_room(&e->stop_text, 1000), 1000, format, args);
	va_end(args);
	e->stop_text.len = n < 0 ? 0 : n > 999 ? 999 : (size_t)n;
	warn("%s", e->stop_text.ptr);
	tell_stop(e);
	run_status(e->run, STATUS_FAILED);
}

/* ---- streaming ---- */

static void
put_delta(struct engine *e, struct slot *s, struct slice text)
{
	struct record r = record_resume(e->run, &s->held);
	struct slice id;

	buf_reset(&e->edit);
	json_open(&e->edit, '{');
	json_add(&e->edit, "kind", S("delta"));
	json_add_long(&e->edit, "record", (long long)s->ordinal);
	if (record_get(&r, "id", &id))
		json_add_raw(&e->edit, "id", id);
	/* What an earlier attempt said is void. */
	if (s->attempts + s->repairs > 1)
		json_add_long(&e->edit, "attempt", s->attempts);
	json_add(&e->edit, "text", text);
	json_close(&e->edit, '}');
	record_emit(e->run, buf_slice(&e->edit));
}

/* Text for a person: what drives a terminal is not let through to one. */
static void
put_plain(struct engine *e, struct slice text)
{
	struct slice rest = text, line;

	if (!isatty(STDOUT_FILENO)) {
		fwrite(text.ptr, 1, text.len, stdout);
		return;
	}
	while (rest.len) {
		const char *lf = memchr(rest.ptr, '\n', rest.len);

		line = (struct slice){rest.ptr, lf ? (size_t)(lf - rest.ptr) : rest.len};
		buf_reset(&e->edit);
		buf_add_visible(&e->edit, line);
		if (lf)
			buf_addc(&e->edit, '\n');
		fwrite(e->edit.ptr, 1, e->edit.len, stdout);
		rest.ptr += line.len + (lf != NULL);
		rest.len -= line.len + (lf != NULL);
	}
}

/* All of the reply that has not been shown. */
static void
put_rest(struct engine *e, struct slot *s)
{
	struct slice text = buf_slice(&s->reply.text);

	text.ptr += s->streamed;
	text.len -= s->streamed;
	if (text.len == 0)
		return;
	s->streamed += text.len;
	if (e->settings->plain)
		put_plain(e, text);
	else
		put_delta(e, s, text);
}

void
engine_delta(struct engine *e, struct slot *s)
{
	/* A reply that a schema must judge first is not shown to a person. */
	if (e->collecting || (e->settings->plain && s->ask.check))
		return;
	if (s == e->window.first || e->settings->unordered)
		put_rest(e, s);
}

/* ---- leaving ---- */

static void
leave_plain(struct engine *e, struct slot *s)
{
	if (s->code) {
		if (s->streamed)
			putchar('\n');
		/* What stopped the run has been said, and is why this was not asked. */
		if (!e->stop ||
		    (strcmp(s->code, e->stop) != 0 && strcmp(s->code, "not_asked") != 0))
			warn("%s", buf_slice(&s->why).ptr);
		e->counts.errors++;
		run_status(e->run, STATUS_PARTIAL);
		return;
	}
	put_rest(e, s);
	if (s->reply.text.len && s->reply.text.ptr[s->reply.text.len - 1] != '\n')
		putchar('\n');
}

static void
leave_record(struct engine *e, struct slot *s)
{
	const char *const path[] = {e->settings->into};
	struct record r = record_resume(e->run, &s->held);

	if (s->had) {
		engine_pass(e, s, &r);
		return;
	}
	if (s->code) {
		e->counts.errors++;
		record_fail_with(&r, s->code, s->retryable, buf_slice(&s->more), buf_slice(&s->why));
		return;
	}
	if (s->value.len) {
		if (e->settings->stream)
			put_rest(e, s);
		record_set(&r, path, 1, buf_slice(&s->value));
	}
	record_pass(&r);
}

/* What reading dealt with: lines that are no records, and records that had failed before. */
static void
leave_lines(struct engine *e, struct slot *s)
{
	if (s->capture.failed) {
		e->counts.errors++;
	} else {
		e->counts.before++;
		e->counts.records++;
	}
	record_write(e->run, &s->capture);
}

static void
leave(struct engine *e, struct slot *s)
{
	e->leaving += (int64_t)(s->record ? s->held.original_len + 1 : s->length);
	if (e->collecting)
		;
	else if (!s->record)
		leave_lines(e, s);
	else if (e->settings->plain && (s->lane || s->code))
		leave_plain(e, s);
	else
		leave_record(e, s);
	if (s->record)
		e->counts.records++;
	window_drop(&e->window, s);
}

void
engine_leave(struct engine *e)
{
	struct slot *s;

	if (e->settings->unordered) {
		while ((s = e->done)) {
			e->done = s->next;
			if (e->done == NULL)
				e->done_end = &e->done;
			leave(e, s);
		}
		return;
	}
	while ((s = e->window.first) && s->state == SLOT_DONE)
		leave(e, s);
	/* The next in order has perhaps said something while it waited. */
	if (s && s->state == SLOT_FLYING && s->ask.stream)
		engine_delta(e, s);
}
