/*
 * base64: bytes as text, both ways, in the two alphabets of RFC 4648.
 *
 * Reading is strict: each value has one spelling, so what is read and written
 * again is the same text. base64 is section 4 with its padding, base64url is
 * section 5 without (as JWS has it, RFC 7515 section 2).
 */
#ifndef KANDIL_BASE64_H
#define KANDIL_BASE64_H

#include "common/buf.h"

void base64_put(struct buf *, struct slice bytes);
void base64url_put(struct buf *, struct slice bytes);

/*
 * Appends the bytes that text means; false at a foreign byte, white space
 * included, wrong padding or stray bits in the last character, and then the
 * bytes before it have been appended.
 */
bool base64_get(struct buf *, struct slice text);
bool base64url_get(struct buf *, struct slice text);

#endif
