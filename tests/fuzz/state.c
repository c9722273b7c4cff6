/*
 * state: patches, stamps, chunks and heads of an enemy. Whatever they are,
 * what is read is canonical JSON, a snapshot gives the same state again,
 * joining a state with itself changes nothing, and patches alone give the
 * same in either order.
 *
 * The input is lines: 'p' a message of a patch (its node is the next byte),
 * 's' the same with a seq counted here, 'c' a chunk, 'h' a head (next byte:
 * of whom), 'f' a stamp to collect to.
 */
#include "common/mem.h"
#include "tools/collab/patch.h"
#include "tools/collab/state.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static struct slice
rest_of(struct slice line, size_t from)
{
	return (struct slice){line.ptr + from, line.len - from};
}

static void
use_patch(struct state *s, struct slice line, bool counted)
{
	struct stamp t = {.node = {line.ptr + 1, 1}};
	struct slice text = rest_of(line, 2), patch;

	if (json_check(text, NULL) != 0 ||
	    state_get_patch(slice_trim(text), &t, &patch, NULL) != 0)
		return;
	if (counted)
		state_merge(s, &t, state_vector(s, t.node) + 1, patch, NULL);
	else
		state_apply(s, &t, patch, NULL);
}

static void
use_other(struct state *s, struct slice line)
{
	struct slice text = rest_of(line, line.ptr[0] == 'h' ? 2 : 1);
	struct state *fresh;
	enum state_need need;
	struct buf node = {0};
	struct stamp t;

	if (json_check(text, NULL) != 0)
		return;
	text = slice_trim(text);
	if (line.ptr[0] == 'h') {
		state_heard(s, (struct slice){line.ptr + 1, 1}, UINT64_MAX, text, &need, NULL);
	} else if (line.ptr[0] == 'f') {
		if (stamp_get(text, &t, &node, NULL) == 0)
			state_collect(s, &t, NULL);
	} else {
		fresh = state_new(NULL);
		if (state_load(fresh, text, NULL) == 1)
			state_join(s, fresh, NULL);
		state_free(fresh);
	}
	buf_free(&node);
}

static void
load_chunk(struct slice json, void *closure)
{
	require(json_check(json, NULL) == 0 && state_load(closure, json, NULL) >= 0);
}

static void
check_same(struct state *a, struct state *b)
{
	struct buf x = {0}, y = {0};

	state_read(a, &x);
	state_read(b, &y);
	require(slice_eq(buf_slice(&x), buf_slice(&y)) && state_digest(a) == state_digest(b));
	buf_free(&x);
	buf_free(&y);
}

static void
check_state(struct state *s)
{
	struct stamp id = {1, 0, S("id")};
	struct state *back = state_new(NULL);
	struct buf text = {0}, canonical = {0}, head = {0};

	state_read(s, &text);
	require(json_check(buf_slice(&text), NULL) == 0);
	patch_canonical(buf_slice(&text), &canonical);
	require(slice_eq(buf_slice(&text), buf_slice(&canonical)));
	state_snapshot(s, &id, 200, load_chunk, back);
	check_same(s, back);
	require(state_join(back, s, NULL) == 0 && state_join(s, back, NULL) == 0);
	check_same(s, back);
	state_head(s, &id, &head);
	require(json_check(buf_slice(&head), NULL) == 0);
	buf_free(&text);
	buf_free(&canonical);
	buf_free(&head);
	state_free(back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = {(const char *)data, size}, line, *lines = NULL;
	struct state *all = state_new(&(struct state_settings){.max_nodes = 40});
	struct state *ahead = state_new(NULL), *back = state_new(NULL);
	size_t n = 0, cap = 0;

	require(state_self(all, S("me"), NULL) == 0);
	while (slice_line(&rest, &line)) {
		if (line.len < 3)
			continue;
		lines = xgrow(lines, n, &cap, sizeof(*lines));
		lines[n++] = line;
	}
	for (size_t i = 0; i < n; i++) {
		if (lines[i].ptr[0] == 'p' || lines[i].ptr[0] == 's')
			use_patch(all, lines[i], lines[i].ptr[0] == 's');
		else if (strchr("chf", lines[i].ptr[0]))
			use_other(all, lines[i]);
		if (lines[i].ptr[0] == 'p')
			use_patch(ahead, lines[i], false);
		if (lines[n - 1 - i].ptr[0] == 'p')
			use_patch(back, lines[n - 1 - i], false);
	}
	check_state(all);
	check_state(ahead);
	check_same(ahead, back);
	free(lines);
	state_free(all);
	state_free(ahead);
	state_free(back);
	return 0;
}
