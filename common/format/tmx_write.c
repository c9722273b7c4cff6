/* Merging into TMX: one language of the file at a time. */
#include "common/format/tmx.h"

#include "common/format/arb.h"
#include "common/format/mark.h"
#include "common/format/po_message.h"
#include "common/format/tmx_scan.h"
#include "common/format/xliff_message.h"
#include "common/format/xml_text.h"
#include "common/locale.h"

#include <stdlib.h>

struct merge {
	const struct catalog *old;
	const struct catalog_merge *how;
	struct slice text; /* of the file */
	struct tmx_file file;
	struct table keys; /* → index of the unit, + 1 */
	struct edits edits;
	struct arena arena;
	struct slice newline;
};

static struct slice
copy(struct merge *m, struct slice text)
{
	return (struct slice){arena_copy(&m->arena, text.len ? text.ptr : "", text.len), text.len};
}

static bool
same_locale(struct slice a, struct slice b)
{
	char x[LOCALE_MAX], y[LOCALE_MAX];

	if (slice_eq(a, b))
		return true;
	return a.len && locale_canonical(a, x) && locale_canonical(b, y) && strcmp(x, y) == 0;
}

static struct tmx_variant *
find_variant(const struct tmx_unit *u, struct slice locale)
{
	for (size_t i = 0; i < u->n; i++)
		if (same_locale(u->v[i].locale, locale))
			return &u->v[i];
	return NULL;
}

/* The header's source language; empty where it says none, or "*all*": each unit says its own. */
static struct slice
file_source(const struct merge *m)
{
	return slice_is(m->old->source_locale, TMX_ALL) ? S("") : m->old->source_locale;
}

/* What a source text that is added is in. */
static struct slice
new_source(const struct merge *m)
{
	return file_source(m).len ? file_source(m) : m->how->source_locale;
}

/* The unit's text in its source language, or a region of it; NULL: there is none. */
static struct tmx_variant *
find_source(const struct merge *m, const struct tmx_unit *u)
{
	struct slice source = u->source.len ? u->source : new_source(m);
	struct tmx_variant *v = find_variant(u, source);

	for (size_t i = 0; i < u->n && !v; i++)
		if (u->v[i].locale.len > source.len && source.len &&
		    memcmp(u->v[i].locale.ptr, source.ptr, source.len) == 0 &&
		    strchr("-_", u->v[i].locale.ptr[source.len]))
			v = &u->v[i];
	return v;
}

/* The same, else the first text, as the reader has it. */
static struct tmx_variant *
source_of(const struct merge *m, const struct tmx_unit *u)
{
	struct tmx_variant *v = find_source(m, u);

	return v ? v : u->n ? &u->v[0] : NULL;
}

/* Whether a unit can hold a translation: one without texts, or from that language, cannot. */
static bool
has_place(const struct merge *m, const struct tmx_unit *u)
{
	return u->n && !(u->source.len && same_locale(u->source, m->how->locale));
}

static void
list_keys(struct merge *m)
{
	for (size_t i = 0; i < m->file.n; i++) {
		const struct tmx_unit *u = &m->file.units[i];
		const struct tmx_variant *source = source_of(m, u);
		if (!has_place(m, u))
			continue;
		if (u->tuid.len)
			*table_put(&m->keys, u->tuid, NULL) = i + 1;
		else
			*table_put(&m->keys, source->text, NULL) = i + 1;
	}
}

/* -- writing -- */

/* The text as the file has it: gen-l10n's spelling of ICU, as gettext's. */
static struct slice
text_of(struct slice text, const char *format, struct arena *arena)
{
	return strcmp(format, "icu") == 0 || strncmp(format, "arb", 3) == 0
	    ? po_value_of(text, format, arena)
	    : text;
}

static void
put_line(const struct merge *m, struct slice indent, int deeper, struct buf *out)
{
	buf_addslice(out, m->newline);
	buf_addslice(out, indent);
	for (int i = 0; i < deeper; i++)
		buf_adds(out, indent.len && indent.ptr[0] == '\t' ? "\t" : "  ");
}

static void
put_property(const char *type, struct slice words, struct buf *out)
{
	buf_addf(out, "<prop type=\"%s\">%.*s</prop>", type, (int)words.len, words.ptr);
}

/*
 * The words about a translation: its state, and the hashes of its text and of
 * the source that it was made from, as the file has them.
 */
static void
put_status(const struct catalog_change *change, struct slice source_hash, struct slice text,
    struct buf *out)
{
	struct catalog_change c = *change;
	struct buf words = {0};

	c.was_hash = source_hash;
	if (mark_words_of(&c, text, &words))
		put_property(TMX_STATUS, buf_slice(&words), out);
	buf_free(&words);
}

/*
 * Which source a translation is of: the unit's, but for a stale one the source
 * before this, where the file remembers it.
 */
