/*
 * Snapshots: registers, vector, floor and passed as rows in chunks.
 *
 * A chunk numbers the nodes that its own rows name, so that an id of 30 bytes
 * stands there once.
 */
#include "tools/collab/state_part.h"

#include <stdlib.h>

enum { MAX_PARTS = 1 << 20 };

/* ---- writing ---- */

struct row {
	const char *kind;
	struct slice pointer; /* ptr NULL: none */
	struct mark mark;
	uint32_t node; /* of v and c: then seq follows; else the mark's */
	uint64_t seq;
	struct slice leaf; /* ptr NULL: none */
};

struct writer {
	const struct state *s;
	struct buf id, rows, nodes, out;
	size_t limit, part;
	uint32_t *number; /* in this chunk, + 1; 0: not in it yet */
	uint32_t n;
	void (*chunk)(struct slice, void *);
	void *closure;
};

static void
flush(struct writer *w, bool last)
{
	struct buf *out = &w->out;

	buf_reset(out);
	json_open(out, '{');
	json_add_raw(out, "snapshot", buf_slice(&w->id));
	json_add_long(out, "part", (long long)w->part++);
	json_name(out, "last");
	json_put_bool(out, last);
	json_add_raw(out, "nodes", buf_slice(&w->nodes));
	buf_addc(out, ']');
	json_add_raw(out, "rows", buf_slice(&w->rows));
	buf_adds(out, "]}");
	w->chunk(buf_slice(out), w->closure);
	buf_reset(&w->rows);
	buf_reset(&w->nodes);
	buf_addc(&w->rows, '[');
	buf_addc(&w->nodes, '[');
	memset(w->number, 0, w->s->n * sizeof(*w->number));
	w->n = 0;
}

/* The number of a node in this chunk. */
static long long
number_of(struct writer *w, uint32_t node)
{
	if (w->number[node] == 0) {
		json_put(&w->nodes, w->s->nodes[node].id);
		w->number[node] = ++w->n;
	}
	return (long long)w->number[node] - 1;
}

static void
write_row(struct writer *w, const struct row *r)
{
	struct buf *out = &w->rows;

	json_open(out, '[');
	json_put(out, slice(r->kind));
	if (r->node) {
		json_put_long(out, number_of(w, r->node));
		json_put_long(out, (long long)r->seq);
	}
	if (r->pointer.ptr)
		json_put(out, r->pointer);
	json_put_long(out, r->mark.l);
	json_put_long(out, r->mark.c);
	if (r->node == 0)
		json_put_long(out, number_of(w, r->mark.node));
	if (r->leaf.ptr)
		json_put_raw(out, r->leaf);
	json_close(out, ']');
}

/* A row that makes the chunk too long is taken back, and begins the next one. */
static void
put_row(struct writer *w, const struct row *r)
{
	size_t rows = w->rows.len, nodes = w->nodes.len;

	write_row(w, r);
	if (rows == 1 || w->id.len + w->rows.len + w->nodes.len + 80 <= w->limit)
		return;
	buf_cut(&w->rows, rows);
	buf_cut(&w->nodes, nodes);
	flush(w, false);
	write_row(w, r);
}

static void
put_register(enum register_kind kind, struct slice pointer, struct mark m, struct slice leaf,
    void *closure)
{
	static const char *const kinds[] = {"r", "d", "o"};

	put_row(closure, &(struct row){.kind = kinds[kind], .pointer = pointer, .mark = m,
	    .leaf = leaf});
}

void
state_snapshot(struct state *s, const struct stamp *id, size_t limit,
    void (*chunk)(struct slice, void *), void *closure)
{
	struct writer w = {.s = s, .limit = limit, .chunk = chunk, .closure = closure};

	w.number = xcalloc(s->n, sizeof(*w.number));
	stamp_put(&w.id, id, true);
	buf_addc(&w.rows, '[');
	buf_addc(&w.nodes, '[');
	if (s->floor.l)
		put_row(&w, &(struct row){.kind = "f", .mark = s->floor});
	if (s->passed.l)
		put_row(&w, &(struct row){.kind = "p", .mark = s->passed});
	for (uint32_t i = 1; i < s->n; i++) {
		const struct node *n = &s->nodes[i];

		if (n->seq || n->closed)
			put_row(&w, &(struct row){.kind = n->closed ? "c" : "v", .mark = n->last,
			    .node = i, .seq = n->seq});
		if (n->gone.l)
			put_row(&w, &(struct row){.kind = "t", .mark = n->gone});
	}
	state_walk(s, put_register, &w);
	flush(&w, true);
	free(w.number);
	buf_free(&w.id);
	buf_free(&w.rows);
	buf_free(&w.nodes);
	buf_free(&w.out);
}

