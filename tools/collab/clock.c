#include "tools/collab/clock.h"

#include "common/json.h"

#include <inttypes.h>

#define STAMP_MAX ((int64_t)1 << 53) /* numbers that every JSON reader keeps exact */

bool
node_valid(struct slice node)
{
	if (node.len == 0 || node.len > NODE_MAX || utf8_valid(node.ptr, node.len) != node.len)
		return false;
	for (size_t i = 0; i < node.len; i++)
		if ((unsigned char)node.ptr[i] < 0x20 || node.ptr[i] == 0x7f)
			return false;
	return true;
}

void
stamp_put(struct buf *out, const struct stamp *s, bool node)
{
	json_open(out, '[');
	json_put_long(out, s->l);
	json_put_long(out, s->c);
	if (node)
		json_put(out, s->node);
	json_close(out, ']');
}

static int
check_stamp(long long l, long long c, const struct buf *node, struct err *e)
{
	if (l < 1 || l > STAMP_MAX || c < 0 || c > UINT32_MAX)
		return err_set(e, "bad_stamp", "a stamp is out of range, '%lld,%lld'", l, c);
	if (node && !node_valid(buf_slice(node)))
		return err_set(e, "bad_stamp",
		    "a stamp's node is empty, too long or not plain text");
	return 0;
}

int
stamp_get(struct slice value, struct stamp *s, struct buf *node, struct err *e)
{
	struct json_walk w = json_walk(value);
	struct slice part;
	long long l, c;
	bool zero;

	if (json_type(value) != JSON_ARRAY || !json_element(&w, &part) || !json_long(part, &l) ||
	    !json_element(&w, &part) || !json_long(part, &c))
		return err_set(e, "bad_stamp", "a stamp must be [milliseconds, counter%s]",
		    node ? ", node" : "");
	if (node) {
		buf_reset(node);
		if (!json_element(&w, &part) || !json_text(part, node))
			return err_set(e, "bad_stamp", "a stamp has no node");
	}
	zero = node && l == 0 && c == 0 && node->len == 0;
	if (json_element(&w, &part))
		return err_set(e, "bad_stamp", "a stamp has too many elements");
	if (!zero && check_stamp(l, c, node, e) != 0)
		return -1;
	s->l = l;
	s->c = (uint32_t)c;
	if (node)
		s->node = buf_slice(node);
	return 0;
}

void
clock_start(struct clock *k, int64_t stored, int64_t now)
{
	*k = (struct clock){.l = stored > now ? stored : now};
}

/* The next counter in the millisecond l. */
static void
advance(struct clock *k, int64_t l, uint32_t c)
{
	k->l = l + (c == UINT32_MAX);
	k->c = c == UINT32_MAX ? 0 : c + 1;
}

int
clock_tick(struct clock *k, int64_t now, struct stamp *s, struct err *e)
{
	if (k->l > now && k->l - now > CLOCK_AHEAD)
		return err_set(e, "clock_ahead",
		    "the clock is %" PRId64 " s behind what was stamped here: set it right, or wait so long",
		    (k->l - now) / 1000);
	if (now > k->l) {
		k->l = now;
		k->c = 0;
	} else {
		advance(k, k->l, k->c);
	}
	s->l = k->l;
	s->c = k->c;
	return 0;
}

int
clock_receive(struct clock *k, const struct stamp *s, int64_t now, struct err *e)
{
	if (s->l > now && s->l - now > CLOCK_AHEAD)
		return err_set(e, "clock_ahead",
		    "a stamp is %" PRId64 " s ahead of the clock here: one of the two is wrong",
		    (s->l - now) / 1000);
	if (now > k->l && now > s->l) {
		k->l = now;
		k->c = 0;
	} else if (s->l == k->l) {
		advance(k, k->l, s->c > k->c ? s->c : k->c);
	} else if (s->l > k->l) {
		advance(k, s->l, s->c);
	} else {
		advance(k, k->l, k->c);
	}
	return 0;
}

bool
clock_store(struct clock *k, int64_t now, int64_t *bound)
{
	int64_t most;

	if (k->bound > k->l)
		return false;
	/* Beyond what others accept the bound would silence a program that starts anew. */
	most = now + CLOCK_AHEAD;
	k->bound = k->l + CLOCK_STEP;
	if (k->bound > most)
		k->bound = k->l < most ? most : k->l + 1;
	*bound = k->bound;
	return true;
}
