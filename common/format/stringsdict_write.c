/* Merging into .stringsdict: the forms of a rule are edited, a new key gets a rule. */
#include "common/format/stringsdict.h"

#include "common/format/edit.h"
#include "common/format/mark.h"
#include "common/format/printf_message.h"
#include "common/format/stringsdict_rule.h"
#include "common/format/xml_text.h"

#include <ctype.h>

struct merge {
	const struct catalog *old;
	const struct catalog_merge *merge;
	struct plist plist;
	struct table by_key; /* key → node + 1 */
	struct edits edits;
	struct slice newline, top, unit; /* of keys of the outermost dict, and of one level */
	size_t behind;			 /* the pair of the change before, PLIST_NONE: none */
	struct buf text, mark;
	struct arena arena;
	struct err *e;
};

/* The number that a plural message counts; empty: it has none. */
static struct slice
counted_name(struct slice text, const char *format, struct arena *arena)
{
	struct message m;
	int dialect = message_dialect_of(slice(format));

	if (dialect >= 0 && message_parse(text, (unsigned)dialect, arena, &m, NULL) == 0)
		for (size_t i = 0; i < m.n; i += m.nodes[i].size)
			if (m.nodes[i].type == MESSAGE_PLURAL)
				return m.nodes[i].name;
	return S("");
}

int
stringsdict_say(const struct catalog_change *change, struct slice text, struct slice locale,
    struct buf *out, struct err *e)
{
	struct arena arena = {0};
	struct slice source = change->source.ptr ? change->source : text;
	bool plural = counted_name(source, change->format, &arena).len > 0;
	size_t mark = out->len;

	arena_free(&arena);
	if (xml_text_legal(text) < text.len || xml_text_legal(change->key) < change->key.len)
		return err_set(e, "cannot_say", "XML has no control characters");
	if (!plural)
		return err_set(e, "cannot_say", ".stringsdict has no text without plural: it "
						"belongs in a .strings");
	if (printf_say(change, text, locale, PRINTF_APPLE, out, e) < 0)
		return -1;
	/* One text for every number is the form other. */
	if (!slice_starts((struct slice){out->ptr + mark, out->len - mark}, "plural "))
		buf_splice(out, mark, 0, (struct slice){"plural other", sizeof("plural other")});
	return 0;
}

/* -- forms -- */

struct rule_text {
	struct forms forms;
	struct slice variable; /* its name */
	struct slice type;     /* "lld" */
	size_t position;
	bool positions; /* there are other arguments */
};

static bool
is_variable(struct slice name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!isalnum((unsigned char)name.ptr[i]) && name.ptr[i] != '_')
			return false;
	return name.len > 0;
}

/* had: the file's rule, or NULL. */
static int
split(struct merge *m, const struct catalog_change *change, const struct stringsdict_rule *had,
    struct rule_text *t)
{
	struct slice source = change->source.ptr ? change->source : change->value, text = S(""), name;
	struct printf_arguments a;
	size_t next = 1;

	name = counted_name(source, change->format, &m->arena);
	if (had && had->form[PLURAL_OTHER] != PLIST_NONE) {
		buf_reset(&m->text);
		printf_number(m->plist.v[had->form[PLURAL_OTHER]].text, &next, had->position, &m->text);
		text = buf_slice(&m->text);
		text.ptr = arena_copy(&m->arena, text.ptr, text.len);
	}
	if (printf_arguments_of(source, change->format, change->placeholders, text, PRINTF_APPLE,
		&m->arena, &a, m->e) < 0)
		return -1;
	t->position = printf_position(&a, name);
	t->type = had && had->type.len ? had->type : S("d");
	/* What no file says counts as an int. */
	if (t->position && slice_is(a.v[t->position - 1].spec, "lld"))
		a.v[t->position - 1].spec = t->type;
	t->variable = had ? m->plist.v[had->variable].key : is_variable(name) ? name : S("n");
	if (printf_split(change->value, change->format, m->merge->locale, &a, &m->arena, &t->forms,
		m->e) < 0)
		return -1;
	t->positions = a.n > 1;
	return 0;
}

