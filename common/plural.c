#include "common/plural_rules.h"

#include "common/hash.h"
#include "common/locale.h"
#include "common/mem.h"
#include "common/path.h"

#include <stdlib.h>

enum { PLURAL_DATA_MAX = 4 << 20, GROUPS_MAX = 200 };

struct plural_store plural_store;

/* Groups of locales with the same rules, in the order of the file. */
static struct {
	bool loaded;
	struct buf text;
	struct plural_rules *groups[GROUPS_MAX];
	size_t n;
	struct table cardinals, ordinals; /* locale → index in groups */
} cldr;

static const char *const names[] = {"zero", "one", "two", "few", "many", "other"};

const char *
plural_name(enum plural_category category)
{
	return names[category];
}

int
plural_of_name(struct slice word)
{
	for (int i = 0; i < PLURAL_CATEGORIES; i++)
		if (slice_is(word, names[i]))
			return i;
	return -1;
}

/* ---- loading ---- */

static void
skip(struct slice *at, const char *what)
{
	while (at->len && (*at->ptr == ' ' || (what && *at->ptr == *what))) {
		if (*at->ptr != ' ')
			what = NULL;
		at->ptr++;
		at->len--;
	}
}

static unsigned long
number(struct slice *at)
{
	unsigned long n = 0;

	for (; at->len && *at->ptr >= '0' && *at->ptr <= '9'; at->ptr++, at->len--)
		n = n * 10 + (unsigned long)(*at->ptr - '0');
	return n;
}

static bool
take(struct slice *at, const char *word)
{
	if (!slice_starts(*at, word))
		return false;
	at->ptr += strlen(word);
	at->len -= strlen(word);
	return true;
}

/* "n % 10 = 3..4,9": the file is ours, and its tests read all of it. */
static void
compile_relation(struct slice *at, bool alternative)
{
	struct plural_store *s = &plural_store;
	struct plural_relation r = {.alternative = alternative, .first = s->nranges};

	r.operand = *at->ptr++;
	at->len--;
	skip(at, NULL);
	if (take(at, "% "))
		r.modulus = number(at);
	skip(at, NULL);
	r.negated = take(at, "!=");
	if (!r.negated)
		take(at, "=");
	do {
		skip(at, NULL);
		struct plural_range range;
		range.low = range.high = number(at);
		if (take(at, ".."))
			range.high = number(at);
		s->ranges = xgrow(s->ranges, s->nranges, &s->ranges_cap, sizeof(range));
		s->ranges[s->nranges++] = range;
		r.count++;
	} while (take(at, ","));
	s->relations = xgrow(s->relations, s->nrelations, &s->relations_cap, sizeof(r));
	s->relations[s->nrelations++] = r;
}

static void
compile(struct slice text, struct plural_rule *rule)
{
	bool alternative = false;

	rule->first = plural_store.nrelations;
	for (skip(&text, NULL); text.len;) {
		compile_relation(&text, alternative);
		rule->count++;
		skip(&text, NULL);
		alternative = take(&text, "or");
		if (!alternative && !take(&text, "and"))
			break;
		skip(&text, NULL);
	}
}

/* Whether samples name one number and nothing more: "1", or "1.0, 1.00". */
static bool
all_equal(struct slice samples, double *value, bool *seen)
{
	struct buf copy = {0};
	bool equal = true;
	char *at;

	buf_addslice(&copy, samples);
	for (at = copy.ptr; at && *at && equal;) {
		char *stop;
		double d = strtod(at, &stop);

		if (stop == at || *stop == '~' || *stop == 'c' || (*seen && d != *value))
			equal = false;
		*value = d;
		*seen = true;
		at = stop + strspn(stop, ", ");
	}
	buf_free(&copy);
	return equal;
}

static void
summarise(struct plural_rules *r)
{
	for (size_t i = 0; i < r->n; i++) {
		enum plural_category c = r->order[i];
		const struct plural_rule *rule = &r->rules[c];
		struct slice whole = rule->whole;
		double value = 0;
		bool seen = false;

		r->all |= 1U << c;
		if (c == PLURAL_OTHER || (whole.len && number(&whole) < 1000000))
			r->needed |= 1U << c;
		if (c != PLURAL_OTHER && rule->whole.len && all_equal(rule->whole, &value, &seen) &&
		    all_equal(rule->decimal, &value, &seen))
			r->single |= 1U << c;
	}
}

