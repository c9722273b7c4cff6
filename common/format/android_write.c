/* Merging into strings.xml: splices at the places that the scan found. */
#include "common/format/android.h"

#include "common/format/android_message.h"
#include "common/format/android_scan.h"
#include "common/format/android_text.h"
#include "common/format/edit.h"
#include "common/format/mark.h"
#include "common/format/xml_text.h"

#include <stdio.h>

struct merge {
	const struct catalog *old;
	const struct catalog_merge *how;
	struct slice text; /* of the file */
	struct android_file file;
	struct table places; /* key → index of its resource, + 1; an item's: << 32 */
	/* The same of the template, where the source has its tags; empty: none is there. */
	struct slice like_text;
	struct android_file like;
	struct table like_places;
	struct edits edits;
	struct arena arena;
	struct slice newline;
	bool named; /* an xliff:g was written */
	bool opened; /* something was put into resources that had none */
};

/* -- pieces of a resource -- */

static void
put_content(struct merge *m, struct slice text, const struct android_message *w, struct buf *out)
{
	android_text_write(text, &w->args, w->plural, w->markup, out, &m->named);
}

static void
put_item(struct merge *m, int category, const struct android_message *w, struct buf *out)
{
	buf_addf(out, "<item quantity=\"%s\">", plural_name((enum plural_category)category));
	put_content(m, w->forms.text[category], w, out);
	buf_adds(out, "</item>");
}

/* One level further in than a resource at that indentation. */
static void
put_deeper(struct slice indent, struct buf *out)
{
	buf_addslice(out, indent);
	buf_addslice(out, indent.len ? (indent.ptr[0] == '\t' ? S("\t") : indent) : S("    "));
}

static void
put_inside(struct merge *m, const struct android_message *w, struct slice indent, struct buf *out)
{
	if (!w->plural) {
		put_content(m, w->forms.text[PLURAL_OTHER], w, out);
		return;
	}
	for (int i = 0; i < PLURAL_CATEGORIES; i++) {
		if (!w->forms.text[i].ptr)
			continue;
		buf_addslice(out, m->newline);
		put_deeper(indent, out);
		put_item(m, i, w, out);
	}
	buf_addslice(out, m->newline);
	buf_addslice(out, indent);
}

static void
add_edit(struct merge *m, size_t start, size_t end, const struct buf *with)
{
	edits_add(&m->edits, start, end, buf_slice(with));
}

/* -- a resource that is there -- */

static struct slice
slice_of(const struct merge *m, struct catalog_span span)
{
	return (struct slice){m->text.ptr + span.start, span.end - span.start};
}

/* The comment that is the entry's mark, as it is to be now; raw: the new content. */
static void
set_mark(struct merge *m, const struct catalog_change *change, struct catalog_span mark,
    size_t element, struct slice raw)
{
	struct buf words = {0}, b = {0};
	bool needed = !m->how->template && mark_of(change, raw, &words);
	size_t end = mark.end;

	if (needed)
		xml_text_comment(buf_slice(&words), &b);
	if (needed && mark.end) {
		add_edit(m, mark.start, mark.end, &b);
	} else if (needed) {
		/* The first byte is replaced, so that nothing comes between the two. */
		buf_addslice(&b, m->newline);
		buf_addslice(&b, xml_text_indent(m->text, element));
		buf_addc(&b, '<');
		add_edit(m, element, element + 1, &b);
	} else if (mark.end) {
		while (end < element && strchr(" \t\r\n", m->text.ptr[end]))
			end++;
		edits_add(&m->edits, mark.start, end, S(""));
	}
	buf_free(&words);
	buf_free(&b);
}

/* The items of a <plurals> that is there; out: the new content. */
static void
edit_items(struct merge *m, const struct android_resource *r, const struct android_message *w,
    struct buf *out)
{
	struct edits edits = {0};
	struct buf b = {0};
	struct slice content = slice_of(m, r->content);
	struct slice indent = xml_text_indent(m->text, r->n ? r->items[0].span.start : 0);
	size_t base = r->content.start, place = 0;

