#include "tools/ai/schema_uri.h"

struct uri {
	struct slice scheme, authority, path, query, fragment; /* ptr NULL: not there */
};

static struct slice
until(struct slice *rest, const char *stops)
{
	struct slice head = {rest->ptr, 0};

	while (head.len < rest->len && strchr(stops, rest->ptr[head.len]) == NULL)
		head.len++;
	rest->ptr += head.len;
	rest->len -= head.len;
	return head;
}

static void
skip(struct slice *rest, size_t n)
{
	rest->ptr += n;
	rest->len -= n;
}

static struct uri
parse(struct slice rest)
{
	struct uri u = {0};
	struct slice all = rest, head = until(&rest, ":/?#");

	if (head.len > 0 && rest.len > 0 && rest.ptr[0] == ':') {
		u.scheme = head;
		skip(&rest, 1);
	} else {
		rest = all;
	}
	if (slice_starts(rest, "//")) {
		skip(&rest, 2);
		u.authority = until(&rest, "/?#");
	}
	u.path = until(&rest, "?#");
	if (slice_starts(rest, "?")) {
		skip(&rest, 1);
		u.query = until(&rest, "#");
	}
	if (slice_starts(rest, "#")) {
		skip(&rest, 1);
		u.fragment = rest;
	}
	return u;
}

/* §5.2.4 over out[from …): in place, what is kept is never longer than what was read. */
static void
remove_dots(struct buf *out, size_t from)
{
	struct slice rest = {out->ptr + from, out->len - from};
	size_t to = from;

	while (rest.len > 0) {
		size_t slash = *rest.ptr == '/', n = slash;

		while (n < rest.len && rest.ptr[n] != '/')
			n++;
		if (n - slash == 2 && memcmp(rest.ptr + slash, "..", 2) == 0) {
			while (to > from && out->ptr[to - 1] != '/')
				to--;
			if (slash && to > from)
				to--;
			if (n == rest.len)
				out->ptr[to++] = '/';
		} else if (n - slash == 1 && rest.ptr[slash] == '.') {
			if (n == rest.len && slash)
				out->ptr[to++] = '/';
		} else {
			memmove(out->ptr + to, rest.ptr, n);
			to += n;
		}
		skip(&rest, n);
	}
	buf_cut(out, to);
}

static void
add_path(struct uri base, struct uri ref, struct buf *out)
{
	size_t from = out->len, keep = base.path.len;

	if (ref.path.len == 0) {
		buf_addslice(out, base.path);
		return;
	}
	if (ref.path.ptr[0] != '/') {
		while (keep > 0 && base.path.ptr[keep - 1] != '/')
			keep--;
		buf_add(out, base.path.ptr, keep);
		if (base.authority.ptr != NULL && base.path.len == 0)
			buf_addc(out, '/');
	}
	buf_addslice(out, ref.path);
	remove_dots(out, from);
}

void
uri_resolve(struct slice base_text, struct slice reference, struct buf *out)
{
	struct uri base = parse(base_text), ref = parse(reference);

	if (ref.scheme.ptr != NULL) {
		buf_addslice(out, reference);
		return;
	}
	if (base.scheme.ptr != NULL) {
		buf_addslice(out, base.scheme);
		buf_addc(out, ':');
	}
	if (ref.authority.ptr != NULL)
		base = (struct uri){.authority = ref.authority};
	if (base.authority.ptr != NULL) {
		buf_adds(out, "//");
		buf_addslice(out, base.authority);
	}
	add_path(base, ref, out);
	if (ref.query.ptr == NULL && ref.path.len == 0)
		ref.query = base.query;
	if (ref.query.ptr != NULL) {
		buf_addc(out, '?');
		buf_addslice(out, ref.query);
	}
	if (ref.fragment.ptr != NULL) {
		buf_addc(out, '#');
		buf_addslice(out, ref.fragment);
	}
}

bool
uri_split(struct slice *uri, struct slice *fragment)
{
	const char *hash = uri->len ? memchr(uri->ptr, '#', uri->len) : NULL;

	*fragment = (struct slice){"", 0};
	if (hash == NULL)
		return false;
	*fragment = (struct slice){hash + 1, (size_t)(uri->ptr + uri->len - hash - 1)};
	uri->len = (size_t)(hash - uri->ptr);
	return true;
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void
uri_decode(struct slice text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '%' && i + 2 < text.len && hex(text.ptr[i + 1]) >= 0 &&
		    hex(text.ptr[i + 2]) >= 0) {
			buf_addc(out, (char)(hex(text.ptr[i + 1]) << 4 | hex(text.ptr[i + 2])));
			i += 2;
		} else {
			buf_addc(out, text.ptr[i]);
		}
	}
}
