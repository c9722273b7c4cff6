/* Two messages walked side by side, node by node. */
#include "tools/catalog/rename.h"

#include "common/message.h"

enum { NAMES = 64 }; /* placeholders of one message */

/* The node's name where it stands in the text itself: {name}, {name, plural, …}. */
static bool
is_named(const struct message *m, const struct message_node *node)
{
	return (node->type == MESSAGE_PLACEHOLDER || node->type == MESSAGE_PLURAL ||
		   node->type == MESSAGE_ORDINAL || node->type == MESSAGE_SELECT) &&
	    node->name.ptr >= m->text.ptr + node->start && node->name.ptr < m->text.ptr + node->end;
}

/* Notes that `from` is `to`; false where it was something else before, or another became it. */
static bool
note_name(struct catalog_rename *v, size_t *n, struct slice from, struct slice to)
{
	for (size_t i = 0; i < *n; i++)
		if (slice_eq(v[i].from, from) || slice_eq(v[i].to, to))
			return slice_eq(v[i].from, from) && slice_eq(v[i].to, to);
	if (*n == NAMES)
		return false;
	v[(*n)++] = (struct catalog_rename){from, to};
	return true;
}

/* Whether two nodes say the same, names of placeholders aside. */
static bool
is_like(const struct message *a, const struct message_node *x, const struct message *b,
    const struct message_node *y)
{
	if (x->type != y->type || x->size != y->size || !slice_eq(x->style, y->style) ||
	    x->offset != y->offset)
		return false;
	if (x->type == MESSAGE_CASE)
		return slice_eq(x->name, y->name);
	if (is_named(a, x) || x->type == MESSAGE_POUND)
		return true;
	return slice_eq(message_bytes(a, x), message_bytes(b, y));
}

size_t
rename_find(struct slice before, struct slice after, unsigned dialect, struct arena *arena,
    struct catalog_rename **out)
{
	struct message a, b;
	struct catalog_rename *v;
	size_t n = 0, changed = 0;

	if (message_parse(before, dialect, arena, &a, NULL) < 0 ||
	    message_parse(after, dialect, arena, &b, NULL) < 0 || a.n != b.n)
		return 0;
	v = arena_alloc(arena, NAMES * sizeof(*v));
	for (size_t i = 0; i < a.n; i++) {
		if (!is_like(&a, &a.nodes[i], &b, &b.nodes[i]))
			return 0;
		if (is_named(&a, &a.nodes[i]) &&
		    !note_name(v, &n, a.nodes[i].name, b.nodes[i].name))
			return 0;
	}
	for (size_t i = 0; i < n; i++)
		if (!slice_eq(v[i].from, v[i].to))
			v[changed++] = v[i];
	*out = v;
	return changed;
}

struct slice
rename_apply(struct slice text, unsigned dialect, const struct catalog_rename *v, size_t n,
    struct arena *arena)
{
	struct message m;
	struct buf b = {0};
	const char *done = text.ptr;
	struct slice result;

	if (message_parse(text, dialect, arena, &m, NULL) < 0)
		return (struct slice){NULL, 0};
	for (size_t i = 0; i < m.n; i++)
		for (size_t k = 0; k < n && is_named(&m, &m.nodes[i]); k++)
			if (slice_eq(m.nodes[i].name, v[k].from)) {
				buf_add(&b, done, (size_t)(m.nodes[i].name.ptr - done));
				buf_addslice(&b, v[k].to);
				done = m.nodes[i].name.ptr + m.nodes[i].name.len;
				break;
			}
	buf_add(&b, done, (size_t)(text.ptr + text.len - done));
	result = (struct slice){arena_copy(arena, b.ptr, b.len), b.len};
	buf_free(&b);
	return result;
}
