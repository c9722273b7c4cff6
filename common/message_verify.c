#include "common/message_check.h"
#include "common/message_count.h"

#include "common/message_parse.h"
#include "common/plural.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

/* A translation against its source: what message_count counted, and the rest. */

/* ---- comparing ---- */

/* The first node of that item in the translation, for the fault's place. */
static size_t
place(const struct message_side *s, size_t item)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].item == item)
			return s->m.nodes[s->v[i].node].start;
	return 0;
}

/* Whether the name is an argument of a plural, ordinal or select of m. */
static const struct message_node *
branch_over(const struct message *m, struct slice name, enum message_type from,
    enum message_type to)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->nodes[i].type >= from && m->nodes[i].type <= to &&
		    slice_eq(m->nodes[i].name, name))
			return &m->nodes[i];
	return NULL;
}

/*
 * Whether this case stands for one number, so that its text may say the
 * number in words: =N, zero one two in Arabic, one in English.
 */
static bool
one_number(const struct message_comparison *c, const struct message_assumption *a)
{
	const struct plural_rules *rules = plural_rules(c->locale);
	int category = plural_of_name(a->selector);

	if (a->select)
		return false;
	if (a->selector.len && *a->selector.ptr == '=')
		return true;
	return rules && category >= 0 && plural_single(rules) & 1U << category;
}

static void
fault_of_item(struct message_comparison *c, size_t index, const char *what,
    enum message_fault_kind kind, const struct message_assumption *a)
{
	const struct message_item *item = &c->items[index];
	const char *before = "", *after = "", *noun = "tag";
	char where[80] = "";

	if (a)
		snprintf(where, sizeof(where), " in the case '%.*s'",
		    (int)(a->selector.len > 40 ? 40 : a->selector.len), a->selector.ptr);
	if (item->kind == MESSAGE_ITEM_PLACEHOLDER) {
		unsigned base = message_base(c->target.m.dialect);

		noun = "placeholder";
		before = base == MESSAGE_PRINTF ? "%" : base == MESSAGE_I18NEXT ? "{{" : "{";
		after = base == MESSAGE_PRINTF ? "" : base == MESSAGE_I18NEXT ? "}}" : "}";
	} else if (item->kind != MESSAGE_ITEM_ESCAPE) {
		before = item->kind == MESSAGE_ITEM_CLOSE ? "</" : "<";
		after = item->kind == MESSAGE_ITEM_SELF ? "/>" : ">";
	} else {
		noun = "escape";
	}
	message_fault(c->faults, c->arena, kind, false, place(&c->target, index), item->name,
	    "%s %s%.*s%s %s%s", noun, before, (int)(item->name.len > 60 ? 60 : item->name.len),
	    item->name.ptr, after, what, where);
}

static void
compare_item(struct message_comparison *c, size_t i, struct message_range s, struct message_range t,
    unsigned most, const struct message_assumption *a)
{
	const struct message_item *item = &c->items[i];
	bool tag = item->kind >= MESSAGE_ITEM_OPEN && item->kind <= MESSAGE_ITEM_SELF;

	if (item->kind == MESSAGE_ITEM_BREAK) {
		if (s.low != t.low || s.high != t.high)
			message_fault(c->faults, c->arena, MESSAGE_NEWLINES, false,
			    place(&c->target, i), S(""), "%u line breaks instead of %u", t.high,
			    s.high);
	} else if (item->kind == MESSAGE_ITEM_ESCAPE) {
		if (s.low != t.low || s.high != t.high)
			fault_of_item(c, i, "is not there as often as in the source",
			    MESSAGE_ESCAPES, a);
	} else if (tag) {
		if (t.low < s.low)
			fault_of_item(c, i, "is lost", MESSAGE_LOST_TAG, a);
		else if (t.high > s.high)
			fault_of_item(c, i, "is not in the source", MESSAGE_ADDED_TAG, a);
	} else {
		bool number = a && slice_eq(a->argument, item->name) && one_number(c, a);

		if (t.low < s.low && !number)
			fault_of_item(c, i, "is lost", MESSAGE_LOST, a);
		else if (t.high > (most ? most : 1))
			fault_of_item(c, i, "is there more often than in the source",
			    MESSAGE_DUPLICATED, a);
	}
}

