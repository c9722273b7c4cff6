/* Built from the events of one pass. */
#include "common/format/plist.h"

#include "common/format/mark.h"
#include "common/format/xml_text.h"

#include <stdlib.h>

enum { NODES = 1 << 20 };

struct reader {
	struct plist *p;
	size_t dict;	/* the dict that is open, PLIST_NONE: none */
	size_t pending; /* the node whose key was read and whose value comes */
	size_t skip;	/* the depth of a value that is passed over; 0: none */
	bool in_key, in_string, root;
	struct buf text;
	struct plist_node before; /* comment and mark for the next key */
	struct err *e;
};

static struct slice
keep(struct reader *r, struct slice text)
{
	return (struct slice){arena_copy(&r->p->arena, text.len ? text.ptr : "", text.len), text.len};
}

static int
wrong(struct reader *r, const struct xml_event *ev, const char *text)
{
	err_set(r->e, "bad_catalog", "%s", text);
	if (r->e) {
		r->e->line = ev->line;
		r->e->column = ev->column;
	}
	return -1;
}

static size_t
add_node(struct reader *r, const struct xml_event *ev)
{
	struct plist *p = r->p;
	struct plist_node *node;

	p->v = xgrow(p->v, p->n, &p->cap, sizeof(*p->v));
	node = &p->v[p->n];
	*node = r->before;
	r->before = (struct plist_node){.comment = {"", 0}, .mark = {"", 0}};
	node->key = node->text = node->kind = S("");
	node->start = ev->start;
	node->line = ev->line;
	node->column = ev->column;
	node->parent = r->dict;
	node->first = node->last = node->next = PLIST_NONE;
	if (r->dict != PLIST_NONE) {
		struct plist_node *parent = &p->v[r->dict];
		if (parent->last == PLIST_NONE)
			parent->first = p->n;
		else
			p->v[parent->last].next = p->n;
		parent->last = p->n;
	}
	return p->n++;
}

static int
open_value(struct reader *r, const struct xml_event *ev)
{
	struct plist_node *node;

	if (r->pending == PLIST_NONE)
		return wrong(r, ev, "a value without a key");
	node = &r->p->v[r->pending];
	node->kind = keep(r, ev->name);
	node->value = ev->start;
	node->inside = ev->end;
	r->in_string = slice_is(ev->name, "string");
	buf_reset(&r->text);
	if (slice_is(ev->name, "dict")) {
		r->dict = r->pending;
		r->pending = PLIST_NONE;
	} else {
		r->skip = ev->depth;
	}
	return 0;
}

static int
open_element(struct reader *r, const struct xml_event *ev)
{
	if (ev->depth == 1)
		return slice_is(ev->name, "plist") ? 0 : wrong(r, ev, "no property list");
	if (r->skip)
		return 0;
	if (r->in_key)
		return wrong(r, ev, "an element within a key");
	if (r->p->n >= NODES)
		return err_set(r->e, "too_large", "more than %d values", NODES);
	if (ev->depth == 2) {
		if (r->root || !slice_is(ev->name, "dict"))
			return wrong(r, ev, "the property list is no dictionary");
		r->root = true;
		r->pending = add_node(r, ev);
		return open_value(r, ev);
	}
	if (!slice_is(ev->name, "key"))
		return open_value(r, ev);
	if (r->pending != PLIST_NONE)
		return wrong(r, ev, "a key without a value before this one");
	r->pending = add_node(r, ev);
	r->in_key = true;
	buf_reset(&r->text);
	return 0;
}

static void
close_value(struct reader *r, const struct xml_event *ev, size_t node)
{
	struct plist_node *at = &r->p->v[node];

	at->end = ev->end;
	/* <dict/>: both events are of one tag. */
	if (ev->start == ev->end || at->inside > ev->start)
		at->inside = at->end;
	if (r->in_string)
		at->text = keep(r, buf_slice(&r->text));
	r->in_string = false;
}

static int
close_element(struct reader *r, const struct xml_event *ev)
{
	if (r->skip && ev->depth > r->skip)
		return 0;
	if (r->in_key) {
		r->in_key = false;
		r->p->v[r->pending].key = keep(r, buf_slice(&r->text));
	} else if (r->skip) {
		close_value(r, ev, r->pending);
		r->skip = 0;
		r->pending = PLIST_NONE;
	} else if (r->dict != PLIST_NONE) {
		if (r->pending != PLIST_NONE)
			return wrong(r, ev, "the last key has no value");
		r->before = (struct plist_node){.comment = {"", 0}, .mark = {"", 0}};
		close_value(r, ev, r->dict);
		r->dict = r->p->v[r->dict].parent;
	}
	return 0;
}

static int
take_comment(struct reader *r, const struct xml_event *ev)
{
	struct mark mark;

	if (r->skip || r->pending != PLIST_NONE || r->dict == PLIST_NONE)
		return 0;
	if (mark_read(ev->text, &mark)) {
		r->before.mark = keep(r, ev->text);
		r->before.mark_start = ev->start;
		r->before.mark_end = ev->end;
	} else {
		r->before.comment = keep(r, slice_trim(ev->text));
	}
	return 0;
}

static int
handle(const struct xml_event *ev, void *state)
{
	struct reader *r = state;

	switch (ev->type) {
	case XML_OPEN:
		return open_element(r, ev);
	case XML_CLOSE:
		return close_element(r, ev);
	case XML_TEXT:
		if (r->in_key || r->in_string)
			buf_addslice(&r->text, ev->text);
		return 0;
	case XML_COMMENT:
		return take_comment(r, ev);
	default:
		return 0;
	}
}

int
plist_scan(struct slice text, struct plist *p, struct err *e)
{
	struct err own = {0};
	struct reader r = {.p = p, .dict = PLIST_NONE, .pending = PLIST_NONE, .e = &own};
	int rc;

	*p = (struct plist){0};
	r.before = (struct plist_node){.comment = {"", 0}, .mark = {"", 0}};
	rc = xml_text_check(text, &own);
	if (rc == 0)
		rc = xml_read(text, handle, &r, &own);
	if (rc == 0 && !r.root)
		rc = err_set(&own, "bad_catalog", "the property list is empty");
	if (rc < 0 && e)
		*e = own;
	buf_free(&r.text);
	return rc;
}

void
plist_free(struct plist *p)
{
	free(p->v);
	arena_free(&p->arena);
	*p = (struct plist){0};
}

size_t
plist_child(const struct plist *p, size_t dict, const char *key)
{
	size_t found = PLIST_NONE;

	for (size_t i = p->v[dict].first; i != PLIST_NONE; i = p->v[i].next)
		if (slice_is(p->v[i].key, key))
			found = i;
	return found;
}

bool
plist_is_string(const struct plist *p, size_t node)
{
	return node != PLIST_NONE && slice_is(p->v[node].kind, "string");
}
