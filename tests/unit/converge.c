/*
 * converge: the shared state's reason to be. Random histories of 3 to 10
 * replicas with virtual clocks and a virtual network: edits, reordering,
 * duplicates, loss, cuts, crashes, skewed and stepping clocks, newcomers,
 * collected tombstones, forgotten nodes. In the end every replica holds the
 * same bytes, and they are those of the oracle: all patches in the order of
 * their stamps, applied by RFC 7396.
 *
 * A history is a list of operations, each of which means something whatever
 * stands before it, so a failing one is shrunk by leaving operations out.
 */
#include "tools/collab/patch.h"
#include "tools/collab/state.h"

#include "tests/unit/check.h"
#include "tests/unit/converge_world.h"
#include "tests/unit/merge_patch.h"

#include <inttypes.h>
#include <time.h>

/* In all, over all histories. ASan is about 20 times slower. */
#ifndef OPERATIONS
#if defined(__SANITIZE_ADDRESS__)
#define OPERATIONS 60000
#else
#define OPERATIONS 1050000
#endif
#endif

enum { HISTORY = 900 };

/* ---- operations ---- */

enum kind {
	EDIT, OTHER, DELIVER, HEAD, CUT, MEND, SAVE, CRASH, SKEW, COLLECT, MEET, FORGET, SQUEEZE,
	ENTER, KINDS,
};

static const char *const kind_names[] = {"edit", "other", "deliver", "head", "cut", "mend", "save",
    "crash", "skew", "collect", "meet", "forget", "squeeze", "enter"};
/* How often each comes, of 1000. */
static const uint32_t kind_weights[] = {325, 20, 505, 14, 12, 18, 20, 10, 10, 25, 16, 5, 10, 10};

struct op {
	enum kind kind;
	uint64_t seed;
};

static void
put_value(struct buf *out, int depth)
{
	static const char *const leaves[] = {"null", "null", "null", "{}", "[]", "[1,{\"x\": null}]",
	    "1.10", "\"\\u00e9\"", "true"};
	static const char *const names[] = {"a", "b", "c", "\\u0061", "~/"};
	uint32_t n;

	if (depth > 0 && roll(5) < 3) {
		buf_addc(out, '{');
		n = roll(3) + (depth == 3);
		for (uint32_t i = 0; i < n; i++) {
			if (i)
				buf_addc(out, ',');
			buf_addf(out, " \"%s\":", names[roll(roll(4) ? 3 : 5)]);
			put_value(out, depth - 1);
		}
		buf_addc(out, '}');
	} else if (roll(2)) {
		buf_adds(out, leaves[roll(sizeof(leaves) / sizeof(*leaves))]);
	} else {
		buf_addf(out, "%u", roll(100));
	}
}

static void
edit(struct world *w, size_t me)
{
	struct buf patch = {0};

	if (w->r[me].quiet && !w->stable && roll(16)) {
		publish(w, me, NULL);
		return;
	}
	put_value(&patch, 3);
	/* As a whole a leaf is rare: it deletes all that there is. */
	if (json_type(buf_slice(&patch)) != JSON_OBJECT && roll(20)) {
		struct buf inner = patch;

		patch = (struct buf){0};
		buf_addf(&patch, "{\"%c\":%s}", "abc"[roll(3)], inner.ptr);
		buf_free(&inner);
	}
	publish(w, me, patch.ptr);
	did.edits++;
	buf_free(&patch);
}

static void
deliver(struct world *w, size_t from, size_t to)
{
	struct queue *q = &w->queue[from][to];
	struct parcel p;
	size_t at;

	if (q->n == 0 || w->cut[from][to])
		return;
	at = roll(3) ? 0 : roll((uint32_t)q->n);
	p = q->v[at];
	if (roll(12) == 0) { /* it comes once more, later */
		if (p.text)
			p.text = xstrdup(p.text);
	} else {
		memmove(q->v + at, q->v + at + 1, (--q->n - at) * sizeof(*q->v));
	}
	if (roll(12)) /* else it is lost */
		arrive(w, from, to, &p, true);
	free(p.text);
}

static void
drain(struct world *w, size_t from, size_t to)
{
	struct queue *q = &w->queue[from][to];

	for (size_t i = 0; i < q->n; i++) {
		struct parcel p = q->v[i]; /* arrive may move the queue */

		arrive(w, from, to, &p, false);
		free(p.text);
	}
	q->n = 0;
}

/* All of a group hear each other's heads, and what follows from them; sloppy: perhaps. */
static void
meet(struct world *w, const bool *group, bool sloppy)
{
	for (size_t a = 0; a < w->n; a++)
		for (size_t b = 0; b < w->n; b++)
			if (a != b && group[a] && group[b])
				send_head(w, a, b);
	for (int i = 0; i < 2; i++)
		for (size_t a = 0; a < w->n; a++)
			for (size_t b = 0; b < w->n; b++) {
				if (a == b || !group[a] || !group[b])
					continue;
				if (!sloppy)
					drain(w, a, b);
				for (size_t k = w->queue[a][b].n; k > 0; k--)
					deliver(w, a, b);
			}
}

