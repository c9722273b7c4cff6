#include "tools/collab/held_back.h"

#include "common/mem.h"

#include <stdlib.h>

/* The array's own share, so that a million empty messages are bounded as well. */
enum { OVERHEAD = 64 };

/* More than this of one sender: putting one in its place would cost too much. */
enum { MOST = 8192 };

/* What a message takes of the bound. */
static size_t
size_of(struct slice event, struct slice payload)
{
	return event.len + payload.len + OVERHEAD;
}

static void
forget(struct held_message *m, size_t *bytes)
{
	*bytes -= m->event + m->payload + OVERHEAD;
	free(m->bytes);
}

/* The place of the first that is not below seq. */
static size_t
find(const struct held_back *h, uint64_t seq)
{
	size_t low = h->at, high = h->n;

	/* In order is the usual case. */
	if (low == high || h->v[high - 1].seq < seq)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (h->v[middle].seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
compact(struct held_back *h)
{
	if (h->at == 0 || h->at < h->n / 2)
		return;
	memmove(h->v, h->v + h->at, (h->n - h->at) * sizeof(*h->v));
	h->n -= h->at;
	h->at = 0;
}

bool
held_back_add(struct held_back *h, uint64_t seq, struct slice event, struct slice payload,
    size_t *bytes, size_t max)
{
	size_t i = find(h, seq), size = size_of(event, payload);
	struct held_message m = {.seq = seq, .event = event.len, .payload = payload.len};

	if (i < h->n && h->v[i].seq == seq)
		return true;
	while ((*bytes + size > max || h->n - h->at >= MOST) && h->n > i)
		forget(&h->v[--h->n], bytes);
	if (*bytes + size > max || h->n - h->at >= MOST)
		return false;
	m.bytes = xmalloc(event.len + payload.len + 1);
	if (event.len)
		memcpy(m.bytes, event.ptr, event.len);
	if (payload.len)
		memcpy(m.bytes + event.len, payload.ptr, payload.len);
	h->v = xgrow(h->v, h->n, &h->cap, sizeof(*h->v));
	memmove(h->v + i + 1, h->v + i, (h->n - i) * sizeof(*h->v));
	h->v[i] = m;
	h->n++;
	*bytes += size;
	return true;
}

bool
held_back_first(const struct held_back *h, uint64_t *seq, struct slice *event,
    struct slice *payload)
{
	const struct held_message *m;

	if (h->at == h->n)
		return false;
	m = &h->v[h->at];
	*seq = m->seq;
	*event = (struct slice){m->bytes, m->event};
	*payload = (struct slice){m->bytes + m->event, m->payload};
	return true;
}

uint64_t
held_back_last(const struct held_back *h)
{
	return h->at < h->n ? h->v[h->n - 1].seq : 0;
}

void
held_back_drop(struct held_back *h, size_t *bytes)
{
	forget(&h->v[h->at++], bytes);
	compact(h);
}

void
held_back_drop_to(struct held_back *h, uint64_t seq, size_t *bytes)
{
	while (h->at < h->n && h->v[h->at].seq <= seq)
		forget(&h->v[h->at++], bytes);
	compact(h);
}

void
held_back_drop_from(struct held_back *h, uint64_t seq, size_t *bytes)
{
	while (h->at < h->n && h->v[h->n - 1].seq >= seq)
		forget(&h->v[--h->n], bytes);
}

void
held_back_free(struct held_back *h, size_t *bytes)
{
	held_back_drop_from(h, 0, bytes);
	free(h->v);
	*h = (struct held_back){0};
}
