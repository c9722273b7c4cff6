#include "tools/collab/patch.h"

#include "common/json.h"

#include <stdlib.h>

/* By name; equal ones in the order in which they stood. */
static int
by_name(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order = slice_cmp(x->name, y->name);

	if (order)
		return order;
	return x->value.ptr < y->value.ptr ? -1 : x->value.ptr > y->value.ptr;
}

/* A raw name decoded: in place where it has no escapes. */
static struct slice
decode_name(struct members *m, struct slice raw)
{
	struct slice name = {raw.ptr + 1, raw.len - 2};
	struct buf text = {0};

	if (memchr(name.ptr, '\\', name.len) == NULL)
		return name;
	json_text(raw, &text);
	name = (struct slice){arena_copy(&m->names, text.ptr ? text.ptr : "", text.len), text.len};
	buf_free(&text);
	return name;
}

size_t
members_push(struct members *m, struct slice object)
{
	struct json_walk w = json_walk(object);
	struct slice key, value;
	size_t base = m->n, kept = base;
	bool sorted = true;

	while (json_member(&w, &key, &value)) {
		m->v = xgrow(m->v, m->n, &m->cap, sizeof(*m->v));
		m->v[m->n] = (struct member){decode_name(m, key), value};
		if (m->n > base && slice_cmp(m->v[m->n - 1].name, m->v[m->n].name) >= 0)
			sorted = false;
		m->n++;
	}
	if (sorted)
		return base;
	qsort(m->v + base, m->n - base, sizeof(*m->v), by_name);
	for (size_t i = base; i < m->n; i++)
		if (i + 1 == m->n || !slice_eq(m->v[i].name, m->v[i + 1].name))
			m->v[kept++] = m->v[i];
	m->n = kept;
	return base;
}

void
members_free(struct members *m)
{
	free(m->v);
	arena_free(&m->names);
	*m = (struct members){0};
}

static void
put_canonical(struct members *m, struct slice value, struct buf *out)
{
	size_t base, end;

	if (json_type(value) != JSON_OBJECT) {
		json_compact(value, out);
		return;
	}
	base = members_push(m, value);
	end = m->n;
	buf_addc(out, '{');
	for (size_t i = base; i < end; i++) {
		json_name_slice(out, m->v[i].name);
		put_canonical(m, m->v[i].value, out);
	}
	buf_addc(out, '}');
	m->n = base;
}

void
patch_canonical(struct slice value, struct buf *out)
{
	struct members m = {0};

	put_canonical(&m, value, out);
	members_free(&m);
}

/*
 * Two sorted runs of members side by side: those of an old object [a, b) and
 * those of a new one or of a patch [b, end).
 */
struct pairs {
	size_t a, b, a_end, b_end;
};

static struct pairs
push_pair(struct members *m, struct slice old, struct slice new)
{
	struct pairs p;

	p.a = old.len ? members_push(m, old) : m->n;
	p.a_end = m->n;
	p.b = members_push(m, new);
	p.b_end = m->n;
	return p;
}

/* The next name with its old and its new value; len 0: none. False at the end. */
static bool
next_pair(const struct members *m, struct pairs *p, struct slice *name, struct slice *old,
    struct slice *new)
{
	int order;

	if (p->a == p->a_end && p->b == p->b_end)
		return false;
	if (p->a == p->a_end)
		order = 1;
	else if (p->b == p->b_end)
		order = -1;
	else
		order = slice_cmp(m->v[p->a].name, m->v[p->b].name);
	*name = order > 0 ? m->v[p->b].name : m->v[p->a].name;
	*old = order > 0 ? (struct slice){NULL, 0} : m->v[p->a++].value;
	*new = order < 0 ? (struct slice){NULL, 0} : m->v[p->b++].value;
	return true;
}

static bool
same_compact(struct slice a, struct slice b)
{
	struct buf x = {0}, y = {0};
	bool same = slice_eq(a, b);

	if (!same) {
		json_compact(a, &x);
		json_compact(b, &y);
		same = slice_eq(buf_slice(&x), buf_slice(&y));
	}
	buf_free(&x);
	buf_free(&y);
	return same;
}

