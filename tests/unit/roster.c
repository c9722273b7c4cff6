/*
 * roster: the frames of a real Phoenix, the orders in which they come, and a
 * random server against a model that knows who is there.
 */
#include "common/json.h"
#include "common/mem.h"
#include "tests/unit/check.h"
#include "tools/collab/roster.h"

#include <stdlib.h>
#include <unistd.h>

static struct buf log_;

static void
on_member(struct slice key, bool here, struct slice meta, void *state)
{
	(void)state;
	buf_addf(&log_, "%c%.*s%.*s ", here ? '+' : '-', (int)key.len, key.ptr, (int)meta.len,
	    meta.ptr);
}

static struct roster r = {.member = on_member};

static const char *
told(void)
{
	static struct buf shown;

	buf_reset(&shown);
	buf_addslice(&shown, buf_slice(&log_));
	buf_reset(&log_);
	buf_adds(&shown, "");
	return shown.ptr;
}

static void
test_captured(void)
{
	static const struct slice
	    first = S("{\"joins\":{\"k1\":{\"metas\":[{\"phx_ref\":\"GOpW8D3rmHVEGwEy\",\"n\":1}]}},"
		      "\"leaves\":{}}"),
	    update = S("{\"joins\":{\"k1\":{\"metas\":[{\"phx_ref\":\"GOpW8FAi_E9EGwFC\","
		       "\"phx_ref_prev\":\"GOpW8D3rmHVEGwEy\",\"n\":2}]}},\"leaves\":{\"k1\":{\"metas\":"
		       "[{\"phx_ref\":\"GOpW8D3rmHVEGwEy\",\"n\":1}]}}}"),
	    other = S("{\"joins\":{\"k1\":{\"metas\":[{\"phx_ref\":\"GOpW8GIrbklEGwFS\","
		      "\"other\":true}]}},\"leaves\":{}}"),
	    gone = S("{\"joins\":{},\"leaves\":{\"k1\":{\"metas\":[{\"phx_ref\":"
		     "\"GOpW8GIrbklEGwFS\",\"other\":true}]}}}"),
	    last = S("{\"leaves\":{\"k1\":{\"metas\":[{\"phx_ref\":\"GOpW8FAi_E9EGwFC\"}]}}}");

	roster_joined(&r);
	roster_state(&r, S("{}"));
	roster_diff(&r, first);
	CHECK_TEXT(told(), "+k1{\"n\":1} ");
	roster_diff(&r, update);
	CHECK_TEXT(told(), "+k1{\"n\":2} ");
	CHECK(r.metas == 1);
	roster_diff(&r, other); /* a second connection under one key */
	CHECK_TEXT(told(), "+k1{\"other\":true} ");
	CHECK(r.metas == 2);
	roster_diff(&r, gone); /* one of two left: it is still here */
	CHECK_TEXT(told(), "+k1{\"n\":2} ");
	roster_diff(&r, last);
	CHECK_TEXT(told(), "-k1 ");
	roster_diff(&r, last);
	CHECK_TEXT(told(), "");
	CHECK(r.metas == 0 && r.n == 0);
	roster_free(&r);
}

/* A diff before the state is held; what came and went before it is never told. */
static void
test_orders(void)
{
	roster_joined(&r);
	roster_diff(&r, S("{\"joins\":{\"b\":{\"metas\":[{\"phx_ref\":\"2\"}]}},\"leaves\":{}}"));
	roster_diff(&r, S("{\"joins\":{\"c\":{\"metas\":[{\"phx_ref\":\"3\"}]}},\"leaves\":{}}"));
	roster_diff(&r, S("{\"joins\":{},\"leaves\":{\"c\":{\"metas\":[{\"phx_ref\":\"3\"}]},"
			  "\"a\":{\"metas\":[{\"phx_ref\":\"0\"}]}}}"));
	CHECK_TEXT(told(), "");
	roster_state(&r, S("{\"a\":{\"metas\":[{\"phx_ref\":\"0\"},{\"phx_ref\":\"1\",\"x\":1}]}}"));
	CHECK_TEXT(told(), "+a{\"x\":1} +b{} ");
	/* A rejoin: new refs, the same people but one. */
	roster_joined(&r);
	roster_diff(&r, S("{\"joins\":{\"d\":{\"metas\":[{\"phx_ref\":\"9\"}]}},\"leaves\":{}}"));
	roster_state(&r, S("{\"b\":{\"metas\":[{\"phx_ref\":\"22\"}]}}"));
	CHECK_TEXT(told(), "-a +d{} ");
	/* The state again, the same: nothing is new. */
	roster_state(&r, S("{\"b\":{\"metas\":[{\"phx_ref\":\"23\"}]},\"d\":{\"metas\":[{}]}}"));
	CHECK_TEXT(told(), "");
	/* Things that are none. */
	roster_diff(&r, S("[1]"));
	roster_diff(&r, S("{\"joins\":7,\"leaves\":{\"b\":3,\"d\":{\"metas\":{}},"
			  "\"e\":{\"metas\":[1,[]]}}}"));
	roster_state(&r, S("\"x\""));
	CHECK_TEXT(told(), "-b -d ");
	roster_free(&r);
	CHECK(r.bytes == 0 && r.metas == 0);
}

