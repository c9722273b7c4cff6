/*
 * state_part: what the files of state share. Nobody else includes it, but a test that looks inside.
 *
 * Inside, a node is a number (its place in nodes) and a stamp is a mark.
 * Invariant: a slot's OBJECT is not below any register of its children, so
 * that a REPLACE that is not below OBJECT frees all below at once. What a
 * REPLACE below OBJECT kills stays in memory, unreadable, until state_sweep.
 */
#ifndef KANDIL_COLLAB_STATE_PART_H
#define KANDIL_COLLAB_STATE_PART_H

#include "common/hash.h"

#include "tools/collab/patch.h"
#include "tools/collab/state.h"

/* l 0: never, below all others. */
struct mark {
	int64_t l;
	uint32_t c, node;
};

/* A path: two registers, and what lies below. name comes first: it is the tree's key. */
struct slot {
	struct slice name;
	struct mark replace, object;
	char *leaf; /* compact JSON; NULL: a tombstone, or OBJECT is not below REPLACE */
	size_t leaf_len;
	void *children; /* tsearch tree of slots, by name */
	size_t count;	/* of children */
};

/* What a slot costs besides its name and leaf; tsearch allocates about 48 bytes. */
enum { SLOT_BYTES = sizeof(struct slot) + 48 };

/* A head that reaches beyond what is merged here: its clock counts when that is. */
struct pending {
	struct mark clock;
	size_t n;
	struct {
		uint32_t node;
		uint64_t seq;
	} v[];
};

struct node {
	struct slice id;
	uint64_t seq;	  /* all its messages up to it are merged */
	struct mark last; /* the stamp of the last patch among them */
	struct mark gone; /* the newest of its tombstones that were collected */
	size_t registers; /* that have its stamp */
	bool closed;
	bool heard, forgotten;
	bool needed; /* it keeps its place, whatever it has written: while a caller counts on it */
	struct mark covered; /* from its heads: we have all that it had at that clock */
	struct mark passed, floor;
	struct pending *pending;
};

/* A snapshot that is being loaded. */
struct loading {
	struct buf id;
	unsigned char *seen; /* a byte a part */
	size_t size, count, last;
	bool begun, last_known;
};

struct state {
	struct state_settings limit;
	struct slot root;
	size_t registers, bytes;
	struct node *nodes; /* nodes[0] is nobody */
	size_t n, cap, vacant; /* vacant: whose id is empty, since they gave their place back */
	struct table ids;
	uint32_t self; /* 0: not said */
	struct mark floor, passed, newest;
	uint64_t digest;
	bool digest_known;
	bool joining; /* tombstones stay until all has been merged: they may still kill */
	struct members members; /* scratch */
	struct buf text;	/* scratch */
	struct loading loading;
};

static inline int
mark_cmp(const struct state *s, struct mark a, struct mark b)
{
	if (a.l != b.l)
		return a.l < b.l ? -1 : 1;
	if (a.c != b.c)
		return a.c < b.c ? -1 : 1;
	if (a.node == b.node)
		return 0;
	return slice_cmp(s->nodes[a.node].id, s->nodes[b.node].id);
}

static inline struct mark
mark_max(const struct state *s, struct mark a, struct mark b)
{
	return mark_cmp(s, a, b) >= 0 ? a : b;
}

static inline struct stamp
mark_stamp(const struct state *s, struct mark m)
{
	return (struct stamp){m.l, m.c, s->nodes[m.node].id};
}

/* Whether there is anything of it that must not be forgotten. */
static inline bool
node_wrote(const struct node *n)
{
	return n->closed || n->last.l || n->gone.l || n->registers;
}

/*
 * state_node.c: the number of a node, added when it is new; 0 with e: none, or too many. Who
 * adds several makes room for all of them first: else one may get the place of another.
 */
uint32_t state_node(struct state *, struct slice id, struct err *);
/* Its number, or 0. */
uint32_t state_find(const struct state *, struct slice id);
/* A stamp as a mark: 0, or -1 with e. The zero stamp is the zero mark. */
int state_mark(struct state *, const struct stamp *, struct mark *, struct err *);
/*
 * Makes room for so many more: 0, or -1 with e and nothing done. As many as must give their
 * place back, of those who wrote nothing, whose no stamp of ours is, and that are not needed:
 * forgotten ones, those that said no head, and last, where live, the others.
 */
int state_room(struct state *, size_t, bool live, struct err *);
/* Whether one more is known without that. */
bool state_has_room(const struct state *);

/* state.c */
void state_newer(struct state *, struct mark);

/* state_slot.c: registers. above is the largest REPLACE of the ancestors. */
struct slot *slot_child(struct state *, struct slot *, struct slice name);
/* The children by name, e->count of them: the caller's to free. */
struct slot **slot_children(const struct slot *);
void slot_drop_child(struct state *, struct slot *, struct slot *child);
/* Frees all below a slot and its leaf. */
void slot_clear(struct state *, struct slot *);
void slot_set_leaf(struct state *, struct slot *, struct slice leaf);
void slot_unset(struct state *, struct mark *reg);
/* Drops REPLACE, a tombstone that the floor has reached. */
void slot_collect(struct state *, struct slot *);
/*
 * OBJECT = t, t above *above: whether children can be written with t; then
 * *above is theirs.
 */
bool slot_object(struct state *, struct slot *, struct mark t, struct mark *above);
/* REPLACE = t, t above what lies above; leaf compact, ptr NULL: a tombstone. */
void slot_replace(struct state *, struct slot *, struct mark t, struct slice leaf);
/* A patch, compact, from that slot on. */
void slot_patch(struct state *, struct slot *, struct mark t, struct mark above,
    struct slice patch);

/* state_read.c: each register that can be read, parents first, names in order. */
enum register_kind { REGISTER_LEAF, REGISTER_TOMBSTONE, REGISTER_OBJECT };
typedef void register_visit(enum register_kind, struct slice pointer, struct mark,
    struct slice leaf, void *closure);
void state_walk(const struct state *, register_visit *, void *closure);

/*
 * state_join.c: drops what cannot be read any more, tombstones at or below
 * collect, and every register at or below give_way, which dropped is told of.
 */
struct sweep {
	struct mark collect, give_way;
	void (*dropped)(struct mark, void *closure);
	void *closure;
};
void state_sweep(struct state *, const struct sweep *);

#endif
