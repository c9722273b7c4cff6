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
 * Reads the identity of an outbox's folder: 1, 0 when it has none, or none of that
 * name, -1 with e when it cannot be read.
 */
int place_read_node(const char *out, struct slice name, char from[PLACE_IDENTITY + 1],
    struct err *e);
/* The name in an identity. */
struct slice place_name_of(const char *from);
/*
 * Finishes or takes back an exchange that was cut short, and makes a first outbox where there
 * is none. 0, or -1 with e.
 */
int place_settle(struct place *, struct slice name, struct err *e);
/* Brings a folder's entries to the disk: 0 or -1 with errno. */
int place_sync(const char *folder);

#endif
