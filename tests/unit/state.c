/*
 * state: the laws of merging, on states with many ties; reading is replaying;
 * snapshots, bounds, and what closes a node. tests/unit/converge.c has the rest.
 */
#include "common/mem.h"
#include "tools/collab/patch.h"
#include "tools/collab/state.h"

#include "tests/unit/check.h"
#include "tests/unit/merge_patch.h"
#include "tests/unit/state_look.h"

#include <stdlib.h>
#include <time.h>

/* ---- small tools ---- */

static struct stamp
at(int64_t l, const char *node)
{
	return (struct stamp){l, 0, slice(node)};
}

static void
apply(struct state *s, int64_t l, const char *node, const char *patch)
{
	struct stamp t = at(l, node);

	CHECK(state_apply(s, &t, slice(patch), NULL) == STATE_MERGED);
}

static enum state_result
merge(struct state *s, int64_t l, const char *node, uint64_t seq, const char *patch)
{
	struct stamp t = at(l, node);

	return state_merge(s, &t, seq, slice(patch), NULL);
}

static bool
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

static void
add_chunk(struct slice json, void *closure)
{
	struct chunks *c = closure;

	c->v = xgrow(c->v, c->n, &c->cap, sizeof(*c->v));
	c->v[c->n++] = xstrndup(json.ptr, json.len);
	if (json.len > c->longest)
		c->longest = json.len;
	CHECK(json_check(json, NULL) == 0);
}

static void
chunks_free(struct chunks *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->v[i]);
	free(c->v);
	*c = (struct chunks){0};
}

static struct chunks
snapshot(struct state *s, size_t limit)
{
	struct stamp id = at(99, "snap");
	struct chunks c = {0};

	state_snapshot(s, &id, limit, add_chunk, &c);
	return c;
}

static struct state *
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
static bool
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

static void
head(struct state *s, int64_t l, const char *node, struct buf *out)
{
	struct stamp clock = at(l, node);

	buf_reset(out);
	state_head(s, &clock, out);
	CHECK(json_check(buf_slice(out), NULL) == 0);
}

/* What `to` says it needs after a head of `from`. */
static enum state_need
hear(struct state *to, struct state *from, int64_t l, const char *node)
{
	enum state_need need = STATE_NOTHING;
	struct buf text = {0};

	head(from, l, node, &text);
	CHECK(state_heard(to, slice(node), 9, buf_slice(&text), &need, NULL) == 0);
	buf_free(&text);
	return need;
}

static struct state *
new_node(const char *name)
{
	struct state *s = state_new(NULL);

	CHECK(state_self(s, slice(name), NULL) == 0);
	return s;
}

/* ---- what is written down ---- */

/* Each case: patches as stamp and text; what is read whatever their order. */
static void
test_rules(void)
{
	static const struct {
		const char *first, *second, *third, *want;
	} cases[] = {
	    {"{\"a\":1}", "{\"a\":{\"b\":1}}", "{\"a\":{\"c\":2}}", "{\"a\":{\"b\":1,\"c\":2}}"},
	    {"{\"a\":{\"b\":1}}", "{\"a\":5}", "{\"a\":{\"c\":2}}", "{\"a\":{\"c\":2}}"},
	    {"{\"a\":5}", "{\"a\":{\"b\":null}}", "{}", "{\"a\":{}}"},
	    {"{\"a\":{\"b\":1}}", "{\"a\":{}}", "{\"b\":{}}", "{\"a\":{\"b\":1},\"b\":{}}"},
	    {"{\"a\":{\"b\":1}}", "{\"a\":null}", "{\"a\":{\"c\":1}}", "{\"a\":{\"c\":1}}"},
	    {"{\"a\":{\"b\":1}}", "{\"a\":{\"c\":1}}", "{\"a\":null}", "{}"},
	    {"{\"a\":[{\"x\":null}]}", "{\"a\":[2]}", "{\"a\":[ 1.10 , 1e400 ]}", "{\"a\":[1.10,1e400]}"},
	    {"{\"a\":1}", "7", "{\"b\":\"\\u00e9\"}", "{\"b\":\"\\u00e9\"}"},
	    {"{\"a\":1}", "{\"b\":1}", "null", "{}"},
	    {"{\"a\":1}", "{\"\\u0061\":2,\"a\":3}", "{\"a~/\":{\"\":1}}", "{\"a\":3,\"a~/\":{\"\":1}}"},
	    {"{\"b\":1}", "{}", "[1, 2]", "[1,2]"},
	};
	static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (size_t k = 0; k < 6; k++) {
			const char *const patches[] = {cases[i].first, cases[i].second, cases[i].third};
			struct state *s = state_new(NULL);

			for (size_t p = 0; p < 6; p++)
				apply(s, 1 + orders[k][p % 3], "n", patches[orders[k][p % 3]]);
			CHECK(reads(s, cases[i].want));
			state_free(s);
		}
}

