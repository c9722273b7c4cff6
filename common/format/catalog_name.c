/* Where each platform writes down which language a file is in. */
#include "common/format/catalog_name.h"

#include "common/format/locale_name.h"
#include "common/json.h"

#include <ctype.h>

static const char *
base_of(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

/* The name of the folder that a file lies in, without slashes; empty: none. */
static struct slice
folder_of(const char *name)
{
	const char *end = strrchr(name, '/'), *start = end;

	if (!end)
		return (struct slice){name, 0};
	while (start > name && start[-1] != '/')
		start--;
	return (struct slice){start, (size_t)(end - start)};
}

static bool
is_locale(struct slice text)
{
	return text.len >= 2 && islower((unsigned char)*text.ptr) && locale_exists(text);
}

static bool
is_values(struct slice folder)
{
	return slice_is(folder, "values") || slice_starts(folder, "values-");
}

/* The longest tail of a stem that is a locale: app_fr_CA gives fr_CA, not CA. */
static struct slice
stem_locale(const char *base)
{
	const char *dot = strrchr(base, '.');
	size_t len = dot ? (size_t)(dot - base) : strlen(base);

	for (size_t i = 0; i < len; i++) {
		struct slice tail = {base + i, len - i};
		if ((i == 0 || strchr("_-.", base[i - 1])) && is_locale(tail))
			return tail;
	}
	return (struct slice){"", 0};
}

struct slice
catalog_name_locale(const char *name)
{
	const char *base = base_of(name);
	struct slice found;

	if (slice_ends(slice(name), ".pot"))
		return (struct slice){"", 0};
	found = stem_locale(base);
	if (!found.len && base - name > 13 && memcmp(base - 13, "/LC_MESSAGES/", 13) == 0) {
		const char *end = base - 13, *start = end;
		while (start > name && start[-1] != '/')
			start--;
		found = (struct slice){start, (size_t)(end - start)};
		if (!is_locale(found))
			found = (struct slice){"", 0};
	}
	return found;
}

/* fr.lproj; Base.lproj is the source language's. */
static void
take_lproj(struct catalog *c, struct slice folder)
{
	if (!slice_ends(folder, ".lproj"))
		return;
	c->name_part = (struct slice){folder.ptr, folder.len - 6};
	if (!slice_is(c->name_part, "Base"))
		c->locale = c->name_locale = c->name_part;
}

void
catalog_take_name(struct catalog *c)
{
	struct slice folder = folder_of(c->name);
	char canonical[LOCALE_MAX];

	c->locale = c->name_locale = c->name_part = (struct slice){"", 0};
	if (c->format == CATALOG_XCSTRINGS || c->format == CATALOG_TMX)
		return; /* many languages */
	if (c->format == CATALOG_ANDROID && is_values(folder)) {
		if (locale_name_android(folder, canonical, &c->name_part))
			c->locale = c->name_locale = (struct slice){
			    arena_copy(&c->arena, canonical, strlen(canonical)), strlen(canonical)};
	} else if (c->format == CATALOG_STRINGS || c->format == CATALOG_STRINGSDICT) {
		take_lproj(c, folder);
	} else {
		c->locale = c->name_locale = c->name_part = catalog_name_locale(c->name);
		if (!c->locale.len && c->format == CATALOG_I18NEXT && is_locale(folder))
			c->locale = c->name_locale = c->name_part = folder;
	}
}

void
catalog_take_folder(struct catalog *c, size_t below)
{
	struct slice folder = folder_of(c->name);

	if (c->name_part.ptr && (c->name_part.len || c->format == CATALOG_ANDROID))
		return;
	if (!folder.len || (size_t)(folder.ptr - c->name) < below || !is_locale(folder) ||
	    slice_ends(slice(c->name), ".pot") || c->format == CATALOG_XCSTRINGS ||
	    c->format == CATALOG_TMX)
		return;
	c->name_locale = c->name_part = folder;
	if (c->locale.len)
		return;
	c->locale = c->name_locale;
	for (size_t i = 0; i < c->n; i++)
		c->entries[i].locale = c->locale;
}

/* -- formats -- */

enum catalog_format
catalog_format_of_name(const char *name)
{
	static const struct {
		const char *ending;
		enum catalog_format format;
	} known[] = {{".arb", CATALOG_ARB}, {".po", CATALOG_PO}, {".pot", CATALOG_PO},
	    {".mo", CATALOG_MO}, {".gmo", CATALOG_MO}, {".tmx", CATALOG_TMX},
	    {".xlf", CATALOG_XLIFF}, {".xliff", CATALOG_XLIFF}, {".strings", CATALOG_STRINGS},
	    {".stringsdict", CATALOG_STRINGSDICT}, {".xcstrings", CATALOG_XCSTRINGS}};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (slice_ends(slice(name), known[i].ending))
			return known[i].format;
	return CATALOG_AUTO;
}

/* The name of a document's first element; empty where none starts in sight. */
static struct slice
root_of(struct slice text)
{
	const char *p = text.ptr, *end = p + (text.len < 65536 ? text.len : 65536), *close;

	while (p < end && (p = memchr(p, '<', (size_t)(end - p))) && p + 1 < end) {
		struct slice rest = {p, (size_t)(end - p)};
		const char *stop = slice_starts(rest, "<!--") ? "-->" : ">";
		size_t n = 1;

		if (p[1] != '?' && p[1] != '!') {
			while (p + n < end && !strchr(" \t\r\n/>:", p[n]))
				n++;
			return (struct slice){p + 1, n - 1};
		}
		close = memmem(p, rest.len, stop, strlen(stop));
		if (!close)
			break;
		p = close + 1;
	}
	return (struct slice){"", 0};
}

static enum catalog_format
format_of_xml(struct slice text)
{
	struct slice root = root_of(text);

	if (slice_is(root, "xliff"))
		return CATALOG_XLIFF;
	if (slice_is(root, "resources"))
		return CATALOG_ANDROID;
	return slice_is(root, "plist") ? CATALOG_STRINGSDICT : CATALOG_TMX;
}

/* ARB where the file says so itself, by a locale or by metadata. */
static enum catalog_format
format_of_json(struct slice text)
{
	struct slice key, value;
	struct json_walk w;
	struct err e;
	bool members = false;

	if (json_check(text, &e) < 0)
		return CATALOG_ARB; /* its reader says what is wrong */
	w = json_walk(text);
	while (json_member(&w, &key, &value)) {
		members = true;
		if (json_is(key, "sourceLanguage"))
			return CATALOG_XCSTRINGS;
		if (slice_starts(key, "\"@") && !json_is(key, "@@x-kandil"))
			return CATALOG_ARB;
	}
	return members ? CATALOG_I18NEXT : CATALOG_ARB;
}

enum catalog_format
catalog_format_of_bytes(struct slice text)
{
	struct slice t = slice_trim(text);

	if (slice_starts(text, "\xde\x12\x04\x95") || slice_starts(text, "\x95\x04\x12\xde"))
		return CATALOG_MO;
	if (slice_starts(t, "{"))
		return format_of_json(t);
	if (slice_starts(t, "<"))
		return format_of_xml(t);
	if (slice_starts(t, "msgid") || slice_starts(t, "#") || slice_starts(t, "msgctxt"))
		return CATALOG_PO;
	return CATALOG_AUTO;
}

bool
catalog_is_named(const char *name)
{
	enum catalog_format format = catalog_format_of_name(name);
	struct slice file = slice(name), base = slice(base_of(name)), folder = folder_of(name);

	if (format != CATALOG_AUTO)
		return format != CATALOG_MO;
	if (slice_ends(file, ".xml"))
		return is_values(folder) && slice_starts(base, "strings");
	/* Of all JSON files of a project those that stand for a language. */
	return slice_ends(file, ".json") &&
	    (is_locale(folder) ||
		is_locale((struct slice){base.ptr, base.len - 5}));
}
