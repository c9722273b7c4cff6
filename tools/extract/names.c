#include "tools/extract/names.h"

#include "common/hash.h"
#include "common/mem.h"

#include <stdlib.h>

enum {
	FIELDS = 5,
	ROUNDS = 4, /* helpers that call helpers that call helpers … */
};

struct edge {
	struct slice from, to; /* "call\targument" */
};

struct names {
	struct arena arena;
	size_t used; /* bytes of the arena */
	bool full;
	struct table shown;   /* name → pointer to its struct slice "by" */
	struct table helpers; /* "call\targument" */
	struct edge *edges;
	size_t nedges, cap;
};

struct names *
names_new(void)
{
	return xcalloc(1, sizeof(struct names));
}

void
names_free(struct names *n)
{
	if (n == NULL)
		return;
	table_free(&n->shown);
	table_free(&n->helpers);
	arena_free(&n->arena);
	free(n->edges);
	free(n);
}

static void
add_fact(struct buf *facts, const char *kind, const struct slice *fields, size_t nfields)
{
	for (size_t i = 0; i < nfields; i++)
		if (fields[i].len == 0 || fields[i].len > NAMES_LENGTH)
			return;
	buf_adds(facts, kind);
	for (size_t i = 0; i < nfields; i++) {
		buf_addc(facts, '\t');
		buf_addslice(facts, fields[i]);
	}
	buf_addc(facts, '\n');
}

void
names_fact_shown(struct buf *facts, struct slice name, struct slice by)
{
	add_fact(facts, "shown", (struct slice[]){name, by}, 2);
}

void
names_fact_helper(struct buf *facts, struct slice call, struct slice argument)
{
	add_fact(facts, "helper", (struct slice[]){call, argument}, 2);
}

void
names_fact_edge(struct buf *facts, struct slice call, struct slice argument, struct slice to_call,
    struct slice to_argument)
{
	add_fact(facts, "edge", (struct slice[]){call, argument, to_call, to_argument}, 4);
}

/* A copy that lives as long as the names; len 0 when there is no room. */
static struct slice
keep(struct names *n, struct slice text)
{
	if (n->used + text.len > NAMES_BYTES) {
		n->full = true;
		return (struct slice){"", 0};
	}
	n->used += text.len + 1;
	return (struct slice){arena_copy(&n->arena, text.ptr, text.len), text.len};
}

static void
add_shown(struct names *n, struct slice name, struct slice by)
{
	struct slice *kept;

	if (table_get(&n->shown, name) != NULL)
		return;
	name = keep(n, name);
	by = keep(n, by);
	if (name.len == 0 || by.len == 0)
		return;
	n->used += sizeof(*kept);
	kept = arena_alloc(&n->arena, sizeof(*kept));
	*kept = by;
	*table_put(&n->shown, name, NULL) = (uint64_t)(uintptr_t)kept;
}

static void
add_helper(struct names *n, struct slice call_argument)
{
	if (table_get(&n->helpers, call_argument) != NULL)
		return;
	call_argument = keep(n, call_argument);
	if (call_argument.len > 0)
		*table_put(&n->helpers, call_argument, NULL) = 1;
}

static void
add_edge(struct names *n, struct slice from, struct slice to)
{
	struct edge e = {keep(n, from), keep(n, to)};

	if (e.from.len == 0 || e.to.len == 0)
		return;
	n->used += sizeof(e);
	n->edges = xgrow(n->edges, n->nedges, &n->cap, sizeof(*n->edges));
	n->edges[n->nedges++] = e;
}

static void
add_line(struct names *n, struct slice line)
{
	struct slice f[FIELDS];
	size_t count = 0;

	while (count < FIELDS) {
		const char *tab = memchr(line.ptr, '\t', line.len);
		size_t len = tab ? (size_t)(tab - line.ptr) : line.len;
		f[count++] = (struct slice){line.ptr, len};
		if (tab == NULL)
			break;
		line.ptr += len + 1;
		line.len -= len + 1;
	}
	/* Call and argument stand side by side: one slice holds both. */
	if (count == 3 && slice_is(f[0], "shown"))
		add_shown(n, f[1], f[2]);
	else if (count == 3 && slice_is(f[0], "helper"))
		add_helper(n, (struct slice){f[1].ptr, f[1].len + 1 + f[2].len});
	else if (count == 5 && slice_is(f[0], "edge"))
		add_edge(n, (struct slice){f[1].ptr, f[1].len + 1 + f[2].len},
		    (struct slice){f[3].ptr, f[3].len + 1 + f[4].len});
}

void
names_add(struct names *n, struct slice facts)
{
	while (facts.len > 0) {
		const char *lf = memchr(facts.ptr, '\n', facts.len);
		size_t len = lf ? (size_t)(lf - facts.ptr) : facts.len;
		add_line(n, (struct slice){facts.ptr, len});
		facts.ptr += len + (lf != NULL);
		facts.len -= len + (lf != NULL);
	}
}

void
names_resolve(struct names *n)
{
	bool more = true;

	for (int round = 0; round < ROUNDS && more; round++) {
		more = false;
		for (size_t i = 0; i < n->nedges; i++) {
			const struct edge *e = &n->edges[i];
			if (table_get(&n->helpers, e->to) != NULL &&
			    table_get(&n->helpers, e->from) == NULL) {
				add_helper(n, e->from);
				more = true;
			}
		}
	}
}

bool
names_full(const struct names *n)
{
	return n->full;
}

struct slice
names_shown(const struct names *n, struct slice name)
{
	uint64_t *by = n != NULL ? table_get(&n->shown, name) : NULL;

	return by ? *(struct slice *)(uintptr_t)*by : (struct slice){"", 0};
}

bool
names_helper(const struct names *n, struct slice call, struct slice argument)
{
	char key[2 * NAMES_LENGTH + 1];

	if (n == NULL || call.len > NAMES_LENGTH || argument.len > NAMES_LENGTH)
		return false;
	memcpy(key, call.ptr, call.len);
	key[call.len] = '\t';
	memcpy(key + call.len + 1, argument.ptr, argument.len);
	return table_get(&n->helpers, (struct slice){key, call.len + 1 + argument.len}) != NULL;
}
