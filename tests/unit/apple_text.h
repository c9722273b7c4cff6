/*
 * apple_text: catalogues of Apple's as text: read, and merged with changes.
 */
#ifndef KANDIL_TEST_APPLE_TEXT_H
#define KANDIL_TEST_APPLE_TEXT_H

#include "tests/unit/catalog_text.h"
#include "tests/unit/check.h"

#include <stdlib.h>

static struct catalog c;

static inline int
parse(const char *name, struct slice text, struct err *e)
{
	catalog_free(&c);
	return catalog_parse(name, CATALOG_AUTO, text, &c, e);
}

/* The file that the changes make of text; to be freed. */
static inline char *
merged(const char *name, struct slice text, const char *locale, bool template,
    const struct catalog_change *changes, size_t n, size_t *len)
{
	struct catalog_merge m = {.locale = slice(locale), .changes = changes, .n = n,
	    .template = template};
	struct buf out = {0};
	struct err e = {0};

	CHECK(parse(name, text, &e) == 0);
	m.source_locale = c.source_locale;
	if (catalog_kind(c.format)->merge(&c, &m, &out, &e) < 0)
		buf_addf(&out, "%s", e.text);
	else
		CHECK(parse(name, buf_slice(&out), &e) == 0);
	if (len)
		*len = out.len;
	buf_room(&out, 1);
	return buf_detach(&out);
}

static inline void
check_merge(const char *name, const char *text, const char *locale,
    const struct catalog_change *changes, size_t n, const char *want)
{
	char *got = merged(name, slice(text), locale, false, changes, n, NULL);

	CHECK_TEXT(got, want);
	free(got);
}

#define CHANGE(k, s, v)                                                       \
	{.key = S(k), .write = true, .source = S(s), .value = S(v), .format = "icu", \
	    .state = CATALOG_TRANSLATED}

#endif
