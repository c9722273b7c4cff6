/* Plural families found among the members of each object. */
#include "common/format/i18next_model.h"

#include "common/format/arb.h"
#include "common/format/i18next_message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Paths may be deep and long: so much of them is kept for each byte of the file, and no more. */
enum { PATHS_PER_BYTE = 8, PATHS_AT_LEAST = 16 << 20 };

struct family {
	struct slice stem;
	bool ordinal, settled, good;
	size_t form[PLURAL_CATEGORIES];
	size_t item;
};

struct reader {
	struct i18next_model *m;
	struct catalog *c;
	struct slice locale;
	struct buf path, text;
	size_t paths; /* bytes of keys so far */
	struct err *e;
};

int
i18next_suffix(struct slice name, struct slice *stem)
{
	const char *dash = name.len ? memrchr(name.ptr, '_', name.len) : NULL;
	int category;

	if (!dash || dash == name.ptr)
		return -1;
	*stem = (struct slice){name.ptr, (size_t)(dash - name.ptr)};
	category = plural_of_name((struct slice){dash + 1, name.len - stem->len - 1});
	return slice_is(*stem, "_ordinal") ? -1 : category;
}

/* -- families of one object -- */

static bool
says_count(struct reader *r, size_t node)
{
	struct slice text = jsonfile_text(&r->m->file, node);

	return text.len && memmem(text.ptr, text.len, "count", 5) &&
	    memmem(text.ptr, text.len, "{{", 2);
}

static bool
any_says_count(struct reader *r, const struct family *f)
{
	for (int c = 0; c < PLURAL_CATEGORIES; c++)
		if (f->form[c] != JSONFILE_NONE && says_count(r, f->form[c]))
			return true;
	return false;
}

static size_t
first_form(const struct family *f)
{
	size_t first = JSONFILE_NONE;

	for (int c = 0; c < PLURAL_CATEGORIES; c++)
		if (f->form[c] < first)
			first = f->form[c];
	return first; /* nodes are numbered in the file's order */
}

static void __attribute__((format(printf, 5, 6)))
fault(struct reader *r, const char *rule, size_t item, size_t node, const char *format, ...)
{
	char text[160];
	va_list ap;

	if (!r->c)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	catalog_fault(r->c, rule, item, jsonfile_start(&r->m->file, node),
	    jsonfile_end(&r->m->file, node), "%s", text);
}

/* Whether keys with such suffixes are a plural: step_one and step_two are none. */
static bool
is_plural(struct reader *r, size_t parent, const struct family *f)
{
	const struct plural_rules *rules = forms_rules(r->locale, f->ordinal);
	unsigned n = 0;
	size_t bare;

	for (int c = 0; c < PLURAL_CATEGORIES; c++)
		n += f->form[c] != JSONFILE_NONE;
	if (f->form[PLURAL_OTHER] == JSONFILE_NONE) {
		if (any_says_count(r, f))
			fault(r, "missing-other", SIZE_MAX, first_form(f),
			    "the plural '%.*s' has no form 'other'",
			    (int)(f->stem.len < 80 ? f->stem.len : 80), f->stem.ptr);
		return false;
	}
	/* Beside a text of its own name the two would be one key. */
	bare = jsonfile_child(&r->m->file, parent, f->stem);
	if (bare != JSONFILE_NONE && r->m->file.v[bare].type == JSON_STRING)
		return false;
	return n > 1 || plural_all(rules) == 1U << PLURAL_OTHER || any_says_count(r, f);
}

static struct slice
keep(struct reader *r, struct slice text)
{
	return (struct slice){arena_copy(&r->m->arena, text.len ? text.ptr : "", text.len),
	    text.len};
}

/* Fills message; false where ICU has no way to say the forms. */
static bool
read_message(struct reader *r, const struct family *f, struct slice *message)
{
	struct forms forms = {.plural = true, .ordinal = f->ordinal, .number = S("count"),
	    .before = S(""), .after = S("")};

	for (int c = 0; c < PLURAL_CATEGORIES; c++) {
		if (f->form[c] == JSONFILE_NONE)
			continue;
		forms.text[c] = jsonfile_text(&r->m->file, f->form[c]);
		if (!forms.text[c].len) {
			*message = (struct slice){NULL, 0};
			return true;
		}
	}
	buf_reset(&r->text);
	if (!i18next_join(&forms, r->locale, &r->text))
		return false;
	*message = keep(r, buf_slice(&r->text));
	return true;
}