static struct slice
cut(struct slice *rest, char at)
{
	const char *stop = rest->len ? memchr(rest->ptr, at, rest->len) : NULL;
	struct slice head = {rest->ptr, stop ? (size_t)(stop - rest->ptr) : rest->len};
	size_t used = head.len + (stop != NULL);

	rest->ptr += used;
	rest->len -= used;
	return head;
}

static void
load_row(struct slice row)
{
	struct slice kind = cut(&row, '\t'), locales = cut(&row, '\t'), word = cut(&row, '\t');
	struct slice condition = cut(&row, '\t');
	struct table *table = slice_is(kind, "ordinal") ? &cldr.ordinals : &cldr.cardinals;
	struct slice first = cut(&(struct slice){locales.ptr, locales.len}, ' ');
	uint64_t *group = table_get(table, first);
	int category = plural_of_name(word);

	if (category < 0 || (!group && cldr.n == GROUPS_MAX))
		return;
	if (!group) {
		cldr.groups[cldr.n] = xcalloc(1, sizeof(**cldr.groups));
		while (locales.len)
			*table_put(table, cut(&locales, ' '), NULL) = cldr.n;
		cldr.n++;
		group = table_get(table, first);
	}
	struct plural_rules *r = cldr.groups[*group];
	compile(condition, &r->rules[category]);
	r->rules[category].whole = cut(&row, '\t');
	r->rules[category].decimal = row;
	if (r->n < PLURAL_CATEGORIES)
		r->order[r->n++] = (enum plural_category)category;
}

static void
load(void)
{
	struct err e;
	struct slice rest;

	if (cldr.loaded)
		return;
	char *name = path_shipped("common/plurals.tsv");
	if (path_read(name, PLURAL_DATA_MAX, &cldr.text, &e) < 0)
		die(STATUS_FAILED, "%s: reinstall kandil, or set KANDIL_DATADIR", e.text);
	free(name);
	cldr.loaded = true;
	for (rest = buf_slice(&cldr.text); rest.len;) {
		struct slice row = cut(&rest, '\n');
		if (row.len && *row.ptr != '#')
			load_row(row);
	}
	for (size_t i = 0; i < cldr.n; i++)
		summarise(cldr.groups[i]);
}

static const struct plural_rules *
find(struct slice locale, const struct table *table)
{
	char name[LOCALE_MAX];
	const uint64_t *group;

	load();
	if (!locale_canonical(locale, name))
		return NULL;
	do {
		group = table_get(table, slice(name));
		if (group)
			return cldr.groups[*group];
	} while (locale_parent(name));
	return NULL;
}

const struct plural_rules *
plural_rules(struct slice locale)
{
	return find(locale, &cldr.cardinals);
}

const struct plural_rules *
plural_ordinals(struct slice locale)
{
	return find(locale, &cldr.ordinals);
}

/* ---- selecting ---- */

/* Of a whole number the operands v, f, t and e (UTS 35 part 3, 5.1) are 0. */
static bool
holds(const struct plural_relation *r, unsigned long n)
{
	unsigned long value = r->operand == 'n' || r->operand == 'i' ? n : 0;
	bool in = false;

	if (r->modulus)
		value %= r->modulus;
	for (size_t i = 0; i < r->count && !in; i++) {
		const struct plural_range *range = &plural_store.ranges[r->first + i];
		in = value >= range->low && value <= range->high;
	}
	return in != r->negated;
}

static bool
matches(const struct plural_rule *rule, unsigned long n)
{
	bool all = true;

	for (size_t i = 0; i < rule->count; i++) {
		const struct plural_relation *r = &plural_store.relations[rule->first + i];
		if (r->alternative) {
			if (all)
				return true;
			all = true;
		}
		all = all && holds(r, n);
	}
	return all;
}

enum plural_category
plural_of_integer(const struct plural_rules *r, unsigned long n)
{
	for (size_t i = 0; i < r->n; i++)
		if (matches(&r->rules[r->order[i]], n))
			return r->order[i];
	return PLURAL_OTHER;
}

plural_set
plural_all(const struct plural_rules *r)
{
	return r->all;
}

plural_set
plural_needed(const struct plural_rules *r)
{
	return r->needed;
}

plural_set
plural_single(const struct plural_rules *r)
{
	return r->single;
}

bool
plural_example(const struct plural_rules *r, enum plural_category category, unsigned long *n)
{
	struct slice samples = r->rules[category].whole;

	if (!samples.len)
		return false;
	*n = number(&samples);
	return true;
}
