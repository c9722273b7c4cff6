/*
 * Reading String Catalogs: an entry for each key in each language. They are
 * not indexed: one key is there in many languages, and catalog_view cuts those.
 */
#include "common/format/xcstrings.h"

#include "common/format/locale_name.h"
#include "common/format/printf_message.h"
#include "common/format/xcstrings_shape.h"

struct reader {
	struct catalog *c;
	struct jsonfile f;
	struct catalog_cursor cursor;
	char source[LOCALE_MAX]; /* the source language, canonical; empty: it has no such name */
	struct buf text;
};

static struct slice
keep(struct reader *r, struct slice text)
{
	return (struct slice){
	    arena_copy(&r->c->arena, text.len ? text.ptr : "", text.len), text.len};
}

/* The state of a stringUnit; what is no known word is a fault and counts as unsure. */
static enum catalog_state
read_state(struct reader *r, size_t unit, size_t entry)
{
	static const struct {
		const char *word;
		enum catalog_state state;
	} known[] = {{"translated", CATALOG_TRANSLATED}, {"needs_review", CATALOG_FUZZY},
	    {"new", CATALOG_DRAFT}};
	size_t node = jsonfile_child(&r->f, unit, S("state"));

	if (node == JSONFILE_NONE)
		return CATALOG_TRANSLATED;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (json_is(r->f.v[node].value, known[i].word))
			return known[i].state;
	catalog_fault(r->c, "bad-state", entry, jsonfile_start(&r->f, node),
	    jsonfile_end(&r->f, node), "the state is none of new, needs_review, translated");
	return CATALOG_FUZZY;
}

/* The least sure of all its texts. */
static enum catalog_state
state_of(struct reader *r, const struct xcstrings_shape *s, size_t entry)
{
	enum catalog_state state = CATALOG_TRANSLATED, one;

	if (s->kind != XCSTRINGS_PLURAL && s->unit != JSONFILE_NONE)
		state = read_state(r, s->unit, entry);
	for (int c = 0; c < PLURAL_CATEGORIES; c++)
		if (s->form[c] != JSONFILE_NONE && (one = read_state(r, s->form[c], entry)) < state)
			state = one;
	return state;
}

struct key {
	size_t node;
	struct slice name, comment; /* comment.len 0: none */
	bool fixed, stale;
};

static struct catalog_entry *
add_entry(struct reader *r, const struct key *key, struct slice locale, size_t place)
{
	struct catalog_entry *e = catalog_add(r->c);
	size_t start = jsonfile_start(&r->f, place), end = jsonfile_end(&r->f, place);

	e->key = key->name;
	e->locale = locale;
	e->comment = key->comment;
	e->fixed = key->fixed;
	e->obsolete = key->stale;
	e->format = "plain";
	e->span = catalog_span(r->c, start, end);
	e->value_span = catalog_span(r->c, end - r->f.v[place].value.len, end);
	catalog_seek(&r->cursor, r->c->text, start, &e->line, &e->column);
	return e;
}

static void
set_value(struct reader *r, struct catalog_entry *e, struct slice text, const char *format)
{
	e->values = arena_alloc(&r->c->arena, sizeof(*e->values));
	e->values[0] = keep(r, text);
	e->nvalues = 1;
	e->format = format;
	e->state = CATALOG_TRANSLATED;
}

static void
add_localization(struct reader *r, const struct key *key, size_t node)
{
	struct slice locale = keep(r, r->f.v[node].name);
	struct catalog_entry *e = add_entry(r, key, locale, node);
	size_t index = r->c->n - 1, start = jsonfile_start(&r->f, node);
	size_t end = jsonfile_end(&r->f, node);
	struct xcstrings_shape s;
	const char *format;

	xcstrings_shape(&r->f, node, &s);
	buf_reset(&r->text);
	if (s.kind == XCSTRINGS_OPAQUE) {
		e->opaque = true;
		e->format = "icu";
		catalog_fault(r->c, "unsayable", index, start, end,
		    "no one message can say it: %s", s.why);
	} else if (s.plural != JSONFILE_NONE && s.form[PLURAL_OTHER] == JSONFILE_NONE) {
		e->format = "icu";
		catalog_fault(r->c, "missing-other", index, start, end,
		    "the plural has no form 'other'");
	} else if (xcstrings_message(&r->f, &s, locale, &r->text, &format)) {
		set_value(r, e, buf_slice(&r->text), format);
		e->state = state_of(r, &s, index);
	}
}

/* Where nothing is said in the source language the key is its text. */
static void
add_source(struct reader *r, const struct key *key)
{
	struct catalog_entry *e = add_entry(r, key, r->c->source_locale, key->node);

	set_value(r, e, key->name, printf_format_of(key->name));
}

static bool
is_source(const struct reader *r, struct slice locale)
{
	char name[LOCALE_MAX];

	return *r->source ? locale_canonical(locale, name) && strcmp(name, r->source) == 0
			  : slice_eq(locale, r->c->source_locale);
}