/* The format, which is the variable alone: "%1$#@files@". */
static void
add_format(const struct rule_text *t, struct buf *out)
{
	buf_addc(out, '%');
	if (t->positions && t->position)
		buf_addf(out, "%zu$", t->position);
	buf_adds(out, "#@");
	buf_addslice(out, t->variable);
	buf_addc(out, '@');
}

static void
new_line(const struct merge *m, int level, struct buf *out)
{
	buf_addslice(out, m->newline);
	buf_addslice(out, m->top);
	for (int i = 0; i < level; i++)
		buf_addslice(out, m->unit);
}

/* One pair of key and string, each on its line. */
static void
add_pair(const struct merge *m, int level, const char *key, struct slice text, struct buf *out)
{
	new_line(m, level, out);
	buf_addf(out, "<key>%s</key>", key);
	new_line(m, level, out);
	buf_adds(out, "<string>");
	xml_text_escape(text, false, out);
	buf_adds(out, "</string>");
}

static void
add_rule(const struct merge *m, const struct rule_text *t, struct buf *out)
{
	struct buf format = {0};

	buf_adds(out, "<dict>");
	add_format(t, &format);
	add_pair(m, 1, "NSStringLocalizedFormatKey", buf_slice(&format), out);
	new_line(m, 1, out);
	buf_addf(out, "<key>%.*s</key>", (int)t->variable.len, t->variable.ptr);
	new_line(m, 1, out);
	buf_adds(out, "<dict>");
	add_pair(m, 2, "NSStringFormatSpecTypeKey", S("NSStringPluralRuleType"), out);
	add_pair(m, 2, "NSStringFormatValueTypeKey", t->type, out);
	for (int c = 0; c < PLURAL_CATEGORIES; c++)
		if (t->forms.text[c].ptr)
			add_pair(m, 2, plural_name((enum plural_category)c), t->forms.text[c], out);
	new_line(m, 1, out);
	buf_adds(out, "</dict>");
	new_line(m, 0, out);
	buf_adds(out, "</dict>");
	buf_free(&format);
}

/* -- a rule that is there -- */

/* Makes the string of a node that text, where it is another. */
static void
set_string(struct merge *m, struct edits *edits, size_t base, size_t node, struct slice text)
{
	const struct plist_node *at = &m->plist.v[node];
	struct buf b = {0};

	if (slice_eq(at->text, text))
		return;
	buf_adds(&b, "<string>");
	xml_text_escape(text, false, &b);
	buf_adds(&b, "</string>");
	edits_add(edits, at->value - base, at->end - base, buf_slice(&b));
	buf_free(&b);
}

/* It goes with the white space before it, and so does one before it of the same name. */
static void
drop_form(struct merge *m, struct edits *edits, size_t base, const struct stringsdict_rule *rule,
    int category)
{
	const struct plist_node *v = m->plist.v;

	for (size_t i = v[rule->variable].first; i != PLIST_NONE; i = v[i].next) {
		size_t start = v[i].start;
		if (plural_of_name(v[i].key) != category)
			continue;
		while (start > base && isspace((unsigned char)m->old->text.ptr[start - 1]))
			start--;
		edits_add(edits, start - base, v[i].end - base, S(""));
	}
}

static void
set_form(struct merge *m, struct edits *edits, size_t base, const struct stringsdict_rule *rule,
    int category, struct slice text)
{
	const struct plist_node *v = m->plist.v;
	size_t node = rule->form[category], before = v[rule->variable].last, i;
	struct slice indent;
	struct buf b = {0};

	if (node != PLIST_NONE && text.ptr) {
		set_string(m, edits, base, node, text);
	} else if (node != PLIST_NONE) {
		drop_form(m, edits, base, rule, category);
	} else if (text.ptr && before != PLIST_NONE) {
		/* Behind the category before it, else behind what is no category, else last. */
		for (i = v[rule->variable].first; i != PLIST_NONE; i = v[i].next)
			if (plural_of_name(v[i].key) < category)
				before = i;
		indent = xml_text_indent(m->old->text, v[before].start);
		for (i = 0; i < 2; i++) {
			buf_addslice(&b, m->newline);
			buf_addslice(&b, indent);
			if (i == 0) {
				buf_addf(&b, "<key>%s</key>",
				    plural_name((enum plural_category)category));
				continue;
			}
			buf_adds(&b, "<string>");
			xml_text_escape(text, false, &b);
			buf_adds(&b, "</string>");
		}
		edits_add(edits, v[before].end - base, v[before].end - base, buf_slice(&b));
	}
	buf_free(&b);
}