	for (size_t k = 0; k < r->n; k++) {
		const struct android_item *item = &r->items[k];
		int category = plural_of_name(item->quantity);
		size_t start = item->span.start - base, end = item->span.end - base;
		if (category >= 0 && w->forms.text[category].ptr)
			continue;
		while (start > 0 && strchr(" \t\r\n", content.ptr[start - 1]))
			start--;
		edits_add(&edits, start, end, S(""));
	}
	for (int i = 0; i < PLURAL_CATEGORIES; i++) {
		const struct android_item *item = NULL;
		/* Of two the reader takes the first. */
		for (size_t k = 0; k < r->n && !item; k++)
			if (plural_of_name(r->items[k].quantity) == i)
				item = &r->items[k];
		buf_reset(&b);
		if (item && w->forms.text[i].ptr && !slice_eq(item->text, w->forms.text[i])) {
			bool hollow = content.ptr[item->content.start - base - 2] == '/';
			if (hollow)
				put_item(m, i, w, &b);
			else
				put_content(m, w->forms.text[i], w, &b);
			edits_add(&edits, (hollow ? item->span.start : item->content.start) - base,
			    (hollow ? item->span.end : item->content.end) - base, buf_slice(&b));
		} else if (!item && w->forms.text[i].ptr) {
			buf_addslice(&b, m->newline);
			buf_addslice(&b, indent);
			put_item(m, i, w, &b);
			edits_add(&edits, place, place, buf_slice(&b));
		}
		if (item)
			place = item->span.end - base;
	}
	if (!edits_apply(&edits, content, out))
		put_inside(m, w, xml_text_indent(m->text, r->span.start), out);
	edits_free(&edits);
	buf_free(&b);
}

/* The whole element anew, where its kind changes or it was <string …/>. */
static void
replace_element(struct merge *m, const struct android_resource *r, const struct android_message *w,
    struct slice inside)
{
	static const char *const words[] = {"string", "plurals", "string-array"};
	const char *was = words[r->type], *now = words[w->plural];
	size_t start = r->span.start + 1 + strlen(was), end = r->content.start - 1;
	struct buf b = {0};

	if (m->text.ptr[end - 1] == '/')
		end--;
	buf_addf(&b, "%s%.*s", now, (int)(end - start), m->text.ptr + start);
	if (android_is_unformatted(w) && r->formatted)
		buf_adds(&b, " formatted=\"false\"");
	buf_addc(&b, '>');
	buf_addslice(&b, inside);
	buf_addf(&b, "</%s>", now);
	/* The '<' stays: a mark may go before it. */
	add_edit(m, r->span.start + 1, r->span.end, &b);
	buf_free(&b);
}

/* How the element of that key has its tags, of the places of a file. */
static enum android_markup
markup_at(const struct table *places, const struct android_file *file, struct slice text,
    struct slice key)
{
	const uint64_t *at = table_get(places, key);
	enum android_markup markup = ANDROID_NO_MARKUP;

	if (!at)
		return markup;
	const struct android_resource *r = &file->v[(*at & UINT32_MAX) - 1];
	for (size_t k = 0; k < r->n && markup == ANDROID_NO_MARKUP; k++) {
		struct catalog_span content = r->items[k].content;
		if (r->type != ANDROID_ARRAY || k == *at >> 32)
			markup = android_markup_of((struct slice){
			    text.ptr + content.start, content.end - content.start});
	}
	return markup;
}

/* What a change comes to; had: the text that is there; false: say() has refused it before. */
static bool
encode(struct merge *m, const struct catalog_change *change, struct slice had,
    struct android_message *w)
{
	if (android_message_of(change, change->value, m->how->locale, had, &m->arena, w, NULL) < 0)
		return false;
	w->markup = m->how->template
	    ? markup_at(&m->places, &m->file, m->text, change->key)
	    : markup_at(&m->like_places, &m->like, m->like_text, change->key);
	return true;
}

static void
change_resource(struct merge *m, const struct catalog_change *change,
    const struct android_resource *r)
{
	bool hollow = m->text.ptr[r->content.start - 2] == '/' && r->content.start == r->span.end;
	struct slice had = r->type == ANDROID_STRING && r->n ? r->items[0].text : S("");
	struct android_message w;
	struct buf inside = {0};

	if (change->keep_text) {
		set_mark(m, change, r->mark, r->span.start, slice_of(m, r->content));
		return;
	}
	if (strcmp(catalog_guess_format(had), "printf") != 0)
		had = S("");
	if (!encode(m, change, had, &w))
		return; /* say() has refused it before */
	bool same_kind = w.plural == (r->type == ANDROID_PLURALS) && !hollow;
	if (same_kind && w.plural && r->n)
		edit_items(m, r, &w, &inside);
	else
		put_inside(m, &w, xml_text_indent(m->text, r->span.start), &inside);
	if (same_kind && android_is_unformatted(&w) && r->formatted)
		xml_text_set(&m->edits,
		    slice_of(m, (struct catalog_span){r->span.start, r->content.start}),
		    r->span.start, "formatted", S("false"));
	if (same_kind)
		add_edit(m, r->content.start, r->content.end, &inside);
	else
		replace_element(m, r, &w, buf_slice(&inside));
	set_mark(m, change, r->mark, r->span.start, buf_slice(&inside));
	buf_free(&inside);
}

