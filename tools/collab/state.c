/*
 * The vector, and the merging of patches.
 */
#include "tools/collab/state_part.h"

#include <stdlib.h>

struct state *
state_new(const struct state_settings *settings)
{
	struct state *s = xcalloc(1, sizeof(*s));

	if (settings)
		s->limit = *settings;
	if (s->limit.max_registers == 0)
		s->limit.max_registers = 500000;
	if (s->limit.max_bytes == 0)
		s->limit.max_bytes = (size_t)128 << 20;
	if (s->limit.max_nodes == 0)
		s->limit.max_nodes = 4096;
	s->nodes = xgrow(NULL, 0, &s->cap, sizeof(*s->nodes));
	s->nodes[0] = (struct node){.id = S("")};
	s->n = 1;
	return s;
}

void
state_free(struct state *s)
{
	if (s == NULL)
		return;
	slot_clear(s, &s->root);
	for (size_t i = 1; i < s->n; i++) {
		if (s->nodes[i].id.len)
			free((char *)(uintptr_t)s->nodes[i].id.ptr);
		free(s->nodes[i].pending);
	}
	free(s->nodes);
	table_free(&s->ids);
	members_free(&s->members);
	buf_free(&s->text);
	buf_free(&s->loading.id);
	free(s->loading.seen);
	free(s);
}

void
state_newer(struct state *s, struct mark m)
{
	s->newest = mark_max(s, s->newest, m);
}

/* Whether the state holds so many times its limits, and what is added. */
static bool
has_room(const struct state *s, size_t times, size_t registers, size_t bytes)
{
	return s->registers + registers <= times * s->limit.max_registers &&
	    s->bytes + bytes <= times * s->limit.max_bytes;
}

/*
 * At most what a patch can add: a slot for each member, hence for each colon,
 * and the root's. What cannot be read any more is cleared away for it.
 */
static int
check_room(struct state *s, struct slice patch, struct err *e)
{
	size_t slots = s->root.object.l || s->root.replace.l ? 0 : 1;

	for (size_t i = 0; i < patch.len; i++)
		slots += patch.ptr[i] == ':';
	if (has_room(s, 1, slots, slots * SLOT_BYTES + patch.len))
		return 0;
	state_sweep(s, &(struct sweep){0});
	if (has_room(s, 1, slots, slots * SLOT_BYTES + patch.len) || (patch_deletes(patch) &&
	    has_room(s, 3, slots, slots * SLOT_BYTES + patch.len)))
		return 0;
	return err_set(e, "state_full",
	    "the shared state is full, %zu registers in %zu bytes: delete something", s->registers,
	    s->bytes);
}

static int
write_patch(struct state *s, struct mark t, struct slice patch, struct err *e)
{
	buf_reset(&s->text);
	if (json_compact(patch, &s->text) > STATE_DEPTH)
		return err_set(e, "too_deep", "a patch nests deeper than %d", STATE_DEPTH);
	if (check_room(s, buf_slice(&s->text), e) != 0)
		return -1;
	arena_reset(&s->members.names);
	slot_patch(s, &s->root, t, (struct mark){0}, buf_slice(&s->text));
	return 0;
}

enum state_result
state_apply(struct state *s, const struct stamp *stamp, struct slice patch, struct err *e)
{
	struct mark t;

	if (stamp->l < 1)
		return (enum state_result)err_set(e, "bad_stamp", "a patch has no stamp");
	if (state_mark(s, stamp, &t, e) != 0)
		return STATE_REFUSED;
	if (mark_cmp(s, t, s->floor) <= 0)
		return STATE_BEHIND;
	return write_patch(s, t, patch, e) == 0 ? STATE_MERGED : STATE_REFUSED;
}

/* Where a message stands in its node's row; STATE_MERGED: it is the next. */
static enum state_result
place(const struct node *n, uint64_t seq)
{
	if (seq <= n->seq)
		return STATE_KNOWN;
	if (n->closed)
		return STATE_BEHIND;
	return seq == n->seq + 1 ? STATE_MERGED : STATE_GAP;
}

enum state_result
state_merge(struct state *s, const struct stamp *stamp, uint64_t seq, struct slice patch,
    struct err *e)
{
	enum state_result result;
	struct node *n;
	struct mark t;

	if (stamp->l < 1 || seq == 0)
		return (enum state_result)err_set(e, "bad_stamp", "a patch has no stamp or number");
	if (!node_valid(stamp->node))
		return (enum state_result)err_set(e, "bad_stamp", "a patch is of no node");
	result = place(&s->nodes[state_find(s, stamp->node)], seq);
	if (result == STATE_KNOWN || result == STATE_GAP)
		return result;
	if (state_mark(s, stamp, &t, e) != 0)
		return STATE_REFUSED;
	n = &s->nodes[t.node];
	if (mark_cmp(s, t, s->floor) <= 0) {
		n->closed = true;
		return STATE_BEHIND;
	}
	if (result == STATE_MERGED && mark_cmp(s, t, n->last) <= 0)
		return (enum state_result)err_set(e, "bad_stamp",
		    "a patch of '%s' is not later than the one before: two nodes have one id",
		    n->id.ptr);
	if (write_patch(s, t, patch, e) != 0)
		return STATE_REFUSED;
	if (result == STATE_MERGED) {
		n->seq = seq;
		n->last = t;
	}
	return result;
}

enum state_result
state_seen(struct state *s, struct slice node, uint64_t seq, struct err *e)
{
	uint32_t number = state_find(s, node);
	enum state_result result = place(&s->nodes[number], seq);

	if (!node_valid(node))
		return (enum state_result)err_set(e, "bad_stamp", "a message is of no node");
	if (number == 0 && result == STATE_GAP)
		return state_has_room(s) ? STATE_GAP : STATE_KNOWN;
	if (result != STATE_MERGED)
		return result;
	if (number == 0) {
		if (state_room(s, 1, false, NULL) != 0)
			return STATE_KNOWN;
		number = state_node(s, node, NULL);
	}
	s->nodes[number].seq = seq;
	return STATE_MERGED;
}

void
state_put_patch(struct buf *out, const struct stamp *stamp, struct slice patch)
{
	json_open(out, '{');
	json_name(out, "stamp");
	stamp_put(out, stamp, false);
	json_add_raw(out, "patch", patch);
	json_close(out, '}');
}

int
state_get_patch(struct slice payload, struct stamp *stamp, struct slice *patch, struct err *e)
{
	struct slice text;

	if (json_type(payload) != JSON_OBJECT || !json_get(payload, "stamp", &text) ||
	    !json_get(payload, "patch", patch))
		return err_set(e, "bad_patch",
		    "this is no patch of a shared state: 'stamp' and 'patch' are expected");
	return stamp_get(text, stamp, NULL, e);
}

size_t
state_registers(const struct state *s)
{
	return s->registers;
}

size_t
state_bytes(const struct state *s)
{
	return s->bytes;
}

uint64_t
state_vector(const struct state *s, struct slice node)
{
	return s->nodes[state_find(s, node)].seq;
}

bool
state_closed(const struct state *s, struct slice node)
{
	return s->nodes[state_find(s, node)].closed;
}

bool
state_each(const struct state *s, size_t *at, struct slice *node, uint64_t *seq, bool *closed)
{
	do
		if (++*at >= s->n)
			return false;
	while (s->nodes[*at].id.len == 0);
	*node = s->nodes[*at].id;
	*seq = s->nodes[*at].seq;
	*closed = s->nodes[*at].closed;
	return true;
}

struct stamp
state_newest(const struct state *s)
{
	return mark_stamp(s, s->newest);
}
