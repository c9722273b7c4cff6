/* Merging into .strings: splices at the places that the scanner found. */
#include "common/format/strings.h"

#include "common/format/edit.h"
#include "common/format/mark.h"
#include "common/format/printf_message.h"
#include "common/format/strings_scan.h"
#include "common/format/utf16.h"

#include <stdlib.h>

enum { SORTED_AT_LEAST = 5 };

struct merge {
	const struct catalog *old;
	const struct catalog_merge *merge;
	struct strings_file file;
	struct table by_key; /* key → index of its last item + 1 */
	struct edits edits;
	const char *newline;
	struct slice equals; /* between key and value */
	bool spaced;	     /* a blank line stands between items */
	bool sorted;
	const struct strings_item *behind; /* of the change before; NULL: none */
	bool started;			   /* something was added to a file without items */
	struct buf value, text;
	struct arena arena;
	struct err *e;
};

/* -- style -- */

static bool
is_sorted(const struct strings_file *f)
{
	for (size_t i = 1; i < f->n; i++)
		if (slice_cmp(f->v[i - 1].key, f->v[i].key) >= 0)
			return false;
	return f->n >= SORTED_AT_LEAST;
}

static bool
is_blank(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] != ' ' && s.ptr[i] != '\t' && s.ptr[i] != '=')
			return false;
	return true;
}

static void
learn_style(struct merge *m)
{
	const struct strings_file *f = &m->file;
	struct slice text = f->text, between;
	const char *lf = text.len ? memchr(text.ptr, '\n', text.len) : NULL;

	m->newline = lf && lf > text.ptr && lf[-1] == '\r' ? "\r\n" : "\n";
	m->equals = S(" = ");
	if (f->n && f->v[0].text.start > f->v[0].name.end) {
		between = (struct slice){text.ptr + f->v[0].name.end,
		    f->v[0].text.start - f->v[0].name.end};
		if (is_blank(between))
			m->equals = between;
	}
	if (f->n > 1) {
		between = (struct slice){text.ptr + f->v[0].line_end,
		    f->v[1].name.start - f->v[0].line_end};
		m->spaced = memmem(between.ptr, between.len, "\n\n", 2) ||
		    memmem(between.ptr, between.len, "\n\r\n", 3);
	} else {
		m->spaced = m->merge->template;
	}
	m->sorted = is_sorted(f);
}

/* The white space that the line of that offset starts with. */
static struct slice
indent_at(struct slice text, size_t offset)
{
	size_t start = offset, end;

	while (start > 0 && text.ptr[start - 1] != '\n')
		start--;
	for (end = start; end < offset && (text.ptr[end] == ' ' || text.ptr[end] == '\t');)
		end++;
	return (struct slice){text.ptr + start, end - start};
}

/* -- one text -- */

/* The value in m->value, as it stands between its quotes. */
static int
encode(struct merge *m, const struct catalog_change *change, struct slice had)
{
	struct printf_arguments a;
	struct forms forms;

	if (printf_arguments_of(change->source.ptr ? change->source : change->value,
		change->format, change->placeholders, had, PRINTF_APPLE, &m->arena, &a, m->e) < 0 ||
	    printf_split(change->value, change->format, m->merge->locale, &a, &m->arena, &forms,
		m->e) < 0)
		return -1;
	if (forms.plural)
		return err_set(m->e, "cannot_say", "%s: '%.*s' is a plural", m->old->name,
		    (int)(change->key.len < 80 ? change->key.len : 80), change->key.ptr);
	buf_reset(&m->value);
	strings_quote(forms.text[PLURAL_OTHER], &m->value);
	return 0;
}

/* Appends text as a comment, which cannot hold its own end. */
static void
add_comment(struct slice text, struct buf *out)
{
	buf_adds(out, "/*");
	for (size_t i = 0; i < text.len; i++) {
		buf_addc(out, text.ptr[i]);
		if (text.ptr[i] == '*' && i + 1 < text.len && text.ptr[i + 1] == '/')
			buf_addc(out, ' ');
	}
	buf_adds(out, "*/");
}

