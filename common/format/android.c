/* Resources as messages. */
#include "common/format/android.h"

#include "common/format/android_scan.h"
#include "common/format/android_text.h"
#include "common/format/mark.h"

#include <ctype.h>

struct reader {
	struct catalog *c;
	struct android_file file;
	struct buf text;
};

static struct slice
keep(struct reader *r, struct slice text)
{
	return (struct slice){arena_copy(&r->c->arena, text.len ? text.ptr : "", text.len),
	    text.len};
}

static bool
has_conversions(struct slice text)
{
	return strcmp(printf_format_of(text), "printf") == 0;
}

/* -- names of arguments -- */

static size_t
position_of(struct slice name)
{
	size_t position = 0;

	for (size_t i = 0; i < name.len; i++) {
		if (!isdigit((unsigned char)name.ptr[i]) || position > PRINTF_ARGUMENTS)
			return 0;
		position = position * 10 + (size_t)(name.ptr[i] - '0');
	}
	return position;
}

static bool
is_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!isalnum((unsigned char)name.ptr[i]) && name.ptr[i] != '_')
			return false;
	return name.len > 0 && !isdigit((unsigned char)*name.ptr);
}

/*
 * Collects the name of each argument of a printf text; false where one has
 * none, or another name than elsewhere, or two share one.
 */
static bool
take_names(const struct android_item *item, struct slice *names, struct arena *arena)
{
	struct message m;

	if (message_parse(item->text, MESSAGE_PRINTF, arena, &m, NULL) < 0)
		return false;
	for (size_t i = 0; i < m.n; i++) {
		if (m.nodes[i].type != MESSAGE_PLACEHOLDER)
			continue;
		size_t at = position_of(m.nodes[i].name);
		if (!at || at >= item->nnames || !is_name(item->names[at]) ||
		    (names[at].ptr && !slice_eq(names[at], item->names[at])))
			return false;
		for (size_t k = 1; k <= PRINTF_ARGUMENTS; k++)
			if (k != at && slice_eq(names[k], item->names[at]))
				return false;
		names[at] = item->names[at];
	}
	return true;
}

/* Appends a printf text as ICU, with the names. False where ICU cannot say it. */
static bool
add_named(struct slice text, const struct slice *names, struct arena *arena, struct buf *out)
{
	struct buf literal = {0};
	struct message m;
	bool good = message_parse(text, MESSAGE_PRINTF, arena, &m, NULL) == 0;

	for (size_t i = 0; good && i < m.n; i++) {
		const struct message_node *node = &m.nodes[i];
		buf_reset(&literal);
		if (node->type == MESSAGE_PLACEHOLDER) {
			struct slice name = names[position_of(node->name)];
			buf_addf(out, "{%.*s}", (int)name.len, name.ptr);
			continue;
		}
		if (node->type == MESSAGE_TEXT)
			message_literal(&m, node, &literal);
		else
			buf_addslice(&literal, message_bytes(&m, node));
		good = message_quote(buf_slice(&literal), MESSAGE_ICU, false, i + 1 < m.n, out);
	}
	buf_free(&literal);
	return good;
}

/* -- a string -- */

static void
set_value(struct reader *r, struct catalog_entry *e, struct slice text, const char *format)
{
	e->values = arena_alloc(&r->c->arena, sizeof(*e->values));
	e->values[0] = keep(r, text);
	e->nvalues = 1;
	e->format = format;
	e->state = text.len ? CATALOG_TRANSLATED : CATALOG_MISSING;
}

static void
read_string(struct reader *r, const struct android_item *item, struct catalog_entry *e)
{
	struct slice names[PRINTF_ARGUMENTS + 1] = {{NULL, 0}};
	struct arena arena = {0};

	buf_reset(&r->text);
	e->positional_format = "printf";
	if (has_conversions(item->text)) {
		if (item->nnames && take_names(item, names, &arena) &&
		    add_named(item->text, names, &arena, &r->text)) {
			set_value(r, e, buf_slice(&r->text), "icu");
			e->positional = keep(r, item->text);
		} else {
			set_value(r, e, item->text, "printf");
		}
	} else {
		/* Nothing formats it: braces and percent signs are themselves. */
		message_quote(item->text, MESSAGE_ICU, false, false, &r->text);
		set_value(r, e, buf_slice(&r->text), "icu");
		buf_reset(&r->text);
		message_quote(item->text, MESSAGE_PRINTF, false, false, &r->text);
		e->positional = keep(r, buf_slice(&r->text));
	}
	arena_free(&arena);
}

/* -- a plural -- */

