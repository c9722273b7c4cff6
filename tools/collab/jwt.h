/*
 * jwt: JSON Web Tokens in compact form, read strictly and written.
 *
 * Reading takes a token apart and judges no signature: keyring chooses the key,
 * by the family of the algorithm first, so that a public key never verifies an
 * HMAC. What a token says about keys itself (jwk, jku, x5u, x5c) is never
 * looked at. Sources: RFC 7515 (JWS compact serialization), RFC 7519, RFC 8725.
 */
#ifndef KANDIL_COLLAB_JWT_H
#define KANDIL_COLLAB_JWT_H

#include "common/crypto_key.h"

enum { JWT_SIZE = 8 * 1024 }; /* bytes of a token that is read or written */

/* Reused without allocation; zero-initialised is ready. */
struct jwt {
	enum crypto_alg alg;	    /* CRYPTO_NONE: missing, "none", or no algorithm of ours */
	bool has_kid;
	struct buf kid;		    /* decoded */
	struct slice claims;	    /* the payload, a JSON object */
	struct slice signing;	    /* what is signed: of the token given */
	struct buf header, payload, signature; /* decoded */
};

/*
 * Three parts in base64url without padding; header and payload JSON objects;
 * no crit; alg, kid, typ and crit at most once; kid a string. 0, or -1 with e:
 * "not_jwt" and the protocol's words.
 */
int jwt_read(struct jwt *, struct slice token, struct err *e);
bool jwt_verify(const struct jwt *, const struct crypto_key *);
void jwt_free(struct jwt *);

/*
 * Appends a token of these claims (a JSON object), signed. kid: ptr NULL, none.
 * -1 with e: "bad_key", "too_long".
 */
int jwt_write(struct buf *out, const struct crypto_key *, enum crypto_alg, struct slice kid,
    struct slice claims, struct err *e);

/*
 * The values of an object's members of these n names (names compare decoded), ptr
 * NULL where there is none; -1 when one is there twice.
 */
int jwt_members(struct slice object, const char *const *names, struct slice *values, size_t n);

/* -1 with "not_jwt" and the protocol's words. */
int jwt_refuse(struct err *e);

#endif