/* An item of a <string-array>. */
static void
change_item(struct merge *m, const struct catalog_change *change, const struct android_item *item)
{
	bool hollow = item->content.start == item->span.end;
	struct android_message w;
	struct buf inside = {0}, b = {0};

	if (change->keep_text) {
		set_mark(m, change, item->mark, item->span.start, slice_of(m, item->content));
		return;
	}
	if (!encode(m, change, S(""), &w) || w.plural)
		return;
	put_content(m, w.forms.text[PLURAL_OTHER], &w, &inside);
	buf_addf(&b, "item>%s</item>", inside.len ? inside.ptr : "");
	if (hollow)
		add_edit(m, item->span.start + 1, item->span.end, &b);
	else
		add_edit(m, item->content.start, item->content.end, &inside);
	set_mark(m, change, item->mark, item->span.start, buf_slice(&inside));
	buf_free(&inside);
	buf_free(&b);
}

/* -- new ones -- */

/* What is told before a new element: its mark, or in the template its description. */
static void
put_before(struct merge *m, const struct catalog_change *change, struct slice raw,
    struct slice indent, struct buf *out)
{
	struct buf words = {0};

	if (m->how->template) {
		if (change->description.len)
			buf_addf(&words, " %.*s ", (int)change->description.len,
			    change->description.ptr);
	} else {
		mark_of(change, raw, &words);
	}
	if (words.len) {
		xml_text_comment(buf_slice(&words), out);
		buf_addslice(out, m->newline);
		buf_addslice(out, indent);
	}
	buf_free(&words);
}

/* How deep resources stand in this file. */
static struct slice
indent_of(const struct merge *m)
{
	return m->file.n ? xml_text_indent(m->text, m->file.v[0].span.start) : S("    ");
}

/* Where to put something when nothing before it is there. */
static size_t
default_place(const struct merge *m)
{
	return m->file.n ? m->file.v[m->file.n - 1].span.end : m->file.content.start;
}

static void
insert(struct merge *m, size_t place, const struct buf *element)
{
	struct buf b = {0};

	buf_addslice(&b, m->newline);
	buf_addslice(&b, indent_of(m));
	buf_addslice(&b, buf_slice(element));
	add_edit(m, place, place, &b);
	m->opened |= m->file.n == 0;
	buf_free(&b);
}

static void
add_resource(struct merge *m, const struct catalog_change *change, size_t place)
{
	struct slice indent = indent_of(m);
	const char *word;
	struct android_message w;
	struct buf inside = {0}, b = {0};

	if (!encode(m, change, S(""), &w))
		return;
	word = w.plural ? "plurals" : "string";
	put_inside(m, &w, indent, &inside);
	put_before(m, change, buf_slice(&inside), indent, &b);
	buf_addf(&b, "<%s", word);
	xml_text_attribute("name", change->key, &b);
	if (android_is_unformatted(&w))
		buf_adds(&b, " formatted=\"false\"");
	buf_addf(&b, ">%s</%s>", inside.len ? inside.ptr : "", word);
	insert(m, place, &b);
	buf_free(&inside);
	buf_free(&b);
}

/* Whether the key is item i of the array called like the first `len` bytes of name. */
static bool
is_item(struct slice key, struct slice name, size_t len, size_t i)
{
	char tail[32];

	snprintf(tail, sizeof(tail), "[%zu]", i);
	return key.len == len + strlen(tail) && memcmp(key.ptr, name.ptr, len) == 0 &&
	    slice_ends(key, tail);
}

/*
 * A whole <string-array>, where all its items follow each other in the stream
 * and all are written: one that is not whole would have them in wrong places.
 * The number of changes that are done with.
 */
