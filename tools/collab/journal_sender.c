#include "tools/collab/journal_part.h"

#include "common/mem.h"

#include <stdlib.h>

struct sender *
sender_of(const struct journal *j, struct slice from)
{
	uint64_t *slot = table_get(&j->by_name, from);

	/* cppcheck-suppress intToPointerCast ; the table holds what it was given */
	return slot ? (struct sender *)(uintptr_t)*slot : NULL;
}

/* Where the number stands, or would. */
static size_t
number_at(const struct journal *j, uint32_t number)
{
	size_t low = 0, high = j->nnumbers;

	/* Mostly a new one, which is the highest. */
	if (high && j->numbers[high - 1].number < number)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (j->numbers[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct sender *
sender_numbered(const struct journal *j, uint32_t number)
{
	size_t i = number_at(j, number);

	return i < j->nnumbers && j->numbers[i].number == number ? j->numbers[i].sender : NULL;
}

static void
give_number(struct journal *j, struct sender *s, uint32_t number)
{
	size_t i = number_at(j, number);

	j->numbers = xgrow(j->numbers, j->nnumbers, &j->numbers_cap, sizeof(*j->numbers));
	memmove(&j->numbers[i + 1], &j->numbers[i], (j->nnumbers - i) * sizeof(*j->numbers));
	j->numbers[i] = (struct numbered){number, s};
	j->nnumbers++;
	if (number > s->number)
		s->number = number;
}

static void
put_name(struct journal *j, struct sender *s)
{
	*table_put(&j->by_name, (struct slice){s->from, s->len}, NULL) = (uint64_t)(uintptr_t)s;
}

static struct sender *
make(struct journal *j, struct slice from, uint32_t number)
{
	struct sender *s = xcalloc(1, sizeof(*s));

	s->from = xstrndup(from.ptr, from.len);
	s->len = from.len;
	s->holes = j->holes;
	j->senders = xgrow(j->senders, j->nsenders, &j->senders_cap, sizeof(*j->senders));
	j->senders[j->nsenders++] = s;
	put_name(j, s);
	give_number(j, s, number);
	return s;
}

static void
sender_free(struct sender *s)
{
	free(s->from);
	free(s->samples);
	free(s);
}

/* ---- too many ---- */

static int
compare_silent(const void *a, const void *b)
{
	const struct sender *x = *(struct sender *const *)a, *y = *(struct sender *const *)b;

	if (x->kept != y->kept)
		return x->kept ? -1 : 1;
	if (x->last_place != y->last_place)
		return x->last_place > y->last_place ? -1 : 1;
	return (x->told < y->told) - (x->told > y->told);
}

/*
 * Forgets a quarter of the senders: those longest silent of whom no message is kept. While a
 * segment is loaded nobody whom it names: its messages may come.
 */
static void
forget_some(struct journal *j)
{
	size_t keep = 0, n = 0;

	for (size_t i = 0; i < j->nsenders; i++) {
		struct sender *s = j->senders[i];

		s->kept = (s->last_place && s->last_place >= j->segments[0].first) ||
		    (j->loading && s->told == j->loading);
	}
	qsort(j->senders, j->nsenders, sizeof(struct sender *), compare_silent);
	while (keep < j->nsenders && (keep < JOURNAL_SENDERS / 4 * 3 || j->senders[keep]->kept))
		j->senders[keep++]->kept = true;
	for (size_t i = 0; i < j->nnumbers; i++)
		if (j->numbers[i].sender->kept)
			j->numbers[n++] = j->numbers[i];
	j->nnumbers = n;
	for (size_t i = keep; i < j->nsenders; i++)
		sender_free(j->senders[i]);
	j->nsenders = keep;
	j->recent = NULL;
	table_free(&j->by_name);
	for (size_t i = 0; i < keep; i++)
		put_name(j, j->senders[i]);
}

struct sender *
sender_add(struct journal *j, struct slice from)
{
	if (j->nsenders >= JOURNAL_SENDERS)
		forget_some(j);
	if (j->nsenders >= JOURNAL_SENDERS || j->next_number > INT32_MAX)
		return NULL;
	return make(j, from, j->next_number++);
}

void
senders_settle(struct journal *j)
{
	if (j->nsenders > JOURNAL_SENDERS)
		forget_some(j);
	j->loading = 0;
}

/* ---- what the segments say ---- */

/* Messages up to seq, not included, that nobody has seen: a hole has swallowed them. */
static void
heard(struct journal *j, struct sender *s, uint64_t seq, struct journal_report *report)
{
	if (report && s->holes != j->holes && seq > s->last + 1)
		report_range(report, (struct slice){s->from, s->len}, s->last + 1, seq - 1);
	s->holes = j->holes;
}

bool
sender_learn(struct journal *j, uint32_t number, struct slice from, uint64_t seq,
    struct journal_report *report)
{
	struct sender *s, *same;

	if (j->nnumbers >= NUMBERS_MOST && sender_numbered(j, number) == NULL)
		forget_some(j);
	s = sender_numbered(j, number);
	same = sender_of(j, from);
	if (from.len > JOURNAL_NAME || (s && s != same) || number > INT32_MAX ||
	    (s == NULL && j->nnumbers >= NUMBERS_MOST))
		return false;
	if (number >= j->next_number)
		j->next_number = number + 1;
	if (s == NULL && same) {
		s = same;
		give_number(j, s, number);
	} else if (s == NULL) {
		s = make(j, from, number);
		s->last = seq;
	}
	s->told = j->loading;
	heard(j, s, seq + 1, report);
	if (seq > s->last)
		s->last = seq;
	return true;
}

void
sender_note(struct journal *j, struct sender *s, const struct segment *segment, uint64_t seq,
    uint64_t place, struct journal_report *report)
{
	s->last_place = place;
	if (seq == 0 || seq <= s->last)
		return;
	heard(j, s, seq, report);
	s->last = seq;
	if (s->n && s->segment == segment->first && ++s->since < JOURNAL_EVERY)
		return;
	s->since = 0;
	s->segment = segment->first;
	s->samples = xgrow(s->samples, s->n, &s->cap, sizeof(*s->samples));
	s->samples[s->n++] = (struct sample){seq, place};
}

void
senders_drop(struct journal *j, uint64_t first)
{
	for (size_t i = 0; i < j->nsenders; i++) {
		struct sender *s = j->senders[i];
		size_t gone = 0;

		while (gone < s->n && s->samples[gone].place < first)
			gone++;
		if (gone == 0)
			continue;
		s->n -= gone;
		memmove(s->samples, s->samples + gone, s->n * sizeof(*s->samples));
	}
}

void
senders_put(const struct journal *j, const struct segment *segment, struct buf *out)
{
	for (size_t i = 0; i < j->nnumbers; i++) {
		const struct sender *s = j->numbers[i].sender;
		struct entry_head head = {
		    .seq = s->last, .sender = s->number, .flags = ENTRY_NAME};

		if (s->number == j->numbers[i].number)
			entry_put(segment, head, S(""), (struct slice){s->from, s->len}, out);
	}
}

void
senders_free(struct journal *j)
{
	for (size_t i = 0; i < j->nsenders; i++)
		sender_free(j->senders[i]);
	free(j->senders);
	free(j->numbers);
	table_free(&j->by_name);
	j->senders = NULL;
	j->numbers = NULL;
	j->nsenders = j->senders_cap = j->nnumbers = j->numbers_cap = 0;
	j->next_number = 0;
	j->recent = NULL;
}
