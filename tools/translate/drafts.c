#include "tools/translate/drafts.h"

#include "common/hash.h"
#include "common/mem.h"

#include <stdlib.h>

struct drafts {
	struct table keys; /* → index in v */
	struct draft *v;
	size_t n, cap, bytes;
	struct arena arena;
	struct buf key; /* of the last question */
};

struct drafts *
drafts_new(void)
{
	return xcalloc(1, sizeof(struct drafts));
}

static void
put_name(const struct draft_key *k, struct buf *out)
{
	buf_reset(out);
	buf_addf(out, "%zu %u %zu ", k->target, k->dialect, k->context.len);
	buf_addslice(out, k->context);
	buf_addslice(out, k->text);
}

const struct draft *
drafts_get(const struct drafts *d, const struct draft_key *k)
{
	static struct buf name;

	put_name(k, &name);
	const uint64_t *index = table_get(&d->keys, buf_slice(&name));
	return index ? &d->v[*index] : NULL;
}

static struct slice
keep(struct drafts *d, struct slice text)
{
	d->bytes += text.len;
	return (struct slice){arena_copy(&d->arena, text.ptr ? text.ptr : "", text.len), text.len};
}

void
drafts_put(struct drafts *d, const struct draft_key *k, const struct draft *new)
{
	bool added;
	struct draft copy = {new->state, keep(d, new->value), keep(d, new->source),
	    keep(d, new->hint), keep(d, new->rejected), keep(d, new->reason), new->remembered};

	put_name(k, &d->key);
	uint64_t *index = table_get(&d->keys, buf_slice(&d->key));
	if (!index) {
		index = table_put(&d->keys, keep(d, buf_slice(&d->key)), &added);
		d->v = xgrow(d->v, d->n, &d->cap, sizeof(*d->v));
		*index = d->n++;
		d->bytes += sizeof(copy) + sizeof(struct table_slot);
	}
	d->v[*index] = copy;
}

bool
drafts_full(const struct drafts *d)
{
	return d->bytes > DRAFTS_BYTES;
}

void
drafts_clear(struct drafts *d)
{
	table_free(&d->keys);
	d->keys = (struct table){0};
	arena_reset(&d->arena);
	d->n = d->bytes = 0;
}

void
drafts_free(struct drafts *d)
{
	if (!d)
		return;
	table_free(&d->keys);
	arena_free(&d->arena);
	buf_free(&d->key);
	free(d->v);
	free(d);
}