/* ---- loading ---- */

static int
bad(struct err *e, const char *what)
{
	return err_set(e, "bad_snapshot", "a snapshot's chunk is damaged: %s", what);
}

/* The nodes of a chunk, as this state's. */
struct dictionary {
	uint32_t *v;
	size_t n, cap;
};

static int
read_nodes(struct state *s, struct slice nodes, struct dictionary *d, struct err *e)
{
	struct json_walk w = json_walk(nodes);
	struct buf id = {0};
	struct slice text;
	uint32_t number = 1;

	while (number && json_element(&w, &text)) {
		buf_reset(&id);
		number = 0;
		if (!json_text(text, &id))
			bad(e, "a node is no string");
		else if (id.len == 0)
			number = UINT32_MAX; /* nobody: the zero stamp's */
		else
			number = state_node(s, buf_slice(&id), e);
		if (number) {
			d->v = xgrow(d->v, d->n, &d->cap, sizeof(*d->v));
			d->v[d->n++] = number == UINT32_MAX ? 0 : number;
		}
	}
	buf_free(&id);
	return number ? 0 : -1;
}

static bool
next_number(struct json_walk *w, long long most, long long *out)
{
	struct slice text;

	return json_element(w, &text) && json_long(text, out) && *out >= 0 && *out <= most;
}

/* l, c and, unless the node is known already, N. zero: whether the zero stamp is one. */
static bool
next_mark(struct json_walk *w, const struct dictionary *d, bool node, bool zero, struct mark *m)
{
	long long l, c, number;

	if (!next_number(w, (long long)1 << 53, &l) || !next_number(w, UINT32_MAX, &c))
		return false;
	if (node) {
		if (d->n == 0 || !next_number(w, (long long)d->n - 1, &number) ||
		    d->v[number] == 0)
			return false;
		m->node = d->v[number];
	}
	m->l = l;
	m->c = (uint32_t)c;
	if (l == 0)
		*m = (struct mark){0};
	return l > 0 || zero;
}

/* ["v" or "c", N, seq, l, c] */
static int
read_vector(struct state *s, struct json_walk *w, const struct dictionary *d, bool closed,
    struct err *e)
{
	long long number, seq;
	struct mark last;
	struct node *n;

	if (d->n == 0 || !next_number(w, (long long)d->n - 1, &number) || d->v[number] == 0 ||
	    !next_number(w, (long long)1 << 53, &seq))
		return bad(e, "a row of the vector");
	last.node = d->v[number];
	n = &s->nodes[d->v[number]];
	if (!next_mark(w, d, false, true, &last))
		return bad(e, "a row of the vector");
	n->seq = (uint64_t)seq;
	n->last = last;
	n->closed = closed;
	state_newer(s, last);
	return 0;
}

/*
 * Walks down a pointer, writing OBJECT on the way as the patch did whose
 * register this is. 1: at is the slot to write; 0: it is dead; -1: no pointer.
 */
static int
descend(struct state *s, struct slice pointer, struct mark t, struct slot **at)
{
	struct mark above = {0};
	struct buf name = {0};
	size_t depth = 0;
	int rc = 1, step;

	*at = &s->root;
	while (rc == 1 && (step = pointer_next(&pointer, &name)) != 0) {
		if (step < 0 || ++depth >= STATE_DEPTH)
			rc = -1;
		else if (!slot_object(s, *at, t, &above))
			rc = 0;
		else
			*at = slot_child(s, *at, buf_slice(&name));
	}
	buf_free(&name);
	return rc;
}

/* ["r", POINTER, l, c, N, LEAF], and "d" and "o" without LEAF */
static int
read_register(struct state *s, struct json_walk *w, const struct dictionary *d, char kind,
    struct err *e)
{
	struct slice text, leaf = {NULL, 0};
	struct mark t = {0}, above = {0};
	struct buf pointer = {0};
	struct slot *at;
	int rc = -1;

	if (json_element(w, &text) && json_text(text, &pointer) &&
	    next_mark(w, d, true, false, &t) && (kind != 'r' || (json_element(w, &leaf) &&
	    json_type(leaf) != JSON_OBJECT && json_type(leaf) != JSON_NULL))) {
		buf_reset(&s->text);
		if (leaf.ptr) {
			json_compact(leaf, &s->text);
			leaf = buf_slice(&s->text);
		}
		rc = descend(s, buf_slice(&pointer), t, &at);
		if (rc > 0 && kind == 'o')
			slot_object(s, at, t, &above);
		else if (rc > 0)
			slot_replace(s, at, t, leaf);
	}
	buf_free(&pointer);
	return rc < 0 ? bad(e, "a register") : 0;
}

