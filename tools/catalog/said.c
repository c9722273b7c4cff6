/* Texts to be compared. */
#include "tools/catalog/said.h"

struct slice
said_text(const struct catalog_kind *kind, const struct catalog_change *change, struct slice text,
    const char *locale, struct arena *arena, struct err *e)
{
	struct buf b = {0};
	struct slice said = {NULL, 0};

	if (kind->say(change, text, slice(locale), &b, e) == 0)
		said = (struct slice){arena_copy(arena, b.ptr ? b.ptr : "", b.len), b.len};
	buf_free(&b);
	return said;
}

/* A text of the file by itself: it numbers its own arguments. */
static struct slice
said_alone(const struct catalog_kind *kind, struct slice key, struct slice text,
    const char *format, const char *locale, struct arena *arena)
{
	struct catalog_change change = {.key = key, .source = text, .format = format};
	struct err e = {0};
	struct slice said = {NULL, 0};

	/* A memory keeps gettext's spelling, and what it says of a message is that. */
	if (kind->format != CATALOG_TMX)
		said = said_text(kind, &change, text, locale, arena, &e);
	return said.ptr ? said : text;
}

struct slice
said_entry(const struct catalog_kind *kind, const struct catalog_entry *e, const char *locale,
    struct arena *arena)
{
	if (!e->nvalues || !e->values[0].len)
		return (struct slice){NULL, 0};
	if (e->positional.ptr)
		return said_alone(
		    kind, e->key, e->positional, e->positional_format, locale, arena);
	return said_alone(kind, e->key, e->values[0], e->format, locale, arena);
}

struct slice
said_source(const struct catalog_kind *kind, const struct catalog_entry *e, const char *locale,
    struct arena *arena)
{
	if (!e->source.ptr)
		return (struct slice){NULL, 0};
	return said_alone(kind, e->key, e->source, e->format, locale, arena);
}
