/* What all catalogue formats share: the tables, places, names of locales. */
#include "common/format/catalog.h"

#include "common/format/arb.h"
#include "common/format/catalog_forms.h"
#include "common/format/catalog_name.h"
#include "common/format/mo.h"
#include "common/format/po.h"
#include "common/format/tmx.h"
#include "common/path.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_FAULTS = 1000 };

static const char *const format_names[CATALOG_FORMATS] = {"auto", "arb", "po", "mo", "tmx",
    "xliff", "android", "i18next", "strings", "stringsdict", "xcstrings"};
static const char *const state_names[] = {"missing", "draft", "fuzzy", "translated", "approved"};

const char *
catalog_format_name(enum catalog_format format)
{
	return format_names[format];
}

const char *
catalog_state_name(enum catalog_state state)
{
	return state_names[state];
}

bool
catalog_state_of(struct slice word, enum catalog_state *state)
{
	for (size_t i = 0; i < sizeof(state_names) / sizeof(*state_names); i++)
		if (slice_is(word, state_names[i])) {
			*state = (enum catalog_state)i;
			return true;
		}
	if (slice_is(word, "needs-review"))
		return *state = CATALOG_FUZZY, true;
	if (slice_is(word, "reviewed"))
		return *state = CATALOG_APPROVED, true;
	return false;
}

/* -- entries, faults, places -- */

struct catalog_entry *
catalog_add(struct catalog *c)
{
	c->entries = xgrow(c->entries, c->n, &c->cap, sizeof(*c->entries));
	struct catalog_entry *e = &c->entries[c->n++];
	memset(e, 0, sizeof(*e));
	e->format = "icu";
	e->locale = c->locale;
	return e;
}

/* gettext's own name of an entry: msgctxt EOT msgid, or the msgid alone. */
static struct slice
source_name(struct arena *arena, struct slice context, struct slice source)
{
	if (!context.ptr)
		return source;
	size_t len = context.len + 1 + source.len;
	char *name = arena_alloc(arena, len + 1);
	memcpy(name, context.ptr, context.len);
	name[context.len] = '\004';
	if (source.len)
		memcpy(name + context.len + 1, source.ptr, source.len);
	name[len] = '\0';
	return (struct slice){name, len};
}

/* The entry of that name; the last one counts, but an obsolete one never hides another. */
static void
enter(struct catalog *c, struct table *table, struct slice name, size_t i, bool fault)
{
	const struct catalog_entry *e = &c->entries[i];
	size_t base = c->bom && !c->converted ? 3 : 0;
	bool added;
	uint64_t *at = table_put(table, name, &added);
	bool twice = !added && !e->obsolete && !c->entries[*at].obsolete;

	size_t before = c->nfaults;
	if (twice && fault)
		catalog_fault(c, "duplicate-key", i, e->span.start - base, e->span.end - base,
		    "the key stands twice, first in line %zu; the last one is read",
		    c->entries[*at].line);
	if (c->nfaults > before) { /* a converted file has places, but no offsets */
		c->faults[before].line = e->line;
		c->faults[before].column = e->column;
	}
	if (added || !e->obsolete)
		*at = i;
}

void
catalog_index(struct catalog *c, size_t i)
{
	const struct catalog_entry *e = &c->entries[i];

	/* PO names entries by their source, a memory may hold one text many times. */
	enter(c, &c->by_key, e->key, i, c->format == CATALOG_ARB || c->format > CATALOG_TMX);
	if (c->format == CATALOG_PO || c->format == CATALOG_MO)
		enter(c, &c->by_source, source_name(&c->arena, e->context, e->source), i,
		    c->format == CATALOG_PO);
}

struct catalog_entry *
catalog_find(const struct catalog *c, struct slice key)
{
	uint64_t *at = table_get(&c->by_key, key);

	return at ? &c->entries[*at] : NULL;
}

struct catalog_entry *
catalog_find_source(const struct catalog *c, struct slice context, struct slice source)
{
	struct arena scratch = {0};
	uint64_t *at = table_get(&c->by_source, source_name(&scratch, context, source));

	arena_free(&scratch);
	return at ? &c->entries[*at] : NULL;
}

struct catalog_span
catalog_span(const struct catalog *c, size_t start, size_t end)
{
	size_t base = c->bom ? 3 : 0;

	if (c->converted)
		return (struct catalog_span){0, 0};
	return (struct catalog_span){start + base, end + base};
}

