/*
 * mask: a text without branches in the form in which a translator takes it,
 * and its answer as a message again.
 *
 * MASK_TOKENS, for models: the text as a reader sees it, each placeholder
 * and tag as a token that must come back ({name}, %1$s, <b>). MASK_XML, for
 * services: text escaped as XML, each placeholder and tag as <x id="N"/>, N
 * from 0 in order of the source. No quoting of any dialect is ever shown.
 */
#ifndef KANDIL_TRANSLATE_MASK_H
#define KANDIL_TRANSLATE_MASK_H

#include "common/message.h"

enum mask_form { MASK_TOKENS, MASK_XML };

/* Appends the masked text, without the white space around it. */
void mask_put(const struct message *, enum mask_form, struct buf *out);

/* Appends a JSON array of the tokens that the translation must have, each as often as there. */
void mask_tokens(const struct message *, struct buf *out);

/*
 * Appends the answer as a message in source's dialect, with the white space
 * around source. 0, or -1 with e ("bad_reply", one line) where it cannot be
 * one: MASK_XML and an id is unknown, lost or doubled; a character that the
 * dialect cannot say.
 */
int mask_take(const struct message *source, enum mask_form, struct slice answer, struct buf *out,
    struct err *e);

#endif