static bool
diff(struct members *m, struct slice from, struct slice to, struct buf *out)
{
	struct slice name, old, new;
	size_t base = m->n, start = out->len;
	bool changed = false;
	struct pairs p;

	if (json_type(from) != JSON_OBJECT || json_type(to) != JSON_OBJECT) {
		if (json_type(from) == json_type(to) && same_compact(from, to))
			return false;
		put_canonical(m, to, out);
		return true;
	}
	p = push_pair(m, from, to);
	buf_addc(out, '{');
	while (next_pair(m, &p, &name, &old, &new)) {
		size_t before = out->len;
		bool differs = true;

		json_name_slice(out, name);
		if (new.len == 0)
			buf_adds(out, "null");
		else if (old.len == 0)
			put_canonical(m, new, out);
		else
			differs = diff(m, old, new, out);
		if (!differs)
			buf_cut(out, before);
		changed |= differs;
	}
	buf_addc(out, '}');
	m->n = base;
	if (!changed)
		buf_cut(out, start);
	return changed;
}

bool
patch_diff(struct slice from, struct slice to, struct buf *out)
{
	struct members m = {0};
	bool changed = diff(&m, from, to, out);

	members_free(&m);
	return changed;
}

static size_t
add(struct members *m, struct slice to, struct slice from, struct buf *out)
{
	size_t base = m->n, differ = 0;
	struct slice name, old, new;
	struct pairs p = push_pair(m, to, from);

	buf_addc(out, '{');
	while (next_pair(m, &p, &name, &old, &new)) {
		size_t before = out->len;

		if (new.len == 0)
			continue;
		json_name_slice(out, name);
		if (old.len == 0) {
			put_canonical(m, new, out);
		} else if (json_type(old) == JSON_OBJECT && json_type(new) == JSON_OBJECT) {
			size_t start = out->len;

			differ += add(m, old, new, out);
			if (out->len == start + 2)
				buf_cut(out, before);
		} else {
			differ += !same_compact(old, new);
			buf_cut(out, before);
		}
	}
	buf_addc(out, '}');
	m->n = base;
	return differ;
}

size_t
patch_add(struct slice to, struct slice from, struct buf *out)
{
	struct members m = {0};
	size_t differ = add(&m, to, from, out);

	members_free(&m);
	return differ;
}

static bool
find_null(struct members *m, struct slice value, struct buf *pointer)
{
	size_t base, end, before = pointer->len;

	if (json_type(value) == JSON_NULL)
		return true;
	base = members_push(m, value);
	end = m->n;
	for (size_t i = base; i < end; i++) {
		pointer_add(pointer, m->v[i].name);
		if (find_null(m, m->v[i].value, pointer))
			return true;
		buf_cut(pointer, before);
	}
	m->n = base;
	return false;
}

bool
patch_null(struct slice document, struct buf *pointer)
{
	struct members m = {0};
	bool found;

	buf_reset(pointer);
	found = find_null(&m, document, pointer);
	members_free(&m);
	return found;
}

bool
patch_deletes(struct slice patch)
{
	struct json_walk w = json_walk(patch);
	struct slice key, value;
	bool any = false;

	if (json_type(patch) != JSON_OBJECT)
		return json_type(patch) == JSON_NULL;
	while (json_member(&w, &key, &value)) {
		if (!patch_deletes(value))
			return false;
		any = true;
	}
	return any;
}

void
pointer_add(struct buf *pointer, struct slice name)
{
	buf_addc(pointer, '/');
	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] == '~')
			buf_adds(pointer, "~0");
		else if (name.ptr[i] == '/')
			buf_adds(pointer, "~1");
		else
			buf_addc(pointer, name.ptr[i]);
}

int
pointer_next(struct slice *rest, struct buf *name)
{
	size_t i = 1;

	buf_reset(name);
	if (rest->len == 0)
		return 0;
	if (rest->ptr[0] != '/')
		return -1;
	for (; i < rest->len && rest->ptr[i] != '/'; i++) {
		char c = rest->ptr[i];

		if (c == '~') {
			if (++i == rest->len || (rest->ptr[i] != '0' && rest->ptr[i] != '1'))
				return -1;
			c = rest->ptr[i] == '0' ? '~' : '/';
		}
		buf_addc(name, c);
	}
	rest->ptr += i;
	rest->len -= i;
	return 1;
}
