/* Merging into PO: whole entries are the pieces that stay or are written anew. */
#include "common/format/po.h"

#include "common/format/edit.h"
#include "common/format/po_comment.h"
#include "common/format/po_message.h"

#include <stdio.h>
#include <stdlib.h>

struct merge {
	const struct catalog *old;
	struct slice locale; /* empty: a template */
	struct po_forms forms;
	struct edits edits;
	struct arena arena;
	struct buf text;
	size_t base;
	bool crlf;	      /* the file's lines end so */
	struct table written; /* context EOT msgid of new entries */
	bool *used;	      /* by entry of old: a change was about it */
};

void
po_skeleton(struct slice locale, const char *project, struct buf *out)
{
	struct buf plural = {0};

	buf_adds(out, "msgid \"\"\nmsgstr \"\"\n");
	buf_addf(out, "\"Project-Id-Version: %s\\n\"\n", project);
	buf_adds(out, "\"PO-Revision-Date: \\n\"\n\"Last-Translator: \\n\"\n");
	buf_addf(out, "\"Language-Team: %.*s\\n\"\n", (int)locale.len, locale.ptr);
	buf_addf(out, "\"Language: %.*s\\n\"\n", (int)locale.len, locale.ptr);
	buf_adds(out, "\"MIME-Version: 1.0\\n\"\n");
	buf_adds(out, "\"Content-Type: text/plain; charset=UTF-8\\n\"\n");
	buf_adds(out, "\"Content-Transfer-Encoding: 8bit\\n\"\n");
	if (locale.len && plural_po_header(locale, &plural))
		buf_addf(out, "\"Plural-Forms: %s\\n\"\n", plural.ptr);
	buf_free(&plural);
}

/* -- one entry -- */

/* Lines of the old entry that stay: all comments but flags and previous text, and their spacing. */
static void
keep_comments(const struct merge *m, const struct catalog_entry *e, struct buf *out)
{
	const char *p = m->old->text.ptr + e->span.start - m->base;
	const char *end = m->old->text.ptr + e->span.end - m->base;
	struct slice rest;

	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((lf ? lf : end) - p);
		if (len && p[len - 1] == '\r')
			len--;
		char mark = po_line((struct slice){p, len}, &rest);
		if (!mark)
			break;
		if (!strchr(",|~=", mark)) {
			buf_add(out, p, len);
			buf_addc(out, '\n');
		}
		p = lf ? lf + 1 : end;
	}
}

static void
add_flag(struct slice flag, struct buf *flags)
{
	if (!flag.len)
		return;
	buf_adds(flags, flags->len ? ", " : "#, ");
	buf_addslice(flags, flag);
}

/* The old flags, but fuzzy as it is now, and the format's where none was. */
static void
put_flags(struct slice old, bool fuzzy, const char *format, struct buf *out)
{
	struct buf flags = {0};
	const char *p = old.len ? old.ptr : "", *end = p + old.len;
	bool has_format = false;

	if (fuzzy)
		add_flag(S("fuzzy"), &flags);
	while (p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		struct slice one = {p, (size_t)((comma ? comma : end) - p)};
		p += one.len + 1;
		one = slice_trim(one);
		has_format |= slice_ends(one, "-format");
		if (!slice_is(one, "fuzzy"))
			add_flag(one, &flags);
	}
	if (format && !has_format)
		add_flag(slice(format), &flags);
	if (flags.len)
		buf_addc(&flags, '\n');
	buf_addslice(out, buf_slice(&flags));
	buf_free(&flags);
}

/* How an entry is to read. */
struct wanted {
	struct slice context, previous_context;
	struct po_source source, previous;
	bool fuzzy, has_previous;
	struct slice values[PLURAL_FORMS_MAX];
	size_t n; /* 0: untranslated */
};

