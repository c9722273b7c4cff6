#include "tools/extract/propose.h"

#include "tools/extract/literal.h"

#include <ctype.h>

enum { WORD = 40 };

/* ---- English ---- */

static bool
in_pairs(struct slice word, const char *const (*pairs)[2], const char **other)
{
	for (; (*pairs)[0] != NULL; pairs++)
		if (slice_is(word, (*pairs)[0])) {
			*other = (*pairs)[1];
			return true;
		}
	return false;
}

/*
 * The singular of a plural noun in one[WORD + 1]; false for other words. A
 * proposal may be wrong, a person looks at it; so only the common rules.
 */
static bool
singular(struct slice word, char *one)
{
	static const char *const irregular[][2] = {{"people", "person"}, {"children", "child"},
		{"men", "man"}, {"women", "woman"}, {"movies", "movie"}, {"cookies", "cookie"},
		{"calories", "calorie"}, {"lives", "life"}, {"caches", "cache"},
		{"statuses", "status"}, {"matches", "match"}, {NULL, NULL}};
	static const char *const never[] = {"is", "was", "has", "does", "this", "always", "across",
		"news", "series", "species", "yes", "its", "as", "us", "plus", "minus", "unless",
		"perhaps", "besides", "vs", "gps", "sms", "needs", "contains", "means", NULL};
	size_t n = word.len;
	const char *other;

	if (n < 3 || n > WORD)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalpha((unsigned char)word.ptr[i]))
			return false;
	for (size_t i = 0; never[i] != NULL; i++)
		if (slice_is(word, never[i]))
			return false;
	memcpy(one, word.ptr, n);
	one[n] = '\0';
	if (in_pairs(word, irregular, &other)) {
		memcpy(one, other, strlen(other) + 1);
		return true;
	}
	if (one[n - 1] != 's' || strchr("siu", one[n - 2]) != NULL)
		return false;
	if (n > 4 && slice_ends(word, "ies")) {
		memcpy(one + n - 3, "y", 2);
	} else if (slice_ends(word, "sses") || slice_ends(word, "shes") || slice_ends(word, "ches") ||
	    slice_ends(word, "xes") || slice_ends(word, "zzes")) {
		one[n - 2] = '\0';
	} else {
		one[n - 1] = '\0';
	}
	return true;
}

/* Cuts a word off rest, with the blanks before it in *gap. */
static struct slice
cut_word(struct slice *rest, struct slice *gap)
{
	size_t i = 0, start;

	while (i < rest->len && rest->ptr[i] == ' ')
		i++;
	*gap = (struct slice){rest->ptr, i};
	start = i;
	while (i < rest->len && isalpha((unsigned char)rest->ptr[i]))
		i++;
	struct slice word = {rest->ptr + start, i - start};
	rest->ptr += i;
	rest->len -= i;
	return word;
}

/*
 * Appends text, which follows a number, in the singular: its first plural
 * noun within three words, and a verb directly behind it. False: no noun.
 */
static bool
make_singular(struct slice text, struct buf *out)
{
	static const char *const verbs[][2] = {
		{"are", "is"}, {"were", "was"}, {"have", "has"}, {NULL, NULL}};
	struct slice rest = text, gap, word;
	char one[WORD + 1];
	const char *verb;

	if (text.len == 0 || text.ptr[0] != ' ')
		return false;
	for (int i = 0; i < 3; i++) {
		word = cut_word(&rest, &gap);
		/* "5 of 7 days", "3 is less": the noun is not this number's. */
		if (word.len == 0 || slice_is(word, "of") || slice_is(word, "is"))
			return false;
		buf_addslice(out, gap);
		if (!singular(word, one)) {
			buf_addslice(out, word);
			continue;
		}
		buf_adds(out, one);
		struct slice after = rest;
		word = cut_word(&after, &gap);
		if (in_pairs(word, verbs, &verb)) {
			buf_addslice(out, gap);
			buf_adds(out, verb);
			rest = after;
		}
		buf_addslice(out, rest);
		return true;
	}
	return false;
}

/* ---- forms ---- */

static bool
is_number(const struct placeholder *p)
{
	return slice_is(p->type, "int") || slice_is(p->type, "num");
}

