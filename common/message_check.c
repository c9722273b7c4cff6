#include "common/message_check.h"

#include "common/message_parse.h"
#include "common/plural.h"

#include <stdarg.h>
#include <stdio.h>

/* Faults of one message on its own. */

const char *
message_fault_code(enum message_fault_kind kind)
{
	static const char *const codes[] = {
	    [MESSAGE_BAD_SYNTAX] = "bad-syntax",
	    [MESSAGE_DUPLICATE_CASE] = "duplicate-case",
	    [MESSAGE_UNKNOWN_CATEGORY] = "unknown-category",
	    [MESSAGE_MISSING_CATEGORY] = "missing-category",
	    [MESSAGE_UNUSED_CATEGORY] = "unused-category",
	    [MESSAGE_LOST] = "lost-placeholder",
	    [MESSAGE_ADDED] = "added-placeholder",
	    [MESSAGE_DUPLICATED] = "duplicated-placeholder",
	    [MESSAGE_RETYPED] = "retyped-placeholder",
	    [MESSAGE_STRUCTURE] = "structure",
	    [MESSAGE_LOST_TAG] = "lost-tag",
	    [MESSAGE_ADDED_TAG] = "added-tag",
	    [MESSAGE_TAG_ORDER] = "tag-order",
	    [MESSAGE_NEWLINES] = "line-breaks",
	    [MESSAGE_ESCAPES] = "escapes",
	    [MESSAGE_SPACE] = "outer-space",
	    [MESSAGE_EMPTY] = "empty",
	};

	return codes[kind];
}

void
message_fault(struct message_faults *f, struct arena *arena, enum message_fault_kind kind,
    bool warning, size_t at, struct slice subject, const char *format, ...)
{
	va_list args;

	f->serious |= !warning;
	if (!f->v)
		f->v = arena_alloc(arena, MESSAGE_FAULTS_MAX * sizeof(*f->v));
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].kind == kind && slice_eq(f->v[i].subject, subject))
			return;
	if (f->n == MESSAGE_FAULTS_MAX)
		return;
	struct message_fault *fault = &f->v[f->n++];
	*fault = (struct message_fault){.kind = kind, .warning = warning, .at = at,
	    .subject = subject};
	va_start(args, format);
	vsnprintf(fault->text, sizeof(fault->text), format, args);
	va_end(args);
	/* vsnprintf may have cut a character in two. */
	fault->text[utf8_valid(fault->text, strlen(fault->text))] = '\0';
}

const struct message_node *
message_case_named(const struct message_node *branch, const char *name)
{
	const struct message_node *end = branch + branch->size;

	for (const struct message_node *c = branch + 1; c < end; c += c->size)
		if (slice_is(c->name, name))
			return c;
	return NULL;
}

const struct message_node *
message_case(const struct message_node *branch, struct slice selector)
{
	static const char *const twins[][2] = {{"=0", "zero"}, {"=1", "one"}, {"=2", "two"}};
	const struct message_node *end = branch + branch->size, *twin = NULL, *other = NULL;
	const char *alike = NULL;

	for (size_t i = 0; i < 3 && branch->type != MESSAGE_SELECT; i++)
		for (size_t k = 0; k < 2; k++)
			if (slice_is(selector, twins[i][k]))
				alike = twins[i][1 - k];
	for (const struct message_node *c = branch + 1; c < end; c += c->size) {
		if (slice_eq(c->name, selector))
			return c;
		if (alike && slice_is(c->name, alike))
			twin = c;
		if (slice_is(c->name, "other"))
			other = c;
	}
	return twin ? twin : other;
}

/* What two selectors share when they are one case: ARB's =1 is one. */
static struct slice
slot(struct slice selector, bool arb)
{
	if (arb && slice_is(selector, "=0"))
		return S("zero");
	if (arb && slice_is(selector, "=1"))
		return S("one");
	if (arb && slice_is(selector, "=2"))
		return S("two");
	return selector;
}

