/*
 * What a state says: its document, its living registers, its digest.
 */
#include "tools/collab/state_part.h"

#include <stdlib.h>

/* Whether a slot with these ancestors is there to be read. */
static bool
is_present(const struct state *s, const struct slot *e, struct mark above)
{
	if (mark_cmp(s, mark_max(s, e->replace, e->object), above) <= 0)
		return false;
	return mark_cmp(s, e->replace, e->object) <= 0 || e->leaf;
}

static void
read_slot(const struct state *s, const struct slot *e, struct mark above, struct buf *out)
{
	struct slot **child;

	if (mark_cmp(s, e->replace, e->object) > 0) {
		buf_add(out, e->leaf, e->leaf_len);
		return;
	}
	above = mark_max(s, above, e->replace);
	buf_addc(out, '{');
	child = slot_children(e);
	for (size_t i = 0; i < e->count; i++)
		if (is_present(s, child[i], above)) {
			json_name_slice(out, child[i]->name);
			read_slot(s, child[i], above, out);
		}
	free(child);
	buf_addc(out, '}');
}

void
state_read(const struct state *s, struct buf *out)
{
	struct mark none = {0};

	if (is_present(s, &s->root, none))
		read_slot(s, &s->root, none, out);
	else
		buf_adds(out, "{}");
}

struct walking {
	const struct state *s;
	struct buf pointer;
	register_visit *visit;
	void *closure;
};

/*
 * A register counts when it is above the REPLACEs of all ancestors; OBJECT
 * when it is not below REPLACE either. A tombstone that the floor has reached
 * is as good as collected.
 */
static void
walk(struct walking *w, const struct slot *e, struct mark above)
{
	struct slice pointer = buf_slice(&w->pointer), none = {NULL, 0};
	size_t length = w->pointer.len;
	struct slot **child;

	if (mark_cmp(w->s, e->replace, above) > 0) {
		if (e->leaf)
			w->visit(REGISTER_LEAF, pointer, e->replace,
			    (struct slice){e->leaf, e->leaf_len}, w->closure);
		else if (mark_cmp(w->s, e->replace, w->s->floor) > 0)
			w->visit(REGISTER_TOMBSTONE, pointer, e->replace, none, w->closure);
	}
	if (mark_cmp(w->s, e->object, above) > 0 && mark_cmp(w->s, e->object, e->replace) >= 0)
		w->visit(REGISTER_OBJECT, pointer, e->object, none, w->closure);
	if (e->count == 0)
		return;
	above = mark_max(w->s, above, e->replace);
	child = slot_children(e);
	for (size_t i = 0; i < e->count; i++) {
		pointer_add(&w->pointer, child[i]->name);
		walk(w, child[i], above);
		buf_cut(&w->pointer, length);
	}
	free(child);
}

void
state_walk(const struct state *s, register_visit *visit, void *closure)
{
	struct walking w = {.s = s, .visit = visit, .closure = closure};

	walk(&w, &s->root, (struct mark){0});
	buf_free(&w.pointer);
}

struct digesting {
	const struct state *s;
	struct buf text;
	uint64_t sum;
};

static void
add_digest(enum register_kind kind, struct slice pointer, struct mark m, struct slice leaf,
    void *closure)
{
	struct digesting *d = closure;
	struct stamp stamp = mark_stamp(d->s, m);

	buf_reset(&d->text);
	buf_addc(&d->text, "rdo"[kind]);
	stamp_put(&d->text, &stamp, true);
	json_put(&d->text, pointer);
	buf_addslice(&d->text, leaf);
	d->sum += hash_stable(buf_slice(&d->text));
}

uint64_t
state_digest(struct state *s)
{
	struct digesting d = {.s = s};

	if (!s->digest_known) {
		state_walk(s, add_digest, &d);
		buf_free(&d.text);
		s->digest = d.sum;
		s->digest_known = true;
	}
	return s->digest;
}
