/* Merging into XLIFF: splices at the places that the scan found. */
#include "common/format/xliff.h"

#include "common/format/arb.h"
#include "common/format/edit.h"
#include "common/format/xliff_message.h"
#include "common/format/xliff_scan.h"
#include "common/format/xliff_segment.h"
#include "common/format/xml_text.h"

struct merge {
	const struct catalog *old;
	const struct catalog_merge *how;
	struct slice text; /* of the file */
	struct xliff_file file;
	struct table ids; /* of all units, and of those that are added */
	struct edits edits;
	struct arena arena;
	struct slice newline;
	bool has_target; /* one was written */
};

static struct slice
slice_of(const struct merge *m, struct catalog_span span)
{
	return (struct slice){m->text.ptr + span.start, span.end - span.start};
}

static void
add_edit(struct merge *m, size_t start, size_t end, const struct buf *with)
{
	edits_add(&m->edits, start, end, buf_slice(with));
}

/* Begins a line so many levels of two blanks deeper than indent. */
static void
put_line(const struct merge *m, struct slice indent, int deeper, struct buf *out)
{
	buf_addslice(out, m->newline);
	buf_addslice(out, indent);
	for (int i = 0; i < deeper; i++)
		buf_adds(out, indent.len && indent.ptr[0] == '\t' ? "\t" : "  ");
}

/* -- states -- */

/* text: what the target says, or will. */
static void
set_state(struct merge *m, const struct xliff_segment *s, const struct catalog_change *change,
    struct slice text)
{
	struct xliff_words w = xliff_words_of(change);
	struct slice tag = slice_of(m, s->tag);

	/* Final is more than reviewed. */
	if (strcmp(w.state, "reviewed") == 0 && s->state.ptr && slice_is(s->state, "final"))
		w.state = "final";
	xml_text_set(&m->edits, tag, s->tag.start, "state", slice(w.state));
	xml_text_set(&m->edits, tag, s->tag.start, "subState", xliff_substate(&w, text, &m->arena));
}

/* -- one segment, written anew -- */

static void
put_side(struct merge *m, const char *name, struct slice content, bool space, struct slice indent,
    int deeper, struct buf *out)
{
	put_line(m, indent, deeper, out);
	buf_addf(out, "<%s%s>", name, space ? " xml:space=\"preserve\"" : "");
	buf_addslice(out, content);
	buf_addf(out, "</%s>", name);
}

struct segment {
	struct slice source, target; /* contents; target.ptr NULL: none */
	bool source_space, target_space;
	struct xliff_words words;
	struct slice text; /* what target says */
	struct slice id;   /* ptr NULL: none */
};

static void
put_segment(struct merge *m, const struct segment *s, struct slice indent, struct buf *out)
{
	struct slice substate = xliff_substate(&s->words, s->text, &m->arena);

	buf_adds(out, "<segment");
	if (s->id.ptr)
		xml_text_attribute("id", s->id, out);
	xml_text_attribute("state", slice(s->words.state), out);
	if (substate.ptr)
		xml_text_attribute("subState", substate, out);
	buf_addc(out, '>');
	put_side(m, "source", s->source, s->source_space, indent, 1, out);
	if (s->target.ptr)
		put_side(m, "target", s->target, s->target_space, indent, 1, out);
	put_line(m, indent, 0, out);
	buf_adds(out, "</segment>");
	m->has_target |= s->target.ptr != NULL;
}

/* -- a unit that is there -- */

static const struct xliff_segment *
only_segment(const struct xliff_unit *u)
{
	return u->n == 1 && !u->segments[0].ignorable ? &u->segments[0] : NULL;
}

static void
set_target(struct merge *m, const struct xliff_segment *s, const struct buf *content)
{
	struct slice tag = slice_of(m, s->target.span), indent;
	struct buf b = {0};

	m->has_target = true;
	if (s->target.span.end && s->target.content.end < s->target.span.end) {
		add_edit(m, s->target.content.start, s->target.content.end, content);
	} else if (s->target.span.end) { /* <target/> */
		size_t end = tag.len - 1;
		while (end > 0 && tag.ptr[end] != '/')
			end--;
		buf_addf(&b, "%.*s>%s</target>", (int)end, tag.ptr,
		    content->len ? content->ptr : "");
		add_edit(m, s->target.span.start, s->target.span.end, &b);
	} else {
		size_t start = s->source.span.start;
		indent = xml_text_indent(m->text, start);
		if (start == indent.len || m->text.ptr[start - indent.len - 1] == '\n')
			put_line(m, indent, 0, &b);
		buf_addf(&b, "<target>%s</target>", content->len ? content->ptr : "");
		add_edit(m, s->source.span.end, s->source.span.end, &b);
	}
	buf_free(&b);
}