static int
read_row(struct state *s, struct slice row, const struct dictionary *d, struct err *e)
{
	struct json_walk w = json_walk(row);
	struct slice kind;
	struct mark m;

	if (json_type(row) != JSON_ARRAY || !json_element(&w, &kind) || kind.len != 3 ||
	    kind.ptr[0] != '"' || strchr("vctfprdo", kind.ptr[1]) == NULL)
		return bad(e, "a row of no known kind");
	switch (kind.ptr[1]) {
	case 'v':
	case 'c':
		return read_vector(s, &w, d, kind.ptr[1] == 'c', e);
	case 't':
	case 'f':
	case 'p':
		if (!next_mark(&w, d, true, false, &m))
			return bad(e, "a row of floor, passed or tombstones");
		if (kind.ptr[1] == 't')
			s->nodes[m.node].gone = m;
		else
			*(kind.ptr[1] == 'f' ? &s->floor : &s->passed) = m;
		state_newer(s, m);
		return 0;
	default:
		if (s->registers >= s->limit.max_registers + s->limit.max_registers / 4 ||
		    s->bytes >= s->limit.max_bytes + s->limit.max_bytes / 4)
			return err_set(e, "state_full",
			    "a snapshot is larger than a shared state may be");
		return read_register(s, &w, d, kind.ptr[1], e);
	}
}

/* Notes that a part has come: 0, 1 when it had before, -1. */
static int
note_part(struct loading *l, size_t part, bool last, struct err *e)
{
	if (l->last_known && (part > l->last || (last && part != l->last)))
		return bad(e, "a part beyond the last");
	if (part >= l->size) {
		size_t size = part + 64;

		l->seen = xrealloc(l->seen, size);
		memset(l->seen + l->size, 0, size - l->size);
		l->size = size;
	}
	if (last) {
		for (size_t i = part + 1; i < l->size; i++)
			if (l->seen[i])
				return bad(e, "a part beyond the last");
		l->last = part;
		l->last_known = true;
	}
	if (l->seen[part])
		return 1;
	l->seen[part] = 1;
	l->count++;
	return 0;
}

/* The members of a chunk. */
struct chunk {
	struct slice id, part, last, nodes, rows;
	long long number;
};

/* One walk: a chunk is long. */
static int
read_chunk(struct slice text, struct chunk *c, struct err *e)
{
	struct json_walk w = json_walk(text);
	struct slice name, value;

	*c = (struct chunk){0};
	while (json_member(&w, &name, &value))
		if (slice_is(name, "\"snapshot\""))
			c->id = value;
		else if (slice_is(name, "\"part\""))
			c->part = value;
		else if (slice_is(name, "\"last\""))
			c->last = value;
		else if (slice_is(name, "\"nodes\""))
			c->nodes = value;
		else if (slice_is(name, "\"rows\""))
			c->rows = value;
	if (c->id.len == 0 || c->id.len > 2048 || !json_long(c->part, &c->number) ||
	    c->number < 0 || c->number > MAX_PARTS || c->last.len == 0 || c->nodes.len == 0 ||
	    json_type(c->nodes) != JSON_ARRAY || c->rows.len == 0 ||
	    json_type(c->rows) != JSON_ARRAY)
		return bad(e, "its members");
	return 0;
}

int
state_load(struct state *s, struct slice text, struct err *e)
{
	struct loading *l = &s->loading;
	struct dictionary d = {0};
	struct json_walk w;
	struct slice row;
	struct chunk c;
	int rc;

	if (read_chunk(text, &c, e) != 0)
		return -1;
	if (l->begun && !slice_eq(buf_slice(&l->id), c.id))
		return err_set(e, "other_snapshot", "a chunk belongs to another snapshot");
	if (!l->begun)
		buf_addslice(&l->id, c.id);
	l->begun = true;
	rc = note_part(l, (size_t)c.number, json_type(c.last) == JSON_TRUE, e);
	if (rc == 0) {
		rc = read_nodes(s, c.nodes, &d, e);
		w = json_walk(c.rows);
		while (rc == 0 && json_element(&w, &row))
			rc = read_row(s, row, &d, e);
		free(d.v);
	}
	if (rc < 0)
		return -1;
	return l->last_known && l->count == l->last + 1;
}
