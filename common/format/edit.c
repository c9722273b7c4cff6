/* Splices, sorted and made in one pass. */
#include "common/format/edit.h"

#include <stdlib.h>

void
edits_add(struct edits *all, size_t start, size_t end, struct slice with)
{
	all->v = xgrow(all->v, all->n, &all->cap, sizeof(*all->v));
	all->v[all->n] = (struct edit){.start = start, .end = end, .order = all->n};
	all->v[all->n++].with =
	    (struct slice){arena_copy(&all->arena, with.len ? with.ptr : "", with.len), with.len};
}

void
edits_add_behind(struct edits *all, size_t place, struct slice with)
{
	edits_add(all, place, place, with);
	all->v[all->n - 1].behind = true;
}

static int
by_place(const void *a, const void *b)
{
	const struct edit *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->behind != y->behind)
		return x->behind ? -1 : 1;
	/* What is inserted goes before what is replaced. */
	if ((x->start == x->end) != (y->start == y->end))
		return x->start == x->end ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

bool
edits_apply(struct edits *all, struct slice text, struct buf *out)
{
	size_t done = 0, start = out->len;

	if (all->n)
		qsort(all->v, all->n, sizeof(*all->v), by_place);
	for (size_t i = 0; i < all->n; i++) {
		const struct edit *e = &all->v[i];
		if (e->start < done || e->end < e->start || e->end > text.len) {
			buf_cut(out, start);
			return false;
		}
		buf_add(out, text.ptr + done, e->start - done);
		buf_addslice(out, e->with);
		done = e->end;
	}
	buf_add(out, text.ptr + done, text.len - done);
	return true;
}

void
edits_free(struct edits *all)
{
	free(all->v);
	arena_free(&all->arena);
	*all = (struct edits){0};
}