/* The forms by category; what is wrong is a fault of entry i. */
static void
take_forms(struct reader *r, const struct android_resource *resource, size_t i,
    struct forms *forms)
{
	struct catalog *c = r->c;

	*forms = (struct forms){.plural = true};
	for (size_t k = 0; k < resource->n; k++) {
		const struct android_item *item = &resource->items[k];
		int category = plural_of_name(item->quantity);
		if (category < 0)
			catalog_fault(c, "unknown-category", i, item->span.start, item->span.end,
			    "'%.40s' is no quantity", item->quantity.ptr);
		else if (forms->text[category].ptr)
			catalog_fault(c, "duplicate-case", i, item->span.start, item->span.end,
			    "the quantity '%s' stands twice",
			    plural_name((enum plural_category)category));
		else
			forms->text[category] = item->text;
	}
	if (forms->text[PLURAL_OTHER].ptr || !resource->n)
		return;
	catalog_fault(c, "missing-other", i, resource->span.start, resource->span.end,
	    "the quantity 'other' is missing: the app ends when it is asked for");
	/* ICU wants one: the last form serves. */
	for (int k = PLURAL_OTHER - 1; k >= 0 && !forms->text[PLURAL_OTHER].ptr; k--)
		forms->text[PLURAL_OTHER] = forms->text[k];
}

/* The position of the number: of the first %d of other, else of another form; 0: none. */
static size_t
number_of(const struct forms *forms, struct arena *arena)
{
	struct message m;

	for (int category = PLURAL_OTHER; category >= 0; category--) {
		if (!forms->text[category].ptr ||
		    message_parse(forms->text[category], MESSAGE_PRINTF, arena, &m, NULL) < 0)
			continue;
		for (size_t i = 0; i < m.n; i++)
			if (m.nodes[i].type == MESSAGE_PLACEHOLDER && m.nodes[i].style.len &&
			    strchr("diu", m.nodes[i].style.ptr[m.nodes[i].style.len - 1]))
				return position_of(m.nodes[i].name);
	}
	return 0;
}

/* Replaces {argN} by the names. */
static void
rename(struct slice text, const struct slice *names, struct arena *arena, struct buf *out)
{
	struct message m;
	size_t done = 0;

	if (message_parse(text, MESSAGE_ICU, arena, &m, NULL) < 0)
		m = (struct message){.n = 0};
	for (size_t i = 0; i < m.n; i++) {
		const struct message_node *node = &m.nodes[i];
		struct slice number = {node->name.ptr + 3, node->name.len - 3};
		if (node->type != MESSAGE_PLACEHOLDER || node->name.len < 4 ||
		    !slice_starts(node->name, "arg"))
			continue;
		size_t at = position_of(number);
		if (!at || at > PRINTF_ARGUMENTS || !names[at].ptr)
			continue;
		buf_add(out, text.ptr + done, node->start - done);
		buf_addf(out, "{%.*s}", (int)names[at].len, names[at].ptr);
		done = node->end;
	}
	buf_add(out, text.ptr + done, text.len - done);
}

static void
read_plurals(struct reader *r, const struct android_resource *resource, size_t i)
{
	struct slice names[PRINTF_ARGUMENTS + 1] = {{NULL, 0}}, locale = r->c->locale;
	struct arena arena = {0};
	struct buf joined = {0};
	struct forms forms;
	bool named = resource->n > 0;

	take_forms(r, resource, i, &forms);
	struct catalog_entry *e = &r->c->entries[i];
	e->positional_format = "icu";
	e->state = CATALOG_MISSING;
	for (size_t k = 0; k < resource->n; k++)
		named = named && take_names(&resource->items[k], names, &arena);
	size_t number = number_of(&forms, &arena);
	if (!forms.text[PLURAL_OTHER].ptr) {
		; /* no item at all */
	} else if (!printf_join(&forms, S(""), number, locale, PRINTF_ANDROID, &joined)) {
		e->opaque = true;
		catalog_fault(r->c, "unsayable", i, resource->span.start, resource->span.end,
		    "it cannot be told as one message");
	} else if (named && number && number <= PRINTF_ARGUMENTS) {
		e->positional = keep(r, buf_slice(&joined));
		buf_reset(&joined);
		buf_reset(&r->text);
		printf_join(&forms, names[number], number, locale, PRINTF_ANDROID, &joined);
		rename(buf_slice(&joined), names, &arena, &r->text);
		set_value(r, e, buf_slice(&r->text), "icu");
	} else {
		set_value(r, e, buf_slice(&joined), "icu");
	}
	buf_free(&joined);
	arena_free(&arena);
}