/*
 * Under one assumption (or none): all items, source against translation. The
 * source is counted under `from`.
 */
static void
compare_counts(struct message_comparison *c, const struct message_range *overall,
    const struct message_assumption *from, const struct message_assumption *a)
{
	const struct message_range *s = from ? message_count(c, &c->source, from) : overall;
	const struct message_range *t = message_count(c, &c->target, a);

	for (size_t i = 0; i < c->nitems && !c->exhausted; i++)
		compare_item(c, i, s[i], t[i], overall[i].high, a);
}

/* Names that the source does not know at all. */
static void
compare_names(struct message_comparison *c, const struct message_range *overall)
{
	for (size_t i = 0; i < c->nitems; i++)
		if (c->items[i].kind == MESSAGE_ITEM_PLACEHOLDER && !overall[i].high &&
		    !branch_over(&c->source.m, c->items[i].name, MESSAGE_PLURAL, MESSAGE_SELECT))
			fault_of_item(c, i, "is not in the source", MESSAGE_ADDED, NULL);
	for (size_t i = 0; i < c->target.m.n; i++) {
		const struct message_node *node = &c->target.m.nodes[i];

		if (node->type >= MESSAGE_PLURAL && node->type <= MESSAGE_SELECT &&
		    !branch_over(&c->source.m, node->name, MESSAGE_PLACEHOLDER, MESSAGE_SELECT))
			message_fault(c->faults, c->arena, MESSAGE_ADDED, false, node->start,
			    node->name, "placeholder {%.*s} is not in the source",
			    (int)(node->name.len > 60 ? 60 : node->name.len), node->name.ptr);
	}
}

static const char *
branch_word(enum message_type type)
{
	return type == MESSAGE_PLURAL	 ? "plural"
	       : type == MESSAGE_ORDINAL ? "selectordinal"
					 : "select";
}

/* Every plural and select of the source is in the translation, with its cases. */
static void
compare_branches(struct message_comparison *c)
{
	const struct message *s = &c->source.m, *t = &c->target.m;

	for (size_t i = 0; i < s->n && message_spend(c, t->n); i++) {
		const struct message_node *a = &s->nodes[i], *b;

		if (a->type < MESSAGE_PLURAL || a->type > MESSAGE_SELECT)
			continue;
		b = branch_over(t, a->name, a->type, a->type);
		if (!b) {
			message_fault(c->faults, c->arena, MESSAGE_STRUCTURE, false, 0, a->name,
			    "the %s over {%.*s} is lost", branch_word(a->type),
			    (int)(a->name.len > 60 ? 60 : a->name.len), a->name.ptr);
			continue;
		}
		for (size_t k = i + 1; k < i + a->size && message_spend(c, b->size);
		     k += s->nodes[k].size) {
			struct slice selector = s->nodes[k].name;
			const struct message_node *same = message_case(b, selector);
			bool found = same && (slice_eq(same->name, selector) ||
			    !slice_is(same->name, "other"));

			/* Plural categories are the locale's, not the source's. */
			if (found || (a->type != MESSAGE_SELECT && *selector.ptr != '='))
				continue;
			message_fault(c->faults, c->arena, MESSAGE_STRUCTURE,
			    a->type != MESSAGE_SELECT, b->start, selector,
			    "the case '%.*s' of the %s over {%.*s} is lost", (int)selector.len,
			    selector.ptr, branch_word(a->type), (int)a->name.len, a->name.ptr);
		}
	}
}

/* A decimal digit of the scripts that interfaces are written in. */
static bool
is_digit(uint32_t c)
{
	static const uint32_t zeros[] = {'0', 0x660, 0x6f0, 0x966, 0x9e6};

	for (size_t i = 0; i < sizeof(zeros) / sizeof(*zeros); i++)
		if (c >= zeros[i] && c < zeros[i] + 10)
			return true;
	return false;
}

