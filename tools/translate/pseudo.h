/*
 * pseudo: text that looks translated, for testing an app before it is.
 *
 * en-XA accents the letters, brackets the text and pads it by the rule that
 * Android uses (half its length, all of it above three words); ar-XB turns
 * every word from right to left. Placeholders, tags, entities, written
 * escapes and ICU syntax stay byte for byte, and both can be taken off again.
 * Source: Android's pseudolocales guide.
 */
#ifndef KANDIL_TRANSLATE_PSEUDO_H
#define KANDIL_TRANSLATE_PSEUDO_H

#include "common/message.h"

/* Appends the message accented (en-XA), or from right to left (ar-XB). */
void pseudo_accented(const struct message *, struct arena *, struct buf *out);
void pseudo_bidi(const struct message *, struct buf *out);

/* Whether the canonical locale is en-XA or ar-XB. */
bool pseudo_locale(const char *locale);

#endif
