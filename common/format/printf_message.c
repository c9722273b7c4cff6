/* Names to positions, and conversions by type; printf_read.c is the way back. */
#include "common/format/printf_part.h"

#include "common/json.h"

#include <stdio.h>
#include <stdlib.h>

/* -- positions -- */

static bool
is_printf(unsigned dialect)
{
	return (dialect & 15U) == MESSAGE_PRINTF;
}

size_t
printf_position(const struct printf_arguments *a, struct slice name)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].name.ptr && slice_eq(a->v[i].name, name))
			return i + 1;
	return 0;
}

static struct printf_argument *
find_argument(struct printf_arguments *a, struct slice name)
{
	size_t position = printf_position(a, name);

	return position ? &a->v[position - 1] : NULL;
}

static int
put_at(struct printf_arguments *a, size_t position, struct slice name, struct err *e)
{
	if (!position || position > PRINTF_ARGUMENTS)
		return err_set(e, "cannot_say", "more than %d arguments", PRINTF_ARGUMENTS);
	a->v[position - 1].name = name;
	if (a->n < position)
		a->n = position;
	return 0;
}

/* Whether a name is an argument: on Android a plural's number may only choose. */
static bool
is_argument(const struct printf_arguments *a, const struct message *m, struct slice name)
{
	bool apple = a->flavour == PRINTF_APPLE;

	for (size_t i = 0; i < m->n; i++)
		if ((m->nodes[i].type == MESSAGE_PLACEHOLDER || m->nodes[i].type == MESSAGE_POUND ||
			(apple && m->nodes[i].type == MESSAGE_PLURAL)) &&
		    slice_eq(m->nodes[i].name, name))
			return true;
	return false;
}

/* First the names that tell their position, then the others in order. */
static int
number_names(struct printf_arguments *a, const struct message *m, struct arena *arena,
    struct err *e)
{
	struct message_placeholder *v;
	size_t n = message_placeholders(m, arena, &v), position, free_at = 1;

