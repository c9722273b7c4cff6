/*
 * merge: what the fuzzers of merging formats hold a catalogue to: what can be read can be
 * merged into; no change gives the same bytes, and a change gives a file that can be read
 * and says what was written.
 */
#ifndef KANDIL_FUZZ_MERGE_H
#define KANDIL_FUZZ_MERGE_H

#include "common/format/catalog.h"
#include "common/locale.h"

#include <stdlib.h>

static bool
merge(const struct catalog *c, const struct catalog_change *changes, size_t n, struct buf *out)
{
	struct catalog_merge how = {.locale = S("fr"),
	    .source_locale = S("en"),
	    .changes = changes,
	    .n = n};

	return catalog_kind(c->format)->merge(c, &how, out, NULL) == 0;
}

static void
check_same(const struct catalog *c)
{
	struct buf out = {0};

	if (merge(c, NULL, 0, &out) && !slice_eq(buf_slice(&out), buf_slice(&c->content)))
		abort();
	buf_free(&out);
}

/* The entry of that key in French, the last one. */
static const struct catalog_entry *
find(const struct catalog *c, struct slice key)
{
	const struct catalog_entry *found = NULL;
	char name[LOCALE_MAX];

	for (size_t i = 0; i < c->n; i++)
		if (slice_eq(c->entries[i].key, key) &&
		    (!catalog_kind(c->format)->many ||
			(locale_canonical(c->entries[i].locale, name) && strcmp(name, "fr") == 0)))
			found = &c->entries[i];
	return found;
}

/* Whether an entry says what the change was to make it say, as the frame compares it. */
static bool
says(const struct catalog *c, const struct catalog_entry *e, const struct catalog_change *change)
{
	struct slice text = e->positional.ptr ? e->positional : e->values[0];
	struct catalog_change read = {.key = e->key, .source = text,
	    .format = e->positional.ptr ? e->positional_format : e->format};
	struct buf is = {0}, wanted = {0};
	bool same = catalog_kind(c->format)->say(change, change->value, S("fr"), &wanted, NULL) == 0;

	if (c->format == CATALOG_TMX)
		buf_addslice(&is, text);
	else
		same = same && catalog_kind(c->format)->say(&read, text, S("fr"), &is, NULL) == 0;
	same = same && slice_eq(buf_slice(&is), buf_slice(&wanted));
	buf_free(&is);
	buf_free(&wanted);
	return same;
}

static void
check_change(const struct catalog *c, const char *name)
{
	struct slice value = S("one {p} <b>two</b>");
	struct catalog_change changes[] = {
	    {.source = S("{p} one <b>two</b>"), .format = "icu", .value = value, .write = true,
		.state = CATALOG_DRAFT},
	    {.key = S("a_new_key"), .source = S("It's 100%"), .format = "plain",
		.value = S("C'est 100%"), .write = true, .state = CATALOG_TRANSLATED,
		.description = S("d--")}};
	struct buf out = {0}, said = {0};
	struct catalog made;
	struct err e;

	changes[0].key = c->n ? c->entries[c->n / 2].key : S("other");
	changes[0].old_source = S("was");
	if (slice_eq(changes[0].key, changes[1].key) ||
	    catalog_kind(c->format)->say(&changes[0], value, S("fr"), &said, &e) < 0 ||
	    !merge(c, changes, 2, &out)) {
		buf_free(&said);
		buf_free(&out);
		return;
	}
	if (catalog_parse(name, c->format, buf_slice(&out), &made, &e) != 0)
		abort();
	const struct catalog_entry *n = find(&made, S("a_new_key"));
	if (!find(c, S("a_new_key")) &&
	    (!n || !n->nvalues || !says(&made, n, &changes[1]) || n->state != CATALOG_TRANSLATED))
		abort();
	catalog_free(&made);
	buf_free(&said);
	buf_free(&out);
}

/* The whole of it, of any bytes as a file of that name and format. */
static int
fuzz_merge(const char *name, enum catalog_format format, const uint8_t *data, size_t size)
{
	struct catalog c;

	if (catalog_parse(name, format, (struct slice){(const char *)data, size}, &c, NULL) == 0) {
		check_same(&c);
		check_change(&c, name);
	}
	catalog_free(&c);
	return 0;
}

#endif
