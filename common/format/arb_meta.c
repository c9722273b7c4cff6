/* Metadata of a message, from a record's placeholders. */
#include "common/format/arb_meta.h"

#include "common/json.h"

static struct json_walk
placeholders_of(const struct catalog_change *change)
{
	return json_walk(change->placeholders.len ? change->placeholders : S("[]"));
}

bool
arb_meta_needed(const struct catalog_change *change)
{
	struct json_walk w = placeholders_of(change);
	struct slice one;

	return change->description.len || change->context.len || json_element(&w, &one);
}

static bool
is_type(struct slice type)
{
	static const char *const types[] = {"String", "int", "double", "num", "DateTime", "Object"};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (json_is(type, types[i]))
			return true;
	return false;
}

/* One "name": {"type": …} of a record's {"name":…,"type":…}. */
static void
write_placeholder(
    struct slice name, struct slice record, const struct arb_style *style, struct buf *out)
{
	static const char *const members[] = {"type", "format", "isCustomDateFormat",
	    "optionalParameters", "example", "description"};
	struct slice value;
	bool first = true;

	arb_style_name(style, name, out);
	buf_addc(out, '{');
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		if (!json_get(record, members[i], &value) || (i == 0 && !is_type(value)))
			continue;
		arb_style_separate(style, 4, first, out);
		arb_style_name(style, slice(members[i]), out);
		buf_addslice(out, value);
		first = false;
	}
	if (!first)
		arb_style_close(style, 3, out);
	buf_addc(out, '}');
}

/* The next placeholder that has a name. */
static bool
next_placeholder(struct json_walk *w, struct slice *record, struct buf *name)
{
	while (json_element(w, record))
		if (json_type(*record) == JSON_OBJECT && json_get_text(*record, "name", name) &&
		    name->len)
			return true;
	return false;
}

static void
write_text(const char *name, struct slice text, bool *first, const struct arb_style *style,
    struct buf *out)
{
	if (!text.len)
		return;
	arb_style_separate(style, 2, *first, out);
	arb_style_name(style, slice(name), out);
	json_quote(out, text);
	*first = false;
}

void
arb_meta_write(const struct catalog_change *change, const struct arb_style *style, struct buf *out)
{
	struct json_walk w = placeholders_of(change);
	struct slice record;
	struct buf name = {0};
	bool first = true, first_name = true;

	buf_addc(out, '{');
	write_text("description", change->description, &first, style, out);
	write_text("context", change->context, &first, style, out);
	while (next_placeholder(&w, &record, &name)) {
		if (first_name) {
			arb_style_separate(style, 2, first, out);
			arb_style_name(style, S("placeholders"), out);
			buf_addc(out, '{');
			first = false;
		}
		arb_style_separate(style, 3, first_name, out);
		write_placeholder(buf_slice(&name), record, style, out);
		first_name = false;
	}
	if (!first_name) {
		arb_style_close(style, 2, out);
		buf_addc(out, '}');
	}
	if (!first)
		arb_style_close(style, 1, out);
	buf_addc(out, '}');
	buf_free(&name);
}

/* Where an object's last member ends, and whether it has none. */
static size_t
last_end(struct slice object, bool *empty)
{
	struct json_walk w = json_walk(object);
	struct slice key, value;
	size_t end = 1;

	*empty = true;
	while (json_member(&w, &key, &value)) {
		end = (size_t)(value.ptr + value.len - object.ptr);
		*empty = false;
	}
	return end;
}

/* Declared names that are others by now are replaced where they stand. */
static void
rename_declared(const struct catalog_change *change, struct slice meta, struct slice declared,
    size_t base, struct edits *edits)
{
	struct json_walk w = json_walk(declared);
	struct slice key, value;
	struct buf text = {0};

	while (json_member(&w, &key, &value))
		for (size_t i = 0; i < change->nrenames; i++) {
			buf_reset(&text);
			json_text(key, &text);
			if (!slice_eq(buf_slice(&text), change->renames[i].from))
				continue;
			buf_reset(&text);
			json_quote(&text, change->renames[i].to);
			size_t at = base + (size_t)(key.ptr - meta.ptr);
			edits_add(edits, at, at + key.len, buf_slice(&text));
		}
	buf_free(&text);
}

/* Whether the metadata declares the name, or one that becomes it. */
static bool
is_declared(const struct catalog_change *change, struct slice declared, struct slice name)
{
	struct json_walk w = json_walk(declared);
	struct slice key, value;
	struct buf text = {0};
	bool found = false;

	while (!found && json_member(&w, &key, &value)) {
		buf_reset(&text);
		json_text(key, &text);
		found = slice_eq(buf_slice(&text), name);
		for (size_t i = 0; i < change->nrenames && !found; i++)
			found = slice_eq(change->renames[i].to, name) &&
			    slice_eq(buf_slice(&text), change->renames[i].from);
	}
	buf_free(&text);
	return found;
}

void
arb_meta_declare(const struct catalog_change *change, struct slice meta, size_t base,
    const struct arb_style *style, struct edits *edits)
{
	struct json_walk w = placeholders_of(change);
	struct slice record, declared = {NULL, 0};
	struct buf name = {0}, text = {0};
	bool whole, empty = true;
	size_t at;

	if (json_type(meta) != JSON_OBJECT)
		return;
	whole = !json_get(meta, "placeholders", &declared) || json_type(declared) != JSON_OBJECT;
	if (!whole)
		at = (size_t)(declared.ptr - meta.ptr) + last_end(declared, &empty);
	else if (declared.ptr)
		return; /* "placeholders" is there and is no object: a person must look */
	else
		at = last_end(meta, &empty);
	if (!whole)
		rename_declared(change, meta, declared, base, edits);
	bool outer_empty = empty, first = whole || empty;
	while (next_placeholder(&w, &record, &name)) {
		if (!whole && is_declared(change, declared, buf_slice(&name)))
			continue;
		if (whole && !text.len) {
			arb_style_separate(style, 2, outer_empty, &text);
			arb_style_name(style, S("placeholders"), &text);
			buf_addc(&text, '{');
		}
		arb_style_separate(style, 3, first, &text);
		write_placeholder(buf_slice(&name), record, style, &text);
		first = false;
	}
	if (text.len && (whole || empty))
		arb_style_close(style, 2, &text);
	if (text.len && whole) {
		buf_addc(&text, '}');
		if (outer_empty)
			arb_style_close(style, 1, &text);
	}
	if (text.len)
		edits_add(edits, base + at, base + at, buf_slice(&text));
	buf_free(&name);
	buf_free(&text);
}