	for (size_t i = 0; i < n; i++) {
		position = printf_told_position(v[i].name, is_printf(m->dialect));
		if (position && is_argument(a, m, v[i].name) && put_at(a, position, v[i].name, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < n; i++) {
		if (!is_argument(a, m, v[i].name) || find_argument(a, v[i].name))
			continue;
		while (free_at <= a->n && a->v[free_at - 1].name.ptr)
			free_at++;
		if (put_at(a, free_at, v[i].name, e) < 0)
			return -1;
	}
	return 0;
}

/* -- conversions -- */

/*
 * A spec in the flavour's own words. Java's Formatter has no lengths, no %@,
 * %i, %u, %p; Apple's has all.
 */
static struct slice
localise_spec(struct slice spec, enum printf_flavour flavour, struct arena *arena)
{
	struct buf b = {0};
	struct slice out;

	if (flavour == PRINTF_APPLE || !spec.len)
		return spec;
	for (size_t i = 0; i < spec.len; i++) {
		char c = spec.ptr[i];
		if (i + 1 == spec.len)
			buf_addc(&b, c == '@' || c == 'p' ? 's' : c == 'i' || c == 'u' ? 'd' : c);
		else if (!strchr("hlLqjzt'I", c))
			buf_addc(&b, c);
	}
	out = buf_slice(&b);
	out.ptr = arena_copy(arena, out.ptr, out.len);
	buf_free(&b);
	return out;
}

/* The JSON type that a record tells of a placeholder is a whole number's. */
static bool
is_told_int(struct slice placeholders, struct slice name)
{
	struct json_walk w = json_walk(placeholders.len ? placeholders : S("[]"));
	struct slice record, type;
	struct buf text = {0};
	bool found = false;

	while (!found && json_element(&w, &record))
		found = json_type(record) == JSON_OBJECT && json_get_text(record, "name", &text) &&
		    slice_eq(buf_slice(&text), name) && json_get(record, "type", &type) &&
		    json_is(type, "int");
	buf_free(&text);
	return found;
}

/* What a placeholder of ICU or i18next becomes. */
static struct slice
spec_by_type(const struct printf_arguments *a, const struct message *m, struct slice name,
    struct slice placeholders)
{
	bool number = is_told_int(placeholders, name);

	for (size_t i = 0; i < m->n && !number; i++)
		number = (m->nodes[i].type == MESSAGE_PLURAL || m->nodes[i].type == MESSAGE_ORDINAL ||
			     m->nodes[i].type == MESSAGE_POUND) &&
		    slice_eq(m->nodes[i].name, name);
	if (a->flavour == PRINTF_APPLE)
		return number ? S("lld") : S("@");
	return number ? S("d") : S("s");
}

/*
 * The specs of the printf text that is there already win; a number stays one.
 * "%#@" starts a variable of Apple's and converts nothing, and a '*' would take
 * an argument more.
 */
static void
take_specs(struct printf_arguments *a, const struct message *m, struct arena *arena)
{
	for (size_t i = 0; i < m->n; i++) {
		struct slice spec = printf_spec(message_bytes(m, &m->nodes[i]));
		size_t position = printf_told_position(m->nodes[i].name, true);
		if (m->nodes[i].type != MESSAGE_PLACEHOLDER || !position || position > a->n ||
		    slice_is(spec, "#@") || memchr(spec.ptr, '*', spec.len) ||
		    (printf_is(a->v[position - 1].spec, PRINTF_NUMBERS) &&
			!printf_is(spec, PRINTF_NUMBERS)))
			continue;
		a->v[position - 1].spec = localise_spec(spec, a->flavour, arena);
	}
}

static bool
has_star(const struct message *m)
{
	for (size_t i = 0; i < m->n; i++) {
		struct slice bytes = message_bytes(m, &m->nodes[i]);
		if (m->nodes[i].type == MESSAGE_PLACEHOLDER && memchr(bytes.ptr, '*', bytes.len))
			return true;
	}
	return false;
}

/* -- as forms.h wants it -- */

/* What ICU formats itself and no conversion does: a date, a currency. */
static int
check_style(const struct printf_arguments *a, const struct message *m,
    const struct message_node *node, struct err *e)
{
	struct slice bytes = message_bytes(m, node), style = node->style;

	if (is_printf(m->dialect) || !style.len)
		return 0;
	const char *comma = memchr(bytes.ptr, ',', bytes.len);
	if (slice_is(style, "number") && comma &&
	    !memchr(comma + 1, ',', bytes.len - (size_t)(comma + 1 - bytes.ptr)))
		return 0;
	return err_set(e, "cannot_say", "%s has no conversion for '%.*s'", a->speller.what,
	    (int)(bytes.len < 80 ? bytes.len : 80), bytes.ptr);
}

/* Conversions among the nodes [from, to), of a plural those of the case that has most. */
static size_t
count_conversions(const struct message *m, size_t from, size_t to)
{
	size_t n = 0, most, one;

	for (size_t i = from; i < to; i += m->nodes[i].size) {
		if (m->nodes[i].type == MESSAGE_PLACEHOLDER || m->nodes[i].type == MESSAGE_POUND)
			n++;
		most = 0;
		for (size_t k = i + 1; k < i + m->nodes[i].size; k += m->nodes[k].size) {
			one = count_conversions(m, k + 1, k + m->nodes[k].size);
			most = one > most ? one : most;
		}
		n += most;
	}
	return n;
}

/* Whether one argument is put in twice ("{b} of {b}"): without positions it would be two. */
static bool
is_repeated(struct printf_arguments *a, const struct message *m)
{
	if (a->counted != m->nodes) {
		a->counted = m->nodes;
		a->repeated = count_conversions(m, 0, m->n) > 1;
	}
	return a->repeated;
}

static int
spell(const struct message *m, const struct message_node *node, void *state, struct buf *out,
    struct err *e)
{
	struct printf_arguments *a = state;
	struct printf_argument *argument = find_argument(a, node->name);
	struct slice bytes = message_bytes(m, node), spec;
	bool own = is_printf(m->dialect);
	size_t position;

	if (check_style(a, m, node, e) < 0)
		return -1;
	/* A placeholder that the source does not have is the verifier's to say. */
	if (!argument && a->n < PRINTF_ARGUMENTS) {
		position = own ? printf_told_position(node->name, true) : 0;
		if (put_at(a, position ? position : a->n + 1, node->name, e) < 0)
			return -1;
		argument = find_argument(a, node->name);
	}
	if (!argument)
		return err_set(e, "cannot_say", "more than %d arguments", PRINTF_ARGUMENTS);
	position = (size_t)(argument - a->v) + 1;
	if (own && a->flavour == PRINTF_APPLE && printf_told_position(node->name, true) == position) {
		buf_addslice(out, bytes);
		return 0;
	}
	spec = own ? localise_spec(printf_spec(bytes), a->flavour, a->arena) : argument->spec;
	if (!spec.len)
		spec = a->flavour == PRINTF_APPLE ? S("@") : S("s");
	buf_addc(out, '%');
	if (a->n > 1 || is_repeated(a, m) || (own && memchr(bytes.ptr, '$', bytes.len)))
		buf_addf(out, "%zu$", position);
	buf_addslice(out, spec);
	return 0;
}

static const struct forms_speller spellers[] = {
    [PRINTF_ANDROID] = {.dialect = MESSAGE_PRINTF, .what = "Android", .spell = spell},
    [PRINTF_APPLE] = {.dialect = MESSAGE_PRINTF,
	.what = "Apple",
	.zero_is_0 = true, /* Foundation release notes, OS X 10.9 */
	.spell = spell},
};

struct forms_speller
printf_speller(enum printf_flavour flavour)
{
	return spellers[flavour];
}

int
printf_arguments_of(struct slice source, const char *format, struct slice placeholders,
    struct slice had, enum printf_flavour flavour, struct arena *arena,
    struct printf_arguments *a, struct err *e)
{
	int dialect = message_dialect_of(slice(format));
	struct message m, old;

	*a = (struct printf_arguments){.flavour = flavour, .arena = arena};
	a->speller = printf_speller(flavour);
	a->speller.state = a;
	if (dialect < 0)
		return err_set(e, "cannot_say", "an unknown message format, '%.40s'", format);
	if (message_parse(source, (unsigned)dialect, arena, &m, e) < 0)
		return -1;
	if (is_printf(m.dialect) && has_star(&m))
		return err_set(e, "cannot_say", "a width that is an argument ('*')");
	if (number_names(a, &m, arena, e) < 0)
		return -1;
	if (is_printf(m.dialect))
		take_specs(a, &m, arena);
	a->formatted =
	    is_printf(m.dialect) && source.len && memmem(source.ptr, source.len, "%%", 2);
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].name.ptr && !a->v[i].spec.len)
			a->v[i].spec = spec_by_type(a, &m, a->v[i].name, placeholders);
	if (had.len && message_parse(had, MESSAGE_PRINTF, arena, &old, NULL) == 0)
		take_specs(a, &old, arena);
	return 0;
}

