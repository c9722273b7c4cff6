#include "tools/translate/answer.h"

#include <stdio.h>

/* The members that are ours, in the order in which they are written. */
static const char *const members[] = {"value", "plural", "status", "stale", "source", "engine",
    "match", "score", "alternatives", "hint", "rejected", "reason"};

enum { MEMBERS = sizeof(members) / sizeof(*members) };

void
answer_reset(struct answer *a)
{
	struct buf *const bufs[] = {&a->value, &a->source, &a->hint, &a->rejected, &a->reason,
	    &a->plural, &a->alternatives};

	for (size_t i = 0; i < sizeof(bufs) / sizeof(*bufs); i++)
		buf_reset(bufs[i]);
	a->state = CATALOG_MISSING;
	a->engine = "rules";
	a->match = NULL;
	a->score = 0;
	a->stale = false;
}

struct existing
answer_existing(struct slice object)
{
	struct existing x = {.object = object, .state = CATALOG_MISSING};
	static struct buf word;
	struct slice value;

	if (!object.len || json_type(object) != JSON_OBJECT)
		return (struct existing){.object = {"", 0}, .state = CATALOG_MISSING};
	if (!json_get(object, "value", &value) || json_type(value) != JSON_STRING)
		return x;
	x.state = CATALOG_TRANSLATED;
	if (json_get_text(object, "status", &word) && !catalog_state_of(buf_slice(&word), &x.state))
		x.state = CATALOG_FUZZY; /* a word that we do not know is no approval */
	x.stale = json_get(object, "stale", &value) && json_type(value) == JSON_TRUE;
	return x;
}

bool
answer_needed(const struct existing *x, bool force)
{
	return force || x->state < CATALOG_TRANSLATED || (x->stale && x->state != CATALOG_APPROVED);
}

bool
answer_replaces(const struct answer *a, const struct existing *x, bool force)
{
	if (!x->object.len || x->state == CATALOG_MISSING)
		return true;
	if (a->state == CATALOG_MISSING || !answer_needed(x, force))
		return false;
	if (x->stale && x->state == CATALOG_DRAFT && !a->stale)
		return true;
	return force || a->state >= CATALOG_TRANSLATED;
}

/* The raw JSON of one of our members; false where the answer has none. */
static bool
member(const struct answer *a, size_t which, struct buf *out)
{
	const struct buf *const texts[MEMBERS] = {[0] = &a->value, [1] = &a->plural,
	    [4] = &a->source, [9] = &a->hint, [10] = &a->rejected, [11] = &a->reason};

	buf_reset(out);
	switch (which) {
	case 2:
		json_quote(out, slice(catalog_state_name(a->state)));
		return true;
	case 3:
		buf_adds(out, "true");
		return a->stale;
	case 5:
		json_quote(out, slice(a->engine));
		return true;
	case 6:
		if (a->match)
			json_quote(out, slice(a->match));
		return a->match != NULL;
	case 7:
		if (a->score > 0)
			buf_addf(out, "%.2f", a->score);
		return a->score > 0;
	case 8:
		buf_addslice(out, buf_slice(&a->alternatives));
		return a->alternatives.len > 0;
	default:
		if (which == 0 && a->state == CATALOG_MISSING)
			return false;
		json_quote(out, buf_slice(texts[which]));
		return which == 0 || texts[which]->len > 0;
	}
}

void
answer_write(const struct answer *a, const struct existing *x, struct buf *out)
{
	static struct buf value, object;

	if (!x->object.len) {
		json_open(out, '{');
		for (size_t i = 0; i < MEMBERS; i++)
			if (member(a, i, &value))
				json_add_raw(out, members[i], buf_slice(&value));
		json_close(out, '}');
		return;
	}
	buf_reset(&object);
	buf_addslice(&object, x->object);
	for (size_t i = 0; i < MEMBERS; i++) {
		if (member(a, i, &value))
			json_set(&object, &members[i], 1, buf_slice(&value));
		else
			json_drop(&object, members[i]);
	}
	buf_addslice(out, buf_slice(&object));
}
