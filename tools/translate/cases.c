#include "tools/translate/cases.h"

#include "common/plural.h"
#include "tools/translate/branch.h"

/* What splitting and joining share: both walk the same pieces in the same order. */
struct walk {
	struct slice locale;
	struct arena *arena;
	struct err *e;
	struct piece pieces[CASES_MAX];
	size_t n; /* pieces so far */
	/* joining; NULL: splitting */
	const struct slice *texts;
	struct buf *out;
};

/* Where in the message a piece stands. */
struct place {
	struct slice when, number;
	const struct message_node *branch; /* the innermost, or NULL */
	struct slice selector;
	bool pound;
	unsigned depth;
};

static int walk_message(struct walk *, const struct message *, const struct place *);

static struct slice
keep(struct walk *w, const struct buf *b)
{
	return (struct slice){arena_copy(w->arena, b->ptr ? b->ptr : "", b->len), b->len};
}

static int
walk_piece(struct walk *w, const struct message *m, const struct place *at)
{
	size_t i = 0;

	/* Arabic =0 and zero are one question. */
	while (i < w->n && !(slice_eq(w->pieces[i].text, m->text) &&
			       slice_eq(w->pieces[i].when, at->when)))
		i++;
	if (i == CASES_MAX)
		return err_set(w->e, "too_large", "more than %d cases", CASES_MAX);
	if (i == w->n)
		w->pieces[w->n++] = (struct piece){m->text, at->when, at->number};
	if (!w->texts)
		return 0;
	if (!at->branch) {
		buf_addslice(w->out, w->texts[i]);
		return 0;
	}
	return branch_add(at->branch, at->selector, w->texts[i], m->dialect, at->pound, w->arena,
		   w->out)
		   ? 0
		   : err_set(w->e, "bad_reply", "it cannot stand in the case '%.*s'",
			 (int)at->selector.len, at->selector.ptr);
}

static const struct message_node *
first_branch(const struct message *m)
{
	for (size_t i = 0; i < m->n; i += m->nodes[i].size)
		if (m->nodes[i].type >= MESSAGE_PLURAL && m->nodes[i].type <= MESSAGE_SELECT)
			return &m->nodes[i];
	return NULL;
}

/*
 * Whether a case before it has its selector: then nobody ever sees it, and the
 * product of such cases over a few branches is more than there is memory for.
 */
static bool
is_shadowed(const struct message_node *branch, const struct message_node *c)
{
	for (const struct message_node *d = branch + 1; d < c; d += d->size)
		if (slice_eq(d->name, c->name))
			return true;
	return false;
}

/* One case of a branch, as the message that a reader sees in it. */
static int
walk_case(struct walk *w, const struct message *m, const struct message_node *branch,
    const struct message_node *chosen, struct place at)
{
	struct buf text = {0};
	struct message whole;

	branch_flatten(m, branch, chosen, &text);
	struct slice copy = keep(w, &text);
	buf_free(&text);
	if (message_parse(copy, m->dialect, w->arena, &whole, w->e) < 0)
		return -1;
	if (++at.depth > MESSAGE_DEPTH)
		return err_set(w->e, "too_large", "more than %d plurals and selects", MESSAGE_DEPTH);
	at.branch = branch;
	at.pound = branch_has_pound(m) && branch->type != MESSAGE_SELECT;
	if (!w->texts || !first_branch(&whole))
		return walk_message(w, &whole, &at);
	buf_addf(w->out, " %.*s{", (int)at.selector.len, at.selector.ptr);
	if (walk_message(w, &whole, &at) < 0)
		return -1;
	buf_addc(w->out, '}');
	return 0;
}

/* ---- plurals ---- */

/* "n is 3, 4, 103": up to three numbers of the category, else what a fraction is. */
static void
say_category(const struct plural_rules *rules, enum plural_category category,
    struct slice name, struct buf *when, struct buf *number)
{
	unsigned long n, seen = 0;

	buf_addf(when, "%.*s is ", (int)name.len, name.ptr);
	for (n = 0; rules && n < 1100 && seen < 3; n++) {
		if (plural_of_integer(rules, n) != category)
			continue;
		buf_addf(when, seen ? ", %lu" : "%lu", n);
		/* 0 says little of how a number is inflected, where others are there. */
		if (seen == 0 || (seen == 1 && slice_is(buf_slice(number), "0"))) {
			buf_reset(number);
			buf_addf(number, "%lu", n);
		}
		seen++;
	}
	if (!seen)
		buf_adds(when, category == PLURAL_OTHER ? "any number" : "a fraction");
	else if (plural_of_integer(rules, 1000000) == category || seen == 3)
		buf_adds(when, " and so on");
}

static struct place
inner(struct walk *w, const struct place *outer, const struct buf *when, const struct buf *number)
{
	struct place at = *outer;
	struct buf all = {0};

	if (outer->when.len)
		buf_addf(&all, "%.*s; ", (int)outer->when.len, outer->when.ptr);
	buf_addslice(&all, buf_slice(when));
	at.when = keep(w, &all);
	if (number->len) {
		buf_reset(&all);
		if (outer->number.len)
			buf_addf(&all, "%.*s and ", (int)outer->number.len, outer->number.ptr);
		buf_addslice(&all, buf_slice(number));
		at.number = keep(w, &all);
	}
	buf_free(&all);
	return at;
}

/* Whether the case says the plural's number. */
static bool
has_number(const struct message_node *branch, const struct message_node *c)
{
	for (const struct message_node *node = c + 1; node < c + c->size; node++)
		if ((node->type == MESSAGE_POUND || node->type == MESSAGE_PLACEHOLDER) &&
		    slice_eq(node->name, branch->name))
			return true;
	return false;
}

