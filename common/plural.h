/*
 * plural: which plural category a number takes in a language, and which
 * categories a language needs. CLDR's rules, and PO's Plural-Forms.
 *
 * The rules come from common/data/plurals.tsv, read once, when first asked
 * for; a missing file ends the program (status 3).
 * Sources: UTS 35 part 3, §5 (rules, operands); GNU gettext manual, §11.2.6
 * (Plural-Forms).
 */
#ifndef KANDIL_PLURAL_H
#define KANDIL_PLURAL_H

#include "common/buf.h"
#include "common/die.h"

enum plural_category {
	PLURAL_ZERO,
	PLURAL_ONE,
	PLURAL_TWO,
	PLURAL_FEW,
	PLURAL_MANY,
	PLURAL_OTHER,
	PLURAL_CATEGORIES
};

/* "zero" … "other", and the reverse (-1 for another word). */
const char *plural_name(enum plural_category);
int plural_of_name(struct slice word);

/* A set of categories: bit 1 << category. */
typedef unsigned plural_set;

/*
 * The rules of a locale in any spelling, falling back to its parents (pt-PT
 * has its own, fr_CA has fr's, iw has he's). NULL: CLDR has none for it.
 */
struct plural_rules;
const struct plural_rules *plural_rules(struct slice locale);
const struct plural_rules *plural_ordinals(struct slice locale);

/* The category of a whole number. */
enum plural_category plural_of_integer(const struct plural_rules *, unsigned long n);

/* All categories that the locale has. */
plural_set plural_all(const struct plural_rules *);
/*
 * The categories that a count message must have: those of some whole number
 * below a million, and other. Left out: what only fractions (cs many) or
 * exact millions (es, fr, it, pt many) take, where other serves well.
 */
plural_set plural_needed(const struct plural_rules *);
/*
 * The categories that stand for one single number (ar zero, one, two; en
 * one), so that their text may say it in words.
 */
plural_set plural_single(const struct plural_rules *);
/* The smallest whole number of a category; false when only fractions take it. */
bool plural_example(const struct plural_rules *, enum plural_category, unsigned long *n);

/* ---- PO ---- */

/*
 * Appends "nplurals=6; plural=n==0 ? 0 : …;" for the locale: the form that
 * gettext's own catalogues use where there is one, else made from CLDR's
 * rules. False when the locale is unknown.
 */
bool plural_po_header(struct slice locale, struct buf *out);

/* A compiled plural expression: a C expression in n. Plain data, copyable. */
enum { PLURAL_EXPR_MAX = 200, PLURAL_FORMS_MAX = 16 };
struct plural_expr {
	unsigned long nplurals;
	size_t n;
	struct {
		unsigned char op;
		unsigned long value;
	} code[PLURAL_EXPR_MAX];
};

/*
 * Reads "nplurals=N; plural=EXPR;" (or a bare EXPR: nplurals is then 0 and
 * the index unchecked). 0, or -1 with e ("bad_plural", column in text).
 * Bounded: at most PLURAL_EXPR_MAX operations, 32 brackets deep.
 */
int plural_expr_parse(struct slice text, struct plural_expr *, struct err *e);
/*
 * The form that serves n. Total: division by zero gives form 0, an index
 * beyond nplurals the last form.
 */
unsigned long plural_expr_eval(const struct plural_expr *, unsigned long n);
/*
 * Which category each form serves, learnt by evaluating n = 0 … 1100:
 * forms[i] is the category that most of form i's numbers have (PLURAL_OTHER
 * for a form that no number takes). Returns the set of categories served.
 */
plural_set plural_expr_categories(const struct plural_expr *, const struct plural_rules *,
    enum plural_category forms[PLURAL_FORMS_MAX]);

#endif
