#include "common/locale.h"

#include "common/die.h"
#include "common/hash.h"
#include "common/mem.h"
#include "common/opt.h"
#include "common/path.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/*
 * The rows of locales.tsv, kept whole for the life of the process; the table
 * maps "kind TAB code", which is how a row begins, to the row.
 */
static struct {
	bool loaded;
	struct buf text;
	struct table rows;
} cldr;

enum { LOCALE_DATA_MAX = 4 << 20 };

/* Column number (from 0) of a row that ends in LF or at end. */
static struct slice
column(const char *row, const char *end, int number)
{
	const char *stop = memchr(row, '\n', (size_t)(end - row));
	const char *at = row;

	if (!stop)
		stop = end;
	for (; number > 0 && at < stop; number--) {
		at = memchr(at, '\t', (size_t)(stop - at));
		if (!at)
			return (struct slice){stop, 0};
		at++;
	}
	const char *tab = memchr(at, '\t', (size_t)(stop - at));
	return (struct slice){at, (size_t)((tab ? tab : stop) - at)};
}

static void
load(void)
{
	struct err e;
	const char *at, *end;

	if (cldr.loaded)
		return;
	char *name = path_shipped("common/locales.tsv");
	if (path_read(name, LOCALE_DATA_MAX, &cldr.text, &e) < 0)
		die(STATUS_FAILED, "%s: reinstall kandil, or set KANDIL_DATADIR", e.text);
	free(name);
	cldr.loaded = true;
	end = cldr.text.ptr + cldr.text.len;
	for (at = cldr.text.ptr; at < end;) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		if (!stop)
			stop = end;
		if (*at != '#') {
			struct slice code = column(at, end, 1);
			struct slice key = {at, (size_t)(code.ptr + code.len - at)};
			*table_put(&cldr.rows, key, NULL) = (uint64_t)(at - cldr.text.ptr);
		}
		at = stop + 1;
	}
}

/* What the row "kind TAB code" says; false when there is no such row. */
static bool
look(const char *kind, struct slice code, struct slice *out)
{
	char key[LOCALE_MAX + 16];
	size_t n = strlen(kind);
	uint64_t *row;

	load();
	if (code.len > LOCALE_MAX)
		return false;
	memcpy(key, kind, n);
	key[n] = '\t';
	memcpy(key + n + 1, code.ptr, code.len);
	row = table_get(&cldr.rows, (struct slice){key, n + 1 + code.len});
	if (!row)
		return false;
	*out = column(cldr.text.ptr + *row, cldr.text.ptr + cldr.text.len, 2);
	return true;
}

struct parts {
	struct slice language, script, region, variants;
};

static bool
all(struct slice s, int (*is)(int))
{
	for (size_t i = 0; i < s.len; i++)
		if (!is((unsigned char)s.ptr[i]))
			return false;
	return true;
}

/* The next subtag of *rest, which is cut after its separator. */
static struct slice
subtag(struct slice *rest)
{
	size_t i = 0;

	while (i < rest->len && rest->ptr[i] != '-' && rest->ptr[i] != '_')
		i++;
	struct slice tag = {rest->ptr, i};
	i += i < rest->len;
	*rest = (struct slice){rest->ptr + i, rest->len - i};
	return tag;
}

static bool
is_script(struct slice tag, const struct parts *p)
{
	return tag.len == 4 && all(tag, isalpha) && !p->script.len && !p->region.len &&
	    !p->variants.len;
}

static bool
is_region(struct slice tag, const struct parts *p)
{
	return ((tag.len == 2 && all(tag, isalpha)) || (tag.len == 3 && all(tag, isdigit))) &&
	    !p->region.len && !p->variants.len;
}

static bool
is_variant(struct slice tag)
{
	return tag.len >= 5 || (tag.len == 4 && isdigit((unsigned char)*tag.ptr));
}

static bool
split(struct slice name, struct parts *out)
{
	*out = (struct parts){.language = subtag(&name)};
	if (out->language.len < 2 || out->language.len > 3 || !all(out->language, isalpha))
		return false;
	while (name.len) {
		struct slice tag = subtag(&name);

		if (tag.len == 1 && isalnum((unsigned char)*tag.ptr))
			return true; /* an extension: no part of the identity here */
		if (!tag.len || tag.len > 8 || !all(tag, isalnum))
			return false;
		if (is_script(tag, out))
			out->script = tag;
		else if (is_region(tag, out))
			out->region = tag;
		else if (!is_variant(tag))
			return false;
		else if (!out->variants.len)
			out->variants = tag; /* one is kept: no catalogue of ours needs two */
	}
	return true;
}

static size_t
put(char *out, size_t at, struct slice s, int (*first)(int), int (*rest)(int))
{
	if (!s.len)
		return at;
	if (at)
		out[at++] = '-';
	for (size_t i = 0; i < s.len; i++)
		out[at++] = (char)(i ? rest : first)((unsigned char)s.ptr[i]);
	out[at] = '\0';
	return at;
}

/* The script that a gettext modifier names ("sr@latin"). */
static struct slice
modifier(struct slice name)
{
	static const struct {
		const char *word, *script;
	} known[] = {{"latin", "Latn"}, {"cyrillic", "Cyrl"}, {"devanagari", "Deva"},
	    {"arabic", "Arab"}};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (name.len == strlen(known[i].word) &&
		    strncasecmp(name.ptr, known[i].word, name.len) == 0)
			return slice(known[i].script);
	return (struct slice){"", 0};
}

