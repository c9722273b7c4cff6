/*
 * common/message finds the faults; here they get their rule, severity and
 * place in the file, and one lost placeholder with one that came instead
 * becomes a renamed one, which can be put right.
 */
#include "tools/catalog/rules_message.h"

#include "common/json.h"
#include "common/message.h"
#include "tools/catalog/pair.h"

#include <stdio.h>

enum { EDITS = 32 }; /* of one finding; more are left to a person */

struct checking {
	const struct catalog *c;
	const struct catalog_entry *e;
	struct catalog_cursor *cursor;
	rules_report *report;
	void *state;
	struct slice source, text; /* as compared, in dialect */
	unsigned dialect;
	struct arena arena;
	struct finding_edit edits[EDITS];
	size_t nedits;
	struct buf fix;
};

static const enum severity severities[MESSAGE_FAULTS] = {
	[MESSAGE_BAD_SYNTAX] = SEVERITY_HIGH,
	[MESSAGE_DUPLICATE_CASE] = SEVERITY_MEDIUM,
	[MESSAGE_UNKNOWN_CATEGORY] = SEVERITY_HIGH,
	[MESSAGE_MISSING_CATEGORY] = SEVERITY_MEDIUM,
	[MESSAGE_UNUSED_CATEGORY] = SEVERITY_INFO,
	[MESSAGE_LOST] = SEVERITY_HIGH,
	[MESSAGE_ADDED] = SEVERITY_HIGH,
	[MESSAGE_DUPLICATED] = SEVERITY_LOW,
	[MESSAGE_RETYPED] = SEVERITY_HIGH,
	[MESSAGE_STRUCTURE] = SEVERITY_HIGH,
	[MESSAGE_LOST_TAG] = SEVERITY_HIGH,
	[MESSAGE_ADDED_TAG] = SEVERITY_MEDIUM,
	[MESSAGE_TAG_ORDER] = SEVERITY_MEDIUM,
	[MESSAGE_NEWLINES] = SEVERITY_LOW,
	[MESSAGE_ESCAPES] = SEVERITY_LOW,
	[MESSAGE_SPACE] = SEVERITY_LOW,
	[MESSAGE_EMPTY] = SEVERITY_MEDIUM,
};

/* -- places: from a byte of the decoded text to one of the file -- */

/* Bytes that the escape at p takes, and the bytes that it stands for. */
static size_t
escape_length(const char *p, const char *end, size_t *decoded)
{
	struct buf text = {0};
	size_t n = p[1] == 'u' ? 6 : 2;
	struct slice raw;

	/* A pair of surrogates is one character. */
	if (n == 6 && end - p >= 12 && p[6] == '\\' && p[7] == 'u' && (p[2] | 0x20) == 'd' &&
	    strchr("89abAB", p[3]) && (p[8] | 0x20) == 'd' && strchr("cdefCDEF", p[9]))
		n = 12;
	buf_addc(&text, '"');
	buf_add(&text, p, n);
	buf_addc(&text, '"');
	raw = buf_slice(&text);
	struct buf out = {0};
	json_text(raw, &out);
	*decoded = out.len;
	buf_free(&out);
	buf_free(&text);
	return n;
}

/* The offset within the raw JSON string of the decoded byte `at`. */
static size_t
raw_offset(struct slice raw, size_t at)
{
	const char *p = raw.ptr + 1, *end = raw.ptr + raw.len - 1;
	size_t seen = 0, decoded, n;

	while (p < end && seen < at) {
		if (*p != '\\') {
			p++;
			seen++;
			continue;
		}
		n = escape_length(p, end, &decoded);
		seen += decoded;
		p += n;
	}
	return (size_t)(p - raw.ptr);
}

static struct slice
raw_value(const struct checking *k)
{
	size_t base = k->c->bom ? 3 : 0;
	struct catalog_span span = k->e->value_span;

	return (struct slice){k->c->text.ptr + span.start - base, span.end - span.start};
}

static void
place(const struct checking *k, size_t at, struct finding *f)
{
	size_t base = k->c->bom ? 3 : 0, offset;
	struct catalog_cursor here;

	f->line = k->e->line;
	f->column = k->e->column;
	f->span = k->e->span;
	if (k->c->format != CATALOG_ARB)
		return;
	/* Faults of one text come in any order: the cursor itself goes to its start only. */
	offset = k->e->value_span.start - base;
	catalog_seek(k->cursor, k->c->text, offset, &f->line, &f->column);
	here = *k->cursor;
	offset += raw_offset(raw_value(k), at);
	catalog_seek(&here, k->c->text, offset, &f->line, &f->column);
	f->span = k->e->value_span;
}

