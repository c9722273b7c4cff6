/* The expression is asked at hundreds of numbers: once is enough. */
#include "common/format/catalog_forms.h"

struct catalog_forms {
	bool asked, usable;
	struct slice locale; /* that the categories are for */
	enum plural_category category[PLURAL_FORMS_MAX];
};

struct catalog_forms *
catalog_forms_new(struct arena *arena)
{
	struct catalog_forms *f = arena_alloc(arena, sizeof(*f));

	*f = (struct catalog_forms){0};
	return f;
}

static bool
evaluate(const struct catalog *c, struct slice locale, enum plural_category *category)
{
	const struct plural_rules *rules = plural_rules(locale);
	struct plural_expr expr;
	struct buf header = {0};
	bool usable;

	if (!rules)
		rules = plural_rules(S("en"));
	if (c->plural_forms.len)
		buf_addslice(&header, c->plural_forms);
	usable = (header.len || plural_po_header(locale, &header)) &&
	    plural_expr_parse(buf_slice(&header), &expr, NULL) == 0;
	if (usable)
		plural_expr_categories(&expr, rules, category);
	buf_free(&header);
	return usable;
}

const enum plural_category *
catalog_forms(const struct catalog *c, struct slice locale)
{
	struct catalog_forms *f = c->forms;

	if (!f->asked || !slice_eq(f->locale, locale)) {
		f->usable = evaluate(c, locale, f->category);
		f->locale = locale;
		f->asked = true;
	}
	return f->usable ? f->category : NULL;
}
