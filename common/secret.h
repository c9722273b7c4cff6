/*
 * secret: keys and tokens: how they are read, hidden and wiped.
 *
 * They come from the environment, from files, and from commands that the
 * user's own configuration names; never from argv. A buf that held one
 * is wiped before it is given back, and no message shows one.
 */
#ifndef KANDIL_SECRET_H
#define KANDIL_SECRET_H

#include "common/buf.h"
#include "common/die.h"

enum { SECRET_SIZE = 64 * 1024 };

/*
 * Trims what was appended to out from there on. 0, or -1 with e ("no_key"; where
 * heads the text): it is empty, or has blanks or control characters in it and so fits
 * no header.
 */
int secret_check(struct buf *out, size_t from, const char *where, struct err *e);
/* The same of its first line, as password managers write a secret; the rest is cut off. */
int secret_line(struct buf *out, size_t from, const char *where, struct err *e);
/*
 * Appends what a command (sh -c) prints, as secret_line, in at most 10 s, for which it
 * blocks. name: of the option that it is of. -1 with e ("no_key").
 */
int secret_command(const char *command, const char *name, struct buf *out, struct err *e);
/*
 * Puts *** wherever the secret (8 bytes and more) stands in text, also where the text's end cuts
 * it. Its whole header line or URL parameter must not be what is searched: the value alone.
 */
void secret_hide(struct buf *text, struct slice secret);
/* Overwrites and frees. */
void secret_wipe(struct buf *);

#endif