bool
locale_canonical(struct slice name, char out[LOCALE_MAX])
{
	struct parts p, q;
	struct slice script = {"", 0}, found;
	const char *at = name.len ? memchr(name.ptr, '@', name.len) : NULL;
	char language[4] = "";

	*out = '\0';
	if (at) {
		size_t n = (size_t)(at - name.ptr);
		script = modifier((struct slice){at + 1, name.len - n - 1});
		name.len = n;
	}
	const char *dot = name.len ? memchr(name.ptr, '.', name.len) : NULL;
	if (dot)
		name.len = (size_t)(dot - name.ptr);
	if (!split(name, &p))
		return false;
	if (!p.script.len)
		p.script = script;
	put(language, 0, p.language, tolower, tolower);
	p.language = slice(language);
	/* The codes that aliases replace are two and three letters of CLDR. */
	if (look("alias", p.language, &found) && split(found, &q)) {
		p.language = q.language;
		if (!p.script.len)
			p.script = q.script;
		if (!p.region.len)
			p.region = q.region;
	}
	size_t n = put(out, 0, p.language, tolower, tolower);
	n = put(out, n, p.script, toupper, tolower);
	n = put(out, n, p.region, toupper, toupper);
	put(out, n, p.variants, tolower, tolower);
	return true;
}

static bool
is_pseudo(const char *canonical)
{
	return strcmp(canonical, "en-XA") == 0 || strcmp(canonical, "ar-XB") == 0;
}

bool
locale_exists(struct slice name)
{
	char canonical[LOCALE_MAX];
	struct parts p;
	struct slice ignored;

	if (!locale_canonical(name, canonical) || !split(slice(canonical), &p))
		return false;
	return is_pseudo(canonical) ||
	    (look("language", p.language, &ignored) &&
		(!p.script.len || look("script", p.script, &ignored)) &&
		(!p.region.len || look("region", p.region, &ignored)));
}

/* Codes and English names of all languages; made when a name is first guessed at. */
struct language {
	char *code, *english;
};

static const char *
english(size_t i, const void *languages)
{
	return ((const struct language *)languages)[i].english;
}

static const char *
next_row(const char *at, const char *end)
{
	at = memchr(at, '\n', (size_t)(end - at));
	return at ? at + 1 : NULL;
}

static const struct language *
languages(void)
{
	static struct language *list;
	const char *at = cldr.text.ptr, *end = at + cldr.text.len;
	size_t n = 0, cap = 0;

	if (list)
		return list;
	for (; at && at < end; at = next_row(at, end)) {
		struct slice code = column(at, end, 1), name = column(at, end, 3);

		if (strncmp(at, "language\t", 9) != 0 || !name.len)
			continue;
		list = xgrow(list, n, &cap, sizeof(*list));
		list[n++] = (struct language){xstrndup(code.ptr, code.len),
		    xstrndup(name.ptr, name.len)};
	}
	list = xgrow(list, n, &cap, sizeof(*list));
	list[n] = (struct language){NULL, NULL};
	return list;
}

static const char *
by_english_name(const char *word)
{
	const struct language *all_languages = languages();
	const char *nearest = NULL;
	char capital[80];

	for (size_t i = 0; all_languages[i].code; i++)
		if (strcasecmp(all_languages[i].english, word) == 0)
			return all_languages[i].code;
	snprintf(capital, sizeof(capital), "%s", word);
	*capital = (char)toupper((unsigned char)*capital);
	if (strlen(word) > 3)
		nearest = opt_nearest(capital, english, all_languages);
	for (size_t i = 0; nearest && all_languages[i].code; i++)
		if (all_languages[i].english == nearest)
			return all_languages[i].code;
	return NULL;
}

const char *
locale_nearest(struct slice name)
{
	static char language[LOCALE_MAX];
	char canonical[LOCALE_MAX], word[80];
	struct parts p;
	struct slice ignored;

	load();
	if (locale_canonical(name, canonical) && split(slice(canonical), &p) &&
	    look("language", p.language, &ignored)) {
		snprintf(language, sizeof(language), "%.*s", (int)p.language.len, p.language.ptr);
		return language;
	}
	if (!name.len || name.len >= sizeof(word))
		return NULL;
	memcpy(word, name.ptr, name.len);
	word[name.len] = '\0';
	return by_english_name(word);
}

bool
locale_parent(char name[LOCALE_MAX])
{
	struct slice parent;
	char *cut;

	if (look("parent", slice(name), &parent) && parent.len < LOCALE_MAX) {
		memcpy(name, parent.ptr, parent.len);
		name[parent.len] = '\0';
		return true;
	}
	cut = strrchr(name, '-');
	if (!cut) {
		*name = '\0';
		return false;
	}
	*cut = '\0';
	return true;
}

bool
locale_rtl(struct slice name)
{
	char canonical[LOCALE_MAX];
	struct parts p;
	struct slice script, direction;

	if (!locale_canonical(name, canonical) || !split(slice(canonical), &p))
		return false;
	script = p.script;
	if (!script.len && !look("language", p.language, &script))
		return false;
	return look("script", script, &direction) && slice_is(direction, "rtl");
}
