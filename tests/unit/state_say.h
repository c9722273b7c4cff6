/*
 * state_say: the tests' short words for what is done to a shared state and what it says.
 */
#ifndef KANDIL_TEST_STATE_SAY_H
#define KANDIL_TEST_STATE_SAY_H

#include "common/mem.h"
#include "tests/unit/check.h"
#include "tests/unit/state_look.h"
#include "tools/collab/state.h"

#include <stdlib.h>

static inline struct stamp
at(int64_t l, const char *node)
{
	return (struct stamp){l, 0, slice(node)};
}

static inline void
apply(struct state *s, int64_t l, const char *node, const char *patch)
{
	struct stamp t = at(l, node);

	CHECK(state_apply(s, &t, slice(patch), NULL) == STATE_MERGED);
}

static inline enum state_result
merge(struct state *s, int64_t l, const char *node, uint64_t seq, const char *patch)
{
	struct stamp t = at(l, node);

	return state_merge(s, &t, seq, slice(patch), NULL);
}

static inline bool
reads(const struct state *s, const char *want)
{
	struct buf got = {0};
	bool same;

	state_read(s, &got);
	same = slice_is(buf_slice(&got), want);
	if (!same)
		fprintf(stderr, "got %s, want %s\n", got.ptr, want);
	buf_free(&got);
	return same;
}

/* The chunks of a snapshot. */
struct chunks {
	char **v;
	size_t n, cap, longest;
};

static inline void
add_chunk(struct slice json, void *closure)
{
	struct chunks *c = closure;

	c->v = xgrow(c->v, c->n, &c->cap, sizeof(*c->v));
	c->v[c->n++] = xstrndup(json.ptr, json.len);
	if (json.len > c->longest)
		c->longest = json.len;
	CHECK(json_check(json, NULL) == 0);
}

static inline void
chunks_free(struct chunks *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->v[i]);
	free(c->v);
	*c = (struct chunks){0};
}

static inline struct chunks
snapshot(struct state *s, size_t limit)
{
	struct stamp id = at(99, "snap");
	struct chunks c = {0};

	state_snapshot(s, &id, limit, add_chunk, &c);
	return c;
}

static inline struct state *
copy(struct state *s)
{
	struct state *fresh = state_new(NULL);
	struct chunks c = snapshot(s, 300);

	for (size_t i = 0; i < c.n; i++)
		CHECK(state_load(fresh, slice(c.v[i]), NULL) == (i + 1 == c.n));
	chunks_free(&c);
	return fresh;
}

/* Equal in all that is read and sent. */
static inline bool
equal(struct state *a, struct state *b)
{
	struct stamp f = floor_of(a), g = floor_of(b);
	struct buf x = {0}, y = {0};
	bool same;

	state_read(a, &x);
	state_read(b, &y);
	same = slice_eq(buf_slice(&x), buf_slice(&y)) && state_digest(a) == state_digest(b) &&
	    stamp_cmp(&f, &g) == 0;
	buf_free(&x);
	buf_free(&y);
	return same;
}

static inline void
head(struct state *s, int64_t l, const char *node, struct buf *out)
{
	struct stamp clock = at(l, node);

	buf_reset(out);
	state_head(s, &clock, out);
	CHECK(json_check(buf_slice(out), NULL) == 0);
}

/* What `to` says it needs after a head of `from`. */
static inline enum state_need
hear(struct state *to, struct state *from, int64_t l, const char *node)
{
	enum state_need need = STATE_NOTHING;
	struct buf text = {0};

	head(from, l, node, &text);
	CHECK(state_heard(to, slice(node), 9, buf_slice(&text), &need, NULL) == 0);
	buf_free(&text);
	return need;
}

static inline struct state *
new_node(const char *name)
{
	struct state *s = state_new(NULL);

	CHECK(state_self(s, slice(name), NULL) == 0);
	return s;
}

#endif