/*
 * Some meet and collect tombstones; in a changing world they may have given
 * up on all others.
 */
static void
meet_some(struct world *w, size_t first)
{
	bool group[MAX_REPLICAS] = {false}, alone = !w->stable && roll(2), sloppy = roll(2);
	size_t before = did.tombstones;

	for (size_t i = 0; i < w->n; i++)
		group[i] = w->r[i].here && (i == first || (!w->cut[first][i] && roll(8)));
	for (int round = 0; round < 3; round++) {
		meet(w, group, sloppy);
		for (size_t i = 0; i < w->n; i++)
			for (size_t k = 0; group[i] && alone && k < w->n_ids; k++)
				if (!group[w->ids[k].owner]) {
					state_forget(w->r[i].state, slice(w->ids[k].name));
					did.forgotten++;
				}
	}
	for (size_t i = 0; i < w->n; i++)
		if (group[i] && roll(2))
			collect(w, &w->r[i]);
	did.early += did.tombstones - before;
}

static void
perform(struct world *w, const struct op *op)
{
	size_t a, b;

	dice = op->seed;
	a = roll((uint32_t)w->n);
	b = (a + 1 + roll((uint32_t)w->n - 1)) % w->n;
	w->now += roll(50);
	did.operations++;
	if (op->kind == ENTER) {
		if (!w->r[a].here)
			enter(w, a);
		return;
	}
	if (!w->r[a].here)
		return;
	switch (op->kind) {
	case EDIT:
		edit(w, a);
		break;
	case OTHER:
		publish(w, a, NULL);
		break;
	case DELIVER:
		for (int i = 0; i < 3; i++)
			deliver(w, roll((uint32_t)w->n), a);
		break;
	case HEAD:
		for (size_t to = 0; to < w->n; to++)
			if (to != a && w->r[to].here && !w->cut[a][to])
				send_head(w, a, to);
		break;
	case CUT:
		w->cut[a][b] = w->cut[b][a] = true;
		break;
	case MEND:
		w->cut[a][b] = w->cut[b][a] = false;
		break;
	case SAVE:
		save(w, &w->r[a]);
		break;
	case CRASH:
		if (w->stable) /* who comes back as he was is still known */
			save(w, &w->r[a]);
		crash(w, a);
		break;
	case SKEW:
		w->r[a].skew = (int64_t)roll(40000) - 20000;
		break;
	case COLLECT:
		collect(w, &w->r[a]);
		break;
	case MEET:
		meet_some(w, a);
		break;
	case FORGET:
		if (w->stable)
			break;
		state_forget(w->r[a].state, slice(w->ids[roll((uint32_t)w->n_ids)].name));
		did.forgotten++;
		break;
	case SQUEEZE:
		/* Whom a crash made silent is not known then, nor waited for. */
		if (!w->stable)
			squeeze(&w->r[a]);
		break;
	default:
		break;
	}
}

/* ---- the end of a history ---- */

/* Whether all have merged the same. */
static bool
is_settled(struct world *w)
{
	struct replica *first = NULL;

	for (size_t i = 0; i < w->n; i++) {
		struct replica *r = &w->r[i];

		if (!r->here)
			continue;
		if (first == NULL)
			first = r;
		for (size_t k = 0; k < w->n_ids; k++)
			if (state_vector(r->state, slice(w->ids[k].name)) !=
			    state_vector(first->state, slice(w->ids[k].name)))
				return false;
		if (state_digest(r->state) != state_digest(first->state))
			return false;
	}
	return true;
}

/* Heads go round until all have the same. */
static void
settle(struct world *w)
{
	bool here[MAX_REPLICAS];

	memset(w->cut, 0, sizeof(w->cut));
	for (size_t i = 0; i < w->n; i++)
		here[i] = w->r[i].here;
	for (int round = 0; round < 40; round++) {
		w->now += 1000;
		meet(w, here, false);
		for (size_t a = 0; a < w->n; a++)
			if (w->r[a].here)
				collect(w, &w->r[a]);
		if (round && is_settled(w))
			return;
	}
	fail(w, "the replicas do not settle");
}

struct patched {
	struct stamp stamp;
	const char *patch;
};

static int
by_stamp(const void *a, const void *b)
{
	const struct patched *x = a, *y = b;

	return stamp_cmp(&x->stamp, &y->stamp);
}

/* All patches in the order of their stamps. */
static void
oracle(const struct world *w, struct buf *document)
{
	struct patched *v = NULL;
	struct buf next = {0};
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < w->n_ids; i++)
		for (size_t k = 0; k < w->ids[i].n; k++)
			if (w->ids[i].v[k].patch) {
				v = xgrow(v, n, &cap, sizeof(*v));
				v[n].stamp = w->ids[i].v[k].stamp;
				v[n].stamp.node = slice(w->ids[i].name);
				v[n++].patch = w->ids[i].v[k].patch;
			}
	if (n)
		qsort(v, n, sizeof(*v), by_stamp);
	buf_reset(document);
	buf_adds(document, "{}");
	for (size_t i = 0; i < n; i++) {
		struct buf swap = *document;

		buf_reset(&next);
		merge_patch(buf_slice(document), slice(v[i].patch), &next);
		*document = next;
		next = swap;
	}
	if (slice_is(buf_slice(document), "null")) {
		buf_reset(document);
		buf_adds(document, "{}");
	}
	buf_free(&next);
	free(v);
}

