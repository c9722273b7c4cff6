/*
 * cassette_text: JSON for people: indented, and where two texts part.
 */
#ifndef KANDIL_AI_CASSETTE_TEXT_H
#define KANDIL_AI_CASSETTE_TEXT_H

#include "common/buf.h"

/*
 * Appends JSON that json_check accepted with every string and number as it is, a line a
 * value, two blanks a level; the first line is not indented.
 */
void text_indent(struct slice json, size_t level, struct buf *out);

/*
 * Appends where two JSON texts first differ: "at /messages/0/content: recorded …, asked …".
 * false when they do not, but for space.
 */
bool text_difference(struct slice recorded, struct slice asked, struct buf *out);

/* Bytes that two texts share at their start and end, ≤ the shorter. */
size_t text_common(struct slice, struct slice);

#endif