void
catalog_fault(struct catalog *c, const char *rule, size_t entry, size_t start, size_t end,
    const char *format, ...)
{
	if (c->nfaults == MAX_FAULTS)
		return;
	c->faults = xgrow(c->faults, c->nfaults, &c->faults_cap, sizeof(*c->faults));
	struct catalog_fault *f = &c->faults[c->nfaults++];
	va_list ap;

	*f = (struct catalog_fault){.rule = rule, .entry = entry};
	f->span = catalog_span(c, start, end);
	catalog_seek(&c->fault_cursor, c->text, start, &f->line, &f->column);
	va_start(ap, format);
	vsnprintf(f->text, sizeof(f->text), format, ap);
	va_end(ap);
}

void
catalog_seek(struct catalog_cursor *at, struct slice text, size_t offset, size_t *line,
    size_t *column)
{
	const char *lf;

	if (offset > text.len)
		offset = text.len;
	if (offset < at->offset)
		*at = (struct catalog_cursor){0};
	while (at->offset < offset &&
	    (lf = memchr(text.ptr + at->offset, '\n', offset - at->offset))) {
		at->offset = (size_t)(lf - text.ptr) + 1;
		at->before = 0;
		at->line++;
	}
	/* Counted once: files of one line have as many entries as others. */
	at->before += utf8_count(text.ptr + at->offset, offset - at->offset);
	at->offset = offset;
	*line = at->line + 1;
	*column = 1 + at->before;
}

/* -- reading -- */

static void
start(struct catalog *c, const char *name, enum catalog_format format)
{
	*c = (struct catalog){.format = format};
	c->name = arena_copy(&c->arena, name, strlen(name));
	c->charset = S("UTF-8");
	c->forms = catalog_forms_new(&c->arena);
}

/* c->content is filled. */
static int
parse(struct catalog *c, struct err *e)
{
	c->text = buf_slice(&c->content);
	if (slice_starts(c->text, "\xef\xbb\xbf")) {
		c->bom = true;
		c->text.ptr += 3;
		c->text.len -= 3;
	}
	if (c->format == CATALOG_AUTO)
		c->format = catalog_format_of_bytes(c->text);
	catalog_take_name(c);
	if (c->format == CATALOG_AUTO)
		return err_set(e, "bad_catalog", "no catalogue of a known format");
	if (c->format == CATALOG_ARB)
		return arb_parse(c, e);
	if (c->format == CATALOG_PO)
		return po_parse(c, e);
	return c->format == CATALOG_MO ? mo_parse(c, e) : catalog_kind(c->format)->parse(c, e);
}

int
catalog_read(const char *name, enum catalog_format format, struct catalog *c, struct err *e)
{
	start(c, name, format != CATALOG_AUTO ? format : catalog_format_of_name(name));
	if (path_read(name, CATALOG_MAX_SIZE, &c->content, e) < 0)
		return -1;
	return parse(c, e);
}

int
catalog_parse(const char *name, enum catalog_format format, struct slice text, struct catalog *c,
    struct err *e)
{
	start(c, name, format != CATALOG_AUTO ? format : catalog_format_of_name(name));
	if (text.len > CATALOG_MAX_SIZE)
		return err_set(e, "too_large", "more than %d bytes", CATALOG_MAX_SIZE);
	buf_addslice(&c->content, text);
	return parse(c, e);
}

/* What people edit is small enough to be held whole while they are visited. */
static int
visit_whole(struct catalog *c, catalog_visit_fn *fn, void *state, struct err *e)
{
	int rc;

	if (path_read(c->name, CATALOG_MAX_SIZE, &c->content, e) < 0 || parse(c, e) < 0)
		return -1;
	for (size_t i = 0; i < c->n; i++)
		if ((rc = fn(c, &c->entries[i], state)) != 0)
			return rc;
	return 0;
}

int
catalog_visit(const char *name, enum catalog_format format, catalog_visit_fn *fn, void *state,
    struct err *e)
{
	struct catalog c;
	int rc;

	start(&c, name, format != CATALOG_AUTO ? format : catalog_format_of_name(name));
	catalog_take_name(&c);
	if (c.format == CATALOG_MO)
		rc = mo_visit(&c, fn, state, e);
	else if (c.format == CATALOG_TMX)
		rc = tmx_visit(&c, fn, state, e);
	else
		rc = visit_whole(&c, fn, state, e);
	catalog_free(&c);
	return rc;
}

void
catalog_free(struct catalog *c)
{
	free(c->entries);
	free(c->faults);
	table_free(&c->by_key);
	table_free(&c->by_source);
	arena_free(&c->arena);
	buf_free(&c->content);
	*c = (struct catalog){0};
}
