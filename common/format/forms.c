/* The plural of a message resolved into sentences, and put together again. */
#include "common/format/forms.h"

#include <stdio.h>

struct split {
	const struct message *m;
	const struct forms_speller *speller;
	const struct plural_rules *rules;
	struct slice locale;
	struct arena *arena;
	struct forms *out;
	struct buf text, literal;
	struct err *e;
};

const struct plural_rules *
forms_rules(struct slice locale, bool ordinal)
{
	const struct plural_rules *r = ordinal ? plural_ordinals(locale) : plural_rules(locale);

	return r ? r : ordinal ? plural_ordinals(S("en")) : plural_rules(S("en"));
}

static int __attribute__((format(printf, 2, 3)))
cannot(const struct split *s, const char *format, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	return err_set(s->e, "cannot_say", "%s has no %s", s->speller->what, text);
}

/* The nodes [from, to) as the format has them, appended to s->text. */
static int
render(struct split *s, size_t from, size_t to)
{
	const struct message *m = s->m;

	for (size_t i = from; i < to; i += m->nodes[i].size) {
		const struct message_node *node = &m->nodes[i];
		switch (node->type) {
		case MESSAGE_PLACEHOLDER:
		case MESSAGE_POUND:
			if (s->speller->spell(m, node, s->speller->state, &s->text, s->e) < 0)
				return -1;
			break;
		case MESSAGE_SELECT:
			return cannot(s, "select, '%.*s'",
			    (int)(node->name.len < 60 ? node->name.len : 60), node->name.ptr);
		case MESSAGE_PLURAL:
		case MESSAGE_ORDINAL:
		case MESSAGE_CASE:
			return cannot(s, "two plurals in one text");
		default: /* text and tags */
			buf_reset(&s->literal);
			message_literal(m, node, &s->literal);
			if (!message_quote(buf_slice(&s->literal), s->speller->dialect, false,
				i + node->size < m->n, &s->text))
				return cannot(s, "way to write '{{' or '$t(' as text");
		}
	}
	return 0;
}

static struct slice
take_text(struct split *s)
{
	struct slice kept = buf_slice(&s->text);

	kept.ptr = arena_copy(s->arena, kept.ptr, kept.len);
	buf_reset(&s->text);
	return kept;
}

/* -- which case serves which form -- */

static bool
says_number(const struct message *m, const struct message_node *branch,
    const struct message_node *chosen)
{
	size_t at = (size_t)(chosen - m->nodes);

	for (size_t i = at + 1; i < at + chosen->size; i++)
		if (m->nodes[i].type < MESSAGE_PLURAL && m->nodes[i].type != MESSAGE_TEXT &&
		    slice_eq(m->nodes[i].name, branch->name))
			return true;
	return false;
}

/* The category whose form the number k alone may take over; -1: none. */
static int
category_of_exact(const struct split *s, const struct message *m,
    const struct message_node *branch, const struct message_node *chosen, unsigned long k)
{
	enum plural_category c = plural_of_integer(s->rules, k);
	bool ordinal = branch->type == MESSAGE_ORDINAL;

	if (k == 0 && s->speller->zero_is_0 && !ordinal &&
	    !(plural_all(s->rules) & (1U << PLURAL_ZERO)))
		return PLURAL_ZERO;
	if (plural_single(s->rules) & (1U << c))
		return (int)c;
	/* "=1{{n} item}" serves 21 as well, where nothing else does. */
	if (c != PLURAL_OTHER && !message_case_named(branch, plural_name(c)) &&
	    says_number(m, branch, chosen))
		return (int)c;
	/* Of 0 and 1 (fr one) the 0 is taken care of by a form of its own. */
	if (k == 1 && s->speller->zero_is_0 && message_case_named(branch, "=0") &&
	    !message_case_named(branch, plural_name(c)) && c == PLURAL_ONE &&
	    plural_of_integer(s->rules, 0) == c && plural_of_integer(s->rules, 21) != c)
		return (int)c;
	return -1;
}