/* One stamp twice must never be; where it is, all agree all the same. */
static void
test_ties(void)
{
	static const char *const cases[][3] = {{"{\"a\":1}", "{\"a\":{}}", "{\"a\":{}}"},
	    {"{\"a\":1}", "{\"a\":null}", "{\"a\":1}"}, {"{\"a\":1}", "{\"a\":2}", "{\"a\":2}"},
	    {"{\"a\":{\"b\":1}}", "{\"a\":1}", "{\"a\":{}}"}, {"1", "{\"a\":1}", "{}"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int k = 0; k < 2; k++) {
			struct state *s = state_new(NULL);

			apply(s, 5, "n", cases[i][k]);
			apply(s, 5, "n", cases[i][1 - k]);
			CHECK(reads(s, cases[i][2]));
			state_free(s);
		}
}

static void
put_random(struct buf *out, int depth)
{
	static const char *const leaves[] = {"1", "2", "null", "null", "{}", "[1]"};

	if (depth > 0 && rand() % 5 < 3) {
		buf_addc(out, '{');
		for (int i = rand() % 3; i >= 0; i--) {
			buf_addf(out, "\"%c\":", 'a' + rand() % 3);
			put_random(out, depth - 1);
			if (i > 0)
				buf_addc(out, ',');
		}
		buf_addc(out, '}');
	} else {
		buf_adds(out, leaves[rand() % 6]);
	}
}

/*
 * A few patches with small stamps: many are equal, which must never be but
 * may not break anything either. With a floor, what it takes away is taken.
 */
static struct state *
random_state(bool floor)
{
	struct state *s = state_new(NULL);
	struct buf patch = {0};
	struct stamp t;

	for (int i = rand() % 8; i >= 0; i--) {
		buf_reset(&patch);
		put_random(&patch, 3);
		t = (struct stamp){1 + rand() % 5, (uint32_t)rand() % 2, rand() % 2 ? S("a") : S("b")};
		state_apply(s, &t, buf_slice(&patch), NULL);
		if (floor && rand() % 6 == 0) {
			t = (struct stamp){1 + rand() % 5, (uint32_t)rand() % 9, S("a")};
			state_collect(s, &t, NULL);
		}
	}
	buf_free(&patch);
	return s;
}

/*
 * Whether two of three share the highest floor: then they hold the same below
 * it, or somebody was forgotten. Random ones do not, and there merge(a, b) =
 * merge(b, a) is all that is promised.
 */
static bool
share_floor(const struct state *a, const struct state *b, const struct state *c)
{
	struct stamp f = floor_of(a), g = floor_of(b), h = floor_of(c);

	return (f.l && stamp_cmp(&f, &g) == 0 && stamp_cmp(&f, &h) >= 0) ||
	    (f.l && stamp_cmp(&f, &h) == 0 && stamp_cmp(&f, &g) >= 0) ||
	    (g.l && stamp_cmp(&g, &h) == 0 && stamp_cmp(&g, &f) >= 0);
}

/* merge(a, b) = merge(b, a); merge(a, merge(b, c)) = merge(merge(a, b), c); merge(a, a) = a. */
static void
test_laws(bool floor)
{
	bool commutes = true, associates = true, idempotent = true, whole = true;

	for (int round = 0; round < 6000; round++) {
		struct state *a = random_state(floor), *b = random_state(floor), *c = random_state(floor);
		struct state *ab = copy(a), *ba = copy(b), *bc = copy(b), *a_bc = copy(a), *aa = copy(a);

		whole &= equal(aa, a);
		state_join(aa, a, NULL);
		state_join(ab, b, NULL);
		state_join(ba, a, NULL);
		commutes &= equal(ab, ba);
		state_join(bc, c, NULL);
		state_join(a_bc, bc, NULL);
		state_join(ab, c, NULL);
		associates &= equal(ab, a_bc) || share_floor(a, b, c);
		idempotent &= equal(aa, a);
		state_free(a);
		state_free(b);
		state_free(c);
		state_free(ab);
		state_free(ba);
		state_free(bc);
		state_free(a_bc);
		state_free(aa);
	}
	CHECK(commutes);
	CHECK(associates);
	CHECK(idempotent);
	CHECK(whole);
}

struct patched {
	struct stamp stamp;
	char *patch;
};

static int
by_stamp(const void *a, const void *b)
{
	const struct patched *x = a, *y = b;

	return stamp_cmp(&x->stamp, &y->stamp);
}

/* Any order, with duplicates, and split over two states that are joined, is the order of stamps. */
static void
test_replay(void)
{
	bool same = true, joined = true;

	for (int round = 0; round < 6000; round++) {
		struct patched v[12];
		struct state *s = state_new(NULL), *other = state_new(NULL);
		struct buf want = {0}, text = {0};
		int n = 1 + rand() % 12;

		for (int i = 0; i < n; i++) {
			v[i].stamp = (struct stamp){1 + rand() % 3, (uint32_t)i, rand() % 2 ? S("a") : S("b")};
			put_random(&text, 3);
			v[i].patch = buf_detach(&text);
		}
		for (int i = 0; i < 3 * n; i++) {
			struct patched *p = &v[i < n ? i : rand() % n];

			state_apply(i % 2 ? s : other, &p->stamp, slice(p->patch), NULL);
		}
		state_join(s, other, NULL);
		qsort(v, (size_t)n, sizeof(*v), by_stamp);
		buf_adds(&want, "{}");
		for (int i = 0; i < n; i++) {
			struct buf next = {0};

			merge_patch(buf_slice(&want), slice(v[i].patch), &next);
			buf_free(&want);
			want = next;
		}
		same &= reads(s, slice_is(buf_slice(&want), "null") ? "{}" : want.ptr);
		state_join(other, s, NULL);
		joined &= equal(s, other);
		for (int i = 0; i < n; i++)
			free(v[i].patch);
		buf_free(&want);
		state_free(s);
		state_free(other);
	}
	CHECK(same);
	CHECK(joined);
}

/* ---- vector, floor, heads ---- */

static void
test_vector(void)
{
	struct state *s = new_node("me");
	struct stamp horizon = at(25, "b");
	uint64_t seq;
	bool closed;
	struct slice node;
	size_t each = 0;

	CHECK(merge(s, 10, "a", 2, "{\"x\":2}") == STATE_GAP);
	CHECK(merge(s, 10, "a", 1, "{\"x\":1}") == STATE_MERGED);
	CHECK(merge(s, 10, "a", 1, "{\"x\":7}") == STATE_KNOWN);
	CHECK(state_seen(s, S("a"), 2, NULL) == STATE_MERGED);
	CHECK(state_seen(s, S("a"), 2, NULL) == STATE_KNOWN);
	CHECK(state_seen(s, S("a"), 4, NULL) == STATE_GAP);
	CHECK(merge(s, 10, "a", 3, "{\"x\":8}") == STATE_REFUSED);
	CHECK(merge(s, 0, "a", 3, "{}") == STATE_REFUSED && merge(s, 20, "a", 0, "{}") == STATE_REFUSED);
	CHECK(merge(s, 20, "", 1, "{}") == STATE_REFUSED);
	CHECK(merge(s, 20, "a", 3, "{\"x\":null}") == STATE_MERGED);
	CHECK(state_vector(s, S("a")) == 3 && state_vector(s, S("nobody")) == 0 && reads(s, "{}"));
	CHECK(state_registers(s) == 2);
	CHECK(state_collect(s, &horizon, NULL) == 0 && state_registers(s) == 1);
	/* What the floor has passed comes too late, and closes its node; what is newer is merged. */
	CHECK(merge(s, 15, "b", 1, "{\"x\":9}") == STATE_BEHIND && reads(s, "{}"));
	CHECK(state_closed(s, S("b")) && state_vector(s, S("b")) == 0);
	CHECK(merge(s, 30, "b", 2, "{\"y\":9}") == STATE_BEHIND && reads(s, "{\"y\":9}"));
	CHECK(!state_closed(s, S("a")) && merge(s, 31, "a", 4, "{\"y\":1}") == STATE_MERGED);
	while (state_each(s, &each, &node, &seq, &closed))
		CHECK(slice_is(node, "me") ? seq == 0 : slice_is(node, "a") ? seq == 4 && !closed :
		    slice_is(node, "b") && seq == 0 && closed);
	state_free(s);
}

/*
 * Two halves that gave each other up: a deletion collected in the one and
 * never seen by the other leaves no register, and still closes its writer.
 */
static void
test_lost_deletion(void)
{
	struct state *low = new_node("a"), *high, *again;
	struct stamp f = at(15, "a"), g = at(40, "b");

	CHECK(merge(low, 5, "b", 1, "{\"x\":1,\"y\":1}") == STATE_MERGED);
	high = copy(low);
	CHECK(merge(low, 10, "a", 1, "{\"x\":null}") == STATE_MERGED);
	CHECK(merge(low, 12, "b", 2, "{}") == STATE_MERGED);
	CHECK(state_collect(low, &f, NULL) == 0 && reads(low, "{\"y\":1}"));
	CHECK(merge(high, 12, "b", 2, "{}") == STATE_MERGED);
	CHECK(merge(high, 30, "b", 3, "{\"z\":null}") == STATE_MERGED);
	CHECK(state_collect(high, &g, NULL) == 0);
	again = copy(low); /* what was collected must be remembered on disk, too */
	CHECK(state_join(again, high, NULL) == 0 && reads(again, "{\"x\":1,\"y\":1}"));
	CHECK(state_closed(again, S("a")) && state_vector(again, S("a")) == 0);
	CHECK(!state_closed(again, S("b")) && state_vector(again, S("b")) == 3);
	CHECK(state_join(high, low, NULL) == 0 && state_closed(high, S("a")) && equal(high, again));
	state_free(low);
	state_free(high);
	state_free(again);
}

static void
test_heads(void)
{
	struct state *a = new_node("a"), *b = new_node("b"), *c;
	struct stamp horizon, clock;
	struct buf text = {0};
	struct err e;

	CHECK(merge(a, 10, "a", 1, "{\"x\":1}") == STATE_MERGED);
	CHECK(merge(a, 11, "a", 2, "{\"x\":null}") == STATE_MERGED);
	head(a, 12, "a", &text);
	CHECK(!state_horizon(a, &horizon)); /* alone */
	CHECK(hear(b, a, 12, "a") == STATE_SNAPSHOT);
	CHECK(merge(b, 13, "b", 1, "{\"y\":1}") == STATE_MERGED);
	CHECK(hear(b, a, 14, "a") == STATE_MESSAGES);
	CHECK(merge(b, 10, "a", 1, "{\"x\":1}") == STATE_MERGED);
	CHECK(!state_horizon(b, &horizon));
	CHECK(merge(b, 11, "a", 2, "{\"x\":null}") == STATE_MERGED);
	CHECK(hear(a, b, 15, "b") == STATE_MESSAGES);
	CHECK(merge(a, 13, "b", 1, "{\"y\":1}") == STATE_MERGED);
	CHECK(hear(a, b, 16, "b") == STATE_NOTHING && hear(b, a, 17, "a") == STATE_NOTHING);
	CHECK(hear(a, b, 18, "b") == STATE_NOTHING);
	CHECK(state_horizon(a, &horizon) && horizon.l >= 11 && horizon.l <= 18);
	CHECK(state_registers(a) == 3 && state_collect(a, &horizon, NULL) == 0);
	CHECK(state_registers(a) == 2 && reads(a, "{\"y\":1}"));
	/* b has passed that floor: it needs nothing, and follows. */
	CHECK(hear(b, a, 19, "a") == STATE_NOTHING);
	CHECK(state_horizon(b, &horizon) && state_collect(b, &horizon, NULL) == 0);
	CHECK(state_digest(a) == state_digest(b));
	horizon = floor_of(b);
	CHECK(state_collect(a, &horizon, NULL) == 0 && equal(a, b));
	/* A node that is known and silent holds everything up, until it is forgotten. */
	CHECK(state_seen(a, S("c"), 1, NULL) == STATE_MERGED);
	CHECK(hear(a, b, 40, "b") == STATE_NOTHING && hear(b, a, 41, "a") == STATE_MESSAGES);
	CHECK(state_seen(b, S("c"), 1, NULL) == STATE_MERGED);
	CHECK(hear(b, a, 42, "a") == STATE_NOTHING && hear(a, b, 43, "b") == STATE_NOTHING);
	CHECK(!state_horizon(a, &horizon));
	state_forget(a, S("c"));
	state_forget(b, S("c"));
	CHECK(hear(b, a, 44, "a") == STATE_NOTHING && hear(a, b, 45, "b") == STATE_NOTHING);
	CHECK(state_horizon(a, &horizon) && horizon.l >= 40);
	/* The same vector and floor, another content: somebody is wrong, both take all. */
	c = copy(a);
	apply(c, 50, "x", "{\"z\":1}");
	CHECK(hear(a, c, 51, "c") == STATE_SNAPSHOT && hear(c, a, 52, "a") == STATE_SNAPSHOT);
	/* Heads of an enemy change nothing. */
	head(a, 60, "a", &text);
	CHECK(state_head_clock(buf_slice(&text), &clock, &e) == 0 && clock.l == 60);
	for (size_t i = 0; i < text.len; i++) {
		enum state_need need;
		char was = text.ptr[i];

		for (const char *p = "x9\"[{,"; *p; p++) {
			text.ptr[i] = *p;
			if (json_check(buf_slice(&text), NULL) == 0)
				state_heard(b, S("evil"), 1, buf_slice(&text), &need, &e);
		}
		text.ptr[i] = was;
	}
	CHECK(reads(b, "{\"y\":1}") && state_vector(b, S("a")) == 2);
	buf_free(&text);
	state_free(a);
	state_free(b);
	state_free(c);
}

/* Messages that were no patches need not come, where their own sender says so; patches do. */
static void
test_head_skips(void)
{
	struct state *a = new_node("a"), *b = new_node("b");
	enum state_need need;
	struct buf text = {0};

	CHECK(merge(a, 10, "a", 1, "{\"x\":1}") == STATE_MERGED);
	CHECK(merge(b, 10, "a", 1, "{\"x\":1}") == STATE_MERGED);
	CHECK(state_seen(a, S("a"), 2, NULL) == STATE_MERGED);
	CHECK(hear(b, a, 11, "c") == STATE_MESSAGES && state_vector(b, S("a")) == 1);
	CHECK(hear(b, a, 11, "a") == STATE_NOTHING && state_vector(b, S("a")) == 2);
	CHECK(merge(a, 12, "a", 3, "{\"x\":2}") == STATE_MERGED);
	CHECK(state_seen(a, S("a"), 4, NULL) == STATE_MERGED);
	CHECK(hear(b, a, 13, "a") == STATE_MESSAGES && state_vector(b, S("a")) == 2);
	CHECK(merge(b, 12, "a", 3, "{\"x\":2}") == STATE_MERGED);
	CHECK(hear(b, a, 14, "a") == STATE_NOTHING && state_vector(b, S("a")) == 4);
	/* Not behind the head's own number, nor by one that is damaged. */
	for (uint64_t seq = 5; seq <= 9; seq++)
		CHECK(state_seen(a, S("a"), seq, NULL) == STATE_MERGED);
	CHECK(hear(b, a, 15, "a") == STATE_MESSAGES && state_vector(b, S("a")) == 4);
	head(a, 16, "a", &text);
	CHECK(buf_slice(&text).ptr[text.len - 2] == '}');
	buf_splice(&text, text.len - 2, 0, S(",\"b\":0"));
	CHECK(state_heard(b, S("a"), 99, buf_slice(&text), &need, NULL) == -1);
	CHECK(state_vector(b, S("a")) == 4);
	buf_free(&text);
	state_free(a);
	state_free(b);
}

/* ---- snapshots ---- */

static void
test_snapshot(void)
{
	struct state *s = new_node("me"), *back;
	struct stamp floor = at(3, "me");
	struct buf patch = {0};
	struct chunks c;
	size_t long_ones = 0;

	CHECK(merge(s, 2, "me", 1, "{\"gone\":null}") == STATE_MERGED);
	CHECK(state_collect(s, &floor, NULL) == 0);
	for (int i = 0; i < 300; i++) {
		char node[16];

		snprintf(node, sizeof(node), "n%d", i % 50);
		buf_reset(&patch);
		buf_addf(&patch, "{\"k\\\"%d/~\":{\"é\":%s,\"d\":null,\"s\":\"", i, i % 2 ? "[ 1 ]" : "{}");
		for (int k = i == 77 ? 900 : 3; k-- > 0; )
			buf_adds(&patch, "x");
		buf_adds(&patch, "\"}}");
		CHECK(merge(s, 10 + i, node, (uint64_t)i / 50 + 1, patch.ptr) == STATE_MERGED);
	}
	CHECK(merge(s, 3, "late", 1, "{}") == STATE_BEHIND);
	c = snapshot(s, 700);
	CHECK(c.n > 20);
	for (size_t i = 0; i < c.n; i++)
		long_ones += strlen(c.v[i]) > 700;
	CHECK(long_ones == 1 && c.longest < 2 * 950 + 1300); /* the row that is longer by itself */
	back = state_new(NULL);
	for (size_t i = 0; i < c.n; i++) { /* any order, each twice */
		size_t k = (i * 7 + 3) % c.n, done;

		if (c.n % 7 == 0)
			k = c.n - 1 - i;
		done = (size_t)state_load(back, slice(c.v[k]), NULL);
		CHECK(done == (i + 1 == c.n) && state_load(back, slice(c.v[k]), NULL) == (int)done);
	}
	CHECK(equal(s, back) && state_registers(back) == state_registers(s));
	CHECK(state_bytes(back) == state_bytes(s));
	CHECK(state_vector(back, S("n7")) == 6 && state_closed(back, S("late")));
	state_free(back);
	/* One is missing: it cannot be joined. */
	back = state_new(NULL);
	for (size_t i = 1; i < c.n; i++)
		CHECK(state_load(back, slice(c.v[i]), NULL) == 0);
	CHECK(state_join(s, back, NULL) == -1);
	state_free(back);
	chunks_free(&c);
	buf_free(&patch);
	state_free(s);
}

static void
test_bad_chunks(void)
{
#define CHUNK(part, last, nodes, rows) \
	"{\"snapshot\":[1,0,\"n\"],\"part\":" part ",\"last\":" last ",\"nodes\":" nodes ",\"rows\":" rows "}"
	static const char *const bad[] = {"[]", "{}", CHUNK("-1", "true", "[]", "[]"),
	    CHUNK("9999999", "false", "[]", "[]"), CHUNK("0", "true", "{}", "[]"),
	    CHUNK("0", "true", "[1]", "[]"), CHUNK("0", "true", "[\"\\u0001\"]", "[]"),
	    CHUNK("0", "true", "[\"a\"]", "[[]]"), CHUNK("0", "true", "[\"a\"]", "[[\"z\",1]]"),
	    CHUNK("0", "true", "[\"a\"]", "[[\"r\",\"/x\",1,0,1,1]]"),
	    CHUNK("0", "true", "[\"a\"]", "[[\"r\",\"/x\",0,0,0,1]]"),
	    CHUNK("0", "true", "[\"a\"]", "[[\"r\",\"x\",1,0,0,1]]"),
	    CHUNK("0", "true", "[\"a\"]", "[[\"r\",\"/~\",1,0,0,1]]"),
	    CHUNK("0", "true", "[\"a\"]", "[[\"r\",\"/x\",1,0,0,{}]]"),
	    CHUNK("0", "true", "[\"a\"]", "[[\"r\",\"/x\",1,0,0,null]]"),
	    CHUNK("0", "true", "[\"a\"]", "[[\"r\",\"/x\",1,0,0]]"),
	    CHUNK("0", "true", "[\"a\"]", "[[\"d\",\"/x\",1,4294967296,0]]"),
	    CHUNK("0", "true", "[\"a\"]", "[[\"v\",0,-1,1,1]]"),
	    CHUNK("0", "true", "[\"a\"]", "[[\"f\",1,1]]"), CHUNK("0", "true", "[]", "[[\"v\",0,1,1,1]]"),
	    CHUNK("0", "true", "[\"\"]", "[[\"o\",\"\",1,1,0]]")};
	struct buf deep = {0};
	struct err e;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct state *s = state_new(NULL);

		CHECK(json_check(slice(bad[i]), NULL) == 0 && state_load(s, slice(bad[i]), &e) == -1);
		if (strcmp(e.code, "bad_snapshot") && strcmp(e.code, "bad_stamp"))
			CHECK_TEXT(e.code, bad[i]);
		state_free(s);
	}
	for (int depth = STATE_DEPTH - 1; depth <= STATE_DEPTH; depth++) {
		struct state *s = state_new(NULL);

		buf_reset(&deep);
		buf_adds(&deep, "{\"snapshot\":[1,0,\"n\"],\"part\":0,\"last\":true,\"nodes\":[\"a\"],\"rows\":[[\"o\",\"");
		for (int i = 0; i < depth; i++)
			buf_adds(&deep, "/x");
		buf_adds(&deep, "\",1,0,0]]}");
		CHECK(state_load(s, buf_slice(&deep), &e) == (depth < STATE_DEPTH ? 1 : -1));
		state_free(s);
	}
	buf_free(&deep);
}