static void
compare(struct world *w)
{
	struct buf want = {0}, got = {0};

	oracle(w, &want);
	for (size_t i = 0; i < w->n; i++) {
		if (!w->r[i].here)
			continue;
		buf_reset(&got);
		state_read(w->r[i].state, &got);
		if (!slice_eq(buf_slice(&got), buf_slice(&want))) {
			if (w->fault == NULL && getenv("KANDIL_TEST_VERBOSE"))
				fprintf(stderr, "replica %zu: %s\noracle: %s\n", i, got.ptr, want.ptr);
			fail(w, "a replica differs from the oracle");
		}
	}
	buf_free(&want);
	buf_free(&got);
}

/* Everybody has heard of everybody, and remembers it. */
static void
introduce(struct world *w)
{
	for (size_t i = 0; i < w->n; i++)
		publish(w, i, NULL);
	settle(w);
	for (size_t i = 0; i < w->n; i++)
		save(w, &w->r[i]);
}

/* ---- histories ---- */

/* What goes wrong in a history, NULL: nothing. */
static const char *
run(const struct op *ops, size_t n, size_t replicas, bool stable)
{
	static struct world w;

	w = (struct world){.n = replicas, .now = 1700000000000, .stable = stable};
	dice = 1;
	for (size_t i = 0; i < (stable ? replicas : (replicas + 1) / 2); i++)
		enter(&w, i);
	if (stable)
		introduce(&w);
	for (size_t i = 0; i < n && w.fault == NULL; i++)
		perform(&w, &ops[i]);
	dice = 1;
	if (w.fault == NULL)
		settle(&w);
	if (w.fault == NULL)
		compare(&w);
	world_free(&w);
	return w.fault;
}

/* Leaves out what is not needed for the fault: halves, quarters, …, single operations. */
static size_t
shrink(struct op *ops, size_t n, size_t replicas, bool stable)
{
	struct op *fewer = xreallocarray(NULL, n, sizeof(*ops));

	for (size_t size = n / 2; size > 0; size /= 2)
		for (size_t at = 0; at + size <= n; ) {
			memcpy(fewer, ops, at * sizeof(*ops));
			memcpy(fewer + at, ops + at + size, (n - at - size) * sizeof(*ops));
			if (run(fewer, n - size, replicas, stable)) {
				n -= size;
				memcpy(ops, fewer, n * sizeof(*ops));
			} else {
				at += size;
			}
		}
	free(fewer);
	return n;
}

static enum kind
roll_kind(void)
{
	uint32_t at = roll(1000), kind = 0;

	while (kind + 1 < KINDS && at >= kind_weights[kind])
		at -= kind_weights[kind++];
	return (enum kind)kind;
}

int
main(void)
{
	static struct op ops[HISTORY];
	const char *given = getenv("KANDIL_TEST_SEED"), *fault;
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL), next = seed;

	printf("KANDIL_TEST_SEED=%" PRIu64 "\n", seed);
	while (did.operations < OPERATIONS) {
		size_t replicas, n;
		bool stable;

		dice = next++ * 0x9E3779B97F4A7C15u | 1;
		roll(2);
		replicas = 3 + roll(MAX_REPLICAS - 2);
		stable = roll(2);
		n = 1 + roll(roll(2) ? HISTORY : 60);
		for (size_t i = 0; i < n; i++) {
			ops[i].kind = roll_kind();
			ops[i].seed = ((uint64_t)roll(UINT32_MAX) << 32 | roll(UINT32_MAX)) | 1;
		}
		fault = run(ops, n, replicas, stable);
		CHECK(fault == NULL);
		if (fault) {
			fprintf(stderr, "KANDIL_TEST_SEED=%" PRIu64 ": %s\n", next - 1, fault);
			n = shrink(ops, n, replicas, stable);
			fprintf(stderr, "%zu %s replicas, %zu operations are enough:\n", replicas,
			    stable ? "stable" : "changing", n);
			for (size_t i = 0; i < n; i++)
				fprintf(stderr, "\t%s %" PRIu64 "\n", kind_names[ops[i].kind],
				    ops[i].seed);
			setenv("KANDIL_TEST_VERBOSE", "1", 1);
			run(ops, n, replicas, stable);
			break;
		}
	}
	printf("%zu operations: %zu edits, %zu merges, %zu gaps, %zu snapshots, %zu collections, "
	       "%zu tombstones (%zu on the way), %zu forgotten, %zu behind the floor, "
	       "%zu new identities, %zu places given back\n",
	    did.operations, did.edits, did.merges, did.gaps, did.snapshots, did.collections,
	    did.tombstones, did.early, did.forgotten, did.behind, did.renewals,
	    did.places);
	return check_done();
}