static bool
same_case(const struct message *m, const struct message_node *a, const struct message_node *b)
{
	size_t i = (size_t)(a - m->nodes), k = (size_t)(b - m->nodes), n = a->size;

	if (b->size != n)
		return false;
	for (size_t at = 1; at < n; at++)
		if (!slice_eq(message_bytes(m, &m->nodes[i + at]), message_bytes(m, &m->nodes[k + at])))
			return false;
	return true;
}

/* Fills cases[category] from the cases of a plural. */
static int
sort_cases(const struct split *s, const struct message_node *branch,
    const struct message_node *cases[PLURAL_CATEGORIES])
{
	const struct message *m = s->m;
	size_t at = (size_t)(branch - m->nodes), end = at + branch->size;

	for (size_t i = at + 1; i < end; i += m->nodes[i].size) {
		int category = plural_of_name(m->nodes[i].name);
		bool mute = category == PLURAL_ZERO && s->speller->zero_is_0 &&
		    !(plural_all(s->rules) & (1U << PLURAL_ZERO));
		/* Where the language has no zero ICU never takes it, and the format would. */
		if (category >= 0 && !mute)
			cases[category] = &m->nodes[i];
		else if (category < 0 && *m->nodes[i].name.ptr != '=')
			return cannot(s, "plural category '%.*s'",
			    (int)(m->nodes[i].name.len < 40 ? m->nodes[i].name.len : 40),
			    m->nodes[i].name.ptr);
	}
	for (size_t i = at + 1; i < end; i += m->nodes[i].size) {
		const struct message_node *chosen = &m->nodes[i];
		const struct message_node *twin;
		int category;

		if (*chosen->name.ptr != '=')
			continue;
		unsigned long k = chosen->name.len == 2 && chosen->name.ptr[1] >= '0' &&
			chosen->name.ptr[1] <= '9'
		    ? (unsigned long)(chosen->name.ptr[1] - '0')
		    : 1000;
		category = k < 10 ? category_of_exact(s, m, branch, chosen, k) : -1;
		if (category >= 0) {
			cases[category] = chosen;
			continue;
		}
		/* It says what the number's category says anyway. */
		twin = k < 10 ? message_case_named(branch, plural_name(plural_of_integer(s->rules, k)))
			      : NULL;
		if (!twin || !same_case(m, twin, chosen))
			return cannot(s, "form for the number %.*s alone",
			    (int)(chosen->name.len < 40 ? chosen->name.len - 1 : 39),
			    chosen->name.ptr + 1);
	}
	return 0;
}

static int
split_plural(struct split *s, size_t plural)
{
	const struct message_node *branch = &s->m->nodes[plural];
	const struct message_node *cases[PLURAL_CATEGORIES] = {NULL};
	size_t after = plural + branch->size;
	plural_set all;

	s->out->plural = true;
	s->out->ordinal = branch->type == MESSAGE_ORDINAL;
	s->out->number = branch->name;
	s->rules = forms_rules(s->locale, s->out->ordinal);
	if (branch->offset)
		return cannot(s, "plural with an offset");
	if (s->out->ordinal && !s->speller->ordinals)
		return cannot(s, "ordinal plural");
	if (sort_cases(s, branch, cases) < 0)
		return -1;
	all = plural_all(s->rules);
	for (int c = 0; c < PLURAL_CATEGORIES; c++) {
		if (!cases[c] && s->speller->no_fallback && all & (1U << c))
			cases[c] = cases[PLURAL_OTHER];
		if (!cases[c])
			continue;
		size_t at = (size_t)(cases[c] - s->m->nodes);
		if ((!s->speller->apart && render(s, 0, plural) < 0) ||
		    render(s, at + 1, at + cases[c]->size) < 0 ||
		    (!s->speller->apart && render(s, after, s->m->n) < 0))
			return -1;
		s->out->text[c] = take_text(s);
	}
	if (!s->speller->apart)
		return 0;
	if (render(s, 0, plural) < 0)
		return -1;
	s->out->before = take_text(s);
	if (render(s, after, s->m->n) < 0)
		return -1;
	s->out->after = take_text(s);
	return 0;
}

static int
split_message(struct split *s)
{
	const struct message *m = s->m;

	for (size_t i = 0; i < m->n; i += m->nodes[i].size)
		if (m->nodes[i].type == MESSAGE_PLURAL || m->nodes[i].type == MESSAGE_ORDINAL)
			return split_plural(s, i);
	if (render(s, 0, m->n) < 0)
		return -1;
	s->out->text[PLURAL_OTHER] = take_text(s);
	return 0;
}