/* " kandil: … " of a change whose value is m->value, in m->text; false: no mark. */
static bool
make_mark(struct merge *m, const struct catalog_change *change)
{
	buf_reset(&m->text);
	return !m->merge->template && mark_of(change, buf_slice(&m->value), &m->text);
}

/* -- an item that is there -- */

/* A mark goes with its line, where it has one for itself. */
static void
drop_mark(struct merge *m, const struct strings_item *item)
{
	struct slice text = m->file.text;
	struct slice indent = indent_at(text, item->mark.start);
	size_t start = item->mark.start, end = item->mark.end;

	while (end < text.len && (text.ptr[end] == ' ' || text.ptr[end] == '\t'))
		end++;
	if (indent.ptr + indent.len == text.ptr + start && end < text.len &&
	    (text.ptr[end] == '\n' || text.ptr[end] == '\r')) {
		end += text.ptr[end] == '\r' && end + 1 < text.len && text.ptr[end + 1] == '\n';
		end++;
		start = (size_t)(indent.ptr - text.ptr);
	}
	edits_add(&m->edits, start, end, S(""));
}

static void
set_mark(struct merge *m, const struct strings_item *item, const struct catalog_change *change)
{
	size_t place = item->mark.end ? item->mark.start : item->name.start;
	struct slice indent = indent_at(m->file.text, place);
	struct buf b = {0};

	if (!make_mark(m, change)) {
		if (item->mark.end)
			drop_mark(m, item);
		return;
	}
	/* In the line of another item it would be that one's. */
	if (indent.ptr + indent.len != m->file.text.ptr + place)
		buf_adds(&b, m->newline);
	add_comment(buf_slice(&m->text), &b);
	if (!item->mark.end) {
		buf_adds(&b, m->newline);
		buf_addslice(&b, indent);
	}
	edits_add(&m->edits, place, item->mark.end ? item->mark.end : place, buf_slice(&b));
	buf_free(&b);
}

static int
change_item(struct merge *m, const struct strings_item *item, const struct catalog_change *change)
{
	struct slice raw = {m->file.text.ptr + item->text.start, item->text.end - item->text.start};

	if (!change->write)
		return 0;
	if (change->keep_text) {
		buf_reset(&m->value);
		buf_addslice(&m->value, raw);
	} else {
		if (encode(m, change, item->value) < 0)
			return -1;
		/* Where it says the same already its spelling stays. */
		struct buf same = {0};
		strings_quote(item->value, &same);
		if (raw.len && slice_eq(buf_slice(&same), buf_slice(&m->value))) {
			buf_reset(&m->value);
			buf_addslice(&m->value, raw);
		} else {
			buf_reset(&same);
			buf_addslice(&same, raw.len ? S("") : m->equals);
			buf_addslice(&same, buf_slice(&m->value));
			edits_add(&m->edits, item->text.start, item->text.end, buf_slice(&same));
		}
		buf_free(&same);
	}
	set_mark(m, item, change);
	return 0;
}

/* -- a new one -- */