static struct slice
source_hash(struct merge *m, const struct catalog_change *change, struct slice source)
{
	const struct catalog_entry *e;
	struct buf b = {0};
	struct slice hash = S("");

	if (change->stale) {
		e = m->how->now ? catalog_find(m->how->now, change->key) : NULL;
		if (!e || !change->keep_text)
			return hash;
		if (e->was_hash.len || !change->old_source.ptr)
			return e->was_hash;
		source = e->source;
	}
	arb_hash(source, &b);
	hash = copy(m, buf_slice(&b));
	buf_free(&b);
	return hash;
}

/* Text as the content of a <seg>: the codes of its unit stand where it says what they say. */
static void
put_text(const struct tmx_variant *like, struct slice text, const char *format, struct buf *out)
{
	xliff_put_target(text, format, false, like ? like->codes : NULL, like ? like->ncodes : 0,
	    out);
}

/* change: of a translation, else NULL; hash: of its source. */
static void
put_variant(struct merge *m, struct slice locale, struct slice text, const struct tmx_variant *like,
    const struct catalog_change *change, struct slice hash, struct slice indent, int deeper,
    struct buf *out)
{
	put_line(m, indent, deeper, out);
	buf_adds(out, "<tuv");
	xml_text_attribute("xml:lang", locale, out);
	buf_addc(out, '>');
	if (change)
		put_status(change, hash, text, out);
	buf_adds(out, "<seg>");
	put_text(like, text, change ? change->format : "plain", out);
	buf_adds(out, "</seg></tuv>");
}

static void
add_unit(struct merge *m, const struct catalog_change *change, size_t place)
{
	struct slice indent = m->file.n ? xml_text_indent(m->text, m->file.units[0].span.start) : S("    ");
	struct slice source = text_of(change->source, change->format, &m->arena);
	struct slice text = text_of(change->value, change->format, &m->arena);
	struct buf b = {0};

	put_line(m, indent, 0, &b);
	buf_adds(&b, "<tu");
	xml_text_attribute("tuid", change->key, &b);
	buf_addc(&b, '>');
	if (strcmp(catalog_guess_format(source), change->format) != 0) {
		put_line(m, indent, 1, &b);
		put_property(TMX_FORMAT, slice(change->format), &b);
	}
	put_variant(m, new_source(m), source, NULL, NULL, S(""), indent, 1, &b);
	put_variant(m, m->how->locale, text, NULL, change, source_hash(m, change, source), indent,
	    1, &b);
	put_line(m, indent, 0, &b);
	buf_adds(&b, "</tu>");
	edits_add(&m->edits, place, place, buf_slice(&b));
	buf_free(&b);
}

/* The content of a <seg>, or of <seg/> the whole tag. */
static void
set_text(struct merge *m, const struct tmx_variant *v, const struct tmx_variant *like,
    struct slice text, const char *format)
{
	size_t start = v->seg.start, end = v->seg.end;
	bool hollow = m->text.ptr[start - 2] == '/';
	struct buf b = {0};

	while (hollow && m->text.ptr[start] != '<')
		start--;
	if (hollow)
		buf_adds(&b, "<seg>");
	put_text(like, text, format, &b);
	if (hollow)
		buf_adds(&b, "</seg>");
	edits_add(&m->edits, start, end, buf_slice(&b));
	buf_free(&b);
}

static void
set_status(struct merge *m, const struct tmx_variant *v, const struct catalog_change *change,
    struct slice hash, struct slice text)
{
	struct buf b = {0};

	put_status(change, hash, text, &b);
	if (v->status.end)
		edits_add(&m->edits, v->status.start, v->status.end, buf_slice(&b));
	else
		edits_add(&m->edits, v->tag.end, v->tag.end, buf_slice(&b));
	buf_free(&b);
}

/* A <tuv> without a <seg> gets one; <tuv/> is opened for it. */
static void
add_text(struct merge *m, const struct tmx_variant *v, const struct tmx_variant *like,
    const struct catalog_change *change, struct slice hash, struct slice text)
{
	bool hollow = m->text.ptr[v->tag.end - 2] == '/';
	struct buf b = {0};

	if (hollow) {
		buf_addc(&b, '>');
		put_status(change, hash, text, &b);
	} else {
		set_status(m, v, change, hash, text);
	}
	buf_adds(&b, "<seg>");
	put_text(like, text, change->format, &b);
	buf_adds(&b, hollow ? "</seg></tuv>" : "</seg>");
	if (hollow)
		edits_add(&m->edits, v->tag.end - 2, v->tag.end, buf_slice(&b));
	else
		edits_add(&m->edits, v->end_tag, v->end_tag, buf_slice(&b));
	buf_free(&b);
}

