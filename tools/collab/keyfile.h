/*
 * keyfile: files that hold secrets are read only when nobody else may.
 */
#ifndef KANDIL_COLLAB_KEYFILE_H
#define KANDIL_COLLAB_KEYFILE_H

#include "common/buf.h"
#include "common/die.h"

enum { KEYFILE_SIZE = 256 * 1024 };

/*
 * Whether name is a regular file (symbolic links are followed, it is the file
 * that counts), ours or root's, and not open to others (mode 077); one that
 * root owns may be readable by its group (0640) for a program that is not
 * root, as services have it. 0, or -1 with e: "cannot_read", "open_key_file".
 */
int keyfile_check(const char *name, struct err *e);
/* Checks it and appends its bytes, without a BOM; also "too_large". */
int keyfile_read(const char *name, struct buf *out, struct err *e);
/* The same for public keys: others may read it, and not write it. */
int keyfile_read_public(const char *name, struct buf *out, struct err *e);

/* What such a file holds, as far as its form tells. */
enum keyfile_kind {
	KEYFILE_EMPTY,
	KEYFILE_WORD,  /* one word alone in its first line: a member's key, or a secret */
	KEYFILE_TOKEN, /* the same, and it is a JWT */
	KEYFILE_JWK,
	KEYFILE_JWKS,
	KEYFILE_PEM,
	KEYFILE_RING, /* lines of a hub's key file: keyring.h */
	KEYFILE_OTHER,
};
enum keyfile_kind keyfile_kind(struct slice content);
/* "a hub's keys"; for messages. */
const char *keyfile_kind_name(enum keyfile_kind);

/*
 * The status that a program ends with whose key or token could not be had: STATUS_FAILED where
 * there is no such file, or it cannot be read, else STATUS_USAGE.
 */
enum status keyfile_status(const struct err *);

#endif