const char *
printf_format_of(struct slice text)
{
	struct arena arena = {0};
	struct message m;
	bool format = strcmp(catalog_guess_format(text), "printf") == 0;

	if (!format && text.len && memmem(text.ptr, text.len, "%%", 2))
		format = message_parse(text, MESSAGE_PRINTF, &arena, &m, NULL) == 0;
	arena_free(&arena);
	return format ? "printf" : "plain";
}

/* A text that is no format has its % alone, unless it would be taken for one then. */
static void
undouble(struct slice *text, struct arena *arena)
{
	struct buf b = {0};

	for (size_t i = 0; i < text->len; i++) {
		buf_addc(&b, text->ptr[i]);
		i += text->ptr[i] == '%';
	}
	if (strcmp(printf_format_of(buf_slice(&b)), "plain") == 0)
		*text = (struct slice){arena_copy(arena, b.len ? b.ptr : "", b.len), b.len};
	buf_free(&b);
}

int
printf_split(struct slice text, const char *format, struct slice locale,
    struct printf_arguments *a, struct arena *arena, struct forms *forms, struct err *e)
{
	size_t n = a->n;
	int rc = forms_split(text, format, locale, &a->speller, arena, forms, e);

	/* An argument that only the text has may be the second: then all are numbered. */
	if (rc == 0 && a->n != n)
		rc = forms_split(text, format, locale, &a->speller, arena, forms, e);
	if (rc == 0 && a->n == 0 && !a->formatted && !forms->plural)
		undouble(&forms->text[PLURAL_OTHER], arena);
	return rc;
}

/* -- comparing -- */

/* Positions alone: types, widths and names do not make another text. */
static int
spell_position(const struct message *m, const struct message_node *node, void *state,
    struct buf *out, struct err *e)
{
	struct printf_arguments *a = state;
	struct buf ignored = {0};
	int rc = spell(m, node, state, &ignored, e);
	struct printf_argument *argument = find_argument(a, node->name);

	buf_free(&ignored);
	if (rc == 0)
		buf_addf(out, "%%%zu$", (size_t)(argument - a->v) + 1);
	return rc;
}

int
printf_say(const struct catalog_change *change, struct slice text, struct slice locale,
    enum printf_flavour flavour, struct buf *out, struct err *e)
{
	struct printf_arguments a;
	struct arena arena = {0};
	struct forms f;
	int rc = printf_arguments_of(change->source.ptr ? change->source : text, change->format,
	    change->placeholders, S(""), flavour, &arena, &a, e);

	a.speller.spell = spell_position;
	if (rc == 0)
		rc = forms_split(text, change->format, locale, &a.speller, &arena, &f, e);
	for (int c = 0; rc == 0 && c < PLURAL_CATEGORIES; c++) {
		if (!f.text[c].ptr)
			continue;
		if (f.plural)
			buf_addf(out, "plural %s%c", plural_name((enum plural_category)c), '\0');
		buf_addslice(out, f.text[c]);
		buf_addc(out, '\0');
	}
	arena_free(&arena);
	return rc;
}
