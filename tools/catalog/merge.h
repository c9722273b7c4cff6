/*
 * merge: what becomes of one message in one file: who wins, the text that is
 * there or the one that is offered.
 *
 * A text without a mark is a person's, and never replaced without --force,
 * unless the offer is a person's too, and the text's source changed or the offer names the
 * text as the one that it replaces: who decided on it has seen it. A changed source
 * makes the old translation stale; it is never lost. A draft gives way to a draft or
 * better, or where the file cannot tell whether a person edited it since (a
 * string catalogue) to better alone. A withheld or missing offer writes nothing.
 */
#ifndef KANDIL_CATALOG_MERGE_H
#define KANDIL_CATALOG_MERGE_H

#include "tools/catalog/incoming.h"

enum merge_outcome {
	MERGE_SAME,
	MERGE_ADDED,
	MERGE_UPDATED, /* the text is new, or its state */
	MERGE_KEPT,    /* the offer differs and does not win */
	MERGE_MISSING, /* there is no text, neither here nor there */
	MERGE_OUTCOMES
};

/* What the file has. */
struct merge_old {
	bool there;
	struct slice value; /* to be compared with the offer's */
	enum catalog_state state;
	bool stale;
	bool source_changed;
	/* The file has no place to remember whose text it is: a draft may be an edited one. */
	bool unmarked;
};

/*
 * Decides; fills write, value, state and stale of change, which is cleared in
 * these. value is old's or the offer's.
 */
enum merge_outcome merge_decide(const struct merge_old *, const struct incoming_translation *,
    bool force, struct catalog_change *);

/*
 * Whether the text is a sound translation of the source (ptr NULL: it is not
 * known), both in that dialect (message_verify); reason gets one line where it
 * is not.
 */
bool merge_sound(struct slice source, struct slice text, int dialect, const char *locale,
    struct buf *reason);

#endif