/* {n, plural, one{…} other{…}} with part `at` of c replaced in each form. */
static void
put_forms(const struct composed *c, struct slice name, size_t at, struct slice one,
    struct slice other, struct buf *out)
{
	buf_addc(out, '{');
	buf_addslice(out, name);
	buf_adds(out, ", plural, one{");
	compose_with(c, at, one, true, out);
	buf_adds(out, "} other{");
	compose_with(c, at, other, true, out);
	buf_adds(out, "}}");
}

/* '$n items': the text behind a number is an English plural. */
static bool
number_and_noun(const struct composed *c, struct buf *out)
{
	for (size_t i = 0; i + 1 < c->nparts; i++) {
		const struct composed_part *hole = &c->parts[i], *text = &c->parts[i + 1];
		if (!hole->hole || text->hole || !is_number(&c->placeholders[hole->placeholder]))
			continue;
		struct buf one = {0};
		bool found = make_singular(text->text, &one);
		if (found)
			put_forms(c, c->placeholders[hole->placeholder].name, i + 1,
			    buf_slice(&one), text->text, out);
		buf_free(&one);
		if (found)
			return true;
	}
	return false;
}

/* '$n item(s)': the parenthesis says where the plural's ending goes. */
static bool
written_both(const struct composed *c, struct buf *out)
{
	size_t number = SIZE_MAX;

	for (size_t i = 0; i < c->nparts; i++) {
		const struct composed_part *p = &c->parts[i];
		if (p->hole) {
			if (number == SIZE_MAX && is_number(&c->placeholders[p->placeholder]))
				number = p->placeholder;
			continue;
		}
		const char *s = memmem(p->text.ptr, p->text.len, "(s)", 3);
		if (number == SIZE_MAX || s == NULL || s == p->text.ptr ||
		    !isalpha((unsigned char)s[-1]))
			continue;
		size_t at = (size_t)(s - p->text.ptr);
		struct buf one = {0}, other = {0};
		buf_addslice(&one, p->text);
		buf_addslice(&other, p->text);
		buf_splice(&one, at, 3, S(""));
		buf_splice(&other, at, 3, S("s"));
		put_forms(c, c->placeholders[number].name, i, buf_slice(&one), buf_slice(&other), out);
		buf_free(&one);
		buf_free(&other);
		return true;
	}
	return false;
}

/* ---- conditions: n == 1 ? … : … ---- */

enum { NO_CONDITION, ONE_FIRST, OTHER_FIRST };

/* Which branch of `name op number ?` is the singular. */
static int
read_condition(const char *text, struct token name, struct token op, struct token number)
{
	struct slice o = token_text(text, op), n = token_text(text, number);

	if (name.kind != TOKEN_NAME || number.kind != TOKEN_NUMBER)
		return NO_CONDITION;
	if (slice_is(n, "1") && (slice_is(o, "==") || slice_is(o, "<=")))
		return ONE_FIRST;
	if (slice_is(n, "2") && slice_is(o, "<"))
		return ONE_FIRST;
	if (slice_is(n, "1") && (slice_is(o, "!=") || slice_is(o, ">")))
		return OTHER_FIRST;
	return NO_CONDITION;
}

/*
 * The placeholder of the number in a condition: one whose expression ends in
 * that name, or a new one.
 */
static bool
number_placeholder(struct composed *c, struct slice name, struct slice *out)
{
	for (size_t i = 0; i < c->nplaceholders; i++) {
		struct placeholder *p = &c->placeholders[i];
		size_t before = p->expr.len - name.len;
		if (p->expr.len < name.len || memcmp(p->expr.ptr + before, name.ptr, name.len) != 0 ||
		    (before > 0 && lex_name_char(p->expr.ptr[before - 1])))
			continue;
		/* What is compared with 1 is a number. */
		if (slice_is(p->type, "Object"))
			p->type = S("int");
		*out = p->name;
		return true;
	}
	if (c->nplaceholders == COMPOSE_HOLES || !islower((unsigned char)name.ptr[0]))
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!isalnum((unsigned char)name.ptr[i]) && name.ptr[i] != '_')
			return false;
	for (size_t i = 0; i < c->nplaceholders; i++)
		if (slice_eq(c->placeholders[i].name, name))
			return false;
	c->placeholders[c->nplaceholders++] = (struct placeholder){name, name, S("int")};
	*out = name;
	return true;
}

