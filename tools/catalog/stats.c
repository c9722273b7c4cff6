/* stats: how far each language is. */
#include "tools/catalog/catalog.h"

#include <stdio.h>

struct counts {
	size_t total, translated, draft, fuzzy, stale, missing;
};

/* What c says of one message of the family. */
static void
count_entry(struct counts *n, const struct catalog_entry *e)
{
	n->total++;
	if (e && e->opaque)
		n->translated++;
	else if (!e || e->state == CATALOG_MISSING)
		n->missing++;
	else if (e->stale)
		n->stale++;
	else if (e->state == CATALOG_DRAFT)
		n->draft++;
	else if (e->state == CATALOG_FUZZY)
		n->fuzzy++;
	else
		n->translated++;
}

/* The messages are the template's; where there is none the file's own. */
static struct counts
count(const struct family *f, const struct catalog *c)
{
	const struct catalog *of = f->template ? f->template : c;
	struct counts n = {0};

	for (size_t i = 0; i < of->n; i++) {
		const struct catalog_entry *e = &of->entries[i];
		if (!e->obsolete && !e->fixed && family_twin(of, e) == e)
			count_entry(&n, of == c ? e : family_twin(c, e));
	}
	return n;
}

/* Of a memory: its units, of which those that are in the language stand in c, in order. */
static struct counts
count_units(const struct catalog *whole, const struct catalog *c)
{
	struct counts n = {0};
	size_t at = 0;

	for (size_t i = 0; i < whole->n;) {
		size_t start = whole->entries[i].span.start;
		bool there = at < c->n && c->entries[at].span.start == start;
		count_entry(&n, there ? &c->entries[at] : NULL);
		while (i < whole->n && whole->entries[i].span.start == start)
			i++;
		while (at < c->n && c->entries[at].span.start == start)
			at++;
	}
	return n;
}

/* Floored: 100 means all. */
static size_t
percent(const struct counts *n)
{
	return n->total ? n->translated * 100 / n->total : 100;
}

static void
put_record(struct run *run, const struct catalog *c, const struct counts *n, struct buf *b)
{
	buf_reset(b);
	json_open(b, '{');
	json_add(b, "kind", S("stats"));
	json_add(b, "file", slice(c->name));
	family_put_locale(b, "locale", c->locale);
	json_add(b, "format", slice(catalog_format_name(c->format)));
	json_add_long(b, "total", (long long)n->total);
	json_add_long(b, "translated", (long long)n->translated);
	json_add_long(b, "draft", (long long)n->draft);
	json_add_long(b, "fuzzy", (long long)n->fuzzy);
	json_add_long(b, "stale", (long long)n->stale);
	json_add_long(b, "missing", (long long)n->missing);
	json_add_long(b, "percent", (long long)percent(n));
	json_close(b, '}');
	record_emit(run, buf_slice(b));
}

static void
put_row(struct run *run, const struct catalog *c, const struct counts *n, struct buf *b)
{
	buf_reset(b);
	buf_addf(b, "%-8.*s %7zu %10zu %7zu %7zu %7zu %7zu %4zu %%  %s", (int)c->locale.len,
	    c->locale.ptr, n->total, n->translated, n->draft, n->fuzzy, n->stale, n->missing,
	    percent(n), c->name);
	record_emit(run, buf_slice(b));
}

static void
put_family(struct run *run, const struct family *f, bool table, struct buf *b)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct catalog *c = f->files[i];
		bool memory = c->format == CATALOG_TMX;
		if (c == f->template || (memory && slice_eq(c->locale, c->source_locale)))
			continue;
		struct counts n = memory ? count_units(f->whole, c) : count(f, c);
		if (table)
			put_row(run, c, &n, b);
		else
			put_record(run, c, &n, b);
	}
}

void
stats_run(struct run *run, void *settings)
{
	const struct settings *s = settings;
	bool table = wants_table(s);
	struct families families;
	struct buf b = {0};

	gather(run, s, &families);
	report_bad(run, &families);
	if (table && families.n)
		record_emit(run,
		    S("locale     total translated   draft   fuzzy   stale missing  done   file"));
	for (size_t i = 0; i < families.n; i++)
		put_family(run, &families.v[i], table, &b);
	buf_free(&b);
	families_free(&families);
}