/* ---- bounds, wire ---- */

static void
test_bounds(void)
{
	struct state *s = state_new(&(struct state_settings){.max_registers = 20, .max_nodes = 3});
	struct buf patch = {0};
	struct stamp t = at(1, "a");
	struct err e;
	int64_t l = 1;

	while (t.l = l++, buf_reset(&patch), buf_addf(&patch, "{\"k%d\":1}", (int)l),
	    state_apply(s, &t, buf_slice(&patch), &e) == STATE_MERGED)
		;
	CHECK(strcmp(e.code, "state_full") == 0 && state_registers(s) == 20);
	t.l = l++;
	CHECK(state_apply(s, &t, S("{\"k2\":null,\"k3\":null}"), &e) == STATE_MERGED);
	t.l = l++;
	CHECK(state_collect(s, &t, &e) == 0);
	t.l = l++;
	CHECK(state_apply(s, &t, S("{\"new\":1}"), &e) == STATE_MERGED);
	t.node = S("b");
	CHECK(state_apply(s, &t, S("{}"), &e) == STATE_MERGED);
	t.node = S("c");
	CHECK(state_apply(s, &t, S("{\"k4\":null}"), &e) == STATE_MERGED);
	t.node = S("d");
	CHECK(state_apply(s, &t, S("{}"), &e) == STATE_REFUSED && strcmp(e.code, "state_full") == 0);
	state_free(s);
	s = state_new(&(struct state_settings){.max_bytes = 4000});
	t = at(1, "a");
	for (; t.l < 1000 && state_apply(s, &t, S("{\"a\":{\"b\":[1]}}"), &e) == STATE_MERGED; t.l++)
		;
	CHECK(t.l == 1000 && state_bytes(s) < 1000); /* what is written over costs nothing */
	buf_adds(&patch, "[");
	for (int i = 0; i < 4000; i++)
		buf_adds(&patch, "1,");
	buf_adds(&patch, "1]");
	CHECK(state_apply(s, &t, buf_slice(&patch), &e) == STATE_REFUSED);
	CHECK_TEXT(e.code, "state_full");
	state_free(s);
	s = state_new(NULL);
	for (int depth = STATE_DEPTH; depth <= STATE_DEPTH + 1; depth++) {
		buf_reset(&patch);
		for (int i = 0; i < depth; i++)
			buf_adds(&patch, i < depth - 3 ? "{\"a\":" : "[");
		for (int i = depth; i-- > 0; )
			buf_adds(&patch, i < depth - 3 ? "}" : "]");
		t.l++;
		CHECK(state_apply(s, &t, buf_slice(&patch), &e) ==
		    (depth == STATE_DEPTH ? STATE_MERGED : STATE_REFUSED));
	}
	CHECK_TEXT(e.code, "too_deep");
	/* All is given back. */
	t.l++;
	CHECK(state_apply(s, &t, S("{\"a\":null}"), &e) == STATE_MERGED);
	CHECK(state_collect(s, &t, &e) == 0 && state_registers(s) == 1 && state_bytes(s) == 0);
	state_free(s);
	buf_free(&patch);
}