static void
put_strings(const struct merge *m, const struct wanted *w, struct buf *out)
{
	char keyword[32];

	if (w->has_previous && w->fuzzy) {
		if (w->previous_context.ptr)
			po_put("#| msgctxt", w->previous_context, out);
		po_put("#| msgid", w->previous.id, out);
		if (w->previous.plural.ptr)
			po_put("#| msgid_plural", w->previous.plural, out);
	}
	if (w->context.ptr)
		po_put("msgctxt", w->context, out);
	po_put("msgid", w->source.id, out);
	if (!w->source.plural.ptr) {
		po_put("msgstr", w->n ? w->values[0] : S(""), out);
		return;
	}
	po_put("msgid_plural", w->source.plural, out);
	size_t forms = m->locale.len ? m->forms.n : 2;
	for (size_t i = 0; i < forms; i++) {
		snprintf(keyword, sizeof(keyword), "msgstr[%zu]", i);
		po_put(keyword, i < w->n ? w->values[i] : S(""), out);
	}
}

/* Continuation lines of #| need their mark too. */
static void
mark_previous(struct buf *b)
{
	struct buf out = {0};
	const char *p = b->ptr, *end = p + b->len;
	bool previous = false;

	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((lf ? lf : end) - p) + (lf ? 1 : 0);
		if (*p != '"')
			previous = len > 1 && p[0] == '#' && p[1] == '|';
		else if (previous)
			buf_adds(&out, "#| ");
		buf_add(&out, p, len);
		p += len;
	}
	buf_free(b);
	*b = out;
}

/* What stands for the number in an existing printf plural: "%d". */
static struct slice
conversion_of(const struct catalog_entry *e)
{
	const char *p, *end;

	if (!e || !e->source_plural.ptr || strcmp(e->format, "printf") != 0)
		return S("");
	p = e->source_plural.ptr;
	end = p + e->source_plural.len;
	while ((p = memchr(p, '%', (size_t)(end - p))) && p + 1 < end && p[1] == '%')
		p += 2;
	if (!p)
		return S("");
	size_t n = 1;
	while (p + n < end && !strchr("diu", p[n]))
		n++;
	return (struct slice){p, p + n < end ? n + 1 : n};
}

/* The values that the entry is to have; false where the message cannot be told in forms. */
static bool
want_values(struct merge *m, const struct catalog_change *c, const struct catalog_entry *e,
    struct wanted *w)
{
	if (!m->locale.len)
		return true;
	if (c->write && w->source.plural.ptr) {
		w->n = m->forms.n;
		if (!po_values_of(
			c->value, c->format, &m->forms, conversion_of(e), &m->arena, w->values))
			w->n = 0;
		return w->n > 0;
	}
	if (c->write) {
		w->values[0] = po_value_of(c->value, c->format, &m->arena);
		w->n = 1;
		return true;
	}
	/* What was there stays, where it has the shape that is needed now. */
	if (e && (e->source_plural.ptr != NULL) == (w->source.plural.ptr != NULL) &&
	    e->nvalues <= PLURAL_FORMS_MAX) {
		w->n = e->nvalues;
		memcpy(w->values, e->values, e->nvalues * sizeof(*w->values));
	} else if (e && e->nvalues) {
		w->n = w->source.plural.ptr ? m->forms.n : 1;
		for (size_t i = 0; i < w->n; i++)
			w->values[i] = e->values[i < e->nvalues ? i : e->nvalues - 1];
	}
	return true;
}

static void
want(struct merge *m, const struct catalog_change *c, const struct catalog_entry *e,
    struct wanted *w)
{
	*w = (struct wanted){.context = c->context};
	po_source_of(c->source, c->format, &m->arena, &w->source);
	if (e && !c->old_source.ptr) {
		/* The source stands as it is; a printf plural stays one. */
		w->source.id = e->source;
		w->source.plural = e->source_plural;
		w->context = e->context;
	}
	if (!want_values(m, c, e, w))
		w->n = 0;
	bool empty = true;
	for (size_t i = 0; i < w->n; i++)
		empty &= w->values[i].len == 0;
	if (c->write)
		w->fuzzy = c->stale || c->state == CATALOG_DRAFT || c->state == CATALOG_FUZZY;
	else
		w->fuzzy = c->old_source.ptr || (e && po_flag(e->flags, "fuzzy"));
	w->fuzzy &= !empty && m->locale.len > 0;
	if (c->old_source.ptr && w->fuzzy) {
		w->has_previous = true;
		po_source_of(c->old_source, c->format, &m->arena, &w->previous);
	} else if (e && e->previous.ptr && w->fuzzy) {
		w->has_previous = true;
		w->previous =
		    (struct po_source){.id = e->previous, .plural = e->previous_plural};
		w->previous_context = e->previous_context;
	}
}

