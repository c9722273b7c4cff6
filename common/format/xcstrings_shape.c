/* One localization of a String Catalog: what it is, and what it says. */
#include "common/format/xcstrings_shape.h"

#include "common/format/apple_variable.h"
#include "common/format/locale_name.h"
#include "common/format/printf_message.h"

static bool
is_type(const struct jsonfile *f, size_t node, enum json_type type)
{
	return node != JSONFILE_NONE && f->v[node].type == type;
}

size_t
xcstrings_localization(const struct jsonfile *f, size_t key, struct slice locale)
{
	size_t all = jsonfile_child(f, key, S("localizations")), found = JSONFILE_NONE;
	char want[LOCALE_MAX], name[LOCALE_MAX];

	if (all == JSONFILE_NONE || f->v[all].type != JSON_OBJECT)
		return JSONFILE_NONE;
	if (!locale_canonical(locale, want))
		return jsonfile_child(f, all, locale);
	for (size_t i = f->v[all].first; i != JSONFILE_NONE; i = f->v[i].next)
		if (!f->v[i].removed && locale_canonical(f->v[i].name, name) &&
		    strcmp(name, want) == 0)
			found = i;
	return found;
}

bool
xcstrings_value(struct jsonfile *f, size_t unit, struct slice *value)
{
	size_t node = jsonfile_child(f, unit, S("value"));

	if (!is_type(f, node, JSON_STRING))
		return false;
	*value = jsonfile_text(f, node);
	return value->len > 0;
}

/* Fills plural and its forms from an object of variations; NULL, or why not. */
static const char *
read_variations(struct jsonfile *f, size_t variations, struct xcstrings_shape *s)
{
	struct slice value, name;
	size_t unit, position;

	if (!is_type(f, variations, JSON_OBJECT) ||
	    f->v[variations].first != f->v[variations].last)
		return "it varies by more than number";
	s->plural = jsonfile_child(f, variations, S("plural"));
	if (!is_type(f, s->plural, JSON_OBJECT))
		return "it varies by device";
	for (size_t i = f->v[s->plural].first; i != JSONFILE_NONE; i = f->v[i].next) {
		int c = plural_of_name(f->v[i].name);
		unit = jsonfile_child(f, i, S("stringUnit"));
		if (c < 0 || !is_type(f, unit, JSON_OBJECT) || f->v[i].first != f->v[i].last)
			return "a plural form is no single text";
		s->form[c] = unit;
		if (!xcstrings_value(f, unit, &value))
			continue;
		for (size_t k = 0; k < value.len; k++)
			if (value.ptr[k] == '%' && apple_variable(value, k, &name, &position))
				return "a plural form has a variable of its own";
	}
	return NULL;
}

static const char *
read_substitution(struct jsonfile *f, size_t substitutions, struct xcstrings_shape *s)
{
	struct apple_variable only;
	struct slice value;
	const char *why;
	size_t node;
	long long number;

	if (!is_type(f, s->unit, JSON_OBJECT) || !xcstrings_value(f, s->unit, &value))
		return "it has no text for its substitutions";
	if ((why = apple_variable_only(value, &only)))
		return why;
	s->substitution = jsonfile_child(f, substitutions, only.name);
	if (!is_type(f, s->substitution, JSON_OBJECT))
		return "its variable has no substitution";
	if (f->v[substitutions].first != f->v[substitutions].last)
		return "it has several substitutions";
	s->name = only.name;
	s->before = only.before;
	s->after = only.after;
	s->position = only.position;
	node = jsonfile_child(f, s->substitution, S("argNum"));
	if (is_type(f, node, JSON_NUMBER) && json_long(f->v[node].value, &number) && number > 0 &&
	    number <= PRINTF_ARGUMENTS)
		s->position = (size_t)number;
	node = jsonfile_child(f, s->substitution, S("formatSpecifier"));
	if (is_type(f, node, JSON_STRING) && printf_is_number(jsonfile_text(f, node)))
		s->spec = jsonfile_text(f, node);
	return read_variations(f, jsonfile_child(f, s->substitution, S("variations")), s);
}

