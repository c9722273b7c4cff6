/*
 * fold: what of a text counts when memory is searched, and putting the rest
 * back.
 *
 * A skeleton is a message's literal text with each placeholder as one byte
 * 01, so that "{n} files", "%d files" and "{count} files" are the same text.
 * Folding drops from a skeleton what differs between programs that mean the
 * same: accelerators (_Save, &Save), outer punctuation and space, case,
 * curly quotes. What folding dropped is restored on the translation by the
 * rules of its language.
 */
#ifndef KANDIL_TRANSLATE_FOLD_H
#define KANDIL_TRANSLATE_FOLD_H

#include "common/message.h"

enum { FOLD_PLACEHOLDER = '\1', FOLD_BRANCHES = '\2' };

/*
 * Appends the skeleton. That of a plural is a byte 02 and the skeleton of its
 * case "other" as a whole text, so that gettext's plurals and ICU's are the
 * same; other messages with branches have their own bytes after the byte 02,
 * so that only the whole is ever equal.
 */
void fold_skeleton(const struct message *, struct buf *out);
/* Appends the folded form of a skeleton; may be empty ("?!"). */
void fold_text(struct slice skeleton, struct buf *out);

/*
 * Appends translation, which answers to the source `found`, as an answer to
 * the source `wanted`: its outer punctuation and capitals, as the language
 * writes them. All three are skeletons or plain text.
 */
void fold_restore(struct slice translation, struct slice found, struct slice wanted,
    const char *locale, struct buf *out);

#endif
