/* Messages into gettext's forms; catalog_message.c is the way back. */
#include "common/format/po_message.h"

#include "common/message.h"

static struct slice
keep(struct arena *arena, const struct buf *b)
{
	struct slice s = buf_slice(b);

	return (struct slice){arena_copy(arena, s.ptr, s.len), s.len};
}

/* The nodes [from, to) as text with {name}, or with conversion for the number; false: no way. */
static bool
render(const struct message *m, size_t from, size_t to, struct slice conversion, struct buf *out)
{
	struct buf text = {0};
	bool good = true;

	for (size_t i = from; good && i < to; i += m->nodes[i].size) {
		const struct message_node *node = &m->nodes[i];
		switch (node->type) {
		case MESSAGE_TEXT:
			buf_reset(&text);
			message_literal(m, node, &text);
			/* Braces that are text would be read as placeholders. */
			good = text.len == 0 ||
			    (!memchr(text.ptr, '{', text.len) && !memchr(text.ptr, '}', text.len));
			for (size_t k = 0; k < text.len; k++) {
				if (text.ptr[k] == '%' && conversion.len)
					buf_addc(out, '%');
				buf_addc(out, text.ptr[k]);
			}
			break;
		case MESSAGE_PLACEHOLDER:
		case MESSAGE_POUND:
			good = node->style.len == 0;
			if (conversion.len)
				buf_addslice(out, conversion);
			else
				buf_addf(out, "{%.*s}", (int)node->name.len, node->name.ptr);
			break;
		case MESSAGE_OPEN:
		case MESSAGE_CLOSE:
		case MESSAGE_SELF:
		case MESSAGE_REST:
			buf_addslice(out, message_bytes(m, node));
			break;
		default:
			good = false;
		}
	}
	buf_free(&text);
	return good;
}

/* The only branch of the message, when it is a plural at the top; SIZE_MAX: none, or more. */
static size_t
only_plural(const struct message *m)
{
	size_t found = SIZE_MAX;

	for (size_t i = 0; i < m->n; i++) {
		if (m->nodes[i].type == MESSAGE_ORDINAL || m->nodes[i].type == MESSAGE_SELECT)
			return SIZE_MAX;
		if (m->nodes[i].type != MESSAGE_PLURAL)
			continue;
		if (found != SIZE_MAX || m->nodes[i].offset)
			return SIZE_MAX;
		found = i;
	}
	for (size_t i = 0; i < m->n && found != SIZE_MAX; i += m->nodes[i].size)
		if (i == found)
			return found;
	return SIZE_MAX;
}

/* The whole sentence with that case in the plural's place. */
static bool
render_case(const struct message *m, size_t plural, const struct message_node *chosen,
    struct slice conversion, struct buf *out)
{
	size_t after = plural + m->nodes[plural].size, at = (size_t)(chosen - m->nodes);

	return render(m, 0, plural, conversion, out) &&
	    render(m, at + 1, at + chosen->size, conversion, out) &&
	    render(m, after, m->n, conversion, out);
}

/* A source plural of one (or =1) and other, and nothing else. */
static bool
source_plural(const struct message *m, size_t plural, struct arena *arena, struct po_source *s)
{
	const struct message_node *branch = &m->nodes[plural];
	const struct message_node *one = message_case_named(branch, "one");
	const struct message_node *other = message_case_named(branch, "other");
	struct buf b = {0};
	size_t cases = 0;
	bool good;

	if (!one)
		one = message_case_named(branch, "=1");
	for (size_t i = plural + 1; i < plural + m->nodes[plural].size; i += m->nodes[i].size)
		cases++;
	if (!one || !other || cases != 2)
		return false;
	good = render_case(m, plural, one, S(""), &b);
	s->id = keep(arena, &b);
	buf_reset(&b);
	good = good && render_case(m, plural, other, S(""), &b);
	s->plural = keep(arena, &b);
	buf_free(&b);
	return good;
}

/* What remains ICU: with gen-l10n's apostrophes where that can be, as the reader expects it. */
static struct slice
whole(const struct message *m, struct arena *arena)
{
	struct buf b = {0};
	struct slice s = m->text;

	if (message_convert(m, MESSAGE_ARB, &b))
		s = keep(arena, &b);
	buf_free(&b);
	return s;
}

static bool
is_icu(const char *format)
{
	return strcmp(format, "icu") == 0 || strncmp(format, "arb", 3) == 0;
}

static int
parse(struct slice text, const char *format, struct arena *arena, struct message *m)
{
	int dialect = message_dialect_of(slice(format));

	return dialect < 0 ? -1 : message_parse(text, (unsigned)dialect, arena, m, NULL);
}

