#include "tools/translate/recall.h"

#include "common/hash.h"
#include "common/mem.h"

#include <stdlib.h>

struct recall {
	struct table keys; /* → index in v */
	struct recalled *v;
	size_t n, cap, bytes;
	struct arena arena;
};

struct recall *
recall_new(void)
{
	return xcalloc(1, sizeof(struct recall));
}

const struct recalled *
recall_get(const struct recall *r, struct slice key)
{
	const uint64_t *index = table_get(&r->keys, key);

	return index ? &r->v[*index] : NULL;
}

static struct slice
keep(struct recall *r, struct slice text)
{
	return (struct slice){arena_copy(&r->arena, text.ptr, text.len), text.len};
}

void
recall_put(struct recall *r, struct slice key, struct recalled new)
{
	size_t bytes = key.len + new.answer.len;

	if (bytes > RECALL_BYTES / 64)
		return;
	if (r->bytes + bytes > RECALL_BYTES) {
		arena_reset(&r->arena);
		table_free(&r->keys);
		r->n = r->bytes = 0;
	}
	r->bytes += bytes;
	r->v = xgrow(r->v, r->n, &r->cap, sizeof(*r->v));
	new.answer = keep(r, new.answer);
	r->v[r->n] = new;
	*table_put(&r->keys, keep(r, key), NULL) = r->n++;
}

void
recall_free(struct recall *r)
{
	table_free(&r->keys);
	arena_free(&r->arena);
	free(r->v);
	free(r);
}