/* -- old formats -- */

/* v3: item and item_plural, item_0 and item_1. */
static void
check_old(struct reader *r, size_t parent, size_t node)
{
	const struct jsonfile *f = &r->m->file;
	struct slice name = f->v[node].name, stem, twin;
	bool numbered = slice_ends(name, "_1");

	if (!r->c || (!numbered && !slice_ends(name, "_plural")))
		return;
	stem = (struct slice){name.ptr, name.len - (numbered ? 2 : 7)};
	twin = stem;
	buf_reset(&r->text);
	if (numbered) {
		buf_addslice(&r->text, stem);
		buf_adds(&r->text, "_0");
		twin = buf_slice(&r->text);
	}
	size_t other = jsonfile_child(f, parent, twin);
	if (other == JSONFILE_NONE || f->v[other].type != JSON_STRING ||
	    (numbered && !says_count(r, node) && !says_count(r, other)))
		return;
	fault(r, "old-format", SIZE_MAX, node,
	    "'%.*s' is a plural of i18next's format v3: v4 has '%.*s_one', '%.*s_other'",
	    (int)(name.len < 40 ? name.len : 40), name.ptr, (int)(stem.len < 30 ? stem.len : 30),
	    stem.ptr, (int)(stem.len < 30 ? stem.len : 30), stem.ptr);
}

/* -- items -- */

static struct i18next_item *
add_item(struct reader *r, struct slice name)
{
	struct i18next_model *m = r->m;
	size_t length = r->path.len;
	struct i18next_item *item;
	bool added;

	if (length)
		buf_addc(&r->path, '.');
	buf_addslice(&r->path, name);
	m->v = xgrow(m->v, m->n, &m->cap, sizeof(*m->v));
	item = &m->v[m->n++];
	*item = (struct i18next_item){.key = keep(r, buf_slice(&r->path)), .format = "i18next"};
	for (int c = 0; c < PLURAL_CATEGORIES; c++)
		item->form[c] = JSONFILE_NONE;
	r->paths += item->key.len;
	buf_cut(&r->path, length);
	uint64_t *at = table_put(&m->by_key, item->key, &added);
	*at = m->n - 1;
	return item;
}

static void
add_text(struct reader *r, size_t node, struct slice name)
{
	struct i18next_item *item = add_item(r, name);
	struct slice text = jsonfile_text(&r->m->file, node);

	item->form[PLURAL_OTHER] = item->first = item->last = node;
	item->message = text.len ? text : (struct slice){NULL, 0};
}

/* Which categories of the language have no form: i18next falls back to none of the others. */
static void
check_categories(struct reader *r, const struct i18next_item *item, size_t index)
{
	const struct plural_rules *rules =
	    item->ordinal ? plural_ordinals(r->locale) : plural_rules(r->locale);
	struct buf names = {0};

	for (int c = 0; rules && c < PLURAL_CATEGORIES; c++)
		if (plural_all(rules) & (1U << c) && item->form[c] == JSONFILE_NONE)
			buf_addf(&names, "%s_%s", names.len ? ", " : "",
			    plural_name((enum plural_category)c));
	if (names.len)
		fault(r, "missing-category", index, item->first,
		    "the plural has no %s: i18next shows the key, or another language, there",
		    names.ptr);
	buf_free(&names);
}

static void
add_family(struct reader *r, size_t parent, struct family *f, const struct slice *message)
{
	struct slice name = f->stem;
	struct i18next_item *item;

	/* "place_ordinal" is "place", where that is nothing else. */
	if (f->ordinal) {
		struct slice bare = {name.ptr, name.len - strlen("_ordinal")};
		buf_reset(&r->text);
		buf_addslice(&r->text, bare);
		buf_adds(&r->text, "_other");
		if (jsonfile_child(&r->m->file, parent, bare) == JSONFILE_NONE &&
		    jsonfile_child(&r->m->file, parent, buf_slice(&r->text)) == JSONFILE_NONE)
			name = bare;
	}
	item = add_item(r, name);
	item->plural = true;
	item->ordinal = f->ordinal;
	item->message = *message;
	item->format = "icu";
	memcpy(item->form, f->form, sizeof(item->form));
	item->first = first_form(f);
	for (int c = 0; c < PLURAL_CATEGORIES; c++)
		if (f->form[c] != JSONFILE_NONE && f->form[c] > item->last)
			item->last = f->form[c];
	f->good = true;
	check_categories(r, item, r->m->n - 1);
}

