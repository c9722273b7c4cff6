/* Who wins. */
#include "tools/catalog/merge.h"

#include "common/message.h"

static bool
offer_wins(const struct merge_old *old, const struct incoming_translation *offer, bool force)
{
	bool outdated = old->stale || old->source_changed;
	bool seen = offer->replaces.ptr && slice_eq(old->value, offer->replaces);

	if (force)
		return true;
	if (old->state < CATALOG_TRANSLATED)
		return outdated || offer->state > old->state ||
		    (offer->state == old->state && !old->unmarked);
	return (outdated || seen) && !offer->stale && offer->state >= CATALOG_TRANSLATED;
}

static enum merge_outcome
keep_old(const struct merge_old *old, struct catalog_change *change, enum merge_outcome outcome)
{
	if (old->source_changed && !old->stale) {
		change->write = true;
		change->value = old->value;
		change->state = old->state;
		change->stale = true;
	}
	return outcome;
}

/* The texts are equal: only state and staleness can change. */
static enum merge_outcome
confirm(const struct merge_old *old, const struct incoming_translation *offer,
    struct catalog_change *change)
{
	bool confirmed = offer->state >= CATALOG_TRANSLATED && !offer->stale;
	enum catalog_state state = offer->state > old->state ? offer->state : old->state;
	bool stale = (old->stale || old->source_changed) && !confirmed;

	if (stale == old->stale && (state == old->state || old->state >= CATALOG_TRANSLATED))
		return MERGE_SAME;
	change->write = true;
	change->value = old->value;
	change->state = state;
	change->stale = stale;
	return MERGE_UPDATED;
}

enum merge_outcome
merge_decide(const struct merge_old *old, const struct incoming_translation *offer, bool force,
    struct catalog_change *change)
{
	change->write = change->stale = false;
	change->value = (struct slice){NULL, 0};
	change->state = CATALOG_TRANSLATED;
	if (!offer->there)
		return old->there ? keep_old(old, change, MERGE_SAME) : MERGE_MISSING;
	if (old->there && slice_eq(old->value, offer->value))
		return confirm(old, offer, change);
	if (old->there && !offer_wins(old, offer, force))
		return keep_old(old, change, MERGE_KEPT);
	change->write = true;
	change->value = offer->value;
	change->state = offer->state;
	change->stale = offer->stale;
	return old->there ? MERGE_UPDATED : MERGE_ADDED;
}

bool
merge_sound(struct slice source, struct slice text, int dialect, const char *locale,
    struct buf *reason)
{
	struct message_faults faults = {0};
	struct arena arena = {0};

	if (dialect < 0 || !source.ptr)
		return true;
	message_verify(source, text, (unsigned)dialect, slice(locale), &arena, &faults);
	for (size_t i = 0; i < faults.n && faults.serious; i++)
		if (!faults.v[i].warning) {
			buf_reset(reason);
			buf_adds(reason, faults.v[i].text);
			break;
		}
	arena_free(&arena);
	return !faults.serious;
}
