#include "tools/ai/flow.h"

#include "tools/ai/endpoint.h"

#include <stdio.h>

enum { EVENT = 4 << 20, REFUSAL = 64 << 10, TEXT = 16 << 20 };

void
flow_start(struct slot *s)
{
	sse_reset(&s->sse);
	s->sse.max = EVENT;
	s->sse.lines = s->ask.endpoint->protocol->ndjson;
	buf_reset(&s->raw);
	s->ended = s->unstreamed = false;
	s->broken = (struct failure){0};
}

static int
broken(struct slot *s, const char *text)
{
	s->broken = (struct failure){.action = ACTION_RETRY, .code = "bad_reply"};
	snprintf(s->broken.text, sizeof(s->broken.text), "%s", text);
	return 1;
}

static int
on_event(struct slice name, struct slice data, void *state)
{
	struct slot *s = state;
	int end;

	/* What comes behind the last event belongs to no reply. */
	if (s->ended)
		return 0;
	end = s->ask.endpoint->protocol->event(name, data, &s->reply, &s->broken);
	if (end < 0) {
		failure_hide(s->ask.endpoint, &s->broken);
		return 1;
	}
	s->ended = end == 1;
	if (s->reply.text.len > TEXT)
		return broken(s, "the reply is too long");
	return 0;
}

bool
flow_bytes(struct slot *s, int status, struct slice bytes)
{
	int end;

	if (status / 100 != 2) {
		size_t room = s->raw.len < REFUSAL ? REFUSAL - s->raw.len : 0;

		buf_add(&s->raw, bytes.ptr, bytes.len < room ? bytes.len : room);
		return true;
	}
	/* A server that cannot stream answers with one object; no line of SSE begins so. */
	if (!s->sse.lines && !s->sse.started && s->sse.line.len == 0 && slice_starts(bytes, "{"))
		s->unstreamed = true;
	if (s->unstreamed) {
		buf_addslice(&s->raw, bytes); /* http bounds it */
		return true;
	}
	if (s->broken.code)
		return false;
	end = sse_feed(&s->sse, bytes, on_event, s);
	if (end < 0)
		broken(s, "an event of the stream is too long");
	return end == 0;
}

bool
flow_end(struct slot *s, const struct http_reply *h, struct failure *f)
{
	/* A last line needs no LF, but for one that was cut. */
	if (!s->broken.code && h->fault == HTTP_DONE && sse_end(&s->sse, on_event, s) < 0)
		broken(s, "a line of the stream is too long");
	if (s->broken.code) {
		*f = s->broken;
		return false;
	}
	if (s->ended || (h->fault == HTTP_DONE && s->reply.finish != FINISH_NONE))
		return true;
	f->action = ACTION_RETRY;
	f->code = h->fault == HTTP_DONE ? "cut_off" : http_code(h->fault);
	snprintf(f->text, sizeof(f->text), "%s",
	    h->fault == HTTP_DONE ? "the stream ended before the reply did" : h->text);
	return false;
}