static bool
has_placeholder(const struct message *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->nodes[i].type == MESSAGE_PLACEHOLDER)
			return true;
	return false;
}

void
po_source_of(struct slice text, const char *format, struct arena *arena, struct po_source *s)
{
	struct message m;
	struct buf b = {0};
	size_t plural;

	*s = (struct po_source){.id = text};
	if (parse(text, format, arena, &m) < 0)
		return;
	if (!is_icu(format)) {
		if (strcmp(format, "printf") == 0 && has_placeholder(&m))
			s->flag = "c-format";
		else if (memchr(text.ptr, '{', text.len))
			s->flag = "no-python-brace-format";
		return;
	}
	plural = only_plural(&m);
	if (plural != SIZE_MAX && source_plural(&m, plural, arena, s)) {
		s->flag = "python-brace-format";
	} else if (render(&m, 0, m.n, S(""), &b)) {
		s->id = keep(arena, &b);
		s->plural = (struct slice){NULL, 0};
		s->flag = has_placeholder(&m) ? "python-brace-format" : NULL;
	} else if (message_is_plain(&m)) {
		buf_reset(&b);
		for (size_t i = 0; i < m.n; i++)
			message_literal(&m, &m.nodes[i], &b);
		*s = (struct po_source){.id = keep(arena, &b), .flag = "no-python-brace-format"};
	} else {
		*s = (struct po_source){.id = whole(&m, arena)};
	}
	buf_free(&b);
}

struct slice
po_value_of(struct slice text, const char *format, struct arena *arena)
{
	struct po_source s;

	po_source_of(text, format, arena, &s);
	if (!s.plural.ptr)
		return s.id;
	/* A plural where the source has none. */
	struct message m;
	return parse(text, format, arena, &m) == 0 ? whole(&m, arena) : text;
}

/* -- forms -- */

int
po_forms_of(struct slice plural_forms, struct slice locale, struct po_forms *f, struct err *e)
{
	const struct plural_rules *rules = plural_rules(locale);
	struct buf header = {0};
	size_t hits[PLURAL_FORMS_MAX] = {0};
	int rc;

	if (plural_forms.len)
		buf_addslice(&header, plural_forms);
	else if (!plural_po_header(locale, &header))
		buf_adds(&header, "nplurals=2; plural=(n != 1);");
	rc = plural_expr_parse(buf_slice(&header), &f->expr, e);
	buf_free(&header);
	if (rc < 0)
		return -1;
	if (f->expr.nplurals == 0)
		return err_set(e, "bad_plural", "Plural-Forms does not say nplurals");
	f->n = f->expr.nplurals < PLURAL_FORMS_MAX ? f->expr.nplurals : PLURAL_FORMS_MAX;
	plural_expr_categories(&f->expr, rules ? rules : plural_rules(S("en")), f->category);
	for (size_t i = 0; i < PLURAL_FORMS_MAX; i++)
		f->single[i] = -1;
	for (unsigned long n = 0; n < 200; n++) {
		unsigned long form = plural_expr_eval(&f->expr, n);
		if (form >= f->n)
			continue;
		f->single[form] = hits[form]++ == 0 && n <= 2 ? (int)n : -1;
	}
	return 0;
}

/* Which case of a translation serves a form; NULL: none. */
static const struct message_node *
case_for(const struct message_node *branch, const struct po_forms *f, size_t form)
{
	static const char *const exact[] = {"=0", "=1", "=2"};
	const struct message_node *found = NULL;

	if (f->single[form] >= 0)
		found = message_case_named(branch, exact[f->single[form]]);
	if (!found)
		found = message_case_named(branch, plural_name(f->category[form]));
	return found ? found : message_case_named(branch, "other");
}

bool
po_values_of(struct slice text, const char *format, const struct po_forms *f,
    struct slice conversion, struct arena *arena, struct slice *values)
{
	struct message m;
	struct buf b = {0};
	size_t plural;
	bool good = true;

	if (!is_icu(format) || parse(text, format, arena, &m) < 0)
		return false;
	plural = only_plural(&m);
	for (size_t i = 0; good && i < f->n; i++) {
		buf_reset(&b);
		if (plural == SIZE_MAX) {
			good = render(&m, 0, m.n, conversion, &b); /* the same for every number */
		} else {
			const struct message_node *chosen = case_for(&m.nodes[plural], f, i);
			good = chosen && render_case(&m, plural, chosen, conversion, &b);
		}
		values[i] = keep(arena, &b);
	}
	buf_free(&b);
	return good;
}