static void
put_entry(struct merge *m, const struct catalog_change *c, const struct catalog_entry *e,
    const struct wanted *w, struct buf *out)
{
	struct buf strings = {0};

	if (e) {
		keep_comments(m, e, out);
	} else {
		po_put_comment("#.", c->description, out);
		if (!slice_eq(c->key, w->source.id) || po_looks_like_key(c->description))
			po_put_key(c->key, out);
		po_put_comment("#:", c->reference, out);
	}
	/* What stands in the file needs no flag that it did without. */
	put_flags(e ? e->flags : S(""), w->fuzzy, e && !c->old_source.ptr ? NULL : w->source.flag,
	    out);
	put_strings(m, w, &strings);
	mark_previous(&strings);
	buf_addslice(out, buf_slice(&strings));
	buf_free(&strings);
}

static bool
same_values(const struct catalog_entry *e, const struct wanted *w)
{
	for (size_t i = 0; i < w->n || i < e->nvalues; i++) {
		struct slice a = i < e->nvalues ? e->values[i] : S("");
		struct slice b = i < w->n ? w->values[i] : S("");
		if (!slice_eq(a, b))
			return false;
	}
	return true;
}

/* Whether the entry reads so already: then its bytes stay. */
static bool
is_same(const struct catalog_entry *e, const struct wanted *w)
{
	return !e->obsolete && slice_eq(e->source, w->source.id) &&
	    (e->source_plural.ptr != NULL) == (w->source.plural.ptr != NULL) &&
	    (!e->source_plural.ptr || slice_eq(e->source_plural, w->source.plural)) &&
	    (e->context.ptr != NULL) == (w->context.ptr != NULL) &&
	    (!e->context.ptr || slice_eq(e->context, w->context)) &&
	    po_flag(e->flags, "fuzzy") == w->fuzzy && same_values(e, w);
}

/* -- the file -- */

static bool
is_read_from(const struct catalog *c, const struct catalog_entry *e,
    const struct catalog_change *change)
{
	struct buf source = {0};
	bool same = catalog_source_message(c, e, &source) &&
	    slice_eq(buf_slice(&source), change->source) &&
	    (e->context.ptr != NULL) == (change->context.ptr != NULL) &&
	    (!e->context.ptr || slice_eq(e->context, change->context));

	buf_free(&source);
	return same;
}

struct catalog_entry *
po_find(const struct catalog *c, const struct catalog_change *change)
{
	struct catalog_entry *e = catalog_find(c, change->key);
	struct arena arena = {0};
	struct po_source s;

	/* A bare msgid is the key of records that were read from this file; else it is chance. */
	if (!e || (slice_eq(e->key, e->source) && !is_read_from(c, e, change))) {
		po_source_of(change->source, change->format, &arena, &s);
		e = catalog_find_source(c, change->context, s.id);
		if (!e && change->old_source.ptr) {
			po_source_of(change->old_source, change->format, &arena, &s);
			e = catalog_find_source(c, change->context, s.id);
		}
		/* One text under two keys that are translated differently: the key is its context.
		 */
		if (e && !slice_eq(e->key, e->source) && !slice_eq(e->key, change->key))
			e = NULL;
	}
	arena_free(&arena);
	return e;
}

/* The new entry's name; false where the file would have it twice. */
static bool
is_new(struct merge *m, const struct wanted *w)
{
	struct buf name = {0};
	bool added;

	if (w->context.ptr) {
		buf_addslice(&name, w->context);
		buf_addc(&name, '\004');
	}
	buf_addslice(&name, w->source.id);
	struct slice key = {arena_copy(&m->arena, name.ptr ? name.ptr : "", name.len), name.len};
	buf_free(&name);
	table_put(&m->written, key, &added);
	return added && !catalog_find_source(m->old, w->context, w->source.id);
}

