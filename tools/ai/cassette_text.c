#include "tools/ai/cassette_text.h"

#include "common/json.h"

enum {
	SHOWN = 60, /* bytes of a value in a message */
	LEAD = 20,  /* of them before the difference */
	PLACE = 200, /* bytes of a path in a message */
};

/* The end of the string that begins at. */
static const char *
string_end(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++)
		if (*at == '\\')
			at++;
	return at < end ? at + 1 : end;
}

static void
new_line(struct buf *out, size_t level)
{
	buf_addc(out, '\n');
	for (size_t i = 0; i < level; i++)
		buf_adds(out, "  ");
}

void
text_indent(struct slice json, size_t level, struct buf *out)
{
	struct buf compact = {0};
	const char *at, *end;

	json_compact(json, &compact);
	at = compact.ptr ? compact.ptr : "";
	end = at + compact.len;
	while (at < end) {
		const char *from = at;

		switch (*at) {
		case '"':
			at = string_end(at, end);
			buf_add(out, from, (size_t)(at - from));
			continue;
		case '{':
		case '[':
			buf_addc(out, *at++);
			if (at < end && (*at == '}' || *at == ']'))
				buf_addc(out, *at++);
			else
				new_line(out, ++level);
			continue;
		case '}':
		case ']':
			new_line(out, --level);
			break;
		case ',':
			buf_addc(out, *at++);
			new_line(out, level);
			continue;
		case ':':
			buf_adds(out, ": ");
			at++;
			continue;
		}
		buf_addc(out, *at++);
	}
	buf_free(&compact);
}

size_t
text_common(struct slice a, struct slice b)
{
	size_t most = a.len < b.len ? a.len : b.len, start = 0, end = 0;

	while (start < most && a.ptr[start] == b.ptr[start])
		start++;
	while (end < most - start && a.ptr[a.len - 1 - end] == b.ptr[b.len - 1 - end])
		end++;
	return start + end;
}

/* ---- differences ---- */

/* A value around the byte at which it differs, visible, cut to what a line takes. */
static void
show(struct buf *out, struct slice value, size_t differs)
{
	size_t from = differs > LEAD && value.len > SHOWN ? differs - LEAD : 0, len;

	while (from > 0 && ((unsigned char)value.ptr[from] & 0xc0) == 0x80)
		from--;
	len = value.len - from;
	if (len > SHOWN)
		len = utf8_valid(value.ptr + from, SHOWN);
	if (from)
		buf_adds(out, "…");
	buf_add_visible(out, (struct slice){value.ptr + from, len});
	if (from + len < value.len)
		buf_adds(out, "…");
}

static void
add_place(struct buf *out, const struct buf *path)
{
	struct slice place = buf_slice(path);

	buf_adds(out, "at ");
	if (place.len > PLACE)
		place.len = utf8_valid(place.ptr, PLACE);
	buf_add_visible(out, place.len ? place : S("the top"));
	buf_adds(out, ": ");
}

static bool
add_values(struct buf *out, const struct buf *path, struct slice recorded, struct slice asked)
{
	size_t at = 0;

	while (at < recorded.len && at < asked.len && recorded.ptr[at] == asked.ptr[at])
		at++;
	add_place(out, path);
	buf_adds(out, "recorded ");
	show(out, recorded, at);
	buf_adds(out, ", asked ");
	show(out, asked, at);
	return true;
}

static bool
add_only(struct buf *out, const struct buf *path, const char *who, struct slice value)
{
	add_place(out, path);
	buf_addf(out, "only %s has ", who);
	show(out, value, 0);
	return true;
}

static bool differ(struct slice, struct slice, struct buf *path, struct buf *out);

static bool
differ_members(struct slice recorded, struct slice asked, struct buf *path, struct buf *out)
{
	struct json_walk a = json_walk(recorded), b = json_walk(asked);
	struct slice key, value, other, what;
	struct buf name = {0};
	size_t before = path->len;
	bool found = false;

	while (!found) {
		bool more = json_member(&a, &key, &value), too = json_member(&b, &other, &what);

		if (!more && !too)
			break;
		buf_reset(&name);
		json_text(more ? key : other, &name);
		buf_addc(path, '/');
		buf_addslice(path, buf_slice(&name));
		if (!more)
			found = add_only(out, path, "this request", what);
		else if (!too)
			found = add_only(out, path, "the recorded one", value);
		else if (slice_eq(key, other))
			found = differ(value, what, path, out);
		else
			found = add_values(out, path, key, other);
		buf_cut(path, before);
	}
	buf_free(&name);
	return found;
}

static bool
differ_elements(struct slice recorded, struct slice asked, struct buf *path, struct buf *out)
{
	struct json_walk a = json_walk(recorded), b = json_walk(asked);
	struct slice value, what;
	size_t before = path->len;

	for (size_t i = 0;; i++) {
		bool more = json_element(&a, &value), too = json_element(&b, &what), found;

		if (!more && !too)
			return false;
		buf_addf(path, "/%zu", i);
		if (more && too)
			found = differ(value, what, path, out);
		else
			found = add_only(out, path, more ? "the recorded one" : "this request",
			    more ? value : what);
		buf_cut(path, before);
		if (found)
			return true;
	}
}

/* As deep as JSON is let to be: JSON_DEPTH. */
static bool
differ(struct slice recorded, struct slice asked, struct buf *path, struct buf *out)
{
	enum json_type type = json_type(recorded);

	if (type == json_type(asked) && type == JSON_OBJECT)
		return differ_members(recorded, asked, path, out);
	if (type == json_type(asked) && type == JSON_ARRAY)
		return differ_elements(recorded, asked, path, out);
	return !slice_eq(recorded, asked) && add_values(out, path, recorded, asked);
}

bool
text_difference(struct slice recorded, struct slice asked, struct buf *out)
{
	struct buf path = {0};
	bool found = differ(slice_trim(recorded), slice_trim(asked), &path, out);

	buf_free(&path);
	return found;
}
