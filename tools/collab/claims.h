/*
 * claims: who somebody is, and which private topics that opens.
 *
 * Made by keyring_admit of a static key's line, or of a JWT's payload
 * (RFC 7519): role and exp must be there; the grants are the members read and write of
 * the claim "kandil", arrays of patterns (common/glob) over topic names
 * without "realtime:". One block of memory each, however many members.
 */
#ifndef KANDIL_COLLAB_CLAIMS_H
#define KANDIL_COLLAB_CLAIMS_H

#include "common/buf.h"
#include "common/die.h"

/* How far a clock may be behind the one that wrote nbf. */
enum { CLAIMS_LEEWAY_MS = 60000 };

struct claims {
	const char *role; /* never empty */
	const char *sub;  /* "": none */
	const char *name; /* a static key's NAME; else sub, or role where there is none */
	int64_t exp;	  /* ms; 0: never (static keys) */
	int64_t iat;	  /* ms; 0: not said */
	struct slice read, write; /* patterns, a NUL behind each */
	char *memory; /* that all of it points into; NULL: nothing to free */
};

/*
 * Whether the private topic (its name without "realtime:") may be read, or
 * written: everything by the role service_role, else by the grants. The right
 * to write does not include the right to read.
 */
bool claims_may(const struct claims *, struct slice topic, bool write);

/* A copy of its own; and the end of one. Zero-initialised may be freed. */
struct claims claims_copy(const struct claims *);
void claims_free(struct claims *);

/*
 * Of a JWT's payload, a JSON object that json_check accepted. 0; or -1 with
 * the protocol's words: "no_claims" (role or exp missing or no such thing),
 * "token_expired" (out->exp is filled, and nothing else), "not_yet" (nbf),
 * "not_jwt" (a member twice; nbf, iat or sub of a wrong type).
 */
int claims_read(struct claims *out, struct slice payload, int64_t now_ms, struct err *e);

/* Of a static key; read and write as in struct claims. */
struct claims claims_static(struct slice name, struct slice role, struct slice read,
    struct slice write);

#endif
