/*
 * arb_state: the member @@x-kandil of an ARB or i18next file, read, and edited
 * member by member, so that what a person wrote into it stays.
 */
#ifndef KANDIL_FORMAT_ARB_STATE_H
#define KANDIL_FORMAT_ARB_STATE_H

#include "common/format/arb_style.h"
#include "common/format/catalog.h"
#include "common/format/edit.h"
#include "common/hash.h"

/* Gives the entries what c->states (raw JSON, or len 0) says of them, with the faults in it. */
void arb_states_read(struct catalog *);

struct arb_states {
	const struct catalog *old;
	const struct catalog_change *changes;
	size_t n;
	const struct table *changed; /* key → index of its change, + 1 */
	const struct arb_style *style;
	bool sources; /* remember the source of what is simply translated, too */
	bool rebuild; /* give the object as a whole, as it is to stand elsewhere */
};

enum arb_states_outcome {
	ARB_STATES_EDITED, /* edits has what changes; nothing, where nothing does */
	ARB_STATES_WHOLE,  /* whole has the new object */
	ARB_STATES_GONE,   /* nothing is left to be said */
};

/* Decides what becomes of the object; offsets of edits are those of old->text. */
enum arb_states_outcome arb_states_merge(const struct arb_states *, struct edits *edits,
    struct buf *whole);

#endif