/* Whether a number stands in the text ("1 file"), not within a word ("MP3"). */
static bool
says_number(const struct message *m, const struct message_node *chosen)
{
	for (const struct message_node *node = chosen; node < chosen + chosen->size; node++) {
		struct slice text = message_bytes(m, node);
		bool word = false, number = false;

		if (node->type != MESSAGE_TEXT)
			continue;
		for (size_t i = 0; i < text.len;) {
			uint32_t c = 0;
			size_t n = utf8_decode(text.ptr + i, text.len - i, &c);
			bool digit = n && is_digit(c);
			bool letter = !n || (!digit && (c >= 0x80 || isalpha((int)c)));

			if (number && !digit && !letter)
				return true;
			number = digit && !word;
			word = letter || (digit && word);
			i += n ? n : 1;
		}
		if (number)
			return true;
	}
	return false;
}

/* Each case of each plural and select of a message. */
static void
compare_cases_of(
    struct message_comparison *c, const struct message *m, const struct message_range *overall)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct message_node *branch = &m->nodes[i];

		if (branch->type < MESSAGE_PLURAL || branch->type > MESSAGE_SELECT)
			continue;
		for (size_t k = i + 1; k < i + branch->size && !c->exhausted;
		     k += m->nodes[k].size) {
			struct message_assumption a = {branch->name, m->nodes[k].name,
			    branch->type == MESSAGE_SELECT};
			struct message_assumption from = a;

			/* "1 file" where the case serves 21 as well: a lost number. */
			if (m == &c->target.m && branch->type == MESSAGE_PLURAL &&
			    !one_number(c, &a) && says_number(m, &m->nodes[k]))
				from.selector = S("other");
			compare_counts(c, overall, &from, &a);
		}
	}
}

/* d and i, x and X print the same kind of argument. */
static bool
same_style(struct slice a, struct slice b, unsigned base)
{
	if (base != MESSAGE_PRINTF || a.len != b.len || !a.len)
		return slice_eq(a, b);
	char x = a.ptr[a.len - 1], y = b.ptr[b.len - 1];
	static const char *const kinds[] = {"di", "uoxX", "eEfFgGaA", "cC", "sS@"};

	if (memcmp(a.ptr, b.ptr, a.len - 1) != 0)
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strchr(kinds[i], x))
			return strchr(kinds[i], y) != NULL;
	return x == y;
}

static void
compare_types(struct message_comparison *c)
{
	const struct message *s = &c->source.m, *t = &c->target.m;
	unsigned base = message_base(s->dialect);

	for (size_t i = 0; i < t->n && message_spend(c, s->n); i++) {
		const struct message_node *b = &t->nodes[i], *a;

		if (b->type != MESSAGE_PLACEHOLDER)
			continue;
		a = branch_over(s, b->name, MESSAGE_PLACEHOLDER, MESSAGE_PLACEHOLDER);
		if (!a || same_style(a->style, b->style, base))
			continue;
		/* {n} against {n, number} only looks different. */
		bool looks = base <= MESSAGE_ARB && (!a->style.len || !b->style.len);
		message_fault(c->faults, c->arena, MESSAGE_RETYPED, looks, b->start, b->name,
		    "placeholder '%.*s' is '%.*s' in the source, '%.*s' here", (int)b->name.len,
		    b->name.ptr, (int)a->style.len, a->style.ptr, (int)b->style.len, b->style.ptr);
	}
}

/* ---- nesting, space ---- */

/* Whether tags close in the order that they open, within each level. */
static bool
nested(const struct message *m, size_t from, size_t to, size_t *at)
{
	struct slice open[64];
	size_t depth = 0;

	for (size_t i = from; i < to; i += m->nodes[i].size) {
		const struct message_node *node = &m->nodes[i];

		*at = node->start;
		if (node->type >= MESSAGE_PLURAL && node->type <= MESSAGE_SELECT) {
			for (size_t k = i + 1; k < i + node->size; k += m->nodes[k].size)
				if (!nested(m, k + 1, k + m->nodes[k].size, at))
					return false;
		} else if (node->type == MESSAGE_OPEN) {
			if (depth == sizeof(open) / sizeof(*open))
				return false;
			open[depth++] = node->name;
		} else if (node->type == MESSAGE_CLOSE) {
			if (!depth || open[depth - 1].len != node->name.len ||
			    strncasecmp(open[depth - 1].ptr, node->name.ptr, node->name.len) != 0)
				return false;
			depth--;
		}
	}
	return depth == 0;
}