/* All segments become one, with the id of the first. */
static void
join_segments(struct merge *m, const struct xliff_unit *u, struct segment *s)
{
	size_t start = u->segments[0].span.start;
	struct buf b = {0};

	s->id = u->segments[0].id;
	put_segment(m, s, xml_text_indent(m->text, start), &b);
	add_edit(m, start, u->segments[u->n - 1].span.end, &b);
	buf_free(&b);
}

/* The state of all segments, whose targets say what they said. */
static void
set_states(struct merge *m, const struct catalog_change *change, const struct xliff_unit *u)
{
	for (size_t i = 0; i < u->n; i++)
		if (!u->segments[i].ignorable)
			set_state(m, &u->segments[i], change, u->segments[i].target.text);
}

/* Where one says what is new the others keep their states, if those are as good. */
static void
raise_states(struct merge *m, const struct catalog_change *change, const struct xliff_unit *u,
    const struct xliff_segment *but)
{
	for (size_t i = 0; i < u->n; i++) {
		const struct xliff_segment *s = &u->segments[i];
		bool stale = false, edited = false;
		if (s->ignorable || s == but)
			continue;
		if (xliff_state_of(s, &stale, &edited) < change->state || stale != change->stale)
			set_state(m, s, change, s->target.text);
	}
}

/* The source stays, and the target is new. */
static void
translate_unit(struct merge *m, const struct catalog_change *change, const struct xliff_unit *u)
{
	const struct xliff_segment *one = only_segment(u);
	struct buf text = {0}, content = {0}, source = {0};
	struct slice part;
	bool typed = xliff_message_typed(u);

	xliff_message_text(u, change->value, change->format, &text);
	part = buf_slice(&text);
	if (!one)
		one = xliff_changed_segment(u, part, &part);
	if (!one)
		part = buf_slice(&text);
	xliff_put_target(part, change->format, typed, u->codes, u->ncodes, &content);
	if (one) {
		set_target(m, one, &content);
		set_state(m, one, change, part);
		raise_states(m, change, u, one);
	} else if (u->n) {
		for (size_t i = 0; i < u->n; i++)
			buf_addslice(&source, slice_of(m, u->segments[i].source.content));
		join_segments(m, u,
		    &(struct segment){.source = buf_slice(&source),
			.target = buf_slice(&content),
			.source_space = true,
			.target_space = true,
			.words = xliff_words_of(change),
			.text = part});
	}
	buf_free(&text);
	buf_free(&content);
	buf_free(&source);
}

/* The element <originalData> as it is to be now. */
static void
set_data(struct merge *m, const struct xliff_unit *u, struct xliff_built *built,
    struct slice indent)
{
	struct buf b = {0};

	if (built->data.len) {
		buf_adds(&b, "<originalData>");
		buf_addslice(&b, buf_slice(&built->data));
		put_line(m, indent, 0, &b);
		buf_adds(&b, "</originalData>");
	}
	if (u->data.end) {
		add_edit(m, u->data.start, u->data.end, &b);
	} else if (b.len) {
		put_line(m, indent, 0, &b);
		edits_add(&m->edits, u->segments[0].span.start, u->segments[0].span.start,
		    buf_slice(&b));
	}
	buf_free(&b);
}

static struct slice
data_line(struct merge *m, struct slice indent, int deeper, struct buf *b)
{
	put_line(m, indent, deeper, b);
	return (struct slice){arena_copy(&m->arena, b->ptr, b->len), b->len};
}

/*
 * The source is another by now. value: the translation that stays with it, or
 * the new one; ptr NULL: none.
 */
static void
rebuild_unit(struct merge *m, const struct catalog_change *change, const struct xliff_unit *u,
    struct slice value, const char *value_format)
{
	struct slice indent, before;
	struct xliff_unit now = *u;
	struct xliff_built built;
	struct buf text = {0}, target = {0}, b = {0};