/* The new bytes of an item's value, in m->text. */
static int
edit_rule(struct merge *m, size_t node, const struct catalog_change *change)
{
	const struct plist_node *at = &m->plist.v[node];
	struct slice raw = {m->old->text.ptr + at->value, at->end - at->value};
	struct stringsdict_rule rule;
	struct rule_text t;
	struct edits edits = {0};
	struct buf format = {0};

	/* The frame writes no opaque entry; what it took for one stays. */
	if (stringsdict_rule(&m->plist, node, &rule)) {
		buf_reset(&m->text);
		buf_addslice(&m->text, raw);
		return 0;
	}
	if (split(m, change, &rule, &t) < 0)
		return -1;
	buf_reset(&m->text);
	add_format(&t, &format);
	set_string(m, &edits, at->value, rule.format, buf_slice(&format));
	for (int c = 0; c < PLURAL_CATEGORIES; c++)
		set_form(m, &edits, at->value, &rule, c, t.forms.text[c]);
	if (!edits_apply(&edits, raw, &m->text))
		die(STATUS_FAILED, "%s: changes overlap: this is a fault of the program",
		    m->old->name);
	edits_free(&edits);
	buf_free(&format);
	return 0;
}

/* The mark of a value that is m->text, as a comment in m->mark; false: none is needed. */
static bool
make_mark(struct merge *m, const struct catalog_change *change)
{
	struct buf text = {0};
	bool needed = !m->merge->template && mark_of(change, buf_slice(&m->text), &text);

	buf_reset(&m->mark);
	if (needed)
		xml_text_comment(buf_slice(&text), &m->mark);
	buf_free(&text);
	return needed;
}

static void
set_mark(struct merge *m, const struct plist_node *at, const struct catalog_change *change)
{
	bool needed = make_mark(m, change);
	size_t start = at->mark_start;

	if (needed && at->mark.len) {
		edits_add(&m->edits, at->mark_start, at->mark_end, buf_slice(&m->mark));
	} else if (needed) {
		buf_addslice(&m->mark, m->newline);
		buf_addslice(&m->mark, xml_text_indent(m->old->text, at->start));
		edits_add(&m->edits, at->start, at->start, buf_slice(&m->mark));
	} else if (at->mark.len) {
		while (start > 0 && isspace((unsigned char)m->old->text.ptr[start - 1]))
			start--;
		edits_add(&m->edits, start, at->mark_end, S(""));
	}
}

static int
change_item(struct merge *m, size_t node, const struct catalog_change *change)
{
	const struct plist_node *at = &m->plist.v[node];
	struct slice raw = {m->old->text.ptr + at->value, at->end - at->value};

	if (!change->write)
		return 0;
	if (change->keep_text) {
		buf_reset(&m->text);
		buf_addslice(&m->text, raw);
	} else if (edit_rule(m, node, change) < 0) {
		return -1;
	} else if (!slice_eq(buf_slice(&m->text), raw)) {
		edits_add(&m->edits, at->value, at->end, buf_slice(&m->text));
	}
	set_mark(m, at, change);
	return 0;
}

/* -- a new key -- */

