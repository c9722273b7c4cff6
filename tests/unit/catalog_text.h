/*
 * What a catalogue holds, as text to compare. Static buffers: the last four
 * of text_of are good, and the last of listed.
 */
#ifndef KANDIL_UNIT_CATALOG_TEXT_H
#define KANDIL_UNIT_CATALOG_TEXT_H

#include "common/format/catalog.h"

#include <stdio.h>

/* The slice with a NUL behind it; its first 599 bytes. */
static inline const char *
text_of(struct slice s)
{
	static char out[4][600];
	static int turn;
	char *text = out[turn = (turn + 1) % 4];

	snprintf(text, sizeof(out[0]), "%.*s", (int)s.len, s.len ? s.ptr : "");
	return text;
}

/* "key=message|…" of each entry in order, "locale:" in front where one file holds many. */
static inline const char *
listed(const struct catalog *c)
{
	static char out[3000];
	bool many = catalog_kind(c->format) && catalog_kind(c->format)->many;
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < c->n && n < sizeof(out); i++)
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%s%s%s=%s", i ? "|" : "",
		    many ? text_of(c->entries[i].locale) : "", many ? ":" : "",
		    text_of(c->entries[i].key),
		    c->entries[i].nvalues ? text_of(c->entries[i].values[0]) : "-");
	return out;
}

#endif
