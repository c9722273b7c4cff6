/* Reading .stringsdict: variables as plurals. */
#include "common/format/stringsdict.h"

#include "common/format/apple_variable.h"
#include "common/format/mark.h"
#include "common/format/printf_message.h"
#include "common/format/stringsdict_rule.h"

/* -- one rule -- */

static const char *
read_forms(const struct plist *p, struct stringsdict_rule *rule)
{
	size_t spec = plist_child(p, rule->variable, "NSStringFormatSpecTypeKey");
	size_t type = plist_child(p, rule->variable, "NSStringFormatValueTypeKey");
	struct slice name;
	size_t position;

	if (spec != PLIST_NONE && !slice_is(p->v[spec].text, "NSStringPluralRuleType"))
		return "its rule is no plural";
	if (plist_is_string(p, type) && printf_is_number(p->v[type].text))
		rule->type = p->v[type].text;
	for (int c = 0; c < PLURAL_CATEGORIES; c++)
		rule->form[c] = PLIST_NONE;
	for (size_t i = p->v[rule->variable].first; i != PLIST_NONE; i = p->v[i].next) {
		int c = plural_of_name(p->v[i].key);
		struct slice text = p->v[i].text;
		if (c < 0)
			continue;
		if (!plist_is_string(p, i))
			return "a form is no text";
		for (size_t k = 0; k < text.len; k++)
			if (text.ptr[k] == '%' && apple_variable(text, k, &name, &position))
				return "a form has a variable of its own";
		rule->form[c] = i;
	}
	return NULL;
}

const char *
stringsdict_rule(const struct plist *p, size_t item, struct stringsdict_rule *rule)
{
	struct apple_variable only;
	const char *why;

	*rule = (struct stringsdict_rule){.type = {"", 0}, .variable = PLIST_NONE};
	if (!slice_is(p->v[item].kind, "dict"))
		return "its value is no dictionary";
	rule->format = plist_child(p, item, "NSStringLocalizedFormatKey");
	if (!plist_is_string(p, rule->format))
		return "it has no NSStringLocalizedFormatKey";
	if ((why = apple_variable_only(p->v[rule->format].text, &only)))
		return why;
	rule->position = only.position;
	rule->before = only.before;
	rule->after = only.after;
	for (size_t i = p->v[item].first; i != PLIST_NONE; i = p->v[i].next)
		if (slice_eq(p->v[i].key, only.name) && slice_is(p->v[i].kind, "dict"))
			rule->variable = i;
	if (rule->variable == PLIST_NONE)
		return "its variable is not there";
	if (p->v[rule->variable].first == PLIST_NONE)
		return "its variable is empty";
	return read_forms(p, rule);
}

/* -- as a message -- */

struct reader {
	struct catalog *c;
	const struct plist *p;
	struct catalog_cursor cursor;
	struct buf text;
};

static struct slice
keep(struct reader *r, struct slice text)
{
	return (struct slice){
	    arena_copy(&r->c->arena, text.len ? text.ptr : "", text.len), text.len};
}

static struct slice
numbered(struct reader *r, struct slice text, size_t *next, size_t number)
{
	buf_reset(&r->text);
	printf_number(text, next, number, &r->text);
	return keep(r, buf_slice(&r->text));
}

/* The ICU message of a rule in r->text; false: it has no sound text. */
static bool
read_message(struct reader *r, const struct stringsdict_rule *rule)
{
	struct forms f = {.plural = true, .number = S("n"), .before = S(""), .after = S("")};
	size_t next = 1, position = rule->position;

	f.before = numbered(r, rule->before, &next, 0);
	if (!position)
		position = next++;
	f.after = numbered(r, rule->after, &next, 0);
	for (int c = 0; c < PLURAL_CATEGORIES; c++) {
		if (rule->form[c] == PLIST_NONE)
			continue;
		f.text[c] = numbered(r, r->p->v[rule->form[c]].text, &next, position);
		if (!f.text[c].len)
			return false;
	}
	buf_reset(&r->text);
	return printf_join(&f, S(""), position, r->c->locale, PRINTF_APPLE, &r->text);
}

static void
read_value(struct reader *r, struct catalog_entry *e, size_t node, size_t index)
{
	struct stringsdict_rule rule;
	const struct plist_node *at = &r->p->v[node];
	const char *why = stringsdict_rule(r->p, node, &rule);

	if (why) {
		e->opaque = true;
		catalog_fault(r->c, "unsayable", index, at->start, at->end,
		    "no one message can say it: %s", why);
		return;
	}
	if (rule.form[PLURAL_OTHER] == PLIST_NONE) {
		catalog_fault(r->c, "missing-other", index, at->start, at->end,
		    "the plural has no form 'other'");
		return;
	}
	if (!read_message(r, &rule))
		return;
	e->values = arena_alloc(&r->c->arena, sizeof(*e->values));
	e->values[0] = keep(r, buf_slice(&r->text));
	e->nvalues = 1;
	e->state = CATALOG_TRANSLATED;
}

static void
add_entry(struct reader *r, size_t node)
{
	const struct plist_node *at = &r->p->v[node];
	struct slice raw = {r->c->text.ptr + at->value, at->end - at->value};
	struct catalog_entry *e = catalog_add(r->c);
	struct mark mark;

	e->key = keep(r, at->key);
	e->format = "icu";
	e->comment = at->comment.len ? keep(r, at->comment) : S("");
	e->span = catalog_span(r->c, at->start, at->end);
	e->value_span = catalog_span(r->c, at->value, at->end);
	e->line = at->line;
	e->column = at->column;
	read_value(r, e, node, r->c->n - 1);
	if (at->mark.len && mark_read(at->mark, &mark)) {
		mark_apply(&mark, raw, e);
		e->was_hash = keep(r, e->was_hash);
	}
	catalog_index(r->c, r->c->n - 1);
}

int
stringsdict_parse(struct catalog *c, struct err *e)
{
	struct plist p;
	struct reader r = {.c = c, .p = &p};
	int rc = plist_scan(c->text, &p, e);

	if (rc == 0)
		for (size_t i = p.v[0].first; i != PLIST_NONE; i = p.v[i].next)
			add_entry(&r, i);
	plist_free(&p);
	buf_free(&r.text);
	return rc;
}

void
stringsdict_skeleton(struct slice locale, struct slice source_locale, struct buf *out)
{
	(void)locale;
	(void)source_locale;
	buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		      "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
		      "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
		      "<plist version=\"1.0\">\n<dict>\n</dict>\n</plist>\n");
}
