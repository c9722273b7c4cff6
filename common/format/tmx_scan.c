/* One pass over the document, noting where everything stands. */
#include "common/format/tmx_scan.h"

#include "common/format/tmx.h"
#include "common/format/tmx_text.h"
#include "common/format/xml_text.h"
#include "common/xml.h"

#include <stdlib.h>

enum { VARIANTS = 4096 }; /* of one unit that are looked at */

struct scan {
	struct tmx_file *file;
	struct slice text;
	struct tmx_text seg;
	size_t in_seg; /* its depth; 0: not in one */
	size_t in_property; /* the same of a <prop> */
	struct catalog_span property; /* of ours, start 0: not in one */
	bool in_unit, in_variant;
	bool nested; /* elements stand where TMX has none: there is no place to write to */
};

static struct slice
copy(struct scan *s, struct slice text)
{
	return (struct slice){
	    arena_copy(&s->file->arena, text.len ? text.ptr : "", text.len), text.len};
}

static void
open_element(struct scan *s, const struct xml_event *event)
{
	struct tmx_unit *u = s->file->n ? &s->file->units[s->file->n - 1] : NULL;
	struct slice value;

	s->nested |= s->in_property > 0;
	if (slice_is(event->name, "body")) {
		s->nested |= s->file->body.start > 0;
		s->file->body = (struct catalog_span){event->end, event->end};
	} else if (slice_is(event->name, "tu")) {
		s->nested |= s->in_unit || !s->file->body.start || s->file->body.end != s->file->body.start;
		s->file->units = xgrow(s->file->units, s->file->n, &s->file->cap, sizeof(*s->file->units));
		u = &s->file->units[s->file->n++];
		*u = (struct tmx_unit){.span = {event->start, event->end},
		    .tag = {s->text.ptr + event->start, event->end - event->start}};
		if (xml_attribute(event, "tuid", &value))
			u->tuid = copy(s, value);
		if (xml_attribute(event, "srclang", &value) && !slice_is(value, TMX_ALL))
			u->source = copy(s, value);
		s->in_unit = true;
	} else if (s->in_unit && slice_is(event->name, "tuv") && u->n < VARIANTS) {
		s->nested |= s->in_variant;
		u->v = xgrow(u->v, u->n, &u->cap, sizeof(*u->v));
		struct tmx_variant *v = &u->v[u->n++];
		*v = (struct tmx_variant){.tag = {event->start, event->end},
		    .span = {event->start, event->end}};
		if (xml_attribute(event, "xml:lang", &value) ||
		    xml_attribute(event, "lang", &value))
			v->locale = copy(s, value);
		s->in_variant = true;
	} else if (slice_is(event->name, "prop")) {
		bool own = s->in_variant && xml_attribute(event, "type", &value) &&
		    slice_is(value, TMX_STATUS);
		s->in_property = event->depth;
		s->property = (struct catalog_span){own ? event->start : 0, 0};
	} else if (s->in_variant && slice_is(event->name, "seg")) {
		s->in_seg = event->depth;
		s->nested |= u->v[u->n - 1].seg.end > 0;
		u->v[u->n - 1].seg.start = event->end;
		tmx_text_begin(&s->seg, &s->file->arena);
	}
}

/* The text and the codes of the <seg> that ends at offset end. */
static void
take_segment(struct scan *s, struct tmx_variant *v, size_t end)
{
	const struct tmx_text *t = &s->seg;

	v->seg.end = end;
	v->text = copy(s, buf_slice(&t->text));
	v->codes = arena_alloc(&s->file->arena, (t->n + 1) * sizeof(*v->codes));
	v->ncodes = t->n;
	for (size_t i = 0; i < t->n; i++)
		v->codes[i] = (struct xliff_code){.text = t->codes[i].text,
		    .raw = {s->text.ptr + t->codes[i].start,
			t->codes[i].end - t->codes[i].start}};
}

static void
close_element(struct scan *s, const struct xml_event *event)
{
	struct tmx_unit *u = s->file->n ? &s->file->units[s->file->n - 1] : NULL;

	if (s->in_seg) {
		s->in_seg = 0;
		take_segment(s, &u->v[u->n - 1], event->start);
	} else if (s->in_property) {
		if (s->property.start)
			u->v[u->n - 1].status = (struct catalog_span){s->property.start, event->end};
		s->in_property = s->property.start = 0;
	} else if (s->in_variant && slice_is(event->name, "tuv")) {
		u->v[u->n - 1].span.end = event->end;
		u->v[u->n - 1].end_tag = event->start;
		s->in_variant = false;
	} else if (s->in_unit && slice_is(event->name, "tu")) {
		u->span.end = event->end;
		s->in_unit = false;
	} else if (slice_is(event->name, "body")) {
		s->file->body.end = event->start;
	}
}

static int
on_event(const struct xml_event *event, void *state)
{
	struct scan *s = state;

	if (s->in_seg && !(event->type == XML_CLOSE && event->depth == s->in_seg))
		tmx_text_event(&s->seg, event);
	else if (event->type == XML_OPEN)
		open_element(s, event);
	else if (event->type == XML_CLOSE)
		close_element(s, event);
	return s->nested ? -1 : 0;
}

int
tmx_scan(struct slice text, struct tmx_file *f, struct err *e)
{
	struct scan s = {.file = f, .text = text};
	int rc = xml_text_check(text, e);

	*f = (struct tmx_file){0};
	if (rc == 0)
		rc = xml_read(text, on_event, &s, e);
	if (s.nested)
		rc = err_set(e, "bad_catalog", "its elements are nested as TMX has none");
	tmx_text_free(&s.seg);
	return rc;
}

void
tmx_scan_free(struct tmx_file *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->units[i].v);
	free(f->units);
	arena_free(&f->arena);
}