/* -- edits -- */

/* One more edit: the decoded bytes [from, to) of the value become text. */
static void
add_edit(struct checking *k, size_t from, size_t to, struct slice text, struct finding *f)
{
	struct slice raw = raw_value(k);
	size_t start = k->e->value_span.start;

	if (k->nedits == EDITS)
		return;
	k->edits[k->nedits++] = (struct finding_edit){
	    {start + raw_offset(raw, from), start + raw_offset(raw, to)}, text};
	f->edits = k->edits;
	f->nedits = k->nedits;
}

/* Whether the node is a placeholder or branch of that name, spelt in the text. */
static bool
names(const struct message *m, const struct message_node *node, struct slice name)
{
	return node->type != MESSAGE_CASE && node->type != MESSAGE_TEXT &&
	    slice_eq(node->name, name) && node->name.ptr >= m->text.ptr + node->start &&
	    node->name.ptr < m->text.ptr + node->end;
}

/* All names `from` of the translation become `to`. */
static void
edit_rename(struct checking *k, struct slice from, struct slice to, struct finding *f)
{
	struct message m;
	size_t count = 0;

	buf_reset(&k->fix);
	buf_addf(&k->fix, "write {%.*s}", (int)to.len, to.ptr);
	f->fix = buf_slice(&k->fix);
	k->nedits = 0;
	if (k->c->format != CATALOG_ARB ||
	    message_parse(k->text, k->dialect, &k->arena, &m, NULL) < 0)
		return;
	for (size_t i = 0; i < m.n; i++)
		count += names(&m, &m.nodes[i], from);
	for (size_t i = 0; i < m.n && count <= EDITS; i++)
		if (names(&m, &m.nodes[i], from)) {
			size_t at = (size_t)(m.nodes[i].name.ptr - m.text.ptr);
			add_edit(k, at, at + from.len, to, f);
		}
}

static bool
is_spaces(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] != ' ')
			return false;
	return true;
}

/* White space at one end as the source has it; a tab or line feed is better looked at. */
static void
edit_space(struct checking *k, bool leading, struct finding *f)
{
	struct slice s = k->source, t = k->text, inner = slice_trim(s), text = slice_trim(t);
	size_t before = (size_t)(text.ptr - t.ptr);
	struct slice wanted;

	f->fix = S("begin and end with the source's white space");
	k->nedits = 0;
	if (k->c->format != CATALOG_ARB || !inner.len || !text.len)
		return;
	wanted = leading ? (struct slice){s.ptr, (size_t)(inner.ptr - s.ptr)}
			 : (struct slice){inner.ptr + inner.len,
			       s.len - (size_t)(inner.ptr - s.ptr) - inner.len};
	if (!is_spaces(wanted))
		return;
	if (leading)
		add_edit(k, 0, before, wanted, f);
	else
		add_edit(k, before + text.len, t.len, wanted, f);
}

/* -- reporting -- */

static void
report(struct checking *k, const char *rule, enum severity severity, size_t at,
    struct slice subject, const char *text, struct finding *f)
{
	struct buf message = {0};

	f->rule = rule;
	f->severity = severity;
	f->file = k->c->name;
	f->key = k->e->key;
	f->locale = k->c->locale;
	f->subject = subject;
	place(k, at, f);
	buf_addc(&message, '\'');
	buf_add(&message, k->e->key.ptr,
	    utf8_valid(k->e->key.ptr, k->e->key.len < 120 ? k->e->key.len : 120));
	buf_addf(&message, "': %s", text);
	f->message = buf_slice(&message);
	k->report(f, k->state);
	buf_free(&message);
}

/* The only fault of that kind, or NULL where there is none or more. */
static const struct message_fault *
only(const struct message_faults *all, enum message_fault_kind kind)
{
	const struct message_fault *found = NULL;

	for (size_t i = 0; i < all->n; i++) {
		if (all->v[i].kind != kind)
			continue;
		if (found)
			return NULL;
		found = &all->v[i];
	}
	return found;
}

