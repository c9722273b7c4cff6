/*
 * i18next: what can be read can be merged into: no change gives the same bytes,
 * and a change gives a file that can be read and says what was written.
 */
#include "common/format/i18next.h"
#include "common/json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_same(const struct catalog *c)
{
	struct catalog_merge none = {.locale = S("fr")};
	struct buf out = {0};

	if (i18next_merge(c, &none, &out, NULL) < 0)
		abort();
	/* States of keys that are gone are forgotten; all else stays. */
	if (!c->states.len && !slice_eq(buf_slice(&out), buf_slice(&c->content)))
		abort();
	buf_free(&out);
}

/* The last member of that name; false: there is none. */
static bool
member(struct slice object, struct slice name, struct slice *value)
{
	struct json_walk w = json_walk(object);
	struct slice key, one;
	struct buf text = {0};
	bool found = false;

	while (json_member(&w, &key, &one)) {
		buf_reset(&text);
		json_text(key, &text);
		if (slice_eq(buf_slice(&text), name)) {
			*value = one;
			found = true;
		}
	}
	buf_free(&text);
	return found;
}

/*
 * Whether an object or an array stands where a new key's text would have to: i18next
 * has one value a name, so the merge leaves it out, and the frame says so. Where the
 * path's first part is an object it goes on in there; where it is something else the
 * rest of the path is one name. there: a member of that name before it is a text.
 */
static bool
is_taken(struct slice object, struct slice path, bool there)
{
	const char *dot = memchr(path.ptr, '.', path.len);
	struct slice value;

	if (there && member(object, path, &value) && json_type(value) >= JSON_ARRAY)
		return true;
	if (dot) {
		size_t len = (size_t)(dot - path.ptr);
		if (!member(object, (struct slice){path.ptr, len}, &value))
			return false;
		if (json_type(value) == JSON_OBJECT)
			return is_taken(
			    value, (struct slice){dot + 1, path.len - len - 1}, there);
	}
	return member(object, path, &value) && json_type(value) >= JSON_ARRAY;
}

static void
check_change(const struct catalog *c)
{
	struct slice first = c->n ? c->entries[c->n / 2].key : S("zzz");
	struct catalog_change changes[] = {
	    {.key = first, .write = true, .format = "icu", .state = CATALOG_DRAFT,
		.value = S("{n, plural, one{# \"a\"} many{# m} other{# b}}")},
	    {.key = S("a.new.key"), .write = true, .format = "icu", .value = S("two {x}"),
		.state = CATALOG_TRANSLATED}};
	size_t from = slice_is(first, "a.new.key");
	struct catalog_merge m = {
	    .locale = S("fr"), .changes = changes + from, .n = 2 - from};
	struct buf out = {0};
	struct catalog made;
	struct err e = {0};

	if (i18next_merge(c, &m, &out, &e) < 0) {
		/* The file's own shape may stand in the way. */
		if (strcmp(e.code, "cannot_say") != 0)
			abort();
		buf_free(&out);
		return;
	}
	if (catalog_parse("fr.json", CATALOG_I18NEXT, buf_slice(&out), &made, &e) != 0)
		abort();
	struct catalog_entry *n = catalog_find(&made, S("a.new.key"));
	bool there = catalog_find(c, S("a.new.key")) != NULL;
	if (!is_taken(slice_trim(c->text), S("a.new.key"), there) &&
	    (!n || n->nvalues != 1 || !slice_is(n->values[0], "two {{x}}")))
		abort();
	catalog_free(&made);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct catalog c;

	if (catalog_parse("fr.json", CATALOG_I18NEXT, (struct slice){(const char *)data, size}, &c,
		NULL) == 0) {
		check_same(&c);
		check_change(&c);
	}
	catalog_free(&c);
	return 0;
}