static void
test_wire(void)
{
	struct stamp t = {1700000000000, 3, S("n")}, back = {.node = S("from")};
	struct buf out = {0};
	struct slice patch;
	struct err e;

	state_put_patch(&out, &t, S("{\"a\":1.10}"));
	CHECK_TEXT(out.ptr, "{\"stamp\":[1700000000000,3],\"patch\":{\"a\":1.10}}");
	CHECK(state_get_patch(buf_slice(&out), &back, &patch, &e) == 0 && back.l == t.l && back.c == 3);
	CHECK(slice_is(patch, "{\"a\":1.10}") && slice_is(back.node, "from"));
	CHECK(state_get_patch(S("{\"stamp\":[1,2]}"), &back, &patch, &e) == -1);
	CHECK_TEXT(e.code, "bad_patch");
	CHECK(state_get_patch(S("{\"stamp\":[1,2,3],\"patch\":1}"), &back, &patch, &e) == -1);
	CHECK_TEXT(e.code, "bad_stamp");
	CHECK(state_get_patch(S("[]"), &back, &patch, &e) == -1);
	buf_free(&out);
}

int
main(void)
{
	const char *given = getenv("KANDIL_TEST_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);

	printf("KANDIL_TEST_SEED=%u\n", seed);
	srand(seed);
	test_rules();
	test_ties();
	test_laws(false);
	test_laws(true);
	test_replay();
	test_vector();
	test_lost_deletion();
	test_heads();
	test_head_skips();
	test_snapshot();
	test_bad_chunks();
	test_bounds();
	test_wire();
	return check_done();
}
