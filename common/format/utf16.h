/*
 * utf16: UTF-16 text with a byte order mark, as Xcode's older files have it.
 *
 * Source: RFC 2781.
 */
#ifndef KANDIL_FORMAT_UTF16_H
#define KANDIL_FORMAT_UTF16_H

#include "common/buf.h"
#include "common/die.h"

/* "UTF-16LE" or "UTF-16BE" by the mark that text begins with; len 0: none. */
struct slice utf16_charset(struct slice text);
/* Appends text, which begins with the mark, as UTF-8 without one: 0, or -1 with "bad_charset". */
int utf16_decode(struct slice text, struct buf *out, struct err *e);
/* Appends UTF-8 text in that charset, the mark first. */
void utf16_encode(struct slice text, struct slice charset, struct buf *out);

#endif