/*
 * The source language first. Two spellings of one language ("FR", "fr") stay in
 * their order, so that the last is the one that counts, as it is for the merge.
 */
static void
add_localizations(struct reader *r, const struct key *key, size_t all)
{
	const struct jsonfile *f = &r->f;
	size_t first = all == JSONFILE_NONE ? JSONFILE_NONE : f->v[all].first;
	bool found = false;

	for (size_t i = first; i != JSONFILE_NONE; i = f->v[i].next)
		if (is_source(r, f->v[i].name)) {
			add_localization(r, key, i);
			found = true;
		}
	if (!found)
		add_source(r, key);
	for (size_t i = first; i != JSONFILE_NONE; i = f->v[i].next)
		if (!is_source(r, f->v[i].name) && f->v[i].name.len)
			add_localization(r, key, i);
}

static void
read_key(struct reader *r, size_t node)
{
	struct jsonfile *f = &r->f;
	struct key key = {.node = node, .name = keep(r, f->v[node].name), .comment = {"", 0}};
	size_t localizations = jsonfile_child(f, node, S("localizations")), child;

	if (!key.name.len)
		return; /* Xcode's own: a text without words */
	if (f->v[node].type != JSON_OBJECT) {
		catalog_fault(r->c, "not-text", SIZE_MAX, jsonfile_start(f, node),
		    jsonfile_end(f, node), "what is said of a key is no object");
		return;
	}
	child = jsonfile_child(f, node, S("comment"));
	if (child != JSONFILE_NONE && f->v[child].type == JSON_STRING)
		key.comment = keep(r, jsonfile_text(f, child));
	child = jsonfile_child(f, node, S("shouldTranslate"));
	key.fixed = child != JSONFILE_NONE && f->v[child].type == JSON_FALSE;
	child = jsonfile_child(f, node, S("extractionState"));
	key.stale = child != JSONFILE_NONE && json_is(f->v[child].value, "stale");
	if (localizations != JSONFILE_NONE && f->v[localizations].type != JSON_OBJECT)
		localizations = JSONFILE_NONE;
	add_localizations(r, &key, localizations);
}

/* Names that stand twice: the last is read. */
static void
check_twice(struct reader *r, size_t strings)
{
	const struct jsonfile *f = &r->f;

	for (size_t i = f->v[strings].first; i != JSONFILE_NONE; i = f->v[i].next)
		if (jsonfile_child(f, strings, f->v[i].name) != i)
			catalog_fault(r->c, "duplicate-key", SIZE_MAX, jsonfile_start(f, i),
			    jsonfile_end(f, i), "the key '%.*s' stands twice; the last one is read",
			    (int)(f->v[i].name.len < 80 ? f->v[i].name.len : 80), f->v[i].name.ptr);
}

static int
read_catalog(struct reader *r, struct err *e)
{
	struct jsonfile *f = &r->f;
	size_t source = jsonfile_child(f, 0, S("sourceLanguage"));
	size_t strings = jsonfile_child(f, 0, S("strings"));

	if (source == JSONFILE_NONE || f->v[source].type != JSON_STRING)
		return err_set(e, "bad_catalog", "a String Catalog says its 'sourceLanguage'");
	r->c->source_locale = keep(r, jsonfile_text(f, source));
	if (!locale_canonical(r->c->source_locale, r->source))
		*r->source = '\0';
	if (strings == JSONFILE_NONE)
		return 0;
	if (f->v[strings].type != JSON_OBJECT)
		return err_set(e, "bad_catalog", "'strings' is no object");
	check_twice(r, strings);
	for (size_t i = f->v[strings].first; i != JSONFILE_NONE; i = f->v[i].next)
		if (jsonfile_child(f, strings, f->v[i].name) == i)
			read_key(r, i);
	return 0;
}

int
xcstrings_parse(struct catalog *c, struct err *e)
{
	struct reader r = {.c = c};
	int rc = jsonfile_open(&r.f, c->text, e);

	if (rc == 0)
		rc = read_catalog(&r, e);
	jsonfile_free(&r.f);
	buf_free(&r.text);
	return rc;
}

void
xcstrings_skeleton(struct slice locale, struct slice source_locale, struct buf *out)
{
	(void)locale;
	buf_adds(out, "{\n  \"sourceLanguage\" : ");
	json_quote(out, source_locale.len ? source_locale : S("en"));
	buf_adds(out, ",\n  \"strings\" : {\n\n  },\n  \"version\" : \"1.0\"\n}\n");
}

int
xcstrings_say(const struct catalog_change *change, struct slice text, struct slice locale,
    struct buf *out, struct err *e)
{
	if (!change->key.len)
		return err_set(e, "cannot_say", "a String Catalog has no empty keys");
	return printf_say(change, text, locale, PRINTF_APPLE, out, e);
}
