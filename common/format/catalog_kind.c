/* The formats by name of their functions, and one language of many. */
#include "common/format/android.h"
#include "common/format/i18next.h"
#include "common/format/strings.h"
#include "common/format/stringsdict.h"
#include "common/format/tmx.h"
#include "common/format/xcstrings.h"
#include "common/format/xliff.h"
#include "common/locale.h"

static const struct catalog_kind kinds[] = {
    {CATALOG_TMX, true, true, tmx_parse, tmx_merge, tmx_say, tmx_skeleton},
    {CATALOG_XLIFF, true, false, xliff_parse, xliff_merge, xliff_say, xliff_skeleton},
    {CATALOG_ANDROID, false, false, android_parse, android_merge, android_say, android_skeleton},
    {CATALOG_I18NEXT, false, false, i18next_parse, i18next_merge, i18next_say, i18next_skeleton},
    {CATALOG_STRINGS, false, false, strings_parse, strings_merge, strings_say, strings_skeleton},
    {CATALOG_STRINGSDICT, false, false, stringsdict_parse, stringsdict_merge, stringsdict_say,
	stringsdict_skeleton},
    {CATALOG_XCSTRINGS, false, true, xcstrings_parse, xcstrings_merge, xcstrings_say,
	xcstrings_skeleton},
};

const struct catalog_kind *
catalog_kind(enum catalog_format format)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].format == format)
			return &kinds[i];
	return NULL;
}

static bool
is_in(struct slice locale, const char *canonical)
{
	char name[LOCALE_MAX];

	return locale_canonical(locale, name) ? strcmp(name, canonical) == 0
					      : slice_is(locale, canonical);
}

void
catalog_view(const struct catalog *whole, struct slice locale, struct catalog *view)
{
	char canonical[LOCALE_MAX], *name;

	*view = (struct catalog){.format = whole->format,
	    .name = whole->name,
	    .source_locale = whole->source_locale,
	    .text = whole->text,
	    .bom = whole->bom,
	    .charset = whole->charset,
	    .forms = whole->forms};
	if (!locale_canonical(locale, canonical)) {
		name = arena_copy(&view->arena, locale.ptr, locale.len);
	} else {
		name = arena_copy(&view->arena, canonical, strlen(canonical));
	}
	view->locale = slice(name);
	for (size_t i = 0; i < whole->n; i++) {
		if (!is_in(whole->entries[i].locale, name))
			continue;
		*catalog_add(view) = whole->entries[i];
		catalog_index(view, view->n - 1);
	}
}