/* -- the file -- */

/* Two arguments or more without positions: the compiler refuses them. */
static void
check_positions(struct reader *r, const struct android_resource *resource, size_t i)
{
	const struct android_item *item = &resource->items[0];
	struct arena arena = {0};
	struct message m;
	size_t count = 0;
	bool bare = false;

	if (resource->formatted && !resource->fixed && has_conversions(item->text) &&
	    message_parse(item->text, MESSAGE_PRINTF, &arena, &m, NULL) == 0)
		for (size_t k = 0; k < m.n; k++) {
			struct slice bytes = message_bytes(&m, &m.nodes[k]);
			if (m.nodes[k].type != MESSAGE_PLACEHOLDER)
				continue;
			count++;
			bare |= !memchr(bytes.ptr, '$', bytes.len);
		}
	if (bare && count > 1)
		catalog_fault(r->c, "not-positional", i, item->content.start, item->content.end,
		    "several arguments need positions, %%1$s: the compiler refuses them");
	arena_free(&arena);
}

static void
check_items(struct reader *r, const struct android_resource *resource, size_t i, size_t from,
    size_t to)
{
	for (size_t k = from; k < to; k++) {
		const struct android_item *item = &resource->items[k];
		if (item->fault)
			catalog_fault(r->c, "bad-escape", i, item->content.start,
			    item->content.end, "%s", item->fault);
	}
	if (resource->type == ANDROID_STRING)
		check_positions(r, resource, i);
}

/* Adds the entry of a resource, or of its item k where it is an array. */
static void
add_entry(struct reader *r, const struct android_resource *resource, size_t k)
{
	struct catalog *c = r->c;
	bool array = resource->type == ANDROID_ARRAY, plural = resource->type == ANDROID_PLURALS;
	const struct android_item *item = resource->n ? &resource->items[k] : NULL;
	struct catalog_span span = array ? item->span : resource->span;
	struct catalog_span content = array ? item->content : resource->content;
	struct catalog_entry *e = catalog_add(c);
	size_t i = c->n - 1;
	struct mark mark;

	e->key = android_key(resource, k, &c->arena);
	e->line = array ? item->line : resource->line;
	e->column = array ? item->column : resource->column;
	e->span = catalog_span(c, span.start, span.end);
	e->value_span = catalog_span(c, content.start, content.end);
	e->comment = keep(r, resource->comment);
	e->fixed = resource->fixed || (item && item->reference && !plural);
	if (plural)
		read_plurals(r, resource, i);
	else if (item)
		read_string(r, item, e);
	e = &c->entries[i];
	struct slice words = array ? item->mark_text : resource->mark_text;
	if ((array ? item->mark.end : resource->mark.end) && mark_read(words, &mark)) {
		mark.source = keep(r, mark.source);
		mark_apply(&mark,
		    (struct slice){c->text.ptr + content.start, content.end - content.start}, e);
	}
	catalog_index(c, i);
	check_items(r, resource, i, array ? k : 0, array ? k + 1 : resource->n);
}

int
android_parse(struct catalog *c, struct err *e)
{
	struct reader r = {.c = c};
	int rc = android_scan(c->text, &r.file, e);

	for (size_t i = 0; rc == 0 && i < r.file.n; i++) {
		const struct android_resource *resource = &r.file.v[i];
		size_t n = resource->type == ANDROID_ARRAY ? resource->n : 1;
		for (size_t k = 0; k < n; k++)
			add_entry(&r, resource, k);
	}
	android_scan_free(&r.file);
	buf_free(&r.text);
	return rc;
}

const char *
android_name_fault(struct slice name)
{
	/* The key of an array's item, of a product's string. */
	const char *end = memchr(name.ptr, '[', name.len);

	if (!end)
		end = memchr(name.ptr, '#', name.len);
	size_t len = end ? (size_t)(end - name.ptr) : name.len;
	if (!len)
		return "is empty";
	if (!isalpha((unsigned char)*name.ptr) && *name.ptr != '_')
		return "does not begin with a letter";
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name.ptr[i]) && !strchr("_.-", name.ptr[i]))
			return "has characters other than letters, digits, _ . and -";
	return NULL;
}

void
android_skeleton(struct slice locale, struct slice source_locale, struct buf *out)
{
	(void)locale, (void)source_locale; /* the folder's name says it */
	buf_adds(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
		      "<resources xmlns:xliff=\"urn:oasis:names:tc:xliff:document:1.2\">\n"
		      "</resources>\n");
}
