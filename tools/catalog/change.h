/*
 * change: what is to become of one incoming message in one file.
 */
#ifndef KANDIL_CATALOG_CHANGE_H
#define KANDIL_CATALOG_CHANGE_H

#include "tools/catalog/merge.h"
#include "tools/catalog/target.h"

struct changing {
	const struct settings *settings;
	const struct targets *targets;
	struct arena arena; /* what changes point to: of one file */
	struct buf text;
	struct table opaque; /* keys of which it was said that no one message can say them */
	bool no_offers; /* the file's language is not asked for: only sources count */
};

/*
 * Fills change; what is withheld is said on stderr and listed in the target.
 * MERGE_MISSING: the file will have no text for it.
 */
enum merge_outcome change_message(
    struct changing *, struct target *, const struct incoming_message *, struct catalog_change *);

/* The same for the formats of catalog_kind.c; for change_message. */
enum merge_outcome change_kind(
    struct changing *, struct target *, const struct incoming_message *, struct catalog_change *);
/* Says that the message is not written to the file, and lists it. */
void change_withhold(struct target *, struct slice key, const char *why);

#endif
