/*
 * Which messages of which sender are kept. Numbers of one sender nearly always come
 * in order and go in order, so an array that grows at its end and is eaten at its
 * beginning serves; what comes late is moved into its place.
 */
#include "common/mem.h"
#include "tools/collab/history_part.h"

#include <stdlib.h>

/* As counted against the limit of memory; arrays are up to three times what is in them. */
enum { SENDER_COST = sizeof(struct sender) + 2 * sizeof(struct table_slot), SEQ_COST = 48 };

struct sender *
history_index_find(const struct index *x, struct slice from)
{
	uint64_t *value = table_get(&x->table, from);

	return value ? (struct sender *)(uintptr_t)*value : NULL;
}

static struct sender *
make(struct index *x, struct slice from)
{
	struct sender *s = xcalloc(1, sizeof(*s));
	size_t size = x->table.size;

	s->name = xstrndup(from.ptr, from.len);
	s->len = from.len;
	s->next = x->senders;
	x->senders = s;
	x->all++;
	x->empty++;
	*table_put(&x->table, (struct slice){s->name, s->len}, NULL) = (uintptr_t)s;
	x->shape += x->table.size != size;
	return s;
}

/* The table anew, without those that have nothing. */
size_t
history_index_tidy(struct index *x)
{
	struct sender **at = &x->senders, *s;
	size_t bytes = 0;

	table_free(&x->table);
	while ((s = *at) != NULL) {
		if (s->n) {
			*table_put(&x->table, (struct slice){s->name, s->len}, NULL) = (uintptr_t)s;
			at = &s->next;
			continue;
		}
		*at = s->next;
		bytes += SENDER_COST + s->len;
		free(s->v);
		free(s->name);
		free(s);
		x->all--;
	}
	x->empty = 0;
	x->shape++;
	return bytes;
}

size_t
history_index_seek(const struct sender *s, uint64_t seq)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (s->v[s->head + middle].seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
sender_insert(struct sender *s, uint64_t seq, uint64_t number)
{
	size_t at = history_index_seek(s, seq);
	struct sender_seq *v;

	/* Not for every hole: an array that is nearly full would be moved each time. */
	if (s->head >= s->cap / 4 && s->head && s->head + s->n == s->cap) {
		memmove(s->v, s->v + s->head, s->n * sizeof(*s->v));
		s->head = 0;
	}
	s->v = xgrow(s->v, s->head + s->n, &s->cap, sizeof(*s->v));
	v = s->v + s->head;
	memmove(v + at + 1, v + at, (s->n - at) * sizeof(*v));
	v[at] = (struct sender_seq){seq, number};
	s->n++;
}

size_t
history_index_add(struct index *x, struct slice from, uint64_t seq, uint64_t number,
    struct sender **sender)
{
	struct sender *s = history_index_find(x, from);
	size_t bytes = SEQ_COST;

	if (s == NULL) {
		s = make(x, from);
		bytes += SENDER_COST + s->len;
	}
	if (s->n == 0)
		x->empty--;
	sender_insert(s, seq, number);
	*sender = s;
	return bytes;
}

/* Gives memory back when little of it is used. */
static void
sender_shrink(struct sender *s)
{
	if (s->cap <= 64 || s->n > s->cap / 8)
		return;
	memmove(s->v, s->v + s->head, s->n * sizeof(*s->v));
	s->head = 0;
	s->cap /= 4;
	s->v = xreallocarray(s->v, s->cap, sizeof(*s->v));
}

size_t
history_index_remove(struct index *x, struct sender *s, uint64_t seq)
{
	size_t at = history_index_seek(s, seq);
	struct sender_seq *v = s->v + s->head;

	if (at == 0)
		s->head++;
	else
		memmove(v + at, v + at + 1, (s->n - at - 1) * sizeof(*v));
	s->n--;
	if (s->n)
		sender_shrink(s);
	else
		x->empty++;
	return SEQ_COST + (x->empty > 16 + x->all / 2 ? history_index_tidy(x) : 0);
}

void
history_index_free(struct index *x)
{
	struct sender *s;

	while ((s = x->senders) != NULL) {
		x->senders = s->next;
		free(s->v);
		free(s->name);
		free(s);
	}
	table_free(&x->table);
	*x = (struct index){0};
}