struct families {
	struct family *v;
	size_t n, cap;
	struct table by_stem;
};

static void
list_families(struct reader *r, size_t parent, struct families *all)
{
	const struct jsonfile *f = &r->m->file;
	struct slice stem;

	for (size_t i = f->v[parent].first; i != JSONFILE_NONE; i = f->v[i].next) {
		int category = i18next_suffix(f->v[i].name, &stem);
		bool added;
		if (f->v[i].type != JSON_STRING)
			continue;
		check_old(r, parent, i);
		if (category < 0)
			continue;
		uint64_t *at = table_put(&all->by_stem, stem, &added);
		if (added) {
			*at = all->n;
			all->v = xgrow(all->v, all->n, &all->cap, sizeof(*all->v));
			all->v[all->n] = (struct family){.stem = stem,
			    .ordinal = slice_ends(stem, "_ordinal")};
			for (int c = 0; c < PLURAL_CATEGORIES; c++)
				all->v[all->n].form[c] = JSONFILE_NONE;
			all->n++;
		} else if (all->v[*at].form[category] != JSONFILE_NONE) {
			fault(r, "duplicate-key", SIZE_MAX, i,
			    "the key '%.*s' stands twice; the last one is read",
			    (int)(f->v[i].name.len < 80 ? f->v[i].name.len : 80), f->v[i].name.ptr);
		}
		all->v[*at].form[category] = i;
	}
}

/* True where the text is a form of a family, which is added with its first one. */
static bool
take_form(struct reader *r, size_t parent, size_t node, struct families *all)
{
	struct slice stem, message;
	uint64_t *at;

	if (i18next_suffix(r->m->file.v[node].name, &stem) < 0 ||
	    !(at = table_get(&all->by_stem, stem)))
		return false;
	struct family *f = &all->v[*at];
	if (!f->settled) {
		f->settled = true;
		if (is_plural(r, parent, f) && read_message(r, f, &message))
			add_family(r, parent, f, &message);
	}
	return f->good;
}

static int read_container(struct reader *, size_t parent);

static int
read_child(struct reader *r, size_t node, struct slice name)
{
	size_t length = r->path.len;
	int rc;

	if (r->paths > PATHS_AT_LEAST + PATHS_PER_BYTE * r->m->file.text.len)
		return err_set(r->e, "too_large", "the paths of the keys are too long");
	if (r->m->file.v[node].type == JSON_STRING) {
		add_text(r, node, name);
		return 0;
	}
	if (r->m->file.v[node].type < JSON_ARRAY)
		return 0;
	if (length)
		buf_addc(&r->path, '.');
	buf_addslice(&r->path, name);
	rc = read_container(r, node);
	buf_cut(&r->path, length);
	return rc;
}

/* Depth is bounded by the JSON reader. */
static int
read_container(struct reader *r, size_t parent)
{
	struct i18next_model *m = r->m;
	struct families all = {0};
	bool object = m->file.v[parent].type == JSON_OBJECT;
	char number[24];
	size_t index = 0;
	int rc = 0;

	if (object)
		list_families(r, parent, &all);
	for (size_t i = m->file.v[parent].first; i != JSONFILE_NONE && rc == 0;
	     i = m->file.v[i].next) {
		struct slice name = m->file.v[i].name;
		if (!object) {
			snprintf(number, sizeof(number), "%zu", index++);
			name = slice(number);
		}
		if (parent == 0 && slice_is(name, ARB_STATE)) {
			m->states = m->file.apart = i;
			continue;
		}
		if (!object || !take_form(r, parent, i, &all))
			rc = read_child(r, i, name);
	}
	free(all.v);
	table_free(&all.by_stem);
	return rc;
}

int
i18next_open(struct i18next_model *m, struct slice text, struct slice locale, struct catalog *c,
    struct err *e)
{
	struct reader r = {.m = m, .c = c, .locale = locale, .e = e};
	int rc;

	*m = (struct i18next_model){.states = JSONFILE_NONE};
	rc = jsonfile_open(&m->file, text, e);
	if (rc == 0)
		rc = read_container(&r, 0);
	buf_free(&r.path);
	buf_free(&r.text);
	return rc;
}

void
i18next_close(struct i18next_model *m)
{
	jsonfile_free(&m->file);
	free(m->v);
	table_free(&m->by_key);
	arena_free(&m->arena);
	*m = (struct i18next_model){0};
}