/* A literal without interpolation, decoded; false for anything else. */
static bool
plain_literal(struct lexer *lx, struct token t, struct buf *out)
{
	struct literal l = literal_start(lx, t);
	struct literal_piece p;

	buf_reset(out);
	if (t.kind != TOKEN_STRING)
		return false;
	while (literal_next(&l, &p)) {
		if (p.expression)
			return false;
		literal_decode(lx->text, &p, out);
	}
	return true;
}

/* One hole that is n == 1 ? 'item' : 'items'. */
static bool
condition_in_hole(struct reader *r, struct composed *c, size_t part, struct buf *out)
{
	enum { TOKENS = 16 };
	struct slice expr = c->parts[part].text, name;
	struct lexer lx = r->lexer;
	struct token t[TOKENS + 1];
	size_t n = 0;

	lx.at = (uint32_t)(expr.ptr - r->text);
	lx.end = lx.at + (uint32_t)expr.len;
	while (n < TOKENS && (t[n] = lex_next(&lx)).kind != TOKEN_END)
		n++;
	/* … name op number ? 'a' : 'b' */
	if (n < 7 || n == TOKENS || t[n - 4].kind != '?' || t[n - 2].kind != ':')
		return false;
	int which = read_condition(r->text, t[n - 7], t[n - 6], t[n - 5]);
	struct buf first = {0}, second = {0};
	bool ok = which != NO_CONDITION && plain_literal(&r->lexer, t[n - 3], &first) &&
	    plain_literal(&r->lexer, t[n - 1], &second) &&
	    number_placeholder(c, token_text(r->text, t[n - 7]), &name);
	if (ok)
		put_forms(c, name, part, buf_slice(which == ONE_FIRST ? &first : &second),
		    buf_slice(which == ONE_FIRST ? &second : &first), out);
	buf_free(&first);
	buf_free(&second);
	return ok;
}

/* The same expressions stand for the same placeholders in both. */
static bool
shares_placeholders(const struct composed *a, const struct composed *b)
{
	for (size_t i = 0; i < b->nplaceholders; i++) {
		bool found = false;
		for (size_t k = 0; k < a->nplaceholders; k++)
			found |= slice_eq(a->placeholders[k].expr, b->placeholders[i].expr) &&
			    slice_eq(a->placeholders[k].name, b->placeholders[i].name);
		if (!found)
			return false;
	}
	return true;
}

/*
 * 'Upvoted' : 'Upvote' is no plural: one form is hardly longer than the other
 * unless the other shows the number.
 */
static bool
may_be_forms(const struct composed *one, const struct composed *other)
{
	return other->nplaceholders > 0 || one->plain.len <= other->plain.len;
}

/* The last branch of n == 1 ? 'one item' : '$n items'. */
static bool
last_branch(struct reader *r, struct composed *c, struct composed *first, struct buf *out)
{
	const struct frame *f = reader_top(r);
	struct token sibling = reader_past(r, 2);
	struct slice name;

	if (reader_past(r, 1).kind != ':' || sibling.kind != TOKEN_STRING ||
	    reader_past(r, 3).kind != '?')
		return false;
	int which = read_condition(r->text, f->condition[0], f->condition[1], f->condition[2]);
	if (which == NO_CONDITION || !compose(r, sibling, first))
		return false;
	if (!may_be_forms(which == ONE_FIRST ? first : c, which == ONE_FIRST ? c : first))
		return false;
	size_t had = c->nplaceholders;
	if (!number_placeholder(c, token_text(r->text, f->condition[0]), &name) ||
	    !shares_placeholders(c, first)) {
		c->nplaceholders = had;
		return false;
	}
	buf_addc(out, '{');
	buf_addslice(out, name);
	buf_adds(out, ", plural, one{");
	compose_with(which == ONE_FIRST ? first : c, SIZE_MAX, S(""), true, out);
	buf_adds(out, "} other{");
	compose_with(which == ONE_FIRST ? c : first, SIZE_MAX, S(""), true, out);
	buf_adds(out, "}}");
	return true;
}

bool
propose_plural(struct reader *r, struct composed *c, struct composed *scratch, struct buf *out)
{
	if (last_branch(r, c, scratch, out))
		return true;
	for (size_t i = 0; i < c->nparts; i++)
		if (c->parts[i].hole && condition_in_hole(r, c, i, out))
			return true;
	return written_both(c, out) || number_and_noun(c, out);
}