static int
add_item(struct merge *m, const struct catalog_change *change, struct buf *hollow)
{
	struct rule_text t = {.position = 0};
	size_t behind = m->behind != PLIST_NONE ? m->behind : m->plist.v[0].last;
	struct buf b = {0};

	if (split(m, change, NULL, &t) < 0)
		return -1;
	buf_reset(&m->text);
	add_rule(m, &t, &m->text);
	if (m->merge->template && change->description.len) {
		struct buf text = {0};
		buf_addf(&text, " %.*s ", (int)change->description.len, change->description.ptr);
		new_line(m, 0, &b);
		xml_text_comment(buf_slice(&text), &b);
		buf_free(&text);
	}
	if (make_mark(m, change)) {
		new_line(m, 0, &b);
		buf_addslice(&b, buf_slice(&m->mark));
	}
	new_line(m, 0, &b);
	buf_adds(&b, "<key>");
	xml_text_escape(change->key, false, &b);
	buf_adds(&b, "</key>");
	new_line(m, 0, &b);
	buf_addslice(&b, buf_slice(&m->text));
	if (behind != PLIST_NONE)
		edits_add(&m->edits, m->plist.v[behind].end, m->plist.v[behind].end, buf_slice(&b));
	else
		buf_addslice(hollow, buf_slice(&b));
	buf_free(&b);
	return 0;
}

/* An outermost dict that was empty, <dict/> perhaps, gets all that is new. */
static void
fill_hollow(struct merge *m, struct slice pairs)
{
	const struct plist_node *root = &m->plist.v[0];
	struct buf b = {0};

	if (!pairs.len)
		return;
	buf_adds(&b, "<dict>");
	buf_addslice(&b, pairs);
	buf_addslice(&b, m->newline);
	buf_addslice(&b, xml_text_indent(m->old->text, root->value));
	buf_adds(&b, "</dict>");
	edits_add(&m->edits, root->value, root->end, buf_slice(&b));
	buf_free(&b);
}

static void
learn_style(struct merge *m)
{
	const struct plist_node *v = m->plist.v;
	size_t first = v[0].first, inner;

	m->newline = xml_text_newline(m->old->text);
	m->top = m->unit = S("\t");
	if (first == PLIST_NONE)
		return;
	m->top = m->unit = xml_text_indent(m->old->text, v[first].start);
	for (; first != PLIST_NONE; first = v[first].next) {
		inner = v[first].first;
		if (inner == PLIST_NONE)
			continue;
		struct slice deeper = xml_text_indent(m->old->text, v[inner].start);
		if (deeper.len > m->top.len)
			m->unit = (struct slice){deeper.ptr + m->top.len, deeper.len - m->top.len};
		return;
	}
}

static int
merge_changes(struct merge *m)
{
	struct buf hollow = {0};
	int rc = 0;

	m->behind = PLIST_NONE;
	for (size_t i = m->plist.v[0].first; i != PLIST_NONE; i = m->plist.v[i].next)
		*table_put(&m->by_key, m->plist.v[i].key, NULL) = i + 1;
	for (size_t i = 0; rc == 0 && i < m->merge->n; i++) {
		const struct catalog_change *change = &m->merge->changes[i];
		uint64_t *at = table_get(&m->by_key, change->key);
		if (at) {
			m->behind = (size_t)*at - 1;
			rc = change_item(m, m->behind, change);
		} else if (change->write && !change->keep_text) {
			rc = add_item(m, change, &hollow);
		}
	}
	if (rc == 0)
		fill_hollow(m, buf_slice(&hollow));
	buf_free(&hollow);
	return rc;
}

int
stringsdict_merge(const struct catalog *old, const struct catalog_merge *merge, struct buf *out,
    struct err *e)
{
	struct merge m = {.old = old, .merge = merge, .e = e};
	int rc = plist_scan(old->text, &m.plist, e);

	if (rc == 0) {
		learn_style(&m);
		rc = merge_changes(&m);
	}
	if (rc == 0) {
		buf_adds(out, old->bom ? "\xef\xbb\xbf" : "");
		if (!edits_apply(&m.edits, old->text, out))
			die(STATUS_FAILED, "%s: changes overlap: this is a fault of the program",
			    old->name);
	}
	edits_free(&m.edits);
	table_free(&m.by_key);
	buf_free(&m.text);
	buf_free(&m.mark);
	arena_free(&m.arena);
	plist_free(&m.plist);
	return rc;
}