static size_t
add_array(struct merge *m, size_t first, size_t place)
{
	const struct catalog_change *changes = m->how->changes;
	struct slice name = changes[first].key, indent = indent_of(m);
	const char *bracket = memchr(name.ptr, '[', name.len);
	size_t len = (size_t)(bracket - name.ptr), n = 0;
	struct buf b = {0}, inside = {0};
	bool whole = true;
	struct android_message w;

	buf_adds(&b, "<string-array");
	xml_text_attribute("name", (struct slice){name.ptr, len}, &b);
	buf_addc(&b, '>');
	while (first + n < m->how->n && is_item(changes[first + n].key, name, len, n)) {
		const struct catalog_change *change = &changes[first + n++];
		whole = whole && change->write && encode(m, change, S(""), &w) && !w.plural;
		if (!whole)
			continue;
		buf_reset(&inside);
		put_content(m, w.forms.text[PLURAL_OTHER], &w, &inside);
		buf_addslice(&b, m->newline);
		put_deeper(indent, &b);
		struct buf deeper = {0};
		put_deeper(indent, &deeper);
		put_before(m, change, buf_slice(&inside), buf_slice(&deeper), &b);
		buf_free(&deeper);
		buf_addf(&b, "<item>%s</item>", inside.len ? inside.ptr : "");
	}
	buf_addslice(&b, m->newline);
	buf_addslice(&b, indent);
	buf_adds(&b, "</string-array>");
	if (whole && n)
		insert(m, place, &b);
	buf_free(&b);
	buf_free(&inside);
	return n ? n : 1;
}

/* -- the file -- */

static void
list_places(const struct android_file *file, struct table *places, struct arena *arena)
{
	for (size_t i = 0; i < file->n; i++) {
		const struct android_resource *r = &file->v[i];
		size_t n = r->type == ANDROID_ARRAY ? r->n : 1;
		for (size_t k = 0; k < n; k++)
			*table_put(places, android_key(r, k, arena), NULL) =
			    (i + 1) | (uint64_t)k << 32;
	}
}

static void
change_all(struct merge *m)
{
	size_t place = default_place(m), step;

	for (size_t i = 0; i < m->how->n; i += step) {
		const struct catalog_change *change = &m->how->changes[i];
		const uint64_t *at = table_get(&m->places, change->key);
		step = 1;
		if (!at) {
			if (memchr(change->key.ptr, '[', change->key.len))
				step = add_array(m, i, place);
			else if (change->write && !memchr(change->key.ptr, '#', change->key.len))
				add_resource(m, change, place);
			continue;
		}
		const struct android_resource *r = &m->file.v[(*at & UINT32_MAX) - 1];
		if (change->write && r->type == ANDROID_ARRAY)
			change_item(m, change, &r->items[*at >> 32]);
		else if (change->write)
			change_resource(m, change, r);
		place = r->span.end;
	}
}

/* What new elements need around them: an end of the root, its namespace. */
static void
finish(struct merge *m)
{
	const struct android_file *f = &m->file;
	struct buf b = {0};

	if (m->named && !f->has_xliff)
		edits_add(&m->edits, f->root_name, f->root_name,
		    S(" xmlns:xliff=\"urn:oasis:names:tc:xliff:document:1.2\""));
	if (m->opened && f->hollow) {
		edits_add(&m->edits, f->content.start - 2, f->content.start, S(">"));
		buf_addslice(&b, m->newline);
		buf_adds(&b, "</resources>");
		add_edit(m, f->content.start, f->content.start, &b);
	} else if (m->opened && !memchr(m->text.ptr + f->content.start, '\n',
				    f->content.end - f->content.start)) {
		add_edit(m, f->content.end, f->content.end, &b);
		edits_add(&m->edits, f->content.end, f->content.end, m->newline);
	}
	buf_free(&b);
}

int
android_merge(const struct catalog *old, const struct catalog_merge *how, struct buf *out,
    struct err *e)
{
	struct merge m = {.old = old, .how = how, .text = old->text};
	int rc = android_scan(old->text, &m.file, e);

	m.newline = xml_text_newline(old->text);
	if (how->source && !how->template) {
		m.like_text = how->source->text;
		if (android_scan(m.like_text, &m.like, NULL) == 0)
			list_places(&m.like, &m.like_places, &m.arena);
	}
	if (rc == 0) {
		list_places(&m.file, &m.places, &m.arena);
		change_all(&m);
		finish(&m);
		if (old->bom)
			buf_adds(out, "\xef\xbb\xbf");
		if (!edits_apply(&m.edits, old->text, out))
			rc = err_set(e, "bad_catalog", "its changes overlap: nothing was written");
	}
	edits_free(&m.edits);
	table_free(&m.places);
	table_free(&m.like_places);
	android_scan_free(&m.file);
	android_scan_free(&m.like);
	arena_free(&m.arena);
	return rc;
}
