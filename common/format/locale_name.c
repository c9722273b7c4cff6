/* Spellings of locales. */
#include "common/format/locale_name.h"

#include <ctype.h>

/* Android's own codes for languages whose ISO code changed. */
static const struct {
	const char *now, *then;
} renamed[] = {{"he", "iw"}, {"id", "in"}, {"yi", "ji"}};

static struct slice
subtag(struct slice *rest, char separator)
{
	const char *end = rest->len ? memchr(rest->ptr, separator, rest->len) : NULL;
	struct slice tag = {rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len};
	size_t taken = tag.len + (end ? 1 : 0);

	rest->ptr += taken;
	rest->len -= taken;
	return tag;
}

static void
put_android(const char *canonical, struct buf *out)
{
	struct slice rest = slice(canonical), language = subtag(&rest, '-');
	bool region = rest.len == 2 && isupper((unsigned char)*rest.ptr);

	if (!language.len)
		return;
	if (rest.len && !region) { /* a script, a numeric region, a variant */
		buf_adds(out, "-b+");
		for (const char *p = canonical; *p; p++)
			buf_addc(out, *p == '-' ? '+' : *p);
		return;
	}
	for (size_t i = 0; i < sizeof(renamed) / sizeof(*renamed); i++)
		if (slice_is(language, renamed[i].now))
			language = slice(renamed[i].then);
	buf_addc(out, '-');
	buf_addslice(out, language);
	if (region)
		buf_addf(out, "-r%.*s", (int)rest.len, rest.ptr);
}

void
locale_name_put(enum catalog_format format, const char *canonical, struct buf *out)
{
	bool underscore = format == CATALOG_ARB || format == CATALOG_PO;

	if (format == CATALOG_ANDROID) {
		put_android(canonical, out);
		return;
	}
	for (const char *p = canonical; *p; p++)
		buf_addc(out, underscore && *p == '-' ? '_' : *p);
}

static bool
is_language(struct slice tag)
{
	if (tag.len < 2 || tag.len > 3 || slice_is(tag, "car")) /* car: a qualifier of its own */
		return false;
	for (size_t i = 0; i < tag.len; i++)
		if (!islower((unsigned char)tag.ptr[i]))
			return false;
	return locale_exists(tag);
}

/* rXX behind the language. */
static bool
is_region(struct slice tag)
{
	return tag.len == 3 && *tag.ptr == 'r' && isalpha((unsigned char)tag.ptr[1]) &&
	    isalpha((unsigned char)tag.ptr[2]);
}

bool
locale_name_android(struct slice folder, char canonical[LOCALE_MAX], struct slice *part)
{
	struct slice rest = {folder.ptr + 6, folder.len - 6}, tag, after;
	struct buf name = {0};
	bool found = false;

	*part = (struct slice){rest.ptr, 0};
	if (!rest.len)
		return false;
	subtag(&rest, '-'); /* what stands before the first hyphen: nothing */
	do {
		tag = subtag(&rest, '-');
	} while (slice_starts(tag, "mcc") || slice_starts(tag, "mnc"));
	if (slice_starts(tag, "b+")) {
		for (size_t i = 2; i < tag.len; i++)
			buf_addc(&name, tag.ptr[i] == '+' ? '-' : tag.ptr[i]);
	} else if (is_language(tag)) {
		buf_addslice(&name, tag);
		after = rest;
		struct slice region = subtag(&after, '-');
		if (is_region(region)) {
			buf_addf(&name, "-%.*s", 2, region.ptr + 1);
			tag.len += 1 + region.len;
		}
	}
	if (name.len && locale_canonical(buf_slice(&name), canonical)) {
		*part = (struct slice){tag.ptr - 1, tag.len + 1};
		found = true;
	}
	buf_free(&name);
	return found;
}
