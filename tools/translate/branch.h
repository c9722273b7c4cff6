/*
 * branch: messages with one plural or select, as one whole text a case.
 *
 * "You have {n, plural, one{# file} other{# files}}." is the two texts "You
 * have {n} file." and "You have {n} files.", which memory may know; and the
 * other way round, texts become the cases of a new message.
 */
#ifndef KANDIL_TRANSLATE_BRANCH_H
#define KANDIL_TRANSLATE_BRANCH_H

#include "common/message.h"

/* The one plural, ordinal or select of the message, nothing nested; or NULL. */
const struct message_node *branch_single(const struct message *);

/*
 * Appends the whole text that a reader sees in one case, in the message's
 * dialect, # as {name}.
 */
void branch_flatten(const struct message *, const struct message_node *branch,
    const struct message_node *chosen, struct buf *out);

/* "{name, plural," of the branch, and its end. */
void branch_open(const struct message_node *branch, struct buf *out);
void branch_close(struct buf *out);
/*
 * Appends " selector{text}" where text is a whole text in the dialect, and
 * {name} becomes # if pound. False, and nothing is added, when it cannot.
 */
bool branch_add(const struct message_node *branch, struct slice selector, struct slice text,
    unsigned dialect, bool pound, struct arena *, struct buf *out);
/* Whether the message writes its number as #. */
bool branch_has_pound(const struct message *);

#endif
