/*
 * state: the laws of merging, on states with many ties; reading is replaying.
 * tests/unit/converge.c has the rest.
 */
#include "tests/unit/merge_patch.h"
#include "tests/unit/state_say.h"
#include "tools/collab/patch.h"
#include "tools/collab/state.h"

#include <time.h>

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
	return check_done();
}