	if (!u->n)
		return;
	indent = xml_text_indent(m->text, u->segments[0].span.start);
	before = data_line(m, indent, 1, &b);
	if (!u->type.ptr || slice_starts(u->type, "kandil:")) {
		buf_reset(&b);
		buf_addf(&b, "kandil:%s", change->format);
		now.type = (struct slice){arena_copy(&m->arena, b.ptr, b.len), b.len};
		if (!u->type.ptr || !slice_eq(u->type, now.type))
			xml_text_set(
			    &m->edits, slice_of(m, u->tag), u->tag.start, "type", now.type);
	}
	bool typed = xliff_message_typed(&now);
	xliff_message_text(&now, change->source, change->format, &text);
	xliff_build(buf_slice(&text), change->format, typed, before, &m->arena, &built);
	set_data(m, u, &built, indent);
	bool source_space = xliff_needs_space(buf_slice(&text));
	struct segment s = {.source = buf_slice(&built.source),
	    .target = {NULL, 0},
	    .source_space = source_space,
	    .words = {"initial", NULL}};
	if (value.ptr) {
		buf_reset(&text);
		xliff_message_text(&now, value, value_format, &text);
		xliff_put_target(
		    buf_slice(&text), value_format, typed, built.codes, built.n, &target);
		s.target = buf_slice(&target);
		s.target_space = xliff_needs_space(buf_slice(&text));
		s.words = xliff_words_of(change);
		s.text = buf_slice(&text);
	}
	join_segments(m, u, &s);
	xliff_built_free(&built);
	buf_free(&text);
	buf_free(&target);
	buf_free(&b);
}

static void
change_unit(struct merge *m, const struct catalog_change *change, const struct catalog_entry *e,
    const struct xliff_unit *u)
{
	bool has_text = e->nvalues && e->values[0].len;

	if (change->old_source.ptr && change->write && !change->keep_text)
		rebuild_unit(m, change, u, change->value, change->format);
	else if (change->old_source.ptr)
		rebuild_unit(m, change, u,
		    has_text ? e->values[0] : (struct slice){NULL, 0}, e->format);
	else if (change->write && change->keep_text)
		set_states(m, change, u);
	else if (change->write && strcmp(change->format, e->format) != 0)
		rebuild_unit(m, change, u, change->value, change->format);
	else if (change->write)
		translate_unit(m, change, u);
}

/* -- a new unit -- */

/* An id that is a name of XML and stands nowhere else: the key, or its hash. */
static struct slice
new_id(struct merge *m, struct slice key)
{
	struct buf b = {0};
	bool added, plain = key.len > 0 && key.len < 200;

	for (size_t i = 0; i < key.len; i++)
		plain = plain && ((key.ptr[i] | 0x20) >= 'a' ? (key.ptr[i] | 0x20) <= 'z'
					: key.ptr[i] && strchr("0123456789._-", key.ptr[i]));
	if (plain)
		buf_addslice(&b, key);
	else
		buf_adds(&b, "u-");
	if (!plain)
		arb_hash(key, &b);
	for (size_t n = b.len, i = 2;; i++) {
		struct slice id = {arena_copy(&m->arena, b.ptr, b.len), b.len};
		table_put(&m->ids, id, &added);
		if (added) {
			buf_free(&b);
			return id;
		}
		buf_cut(&b, n);
		buf_addf(&b, "-%zu", i);
	}
}

static void
put_note(struct merge *m, const char *category, struct slice text, struct slice indent,
    struct buf *out)
{
	if (!text.len || xml_text_legal(text) < text.len)
		return;
	put_line(m, indent, 2, out);
	buf_addf(out, "<note category=\"%s\">", category);
	xml_text_escape(text, false, out);
	buf_adds(out, "</note>");
}

static void
put_notes(struct merge *m, const struct catalog_change *change, struct slice indent,
    struct buf *out)
{
	struct buf notes = {0};

	put_note(m, "description", change->description, indent, &notes);
	put_note(m, "context", change->context, indent, &notes);
	put_note(m, "location", change->reference, indent, &notes);
	if (notes.len) {
		put_line(m, indent, 1, out);
		buf_adds(out, "<notes>");
		buf_addslice(out, buf_slice(&notes));
		put_line(m, indent, 1, out);
		buf_adds(out, "</notes>");
	}
	buf_free(&notes);
}

/* How deep units stand in this file. */
static struct slice
indent_of(const struct merge *m)
{
	return m->file.n ? xml_text_indent(m->text, m->file.v[0].span.start) : S("    ");
}