static void
change_unit(struct merge *m, const struct catalog_change *change, const struct tmx_unit *u)
{
	struct slice source = text_of(change->source, change->format, &m->arena), text, hash;
	struct tmx_variant *first = source_of(m, u), *v = find_variant(u, m->how->locale);
	struct buf b = {0};
	size_t end = first ? u->v[u->n - 1].span.end : 0;
	/* The translation stands alone, and would be taken for the source. */
	bool alone = first && v == first && !find_source(m, u);
	bool changed = !alone && change->old_source.ptr && first && first->seg.end &&
	    !slice_eq(first->text, source);

	/* It may have been written with another language already. */
	if (changed)
		set_text(m, first, first, source, change->format);
	if (!change->write || !first)
		return;
	/* Where nothing says the source language the first text is the source. */
	if (!file_source(m).len && !u->source.len && first != &u->v[0])
		xml_text_set(
		    &m->edits, u->tag, u->span.start, "srclang", m->how->source_locale);
	if (alone) {
		put_variant(m, new_source(m), source, NULL, NULL, S(""),
		    xml_text_indent(m->text, first->span.start), 0, &b);
		edits_add(&m->edits, u->v[0].tag.start, u->v[0].tag.start, buf_slice(&b));
		buf_reset(&b);
	}
	hash = source_hash(m, change, changed || alone ? source : first->text);
	text = change->keep_text ? v ? v->text : S("")
				 : text_of(change->value, change->format, &m->arena);
	if (v && v->seg.end) {
		if (!change->keep_text)
			set_text(m, v, v->ncodes ? v : first, text, change->format);
		set_status(m, v, change, hash, text);
	} else if (v && !change->keep_text) {
		add_text(m, v, first, change, hash, text);
	} else if (!v && !change->keep_text) {
		put_variant(m, m->how->locale, text, first, change, hash,
		    xml_text_indent(m->text, first->span.start), 0, &b);
		edits_add(&m->edits, end, end, buf_slice(&b));
	}
	buf_free(&b);
}

static size_t
default_place(const struct merge *m)
{
	size_t end = m->file.body.end;

	if (m->file.n)
		return m->file.units[m->file.n - 1].span.end;
	while (end > m->file.body.start && strchr(" \t\r\n", m->text.ptr[end - 1]))
		end--;
	return end;
}

static int
change_all(struct merge *m, struct err *e)
{
	size_t place = default_place(m);

	if (m->file.body.end <= m->file.body.start)
		return err_set(e, "bad_catalog", "it has no <body> with content to write to");
	for (size_t i = 0; i < m->how->n; i++) {
		const struct catalog_change *change = &m->how->changes[i];
		const uint64_t *at = table_get(&m->keys, change->key);
		if (!at && change->write)
			add_unit(m, change, place);
		if (!at)
			continue;
		change_unit(m, change, &m->file.units[*at - 1]);
		place = m->file.units[*at - 1].span.end;
	}
	return 0;
}

int
tmx_merge(const struct catalog *old, const struct catalog_merge *how, struct buf *out,
    struct err *e)
{
	struct merge m = {.old = old, .how = how, .text = old->text};
	int rc = tmx_scan(old->text, &m.file, e);

	m.newline = xml_text_newline(old->text);
	if (rc == 0) {
		list_keys(&m);
		rc = change_all(&m, e);
	}
	if (rc == 0 && old->bom)
		buf_adds(out, "\xef\xbb\xbf");
	if (rc == 0 && !edits_apply(&m.edits, old->text, out))
		rc = err_set(e, "bad_catalog", "its changes overlap: nothing was written");
	tmx_scan_free(&m.file);
	edits_free(&m.edits);
	table_free(&m.keys);
	arena_free(&m.arena);
	return rc;
}

int
tmx_say(const struct catalog_change *change, struct slice text, struct slice locale,
    struct buf *out, struct err *e)
{
	struct arena arena = {0};
	int rc = 0;

	(void)locale;
	if (memchr(text.ptr, '\0', text.len) || xml_text_legal(text) < text.len ||
	    xml_text_legal(change->key) < change->key.len)
		rc = err_set(e, "cannot_say", "TMX has no control characters");
	else
		buf_addslice(out, text_of(text, change->format, &arena));
	arena_free(&arena);
	return rc;
}

void
tmx_skeleton(struct slice locale, struct slice source_locale, struct buf *out)
{
	(void)locale; /* one file for all */
	buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<tmx version=\"1.4\">\n"
		      "  <header creationtool=\"kandil-catalog\" creationtoolversion=\"1\" "
		      "segtype=\"block\" o-tmf=\"kandil\" adminlang=\"en\" datatype=\"plaintext\"");
	xml_text_attribute("srclang", source_locale, out);
	buf_adds(out, "/>\n  <body>\n  </body>\n</tmx>\n");
}