static void
check_cases(const struct message *m, const struct message_node *branch, struct arena *arena,
    struct message_faults *faults)
{
	const struct message_node *end = branch + branch->size, *c, *d;
	bool arb = message_base(m->dialect) == MESSAGE_ARB && branch->type == MESSAGE_PLURAL;
	unsigned seen = 0;

	for (c = branch + 1; c < end; c += c->size) {
		int shown = (int)(c->name.len > 40 ? 40 : c->name.len);

		if (branch->type != MESSAGE_SELECT && *c->name.ptr != '=' &&
		    plural_of_name(c->name) < 0)
			message_fault(faults, arena, MESSAGE_UNKNOWN_CATEGORY, false, c->start,
			    c->name, "no number ever takes the case '%.*s'", shown, c->name.ptr);
		/* Quadratic in the cases: a message with very many is not worth it. */
		if (++seen > 200)
			continue;
		for (d = branch + 1; d < c; d += d->size) {
			if (!slice_eq(slot(c->name, arb), slot(d->name, arb)))
				continue;
			/* gen-l10n takes the later one and warns. */
			message_fault(faults, arena, MESSAGE_DUPLICATE_CASE, arb, c->start, c->name,
			    "the case '%.*s' is there twice", shown, c->name.ptr);
			break;
		}
	}
}

/* Whether "=N" or the category itself is among the cases. */
static bool
covered(const struct message_node *branch, enum plural_category category,
    const struct plural_rules *rules, bool arb)
{
	const struct message_node *end = branch + branch->size, *c;
	unsigned long n;
	char exact[32] = "";

	/* package:intl serves the whole category by =1; ICU only where it is one number. */
	if ((arb || plural_single(rules) & 1U << category) && plural_example(rules, category, &n))
		snprintf(exact, sizeof(exact), "=%lu", n);
	for (c = branch + 1; c < end; c += c->size)
		if (slice_is(c->name, plural_name(category)) || slice_is(c->name, exact))
			return true;
	return false;
}

static void
check_categories(const struct message *m, const struct message_node *branch,
    struct slice locale, struct arena *arena, struct message_faults *faults)
{
	bool ordinal = branch->type == MESSAGE_ORDINAL;
	bool arb = message_base(m->dialect) == MESSAGE_ARB;
	const struct plural_rules *rules = ordinal ? plural_ordinals(locale) : plural_rules(locale);
	const struct message_node *end = branch + branch->size, *c;

	if (!rules)
		return;
	for (int i = 0; i < PLURAL_CATEGORIES; i++) {
		enum plural_category category = (enum plural_category)i;
		const char *word = plural_name(category);

		if (plural_needed(rules) & 1U << i && !covered(branch, category, rules, arb))
			message_fault(faults, arena, MESSAGE_MISSING_CATEGORY, false, branch->start,
			    slice(word), "the %s over {%.*s} lacks '%s', which %.*s needs",
			    ordinal ? "selectordinal" : "plural", (int)branch->name.len,
			    branch->name.ptr, word, (int)locale.len, locale.ptr);
	}
	for (c = branch + 1; c < end; c += c->size) {
		int category = plural_of_name(c->name);

		if (category < 0 || plural_all(rules) & 1U << category ||
		    (arb && category <= PLURAL_TWO))
			continue;
		message_fault(faults, arena, MESSAGE_UNUSED_CATEGORY, true, c->start, c->name,
		    "%.*s never takes the case '%.*s'", (int)locale.len, locale.ptr,
		    (int)c->name.len, c->name.ptr);
	}
}

void
message_check(const struct message *m, struct slice locale, struct arena *arena,
    struct message_faults *faults)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct message_node *node = &m->nodes[i];

		if (node->type < MESSAGE_PLURAL || node->type > MESSAGE_SELECT)
			continue;
		check_cases(m, node, arena, faults);
		if (locale.len && node->type != MESSAGE_SELECT)
			check_categories(m, node, locale, arena, faults);
	}
}