/* The bounds: as many as there may be, and the rest is not seen. */
static void
test_bounds(void)
{
	struct buf b = {0};

	json_open(&b, '{');
	for (int i = 0; i < ROSTER_METAS + 10; i++) {
		char key[32];

		snprintf(key, sizeof(key), "k%d", (i * 7919) % (ROSTER_METAS + 10));
		json_name(&b, key);
		buf_adds(&b, "{\"metas\":[{}]}");
	}
	json_close(&b, '}');
	roster_joined(&r);
	roster_state(&r, buf_slice(&b));
	CHECK(r.metas == ROSTER_METAS && r.n == ROSTER_METAS);
	roster_joined(&r);
	for (int i = 0; i < 1000; i++)
		roster_diff(&r, buf_slice(&b));
	CHECK(r.bytes <= ROSTER_BYTES);
	roster_free(&r);
	CHECK(r.bytes == 0);
	buf_free(&b);
	buf_reset(&log_);
}

/* ---- a random server ---- */

enum { KEYS = 4, REFS = 3 };

/* What the server knows: for each key up to REFS metas, [0] the oldest. */
static struct meta {
	int ref, n;
} server[KEYS][REFS];
static int count[KEYS], next_ref;

static void
put_meta(struct buf *b, struct meta m)
{
	buf_addf(b, "{\"phx_ref\":\"r%d\",\"n\":%d}", m.ref, m.n);
}

static void
put_one(struct buf *b, const char *list, int key, const struct meta *m)
{
	buf_addf(b, "\"%s\":{", list);
	if (m) {
		buf_addf(b, "\"key%d\":{\"metas\":[", key);
		put_meta(b, *m);
		buf_adds(b, "]}");
	}
	buf_adds(b, "}");
}

/* One change at the server and its diff. */
static void
change(struct buf *diff)
{
	int key = (int)(random() % KEYS), i;
	struct meta old = {0}, new = {++next_ref, (int)(random() % 3)};
	bool join = count[key] < REFS && (count[key] == 0 || random() % 2), leave = !join;

	if (count[key] && random() % 3 == 0)
		join = leave = true; /* an update */
	if (leave) {
		i = (int)(random() % count[key]);
		old = server[key][i];
		memmove(&server[key][i], &server[key][i + 1],
		    (size_t)(--count[key] - i) * sizeof(old));
	}
	if (join)
		server[key][count[key]++] = new;
	buf_reset(diff);
	buf_addc(diff, '{');
	put_one(diff, "joins", key, join ? &new : NULL);
	buf_addc(diff, ',');
	put_one(diff, "leaves", key, leave ? &old : NULL);
	buf_addc(diff, '}');
}

static void
put_state(struct buf *b)
{
	bool any = false;

	buf_reset(b);
	buf_addc(b, '{');
	for (int k = 0; k < KEYS; k++) {
		if (!count[k])
			continue;
		buf_addf(b, "%s\"key%d\":{\"metas\":[", any ? "," : "", k);
		for (int i = 0; i < count[k]; i++) {
			buf_adds(b, i ? "," : "");
			put_meta(b, server[k][i]);
		}
		buf_adds(b, "]}");
		any = true;
	}
	buf_addc(b, '}');
}

/* What a listener has been told, by key: -1, away. */
static int seen[KEYS];

static void
on_random(struct slice key, bool here, struct slice meta, void *state)
{
	int k = key.ptr[3] - '0';
	struct slice n;
	long long v = -1;

	(void)state;
	if (here) {
		CHECK(json_get(meta, "n", &n) && json_long(n, &v));
		CHECK(!json_get(meta, "phx_ref", &n));
	}
	/* Only what is news is told. */
	CHECK(seen[k] != (int)v);
	seen[k] = (int)v;
}

static void
check_seen(void)
{
	size_t metas = 0;

	for (int k = 0; k < KEYS; k++) {
		CHECK(seen[k] == (count[k] ? server[k][count[k] - 1].n : -1));
		metas += (size_t)count[k];
	}
	CHECK(r.metas == metas);
}

static void
test_random(unsigned seed)
{
	struct buf diff = {0}, state = {0};
	int failed = check_failed;

	srandom(seed);
	r = (struct roster){.member = on_random};
	memset(seen, -1, sizeof(seen));
	for (int join = 0; join < 300; join++) {
		int before = (int)(random() % 4), after = (int)(random() % 6);

		for (int i = (int)(random() % 5); i > 0; i--)
			change(&diff); /* while we are away */
		roster_joined(&r);
		/* The state is as old as the first of the diffs that come before it. */
		put_state(&state);
		for (int i = 0; i < before; i++) {
			change(&diff);
			roster_diff(&r, buf_slice(&diff));
			if (random() % 3 == 0)
				put_state(&state); /* or younger than some of them */
		}
		roster_state(&r, buf_slice(&state));
		for (int i = 0; i < after; i++) {
			change(&diff);
			roster_diff(&r, buf_slice(&diff));
			if (check_failed != failed)
				break;
		}
		check_seen();
	}
	if (check_failed != failed)
		fprintf(stderr, "seed %u\n", seed);
	roster_free(&r);
	buf_free(&diff);
	buf_free(&state);
}

/* Small diffs cost more than their bytes: of these, too, there is an end. */
static void
test_many_held(void)
{
	r = (struct roster){.member = on_member};
	roster_joined(&r);
	for (int i = 0; i < 1200000; i++)
		roster_diff(&r, S("{}"));
	CHECK(r.nheld > 1000 && r.nheld * (sizeof(struct buf) + 32) <= ROSTER_BYTES);
	roster_state(&r, S("{\"a\":{\"metas\":[{\"phx_ref\":\"1\"}]}}"));
	CHECK_TEXT(told(), "+a{} ");
	roster_free(&r);
	CHECK(r.bytes == 0);
}

int
main(void)
{
	const char *seed = getenv("KANDIL_TEST_SEED");

	test_captured();
	test_orders();
	test_bounds();
	test_many_held();
	for (unsigned i = 0; i < 20; i++)
		test_random(seed ? (unsigned)strtoul(seed, NULL, 10) : 1000 + i);
	buf_free(&log_);
	return check_done();
}