int
forms_split(struct slice text, const char *format, struct slice locale,
    const struct forms_speller *speller, struct arena *arena, struct forms *forms, struct err *e)
{
	struct split s = {
	    .speller = speller, .locale = locale, .arena = arena, .out = forms, .e = e};
	int dialect = message_dialect_of(slice(format)), rc;
	struct message m;

	*forms = (struct forms){.before = {"", 0}, .after = {"", 0}};
	if (dialect < 0)
		return err_set(e, "cannot_say", "an unknown message format, '%.40s'", format);
	if (message_parse(text, (unsigned)dialect, arena, &m, e) < 0)
		return -1;
	s.m = &m;
	rc = split_message(&s);
	buf_free(&s.text);
	buf_free(&s.literal);
	return rc;
}

/* -- and back -- */

/* Appends a form's text as ICU; in_plural: it is a case's. */
static bool
add_icu(const struct forms_speller *speller, struct slice form, bool in_plural, bool more,
    struct buf *out)
{
	struct arena arena = {0};
	struct buf text = {0};
	struct message m;
	bool good = message_parse(form, speller->dialect, &arena, &m, NULL) == 0;

	for (size_t i = 0; good && i < m.n; i++) {
		const struct message_node *node = &m.nodes[i];
		if (node->type == MESSAGE_PLACEHOLDER) {
			good = speller->name(&m, node, speller->state, out);
			continue;
		}
		buf_reset(&text);
		message_literal(&m, node, &text);
		good = message_quote(buf_slice(&text), MESSAGE_ICU, in_plural, more || i + 1 < m.n,
		    out);
	}
	buf_free(&text);
	arena_free(&arena);
	return good;
}

/* Whether a form is one that forms_split fills in: no whole number asks for it. */
static bool
is_filled_in(const struct forms *f, const struct plural_rules *rules, int category)
{
	return category != PLURAL_OTHER && category != PLURAL_ZERO &&
	    plural_all(rules) & ~plural_needed(rules) & (1U << category) &&
	    slice_eq(f->text[category], f->text[PLURAL_OTHER]);
}

static bool
join_plural(const struct forms *f, const struct plural_rules *rules,
    const struct forms_speller *speller, struct buf *out)
{
	bool good = true;

	buf_addf(out, "{%.*s, %s,", (int)f->number.len, f->number.ptr,
	    f->ordinal ? "selectordinal" : "plural");
	for (int c = 0; good && c < PLURAL_CATEGORIES; c++) {
		bool exact = c == PLURAL_ZERO && speller->zero_is_0 && !f->ordinal &&
		    !(plural_all(rules) & (1U << PLURAL_ZERO));
		if (!f->text[c].ptr || (speller->no_fallback && is_filled_in(f, rules, c)))
			continue;
		buf_addf(out, " %s{", exact ? "=0" : plural_name((enum plural_category)c));
		good = add_icu(speller, f->text[c], true, false, out);
		buf_addc(out, '}');
	}
	buf_addc(out, '}');
	return good;
}

bool
forms_join(const struct forms *f, struct slice locale, const struct forms_speller *speller,
    struct buf *out)
{
	const struct plural_rules *rules = forms_rules(locale, f->ordinal);
	struct arena arena = {0};
	struct message m;
	size_t mark = out->len;
	bool good = f->text[PLURAL_OTHER].ptr != NULL;

	if (good && !f->plural)
		good = add_icu(speller, f->text[PLURAL_OTHER], false, false, out);
	else if (good)
		good = add_icu(speller, f->before, false, true, out) &&
		    join_plural(f, rules, speller, out) &&
		    add_icu(speller, f->after, false, false, out);
	/* Names that ICU does not take ("a.b") show here. */
	good = good &&
	    message_parse((struct slice){out->ptr + mark, out->len - mark}, MESSAGE_ICU, &arena,
		&m, NULL) == 0;
	if (!good)
		buf_cut(out, mark);
	arena_free(&arena);
	return good;
}
