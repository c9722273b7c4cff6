#include "tools/ai/window.h"

#include "tools/ai/exec.h"

#include <stdlib.h>

static void
empty(struct buf *b)
{
	if (b->cap > SLOT_KEPT)
		buf_free(b);
	else
		buf_reset(b);
}

bool
window_open(const struct window *w)
{
	return w->count == 0 || (w->count < w->most && w->bytes < w->most_bytes);
}

bool
window_grown(const struct window *w)
{
	return w->bytes > w->most_bytes + w->most_bytes / 4;
}

struct slot *
window_add(struct window *w)
{
	struct slot *s = w->free;

	if (s)
		w->free = s->after;
	else
		s = xcalloc(1, sizeof(*s));
	s->state = SLOT_HELD;
	s->after = NULL;
	s->before = w->last;
	if (w->last)
		w->last->after = s;
	else
		w->first = s;
	w->last = s;
	if (w->unbegun == NULL)
		w->unbegun = s;
	w->count++;
	return s;
}

void
window_count(struct window *w, struct slot *s)
{
	size_t bytes = s->held.bytes.cap + s->capture.lines.cap + s->capture.rejects.cap +
	    s->reply.text.cap + s->value.cap + s->more.cap;

	/* The request will be about as large as the record: room for it is kept from the start. */
	if (s->state != SLOT_DONE)
		bytes += s->body.cap > s->held.bytes.cap ? s->body.cap : s->held.bytes.cap;
	w->bytes += bytes - s->bytes;
	s->bytes = bytes;
}

void
slot_clear_body(struct slot *s)
{
	empty(&s->body);
	empty(&s->raw);
}

bool
slot_large(const struct slot *s)
{
	return s->held.bytes.cap > SLOT_LARGE || s->body_size > SLOT_LARGE;
}

void
slot_equip(struct window *w, struct slot *s)
{
	const struct kit *kit;

	s->equipped = true;
	if (w->nkits == 0)
		return;
	kit = &w->kits[--w->nkits];
	s->arena = kit->arena;
	s->body = kit->body;
	s->raw = kit->raw;
	s->reply = kit->reply;
	s->sse = kit->sse;
}

void
slot_clear_asking(struct window *w, struct slot *s)
{
	if (!s->equipped)
		return;
	if (slot_large(s))
		arena_free(&s->arena);
	arena_reset(&s->arena);
	slot_clear_body(s);
	empty(&s->sse.line);
	empty(&s->sse.data);
	empty(&s->reply.text);
	reply_reset(&s->reply);
	sse_reset(&s->sse);
	w->kits = xgrow(w->kits, w->nkits, &w->kits_cap, sizeof(*w->kits));
	w->kits[w->nkits++] = (struct kit){s->arena, s->body, s->raw, s->reply, s->sse};
	s->arena = (struct arena){0};
	s->body = s->raw = (struct buf){0};
	s->reply = (struct reply){0};
	s->sse = (struct sse){0};
	s->ask = (struct ask){0};
	s->equipped = false;
}

static void
kit_free(struct kit *kit)
{
	arena_free(&kit->arena);
	buf_free(&kit->body);
	buf_free(&kit->raw);
	reply_free(&kit->reply);
	sse_free(&kit->sse);
}

/* Zeroes all that is a record's own and keeps the memory. */
static void
renew(struct slot *s)
{
	struct slot kept = {.held = s->held, .capture = s->capture, .exec = s->exec,
	    .value = s->value, .why = s->why, .more = s->more};

	*s = kept;
}

void
window_drop(struct window *w, struct slot *s)
{
	if (w->unbegun == s)
		w->unbegun = s->after;
	if (s->before)
		s->before->after = s->after;
	else
		w->first = s->after;
	if (s->after)
		s->after->before = s->before;
	else
		w->last = s->before;
	w->count--;
	w->bytes -= s->bytes;
	slot_clear_asking(w, s);
	empty(&s->held.bytes);
	empty(&s->capture.lines);
	empty(&s->capture.rejects);
	empty(&s->capture.why);
	capture_reset(&s->capture);
	empty(&s->value);
	empty(&s->why);
	empty(&s->more);
	renew(s);
	s->after = w->free;
	w->free = s;
}

static void
slot_free(struct slot *s)
{
	held_free(&s->held);
	capture_free(&s->capture);
	if (s->exec)
		exec_free(s->exec);
	free(s->exec);
	buf_free(&s->value);
	buf_free(&s->why);
	buf_free(&s->more);
	free(s);
}

void
window_free(struct window *w)
{
	while (w->first)
		window_drop(w, w->first);
	while (w->free) {
		struct slot *s = w->free;

		w->free = s->after;
		slot_free(s);
	}
	while (w->nkits)
		kit_free(&w->kits[--w->nkits]);
	free(w->kits);
	*w = (struct window){0};
}