/* What was put together, with the line ends of the file. */
static struct slice
in_lines(struct merge *m)
{
	struct buf *b = &m->text, out = {0};

	if (!m->crlf)
		return buf_slice(b);
	for (size_t i = 0; i < b->len; i++) {
		if (b->ptr[i] == '\n')
			buf_addc(&out, '\r');
		buf_addc(&out, b->ptr[i]);
	}
	buf_free(b);
	*b = out;
	return buf_slice(b);
}

static void
insert(struct merge *m, const struct catalog_change *c, struct wanted *w, size_t place)
{
	struct buf *b = &m->text;

	if (!is_new(m, w)) {
		w->context = c->key;
		if (!is_new(m, w))
			return;
	}
	buf_reset(b);
	bool line_end = place == 0 || m->old->text.ptr[place - 1] == '\n';
	buf_adds(b, place == 0 ? "" : line_end ? "\n" : "\n\n");
	put_entry(m, c, NULL, w, b);
	/* Behind an entry stands its own line feed already. */
	if (b->len && place < m->old->text.len && !line_end)
		buf_cut(b, b->len - 1);
	edits_add(&m->edits, place, place, in_lines(m));
}

static void
replace(struct merge *m, const struct catalog_change *c, const struct catalog_entry *e,
    const struct wanted *w)
{
	struct buf *b = &m->text;

	if (is_same(e, w))
		return;
	buf_reset(b);
	put_entry(m, c, e, w, b);
	buf_cut(b, b->len - 1); /* the old entry's line feed stays */
	edits_add(&m->edits, e->span.start - m->base, e->span.end - m->base, in_lines(m));
}

/* A header that lacks Plural-Forms gets it at its end when a plural comes in. */
static void
complete_header(struct merge *m, bool plurals)
{
	struct buf line = {0};
	const struct catalog *c = m->old;

	buf_adds(&line, m->crlf ? "\r\n\"Plural-Forms: " : "\n\"Plural-Forms: ");
	if (plurals && m->locale.len && !c->plural_forms.len && c->head.values &&
	    c->head.span.end && plural_po_header(m->locale, &line)) {
		buf_adds(&line, "\\n\"");
		edits_add(&m->edits, c->head.span.end - m->base, c->head.span.end - m->base,
		    buf_slice(&line));
	}
	buf_free(&line);
}

/* Behind the last entry that is in use: obsolete ones stay at the end. */
static size_t
default_place(const struct merge *m)
{
	const struct catalog *c = m->old;
	size_t end = c->head.span.end;

	for (size_t i = 0; i < c->n; i++)
		if (!c->entries[i].obsolete)
			end = c->entries[i].span.end;
	return end ? end - m->base : c->text.len;
}

int
po_merge(const struct catalog *old, struct slice locale, const struct catalog_change *changes,
    size_t n, struct buf *out, struct err *e)
{
	struct merge m = {.old = old, .locale = locale, .base = old->bom ? 3 : 0};
	bool plurals = false;
	size_t place = default_place(&m);

	m.crlf = memmem(old->text.ptr, old->text.len, "\r\n", 2) != NULL;
	if (locale.len && po_forms_of(old->plural_forms, locale, &m.forms, e) < 0)
		return -1;
	m.used = xcalloc(old->n + 1, sizeof(*m.used));
	for (size_t i = 0; i < n; i++) {
		const struct catalog_entry *entry = po_find(old, &changes[i]);
		struct wanted w;

		/* Two keys with one text: the first has the entry. */
		if (entry && m.used[entry - old->entries])
			entry = NULL;
		if (entry)
			m.used[entry - old->entries] = true;
		want(&m, &changes[i], entry, &w);
		plurals |= w.source.plural.ptr != NULL;
		if (entry) {
			replace(&m, &changes[i], entry, &w);
			place = entry->span.end - m.base;
		} else {
			insert(&m, &changes[i], &w, place);
		}
	}
	complete_header(&m, plurals);
	if (old->bom)
		buf_adds(out, "\xef\xbb\xbf");
	if (!edits_apply(&m.edits, old->text, out))
		die(STATUS_FAILED, "%s: changes overlap: this is a fault of the program",
		    old->name);
	edits_free(&m.edits);
	table_free(&m.written);
	free(m.used);
	arena_free(&m.arena);
	buf_free(&m.text);
	return 0;
}
