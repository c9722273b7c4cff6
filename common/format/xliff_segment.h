/*
 * xliff_segment: the segments of a unit: their states in words, and the one
 * that a new text of the unit concerns.
 */
#ifndef KANDIL_FORMAT_XLIFF_SEGMENT_H
#define KANDIL_FORMAT_XLIFF_SEGMENT_H

#include "common/format/xliff_scan.h"

/*
 * The state of a segment that has a target. *stale and *edited (a person
 * changed the target since its subState was written, which then says nothing)
 * are set where they are so.
 */
enum catalog_state xliff_state_of(const struct xliff_segment *, bool *stale, bool *edited);

/* What a segment says of a change; substate without its hash, NULL: none. Static. */
struct xliff_words {
	const char *state, *substate;
};
struct xliff_words xliff_words_of(const struct catalog_change *);
/*
 * The subState with the hash of the target's text ("kandil:draft-10e4d6f437198aa0"),
 * the arena's; ptr NULL: none.
 */
struct slice xliff_substate(const struct xliff_words *, struct slice text, struct arena *);

/*
 * The one segment in which text differs from what the targets say together,
 * *part (a slice of it) being what that is to say; NULL: it concerns more than
 * one, or a target is missing.
 */
const struct xliff_segment *xliff_changed_segment(const struct xliff_unit *, struct slice text,
    struct slice *part);

#endif