static void
report_faults(struct checking *k, const struct message_faults *all)
{
	const struct message_fault *lost = only(all, MESSAGE_LOST),
				   *added = only(all, MESSAGE_ADDED);
	char text[300];

	for (size_t i = 0; i < all->n; i++) {
		const struct message_fault *fault = &all->v[i];
		struct finding f = {0};
		enum severity severity = severities[fault->kind];

		/* A renamed plural is lost and added as a structure too. */
		if (lost && added &&
		    (fault == lost || (fault->kind == MESSAGE_STRUCTURE &&
					  (slice_eq(fault->subject, lost->subject) ||
					      slice_eq(fault->subject, added->subject)))))
			continue;
		if (fault->warning && severity > SEVERITY_LOW)
			severity = SEVERITY_LOW;
		if (lost && added && fault == added) {
			edit_rename(k, added->subject, lost->subject, &f);
			snprintf(text, sizeof(text), "placeholder {%.*s} became {%.*s}",
			    (int)lost->subject.len, lost->subject.ptr, (int)added->subject.len,
			    added->subject.ptr);
			report(k, "renamed-placeholder", SEVERITY_HIGH, fault->at, lost->subject,
			    text, &f);
			continue;
		}
		if (fault->kind == MESSAGE_SPACE)
			edit_space(k, fault->at == 0, &f);
		report(k, message_fault_code(fault->kind), severity, fault->at, fault->subject,
		    fault->text, &f);
	}
}

/*
 * The translation and its source as messages of one dialect, k->dialect; false:
 * there is no source. text: the translation, as catalog_message has it.
 */
static bool
find_source(const struct family *family, struct checking *k, struct slice text, struct pair *pair)
{
	const struct catalog_entry *twin;

	pair->dialect = k->dialect;
	if (!family_is_keyed(k->c)) {
		buf_addslice(&pair->text, text);
		return catalog_source_message(k->c, k->e, &pair->source);
	}
	if (!family->template || family->template == k->c)
		return false;
	twin = family_twin(family->template, k->e);
	if (!twin || !twin->nvalues)
		return false;
	if (k->c->format != CATALOG_ARB)
		return pair_make(pair, twin->values[0], twin->format, text, k->e->format);
	buf_addslice(&pair->source, twin->values[0]);
	buf_addslice(&pair->text, text);
	return true;
}

/* Of a plural and a text for all numbers only the placeholders compare. */
static void
keep_names(struct message_faults *all)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].kind == MESSAGE_LOST || all->v[i].kind == MESSAGE_ADDED)
			all->v[n++] = all->v[i];
	all->n = n;
}

/* One message alone, or with its source. */
static void
check_message(const struct family *family, struct checking *k, struct slice text)
{
	struct message_faults faults = {0};
	struct pair pair = {.dialect = 0};
	struct message m;
	struct err err;
	unsigned own = k->dialect;
	bool paired = find_source(family, k, text, &pair);

	if (paired) {
		k->dialect = pair.dialect;
		k->source = buf_slice(&pair.source);
		k->text = buf_slice(&pair.text);
		message_verify(k->source, k->text, k->dialect, k->c->locale, &k->arena, &faults);
		if (pair.names_only)
			keep_names(&faults);
		report_faults(k, &faults);
	}
	if (!paired || pair.names_only) {
		k->dialect = own;
		k->text = text;
		faults = (struct message_faults){0};
		if (message_parse(k->text, k->dialect, &k->arena, &m, &err) < 0) {
			struct finding f = {0};
			report(k, "bad-syntax", SEVERITY_HIGH, err.column ? err.column - 1 : 0,
			    (struct slice){"", 0}, err.text, &f);
		} else {
			message_check(&m, k->c->locale, &k->arena, &faults);
		}
		report_faults(k, &faults);
	}
	buf_free(&pair.source);
	buf_free(&pair.text);
}

void
rules_message(const struct family *family, const struct catalog *c, const struct catalog_entry *e,
    struct catalog_cursor *cursor, rules_report *reported, void *state)
{
	struct checking k = {.c = c, .e = e, .cursor = cursor, .report = reported, .state = state};
	struct buf text = {0};

	if (e->fixed || (c == family->template && c->format == CATALOG_PO))
		return;
	k.dialect = c->format == CATALOG_ARB
	    ? family->dialect
	    : (unsigned)message_dialect_of(slice(catalog_message_format(c, e)));
	if (c->format == CATALOG_ARB ? (buf_addslice(&text, e->values[0]), true)
				     : catalog_message(c, e, &text))
		check_message(family, &k, buf_slice(&text));
	buf_free(&text);
	buf_free(&k.fix);
	arena_free(&k.arena);
}
