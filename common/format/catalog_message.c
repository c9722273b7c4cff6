/*
 * Entries as messages: gettext keeps a plural as numbered forms, records keep
 * it as one ICU message, and this is the way from the one to the other.
 */
#include "common/format/catalog_forms.h"

#include "common/message.h"

/* A conversion such as %d or %1$s; "% s" as in "100% sure" is taken for text. */
static bool
has_conversion(struct slice text)
{
	struct arena arena = {0};
	struct message m;
	bool found = false;

	if (message_parse(text, MESSAGE_PRINTF, &arena, &m, NULL) == 0)
		for (size_t i = 0; i < m.n && !found; i++) {
			struct slice bytes = message_bytes(&m, &m.nodes[i]);
			found = m.nodes[i].type == MESSAGE_PLACEHOLDER &&
			    !memchr(bytes.ptr, ' ', bytes.len);
		}
	arena_free(&arena);
	return found;
}

const char *
catalog_guess_format(struct slice text)
{
	struct arena arena = {0};
	struct message m;
	bool parsed;

	if (!text.len)
		return "icu";
	if (memchr(text.ptr, '%', text.len) && has_conversion(text))
		return "printf";
	if (!memchr(text.ptr, '{', text.len) && !memchr(text.ptr, '}', text.len))
		return "icu";
	parsed = message_parse(text, MESSAGE_ARB, &arena, &m, NULL) == 0;
	arena_free(&arena);
	return parsed ? "icu" : "plain";
}

/* Whose texts are messages already. */
static bool
is_direct(const struct catalog *c)
{
	return c->format == CATALOG_ARB || c->format > CATALOG_TMX;
}

const char *
catalog_message_format(const struct catalog *c, const struct catalog_entry *e)
{
	if (c->format == CATALOG_ARB)
		return "arb";
	return e->source_plural.ptr ? "icu" : e->format;
}

/* -- one text -- */

static bool
add_text(const struct catalog *c, const struct catalog_entry *e, struct slice text, struct buf *out)
{
	struct arena arena = {0};
	struct message m;
	bool done = false;

	if (!is_direct(c) && strcmp(e->format, "icu") == 0 &&
	    message_parse(text, MESSAGE_ARB, &arena, &m, NULL) == 0)
		done = message_convert(&m, MESSAGE_ICU, out);
	if (!done)
		buf_addslice(out, text);
	arena_free(&arena);
	return true;
}

/* -- plurals -- */

/* The one number that a printf plural is over; false where it has more. */
static bool
is_single_number(const struct message *m)
{
	bool found = false;

	for (size_t i = 0; i < m->n; i++) {
		const struct message_node *node = &m->nodes[i];
		if (node->type != MESSAGE_PLACEHOLDER)
			continue;
		if (found || !node->style.len ||
		    !strchr("diu", node->style.ptr[node->style.len - 1]))
			return false;
		found = true;
	}
	return true;
}

/* The name that the plural's number goes by, in *name; "n" where nothing tells. */
static void
number_name(const struct catalog_entry *e, struct arena *arena, struct slice *name)
{
	static const char *const usual[] = {"n", "count", "num", "number", "total"};
	struct message_placeholder *v;
	struct message m;
	size_t n;

	*name = S("n");
	if (strcmp(e->format, "icu") != 0 ||
	    message_parse(e->source_plural, MESSAGE_ARB, arena, &m, NULL) < 0)
		return;
	n = message_placeholders(&m, arena, &v);
	for (size_t k = 0; k < sizeof(usual) / sizeof(*usual); k++)
		for (size_t i = 0; i < n; i++)
			if (slice_is(v[i].name, usual[k])) {
				*name = v[i].name;
				return;
			}
	if (n)
		*name = v[0].name;
}

/* Appends one form as the inside of a plural case. */
static bool
add_case(const struct catalog_entry *e, struct slice form, struct slice number, struct arena *arena,
    struct buf *out)
{
	bool printf_form = strcmp(e->format, "printf") == 0;
	unsigned dialect = printf_form ? MESSAGE_PRINTF : MESSAGE_ARB;
	struct message m;
	struct buf text = {0};
	bool good = true;

	if (strcmp(e->format, "plain") == 0 || message_parse(form, dialect, arena, &m, NULL) < 0)
		return message_quote(form, MESSAGE_ICU, true, false, out);
	if (printf_form && !is_single_number(&m))
		return false;
	for (size_t i = 0; good && i < m.n; i += m.nodes[i].size) {
		const struct message_node *node = &m.nodes[i];
		buf_reset(&text);
		if (node->type == MESSAGE_PLACEHOLDER && printf_form) {
			buf_addf(out, "{%.*s}", (int)number.len, number.ptr);
		} else if (node->type == MESSAGE_TEXT) {
			message_literal(&m, node, &text);
			good = message_quote(buf_slice(&text), MESSAGE_ICU, true,
			    i + node->size < m.n, out);
		} else {
			buf_addslice(out, message_bytes(&m, node));
		}
	}
	buf_free(&text);
	return good;
}

static bool
add_plural(const struct catalog_entry *e, const struct slice *texts, size_t n,
    const enum plural_category *forms, struct buf *out)
{
	struct arena arena = {0};
	struct slice number;
	bool good = true, other = false;
	size_t start = out->len;

	number_name(e, &arena, &number);
	buf_addf(out, "{%.*s, plural,", (int)number.len, number.ptr);
	for (int category = 0; good && category < PLURAL_CATEGORIES; category++) {
		for (size_t i = 0; i < n; i++) {
			if ((int)forms[i] != category)
				continue;
			buf_addf(out, " %s{", plural_name(forms[i]));
			good = add_case(e, texts[i], number, &arena, out);
			buf_addc(out, '}');
			other |= category == PLURAL_OTHER;
			break;
		}
	}
	/* ICU wants other where gettext has no form for fractions (ru, pl): the last form. */
	if (good && !other && n) {
		buf_adds(out, " other{");
		good = add_case(e, texts[n - 1], number, &arena, out);
		buf_addc(out, '}');
	}
	buf_addc(out, '}');
	if (!good)
		buf_cut(out, start);
	arena_free(&arena);
	return good;
}

bool
catalog_message(const struct catalog *c, const struct catalog_entry *e, struct buf *out)
{
	const enum plural_category *forms;

	if (!e->nvalues)
		return false;
	for (size_t i = 0; i < e->nvalues; i++)
		if (!e->values[i].len)
			return false;
	if (!e->source_plural.ptr)
		return add_text(c, e, e->values[0], out);
	if (e->nvalues > PLURAL_FORMS_MAX || (forms = catalog_forms(c, e->locale)) == NULL)
		return false;
	return add_plural(e, e->values, e->nvalues, forms, out);
}

bool
catalog_source_message(const struct catalog *c, const struct catalog_entry *e, struct buf *out)
{
	/* Whatever language the source is in, gettext knows it by two forms. */
	static const enum plural_category forms[] = {PLURAL_ONE, PLURAL_OTHER};
	struct slice texts[] = {e->source, e->source_plural};

	if (!e->source.ptr)
		return false;
	if (!e->source_plural.ptr)
		return add_text(c, e, e->source, out);
	return add_plural(e, texts, 2, forms, out);
}
