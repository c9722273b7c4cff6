/*
 * place_part: what the files of place share.
 *
 *	place.c		opening, marks, journals
 *	place_name.c	names of folders, identities
 *	place_renew.c	exchanging the outbox
 */
#ifndef KANDIL_COLLAB_PLACE_PART_H
#define KANDIL_COLLAB_PLACE_PART_H

#include "tools/collab/place.h"

/* Appends "/HOST_PORT/TOPIC/NAME": 0, or -1 with e ("bad_url", "bad_name"). */
int place_path(const struct place_settings *, struct buf *out, struct err *e);
/* Makes a new identity of that name, NUL-terminated. */
void place_identity(struct slice name, char from[PLACE_IDENTITY + 1]);

/*
 * Finishes or takes back an exchange that was cut short, and makes a first outbox where there
 * is none. 0, or -1 with e.
 */
int place_settle(struct place *, struct slice name, struct err *e);

#endif
