#include "tools/translate/gaps.h"

#include <stdlib.h>

void
gaps_keep(struct gaps *g, struct slice *member, struct slice text)
{
	*member = (struct slice){arena_copy(&g->arena, text.ptr ? text.ptr : "", text.len),
	    text.len};
}

struct gap *
gaps_add(struct gaps *g, const struct gap *new, size_t target)
{
	struct buf name = {0};
	bool added;

	buf_addf(&name, "%u %zu ", new->dialect, new->context.len);
	buf_addslice(&name, new->context);
	buf_addslice(&name, new->text);
	struct slice copy = {arena_copy(&g->arena, name.ptr, name.len), name.len};
	uint64_t *index = table_put(&g->names, copy, &added);
	buf_free(&name);
	if (added) {
		g->v = xgrow(g->v, g->n, &g->cap, sizeof(*g->v));
		*index = g->n++;
		struct gap *gap = &g->v[*index];
		*gap = *new;
		gap->targets = 0;
		struct slice *const all[] = {&gap->text, &gap->context, &gap->key, &gap->file,
		    &gap->widget, &gap->note, &gap->before, &gap->others, &gap->stale};
		for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
			gaps_keep(g, all[i], *all[i]);
	}
	struct gap *gap = &g->v[*index];
	gap->targets |= 1ULL << target;
	/* The same text in two places: the narrower one decides. */
	if (new->max_length && (!gap->max_length || new->max_length < gap->max_length))
		gap->max_length = new->max_length;
	return gap;
}

void
gaps_know(struct gaps *g, const struct gap_known *new)
{
	if (g->known_n == GAP_KNOWN || !new->file.len || new->text.len + new->value.len > 400)
		return;
	g->known = xgrow(g->known, g->known_n, &g->known_cap, sizeof(*g->known));
	struct gap_known *k = &g->known[g->known_n++];
	k->target = new->target;
	gaps_keep(g, &k->file, new->file);
	gaps_keep(g, &k->text, new->text);
	gaps_keep(g, &k->value, new->value);
}

/* A gap and where its file first came. */
struct ranked {
	struct gap gap;
	uint64_t file;
	size_t order;
};

static int
compare(const void *x, const void *y)
{
	const struct ranked *a = x, *b = y;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

void
gaps_sort(struct gaps *g)
{
	struct ranked *all = xcalloc(g->n + 1, sizeof(*all));
	struct table files = {0};
	bool added;

	for (size_t i = 0; i < g->n; i++) {
		uint64_t *first = table_put(&files, g->v[i].file, &added);

		if (added)
			*first = i;
		all[i] = (struct ranked){g->v[i], *first, i};
	}
	qsort(all, g->n, sizeof(*all), compare);
	for (size_t i = 0; i < g->n; i++)
		g->v[i] = all[i].gap;
	/* Places have changed: who is looked for by name now would be another. */
	table_free(&g->names);
	g->names = (struct table){0};
	table_free(&files);
	free(all);
}

void
gaps_reset(struct gaps *g)
{
	table_free(&g->names);
	g->names = (struct table){0};
	arena_reset(&g->arena);
	g->n = g->known_n = 0;
}

void
gaps_free(struct gaps *g)
{
	gaps_reset(g);
	arena_free(&g->arena);
	free(g->v);
	free(g->known);
}