static void
add_unit(struct merge *m, const struct catalog_change *change, size_t place)
{
	struct slice indent = indent_of(m), deeper;
	struct xliff_built built;
	struct buf b = {0}, target = {0};

	put_line(m, indent, 0, &b);
	buf_adds(&b, "<unit");
	xml_text_attribute("id", new_id(m, change->key), &b);
	xml_text_attribute("name", change->key, &b);
	buf_addf(&b, " type=\"kandil:%s\">", change->format);
	put_notes(m, change, indent, &b);
	deeper = data_line(m, indent, 1, &target);
	buf_reset(&target);
	struct slice before = data_line(m, indent, 2, &target);
	buf_reset(&target);
	xliff_build(change->source, change->format, true, before, &m->arena, &built);
	if (built.data.len) {
		buf_addslice(&b, deeper);
		buf_adds(&b, "<originalData>");
		buf_addslice(&b, buf_slice(&built.data));
		buf_addslice(&b, deeper);
		buf_adds(&b, "</originalData>");
	}
	struct segment s = {.source = buf_slice(&built.source),
	    .target = {NULL, 0},
	    .source_space = xliff_needs_space(change->source),
	    .words = {"initial", NULL}};
	if (change->write) {
		xliff_put_target(
		    change->value, change->format, true, built.codes, built.n, &target);
		s.target = buf_slice(&target);
		s.target_space = xliff_needs_space(change->value);
		s.words = xliff_words_of(change);
		s.text = change->value;
	}
	buf_addslice(&b, deeper);
	deeper.ptr += m->newline.len;
	deeper.len -= m->newline.len;
	put_segment(m, &s, deeper, &b);
	put_line(m, indent, 0, &b);
	buf_adds(&b, "</unit>");
	add_edit(m, place, place, &b);
	xliff_built_free(&built);
	buf_free(&b);
	buf_free(&target);
}

/* -- the file -- */

/* Behind the last unit, else where the file's content begins (behind its notes: its end). */
static size_t
default_place(const struct merge *m)
{
	const struct xliff_file *f = &m->file;
	size_t end = f->file.end;

	for (size_t i = f->n; i-- > 0;)
		if (f->v[i].span.start >= f->file.start)
			return f->v[i].span.end;
	/* Before the line feed and blanks that stand before </file>. */
	while (end > f->file.start && strchr(" \t\r\n", m->text.ptr[end - 1]))
		end--;
	return end;
}

static int
change_all(struct merge *m, struct err *e)
{
	size_t place = default_place(m);

	if (!m->file.file_tag.end || m->file.file.end <= m->file.file.start)
		return err_set(e, "bad_catalog", "it has no <file> with content to write to");
	for (size_t i = 0; i < m->how->n; i++) {
		const struct catalog_change *change = &m->how->changes[i];
		const struct catalog_entry *entry = catalog_find(m->old, change->key);
		if (!entry) {
			add_unit(m, change, place);
			continue;
		}
		const struct xliff_unit *u = &m->file.v[entry - m->old->entries];
		change_unit(m, change, entry, u);
		/* A unit may stand in a group; what comes new goes behind that. */
		if (u->span.start >= m->file.file.start)
			place = u->span.end;
	}
	return 0;
}

int
xliff_merge(const struct catalog *old, const struct catalog_merge *how, struct buf *out,
    struct err *e)
{
	struct merge m = {.old = old, .how = how, .text = old->text};
	int rc = xliff_scan(old->text, &m.file, e);

	m.newline = xml_text_newline(old->text);
	for (size_t i = 0; rc == 0 && i < m.file.n; i++)
		if (m.file.v[i].id.ptr)
			table_put(&m.ids, m.file.v[i].id, NULL);
	if (rc == 0)
		rc = change_all(&m, e);
	if (rc == 0 && m.has_target && !m.file.target_locale.len)
		xml_text_set(&m.edits, slice_of(&m, m.file.root), m.file.root.start, "trgLang",
		    how->locale);
	if (rc == 0 && old->bom)
		buf_adds(out, "\xef\xbb\xbf");
	if (rc == 0 && !edits_apply(&m.edits, old->text, out))
		rc = err_set(e, "bad_catalog", "its changes overlap: nothing was written");
	edits_free(&m.edits);
	table_free(&m.ids);
	xliff_scan_free(&m.file);
	arena_free(&m.arena);
	return rc;
}
