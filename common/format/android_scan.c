/* One pass over the document; what is no string resource is passed over. */
#include "common/format/android_scan.h"

#include "common/format/android_text.h"
#include "common/format/mark.h"
#include "common/format/xml_text.h"

#include <stdlib.h>

enum { ITEMS = 10000 }; /* of one resource */

struct scan {
	struct android_file *file;
	struct slice document;
	struct android_text text;
	struct android_resource *at; /* that is open, or NULL */
	bool in_text;
	size_t text_depth;
	/* The comments since the last element. */
	struct catalog_span mark;
	struct slice mark_text, comment;
	bool too_many;
};

static struct slice
copy(struct scan *s, struct slice text)
{
	return (struct slice){arena_copy(&s->file->arena, text.len ? text.ptr : "", text.len),
	    text.len};
}

static bool
is_false(const struct xml_event *event, const char *name)
{
	struct slice value;

	return xml_attribute(event, name, &value) && slice_is(value, "false");
}

static void
open_root(struct scan *s, const struct xml_event *event)
{
	struct android_file *f = s->file;

	f->root_name = event->start + 1 + event->name.len;
	f->content.start = event->end;
	f->hollow = event->end >= 2 && s->document.ptr[event->end - 2] == '/';
	for (size_t i = 0; i < event->nattributes; i++)
		f->has_xliff |= slice_is(event->attributes[i].name, "xmlns:xliff");
}

static void
begin_item(struct scan *s, const struct xml_event *event)
{
	struct android_resource *r = s->at;
	struct slice quantity = {NULL, 0};

	if (r->n == ITEMS) {
		s->too_many = true;
		return;
	}
	r->items = xgrow(r->items, r->n, &r->cap, sizeof(*r->items));
	struct android_item *item = &r->items[r->n++];
	*item = (struct android_item){.line = event->line, .column = event->column};
	if (r->type == ANDROID_ARRAY) {
		item->mark = s->mark;
		item->mark_text = s->mark_text;
		s->mark.end = s->comment.len = 0;
	}
	item->span.start = event->start;
	item->content.start = event->end;
	if (r->type == ANDROID_PLURALS)
		item->quantity =
		    xml_attribute(event, "quantity", &quantity) ? copy(s, quantity) : S("");
	s->in_text = true;
	s->text_depth = event->depth;
	android_text_begin(&s->text, &s->file->arena);
}

static void
open_resource(struct scan *s, const struct xml_event *event)
{
	static const char *const names[] = {"string", "plurals", "string-array"};
	struct android_file *f = s->file;
	struct slice value;
	size_t type = 0;

	while (type < 3 && !slice_is(event->name, names[type]))
		type++;
	if (type == 3 || !xml_attribute(event, "name", &value)) {
		s->comment.len = s->mark.end = 0;
		return;
	}
	f->v = xgrow(f->v, f->n, &f->cap, sizeof(*f->v));
	s->at = &f->v[f->n++];
	*s->at = (struct android_resource){.type = (enum android_type)type,
	    .name = copy(s, value),
	    .fixed = is_false(event, "translatable"),
	    .formatted = !is_false(event, "formatted"),
	    .mark = s->mark,
	    .mark_text = s->mark_text,
	    .comment = s->comment,
	    .line = event->line,
	    .column = event->column};
	if (xml_attribute(event, "product", &value) && !slice_is(value, "default"))
		s->at->product = copy(s, value);
	s->at->span.start = event->start;
	s->at->content.start = event->end;
	s->mark.end = s->comment.len = 0;
	if (type == ANDROID_STRING)
		begin_item(s, event);
}

static void
end_item(struct scan *s, const struct xml_event *event)
{
	struct android_item *item = &s->at->items[s->at->n - 1];

	android_text_end(&s->text);
	s->in_text = false;
	item->span.end = event->end;
	item->content.end = event->start;
	item->text = copy(s, buf_slice(&s->text.text));
	item->names = s->text.names;
	item->nnames = s->text.nnames;
	item->fault = s->text.fault;
	item->reference = s->text.reference;
}

/* Comments before a resource: its mark, else what is told about it. */
static void
take_comment(struct scan *s, const struct xml_event *event)
{
	struct mark mark;

	if (mark_read(event->text, &mark)) {
		s->mark = (struct catalog_span){event->start, event->end};
		s->mark_text = copy(s, event->text);
	} else {
		s->comment = copy(s, slice_trim(event->text));
	}
}

static int
on_event(const struct xml_event *event, void *state)
{
	struct scan *s = state;

	if (s->in_text && !(event->type == XML_CLOSE && event->depth == s->text_depth)) {
		android_text_event(&s->text, event);
	} else if (event->type == XML_COMMENT &&
	    (event->depth == 1 || (s->at && s->at->type == ANDROID_ARRAY))) {
		take_comment(s, event);
	} else if (event->type == XML_OPEN && event->depth == 1) {
		if (!slice_is(event->name, "resources"))
			return -1;
		open_root(s, event);
	} else if (event->type == XML_OPEN && event->depth == 2) {
		open_resource(s, event);
	} else if (event->type == XML_OPEN && event->depth == 3 && s->at &&
	    slice_is(event->name, "item")) {
		begin_item(s, event);
	} else if (event->type == XML_CLOSE) {
		if (s->in_text)
			end_item(s, event);
		if (event->depth == 2 && s->at) {
			s->at->content.end = event->start;
			s->at->span.end = event->end;
			s->at = NULL;
		} else if (event->depth == 1) {
			s->file->content.end = event->start;
		}
	}
	return s->too_many ? -1 : 0;
}

int
android_scan(struct slice text, struct android_file *f, struct err *e)
{
	struct scan s = {.file = f, .document = text};
	struct err local = {0};
	int rc;

	*f = (struct android_file){0};
	if (xml_text_check(text, e) < 0)
		return -1;
	rc = xml_read(text, on_event, &s, &local);
	android_text_free(&s.text);
	if (rc < 0 && !local.code)
		return err_set(e, "bad_catalog", "%s",
		    s.too_many ? "a resource has too many items"
			       : "no string resources: the root element is not 'resources'");
	if (rc < 0 && e)
		*e = local;
	return rc;
}

void
android_scan_free(struct android_file *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i].items);
	free(f->v);
	arena_free(&f->arena);
}

struct slice
android_key(const struct android_resource *r, size_t i, struct arena *arena)
{
	struct buf b = {0};
	struct slice key;

	buf_addslice(&b, r->name);
	if (r->product.len)
		buf_addf(&b, "#%.*s", (int)r->product.len, r->product.ptr);
	if (r->type == ANDROID_ARRAY)
		buf_addf(&b, "[%zu]", i);
	key = (struct slice){arena_copy(arena, b.ptr ? b.ptr : "", b.len), b.len};
	buf_free(&b);
	return key;
}
