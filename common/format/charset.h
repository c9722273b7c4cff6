/*
 * charset: text of any charset that iconv knows as UTF-8.
 */
#ifndef KANDIL_FORMAT_CHARSET_H
#define KANDIL_FORMAT_CHARSET_H

#include "common/buf.h"
#include "common/die.h"

/* Whether text in it is UTF-8 already: UTF-8, ASCII, and gettext's unset "CHARSET". */
bool charset_is_utf8(struct slice charset);

struct charset; /* an open conversion */
/* NULL with e ("bad_charset") for a name that iconv does not know. */
struct charset *charset_open(struct slice charset, struct err *e);
/* Appends text as UTF-8: 0, or -1 with e ("bad_charset"), line not set. */
int charset_convert(struct charset *, struct slice text, struct buf *out, struct err *e);
void charset_close(struct charset *);

#endif