/*
 * The source's case for a category. English "one file" says nothing of 21,
 * which is one in Russian too: a case that stands for several numbers is
 * made of a text that says its number.
 */
static const struct message_node *
source_case(const struct message_node *branch, enum plural_category category, bool single)
{
	static const char *const exact[] = {[PLURAL_ZERO] = "=0", [PLURAL_ONE] = "=1",
	    [PLURAL_TWO] = "=2"};
	const struct message_node *other = message_case_named(branch, "other"), *c = NULL;

	/* English =1 beside one is what 1 gets. */
	if (single && (size_t)category < sizeof(exact) / sizeof(*exact) && exact[category])
		c = message_case_named(branch, exact[category]);
	if (!c)
		c = message_case(branch, slice(plural_name(category)));
	if (!c || (!single && other && !has_number(branch, c) && has_number(branch, other)))
		return other;
	return c;
}

/*
 * Whether =0, =1 or =2 needs no case beside zero, one or two: gen-l10n has one
 * place for both, and where the category is that number alone (Arabic zero)
 * they are the same case in every dialect. A source that writes =1 for its
 * singular means one, as memory takes it (propose.c).
 */
static bool
same_place(const struct message *m, const struct message_node *branch, struct slice selector,
    plural_set needed, plural_set single)
{
	static const enum plural_category slots[] = {PLURAL_ZERO, PLURAL_ONE, PLURAL_TWO};

	if (selector.len != 2 || *selector.ptr != '=' || selector.ptr[1] < '0' ||
	    selector.ptr[1] > '2')
		return false;
	bool singular = slice_is(selector, "=1") && !message_case_named(branch, "one");
	if ((m->dialect & 15) != MESSAGE_ARB && !singular)
		needed &= single;
	return needed & 1U << slots[selector.ptr[1] - '0'];
}

static int
walk_plural(struct walk *w, const struct message *m, const struct message_node *branch,
    const struct place *outer)
{
	const struct plural_rules *rules = branch->type == MESSAGE_ORDINAL
		? plural_ordinals(w->locale) : plural_rules(w->locale);
	plural_set needed = rules ? plural_needed(rules) : 1U << PLURAL_OTHER;
	plural_set single = rules ? plural_single(rules) : 0;
	struct buf when = {0}, number = {0};
	const struct message_node *c;
	int status = 0;

	for (c = branch + 1; status == 0 && c < branch + branch->size; c += c->size) {
		if (*c->name.ptr != '=' || same_place(m, branch, c->name, needed, single) ||
		    is_shadowed(branch, c))
			continue;
		buf_reset(&when);
		buf_reset(&number);
		buf_add(&number, c->name.ptr + 1, c->name.len - 1);
		buf_addf(&when, "%.*s is %s", (int)branch->name.len, branch->name.ptr, number.ptr);
		struct place at = inner(w, outer, &when, &number);
		at.selector = c->name;
		status = walk_case(w, m, branch, c, at);
	}
	for (enum plural_category k = 0; status == 0 && k < PLURAL_CATEGORIES; k++) {
		if (!(needed & 1U << k) || !(c = source_case(branch, k, single & 1U << k)))
			continue;
		buf_reset(&when);
		buf_reset(&number);
		say_category(rules, k, branch->name, &when, &number);
		struct place at = inner(w, outer, &when, &number);
		at.selector = slice(plural_name(k));
		status = walk_case(w, m, branch, c, at);
	}
	buf_free(&when);
	buf_free(&number);
	return status;
}

static int
walk_select(struct walk *w, const struct message *m, const struct message_node *branch,
    const struct place *outer)
{
	struct buf when = {0}, none = {0};
	int status = 0;

	for (const struct message_node *c = branch + 1;
	     status == 0 && c < branch + branch->size; c += c->size) {
		if (is_shadowed(branch, c))
			continue;
		buf_reset(&when);
		buf_addf(&when, "%.*s is %.*s", (int)branch->name.len, branch->name.ptr,
		    (int)c->name.len, c->name.ptr);
		struct place at = inner(w, outer, &when, &none);
		at.selector = c->name;
		status = walk_case(w, m, branch, c, at);
	}
	buf_free(&when);
	return status;
}

static int
walk_message(struct walk *w, const struct message *m, const struct place *at)
{
	const struct message_node *branch = first_branch(m);
	int status;

	if (!branch)
		return walk_piece(w, m, at);
	if (branch->offset)
		return err_set(w->e, "bad_plural", "a plural with an offset");
	if (w->texts)
		branch_open(branch, w->out);
	status = branch->type == MESSAGE_SELECT ? walk_select(w, m, branch, at)
						: walk_plural(w, m, branch, at);
	if (w->texts && status == 0)
		branch_close(w->out);
	return status;
}

int
cases_split(const struct message *m, struct slice locale, struct arena *arena, struct piece **out,
    size_t *n, struct err *e)
{
	struct walk w = {.locale = locale, .arena = arena, .e = e};

	*n = 0;
	if (walk_message(&w, m, &(struct place){.branch = NULL}) < 0)
		return -1;
	*n = w.n;
	*out = arena_alloc(arena, w.n * sizeof(**out) + 1);
	memcpy(*out, w.pieces, w.n * sizeof(**out));
	return 0;
}

bool
cases_join(const struct message *m, struct slice locale, struct arena *arena,
    const struct slice *texts, struct buf *out)
{
	struct walk w = {.locale = locale, .arena = arena, .texts = texts, .out = out};
	size_t mark = out->len;

	if (walk_message(&w, m, &(struct place){.branch = NULL}) == 0)
		return true;
	buf_cut(out, mark);
	return false;
}