/* The white space at one end: ASCII and the no-break space. */
static struct slice
outer_space(const struct message *m, bool trailing)
{
	struct slice t = m->text;
	size_t n = 0;

	if (!trailing) {
		while (n < t.len && (isspace((unsigned char)t.ptr[n]) ||
					(n + 1 < t.len && (unsigned char)t.ptr[n] == 0xc2 &&
					    (unsigned char)t.ptr[n + 1] == 0xa0)))
			n += (unsigned char)t.ptr[n] == 0xc2 ? 2 : 1;
		return (struct slice){t.ptr, n};
	}
	while (n < t.len) {
		const char *last = t.ptr + t.len - n - 1;
		if (isspace((unsigned char)*last))
			n++;
		else if (n + 1 < t.len && (unsigned char)*last == 0xa0 &&
		    (unsigned char)last[-1] == 0xc2)
			n += 2;
		else
			break;
	}
	return (struct slice){t.ptr + t.len - n, n};
}

static void
compare_space(struct message_comparison *c)
{
	for (int trailing = 0; trailing < 2; trailing++)
		if (!slice_eq(outer_space(&c->source.m, trailing),
			outer_space(&c->target.m, trailing)))
			message_fault(c->faults, c->arena, MESSAGE_SPACE, false,
			    trailing ? c->target.m.text.len : 0,
			    trailing ? S("trailing") : S("leading"),
			    "%s white space differs from the source's",
			    trailing ? "trailing" : "leading");
}

static void
compare(struct message_comparison *c)
{
	const struct message_range *overall;
	size_t at = 0;

	message_prepare(c, &c->source);
	message_prepare(c, &c->target);
	overall = message_count(c, &c->source, NULL);
	compare_names(c, overall);
	compare_branches(c);
	compare_types(c);
	if (message_branches(&c->source.m) || message_branches(&c->target.m)) {
		compare_cases_of(c, &c->target.m, overall);
		compare_cases_of(c, &c->source.m, overall);
	} else {
		compare_counts(c, overall, NULL, NULL);
	}
	if (nested(&c->source.m, 0, c->source.m.n, &at) &&
	    !nested(&c->target.m, 0, c->target.m.n, &at))
		message_fault(c->faults, c->arena, MESSAGE_TAG_ORDER, false, at, S(""),
		    "tags are not closed in the order in which they open");
	compare_space(c);
	if (c->exhausted || c->too_many)
		message_fault(c->faults, c->arena, MESSAGE_STRUCTURE, false, 0, S("size"),
		    "the message has too many placeholders and cases to be compared");
}

void
message_verify(struct slice source, struct slice translation, unsigned dialect,
    struct slice locale, struct arena *arena, struct message_faults *faults)
{
	struct message_comparison *c = arena_alloc(arena, sizeof(*c));
	struct err e = {0};

	*c = (struct message_comparison){.arena = arena, .faults = faults, .locale = locale,
	    .budget = 4000000};
	if (!slice_trim(translation).len && slice_trim(source).len) {
		message_fault(faults, arena, MESSAGE_EMPTY, false, 0, S(""),
		    "the translation is empty");
		return;
	}
	if (message_parse(source, dialect, arena, &c->source.m, NULL) < 0) {
		dialect = MESSAGE_PLAIN;
		message_parse(source, dialect, arena, &c->source.m, NULL);
	}
	if (message_parse(translation, dialect, arena, &c->target.m, &e) < 0) {
		message_fault(faults, arena, MESSAGE_BAD_SYNTAX, false, e.column ? e.column - 1 : 0,
		    S(""), "%s", e.text);
		return;
	}
	message_check(&c->target.m, locale, arena, faults);
	compare(c);
}