static const struct strings_item *
sorted_place(const struct merge *m, struct slice key)
{
	size_t low = 0, high = m->file.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (slice_cmp(m->file.v[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &m->file.v[low - 1] : NULL;
}

/* Comment, mark, key and value, each on its line. */
static void
compose(struct merge *m, const struct catalog_change *change, struct slice indent, struct buf *b)
{
	struct buf key = {0};

	if (m->merge->template && change->description.len) {
		buf_addc(&key, ' ');
		buf_addslice(&key, change->description);
		buf_addc(&key, ' ');
		add_comment(buf_slice(&key), b);
		buf_adds(b, m->newline);
		buf_addslice(b, indent);
	}
	if (make_mark(m, change)) {
		add_comment(buf_slice(&m->text), b);
		buf_adds(b, m->newline);
		buf_addslice(b, indent);
	}
	buf_reset(&key);
	strings_quote(change->key, &key);
	buf_addslice(b, buf_slice(&key));
	buf_addslice(b, m->equals);
	buf_addslice(b, buf_slice(&m->value));
	buf_addc(b, ';');
	buf_free(&key);
}

/* Before the first item, and before what is said of it. */
static size_t
place_before_first(const struct merge *m)
{
	const struct strings_item *first = &m->file.v[0];
	struct slice text = m->file.text;
	size_t place = first->name.start;

	if (first->mark.end)
		place = first->mark.start;
	if (first->comment.len && first->comment_start < place)
		place = first->comment_start;
	while (place > 0 && (text.ptr[place - 1] == ' ' || text.ptr[place - 1] == '\t'))
		place--;
	return place;
}

/* The item that a new one comes behind; NULL: it is the first. */
static const struct strings_item *
place_behind(const struct merge *m, struct slice key)
{
	if (m->sorted)
		return sorted_place(m, key);
	if (m->behind)
		return m->behind;
	return m->file.n ? &m->file.v[m->file.n - 1] : NULL;
}

static int
add_item(struct merge *m, const struct catalog_change *change)
{
	struct slice text = m->file.text, indent = S("");
	const struct strings_item *behind = place_behind(m, change->key);
	const char *blank = m->spaced ? m->newline : "";
	size_t place = m->file.content_end;
	struct buf b = {0};

	if (encode(m, change, S("")) < 0)
		return -1;
	if (behind) {
		place = behind->line_end;
		indent = indent_at(text, behind->name.start);
		buf_addf(&b, "%s%s", m->newline, blank);
		buf_addslice(&b, indent);
		compose(m, change, indent, &b);
	} else if (m->sorted) {
		place = place_before_first(m);
		compose(m, change, indent, &b);
		buf_addf(&b, "%s%s", m->newline, blank);
	} else {
		if (place > 0 && text.ptr[place - 1] != '\n' && !m->started)
			buf_adds(&b, m->newline);
		buf_adds(&b, m->started || place > 0 ? blank : "");
		compose(m, change, indent, &b);
		buf_adds(&b, m->newline);
		m->started = true;
	}
	/* The next item may begin right there, with a mark that is new, too. */
	if (behind)
		edits_add_behind(&m->edits, place, buf_slice(&b));
	else
		edits_add(&m->edits, place, place, buf_slice(&b));
	buf_free(&b);
	return 0;
}

static int
merge_changes(struct merge *m)
{
	for (size_t i = 0; i < m->file.n; i++)
		*table_put(&m->by_key, m->file.v[i].key, NULL) = i + 1;
	for (size_t i = 0; i < m->merge->n; i++) {
		const struct catalog_change *change = &m->merge->changes[i];
		uint64_t *at = table_get(&m->by_key, change->key);
		if (at) {
			m->behind = &m->file.v[*at - 1];
			if (change_item(m, m->behind, change) < 0)
				return -1;
		} else if (change->write && !change->keep_text && add_item(m, change) < 0) {
			return -1;
		}
	}
	return 0;
}

static void
finish(struct merge *m, struct buf *out)
{
	struct buf text = {0};

	if (!edits_apply(&m->edits, m->file.text, &text))
		die(STATUS_FAILED, "%s: changes overlap: this is a fault of the program",
		    m->old->name);
	if (m->old->converted) {
		utf16_encode(buf_slice(&text), m->old->charset, out);
	} else {
		buf_adds(out, m->old->bom ? "\xef\xbb\xbf" : "");
		buf_addslice(out, buf_slice(&text));
	}
	buf_free(&text);
}

int
strings_merge(const struct catalog *old, const struct catalog_merge *merge, struct buf *out,
    struct err *e)
{
	struct merge m = {.old = old, .merge = merge, .e = e};
	int rc = strings_scan(old->text, &m.file, e);

	if (rc == 0) {
		learn_style(&m);
		rc = merge_changes(&m);
	}
	if (rc == 0)
		finish(&m, out);
	edits_free(&m.edits);
	table_free(&m.by_key);
	buf_free(&m.value);
	buf_free(&m.text);
	arena_free(&m.arena);
	strings_scan_free(&m.file);
	return rc;
}