void
xcstrings_shape(struct jsonfile *f, size_t localization, struct xcstrings_shape *s)
{
	size_t variations, substitutions;

	*s = (struct xcstrings_shape){.kind = XCSTRINGS_NONE,
	    .unit = JSONFILE_NONE,
	    .plural = JSONFILE_NONE,
	    .substitution = JSONFILE_NONE,
	    .name = {"", 0},
	    .spec = {"", 0},
	    .before = {"", 0},
	    .after = {"", 0}};
	for (int c = 0; c < PLURAL_CATEGORIES; c++)
		s->form[c] = JSONFILE_NONE;
	if (localization == JSONFILE_NONE)
		return;
	s->unit = jsonfile_child(f, localization, S("stringUnit"));
	variations = jsonfile_child(f, localization, S("variations"));
	substitutions = jsonfile_child(f, localization, S("substitutions"));
	if (!is_type(f, localization, JSON_OBJECT))
		s->why = "it is no object";
	else if (jsonfile_child(f, localization, S("stringSet")) != JSONFILE_NONE)
		s->why = "it is a set of texts";
	else if (variations != JSONFILE_NONE && substitutions != JSONFILE_NONE)
		s->why = "it has variations and substitutions";
	else if (variations != JSONFILE_NONE && !(s->why = read_variations(f, variations, s)))
		s->kind = XCSTRINGS_PLURAL;
	else if (substitutions != JSONFILE_NONE && !s->why &&
	    !(s->why = read_substitution(f, substitutions, s)))
		s->kind = XCSTRINGS_SUBSTITUTION;
	else if (!s->why && is_type(f, s->unit, JSON_OBJECT))
		s->kind = XCSTRINGS_UNIT;
	if (s->why)
		s->kind = XCSTRINGS_OPAQUE;
}

/* -- as a message -- */

/* "%arg" of a substitution's forms is its number. */
static void
number_form(struct slice text, const struct xcstrings_shape *s, size_t position, struct buf *out)
{
	struct buf b = {0};
	size_t next = 1;
	struct slice spec = s->spec.len ? s->spec : S("lld");

	for (size_t i = 0; i < text.len; i++) {
		struct slice rest = {text.ptr + i, text.len - i};
		if (slice_starts(rest, "%%")) {
			buf_adds(&b, "%%");
			i++;
		} else if (slice_starts(rest, "%arg")) {
			buf_addf(&b, "%%%zu$%.*s", position, (int)spec.len, spec.ptr);
			i += 3;
		} else {
			buf_addc(&b, text.ptr[i]);
		}
	}
	printf_number(buf_slice(&b), &next, 0, out);
	buf_free(&b);
}

struct texts {
	struct buf v[PLURAL_CATEGORIES + 2];
};

static void
free_texts(struct texts *t)
{
	for (size_t i = 0; i < sizeof(t->v) / sizeof(*t->v); i++)
		buf_free(&t->v[i]);
}

bool
xcstrings_message(struct jsonfile *f, const struct xcstrings_shape *s, struct slice locale,
    struct buf *out, const char **format)
{
	struct forms forms = {.plural = true, .number = S("n"), .before = S(""), .after = S("")};
	struct texts texts = {0};
	struct slice value;
	size_t next = 1, position = s->position;
	bool good = s->kind == XCSTRINGS_PLURAL || s->kind == XCSTRINGS_SUBSTITUTION;

	if (s->kind == XCSTRINGS_UNIT) {
		if (!xcstrings_value(f, s->unit, &value))
			return false;
		*format = printf_format_of(value);
		buf_addslice(out, value);
		return true;
	}
	if (s->kind == XCSTRINGS_SUBSTITUTION) {
		printf_number(s->before, &next, 0, &texts.v[PLURAL_CATEGORIES]);
		if (!position)
			position = next++;
		printf_number(s->after, &next, 0, &texts.v[PLURAL_CATEGORIES + 1]);
		forms.before = buf_slice(&texts.v[PLURAL_CATEGORIES]);
		forms.after = buf_slice(&texts.v[PLURAL_CATEGORIES + 1]);
	}
	for (int c = 0; good && c < PLURAL_CATEGORIES; c++) {
		if (s->form[c] == JSONFILE_NONE)
			continue;
		good = xcstrings_value(f, s->form[c], &value);
		if (!good)
			break;
		if (s->kind == XCSTRINGS_SUBSTITUTION)
			number_form(value, s, position, &texts.v[c]);
		else
			buf_addslice(&texts.v[c], value);
		forms.text[c] = buf_slice(&texts.v[c]);
	}
	*format = "icu";
	good = good && printf_join(&forms, S(""), position, locale, PRINTF_APPLE, out);
	free_texts(&texts);
	return good;
}
